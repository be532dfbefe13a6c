"""How an office's referrals fare, counted from rows worked out by hand."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from referral.accounts.models import Role
from referral.planning import measures
from referral.planning.fairness.waiting import Spell, quantile
from referral.planning.measures import Share
from referral.referrals.feedback import record_feedback
from referral.referrals.lifecycle import Actor, Event
from tests.conftest import Browser
from tests.factories import Make
from tests.scenes import Scene


@pytest.fixture
def scene(session: Session, make: Make) -> Scene:
    """Sent forty days ago."""
    return Scene(session, make, datetime.now(UTC) - timedelta(days=40))


@pytest.fixture
def supervisor(scene: Scene, make: Make) -> Any:
    return make.user(Role.SUPERVISOR, office=scene.case.office)


def three(scene: Scene) -> None:
    """One accepted after 4 days, met after 6, helped and denied; one declined after 10; one silent."""
    first = scene.sent()
    later = {days: scene.now + timedelta(days=days) for days in (4, 6, 10)}
    scene.take(first, Event.ACCEPT, first_contact_on=later[6].date(), now=later[4])
    scene.take(first, Event.START, first_contact_on=later[6].date(), note="ya", now=later[6])
    scene.take(first, Event.COMPLETE, outcome="received", outcome_on=later[6].date(), now=later[6])
    record_feedback(
        scene.session,
        first,
        received="no",
        form="unwritten",
        share="no",
        by=scene.broker,
        now=later[10],
    )
    for _ in range(2):
        scene.need = scene.make.need(scene.case)
        referral = scene.draft()
        scene.take(referral, Event.SEND)
    scene.take(referral, Event.DECLINE, reason="outside_area", now=later[10])


def test_each_share_has_its_own_denominator_and_silence_is_counted(
    scene: Scene, supervisor: Any
) -> None:
    three(scene)

    rows = measures.of_office(scene.session, supervisor, months=3, now=datetime.now(UTC))

    (row,) = rows["all"]
    assert row.sent == 3
    assert (row.answered, row.no_answer) == (Share(2, 3), Share(1, 3))
    assert (row.accepted, row.claimed, row.confirmed) == (Share(1, 2), Share(1, 3), Share(0, 1))
    assert [row.waits["decide", share].days for share in (0.5, 0.9)] == [10, None]
    assert [(one.name, one.sent) for one in rows["priority"]] == [("routine", 3)]


def test_the_young_are_waited_for_and_the_other_offices_are_not_seen(
    scene: Scene, make: Make, supervisor: Any
) -> None:
    scene.now = datetime.now(UTC) - timedelta(days=5)
    scene.sent()

    (row,) = measures.of_office(scene.session, supervisor, months=3, now=datetime.now(UTC))["all"]
    elsewhere = measures.of_office(
        scene.session, make.user(Role.SUPERVISOR), months=3, now=datetime.now(UTC)
    )

    assert (row.sent, row.answered) == (1, Share(0, 0))
    assert elsewhere["all"][0].sent == 0


def test_the_page_is_the_supervisors(browser: Browser, scene: Scene, supervisor: Any) -> None:
    three(scene)
    empty = browser.sign_in(supervisor).page("/office/measures?months=12")
    assert "(2/3)" in empty.text
    browser.post("/sign-out")
    for other in (scene.broker, scene.agency):
        assert browser.sign_in(other).get("/office/measures").status_code == 404
        browser.post("/sign-out")


def test_what_was_cancelled_waits_no_longer(scene: Scene) -> None:
    referral = scene.sent()
    scene.take(
        referral,
        Event.CANCEL,
        actor=Actor.BROKER,
        by=scene.broker,
        reason="moved",
        now=scene.now + timedelta(days=3),
    )

    assert measures.spell(referral, "decide", datetime.now(UTC)) == Spell(3, "ended")


@given(st.lists(st.integers(0, 60), min_size=1, max_size=40), st.sampled_from([0.5, 0.9]))
def test_without_anybody_waiting_a_quantile_is_the_ordinary_one(
    days: list[int], share: float
) -> None:
    ordered = sorted(days)
    needed = next(n for n in range(1, len(days) + 1) if n / len(days) >= share - 1e-9)

    assert quantile([Spell(one) for one in days], share).days == ordered[needed - 1]
