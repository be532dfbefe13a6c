"""An attack on published counts: random tables, and somebody who works out of them whatever can be worked out.

The attacker knows what is printed and how the figures add up, and that nothing of 0 is hidden. For each small count
a linear programme tells its smallest and largest possible value; then shown figures are subtracted from
each other wherever one holds the other, those of an earlier release too. All of it is written a second time here,
by names of areas, kinds of help and quarters, so that a mistake of the engine is not made again.
"""

import math
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np
from scipy.optimize import linprog

from referral.planning.disclosure.cells import Cell, Shown
from referral.planning.disclosure.suppression import protect
from referral.planning.disclosure.system import UNKNOWN, Register, Sums, System

#: Where somebody is, what they asked for and when; as a figure "" holds all, and "1" holds "1.2".
Group = tuple[str, str, str]
_CLOSE = 1e-6
_NO_LIMIT = 10_000


@dataclass(frozen=True)
class World:
    """Random people: how many of each smallest group, which cuts are published, and in how many releases."""

    counts: Mapping[Group, int]
    #: how many levels of area and category each cut has, and whether it is told by quarter
    cuts: Sequence[tuple[int, int, bool]]
    threshold: int
    releases: Sequence[tuple[str, ...]]

    def figures(self, quarters: Sequence[str]) -> list[Group]:
        """What one release prints."""
        areas = {group[0] for group in self.counts}
        kinds = {group[1] for group in self.counts}
        found = set()
        for area_level, kind_level, by_quarter in self.cuts:
            times = ["", *quarters] if by_quarter else [""]
            found |= set(product(_wider(areas, area_level), _wider(kinds, kind_level), times))
        return sorted(found)


@dataclass(frozen=True)
class Printed:
    """One printed figure: whom it counts, in which quarters, and how it is seen."""

    group: Group
    quarters: tuple[str, ...]
    cell: Cell

    def holds(self, one: Group) -> bool:
        """Whether the people of a smallest group are among those it counts."""
        area, kind, quarter = self.group
        return (
            _is_in(one[0], area)
            and _is_in(one[1], kind)
            and one[2] in self.quarters
            and quarter in ("", one[2])
        )


def world(seed: int) -> World:
    """Random sizes, sparsity, hierarchies, 1 to 3 cuts, and sometimes an earlier release."""
    chance = random.Random(seed)
    areas = [f"{p}.{k}" for p in range(chance.randint(1, 3)) for k in range(chance.randint(1, 4))]
    kinds = [
        f"{d}.{leaf}" for d in range(chance.randint(1, 2)) for leaf in range(chance.randint(1, 3))
    ]
    quarters = [str(at) for at in range(1, chance.choice((1, 1, 2, 3, 4)) + 1)]
    nobody, mean = chance.random() * 0.9, chance.choice((1.5, 4, 12, 40))
    counts = {
        group: 0 if chance.random() < nobody else round(chance.expovariate(1 / mean))
        for group in product(areas, kinds, quarters)
    }
    every = [(2, 2, False), (1, 1, True), (2, 1, False), (1, 2, True), (2, 0, True), (0, 2, False)]
    releases = [tuple(quarters)]
    if len(quarters) > 1:
        first = tuple(quarters[:-1])
        releases = chance.choice([releases, [first, tuple(quarters)], [first, tuple(quarters[1:])]])
    cuts = chance.sample(every, chance.randint(1, 3))
    return World(counts, cuts, chance.choice((3, 5, 5, 11)), releases)


def publish(world: World, *, forgetful: bool = False) -> list[Printed]:
    """Every release of a world, one after another, each protected with those before it in mind (or not: `forgetful`)."""
    groups, printed = list(world.counts), list[Printed]()
    for quarters in world.releases:
        figures = [
            Printed(group, quarters, Cell(Shown.WITHHELD)) for group in world.figures(quarters)
        ]
        out = [] if forgetful else list(printed)
        limits = [_limits(one.cell, world.threshold) for one in out]
        protected = protect(
            System(
                np.array(list(world.counts.values())),
                Sums.of([_places(one, groups) for one in figures]),
                loss=np.array([float(sum(not part for part in one.group)) for one in figures]),
                register=Register(
                    Sums.of([_places(one, groups) for one in out]),
                    np.array([low for low, _ in limits], dtype=np.int64),
                    np.array([high for _, high in limits], dtype=np.int64),
                ),
                parts=[_part_of(groups, 0), _part_of(groups, 1)],
            ),
            threshold=world.threshold,
        )
        printed += [
            Printed(one.group, quarters, cell)
            for one, cell in zip(figures, protected.cells(), strict=True)
        ]
    return printed


def pinned(world: World, printed: Sequence[Printed]) -> list[str]:
    """What an attacker finds out that was not to be found out; empty where all is well."""
    return [*_narrowed(world, printed), *_subtracted(world, printed), *_false(world, printed)]


