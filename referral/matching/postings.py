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

#: Offers in a block of neighbours: their bits are one word.
BLOCK = bits.WORD
#: How much is kept of what was worked out for queries.
MOST_NARROW, MOST_WIDE, MOST_HIDDEN = 512, 16, 4
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
    narrow, wide     what rules say where few or many facts differ: see `rulings`
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
        self.narrow, self.wide = Recent(MOST_NARROW), Recent(MOST_WIDE)
        self.hidden = Recent(MOST_HIDDEN)

    @classmethod
    def of(cls, rows: Ints, points: Floats, placed: Bools, records: Ints) -> "Posting":
        """A posting of these rows: where each is, whether that is to be measured, its due and in time."""
        due, in_time = records.sum(axis=0).tolist()
        around = vectors(points[placed])
        order = neighbours(around)
        centres, radii = _caps(around[order])
        here, elsewhere = rows[placed][order], rows[~placed]
        whole = np.concatenate([_filled(here), _filled(elsewhere)]).astype(np.uint32)
        return cls(whole, len(here), len(elsewhere), due, in_time, centres, radii)

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
        angles: Floats = np.arccos(np.clip(self.centres @ vector(*near), -1.0, 1.0))
        return angles

    def bounds(self, near: tuple[float, float]) -> Floats:
        """What no offer of a block is nearer to a point than, in radii; below 0 inside a block.

        Chords, which are never longer than the way over the sphere, nor is a radius ever shorter than its chord.
        """
        chords = self.centres @ vector(*near)
        chords *= -2.0
        chords += 2.0
        np.sqrt(np.maximum(chords, 0.0, out=chords), out=chords)
        chords -= self.radii
        return chords

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


def vector(latitude: float, longitude: float) -> Floats:
    """The unit vector of a point."""
    lat, lon = radians(latitude), radians(longitude)
    return np.array([cos(lat) * cos(lon), cos(lat) * sin(lon), sin(lat)])


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


def neighbours(vectors: Floats) -> Ints:
    """An order in which each block holds neighbours: halves by the widest axis, of whole blocks, as long as it goes."""
    order = np.arange(len(vectors))
    waiting = [(0, len(order))]
    while waiting:
        start, end = waiting.pop()
        half = -(-(end - start) // BLOCK) // 2 * BLOCK
        if half:
            those = order[start:end]
            own = vectors[those]
            widest = np.ptp(own, axis=0).argmax()
            order[start:end] = those[np.argpartition(own[:, widest], half)]
            waiting += [(start, start + half), (start + half, end)]
    return order


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
