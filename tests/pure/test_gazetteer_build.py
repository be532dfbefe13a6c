"""Making the gazetteer from sources: placed where they agree, left alone where unsure."""

from referral.places.build import build
from referral.places.sources import Placed, Point, Sources

AREAS = {
    "33": "Jawa Tengah",
    "33.22": "Kabupaten Semarang",
    "33.22.01": "Getasan",
    "33.74": "Kota Semarang",
    "33.74.11": "Banyumanik",
}
VILLAGES = {"33.22.01.2001": "Kopeng", "33.22.01.2002": "Batur", "33.74.11.1001": "Sumurboto"}


def point(name: str, latitude: float, longitude: float, regency: str | None = None) -> Point:
    claims = {regency: 3.0} if regency else {}
    return Point(name, latitude, longitude, frozenset({"33"}), "geonames:test", claims=claims)


def built(*points: Point, hand: dict[str, Placed] | None = None) -> dict[str, dict[str, str]]:
    sources = Sources(
        AREAS, VILLAGES, {"33.22": ("Ungaran",), "33.74": ("Semarang",)}, points, hand or {}
    )
    return {row["code"]: row for row in build(sources)}


def test_a_regency_stands_at_its_capital_and_a_kecamatan_at_its_name() -> None:
    rows = built(
        point("Ungaran", -7.139, 110.405, "33.22"),
        point("Getasan", -7.38, 110.44, "33.22"),
        point("Semarang", -6.993, 110.421, "33.74"),
    )

    assert rows["33.22"] == {
        "code": "33.22",
        "level": "2",
        "name": "Kabupaten Semarang",
        "parent_code": "33",
        "latitude": "-7.13900",
        "longitude": "110.40500",
        "precision_km": "22.0",
        "point_source": "geonames:test",
        "population": "",
        "time_zone": "Asia/Jakarta",
    }
    assert rows["33.22.01"]["latitude"] == "-7.38000"
    assert rows["33.74.11"]["latitude"] == ""


def test_a_kecamatan_is_placed_by_villages_that_agree() -> None:
    rows = built(
        point("Kopeng", -7.40, 110.42, "33.22"),
        point("Batur", -7.41, 110.44, "33.22"),
        point("Ungaran", -7.139, 110.405, "33.22"),
    )

    at = rows["33.22.01"]
    assert (at["latitude"], at["longitude"], at["precision_km"], at["point_source"]) == (
        "-7.40500",
        "110.43000",
        "7.0",
        "points:villages",
    )


def test_a_namesake_far_away_that_no_neighbour_seconds_is_not_used() -> None:
    rows = built(
        point("Semarang", -6.993, 110.421, "33.74"),
        point("Sumurboto", -7.9, 109.2),
        point("Semarang", -6.994, 110.422, "33.74"),
        point("Banyumanik", -7.9, 109.21),
        point("Ungaran", -7.89, 109.2, "33.22"),
    )

    assert rows["33.74.11"]["latitude"] == ""


def test_points_read_on_a_page_come_first() -> None:
    rows = built(
        point("Ungaran", -7.139, 110.405, "33.22"),
        hand={"33.22": Placed(-7.14, 110.41, 9.0, "page")},
    )

    assert (rows["33.22"]["latitude"], rows["33.22"]["point_source"]) == ("-7.14000", "page")


def test_without_points_nothing_is_placed() -> None:
    assert {row["latitude"] for row in built().values()} == {""}