def _narrowed(world: World, printed: Sequence[Printed]) -> Iterator[str]:
    """Small figures that all figures together narrow to fewer values than a small count has.

    Where somebody is and where nobody is always told. What that and earlier releases tell, without any count or
    label of the newest, no hiding can take back.
    """
    groups = list(world.counts)
    newest = printed[-1].quarters
    given = [
        one
        if one.quarters != newest or one.cell.count == 0
        else replace(one, cell=Cell(Shown.WITHHELD))
        for one in printed
    ]
    tried = set()
    for one in printed:
        aim = np.array([one.holds(group) for group in groups], dtype=float)
        if not 0 < _true(world, one) < world.threshold or aim.tobytes() in tried:
            continue
        tried.add(aim.tobytes())
        floor = max(1, _parts(world, printed, aim))
        low, high = _range(world, printed, aim)
        if low <= floor and high - low + 1 >= world.threshold - 1:
            continue
        # A single release has nothing before it to blame.
        least, most = _range(world, given, aim) if len(world.releases) > 1 else (0, _NO_LIMIT)
        if low > max(floor, least) or high < min(low + world.threshold - 2, most):
            yield f"{one.group} {one.quarters}: {low} to {high}"


def _range(world: World, printed: Sequence[Printed], aim: Any) -> tuple[int, int]:
    """The smallest and largest sum that fits everything printed."""
    groups = list(world.counts)
    equal, equal_to, below, most = [], [], [], []
    for one in printed:
        row = np.array([one.holds(group) for group in groups], dtype=float)
        low, high = _limits(one.cell, world.threshold)
        if low == high:
            equal.append(row)
            equal_to.append(low)
        else:
            below += [row, -row]
            most += [min(high, _NO_LIMIT), -low]
    ends = [
        linprog(
            sign * aim,
            A_eq=np.array(equal) if equal else None,
            b_eq=equal_to or None,
            A_ub=np.array(below) if below else None,
            b_ub=most or None,
            bounds=(0, _NO_LIMIT),
        )
        for sign in (1, -1)
    ]
    if any(end.status for end in ends):
        raise RuntimeError(f"{ends[0].message} {ends[1].message}")
    return math.ceil(ends[0].fun - _CLOSE), math.floor(-ends[1].fun + _CLOSE)


def _parts(world: World, printed: Sequence[Printed], aim: Any) -> int:
    """How many people are among some for sure, for whoever knows of each figure only whether it is 0."""
    groups = list(world.counts)
    rows = np.array([[one.holds(group) for group in groups] for one in printed], dtype=float)
    some = np.array([one.cell.count != 0 for one in printed])
    empty = rows[~some].any(axis=0) if (~some).any() else np.zeros(len(groups), dtype=bool)
    bounds = [(0, 0 if is_empty else None) for is_empty in empty]
    found = linprog(aim, A_ub=-rows[some], b_ub=-np.ones(some.sum()), bounds=bounds)
    return math.ceil(found.fun - _CLOSE)


def _subtracted(world: World, printed: Sequence[Printed]) -> Iterator[str]:
    """Small counts that come out when a shown figure is subtracted from another that holds it."""
    groups = list(world.counts)
    shown = [
        (one, frozenset(group for group in groups if one.holds(group)))
        for one in printed
        if one.cell.shown is Shown.COUNT
    ]
    for (whole, all_), (part, some) in product(shown, repeat=2):
        if some < all_ and 0 < (whole.cell.count or 0) - (part.cell.count or 0) < world.threshold:
            yield f"{whole.group} {whole.quarters} less {part.group} {part.quarters}"


def _false(world: World, printed: Sequence[Printed]) -> Iterator[str]:
    """Figures that are not what they say, and small ones that are shown."""
    for one in printed:
        true = _true(world, one)
        small = 0 < true < world.threshold
        wrong = one.cell.count != true if one.cell.shown is Shown.COUNT else true == 0
        if wrong or (small and one.cell.shown is Shown.COUNT):
            yield f"{one.group} {one.quarters}: {one.cell} for {true}"


def _true(world: World, one: Printed) -> int:
    return sum(count for group, count in world.counts.items() if one.holds(group))


def _places(one: Printed, groups: Sequence[Group]) -> list[int]:
    return [at for at, group in enumerate(groups) if one.holds(group)]


def _part_of(groups: Sequence[Group], dimension: int) -> Any:
    """The province of each group, or its field of help, by number."""
    return np.array([int(group[dimension].partition(".")[0]) for group in groups])


def _limits(cell: Cell, threshold: int) -> tuple[int, int]:
    if cell.count is not None:
        return cell.count, cell.count
    return 1, threshold - 1 if cell.shown is Shown.SMALL else UNKNOWN


def _wider(codes: set[str], levels: int) -> set[str]:
    """The codes of so many levels, "" for all among them."""
    return {"", *(code.rpartition(".")[0] for code in codes if levels)} | (
        codes if levels > 1 else set()
    )


def _is_in(code: str, wider: str) -> bool:
    return not wider or code == wider or code.startswith(f"{wider}.")
