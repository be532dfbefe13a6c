"""Reads what matching left behind and what a receipt shows beside its rules."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session, joinedload, selectinload

from referral.accounts.models import Role, User
from referral.casework.cover import works
from referral.casework.models import Case
from referral.casework.queries import excluded_organizations
from referral.core.errors import NotFound
from referral.directory.kinds import ServiceStatus
from referral.directory.models import (
    Address,
    EntryStep,
    Location,
    Organization,
    Phone,
    Service,
    ServiceAtLocation,
)
from referral.matching.models import ClientChoice, MatchReceipt, PenaltyTable, ServiceStanding
from referral.matching.receipts import Listed


def penalty_table(session: Session, office_id: UUID | None) -> PenaltyTable:
    """The penalties that hold for an office: its own newest, else the newest of all.

    An own version without steps says that the office uses the table of all again.
    """
    own = newest_own_table(session, office_id) if office_id else None
    return own if own is not None and own.steps else shared_table(session)


def shared_table(session: Session, *, until: datetime | None = None) -> PenaltyTable:
    """The newest table of those that come with the program, or the one that was at a moment."""
    tables = _tables(None)
    if until is not None:
        first_was = select(func.min(PenaltyTable.number)).where(PenaltyTable.office_id.is_(None))
        was_there = PenaltyTable.created_at <= until
        tables = tables.where(was_there | (PenaltyTable.number == first_was.scalar_subquery()))
    found = session.scalar(tables.limit(1))
    if found is None:
        raise NotFound("match.no_penalties")
    return found


def newest_own_table(session: Session, office_id: UUID) -> PenaltyTable | None:
    """The office's own newest version, with or without steps."""
    return session.scalar(_tables(office_id).limit(1))


def own_tables(session: Session, office_id: UUID) -> list[tuple[PenaltyTable, str]]:
    """Every version of the office's own table with who made it, newest first."""
    rows = session.execute(
        _tables(office_id)
        .join(User, User.id == PenaltyTable.by_id, isouter=True)
        .add_columns(User.name)
    )
    return [(table, name or "") for table, name in rows]


def get_own_table(session: Session, user: User, table_id: UUID) -> PenaltyTable:
    """A version of the table of this person's office."""
    table = session.get(PenaltyTable, table_id)
    if table is None or table.office_id is None or table.office_id != user.office_id:
        raise NotFound("penalties.unknown")
    return table


def _tables(office_id: UUID | None) -> Select[PenaltyTable]:
    return (
        select(PenaltyTable)
        .where(PenaltyTable.office_id == office_id)
        .order_by(PenaltyTable.number.desc())
    )


def listed(session: Session, site_ids: Iterable[UUID]) -> dict[UUID, Listed]:
    """Names, sources and phone numbers of services at places, by id."""
    rows = session.execute(
        select(
            ServiceAtLocation.id,
            Service.id,
            Service.name,
            Organization.name,
            Service.source,
            Service.source_id,
        )
        .join(Service, Service.id == ServiceAtLocation.service_id)
        .join(Organization, Organization.id == Service.organization_id)
        .where(ServiceAtLocation.id.in_(list(site_ids)))
    ).all()
    phones: dict[UUID | None, list[str]] = defaultdict(list)
    for service_id, number in session.execute(
        select(Phone.service_id, Phone.number)
        .where(Phone.service_id.in_({row[1] for row in rows}))
        .where(or_(Phone.type.is_(None), Phone.type != "fax"))
        .order_by(Phone.id)
    ):
        phones[service_id].append(number)
    return {
        site_id: Listed(name, organization, source, source_id, tuple(phones[service_id]))
        for site_id, service_id, name, organization, source, source_id in rows
    }


def sites(session: Session, site_ids: Iterable[UUID]) -> dict[UUID, ServiceAtLocation]:
    """Services at places with all that a plan of visits tells of them today: contact, address, way in."""
    found = session.scalars(
        select(ServiceAtLocation)
        .where(ServiceAtLocation.id.in_(list(site_ids)))
        .options(
            joinedload(ServiceAtLocation.location).selectinload(Location.addresses),
            joinedload(ServiceAtLocation.service).options(
                selectinload(Service.phones), selectinload(Service.entry_steps)
            ),
        )
    )
    return {site.id: site for site in found}


@dataclass(frozen=True)
class ShownPlace:
    """Where a service is given, as a card and a map show it."""

    confidential: bool
    latitude: float | None
    longitude: float | None
    #: the first line of the address, and the town
    address: tuple[str, str] | None


@dataclass(frozen=True)
class ShownSite:
    """A service at a place as a card shows it today: contact, address, way in.

    phones  (number, extension); steps: (office, documents) in their order
    is_held_back  harm by it is being looked into, and nobody is sent there
    """

    status: ServiceStatus
    is_held_back: bool
    place: ShownPlace | None
    phones: tuple[tuple[str, str | None], ...]
    steps: tuple[tuple[str, tuple[str, ...]], ...]


