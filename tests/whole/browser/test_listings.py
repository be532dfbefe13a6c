"""An agency keeps its listing true: it confirms, corrects and sends; a curator decides; the next match uses it."""

import pytest

from referral.core.text import label
from tests.whole.browser.people import PLACE, invite_staff
from tests.whole.browser.visitor import DESK, PHONE, Size, Visitor, Walk

pytestmark = pytest.mark.browser
WAITS = "directory.capacity.waitlist"


@pytest.mark.parametrize(("language", "size"), [("id", PHONE), ("en", DESK)])
def test_an_agency_corrects_its_listing_a_curator_publishes_and_the_next_match_shows_it(
    walk: Walk, language: str, size: Size
) -> None:
    broker = walk.visitor(language, size, scripts=False)
    broker.sign_in("broker@demo.example", walk.password)
    name, organization = _first_option(broker)
    assert label(WAITS, language).casefold() not in _option(broker, name).casefold()
    curator = walk.signed_in("admin", language, size)
    staff = invite_staff(walk, curator, organization, language)

    listing = _confirm(staff, name)
    _correct(staff, listing)
    _publish(curator, name)
    _first_option(broker)
    assert label(WAITS, language).casefold() in _option(broker, name).casefold()

    _take_back(curator, listing)
    _first_option(broker)
    assert label(WAITS, language).casefold() not in _option(broker, name).casefold()
    staff.open("/listings")
    assert staff.page.locator(".listing-state").count() == 0


def _first_option(broker: Visitor) -> tuple[str, str]:
    """The nearest mental health care, and whose it is."""
    broker.open("/match")
    broker.submit("main form.narrow", need="HE05", place=PLACE, urgency="routine", within="60")
    card = broker.page.locator(".options > li.option").first
    name = card.locator(".option-name a").inner_text()
    return name, card.locator(".organization").inner_text() or name


def _option(broker: Visitor, name: str) -> str:
    cards = broker.page.locator(".options > li.option", has=broker.page.get_by_text(name))
    return cards.first.inner_text()


def _confirm(staff: Visitor, name: str) -> str:
    """Everything is right: one press, and the listing is fresh. Gives the address of its check."""
    staff.open("/listings")
    staff.picture("listings")
    card = staff.page.locator("main li.card", has_text=name).first
    check = card.locator("h2 a").get_attribute("href") or ""
    staff.follow(card.locator('form[action$="/confirm"] button'))
    staff.picture("listings-confirmed")
    assert staff.page.locator("main li.card", has_text=name).locator(".fresh.verified").count() == 1
    return check.removesuffix("/check")


def _correct(staff: Visitor, listing: str) -> None:
    """Half of the six things are right; hours and room are corrected and sent."""
    page = staff.page
    staff.open(f"{listing}/check")
    staff.picture("listing-check")
    staff.follow('form[action$="/check/contact"] button')
    assert page.locator("#contact.thing-done").count() == 1

    staff.follow(f'a[href="{listing}/edit/hours"]')
    _add_times(staff, "hours-SA", "09.00", "12.30")
    _add_times(staff, "hours-SA", "13.00", "x")
    staff.picture("listing-hours", (DESK,))
    staff.picture("listing-hours", (PHONE,), at="#hours-FR", above=16)
    staff.follow("form.edit-form .actions button.btn-primary")
    assert page.locator(".error-summary a").count() == 1
    staff.picture("listing-hours-wrong")
    page.locator("#hours-SA-1-closes").fill("15")
    staff.follow("form.edit-form .actions button.btn-primary")
    staff.picture("listing-changes")
    staff.open(f"{listing}/edit/room")
    staff.tick(page.locator('input[name="capacity-status"][value="waitlist"]'))
    staff.follow("form.edit-form .actions button.btn-primary")
    assert page.locator(".changes > li").count() == 2
    staff.picture("listing-two-changes")
    staff.follow("main .page-header a[href$='/preview']")
    staff.picture("listing-preview")
    staff.open(f"{listing}/changes")
    staff.submit('main form[action$="/changes"]', note="Ada pasien baru setiap hari.")
    assert page.locator(".listing-state .tag-wait").count() == 1
    staff.picture("listings-waiting")


