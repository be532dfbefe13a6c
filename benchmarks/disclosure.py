"""Disclosure control: how long a release takes, and an attack on a thousand random ones.

python -m benchmarks.disclosure
python -m benchmarks.disclosure --attack 1000
"""

import argparse
import statistics
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks import disclosure_attack
from referral.planning.disclosure.cells import Shown
from referral.planning.disclosure.suppression import Protected, protect
from referral.planning.disclosure.system import Sums, System

SEED = 20261122
AREAS, PROVINCES, LEAVES, DOMAINS = 514, 38, 80, 12
#: Loss of hiding for each step that a figure is wider.
_STEP = 3.0


def counts(areas: int, leaves: int, filled: int, seed: int = SEED) -> Any:
    """A table of areas by kinds of help with about so many cells that are not 0: few large ones, many small."""
    chance = np.random.default_rng(seed)
    weights = np.outer(
        chance.permutation(1 / np.arange(1, areas + 1) ** 0.8),
        chance.permutation(1 / np.arange(1, leaves + 1) ** 0.8),
    ) * chance.gamma(0.7, 1 / 0.7, (areas, leaves))
    low, high = 1e-3, 1e7
    for _ in range(60):
        middle = (low * high) ** 0.5
        few = (1 - np.exp(-weights * middle)).sum() < filled
        low, high = (middle, high) if few else (low, middle)
    return chance.poisson(weights * low)


def system(cells: Any, provinces: int, domains: int) -> System:
    """Every cell with its totals by province and country, by domain and all kinds of help."""
    areas, leaves = cells.shape
    province = np.arange(areas) * provinces // areas
    domain = np.arange(leaves) * domains // leaves
    rows = _levels(areas, province, provinces)
    columns = _levels(leaves, domain, domains)
    wide = leaves + domains + 1
    figures = (rows[0][:, None] * wide + columns[0]).ravel()
    places = (rows[1][:, None] * leaves + columns[1]).ravel()
    steps = np.add.outer(rows[2], columns[2]).ravel()
    sums = Sums.of_pairs(figures, places, len(steps))
    return System(cells.ravel(), sums, loss=_STEP * steps)


def _levels(size: int, group: Any, groups: int) -> tuple[Any, Any, Any]:
    """For one dimension: pairs (figure, part), and how wide each figure is."""
    parts = np.arange(size)
    figures = np.concatenate([parts, size + group, np.full(size, size + groups)])
    wide = np.concatenate([np.zeros(size), np.ones(groups), [2.0]])
    return figures, np.tile(parts, 3), wide


def _timed(work: Callable[[], Any]) -> tuple[Any, float, float]:
    wall, processor = time.perf_counter(), time.process_time()
    found = work()
    return found, time.perf_counter() - wall, time.process_time() - processor


def releases(filled: tuple[int, ...], thresholds: tuple[int, ...]) -> None:
    """A whole country: every density and threshold once."""
    print(f"\n{AREAS} areas × {LEAVES} kinds of help with all totals, one core, seed {SEED}")
    print(
        "cells not 0 | t | s | s of processor | programmes | secrets | fewest possible | shown | small | withheld"
    )
    spent = []
    for size in filled:
        for threshold in thresholds:
            one = system(counts(AREAS, LEAVES, size), PROVINCES, DOMAINS)
            found, wall, processor = _timed(lambda one=one, t=threshold: protect(one, threshold=t))
            told, audit = _told(found), found.audit
            spent.append(processor)
            print(
                f"{int((one.counts > 0).sum()):>11} | {threshold} | {wall:.1f} | {processor:.1f} | "
                f"{audit.programmes} | {audit.secrets} | {audit.least_possible} | "
                f"{told[Shown.COUNT]} | {told[Shown.SMALL]} | {told[Shown.WITHHELD]}"
            )
    print(f"seconds of processor: median {statistics.median(spent):.1f}, most {max(spent):.1f}")


def attack(worlds: int) -> int:
    """Random releases, and how many of them an attacker finds something in."""
    found = Counter[str]()
    for seed in range(worlds):
        world = disclosure_attack.world(seed)
        printed = disclosure_attack.publish(world)
        leaks = disclosure_attack.pinned(world, printed)
        found["figures"] += len(printed)
        found["hidden"] += sum(one.cell.shown is not Shown.COUNT for one in printed)
        found["with an earlier release"] += len(world.releases) > 1
        found["pinned"] += bool(leaks)
        for leak in leaks[:3]:
            print(f"seed {seed}: {leak}")
    print(f"\n{worlds} random releases: {dict(found)}")
    return found["pinned"]


def _told(found: Protected) -> Counter[Shown]:
    return Counter(
        cell.shown for cell, value in zip(found.cells(), found.values, strict=True) if value
    )


def main(filled: tuple[int, ...] = (3_000, 20_000), thresholds: tuple[int, ...] = (5, 11)) -> None:
    releases(filled, thresholds)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--attack", type=int, metavar="WORLDS")
    asked = parser.parse_args()
    if asked.attack:
        raise SystemExit(1 if attack(asked.attack) else 0)
    main((3_000, 10_000, 20_000, 30_000))
