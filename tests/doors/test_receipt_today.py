"""A receipt beside today: the command for who runs the machine, the page for who works the case."""

import json
import os
import subprocess
import sys
from typing import Any

import pytest
from sqlalchemy import select

from referral.accounts.models import Office, Role, User
from referral.casework.models import Case
from referral.changes.directory import announce
from referral.changes.models import AuditEntry
from referral.config import ROOT, Settings
from referral.directory.models import ServiceStatus
from referral.extensions import db
from referral.factory import create_app
from referral.matching import operations
from referral.matching.models import MatchReceipt, PenaltyTable
from tests.factories import SEMARANG, Make
from tests.scenes import Scene

NAME = "Dewi Fiktif"


def kept(make: Make) -> MatchReceipt:
    """The receipt of a need of somebody of whom much is known."""
    case = make.case()
    case.client.name = NAME
    case.client.stays_at = {"lat": -6.98, "lon": 110.41, "precision_km": 0.0}
    case.client.facts = {"age_years": 16, "sex": "female", "languages": ["jav"], "desil": 2}
    need = make.need(case)
    make.session.flush()
    receipt = operations.match(
        make.session,
        operations.query_for(make.session, need, now=make.now),
        by=case.broker,
        now=make.now,
        office=case.office,
        case=case,
        need=need,
    )
    make.session.flush()
    return receipt


@pytest.fixture
def site(make: Make) -> Any:
    return make.service(name="Dekat", at=SEMARANG)


@pytest.fixture
def receipt(make: Make, site: Any) -> MatchReceipt:
    make.service(name="Jauh", at=(-7.2, 110.5))
    return kept(make)


def closed(make: Make, site: Any) -> None:
    site.service.status = ServiceStatus.DEFUNCT
    announce(make.session, site.service_id, now=make.now)
    make.session.flush()


# The command --------------------------------------------------------------------------------------


def test_an_unchanged_receipt_ends_with_0(cli: Any, receipt: MatchReceipt) -> None:
    output = cli("match", "--receipt", str(receipt.id), "--json")

    assert output.exit_code == 0
    assert output.json == {
        "receipt": str(receipt.id),
        "at": "2026-03-02T02:30:00+00:00",
        "equal": True,
        "own_numbers": [],
        "rules_version": {"then": receipt.rules_version, "now": receipt.rules_version},
        "penalty_table": {
            "then": {"number": 1, "shared": True},
            "now": {"number": 1, "shared": True},
            "steps": {},
        },
        "directory_version": {
            "then": receipt.directory_version,
            "now": receipt.directory_version,
        },
        "listings_changed": 0,
        "causes": [],
        "same_table": {"equal": True, "general": [], "differences": []},
        "todays_table": None,
    }


def test_a_changed_directory_ends_with_1_and_every_difference_has_its_reason(
    cli: Any, make: Make, site: Any, receipt: MatchReceipt
) -> None:
    closed(make, site)

    output = cli("match", "--receipt", str(receipt.id), "--json", "--lang", "en")

    assert output.exit_code == 1
    answer = output.json
    assert (answer["equal"], answer["listings_changed"]) == (False, 1)
    assert answer["causes"] == ["1 listing of the directory changed since then."]
    lost = answer["same_table"]["differences"][0]
    assert (lost["change"], lost["name"], lost["rank"]) == (
        "lost",
        "Dekat",
        {"then": 1, "now": None},
    )
    assert lost["reasons"][0]["because"] == "Condition, being in service: met then, not met now."
    assert all(one["reasons"] for one in answer["same_table"]["differences"])


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        ("id", ["Berbeda:", "Dekat: dulu di urutan 1", "masih melayani: dulu terpenuhi"]),
        ("en", ["Different:", "Dekat: place 1 then", "being in service: met then"]),
    ],
)
def test_in_words_it_tells_what_happened_and_nothing_of_the_person(
    cli: Any, make: Make, site: Any, receipt: MatchReceipt, lang: str, words: list[str]
) -> None:
    closed(make, site)

    output = cli("match", "--receipt", str(receipt.id), "--lang", lang)

    assert [word for word in words if word not in output.stdout] == []
    for secret in (NAME, "16", "-6.98", "110.41", "perempuan", "women", "jav", "HE05"):
        assert secret not in output.stdout


def test_reading_it_by_the_command_is_kept_in_the_audit_chain(
    cli: Any, session: Any, receipt: MatchReceipt
) -> None:
    cli("match", "--receipt", str(receipt.id), "--json")

    entry = session.scalars(select(AuditEntry).order_by(AuditEntry.seq.desc())).first()
    assert (entry.action, entry.actor_role, entry.actor_id) == (
        "match_receipt.read",
        "operator",
        None,
    )
    case = session.get_one(Case, receipt.case_id)
    assert (entry.subject_id, entry.client_id, entry.details) == (receipt.id, case.client_id, {})


@pytest.mark.parametrize("given", ["00000000-0000-7000-8000-000000000007", "no id at all"])
def test_an_unknown_receipt_ends_with_2(cli: Any, given: str) -> None:
    output = cli("match", "--receipt", given, "--json")

    assert output.exit_code == 2
    assert output.json["error"]["code"] == "not_found"


