"""A planner looks at the gap map: filters, the frame, a popup that leads to its row, hexagons, paper, and no scripts."""

import pytest

from tests.whole.browser.visitor import DESK, PHONE, Size, Walk

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(("language", "size"), [("id", PHONE), ("en", DESK), ("id", DESK)])
def test_a_planner_asks_the_map_and_follows_an_area_to_its_row(
    visits: Walk, language: str, size: Size
) -> None:
    planner = visits.signed_in("planner", language, size)
    frame = planner.page.frame_locator(".gap-map iframe")

    planner.open("/gaps?in=33")
    planner.picture("gap-map")
    planner.submit("form.gap-filters", layer="services")
    assert "layer=services" in planner.page.url
    planner.find(".gap-map iframe").scroll_into_view_if_needed()
    frame.locator(".shape").first.wait_for()
    planner.picture("gap-map-services", at=".gap-map", above=16)

    # A picture was taken at two widths: fit the map to this window again.
    planner.open(planner.page.url.removeprefix(visits.address))
    # The bar at the foot of a phone would lie over a frame that only just came into view.
    planner.find(".gap-map").evaluate("card => card.scrollIntoView({block: 'start'})")
    frame.locator(".shape").first.wait_for()
    frame.locator(".shape").last.click(force=True)
    frame.locator(".leaflet-popup-content strong").wait_for()
    with planner.page.expect_navigation():
        frame.locator(".leaflet-popup-content a").click()
    planner.check()
    row = planner.page.url.partition("#")[2]
    assert row.startswith("row-33.")
    assert planner.page.locator(f'[id="{row}"]').is_visible()
    if size is PHONE:
        planner.page.locator(".sort-phone summary").click()
    planner.follow(".sort-phone a >> nth=0" if size is PHONE else ".gap-table thead a >> nth=0")
    assert planner.page.locator(".gap-table thead [aria-sort]").count() == 1


def test_hexagons_and_paper_are_drawn(visits: Walk) -> None:
    planner = visits.signed_in("planner", "id", DESK)

    planner.open("/gaps?in=33&shape=hexagons&layer=services")
    planner.find(".gap-map iframe").scroll_into_view_if_needed()
    shapes = planner.page.frame_locator(".gap-map iframe").locator(".shape")
    shapes.first.wait_for()
    assert shapes.count() > 100
    planner.picture("gap-map-hexagons", at=".gap-map", above=16)
    planner.open("/gaps/print?in=33&layer=services")
    picture = planner.page.locator(".gap-map img")
    assert picture.evaluate("image => image.naturalWidth") > 0
    planner.picture("gap-map-paper")


def test_without_scripts_the_map_is_a_picture_and_the_table_stays(visits: Walk) -> None:
    planner = visits.visitor("id", PHONE, scripts=False)
    planner.sign_in("planner@demo.example", visits.password)

    planner.open("/gaps?layer=services&in=33")

    assert planner.page.locator(".gap-map img").is_visible()
    assert planner.page.locator(".gap-table tbody tr").count() == 25
    planner.page.locator(".sort-phone summary").click()
    planner.follow(".sort-phone a >> nth=0")
    assert "sort=area" in planner.page.url


def test_everybody_reads_the_open_figures(visits: Walk) -> None:
    visitor = visits.visitor("id", PHONE)

    visitor.open("/gaps/public")

    visitor.picture("gaps-public")
    assert visitor.page.locator("h1").count() == 1
