"""Where a resource could stand: agencies, seats of areas, hexagons on land; and few of many."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from referral.directory.kinds import ServiceStatus, SystemType
from referral.directory.models import Location, Organization, Service, ServiceAtLocation
from referral.places.codes import holds
from referral.places.gazetteer import DISTRICT, REGENCY, Gazetteer
from referral.places.land import Crossing, land
from referral.planning.access.bands import Floats, unit_vectors
from referral.planning.siting.questions import Kind, Question
from referral.planning.siting.spots import Spot, km_between, spot_of, vectors

#: A site nearer to its true place than this can be shown on a map as it is, km.
SITE_PRECISION_KM = 5.0
#: So many sites are weighed; of more, one of each group of neighbours.
MOST_SITES = 240
#: How fine hexagons are, as H3 counts it: 36 km² each at the finest, 86,000 at the coarsest.
_FINEST, _COARSEST = 6, 2
_MOST_HEXES = 7 * MOST_SITES


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


def sites_by_kind(
    session: Session, gazetteer: Gazetteer, question: Question, spots: Sequence[Spot]
) -> dict[Kind, list[Site]]:
    """Everything that a question lets be a site."""
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
        if place.level == DISTRICT and (spot := spot_of(gazetteer, place.code)) is not None
    ]
    if not inside:
        return []
    tree = cKDTree(vectors(around))
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


def thinned(
    sites: Sequence[Site], spots: Sequence[Spot], people: Floats, within_km: float, most: int
) -> list[Site]:
    """At most so many sites, those with most people within the radius first.

    Where there are more, they are put into so many groups of neighbours, and of each the one with most people
    within the radius stays.
    """
    if not sites:
        return []
    there = vectors(sites)
    near = people @ (km_between(vectors(spots), there) <= within_km)
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
