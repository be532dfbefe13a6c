"""Yes or no for each of many places, 64 to a word. Pure."""

from typing import Any

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[Any]
Bools = npt.NDArray[np.bool_]
Bits = npt.NDArray[np.uint64]

WORD = 64


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
    return spread(words * WORD, bits[words], WORD)


def spread(starts: Ints, bits: Bits, size: int) -> Ints:
    """Where bits are set, of pieces of `size` places that begin at `starts`."""
    at = np.flatnonzero(np.unpackbits(bits.reshape(-1).view(np.uint8)).view(np.bool_))
    return starts[at // size] + at % size


def put(bits: Bits, at: Ints, set_: bool) -> None:
    """Set or clear the bits at these places."""
    words = bits.view(np.uint8)
    ones = (0x80 >> (at & 7)).astype(np.uint8)
    if set_:
        np.bitwise_or.at(words, at >> 3, ones)
    else:
        np.bitwise_and.at(words, at >> 3, ~ones)


def are_set(bits: Bits, at: Ints) -> Bools:
    answers: Bools = (bits.view(np.uint8)[at >> 3] << (at & 7).astype(np.uint8)) & 0x80 != 0
    return answers
