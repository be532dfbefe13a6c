"""Danger to life: numbers first, the log afterwards, a second person's look."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from referral.accounts.models import Role, User
from referral.casework.models import Case, CrisisCall
from referral.web.casework.crisis import next_number
from tests.factories import Make

A, B = {"number": "112", "dial": "112"}, {"number": "119", "dial": "119"}


def call(number: str, minutes_ago: float, *, answered: bool | None) -> CrisisCall:
    at = datetime(2026, 3, 2, 3, 0, tzinfo=UTC) - timedelta(minutes=minutes_ago)
    return CrisisCall(number=number, called_at=at, answered=answered)


@pytest.mark.parametrize(
    ("calls", "expected"),
    [
        ([], None),
        ([call("112", 1, answered=None)], None),
        ([call("112", 5, answered=None)], B),
        ([call("112", 1, answered=False)], B),
        ([call("112", 9, answered=True)], None),
        ([call("119", 0, answered=False), call("112", 4, answered=False)], A),
    ],
)
def test_the_next_number_is_due_after_no_answer_or_five_minutes(
    calls: list[CrisisCall], expected: dict[str, str] | None
) -> None:
    at = datetime(2026, 3, 2, 3, 0, tzinfo=UTC)

    assert next_number([A, B], calls, at) == expected


def test_numbers_need_neither_case_nor_anything_filled_in(mine: Any) -> None:
    page = mine.page("/crisis")

    main = page.select_one("main")
    assert main.find(["section", "h1"])["class"] == ["crisis"]
    assert main.select('.crisis a[href^="tel:"]')
    assert "113" not in page.title.text


def test_calls_are_logged_without_a_case(mine: Any, session: Session) -> None:
    number = mine.page("/crisis").select_one(".crisis-number").text

    page = mine.submit(
        "/crisis", {"number": number, "answered": "yes", "outcome": "Ambulans jalan"}
    )

    logged = session.scalars(select(CrisisCall)).one()
    assert (logged.case_id, logged.number, logged.answered) == (None, number, True)
    assert logged.outcome == "Ambulans jalan"
    assert "Ambulans jalan" in page.text


def test_a_call_marks_the_case_as_a_crisis_and_an_unanswered_one_brings_the_next_number(
    mine: Any, session: Session, case: Case
) -> None:
    address = f"/cases/{case.id}/crisis"
    first, second = [tag.text for tag in mine.page(address).select(".crisis-number")][:2]

    page = mine.submit(address, {"number": first, "answered": "no"})

    session.expire_all()
    assert case.crisis_since is not None
    assert page.select_one(".crisis-number").text == second


def test_what_came_of_a_ringing_call_is_told_once(mine: Any, session: Session, case: Case) -> None:
    address = f"/cases/{case.id}/crisis"
    number = mine.page(address).select_one(".crisis-number").text
    page = mine.submit(address, {"number": number, "answered": "ringing"})
    tell = page.select_one('form[action^="/crisis/calls/"]')["action"]
    # The next number waits on the page for the five minutes, hidden, and is said in words.
    assert page.select_one("[data-due] [hidden] a[href^=tel]") is not None

    bad = mine.submit(tell, {"told": "", "told_outcome": "dr. Sari"}, status=422)
    assert bad.select_one("#told_outcome").text == "dr. Sari"
    mine.submit(tell, {"told": "yes", "told_outcome": "dr. Sari"})
    mine.submit(tell, {"told": "no"}, status=409)

    logged = session.scalars(select(CrisisCall)).one()
    assert (logged.answered, logged.outcome) == (True, "dr. Sari")


def test_another_number_is_sealed_and_not_kept_in_the_open(
    mine: Any, session: Session, case: Case
) -> None:
    given = {"number": "other", "other_number": "kakaknya 0812 3456 7890", "answered": "yes"}

    mine.submit(f"/cases/{case.id}/crisis", given)

    logged = session.scalars(select(CrisisCall)).one()
    assert (logged.number, logged.outcome) == ("other", "kakaknya 0812 3456 7890")


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("number", {"number": "0900-SCAM"}),
        ("number", {"number": ""}),
        ("answered", {"answered": "maybe"}),
        ("other_number", {"number": "other"}),
        ("called_at", {"called_at": "2999-01-01T10:00"}),
        ("called_at", {"called_at": "yesterday"}),
        ("outcome", {"outcome": "x" * 10_001}),
    ],
)
def test_a_bad_log_entry_is_named_and_kept_below_the_numbers(
    mine: Any, session: Session, case: Case, field: str, values: dict[str, str]
) -> None:
    address = f"/cases/{case.id}/crisis"
    number = mine.page(address).select_one(".crisis-number").text
    given = {"number": number, "answered": "yes", "outcome": "dijemput"} | values

    page = mine.submit(address, given, status=422)

    assert page.select_one("main").find(["section", "h1"])["class"] == ["crisis"]
    assert page.select_one(f'.error-summary a[href="#{field}"]') is not None
    assert page.select_one("#outcome").text == given["outcome"]
    assert session.scalars(select(CrisisCall)).all() == []


def test_a_crisis_starts_and_ends(mine: Any, session: Session, case: Case) -> None:
    mine.submit(f"/cases/{case.id}/crisis/start")
    session.expire_all()
    since = case.crisis_since
    assert since is not None
    mine.submit(f"/cases/{case.id}/crisis/start")
    session.expire_all()
    assert case.crisis_since == since, "the clock of the review runs from the first"
    mine.submit(f"/cases/{case.id}/stage", {"stage": "closed"}, status=409)

    mine.submit(f"/cases/{case.id}/crisis/end")

    session.expire_all()
    assert case.crisis_since is None


def test_the_supervisor_sees_what_is_due_and_reviews(
    browser: Any, session: Session, make: Make, broker: User, case: Case
) -> None:
    long_ago = datetime.now(UTC) - timedelta(hours=25)
    session.add(
        CrisisCall(
            key=case.key,
            office_id=case.office_id,
            case_id=case.id,
            by_id=broker.id,
            number="112",
            called_at=long_ago,
            answered=True,
        )
    )
    browser.sign_in(make.user(Role.SUPERVISOR, office=broker.office))

    page = browser.page(f"/cases/{case.id}/crisis")
    browser.submit(page.select_one('form[action*="/review"]')["action"])

    session.expire_all()
    assert session.scalars(select(CrisisCall)).one().reviewed_at is not None
    assert browser.page(f"/cases/{case.id}/crisis").select('form[action*="/review"]') == []


@pytest.mark.parametrize("role", [Role.PLANNER, Role.ADMINISTRATOR])
def test_the_log_is_not_there_for_those_who_meet_no_clients(
    browser: Any, session: Session, make: Make, role: Role
) -> None:
    browser.sign_in(make.user(role))

    assert browser.get("/crisis").status_code == 404


def test_nobody_tells_what_came_of_another_brokers_call(
    browser: Any, session: Session, make: Make, broker: User, case: Case
) -> None:
    row = CrisisCall(
        key=case.key,
        office_id=case.office_id,
        case_id=case.id,
        by_id=broker.id,
        number="112",
        called_at=make.now,
    )
    session.add(row)
    browser.sign_in(make.user(office=broker.office))

    assert browser.post(f"/crisis/calls/{row.id}", data={"told": "yes"}).status_code == 404
