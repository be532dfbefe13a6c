"""Agencies are reminded of what is urgent and get one letter a week: once each, however often the job runs."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from referral.casework.models import Urgency
from referral.changes.models import OutgoingMail
from referral.matching.models import ServiceStanding
from referral.referrals import queries, reminders, standing
from referral.referrals.lifecycle import Actor, Event
from tests.factories import Make
from tests.scenes import NAME, NUMBER, STORY, Scene

HOUSE = "https://jejaring.example.org"


@pytest.fixture
def scene(session: Session, make: Make, now: datetime) -> Scene:
    scene = Scene(session, make, now)
    scene.site.service.email = "layanan@example.org"
    return scene


def mails(session: Session) -> list[OutgoingMail]:
    return list(session.scalars(select(OutgoingMail).order_by(OutgoingMail.created_at)))


def remind(scene: Scene, hours: float) -> int:
    later = scene.now + timedelta(hours=hours)
    return reminders.remind(scene.session, public_url=HOUSE, now=later)


def digest(scene: Scene, days: float) -> int:
    later = scene.now + timedelta(days=days)
    return reminders.write_digests(scene.session, public_url=HOUSE, now=later)


def test_an_urgent_referral_is_reminded_of_once_its_time_is_half_over(scene: Scene) -> None:
    scene.need.urgency = Urgency.URGENT
    scene.sent()

    counts = [remind(scene, hours) for hours in (35.9, 36, 36, 60)]

    assert counts == [0, 1, 1, 1]
    (mail,) = mails(scene.session)
    assert mail.key.startswith("referral.reminds:")
    assert "/reply?key=" in mail.text
    assert not [word for word in (NAME, NUMBER, STORY, "HE05") if word in mail.text]


def test_nobody_is_reminded_while_their_question_is_open_or_after_they_answered(
    scene: Scene,
) -> None:
    scene.need.urgency = Urgency.URGENT
    referral = scene.sent()
    scene.take(referral, Event.ASK, note="?")
    asked = remind(scene, 60)
    scene.take(referral, Event.REPLY, actor=Actor.BROKER, by=scene.broker, note="!")
    scene.take(referral, Event.DECLINE, reason="outside_area")

    assert (asked, remind(scene, 60)) == (0, 0)


def test_routine_referrals_wait_for_the_letter_of_the_week(scene: Scene) -> None:
    scene.sent()  # on a Monday at 09.30

    counts = [remind(scene, 24 * 8), *(digest(scene, days) for days in (1, 6, 7, 7, 9, 14))]

    assert counts == [0, 0, 0, 1, 1, 1, 1]
    first, second = mails(scene.session)
    assert first.key != second.key
    assert "1 permintaan" in first.subject
    assert "3 menit" in first.text


def test_a_letter_of_the_week_names_what_is_old_enough_and_still_open(
    scene: Scene, make: Make
) -> None:
    old = scene.sent()
    scene.need = make.need(scene.case)
    scene.need.in_scope = True
    young = scene.draft(now=scene.now + timedelta(days=7, hours=1))
    scene.take(young, Event.SEND, now=scene.now + timedelta(days=7, hours=1))
    digest(scene, 8)

    (mail,) = mails(scene.session)

    assert old.number in mail.text
    assert young.number not in mail.text


def test_without_an_address_of_the_house_or_the_agency_nothing_is_written(scene: Scene) -> None:
    scene.sent()
    without_house = reminders.write_digests(
        scene.session, public_url="", now=scene.now + timedelta(days=8)
    )
    scene.site.service.email = None
    scene.site.service.organization.email = None

    assert (without_house, digest(scene, 8)) == (0, 0)
    assert mails(scene.session) == []


def test_the_week_begins_on_monday_morning_in_the_countrys_zone() -> None:
    sunday = datetime(2026, 3, 8, 23, 59, tzinfo=UTC)  # Monday 06.59 in Jakarta

    assert reminders.week_begins(sunday) == datetime(2026, 3, 9, 0, 0, tzinfo=UTC)
    assert reminders.week_begins(sunday - timedelta(hours=8)) == datetime(2026, 3, 2, tzinfo=UTC)


def test_what_an_agency_was_asked_counts_thirty_days(scene: Scene) -> None:
    organization_id = scene.sent().organization_id

    asked = [
        reminders.asked_lately(scene.session, organization_id, now=scene.now + timedelta(days=days))
        for days in (1, 31)
    ]

    assert [(burden.asks, burden.minutes) for burden in asked] == [(1, 3), (0, 0)]


def test_what_is_overdue_is_found_from_the_clocks_longest_first(scene: Scene) -> None:
    waiting = scene.sent()
    days = [13, 15]

    found = [
        queries.late(scene.session, scene.broker, now=scene.now + timedelta(days=count))
        for count in days
    ]

    due_at = queries.clock(waiting).decide_by
    assert found == [[], [(waiting, due_at)]]


def test_each_mailbox_of_an_agency_gets_its_own_letter(scene: Scene, make: Make) -> None:
    first = scene.sent()
    scene.site = make.service("HE05", organization=scene.site.service.organization)
    scene.site.service.email = "lain@example.org"
    scene.need = make.need(scene.case)
    second = scene.draft()
    scene.take(second, Event.SEND)
    digest(scene, 8)
    digest(scene, 9)

    told = {mail.to: mail.text for mail in mails(scene.session)}

    assert set(told) == {"layanan@example.org", "lain@example.org"}
    assert first.number in told["layanan@example.org"]
    assert second.number not in told["layanan@example.org"]
    assert second.number in told["lain@example.org"]


def test_silence_counts_against_a_service_without_anybody_taking_a_step(scene: Scene) -> None:
    referral = scene.sent()
    in_time = scene.session.get_one(ServiceStanding, referral.service_id).due
    looked_at = standing.push_silence(scene.session, now=scene.now + timedelta(days=15))
    late = scene.session.get_one(ServiceStanding, referral.service_id)

    assert (in_time, looked_at) == (0, 1)
    assert (late.due, late.in_time) == (1, 0)
