"""Works out all measures of access and keeps them: one run over the country, read by pages ever after."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any
from uuid import UUID

import numpy as np
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from referral.changes.directory import version as directory_version
from referral.directory.kinds import SystemType
from referral.directory.reference import taxonomy
from referral.places.gazetteer import Gazetteer
from referral.places.queries import gazetteer as places_of
from referral.planning.access import demand as demands
from referral.planning.access import queries
from referral.planning.access import supply as supplies
from referral.planning.access.bands import Bools, Floats, Ints, Supply, sums, unit_vectors
from referral.planning.access.measuring import (
    RADIUS_KM,
    Ground,
    Summary,
    measure,
    summarise,
)
from referral.planning.access.models import AccessResult, AccessRun
from referral.planning.access.queries import ALL_SYSTEMS, EVERYTHING
from referral.planning.gaps import figures
from referral.planning.gaps.models import Measure

#: Runs that are kept; the newest is shown, an earlier one compares.
KEPT = 3
#: After a change of the directory a new run waits so long, after a release it does not.
REST = timedelta(hours=20)


@dataclass(frozen=True)
class Worked:
    """A run that is worked out and not yet kept."""

    run: dict[str, Any]
    results: list[dict[str, Any]]


class Workshop:
    """What all categories have in common: the areas, the services, and what is published of needs."""

    def __init__(
        self,
        session: Session,
        *,
        now: datetime,
        category: str | None = None,
        radius_km: float = RADIUS_KM,
    ):
        gazetteer = places_of(session)
        areas = small_areas(gazetteer)
        self.country = demands.Country(areas, {place.code: place.population for place in gazetteer})
        points = points_of(gazetteer, areas)
        self.ground = Ground.of(points, unit_vectors(points[:, 0], points[:, 1]), radius_km)
        self.sites = supplies.read(session, gazetteer, now=now, category=category)
        self._reach = supplies.Reach(areas)
        self._home = _Home(self.sites, self.country, self.ground)
        self.release = figures.latest(session)
        self._session, self._category = session, category
        self._domains = {term.code: term.parent for term in taxonomy()}

    @cached_property
    def _figures(self) -> figures.Figures | None:
        if self.release is None:
            return None
        wanted = self._category or None
        return figures.read(self._session, self.release, Measure.ASKED, category=wanted)

    def demand(self, category: str) -> demands.Demand:
        """People who asked for a category; before the first release everybody who lives there."""
        if self._figures is None:
            return demands.residents(self.country)
        return demands.asked(self.country, self._figures.cell, category)

    def supply(self, rows: Bools) -> Supply:
        """These rows of the sites as what the areas reach."""
        return self.sites.supply(np.flatnonzero(rows), self._reach)

    def of(self, category: str, system: str | None = ALL_SYSTEMS) -> Bools:
        """Which rows of the sites have the category (a domain: one of its leaves) and are of the kind of system."""
        fits = [
            not category or code == category or self._domains.get(code) == category
            for code in self.sites.categories
        ]
        rows = np.array(fits, bool)[self.sites.category] if fits else np.zeros(0, bool)
        if system:
            rows = rows & (self.sites.system == supplies.SYSTEMS.index(SystemType(system)))
        return rows

    def measured(
        self, rows: Bools, demand: demands.Demand
    ) -> tuple[dict[str, Floats], dict[str, Any]]:
        """The measures of these rows of the sites, and what was counted."""
        usable = rows & self.sites.usable()
        supply, told = self.supply(usable), self.supply(usable & self.sites.is_told)
        places = self._home.places(np.flatnonzero(usable))
        arrays, gap = measure(self.ground, demand.people, supply, told, places)
        return arrays, self._counted(rows, usable, demand) | {"gap": round(gap, 4)}

    def _counted(self, rows: Bools, usable: Bools, demand: demands.Demand) -> dict[str, Any]:
        sites = self.sites
        different = np.unique(sites.site[rows], return_index=True)[1]
        those = np.flatnonzero(rows)[different]
        basis = "asked" if self.release else "residents"
        if not self.release and not self.country.has_population:
            basis = "areas"
        return {
            "sites": len(those),
            "usable": int(usable[those].sum()),
            "told": int(sites.is_told[those].sum()),
            "full": int((sites.places[those] == 0).sum()),
            "remote": int(sites.is_remote[those].sum()),
            "confidential": int(sites.hidden[those].sum()),
            "unplaced": int((np.isnan(sites.points[those, 0]) & ~sites.is_remote[those]).sum()),
            "places": float(sites.places[those].sum()),
            "demand": {
                "basis": basis,
                "told": round(demand.told, 1),
                "shared": round(demand.shared, 1),
                "unplaced": round(demand.unplaced, 1),
            },
        }


class _Home:
    """In which demand points the places of each site are counted: its own area, or spread over what it lies in."""

    def __init__(self, sites: supplies.Sites, country: demands.Country, ground: Ground):
        self._sites, self._count = sites, len(country.areas)
        number = {code: at for at, code in enumerate(country.areas)}
        self._own = np.array([number.get(code, -1) for code in sites.areas] or [-1])
        regencies = {code: at for at, code in enumerate(country.regencies)}
        self._regency = np.array([regencies.get(code, -1) for code in sites.areas] or [-1])
        self._country, self._ground = country, ground

    def places(self, rows: Ints) -> Floats:
        """Places inside each area, (n,). Of a site whose kab/kota is not known, in the nearest area."""
        _, first = np.unique(self._sites.site[rows], return_index=True)
        rows = rows[first]
        area, places = self._sites.area[rows], self._sites.places[rows]
        own = np.where(area >= 0, self._own[area], -1)
        wide = np.where((area >= 0) & (own < 0), self._regency[area], -1)
        lost = (own < 0) & (wide < 0)
        if lost.any():
            own[lost] = self._nearest(rows[lost])
        found = sums(own[own >= 0], places[own >= 0], self._count)
        size = len(self._country.regencies)
        whole = sums(wide[wide >= 0], places[wide >= 0], size)
        parts = np.bincount(self._country.regency, minlength=size)
        return np.asarray(found + (whole / np.maximum(parts, 1))[self._country.regency])

    def _nearest(self, rows: Ints) -> Ints:
        from scipy.spatial import cKDTree

        placed = np.flatnonzero(~np.isnan(self._ground.xyz[:, 0]))
        if not len(placed):
            return np.full(len(rows), -1)
        points = self._sites.points[rows]
        _, at = cKDTree(self._ground.xyz[placed]).query(unit_vectors(points[:, 0], points[:, 1]))
        return np.asarray(placed[at])


def small_areas(gazetteer: Gazetteer) -> list[str]:
    """Codes of the smallest areas of the gazetteer: kecamatan, and kab/kota and provinces that have no parts."""
    return sorted(place.code for place in gazetteer if not gazetteer.children(place.code))


def points_of(gazetteer: Gazetteer, areas: list[str]) -> Floats:
    """(n, 2) degrees: each area's own point, else that of the area around it; NaN where there is none."""
    located = [gazetteer.locate(code) for code in areas]
    found = [(at.latitude, at.longitude) if at else (np.nan, np.nan) for at in located]
    return np.array(found, float).reshape(-1, 2)


