"""What services there are of each category and where, from the database to arrays in one pass.

Only what the public directory says: a confidential place stands at the seat of its kab/kota, with that precision.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import numpy as np
import numpy.typing as npt
from sqlalchemy import case, null, select
from sqlalchemy.orm import Session

from referral.directory.kinds import CategoryBasis, Criterion, ServiceStatus, SystemType
from referral.directory.models import (
    EligibilityRule,
    Location,
    Organization,
    Service,
    ServiceArea,
    ServiceAtLocation,
    ServiceCapacity,
    ServiceCategory,
)
from referral.matching.candidates import facility_defaults
from referral.matching.models import ServiceStanding
from referral.matching.penalties import CAPACITY_GOOD_DAYS, NO_CAPACITY
from referral.places.codes import holds, no_finer_than_regency, regency_of
from referral.places.gazetteer import Gazetteer
from referral.planning.access.bands import ANYWHERE, Bools, Floats, Ints, Supply, unit_vectors

Objects = npt.NDArray[np.object_]

SYSTEMS = tuple(SystemType)
#: Half of how far off a place may be: it is hardly ever nearer than that.
FLOOR_OF_PRECISION = 0.5
_EVERYWHERE = ("*", "00")
#: a place of which only the area is known
Spot = tuple[float, float, float]


@dataclass(frozen=True)
class Sites:
    """Every active service at every place it is given, one row for each of its categories.

    category   (s,) row of `categories`
    is_told    (s,) its source says that it does this; else only its kind of facility suggests it
    system     (s,) row of SYSTEMS
    points     (s, 2) degrees; not a number where no place is known
    floor_km   (s,) see bands.Supply
    places     (s,) people it can help; 1 where that is not known; 0 where it is full now
    is_remote  (s,) needs no visit, so distance does not matter
    hidden     (s,) a confidential place, put at the seat of its kab/kota
    serves     (s,) row of `served`, or ANYWHERE
    area       (s,) row of `areas`: the smallest known area it lies in, -1 where none is
    site       (s,) which site it is, the same for each of its categories
    type_of    (s,) type of facility, as RSJ; None where it is not said
    """

    categories: list[str]
    areas: list[str]
    served: list[frozenset[str]]
    category: Ints
    is_told: Bools
    system: Ints
    points: Floats
    floor_km: Floats
    places: Floats
    is_remote: Bools
    hidden: Bools
    serves: Ints
    area: Ints
    site: Ints
    type_of: Objects

    def __len__(self) -> int:
        return len(self.category)

    def usable(self) -> Bools:
        """Which are open, not full, and at a known place to go to."""
        return (self.places > 0) & ~np.isnan(self.points[:, 0]) & ~self.is_remote

    def supply(self, chosen: Ints, areas: "Reach") -> Supply:
        """These rows as what demand points reach; a site that has several of the categories once."""
        _, first = np.unique(self.site[chosen], return_index=True)
        rows = chosen[np.sort(first)]
        serves, allowed = areas.of(self, self.serves[rows])
        points = self.points[rows]
        xyz = unit_vectors(points[:, 0], points[:, 1])
        return Supply(xyz, self.floor_km[rows], self.places[rows], serves, allowed).merged()


class Reach:
    """Which of the demand points lie in the areas that services are for; worked out once for each set of areas."""

    def __init__(self, areas: list[str]):
        self._areas = areas
        self._known: dict[frozenset[str], Bools] = {}

    def of(self, sites: Sites, serves: Ints) -> tuple[Ints, Bools]:
        """Numbers into a table of its own, and the table (a, n)."""
        different, numbers = np.unique(serves, return_inverse=True)
        rows = [self._row(sites.served[number]) for number in different if number != ANYWHERE]
        if different.size and different[0] == ANYWHERE:
            numbers = numbers - 1
        table = np.array(rows) if rows else np.zeros((0, len(self._areas)), bool)
        return numbers.astype(np.int64), table

    def _row(self, codes: frozenset[str]) -> Bools:
        found = self._known.get(codes)
        if found is None:
            found = self._known[codes] = np.array(
                [any(holds(code, area) for code in codes) for area in self._areas], bool
            )
        return found


def read(
    session: Session,
    gazetteer: Gazetteer,
    *,
    now: datetime,
    category: str | None = None,
) -> Sites:
    """All active services, or those of one category (a domain has those of its leaves)."""
    is_hidden = Location.confidential.is_(True)
    query = (
        select(
            ServiceCategory.code,
            ServiceCategory.basis,
            Service.id,
            Service.facility_type,
            Service.remote,
            Organization.system_type,
            ServiceAtLocation.id,
            case((is_hidden, null()), else_=Location.latitude),
            case((is_hidden, null()), else_=Location.longitude),
            case((is_hidden, null()), else_=Location.precision_km),
            Location.area_code,
            Location.confidential,
        )
        .join(Service, Service.id == ServiceCategory.service_id)
        .join(Organization, Organization.id == Service.organization_id)
        .outerjoin(ServiceAtLocation, ServiceAtLocation.service_id == Service.id)
        .outerjoin(Location, Location.id == ServiceAtLocation.location_id)
        .where(_is_offered(), ~Organization.is_private)
    )
    services = select(ServiceCategory.service_id)
    if category:
        wanted = ServiceCategory.code.startswith(category)
        query, services = query.where(wanted), services.where(wanted)
    rows = session.execute(query).all()
    return _Making(gazetteer, _rooms(session, services, now), _served(session, services)).of(rows)


def _is_offered() -> Any:
    """Active, not merged into another listing, and no harm by it is being looked into."""
    suspended = select(ServiceStanding.service_id).where(ServiceStanding.suspended)
    return (
        (Service.status == ServiceStatus.ACTIVE)
        & Service.merged_into_id.is_(None)
        & Service.id.not_in(suspended)
    )


def _rooms(
    session: Session, services: Any, now: datetime
) -> Mapping[UUID, tuple[float | None, bool]]:
    """For services that say something of their room: how many they can help, where known, and whether they are full."""
    said: dict[UUID, list[Any]] = {}
    query = (
        select(
            ServiceCapacity.service_id,
            ServiceCapacity.maximum,
            ServiceCapacity.available,
            ServiceCapacity.status,
            ServiceCapacity.until,
            ServiceCapacity.updated,
        )
        .where(ServiceCapacity.service_id.in_(services))
        .order_by(ServiceCapacity.updated)
    )
    for row in session.execute(query):
        said.setdefault(row.service_id, []).append(row)
    return {service_id: _room(rows, now) for service_id, rows in said.items()}


def _room(rows: list[Any], now: datetime) -> tuple[float | None, bool]:
    maximum = next((row.maximum for row in reversed(rows) if row.maximum), None)
    told = [row for row in rows if row.status is not None or row.available is not None]
    return maximum, bool(told) and _is_full(told[-1], now)


def _is_full(row: Any, now: datetime) -> bool:
    """Whether the newest word on room says that there is none, and still holds."""
    if row.status is not None and row.status.value != NO_CAPACITY:
        return False
    if row.status is None and row.available:
        return False
    if row.until is not None:
        return bool(row.until >= now.date())
    return bool((now - row.updated).days <= CAPACITY_GOOD_DAYS)


def _served(session: Session, services: Any) -> Mapping[UUID, frozenset[str] | None]:
    """Whose people services and sites are for, where they say so; None where it is everybody's or can't be named."""
    of_service = select(ServiceArea.service_id, ServiceArea.area_code).where(
        ServiceArea.service_id.in_(services)
    )
    of_site = select(ServiceArea.service_at_location_id, ServiceArea.area_code).where(
        ServiceArea.service_at_location_id.is_not(None)
    )
    found: dict[UUID, set[str | None]] = {}
    rows: list[Any] = [*session.execute(of_service), *session.execute(of_site)]
    for owner, code in rows:
        found.setdefault(owner, set()).add(code)
    rules = select(EligibilityRule.service_id, EligibilityRule.values).where(
        EligibilityRule.service_id.in_(services), EligibilityRule.criterion == Criterion.RESIDENCY
    )
    for owner, codes in session.execute(rules):
        if codes and owner not in found:
            found[owner] = set(codes)
    return {
        owner: None
        if any(code is None or code in _EVERYWHERE for code in codes)
        else frozenset(code for code in codes if code)
        for owner, codes in found.items()
    }


class _Making:
    """Turns rows of the database into columns."""

    def __init__(
        self,
        gazetteer: Gazetteer,
        rooms: Mapping[UUID, tuple[float | None, bool]],
        served: Mapping[UUID, frozenset[str] | None],
    ):
        self._gazetteer, self._rooms, self._served = gazetteer, rooms, served
        self._spots: dict[tuple[str, bool], Spot] = {}
        self._own_area = {
            kind for kind, default in facility_defaults().items() if default.own_area_only
        }
        self._categories: dict[str, int] = {}
        self._areas: dict[str, int] = {}
        self._sets: dict[frozenset[str], int] = {}

    def of(self, rows: Iterable[Any]) -> Sites:
        """All of them."""
        numbers: dict[Any, int] = {}
        sites_of: dict[UUID, set[Any]] = {}
        made, types = [], []
        kinds = {system: at for at, system in enumerate(SYSTEMS)}
        for code, basis, service, kind, remote, system, site, *place in rows:
            *point, area, hidden = place
            if hidden:
                area = no_finer_than_regency(area)
            lat, lon, off = self._spot(point, area, hidden=hidden)
            sites_of.setdefault(service, set()).add(site)
            types.append(kind)
            made.append(
                (
                    self._categories.setdefault(code, len(self._categories)),
                    basis is CategoryBasis.STATED,
                    kinds[system],
                    lat,
                    lon,
                    off * FLOOR_OF_PRECISION,
                    remote is not None,
                    bool(hidden),
                    self._for(service, site, kind, area),
                    self._areas.setdefault(area, len(self._areas)) if area else -1,
                    numbers.setdefault(site or service, len(numbers)),
                )
            )
        columns = np.array(made, float).reshape(-1, 11).T
        places = np.array(self._places([row[2] for row in rows], sites_of), float)
        whole = [columns[at].astype(np.int64) for at in (0, 2, 8, 9, 10)]
        category, system_of, serves, area_of, site_of = whole
        return Sites(
            categories=list(self._categories),
            areas=list(self._areas),
            served=list(self._sets),
            category=category,
            is_told=columns[1] > 0,
            system=system_of,
            points=columns[3:5].T.copy(),
            floor_km=columns[5],
            places=places,
            is_remote=columns[6] > 0,
            hidden=columns[7] > 0,
            serves=serves,
            area=area_of,
            site=site_of,
            type_of=np.array(types, object),
        )

    def _places(self, services: list[UUID], sites_of: Mapping[UUID, set[Any]]) -> list[float]:
        """What a service can do is shared over its sites; one place for each site where it is not known."""
        found = []
        for service in services:
            most, is_full = self._rooms.get(service, (None, False))
            each = most / len(sites_of[service]) if most else 1.0
            found.append(0.0 if is_full else each)
        return found

    def _spot(self, point: list[float | None], area: str | None, *, hidden: bool) -> Spot:
        """The point, or that of the area it lies in."""
        latitude, longitude, precision_km = point
        if latitude is not None and longitude is not None:
            return latitude, longitude, precision_km or 0.0
        if area is None or area not in self._gazetteer:
            return _NOWHERE
        found = self._spots.get((area, hidden))
        if found is None:
            located = self._gazetteer.locate(area)
            # A refuge is told of at the seat of its kab/kota or nowhere.
            is_told = located is not None and not (hidden and regency_of(located.at.code) is None)
            found = self._spots[area, hidden] = (
                (located.latitude, located.longitude, located.precision_km)
                if located is not None and is_told
                else _NOWHERE
            )
        return found

    def _for(self, service: UUID, site: Any, kind: str | None, area: str | None) -> int:
        """Number of the set of areas whose people it is for."""
        owner = site if site in self._served else service
        if owner in self._served:
            codes = self._served[owner]
        else:
            own = regency_of(area) if kind in self._own_area else None
            codes = frozenset((own,)) if own else None
        return ANYWHERE if codes is None else self._sets.setdefault(codes, len(self._sets))


_NOWHERE = (float("nan"), float("nan"), 0.0)
