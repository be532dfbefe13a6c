"""Demand by small area comes from published figures alone and invents nobody."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from referral.planning.access.demand import Country, asked, residents
from referral.planning.disclosure.cells import Cell, Shown
from referral.planning.gaps.cuts import Key

AREAS = ["11.01.01", "11.01.02", "11.02.01", "11.02.02", "11.02.03", "12.01.01", "13.01"]
SMALL = Cell(Shown.SMALL)
WITHHELD = Cell(Shown.WITHHELD)


def people(told: dict[str, int | Cell], populations: dict[str, int | None] | None = None) -> Any:
    cells = {
        code: Cell(Shown.COUNT, cell) if isinstance(cell, int) else cell
        for code, cell in told.items()
    }

    def look(key: Key) -> Cell:
        assert (key.category, key.reason, key.period) == ("HE05", "", "")
        return cells.get(key.area, Cell(Shown.COUNT, 0))

    return asked(Country(AREAS, populations or {}), look, "HE05")


def test_a_told_count_is_shared_evenly_where_no_population_is_loaded() -> None:
    found = people({"": 30, "11": 30, "11.01": 10, "11.02": 20})
    np.testing.assert_allclose(found.people, [5, 5, 20 / 3, 20 / 3, 20 / 3, 0, 0])
    assert (found.told, found.shared, found.unplaced) == (30, 0, 0)


def test_it_is_shared_by_population_where_that_is_loaded() -> None:
    found = people({"11.01": 10, "11.02": 20}, {"11.01.01": 900, "11.01.02": 100, "11.02": 900})
    np.testing.assert_allclose(found.people[:5], [9, 1, 20 / 3, 20 / 3, 20 / 3])


def test_hidden_kab_share_what_is_left_of_their_province() -> None:
    found = people({"": 40, "11": 40, "11.01": SMALL, "11.02": 36})
    np.testing.assert_allclose(found.people, [2, 2, 12, 12, 12, 0, 0])
    assert (found.told, found.shared) == (36, 4)


def test_they_share_it_by_population() -> None:
    found = people(
        {"": 20, "11": 20, "11.01": SMALL, "11.02": WITHHELD}, {"11.01": 300, "11.02": 100}
    )
    np.testing.assert_allclose(found.people[:5], [7.5, 7.5, 5 / 3, 5 / 3, 5 / 3])
    assert (found.told, found.shared) == (0, 20)


def test_hidden_provinces_share_what_is_left_of_the_country_by_their_hidden_kab() -> None:
    found = people(
        {"": 100, "11": 91, "11.01": 40, "11.02": 51, "12": SMALL, "12.01": SMALL, "13": SMALL}
        | {"13.01": SMALL}
    )
    np.testing.assert_allclose(found.people, [20, 20, 17, 17, 17, 4.5, 4.5])
    assert (found.told, found.shared) == (91, 9)


def test_people_of_whom_no_area_is_known_are_left_out_and_said() -> None:
    found = people({"": 50, "11": 44, "11.01": 30, "11.?": 14, "?": 6})
    np.testing.assert_allclose(found.people, [15, 15, 0, 0, 0, 0, 0])
    assert (found.told, found.unplaced) == (30, 20)


def test_a_hidden_somewhere_takes_its_part_of_what_is_hidden() -> None:
    found = people({"": 20, "11": 20, "11.01": 14, "11.02": SMALL, "11.?": SMALL})
    np.testing.assert_allclose(found.people, [7, 7, 1, 1, 1, 0, 0])
    assert (found.told, found.shared, found.unplaced) == (14, 3, 3)


def test_what_not_even_the_country_tells_is_unknown_and_not_nobody() -> None:
    found = people({"": SMALL, "12": SMALL, "12.01": SMALL})
    np.testing.assert_array_equal(found.people, [0, 0, 0, 0, 0, np.nan, 0])


def test_before_the_first_release_everybody_who_lives_there_counts() -> None:
    whole = residents(Country(AREAS, {"11.01": 100, "11.02": 30, "12.01": 7, "13.01": 9}))
    assert whole.people.tolist() == [50, 50, 10, 10, 10, 7, 9]
    alike = residents(Country(AREAS, {"11.01": 100}))
    assert alike.people.tolist() == [1] * 7


@given(
    st.lists(st.integers(0, 40), min_size=4, max_size=4),
    st.lists(st.booleans(), min_size=4, max_size=4),
    st.lists(st.booleans(), min_size=3, max_size=3),
)
def test_nobody_is_invented_and_nobody_is_lost(
    counts: list[int], hidden: list[bool], wide: list[bool]
) -> None:
    regencies = ["11.01", "11.02", "12.01", "13.01"]
    told: dict[str, int | Cell] = {"": sum(counts)}
    for code, count, is_hidden in zip(regencies, counts, hidden, strict=True):
        told[code] = SMALL if is_hidden and count else count
    for at, code in enumerate(["11", "12", "13"]):
        inside = [n for where, n in zip(regencies, counts, strict=True) if where[:2] == code]
        is_hidden = any(isinstance(told[one], Cell) for one in regencies if one[:2] == code)
        told[code] = SMALL if wide[at] and is_hidden else sum(inside)
    found = people(told)
    assert found.people.sum() + found.unplaced == pytest.approx(sum(counts))
    country = Country(AREAS, {})
    by_regency = np.bincount(country.regency, found.people)
    for at, code in enumerate(regencies):
        if isinstance(told[code], int):
            assert by_regency[at] == pytest.approx(told[code])
