"""What a siting question is worked out on: people by kecamatan, sites they could go to, and what is there already.

People come from published figures or from the population; places from the gazetteer; services from the public
directory. Nothing here reads a need, a case or a client.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from referral.core.errors import Invalid
from referral.directory.kinds import ServiceStatus, SystemType
from referral.directory.models import Location, Organization, Service, ServiceAtLocation
from referral.places.codes import holds, province_of, regency_of
from referral.places.gazetteer import DISTRICT, REGENCY, Gazetteer
from referral.places.gazetteer import Place as Area
from referral.places.land import Crossing, land
from referral.planning.access import demand
from referral.planning.access import supply as services
from referral.planning.access.bands import Bools, Floats, closest, km_of_chord, unit_vectors
from referral.planning.disclosure.cells import Shown
from referral.planning.gaps import figures
from referral.planning.gaps.cuts import Key
from referral.planning.gaps.models import GapRelease, Measure
from referral.planning.siting.questions import FACTORS, By, Kind, Near, Question, near_enough
from referral.planning.siting.study import Scene

#: A site nearer to its true place than this can be shown on a map as it is, km.
SITE_PRECISION_KM = 5.0
#: So many sites are weighed; of more, one of each group of neighbours.
MOST_SITES = 240
#: How fine hexagons are, as H3 counts it: 36 km² each at the finest, 86,000 at the coarsest.
_FINEST, _COARSEST = 6, 2
_MOST_HEXES = 7 * MOST_SITES
#: Of the services there are, so many of the nearest are looked at for one on the same island.
_NEAREST = 12


@dataclass(frozen=True)
class Spot:
    """A kecamatan with people: the point that stands for it."""

    code: str
    latitude: float
    longitude: float
    precision_km: float
    is_beyond: bool


@dataclass(frozen=True)
class Site:
    """Where a resource could stand. `key` is stable: the id of a location, code of an area, or name of a hexagon."""

    kind: Kind
    key: str
    name: str | None
    latitude: float
    longitude: float
    precision_km: float = 0.0

    def as_json(self, near: str, near_km: float) -> dict[str, Any]:
        return {
            "kind": self.kind.value,
            "key": self.key,
            "name": self.name,
            "latitude": round(self.latitude, 5),
            "longitude": round(self.longitude, 5),
            "near": near,
            "near_km": round(near_km, 1),
        }


@dataclass(frozen=True)
class People:
    """How many people each spot has, and how that is known.

    told, estimated  people of the area in figures told for their kab/kota, and in those that had to be shared out
    hidden           kab/kota of the area whose own figure may not be told
    is_even          nobody is known to live anywhere, so that every kecamatan counts alike
    """

    people: Floats
    told: float
    estimated: float
    hidden: int
    is_even: bool = False


@dataclass(frozen=True)
class Land:
    """Everything a question is worked out on."""

    spots: list[Spot]
    sites: list[Site]
    people: People
    scene: Scene
    found: Mapping[str, int]
    weighed: Mapping[str, int]
    services: int
    unplaced: int

    def near(self, site: Site) -> tuple[str, float]:
        """The spot nearest to a site, and its km."""
        km = _km(_vectors(self.spots), _vectors([site]))[:, 0]
        at = int(np.argmin(km))
        return self.spots[at].code, float(km[at])


def area_of(gazetteer: Gazetteer, code: str) -> Area:
    """A province or kab/kota to find a place in. Raises Invalid."""
    if code not in gazetteer or gazetteer.get(code).level > REGENCY:
        raise Invalid("siting.area", field="area")
    return gazetteer.get(code)


def usual(gazetteer: Gazetteer, area: str) -> Near:
    """The radius that fits an area, and why."""
    return near_enough(_vectors(_inside(gazetteer, area)[0]))


def kinds_of_service(
    session: Session, gazetteer: Gazetteer, category: str, area: str, *, now: datetime
) -> list[tuple[str, int]]:
    """Kinds of facility that offer a category in the province of an area, and how many; most first."""
    found = services.read(session, gazetteer, now=now, category=category)
    province = province_of(area)
    here = np.array([holds(province, code) for code in found.areas], dtype=bool)
    counted: dict[str, set[int]] = {}
    for at in np.flatnonzero(found.usable()):
        if found.area[at] >= 0 and here[found.area[at]]:
            counted.setdefault(found.type_of[at] or "", set()).add(int(found.site[at]))
    return sorted(
        ((kind, len(sites)) for kind, sites in counted.items()), key=lambda one: (-one[1], one[0])
    )


def read(
    session: Session,
    gazetteer: Gazetteer,
    question: Question,
    release: GapRelease | None,
    *,
    now: datetime,
) -> Land:
    """People, sites and services of a question. Raises Invalid where there is nobody or no site."""
    area_of(gazetteer, question.area)
    spots, unplaced = _inside(gazetteer, question.area)
    if question.beyond:
        spots += _beyond(gazetteer, spots, question)
    people = _people(session, gazetteer, question, spots, release)
    if not float(people.people.sum()) > 0:
        raise Invalid(f"siting.nobody.{question.by.value}", field="by")
    found = _found(session, gazetteer, question, spots)
    if not any(found.values()):
        raise Invalid("siting.no_site", field="kinds")
    share = MOST_SITES // len(question.kinds)
    weighed: dict[Kind, list[Site]] = {
        kind: _thinned(sites, spots, people.people, question.within_km, share)
        for kind, sites in found.items()
    }
    sites = [site for kind in Kind for site in weighed.get(kind, ())]
    there, count = _services(session, gazetteer, question, spots, now)
    scene = _scene(question, spots, sites, people.people, there)
    return Land(
        spots,
        sites,
        people,
        scene,
        {kind.value: len(each) for kind, each in found.items()},
        {kind.value: len(each) for kind, each in weighed.items()},
        count,
        unplaced,
    )


# People --------------------------------------------------------------------------------------------


def _inside(gazetteer: Gazetteer, area: str) -> tuple[list[Spot], int]:
    """The kecamatan of an area that can be placed as well as their kab/kota, and how many can't."""
    codes = [
        place.code for place in gazetteer if place.level == DISTRICT and holds(area, place.code)
    ]
    spots = [_spot(gazetteer, code) for code in codes]
    placed = [spot for spot in spots if spot is not None]
    return placed, len(spots) - len(placed)


