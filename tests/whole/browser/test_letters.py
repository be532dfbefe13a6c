"""The letter of a referral, the client's sheet and the message to copy, in a real browser."""

import pytest

from tests.whole.browser.people import GIRL, confirm_needs, need_card, open_case
from tests.whole.browser.visitor import DESK, PHONE, Size, Walk

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(("language", "size"), [("id", PHONE), ("en", DESK)])
def test_a_letter_goes_its_way_and_a_message_is_copied(
    visits: Walk, language: str, size: Size
) -> None:
    broker = visits.signed_in("broker", language, size)
    page = broker.page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    broker.open("/office/letterhead")
    broker.submit("main form", phone="024 000 0000", number_pattern="{number:03}/PS/{year}")
    case = open_case(broker, GIRL)
    confirm_needs(broker, ["HE05"])
    broker.open(f"{case}/basis")
    broker.submit("main form", answer="given", method="spoken", language=language)
    broker.open(f"{case}/contract")
    broker.tick(page.locator('input[name="in_scope"]').first)
    broker.submit("main form", method="spoken")
    broker.follow(f'{need_card(broker, "HE05")} form[action$="/match"] button')
    broker.follow('main a[href$="/handout"]')
    assert page.locator('input[name="site"]:checked').count() == min(3, page.locator('input[name="site"]').count())  # fmt: skip
    sheet = page.request.get(f"{page.url}.pdf?lang={language}")
    assert (sheet.status, sheet.headers["content-type"]) == (200, "application/pdf")
    page.go_back()
    broker.follow(page.locator('.options button[name="choice"]').first)
    broker.submit(
        "main form", basis="consent", fields=["name", "need"], method="spoken", priority="urgent"
    )
    referral = broker.path.removesuffix("/letter")

    broker.open(referral)
    page.locator("details:has(#message) > summary").click()
    page.locator('[data-copy="message"]').click()
    page.locator(".copy-text [data-copy-said]:not(:empty)").wait_for(state="attached")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == page.locator("#message").input_value()
    assert GIRL.name.split()[0] not in copied

    broker.open(f"{referral}/letter")
    broker.picture("letter-page")
    page.locator("aside summary").first.click()
    broker.submit('form[action$="/letters"]', attachments="0")
    page.locator('details:has(form[action$="/all"]) > summary').click()
    broker.submit('form[action$="/all"]', handed_to="post")
    assert page.locator("aside .tag").count() == 1
    broker.picture("letter-handed-over")
    broker.open("/letters")
    assert page.locator("main li.card").count() >= 1
    broker.picture("letters")
