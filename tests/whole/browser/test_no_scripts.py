"""What a broker does must work where scripts do not."""

import pytest

from tests.whole.browser.visitor import PHONE, Walk

pytestmark = pytest.mark.browser


def test_without_scripts_a_broker_matches_chooses_and_sends(visits: Walk) -> None:
    broker = visits.visitor("id", PHONE, scripts=False)
    broker.sign_in("broker@demo.example", visits.password)
    page = broker.page
    broker.open("/needs/search") if False else broker.open("/cases")
