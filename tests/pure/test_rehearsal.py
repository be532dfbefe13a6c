"""Rule changes on groups of people: no answer is finer than a group, and gates decide as they do for a person."""

from collections import Counter
from datetime import UTC, datetime, time
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referral.directory.opening import OpeningRow
from referral.matching.facts import Offer
from referral.planning.rehearsal.groups import FACTS, grouped
from referral.planning.rehearsal.trying import (
    DESIL_BANDS,
    PARTS_OF_WEEK,
    Asked,
    Tried,
    desil_band,
    part_of_week,
    tried,
)
from referral.referrals.cards import AGE_BANDS, age_band

NOW = datetime(2026, 11, 18, 3, 0, tzinfo=UTC)
HERE, FAR = (-6.99, 110.42), (-8.65, 115.22)
ID = UUID(int=1)

values = {
    "province": ["33", "35"],
    "regency": ["33.74", "33.22", "35.78"],
    "age": list(AGE_BANDS),
    "sex": ["female", "male"],
    "desil": list(DESIL_BANDS),
    "when": list(PARTS_OF_WEEK),
}
people = st.lists(
    st.fixed_dictionaries(
        {}, optional={name: st.sampled_from(some) for name, some in values.items()}
    ),
    max_size=60,
)


@given(people, st.integers(2, 11))
def test_every_group_is_large_enough_and_nobody_is_lost_or_told_wrongly(
    everybody: list[dict[str, str]], least: int
) -> None:
    groups = grouped(everybody, least=least)

    assert all(count >= least for _facts, count in groups)
    assert sum(count for _facts, count in groups) == (
        len(everybody) if len(everybody) >= least else 0
    )
    for fact in FACTS:
        for value in values.get(fact, []):
            told = sum(count for facts, count in groups if facts.get(fact) == value)
            assert told <= sum(person.get(fact) == value for person in everybody)


def test_what_too_few_share_is_not_told_of_them() -> None:
    girls = [{"province": "33", "age": "13-17", "sex": "female"}] * 6
    boys = [{"province": "33", "age": "13-17", "sex": "male"}] * 2
    others = [{"province": "33", "age": "60+", "sex": "male"}] * 5

    assert grouped([*girls, *boys, *others], least=5) == [
        ({"province": "33", "age": "13-17"}, 8),
        ({"province": "33", "age": "60+", "sex": "male"}, 5),
    ]


def offer(**facts: object) -> Offer:
    given: dict[str, object] = {
        "latitude": HERE[0],
        "longitude": HERE[1],
        "categories": {"HE05": True},
    }
    return Offer(ID, ID, ID, **given | facts)  # type: ignore[arg-type]


def group(people: int = 7, **facts: str) -> Asked:
    return Asked(people, "HE05", {"province": "33", "regency": "33.74", **facts})


def trial(groups: list[Asked], before: Offer, after: Offer, **how: bool) -> Tried:
    return tried(
        groups,
        [before],
        [after],
        point_of={"33.74": HERE, "51.71": FAR}.get,
        now=NOW,
        **{"hours": False, "room": False} | how,
    )


def test_a_raised_age_gains_whole_bands_and_says_what_it_cuts_through() -> None:
    groups = [
        group(7, age="6-12"),
        group(9, age="13-17"),
        group(11, age="18-24"),
        group(6, age="25-59"),
        group(5),
    ]

    found = trial(
        groups, offer(minimum_age=0, maximum_age=12), offer(minimum_age=0, maximum_age=20)
    )

    assert found == Tried(
        asked=38,
        before=7,
        after=16,
        untold=16,
        gained=Counter({("33.74", "HE05"): 9}),
        because=Counter({"age": 9}),
    )


@pytest.mark.parametrize(
    ("before", "after", "facts", "rule"),
    [
        ({"sex": ("female",)}, {"sex": ()}, {"sex": "male"}, "sex"),
        ({"desil": (1, 2, 3, 4)}, {"desil": ()}, {"desil": "5-6"}, "desil"),
        (
            {"service_areas": ("33.22",)},
            {"service_areas": ("33",)},
            {"registered": "33.74"},
            "jurisdiction",
        ),
        ({"disability": ("visual",)}, {"disability": ()}, {"disability": "hearing"}, "disability"),
        ({"active": False}, {"active": True}, {}, "active"),
        ({"categories": {"HE01": True}}, {}, {}, "category"),
    ],
)
def test_each_rule_that_is_eased_gains_and_that_is_tightened_loses(
    before: dict[str, object], after: dict[str, object], facts: dict[str, str], rule: str
) -> None:
    there = [group(8, **facts)]

    eased, tightened = (
        trial(there, offer(**before), offer(**after)),
        trial(there, offer(**after), offer(**before)),
    )

    assert (eased.before, eased.after, eased.gained.total(), eased.because) == (0, 8, 8, {rule: 8})
    assert (tightened.before, tightened.after, tightened.lost.total(), tightened.because) == (
        *(8, 0, 8),
        {rule: 8},
    )


