"""An agency's answer without an account on a phone, and two windows of one referral, in a real browser."""

import pytest

from tests.whole.browser.people import GIRL, confirm_needs, need_card, open_case
from tests.whole.browser.visitor import DESK, PHONE, Visitor, Walk

pytestmark = pytest.mark.browser


def test_two_windows_of_one_referral_end_in_both_values_and_a_code_answers_in_two_taps(
    visits: Walk,
) -> None:
    broker = visits.signed_in("broker", "id", DESK)
    referral, code = _sent(broker)
    second = visits.signed_in("broker", "id", DESK)
    second.open(referral)

    phone = visits.visitor("id", PHONE)
    phone.open("/reply")
    phone.submit("main form", code=code.lower())
    phone.picture("reply-by-code")
    seen = phone.text()
    phone.follow('form:has([name="event"][value="accept"]) button')
    assert phone.page.locator("h1").inner_text()
    assert not [secret for secret in GIRL.secrets if secret in seen + phone.text()]

    second.page.locator('details:has(form[action$="/steps/decline"]) > summary').click()
    second.submit('form[action$="/steps/decline"]', reason="outside_area")
    second.picture("referral-stale")
    told = second.text().lower()
    assert "dikirim" in told  # what that window saw
    assert "disetujui" in told  # what it is now


def _sent(broker: Visitor) -> tuple[str, str]:
    """A referral on its way, and the short code by which its agency may answer."""
    case = open_case(broker, GIRL)
    confirm_needs(broker, ["FC01"])
    broker.open(f"{case}/basis")
    broker.submit("main form", answer="given", method="spoken", language="id")
    broker.open(f"{case}/contract")
    broker.tick(broker.page.locator('input[name="in_scope"]').first)
    broker.submit("main form", method="spoken")
    broker.follow(f'{need_card(broker, "FC01")} form[action$="/match"] button')
    broker.follow(broker.page.locator('.options button[name="choice"]').first)
    broker.submit("main form", basis="consent", fields=["name"], method="spoken", priority="urgent")
    code = broker.page.locator("#ways-message").input_value().rsplit("kode ", 1)[1][:9]
    return broker.path, code
