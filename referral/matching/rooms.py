"""The different words on room that offers have: which of them is known at a moment. Pure."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt

from referral.matching.penalties import ASSESSMENT, CAPACITY_GOOD_DAYS, NO_CAPACITY, WAITLIST

Ints = npt.NDArray[Any]

#: What may be known of room; 0 nothing.
ROOMS = ("", "capacity", NO_CAPACITY, WAITLIST, ASSESSMENT)
FULL_ROOM = ROOMS.index(NO_CAPACITY)
#: What does not end by this clock is not known by it.
NEVER = -1
_MICROSECONDS = 1_000_000
_GOOD = CAPACITY_GOOD_DAYS * 86_400 * _MICROSECONDS
_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


class Rooms:
    """The same as penalties.known_capacity, of many words at once.

    kinds  which of ROOMS each says
    good   until when each holds, by two clocks: microseconds, and days of the place
    """

    def __init__(self, words: Sequence[tuple[Any, ...]]):
        """words: capacity, since when, and until which day"""
        self.kinds = np.array([ROOMS.index(capacity or "") for capacity, _, _ in words], np.int64)
        self.good = (
            np.array(
                [
                    NEVER if at is None or day is not None else _microseconds(at) + _GOOD
                    for _, at, day in words
                ],
                np.int64,
            ),
            np.array([NEVER if day is None else day.toordinal() for *_, day in words], np.int64),
        )

    def clocks(self, at: datetime) -> tuple[int, int]:
        """What the two clocks show at a moment."""
        return _microseconds(at), at.date().toordinal()

    def known(self, at: datetime, words: Ints | None = None) -> Ints:
        """Which of ROOMS is known at a moment, by word."""
        moment, day = self.clocks(at)
        parts = self.kinds, *self.good
        kinds, by_moment, by_day = parts if words is None else (one.take(words) for one in parts)
        known: Ints = kinds * ((by_moment >= moment) | (by_day >= day))
        return known


def _microseconds(at: datetime) -> int:
    since = at - _EPOCH
    return (since.days * 86_400 + since.seconds) * _MICROSECONDS + since.microseconds
