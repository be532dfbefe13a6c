"""An attacker without any programme: every table that would have been published the same."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from referral.planning.disclosure.cells import Shown
from referral.planning.disclosure.suppression import protect
from referral.planning.disclosure.system import Sums, System

#: two areas by two kinds of help: cells, rows, columns and the total
FIGURES = ((0,), (1,), (2,), (3,), (0, 1), (2, 3), (0, 2), (1, 3), (0, 1, 2, 3))
MOST = 12
GUESSES = np.stack(np.meshgrid(*[np.arange(MOST + 1)] * 4), axis=-1).reshape(-1, 4)
SUMS = np.stack([GUESSES[:, parts].sum(axis=1) for parts in FIGURES], axis=1)


@settings(max_examples=40, deadline=None)
@given(st.tuples(*[st.integers(0, 7)] * 4))
def test_who_tries_every_table_finds_four_values_possible_for_each_small_count(
    counts: tuple[int, ...],
) -> None:
    cells = protect(System(np.array(counts), Sums.of(FIGURES)), threshold=5).cells()

    fits = np.ones(len(GUESSES), dtype=bool)
    for cell, sums in zip(cells, SUMS.T, strict=True):
        if cell.shown is Shown.COUNT:
            fits &= sums == cell.count
        else:  # what is 0 is shown
            fits &= (sums >= 1) & ((sums < 5) if cell.shown is Shown.SMALL else True)
    for at, count in enumerate(counts):
        if 0 < count < 5:
            assert set(GUESSES[fits, at]) >= {1, 2, 3, 4}
