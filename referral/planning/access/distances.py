"""How many areas, and how many of the people who live there, have no service of a kind within so many km."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from sqlalchemy.orm import Session

from referral.planning.access.bands import Floats, Ints, nearest_km, sums
from referral.planning.access.operations import Workshop


@dataclass(frozen=True)
class Farther:
    """Areas of a province, or of the country, and those farther than X km from the nearest service.

    area       province, or "" for the country
    areas      that have a point; `farther` of them have no service within X km
    people     who live in them, and of these; None where population is not loaded
    median_km  of the areas; None where there is no service at all
    """

    area: str
    areas: int
    farther: int
    people: float | None
    people_farther: float | None
    median_km: float | None

    @property
    def share(self) -> float | None:
        return self.farther / self.areas if self.areas else None

    @property
    def people_share(self) -> float | None:
        if not self.people or self.people_farther is None:
            return None
        return self.people_farther / self.people


@dataclass(frozen=True)
class Distances:
    """The answer: of the country, of each province, and from what it was reckoned.

    sites      services at places that were looked at; `usable` of them open, not full, and at a known place
    unknown    areas of which nobody knows where they lie
    """

    sites: int
    usable: int
    unknown: int
    whole: Farther
    provinces: tuple[Farther, ...]


def farther(
    session: Session,
    *,
    now: datetime,
    within_km: float,
    category: str = "",
    types: Sequence[str] = (),
    told_only: bool = False,
) -> Distances:
    """Areas farther than `within_km` from the nearest open service that is not full and is for them.

    category   leaf or domain, or "" for any
    types      types of facility, as RSJ; none: any
    told_only  leave out those of which only their type suggests the category
    """
    shop = Workshop(session, now=now, category=category)
    sites = shop.sites
    rows = shop.of(category)
    if types:
        rows = rows & np.isin(sites.type_of, list(types))
    if told_only:
        rows = rows & sites.is_told
    usable = rows & sites.usable()
    km = nearest_km(shop.ground.xyz, shop.supply(usable))
    country = shop.country
    people = country.population if country.has_population else None
    nation = np.zeros(len(km), int)
    return Distances(
        sites=len(np.unique(sites.site[rows])),
        usable=len(np.unique(sites.site[usable])),
        unknown=int(np.isnan(km).sum()),
        whole=_counted([""], nation, km, people, within_km)[0],
        provinces=tuple(_counted(country.provinces, country.province, km, people, within_km)),
    )


def _counted(
    codes: Sequence[str], group: Ints, km: Floats, people: Floats | None, within_km: float
) -> list[Farther]:
    placed, count = ~np.isnan(km), len(codes)
    is_far = placed & (km > within_km)
    areas, far = sums(group, placed, count), sums(group, is_far, count)
    everybody = None if people is None else sums(group, people * placed, count)
    left_out = None if people is None else sums(group, people * is_far, count)
    found = []
    for at, code in enumerate(codes):
        inside = km[placed & (group == at)]
        median = float(np.median(inside)) if len(inside) else np.inf
        found.append(
            Farther(
                area=code,
                areas=int(areas[at]),
                farther=int(far[at]),
                people=None if everybody is None else float(everybody[at]),
                people_farther=None if left_out is None else float(left_out[at]),
                median_km=median if np.isfinite(median) else None,
            )
        )
    return found
