"""The supervisor's page."""

from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from referral.accounts.permissions import Role
from referral.casework import crisis
from referral.casework.models import CrisisCall, Handover
from tests.factories import Make


def test_a_supervisor_sees_the_cases_of_their_office_by_number_and_not_by_name(
    browser: Any, make: Make
) -> None:
    supervisor = make.user(Role.SUPERVISOR)
    assert supervisor.office
    broker = make.user(office=supervisor.office)
    ours = make.case(broker=broker, client=make.client(supervisor.office, name="Nama Rahasia"))
    theirs = make.case()
    browser.sign_in(supervisor)

    page = browser.page("/office/")

    assert [cell.text for cell in page.select("[aria-labelledby=cases] tbody th")] == [ours.number]
    assert broker.name in page.select_one("[aria-labelledby=cases] tbody").text
    assert theirs.number not in page.text
    assert "Nama Rahasia" not in page.text
    assert not browser.page("/office/?closed=1").select("[aria-labelledby=cases] tbody")


def test_who_is_alone_with_a_crisis_is_shown_until_a_second_person_has_looked(
    browser: Any, make: Make, session: Session, now: datetime
) -> None:
    supervisor = make.user(Role.SUPERVISOR)
    broker = make.user(office=supervisor.office)
    case = make.case(broker=broker, crisis_since=now)
    make.case(broker=broker)
    call = crisis.log_call(
        session,
        office=case.office,
        case=case,
        number="119",
        answered=True,
        outcome="Ambulans datang",
        by=broker,
        now=now,
    )
    session.commit()
    browser.sign_in(supervisor)

    page = browser.page("/office/")
    assert [heading.text for heading in page.select("section[aria-labelledby=alone] h3")] == [
        case.number
    ]
    assert "Ambulans" not in page.text
    browser.submit(page.select_one("section[aria-labelledby=alone] form")["action"])

    assert not browser.page("/office/").select("section[aria-labelledby=alone]")
    assert session.get_one(CrisisCall, call.id).reviewed_by_id == supervisor.id


def test_a_case_is_handed_over_with_a_note(browser: Any, make: Make, session: Session) -> None:
    supervisor = make.user(Role.SUPERVISOR)
    case = make.case(broker=make.user(office=supervisor.office))
    to = make.user(office=supervisor.office)
    browser.sign_in(supervisor)
    path = f"/office/cases/{case.id}/reassign"

    form = browser.page(path)
    assert [radio["value"] for radio in form.select("input[name=to]")] == [str(to.id)]
    page = browser.submit(path, {"to": str(to.id), "note": "Telepon tiap Senin."})

    assert to.name in page.select_one(".notice-good").text
    session.refresh(case)
    assert case.broker_id == to.id
    assert session.scalars(select(Handover)).one().note == "Telepon tiap Senin."


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"note": "x"}, "to"),
        ({"to": "nobody", "note": "x"}, "to"),
        ({"note": " "}, "note"),
        ({"note": "x" * 10_001}, "note"),
    ],
)
def test_a_wrong_handover_keeps_what_was_typed(
    browser: Any, make: Make, values: dict[str, str], field: str
) -> None:
    supervisor = make.user(Role.SUPERVISOR)
    case = make.case(broker=make.user(office=supervisor.office))
    to = make.user(office=supervisor.office)
    browser.sign_in(supervisor)
    typed = values if field == "to" else {"to": str(to.id)} | values

    page = browser.submit(f"/office/cases/{case.id}/reassign", typed, status=422)

    assert page.select_one(".error-summary a")["href"] == f"#{field}"
    assert page.select_one("#note").text == typed["note"]


def test_an_office_with_one_broker_says_so(browser: Any, make: Make) -> None:
    supervisor = make.user(Role.SUPERVISOR)
    case = make.case(broker=make.user(office=supervisor.office))
    browser.sign_in(supervisor)

    page = browser.page(f"/office/cases/{case.id}/reassign")

    assert page.select_one(".empty")
    assert not page.select("main form")


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.SUPERVISOR])
def test_the_page_is_there_for_supervisors_only(browser: Any, make: Make, role: Role) -> None:
    values = {"organization_id": make.organization().id} if role is Role.AGENCY else {}
    case = make.case()
    browser.sign_in(make.user(role, **values))

    assert browser.get("/office/").status_code == 404
    assert browser.get(f"/office/cases/{case.id}/reassign").status_code == 404


def test_a_case_of_another_office_is_not_there(
    browser: Any, make: Make, session: Session, now: datetime
) -> None:
    case = make.case(crisis_since=now)
    call = crisis.log_call(
        session,
        office=case.office,
        case=case,
        number="119",
        answered=None,
        outcome=None,
        by=case.broker,
        now=now,
    )
    session.commit()
    browser.sign_in(make.user(Role.SUPERVISOR))

    assert browser.get(f"/office/cases/{case.id}/reassign").status_code == 404
    assert browser.post(f"/office/cases/{case.id}/reassign", data={}).status_code == 404
    assert browser.post(f"/office/calls/{call.id}/review").status_code == 404
