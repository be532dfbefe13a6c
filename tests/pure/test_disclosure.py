"""No small count can be worked out from what planners see."""

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from referral.planning.disclosure.cells import Shown
from referral.planning.disclosure.table import Table, bounds, protect

AREAS, CATEGORIES = "abc", "xyz"
tables = st.dictionaries(
    st.tuples(st.sampled_from(AREAS), st.sampled_from(CATEGORIES)), st.integers(0, 12), min_size=1
)


def shown(table: Table) -> list[list[int | str]]:
    return [
        [cell.count if cell.count is not None else cell.shown.value for cell in row]
        for row in table.cells
    ]


def test_large_counts_and_zeros_are_shown_as_they_are() -> None:
    table = protect({("a", "x"): 7, ("a", "y"): 0, ("b", "x"): 12, ("b", "y"): 30}, threshold=5)

    assert shown(table) == [[7, 0], [12, 30]]
    assert [total.count for total in table.area_totals] == [7, 42]
    assert table.total.count == 49


def test_a_small_count_takes_company_so_that_the_totals_do_not_give_it_away() -> None:
    table = protect({("a", "x"): 2, ("a", "y"): 9, ("b", "x"): 8, ("b", "y"): 10}, threshold=5)

    assert table.cell("a", "x").shown is Shown.SMALL
    assert bounds(table, "a", "x") == (1, 4)
    hidden = sum(cell.shown is Shown.WITHHELD for row in table.cells for cell in row)
    assert hidden >= 2 or any(total.count is None for total in table.area_totals)


def test_a_lone_count_of_two_is_told_as_fewer_than_five_and_its_totals_not_at_all() -> None:
    table = protect({("a", "x"): 2}, threshold=5)

    assert table.cell("a", "x").shown is Shown.SMALL
    assert table.total.shown is Shown.WITHHELD
    assert bounds(table, "a", "x") == (1, 4)


def test_an_empty_table_is_empty() -> None:
    table = protect({}, threshold=5)

    assert (table.areas, table.categories, table.total.count) == ((), (), 0)


@settings(max_examples=150, deadline=None)
@given(tables)
def test_whatever_the_counts_no_hidden_small_one_is_narrowed(
    counts: dict[tuple[str, str], int],
) -> None:
    table = protect(counts, threshold=5)

    for area, category in product(table.areas, table.categories):
        cell, count = table.cell(area, category), counts.get((area, category), 0)
        if cell.shown is Shown.COUNT:
            assert cell.count == count
        low, high = bounds(table, area, category)
        assert low <= count
        assert high is None or count <= high
        if cell.shown is Shown.SMALL:
            assert (low, high) == (1, 4)


@settings(max_examples=25, deadline=None)
@given(
    st.dictionaries(
        st.tuples(st.sampled_from("ab"), st.sampled_from("xy")), st.integers(0, 7), min_size=1
    )
)
def test_an_attacker_who_tries_every_table_finds_all_four_values_possible(
    counts: dict[tuple[str, str], int],
) -> None:
    """Independent of the linear programme: enumerate all whole-number tables that publish the same."""
    table = protect(counts, threshold=5)
    pairs = list(product(table.areas, table.categories))
    possible: dict[tuple[str, str], set[int]] = {pair: set() for pair in pairs}
    choices = []
    for pair in pairs:
        cell = table.cell(*pair)
        if cell.shown is Shown.COUNT:
            choices.append([cell.count])
        else:
            choices.append(range(1, 5) if cell.shown is Shown.SMALL else range(13))
    for values in product(*choices):
        guess = dict(zip(pairs, values, strict=True))
        if _publishes_the_same(guess, table):
            for pair, value in guess.items():
                possible[pair].add(value or 0)

    for pair in pairs:
        if table.cell(*pair).shown is Shown.SMALL:
            assert possible[pair] == {1, 2, 3, 4}


def _publishes_the_same(guess: dict[tuple[str, str], int | None], table: Table) -> bool:
    def fits(cells: list[tuple[str, str]], total: object) -> bool:
        count = sum(guess[cell] or 0 for cell in cells)
        if total.shown is Shown.COUNT:  # type: ignore[attr-defined]
            return count == total.count  # type: ignore[attr-defined]
        return True

    rows = all(
        fits([(a, c) for c in table.categories], total)
        for a, total in zip(table.areas, table.area_totals, strict=True)
    )
    columns = all(
        fits([(a, c) for a in table.areas], total)
        for c, total in zip(table.categories, table.category_totals, strict=True)
    )
    return rows and columns and fits(list(guess), table.total)


@pytest.mark.parametrize("threshold", [5, 11])
def test_the_threshold_is_a_setting(threshold: int) -> None:
    table = protect(
        {("a", "x"): 8, ("a", "y"): 20, ("b", "x"): 30, ("b", "y"): 40}, threshold=threshold
    )

    assert (table.cell("a", "x").shown is Shown.SMALL) == (threshold == 11)
