"""An agency's own system reads what was sent to it in FHIR, and answers with a Task."""

import json
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from werkzeug.test import TestResponse

from referral.accounts import tokens
from referral.accounts.models import Role
from referral.changes.models import AuditEntry
from referral.core.errors import Invalid
from referral.referrals.exchange import fhir, operations
from referral.referrals.exchange.updates import update_of
from referral.referrals.lifecycle import Event, Status
from referral.referrals.models import Channel, Referral
from tests.conftest import Browser
from tests.factories import Make
from tests.fhir_r4 import problems
from tests.scenes import FIELDS, NAME, NUMBER, STORY, Scene

PERSONAL = (NAME, NUMBER, STORY, "Gang Fiktif", "HE05")
WHERE = "/api/v1/referrals"


class System:
    """An agency's own system with its token."""

    def __init__(self, browser: Browser, scene: Scene, organization_id: Any = None) -> None:
        by = scene.make.user(Role.ADMINISTRATOR)
        issued = tokens.issue(
            scene.session,
            name="Panti",
            office_id=None,
            organization_id=organization_id or scene.site.service.organization_id,
            scopes=["referral"],
            days=10,
            by=by,
            now=datetime.now(UTC),
        )
        self.browser = browser
        self.headers = {"Authorization": f"Bearer {issued.text}"}

    def get(self, path: str = "") -> TestResponse:
        return self.browser.get(WHERE + path, headers=self.headers)

    def post(self, referral: Referral, task: Any) -> TestResponse:
        return self.browser.post(f"{WHERE}/{referral.id}", headers=self.headers, json=task)


@pytest.fixture
def system(browser: Browser, scene: Scene) -> System:
    return System(browser, scene)


def task(referral: Referral, status: str, **more: Any) -> dict[str, Any]:
    meta = {"versionId": str(referral.version)}
    return {"resourceType": "Task", "status": status, "meta": meta} | more


def test_before_the_yes_the_document_is_blind_and_after_it_holds_what_was_agreed(
    system: System, scene: Scene
) -> None:
    scene.consent("name", "contact")
    referral = scene.draft()
    scene.take(referral, Event.SEND)
    blind = system.get(f"/{referral.id}").get_json()
    scene.take(referral, Event.ACCEPT, first_contact_on=scene.day)
    known = system.get(f"/{referral.id}").get_json()
    scene.take(referral, Event.FAIL, reason="no_show")
    over = system.get(f"/{referral.id}").get_json()

    for bundle in (blind, known, over):
        assert problems(bundle) == []
    for bundle in (blind, over):
        assert not [word for word in PERSONAL if word in json.dumps(bundle)]
    (patient,) = [
        one["resource"] for one in known["entry"] if one["resource"]["resourceType"] == "Patient"
    ]
    assert (patient["name"], patient["telecom"][0]["value"]) == ([{"text": NAME}], NUMBER)
    assert not [word for word in (STORY, "Gang Fiktif", "HE05") if word in json.dumps(known)]
    assert [one["resource"]["resourceType"] for one in known["entry"]] == [
        "Composition",
        "Task",
        "ServiceRequest",
        "HealthcareService",
        "Organization",
        "Organization",
        "Patient",
        "Location",
        "Consent",
    ]


def test_reading_of_a_person_is_kept_and_reading_a_blind_card_is_not(
    system: System, scene: Scene
) -> None:
    referral = scene.sent()
    system.get(f"/{referral.id}")
    reads = select(AuditEntry).where(AuditEntry.action == "referral.read")
    blind = len(scene.session.scalars(reads).all())
    scene.take(referral, Event.ACCEPT, first_contact_on=scene.day)
    system.get(f"/{referral.id}")

    (read,) = scene.session.scalars(reads).all()
    assert blind == 0
    assert (read.actor_role, read.client_id) == ("agency", scene.case.client_id)


def test_a_system_walks_a_referral_to_its_end(system: System, scene: Scene) -> None:
    referral = scene.sent()
    day = scene.day.isoformat()
    steps = [
        task(referral, "received"),
        lambda: task(referral, "accepted", executionPeriod={"start": day}),
        lambda: task(
            referral, "in-progress", executionPeriod={"start": day}, note=[{"text": "datang"}]
        ),
        lambda: task(referral, "in-progress", note=[{"text": "kontrol kedua"}]),
        lambda: task(
            referral,
            "completed",
            executionPeriod={"end": day},
            output=[{"valueCodeableConcept": {"coding": [{"code": "received"}]}}],
        ),
    ]

    answers = [system.post(referral, one() if callable(one) else one).get_json() for one in steps]

    assert [one["status"] for one in answers] == [
        "received",
        "accepted",
        "in-progress",
        "in-progress",
        "completed",
    ]
    assert {step.channel for step in referral.steps[1:]} == {Channel.SYSTEM}
    assert referral.outcome == "received"


@pytest.mark.parametrize("version", ["²", "9" * 5_000])
def test_a_version_that_is_no_number_is_refused(system: System, scene: Scene, version: str) -> None:
    referral = scene.sent()

    answer = system.post(referral, task(referral, "received", meta={"versionId": version}))

    assert answer.status_code == 422
    assert answer.json["field"] == "meta.versionId"


