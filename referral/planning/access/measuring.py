"""All measures of one category over the country's small areas, and what they come to in wider ones. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from referral.planning.access import kernels
from referral.planning.access.bands import (
    Band,
    Floats,
    Ints,
    Supply,
    band,
    closest,
    nearest_km,
    sums,
)

#: How far a service counts as within reach, straight line.
RADIUS_KM = 25.0
#: People choose among so many nearest services.
CHOICE = 16
#: Rounds and tolerance of the equilibrium in a stored run.
ROUNDS, TOLERANCE = 100, 0.01
#: What a category's result holds, each (n,); see `measure`.
MEASURES = (
    "people",
    "nearest_km",
    "nearest_told_km",
    "within",
    "ratio",
    "two_step",
    "balanced",
    "balanced_per_person",
    "cost",
    "places",
)


@dataclass(frozen=True)
class Ground:
    """Where the demand points are, and which of them lie within reach of one another."""

    points: Floats
    xyz: Floats
    neighbours: Band
    radius_km: float

    @classmethod
    def of(cls, points: Floats, xyz: Floats, radius_km: float = RADIUS_KM) -> "Ground":
        placed = np.flatnonzero(~np.isnan(xyz[:, 0]))
        near = band(xyz, Supply.everywhere(xyz[placed]), radius_km)
        whole = Band(near.starts, placed[near.columns], near.km, (len(xyz), len(xyz)))
        return cls(points, xyz, whole, radius_km)

    def people_within(self, people: Floats) -> Floats:
        """People within the radius of each demand point."""
        return self.neighbours.by_demand(np.nan_to_num(people)[self.neighbours.columns])


def measure(
    ground: Ground, people: Floats, supply: Supply, told: Supply, places: Floats
) -> tuple[dict[str, Floats], float]:
    """Every measure of a category, and by how much of a cost RAAM's people are off their cheapest choice.

    people               who asks, as given; NaN where it is not known: then nobody competes there
    nearest_km           to an open service that is not full; infinite where there is none in the country
    nearest_told_km      the same of services whose source says that they do this
    within               places within the radius
    ratio                places within the radius for one person who asked within the radius
    two_step, balanced, balanced_per_person, cost    see kernels; weights of `thirds`, τ the radius
    places               places inside the area itself, as given

    told     those of `supply` whose source says so
    places   (n,) what is given through, see supply
    All but people, places: NaN where the area has no point.
    """
    radius_km, nowhere = ground.radius_km, np.isnan(ground.xyz[:, 0])
    known = np.nan_to_num(people)
    near = band(ground.xyz, supply, radius_km)
    weights = kernels.stepwise(near.km, kernels.thirds(radius_km))
    within = kernels.within(near, supply.places)
    agents = kernels.rational_agents(
        closest(ground.xyz, supply, CHOICE),
        known,
        supply.places,
        tau_km=radius_km,
        rounds=ROUNDS,
        tolerance=TOLERANCE,
    )
    shared = (near, weights, known, supply.places)
    found = {
        "nearest_km": nearest_km(ground.xyz, supply),
        "nearest_told_km": nearest_km(ground.xyz, told),
        "within": within,
        "ratio": kernels.ratio(within, ground.people_within(people)),
        "two_step": kernels.two_step(*shared),
        "balanced": kernels.balanced(*shared),
        "balanced_per_person": kernels.balanced_per_person(*shared),
        "cost": agents.cost,
    }
    for values in found.values():
        values[nowhere] = np.nan
    return {"people": people, **found, "places": places}, agents.gap


@dataclass(frozen=True)
class Summary:
    """What measures come to in wider areas, each (g,); NaN where there is nobody, or nothing known, to speak of.

    areas            demand points in it
    people           who asked, those known
    covered          part of these people within the radius of an open service that is not full
    covered_areas    part of the areas that have a point, the same
    nearest_km       mean of the people's; where nobody asked, of the areas'
    farthest_km      of its areas
    places, ratio    places inside it, and these for one person who asked
    two_step, balanced_per_person, cost    means of the people's
    balanced         sum
    """

    areas: Ints
    people: Floats
    covered: Floats
    covered_areas: Floats
    nearest_km: Floats
    farthest_km: Floats
    places: Floats
    ratio: Floats
    two_step: Floats
    balanced: Floats
    balanced_per_person: Floats
    cost: Floats


def summarise(
    arrays: Mapping[str, Floats], group: Ints, count: int, *, radius_km: float
) -> Summary:
    """The measures of `count` wider areas; `group` (n,) says in which each demand point lies."""
    people = np.nan_to_num(np.asarray(arrays["people"], float))
    km = np.asarray(arrays["nearest_km"], float)
    alike = np.ones(len(people))
    covered = np.where(np.isnan(km), np.nan, km <= radius_km)

    def mean(values: Floats, weights: Floats) -> Floats:
        return weighted_mean(np.asarray(values, float), weights, group, count)

    def total(name: str) -> Floats:
        return sums(group, np.nan_to_num(np.asarray(arrays[name], float)), count)

    of_people = mean(km, people)
    farthest = np.full(count, np.nan)
    placed = ~np.isnan(km)
    np.fmax.at(farthest, group[placed], km[placed])
    everybody, places = total("people"), total("places")
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(everybody > 0, places / everybody, np.nan)
    return Summary(
        areas=np.bincount(group, minlength=count),
        people=everybody,
        covered=mean(covered, people),
        covered_areas=mean(covered, alike),
        nearest_km=np.where(np.isnan(of_people), mean(km, alike), of_people),
        farthest_km=farthest,
        places=places,
        ratio=ratio,
        two_step=mean(arrays["two_step"], people),
        balanced=total("balanced"),
        balanced_per_person=mean(arrays["balanced_per_person"], people),
        cost=mean(arrays["cost"], people),
    )


def weighted_mean(values: Floats, weights: Floats, group: Ints, count: int) -> Floats:
    """Σ w v / Σ w by group over values that are known; NaN where no weight is."""
    known = ~np.isnan(values) & (weights > 0)
    whole = sums(group[known], weights[known], count)
    parts = sums(group[known], weights[known] * values[known], count)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(whole > 0, parts / whole, np.nan)
