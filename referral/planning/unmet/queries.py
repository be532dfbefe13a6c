"""Reading unmet needs: a broker's own, and who is told of a new service. Nothing here is a planner's."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import case, exists, select
from sqlalchemy.orm import Session, joinedload

from referral.accounts.models import Role, User
from referral.casework.models import Case, Client, Exclusion, Need
from referral.casework.queries import theirs
from referral.directory.models import Service, ServiceAtLocation
from referral.planning.unmet.models import NewServiceNotice, UnmetNeed, UnmetReason

_URGENCY_ORDER = case((Need.urgency == "emergency", 0), (Need.urgency == "urgent", 1), else_=2)


def reasons(session: Session) -> Sequence[UnmetReason]:
    """The coded reasons in their order, `other` last."""
    return session.scalars(select(UnmetReason).order_by(UnmetReason.code)).all()


def waiting(session: Session, category: str) -> Sequence[UnmetNeed]:
    """Open unmet needs of a category in the order in which they are told of a new service.

    Most urgent first, then the longest waiting, then by id: published, so that anybody can check it.
    """
    return session.scalars(
        select(UnmetNeed)
        .join(Need, Need.id == UnmetNeed.need_id)
        .join(Need.case)
        .join(Case.client)
        .where(
            UnmetNeed.category == category,
            UnmetNeed.closed_at.is_(None),
            Client.erased_at.is_(None),
        )
        .order_by(_URGENCY_ORDER, UnmetNeed.opened_at, UnmetNeed.id)
    ).all()


def open_unmet(session: Session, need_ids: Sequence[UUID]) -> Mapping[UUID, UnmetNeed]:
    """The open unmet-need record of each need that has one."""
    rows = session.scalars(
        select(UnmetNeed).where(UnmetNeed.need_id.in_(need_ids), UnmetNeed.closed_at.is_(None))
    )
    return {row.need_id: row for row in rows}


def notices(
    session: Session, user: User
) -> Sequence[tuple[NewServiceNotice, Need, ServiceAtLocation]]:
    """New services that may fit a need of this broker and were not looked at yet, oldest first."""
    if user.role is not Role.BROKER:
        return []
    # Whoever was kept out after the notice was written is named no more.
    kept_out = exists().where(
        Exclusion.case_id == Case.id, Exclusion.organization_id == Service.organization_id
    )
    rows = session.execute(
        select(NewServiceNotice, Need, ServiceAtLocation)
        .join(UnmetNeed, UnmetNeed.id == NewServiceNotice.unmet_need_id)
        .join(Need, Need.id == UnmetNeed.need_id)
        .join(Need.case)
        .join(Case.client)
        .join(ServiceAtLocation, ServiceAtLocation.id == NewServiceNotice.service_at_location_id)
        .join(Service, Service.id == ServiceAtLocation.service_id)
        .where(
            theirs(user),
            NewServiceNotice.seen_at.is_(None),
            Client.erased_at.is_(None),
            ~kept_out,
        )
        .options(joinedload(Need.case), joinedload(ServiceAtLocation.service))
        .order_by(NewServiceNotice.at, NewServiceNotice.position, NewServiceNotice.id)
    )
    return [(notice, need, site) for notice, need, site in rows]
