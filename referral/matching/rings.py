"""Places of a posting from the nearest block on. Pure."""

import numpy as np

from referral.matching import bits
from referral.matching.bits import Bits
from referral.matching.columns import Floats, Ints
from referral.matching.postings import BLOCK

_WORDS = BLOCK // bits.WORD


class Rings:
    """Those places of some bits that have a position, given out block by block."""

    def __init__(self, chosen: Bits, bounds_km: Floats):
        """bounds_km: what no place of a block is nearer than, by block."""
        self._words = chosen[: len(bounds_km) * _WORDS].reshape(-1, _WORDS)
        held = np.bitwise_count(self._words)
        counts = held[:, 0] + held[:, 1]
        blocks = np.flatnonzero(counts)
        order = np.argsort(bounds_km.take(blocks))
        self._blocks = blocks.take(order)
        self._bounds_km = bounds_km.take(self._blocks)
        self._counts = np.cumsum(counts.take(self._blocks), dtype=np.int64)
        self._given = 0

    @property
    def next_km(self) -> float:
        """No place that waits is nearer; infinite where none does."""
        return float(self._bounds_km[self._given]) if self._given < len(self._blocks) else np.inf

    def nearest(self, count: int) -> Ints:
        """The next places, at least `count` of them as long as there are so many."""
        return self._until(int(np.searchsorted(self._counts, self._count() + count)) + 1)

    def within(self, km: float) -> int:
        """How many wait in blocks that begin within these km."""
        end = int(np.searchsorted(self._bounds_km, km, "right"))
        return int(self._counts[end - 1]) - self._count() if end > self._given else 0

    def up_to(self, km: float) -> Ints:
        """The places that wait in these blocks."""
        return self._until(int(np.searchsorted(self._bounds_km, km, "right")))

    def _count(self) -> int:
        return int(self._counts[self._given - 1]) if self._given else 0

    def _until(self, end: int) -> Ints:
        blocks = self._blocks[self._given : end]
        self._given += len(blocks)
        return bits.spread(blocks * BLOCK, self._words.take(blocks, axis=0), BLOCK)
