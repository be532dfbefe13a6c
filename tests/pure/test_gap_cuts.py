"""Which counts of gaps are published, how one widens, and that what releases share is looked at as a whole."""

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache
from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from referral.planning.disclosure.cells import Cell, Shown
from referral.planning.disclosure.system import UNKNOWN, Sums, System
from referral.planning.gaps import register
from referral.planning.gaps.cuts import DIMENSIONS, Key, Tree
from referral.planning.gaps.figures import NOBODY, Figures
from referral.planning.gaps.periods import before, end_of, quarter_of, window
from referral.planning.gaps.register import Counts, Published

TREE = Tree(
    {"FC01": "FC", "FC05": "FC", "HE05": "HE"}, {"U01": "availability", "U03": "availability"}
)
AREAS = ("33.71", "33.74", "33.?", "35.78", "?")
CATEGORIES = ("FC01", "FC05", "HE05")
REASONS = ("U01", "U03", "met")
QUARTERS = ("2025-Q4", "2026-Q1", "2026-Q2", "2026-Q3", "2026-Q4")
NOW, EARLIER = window("2026-Q4"), window("2026-Q3")

Joint = Mapping[tuple[str, str, str, str], int]
joint = st.dictionaries(
    st.tuples(
        st.sampled_from(AREAS),
        st.sampled_from(CATEGORIES),
        st.sampled_from(REASONS),
        st.sampled_from(QUARTERS),
    ),
    st.integers(1, 20),
    max_size=12,
)
few = settings(max_examples=40, deadline=None)
keys = st.builds(
    Key,
    st.sampled_from((*AREAS, "33", "35", "")),
    st.sampled_from((*CATEGORIES, "FC", "HE", "")),
    st.sampled_from((*REASONS, "availability", "")),
    st.sampled_from((*QUARTERS, "")),
)


def counts_of(people: Joint) -> Counts:
    area, category, reason, quarter = zip(*people, strict=True) if people else [()] * 4
    return Counts(area, category, reason, quarter, np.array(list(people.values()), dtype=np.int64))


def is_inside(key: Key, wide: Key) -> bool:
    """Whether everybody whom the first figure counts is counted by the second too."""
    return all(_is_within(key, wide, name) for name in DIMENSIONS)


def _is_within(key: Key, wide: Key, dimension: str) -> bool:
    step: Key | None = key
    while step is not None and getattr(step, dimension) != getattr(wide, dimension):
        step = TREE.wider(step, dimension)
    return step is not None


def people_in(people: Joint, key: Key, quarters: tuple[str, ...]) -> int:
    """How many a figure counts, worked out one by one."""
    return sum(
        count
        for (area, category, reason, quarter), count in people.items()
        if quarter in quarters and is_inside(Key(area, category, reason, quarter), key)
    )


def every_figure(people: Joint, quarters: tuple[str, ...]) -> dict[Key, int]:
    """All figures of the cuts that are not 0."""
    found: Counter[Key] = Counter()
    for row, count in people.items():
        if row[3] in quarters:
            chains = [chain(*part) for part in zip(DIMENSIONS, row, strict=True)]
            found.update({Key(*codes): count for codes in product(*chains)})
    return {key: value for key, value in found.items() if TREE.is_published(key)}


@cache
def chain(dimension: str, code: str) -> tuple[str, ...]:
    """A code and all that it widens to."""
    key: Key | None = Key(**{dimension: code})
    found = []
    while key is not None:
        found.append(getattr(key, dimension))
        key = TREE.wider(key, dimension)
    return tuple(found)


def as_told(
    people: Joint, quarters: tuple[str, ...], hide: Callable[[Key, int], bool]
) -> dict[Key, Cell]:
    return {
        key: Cell(Shown.WITHHELD) if hide(key, value) else Cell(Shown.COUNT, value)
        for key, value in every_figure(people, quarters).items()
    }


@given(keys)
def test_a_figure_widens_step_by_step_until_it_holds_everybody(key: Key) -> None:
    steps = list(TREE.widened(key))

    assert steps[0] == key
    assert steps[-1] == Key()
    assert len(steps) == len(set(steps)) <= 8
    for one, wider in pairwise(steps):
        assert is_inside(one, wider)
        assert not is_inside(wider, one)


def test_a_figure_widens_by_period_then_area_then_field_then_reason() -> None:
    steps = list(TREE.widened(Key("33.74", "FC05", "U01", "2026-Q3")))

    assert steps == [
        Key("33.74", "FC05", "U01", "2026-Q3"),
        Key("33.74", "FC05", "U01"),
        Key("33", "FC05", "U01"),
        Key("33", "FC", "U01"),
        Key("33", "FC", "availability"),
        Key("", "FC", "availability"),
        Key("", "", "availability"),
        Key(),
    ]


@pytest.mark.parametrize(
    ("key", "is_published"),
    [
        (Key("33.74", "FC05"), True),
        (Key("33", "FC", "U01"), True),
        (Key("33", "FC", "", "2026-Q3"), True),
        (Key("33.?", "FC05"), True),
        (Key("?", "FC05"), True),
        (Key("33.74", "FC05", "availability"), False),
        (Key("33.74", "", "", "2026-Q3"), False),
        (Key("", "FC05", "", "2026-Q3"), False),
        (Key("33", "FC", "U01", "2026-Q3"), False),
    ],
)
def test_only_what_is_on_the_list_is_published(key: Key, is_published: bool) -> None:
    assert TREE.is_published(key) is is_published


