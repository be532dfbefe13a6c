"""Which few of many sites cost all people least in sum, proven by HiGHS. Pure.

Each person costs what the nearest of the chosen sites costs them, and never more than their cap, which is what they
have already. One program holds both aims:

distance  (p-median) the cost is the km, the cap the km to the nearest service there is
people    (maximal covering, MCLP) the cost is 0 within reach and 1 beyond; the cap 0 where a service is in reach

The program is solved by Benders' cuts (Cordeau, Furini & Ljubić 2019; Duran-Mateluna, Ales & Elloumi 2023): one
unknown for each site and one for what each place costs, bounded from below by a row that is added when it is broken.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Sites = tuple[int, ...]

#: All people and their caps together are scaled to this, so that HiGHS's fixed tolerance (1e-6) is small beside it.
_WHOLE = 1e6
#: Costs this near to each other are equal.
_EQUAL = 1e-3
_BROKEN = 1e-6
_MOST_ROUNDS = 80


class Clock:
    """What is left of the time that may be spent."""

    def __init__(self, seconds: float) -> None:
        self._until = time.monotonic() + seconds

    @property
    def left(self) -> float:
        return max(0.0, self._until - time.monotonic())


@dataclass(frozen=True)
class Ground:
    """What is asked: places with people, and what each site would cost one person of each place.

    cost    places × sites
    cap     of each place: what its people bear at most; infinite where they have nothing yet
    people  of each place
    """

    cost: Floats
    cap: Floats
    people: Floats

    def total(self, chosen: Sequence[int]) -> float:
        """What all people bear with these sites; infinite where some have nothing still."""
        is_lived = self.people > 0  # nobody times infinity is nothing
        return float(self.people[is_lived] @ _borne(self, chosen)[is_lived])

    @cached_property
    def finite(self) -> "Ground":
        """The same with every cap finite and no cost above it: the first site costs nobody more than that."""
        worst = self.cost.max(axis=1, initial=0.0)
        cap = np.where(np.isfinite(self.cap), self.cap, worst)
        return Ground(np.minimum(self.cost, cap[:, None]), cap, self.people)


@dataclass(frozen=True)
class Choice:
    """The sites that were found for one count, in the order of the list of sites.

    total  what all people bear with them
    bound  no other choice makes them bear less than this
    """

    sites: Sites
    total: float
    bound: float
    is_proven: bool


# By trying -----------------------------------------------------------------------------------------


def greedy(ground: Ground, count: int, start: Sequence[int] = ()) -> Sites:
    """One site after the other, each where it spares most; of equals the first. None that spares nothing."""
    ground = ground.finite
    chosen = list(start)
    borne = _borne(ground, chosen)
    while len(chosen) < count and ground.cost.shape[1]:
        spared = ground.people @ np.maximum(borne[:, None] - ground.cost, 0.0)
        best = int(np.argmax(spared))
        if spared[best] <= 0:
            break
        chosen.append(best)
        borne = np.minimum(borne, ground.cost[:, best])
    return tuple(chosen)


def swapped(ground: Ground, chosen: Sequence[int]) -> Sites:
    """The sites after exchanging one for another as long as that spares anything (Teitz & Bart 1968)."""
    ground = ground.finite
    best = list(chosen)
    total = ground.total(best)
    is_better = bool(best)
    while is_better:
        is_better = False
        for at in range(len(best)):
            others = best[:at] + best[at + 1 :]
            with_each = ground.people @ np.minimum(_borne(ground, others)[:, None], ground.cost)
            found = int(np.argmin(with_each))
            if with_each[found] < total - 1e-9 * max(1.0, abs(total)):
                best[at], total, is_better = found, float(with_each[found]), True
    return tuple(best)


def _borne(ground: Ground, chosen: Sequence[int]) -> Floats:
    borne: Floats = np.minimum(ground.cap, ground.cost[:, list(chosen)].min(axis=1, initial=np.inf))
    return borne


# Proven --------------------------------------------------------------------------------------------


def best(ground: Ground, count: int, clock: Clock, *, start: Sequence[int] = ()) -> Choice:
    """At most so many sites with the smallest total; of equals those that stand first in the list.

    Of equal totals the choice whose sites' numbers in the list have the smallest sum is taken. When the clock runs
    out the best one found is given with the bound that was reached.
    start  a choice to do no worse than
    """
    tried = [swapped(ground, greedy(ground, count)), swapped(ground, greedy(ground, count, start))]
    [found], bound, is_proven = _solved(ground, [count], [[one] for one in tried], clock)
    return Choice(found, ground.total(found), bound, is_proven)


def one_after_another(ground: Ground, counts: Sequence[Choice], clock: Clock) -> tuple[Sites, bool]:
    """The order to build in, each site staying, with the smallest sum of the totals after each step.

    counts  the best choices for 1, 2, 3, … sites, from which a first try is made
    Also whether it is proven.
    """
    steps = range(1, len(counts) + 1)
    starts = [[order[:step] for step in steps] for order in _orders(ground, counts)]
    # No order does better after any step than the best choice of that many sites.
    least = sum(choice.bound for choice in counts)
    found, _bound, is_proven = _solved(ground, steps, starts, clock, least)
    order: list[int] = []
    for step in found:
        order += [site for site in step if site not in order]
    return tuple(order), is_proven


def _orders(ground: Ground, counts: Sequence[Choice]) -> list[Sites]:
    """Orders to try first: from each count's best choice on, always the best next one."""
    return [greedy(ground, len(counts), ordered(ground, choice.sites)) for choice in counts]


