"""Reading unmet needs: a broker's own, and who is told of a new service. Nothing here is a planner's."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import and_, case, exists, func, or_, select
from sqlalchemy.orm import Session, contains_eager, joinedload

from referral.accounts.models import Role, User
from referral.casework.models import Case, Client, Exclusion, Need, Stage
from referral.casework.queries import theirs
from referral.core.errors import NotFound
from referral.directory.models import Service, ServiceAtLocation
from referral.planning.unmet.models import NewServiceNotice, UnmetNeed, UnmetReason
from referral.referrals.models import Parked

_URGENCY_ORDER = case((Need.urgency == "emergency", 0), (Need.urgency == "urgent", 1), else_=2)
#: Whoever was told and says nothing so long lets the next in line come first.
TURN_LASTS = timedelta(days=7)


@dataclass(frozen=True)
class Turn:
    """Where a client stands among those who were told of the same service.

    position  in the published order, from 1
    places    how many the service says that it has; None: not counted
    is_next   there is a place for them, those before them counted who have not answered yet
    """

    position: int
    places: int | None
    is_next: bool


def reasons(session: Session) -> Sequence[UnmetReason]:
    """The coded reasons in their order, `other` last."""
    return session.scalars(select(UnmetReason).order_by(UnmetReason.code)).all()


def waiting(
    session: Session, category: str, areas: Collection[str | None]
) -> Sequence[tuple[UnmetNeed, Need]]:
    """Who waits for a kind of help in these kab/kota, in the order in which they are told of a new service.

    Most urgent first, then the longest waiting, then by id: published, so that anybody can check it. Nobody who
    was erased, whose need is over or whose case is closed.
    """
    known = [area for area in areas if area is not None]
    here = UnmetNeed.area_code.in_(known)
    rows = session.execute(
        _waiting(select(UnmetNeed, Need), category)
        .where(or_(here, UnmetNeed.area_code.is_(None)) if None in areas else here)
        .options(
            contains_eager(Need.case).options(
                contains_eager(Case.client), joinedload(Case.office), joinedload(Case.broker)
            ),
            joinedload(Need.beneficiary),
        )
        .order_by(_URGENCY_ORDER, UnmetNeed.opened_at, UnmetNeed.id)
    )
    return [(unmet, need) for unmet, need in rows]


def areas_of_waiting(session: Session, category: str) -> set[str | None]:
    """The kab/kota in which somebody waits for a kind of help; None for those of whom it is not known."""
    return set(session.scalars(_waiting(select(UnmetNeed.area_code), category).distinct()))


def _waiting(query: Any, category: str) -> Any:
    return (
        query.join_from(UnmetNeed, Need, Need.id == UnmetNeed.need_id)
        .join(Need.case)
        .join(Case.client)
        .where(
            UnmetNeed.category == category,
            UnmetNeed.closed_at.is_(None),
            Need.withdrawn_at.is_(None),
            Need.resolved_otherwise_at.is_(None),
            Case.stage != Stage.CLOSED,
            Client.erased_at.is_(None),
        )
    )


def open_unmet(session: Session, need_ids: Sequence[UUID]) -> Mapping[UUID, UnmetNeed]:
    """The open record of each need that has one, whoever wrote it."""
    rows = session.scalars(
        select(UnmetNeed).where(UnmetNeed.need_id.in_(need_ids), UnmetNeed.closed_at.is_(None))
    )
    return {row.need_id: row for row in rows}


def confirmed_unmet(session: Session, need_ids: Sequence[UUID]) -> Mapping[UUID, UnmetNeed]:
    """The open record of each need of which a broker has said that nothing meets it: their word on the need."""
    found = open_unmet(session, need_ids)
    return {need_id: one for need_id, one in found.items() if one.confirmed_at is not None}


def newest(session: Session, need_id: UUID) -> UnmetNeed | None:
    """The open record of a need, else the one closed last."""
    return session.scalar(
        select(UnmetNeed)
        .where(UnmetNeed.need_id == need_id)
        .order_by(UnmetNeed.closed_at.is_not(None), UnmetNeed.closed_at.desc(), UnmetNeed.id.desc())
        .limit(1)
    )


# A broker's own ------------------------------------------------------------------------------------


def get(session: Session, user: User, unmet_id: UUID) -> tuple[UnmetNeed, Need]:
    """A record of one of this broker's cases. Raises NotFound."""
    row = session.execute(_own(user).where(UnmetNeed.id == unmet_id)).one_or_none()
    if row is None:
        raise NotFound("unmet.none")
    return row[0], row[1]


def own(
    user: User,
    *,
    category: str | None = None,
    reason: str | None = None,
    unconfirmed: bool = False,
) -> Any:
    """The open records of this broker's cases, with their needs: not confirmed first, in the published order."""
    query = _own(user).where(UnmetNeed.closed_at.is_(None))
    if category is not None:
        query = query.where(UnmetNeed.category == category)
    if reason is not None:
        query = query.where(UnmetNeed.reason == reason)
    if unconfirmed:
        query = query.where(UnmetNeed.confirmed_at.is_(None))
    return query.order_by(
        UnmetNeed.confirmed_at.is_not(None), _URGENCY_ORDER, UnmetNeed.opened_at, UnmetNeed.id
    )


def in_case(session: Session, user: User, case_id: UUID) -> list[tuple[UnmetNeed, Need]]:
    """The open records of one of this broker's cases; none for anybody else."""
    rows = session.execute(own(user).where(Need.case_id == case_id))
    return [(unmet, need) for unmet, need in rows]


