"""The depressed teenager with pressure at school: danger first, then help from story to closed loop."""

import pytest

from tests.whole.browser.people import (
    GIRL,
    answer_with_help,
    confirm_needs,
    invite_staff,
    need_card,
    open_case,
    say_it_helped,
)
from tests.whole.browser.visitor import DESK, PHONE, Size, Visitor, Walk

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(("language", "size"), [("id", PHONE), ("en", DESK)])
def test_a_teenager_in_danger_is_called_for_first_and_then_helped(
    visits: Walk, language: str, size: Size
) -> None:
    broker = visits.signed_in("broker", language, size)
    case = open_case(broker, GIRL, protections=["child"])

    _call_first(broker, case)
    _second_person_looks(visits.signed_in("supervisor", language, size))
    broker.open(f"{case}/crisis")
    broker.page.locator('form[action$="/crisis/end"] button').click()
    broker.follow(broker.page.locator("dialog[open] button[value=yes]"))
    broker.open(f"{case}/proposals")
    confirm_needs(broker, ["HE05", "SS03", "FC01"])
    _agree(broker, case)
    broker.open(case)
    broker.picture("case")
    service, organization = _choose_mental_health_care(broker)
    referral = _send(broker, service)
    staff = invite_staff(visits, visits.signed_in("admin", language, size), organization, language)
    answer_with_help(staff, GIRL, outcome="received")
    say_it_helped(broker, referral)

    broker.open(case)
    card = need_card(broker, "HE05")
    assert broker.page.locator(f"{card} .tag-good").count() == 1, broker.text(card)
    broker.picture("case-met")


def _call_first(broker: Visitor, case: str) -> None:
    """Numbers come before anything else; nothing is asked before a call; no answer brings the next number."""
    page = broker.page
    broker.picture("proposals-crisis")
    first = page.locator("main .crisis, main h1, main form").first
    assert "crisis" in (first.get_attribute("class") or "")
    assert page.locator('.crisis a[href^="tel:"]').count() >= 4
    # Whoever answers for this danger comes before police and rescue.
    assert "119 ext 8" in page.locator(".crisis-number").first.inner_text()
    broker.follow('form[action$="/crisis/start"] button')
    assert broker.path == f"{case}/crisis"
    broker.picture("crisis")

    numbers = page.locator(".crisis > ul .crisis-number").all_inner_texts()
    log = f'main form[action="{case}/crisis"]'
    broker.submit(log, number=numbers[0], answered="no")
    assert page.locator(".crisis > ul .crisis-number").first.inner_text() == numbers[1]
    broker.picture("crisis-next-number")
    broker.submit(log, number=numbers[1], answered="yes", outcome="Petugas menenangkannya.")
    assert page.locator("section:has(#calls-title) > ul > li").count() == 2


def _second_person_looks(supervisor: Visitor) -> None:
    """Somebody else than the worker sees who is alone with a crisis, and reviews the calls."""
    supervisor.open("/office/")
    supervisor.picture("office")
    looks = supervisor.page.locator('form[action^="/office/calls/"]')
    waiting = looks.count()
    assert waiting > 0
    looks.first.locator("button").click()
    supervisor.follow(supervisor.page.locator("dialog[open] button[value=yes]"))
    assert supervisor.page.locator('form[action^="/office/calls/"]').count() < waiting


def _agree(broker: Visitor, case: str) -> None:
    broker.open(f"{case}/basis")
    broker.submit("main form", answer="given", method="guardian", language=broker.language,
                  witness="Ibunya, hadir")  # fmt: skip
    broker.open(f"{case}/contract")
    needs = broker.page.locator('input[name="in_scope"]')
    broker.tick(needs.nth(0))
    broker.tick(needs.nth(1))
    broker.submit("main form", terms="Ditemani ke layanan jiwa.", method="guardian")


def _choose_mental_health_care(broker: Visitor) -> tuple[str, str]:
    """Options with reasons, help without going there, why not the others, and pins that are the cards."""
    page = broker.page
    broker.follow(f'{need_card(broker, "HE05")} form[action$="/match"] button')
    broker.submit('form[action$="/again"]', within="60")
    broker.picture("match", (DESK,))
    broker.picture("match", (PHONE,), at="#options-title", above=16)
    cards = page.locator(".options > li.option")
    assert cards.count() > 0
    assert cards.first.locator(".why > li").count() > 0
    assert page.locator("section:has(#remote-title) li.card").count() > 0
    page.locator("section:has(#why-not-title) > details > summary").click()
    assert page.locator("section:has(#why-not-title) li.card").count() > 0

    if broker.size == PHONE:
        page.locator('[data-show="map"]').click()
    pin = page.locator(".leaflet-container .pin:not(.pin-start)").first
    broker.picture("match-map", (broker.size,), at="[data-listmap]", above=20)
    pin.click()
    assert "on" in (page.locator("#option-1").get_attribute("class") or "").split()
    broker.picture("match-pin", (broker.size,), at="[data-listmap]", above=20)
    page.locator(".leaflet-popup a.to-card").click()
    assert page.evaluate("() => document.activeElement.id") == "option-1"

    name = cards.first.locator(".option-name a").inner_text()
    organization = cards.first.locator(".organization").inner_text() or name
    broker.follow(cards.first.locator('button[name="choice"]'))
    return name, organization


def _send(broker: Visitor, service: str) -> str:
    assert service in broker.text()
    broker.picture("check-before-sending")
    broker.submit("main form", basis="child_best_interest", reason="Keselamatan anak; ibunya tahu.",
                  fields=["name", "age", "area", "need"], priority="urgent")  # fmt: skip
    assert broker.path.startswith("/referrals/"), broker.text()
    broker.picture("referral-sent")
    return broker.path.removesuffix("/letter")
