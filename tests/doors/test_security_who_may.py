"""Nobody opens or changes what is not theirs, whichever address or id they try."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask

from referral.accounts import days_off
from referral.accounts.models import Role
from referral.casework import cover, crisis, meetings
from referral.casework.models import MeetingKind, OwnResource, Visibility
from referral.casework.own import helping, making
from referral.extensions import limiter
from referral.matching import operations as matching
from referral.matching import visit_plans
from referral.planning.unmet import ledger
from referral.planning.unmet.models import NewServiceNotice
from referral.referrals.advocacy.models import HarmReport, Obstacle
from referral.referrals.models import Task, TaskKind
from tests.scenes import NAME, NUMBER, STORY, Scene

#: Addresses about nobody in particular: they are tested where their feature is.
_NOT_ABOUT_A_PERSON = {
    *("pages", "directory", "fairness", "security", "static"),
    *("downloads", "duplicates", "hsds", "imports", "jobs", "listings", "routes", "upkeep", "v1"),
    *("gaps", "gap_files", "siting", "rehearsal"),  # counts: see test_planners_see_no_person
    "exchange",  # with a token, never signed in: test_exchange
}
_OF_PLANNERS = {"proposal_id"}


@pytest.fixture
def ids(session: Any, make: Any, now: Any) -> dict[str, Any]:
    """One of everything about a client, and who works with it."""
    scene = Scene(session, make, now)
    referral = scene.accepted()
    query = matching.query_for(session, scene.need, now=now)
    receipt = matching.match(
        session,
        query,
        by=scene.broker,
        now=now,
        office=scene.case.office,
        case=scene.case,
        need=scene.need,
    )
    call = crisis.log_call(
        session,
        office=scene.case.office,
        case=scene.case,
        number="112",
        answered=None,
        outcome=None,
        by=scene.broker,
        now=now,
    )
    plan = visit_plans.make(
        session, scene.case, [scene.need], by=scene.broker, now=now, at=now, within=None
    )
    unmet = ledger.record_unmet(session, scene.need, reason="U01", by=scene.broker, now=now)
    notice = NewServiceNotice(
        unmet_need_id=unmet.id,
        broker_id=scene.broker.id,
        service_at_location_id=scene.site.id,
        position=1,
        at=now,
    )
    session.add(notice)
    obstacle = Obstacle(
        key=scene.case.office.key,
        office=scene.case.office,
        service=scene.site.service,
        reason_code="at_capacity",
        opened_at=now,
        opened_by_id=scene.broker.id,
        owner=scene.broker,
        due_on=now.date(),
    )
    report = HarmReport(
        key=scene.case.key,
        referral=referral,
        service_id=referral.service_id,
        office_id=scene.case.office_id,
        at=now,
    )
    supervisor = make.user(Role.SUPERVISOR, office=scene.broker.office)
    covered = cover.begin(
        session,
        absent=scene.broker,
        covering=make.user(office=scene.broker.office),
        until=scene.day,
        by=supervisor,
        now=now,
    )
    closed = days_off.add(
        session, on=scene.day, name="HUT kantor", by=supervisor, today=scene.day, now=now
    )
    meeting = meetings.plan(
        session,
        scene.case,
        kind=MeetingKind.VISIT,
        at=now + timedelta(days=1),
        note=STORY,
        by=scene.broker,
        now=now,
    )
    task = Task(
        key=scene.case.key,
        case=scene.case,
        referral=referral,
        kind=TaskKind.ASK_TRANSPORT,
        due_on=scene.day,
        made_at=now,
    )
    session.add_all([obstacle, report, task])
    own = making.make_ourselves(
        session,
        scene.case,
        category="HE05",
        name=NAME,
        details={"phone": NUMBER},
        visibility=Visibility.CLIENT,
        helper_agreed=True,
        by=scene.broker,
        now=now,
    )
    helped = helping.record(session, own, scene.need, on=scene.day, by=scene.broker, now=now)
    session.flush()
    return {
        "scene": scene,
        "case_id": scene.case.id,
        "need_id": scene.need.id,
        "referral_id": referral.id,
        "receipt_id": receipt.id,
        "plan_id": plan.id,
        "call_id": call.id,
        "unmet_id": unmet.id,
        "notice_id": notice.id,
        "cover_id": covered.id,
        "day_id": closed.id,
        "meeting_id": meeting.id,
        "task_id": task.id,
        "basis_id": referral.basis_id,
        "user_id": scene.broker.id,
        "session_id": scene.broker.id,
        "token_id": scene.broker.id,
        "webhook_id": scene.broker.id,
        "obstacle_id": obstacle.id,
        "report_id": report.id,
        "own_id": own.id,
        "help_id": helped.id,
        "letter_id": scene.broker.id,
        "service_id": scene.site.service_id,
        "office_id": scene.case.office_id,
    }


def _addresses(app: Flask, ids: dict[str, Any]) -> list[tuple[str, str]]:
    found = []
    for rule in app.url_map.iter_rules():
        if rule.endpoint.split(".")[0] in _NOT_ABOUT_A_PERSON:
            continue
        if not rule.arguments or rule.arguments & _OF_PLANNERS:
            continue
        event = "sign" if "letter_id" in rule.arguments else "accept"
        words = {"event": event, "decision": "wait"}
        values = {name: ids.get(name, words.get(name)) for name in rule.arguments}
        with app.test_request_context():
            address = app.url_map.bind("x").build(rule.endpoint, values, method=None)
        found += [(method, address) for method in ("GET", "POST") if method in rule.methods]
    return sorted(set(found))


STRANGERS = ["same office", "supervisor", "agency", Role.PLANNER, Role.ADMINISTRATOR, None]


@pytest.mark.parametrize("stranger", STRANGERS, ids=str)
def test_no_stranger_opens_or_changes_anything_about_a_client(
    app: Flask, browser: Any, make: Any, session: Any, ids: dict[str, Any], stranger: Any
) -> None:
    scene: Scene = ids["scene"]
    user = {
        "same office": lambda: make.user(office=scene.broker.office),
        "supervisor": lambda: make.user(Role.SUPERVISOR),
        "agency": lambda: make.user(Role.AGENCY),
        None: lambda: None,
    }.get(stranger, lambda: make.user(stranger))()
    if user is not None:
        browser.sign_in(user)
    own = {"user_id", "office_id"} if user is not None and user.role is Role.ADMINISTRATOR else ()
    addresses = _addresses(app, ids)
    assert len(addresses) > 40
    let_in = []
    for method, address in addresses:
        if any(str(ids[name]) in address for name in own):
            continue
        data = {"site": str(scene.site.id), "version": "3", "first_contact_on": "2026-03-05"}
        answer = browser.open(address, method=method, data=data if method == "POST" else None)
        to_sign_in = answer.status_code == 303 and "/sign-in" in answer.headers["Location"]
        # A broker's notice that is not theirs leads back to their own cases.
        to_own = answer.status_code == 303 and answer.headers["Location"].endswith("/cases")
        if not (answer.status_code == 404 or to_sign_in or to_own):
            let_in.append((method, address, answer.status_code, answer.headers.get("Location")))
        assert not any(secret in answer.text for secret in (NAME, NUMBER, STORY, "Gang Fiktif"))
    assert let_in == []


def test_an_own_resource_of_the_office_stays_in_the_office(
    browser: Any, make: Any, session: Any, ids: dict[str, Any], now: Any
) -> None:
    scene: Scene = ids["scene"]
    making.make_ourselves(
        session,
        scene.case,
        category="HE05",
        name="Bu Tetangga Fiktif",
        details={},
        visibility=Visibility.OFFICE,
        helper_agreed=True,
        by=scene.broker,
        now=now,
    )
    other = make.case()
    other_need = make.need(other)
    assert session.query(OwnResource).count() == 2
    browser.sign_in(other.broker)
    page = browser.page(f"/cases/{other.id}")
    assert "Bu Tetangga Fiktif" not in page.text
    receipt = browser.submit(f"/needs/{other_need.id}/match")
    assert "Bu Tetangga Fiktif" not in receipt.text


@pytest.mark.parametrize("role", [*Role, None], ids=str)
def test_no_person_opens_what_is_for_other_systems(
    app: Flask, browser: Any, make: Any, role: Role | None
) -> None:
    if role is not None:
        browser.sign_in(make.user(role))
    limiter.init_app(app)
    rules = [
        rule
        for rule in app.url_map.iter_rules()
        if hasattr(app.view_functions[rule.endpoint], "scope")
    ]
    answers = {}
    for rule in rules:
        with app.test_request_context():
            values = {name: uuid4() for name in rule.arguments}
            address = app.url_map.bind("x").build(rule.endpoint, values, method=None)
        for method in rule.methods - {"HEAD"}:
            limiter.reset()
            answer = browser.open(address, method=method, json={})
            answers[method, address] = answer.status_code

    assert {asked: status for asked, status in answers.items() if status != 401} == {}
    assert ("POST", "/api/v1/match") in answers
