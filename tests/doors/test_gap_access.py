"""The page of the measures of access: what is out of date since when, and having them worked out again."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from referral.accounts.models import Role
from referral.changes.directory import announce
from referral.jobs import tasks
from referral.jobs.queue import jobs
from referral.planning.access import operations, queries, working
from referral.planning.access.models import AccessRun, AccessWork
from referral.planning.gaps.models import Audience, GapRelease
from referral.planning.work import WorkState
from tests.conftest import Browser
from tests.factories import Make
from tests.features.test_access_runs import NEAR, country  # noqa: F401 - a fixture

LATER = datetime(2026, 3, 5, 3, tzinfo=UTC)
WHERE = "/gaps/access"


@pytest.fixture
def waiting(session: Session, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was given to the queue, which nobody works off."""
    given: list[str] = []
    monkeypatch.setattr(jobs(), "work_out_access", lambda: given.append("access"))
    return given


@pytest.fixture
def plans(browser: Browser, make: Make) -> Browser:
    browser.sign_in(make.user(Role.PLANNER))
    browser.post("/language/en", data={"next": "/"})
    return browser


@pytest.fixture
def run(session: Session, make: Make, now: datetime) -> AccessRun:
    make.service("HE05", at=NEAR)
    return operations.work_out(session, now=now)


def button(page: Any) -> list[str]:
    return [one.text.strip() for one in page.select("main form button")]


def test_what_is_up_to_date_is_not_worked_out_again(
    plans: Browser, session: Session, run: AccessRun, waiting: list[str]
) -> None:
    page = plans.page(WHERE)

    assert "Nothing has changed since." in page.text
    assert button(page) == []
    assert len(page.select("#explained ~ ul li")) == 4
    assert "Nothing has changed since the measures" in plans.submit(WHERE).text
    assert (waiting, working.latest(session)) == ([], None)
    assert "not up to date" not in plans.page("/gaps?layer=services").text


def test_a_planner_is_told_what_is_stale_since_when_and_has_it_worked_out(
    plans: Browser, session: Session, run: AccessRun, waiting: list[str]
) -> None:
    announce(session, None, now=LATER)
    announce(session, None, now=LATER + timedelta(days=1))
    release = GapRelease(
        quarter="2026-Q1", audience=Audience.PLANNERS, made_at=LATER, threshold=5, certificate={}
    )
    session.add(release)
    session.commit()
    later = "The directory has changed 2 times since, first on 5 March 2026."
    released = "The figures of quarter 1 of 2026, released on 5 March 2026, came later."

    page = plans.page(WHERE)
    assert later in page.text
    assert released in page.text
    assert button(page) == ["Work them out again"]
    assert later in plans.page("/gaps?layer=services").text
    page = plans.submit(WHERE)
    assert "Waiting to be worked out" in page.text
    assert button(page) == []
    plans.submit(WHERE)  # pressed twice
    assert waiting == ["access", "access"]
    assert [one.state for one in session.scalars(select(AccessWork))] == [WorkState.WAITING]
    poll = str(page.select_one("[hx-get]")["hx-get"])  # type: ignore[index]
    assert plans.get(poll).status_code == 204
    assert [tasks.work_out_access(), tasks.work_out_access()] == [True, False]
    page = plans.page(poll)
    assert "Nothing has changed since." in page.text
    assert "It ended" in page.text
    newest = queries.latest(session)
    assert newest is not None
    assert (newest.id != run.id, newest.release_id) == (True, release.id)


def test_one_works_at_a_time_and_says_how_far_it_is(
    plans: Browser, session: Session, waiting: list[str]
) -> None:
    assert button(plans.page(WHERE)) == ["Work them out now"]
    now = datetime.now(UTC)
    work_id = working.begin(session, now=now)
    assert work_id is not None
    working.heard(session, work_id, 12, 91, now=now)

    page = plans.page(WHERE)
    assert "12 of 91 kinds of help." in page.text
    assert "Begun by itself" in page.text
    assert page.select_one("progress")["value"] == "12"  # type: ignore[index]
    assert tasks.work_out_access(is_asked=True) is False
    assert working.begin(session, now=now + timedelta(minutes=11)) not in (None, work_id)


def test_what_failed_or_was_cut_off_says_so_and_the_old_measures_stand(
    plans: Browser,
    session: Session,
    run: AccessRun,
    waiting: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    announce(session, None, now=LATER)
    plans.submit(WHERE)
    with monkeypatch.context() as broken:
        broken.setattr(operations, "keep", lambda *_given: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            tasks.work_out_access()

    page = plans.page(WHERE)
    assert "Something went wrong in the system" in page.text
    assert "division" not in page.text
    assert button(page) == ["Work them out again"]
    assert queries.latest(session) == run
    plans.submit(WHERE)
    work = working.latest(session)
    assert work is not None
    work.begin(datetime.now(UTC) - timedelta(minutes=11))
    page = plans.page(WHERE)
    assert "Nothing is heard of this work any more" in page.text
    assert button(page) == ["Work them out again"]


def test_ends_are_remembered_but_not_for_ever(session: Session, now: datetime) -> None:
    for minute in range(13):
        work_id = working.begin(session, now=now + timedelta(minutes=minute))
        assert work_id is not None
        working.end(session, work_id, None, now=now + timedelta(minutes=minute))
    assert len(session.scalars(select(AccessWork)).all()) == 10


@pytest.mark.parametrize("role", [Role.BROKER, Role.AGENCY, Role.ADMINISTRATOR, Role.SUPERVISOR])
def test_nobody_but_planners_opens_the_page_or_has_anything_worked_out(
    role: Role, browser: Browser, make: Make, waiting: list[str], session: Session
) -> None:
    browser.sign_in(make.user(role))

    assert [browser.get(WHERE).status_code, browser.post(WHERE).status_code] == [404, 404]
    assert (waiting, working.latest(session)) == ([], None)
