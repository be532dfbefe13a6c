"""Values of a map: what is told, hidden and not known; classes of colour; questions fitted to what is published."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referral.planning.gaps.cuts import Tree
from referral.planning.maps import values
from referral.planning.maps.atlas import share
from referral.planning.maps.question import Form, Layer, Level, Question, fitted
from referral.planning.maps.values import NO_DATA, NONE_ANYWHERE, SMALL, WITHHELD, ZERO, told

TREE = Tree({"HE05": "HE", "FC05": "FC"}, {"U01": "availability"})
QUARTERS = ("2025-Q4", "2026-Q1", "2026-Q2", "2026-Q3")


def scale_of(*numbers: float, is_count: bool = True) -> values.Scale:
    return values.scale([told(number) for number in numbers], is_count=is_count)


def test_an_array_tells_what_is_not_known_from_what_is_nowhere() -> None:
    assert told(math.nan) == NO_DATA
    assert told(math.inf) == NONE_ANYWHERE
    assert told(0) == ZERO


def test_each_kind_of_value_has_a_look_of_its_own() -> None:
    scale = scale_of(5, 7, 9, 12, 40)

    found = [scale.place(v) for v in (ZERO, SMALL, WITHHELD, NO_DATA, NONE_ANYWHERE, told(5), told(40))]  # fmt: skip

    assert found == ["zero", "small", "withheld", "no_data", "none_anywhere", "c0", "c4"]


def test_classes_hold_about_equally_many_and_have_round_edges() -> None:
    scale = scale_of(*range(1, 101))

    assert [low for _, low, _ in scale.classes] == [1, 20, 40, 60, 80]
    assert [place for place, _, _ in scale.classes] == ["c0", "c1", "c2", "c3", "c4"]


def test_few_different_numbers_make_few_classes_over_the_whole_ramp() -> None:
    assert [place for place, _, _ in scale_of(6, 6, 6).classes] == ["c2"]
    assert [place for place, _, _ in scale_of(5, 5, 90, 90).classes] == ["c0", "c4"]
    assert scale_of(0, 0).classes == []


@given(st.lists(st.floats(0.001, 1e6), min_size=1, max_size=60), st.booleans())
def test_every_number_falls_into_the_class_whose_edges_hold_it(numbers: list[float], is_count: bool) -> None:  # fmt: skip
    numbers = [max(1.0, float(round(n))) for n in numbers] if is_count else numbers
    scale = scale_of(*numbers, is_count=is_count)
    edges = [low for _, low, _ in scale.classes]

    assert edges == sorted(set(edges))
    for number in numbers:
        (place,) = [
            place
            for place, low, high in scale.classes
            if low <= number and (high is None or number < high)
        ]
        assert scale.place(told(number)) == place


def test_a_part_is_hidden_where_either_count_is() -> None:
    assert share(told(5), told(20)) == told(25)
    assert share(SMALL, told(20)) == SMALL
    assert share(told(5), SMALL) == WITHHELD
    assert share(told(0), told(0)) == NO_DATA
    assert share(told(7), told(6)) == told(100)


@pytest.mark.parametrize(
    ("asked", "answered", "notes"),
    [
        (Question("HE05"), Question("HE05"), []),
        (
            Question("HE05", reason="U01"),
            Question("HE", reason="U01", level=Level.PROVINCE),
            ["province_reason"],
        ),
        (
            Question("HE05", period="2026-Q3"),
            Question("HE", period="2026-Q3", level=Level.PROVINCE),
            ["province_period"],
        ),
        (
            Question(reason="availability", period="2026-Q3", level=Level.PROVINCE),
            Question(reason="availability", level=Level.PROVINCE),
            ["reason_or_period"],
        ),
        (Question(period="2019-Q1"), Question(), ["period"]),
        (
            Question("HE05", reason="U01", layer=Layer.NEAREST, system="formal", form=Form.HEXAGONS),
            Question("HE05", layer=Layer.NEAREST, system="formal", form=Form.HEXAGONS),
            ["needs_only"],
        ),
        (Question(layer=Layer.ASKED, reason="U01"), Question(layer=Layer.ASKED), ["asked_reason"]),
        (Question(system="formal"), Question(), ["supply_only"]),
    ],
)  # fmt: skip
def test_a_question_is_widened_to_what_is_published_and_says_so(
    asked: Question, answered: Question, notes: list[str]
) -> None:
    found = fitted(asked, TREE, QUARTERS)

    assert found.question == answered
    assert [note.key.removeprefix("map.note.") for note in found.notes] == notes


@given(
    st.sampled_from(["", "HE", "HE05"]),
    st.sampled_from(["", "availability", "U01"]),
    st.sampled_from(["", *QUARTERS, "x"]),
    st.sampled_from([Layer.UNMET, Layer.SHARE, Layer.PER_100K]),
    st.sampled_from(list(Level)),
)
def test_whatever_is_asked_of_people_what_is_answered_is_in_a_cut(
    category: str, reason: str, period: str, layer: Layer, level: Level
) -> None:
    asked = Question(category, reason, period, layer=layer, level=level)

    question = fitted(asked, TREE, QUARTERS).question

    area = "33" if question.level is Level.PROVINCE else "33.74"
    assert TREE.is_published(question.key(area))
