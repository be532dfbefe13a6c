"""What a client takes along sends nobody where harm is looked into, and tells whoever finds it nothing."""

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from referral.casework.models import Protection
from referral.matching.models import MatchReceipt, VisitPlan
from referral.referrals.advocacy import harm
from referral.referrals.models import Referral
from tests.conftest import Browser
from tests.doors.test_unsafe_pairs import text_of
from tests.factories import SEMARANG, Make
from tests.scenes import Scene

HARMED, OTHER = "Rumah Pulih", "Klinik Lain"
TOLD = "sebuah laporan sedang diperiksa"


@pytest.fixture
def scene(session: Session, make: Make) -> Scene:
    scene = Scene(session, make, datetime.now(UTC), name=HARMED)
    scene.case.client.stays_at = {"lat": SEMARANG[0], "lon": SEMARANG[1], "precision_km": 0.0}
    return scene


def planned(browser: Browser, scene: Scene) -> tuple[Any, Any]:
    """Ids of a receipt and of a plan that the broker of the scene made."""
    need_id, case_id = scene.need.id, scene.case.id
    browser.sign_in(scene.broker)
    browser.post(f"/needs/{need_id}/match")
    browser.post(f"/cases/{case_id}/plan")
    receipt = scene.session.scalars(
        select(MatchReceipt).where(MatchReceipt.need_id == need_id).order_by(MatchReceipt.at)
    ).first()
    plan = scene.session.scalars(select(VisitPlan)).one()
    assert receipt is not None
    return receipt.id, plan.id


def test_what_was_found_before_harm_was_told_leads_nobody_there(
    browser: Browser, scene: Scene, make: Make
) -> None:
    referral_id = scene.completed().id
    scene.need = make.need(scene.case)
    make.service("HE05", name=OTHER, at=(-6.9, 110.4))
    receipt_id, plan_id = planned(browser, scene)
    service_id = scene.site.service_id
    papers = (
        f"/receipts/{receipt_id}/handout.pdf",
        f"/plans/{plan_id}/print",
        f"/plans/{plan_id}/print?show=own_best",
        f"/referrals/{referral_id}/handout.pdf",
    )
    pages = (f"/receipts/{receipt_id}", f"/plans/{plan_id}")
    before = [text_of(browser.get(address)) for address in (*papers, *pages)]
    copied = browser.page(f"/services/{service_id}").select("#message")

    referral = scene.session.get_one(Referral, referral_id)
    harm.report(scene.session, referral, text=None, by=scene.broker, now=scene.now)

    after = [text_of(browser.get(address)) for address in papers]
    assert all(HARMED in text for text in before)
    assert not [text for text in after if HARMED in text]
    assert OTHER in after[0]
    assert all(TOLD in browser.get(address).text for address in pages)
    assert copied
    assert not browser.page(f"/services/{service_id}").select("#message")
    compared = browser.get(f"/receipts/{receipt_id}/today").text
    assert "Tidak lagi ditawarkan direktori" in compared
    assert "layanan lain sekarang mendahuluinya" not in compared


@pytest.mark.parametrize("at_risk", [True, False])
def test_a_plan_on_paper_does_not_say_what_for_where_that_is_a_danger(
    browser: Browser, scene: Scene, make: Make, at_risk: bool
) -> None:
    if at_risk:
        scene.case.protections = [Protection.VIOLENCE.value]
    make.need(scene.case, category="SP03")
    scene.site.service.name = "Konseling korban kekerasan"
    make.service("SP03", name="Pos HIV", remote="phone")

    _receipt_id, plan_id = planned(browser, scene)
    told = browser.page(f"/plans/{plan_id}/print").select_one("main").text  # type: ignore[union-attr]

    telling = [word for word in ("kekerasan", "Pos HIV") if word in told]
    assert telling == ([] if at_risk else ["kekerasan", "Pos HIV"])
    assert ("Tanyakan hal lain" in told) == at_risk


def test_of_a_place_that_became_confidential_no_old_page_or_paper_tells_where_it_is(
    browser: Browser, scene: Scene
) -> None:
    location = scene.site.location
    location.latitude, location.longitude = SEMARANG[0] - 0.2, SEMARANG[1]
    receipt_id, plan_id = planned(browser, scene)
    addresses = (
        f"/receipts/{receipt_id}",
        f"/receipts/{receipt_id}/handout.pdf",
        f"/plans/{plan_id}",
        f"/plans/{plan_id}/print",
    )
    kept = scene.session.get_one(MatchReceipt, receipt_id).content or {}
    km = f"{round(kept['options'][0]['distance_km'])} km"
    before = [text_of(browser.get(address)) for address in addresses[:3]]

    scene.site.location.confidential = True

    options = [
        page.select_one(".option")
        for page in map(browser.page, (f"/receipts/{receipt_id}", f"/plans/{plan_id}"))
    ]
    assert all(km in text for text in before)
    assert [option for option in options if option is None or km in option.text] == []
    assert km not in text_of(browser.get(addresses[1]))
    assert "data-map" not in browser.get(addresses[2]).text
    assert "Sampai di sana" not in browser.get(addresses[3]).text


def test_what_was_found_before_violence_was_known_is_shown_no_more(
    browser: Browser, scene: Scene, cli: Any
) -> None:
    scene.site.service.organization.name = f"Mediasi {HARMED}"
    scene.site.service.name = f"Konseling pernikahan {HARMED}"
    receipt_id, plan_id = planned(browser, scene)
    receipt = f"/receipts/{receipt_id}"
    addresses = (
        receipt,
        f"{receipt}/today",
        f"{receipt}/handout",
        f"{receipt}/handout.pdf",
        f"/plans/{plan_id}",
    )
    before = [text_of(browser.get(address)) for address in addresses]

    scene.case.protections = [Protection.VIOLENCE.value]

    after = [text_of(browser.get(address, follow_redirects=True)) for address in addresses]
    assert [HARMED in text for text in before] == [True, False, True, True, True]
    assert [text for text in after if HARMED in text] == []
    assert HARMED not in cli("match", "--receipt", str(receipt_id)).stdout
