"""The listings that may be compared, as plain columns: a million of them in memory, none as an object."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, case, select, true
from sqlalchemy.orm import InstrumentedAttribute, Session

from referral.directory.duplicates import normal
from referral.directory.duplicates.scoring import Entry, Place, Shared
from referral.directory.kinds import ServiceStatus, SystemType
from referral.directory.models import (
    Address,
    Location,
    Organization,
    Phone,
    Service,
    ServiceAtLocation,
    ServiceCategory,
)
from referral.places.codes import no_finer_than_regency
from referral.places.models import Place as PlaceRow

#: any query
Rows = Select[*tuple[Any, ...]]
_FETCH = 10_000
_NONE: frozenset[str] = frozenset()

#: latitude, longitude, precision in km, area code, address line
Site = tuple[float | None, float | None, float, str | None, str | None]


@dataclass
class Columns:
    """One entry per listing in each list; what few listings have is in dictionaries by row."""

    ids: list[UUID] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    organizations: list[UUID] = field(default_factory=list)
    origins: list[Any] = field(default_factory=list)
    facility_types: list[str | None] = field(default_factory=list)
    categories: list[frozenset[str]] = field(default_factory=list)
    sites: list[tuple[Site, ...]] = field(default_factory=list)
    phones: dict[int, frozenset[str]] = field(default_factory=dict)
    emails: dict[int, frozenset[str]] = field(default_factory=dict)
    hosts: dict[int, frozenset[str]] = field(default_factory=dict)
    #: area code → words of its name and of the areas that hold it
    area_words: dict[str, frozenset[str]] = field(default_factory=dict)

    def entry(self, row: int) -> Entry:
        """What of one listing is compared."""
        sites = self.sites[row]
        words = (self._words(site[3]) for site in sites)
        return Entry(
            name=normal.name(self.names[row]),
            organization=self.organizations[row],
            origin=self.origins[row],
            facility_type=self.facility_types[row],
            categories=self.categories[row],
            phones=self.phones.get(row, _NONE),
            emails=self.emails.get(row, _NONE),
            hosts=self.hosts.get(row, _NONE),
            places=[
                Place(lat, lon, km, area, normal.street(line) if line else None)
                for lat, lon, km, area, line in sites
            ],
            area_words=frozenset().union(*words),
        )

    def _words(self, code: str | None) -> frozenset[str]:
        if code is None:
            return _NONE
        if code not in self.area_words:
            parts = code.split(".")
            above = (".".join(parts[:length]) for length in range(1, len(parts)))
            self.area_words[code] = frozenset().union(
                *(self.area_words.get(one, _NONE) for one in above)
            )
        return self.area_words[code]

    @cached_property
    def shared(self) -> Shared:
        """How many listings have the same number, address, host and name."""
        return Shared(
            phones=_counts(self.phones.values()),
            emails=_counts(self.emails.values()),
            hosts=_counts(self.hosts.values()),
        )


def _counts(values: Iterable[frozenset[str]]) -> Counter[str]:
    counted = Counter(one for some in values for one in some)
    return Counter({value: count for value, count in counted.items() if count > 1})


def load(session: Session, *, only: Select[UUID] | Collection[UUID] | None = None) -> Columns:
    """Every listing that may be shown or was closed for a while; with `only`, those of them.

    What is defunct or merged is left out, and so is informal help. Of a confidential place only its
    regency is read.
    """
    found = Columns()
    is_asked = and_(
        Organization.system_type
        != SystemType.INFORMAL,  # of nobody's help is made one with another's
        Service.status != ServiceStatus.DEFUNCT,
        Service.merged_into_id.is_(None),
        Service.id.in_(only) if only is not None else true(),
    )
    asked = select(Service.id).join(Service.organization).where(is_asked)
    origins: dict[Any, Any] = {}
    row_of: dict[UUID, int] = {}
    main = (
        select(
            Service.id,
            Service.name,
            Service.organization_id,
            Service.source,
            Service.source_title,
            Service.facility_type,
            Service.email,
            Organization.email,
            Service.url,
            Organization.website,
        )
        .join(Service.organization)
        .where(is_asked)
        .order_by(Service.id)
    )
    for id_, name, house, source, title, type_, *contacts in _rows(session, main):
        row = row_of[id_] = len(found.ids)
        found.ids.append(id_)
        found.names.append(name)
        found.organizations.append(house)
        # Without a source it was written here, and two people may have written the same.
        origin = (source, title) if source else None
        found.origins.append(origins.setdefault(origin, origin))
        found.facility_types.append(type_)
        emails = {normal.email(one) for one in contacts[:2] if one}
        hosts = {host for one in contacts[2:] if one and (host := normal.host(one))}
        if emails:
            found.emails[row] = frozenset(emails)
        if hosts:
            found.hosts[row] = frozenset(hosts)
    _load_categories(session, found, row_of, asked)
    _load_phones(session, found, row_of, asked)
    _load_sites(session, found, row_of, asked)
    _load_area_words(session, found)
    return found


def _rows(session: Session, query: Rows) -> Iterator[Any]:
    yield from session.execute(query, execution_options={"yield_per": _FETCH})


def _load_categories(
    session: Session, found: Columns, row_of: dict[UUID, int], asked: Rows
) -> None:
    same: dict[frozenset[str], frozenset[str]] = {}
    found.categories = [_NONE] * len(found.ids)
    query = select(ServiceCategory.service_id, ServiceCategory.code).where(
        ServiceCategory.service_id.in_(asked)
    )
    for service_id, code in _rows(session, query):
        row = row_of[service_id]
        some = found.categories[row] | {code}
        found.categories[row] = same.setdefault(some, some)


def _load_phones(session: Session, found: Columns, row_of: dict[UUID, int], asked: Rows) -> None:
    """Numbers of the service, of its places, and of the organization that runs it."""
    at = ServiceAtLocation
    queries: list[Rows] = [
        select(Phone.service_id, Phone.number).where(Phone.service_id.in_(asked)),
        select(at.service_id, Phone.number)
        .join(Phone, Phone.service_at_location_id == at.id)
        .where(at.service_id.in_(asked)),
        select(at.service_id, Phone.number)
        .join(Phone, Phone.location_id == at.location_id)
        .where(at.service_id.in_(asked)),
        select(Service.id, Phone.number)
        .join(Phone, Phone.organization_id == Service.organization_id)
        .where(Service.id.in_(asked)),
    ]
    for query in queries:
        for service_id, number in _rows(session, query):
            if digits := normal.phone(number):
                row = row_of[service_id]
                found.phones[row] = found.phones.get(row, _NONE) | {digits}


def _load_sites(session: Session, found: Columns, row_of: dict[UUID, int], asked: Rows) -> None:
    codes: dict[str, str] = {}
    found.sites = [()] * len(found.ids)

    def open_(column: InstrumentedAttribute[Any]) -> Any:
        # The point and the street of a refuge do not even leave the database.
        return case((Location.confidential, None), else_=column)

    query = (
        select(
            ServiceAtLocation.service_id,
            open_(Location.latitude),
            open_(Location.longitude),
            Location.precision_km,
            Location.area_code,
            Location.confidential,
            open_(Address.address_1),
        )
        .join(Location, Location.id == ServiceAtLocation.location_id)
        .outerjoin(Address, Address.location_id == Location.id)
        .where(ServiceAtLocation.service_id.in_(asked))
    )
    for service_id, lat, lon, km, area, secret, line in _rows(session, query):
        code = no_finer_than_regency(area) if secret else area
        code = code and codes.setdefault(code, code)
        found.sites[row_of[service_id]] += ((lat, lon, km or 0.0, code, line),)


def _load_area_words(session: Session, found: Columns) -> None:
    names = dict(session.execute(select(PlaceRow.code, PlaceRow.name)).all())
    for code in sorted(names):
        above = found.area_words.get(code.rpartition(".")[0], _NONE)
        found.area_words[code] = above | frozenset(normal.name(names[code]).core)
