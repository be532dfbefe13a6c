"""Where a resource should stand: the optimum against trying all, greedy choice, and a second solver."""

import json
import subprocess
import sys
from collections.abc import Iterator
from itertools import combinations, permutations
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from referral.planning.access.bands import unit_vectors
from referral.planning.siting.questions import Aim, near_enough
from referral.planning.siting.solving import (
    Clock,
    Ground,
    best,
    greedy,
    one_after_another,
    ordered,
    swapped,
)
from referral.planning.siting.study import Scene, Study


def scene(
    seed: int, *, places: int = 14, sites: int = 7, there: int = 0, heaps: bool = False
) -> Scene:
    """Points in a square of 100 km; `heaps` puts many at equal distances, so that there are ties."""
    random = np.random.default_rng(seed)

    def points(count: int) -> Any:
        return (
            random.integers(0, 4, (count, 2)) * 25.0 if heaps else random.random((count, 2)) * 100
        )

    def km(here: Any, others: Any) -> Any:
        return np.linalg.norm(here[:, None, :] - others[None, :, :], axis=2)

    here = points(places)
    far = km(here, points(sites))
    now = km(here, points(there)).min(axis=1) if there else np.full(places, np.inf)
    people = random.integers(0, 4 if heaps else 500, places).astype(float)
    people[0] = 1.0
    return Scene(people, np.zeros(places, dtype=bool), far, far, now, now)


def grounds(seed: int, **size: Any) -> Iterator[Ground]:
    """Both aims on one scene."""
    made = scene(seed, **size)
    yield made.within(30.0)
    yield made.far


def equal(one: float, other: float) -> bool:
    return abs(one - other) <= 1e-6 * max(1.0, abs(other))


def every(ground: Ground, count: int) -> list[tuple[int, ...]]:
    sites = range(ground.cost.shape[1])
    return [chosen for size in range(count + 1) for chosen in combinations(sites, size)]


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    count=st.integers(1, 4),
    there=st.integers(0, 3),
    heaps=st.booleans(),
)
def test_the_choice_is_that_of_trying_all_and_stands_first_of_its_equals(
    seed: int, count: int, there: int, heaps: bool
) -> None:
    for ground in grounds(seed, there=there, heaps=heaps):
        found = best(ground, count, Clock(60))

        finite = ground.finite
        totals = {chosen: finite.total(chosen) for chosen in every(finite, count)}
        least = min(totals.values())
        numbers = [sum(c) + len(c) for c, total in totals.items() if equal(total, least)]
        assert found.is_proven
        assert equal(finite.total(found.sites), least)
        assert equal(found.bound, least)
        assert sum(found.sites) + len(found.sites) == min(numbers)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), there=st.integers(0, 2), heaps=st.booleans())
def test_the_order_to_build_in_is_the_best_of_all_orders(
    seed: int, there: int, heaps: bool
) -> None:
    for ground in grounds(seed, places=10, sites=6, there=there, heaps=heaps):
        counts = [best(ground, count, Clock(60)) for count in (1, 2, 3)]
        order, is_proven = one_after_another(ground, counts, Clock(60))

        def worth(sites: tuple[int, ...], finite: Ground = ground.finite) -> float:
            return sum(finite.total(sites[:step]) for step in (1, 2, 3))

        assert is_proven
        assert equal(worth(order), min(worth(one) for one in permutations(range(6), 3)))


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), there=st.integers(0, 3))
def test_more_sites_and_a_longer_radius_never_reach_fewer_and_trying_is_never_better(
    seed: int, there: int
) -> None:
    made = scene(seed, places=40, sites=15, there=there)
    for ground in (made.within(20.0), made.far):
        totals = []
        for count in range(1, 6):
            choice = best(ground, count, Clock(60))
            tried = swapped(ground, greedy(ground, count))
            assert choice.total <= ground.finite.total(greedy(ground, count)) + 1e-6
            assert choice.total <= ground.finite.total(tried) + 1e-6
            totals.append(choice.total)
        assert totals == sorted(totals, reverse=True)
    for count in (1, 3):
        out = [best(made.within(km), count, Clock(60)).total for km in (10.0, 20.0, 30.0, 40.0)]
        assert out == sorted(out, reverse=True)


