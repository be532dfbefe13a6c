"""Two measures of the same people, read side by side, tell no more than each alone: an attacker who adds them up."""

import random
from collections.abc import Iterator, Mapping

import numpy as np
import pytest
from scipy.optimize import linprog
from scipy.sparse import lil_matrix
from sqlalchemy.orm import Session

from referral.planning.disclosure.cells import Cell, Shown
from referral.planning.gaps import releases
from referral.planning.gaps.cuts import Key
from referral.planning.gaps.models import GapCount, Measure

AREAS = ("33.74", "33.72", "33.73", "33.75", "32.73", "32.74", "32.01")
LEAVES = ("FC05", "FC01", "HE05")
PLACES = [(area, leaf) for area in AREAS for leaf in LEAVES]
THRESHOLD = 5
Counts = Mapping[tuple[str, str], int]


def people(session: Session, seed: int, share_unmet: float) -> dict[Measure, Counts]:
    """Random counts of one quarter: those who asked, and of them those whom nothing met."""
    chance = random.Random(seed)
    asked: dict[tuple[str, str], int] = {}
    unmet: dict[tuple[str, str], int] = {}
    for area, leaf in PLACES:
        count = chance.choice([0, 0, 1, 2, 3, 4, 6, 9, 15, 30])
        without = sum(chance.random() < share_unmet for _ in range(count))
        asked[area, leaf], unmet[area, leaf] = count, without
        reason = chance.choice(["U01", "U02"]) if without else ""
        session.add_all(
            GapCount(
                measure=measure,
                quarter="2026-Q1",
                area=area,
                category=leaf,
                reason=code,
                people=people,
            )
            for measure, code, people in (
                (Measure.ASKED, "", count),
                (Measure.UNMET, reason, without),
            )
            if people
        )
    session.flush()
    return {Measure.ASKED: asked, Measure.UNMET: unmet}


def inside(key: Key) -> list[int]:
    return [
        at
        for at, (area, leaf) in enumerate(PLACES)
        if (not key.area or area.startswith(key.area)) and leaf.startswith(key.category)
    ]


def ranges(
    cells: Mapping[Measure, Mapping[Key, Cell]],
) -> Iterator[tuple[Measure, Key, float, float]]:
    """How few and how many each hidden figure may be, for whoever knows that nobody is unmet who has not asked."""
    keys = [
        Key(area, category)
        for area in ("", "33", "32", *AREAS)
        for category in ("", "FC", "HE", *LEAVES)
    ]
    rows: list[list[int]] = []
    low, high = [], []
    hidden = []
    for measure, first in ((Measure.ASKED, 0), (Measure.UNMET, len(PLACES))):
        for key in keys:
            cell = cells[measure].get(key, Cell(Shown.COUNT, 0))
            places = [first + at for at in inside(key)]
            rows.append(places)
            low.append(1 if cell.count is None else cell.count)
            most = THRESHOLD - 1 if cell.shown is Shown.SMALL else 10_000
            high.append(most if cell.count is None else cell.count)
            if cell.count is None:
                hidden.append((measure, key, places))
    matrix = lil_matrix((2 * len(rows) + len(PLACES), 2 * len(PLACES)))
    for at, places in enumerate(rows):
        matrix[at, places] = 1
        matrix[len(rows) + at, places] = -1
    for at in range(len(PLACES)):
        matrix[2 * len(rows) + at, at] = -1
        matrix[2 * len(rows) + at, len(PLACES) + at] = 1
    limits = [*high, *(-one for one in low), *[0] * len(PLACES)]
    for measure, key, places in hidden:
        wanted = np.zeros(2 * len(PLACES))
        wanted[places] = 1
        least, most = (
            sign * linprog(sign * wanted, A_ub=matrix.tocsr(), b_ub=limits, method="highs").fun
            for sign in (1, -1)
        )
        yield measure, key, least, most


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("share_unmet", [1.0, 0.9])
def test_who_asked_and_whom_nothing_met_give_away_no_small_count_together(
    session: Session, seed: int, share_unmet: float
) -> None:
    truth = people(session, seed, share_unmet)
    planners, _public = releases.prepare(session, "2026-Q1", threshold=THRESHOLD)

    narrow = [
        (measure, key, least, most)
        for measure, key, least, most in ranges(planners.cells)
        if sum(truth[measure][PLACES[at]] for at in inside(key)) < THRESHOLD
        and np.floor(most + 1e-6) - np.ceil(least - 1e-6) + 1 < THRESHOLD - 1
    ]

    assert narrow == []
    told = [cell for cell in planners.cells[Measure.UNMET].values() if cell.shown is Shown.COUNT]
    assert len(told) > 10
