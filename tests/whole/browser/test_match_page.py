"""The match page at work: filters in place, the map and the list as one, keys, and all of it without scripts."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import expect

from tests.whole.browser.people import PLACE
from tests.whole.browser.visitor import DESK, PHONE, Size, Visitor, Walk

pytestmark = pytest.mark.browser
PLACES = re.compile(r"^2 (tempat|place)")
PIN = ".leaflet-marker-icon.pin:not(.pin-start)"


def searched(walk: Walk, language: str, size: Size, *, scripts: bool = True) -> Visitor:
    """A broker on the receipt of a search without a case: many places, few near."""
    broker = walk.visitor(language, size, scripts=scripts)
    broker.sign_in("broker@demo.example", walk.password)
    broker.open("/match")
    if scripts:  # the select is behind the box that takes letters
        broker.page.locator('select[name="need"]').evaluate("field => { field.value = 'HE05' }")
        broker.submit("main form", place=PLACE)
    else:
        broker.submit("main form", need="HE05", place=PLACE)
    assert broker.path.startswith("/receipts/"), broker.text()
    return broker


@contextmanager
def in_place(broker: Visitor, *, asks: int = 1) -> Iterator[None]:
    """What happens inside asks the server so often and loads no page anew."""
    asked: list[str] = []
    broker.page.evaluate("window.stayed = 'yes'")
    broker.page.on("request", lambda one: asked.append(one.method) if "/again" in one.url else None)
    before = broker.path
    yield
    broker.page.wait_for_url(lambda url: not url.endswith(before))
    expect(broker.page.locator("#match-results:not([aria-busy])")).to_be_visible()
    assert asked == ["POST"] * asks
    assert broker.page.evaluate("window.stayed") == "yes"


def ranks(broker: Visitor) -> list[str]:
    """The numbers of the cards that can be seen."""
    return broker.page.locator(".option:visible .rank").all_inner_texts()


@pytest.mark.parametrize(("language", "size"), [("id", DESK), ("en", PHONE)])
def test_filters_change_the_page_in_place_and_the_back_button_returns(
    visits: Walk, language: str, size: Size
) -> None:
    broker = searched(visits, language, size)
    page, first = broker.page, broker.path
    page.locator("#filter-fold > summary").click()
    within = page.locator("#within")

    with in_place(broker):
        within.press_sequentially("60", delay=60)

    expect(page.locator("[data-match-status]")).to_have_text(PLACES)
    expect(within).to_be_focused()
    assert within.input_value() == "60"
    assert ranks(broker) == ["1", "2"]
    assert page.locator("#match-chips button.chip").count() == 1
    assert page.locator('form.lang input[name="next"]').input_value() == broker.path
    broker.check()
    broker.picture("match-filtered", at="main")

    second = broker.path
    with in_place(broker):
        page.locator('label[for="free_only"]').click()
    assert page.locator("#match-chips button.chip").count() == 2
    page.go_back()
    page.wait_for_url(lambda url: url.endswith(second))
    expect(page.locator("#match-chips button.chip")).to_have_count(1)
    assert not page.locator("#free_only").is_checked()
    page.go_back()
    page.wait_for_url(lambda url: url.endswith(first))
    expect(page.locator("#match-chips button.chip")).to_have_count(0)
    assert within.input_value() == ""
    assert len(ranks(broker)) == 5
    assert page.evaluate("window.stayed") == "yes"
    page.reload()
    broker.check()


def test_a_chip_is_taken_away_with_the_keyboard_and_the_focus_goes_to_the_list(
    visits: Walk,
) -> None:
    broker = searched(visits, "en", DESK)
    page = broker.page
    with in_place(broker):
        broker.answer(page.locator("#filters"), "within", "60")
        page.locator("#within").press("Enter")

    with in_place(broker):
        page.locator("#without-within").focus()
        page.keyboard.press("Enter")

    expect(page.locator("#options-title")).to_be_focused()
    assert page.locator("#match-chips button.chip").count() == 0
    assert page.locator("#within").input_value() == ""


def test_what_is_wrong_is_said_at_its_field_and_the_list_stays(visits: Walk) -> None:
    broker = searched(visits, "en", DESK)
    page, before = broker.page, broker.path
    page.locator("#filter-fold > summary").click()

    page.locator("#within").fill("far")

    expect(page.locator("#within-error")).to_be_visible()
    expect(page.locator("#within")).to_be_focused()
    expect(page.locator("[data-match-status]")).to_contain_text("whole number")
    assert (broker.path, len(ranks(broker))) == (before, 5)
    broker.check()
    with in_place(broker):
        page.locator("#within").fill("60")
    expect(page.locator("#within-error")).to_have_count(0)


def test_without_a_connection_the_page_says_so_and_tries_again(visits: Walk) -> None:
    broker = searched(visits, "en", DESK)
    page, before = broker.page, broker.path
    page.locator("#filter-fold > summary").click()
    page.context.set_offline(True)

    page.locator("#within").fill("60")

    trouble = page.locator("[data-match-trouble]")
    expect(trouble).to_be_visible()
    assert (broker.path, len(ranks(broker))) == (before, 5)
    page.context.set_offline(False)
    broker.problems.clear()
    trouble.locator("button").click()
    page.wait_for_url(lambda url: not url.endswith(before))
    expect(trouble).to_be_hidden()
    assert ranks(broker) == ["1", "2"]
    broker.check()


def test_one_press_goes_as_far_as_the_nearest(visits: Walk) -> None:
    broker = searched(visits, "id", PHONE)
    page = broker.page
    with in_place(broker):
        broker.answer(page.locator("#filters"), "within", "3")
    assert ranks(broker) == []
    broker.picture("match-too-far", at="main")

    with in_place(broker):
        page.locator('.empty button[name="widen"]').click()

    assert ranks(broker) == ["1"]
    broker.check()


def test_the_list_and_the_map_are_walked_with_keys(visits: Walk) -> None:
    broker = searched(visits, "en", DESK)
    page = broker.page
    page.locator(PIN).first.wait_for()
    page.locator("#option-1 a").first.focus()

    page.keyboard.press("j")
    expect(page.locator("#option-2 a").first).to_be_focused()
    expect(page.locator(PIN).nth(1)).to_have_class(re.compile(r"\bon\b"))
    page.keyboard.press("k")
    page.keyboard.press("k")
    expect(page.locator("#option-1 a").first).to_be_focused()
    page.locator("#question-fold > summary").click()
    page.locator("#q-place").fill("")
    page.locator("#q-place").press("j")
    assert page.locator("#q-place").input_value() == "j"

    pin = page.locator(PIN).nth(2)
    pin.focus()
    expect(page.locator("#option-3")).to_have_class(re.compile(r"\bon\b"))
    page.keyboard.press("Enter")
    expect(page.locator(".leaflet-popup a.to-card")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator(".leaflet-popup")).to_have_count(0)
    expect(pin).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".leaflet-popup a.to-card")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#option-3")).to_be_focused()
    broker.check()


@pytest.mark.parametrize("size", [DESK, PHONE])
def test_farther_places_come_onto_the_map_and_the_side_that_is_shown_stays(
    visits: Walk, size: Size
) -> None:
    broker = searched(visits, "id", size)
    page = broker.page
    if size == DESK:
        page.locator(PIN).first.wait_for()
        assert page.locator(PIN).count() == 5

    page.locator("#more-options > summary").click()
    if size == PHONE:
        page.locator('[data-show="map"]').click()

    expect(page.locator(PIN)).to_have_count(20)
    assert page.locator(PIN).all_inner_texts() == page.locator(".option .rank").all_inner_texts()
    page.locator("#filter-fold > summary").click()
    with in_place(broker):
        page.locator("#within").fill("150")
    shown = page.locator(PIN)
    expect(shown.first).to_be_visible()
    numbers = page.locator(".option .rank")
    expect(shown).to_have_count(numbers.count())
    if size == PHONE:
        assert page.locator("[data-listmap]").get_attribute("data-showing") == "map"
        assert page.locator(".option").first.is_visible() is False
    broker.check()


def test_without_scripts_the_same_forms_do_the_same(visits: Walk) -> None:
    broker = searched(visits, "id", PHONE, scripts=False)
    page, first = broker.page, broker.path

    broker.submit("#filters", within="60")
    assert broker.path != first
    assert ranks(broker) == ["1", "2"]
    broker.follow("#without-within")
    assert len(ranks(broker)) == 5
    broker.submit("#filters", within="0")
    assert page.locator("#within-error").is_visible()
    broker.submit("#filters", within="3")
    broker.follow('.empty button[name="widen"]')
    assert ranks(broker) == ["1"]
    broker.submit("#question", age="16")
    assert page.locator("#without-age").count() == 1
    assert page.locator("[data-match-trouble], [data-keys]").first.is_visible() is False
