"""One's days in a calendar program."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from icalendar import Calendar
from sqlalchemy import select
from sqlalchemy.orm import Session

from referral.accounts.models import CalendarLink, Role, User
from referral.casework import cover, meetings
from referral.casework.models import MeetingKind
from referral.changes.models import AuditEntry
from referral.directory.models import ContactMode
from referral.extensions import limiter
from referral.referrals.models import Task
from tests.factories import Make
from tests.scenes import NAME, NUMBER, STORY, Scene


@pytest.fixture
def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def scene(session: Session, make: Make, now: datetime) -> Scene:
    limiter.reset()
    return Scene(session, make, now, contact_mode=ContactMode.INDIRECT)


def address_of(browser: Any) -> str:
    page = browser.submit("/calendar/link")
    address: str = page.select_one("#address")["value"]
    return address.removeprefix("http://localhost")


def events(browser: Any, address: str) -> dict[str, Any]:
    response = browser.get(address)
    assert response.status_code == 200, response.status_code
    assert response.mimetype == "text/calendar"
    found = Calendar.from_ical(response.data)
    return {str(one["summary"]): one.decoded("dtstart") for one in found.walk("VEVENT")}


def test_the_feed_holds_due_days_tasks_and_meetings_by_number_and_kind(
    scene: Scene, browser: Any, session: Session
) -> None:
    referral = scene.accepted()
    at = (scene.now + timedelta(days=2)).replace(microsecond=0)
    meetings.plan(
        session,
        scene.case,
        kind=MeetingKind.VISIT,
        at=at,
        note="Rumah bibi",
        by=scene.broker,
        now=scene.now,
    )
    task = session.scalars(select(Task)).one()
    number, due_on, review_on = scene.case.number, task.due_on, referral.review_on
    service = scene.site.service.name
    browser.sign_in(scene.broker)
    address = address_of(browser)
    browser.post("/sign-out")

    assert events(browser, address) == {
        f"{number}: kontak pertama dengan klien": review_on,
        f"{number}: laporan untuk lembaga yang tidak bertemu klien": due_on,
        f"{number}: kunjungan": at,
    }
    text = browser.get(address).text.replace("\r\n ", "")
    for word in (NAME, NUMBER, STORY, "bibi", service, "HE05", referral.number):
        assert word not in text
    assert browser.get(address).headers["Cache-Control"] == "no-store"


def test_it_speaks_the_persons_language(scene: Scene, browser: Any) -> None:
    scene.accepted()
    scene.broker.language = "en"
    browser.sign_in(scene.broker)

    assert f"{scene.case.number}: first contact with the client" in events(
        browser, address_of(browser)
    )


def test_an_empty_calendar_is_a_calendar(browser: Any, make: Make) -> None:
    browser.sign_in(make.user())

    assert events(browser, address_of(browser)) == {}


def test_only_a_digest_is_kept_and_no_address_is_in_the_audit_chain(
    scene: Scene, browser: Any, session: Session
) -> None:
    browser.sign_in(scene.broker)
    token = address_of(browser).partition("key=")[2]

    link = session.scalars(select(CalendarLink)).one()
    assert token.encode() not in link.digest
    assert token not in browser.get("/calendar").text
    details = session.scalars(
        select(AuditEntry.details).where(AuditEntry.action == "calendar_link.made")
    ).all()
    assert details == [{}]


def revoked(browser: Any, user: User) -> None:
    browser.submit("/calendar/link/revoke")


def renewed(browser: Any, user: User) -> None:
    browser.submit("/calendar/link")


def deactivated(browser: Any, user: User) -> None:
    user.active = False


def became_planner(browser: Any, user: User) -> None:
    user.role = Role.PLANNER


@pytest.mark.parametrize("over", [revoked, renewed, deactivated, became_planner])
def test_an_address_ends(scene: Scene, browser: Any, over: Any) -> None:
    browser.sign_in(scene.broker)
    address = address_of(browser)
    assert browser.get(address).status_code == 200

    over(browser, scene.broker)

    assert browser.get(address).status_code == 404


@pytest.mark.parametrize("role", [Role.SUPERVISOR, Role.AGENCY, Role.PLANNER])
def test_only_who_works_on_cases_has_one(browser: Any, make: Make, role: Role) -> None:
    browser.sign_in(make.user(role))

    assert browser.get("/calendar").status_code == 404
    assert browser.post("/calendar/link").status_code == 404
    assert not browser.page("/accounts/me").select("a[href='/calendar']")


def test_guessing_is_slowed_down_and_a_good_address_is_not(scene: Scene, browser: Any) -> None:
    browser.sign_in(scene.broker)
    address = address_of(browser)
    for _each in range(25):
        assert browser.get(address).status_code == 200
    for _each in range(20):
        assert browser.get("/calendar.ics?key=guess").status_code == 404

    assert browser.get("/calendar.ics?key=guess").status_code == 429
    limiter.reset()


def test_while_standing_in_the_absent_ones_days_are_there_and_then_not(
    scene: Scene, browser: Any, make: Make, session: Session
) -> None:
    scene.accepted()
    office = scene.broker.office
    covering, supervisor = make.user(office=office), make.user(Role.SUPERVISOR, office=office)
    browser.sign_in(covering)
    address = address_of(browser)
    assert events(browser, address) == {}
    row = cover.begin(
        session,
        absent=scene.broker,
        covering=covering,
        until=cover.today_of(covering),
        by=supervisor,
        now=scene.now,
    )
    assert len(events(browser, address)) == 2
    cover.end(session, row, by=supervisor, now=scene.now)
    assert events(browser, address) == {}
