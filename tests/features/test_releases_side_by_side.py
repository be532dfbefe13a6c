"""Four measures of the same people, read side by side, tell no more than each alone: an attacker who adds them up."""

import random
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

import numpy as np
import pytest
from scipy.optimize import linprog
from scipy.sparse import lil_matrix
from sqlalchemy.orm import Session

from referral.changes.actors import SYSTEM
from referral.planning.disclosure.cells import Cell, Shown
from referral.planning.gaps import releases
from referral.planning.gaps.cuts import Key
from referral.planning.gaps.models import GapCount, Measure

AREAS = ("33.74", "33.72", "33.73", "33.75", "32.73", "32.74", "32.01")
LEAVES = ("FC05", "FC01", "HE05")
PLACES = [(area, leaf) for area in AREAS for leaf in LEAVES]
THRESHOLD = 5
NOW = datetime(2026, 4, 2, tzinfo=UTC)
Counts = Mapping[tuple[str, str], int]
#: Whoever the second counts, the first counts too.
HOLDS = (
    (Measure.ASKED, Measure.UNMET),
    (Measure.UNMET, Measure.CLOSED),
    (Measure.ASKED, Measure.HELPED),
)


def people(session: Session, seed: int, share_unmet: float) -> dict[Measure, Counts]:
    """Random counts of one quarter: who asked, of them whom nothing met and whom their own people helped, and of those
    whom nothing met who waits no more."""
    chance = random.Random(seed)
    found: dict[Measure, dict[tuple[str, str], int]] = {measure: {} for measure in Measure}
    for area, leaf in PLACES:
        count = chance.choice([0, 0, 1, 2, 3, 4, 6, 9, 15, 30])
        without = sum(chance.random() < share_unmet for _ in range(count))
        ended = sum(chance.random() < share_unmet for _ in range(without))
        helped = sum(chance.random() < 1 - share_unmet / 2 for _ in range(count))
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
                (Measure.CLOSED, "met", ended),
                (Measure.HELPED, "", helped),
            )
            if people
        )
        numbers = zip(Measure, (count, without, ended, helped), strict=True)
        for measure, people in numbers:
            found[measure][area, leaf] = people
    session.flush()
    return found


def inside(key: Key) -> list[int]:
    return [
        at
        for at, (area, leaf) in enumerate(PLACES)
        if (not key.area or area.startswith(key.area)) and leaf.startswith(key.category)
    ]


def ranges(
    cells: Mapping[Measure, Mapping[Key, Cell]],
) -> Iterator[tuple[Measure, Key, float, float]]:
    """How few and how many each hidden figure may be, for whoever knows which measure holds which."""
    keys = [
        Key(area, category)
        for area in ("", "33", "32", *AREAS)
        for category in ("", "FC", "HE", *LEAVES)
    ]
    rows: list[list[int]] = []
    low, high = [], []
    hidden = []
    first_of = {measure: at * len(PLACES) for at, measure in enumerate(Measure)}
    for measure, first in first_of.items():
        for key in keys:
            cell = cells[measure].get(key, Cell(Shown.COUNT, 0))
            places = [first + at for at in inside(key)]
            rows.append(places)
            low.append(1 if cell.count is None else cell.count)
            most = THRESHOLD - 1 if cell.shown is Shown.SMALL else 10_000
            high.append(most if cell.count is None else cell.count)
            if cell.count is None:
                hidden.append((measure, key, places))
    held = [
        (first_of[outer] + at, first_of[inner] + at)
        for outer, inner in HOLDS
        for at in range(len(PLACES))
    ]
    matrix = lil_matrix((2 * len(rows) + len(held), len(first_of) * len(PLACES)))
    for at, places in enumerate(rows):
        matrix[at, places] = 1
        matrix[len(rows) + at, places] = -1
    for at, (outer, inner) in enumerate(held):
        matrix[2 * len(rows) + at, outer] = -1
        matrix[2 * len(rows) + at, inner] = 1
    limits = [*high, *(-one for one in low), *[0] * len(held)]
    for measure, key, places in hidden:
        wanted = np.zeros(len(first_of) * len(PLACES))
        wanted[places] = 1
        least, most = (
            sign * linprog(sign * wanted, A_ub=matrix.tocsr(), b_ub=limits, method="highs").fun
            for sign in (1, -1)
        )
        yield measure, key, least, most


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("share_unmet", [1.0, 0.9])
def test_what_is_counted_of_the_same_people_gives_away_no_small_count_together(
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


def test_the_attacker_finds_the_fault_of_protecting_each_measure_by_itself(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And so does the audit, in what was kept."""
    monkeypatch.setattr(releases, "_HOLDS", ())
    narrow = 0
    truth = people(session, 0, 1.0)
    planners, _public = releases.prepare(session, "2026-Q1", threshold=THRESHOLD)
    for measure, key, least, most in ranges(planners.cells):
        true = sum(truth[measure][PLACES[at]] for at in inside(key))
        narrow += true < THRESHOLD and np.floor(most + 1e-6) - np.ceil(least - 1e-6) + 1 < 4
    kept = releases.keep(session, "2026-Q1", [planners], by=SYSTEM, now=NOW)

    monkeypatch.undo()
    found = {finding.what for finding in releases.check(session, kept[0])}

    assert narrow > 0
    assert found == {"exposed"}
