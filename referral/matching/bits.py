"""Yes or no for each of many places, 64 to a word. Pure."""

from typing import Any

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[Any]
Bools = npt.NDArray[np.bool_]
Bits = npt.NDArray[np.uint64]

WORD = 64
#: The bit of each place of a byte.
_ONES = 0x80 >> np.arange(8, dtype=np.uint8)


def packed(chosen: Bools) -> Bits:
    """The bits of whole words of answers."""
    return np.packbits(chosen).view(np.uint64)


def empty(places: int) -> Bits:
    return np.zeros(places // WORD, np.uint64)


def count(bits: Bits) -> int:
    return int(np.bitwise_count(bits).sum())


def places(bits: Bits) -> Ints:
    """Where the bits are set."""
    words = np.flatnonzero(bits)
    return spread(words, bits.take(words))


def spread(words: Ints, bits: Bits) -> Ints:
    """Where bits are set, of these words that have those bits."""
    at = np.flatnonzero(np.unpackbits(bits.view(np.uint8)).view(np.bool_))
    found: Ints = (words * WORD).take(at >> 6)
    found += at & 63
    return found


def put(bits: Bits, at: Ints, set_: bool) -> None:
    """Set or clear the bits at these places."""
    words = bits.view(np.uint8)
    ones = _ONES.take(at & 7)
    if set_:
        np.bitwise_or.at(words, at >> 3, ones)
    else:
        np.bitwise_and.at(words, at >> 3, ~ones)


def count_set(bits: Bits, at: Ints) -> int:
    """How many of the bits at these places are set."""
    words = bits.view(np.uint8).take(at >> 3)
    return int(np.count_nonzero(words & _ONES.take(at & 7)))
