"""Disclosure control: what of a table of counts may leave, so that no small count can be worked out. Pure.

A table is areas by categories, published with its row, column and grand totals. Counts from 1 to one below
the threshold are hidden (primary); then further cells are hidden (complementary) until a linear programme
over everything published can't narrow any hidden small count to less than the whole range 1 … threshold-1.
Zero is no secret: it says that nobody asked.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from referral.planning.disclosure.cells import Cell, Shown

_TOLERANCE = 1e-6


@dataclass(frozen=True)
class Table:
    """A table after disclosure control: cells[area][category], and the totals beside it."""

    areas: tuple[str, ...]
    categories: tuple[str, ...]
    cells: tuple[tuple[Cell, ...], ...]
    area_totals: tuple[Cell, ...]
    category_totals: tuple[Cell, ...]
    total: Cell
    threshold: int

    def cell(self, area: str, category: str) -> Cell:
        return self.cells[self.areas.index(area)][self.categories.index(category)]


def protect(counts: Mapping[tuple[str, str], int], *, threshold: int) -> Table:
    """The table that may be shown. `counts` maps (area, category) to a count; a missing pair is 0."""
    areas = tuple(sorted({area for area, _ in counts}))
    categories = tuple(sorted({category for _, category in counts}))
    inner = np.zeros((len(areas), len(categories)), dtype=np.int64)
    for (area, category), count in counts.items():
        inner[areas.index(area), categories.index(category)] = count
    full = _with_totals(inner)
    hidden = (full > 0) & (full < threshold)
    # A small total is hidden too, but never called small: that would bound the small counts inside it.
    small = hidden.copy()
    small[-1, :] = small[:, -1] = False
    while (exposed := _first_exposed(full, hidden, small, threshold)) is not None:
        hidden[_sacrifice(full, hidden, exposed)] = True
    cells = [
        [
            _cell(full[row, column], hidden[row, column], small[row, column])
            for column in range(full.shape[1])
        ]
        for row in range(full.shape[0])
    ]
    return Table(
        areas,
        categories,
        tuple(tuple(row[:-1]) for row in cells[:-1]),
        tuple(row[-1] for row in cells[:-1]),
        tuple(cells[-1][:-1]),
        cells[-1][-1],
        threshold,
    )


def bounds(table: Table, area: str, category: str) -> tuple[int, int | None]:
    """What anybody can work out of one cell from the whole published table: smallest and largest possible count."""
    hidden = np.array([[cell.shown is not Shown.COUNT for cell in row] for row in _all(table)])
    small = np.array([[cell.shown is Shown.SMALL for cell in row] for row in _all(table)])
    full = np.array([[cell.count or 0 for cell in row] for row in _all(table)])
    at = (table.areas.index(area), table.categories.index(category))
    if not hidden[at]:
        return int(full[at]), int(full[at])
    low, high = _range(full, hidden, small, table.threshold, at)
    return int(np.ceil(low - _TOLERANCE)), None if high is None else int(
        np.floor(high + _TOLERANCE)
    )


def _all(table: Table) -> list[list[Cell]]:
    rows = [[*row, total] for row, total in zip(table.cells, table.area_totals, strict=True)]
    return [*rows, [*table.category_totals, table.total]]


def _with_totals(inner: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    with_rows = np.hstack([inner, inner.sum(axis=1, keepdims=True)])
    return np.vstack([with_rows, with_rows.sum(axis=0, keepdims=True)])


def _cell(count: int, hidden: bool, small: bool) -> Cell:
    if small:
        return Cell(Shown.SMALL)
    return Cell(Shown.WITHHELD) if hidden else Cell(Shown.COUNT, int(count))


def _first_exposed(
    full: np.ndarray[Any, Any],
    hidden: np.ndarray[Any, Any],
    small: np.ndarray[Any, Any],
    threshold: int,
) -> tuple[int, int] | None:
    """The first small cell that the published table narrows to less than 1 … threshold-1."""
    for row, column in np.argwhere(small):
        low, high = _range(full, hidden, small, threshold, (row, column))
        if low > 1 + _TOLERANCE or (high is not None and high < threshold - 1 - _TOLERANCE):
            return int(row), int(column)
    return None


def _sacrifice(
    full: np.ndarray[Any, Any], hidden: np.ndarray[Any, Any], exposed: tuple[int, int]
) -> tuple[int, int]:
    """The next cell to hide: in the exposed cell's row or column the smallest that is large enough to blur it,
    before a zero, and inner cells before totals."""
    row, column = exposed
    line = [(row, c) for c in range(full.shape[1])] + [(r, column) for r in range(full.shape[0])]
    free = [at for at in line if not hidden[at]]
    if not free:
        rest = [tuple(at) for at in np.argwhere(~hidden)]
        free = [(int(r), int(c)) for r, c in rest]
    last_row, last_column = full.shape[0] - 1, full.shape[1] - 1

    def cost(at: tuple[int, int]) -> tuple[int, bool, int, tuple[int, int]]:
        totals = (at[0] == last_row) + (at[1] == last_column)
        return totals, full[at] == 0, int(full[at]), at

    return min(free, key=cost)


def _range(
    full: np.ndarray[Any, Any],
    hidden: np.ndarray[Any, Any],
    small: np.ndarray[Any, Any],
    threshold: int,
    at: tuple[int, int],
) -> tuple[float, float | None]:
    """Smallest and largest value of one hidden cell that fits everything published."""
    # SciPy takes a second to load, and most pages and commands count nothing.
    from scipy.optimize import linprog

    unknown: Sequence[tuple[int, int]] = [(int(r), int(c)) for r, c in np.argwhere(hidden)]
    index = {cell: number for number, cell in enumerate(unknown)}
    equations, sums = [], []
    rows, columns = full.shape
    lines = [[(r, c) for c in range(columns)] for r in range(rows)]
    lines += [[(r, c) for r in range(rows)] for c in range(columns)]
    for line in lines:
        if not any(cell in index for cell in line):
            continue
        equation, known = np.zeros(len(unknown)), 0
        for number, cell in enumerate(line):
            sign = -1 if number == len(line) - 1 else 1  # the last of a line is its total
            if cell in index:
                equation[index[cell]] = sign
            else:
                known += sign * int(full[cell])
        equations.append(equation)
        sums.append(-known)
    limits: list[tuple[int, int | None]] = [
        (1, threshold - 1) if small[cell] else (0, None) for cell in unknown
    ]
    aim = np.zeros(len(unknown))
    aim[index[at]] = 1
    found: list[float | None] = []
    for direction in (1, -1):
        solved = linprog(
            direction * aim, A_eq=np.array(equations), b_eq=sums, bounds=limits, method="highs"
        )
        if solved.status == 3:  # unbounded
            found.append(None)
        elif solved.status == 0:
            found.append(direction * float(solved.fun))
        else:
            raise RuntimeError(f"disclosure audit: {solved.message}")
    low, high = found
    return (0.0 if low is None else low), high
