"""What an agency may see of a client, and when."""

import json
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referral.core.text import LANGUAGES, label
from referral.referrals.cards import (
    CRITERIA,
    RELEASABLE,
    View,
    age_band,
    blind_card,
    view_of,
)
from referral.referrals.lifecycle import Status

SEEN = {Status.ACCEPTED, Status.IN_PROGRESS, Status.ON_HOLD, Status.COMPLETED}
GONE = {Status.REJECTED, Status.FAILED, Status.CANCELLED, Status.ENTERED_IN_ERROR}


@pytest.mark.parametrize(
    ("status", "accepted", "basis_holds"), list(product(Status, (False, True), (False, True)))
)
def test_identity_is_seen_only_while_an_accepting_agency_may_hold_it(
    status: Status, accepted: bool, basis_holds: bool
) -> None:
    expected = View.BLIND
    if status in GONE:
        expected = View.STUB
    elif status in SEEN and accepted and basis_holds:
        expected = View.RELEASED

    assert view_of(status, accepted=accepted, basis_holds=basis_holds) is expected


@pytest.mark.parametrize(
    ("age", "band"),
    [
        (None, None),
        (0, "0-5"),
        (5.9, "0-5"),
        (6, "6-12"),
        (12.5, "6-12"),
        (13, "13-17"),
        (17.9, "13-17"),
        (18, "18-24"),
        (24.5, "18-24"),
        (25, "25-59"),
        (60, "60+"),
        (130, "60+"),
    ],
)
def test_an_age_is_told_as_a_band(age: float | None, band: str | None) -> None:
    assert age_band(age) == band


def test_a_blind_card_answers_the_agencys_criteria_and_nothing_else() -> None:
    verdicts = [
        {"rule": "category", "verdict": "pass"},
        {"rule": "age", "verdict": "pass", "params": {"age": 16}},
        {"rule": "documents", "verdict": "unknown"},
        {"rule": "desil", "verdict": "fail"},
    ]

    card = blind_card(verdicts, age_years=16, area_code="33.74.11.1002", priority="urgent")

    assert card == {
        "criteria": {"age": "pass", "desil": "fail", "documents": "unknown"},
        "age_band": "13-17",
        "area_code": "33.74",
        "priority": "urgent",
    }


@given(
    params=st.dictionaries(st.text(min_size=1), st.text(min_size=4), max_size=3),
    village=st.from_regex(r"\A[1-9]\d\.[0-9]{2}\.[0-9]{2}\.[0-9]{4}\Z"),
    age=st.floats(min_value=0, max_value=130),
)
def test_nothing_but_codes_gets_through_to_a_blind_card(
    params: dict[str, str], village: str, age: float
) -> None:
    verdicts = [{"rule": rule, "verdict": "pass", "params": params} for rule in CRITERIA]

    card = blind_card(verdicts, age_years=age, area_code=village, priority="routine")

    assert village not in json.dumps(card)
    assert set(card) == {"criteria", "age_band", "area_code", "priority"}
    assert set(card["criteria"].values()) == {"pass"}


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_criterion_and_every_fact_has_words(lang: str) -> None:
    assert all(label(f"referral.criterion.{rule}", lang) for rule in CRITERIA)
    assert all(label(f"referral.fact.{name}", lang) for name in RELEASABLE)
