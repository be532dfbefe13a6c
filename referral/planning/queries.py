"""Reading unmet needs, gaps and proposals. Planners get counts from here, never rows about people."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Select, case, exists, func, select
from sqlalchemy.orm import Session, joinedload, selectinload

from referral.accounts.models import Role, User
from referral.casework.models import Case, Client, Exclusion, Need
from referral.casework.queries import theirs
from referral.core.errors import NotFound
from referral.core.geo import haversine_km
from referral.directory.models import (
    Location,
    Service,
    ServiceAtLocation,
    ServiceCategory,
    ServiceStatus,
)
from referral.places.gazetteer import Gazetteer
from referral.planning.models import (
    NewServiceNotice,
    Proposal,
    ProposalStatus,
    UnmetNeed,
    UnmetReason,
)

#: Where the client's area is not known.
NOWHERE = "?"
_URGENCY_ORDER = case((Need.urgency == "emergency", 0), (Need.urgency == "urgent", 1), else_=2)


@dataclass(frozen=True)
class Nearest:
    """The nearest active service of a category to an area, straight line; km None where none is placed."""

    service_id: UUID | None
    name: str | None
    km: float | None
    #: services of the category anywhere in the directory
    anywhere: int


def reasons(session: Session) -> Sequence[UnmetReason]:
    """The coded reasons in their order, `other` last."""
    return session.scalars(select(UnmetReason).order_by(UnmetReason.code)).all()


def counts(session: Session) -> dict[tuple[str, str], int]:
    """Clients with an open unmet need that counts as a gap: {(kab/kota, category): clients}.

    A family counts once for a category, however many of its members need it: otherwise one family with
    five children would pass the threshold that protects it. Raw: protect before showing.
    """
    query = (
        select(UnmetNeed.area_code, UnmetNeed.category, func.count(Case.client_id.distinct()))
        .join(UnmetReason, UnmetReason.code == UnmetNeed.reason)
        .join(Need, Need.id == UnmetNeed.need_id)
        .join(Case, Case.id == Need.case_id)
        .where(UnmetNeed.closed_at.is_(None), UnmetReason.counts_as_gap)
        .group_by(UnmetNeed.area_code, UnmetNeed.category)
    )
    return {(area or NOWHERE, category): count for area, category, count in session.execute(query)}


def nearest(
    session: Session, gazetteer: Gazetteer, pairs: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], Nearest]:
    """For each (area, category) the nearest active service that is no refuge."""
    wanted = {category for _, category in pairs}
    sites: dict[str, list[Any]] = {category: [] for category in wanted}
    rows = session.execute(
        select(
            ServiceCategory.code,
            Service.id,
            Service.name,
            Location.latitude,
            Location.longitude,
            Location.precision_km,
            Location.confidential,
        )
        .join(Service, Service.id == ServiceCategory.service_id)
        .join(ServiceAtLocation, ServiceAtLocation.service_id == Service.id)
        .outerjoin(Location, Location.id == ServiceAtLocation.location_id)
        .where(ServiceCategory.code.in_(wanted), Service.status == ServiceStatus.ACTIVE)
    )
    for row in rows:
        sites[row.code].append(row)
    found = {}
    for area, category in pairs:
        here = gazetteer.locate(area) if area in gazetteer else None
        placed = [
            (
                max(
                    haversine_km(here.latitude, here.longitude, site.latitude, site.longitude),
                    # Placed by area it is somewhere in it, not at its centre.
                    (site.precision_km or 0.0) / 2,
                ),
                site,
            )
            for site in sites[category]
            if here is not None and site.latitude is not None and not site.confidential
        ]
        km, site = min(placed, key=lambda pair: pair[0], default=(None, None))
        found[area, category] = Nearest(
            site.id if site else None, site.name if site else None, km, len(sites[category])
        )
    return found


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


def proposals(*, ended: bool = False) -> Select[Any]:
    """Proposals under way (or ended), newest first; to be paged."""
    over = Proposal.status.in_([ProposalStatus.OPENED, ProposalStatus.DROPPED])
    return (
        select(Proposal)
        .where(over if ended else ~over)
        .order_by(Proposal.created_at.desc(), Proposal.id)
    )


def get_proposal(session: Session, proposal_id: UUID) -> Proposal:
    """A proposal with its steps. Raises NotFound."""
    found = session.scalar(
        select(Proposal)
        .where(Proposal.id == proposal_id)
        .options(selectinload(Proposal.steps), joinedload(Proposal.created_by))
    )
    if found is None:
        raise NotFound("planning.no_proposal")
    return found