def _spot(gazetteer: Gazetteer, code: str, *, is_beyond: bool = False) -> Spot | None:
    found = gazetteer.locate(code)
    if found is None or found.at.level < REGENCY:
        return None
    return Spot(code, found.latitude, found.longitude, found.precision_km, is_beyond)


def _beyond(gazetteer: Gazetteer, inside: Sequence[Spot], question: Question) -> list[Spot]:
    """Kecamatan outside the area that are within the radius of one inside."""
    outside = [
        spot
        for place in gazetteer
        if place.level == DISTRICT and not holds(question.area, place.code)
        if (spot := _spot(gazetteer, place.code, is_beyond=True)) is not None
    ]
    if not inside or not outside:
        return []
    from scipy.spatial import cKDTree

    chords, _ = cKDTree(_vectors(inside)).query(_vectors(outside))
    is_near = km_of_chord(chords) <= question.within_km
    return [spot for spot, near in zip(outside, is_near, strict=True) if near]


def _people(
    session: Session,
    gazetteer: Gazetteer,
    question: Question,
    spots: Sequence[Spot],
    release: GapRelease | None,
) -> People:
    areas = [place.code for place in gazetteer if place.level == DISTRICT]
    country = demand.Country(areas, {place.code: place.population for place in gazetteer})
    mine = np.array([not spot.is_beyond for spot in spots], dtype=bool)
    if question.by is By.POPULATION:
        found = _of(spots, areas, country.population)
        is_even = bool(np.isnan(found).any())
        found = np.ones(len(spots)) if is_even else found
        return People(found, float(found[mine].sum()), 0.0, 0, is_even)
    if release is None:
        raise Invalid("siting.no_release", field="by")
    read = figures.read(session, release, Measure.UNMET, category=question.category)
    asked = demand.asked(country, read.cell, question.category)
    found = np.nan_to_num(_of(spots, areas, asked.people))
    regencies = {regency_of(spot.code) or "" for spot in spots if not spot.is_beyond}
    hidden = {
        code
        for code in regencies
        if read.cell(Key(area=code, category=question.category)).shown is not Shown.COUNT
    }
    is_hidden = np.array([regency_of(spot.code) in hidden for spot in spots], dtype=bool)
    return People(
        found,
        float(found[mine & ~is_hidden].sum()),
        float(found[mine & is_hidden].sum()),
        len(hidden),
    )


def _of(spots: Sequence[Spot], areas: Sequence[str], people: Floats) -> Floats:
    at = {code: number for number, code in enumerate(areas)}
    return np.array([people[at[spot.code]] for spot in spots], dtype=float)


# Sites ---------------------------------------------------------------------------------------------


