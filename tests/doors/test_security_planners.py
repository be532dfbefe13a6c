"""Planners' rooms for everybody else: whichever address and method, there is nothing, and nothing is written."""

from datetime import datetime
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from referral.accounts.models import Role, User
from referral.accounts.permissions import HOLDERS, PUBLIC
from referral.planning.proposals import operations as proposing
from referral.planning.proposals import parts
from referral.planning.siting.models import NOTHING_YET, SitingCase
from referral.tables import metadata
from tests.conftest import Browser
from tests.factories import Make

ROOMS = ("proposals", "siting", "gaps", "gap_files", "rehearsal")


@pytest.fixture
def planner(make: Make) -> User:
    return make.user(Role.PLANNER)


@pytest.fixture
def ids(session: Session, make: Make, planner: User, now: datetime) -> dict[str, Any]:
    proposal = proposing.propose(
        session,
        category="FC05",
        area_code="33.74",
        title="TPA",
        problem="",
        capacity=20,
        by=planner,
        now=now,
    )
    partner = parts.add_partner(session, proposal, name="PKK", part="", by=planner, now=now)
    case = SitingCase(
        category="FC05",
        area_code="33",
        made_by_id=planner.id,
        question={},
        answer=NOTHING_YET,
        directory_version=1,
    )
    case.wait(now)
    session.add(case)
    session.flush()
    return {
        "proposal_id": proposal.id,
        "part_id": partner.id,
        "case_id": case.id,
        "service_id": make.service("FC05").service_id,
    }


def addresses(app: Flask, ids: dict[str, Any]) -> list[tuple[str, str]]:
    """Every address of these rooms that is not public, with each of its methods."""
    found = []
    for rule in app.url_map.iter_rules():
        permissions = getattr(app.view_functions[rule.endpoint], "permissions", ())
        if rule.endpoint.split(".")[0] not in ROOMS or PUBLIC in permissions:
            continue
        values = dict(ids)
        for name in rule.arguments:
            choices = getattr(rule._converters[name], "items", None)
            values[name] = sorted(choices)[0] if choices else ids[name]
        address = app.url_map.bind("x").build(
            rule.endpoint, {name: values[name] for name in rule.arguments}
        )
        found += [(method, address) for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}]
    return sorted(found)


def sizes(session: Session) -> dict[str, int]:
    return {
        name: session.scalar(select(func.count()).select_from(table)) or 0
        for name, table in metadata.tables.items()
    }


STRANGERS = [*(role for role in Role if role not in HOLDERS["gap:read"]), "gone", None]


@pytest.mark.parametrize("stranger", STRANGERS, ids=str)
def test_for_everybody_else_planners_rooms_are_not_there(
    app: Flask, browser: Browser, session: Session, make: Make, ids: dict[str, Any], stranger: Any
) -> None:
    if stranger is not None:
        user = make.user(Role.PLANNER if stranger == "gone" else stranger)
        browser.sign_in(user)
        user.active = stranger != "gone"  # in the middle of what they were doing
        session.commit()
    before, let_in = sizes(session), []
    asked = addresses(app, ids)
    for method, address in asked:
        answer = browser.open(address, method=method, data={"seen": "1", "title": "x"})
        to_sign_in = answer.status_code == 303 and "/sign-in" in answer.headers["Location"]
        if not (answer.status_code == 404 or to_sign_in):
            let_in.append((method, address, answer.status_code))

    assert (let_in, sizes(session)) == ([], before)
    assert len(asked) > 30


def test_a_form_without_its_token_changes_nothing(
    app: Flask, browser: Browser, session: Session, planner: User, ids: dict[str, Any]
) -> None:
    browser.sign_in(planner)
    before = sizes(session)
    app.config["WTF_CSRF_ENABLED"] = True
    try:
        answers = {
            address: browser.post(address, data={"seen": "1"}).status_code
            for method, address in addresses(app, ids)
            if method == "POST"
        }
    finally:
        app.config["WTF_CSRF_ENABLED"] = False

    assert {address: code for address, code in answers.items() if code != 400} == {}
    assert (len(answers) > 10, sizes(session)) == (True, before)


def test_ids_of_another_kind_or_of_another_proposal_name_nothing(
    app: Flask, browser: Browser, session: Session, planner: User, ids: dict[str, Any], now: Any
) -> None:
    other = proposing.propose(
        session,
        category="FC05",
        area_code="33.74",
        title="TPA lain",
        problem="",
        capacity=None,
        by=planner,
        now=now,
    )
    session.flush()
    browser.sign_in(planner)
    before = sizes(session)
    for part in ("partners", "tasks", "budget"):
        address = f"/proposals/{other.id}/{part}/{ids['part_id']}"
        browser.submit(address, {"do": "remove"}, status=404)
    mixed = {
        "proposal_id": ids["case_id"],
        "case_id": ids["proposal_id"],
        "service_id": ids["proposal_id"],
        "part_id": uuid4(),
    }
    named = [one for one in addresses(app, mixed) if any(str(i) in one[1] for i in mixed.values())]
    found = [
        (method, address)
        for method, address in named
        if browser.open(address, method=method, data={"seen": "1"}).status_code != 404
    ]

    assert (found, sizes(session)) == ([], before)
