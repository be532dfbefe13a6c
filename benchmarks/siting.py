"""The proven choice of sites beside greedy choice and exchange: how much better it is, and what it takes.

Places and sites lie at random in a square of 300 km, half of the places in towns, with three services there already;
people are log-normal. Both aims, one to five sites. "worse" is what greedy choice (and greedy choice with exchange)
leaves out or makes people go, against the proven optimum. Times are of the processor, which a busy
machine changes less than those of the clock; budgets are of the clock.

    python -m benchmarks.siting [--instances N] [--seconds S]
"""

import argparse
import platform
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import scipy

from referral.planning.siting.questions import Aim
from referral.planning.siting.solving import Clock, Ground, best, greedy, one_after_another, swapped
from referral.planning.siting.study import Scene, Study

SEED = 20261122
SIZES = ((400, 120), (1_500, 200))
COUNTS = (1, 2, 3, 4, 5)
SIDE_KM, WITHIN_KM = 300.0, 25.0


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--instances", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=60.0, help="Most for one proof.")
    given = parser.parse_args()
    print(
        f"{platform.machine()}, Python {platform.python_version()}, NumPy {np.__version__}, SciPy {scipy.__version__}"
    )
    for places, sites in SIZES:
        for aim in Aim:
            _measure(places, sites, aim, given.instances, given.seconds)
        _whole(places, sites, given.instances)


def _scene(seed: int, places: int, sites: int) -> Scene:
    random = np.random.default_rng(seed)
    towns = random.random((max(places // 40, 1), 2)) * SIDE_KM
    in_towns = towns[random.integers(0, len(towns), places // 2)] + random.normal(
        0, 8, (places // 2, 2)
    )
    here = np.vstack([in_towns, random.random((places - places // 2, 2)) * SIDE_KM])
    there = random.random((sites, 2)) * SIDE_KM
    already = random.random((3, 2)) * SIDE_KM

    def km(others: Any) -> Any:
        return np.linalg.norm(here[:, None, :] - others[None, :, :], axis=2)

    people = np.round(random.lognormal(9, 1, places))
    far, now = km(there), km(already).min(axis=1)
    return Scene(people, np.zeros(places, dtype=bool), far, far, now, now)


def _measure(places: int, sites: int, aim: Aim, instances: int, seconds: float) -> None:
    exact_ms: list[float] = []
    tried_ms: list[float] = []
    order_ms: list[float] = []
    greedy_worse, tried_worse, gaps, proven = [], [], [], 0
    for instance in range(instances):
        scene = _scene(SEED + instance, places, sites)
        ground = scene.within(WITHIN_KM) if aim is Aim.PEOPLE else scene.far
        choices = []
        for count in COUNTS:
            choice, taken = _timed(lambda: best(ground, count, Clock(seconds)))  # noqa: B023
            exact_ms.append(taken)
            choices.append(choice)
            tried, taken = _timed(lambda: swapped(ground, greedy(ground, count)))  # noqa: B023
            tried_ms.append(taken)
            won = _won(ground, choice.sites)
            greedy_worse.append(1 - _won(ground, greedy(ground, count)) / won)
            tried_worse.append(1 - _won(ground, tried) / won)
            gaps.append((choice.total - choice.bound) / max(choice.total, 1e-9))
            proven += choice.is_proven
        _, taken = _timed(lambda: one_after_another(ground, choices, Clock(5)))  # noqa: B023
        order_ms.append(taken)
    print(f"\n{places} places x {sites} sites, {aim}: {len(exact_ms)} choices, {proven} proven")
    print(f"  HiGHS   median {statistics.median(exact_ms):8.1f} ms  p95 {_p95(exact_ms):8.1f} ms"
          f"  worst gap {max(gaps):.4%}")  # fmt: skip
    print(f"  trying  median {statistics.median(tried_ms):8.1f} ms  p95 {_p95(tried_ms):8.1f} ms"
          f"  times faster {statistics.median(exact_ms) / statistics.median(tried_ms):.0f}")  # fmt: skip
    for name, worse in (("greedy", greedy_worse), ("greedy and exchange", tried_worse)):
        least = sum(one > 1e-6 for one in worse)
        print(
            f"  {name} wins less in {least} of {len(worse)}: worst {max(worse):.2%}, mean {statistics.mean(worse):.2%}"
        )
    print(
        f"  order to build in (at most 5 s) median {statistics.median(order_ms):.1f} ms, p95 {_p95(order_ms):.1f} ms"
    )


def _whole(places: int, sites: int, instances: int) -> None:
    """The whole answer of a page: five counts, order, four radii."""
    for aim in Aim:
        taken_ms = []
        for instance in range(min(instances, 3)):
            scene = _scene(SEED + instance, places, sites)
            study = Study(scene, aim=aim, within_km=WITHIN_KM, most=5, clock=Clock(20))
            taken_ms.append(_timed(study.answer)[1])
        print(
            f"  whole answer, {aim}: median {statistics.median(taken_ms):.0f} ms, most {max(taken_ms):.0f} ms"
        )


def _won(ground: Ground, chosen: Sequence[int]) -> float:
    """People reached, or km spared, against nothing new."""
    return ground.finite.total(()) - ground.finite.total(chosen)


def _timed(work: Callable[[], Any]) -> tuple[Any, float]:
    start = time.process_time()
    found = work()
    return found, (time.process_time() - start) * 1000


def _p95(values: Sequence[float]) -> float:
    return float(np.quantile(values, 0.95))


if __name__ == "__main__":
    main()