@few
@given(joint, keys, st.data())
def test_what_is_told_holds_everybody_of_the_figure_that_was_wanted(
    people: Joint, key: Key, data: st.DataObject
) -> None:
    cells = as_told(people, NOW, lambda _key, _value: data.draw(st.booleans()))

    told = Figures(cells, TREE).told(key)

    if told.key is None:
        assert Figures(cells, TREE).cell(Key()).shown is Shown.WITHHELD
    else:
        assert is_inside(key, told.key)
        assert TREE.is_published(told.key)
        assert told.people == people_in(people, told.key, NOW)
        assert told.is_widened == (told.key != key)


@few
@given(joint)
def test_whatever_is_inside_a_figure_of_nobody_is_nobody(people: Joint) -> None:
    found = Figures(as_told(people, NOW, lambda _key, _value: False), TREE)
    everything = every_figure(people, QUARTERS)

    nobody = [key for key in everything if found.cell(key) == NOBODY]

    for key in nobody:
        for one in everything:
            if is_inside(one, key):
                assert found.cell(one) == NOBODY
    for key in found:
        for dimension in DIMENSIONS:
            assert all(TREE.wider(one, dimension) == key for one in found.inside(key, dimension))


def values(sums: Sums, system: System) -> list[int]:
    return [int(system.counts[sums.row(at)].sum()) for at in range(len(sums))]


@few
@given(joint)
def test_a_release_asks_for_every_figure_of_the_list_that_is_not_0_and_for_no_other(
    people: Joint,
) -> None:
    asked = register.system(counts_of(people), TREE, NOW, [])

    found = dict(zip(asked.keys, values(asked.system.figures, asked.system), strict=True))

    assert {key: value for key, value in found.items() if value} == every_figure(people, NOW)
    left, right = asked.system.equals
    assert values(left, asked.system) == values(right, asked.system)
    assert len(asked.system.differences) == 0


@few
@given(joint, st.data())
def test_what_an_earlier_release_told_is_known_of_the_same_people(
    people: Joint, data: st.DataObject
) -> None:
    first = tuple(each for each in EARLIER if each in QUARTERS)
    cells = as_told(people, first, lambda _key, value: value < 5 and data.draw(st.booleans()))
    earlier = Published(EARLIER, 5, cells)

    asked = register.system(counts_of(people), TREE, NOW, [earlier])

    system = asked.system
    if system.register is None:
        assert cells == {}
    else:
        told = values(system.register.sums, system)
        bounds = zip(system.register.low.tolist(), system.register.high.tolist(), strict=True)
        for value, (low, high) in zip(told, bounds, strict=True):
            assert (low, high) in ((value, value), (1, UNKNOWN))
        assert Counter(told) == Counter(every_figure(people, first).values())
    assert system.unsure is not None
    assert (system.counts[system.unsure] == 0).all()
    assert (system.counts[~system.unsure] > 0).all()
    left, right = system.equals
    assert values(left, system) == values(right, system)


def test_what_one_quarter_adds_to_a_figure_is_a_secret_of_its_own() -> None:
    people = {("33.74", "FC05", "U01", "2026-Q3"): 6, ("33.74", "FC05", "U01", "2026-Q4"): 2}
    earlier = Published(EARLIER, 5, as_told(people, EARLIER, lambda _key, _value: False))

    system = register.system(counts_of(people), TREE, NOW, [earlier]).system

    assert sorted(set(values(system.differences, system))) == [2, 6]


def test_a_zero_is_doubtful_where_only_longer_periods_were_told() -> None:
    people = {
        ("33.74", "FC05", "U01", "2026-Q3"): 6,
        ("33.71", "FC05", "U01", "2026-Q3"): 7,
        ("33.71", "FC05", "U01", "2026-Q4"): 8,
    }
    earlier = Published(EARLIER, 5, as_told(people, EARLIER, lambda _key, _value: False))

    system = register.system(counts_of(people), TREE, NOW, [earlier]).system

    assert system.unsure is not None
    # Whether anybody of 33.74 came in the last quarter; everything else of 0 was told as 0.
    assert int(system.unsure.sum()) == 1


def test_quarters_begin_and_end_where_the_country_s_first_zone_has_midnight() -> None:
    assert quarter_of(datetime(2026, 9, 30, 16, 59, tzinfo=UTC)) == "2026-Q3"
    assert quarter_of(datetime(2026, 9, 30, 17, tzinfo=UTC)) == "2026-Q4"
    assert end_of("2026-Q3") == datetime(2026, 9, 30, 17, tzinfo=UTC)
    assert end_of("2026-Q4") == datetime(2026, 12, 31, 17, tzinfo=UTC)
    assert before("2026-Q1") == "2025-Q4"
    assert window("2026-Q2") == ("2025-Q3", "2025-Q4", "2026-Q1", "2026-Q2")
