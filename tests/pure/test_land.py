"""Whether a straight line leaves the island is said only where the drawn land can tell."""

from typing import Any

import pytest

from referral.places.land import Crossing, Land, land


def square(west: float, south: float, side: float) -> dict[str, Any]:
    east, north = west + side, south + side
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [ring]}}


#: Two islands a degree wide, 0.1 degrees of sea (11 km) between them; nothing is known beyond 110 east.
TWO = Land({"bbox": [100, -5, 110, 5], "features": [square(101, 0, 1), square(102.1, 0, 1)]})
WEST_ISLAND, EAST_ISLAND, OPEN_SEA = (0.5, 101.5), (0.5, 102.6), (-3.0, 105.0)


@pytest.mark.parametrize(
    ("here", "there", "expected"),
    [
        ((*WEST_ISLAND, 0.5), (0.9, 101.1, 0.5), Crossing.NO),
        ((*WEST_ISLAND, 0.5), (*EAST_ISLAND, 0.5), Crossing.YES),
        # 2 km off the coast is the coast; 5 km off may be anything; 20 km off is an island that is not drawn
        ((*WEST_ISLAND, 0.5), (-0.018, 101.5, 0.5), Crossing.NO),
        ((*WEST_ISLAND, 0.5), (-0.045, 101.5, 0.5), None),
        ((*WEST_ISLAND, 0.5), (*OPEN_SEA, 0.5), Crossing.YES),
        ((*OPEN_SEA, 0.5), (-3.5, 105.5, 0.5), None),
        # known only by an area that reaches the other shore
        ((*WEST_ISLAND, 0.5), (*EAST_ISLAND, 70.0), Crossing.PERHAPS),
        ((*WEST_ISLAND, 0.5), (0.5, 120.0, 0.5), None),
    ],
)
def test_two_points_lie_on_two_islands(here: Any, there: Any, expected: Crossing | None) -> None:
    assert TWO.crossing(here, there) is expected
    assert TWO.crossing(there, here) is expected


#: Places of Indonesia by their own coordinates, and what anybody who has been there knows.
PAIRS = [
    ("Surabaya", (-7.2575, 112.7521), "Bangkalan", (-7.0306, 112.745), Crossing.YES),
    ("Batam", (1.0456, 104.0305), "Tanjungpinang", (0.9186, 104.45), Crossing.YES),
    ("Mataram", (-8.5833, 116.1167), "Sumbawa Besar", (-8.4932, 117.4202), Crossing.YES),
    ("Ambon", (-3.6547, 128.1906), "Namlea, Buru", (-3.253, 127.0955), Crossing.YES),
    ("Jakarta", (-6.1754, 106.8272), "Pulau Pramuka", (-5.7453, 106.6136), Crossing.YES),
    ("Larantuka", (-8.3431, 122.9833), "Waiwerang, Adonara", (-8.378, 123.156), Crossing.YES),
    ("Ternate", (0.7893, 127.3877), "Sofifi", (0.7376, 127.559), Crossing.YES),
    ("Semarang", (-6.99, 110.42), "Surabaya", (-7.2575, 112.7521), Crossing.NO),
    ("Larantuka", (-8.3431, 122.9833), "Maumere", (-8.62, 122.21), Crossing.NO),
    ("Samarinda", (-0.5, 117.15), "Kuching", (1.55, 110.36), Crossing.NO),
    ("Merauke", (-8.5, 140.4), "Jayapura", (-2.53, 140.7), Crossing.NO),
    ("Jakarta", (-6.1754, 106.8272), "Pulau Untung Jawa", (-5.977, 106.706), None),
]


@pytest.mark.parametrize(("a", "here", "b", "there", "expected"), PAIRS)
def test_what_is_said_of_real_places_is_true(
    a: str, here: Any, b: str, there: Any, expected: Crossing | None
) -> None:
    drawn = land()
    if drawn is None:
        pytest.skip("static/vendor/land.json is made by `make`")

    assert drawn.crossing((*here, 0.5), (*there, 0.5)) is expected, f"{a} to {b}"


def test_without_the_file_nothing_is_said(tmp_path: Any) -> None:
    assert land(tmp_path / "land.json") is None
