"""What holds of every measure of access, whatever the country looks like."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from referral.core.geo import haversine_km
from referral.planning.access import kernels
from referral.planning.access.bands import (
    ANYWHERE,
    Band,
    Supply,
    band,
    chord_of_km,
    closest,
    km_of_chord,
    nearest_km,
    unit_vectors,
)
from referral.planning.access.measuring import Ground, measure, summarise

RADIUS_KM = 60.0
#: The first call loads SciPy.
PATIENT = settings(deadline=None)
_POINTS = st.tuples(st.floats(-8, -6).map(lambda x: round(x, 2)), st.floats(107, 109))
AREAS = st.lists(st.tuples(_POINTS, st.integers(0, 900)), min_size=1, max_size=12)
SERVICES = st.lists(st.tuples(_POINTS, st.integers(1, 90)), max_size=8)
WHEREVER = st.tuples(st.floats(-90, 90), st.floats(-180, 180))


def vectors(points: list[tuple[float, float]]) -> np.ndarray:
    return unit_vectors(*np.array(points, float).reshape(-1, 2).T)


class Little:
    """A small random country."""

    def __init__(self, areas: list[Any], services: list[Any]):
        self.xyz = vectors([point for point, _ in areas])
        self.people = np.array([count for _, count in areas], float)
        self.supply = Supply.everywhere(
            vectors([point for point, _ in services]), [count for _, count in services]
        )
        self.band = band(self.xyz, self.supply, RADIUS_KM)
        self.weights = kernels.stepwise(self.band.km, kernels.thirds(RADIUS_KM))
        self.given = (self.band, self.weights, self.people, self.supply.places)


@PATIENT
@given(WHEREVER, WHEREVER)
def test_chords_give_the_km_over_the_ground(here: Any, there: Any) -> None:
    chord = np.linalg.norm(vectors([here])[0] - vectors([there])[0])
    km = haversine_km(*here, *there)
    assert float(km_of_chord(chord)) == pytest.approx(km, abs=0.2 if km > 19_900 else 1e-4)


@PATIENT
@given(st.floats(0, 20_000))
def test_km_and_chords_go_both_ways(km: float) -> None:
    assert float(km_of_chord(chord_of_km(km))) == pytest.approx(km, abs=1e-3)


@PATIENT
@given(AREAS, SERVICES)
def test_the_band_holds_exactly_the_pairs_that_are_near_enough(areas: Any, services: Any) -> None:
    little = Little(areas, services)
    expected = {
        (i, j): haversine_km(*here, *there)
        for i, (here, _) in enumerate(areas)
        for j, (there, _) in enumerate(services)
    }
    found = {
        (int(i), int(j)): float(km)
        for i, j, km in zip(little.band.rows, little.band.columns, little.band.km, strict=True)
    }
    on_the_edge = {pair for pair, km in expected.items() if abs(km - RADIUS_KM) < 1e-6}
    near = {pair for pair, km in expected.items() if km <= RADIUS_KM}
    assert found.keys() - on_the_edge == near - on_the_edge
    assert found == pytest.approx({pair: expected[pair] for pair in found}, abs=1e-6)


@PATIENT
@given(AREAS, SERVICES, st.integers(1, 4))
def test_the_closest_are_the_closest(areas: Any, services: Any, count: int) -> None:
    little = Little(areas, services)
    found = closest(little.xyz, little.supply, count)
    for i, (here, _) in enumerate(areas):
        km = sorted(haversine_km(*here, *there) for there, _ in services)[:count]
        got = sorted(found.km[found.starts[i] : found.starts[i + 1]].tolist())
        assert got == pytest.approx(km, abs=1e-6)
    nearest = nearest_km(little.xyz, little.supply)
    assert (np.isinf(nearest) == (not services)).all()


@PATIENT
@given(AREAS, SERVICES, st.lists(st.sampled_from([0.0, 3.0, 11.5, 98.5]), min_size=8, max_size=8))
def test_what_was_placed_by_an_area_is_never_nearer_than_its_floor(
    areas: Any, services: Any, floors: list[float]
) -> None:
    little = Little(areas, services)
    floor_km = np.array(floors[: len(services)])
    supply = Supply(
        little.supply.xyz,
        floor_km,
        little.supply.places,
        little.supply.serves,
        little.supply.allowed,
    )
    for (here, _), km in zip(areas, nearest_km(little.xyz, supply), strict=True):
        each = [
            max(haversine_km(*here, *there), floor)
            for (there, _), floor in zip(services, floor_km, strict=True)
        ]
        assert float(km) == pytest.approx(min(each, default=np.inf), abs=1e-6)
    near = band(little.xyz, supply, RADIUS_KM)
    assert (near.km >= floor_km[near.columns]).all()
    assert not (floor_km[near.columns] > RADIUS_KM).any()


@PATIENT
@given(AREAS, SERVICES, st.data())
def test_a_service_for_some_areas_is_in_reach_of_those_alone(
    areas: Any, services: Any, data: Any
) -> None:
    little = Little(areas, services)
    allowed = np.array(
        data.draw(st.lists(st.lists(st.booleans(), min_size=len(areas), max_size=len(areas)), min_size=2, max_size=2))
    )  # fmt: skip
    serves = np.array(
        data.draw(st.lists(st.sampled_from([ANYWHERE, 0, 1]), min_size=len(services), max_size=len(services))),
        dtype=int,
    )  # fmt: skip
    supply = Supply(
        little.supply.xyz, little.supply.floor_km, little.supply.places, serves, allowed
    )
    near = band(little.xyz, supply, RADIUS_KM)
    for i, j in zip(near.rows, near.columns, strict=True):
        assert serves[j] == ANYWHERE or allowed[serves[j], i]
    for i, ((here, _), km) in enumerate(zip(areas, nearest_km(little.xyz, supply), strict=True)):
        mine = [
            haversine_km(*here, *there)
            for j, (there, _) in enumerate(services)
            if serves[j] == ANYWHERE or allowed[serves[j], i]
        ]
        assert float(km) == pytest.approx(min(mine, default=np.inf), abs=1e-6)


@PATIENT
@given(AREAS, SERVICES)
def test_two_step_gives_out_the_places_that_anybody_reaches(areas: Any, services: Any) -> None:
    little = Little(areas, services)
    access = kernels.two_step(*little.given)
    claimed = little.band.by_supply(little.people[little.band.rows]) > 0
    given_out = np.nansum(access * little.people)
    assert given_out == pytest.approx(little.supply.places[claimed].sum())


@PATIENT
@given(AREAS, SERVICES)
def test_the_balanced_fca_counts_no_person_and_no_level_twice(areas: Any, services: Any) -> None:
    """Paez, Higgins & Vivona (2019): people shared over services add up to the people who reach one, and what
    the areas get of the levels adds up to the levels."""
    little = Little([(point, count + 1) for point, count in areas], services)
    near, weights, people, places = little.given
    shared = near.by_supply(
        weights / near.by_demand(weights)[near.rows] * people[near.rows] if len(near) else weights
    )
    assert shared.sum() == pytest.approx(people[kernels.reached(near)].sum())
    level = np.divide(places, shared, out=np.zeros_like(places), where=shared > 0)
    assert kernels.balanced(*little.given).sum() == pytest.approx(level.sum())


@PATIENT
@given(AREAS, SERVICES)
def test_the_balanced_places_of_a_person_give_out_the_places_reached(
    areas: Any, services: Any
) -> None:
    little = Little(areas, services)
    access = kernels.balanced_per_person(*little.given)
    claimed = little.band.by_supply(little.people[little.band.rows]) > 0
    assert np.nansum(access * little.people) == pytest.approx(little.supply.places[claimed].sum())


@PATIENT
@given(AREAS, SERVICES)
def test_an_area_cut_in_two_keeps_its_places_per_person(areas: Any, services: Any) -> None:
    whole = Little(areas, services)
    (point, count), *rest = areas
    cut = Little([(point, count), (point, count), *rest], services)
    merged = Little([(point, 2 * count), *rest], services)
    one = kernels.balanced_per_person(*merged.given)
    two = kernels.balanced_per_person(*cut.given)
    assert two[0] == pytest.approx(one[0], rel=1e-9, nan_ok=True)
    assert two[2:] == pytest.approx(one[1:], rel=1e-9, nan_ok=True)
    assert len(whole.band) == len(merged.band)


@PATIENT
@given(AREAS, SERVICES, SERVICES)
def test_more_services_never_take_anything_away(areas: Any, services: Any, more: Any) -> None:
    areas = [(point, count + 1) for point, count in areas]
    fewer, richer = Little(areas, services), Little(areas, services + more)
    assert (kernels.reached(richer.band) >= kernels.reached(fewer.band)).all()
    assert (nearest_km(richer.xyz, richer.supply) <= nearest_km(fewer.xyz, fewer.supply)).all()
    within = [kernels.within(one.band, one.supply.places) for one in (fewer, richer)]
    assert (within[1] >= within[0]).all()
    before, after = (kernels.two_step(*one.given) for one in (fewer, richer))
    assert (after >= before - 1e-9).all()


@PATIENT
@given(AREAS, SERVICES, st.integers(2, 9))
def test_measures_scale_with_places_and_people(areas: Any, services: Any, factor: int) -> None:
    little = Little(areas, services)
    near, weights, people, places = little.given
    for kernel in (kernels.two_step, kernels.balanced, kernels.balanced_per_person):
        once = kernel(near, weights, people, places)
        assert kernel(near, weights, people, factor * places) == pytest.approx(
            factor * once, rel=1e-7, nan_ok=True
        )
        assert kernel(near, weights, factor * people, places) == pytest.approx(
            once / factor, rel=1e-7, nan_ok=True
        )
        assert kernel(near, factor * weights, people, places) == pytest.approx(
            once, rel=1e-7, nan_ok=True
        )


@PATIENT
@given(AREAS)
def test_without_any_service_access_is_nothing_and_not_unknown(areas: Any) -> None:
    little = Little(areas, [])
    for kernel in (kernels.two_step, kernels.balanced, kernels.balanced_per_person):
        assert kernel(*little.given).tolist() == [0.0] * len(areas)
    assert kernels.reached(little.band).tolist() == [False] * len(areas)
    found = kernels.rational_agents(little.band, little.people, little.supply.places, tau_km=25)
    expected = [np.inf if count else np.nan for _, count in areas]
    np.testing.assert_array_equal(found.cost, expected)


def test_places_that_nobody_claims_are_unknown_and_not_endless() -> None:
    little = Little([((-7.0, 108.0), 0), ((-6.0, 108.9), 50)], [((-7.0, 108.0), 5)])
    np.testing.assert_array_equal(kernels.two_step(*little.given), [np.nan, 0.0])
    assert kernels.ratio(np.array([5.0, 0.0]), np.array([0.0, 50.0])).tolist()[1] == 0.0
    assert np.isnan(kernels.ratio(np.array([5.0]), np.array([0.0]))).all()


@PATIENT
@given(AREAS, SERVICES)
def test_merging_services_at_one_point_changes_no_measure(areas: Any, services: Any) -> None:
    twice = Little(areas, services + services)
    once = Little(areas, [(point, 2 * count) for point, count in services])
    merged = twice.supply.merged()
    assert len(merged) == len({point for point, _ in services})
    assert merged.places.sum() == once.supply.places.sum()
    near = band(twice.xyz, merged, RADIUS_KM)
    weights = kernels.stepwise(near.km, kernels.thirds(RADIUS_KM))
    assert kernels.two_step(near, weights, twice.people, merged.places) == pytest.approx(
        kernels.two_step(*once.given), rel=1e-9, nan_ok=True
    )


@PATIENT
@given(AREAS, SERVICES.filter(bool))
def test_rational_agents_come_to_rest(areas: Any, services: Any) -> None:
    little = Little(areas, services)
    whole = closest(little.xyz, little.supply, len(services))
    found = kernels.rational_agents(
        whole, little.people, little.supply.places, tau_km=25, rounds=3_000, tolerance=1e-5
    )
    assert found.gap <= 1e-5
    asked = little.people > 0
    assert np.isfinite(found.cost[asked]).all()
    assert (found.cost[asked] >= nearest_km(little.xyz, little.supply)[asked] / 25 - 1e-6).all()


def test_weights_fall_in_steps_and_end_at_the_last() -> None:
    km = np.array([0, 10, 10.01, 20, 30, 30.01])
    assert kernels.stepwise(km, kernels.thirds(30)).tolist() == [1, 1, 0.68, 0.68, 0.22, 0]


def test_two_areas_and_two_services_reckoned_by_hand() -> None:
    """30 people reach both services, 60 only the second; 3 and 6 places; every weight 1."""
    near = Band(np.array([0, 2, 3]), np.array([0, 1, 1]), np.zeros(3), (2, 2))
    people, places = np.array([30.0, 60.0]), np.array([3.0, 6.0])
    ones = np.ones(3)
    # R = 3/30, 6/90
    assert kernels.two_step(near, ones, people, places) == pytest.approx(
        [0.1 + 6 / 90, 6 / 90], rel=1e-7, nan_ok=True
    )
    # D = 15, 75; L = 0.2, 0.08; the second level is halved between the areas
    assert kernels.balanced(near, ones, people, places) == pytest.approx(
        [0.24, 0.04], rel=1e-7, nan_ok=True
    )
    assert kernels.balanced_per_person(near, ones, people, places) == pytest.approx(
        [0.14, 0.08], rel=1e-7, nan_ok=True
    )
    # ρ 10: crowding is people / (10 x places); all cost 1 when 30 are at the first and 60 at the second
    rest = kernels.rational_agents(near, people, places, tau_km=10, tolerance=1e-9)
    assert rest.cost == pytest.approx([1.0, 1.0], rel=1e-6, nan_ok=True)


def test_the_figure_of_luo_and_wang() -> None:
    """Luo & Wang (2003), figure 3: a doctor whom eight of eleven people reach, one whom four reach; one has both."""
    first, second = (0, 1, 2, 3, 5, 6, 8, 9), (3, 4, 7, 10)
    near = [[0] * (area in first) + [1] * (area in second) for area in range(11)]
    starts = np.cumsum([0, *map(len, near)])
    columns = np.array([service for services in near for service in services])
    reach = Band(starts, columns, np.zeros(12), (11, 2))

    access = kernels.two_step(reach, np.ones(12), np.ones(11), np.ones(2))

    expected = [1 / 4 if area in second else 1 / 8 for area in range(11)]
    expected[3] = 3 / 8
    assert access.tolist() == expected


def test_an_area_without_a_point_is_unknown_and_others_are_not() -> None:
    points = np.array([[-7.0, 108.0], [np.nan, np.nan], [-7.1, 108.1]])
    ground = Ground.of(points, unit_vectors(points[:, 0], points[:, 1]), 25.0)
    supply = Supply.everywhere(vectors([(-7.0, 108.0)]), [4])
    people = np.array([10.0, 20.0, np.nan])
    found, gap = measure(ground, people, supply, supply, np.array([4.0, 0.0, 0.0]))
    assert gap <= 0.01
    assert np.isnan(found["nearest_km"]).tolist() == [False, True, False]
    assert found["within"].tolist()[::2] == [4.0, 4.0]
    assert found["ratio"][0] == pytest.approx(0.4)
    summary = summarise(found, np.array([0, 0, 1]), 2, radius_km=25.0)
    assert summary.areas.tolist() == [2, 1]
    assert summary.people.tolist() == [30, 0]
    np.testing.assert_array_equal(summary.covered, [1.0, np.nan])
    assert summary.covered_areas.tolist() == [1.0, 1.0]
    assert summary.ratio == pytest.approx([4 / 30, np.nan], rel=1e-7, nan_ok=True)
    assert kernels.share(people, np.array([1.0, 0.0, 1.0])) == pytest.approx(1 / 3)
