"""How many people of each small area ask for a kind of help, as far as published figures tell. Pure.

Figures are told by kab/kota; the measures look at kecamatan. A kab/kota's people are shared out over its
kecamatan, and a count that may not be told over those it may belong to. Nothing here knows more than was published.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from referral.places.codes import province_of, regency_of
from referral.planning.access.bands import Bools, Floats, groups, sums
from referral.planning.disclosure.cells import Cell, Shown
from referral.planning.gaps.cuts import UNKNOWN, Key

#: What is published of one figure; a figure that nobody is in is a count of 0.
Look = Callable[[Key], Cell]


@dataclass(frozen=True)
class Demand:
    """People at each demand point.

    people    (n,) NaN where even the country's count may not be told
    told      people in counts of a kab/kota that are told as they are
    shared    people of a wider count, shared over the areas it may belong to
    unplaced  people of whom the area is not known, left out
    """

    people: Floats
    told: float
    shared: float
    unplaced: float


class Country:
    """Small areas in the order of the arrays, what they lie in, and how a wider count is shared over them."""

    def __init__(self, areas: Sequence[str], populations: Mapping[str, int | None]):
        """populations: by code of any level; a wider area's is shared over the parts that have none."""
        self.areas = list(areas)
        self.regencies, self.regency = groups([regency_of(code) or code for code in areas])
        self.provinces, self.province = groups([province_of(code) for code in areas])
        self.province_of_regency = np.array(
            [self.provinces.index(province_of(code)) for code in self.regencies], dtype=np.int64
        )
        self.population = self._population(populations)
        self.shares = self._shares()

    @property
    def has_population(self) -> bool:
        return not np.isnan(self.population).any()

    def _population(self, known: Mapping[str, int | None]) -> Floats:
        """People living in each area; NaN where no count of it or of its kab/kota is loaded."""
        own = np.array([known.get(code) or np.nan for code in self.areas], float)
        whole = np.array([known.get(code) or np.nan for code in self.regencies], float)
        size = len(self.regencies)
        missing = np.isnan(own)
        rest = whole - sums(self.regency, np.where(missing, 0.0, own), size)
        gaps = sums(self.regency, missing, size)
        with np.errstate(divide="ignore", invalid="ignore"):
            each = np.maximum(rest, 0.0) / gaps
        return np.where(missing, each[self.regency], own)

    def _shares(self) -> Floats:
        """Part of its kab/kota's people that each area has: by population where all of it is known, else evenly."""
        size = len(self.regencies)
        whole = sums(self.regency, self.population, size)[self.regency]
        evenly = 1 / np.bincount(self.regency, minlength=size)[self.regency]
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(whole > 0, self.population / whole, evenly)

    def weight_of_regencies(self) -> Floats:
        """How a province's people are shared over its kab/kota: by population where all have one, else evenly."""
        whole = sums(self.regency, self.population, len(self.regencies))
        known = sums(self.province_of_regency, whole, len(self.provinces)) > 0
        return np.where(known[self.province_of_regency], whole, 1.0)


def residents(country: Country) -> Demand:
    """Everybody who lives there; where that is not loaded, one for each area, so that areas count alike."""
    people = country.population if country.has_population else np.ones(len(country.areas))
    return Demand(people, float(people.sum()), 0.0, 0.0)


def asked(country: Country, cell: Look, category: str) -> Demand:
    """The people of one category in each area."""

    def look(area: str) -> tuple[float, bool]:
        found = cell(Key(area=area, category=category))
        return float(found.count or 0), found.shown is Shown.COUNT

    regencies = np.array([look(code) for code in country.regencies]).reshape(-1, 2)
    counts, is_told = regencies[:, 0], regencies[:, 1] > 0
    weights = country.weight_of_regencies()
    unplaced = _count(look(UNKNOWN))
    # Where the people of each province's hidden figures are: its own "somewhere" is one of them.
    somewhere = [look(f"{code}.{UNKNOWN}") for code in country.provinces]
    unplaced += sum(_count(one) for one in somewhere)
    hidden = _rest_of_provinces(country, look, counts, is_told, somewhere)
    shared = 0.0
    for at, rest in enumerate(hidden):
        those = np.flatnonzero((country.province_of_regency == at) & ~is_told)
        nowhere = 0.0 if somewhere[at][1] else _mean(weights[those])
        whole = weights[those].sum() + nowhere
        if whole > 0:
            counts[those] = rest * weights[those] / whole
            shared += float(counts[those].sum())
            unplaced += float(rest * nowhere / whole)
    people = counts[country.regency] * country.shares
    told = float(regencies[is_told, 0].sum())
    return Demand(people, told, shared, unplaced)


def _rest_of_provinces(
    country: Country,
    look: Callable[[str], tuple[float, bool]],
    counts: Floats,
    is_told: Bools,
    somewhere: Sequence[tuple[float, bool]],
) -> list[float]:
    """People of each province that no told figure inside it has; NaN where that is not known."""
    size = len(country.provinces)
    placed = sums(country.province_of_regency, counts * is_told, size)
    inside = placed + np.array([_count(one) for one in somewhere])
    provinces = np.array([look(code) for code in country.provinces]).reshape(-1, 2)
    totals, known = provinces[:, 0].copy(), provinces[:, 1] > 0
    if not known.all():
        whole, is_known = look("")
        nowhere, nowhere_known = look(UNKNOWN)
        rest = max(whole - totals[known].sum() - _count((nowhere, nowhere_known)), 0.0)
        # At least what is told inside them; the remainder by how many kab/kota are hidden.
        gaps = sums(country.province_of_regency, ~is_told, size) * ~known
        more = max(rest - inside[~known].sum(), 0.0)
        parts = gaps.sum() + (0 if nowhere_known else 1)
        each = more / parts if parts else 0.0
        totals = np.where(known, totals, inside + (each * gaps if is_known else np.nan))
    return [float(rest) for rest in np.maximum(totals - inside, 0.0)]


def _count(one: tuple[float, bool]) -> float:
    return one[0] if one[1] else 0.0


def _mean(values: Floats) -> float:
    return float(values.mean()) if len(values) else 1.0
