"""Which supply lies within so many km of which demand, as sparse pairs. Pure.

Points are unit vectors: the straight line through the sphere (the chord) between two of them grows with the
way over the ground, so a KD-tree of chords finds what is near on the ground, at poles and the date line too.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from referral.core.geo import EARTH_RADIUS_KM

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

#: Chords of this much more are looked at, so that rounding loses no pair on the edge.
_EDGE = 1 + 1e-9
#: Serves everybody.
ANYWHERE = -1


@dataclass(frozen=True)
class Supply:
    """Services that are open and not full, one row for a site.

    xyz       (m, 3) unit vectors
    floor_km  (m,) no distance to it is shorter: it was placed by an area and lies somewhere in that
    places    (m,) people it can help, above 0
    serves    (m,) row of `allowed`, or ANYWHERE
    allowed   (a, n) which demand points such a service is for
    """

    xyz: Floats
    floor_km: Floats
    places: Floats
    serves: Ints
    allowed: Bools

    @classmethod
    def everywhere(cls, xyz: Floats, places: Floats | None = None) -> "Supply":
        """Services with exact points that are for everybody; one place each where not told."""
        count = len(xyz)
        return cls(
            xyz,
            np.zeros(count),
            np.ones(count) if places is None else np.asarray(places, float),
            np.full(count, ANYWHERE),
            np.zeros((0, 0), bool),
        )

    def __len__(self) -> int:
        return len(self.xyz)

    def only(self, chosen: Bools | Ints) -> "Supply":
        """Some of the rows."""
        return replace(
            self,
            xyz=self.xyz[chosen],
            floor_km=self.floor_km[chosen],
            places=self.places[chosen],
            serves=self.serves[chosen],
        )

    def merged(self) -> "Supply":
        """Rows of the same point for the same people as one; no measure changes, as each adds places up."""
        if len(self) < 2:
            return self
        keys = np.column_stack([self.xyz, self.floor_km, self.serves])
        order = np.lexsort(keys.T)
        is_new = np.append(True, (np.diff(keys[order], axis=0) != 0).any(axis=1))
        starts = np.flatnonzero(is_new)
        if len(starts) == len(self):
            return self
        found = self.only(order[starts])
        return replace(found, places=np.add.reduceat(self.places[order], starts))


@dataclass(frozen=True)
class Band:
    """Pairs of demand and supply with the km between them, ordered by demand.

    starts   (n + 1,) where the pairs of a demand point begin
    columns  (p,) their supply
    km       (p,)
    size     (n, m)
    """

    starts: Ints
    columns: Ints
    km: Floats
    size: tuple[int, int]

    @property
    def rows(self) -> Ints:
        """The demand point of each pair."""
        return np.repeat(np.arange(self.size[0]), np.diff(self.starts))

    def __len__(self) -> int:
        return len(self.km)

    def by_demand(self, values: Floats) -> Floats:
        """Sums over the pairs of each demand point, (n,)."""
        return sums(self.rows, values, self.size[0])

    def by_supply(self, values: Floats) -> Floats:
        """Sums over the pairs of each supply, (m,)."""
        return sums(self.columns, values, self.size[1])

    def least(self, values: Floats) -> Floats:
        """The least value among the pairs of each demand point, infinite where it has none, (n,)."""
        found = np.full(self.size[0], np.inf)
        filled = np.flatnonzero(np.diff(self.starts))
        if len(filled):
            found[filled] = np.minimum.reduceat(values, self.starts[filled])
        return found

    def only(self, chosen: Bools) -> "Band":
        """Some of the pairs."""
        rows, size = self.rows[chosen], self.size
        return Band(_starts(rows, size[0]), self.columns[chosen], self.km[chosen], size)


def sums(group: Any, values: Any, count: int) -> Floats:
    """Sum of the values of each of `count` groups."""
    # Of nothing NumPy makes whole numbers.
    return np.bincount(group, values, count).astype(np.float64, copy=False)


def unit_vectors(latitudes: Any, longitudes: Any) -> Floats:
    """Points in degrees as (n, 3) vectors on a sphere of radius 1; not a number stays so."""
    phi, lam = np.radians(np.asarray(latitudes, float)), np.radians(np.asarray(longitudes, float))
    return np.column_stack([np.cos(phi) * np.cos(lam), np.cos(phi) * np.sin(lam), np.sin(phi)])


def km_of_chord(chord: Any) -> Floats:
    """Great-circle km of straight lines through the sphere: 2 R asin(c / 2)."""
    return 2 * EARTH_RADIUS_KM * np.arcsin(np.minimum(1.0, np.asarray(chord) / 2))


def chord_of_km(km: float) -> float:
    """The straight line through the sphere of great-circle km: 2 sin(km / 2 R)."""
    return float(2 * np.sin(min(km / (2 * EARTH_RADIUS_KM), np.pi / 2)))


def band(demand: Floats, supply: Supply, within_km: float) -> Band:
    """All pairs at most `within_km` apart whose supply is for that demand point.

    demand  (n, 3) unit vectors; a row that is not a number has no pairs
    """
    from scipy.spatial import cKDTree  # it takes its time to load

    placed = np.flatnonzero(~np.isnan(demand[:, 0]))
    size = len(demand), len(supply)
    if not len(placed) or not len(supply):
        return _of(np.zeros(0, int), np.zeros(0, int), np.zeros(0), size)
    found = cKDTree(demand[placed]).sparse_distance_matrix(
        cKDTree(supply.xyz), chord_of_km(within_km) * _EDGE, output_type="ndarray"
    )
    rows, columns = placed[found["i"]], found["j"]
    km = np.maximum(km_of_chord(found["v"]), supply.floor_km[columns])
    keep = (km <= within_km) & is_for(supply, rows, columns)
    return _of(rows[keep], columns[keep], km[keep], size)


def closest(demand: Floats, supply: Supply, count: int) -> Band:
    """For each demand point its `count` nearest supplies that are for it, however far.

    Nearest as the supply's own floor allows; the km are exact, ties go either way.
    """
    from scipy.spatial import cKDTree

    size = len(demand), len(supply)
    free = np.flatnonzero(supply.serves == ANYWHERE)
    rows, columns, km = [np.zeros(0, int)], [np.zeros(0, int)], [np.zeros(0)]
    left = np.flatnonzero(~np.isnan(demand[:, 0]))
    if len(free):
        tree = cKDTree(supply.xyz[free])
        reach = min(count, len(free))
        while len(left):
            chords, at = tree.query(demand[left], k=np.arange(1, reach + 1))
            plain = km_of_chord(chords)
            true = np.maximum(plain, supply.floor_km[free[at]])
            best = np.sort(true, axis=1)[:, min(count, reach) - 1]
            # What was not looked at is at least as far as the last one looked at.
            is_done = (plain[:, -1] >= best) | (reach == len(free))
            rows.append(np.repeat(left[is_done], reach))
            columns.append(free[at[is_done]].ravel())
            km.append(true[is_done].ravel())
            left, reach = left[~is_done], min(2 * reach, len(free))
    for area in np.unique(supply.serves[supply.serves != ANYWHERE]):
        there = np.flatnonzero(supply.serves == area)
        here = np.flatnonzero(supply.allowed[area] & ~np.isnan(demand[:, 0]))
        apart = demand[here][:, None, :] - supply.xyz[there][None, :, :]
        true = np.maximum(km_of_chord(np.linalg.norm(apart, axis=2)), supply.floor_km[there])
        rows.append(np.repeat(here, len(there)))
        columns.append(np.tile(there, len(here)))
        km.append(true.ravel())
    return _first(np.concatenate(rows), np.concatenate(columns), np.concatenate(km), size, count)


def nearest_km(demand: Floats, supply: Supply) -> Floats:
    """Km to the nearest supply that is for each demand point; infinite where none is anywhere, NaN without a point."""
    found = closest(demand, supply, 1)
    return np.where(np.isnan(demand[:, 0]), np.nan, found.least(found.km))


def is_for(supply: Supply, rows: Ints, columns: Ints) -> Bools:
    """Whether the supply of each pair is for its demand point."""
    serves = supply.serves[columns]
    if not len(supply.allowed):
        return np.ones(len(rows), bool)
    found: Bools = (serves == ANYWHERE) | supply.allowed[serves, rows]
    return found


def _first(rows: Ints, columns: Ints, km: Floats, size: tuple[int, int], count: int) -> Band:
    """The `count` shortest pairs of each row."""
    order = np.lexsort((km, rows))
    rows, columns, km = rows[order], columns[order], km[order]
    rank = np.arange(len(rows)) - _starts(rows, size[0])[rows]
    return _of(rows[rank < count], columns[rank < count], km[rank < count], size)


def _of(rows: Ints, columns: Ints, km: Floats, size: tuple[int, int]) -> Band:
    order = np.argsort(rows, kind="stable")
    rows = rows[order]
    return Band(_starts(rows, size[0]), columns[order], km[order], size)


def _starts(rows: Ints, count: int) -> Ints:
    """Where each row begins in sorted rows."""
    return np.searchsorted(rows, np.arange(count + 1))


def groups(names: Sequence[str]) -> tuple[list[str], Ints]:
    """The different names in their order, and which of them each is."""
    different = sorted(set(names))
    number = {name: at for at, name in enumerate(different)}
    return different, np.array([number[name] for name in names], dtype=np.int64)