#: Reads instances and answers with the optimum of each; CBC never shares a process with HiGHS.
SECOND_SOLVER = """
import json, sys
import pulp

def optimum(instance):
    cost, cap, people, count = (instance[name] for name in ("cost", "cap", "people", "count"))
    model = pulp.LpProblem("siting", pulp.LpMinimize)
    sites = range(len(cost[0]))
    opened = [pulp.LpVariable(f"y{j}", cat="Binary") for j in sites]
    goes = [[pulp.LpVariable(f"x{i}_{j}", 0, 1) for j in sites] for i in range(len(cost))]
    stays = [pulp.LpVariable(f"s{i}", 0, 1) for i in range(len(cost))]
    model += pulp.lpSum(
        w * (cap[i] * stays[i] + pulp.lpSum(cost[i][j] * goes[i][j] for j in sites))
        for i, w in enumerate(people)
    )
    model += pulp.lpSum(opened) <= count
    for i in range(len(cost)):
        model += stays[i] + pulp.lpSum(goes[i]) == 1
        for j in sites:
            model += goes[i][j] <= opened[j]
    model.solve(pulp.PULP_CBC_CMD(msg=False, gapRel=0, gapAbs=1e-9))
    return pulp.value(model.objective)

print(json.dumps([optimum(one) for one in json.load(sys.stdin)]))
"""


def test_a_second_solver_finds_the_same_optimum_for_both_aims() -> None:
    asked, ours = [], []
    for seed in range(24):
        for ground in grounds(seed, places=30, sites=12, there=seed % 3):
            count = 1 + seed % 5
            finite = ground.finite
            asked.append(
                {
                    "cost": finite.cost.tolist(),
                    "cap": finite.cap.tolist(),
                    "people": finite.people.tolist(),
                    "count": count,
                }
            )
            ours.append(best(ground, count, Clock(60)).total)

    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", SECOND_SOLVER],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )

    assert len(ours) == 48
    assert ours == pytest.approx(json.loads(done.stdout), rel=1e-6, abs=1e-4)


def test_when_time_is_out_the_best_tried_is_told_with_its_bound() -> None:
    ground = scene(5, places=60, sites=25).far

    found = best(ground, 4, Clock(0))

    assert not found.is_proven
    assert found.bound <= found.total
    assert found.total == pytest.approx(
        min(ground.total(swapped(ground, greedy(ground, 4))), ground.total(greedy(ground, 4)))
    )


def test_sites_that_help_nobody_are_not_chosen() -> None:
    km = np.array([[1.0, 1.0, 90.0], [2.0, 2.0, 80.0]])
    now = np.array([np.inf, np.inf])
    made = Scene(np.array([5.0, 5.0]), np.zeros(2, dtype=bool), km, km, now, now)

    assert best(made.within(10.0), 3, Clock(60)).sites == (0,)
    answer = Study(made, aim=Aim.PEOPLE, within_km=10.0, most=5, clock=Clock(60)).answer()
    assert [count["people"] for count in answer["counts"]] == [10.0]
    assert [step["site"] for step in answer["order"]] == [0]


