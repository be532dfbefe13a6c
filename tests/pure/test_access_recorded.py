"""Our measures of access against what PySAL's `access` answered, see data/access/README.md."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from referral.planning.access import kernels
from referral.planning.access.bands import Band, Supply, band, closest, unit_vectors

FOLDER = Path(__file__).parent / "data" / "access"
FILES = sorted(FOLDER.glob("*.json"))


class Recorded:
    """One instance, and what the package answered."""

    def __init__(self, path: Path):
        given: dict[str, Any] = json.loads(path.read_text("utf-8"))
        self.given, self.answers = given, given["answers"]
        self.areas = unit_vectors(*np.array(given["areas"]).T)
        self.people = np.array(given["people"], float)
        self.supply = Supply.everywhere(
            unit_vectors(*np.array(given["services"]).T), given["places"]
        )
        self.band: Band = band(self.areas, self.supply, given["radius_km"])

    def answer(self, measure: str) -> np.ndarray:
        """As we say it: 0 where nothing is in reach, NaN where there is nobody to divide by."""
        words = {None: 0.0, "inf": np.nan}
        return np.array(
            [
                words.get(value, value) if not isinstance(value, float) else value
                for value in self.answers[measure]
            ],
            float,
        )


@pytest.fixture(params=FILES, ids=lambda path: path.stem)
def recorded(request: pytest.FixtureRequest) -> Recorded:
    return Recorded(request.param)


def test_five_instances_are_recorded() -> None:
    assert [path.stem for path in FILES] == [
        "country",
        "date-line",
        "empty-areas",
        "grid",
        "islands",
    ]


@pytest.mark.parametrize("kind", ["two_step", "two_step_stepwise", "two_step_gaussian"])
def test_two_step_measures_agree(recorded: Recorded, kind: str) -> None:
    km = recorded.band.km
    weights = {
        "two_step": np.ones(len(km)),
        "two_step_stepwise": kernels.stepwise(km, recorded.given["steps"]),
        "two_step_gaussian": np.exp(-((km / recorded.given["sigma_km"]) ** 2) / 2),
    }[kind]
    ours = kernels.two_step(recorded.band, weights, recorded.people, recorded.supply.places)
    assert ours == pytest.approx(recorded.answer(kind), rel=1e-9, nan_ok=True)


def test_what_lies_within_the_radius_and_its_ratio_agree(recorded: Recorded) -> None:
    around = band(recorded.areas, Supply.everywhere(recorded.areas), recorded.given["radius_km"])
    people = around.by_demand(recorded.people[around.columns])
    within = kernels.within(recorded.band, recorded.supply.places)
    assert within == pytest.approx(recorded.answer("within"), rel=1e-7, nan_ok=True)
    assert people == pytest.approx(recorded.answer("people_within"), rel=1e-7, nan_ok=True)
    assert kernels.ratio(within, people) == pytest.approx(
        recorded.answer("ratio"), rel=1e-9, nan_ok=True
    )


def test_rational_agents_pay_the_same(recorded: Recorded) -> None:
    """The package moves whole people in steps that shrink and ends near the equilibrium, so within a thousandth."""
    usable = recorded.supply.only(recorded.supply.places > 0)
    ours = kernels.rational_agents(
        closest(recorded.areas, usable, len(usable)),
        recorded.people,
        usable.places,
        tau_km=recorded.given["tau_km"],
        rounds=5_000,
        tolerance=1e-6,
    )
    theirs = recorded.answer("raam")
    asked = recorded.people > 0
    assert ours.gap <= 1e-6
    assert np.isnan(ours.cost[~asked]).all()
    assert ours.cost[asked] == pytest.approx(theirs[asked], rel=1e-3, nan_ok=True)


def test_nobody_could_pay_less_by_going_elsewhere(recorded: Recorded) -> None:
    """The condition that defines the equilibrium, reckoned from the costs alone: each service is as crowded as
    its people pay for, and no area has a cheaper one."""
    places, people = recorded.supply.places, recorded.people
    usable = recorded.supply.only(places > 0)
    whole = closest(recorded.areas, usable, len(usable))
    tau_km = recorded.given["tau_km"]
    rho = people.sum() / usable.places.sum()
    found = kernels.rational_agents(
        whole, people, usable.places, tau_km=tau_km, rounds=5_000, tolerance=1e-8
    )
    asked = people[whole.rows] > 0
    rows, columns, way = whole.rows[asked], whole.columns[asked], whole.km[asked] / tau_km
    # A service's crowding costs what is left of the most patient area's cost after its way there.
    crowd = np.zeros(len(usable))
    np.maximum.at(crowd, columns, found.cost[rows] - way)
    assert (crowd[columns] + way >= found.cost[rows] - 1e-3).all()
    assert (crowd * rho * usable.places).sum() == pytest.approx(people.sum(), rel=5e-3)


def test_balanced_fca_agrees_with_sums_in_plain_loops(recorded: Recorded) -> None:
    weights = kernels.stepwise(recorded.band.km, recorded.given["steps"])
    n, m = recorded.band.size
    w = np.zeros((n, m))
    w[recorded.band.rows, recorded.band.columns] = weights
    people, places = recorded.people, recorded.supply.places
    level, shared = [], []
    for j in range(m):
        demand = sum(people[i] * w[i, j] / sum(w[i]) for i in range(n) if w[i, j])
        level.append(places[j] / demand if demand else (np.nan if places[j] else 0.0))
    per_person = []
    for i in range(n):
        reach = [j for j in range(m) if w[i, j]]
        shared.append(sum(level[j] * w[i, j] / sum(w[:, j]) for j in reach))
        per_person.append(sum(level[j] * w[i, j] / sum(w[i]) for j in reach))
    given = (recorded.band, weights, people, places)
    assert kernels.balanced(*given) == pytest.approx(shared, rel=1e-9, nan_ok=True)
    assert kernels.balanced_per_person(*given) == pytest.approx(per_person, rel=1e-9, nan_ok=True)
