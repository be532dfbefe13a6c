"""Reads single listings as the public may see them, and emergency numbers."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, not_, or_, select
from sqlalchemy.orm import Session, selectinload

from referral.core.errors import NotFound
from referral.directory import closed_days, phones
from referral.directory.kinds import Remote, ServiceStatus
from referral.directory.models import (
    Accessibility,
    Address,
    Location,
    Organization,
    Phone,
    Schedule,
    Service,
    ServiceAtLocation,
    ServiceCategory,
)
from referral.directory.opening import OpeningRow, is_open
from referral.directory.upkeep.doubts import doubts
from referral.directory.upkeep.kinds import Doubt, Part
from referral.places.codes import holds, no_finer_than_regency

#: A check older than this is said to be old.
VERIFIED_DAYS = 365
#: Numbers that ring in most of the country, for the moment before any listing is loaded.
LAST_RESORT = (
    ("112", "directory.last_resort.112"),
    ("110", "directory.last_resort.110"),
    ("119", "directory.last_resort.119"),
    ("115", "directory.last_resort.115"),
)


@dataclass(frozen=True)
class Site:
    """Where a service is given, without what must stay secret: a confidential place has neither point nor address."""

    id: UUID
    confidential: bool
    area_code: str | None
    address: Address | None = None
    latitude: float | None = None
    longitude: float | None = None
    precision_km: float | None = None
    point_source: str | None = None
    accessibilities: Sequence[Accessibility] = ()


@dataclass(frozen=True)
class Listing:
    """A service with everything a person needs to get there. Read places from `sites`, not from the service.

    doubts   what of it counts as not known until a curator has looked
    """

    service: Service
    sites: Sequence[Site]
    doubts: Sequence[Doubt] = ()

    @property
    def organization(self) -> Organization:
        return self.service.organization

    @property
    def is_confidential(self) -> bool:
        """Whether where it is must stay secret; then a page we read about it may not be named either."""
        return any(site.confidential for site in self.sites)

    @property
    def is_shown_in_searches(self) -> bool:
        return self.service.status in SHOWN

    @property
    def schedules(self) -> Sequence[Schedule]:
        """The rows that hours are read from: those of its one site, else its own, else those of a place."""
        sites = self.service.sites
        of_site = sites[0].schedules if len(sites) == 1 else ()
        of_place = (s.location.schedules for s in sites if s.location and s.location.schedules)
        return of_site or self.service.schedules or next(of_place, ())

    def is_in_doubt(self, part: Part) -> bool:
        return any(doubt.is_about(part) for doubt in self.doubts)

    @property
    def is_always_open(self) -> bool:
        return any(row.never_closes for row in _opening(self.schedules))

    def is_open(self, at: datetime) -> bool | None:
        """Whether it is open at an instant; None where its hours are not known, or in doubt."""
        rows = [] if self.is_in_doubt(Part.HOURS) else _opening(self.schedules)
        return is_open(rows, at, holidays=closed_days.around(at.year)) if rows else None

    def is_stale(self, on: date) -> bool:
        """Whether the last check is so old that it should be made again."""
        assured = self.service.assured_date
        return assured is not None and on - assured > timedelta(days=VERIFIED_DAYS)


@dataclass(frozen=True)
class EmergencyNumber:
    """One number to call at once. No areas: it is not known where it works; `*`: everywhere."""

    service_id: UUID | None
    name: str
    number: str
    dial: str
    type: str | None
    areas: tuple[str, ...]
    categories: tuple[str, ...]
    always_open: bool
    note: str | None = None
    name_key: str | None = None


SHOWN = (ServiceStatus.ACTIVE, ServiceStatus.TEMPORARILY_CLOSED)
#: what loads a service with all that its page says of it
WHOLE = (
    selectinload(Service.organization),
    selectinload(Service.phones),
    selectinload(Service.schedules),
    selectinload(Service.service_areas),
    selectinload(Service.languages),
    selectinload(Service.cost_options),
    selectinload(Service.required_documents),
    selectinload(Service.capacities),
    selectinload(Service.eligibility_rules),
    selectinload(Service.entry_steps),
    selectinload(Service.categories),
    selectinload(Service.sites).selectinload(ServiceAtLocation.schedules),
    selectinload(Service.sites)
    .selectinload(ServiceAtLocation.location)
    .options(
        selectinload(Location.addresses),
        selectinload(Location.accessibilities),
        selectinload(Location.schedules),
    ),
)


def count(session: Session) -> int:
    """How many services there are, in whatever state."""
    return session.scalar(select(func.count()).select_from(Service)) or 0


def is_public() -> ColumnElement[bool]:
    """What anyone may see: never people's own informal help, but where they agreed to it."""
    return not_(Organization.is_private)


def is_offered() -> ColumnElement[bool]:
    """What lists of help may name: public, and neither inactive nor closed for good."""
    return and_(is_public(), Service.status.in_(SHOWN))