def test_the_best_pair_need_not_hold_the_best_one_and_keeping_it_has_its_price() -> None:
    # Three towns in a line; the middle of two each is a site, and so is the middle of all.
    reach = np.array([[1, 0, 0], [1, 0, 1], [0, 1, 1], [0, 1, 0]], dtype=bool)
    km = np.where(reach, 1.0, 99.0)
    people = np.array([10.0, 9.0, 9.0, 10.0])
    people[1] += 2
    people[2] += 2
    now = np.full(4, np.inf)
    made = Scene(people, np.zeros(4, dtype=bool), km, km, now, now)

    answer = Study(made, aim=Aim.PEOPLE, within_km=10.0, most=2, clock=Clock(60)).answer()

    one, two = answer["counts"]
    assert [site["site"] for site in one["sites"]] == [2]
    assert sorted(site["site"] for site in two["sites"]) == [0, 1]
    assert (one["people"], two["people"], two["is_nested"]) == (22.0, 42.0, False)
    assert [site["people"] for site in two["sites"]] == [21.0, 21.0]
    steps = [(step["people"], step["lost_people"]) for step in answer["order"]]
    assert steps == [(21.0, 1.0), (42.0, 0.0)]
    assert answer["is_order_proven"]


def test_an_answer_tells_who_is_left_out_and_what_another_radius_would_change() -> None:
    km = np.array([[3.0, 40.0], [12.0, 30.0], [60.0, 18.0]])
    people = np.array([10.0, 20.0, 30.0])
    now = np.array([50.0, 50.0, 4.0])
    made = Scene(people, np.array([False, False, True]), km, km, now, now)

    answer = Study(made, aim=Aim.PEOPLE, within_km=10.0, most=1, clock=Clock(60)).answer()

    assert answer["before"]["people"] == 30.0
    assert answer["before"]["people_beyond"] == 30.0
    assert answer["before"]["left"] == [[1, 50.0], [0, 50.0]]
    [one] = answer["counts"]
    assert one == {
        "count": 1,
        "sites": [{"site": 0, "people": 10.0}],
        "people": 40.0,
        "people_beyond": 30.0,
        "share": 66.67,
        "mean_km": 6.5,
        "farthest": {"place": 1, "km": 12.0},
        "more_people": 10.0,
        "spared_km": 20.5,
        "is_nested": True,
        "is_proven": True,
        "at_best": 40.0,
        "left": [[1, 12.0]],
        "km": [3.0, 12.0, 4.0],
    }
    told = [
        (row["within_km"], row["before"], row["chosen"], row["best"])
        for row in answer["sensitivity"]
    ]
    assert told == [
        (5.0, 30.0, [40.0], [40.0]),
        (10.0, 30.0, [40.0], [40.0]),
        (15.0, 30.0, [60.0], [60.0]),
        (20.0, 30.0, [60.0], [60.0]),
    ]


def test_a_place_that_nothing_reaches_over_land_is_left_out_however_near() -> None:
    km = np.array([[5.0], [5.0]])
    over_sea = np.array([[5.0], [np.inf]])
    now = np.full(2, np.inf)
    made = Scene(np.array([1.0, 1.0]), np.zeros(2, dtype=bool), km, over_sea, now, now)

    answer = Study(made, aim=Aim.PEOPLE, within_km=10.0, most=5, clock=Clock(60)).answer()

    assert [one["left"] for one in answer["counts"]] == [[[1, 5.0]]]


def test_sites_are_told_in_the_order_in_which_each_adds_most() -> None:
    km = np.array([[1.0, 99.0], [99.0, 1.0]])
    ground = Ground(km, np.full(2, 99.0), np.array([3.0, 8.0]))

    assert ordered(ground, (0, 1)) == (1, 0)


@pytest.mark.parametrize(
    ("spread_degrees", "within_km"), [(0.02, 5), (0.15, 5), (0.5, 10), (1.0, 25), (3.0, 50)]
)
def test_the_usual_radius_grows_with_the_area(spread_degrees: float, within_km: int) -> None:
    latitudes = np.linspace(-7 - spread_degrees / 2, -7 + spread_degrees / 2, 21)

    assert near_enough(unit_vectors(latitudes, np.full(21, 110.0))).within_km == within_km


def test_the_usual_radius_of_an_area_without_points_is_a_guess() -> None:
    assert near_enough(np.zeros((0, 3))).within_km == 10