def test_room_and_hours_decide_only_when_they_are_what_changes() -> None:
    evening = [group(6, when="workday_evening")]
    open_days = offer(hours=(hours("08:00", "16:00"),))
    open_late = offer(hours=(hours("08:00", "21:00"),))

    assert trial(evening, open_days, open_late).gained.total() == 0
    assert trial(evening, open_days, open_late, hours=True).gained.total() == 6
    assert trial(evening, offer(), offer(capacity="no-capacity")).lost.total() == 0
    assert trial(evening, offer(), offer(capacity="no-capacity"), room=True).because == {
        "capacity": 6
    }


def hours(opens: str, closes: str) -> OpeningRow:
    return OpeningRow(freq="WEEKLY", byday="MO,TU,WE,TH,FR", opens_at=opens, closes_at=closes)


def test_who_asked_far_away_is_not_looked_at_unless_the_help_has_no_place() -> None:
    far = [Asked(9, "HE05", {"province": "51", "regency": "51.71"})]

    assert trial(far, offer(sex=("male",)), offer()).asked == 0
    assert trial(far, offer(remote="phone"), offer(remote="phone")).asked == 9


@given(
    st.lists(st.sampled_from(list(AGE_BANDS)), max_size=8), st.integers(0, 120), st.integers(0, 120)
)
def test_every_answer_is_a_sum_of_whole_groups(bands: list[str], one: int, other: int) -> None:
    low, high = min(one, other), max(one, other)
    groups = [group(5 + at, age=band) for at, band in enumerate(bands)]

    found = trial(groups, offer(), offer(minimum_age=low, maximum_age=high))

    sizes = {"in": 0, "out": 0, "cut": 0}
    for each in groups:
        first, last = AGE_BANDS[each.facts["age"]]
        inside = [low <= age <= high for age in range(first, last + 1)]
        sizes["in" if all(inside) else "cut" if any(inside) else "out"] += each.people
    assert (found.after, found.lost.total(), found.untold) == (
        sizes["in"],
        sizes["out"],
        sizes["cut"],
    )


LIMITS: dict[str, object] = {
    "minimum_age": 6,
    "maximum_age": 20,
    "sex": ("female",),
    "desil": (1, 2, 3),
    "disability": ("visual",),
    "service_areas": ("33.22",),
}


@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "age": st.sampled_from(list(AGE_BANDS)),
                "sex": st.sampled_from(["female", "male"]),
                "desil": st.sampled_from(list(DESIL_BANDS)),
            },
            optional={
                "disability": st.sampled_from(["visual", "hearing"]),
                "registered": st.sampled_from(["33.74", "33.22"]),
            },
        ),
        max_size=8,
    ),
    st.lists(st.sets(st.sampled_from(list(LIMITS))), min_size=2, max_size=6),
)
def test_taking_limits_away_in_whatever_order_moves_whole_groups_and_loses_nobody(
    facts: list[dict[str, str]], trials: list[set[str]]
) -> None:
    # Sizes of which every sum is made in one way only tell which groups an answer is made of, and a part of one shows.
    sizes = [2 ** (4 * at + 3) for at in range(len(facts))]
    groups = [group(size, **one) for size, one in zip(sizes, facts, strict=True)]
    least, everybody = 8, sum(sizes)

    answers = [{0}, {everybody}]
    for removed in trials:
        left = {name: value for name, value in LIMITS.items() if name not in removed}
        found = trial(groups, offer(**LIMITS), offer(**left))
        assert found.lost.total() == 0
        # Who was in stays in: told apart by the bits of the sum, no group leaves.
        assert found.before & ~found.after == 0
        answers.append({found.before, found.after, found.untold, found.gained.total()})
        answers.append(set(found.because.values()))

    told = sorted(set().union(*answers))
    for one in told:
        for other in told:
            # What lies between any two answers is whole groups too.
            assert sum(size for size in sizes if one & size != other & size) == one ^ other
            assert one == other or one ^ other >= least


def test_moments_and_numbers_fall_into_their_bands() -> None:
    assert [
        part_of_week(datetime(2026, 11, day, hour, tzinfo=UTC))
        for day, hour in ((18, 9), (18, 13), (18, 20), (21, 9))
    ] == [
        "workday_morning",
        "workday_afternoon",
        "workday_evening",
        "weekend",
    ]
    assert [age_band(age) for age in (0, 5.9, 6, 17, 60, 99, None)] == [
        *("0-5", "0-5", "6-12", "13-17", "60+", "60+"),
        None,
    ]
    assert [desil_band(desil) for desil in (1, 4, 10)] == ["1-2", "3-4", "9-10"]
    assert all(isinstance(hour, time) for _day, hour in PARTS_OF_WEEK.values())
