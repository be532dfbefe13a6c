"""One plan for everything the teenager needs: stops in order with a map, and what each way to go costs."""

import pytest

from tests.whole.browser.people import GIRL, confirm_needs, open_case
from tests.whole.browser.visitor import DESK, PHONE, Size, Visitor, Walk

pytestmark = pytest.mark.browser
NEEDS = ("HE05", "FC01", "SS03")


@pytest.mark.parametrize(("language", "size"), [("id", PHONE), ("en", DESK)])
def test_several_needs_become_one_way_with_stops_in_order(
    visits: Walk, language: str, size: Size
) -> None:
    broker = visits.signed_in("broker", language, size)
    case = open_case(broker, GIRL, protections=["child"])
    broker.open(f"{case}/proposals")
    confirm_needs(broker, list(NEEDS))
    broker.open(case)
    broker.follow('#needs form[action$="/plan"] button')
    plan = broker.path
    assert plan.startswith("/plans/")

    page = broker.page
    stops = page.locator(".options > li.option")
    assert stops.count() == 2
    assert page.locator("section:has(#remote-title) li.card").count() == 1
    broker.picture("plan-teenager", (DESK,))
    broker.picture("plan-teenager", (PHONE,), at="#stops-title", above=16)
    broker.picture("plan-teenager-top", (PHONE,))
    _pins_are_stops(broker)

    broker.follow(".tabs a >> nth=1")
    assert broker.path == plan
    assert page.locator('.tabs [aria-current="page"]').count() == 1
    broker.follow('main a[href*="/print"]')
    assert GIRL.name.split()[0] not in broker.text()
    broker.picture("plan-print")
    broker.open(plan)
    broker.submit('form[action$="/again"]', within="")
    assert broker.path != plan
    broker.picture("plan-far", (DESK,))


def _pins_are_stops(broker: Visitor) -> None:
    """Every stop has its pin, and the way lies between them."""
    page = broker.page
    if broker.size == PHONE:
        page.locator('[data-show="map"]').click()
    page.locator(".leaflet-container path.outline").first.wait_for(state="attached")
    assert page.locator(".leaflet-container .pin:not(.pin-start)").count() == 2
    broker.picture("plan-teenager-map", (broker.size,), at="[data-listmap]", above=20)
