"""What can be said of a service from how its referrals went."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from referral.matching.penalties import RELIABILITY_PRIOR
from referral.referrals.reliability import COVERED, FEWEST, Share, Tally, record_of

cases = st.integers(0, 60).flatmap(lambda whole: st.tuples(st.integers(0, whole), st.just(whole)))
usuals = st.floats(0.05, 0.95)


def by_grid(part: int, whole: int, usual: float) -> tuple[float, float, float]:
    """Mean and interval of the posterior, added up over a fine grid of what the true share could be."""
    share = (np.arange(200_000) + 0.5) / 200_000
    yes, no = RELIABILITY_PRIOR * usual, RELIABILITY_PRIOR * (1 - usual)
    log = (part + yes - 1) * np.log(share) + (whole - part + no - 1) * np.log1p(-share)
    weight = np.exp(log - log.max())
    weight /= weight.sum()
    below = np.cumsum(weight)
    tail = (1 - COVERED) / 2
    low, high = (float(share[np.searchsorted(below, at)]) for at in (tail, 1 - tail))
    return float((share * weight).sum()), low, high


@pytest.mark.parametrize(
    ("part", "whole", "usual"),
    [(8, 10, 0.5), (0, 5, 0.5), (5, 5, 0.7), (57, 60, 0.4), (1, 40, 0.9), (3, 7, 0.25)],
)
def test_share_and_interval_are_those_of_the_posterior_added_up_over_a_grid(
    part: int, whole: int, usual: float
) -> None:
    share = Share(part, whole, usual)

    assert (share.share, *share.interval) == pytest.approx(by_grid(part, whole, usual), abs=2e-4)


def test_few_referrals_are_drawn_towards_the_usual_and_many_hardly() -> None:
    shares = [Share(whole, whole, 0.5).share for whole in (0, 1, 5, 10, 100, 10_000)]

    assert shares[0] == 0.5
    assert shares[3] == 0.75  # as many referrals as the prior is worth
    assert shares == sorted(shares)
    assert shares[-1] > 0.999


@settings(max_examples=200, deadline=None)
@given(cases, usuals)
def test_the_share_lies_between_the_usual_and_what_was_counted_and_within_its_interval(
    counted: tuple[int, int], usual: float
) -> None:
    part, whole = counted
    share = Share(part, whole, usual)
    low, high = share.interval
    raw = part / whole if whole else usual

    assert min(raw, usual) - 1e-9 <= share.share <= max(raw, usual) + 1e-9
    assert 0 <= low < high <= 1
    assert low <= share.share <= high


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 60), usuals)
def test_one_more_that_went_well_never_lowers_anything(whole: int, usual: float) -> None:
    shares = [Share(part, whole, usual) for part in range(whole + 1)]

    for before, after in pairwise(shares):
        assert before.share < after.share
        assert before.interval[0] < after.interval[0]
        assert before.interval[1] < after.interval[1]


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 20), st.integers(2, 20))
def test_more_of_the_usual_narrows_the_interval(part: int, times: int) -> None:
    few, many = Share(part, 2 * part, 0.5), Share(part * times, 2 * part * times, 0.5)

    assert np.diff(many.interval)[0] < np.diff(few.interval)[0]


def test_where_the_usual_is_never_or_always_nothing_breaks() -> None:
    assert Share(0, 0, 0.0).interval == (0.0, 0.0)
    assert Share(3, 3, 1.0).interval == (1.0, 1.0)
    assert Share(0, 6, 1.0).interval[0] > 0


def test_a_record_speaks_from_enough_referrals_on_and_keeps_claimed_and_confirmed_apart() -> None:
    ours = Tally(due=10, in_time=8, decided=4, accepted=4, claimed=9, asked=6, confirmed=3)
    others = Tally(due=90, in_time=22, decided=6, accepted=1, claimed=40, asked=14, confirmed=9)
    record = record_of(ours, among=[ours, others])

    assert record.answered_in_time == Share(8, 10, 0.3)
    assert record.accepted == Share(4, 4, 0.5)
    assert (record.claimed, record.confirmed) == (9, Share(3, 6, 0.6))
    assert [share.says_something for share in record.shares] == [True, False, True]
    assert FEWEST == 5


def test_without_any_record_half_is_taken_for_usual() -> None:
    assert record_of(Tally(), among=[]).accepted == Share(0, 0, 0.5)
