"""Everything a broker does works where scripts do not run."""

import pytest

from tests.whole.browser.people import GIRL, confirm_needs, need_card, open_case
from tests.whole.browser.visitor import PHONE, Walk

pytestmark = pytest.mark.browser


def test_without_scripts_a_broker_matches_chooses_and_sends(visits: Walk) -> None:
    broker = visits.visitor("id", PHONE, scripts=False)
    broker.sign_in("broker@demo.example", visits.password)
    case = open_case(broker, GIRL)
    confirm_needs(broker, ["HE05"])
    broker.open(f"{case}/basis")
    broker.submit("main form", answer="given", method="spoken", language="id")
    broker.open(f"{case}/contract")
    broker.tick(broker.page.locator('input[name="in_scope"]').first)
    broker.submit("main form", method="spoken")

    broker.follow(f'{need_card(broker, "HE05")} form[action$="/match"] button')
    assert broker.page.locator(".options > li.option").count() > 0
    assert not broker.page.locator(".listmap-switch, .listmap-map").first.is_visible()
    broker.follow(broker.page.locator('.options button[name="choice"]').first)
    broker.submit("main form", basis="consent", fields=["name", "need"], method="spoken",
                  priority="urgent")  # fmt: skip

    assert broker.path.startswith("/referrals/"), broker.text()
