"""What a database's door has to do beside its statements: stop at the lower bound, and order equals by their tie."""

from collections.abc import Callable, Iterator, Sequence
from math import asin
from typing import NamedTuple
from uuid import UUID

from referral.core.geo import EARTH_RADIUS_KM
from referral.matching.ranking import local_step_km, tie

LIMIT = 20
#: rows a database gives of those it ranks itself: some more, for equals
RANKED = 60


class Option(NamedTuple):
    """One row that fits. `away` is the straight line to it in radii, `grade` its group."""

    id: str
    tells: int
    away: float
    floor_km: float
    grade: int
    steps: float

    @property
    def km(self) -> float:
        return 2 * EARTH_RADIUS_KM * asin(min(1.0, self.away / 2))


#: options in ascending distance, a batch after the other, to the end of the category
Stream = Iterator[list[Option]]
#: id, group and effective km
Answer = list[tuple[str, int, float]]


def first(stream: Stream) -> Answer:
    """The first of a category by group and effective km; stops when nothing farther can be among them.

    Fewer than LIMIT where the category has no more with a place.
    """
    near: list[Option] = []
    step_km = 0.0
    found: list[tuple[int, float, Option]] = []
    for batch in stream:
        if not step_km:
            near += [one for one in batch if one.tells][:3]
            if len(near) < 3:
                found += [(0, 0.0, one) for one in batch]
                continue
            step_km = local_step_km([one.km for one in near[:3]])
            batch = [one for _, _, one in found] + batch
            found = []
        found += [_weighed(one, step_km) for one in batch]
        if not batch:
            break
        best = sorted(effective for grade, effective, _ in found if grade == 0)[:LIMIT]
        if len(best) == LIMIT and best[-1] < batch[-1].km:
            return _ordered(found)
    if not step_km:  # fewer than three
        step_km = local_step_km([one.km for one in near])
        found = [_weighed(one, step_km) for _, _, one in found]
    return _ordered(found)


def in_two_steps(
    nearest: Callable[[int], list[Option]],
    inside: Callable[[float, float], list[Option]],
    limits: Sequence[int],
) -> Answer:
    """The same by two statements: some nearest give the step and a bound, then the database ranks within it.

    nearest  that many options by distance; fewer: the category has no more
    inside   the first by group and effective km of those so many km away, for a local step
    """
    for limit in limits:
        near = nearest(limit)
        if len(near) < limit:
            break
        told = [one.km for one in near if one.tells][:3]
        if len(told) < 3:
            continue
        step_km = local_step_km(told)
        normal = sorted(_weighed(one, step_km)[1] for one in near if one.grade == 0)[:LIMIT]
        if len(normal) == LIMIT:
            best = inside(normal[-1] + 1e-6, step_km)
            return _ordered([_weighed(one, step_km) for one in best])
    return first(iter([near]))


def _weighed(one: Option, step_km: float) -> tuple[int, float, Option]:
    return one.grade, max(one.km, one.floor_km) + step_km * one.steps, one


def _ordered(found: Sequence[tuple[int, float, Option]]) -> Answer:
    """The first LIMIT; ties are computed only where they can matter."""
    keys = sorted((grade, round(effective, 9)) for grade, effective, _ in found)[:LIMIT]
    if not keys:
        return []
    contenders = [
        (grade, round(effective, 9), one)
        for grade, effective, one in found
        if (grade, round(effective, 9)) <= keys[-1]
    ]
    contenders.sort(key=lambda each: (each[0], each[1], tie("", UUID(each[2].id))))
    return [(one.id, grade, effective) for grade, effective, one in contenders[:LIMIT]]