def ordered(ground: Ground, sites: Sites) -> Sites:
    """The same sites in the order in which each spares most of what the ones before it left."""
    within = Ground(ground.cost[:, list(sites)], ground.cap, ground.people)
    order = [sites[at] for at in greedy(within, len(sites))]
    return (*order, *(site for site in sites if site not in order))


def _solved(
    ground: Ground,
    counts: Sequence[int],
    tried: Sequence[Sequence[Sites]],
    clock: Clock,
    least: float = 0.0,
) -> tuple[list[Sites], float, bool]:
    """A choice for each count, each holding the one before, with the smallest sum of totals; its bound; if proven.

    least  a sum that is known not to be undercut
    """
    counts = list(counts)
    program = _Program(ground.finite, counts)
    if not program.scale:
        nothing: list[Sites] = [() for _ in counts]
        return nothing, sum(ground.total(()) for _ in counts), True
    totals = [program.total(steps) for steps in tried]
    first = tried[int(np.argmin(totals))]
    found, bound, is_proven = program.proven(list(first), clock, least)
    if is_proven:
        found = program.first_of_equals(found, clock)
    return [tuple(sorted(step)) for step in found], bound, is_proven


class _Program:
    """One unknown for each site and count, 0 or 1; one for what each place's people bear at each count."""

    def __init__(self, ground: Ground, counts: list[int]) -> None:
        self._counts = counts
        self._whole = ground
        # Places that no site helps bear their cap whatever is chosen; alike ones are one.
        helped = (ground.people > 0) & (ground.cost < ground.cap[:, None]).any(axis=1)
        rows = np.column_stack([ground.cap, ground.cost])[helped]
        alike, which = np.unique(rows, axis=0, return_inverse=True)
        weights = ground.people[helped]
        people = np.bincount(which.ravel(), weights, len(alike)).astype(float)
        self._cap, self._cost = alike[:, 0], alike[:, 1:]
        self.scale = float(people @ self._cap)
        self._people = people * (_WHOLE / self.scale if self.scale else 0.0)
        self._always = float(ground.people[~helped] @ ground.cap[~helped])
        self._places, self._sites = self._cost.shape
        self._order = np.argsort(self._cost, axis=1, kind="stable")
        self._sorted = np.take_along_axis(self._cost, self._order, axis=1)
        self._closed = np.zeros((len(counts), self._sites), dtype=bool)
        self._rows: list[Any] = []
        self._least: list[Floats] = []
        self._fixed_rows()

    # What a choice is worth

    def total(self, steps: Sequence[Sites]) -> float:
        """The sum over the counts, in the people's own measure."""
        return sum(self._whole.total(step) for step in steps)

    def _scaled(self, steps: Sequence[Sites]) -> float:
        ground = Ground(self._cost, self._cap, self._people)
        return sum(ground.total(step) for step in steps)

    def _own(self, scaled: float) -> float:
        return scaled * self.scale / _WHOLE + self._always * len(self._counts)

    def _own_to_scaled(self, own: float) -> float:
        return (own - self._always * len(self._counts)) * _WHOLE / self.scale

    # Rows

    def _fixed_rows(self) -> None:
        """At most so many sites at each count, and each of them again at the next."""
        from scipy.sparse import coo_array

        levels, sites = len(self._counts), self._sites
        at_most = np.zeros((levels, self._unknowns))
        for level in range(levels):
            at_most[level, level * sites : (level + 1) * sites] = -1.0
        self._add(coo_array(at_most), -np.array(self._counts, dtype=float))
        if levels > 1:
            steps = (levels - 1) * sites
            here = np.arange(steps)
            stays = coo_array(
                (
                    np.concatenate([-np.ones(steps), np.ones(steps)]),
                    (np.concatenate([here, here]), np.concatenate([here, here + sites])),
                ),
                shape=(steps, self._unknowns),
            )
            self._add(stays, np.zeros(steps))

    @property
    def _unknowns(self) -> int:
        return len(self._counts) * int(self._sites + self._places)

    def _add(self, rows: Any, least: Floats) -> None:
        self._rows.append(rows.tocsr())
        self._least.append(least)

    def _cut(self, values: Floats) -> bool:
        """Add the rows that these values break most; whether there was one."""
        from scipy.sparse import coo_array

        levels, sites, places = len(self._counts), self._sites, self._places
        is_any = False
        for level in range(levels):
            opened = values[level * sites : (level + 1) * sites]
            start = levels * sites + level * places
            borne = values[start : start + places]
            # As far as the nearest that are open add up to one site, and no farther than the cap.
            full = np.cumsum(opened[self._order], axis=1) >= 1 - 1e-9
            reached = full.any(axis=1)
            first = np.argmax(full, axis=1)
            far = np.where(reached, self._sorted[np.arange(places), first], self._cap)
            spared = np.maximum(far[:, None] - self._cost, 0.0)
            broken = np.flatnonzero((far - spared @ opened - borne) * self._people > _BROKEN)
            if not len(broken):
                continue
            is_any = True
            at, site = np.nonzero(spared[broken])
            entries = np.concatenate([spared[broken][at, site], np.ones(len(broken))])
            row_at = np.concatenate([at, np.arange(len(broken))])
            column_at = np.concatenate([site + level * sites, start + broken])
            shape = (len(broken), self._unknowns)
            self._add(coo_array((entries, (row_at, column_at)), shape=shape), far[broken])
        return is_any

    def _values(self, steps: Sequence[Sites]) -> Floats:
        """A choice as values of the unknowns, with nothing borne: breaks every row that it could."""
        values = np.zeros(self._unknowns)
        for level, step in enumerate(steps):
            values[[level * self._sites + site for site in step]] = 1.0
        return values

    def _steps(self, values: Floats) -> list[Sites]:
        opened = values[: len(self._counts) * self._sites].reshape(len(self._counts), -1) > 0.5
        return [tuple(int(site) for site in np.flatnonzero(row)) for row in opened]

    # Solving

    def proven(
        self, found: list[Sites], clock: Clock, least: float
    ) -> tuple[list[Sites], float, bool]:
        """The best choice, from one to do no worse than; the bound on its total, and whether it is reached."""
        total = self._scaled(found)
        self._cut(self._values([() for _ in self._counts]))
        self._cut(self._values(found))
        bound = self._own_to_scaled(least)
        if bound < total - _EQUAL:
            bound = max(bound, self._relaxed(total, clock))
        while bound < total - _EQUAL and clock.left > 0:
            answer = self._integer(self._worth, clock)
            if answer.mip_dual_bound is not None:
                bound = max(bound, min(float(answer.mip_dual_bound), total))
            if answer.x is None:
                break
            steps = self._steps(answer.x)
            worth = self._scaled(steps)
            if worth < total - _EQUAL / 10:
                found, total = steps, worth
            if not self._cut(self._exact(answer.x)):
                break
        is_proven = bound >= total - _EQUAL
        return found, self._own(total if is_proven else bound), is_proven

    def first_of_equals(self, found: list[Sites], clock: Clock) -> list[Sites]:
        """Of the choices as good as this one, that whose sites' numbers have the smallest sum."""
        numbers = np.zeros(self._unknowns)
        for level in range(len(self._counts)):
            numbers[level * self._sites : (level + 1) * self._sites] = np.arange(1, self._sites + 1)
        total = self._scaled(found)
        while clock.left > 0:
            answer = self._integer(numbers, clock, at_most=total + _EQUAL)
            if answer.x is None or answer.status != 0:
                return found
            steps = self._steps(answer.x)
            if self._scaled(steps) <= total + 2 * _EQUAL:
                return steps
            if not self._cut(self._exact(answer.x)):
                return found
        return found

    @cached_property
    def _worth(self) -> Floats:
        worth = np.zeros(self._unknowns)
        worth[len(self._counts) * self._sites :] = np.tile(self._people, len(self._counts))
        return worth

    def _exact(self, values: Floats) -> Floats:
        """Values whose sites are whole, so that the rows they break are those of a real choice."""
        opened = len(self._counts) * self._sites
        exact = values.copy()
        exact[:opened] = np.round(values[:opened])
        return exact

    def _matrix(self) -> tuple[Any, Floats]:
        from scipy.sparse import vstack

        return vstack(self._rows, format="csr"), np.concatenate(self._least)

    def _relaxed(self, total: float, clock: Clock) -> float:
        """A bound from sites that may be open in part; closes the sites that it rules out."""
        from scipy.optimize import linprog

        bound = 0.0
        for _round in range(_MOST_ROUNDS):
            if clock.left <= 0:
                break
            rows, least = self._matrix()
            answer = linprog(
                self._worth,
                A_ub=-rows,
                b_ub=-least,
                bounds=np.column_stack([np.zeros(self._unknowns), self._upper]),
                method="highs",
                options={"time_limit": max(clock.left, 0.01)},
            )
            if answer.status != 0:
                break
            bound = float(answer.fun)
            opened = len(self._counts) * self._sites
            # What opening a site at all would cost at least: more than is known to do, then it stays closed.
            ruled_out = answer.lower.marginals[:opened] > total - bound + _EQUAL
            self._closed |= ruled_out.reshape(self._closed.shape)
            if bound >= total - _EQUAL or not self._cut(answer.x):
                break
        return bound

    @property
    def _upper(self) -> Floats:
        upper = np.ones(self._unknowns)
        opened = self._closed.size
        upper[:opened][self._closed.ravel()] = 0.0
        upper[opened:] = np.tile(self._cap, len(self._counts))
        return upper

    def _integer(self, worth: Floats, clock: Clock, *, at_most: float | None = None) -> Any:
        from scipy.optimize import Bounds, LinearConstraint, milp
        from scipy.sparse import csr_array

        opened = len(self._counts) * self._sites
        rows, least = self._matrix()
        constraints = [LinearConstraint(rows, least, np.inf)]
        if at_most is not None:
            constraints.append(LinearConstraint(csr_array(self._worth[None, :]), -np.inf, at_most))
        whole = np.zeros(self._unknowns)
        whole[:opened] = 1
        return milp(
            worth,
            integrality=whole,
            bounds=Bounds(np.zeros(self._unknowns), self._upper),
            constraints=constraints,
            options={"mip_rel_gap": 0, "time_limit": max(clock.left, 0.01)},
        )
