"""Figures that share people: no small count can be worked out from periods, cuts and medians taken together."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import LinearConstraint, milp

from referral.planning.disclosure.cells import Shown
from referral.planning.disclosure.linked import Figure, Release, protect
from referral.planning.disclosure.system import Statement

THRESHOLD = 5
#: two groups × two bands × three parts of a year
GROUPS, BANDS, PARTS = range(2), range(2), range(3)


def place(group: int, band: int, part: int) -> int:
    return (group * len(BANDS) + band) * len(PARTS) + part


def figures() -> tuple[dict[Any, Figure], list[tuple[int, ...]]]:
    """Every group and everybody, by band and together, in three periods of which each holds the one before."""
    published, differences = {}, []
    for name, groups in (*((str(one), [one]) for one in GROUPS), ("everybody", list(GROUPS))):
        for column, bands in (*((str(one), [one]) for one in BANDS), ("all", list(BANDS))):

            def parts(
                start: int, end: int, groups: Any = groups, bands: Any = bands
            ) -> tuple[int, ...]:
                return tuple(
                    place(group, band, part)
                    for group in groups
                    for band in bands
                    for part in range(start, end)
                )

            for end in (1, 2, 3):
                loss = end + 10 * (column == "all") + 20 * (name == "everybody")
                published[name, column, end] = Figure(parts(0, end), loss)
                differences += [parts(start, end) for start in range(1, end)]
    return published, differences


FIGURES, DIFFERENCES = figures()


def released(counts: list[int], **more: Any) -> Release[Any]:
    return protect(counts, FIGURES, threshold=THRESHOLD, differences=DIFFERENCES, **more)


def worked_out(
    release: Release[Any], wanted: tuple[int, ...], figures: Mapping[Any, Figure] = FIGURES
) -> tuple[int, int]:
    """What an attacker finds who looks for whole numbers only: smallest and largest possible sum."""
    width = 1 + max(max(one.parts) for one in figures.values())
    rows, low, high = [], [], []
    for key, cell in release.cells.items():
        row = np.zeros(width)
        row[list(figures[key].parts)] = 1
        at_most = {Shown.COUNT: cell.count, Shown.SMALL: THRESHOLD - 1, Shown.WITHHELD: 500}
        at_least = {Shown.COUNT: cell.count, Shown.SMALL: 1, Shown.WITHHELD: 0}
        rows.append(row)
        low.append(at_least[cell.shown])
        high.append(at_most[cell.shown])
    aim = np.zeros(width)
    aim[list(wanted)] = 1
    found = [
        milp(sign * aim, constraints=LinearConstraint(rows, low, high), integrality=np.ones(width))
        for sign in (1, -1)
    ]
    assert [one.status for one in found] == [0, 0]
    return round(found[0].fun), round(-found[1].fun)


counts_of_few = st.lists(st.integers(0, 9), min_size=12, max_size=12)


@settings(max_examples=60, deadline=None)
@given(counts_of_few)
def test_whatever_the_counts_no_small_one_is_narrowed_by_periods_and_totals(
    counts: list[int],
) -> None:
    release = released(counts)

    sums = {figure.parts for figure in FIGURES.values()} | set(DIFFERENCES)
    for parts in sums:
        true = sum(counts[at] for at in parts)
        if 0 < true < THRESHOLD:
            low, high = worked_out(release, parts)
            assert low <= 1
            assert high - low + 1 >= THRESHOLD - 1
    for key, cell in release.cells.items():
        true = sum(counts[at] for at in FIGURES[key].parts)
        assert cell.count in (None, true)
        assert not (cell.shown is Shown.COUNT and 0 < true < THRESHOLD)
        assert not (cell.shown is Shown.SMALL and not 0 < true < THRESHOLD)


def test_the_year_less_the_half_year_does_not_tell_the_quarter_in_between() -> None:
    """Protected one by one both periods would be shown, and their difference with them."""
    counts = [0] * 12
    counts[place(0, 0, 0)], counts[place(0, 0, 1)], counts[place(0, 0, 2)] = 20, 2, 30
    counts[place(1, 0, 0)] = counts[place(1, 1, 0)] = counts[place(0, 1, 0)] = 40

    release = released(counts)

    between = (place(0, 0, 1),)
    low, high = worked_out(release, between)
    assert low <= 1
    assert high >= THRESHOLD - 1


def test_men_are_not_told_by_everybody_less_women() -> None:
    figures = {
        "women": Figure((0,)),
        "men": Figure((1,)),
        "everybody": Figure((0, 1), loss=20),
    }

    release = protect([30, 3], figures, threshold=THRESHOLD)

    assert release.cells["men"].shown is Shown.SMALL
    assert worked_out(release, (1,), figures) == (1, 4)
    assert release.cells["everybody"].count == 33


def test_two_cuts_of_the_same_people_do_not_complete_each_other() -> None:
    """By sex 20 and 4, by age 11 and 13: both divide the same 24."""
    figures = {
        "women": Figure((0,)),
        "men": Figure((1,)),
        "young": Figure((2,)),
        "old": Figure((3,)),
    }

    alone = protect([20, 4, 11, 13], figures, threshold=THRESHOLD)
    linked = protect([20, 4, 11, 13], figures, threshold=THRESHOLD, equals=[((0, 1), (2, 3))])

    assert alone.cells["women"].count == 20
    assert linked.cells["men"].shown is not Shown.COUNT
    assert None in {linked.cells[key].count for key in ("women", "young", "old")}


def test_a_median_that_would_narrow_a_count_is_not_said() -> None:
    """Half of seven lie in the first band, nothing else is shown: the first holds four or more, the other three or fewer."""
    figures = {"first": Figure((0,)), "second": Figure((1,)), "all": Figure((0, 1), loss=20)}
    half = Statement({0: -1.0, 1: 1.0}, -1)

    release = protect([4, 3], figures, threshold=THRESHOLD, statements={"median": [half]})

    assert release.statements == frozenset() or release.cells["all"].count is None
    kept = [half] if release.statements else []
    for wanted in (0, 1):
        values = {
            one
            for one in range(8)
            for other in range(8)
            if _fits((one, other) if wanted == 0 else (other, one), release, kept)
        }
        assert len(values) >= THRESHOLD - 1


def _fits(guess: tuple[int, int], release: Release[Any], kept: list[Statement]) -> bool:
    sums = {"first": guess[0], "second": guess[1], "all": sum(guess)}
    for key, cell in release.cells.items():
        if cell.shown is Shown.COUNT and sums[key] != cell.count:
            return False
        if cell.shown is Shown.SMALL and not 1 <= sums[key] < THRESHOLD:
            return False
    return all(
        sum(factor * guess[at] for at, factor in one.factors.items()) <= one.most for one in kept
    )


def test_what_the_rest_tells_anyhow_is_shown() -> None:
    release = released([40, 40, 40, 40, 40, 40, 40, 40, 40, 2, 40, 40])

    shown = {key for key, cell in release.cells.items() if cell.shown is Shown.COUNT}
    for key, figure in FIGURES.items():
        low, high = worked_out(release, figure.parts)
        assert (low == high) == (key in shown)


@pytest.mark.parametrize("counts", [[0] * 12, [50] * 12])
def test_where_nothing_is_small_everything_is_shown(counts: list[int]) -> None:
    release = released(counts)

    assert {cell.shown for cell in release.cells.values()} == {Shown.COUNT}