def _found(
    session: Session, gazetteer: Gazetteer, question: Question, spots: Sequence[Spot]
) -> dict[Kind, list[Site]]:
    ways: dict[Kind, Callable[[], list[Site]]] = {
        Kind.AGENCY: lambda: _agencies(session, gazetteer, question.area),
        Kind.SEAT: lambda: _seats(gazetteer, question.area),
        Kind.HEX: lambda: _hexes(gazetteer, question.area, spots),
    }
    return {kind: ways[kind]() for kind in Kind if kind in question.kinds}


def _agencies(session: Session, gazetteer: Gazetteer, area: str) -> list[Site]:
    """Public places of active services of the area, each once: a new one could be hosted there."""
    codes = [place.code for place in gazetteer if holds(area, place.code)]
    here = (
        Location.area_code.in_(codes),
        Location.confidential.is_(False),
        Location.latitude.is_not(None),
        Location.precision_km <= SITE_PRECISION_KM,
    )
    # Who offers what is looked up from the places on: SQLite would begin with every active service.
    offered = session.execute(
        select(
            ServiceAtLocation.location_id,
            Service.name,
            Service.status,
            Service.merged_into_id,
            Service.remote,
            Service.organization_id,
        )
        .join(Service, Service.id == ServiceAtLocation.service_id)
        .where(ServiceAtLocation.location_id.in_(select(Location.id).where(*here)))
        .order_by(ServiceAtLocation.location_id, Service.name)
    )
    homes = set(
        session.scalars(
            select(Organization.id).where(Organization.system_type == SystemType.INFORMAL)
        )
    )
    names: dict[Any, str] = {}
    for row in offered:
        is_open = row.status is ServiceStatus.ACTIVE and row.merged_into_id is None
        if is_open and row.remote is None and row.organization_id not in homes:
            names.setdefault(row.location_id, row.name)
    places = session.execute(
        select(
            Location.id,
            Location.name,
            Location.latitude,
            Location.longitude,
            Location.precision_km,
        )
        .where(*here)
        .order_by(Location.id)
    )
    return [
        Site(
            Kind.AGENCY,
            str(row.id),
            row.name or names[row.id],
            row.latitude,
            row.longitude,
            row.precision_km,
        )
        for row in places
        if row.id in names
    ]


def _seats(gazetteer: Gazetteer, area: str) -> list[Site]:
    """Points of the area's kab/kota and kecamatan, as far as they have their own."""
    found: dict[tuple[float, float], Site] = {}
    for place in gazetteer:
        if place.level < REGENCY or not holds(area, place.code) or place.latitude is None:
            continue
        at = (place.latitude, place.longitude or 0.0)
        site = Site(Kind.SEAT, place.code, None, *at, place.precision_km or 0.0)
        found.setdefault(at, site)
    return list(found.values())


def _hexes(gazetteer: Gazetteer, area: str, spots: Sequence[Spot]) -> list[Site]:
    """Middles of hexagons on land whose nearest kecamatan is one of the area's; as fine as can be weighed."""
    import h3
    from scipy.spatial import cKDTree

    inside = [spot for spot in spots if not spot.is_beyond]
    around = [
        spot
        for place in gazetteer
        if place.level == DISTRICT and (spot := _spot(gazetteer, place.code)) is not None
    ]
    if not inside:
        return []
    tree = cKDTree(_vectors(around))
    found: list[Site] = []
    for fineness in range(_FINEST, _COARSEST - 1, -1):
        edge_km = h3.average_hexagon_edge_length(fineness, unit="km")
        # As far from a kecamatan's point as its people may live.
        cells = {
            cell
            for spot in inside
            for cell in h3.grid_disk(
                h3.latlng_to_cell(spot.latitude, spot.longitude, fineness),
                int(max(spot.precision_km, edge_km) / (edge_km * 1.5)) + 1,
            )
        }
        names = sorted(cells)
        middles = [h3.cell_to_latlng(cell) for cell in names]
        _, nearest = tree.query(unit_vectors(*np.array(middles).T))
        found = [
            Site(Kind.HEX, cell, None, *middle)
            for cell, middle, at in zip(names, middles, nearest, strict=True)
            if holds(area, around[at].code) and _is_on_land(*middle)
        ]
        if len(found) <= _MOST_HEXES:
            break
    return found


def _is_on_land(latitude: float, longitude: float) -> bool:
    """Whether the land that is drawn holds a point; what is not drawn can't tell."""
    ground = land()
    spot = (latitude, longitude, 0.0)
    return ground is None or ground.crossing(spot, spot) is Crossing.NO