def test_a_receipt_and_a_search_at_once_are_refused(cli: Any, receipt: MatchReceipt) -> None:
    output = cli("match", "--receipt", str(receipt.id), "--need", "HE05", "--json")

    assert output.exit_code == 2
    assert output.json["error"]["field"] == "receipt"


def test_a_receipt_is_equal_in_another_process_and_a_changed_table_is_explained_there(
    fresh: Settings, now: Any
) -> None:
    """After a restart nothing but the files is left: a second process works the receipt out again."""
    app = create_app(fresh)
    with app.app_context():
        make = Make(db.session, now)
        make.service(name="Dekat", at=SEMARANG)
        make.service(name="Jauh", at=(-7.2, 110.5))
        receipt = kept(make)
        receipt_id, office_id = receipt.id, receipt.office_id
        db.session.commit()
        before = in_another_process(fresh, receipt_id)
        steps = dict(db.session.get_one(PenaltyTable, receipt.penalty_table_id).steps)
        db.session.add(
            PenaltyTable(
                office_id=office_id,
                number=1,
                steps=steps | {"unverified": 0, "capacity_unknown": 0.05},
                created_at=now,
                by_id=make.user().id,
                reason="uji",
            )
        )
        db.session.commit()
        after = in_another_process(fresh, receipt_id)
        db.session.close()
        db.engine.dispose()

    assert (before.returncode, json.loads(before.stdout)["equal"]) == (0, True)
    assert after.returncode == 1
    answer = json.loads(after.stdout)
    assert answer["same_table"]["equal"]
    assert answer["penalty_table"]["steps"] == {
        "capacity_unknown": {"then": 0.1, "now": 0.05},
        "unverified": {"then": 0.1, "now": 0},
    }
    assert [
        (one["name"], [reason["because"] for reason in one["reasons"]])
        for one in answer["todays_table"]["differences"]
    ] == [
        (
            name,
            [
                "room not known: 0.1 steps then, 0.05 now.",
                "No longer added: a listing nobody has confirmed for long.",
            ],
        )
        for name in ("Dekat", "Jauh")
    ]


def in_another_process(settings: Settings, receipt_id: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            *(sys.executable, "-m", "flask", "match"),
            *("--receipt", str(receipt_id), "--json", "--lang", "en"),
        ],
        cwd=ROOT,
        env={**os.environ, "JEJARING_INSTANCE": settings.JEJARING_INSTANCE},
        capture_output=True,
        text=True,
        check=False,
    )


# The page -----------------------------------------------------------------------------------------


def test_the_page_says_that_nothing_changed_or_what_did(
    browser: Any, make: Make, site: Any, receipt: MatchReceipt, session: Any
) -> None:
    browser.sign_in(session.get_one(User, receipt.by_id))
    same = browser.page(f"/receipts/{receipt.id}/today")
    closed(make, site)
    page = browser.page(f"/receipts/{receipt.id}/today")

    assert "Sama:" in same.text
    assert "Berbeda:" in page.text
    assert "Bukan pilihan lagi" in page.text
    assert "Syarat masih melayani: dulu terpenuhi, sekarang tidak terpenuhi." in page.text


def test_the_page_counts_as_reading_the_person_and_stores_nothing_else(
    browser: Any, session: Any, receipt: MatchReceipt, make: Make
) -> None:
    supervisor = make.user(Role.SUPERVISOR, office=session.get_one(Office, receipt.office_id))
    before = len(session.scalars(select(MatchReceipt)).all())
    browser.sign_in(supervisor)
    browser.page(f"/receipts/{receipt.id}/today")

    entry = session.scalars(select(AuditEntry).order_by(AuditEntry.seq.desc())).first()
    assert (entry.action, entry.actor_id) == ("need.read", supervisor.id)
    assert entry.client_id is not None
    assert len(session.scalars(select(MatchReceipt)).all()) == before


def test_nobody_else_opens_it(browser: Any, make: Make, receipt: MatchReceipt) -> None:
    for user in (make.user(), make.user(Role.SUPERVISOR), make.user(Role.PLANNER)):
        browser.sign_in(user)
        assert browser.get(f"/receipts/{receipt.id}/today").status_code == 404
        browser.post("/sign-out")


def test_a_referral_leads_to_its_search_and_the_search_to_its_referrals_and_to_today(
    browser: Any, session: Any, make: Make, now: Any
) -> None:
    scene = Scene(session, make, now)
    receipt = operations.match(
        session,
        operations.query_for(session, scene.need, now=now),
        by=scene.broker,
        now=now,
        office=scene.case.office,
        case=scene.case,
        need=scene.need,
    )
    session.flush()
    scene.consent()
    referral = scene.draft(receipt=receipt, known_service_reason=None)
    browser.sign_in(scene.broker)

    page = browser.page(f"/receipts/{receipt.id}")

    assert page.select_one(f'a[href="/referrals/{referral.id}"]').text == referral.number
    assert page.select_one(f'a[href="/receipts/{receipt.id}/today"]') is not None
    back = browser.page(f"/referrals/{referral.id}")
    assert back.select_one(f'a[href="/receipts/{receipt.id}"]') is not None
