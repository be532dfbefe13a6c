"""Places of a posting from the nearest block on. Pure."""

import numpy as np

from referral.core.geo import EARTH_RADIUS_KM
from referral.matching import bits
from referral.matching.bits import Bits
from referral.matching.columns import Floats, Ints


class Rings:
    """Those places of some bits that have a position, given out block by block, none twice."""

    def __init__(self, chosen: Bits, bounds: Floats):
        """bounds: what no place of a block is nearer than, by block, in radii of the earth"""
        self._words = chosen[: len(bounds)]
        self._counts = np.bitwise_count(self._words)
        self._waiting = np.where(self._counts, bounds, np.inf)

    @property
    def next_km(self) -> float:
        """No place that waits is nearer; infinite where none does."""
        return max(float(self._waiting.min(initial=np.inf)) * EARTH_RADIUS_KM, 0.0)

    def nearest(self, count: int) -> Ints:
        """The places of the nearest blocks, at least `count` of them as long as there are so many."""
        blocks = np.flatnonzero(self._waiting < np.inf)
        held = int(self._counts.take(blocks).sum())
        number = count * len(blocks) // max(held, 1) + 1  # as they are filled in the mean
        while number < len(blocks):
            nearest = np.argpartition(self._waiting, number)[:number]
            if int(self._counts.take(nearest).sum()) >= count:
                return self._given(nearest)
            number *= 2
        return self._given(blocks)

    def within(self, km: float) -> int:
        """How many wait in blocks that begin within these km."""
        return int(self._counts[self._waiting <= km / EARTH_RADIUS_KM].sum())

    def up_to(self, km: float) -> Ints:
        """The places that wait in these blocks."""
        return self._given(np.flatnonzero(self._waiting <= km / EARTH_RADIUS_KM))

    def _given(self, blocks: Ints) -> Ints:
        self._waiting[blocks] = np.inf
        return bits.spread(blocks, self._words.take(blocks))