def _thinned(
    sites: Sequence[Site], spots: Sequence[Spot], people: Floats, within_km: float, most: int
) -> list[Site]:
    """At most so many sites, those with most people within the radius first.

    Where there are more, they are put into so many groups of neighbours, and of each the one with most people
    within the radius stays.
    """
    if not sites:
        return []
    there = _vectors(sites)
    near = people @ (_km(_vectors(spots), there) <= within_km)
    order = sorted(range(len(sites)), key=lambda at: (-near[at], sites[at].key))
    if len(order) > most:
        groups = _groups(there[order], most)
        first: dict[int, int] = {}
        for at, group in zip(order, groups, strict=True):
            first.setdefault(group, at)
        order = list(first.values())  # in the same order
    return [sites[at] for at in order]


def _groups(points: Floats, count: int) -> list[int]:
    """The group of each point: that of the nearest middle, each new middle as far from the earlier ones as can be."""
    nearest = np.zeros(len(points), dtype=np.int64)
    apart = np.linalg.norm(points - points[0], axis=1)
    for group in range(1, count):
        middle = points[int(np.argmax(apart))]
        to_it = np.linalg.norm(points - middle, axis=1)
        nearest[to_it < apart] = group
        apart = np.minimum(apart, to_it)
    return [int(group) for group in nearest]


# What is there already ------------------------------------------------------------------------------


@dataclass(frozen=True)
class _There:
    """Km to the nearest service of each spot, of all and of those on its own island."""

    km: Floats
    reach_km: Floats


def _services(
    session: Session,
    gazetteer: Gazetteer,
    question: Question,
    spots: Sequence[Spot],
    now: datetime,
) -> tuple[_There, int]:
    """How far what is there already is from each spot, and how many services were counted."""
    found = services.read(session, gazetteer, now=now, category=question.category)
    usable = found.usable()
    if question.services is not None:
        usable &= np.array(
            [(kind or "") in question.services for kind in found.type_of], dtype=bool
        )
    chosen = np.flatnonzero(usable)
    nothing = np.full(len(spots), np.inf)
    if not len(chosen):
        return _There(nothing, nothing), 0
    reach = services.Reach([spot.code for spot in spots])
    band = closest(_vectors(spots), there := found.supply(chosen, reach), _NEAREST)
    km = band.least(band.km)
    degrees = _degrees(there.xyz)
    apart = _apart(
        question,
        spots,
        [(*degrees[at], 2 * float(there.floor_km[at])) for at in range(len(there))],
        zip(band.rows.tolist(), band.columns.tolist(), strict=True),
    )
    reach_km = band.least(np.where(apart, np.inf, band.km))
    return _There(km, reach_km), len(np.unique(found.site[chosen]))


def _scene(
    question: Question,
    spots: Sequence[Spot],
    sites: Sequence[Site],
    people: Floats,
    there: _There,
) -> Scene:
    km = _km(_vectors(spots), _vectors(sites))
    # Farther than the widest radius nobody is within reach anyway.
    rows, columns = np.nonzero(km <= question.within_km * max(FACTORS))
    apart = _apart(
        question,
        spots,
        [(site.latitude, site.longitude, site.precision_km) for site in sites],
        zip(rows.tolist(), columns.tolist(), strict=True),
    )
    reach_km = km.copy()
    reach_km[rows[apart], columns[apart]] = np.inf
    is_beyond = np.array([spot.is_beyond for spot in spots], dtype=bool)
    return Scene(people, is_beyond, km, reach_km, there.km, there.reach_km)


def _apart(
    question: Question,
    spots: Sequence[Spot],
    others: Sequence[tuple[float, float, float]],
    pairs: Any,
) -> Bools:
    """Of pairs of a spot and another point, which lie on two islands, where that counts and is known."""
    ground = land() if question.same_island else None
    pairs = list(pairs)
    if ground is None:
        return np.zeros(len(pairs), dtype=bool)
    here = [(spot.latitude, spot.longitude, spot.precision_km) for spot in spots]
    return np.array(
        [ground.crossing(here[row], others[column]) is Crossing.YES for row, column in pairs],
        dtype=bool,
    )


def _vectors(points: Sequence[Spot] | Sequence[Site]) -> Floats:
    return unit_vectors([one.latitude for one in points], [one.longitude for one in points])


def _degrees(xyz: Floats) -> list[tuple[float, float]]:
    latitudes = np.degrees(np.arcsin(np.clip(xyz[:, 2], -1, 1)))
    longitudes = np.degrees(np.arctan2(xyz[:, 1], xyz[:, 0]))
    return list(zip(latitudes.tolist(), longitudes.tolist(), strict=True))


def _km(here: Floats, there: Floats) -> Floats:
    """Great-circle km between two lists of unit vectors."""
    apart = np.sqrt(np.maximum(0.0, 2 - 2 * (here @ there.T)))
    km: Floats = km_of_chord(apart)
    return km
