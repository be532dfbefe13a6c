"""What a supervisor and a planner read of waiting times and of the spread: published counts, never a person."""

import csv
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pytest
from bs4 import BeautifulSoup
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from referral.accounts.models import Office, Role
from referral.changes.models import AuditEntry
from referral.extensions import db
from referral.jobs import tasks
from referral.jobs.queue import jobs
from referral.planning.fairness import spread, waiting
from referral.planning.fairness.models import FairnessRelease
from referral.planning.gaps.periods import quarter_of
from referral.referrals.models import Referral
from tests.conftest import Browser
from tests.factories import Make
from tests.features.test_fairness import send  # noqa: F401 - a fixture

PERSON_TABLES = {"client", "case", "need", "beneficiary", "referral", "match_receipt"}


@cache
def content() -> dict[str, Any]:
    """A release in which women waited three days longer than men, and one agency took most."""
    waits = []
    for at in range(60):
        is_woman = at % 2 == 0
        days = (9 if is_woman else 6) + at % 3 - 1
        groups = {
            "sex": "female" if is_woman else "male",
            "age": "25-59",
            "disability": "recorded" if at in (0, 6, 12) else "none",
            "area": "33.74" if at < 40 else "+",
        }
        met = waiting.Spell(40, "waiting") if at % 4 else waiting.Spell(days + 5)
        waits.append(
            waiting.Wait(at % 3, groups, {"decision": waiting.Spell(days), "contact": met})
        )
    sent = [
        spread.Sent(client, "busy" if client < 40 else "=quiet", "HE05", client % 3)
        for client in range(60)
    ]
    return {
        "waiting": waiting.report(waits, threshold=5),
        "spread": spread.report(
            sent,
            [spread.Offer("busy", frozenset({"HE05"}), 30)],
            names={"busy": "Yayasan Ramai", "=quiet": "=Sepi()"},
            domain_of=lambda code: code[:2],
            threshold=5,
        ),
    }


def release(session: Session, office: Office | None) -> FairnessRelease:
    now = datetime.now(UTC)
    row = FairnessRelease(
        office_id=office and office.id,
        quarter=quarter_of(now),
        made_at=now,
        threshold=5,
        content=content(),
    )
    session.add(row)
    session.commit()
    return row


def english(browser: Browser) -> Browser:
    browser.post("/language/en", data={"next": "/"})
    return browser


def sentences(page: BeautifulSoup) -> list[str]:
    return [item.text for item in page.select("[aria-labelledby=words-title] li")]


@contextmanager
def tables_read() -> Iterator[set[str]]:
    """The tables that statements name meanwhile."""
    read: set[str] = set()

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        read.update(re.findall(r'(?:FROM|JOIN)\s+"?(\w+)"?', statement))

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield read
    finally:
        event.remove(db.engine, "before_cursor_execute", note)


def test_a_planner_reads_a_sentence_for_each_finding(
    browser: Browser, make: Make, session: Session
) -> None:
    release(session, None)
    english(browser.sign_in(make.user(Role.PLANNER)))

    page = browser.page("/fairness/")

    assert sentences(page) == [
        "Half of 60 people had a yes or no within 7 days.",
        "Women and girls waited 3 days longer than men and boys for a yes or no: "
        "half had it within 9 and 6 days (30 and 30 people).",
        *(
            f"Too few people to compare {cut} without giving somebody away."
            for cut in ("age groups", "people with and without a disability", "areas")
        ),
    ]
    assert "not the population" in page.text
    assert page.select("svg.waitbar rect")
    women = page.select_one("#decision-sex ~ details tbody tr")
    assert [cell.text for cell in women.select("th, td")][:4] == [  # type: ignore[union-attr]
        "Women and girls",
        "30",
        "9",
        "0",
    ]
    assert not page.select("form[action='/fairness/make']")


def test_the_page_speaks_indonesian(browser: Browser, make: Make, session: Session) -> None:
    release(session, None)
    browser.sign_in(make.user(Role.PLANNER))

    assert sentences(browser.page("/fairness/"))[1] == (
        "Perempuan menunggu jawaban ya atau tidak 3 hari lebih lama daripada laki-laki: separuhnya "
        "sudah mendapatnya dalam 9 hari berbanding 6 hari (30 dan 30 orang)."
    )


def test_a_small_group_is_shown_as_fewer_than_five_or_not_at_all(
    browser: Browser, make: Make, session: Session
) -> None:
    release(session, None)
    browser.sign_in(make.user(Role.PLANNER))

    shown = {
        cell.text
        for months in (3, 6, 12)
        for of in ("decision", "contact")
        for row in browser.page(f"/fairness/?of={of}&months={months}").select("tbody tr")
        for at, cell in enumerate(row.select("td"))
        if at != 1  # days, not people
    }

    assert {"<5", "–", "0"} <= shown
    assert shown & {"1", "2", "3", "4"} == set()


def test_the_spread_names_the_busiest_agency_beside_an_equal_share(
    browser: Browser, make: Make, session: Session
) -> None:
    release(session, None)
    english(browser.sign_in(make.user(Role.PLANNER)))

    page = browser.page("/fairness/?of=spread&months=12")

    assert "40 of 60 people went to Yayasan Ramai, 67 %. If the 2 agencies" in page.text
    assert "each would have 50 %" in page.text
    rows = [[cell.text for cell in row.select("th, td")] for row in page.select("tbody tr")]
    assert rows == [
        ["Yayasan Ramai", "40", "67 %", "30"],
        ["=Sepi()", "20", "33 %", "not known"],
        ["Together", "60", "100 %", "30"],
    ]


