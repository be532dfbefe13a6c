"""Disclosure control for figures that share people: periods inside each other, several cuts of the same people. Pure.

`disclosure` protects one table. Here every published figure is a sum of smallest counts, and whatever can be
worked out from all of them together is looked at: a quarter subtracted from a half-year, men from everybody.
A small count stays safe when it may be 1 or less and as many values remain possible as a small count can have.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np

from referral.planning.disclosure.cells import Cell, Shown

Key = TypeVar("Key", bound=Hashable)
Cost = tuple[float, bool, int, int]
_TOLERANCE = 1e-6
_LABEL_LOSS, _STATEMENT_LOSS = -100.0, 5.0


@dataclass(frozen=True)
class Figure:
    """One published count.

    parts   places of the smallest counts that it adds up
    loss    how much is lost when it is hidden; of figures that would do, the least loss goes first
    """

    parts: tuple[int, ...]
    loss: float = 0


@dataclass(frozen=True)
class Statement:
    """Something else that is said and bounds the counts, as a median does: sum of factor × count ≤ most."""

    factors: Mapping[int, float]
    most: float


@dataclass(frozen=True)
class Release(Generic[Key]):
    """What may be published: each figure as it may be seen, and which statements may be made."""

    cells: Mapping[Key, Cell]
    statements: frozenset[Key]


def protect(
    counts: Sequence[int],
    figures: Mapping[Key, Figure],
    *,
    threshold: int,
    differences: Sequence[tuple[int, ...]] = (),
    equals: Sequence[tuple[tuple[int, ...], tuple[int, ...]]] = (),
    statements: Mapping[Key, Sequence[Statement]] | None = None,
) -> Release[Key]:
    """What may be published of `figures`, and of `statements`.

    differences  sums that nobody prints, but that subtracting figures may tell
    equals       pairs of sums over the same people
    """
    work = _Work(counts, figures, threshold, differences, equals, statements or {})
    work.secure()
    cells = {
        key: Cell(Shown.COUNT, int(work.values[at]))
        if work.shown[at]
        else Cell(Shown.SMALL if work.labelled[at] else Shown.WITHHELD)
        for at, key in enumerate(figures)
    }
    return Release(cells, frozenset(work.said))


class _Work(Generic[Key]):
    """The linear system that an attacker has, and what is hidden so far."""

    def __init__(
        self,
        counts: Sequence[int],
        figures: Mapping[Key, Figure],
        threshold: int,
        differences: Sequence[tuple[int, ...]],
        equals: Sequence[tuple[tuple[int, ...], tuple[int, ...]]],
        statements: Mapping[Key, Sequence[Statement]],
    ) -> None:
        self.threshold = threshold
        self.counts = np.array(counts, dtype=np.int64)
        self.loss = [figure.loss for figure in figures.values()]
        self.sums = _rows([dict.fromkeys(one.parts, 1.0) for one in figures.values()], len(counts))
        self.values = np.rint(self.sums @ self.counts).astype(np.int64)
        self.equal = _rows(
            [dict.fromkeys(left, 1.0) | dict.fromkeys(right, -1.0) for left, right in equals],
            len(counts),
        )
        self.said = {key: list(parts) for key, parts in statements.items()}
        is_small = (self.values > 0) & (self.values < threshold)
        self.shown, self.labelled = ~is_small, is_small.copy()
        between = _rows([dict.fromkeys(parts, 1.0) for parts in differences], len(counts))
        hidden = np.rint(between @ self.counts)
        guarded = between[(hidden > 0) & (hidden < threshold)]
        #: sums that must not be narrowed, with the smallest and largest value known to be possible
        self.targets = _stacked([self.sums[is_small], guarded])
        self.low = self.targets @ self.counts.astype(float)
        self.high = self.low.copy()
        #: the same for every figure
        self.least, self.most = self.values.astype(float), self.values.astype(float)

    def secure(self) -> None:
        """Hide until no target can be narrowed, and no more than that."""
        if not self.targets.shape[0]:
            return
        together = np.asarray(self.targets.sum(axis=0)).ravel()
        for sign in (1, -1):  # two answers that are extreme for many targets at once
            self._solve(sign * together)
        for target in range(self.targets.shape[0]):
            aim = self.targets[target].toarray().ravel()
            while not self._is_safe(target):
                solved = self._solve(aim if self.low[target] > _TOLERANCE else -aim)
                if self._is_safe(target):
                    break
                if self.low[target] <= 1 + _TOLERANCE:
                    solved = self._solve(-aim)
                    if self._is_safe(target):
                        break
                self._give_up(solved)
        self._take_back()

    def _take_back(self) -> None:
        """Show again what the rest tells anyhow: hiding it withholds nothing."""
        hidden = np.flatnonzero(~self.shown & (self.values >= self.threshold))
        for at in sorted(hidden, key=lambda at: -self.loss[at]):
            aim = self.sums[at].toarray().ravel()
            for sign in (1, -1):
                if self.most[at] - self.least[at] < _TOLERANCE:
                    self._solve(sign * aim)
            self.shown[at] = self.most[at] - self.least[at] < _TOLERANCE

    def _is_safe(self, target: int) -> bool:
        low, high = self.low[target], self.high[target]
        possible = np.floor(high + _TOLERANCE) - np.ceil(low - _TOLERANCE) + 1
        return bool(low <= 1 + _TOLERANCE and possible >= self.threshold - 1)

    def _solve(self, aim: Any) -> Any:
        """The counts that fit everything published with the smallest aim; they widen what is known to be possible."""
        # SciPy takes a second to load, and most pages and commands count nothing.
        from scipy.optimize import linprog

        said = [part for parts in self.said.values() for part in parts]
        small = self.sums[self.labelled]
        upper = _stacked([small, -small, _rows([part.factors for part in said], len(self.counts))])
        most = [
            *([self.threshold - 1] * small.shape[0]),
            *([-1] * small.shape[0]),
            *(part.most for part in said),
        ]
        equal = _stacked([self.sums[self.shown], self.equal])
        solved = linprog(
            aim,
            A_eq=equal if equal.shape[0] else None,
            b_eq=[*self.values[self.shown], *([0] * self.equal.shape[0])]
            if equal.shape[0]
            else None,
            A_ub=upper if upper.shape[0] else None,
            b_ub=most if upper.shape[0] else None,
            # More than anybody can know, so that every answer is finite.
            bounds=(0, int(self.counts.sum()) + 10 * self.threshold),
            method="highs",
        )
        if solved.status != 0:
            raise RuntimeError(f"disclosure audit: {solved.message}")
        reached = self.targets @ solved.x
        self.low, self.high = np.minimum(self.low, reached), np.maximum(self.high, reached)
        printed = self.sums @ solved.x
        self.least, self.most = np.minimum(self.least, printed), np.maximum(self.most, printed)
        return solved

    def _give_up(self, solved: Any) -> None:
        """Hide one of the things that hold the answer where it is: the label of a small count before a figure."""
        choices: list[tuple[Cost, str, Any]] = []
        shown, labelled = np.flatnonzero(self.shown), np.flatnonzero(self.labelled)
        for row, at in enumerate(shown):
            if abs(solved.eqlin.marginals[row]) > _TOLERANCE:
                value = int(self.values[at])
                choices.append(((self.loss[at], value == 0, value, int(at)), "shown", at))
        bounds = solved.ineqlin.marginals
        for row, at in enumerate(labelled):
            if max(abs(bounds[row]), abs(bounds[row + len(labelled)])) > _TOLERANCE:
                cost = (_LABEL_LOSS + self.loss[at], False, int(self.values[at]), int(at))
                choices.append((cost, "labelled", at))
        row = 2 * len(labelled)
        for order, (key, parts) in enumerate(self.said.items()):
            if any(abs(bounds[row + part]) > _TOLERANCE for part in range(len(parts))):
                choices.append(((_STATEMENT_LOSS, False, 0, order), "said", key))
            row += len(parts)
        if not choices:
            raise RuntimeError("disclosure audit: nothing left to hide")
        _cost, kind, what = min(choices, key=lambda choice: choice[0])
        if kind == "said":
            del self.said[what]
        else:
            getattr(self, kind)[what] = False


def _rows(rows: Sequence[Mapping[int, float]], width: int) -> Any:
    from scipy.sparse import csr_array

    places = [(row, column) for row, factors in enumerate(rows) for column in factors]
    values = [value for factors in rows for value in factors.values()]
    at = tuple(np.array(places, dtype=np.int64).reshape(-1, 2).T)
    return csr_array((values, at), shape=(len(rows), width), dtype=float)


def _stacked(parts: Sequence[Any]) -> Any:
    from scipy.sparse import vstack

    return vstack(parts, format="csr")
