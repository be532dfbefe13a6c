"""The client's sheet and the message to copy, by their pages: who may open them and what they tell."""

from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from referral.accounts.models import Role
from referral.casework import operations as casework
from referral.directory.models import Address, Phone, RequiredDocument
from referral.matching.models import MatchReceipt
from tests.conftest import Browser
from tests.factories import Make
from tests.papers import walk_in, words
from tests.scenes import NAME, NUMBER, STORY, Scene

PERSONAL = (NAME, NUMBER, STORY, "Gang Fiktif")


def furnish(scene: Scene, make: Make) -> None:
    site, service = scene.site, scene.site.service
    service.name = "Poli Jiwa"
    service.organization.name = "Puskesmas Contoh"
    add = scene.session.add_all
    add([Phone(service_id=service.id, number="024 777", type="voice"),
         RequiredDocument(service_id=service.id, code="KTP"),
         RequiredDocument(service_id=service.id, document="Surat rujukan"),
         Address(location_id=site.location_id, address_1="Jalan Contoh 5", city="Semarang", state_province="Jawa Tengah",
                 postal_code="50000", country="ID")])  # fmt: skip
    scene.session.flush()
    scene.session.expire_all()


def matched(scene: Scene, broker: Browser) -> MatchReceipt:
    broker.post(f"/needs/{scene.need.id}/match")
    return scene.session.scalars(select(MatchReceipt)).one()


def test_a_sheet_of_chosen_options_says_the_way_and_nothing_about_the_client(
    scene: Scene, by: Any, make: Make
) -> None:
    furnish(scene, make)
    scene.case.client.stays_at = {
        "text": "Gang Fiktif 3",
        "code": "33.74.11",
        "lat": -7.05,
        "lon": 110.43,
        "precision_km": 0.5,
    }
    broker = by(scene.broker)
    receipt = matched(scene, broker)

    page = broker.page(f"/receipts/{receipt.id}/handout")
    picked = [tag["value"] for tag in page.select("input[name=site][checked]")]
    text = words(broker, f"/receipts/{receipt.id}/handout.pdf?lang=en&site={picked[0]}")

    assert picked == [str(scene.site.id)]
    for part in (
        "Service information",
        "Poli Jiwa",
        "024 777",
        "Jalan Contoh 5",
        "in a straight line, to the",
        "Start",
    ):
        assert part in text, part
    for hidden in (*PERSONAL, scene.case.number, scene.case.office.name, scene.broker.name):
        assert hidden not in text, hidden


@pytest.mark.parametrize("lang", ["id", "en"])
def test_the_sheet_of_a_client_with_limits_does_not_tell_what_for(
    scene: Scene, by: Any, make: Make, lang: str
) -> None:
    furnish(scene, make)
    scene.case.protections = ["violence"]
    casework.set_safe_contact(scene.session, scene.case, {"through_worker_only": True})
    referral = walk_in(scene, "need")
    broker = by(scene.broker)
    receipt = matched(scene, broker)

    sheets = words(broker, f"/receipts/{receipt.id}/handout.pdf?lang={lang}")
    sheets += words(broker, f"/referrals/{referral.id}/handout.pdf?lang={lang}")
    page = broker.page(f"/referrals/{referral.id}")
    message = page.select_one("#message").text

    for text in (sheets, message):
        assert "Puskesmas Contoh" in text
        assert "024 777" in text
        for telling in (
            "rujuk",
            "referral",
            "jiwa",
            "mental",
            "sosial",
            "social",
            "start",
            "mulai",
        ):
            assert telling not in text.casefold(), telling
    assert "would tell what kind of help" in broker.page(f"/receipts/{receipt.id}/handout").text


def test_a_refuge_on_a_sheet_is_a_phone_number(scene: Scene, by: Any, make: Make) -> None:
    furnish(scene, make)
    assert scene.site.location is not None
    scene.site.location.confidential = True
    referral = walk_in(scene)

    text = words(by(scene.broker), f"/referrals/{referral.id}/handout.pdf?lang=en")

    assert "024 777" in text
    assert "Given by phone." in text
    for secret in ("Jalan Contoh 5", "Semarang", "straight line", "Start"):
        assert secret not in text, secret


def test_a_sheet_of_a_match_is_for_its_people_and_names_only_what_the_match_found(
    scene: Scene, by: Any, make: Make, session: Session
) -> None:
    elsewhere = make.service("SA01", name="Bukan hasil")
    receipt = matched(scene, by(scene.broker))
    broker = by(scene.broker)
    assert broker.get(f"/receipts/{receipt.id}/handout.pdf?site={elsewhere.id}").status_code == 404
    assert broker.get(f"/receipts/{receipt.id}/handout.pdf?site=x").status_code == 404
    for user in (make.user(), scene.agency, make.user(Role.PLANNER)):
        browser = by(user)
        assert browser.get(f"/receipts/{receipt.id}/handout.pdf").status_code == 404
        assert browser.get(f"/receipts/{receipt.id}/handout").status_code == 404
    casework.exclude(
        session,
        scene.case,
        organization_id=scene.site.service.organization_id,
        reason="x",
        by=scene.broker,
        now=scene.now,
    )
    session.commit()
    assert by(scene.broker).get(f"/receipts/{receipt.id}/handout.pdf").status_code == 409


def test_a_broker_copies_a_services_message_and_the_public_has_no_such_box(
    scene: Scene, by: Any, make: Make, browser: Browser
) -> None:
    furnish(scene, make)
    url = f"/services/{scene.site.service_id}"

    box = by(scene.broker).page(url).select_one("#message")

    assert box.has_attr("readonly")
    for part in ("*Poli Jiwa*", "Jalan Contoh 5", "024 777", "(KTP)"):
        assert part in box.text, part
    browser.post("/sign-out")
    assert browser.page(url).select_one("#message") is None
