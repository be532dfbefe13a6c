"""Whole releases: an attacker who knows nothing of the engine works out no small count, now or from release to release."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.disclosure_attack import Printed, World, pinned, publish, world
from referral.planning.disclosure.cells import Cell, Shown
from referral.planning.disclosure.suppression import Protected, protect
from referral.planning.disclosure.system import UNKNOWN, Register, Sums, System


def of(counts: Sequence[int], figures: Sequence[Sequence[int]], **more: object) -> System:
    return System(np.array(counts), Sums.of(figures), **more)  # type: ignore[arg-type]


def seen(protected: Protected) -> list[int | str]:
    return [cell.shown.value if cell.count is None else cell.count for cell in protected.cells()]


@pytest.mark.parametrize("seed", range(60))
def test_an_attacker_works_out_no_small_count_of_a_random_release(seed: int) -> None:
    one = world(seed)

    assert pinned(one, publish(one)) == []


def test_the_same_system_is_protected_the_same_way() -> None:
    one = world(5)

    assert publish(one) == publish(one)


def test_where_nothing_is_small_everything_is_shown() -> None:
    assert seen(protect(of([9, 0, 30], [[0], [1], [2], [0, 1, 2]]), threshold=5)) == [9, 0, 30, 39]


def test_a_small_count_takes_the_cheapest_company() -> None:
    figures = [[0], [1], [2], [0, 1, 2]]
    loss = np.array([0.0, 0.0, 0.0, 10.0])

    assert seen(protect(of([3, 8, 900], figures, loss=loss), threshold=5)) == [
        "small",
        "withheld",
        900,
        911,
    ]


def test_a_total_of_one_cell_is_hidden_with_it() -> None:
    assert seen(protect(of([2, 0], [[0], [1], [0, 1]]), threshold=5)) == ["small", 0, "small"]


def test_two_hidden_cells_of_a_small_total_keep_it_from_being_told_as_small() -> None:
    """As "<5" it would leave each of the two 1 to 3: neither is 0, for a 0 would be shown."""
    told = protect(of([1, 2], [[0], [1], [0, 1]]), threshold=5)

    assert seen(told)[2] == "withheld" or seen(told)[:2] == ["withheld", "withheld"]
    assert told.audit.least_possible is not None
    assert told.audit.least_possible >= 4


def test_one_person_more_than_last_quarter_is_not_told_by_two_releases() -> None:
    """37 were told last quarter. 38 now would tell that one more asked."""
    earlier = Register(Sums.of([[0]]), np.array([37]), np.array([37]))
    figures = [[0, 1], [2], [0, 1, 2]]

    alone = protect(of([37, 1, 50], figures), threshold=5)
    with_register = protect(of([37, 1, 50], figures, register=earlier), threshold=5)

    assert seen(alone) == [38, 50, 88]
    assert seen(with_register) != seen(alone)
    assert with_register.cell(0).shown is Shown.WITHHELD


def test_what_was_withheld_last_quarter_stays_hidden() -> None:
    """The figure of 3 is printed no more, but the total less the rest would tell it now."""
    earlier = Register(Sums.of([[0]]), np.array([1]), np.array([UNKNOWN]))

    told = protect(of([3, 40], [[1], [0, 1]], register=earlier), threshold=5)

    assert None in [cell.count for cell in told.cells()]


def test_what_earlier_releases_have_given_away_does_not_stop_a_release() -> None:
    earlier = Register(Sums.of([[0], [0, 1]]), np.array([40, 43]), np.array([40, 43]))

    told = protect(of([40, 3], [[0], [1], [0, 1]], register=earlier), threshold=5)

    assert told.audit.told_before == 1
    assert told.cell(1).shown is not Shown.COUNT


def test_counts_that_changed_after_they_were_published_are_refused() -> None:
    earlier = Register(Sums.of([[0]]), np.array([37]), np.array([37]))

    with pytest.raises(ValueError, match="fit"):
        protect(of([36], [[0]], register=earlier), threshold=5)


def test_a_zero_that_nobody_can_know_lets_a_figure_grow() -> None:
    """38 now and 37 then: the quarter that left the window happened to be 0, but nobody was told so."""
    figures = Sums.of([[0, 1], [2], [0, 1, 2]])
    growth = {
        "register": Register(Sums.of([[0, 3]]), np.array([37]), np.array([37])),
        "differences": Sums.of([[1]]),
    }
    counts = np.array([37, 1, 50, 0])
    nothing = np.zeros(4, dtype=bool)

    known = protect(System(counts, figures, unsure=nothing, **growth), threshold=5)  # type: ignore[arg-type]
    open_ = protect(System(counts, figures, **growth), threshold=5)  # type: ignore[arg-type]

    assert known.cell(0).shown is Shown.WITHHELD
    assert seen(open_) == [38, 50, 88]


def test_a_count_is_known_to_be_at_least_the_reasons_of_the_same_people() -> None:
    """Four people for three reasons: whoever sees that no reason is 0 reckons with three, and with no more."""
    both = (Sums.of([[0]]), Sums.of([[1, 2, 3]]))

    found = protect(of([4, 2, 1, 1], [[0], [1], [2], [3]], equals=both), threshold=5)

    assert not found.shown.any()
    assert (found.audit.told_before, found.audit.highest_low) == (0, 3)


def test_an_empty_system_is_told_as_it_is() -> None:
    assert protect(of([], []), threshold=5).cells() == []
    assert seen(protect(of([0, 0], [[0], [0, 1]]), threshold=5)) == [0, 0]


def _only_small_hidden(one: World, printed: Sequence[Printed]) -> list[Printed]:
    """The fault of hiding small counts and nothing else."""
    bare = []
    for each in printed:
        true = sum(count for group, count in one.counts.items() if each.holds(group))
        small = 0 < true < one.threshold
        bare.append(replace(each, cell=Cell(Shown.SMALL) if small else Cell(Shown.COUNT, true)))
    return bare


def _everything_labelled(one: World, printed: Sequence[Printed]) -> list[Printed]:
    """The fault of calling every small count small, whatever the other labels tell."""
    labelled = []
    for each in printed:
        true = sum(count for group, count in one.counts.items() if each.holds(group))
        small = 0 < true < one.threshold
        labelled.append(replace(each, cell=Cell(Shown.SMALL)) if small else each)
    return labelled


@pytest.mark.parametrize("fault", ["only small", "labels", "register"])
def test_the_attacker_finds_each_fault_that_a_careless_house_makes(fault: str) -> None:
    caught = 0
    for seed in range(40):
        one = world(seed)
        printed = publish(one, forgetful=fault == "register")
        if fault == "only small":
            printed = _only_small_hidden(one, printed)
        elif fault == "labels":
            printed = _everything_labelled(one, printed)
        caught += bool(pinned(one, printed))

    assert caught >= 5
