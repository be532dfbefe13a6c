"""What disclosure control is asked: smallest counts, the figures that add them up, and what else is known of them. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
#: More than any count: no upper limit is known.
UNKNOWN = 1 << 40


@dataclass(frozen=True)
class Sums:
    """Sums of smallest counts, one a row: row i adds up the counts at parts[starts[i]:starts[i + 1]]."""

    starts: Ints
    parts: Ints

    @classmethod
    def none(cls) -> "Sums":
        return cls(np.zeros(1, dtype=np.int64), np.zeros(0, dtype=np.int64))

    @classmethod
    def of(cls, rows: Iterable[Sequence[int]]) -> "Sums":
        """From the places that each row adds up."""
        rows = list(rows)
        starts = np.concatenate([[0], np.cumsum([len(row) for row in rows], dtype=np.int64)])
        parts = [np.asarray(row, dtype=np.int64) for row in rows if len(row)]
        return cls(
            starts.astype(np.int64), np.concatenate(parts) if parts else np.zeros(0, np.int64)
        )

    @classmethod
    def of_pairs(cls, rows: ArrayLike, parts: ArrayLike, length: int) -> "Sums":
        """From pairs (row, place of a smallest count), each pair once, in any order."""
        rows, parts = np.asarray(rows, dtype=np.int64), np.asarray(parts, dtype=np.int64)
        order = np.lexsort((parts, rows))
        starts = np.searchsorted(rows[order], np.arange(length + 1))
        return cls(starts.astype(np.int64), parts[order])

    def __len__(self) -> int:
        return len(self.starts) - 1

    def row(self, at: int) -> Ints:
        """Places that one row adds up."""
        return self.parts[self.starts[at] : self.starts[at + 1]]

    def matrix(self, width: int) -> Any:
        """The rows as a sparse matrix of ones."""
        # SciPy takes a second to load, and most pages and commands count nothing.
        from scipy.sparse import csr_array

        ones = np.ones(len(self.parts))
        return csr_array((ones, self.parts, self.starts), shape=(len(self), width))


@dataclass(frozen=True)
class Register:
    """Every figure of earlier releases over the same smallest counts: it is out and can't be changed any more.

    A count has low = high; a small one low = 1 and high = one below the threshold of its release; one that was
    withheld low = 1, for nothing of 0 is withheld, and high = UNKNOWN. Those that are small stay secret.
    """

    sums: Sums
    low: Ints
    high: Ints


@dataclass(frozen=True)
class Statement:
    """Something else that is said and bounds the counts, as a median does: sum of factor × count ≤ most."""

    factors: Mapping[int, float]
    most: float


@dataclass(frozen=True)
class System:
    """All that is to be published together.

    counts       the smallest counts; nobody prints them unless a figure does
    figures      what is to be published, each a sum of smallest counts
    loss         how much is lost when a figure is hidden: of those that would do the least loss goes first;
                 0 for an inner cell, more for totals
    register     the figures of earlier releases
    differences  sums that nobody prints, but that subtracting figures may tell
    equals       pairs of sums over the same people: left row i = right row i
    within       pairs of sums of which the right holds everybody of the left: left row i <= right row i
    parts        the part of the whole that each smallest count is in, one or several ways to divide it, the finest
                 first: what can be hidden inside a part is hidden there, which is quicker
    statements   what else is said; all parts of one are said or none
    nested       whether nobody may be singled out by subtracting two figures, now or earlier, of which one holds the
                 other; without it only `differences` are looked at
    zero_shown   a figure of 0 is always shown, so that one which is not is known not to be 0; otherwise figures of
                 0 may be withheld as well, and a withheld one may be 0
    unsure       smallest counts of 0 that nobody can know to be 0; all others of 0 are taken as known. Left out: those
                 of which no figure of 0, now or earlier, tells
    """

    counts: Ints
    figures: Sums
    loss: Floats | None = None
    register: Register | None = None
    differences: Sums = field(default_factory=Sums.none)
    equals: tuple[Sums, Sums] = field(default_factory=lambda: (Sums.none(), Sums.none()))
    within: tuple[Sums, Sums] = field(default_factory=lambda: (Sums.none(), Sums.none()))
    parts: Sequence[Ints] = ()
    statements: Sequence[Sequence[Statement]] = ()
    nested: bool = True
    zero_shown: bool = True
    unsure: Bools | None = None
