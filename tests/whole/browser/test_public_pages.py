"""What anybody sees without an account, and what works from the keyboard or without scripts."""

import pytest

from tests.whole.browser.visitor import DESK, PHONE, Size, Walk

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(("language", "size"), [("id", PHONE), ("en", DESK)])
def test_anybody_finds_a_service_and_the_emergency_numbers(
    visits: Walk, language: str, size: Size
) -> None:
    visitor = visits.visitor(language, size)

    visitor.open("/")
    visitor.picture("start")
    visitor.follow("a.top-crisis")
    visitor.picture("emergency")
    assert visitor.page.locator('main a[href^="tel:"]').count() >= 4

    visitor.open("/directory")
    visitor.picture("directory")
    visitor.submit('form[role="search"]', q="jiwa", place="Kota Semarang")
    visitor.picture("search")
    assert visitor.page.locator(".options > li").count() > 0

    visitor.submit('form[role="search"]', q="amino", place="")
    visitor.follow(".options h3 a >> nth=0")
    visitor.page.wait_for_selector(".leaflet-container .pin")
    visitor.picture("service")
    assert "Amino" in visitor.text("h1")


@pytest.mark.parametrize("language", ["id", "en"])
def test_wrong_words_are_answered_kindly(visits: Walk, language: str) -> None:
    visitor = visits.visitor(language, PHONE)

    visitor.open("/directory?q=zzzzqqq")
    visitor.open("/directory?place=Atlantis")
    visitor.picture("unknown-place", (PHONE,))
    visitor.open("/nowhere")
    visitor.picture("not-found", (PHONE,))
    visitor.open("/sign-in")
    visitor.submit(
        'main form[action$="/sign-in"]', email="nobody@demo.example", password="not the word"
    )
    visitor.picture("sign-in-refused", (PHONE,))
    assert visitor.page.locator(".error-summary").is_visible()


def test_the_keyboard_skips_to_the_content_and_searches(visits: Walk) -> None:
    visitor = visits.visitor("id", DESK)
    visitor.open("/directory")
    page = visitor.page

    page.keyboard.press("Tab")
    assert page.locator("a.skip").is_visible()
    page.keyboard.press("Enter")
    assert page.evaluate("() => document.activeElement.id") == "main"
    page.keyboard.press("Tab")
    assert page.evaluate("() => document.activeElement.name") == "q"
    page.keyboard.type("bantuan hukum")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    visitor.check()

    assert page.locator(".options > li").count() > 0