def test_an_old_version_is_told_what_it_is_now(system: System, scene: Scene) -> None:
    referral = scene.sent()
    old = task(referral, "received")
    scene.take(referral, Event.ASK, note="?")

    answer = system.post(referral, old)

    assert answer.status_code == 409
    assert answer.get_json()["candidates"] == [int(old["meta"]["versionId"]), referral.version]
    assert referral.status is Status.REQUESTED


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"resourceType": "Patient"}, "resourceType"),
        ({"status": "in-flight"}, "status"),
        ({"status": "draft"}, "status"),
        ({"meta": {}}, "meta.versionId"),
        ({"status": "rejected"}, "reason"),
        ({"status": "accepted", "executionPeriod": {"start": "besok"}}, "executionPeriod.start"),
        ({"status": "rejected", "statusReason": {"coding": [{"code": "no_show"}]}}, "reason"),
    ],
)
def test_a_step_that_lacks_something_is_refused_with_its_element(
    system: System, scene: Scene, change: dict[str, Any], field: str
) -> None:
    referral = scene.sent()

    answer = system.post(referral, task(referral, "received") | change)

    assert (answer.status_code, answer.get_json()["field"]) == (422, field)
    assert referral.status is Status.REQUESTED


def test_nobody_reads_or_answers_what_was_sent_to_others(
    browser: Browser, scene: Scene, make: Make
) -> None:
    referral = scene.sent()
    draft = scene.make.need(scene.case)
    other = System(browser, scene, make.organization().id)
    scene.need = draft
    kept = scene.draft(known_service_reason="x")
    own = System(browser, scene)

    assert other.get().get_json()["total"] == 0
    assert other.get(f"/{referral.id}").status_code == 404
    assert other.post(referral, task(referral, "received")).status_code == 404
    assert own.get(f"/{kept.id}").status_code == 404
    assert own.get(f"/{uuid4()}").status_code == 404
    assert browser.get(WHERE).status_code == 401
    assert [one["resource"]["status"] for one in own.get().get_json()["entry"]] == ["requested"]


def test_what_a_worker_hands_on_is_whole_and_sound(scene: Scene) -> None:
    referral = scene.completed()

    bundle = fhir.document(operations.told_to_worker(scene.session, referral), at=scene.now)

    assert problems(bundle) == []
    text = json.dumps(bundle, ensure_ascii=False)
    assert [word for word in PERSONAL if word not in text] == []
    assert set(FIELDS) == set(referral.released or {}) - {"contact_rules"}


def test_the_check_of_documents_finds_what_is_wrong(scene: Scene) -> None:
    bundle = fhir.document(operations.told_to_worker(scene.session, scene.sent()), at=scene.now)
    entries = bundle["entry"]
    entries[1]["resource"]["status"] = "in-flight"
    del entries[2]["resource"]["intent"]
    entries[1]["resource"]["owner"] = {"reference": "urn:uuid:nowhere"}
    entries.append({"fullUrl": "x", "resource": {"resourceType": "Device"}})
    entries.append(entries.pop(0))

    assert sorted(problems(bundle)) == [
        "Bundle: a document begins with its Composition",
        "Device has no place here",
        "ServiceRequest.intent is missing",
        "Task.status: in-flight is not in the value set",
        "Task: urn:uuid:nowhere is not here",
    ]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["coding", "code", "text", "start", "end", "period", "versionId"]),
            inner,
        )
    ),
    max_leaves=8,
)


@given(
    st.sampled_from(list(Status)),
    st.fixed_dictionaries(
        {"resourceType": st.just("Task")},
        optional=dict.fromkeys(
            ["status", "meta", "statusReason", "note", "executionPeriod", "output", "restriction"],
            json_values,
        ),
    ),
)
def test_whatever_a_system_sends_is_a_step_or_a_refusal(
    status: Status, sent: dict[str, Any]
) -> None:
    def outcome() -> str | None:
        try:
            return update_of(sent, status=status).event
        except Invalid as error:
            return error.field

    assert outcome()


def test_a_hold_ends_by_any_status_that_helps() -> None:
    read = {"resourceType": "Task", "meta": {"versionId": "3"}}
    told = {
        wanted: update_of(read | {"status": wanted}, status=Status.ON_HOLD).event
        for wanted in ("requested", "accepted", "in-progress", "completed", "failed", "cancelled")
    }

    assert told == {
        "requested": Event.RESUME,
        "accepted": Event.RESUME,
        "in-progress": Event.RESUME,
        "completed": Event.COMPLETE,
        "failed": Event.FAIL,
        "cancelled": Event.CANCEL,
    }


def test_the_worker_hands_on_a_referral_as_a_file(browser: Browser, scene: Scene) -> None:
    referral = scene.completed()
    address = f"/referrals/{referral.id}/fhir.json"
    answer = browser.sign_in(scene.broker).get(address)
    page = browser.page(f"/referrals/{referral.id}")
    browser.post("/sign-out")

    assert problems(answer.get_json()) == []
    assert answer.headers["Cache-Control"] == "no-store"
    assert NAME not in answer.headers["Content-Disposition"]
    assert page.select(f'a[href="{address}"]')
    assert browser.sign_in(scene.agency).get(address).status_code == 404