def to_confirm(session: Session, user: User) -> int:
    """How many records of this broker's cases nobody has looked at."""
    return count(session, own(user, unconfirmed=True))


def count(session: Session, query: Any) -> int:
    """How many rows a list of records has."""
    return session.scalar(select(func.count()).select_from(query.order_by(None).subquery())) or 0


def kinds_of(session: Session, user: User) -> tuple[list[str], list[str]]:
    """The kinds of help and the reasons that stand in this broker's open records."""
    open_ones = own(user).order_by(None)
    rows = session.execute(
        open_ones.with_only_columns(UnmetNeed.category, UnmetNeed.reason).distinct()
    ).all()
    return (sorted({row.category for row in rows}), sorted({row.reason for row in rows}))


def _own(user: User) -> Any:
    is_broker = user.role is Role.BROKER
    return (
        select(UnmetNeed, Need)
        .join(Need, Need.id == UnmetNeed.need_id)
        .join(Need.case)
        .join(Case.client)
        .where(
            theirs(user) if is_broker else Case.id.is_(None),
            Client.erased_at.is_(None),
            Case.stage != Stage.CLOSED,
        )
        .options(
            contains_eager(Need.case).options(
                contains_eager(Case.client), joinedload(Case.broker), joinedload(Case.office)
            ),
            joinedload(Need.beneficiary),
        )
    )


# New services --------------------------------------------------------------------------------------


def notices(
    session: Session, user: User
) -> Sequence[tuple[NewServiceNotice, Need, ServiceAtLocation]]:
    """New services that may fit a need of this broker and were not looked at yet, in the order of telling."""
    if user.role is not Role.BROKER:
        return []
    rows = session.execute(_notices(user).where(NewServiceNotice.seen_at.is_(None)))
    return [(notice, need, site) for notice, need, site, _unmet in rows]


def calls(user: User) -> Any:
    """Whom this broker has to tell of which service and has not yet: most urgent, longest waiting first.

    Rows of (notice, need, place, record); to be paged.
    """
    return (
        _notices(user)
        .where(NewServiceNotice.done_as.is_(None))
        .order_by(None)
        .order_by(_URGENCY_ORDER, UnmetNeed.opened_at, UnmetNeed.id, NewServiceNotice.id)
    )


def get_notice(
    session: Session, user: User, notice_id: UUID
) -> tuple[NewServiceNotice, Need, ServiceAtLocation]:
    """A notice to one of this broker's cases. Raises NotFound."""
    row = None
    if user.role is Role.BROKER:
        row = session.execute(_notices(user).where(NewServiceNotice.id == notice_id)).one_or_none()
    if row is None:
        raise NotFound("unmet.no_notice")
    return row[0], row[1], row[2]


def service_of(session: Session, notice: NewServiceNotice) -> UUID:
    """The service that a notice tells of."""
    site = session.get_one(ServiceAtLocation, notice.service_at_location_id)
    return site.service_id


def last_position(session: Session, site_id: UUID) -> int:
    """How many were told of a service at a place so far."""
    told = select(func.max(NewServiceNotice.position)).where(
        NewServiceNotice.service_at_location_id == site_id
    )
    return session.scalar(told) or 0


def turn_of(session: Session, notice: NewServiceNotice, *, now: datetime) -> Turn:
    """Whether it is this client's turn: everyone is told at once, and counted places are offered in order."""
    site = session.get_one(ServiceAtLocation, notice.service_at_location_id)
    latest = site.service.capacities[-1] if site.service.capacities else None
    if latest is None or latest.available is None:
        return Turn(notice.position, None, is_next=True)
    before = session.scalar(
        select(func.count())
        .select_from(NewServiceNotice)
        .join(UnmetNeed, UnmetNeed.id == NewServiceNotice.unmet_need_id)
        .where(
            NewServiceNotice.service_at_location_id == notice.service_at_location_id,
            NewServiceNotice.position < notice.position,
            NewServiceNotice.done_as.is_(None),
            NewServiceNotice.at > now - TURN_LASTS,
            UnmetNeed.closed_at.is_(None),
        )
    )
    places = int(latest.available)
    return Turn(notice.position, places, is_next=(before or 0) < places)


def _notices(user: User) -> Any:
    """Whoever was kept out, or whose service was parked, after a notice was written is named no more."""
    kept_out = exists().where(
        Exclusion.case_id == Case.id, Exclusion.organization_id == Service.organization_id
    )
    parked = exists().where(
        Parked.need_id == Need.id, Parked.service_id == Service.id, Parked.lifted_at.is_(None)
    )
    return (
        select(NewServiceNotice, Need, ServiceAtLocation, UnmetNeed)
        .join(UnmetNeed, UnmetNeed.id == NewServiceNotice.unmet_need_id)
        .join(Need, Need.id == UnmetNeed.need_id)
        .join(Need.case)
        .join(Case.client)
        .join(ServiceAtLocation, ServiceAtLocation.id == NewServiceNotice.service_at_location_id)
        .join(Service, Service.id == ServiceAtLocation.service_id)
        .where(
            theirs(user) if user.role is Role.BROKER else Case.id.is_(None),
            Client.erased_at.is_(None),
            and_(UnmetNeed.closed_at.is_(None), Case.stage != Stage.CLOSED),
            ~kept_out,
            ~parked,
        )
        .options(
            contains_eager(Need.case).options(
                contains_eager(Case.client), joinedload(Case.broker), joinedload(Case.office)
            ),
            joinedload(ServiceAtLocation.service),
        )
        .order_by(NewServiceNotice.at, NewServiceNotice.position, NewServiceNotice.id)
    )