def _add_times(staff: Visitor, day: str, opens: str, closes: str) -> None:
    """Another interval, in place: the page stays where it is, and what was typed stays in it."""
    page = staff.page
    before = page.locator(f"#{day} .interval").count()
    page.locator(f"#{day}-add").click()
    page.locator(f"#{day}-{before}-opens:focus").wait_for()
    page.locator(f"#{day}-{before}-opens").fill(opens)
    page.locator(f"#{day}-{before}-closes").fill(closes)
    staff.check()


def _publish(curator: Visitor, name: str) -> None:
    """Old and new side by side, then published."""
    curator.open("/listings/review")
    curator.picture("review")
    curator.follow(curator.page.locator("main li.card", has_text=name).locator("a.btn"))
    curator.picture("review-decide")
    assert curator.page.locator('input[name="fields"]:checked').count() == 2
    curator.follow("#decision .actions button")
    assert curator.page.locator("main li.card", has_text=name).count() == 0


def _take_back(curator: Visitor, listing: str) -> None:
    curator.open(f"{listing}/history")
    curator.picture("listing-history")
    curator.follow(curator.page.locator('a[href$="/revert"]').first)
    curator.picture("listing-revert")
    curator.follow('form[action$="/revert"] button')
    assert curator.page.locator('a[href$="/revert"]').count() >= 1
    curator.picture("listing-reverted")


def test_two_windows_end_in_a_choice_between_both_values_and_nothing_is_lost(walk: Walk) -> None:
    admin = walk.signed_in("admin", "id", DESK)
    admin.open("/listings/review")
    first = walk.signed_in("agency2", "id", PHONE)
    second = walk.signed_in("agency2", "id", DESK)
    first.open("/listings")
    listing = (first.page.locator("main li.card h2 a").first.get_attribute("href") or "")[:-6]
    first.open(f"{listing}/edit/contact")
    second.open(f"{listing}/edit/contact")

    _save(first, email="pertama@lembaga.example")
    first.submit('main form[action$="/changes"]')
    admin.open("/listings/review")
    admin.follow("main li.card a.btn")
    admin.follow("#decision .actions button")
    _save(second, email="kedua@lembaga.example", url="https://lembaga.example")
    second.picture("listing-stale")
    text = second.text()
    second.tick(second.page.locator("#email-choice-mine"))
    second.follow('form[action$="/resolve"] button')

    assert "pertama@lembaga.example" in text
    assert "kedua@lembaga.example" in text
    said = second.text(".changes")
    assert "kedua@lembaga.example" in said
    assert "https://lembaga.example" in said


def _save(staff: Visitor, **fields: str) -> None:
    """Type over a section and go on to what changes."""
    for name, value in fields.items():
        staff.answer(staff.page.locator("form.edit-form"), name, value)
    staff.follow("form.edit-form > .actions button.btn-primary")


def test_hours_are_edited_without_scripts(visits: Walk) -> None:
    staff = visits.visitor("id", PHONE, scripts=False)
    staff.sign_in("agency2@demo.example", visits.password)
    staff.open("/listings")
    listing = (staff.page.locator("main li.card h2 a").first.get_attribute("href") or "")[:-6]
    staff.open(f"{listing}/edit/hours")
    staff.follow("#hours-SU-add")
    staff.page.locator("#hours-SU-0-opens").fill("8")
    staff.page.locator("#hours-SU-0-closes").fill("11")
    staff.follow("form.edit-form .actions button.btn-primary")

    assert "08.00–11.00" in staff.text(".changes")


@pytest.mark.parametrize(("language", "size"), [("id", DESK), ("en", PHONE)])
def test_every_form_of_a_listing_stands_at_both_widths(
    visits: Walk, language: str, size: Size
) -> None:
    staff = visits.signed_in("agency3", language, size)
    staff.open("/listings")
    listing = (staff.page.locator("main li.card h2 a").first.get_attribute("href") or "")[:-6]
    for section, button in [
        ("contact", "phones"),
        ("who", "languages"),
        ("bring", "entry_steps"),
        ("place", "service_areas"),
        ("about", "categories"),
    ]:
        staff.open(f"{listing}/edit/{section}")
        before = staff.page.locator(f"#{button} .row-fields").count()
        staff.page.locator(f"#{button}-add").click()
        staff.page.locator(f"#{button} .row-fields").nth(before).wait_for()
        assert staff.page.locator(f"#{button} .row-fields").count() == before + 1
        staff.check()
        staff.picture(f"listing-form-{section}", at=f"#{button}", above=120)
