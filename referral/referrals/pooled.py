"""What clients let a service hear only together with others. Pure.

Answers wait until five are there and are then released together, oldest first; what is released stays so,
whatever is given or taken back later. So two readings never differ by fewer than five answers. A question that
not everybody answered waits for five answers of its own.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

Value = TypeVar("Value")
#: answers are released in fives
TOGETHER = 5
MARKS = ("quality", "waiting", "staff")


@dataclass(frozen=True)
class Answer:
    """One client's answers. `taken_back_at`: when the referral was found to be entered in error."""

    at: datetime
    received: str
    waited: str | None = None
    quality: int | None = None
    waiting: int | None = None
    staff: int | None = None
    taken_back_at: datetime | None = None


@dataclass(frozen=True)
class Mark:
    """The mean of so many marks."""

    mean: float
    count: int


@dataclass(frozen=True)
class Pool:
    """What a service may read: `count` answers in all, and of each question what five or more answered."""

    count: int
    received: Mapping[str, int]
    waited: Mapping[str, int]
    marks: Mapping[str, Mark]


def released(answers: Iterable[Answer]) -> list[Answer]:
    """The answers of full fives, oldest first. One that was taken back before its five was full is in none."""
    out: list[Answer] = []
    waiting: list[Answer] = []
    for answer in sorted(answers, key=lambda one: one.at):
        waiting = [
            one for one in waiting if one.taken_back_at is None or one.taken_back_at > answer.at
        ]
        waiting.append(answer)
        if len(waiting) == TOGETHER:
            out += waiting
            waiting = []
    return out


def pool(answers: Iterable[Answer]) -> Pool | None:
    """What may be read of all answers ever given; None while there are no five."""
    out = released(answers)
    if not out:
        return None
    marks = {}
    for name in MARKS:
        given = _fives([mark for one in out if (mark := getattr(one, name)) is not None])
        if given:
            marks[name] = Mark(sum(given) / len(given), len(given))
    return Pool(
        count=len(out),
        received=Counter(one.received for one in out),
        waited=Counter(_fives([one.waited for one in out if one.waited is not None])),
        marks=marks,
    )


def _fives(given: Sequence[Value]) -> Sequence[Value]:
    return given[: len(given) // TOGETHER * TOGETHER]
