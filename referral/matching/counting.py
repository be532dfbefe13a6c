"""Who of a category fits, who does not and for how many reasons: counted 64 offers at a time. Pure."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import count as counted

import numpy as np

from referral.matching import bits
from referral.matching.bits import Bits
from referral.matching.rulings import Piece


class Counting:
    """What the pieces of all gates come to.

    there   who is there to be seen
    is_all  nobody is hidden: then a piece's own count holds
    pieces  an offer is in one piece of a gate at most
    """

    def __init__(self, there: Bits, pieces: Sequence[Piece], *, is_all: bool):
        self.there, self.is_all = there, is_all
        self.pieces = [piece for piece in pieces if piece.count]
        self._levels: list[Bits] = []

    @cached_property
    def fits(self) -> Bits:
        """Whom no gate keeps out."""
        out = np.zeros_like(self.there)
        for piece in self.pieces:
            np.bitwise_or(out, piece.bits, out=out)
        np.invert(out, out=out)
        return np.bitwise_and(out, self.there, out=out)

    def misses(self) -> Iterator[tuple[int, float, Bits]]:
        """By how many gates keep them out and how large the largest change is that it takes: the smallest first."""
        changes = sorted({piece.change for piece in self.pieces})
        for gates in counted(1):
            these = self._at_least(gates)
            exactly = these & ~self._at_least(gates + 1)
            for change in changes:
                among = exactly & self._any(
                    piece for piece in self.pieces if piece.change == change
                )
                if gates > 1:
                    among &= ~self._any(piece for piece in self.pieces if piece.change > change)
                yield gates, change, among
            if not these.any():
                return

    def failed(self) -> dict[str, int]:
        """How many offers each gate keeps out."""
        if self.is_all:
            return self._by_rule([piece.count for piece in self.pieces])
        return self._by_rule([bits.count(piece.bits & self.there) for piece in self.pieces])

    def failed_alone(self) -> dict[str, int]:
        """How many offers each gate keeps out that no other does."""
        alone = self.alone
        return self._by_rule([bits.count(piece.bits & alone) for piece in self.pieces])

    @cached_property
    def alone(self) -> Bits:
        """Whom one gate keeps out."""
        return self._at_least(1) & ~self._at_least(2)

    def _by_rule(self, counts: list[int]) -> dict[str, int]:
        found: Counter[str] = Counter()
        for piece, number in zip(self.pieces, counts, strict=True):
            found[piece.rule] += number
        return dict(found)

    def _any(self, pieces: Iterable[Piece]) -> Bits:
        found = np.zeros_like(self.there)
        for piece in pieces:
            found |= piece.bits
        return found

    def _at_least(self, gates: int) -> Bits:
        """Whom so many gates or more keep out."""
        if gates > len(self._levels):
            levels = [np.zeros_like(self.there) for _ in range(max(gates, 2))]
            more = np.zeros_like(self.there)
            for piece in self.pieces:
                for fewer, level in zip(levels[-2::-1], levels[:0:-1], strict=True):
                    level |= np.bitwise_and(fewer, piece.bits, out=more)
                levels[0] |= piece.bits
            self._levels = [level & self.there for level in levels]
        return self._levels[gates - 1]