def is_due(session: Session, *, now: datetime) -> bool:
    """Whether a release came, or the directory changed some time ago, after the newest run."""
    newest = queries.latest(session)
    if newest is None:
        return True
    release = figures.latest(session)
    if newest.release_id != (release.id if release else None):
        return True
    return newest.directory_version != directory_version(session) and now - newest.made_at >= REST


def work_out(session: Session, *, now: datetime, radius_km: float = RADIUS_KM) -> AccessRun:
    """Work out every measure of every category and kind of resource system, and keep them."""
    return keep(session, count(session, now=now, radius_km=radius_km))


def count(
    session: Session,
    *,
    now: datetime,
    radius_km: float = RADIUS_KM,
    heard: Callable[[int, int], None] = lambda _done, _of: None,
) -> Worked:
    """The same without keeping it: takes its time and writes nothing, so nobody waits for it.

    heard  is told after each kind of help how many are done, and of how many
    """
    version = directory_version(session)
    shop = Workshop(session, now=now, radius_km=radius_km)
    results: list[dict[str, Any]] = []
    overviews: dict[str, list[tuple[str, dict[str, Floats]]]] = {}
    categories = [EVERYTHING, *(term.code for term in taxonomy())]
    for at, category in enumerate(categories, 1):
        for system, arrays, counted in _by_system(shop, category):
            overviews.setdefault(system, []).append(
                (category, _summaries(shop.country, arrays, radius_km))
            )
            points = {}
            if category == EVERYTHING:
                latitude, longitude = shop.ground.points.T
                points = {"latitude": latitude, "longitude": longitude}
            results.append(
                {
                    "category": category,
                    "system": system,
                    "supply": counted,
                    "arrays": queries.pack(arrays | points),
                }
            )
        heard(at, len(categories))
    for system, rows in overviews.items():
        stacked = {name: np.array([one[name] for _, one in rows]) for name in rows[0][1]}
        heads = {"categories": [category for category, _ in rows]}
        results.append(
            {
                "category": queries.OVERVIEW,
                "system": system,
                "supply": heads,
                "arrays": queries.pack(stacked),
            }
        )
    run = {
        "made_at": now,
        "directory_version": version,
        "release_id": shop.release and shop.release.id,
        "radius_km": radius_km,
        "areas": shop.country.areas,
    }
    return Worked(run, results)


def keep(session: Session, worked: Worked) -> AccessRun:
    """Save a run, and let those go that are too old; flushes."""
    run = AccessRun(**worked.run)
    session.add(run)
    session.flush()
    session.add_all(AccessResult(run_id=run.id, **result) for result in worked.results)
    session.flush()
    old = select(AccessRun.id).order_by(AccessRun.made_at.desc(), AccessRun.id.desc()).offset(KEPT)
    gone: list[UUID] = list(session.scalars(old))
    session.execute(delete(AccessResult).where(AccessResult.run_id.in_(gone)))
    session.execute(delete(AccessRun).where(AccessRun.id.in_(gone)))
    return run


def _by_system(
    shop: Workshop, category: str
) -> Iterator[tuple[str, dict[str, Floats], dict[str, Any]]]:
    """A category, alone and by each kind of resource system that has a service of it."""
    demand = shop.demand(category)
    yield ALL_SYSTEMS, *shop.measured(shop.of(category), demand)
    for system in supplies.SYSTEMS:
        rows = shop.of(category, system)
        if rows.any():
            yield system.value, *shop.measured(rows, demand)


def _summaries(
    country: demands.Country, arrays: Mapping[str, Floats], radius_km: float
) -> dict[str, Floats]:
    """Each figure of a summary by kab/kota, then by province, then of the country, one after the other."""
    nation = np.zeros(len(country.areas), int)
    parts: list[Summary] = [
        summarise(arrays, group, count, radius_km=radius_km)
        for group, count in (
            (country.regency, len(country.regencies)),
            (country.province, len(country.provinces)),
            (nation, 1),
        )
    ]
    return {
        field.name: np.concatenate([getattr(part, field.name) for part in parts])
        for field in fields(Summary)
    }