@pytest.mark.parametrize("months", ["3", "6", "12", "5", "x"])
@pytest.mark.parametrize("side", ["decision", "contact", "spread", "elsewhere"])
def test_every_side_and_period_is_a_page(
    side: str, months: str, browser: Browser, make: Make, session: Session
) -> None:
    release(session, None)
    browser.sign_in(make.user(Role.PLANNER))

    page = browser.page(f"/fairness/?of={side}&months={months}")

    chosen = page.select_one("select[name=months] [selected]")
    assert chosen is not None
    assert chosen["value"] == (months if months in ("3", "6", "12") else "12")


def test_the_download_holds_what_the_page_shows_and_no_formula(
    browser: Browser, make: Make, session: Session
) -> None:
    release(session, None)
    english(browser.sign_in(make.user(Role.PLANNER)))

    answer = browser.get("/fairness/spread.csv?months=12")

    lines = list(csv.reader(io.StringIO(answer.text)))
    assert answer.mimetype == "text/csv"
    assert lines[0] == ["Comparison", "Agency", "People", "Share", "Room it has told"]
    assert lines[2][1:3] == ["'=Sepi()", "20"]
    waits = list(csv.reader(io.StringIO(browser.get("/fairness/decision.csv").text)))
    assert waits[1][:4] == ["Everybody", "Everybody", "60", "7"]


@pytest.mark.parametrize("role", [Role.BROKER, Role.AGENCY, Role.ADMINISTRATOR])
@pytest.mark.parametrize("path", ["/fairness/", "/fairness/decision.csv", "/fairness/spread.csv"])
def test_for_others_it_is_not_there(
    role: Role, path: str, browser: Browser, make: Make, session: Session
) -> None:
    release(session, None)
    browser.sign_in(make.user(role))

    assert browser.get(path).status_code == 404
    assert browser.post("/fairness/make").status_code == 404


def test_a_supervisor_sees_the_own_office_and_no_other_nor_all_together(
    browser: Browser, make: Make, session: Session
) -> None:
    supervisor = make.user(Role.SUPERVISOR)
    release(session, None)
    release(session, make.office())
    browser.sign_in(supervisor)

    page = browser.page("/fairness/")

    assert not page.select("tbody tr")
    assert browser.get("/fairness/decision.csv").status_code == 404
    release(session, supervisor.office)
    assert browser.page("/fairness/").select("tbody tr")


def test_reading_the_figures_reads_no_table_about_people(
    browser: Browser, make: Make, session: Session
) -> None:
    release(session, None)
    browser.sign_in(make.user(Role.PLANNER))

    with tables_read() as read:
        for side in ("decision", "contact", "spread"):
            browser.page(f"/fairness/?of={side}")
            browser.get(f"/fairness/{side}.csv")

    assert "fairness_release" in read
    assert read & PERSON_TABLES == set()


def test_a_planner_can_not_have_files_opened_and_a_supervisor_only_the_own_office_s(
    browser: Browser, make: Make, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, str]] = []
    supervisor = make.user(Role.SUPERVISOR)
    session.commit()
    monkeypatch.setattr(jobs(), "publish_fairness_of", lambda *given: asked.append(given))
    browser.sign_in(make.user(Role.PLANNER))
    assert browser.post("/fairness/make").status_code == 404
    browser.post("/sign-out")
    browser.sign_in(supervisor)

    page = browser.submit("/fairness/make")

    assert asked == [(str(supervisor.office_id), str(supervisor.id))]
    assert page.select("form[action='/fairness/make']")


def test_the_job_counts_opens_and_drops_once_for_each_office_and_leaves_a_trace(
    browser: Browser,
    make: Make,
    session: Session,
    send: Any,  # noqa: F811 - the fixture
) -> None:
    site, supervisor = make.service(), make.user(Role.SUPERVISOR)
    broker = make.user(office=supervisor.office)
    for at in range(12):
        sent: Referral = send(site, broker=broker, decided=None, facts={"sex": "female"})
        sent.requested_at = datetime.now(UTC) - timedelta(days=at)
    session.commit()

    assert tasks.publish_fairness_of(str(supervisor.office_id), str(supervisor.id))
    assert not tasks.publish_fairness_of(str(supervisor.office_id), str(supervisor.id))
    assert tasks.publish_fairness() == 1
    assert tasks.publish_fairness() == 0

    entries = session.scalars(
        select(AuditEntry).where(AuditEntry.action == "fairness.made").order_by(AuditEntry.seq)
    ).all()
    assert [(entry.actor_role, entry.actor_id) for entry in entries] == [
        ("supervisor", supervisor.id),
        ("system", None),
    ]
    made = session.scalars(select(FairnessRelease)).all()
    assert {row.office_id for row in made} == {supervisor.office_id, None}
    browser.sign_in(supervisor)
    page = browser.page("/fairness/")
    assert page.select("#decision-sex ~ details tbody tr td")[0].text == "12"
    assert not page.select("form[action='/fairness/make']")


def test_before_there_are_figures_the_page_says_when_they_come(
    browser: Browser, make: Make, session: Session
) -> None:
    session.commit()
    english(browser.sign_in(make.user(Role.PLANNER)))

    page = browser.page("/fairness/")

    assert "at least 10 people" in page.text
    assert not page.select("form[action='/fairness/make']")
    assert "SHA-256" in page.text