def shown_sites(session: Session, site_ids: Iterable[UUID]) -> dict[UUID, ShownSite]:
    """Services at places with what a card shows of them today; columns alone, since a page asks for dozens."""
    ids = list(site_ids)
    rows = session.execute(
        select(
            ServiceAtLocation.id,
            ServiceAtLocation.service_id,
            ServiceAtLocation.location_id,
            Service.status,
            Location.confidential,
            Location.latitude,
            Location.longitude,
        )
        .join(Service, Service.id == ServiceAtLocation.service_id)
        .outerjoin(Location, Location.id == ServiceAtLocation.location_id)
        .where(ServiceAtLocation.id.in_(ids))
    ).all()
    services = list({row.service_id for row in rows})
    held = held_back(session, services)
    phones: dict[UUID | None, list[tuple[str, str | None]]] = defaultdict(list)
    for service_id, number, extension in session.execute(
        select(Phone.service_id, Phone.number, Phone.extension)
        .where(Phone.service_id.in_(services), Phone.type.is_distinct_from("fax"))
        .order_by(Phone.id)
    ):
        phones[service_id].append((number, extension))
    steps: dict[UUID, list[tuple[str, tuple[str, ...]]]] = defaultdict(list)
    for service_id, office, documents in session.execute(
        select(EntryStep.service_id, EntryStep.office, EntryStep.documents)
        .where(EntryStep.service_id.in_(services))
        .order_by(EntryStep.position)
    ):
        steps[service_id].append((office, tuple(documents or ())))
    addresses: dict[UUID, tuple[str, str]] = {}
    for location_id, street, city in session.execute(
        select(Address.location_id, Address.address_1, Address.city)
        .where(Address.location_id.in_([row.location_id for row in rows if row.location_id]))
        .order_by(Address.id)
    ):
        addresses.setdefault(location_id, (street or "", city or ""))
    return {
        row.id: ShownSite(
            row.status,
            row.service_id in held,
            None
            if row.location_id is None
            else ShownPlace(
                bool(row.confidential),
                row.latitude,
                row.longitude,
                addresses.get(row.location_id),
            ),
            tuple(phones[row.service_id]),
            tuple(steps[row.service_id]),
        )
        for row in rows
    }


def held_back(session: Session, service_ids: Iterable[UUID]) -> set[UUID]:
    """Of these services those where nobody is sent: harm by them is being looked into."""
    suspended = select(ServiceStanding.service_id).where(
        ServiceStanding.service_id.in_(list(service_ids)), ServiceStanding.suspended
    )
    return set(session.scalars(suspended))


def get_receipt(session: Session, user: User, receipt_id: UUID) -> MatchReceipt:
    """A receipt of one of this person's cases, or of a search without a case in their own office."""
    receipt = session.get(MatchReceipt, receipt_id)
    if receipt is None or not _is_theirs(session, user, receipt):
        raise NotFound("match.receipt.unknown")
    return receipt


def _is_theirs(session: Session, user: User, receipt: MatchReceipt) -> bool:
    if receipt.case_id is not None:
        case = session.get_one(Case, receipt.case_id)
        if user.role is Role.SUPERVISOR:
            return case.office_id == user.office_id
        return works(case, user)
    if user.role is Role.SUPERVISOR:
        return receipt.office_id is not None and receipt.office_id == user.office_id
    return receipt.by_id == user.id


def is_outdated(session: Session, receipt: MatchReceipt) -> bool:
    """Whether a receipt may not be shown any more.

    It names an organization that was kept out of its case later, or was made before violence was known: then it
    may propose mediation, or somebody from the surroundings.
    """
    if receipt.case_id is None:
        return False
    asked = (receipt.content or {}).get("asked", {})
    if not asked.get("violence", True) and session.get_one(Case, receipt.case_id).has_violence:
        return True
    kept_out = {str(one) for one in excluded_organizations(session, receipt.case_id)}
    return bool(kept_out) and any(
        one["organization_id"] in kept_out
        for part in ("options", "remote", "why_not")
        for one in (receipt.content or {}).get(part, ())
    )


def latest_receipt(session: Session, need_id: UUID) -> MatchReceipt | None:
    """The newest match run of a need."""
    return session.scalar(
        select(MatchReceipt)
        .where(MatchReceipt.need_id == need_id)
        .order_by(MatchReceipt.at.desc(), MatchReceipt.id.desc())
        .limit(1)
    )


def latest_choices(
    session: Session, need_ids: Iterable[UUID], *, until: datetime | None = None
) -> dict[UUID, ClientChoice]:
    """What the client last said (up to a moment) about the options of each need that was put to them."""
    query = select(ClientChoice).where(ClientChoice.need_id.in_(list(need_ids)))
    if until is not None:
        query = query.where(ClientChoice.at <= until)
    rows = session.scalars(query.order_by(ClientChoice.at, ClientChoice.id))
    return {choice.need_id: choice for choice in rows}
