"""What a siting question is worked out on: people by kecamatan, sites they could go to, and what is there already.

People come from published figures or from the population; places from the gazetteer; services from the public
directory. Nothing here reads a need, a case or a client.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from sqlalchemy.orm import Session

from referral.core.errors import Invalid
from referral.places.codes import holds, province_of, regency_of
from referral.places.gazetteer import DISTRICT, REGENCY, Gazetteer
from referral.places.gazetteer import Place as Area
from referral.places.land import Crossing, land
from referral.planning.access import demand
from referral.planning.access import supply as services
from referral.planning.access.bands import Bools, Floats, closest, km_of_chord
from referral.planning.disclosure.cells import Shown
from referral.planning.gaps import figures
from referral.planning.gaps.cuts import Key
from referral.planning.gaps.models import GapRelease, Measure
from referral.planning.siting.questions import FACTORS, By, Kind, Near, Question, near_enough
from referral.planning.siting.sites import MOST_SITES, Site, sites_by_kind, thinned
from referral.planning.siting.spots import Spot, km_between, spot_of, vectors
from referral.planning.siting.study import Scene

#: Of the services there are, so many of the nearest are looked at for one on the same island.
_NEAREST = 12


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
        km = km_between(vectors(self.spots), vectors([site]))[:, 0]
        at = int(np.argmin(km))
        return self.spots[at].code, float(km[at])


def area_of(gazetteer: Gazetteer, code: str) -> Area:
    """A province or kab/kota to find a place in. Raises Invalid."""
    if code not in gazetteer or gazetteer.get(code).level > REGENCY:
        raise Invalid("siting.area", field="area")
    return gazetteer.get(code)


def usual(gazetteer: Gazetteer, area: str) -> Near:
    """The radius that fits an area, and why."""
    return near_enough(vectors(_inside(gazetteer, area)[0]))


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
    found = sites_by_kind(session, gazetteer, question, spots)
    if not any(found.values()):
        raise Invalid("siting.no_site", field="kinds")
    share = MOST_SITES // len(question.kinds)
    weighed: dict[Kind, list[Site]] = {
        kind: thinned(sites, spots, people.people, question.within_km, share)
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
    spots = [spot_of(gazetteer, code) for code in codes]
    placed = [spot for spot in spots if spot is not None]
    return placed, len(spots) - len(placed)


def _beyond(gazetteer: Gazetteer, inside: Sequence[Spot], question: Question) -> list[Spot]:
    """Kecamatan outside the area that are within the radius of one inside."""
    outside = [
        spot
        for place in gazetteer
        if place.level == DISTRICT and not holds(question.area, place.code)
        if (spot := spot_of(gazetteer, place.code, is_beyond=True)) is not None
    ]
    if not inside or not outside:
        return []
    from scipy.spatial import cKDTree

    chords, _ = cKDTree(vectors(inside)).query(vectors(outside))
    is_near = km_of_chord(chords) <= question.within_km
    return [spot for spot, near in zip(outside, is_near, strict=True) if near]


def _people(
    session: Session,
    gazetteer: Gazetteer,
    question: Question,
    spots: Sequence[Spot],
    release: GapRelease | None,
) -> People:
    mine = np.array([not spot.is_beyond for spot in spots], dtype=bool)
    if question.by is By.POPULATION:
        country = _country(gazetteer)
        found = _of(spots, dict(zip(country.areas, country.population, strict=True)))
        is_even = bool(np.isnan(found).any())
        found = np.ones(len(spots)) if is_even else found
        return People(found, float(found[mine].sum()), 0.0, 0, is_even)
    if release is None:
        raise Invalid("siting.no_release", field="by")
    read = figures.read(session, release, Measure.UNMET, category=question.category)
    found = _of(spots, unmet_by_area(gazetteer, read, question.category))
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


def unmet_by_area(gazetteer: Gazetteer, read: figures.Figures, category: str) -> dict[str, float]:
    """People whom nothing met by kecamatan, as published figures are shared out; 0 where nothing is known."""
    country = _country(gazetteer)
    people = np.nan_to_num(demand.asked(country, read.cell, category).people)
    return dict(zip(country.areas, people.tolist(), strict=True))


def _country(gazetteer: Gazetteer) -> demand.Country:
    areas = [place.code for place in gazetteer if place.level == DISTRICT]
    return demand.Country(areas, {place.code: place.population for place in gazetteer})


def _of(spots: Sequence[Spot], people: Mapping[str, float]) -> Floats:
    return np.array([people[spot.code] for spot in spots], dtype=float)


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
    band = closest(vectors(spots), there := found.supply(chosen, reach), _NEAREST)
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
    km = km_between(vectors(spots), vectors(sites))
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


def _degrees(xyz: Floats) -> list[tuple[float, float]]:
    latitudes = np.degrees(np.arcsin(np.clip(xyz[:, 2], -1, 1)))
    longitudes = np.degrees(np.arctan2(xyz[:, 1], xyz[:, 0]))
    return list(zip(latitudes.tolist(), longitudes.tolist(), strict=True))
