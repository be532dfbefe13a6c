"""The offers of one category in blocks of neighbours. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import is_dataclass
from math import cos, radians, sin
from typing import Any

import numpy as np
import numpy.typing as npt

from referral.matching import bits
from referral.matching.bits import Bits

Ints = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

#: Offers in a block of neighbours.
BLOCK = 128
#: How much is kept of what was worked out for queries.
MOST_WIDE, MOST_HIDDEN = 16, 4
#: Bits of a coordinate by which places are put in order.
_GRID_BITS = 16


class Recent(dict[Any, Any]):
    """What was worked out and is likely asked for again: of more than `most` the last used ones."""

    def __init__(self, most: int):
        super().__init__()
        self.most = most

    def find(self, key: Any) -> Any:
        """What is kept under a key, or None."""
        found = self.pop(key, None)
        if found is not None:
            self[key] = found
        return found

    def keep(self, key: Any, one: Any) -> Any:
        """Keeps it and gives it back."""
        while len(self) >= self.most:
            self.pop(next(iter(self)), None)
        self[key] = one
        return one


class Posting:
    """The offers of a category or domain: first those with a position, in blocks; then the others.

    rows     row of the columns, by place; each of the two parts is filled up to whole blocks
    placed   places of the first part
    somebody places that hold an offer, and are not just filled up
    gone     of these the places whose offers were taken out since
    due, in_time     referrals of all of them that should have been answered, and those that were in time
    centres, radii   of each block: unit vector, and the angle that holds all of it
    kept     what was worked out about all of them
    wide     what rules say where many facts differ: see `rulings`
    hidden   who is there to be seen: see `search`
    """

    def __init__(
        self,
        rows: Ints,
        here: int,
        elsewhere: int,
        due: int,
        in_time: int,
        centres: Floats,
        radii: Floats,
    ):
        """
        here, elsewhere  how many have a position, and how many none
        """
        self.rows, self.here, self.elsewhere = rows, here, elsewhere
        self.due, self.in_time = due, in_time
        self.centres, self.radii = centres, radii
        self.placed = len(radii) * BLOCK
        filled = np.zeros(len(rows), bool)
        filled[:here] = True
        filled[self.placed : self.placed + elsewhere] = True
        self.somebody = bits.packed(filled)
        self.gone: Bits | None = None
        self.kept: dict[Any, Any] = {}
        self.wide, self.hidden = Recent(MOST_WIDE), Recent(MOST_HIDDEN)

    @classmethod
    def of(cls, rows: Ints, points: Floats, placed: Bools, records: Ints) -> "Posting":
        """A posting of these rows: where each is, whether that is to be measured, its due and in time."""
        order = np.lexsort((rows, along(points), ~placed))
        rows, here = rows[order], int(placed.sum())
        due, in_time = records.sum(axis=0).tolist()
        centres, radii = _caps(vectors(points[order[:here]]))
        filled = [_filled(rows[:here]), _filled(rows[here:])]
        whole = np.concatenate(filled).astype(np.uint32)
        return cls(whole, here, len(rows) - here, due, in_time, centres, radii)

    @classmethod
    def empty(cls) -> "Posting":
        return cls(np.zeros(0, np.uint32), 0, 0, 0, 0, np.zeros((0, 3)), np.zeros(0))

    @property
    def nbytes(self) -> int:
        """Memory of its arrays, with what was worked out so far."""
        made = {id(part): part.nbytes for part in _arrays(self.__dict__.values())}
        return sum(made.values())

    def angles(self, near: tuple[float, float]) -> Floats:
        """From a point to the middle of each block."""
        lat, lon = map(radians, near)
        here = np.array([cos(lat) * cos(lon), cos(lat) * sin(lon), sin(lat)])
        angles: Floats = np.arccos(np.clip(self.centres @ here, -1.0, 1.0))
        return angles

    def everybody(self) -> Ints:
        """The rows that are in it and were not taken out."""
        there = self.somebody if self.gone is None else self.somebody & ~self.gone
        return self.rows[bits.places(there)]

    def take_out(self, row: int, due: int, in_time: int) -> None:
        """Leave the offer of a row, with its record, out from now on."""
        taken = bits.packed(self.rows == row) & self.somebody
        if self.gone is not None:
            if (taken & self.gone).any():
                return  # before: a service may change again
            taken |= self.gone
        self.gone = taken
        self.due, self.in_time = self.due - due, self.in_time - in_time
        self.hidden.clear()


def _arrays(parts: Iterable[Any]) -> Iterator[npt.NDArray[Any]]:
    """All arrays in these things; the same one may come twice."""
    for part in parts:
        if isinstance(part, np.ndarray):
            yield part
        elif isinstance(part, dict):
            yield from _arrays(part.values())
        elif isinstance(part, tuple):
            yield from _arrays(part)
        elif is_dataclass(part):
            yield from _arrays(vars(part).values())


def vectors(points: Floats) -> Floats:
    """Unit vectors of points by latitude and longitude."""
    lat, lon = np.radians(points).T
    return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=1)


def along(points: Floats) -> Ints:
    """Place on a Z curve over the map, which keeps neighbours together."""
    span = (1 << _GRID_BITS) - 1
    filled = np.nan_to_num(points)
    lat = ((filled[:, 0] + 90) / 180 * span).astype(np.uint64)
    lon = ((filled[:, 1] + 180) / 360 * span).astype(np.uint64)
    place = np.zeros(len(points), np.uint64)
    for bit in range(_GRID_BITS):
        one = np.uint64(1 << bit)
        place |= ((lat & one) << np.uint64(bit + 1)) | ((lon & one) << np.uint64(bit))
    return place


def _filled(rows: Ints) -> Ints:
    """Rows up to a whole block; the last one stands for nobody."""
    return np.concatenate([rows, np.repeat(rows[-1:], -len(rows) % BLOCK)])


def _caps(points: Floats) -> tuple[Floats, Floats]:
    """Centre and angle of the cap around each block of places."""
    if not len(points):
        return np.zeros((0, 3)), np.zeros(0)
    starts = np.arange(0, len(points), BLOCK)
    centres = np.add.reduceat(points, starts)
    lengths = np.linalg.norm(centres, axis=1)
    centres = np.where(lengths[:, None] > 0, centres, points[starts])
    centres /= np.linalg.norm(centres, axis=1)[:, None]
    own = np.repeat(centres, BLOCK, axis=0)[: len(points)]
    angles = np.arccos(np.clip((points * own).sum(axis=1), -1.0, 1.0))
    # A nearly full turn of arccos loses digits: what it may be off is added.
    return centres, np.maximum.reduceat(angles, starts) + 1e-7
