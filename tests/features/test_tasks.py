"""What a worker owes because of a step."""

from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from referral.accounts.models import OfficeDayOff
from referral.core.errors import Invalid, NotAllowed, NotFound
from referral.directory.models import ContactMode
from referral.referrals import queries, tasks
from referral.referrals.lifecycle import Event
from referral.referrals.models import Task, TaskKind
from tests.factories import Make
from tests.scenes import Scene


@pytest.fixture
def scene(session: Session, make: Make, now: datetime) -> Scene:
    return Scene(session, make, now, contact_mode=ContactMode.INDIRECT)


def owed(session: Session) -> list[Task]:
    return list(session.scalars(select(Task).where(Task.done_at.is_(None))))


def report(scene: Scene, task: Task, today: date) -> None:
    tasks.done(
        scene.session,
        task,
        answer="written",
        text=None,
        by=scene.broker,
        today=today,
        now=scene.now,
    )


def test_an_agency_that_meets_the_client_is_owed_nothing(
    session: Session, make: Make, now: datetime
) -> None:
    Scene(session, make, now).accepted()

    assert owed(session) == []


def test_the_first_report_is_due_14_days_after_the_yes_the_next_every_30_days(
    scene: Scene, session: Session
) -> None:
    scene.sent()
    assert owed(session) == []
    (referral,) = queries.of_case(session, scene.case.id)
    scene.take(referral, Event.ACCEPT, first_contact_on=scene.day + timedelta(days=3))
    (first,) = owed(session)
    assert (first.kind, first.due_on) == (TaskKind.REPORT, scene.day + timedelta(days=14))

    report(scene, first, scene.day + timedelta(days=10))
    (second,) = owed(session)
    assert second.due_on == first.due_on + timedelta(days=30)

    given_late = second.due_on + timedelta(days=40)
    report(scene, second, given_late)
    (third,) = owed(session)
    assert third.due_on == given_late + timedelta(days=30)


def test_when_the_referral_ends_nothing_more_is_owed_and_nobody_is_said_to_have_done_it(
    scene: Scene, session: Session
) -> None:
    scene.completed()

    assert owed(session) == []
    (task,) = session.scalars(select(Task))
    assert (task.done_at, task.done_by_id, task.answer) == (scene.now, None, None)
    with pytest.raises(NotAllowed):
        report(scene, task, scene.day)


def test_what_kept_a_client_is_answered_in_their_words(
    scene: Scene, session: Session, make: Make
) -> None:
    task = Task(
        key=scene.case.key,
        case=scene.case,
        kind=TaskKind.ASK_TRANSPORT,
        due_on=scene.day,
        made_at=scene.now,
    )
    session.add(task)
    session.flush()

    def answer(value: str | None, text: str | None, by: object = scene.broker) -> None:
        tasks.done(
            session,
            task,
            answer=value,
            text=text,
            by=by,
            today=scene.day,
            now=scene.now,  # type: ignore[arg-type]
        )

    for value, text, field in (
        (None, "x", "answer"),
        ("written", "x", "answer"),
        ("other", " ", "text"),
    ):
        with pytest.raises(Invalid) as refusal:
            answer(value, text)
        assert refusal.value.field == field
    with pytest.raises(NotFound):
        answer("way", None, make.user(office=scene.broker.office))
    answer("way", "Ongkos ojek terlalu mahal")

    assert (task.answer, task.text) == ("way", "Ongkos ojek terlalu mahal")
    assert owed(session) == []


def test_a_day_off_of_the_office_is_no_working_day_of_its_clocks_and_of_no_others(
    session: Session, make: Make, now: datetime
) -> None:
    """Monday: an agency has two working days to see it, Tuesday and Wednesday."""
    scenes = [Scene(session, make, now) for _each in range(2)]
    due = []
    session.add(
        OfficeDayOff(
            office_id=scenes[0].case.office_id,
            on=scenes[0].day + timedelta(days=1),
            name="HUT kantor",
        )
    )
    session.flush()
    for scene in scenes:
        referral = scene.sent()
        referral.delivered_at = now
        by = queries.clock(referral).acknowledge_by
        assert by is not None
        due.append((by.date() - scene.day).days)

    assert due == [3, 2]
