"""The map as a page and as a picture: nothing from elsewhere, nothing that is told is ever read as HTML or script."""

import json
import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from referral.core.country import COUNTRY
from referral.planning.maps import page
from referral.planning.maps.drawing import drawing
from referral.planning.maps.palette import NEUTRAL, WORSE
from referral.planning.maps.shapes import Shape, bounds

SQUARE = {"type": "Polygon", "coordinates": [[[110, -7], [111, -7], [111, -6], [110, -6], [110, -7]]]}  # fmt: skip
HOSTILE = "</script><script>alert(1)</script>${alert(2)}`{{ 7*7 }}{% x %}<!--\u2028'\"&"
ASSETS = {"leaflet_js": "/static/leaflet.js", "leaflet_css": "/static/leaflet.css"}


def rendered(*shapes: Shape, **changes: object) -> str:
    options = {
        "assets": ASSETS,
        "coast": Path("nowhere"),
        "label": "Peta",
        "lang": "id",
        "ramp": WORSE,
        "rows": "/gaps?",
        "to_row": "Tampilkan",
    }
    return page.render(shapes, **options | changes)  # type: ignore[arg-type]


def test_what_is_told_stands_in_the_page_as_json_that_ends_no_script() -> None:
    text = rendered(Shape(SQUARE, "c0", HOSTILE, [HOSTILE], HOSTILE), label=HOSTILE, to_row=HOSTILE)

    assert "<script>alert" not in text
    assert "alert(1)</script>" not in text
    found = re.search(r"const told = (\{.*?\}), chart", text)
    assert found is not None
    assert "<" not in found[1]
    told = json.loads(found[1])
    assert told["shapes"]["features"][0]["properties"] == {
        "place": "c0",
        "title": HOSTILE,
        "lines": [HOSTILE],
        "link": HOSTILE,
    }
    assert "innerHTML" not in text
    assert (
        "`49" not in text
    )  # with what stands before it in the name: the page's own ids are random
    assert "{{" not in text


def test_a_name_that_is_a_template_is_not_run() -> None:
    title = "{{ ''.__class__.__mro__ }}{% for x in [] %}{# gone #}"
    text = rendered(Shape(SQUARE, "c0", title, []))

    assert "__mro__" in text
    assert "<class" not in text


def test_the_page_loads_only_what_it_is_given() -> None:
    text = rendered(Shape(SQUARE, "small", "A", ["<5"]))

    assert re.findall(r'(?:src|href)="([^"]+)"', text) == ["/static/leaflet.js", "/static/leaflet.css"]  # fmt: skip
    assert "https://" not in text.replace("https://leafletjs.com", "")


def test_tiles_come_only_where_they_were_chosen_and_name_their_owner_as_text() -> None:
    tiles = page.Tiles("https://tiles.example.org/{z}/{x}/{y}.png", "<b>Peta</b>")

    assert "tiles.example.org" in rendered(tiles=tiles)
    assert "<b>Peta" not in rendered(tiles=tiles)
    assert "tiles.example.org" not in rendered()


def test_a_map_reaches_as_far_as_what_is_on_it() -> None:
    point = {"type": "Point", "coordinates": [120.5, 1.5]}

    assert bounds([SQUARE, point]) == (110, -7, 120.5, 1.5)
    assert list(bounds([])) == COUNTRY.bounds


@pytest.mark.parametrize("place", ["c0", "c4", "zero", "small", "withheld", "no_data", "none_anywhere"])  # fmt: skip
def test_a_picture_is_well_formed_and_carries_its_own_colours(place: str) -> None:
    point = {"type": "Point", "coordinates": [110.5, -6.5]}
    text = drawing(
        [Shape(SQUARE, place, HOSTILE, [HOSTILE]), Shape(point, "plan", "P", [])],
        land=[SQUARE],
        ramp=NEUTRAL,
        label="<Peta> & \"lain\"",
    )  # fmt: skip

    root = ET.fromstring(text)
    assert root.get("aria-label") == '<Peta> & "lain"'
    assert "style" not in text
    assert HOSTILE not in text
    assert len(root.findall(".//{*}circle[@stroke]")) == 1
