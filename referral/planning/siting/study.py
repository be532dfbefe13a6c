"""The whole answer to where a resource should stand: for 1, 2, 3, … sites, and what hangs on what. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from referral.planning.access.bands import Bools, Floats
from referral.planning.siting.questions import FACTORS, Aim
from referral.planning.siting.solving import (
    Choice,
    Clock,
    Ground,
    Sites,
    best,
    one_after_another,
    ordered,
)

#: What is worked out may take so long, s; then what was found is told with how far from the best it may be.
SECONDS = 20.0
#: Of that, at most this much for a single question.
_EACH = 5.0


@dataclass(frozen=True)
class Scene:
    """People, sites they could go to, and how far both are.

    people      of each place
    is_beyond   places outside the area
    km          places × sites, straight lines
    reach_km    the same; infinite where nobody would go, as over the sea
    now_km      to the nearest service there is; infinite where none is
    now_reach_km  the same, as reach_km
    """

    people: Floats
    is_beyond: Bools
    km: Floats
    reach_km: Floats
    now_km: Floats
    now_reach_km: Floats

    def within(self, within_km: float) -> Ground:
        """Whom no site reaches."""
        return Ground(
            (self.reach_km > within_km).astype(float),
            (self.now_reach_km > within_km).astype(float),
            self.people,
        )

    @cached_property
    def far(self) -> Ground:
        """How far everybody has to go."""
        return Ground(self.km, self.now_km, self.people)

    @cached_property
    def everybody(self) -> float:
        return float(self.people.sum())


class Study:
    """One question worked out."""

    def __init__(self, scene: Scene, *, aim: Aim, within_km: float, most: int, clock: Clock):
        self._scene, self._aim, self._within_km, self._most = scene, aim, within_km, most
        self._clock = clock
        self._ground = scene.far if aim is Aim.DISTANCE else scene.within(within_km)

    def answer(self) -> dict[str, Any]:
        """Everything that was found out, in plain values; sites and places by their number in the scene."""
        choices = self._choices()
        order, is_order_proven = self._order(choices)
        return {
            "before": {
                **self._state((), self._within_km),
                "left": self._left((), self._within_km),
                "km": self._all_km(()),
            },
            "counts": [
                self._count(number, choice, choices[number - 2] if number > 1 else None)
                for number, choice in enumerate(choices, 1)
            ],
            "order": self._steps(order, choices),
            "is_order_proven": is_order_proven,
            "sensitivity": [self._radius(factor, choices) for factor in FACTORS],
        }

    # The best choices

    def _choices(self) -> list[Choice]:
        """The best for each count, up to where one more site changes nothing."""
        return _best_of_each(self._ground, self._most, self._clock)

    def _order(self, choices: Sequence[Choice]) -> tuple[Sites, bool]:
        if not choices:
            return (), True
        return one_after_another(self._ground, choices, _part(self._clock))

    def _count(self, number: int, choice: Choice, fewer: Choice | None) -> dict[str, Any]:
        within_km = self._within_km
        sites = ordered(self._ground, choice.sites)
        state = self._state(sites, within_km)
        before = self._state(fewer.sites if fewer else (), within_km)
        return {
            "count": number,
            "sites": [
                {"site": site, "people": self._added(sites[:at], site)}
                for at, site in enumerate(sites)
            ],
            **state,
            "more_people": _tidy(state["people"] - before["people"]),
            "spared_km": _difference(before["mean_km"], state["mean_km"]),
            "is_nested": fewer is None or set(fewer.sites) <= set(choice.sites),
            "is_proven": choice.is_proven,
            "at_best": self._at_best(choice),
            "left": self._left(sites, within_km),
            "km": self._all_km(sites),
        }

    def _at_best(self, choice: Choice) -> float | None:
        """People within reach, or mean km, that no other choice can better; None where that was not found out."""
        everybody = self._scene.everybody
        if self._aim is Aim.PEOPLE:
            return _tidy(everybody - max(choice.bound, 0.0))
        return _tidy(choice.bound / everybody)

    # What a choice means

    def _state(self, sites: Sites, within_km: float) -> dict[str, Any]:
        """Who is within reach with these sites beside what there is, and how far the others have it."""
        scene = self._scene
        is_near = self._reach(sites) <= within_km
        km = self._km(sites)
        has_people = scene.people > 0
        farthest = int(np.argmax(np.where(has_people, km, -1.0)))
        return {
            "people": _tidy(scene.people[is_near].sum()),
            "people_beyond": _tidy(scene.people[is_near & scene.is_beyond].sum()),
            "share": _tidy(100 * scene.people[is_near].sum() / scene.everybody),
            "mean_km": _km(float(scene.people @ np.where(has_people, km, 0.0)) / scene.everybody),
            "farthest": {"place": farthest, "km": _km(float(km[farthest]))},
        }

    def _km(self, sites: Sites) -> Floats:
        nearest = self._scene.km[:, list(sites)].min(axis=1, initial=np.inf)
        km: Floats = np.minimum(self._scene.now_km, nearest)
        return km

    def _reach(self, sites: Sites) -> Floats:
        nearest = self._scene.reach_km[:, list(sites)].min(axis=1, initial=np.inf)
        km: Floats = np.minimum(self._scene.now_reach_km, nearest)
        return km

    def _added(self, sites: Sites, site: int) -> float:
        """People whom this site reaches and nothing reached before, the sites before it counted in."""
        is_new = (self._scene.reach_km[:, site] <= self._within_km) & (
            self._reach(sites) > self._within_km
        )
        return _tidy(self._scene.people[is_new].sum())

    def _all_km(self, sites: Sites) -> list[float | None]:
        """Km to the nearest of each place."""
        return [_km(float(km)) for km in self._km(sites)]

    def _left(self, sites: Sites, within_km: float) -> list[list[Any]]:
        """Places of whose people none is within reach: number, km to the nearest (None: there is none); most people first."""
        scene, km = self._scene, self._km(sites)
        out = np.flatnonzero((self._reach(sites) > within_km) & (scene.people > 0))
        rows = sorted((-scene.people[at], -km[at], int(at)) for at in out)
        return [[at, _km(float(km[at]))] for _people, _far, at in rows]

    def _steps(self, order: Sites, choices: Sequence[Choice]) -> list[dict[str, Any]]:
        """What is reached after each site of the order, and what the best of that count would reach more."""
        steps = []
        for number, site in enumerate(order, 1):
            state = self._state(order[:number], self._within_km)
            free = self._state(choices[min(number, len(choices)) - 1].sites, self._within_km)
            steps.append(
                {
                    "site": site,
                    **state,
                    "lost_people": _tidy(free["people"] - state["people"]),
                    "lost_km": _difference(state["mean_km"], free["mean_km"]),
                }
            )
        return steps

    def _radius(self, factor: float, choices: Sequence[Choice]) -> dict[str, Any]:
        """With another radius: whom the same sites would reach, and whom the best for that radius."""
        within_km = self._within_km * factor
        chosen = [self._state(choice.sites, within_km)["people"] for choice in choices]
        if factor == 1 and self._aim is Aim.PEOPLE:
            found = list(choices)
        else:
            found = _best_of_each(self._scene.within(within_km), len(choices), self._clock)
            found += found[-1:] * (len(choices) - len(found))
        nobody = self._state((), within_km)["people"]
        return {
            "within_km": _km(within_km),
            "before": nobody,
            "chosen": chosen,
            "best": [self._state(one.sites, within_km)["people"] for one in found]
            or [nobody] * len(choices),
            "is_proven": all(one.is_proven for one in found),
        }


def _best_of_each(ground: Ground, most: int, clock: Clock) -> list[Choice]:
    """The best for 1, 2, … sites, up to where one more site changes nothing; none better with fewer than with more."""
    found: list[Choice] = []
    for count in range(1, most + 1):
        start = found[-1].sites if found else ()
        choice = best(ground, count, _part(clock), start=start)
        if len(choice.sites) < count and (not found or choice.total >= found[-1].total):
            break
        found.append(choice)
    return found


def _part(clock: Clock) -> Clock:
    return Clock(min(_EACH, clock.left))


def _tidy(value: float) -> float:
    return round(float(value), 2) + 0.0


def _km(value: float) -> float | None:
    return _tidy(value) if np.isfinite(value) else None


def _difference(larger: float | None, smaller: float | None) -> float | None:
    return None if larger is None or smaller is None else _tidy(larger - smaller)