def get(session: Session, service_id: UUID) -> Listing:
    """One public listing, also when it is no longer active. Raises NotFound."""
    found = by_ids(session, [service_id])
    if service_id not in found:
        raise NotFound("directory.unknown_service")
    return found[service_id]


def merged_into(session: Session, listing: Listing) -> Listing | None:
    """The listing that a merged one has become, as far as anyone may see it."""
    kept = listing.service.merged_into_id
    return by_ids(session, [kept]).get(kept) if kept else None


def by_ids(session: Session, service_ids: Iterable[UUID]) -> dict[UUID, Listing]:
    """Public listings by id, everything loaded; ids that are not public are missing."""
    query = (
        select(Service)
        .join(Service.organization)
        .where(Service.id.in_(list(service_ids)), is_public())
        .options(*WHOLE)
    )
    services = session.scalars(query).all()
    in_doubt = doubts(session, [service.id for service in services])
    return {
        s.id: Listing(s, [_site(site) for site in s.sites], in_doubt.get(s.id, ()))
        for s in services
    }


def _site(site: ServiceAtLocation) -> Site:
    place = site.location
    if place is None:
        return Site(site.id, confidential=False, area_code=None)
    if place.confidential:
        return Site(site.id, confidential=True, area_code=no_finer_than_regency(place.area_code))
    return Site(
        site.id,
        confidential=False,
        area_code=place.area_code,
        address=place.addresses[0] if place.addresses else None,
        latitude=place.latitude,
        longitude=place.longitude,
        precision_km=place.precision_km,
        point_source=place.point_source,
        accessibilities=place.accessibilities,
    )


def emergency_numbers(
    session: Session,
    *,
    area_code: str | None = None,
    needs: Collection[str] = (),
    limit: int = 50,
) -> list[EmergencyNumber]:
    """Numbers to call when somebody is in danger, those that work everywhere first.

    Those that answer for one of `needs` (EM06: somebody who may take their life) come before all others.
    With `area_code` those known to work elsewhere only are left out, and always those whose number or help
    is in doubt. Never empty: before any listing is loaded it gives the national numbers.
    """
    emergency = select(ServiceCategory.service_id).where(ServiceCategory.code.startswith("EM"))
    query = (
        select(Service)
        .join(Service.organization)
        .where(
            is_offered(),
            Service.status == ServiceStatus.ACTIVE,
            or_(Service.remote == Remote.PHONE, Service.facility_type == "HOTLINE"),
            Service.id.in_(emergency),
            Service.id.in_(select(Phone.service_id).where(Phone.type.in_(("hotline", "voice")))),
        )
        .options(
            selectinload(Service.phones),
            selectinload(Service.service_areas),
            selectinload(Service.categories),
            selectinload(Service.schedules),
        )
        .order_by(Service.name, Service.id)
    )
    found = []
    services = session.scalars(query).all()
    in_doubt = doubts(session, [service.id for service in services])
    for service in services:
        doubted = in_doubt.get(service.id, ())
        codes = [c.code for c in service.categories if c.code.startswith("EM")]
        codes = [code for code in codes if not any(d.is_about_category(code) for d in doubted)]
        if not codes or any(doubt.is_about(Part.PHONES) for doubt in doubted):
            continue
        areas = tuple(area.area_code for area in service.service_areas if area.area_code)
        if area_code and areas and not reaches(areas, area_code):
            continue
        calls = [phone for phone in service.phones if phone.type in ("hotline", "voice")]
        first = min(calls, key=lambda phone: (phone.type != "hotline", len(phone.number)))
        found.append(
            EmergencyNumber(
                service.id,
                service.name,
                f"{first.number} ext {first.extension}" if first.extension else first.number,
                phones.dial(first.number, first.extension),
                first.type,
                areas,
                tuple(codes),
                not any(doubt.is_about(Part.HOURS) for doubt in doubted)
                and any(row.never_closes for row in _opening(service.schedules)),
                service.alert,
            )
        )
    found.sort(
        key=lambda n: (
            not set(needs) & set(n.categories),
            "*" not in n.areas,
            len(n.number) > 4,
            n.number,
            n.name,
        )
    )
    return found[:limit] or [
        EmergencyNumber(None, "", number, number, "hotline", (), (), False, name_key=key)
        for number, key in LAST_RESORT
    ]


def reaches(areas: Iterable[str], code: str) -> bool:
    """Whether a service for these areas serves somebody in the place: one lies in the other."""
    return any(area == "*" or holds(area, code) or holds(code, area) for area in areas)


def _opening(schedules: Iterable[Schedule]) -> list[OpeningRow]:
    return [
        OpeningRow(**{name: getattr(schedule, name) for name in OpeningRow.__dataclass_fields__})
        for schedule in schedules
    ]
