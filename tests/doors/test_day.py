"""The worker's day: what stands on it, for whom, and what is done from it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from bs4 import BeautifulSoup
from sqlalchemy import event, func, select
from sqlalchemy.orm import Session

from referral.accounts.models import Role
from referral.casework import agreements, cover, meetings
from referral.casework.models import BasisKind, Meeting, MeetingKind, Purpose
from referral.changes.models import AuditEntry
from referral.directory.models import AnswerMode, ContactMode
from referral.referrals.lifecycle import Event
from referral.referrals.models import Referral, Task
from tests.factories import Make
from tests.scenes import NAME, NUMBER, STORY, Scene


@pytest.fixture
def now() -> datetime:
    """The page shows the day it is."""
    return datetime.now(UTC)


@pytest.fixture
def scene(session: Session, make: Make, now: datetime) -> Scene:
    return Scene(session, make, now)


def sections(page: BeautifulSoup) -> dict[str, list[str]]:
    """What stands under each heading."""
    return {
        section["aria-labelledby"]: [" ".join(h.text.split()) for h in section.select("h3")]
        for section in page.select("main section[aria-labelledby]")
    }


def aged(session: Session, referral: Referral, days: int) -> None:
    """As if it had all happened so many days ago."""
    for name in ("created_at", "requested_at", "delivered_at", "received_at", "decided_at"):
        at = getattr(referral, name)
        setattr(referral, name, at and at - timedelta(days=days))
    for step in referral.steps:
        step.at -= timedelta(days=days)
    session.flush()


def test_the_first_page_of_a_broker_is_their_day_and_it_stands_first(
    browser: Any, make: Make
) -> None:
    browser.sign_in(make.user())

    page = browser.page("/")

    assert page.select_one("nav a[aria-current=page]")["href"] == "/day"
    assert page.select("main a[href='/cases']")  # nothing waits: the way on
    assert sections(page) == {}


@pytest.mark.parametrize(
    "role", [Role.SUPERVISOR, Role.AGENCY, Role.PLANNER, Role.ADMINISTRATOR, None]
)
def test_nobody_else_has_a_day(browser: Any, make: Make, role: Role | None) -> None:
    if role is None:
        assert browser.get("/day").headers["Location"].startswith("/sign-in")
        return
    browser.sign_in(make.user(role))
    assert browser.get("/day").status_code == 404


def test_what_was_sent_and_has_not_arrived_and_what_is_due_stand_apart(
    scene: Scene, browser: Any, session: Session
) -> None:
    referral = scene.sent()
    referral.delivered_at = None
    browser.sign_in(scene.broker)
    assert sections(browser.page("/day")) == {
        "not-arrived": [f"{scene.case.number}: serahkan atau telepon lembaganya"]
    }

    scene.take(referral, Event.RECEIVE)
    aged(session, referral, 15)
    assert sections(browser.page("/day"))["due"] == [f"{scene.case.number}: jawaban ya atau tidak"]
    aged(session, referral, 16)
    page = browser.page("/day")
    assert sections(page) == {
        "due": [f"{scene.case.number}: tidak ada jawaban: rujukan boleh diakhiri"]
    }
    assert page.select_one("#due").find_next("a")["href"] == f"/referrals/{referral.id}"


def test_a_question_of_the_agency_and_its_other_answers_are_shown(
    scene: Scene, browser: Any
) -> None:
    referral = scene.sent()
    scene.take(referral, Event.ASK, note="Apakah punya KTP?")
    browser.sign_in(scene.broker)

    page = browser.page("/day")

    assert sections(page) == {
        "due": [f"{scene.case.number}: jawab pertanyaan lembaga"],
        "answers": [f"{scene.case.number}: lembaga bertanya"],
    }
    assert "KTP" not in page.text


def test_a_refused_referral_waits_for_a_decision_until_one_is_made(
    scene: Scene, browser: Any, session: Session
) -> None:
    referral = scene.sent()
    scene.take(referral, Event.DECLINE, reason="other", note="penuh")
    browser.sign_in(scene.broker)
    assert sections(browser.page("/day")) == {
        "answers": [f"{scene.case.number}: ditolak"],
        "undecided": [f"{scene.case.number}: ditolak"],
    }

    scene.need.withdrawn_at = scene.now
    assert "undecided" not in sections(browser.page("/day"))


def test_the_client_is_asked_after_a_walk_in_visit_and_after_help_was_claimed(
    session: Session, make: Make, now: datetime, browser: Any
) -> None:
    scene = Scene(session, make, now, answer_mode=AnswerMode.WALK_IN)
    referral = scene.sent()
    browser.sign_in(scene.broker)
    asked = f"{scene.case.number}: tanyakan kepada klien"
    assert sections(browser.page("/day")) == {}
    referral.review_on = cover.today_of(scene.broker)
    assert sections(browser.page("/day")) == {"due": [asked]}


def test_crises_come_first_and_consents_that_end_are_told_in_time(
    scene: Scene, browser: Any, session: Session
) -> None:
    scene.case.crisis_since = scene.now
    scene.consent(expires_on=scene.day + timedelta(days=10))
    other = scene.make.organization()
    scene.consent(organization_id=other.id, expires_on=scene.day + timedelta(days=40))
    browser.sign_in(scene.broker)

    page = browser.page("/day")

    assert list(sections(page)) == ["crises", "expiring"]
    assert len(sections(page)["expiring"]) == 1
    link = page.select_one("#expiring").find_next("a")["href"]
    assert link.startswith(f"/cases/{scene.case.id}/basis?organization=")
    agreements.give_basis(
        session,
        scene.case.client,
        kind=BasisKind.CONSENT,
        purpose=Purpose.REFERRAL,
        fields=["need"],
        organization_id=scene.site.service.organization_id,
        method="spoken",
        language="id",
        by=scene.broker,
        now=scene.now + timedelta(seconds=1),
    )
    assert "expiring" not in sections(browser.page("/day"))


def test_the_day_names_nobody_and_is_no_reading(
    scene: Scene, browser: Any, session: Session
) -> None:
    scene.case.crisis_since = scene.now
    referral = scene.sent()
    scene.take(referral, Event.ASK, note="rahasia sekali")
    browser.sign_in(scene.broker)
    before = session.scalar(select(func.count()).select_from(AuditEntry))

    text = browser.page("/day").text

    for word in (NAME, NUMBER, STORY, "rahasia sekali", "Gang Fiktif"):
        assert word not in text
    assert session.scalar(select(func.count()).select_from(AuditEntry)) == before


def statements(browser: Any, session: Session) -> int:
    count = 0

    def counted(*_args: Any) -> None:
        nonlocal count
        count += 1

    connection = session.connection()
    event.listen(connection.engine, "before_cursor_execute", counted)
    try:
        browser.get("/day")
    finally:
        event.remove(connection.engine, "before_cursor_execute", counted)
    return count


def test_more_cases_ask_the_database_no_more_often(
    session: Session, make: Make, now: datetime, browser: Any
) -> None:
    scene = Scene(session, make, now)
    browser.sign_in(scene.broker)

    def more(count: int) -> None:
        for _each in range(count):
            one = Scene(session, make, now)
            one.case.broker, one.case.office = scene.broker, scene.broker.office
            one.case.client.office_id = scene.broker.office_id
            one.broker = scene.broker
            referral = one.sent()
            one.take(referral, Event.ASK, note="?")
            at = now + timedelta(hours=1)
            meetings.plan(
                session, one.case, kind=MeetingKind.CALL, at=at, note=None, by=scene.broker, now=now
            )

    more(1)
    browser.get("/day")
    few = statements(browser, session)
    more(4)
    assert statements(browser, session) == few


# Meetings ----------------------------------------------------------------------------------------


def test_a_meeting_is_agreed_on_moved_and_ended_in_the_offices_time(
    session: Session, make: Make, now: datetime, browser: Any
) -> None:
    broker = make.user(office=make.office(time_zone="Asia/Jayapura"))
    case = make.case(broker=broker)
    browser.sign_in(broker)
    day = cover.today_of(broker) + timedelta(days=2)
    given = {"kind": "visit", "at": f"{day}T09:30", "note": "Rumah bibi, bawa formulir"}

    page = browser.submit(f"/cases/{case.id}/meetings/new", given)

    row = session.scalars(select(Meeting)).one()
    assert row.at == datetime(day.year, day.month, day.day, 0, 30, tzinfo=UTC)
    assert b"bibi" not in (row.note_sealed or b"")
    assert "09.30" in page.select_one("#meetings").text
    day_page = browser.page("/day")
    assert sections(day_page) == {"coming": [f"{case.number}: kunjungan"]}
    assert "bibi" not in day_page.text

    form = browser.page(f"/meetings/{row.id}")
    assert form.select_one("#at")["value"] == f"{day}T09:30"
    browser.submit(f"/meetings/{row.id}", given | {"at": f"{day}T13:00", "kind": "call"})
    session.refresh(row)
    assert (row.at.hour, row.kind) == (4, MeetingKind.CALL)

    browser.submit(f"/meetings/{row.id}/end")
    assert sections(browser.page("/day")) == {}
    assert browser.post(f"/meetings/{row.id}/end").status_code == 409
    actions = session.scalars(
        select(AuditEntry.action)
        .where(AuditEntry.action.startswith("meeting."))
        .order_by(AuditEntry.seq)
    ).all()
    assert [one for one in actions if one != "meeting.read"] == [
        "meeting.planned",
        "meeting.moved",
        "meeting.ended",
    ]


def test_a_meeting_in_the_past_or_without_a_time_is_refused(
    scene: Scene, browser: Any, session: Session
) -> None:
    browser.sign_in(scene.broker)
    path = f"/cases/{scene.case.id}/meetings/new"
    for given, wrong in (
        ({"kind": "visit", "at": "2020-01-01T10:00"}, ["#at"]),
        ({"kind": "visit"}, ["#at"]),
        ({"at": "2099-01-01T10:00"}, ["#kind"]),
    ):
        page = browser.submit(path, given, status=422)
        assert [link["href"] for link in page.select(".error-summary a")] == wrong
    assert session.scalars(select(Meeting)).all() == []


# Tasks -------------------------------------------------------------------------------------------


@pytest.fixture
def owed(session: Session, make: Make, now: datetime) -> Scene:
    """An agency that never meets the client has accepted."""
    scene = Scene(session, make, now, contact_mode=ContactMode.INDIRECT)
    scene.accepted()
    return scene


def test_a_report_is_noted_and_the_next_one_is_owed(
    owed: Scene, browser: Any, session: Session
) -> None:
    task = session.scalars(select(Task)).one()
    task.due_on = cover.today_of(owed.broker)
    browser.sign_in(owed.broker)
    page = browser.page("/day")
    assert sections(page)["due"] == [
        f"{owed.case.number}: laporan untuk lembaga yang tidak bertemu klien"
    ]
    path = page.select_one("#due").find_next("a")["href"]
    refused = browser.submit(path, {"text": "Anaknya mulai sekolah"}, status=422)
    assert refused.select_one("textarea").text.strip() == "Anaknya mulai sekolah"

    browser.submit(path, {"answer": "unwritten", "text": "Anaknya mulai sekolah"})

    session.refresh(task)
    assert (task.answer, task.text, task.done_by_id) == (
        "unwritten",
        "Anaknya mulai sekolah",
        owed.broker.id,
    )
    assert b"sekolah" not in (task.text_sealed or b"")
    (following,) = session.scalars(select(Task).where(Task.done_at.is_(None)))
    assert following.due_on == cover.today_of(owed.broker) + timedelta(days=30)
    assert browser.post(path, data={"answer": "written"}).status_code == 409
    assert len(session.scalars(select(Task)).all()) == 2


def test_in_english_too(owed: Scene, browser: Any, session: Session) -> None:
    task = session.scalars(select(Task)).one()
    task.due_on = cover.today_of(owed.broker)
    owed.broker.language = "en"
    browser.sign_in(owed.broker)

    page = browser.page("/day")

    assert sections(page)["due"] == [
        f"{owed.case.number}: report to an agency that does not meet the client"
    ]
    assert browser.page(f"/tasks/{task.id}").h1.text.startswith("Report")


@pytest.mark.parametrize("who", ["colleague", "other office", "supervisor", Role.PLANNER])
def test_a_stranger_finds_neither_task_nor_meeting(
    owed: Scene, browser: Any, session: Session, make: Make, who: Any
) -> None:
    task = session.scalars(select(Task)).one()
    meeting = meetings.plan(
        session,
        owed.case,
        kind=MeetingKind.VISIT,
        at=owed.now + timedelta(days=1),
        note=None,
        by=owed.broker,
        now=owed.now,
    )
    user = {
        "colleague": lambda: make.user(office=owed.broker.office),
        "other office": make.user,
        "supervisor": lambda: make.user(Role.SUPERVISOR, office=owed.broker.office),
    }.get(who, lambda: make.user(who))()
    browser.sign_in(user)
    for path in (f"/tasks/{task.id}", f"/meetings/{meeting.id}"):
        assert browser.get(path).status_code == 404
        assert browser.post(path, data={"answer": "written"}).status_code == 404
    assert browser.post(f"/meetings/{meeting.id}/end").status_code == 404
    assert browser.post(f"/cases/{owed.case.id}/meetings/new").status_code == 404
    session.refresh(task)
    assert task.done_at is None


def test_who_stands_in_sees_whose_cases_they_are(
    owed: Scene, browser: Any, session: Session, make: Make
) -> None:
    covering = make.user(office=owed.broker.office, name="Budi")
    owed.broker.name = "Rina"
    task = session.scalars(select(Task)).one()
    task.due_on = cover.today_of(covering)
    row = cover.begin(
        session,
        absent=owed.broker,
        covering=covering,
        until=task.due_on,
        by=make.user(Role.SUPERVISOR, office=covering.office),
        now=owed.now,
    )
    browser.sign_in(covering)

    page = browser.page("/day")

    assert "Rina" in page.select_one(".notice").text
    assert "Rina" in page.select_one("section[aria-labelledby=due]").text
    browser.submit(f"/tasks/{task.id}", {"answer": "written"})
    session.refresh(task)
    assert task.done_by_id == covering.id

    cover.end(session, row, by=owed.broker, now=owed.now)
    assert sections(browser.page("/day")) == {}
    assert browser.get(f"/cases/{owed.case.id}").status_code == 404
