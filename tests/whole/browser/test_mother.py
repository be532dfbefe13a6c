"""The single mother: money, a child nobody watches, being overwhelmed; and a day care that is made because many wait."""

import pytest

from tests.whole.browser.people import (
    WOMAN,
    answer_with_help,
    confirm_needs,
    invite_staff,
    need_card,
    open_case,
    say_it_helped,
)
from tests.whole.browser.visitor import DESK, PHONE, Size, Visitor, Walk

pytestmark = pytest.mark.browser
DAY_CARE = "FC05"


@pytest.mark.parametrize(("language", "size"), [("id", DESK), ("en", PHONE)])
def test_a_day_care_that_is_missing_is_counted_proposed_opened_and_used(
    walk: Walk, language: str, size: Size
) -> None:
    broker = walk.signed_in("broker", language, size)
    case = open_case(broker, WOMAN, desil="2")
    _assess(broker, case)
    _nothing_fits(broker, case)
    planner = walk.signed_in("planner", language, size)
    _plan_and_open(planner)

    _told(broker, case)
    _planned(broker)
    broker.open(case)
    broker.follow(f'{need_card(broker, DAY_CARE)} form[action$="/match"] button')
    broker.submit('form[action$="/again"]', within="15")
    card = broker.page.locator(".options > li.option").first
    organization = card.locator(".organization").inner_text()
    broker.follow(card.locator('button[name="choice"]'))
    broker.submit("main form", basis="consent", fields=["name", "contact", "age", "need"],
                  method="spoken", priority="urgent")  # fmt: skip
    assert broker.path.startswith("/referrals/"), broker.text()
    referral = broker.path.removesuffix("/letter")
    staff = invite_staff(walk, walk.signed_in("admin", language, size), organization, language)
    answer_with_help(staff, WOMAN, outcome="enrolled")
    say_it_helped(broker, referral)

    broker.open(case)
    met = need_card(broker, DAY_CARE)
    assert broker.page.locator(f"{met} .tag-good").count() == 1, broker.text(met)
    broker.open("/referrals?show=ended")


def _assess(broker: Visitor, case: str) -> None:
    """The child is who day care is for; needs, consent and contract follow."""
    broker.picture("proposals")
    broker.open(f"{case}/beneficiaries/new")
    broker.submit("main form", label="anak bungsu", age_years="3")
    child = "anak bungsu"
    broker.open(f"{case}/proposals")
    whom = broker.page.locator(f'select[name="whom-{DAY_CARE}"]')
    value = whom.locator("option", has_text=child).get_attribute("value") or ""
    confirm_needs(broker, [DAY_CARE, "SA04", "FC02"], **{f"whom-{DAY_CARE}": value})
    broker.open(f"{case}/basis")
    broker.submit("main form", answer="given", method="spoken", language=broker.language)
    broker.open(f"{case}/contract")
    for box in broker.page.locator('input[name="in_scope"]').all():
        broker.tick(box)
    broker.submit("main form", terms="Mencari penitipan dan bantuan sosial.", method="spoken")


def _nothing_fits(broker: Visitor, case: str) -> None:
    """No day care within reach: the reason is filled in by the search, and the worker records it."""
    broker.open(case)
    broker.follow(f'{need_card(broker, DAY_CARE)} form[action$="/match"] button')
    broker.picture("match-far")
    broker.submit('form[action$="/again"]', within="15")
    broker.picture("match-none")
    assert broker.page.locator(".options > li.option").count() == 0
    broker.follow('main .btn[href*="/unmet"]')
    broker.picture("unmet")
    assert broker.page.locator('input[name="reason"]:checked').get_attribute("value") == "U02"
    broker.submit("main form")
    assert broker.page.locator(f"{need_card(broker, DAY_CARE)} .tag-bad").count() == 1


def _plan_and_open(planner: Visitor) -> None:
    """Enough people wait for a number to be shown; a proposal goes from the gap to an open service."""
    page = planner.page
    planner.open("/gaps")
    planner.page.frame_locator("iframe").locator(".leaflet-container").wait_for()
    planner.picture("gaps", (DESK,))
    planner.picture("gaps", (PHONE,), at=".kpis", above=16)
    assert "Mayangsari" not in page.content()
    # The figures are of the demonstration's release; who came since is in the next one.
    propose = page.locator(f'a[href*="/proposals/new"][href*="category={DAY_CARE}"]').first
    gap = page.locator("li.card", has=propose).first
    assert "6" in gap.inner_text(), gap.inner_text()
    planner.open("/gaps/map")
    planner.open("/gaps")
    planner.follow(propose)
    planner.picture("proposal-new")
    planner.submit("main form[method=post]", capacity="20")
    planner.follow('form[action$="/in_development"] button')
    planner.follow('form[action$="/funded"] button')
    planner.picture("proposal")
    planner.follow('main a[href$="/opened"]')
    form = page.locator("main form.edit-form")
    for name, value in (
        ("name", "Taman Penitipan Anak Rekaan"),
        ("organization", "Perkumpulan Rekaan Bukit Sari"),
        ("address", "Balai Kelurahan (rekaan), Banyumanik"),
        ("phones-0-number", "0800 000 002"),
        *((f"hours-{day}-0-{part}", time) for day in ("MO", "TU", "WE", "TH", "FR", "SA")
          for part, time in (("opens", "06:30"), ("closes", "17:00"))),
    ):  # fmt: skip
        planner.answer(form, name, value)
    planner.follow("#open-it")
    planner.picture("proposal-opened")
    planner.follow('main a[href*="/services/"]')
    planner.picture("new-listing")
    planner.open("/proposals?ended=1")


def _planned(broker: Visitor) -> None:
    """Everything she needs in one plan: the new day care, an application from home, and what is still missing."""
    broker.follow('#needs form[action$="/plan"] button')
    broker.picture("plan-mother", (DESK,))
    broker.picture("plan-mother", (PHONE,), at="#stops-title", above=16)
    assert broker.page.locator(".options > li.option").count() == 1
    assert broker.page.locator("section:has(#unmet-title) a[href*='/unmet']").count() > 0


def _told(broker: Visitor, case: str) -> None:
    """The worker is told where they begin the day, and goes on to the case."""
    broker.open("/cases")
    broker.picture("notices")
    notices = broker.page.locator('form[action^="/notices/"]')
    assert notices.count() == 5  # of seven; the others are a link away
    assert broker.find(".notice p > a").inner_text().startswith("2 ")
    broker.open(case)
    broker.picture("case-notice")
    broker.follow('form[action^="/notices/"] button')
    assert broker.path == case
