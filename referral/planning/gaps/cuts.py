"""Which counts of gaps are ever published: a fixed list, so that nobody can ask for one that singles people out. Pure.

A figure counts the people of an area, a category, a reason and a period. Each of the four widens step by step
until it holds everybody, written as "".
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache

ALL = ""
#: Where somebody is, when not even the province is known; below a province: no finer than that.
UNKNOWN = "?"


@dataclass(frozen=True, order=True)
class Key:
    """What one figure counts.

    area      kab/kota, province, "33.?" (in province 33, nobody knows where), "?" (nobody knows), or ""
    category  leaf or domain of the taxonomy, or ""
    reason    code of an unmet-need reason or its axis, or ""
    period    a quarter as 2026-Q3, or "" for the four quarters of a release
    """

    area: str = ALL
    category: str = ALL
    reason: str = ALL
    period: str = ALL


#: In what a figure may be wider or narrower.
DIMENSIONS = ("area", "category", "reason", "period")


@dataclass(frozen=True)
class Cut:
    """How finely each of the four is told together: the finest level that is published, wider ones beside it."""

    area: int
    category: int
    reason: int = 0
    period: int = 0


#: Levels: area 1 province, 2 kab/kota; category 1 domain, 2 leaf; reason 1 axis, 2 code; period 1 quarter.
CUTS = (
    Cut(area=2, category=2),
    Cut(area=1, category=1, reason=2),
    Cut(area=1, category=1, period=1),
)


class Tree:
    """How categories and reasons widen; areas widen by their code.

    domains  {leaf: domain};  axes  {reason: axis}
    """

    def __init__(self, domains: dict[str, str], axes: dict[str, str]) -> None:
        self._parents = domains | axes
        self.reasons = frozenset(axes) | frozenset(axes.values())

    def wider(self, key: Key, dimension: str) -> Key | None:
        """The same figure one step wider in `area`, `category`, `reason` or `period`; None where it holds all."""
        code: str = getattr(key, dimension)
        if not code:
            return None
        if dimension == "area":
            return replace(key, area=code.rpartition(".")[0])
        if dimension == "period":
            return replace(key, period=ALL)
        return replace(key, **{dimension: self._parents.get(code, ALL)})

    def level(self, key: Key, dimension: str) -> int:
        """How many steps the figure is away from everybody in this dimension."""
        code: str = getattr(key, dimension)
        if dimension == "area":
            return code.count(".") + 1 if code else 0
        if dimension == "period":
            return 1 if code else 0
        steps = 0
        while code:
            code, steps = self._parents.get(code, ALL), steps + 1
        return steps

    def is_published(self, key: Key) -> bool:
        """Whether one of the cuts holds this figure."""
        return _is_in_a_cut(tuple(self.level(key, name) for name in DIMENSIONS))

    def widened(self, key: Key) -> Iterator[Key]:
        """The figure, and wider ones in the order in which they stand in for it when it may not be told.

        First the longer period, then the larger area, then the field of help, then any reason.
        """
        yield key
        for dimension in ("period", "area", "category", "reason", "area", "category", "reason"):
            wider = self.wider(key, dimension)
            if wider is not None:
                key = wider
                yield key


@cache
def _is_in_a_cut(levels: tuple[int, ...]) -> bool:
    return any(
        all(getattr(cut, name) >= level for name, level in zip(DIMENSIONS, levels, strict=True))
        for cut in CUTS
    )
