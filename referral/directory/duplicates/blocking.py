"""Which listings are worth comparing: pairs that share something rare, without looking at all pairs. Pure.

A key is 64 bits; listings with the same key form a block. A block of more than its cap tells nothing (a
national hotline, a common word) and gives no pair, so the number of pairs grows with the number of listings.
"""

from array import array
from collections.abc import Iterable, Iterator
from math import floor
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from referral.directory.duplicates.normal import Name, skeleton

Numbers = NDArray[np.int64]

#: Listings in one block at most.
MOST_CONTACT = 20
MOST_WORD = 40
MOST_NAME = 12
MOST_CELL = 40
#: Two surveyed points this near share a cell.
CELL_DEGREES = 0.01
_POSITIVE = (1 << 63) - 1
#: Pairs given at a time, so that memory is bounded.
CHUNK = 500_000


def key(kind: str, *parts: str) -> int:
    """64 bits of these texts, the same in every process."""
    text = "\x1f".join((kind, *parts)).encode()
    return crc32(text) << 31 ^ crc32(text[::-1], 0x9E3779B9)


def word_keys(name: Name, regency: str | None) -> list[int]:
    """Each of the name's own words within the regency, without what is spelt in different ways."""
    if regency is None:
        return []
    return [key("word", regency, skeleton(word)) for word in set(name.core) if len(word) > 2]


def name_key(name: Name) -> list[int]:
    """The whole name, wherever it is: the same rare name in two regencies may be a wrong regency."""
    if name.is_bare:
        return []
    return [key("name", *sorted(map(skeleton, name.core)), *sorted(name.numbers))]


def cell_keys(name: Name, latitude: float, longitude: float) -> list[int]:
    """The cells around a surveyed point, with the first letters of the name's words.

    Cells are twice as wide as they need be and lie over one another, so that two points within half a cell
    always share one.
    """
    starts = {crc32(word[:2].encode()) << 31 for word in name.core}
    x, y = latitude / CELL_DEGREES, longitude / CELL_DEGREES
    cells = [
        floor((x + dx) / 2) * 73_856_093 ^ floor((y + dy) / 2) * 19_349_663 ^ (2 * dx + dy) << 61
        for dx in (0, 1)
        for dy in (0, 1)
    ]
    return [(cell ^ start) & _POSITIVE for cell in cells for start in starts]


def pairs(keys: Numbers, rows: Numbers, most: int) -> Iterator[tuple[Numbers, Numbers]]:
    """Pairs of rows that share a key, in chunks; the lower row first. A pair may come more than once.

    keys, rows   one entry for each key of each row
    """
    order = np.lexsort((rows, keys))
    keys, rows = keys[order], rows[order]
    first = np.flatnonzero(np.r_[True, keys[1:] != keys[:-1]])
    sizes = np.diff(np.r_[first, len(keys)])
    for size in range(2, most + 1):
        starts = first[sizes == size]
        left, right = np.triu_indices(size, 1)
        step = max(1, CHUNK // len(left))
        for at in range(0, len(starts), step):
            some = starts[at : at + step, None]
            one, other = rows[some + left].ravel(), rows[some + right].ravel()
            apart = one != other
            if apart.any():
                yield one[apart], other[apart]


def once(chunks: Iterable[tuple[Numbers, Numbers]], count: int) -> Numbers:
    """The pairs of all chunks, each once, packed into one number: first row times `count` plus second."""
    packed: list[Numbers] = [np.unique(one * count + other) for one, other in chunks]
    return np.unique(np.concatenate(packed)) if packed else np.empty(0, np.int64)


class Keys:
    """Keys of rows as two columns of numbers: no object for each of a million."""

    def __init__(self) -> None:
        self._keys, self._rows = array("q"), array("q")

    def add(self, row: int, keys: Iterable[int]) -> None:
        for one in keys:
            self._keys.append(one)
            self._rows.append(row)

    def columns(self) -> tuple[Numbers, Numbers]:
        """All keys, and the row of each."""
        return np.frombuffer(self._keys, np.int64), np.frombuffer(self._rows, np.int64)
