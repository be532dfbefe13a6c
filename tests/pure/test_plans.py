"""A plan for several needs is the best there is, as trying every possibility shows."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from itertools import combinations, permutations, product
from random import Random
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from referral.matching import plans
from referral.matching.plans import Assignment, Option, Spot

JAKARTA = ZoneInfo("Asia/Jakarta")
Needs = dict[str, list[Option]]

#: few, so that some sums are equal; a metre counts on the other side of the earth too
lengths_km = st.sampled_from([0.0, 1.0, 2.5, 2.501, 7.0, 40.0, 19_999.999, 20_000.0])


@st.composite
def lists(draw: st.DrawFn) -> Needs:
    """Up to four needs, each with options at some of five places, and with help without going there."""
    found: Needs = {}
    for need in "abcd"[: draw(st.integers(1, 4))]:
        found[need] = []
        places = draw(st.lists(st.sampled_from([*"PQRST", None]), max_size=5))
        for rank, place in enumerate(places, 1):
            km = 0.0 if place is None else draw(lengths_km)
            group = draw(st.sampled_from([0, 0, 0, 2]))
            found[need].append(Option(f"{need}{rank}", rank, group, km, place))
    return found


def usable(needs: Needs, *, at_home: bool = False) -> Needs:
    return {need: plans.usable(options, at_home=at_home) for need, options in needs.items()}


def every_assignment(needs: Needs) -> list[Assignment]:
    met = [need for need, options in needs.items() if options]
    return [
        Assignment(dict(zip(met, picks, strict=True)))
        for picks in product(*(needs[need] for need in met))
    ]


@given(lists(), st.booleans())
@settings(max_examples=400, deadline=None)
def test_a_plan_meets_every_need_at_the_fewest_places_and_of_these_with_the_fewest_km(
    needs: Needs, at_home: bool
) -> None:
    needs = usable(needs, at_home=at_home)

    found = plans.fewest_places(needs)

    assert set(found.picks) == {need for need, options in needs.items() if options}
    assert all(pick in needs[need] for need, pick in found.picks.items())
    assert found.cost == min(one.cost for one in every_assignment(needs))


@given(lists(), st.integers(0, 2))
@settings(max_examples=300, deadline=None)
def test_with_more_places_allowed_it_is_the_nearest_of_all_that_keep_to_them(
    needs: Needs, more: int
) -> None:
    needs = usable(needs)
    places = len(plans.fewest_places(needs).places) + more

    found = plans.within_places(needs, places)

    possible = [one for one in every_assignment(needs) if len(one.places) <= places]
    assert len(found.places) <= places
    assert found.cost[1:] == min(one.cost[1:] for one in possible)


@given(lists())
@settings(deadline=None)
def test_each_needs_own_best_is_the_first_of_its_list(needs: Needs) -> None:
    needs = usable(needs)

    found = plans.own_best(needs)

    assert found.km == min(one.km for one in every_assignment(needs))
    assert len(found.places) >= len(plans.fewest_places(needs).places)


@pytest.mark.parametrize("seed", range(4))
def test_on_real_sizes_no_other_set_of_places_is_better(seed: int) -> None:
    """Six needs with forty options each: every pair of their places is tried."""
    random = Random(seed)
    km_to = {f"P{at:03}": random.uniform(0.5, 40) for at in range(150)}
    needs: Needs = {}
    for need in "abcdef":
        chosen = random.sample(sorted(km_to), plans.CANDIDATES)
        added = {place: random.choice([0.0, 2.0, 8.0]) for place in chosen}
        kms = sorted((round(km_to[place] + added[place], 3), place) for place in chosen)
        needs[need] = [
            Option(f"{need}{place}", rank, 0, km, place) for rank, (km, place) in enumerate(kms, 1)
        ]

    found = plans.fewest_places(needs)

    at = {need: {one.place: one for one in options} for need, options in needs.items()}
    possible = []
    for pair in combinations(sorted(km_to), 2):
        there = [[at[need][place] for place in pair if place in at[need]] for need in needs]
        if all(there):
            picks = [min(some, key=lambda one: (one.km, one.rank)) for some in there]
            possible.append(Assignment(dict(zip(needs, picks, strict=True))).cost)
    if possible:
        assert found.cost == min(possible)
    else:
        assert len(found.places) > 2


def test_one_place_more_is_told_when_it_spares_much() -> None:
    def at(km: float, *places: str) -> Assignment:
        return Assignment({place: Option(place, 1, 0, km / len(places), place) for place in places})

    assert plans.is_worth_it(at(42, "P"), at(16, "P", "Q"))
    assert not plans.is_worth_it(at(42, "P"), at(38, "P", "Q"))  # not even 5 km
    assert not plans.is_worth_it(at(420, "P"), at(400, "P", "Q"))  # 20 km of 420 is not much
    assert not plans.is_worth_it(at(42, "P"), at(16, "Q"))  # no place more: that is no trade


def test_help_without_going_there_is_used_where_there_is_nowhere_to_go_or_when_staying_at_home() -> (
    None
):
    there, far = Option("there", 1, 0, 4.0, "P"), Option("far", 2, 0, 9.0, "Q")
    call, app = Option("call", 1, 0, 0.0, None), Option("app", 2, 0, 0.0, None)

    assert plans.usable([there, far, call, app]) == [there, far]
    assert plans.usable([there, far, call, app], at_home=True) == [call, app]
    assert plans.usable([call, app]) == [call, app]
    assert plans.usable([]) == []
    assert plans.fewest_places({"a": [call, app]}).picks == {"a": call}


def test_a_full_place_comes_in_only_where_every_option_is_full() -> None:
    full, room = Option("full", 2, 2, 1.0, "P"), Option("room", 1, 0, 30.0, "Q")
    other = Option("other", 1, 0, 1.0, "P")

    found = plans.fewest_places({"a": plans.usable([room, full]), "b": plans.usable([other])})

    assert found.picks == {"a": room, "b": other}
    assert plans.usable([full]) == [full]


# One place or two ---------------------------------------------------------------------------------


def test_the_same_location_address_or_door_is_one_place() -> None:
    street = ("pemuda", "12", "semarang")
    spots = {
        "a": Spot("1"),
        "b": Spot("1"),
        "c": Spot("2", address=street, point=(-7.0, 110.0)),
        "d": Spot("3", address=street),
        "e": Spot("4", point=(-7.0004, 110.0)),  # 44 m from c
        "f": Spot("5", point=(-7.0008, 110.0)),  # 44 m from e
        "g": Spot("6", point=(-7.002, 110.0)),
        "h": Spot("7"),
    }

    places = plans.one_place(spots)

    assert places == {
        **dict.fromkeys("ab", "a"),
        **dict.fromkeys("cdef", "c"),
        "g": "g",
        "h": "h",
    }


@given(
    st.lists(
        st.tuples(
            st.sampled_from("12345"),
            st.sampled_from([None, ("x", "1"), ("y", "2")]),
            st.sampled_from([None, (-7.0, 110.0), (-7.0004, 110.0), (-7.0, 110.0004), (90.0, 5.0)]),
        ),
        max_size=7,
    ),
    st.randoms(),
)
def test_which_sites_are_one_place_does_not_depend_on_the_order_they_come_in(
    some: list[tuple[str, tuple[str, ...] | None, plans.Point | None]], random: st.DataObject
) -> None:
    spots = {f"s{at}": Spot(*one) for at, one in enumerate(some)}
    shuffled = list(spots)
    random.shuffle(shuffled)  # type: ignore[attr-defined]

    assert plans.one_place({site: spots[site] for site in shuffled}) == plans.one_place(spots)


# In which order -----------------------------------------------------------------------------------

lengths = st.integers(0, 9).map(float)


@given(st.integers(0, 6), st.data())
@settings(deadline=None)
def test_the_order_is_the_shortest_of_all_with_those_that_come_first_before_the_others(
    count: int, data: st.DataObject
) -> None:
    from_start = data.draw(st.lists(lengths, min_size=count, max_size=count))
    between = [[0.0] * count for _ in range(count)]
    for a, b in combinations(range(count), 2):
        between[a][b] = between[b][a] = data.draw(lengths)
    first = data.draw(st.sets(st.sampled_from(range(count))) if count else st.just(set()))

    found = plans.shortest_round(from_start, between, first)

    def holds(order: Sequence[int]) -> bool:
        return set(order[: len(first)]) == first

    assert holds(found)
    assert plans.round_km(found, from_start, between) == min(
        plans.round_km(order, from_start, between)
        for order in permutations(range(count))
        if holds(order)
    )


def test_beyond_what_is_proven_the_way_goes_on_to_the_nearest() -> None:
    count = plans.EXACT_STOPS + 2
    from_start = [float(at + 1) for at in range(count)]
    between = [[abs(float(a - b)) for b in range(count)] for a in range(count)]

    assert plans.shortest_round(from_start, between) == tuple(range(count))
    assert plans.shortest_round(from_start, between, {3}) == (
        *(3, 2, 1, 0),
        *range(4, count),
    )


def test_arrivals_follow_the_way_and_the_visits() -> None:
    at = datetime(2026, 3, 2, 8, 0, tzinfo=JAKARTA)

    found = plans.arrivals([5.0, 20.0], [2, 1], at)

    assert [one.strftime("%H:%M") for one in found] == ["08:15", "11:15"]


@pytest.mark.parametrize(
    ("now", "goes"),
    [
        ("2026-03-02 09:30:40", "2026-03-02 09:30"),  # a Monday morning: now
        ("2026-03-02 06:10", "2026-03-02 08:00"),
        ("2026-03-02 15:00", "2026-03-03 08:00"),
        ("2026-03-06 15:00", "2026-03-09 08:00"),  # a Friday afternoon
        ("2026-03-18 15:00", "2026-03-20 08:00"),  # the next day is a holiday
    ],
)
def test_somebody_sets_out_in_the_morning_of_a_working_day(now: str, goes: str) -> None:
    found = plans.sets_out_at(datetime.fromisoformat(now).replace(tzinfo=UTC), {date(2026, 3, 19)})

    assert found == datetime.fromisoformat(goes).replace(tzinfo=UTC)
