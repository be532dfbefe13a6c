"""The facts of the country come from a file, not from the code."""

import re
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from referral.core.country import COUNTRY, Country

CODE = Path(__file__).parents[2] / "referral"
#: Making the gazetteer from Indonesian packages, and the demonstration's people, are about one country on purpose.
ABOUT_INDONESIA = {"places/sources.py", "accounts/demo.py"}


@pytest.mark.parametrize(
    ("area", "zone"),
    [
        ("33.74", "Asia/Jakarta"),
        ("51.71", "Asia/Makassar"),
        ("81.71", "Asia/Jayapura"),
        ("96.02.01", "Asia/Jayapura"),
        (None, "Asia/Jakarta"),
    ],
)
def test_each_area_has_its_time(area: str | None, zone: str) -> None:
    assert COUNTRY.time_zone_of(area) == zone


def test_every_zone_exists() -> None:
    assert [ZoneInfo(zone).key for zone in COUNTRY.time_zones] == list(COUNTRY.time_zones)


def test_another_country_is_another_file() -> None:
    elsewhere = Country(
        code="TL",
        currency="USD",
        calling_code="670",
        bounds=(124.0, -9.6, 127.4, -8.0),
        regency_reach_km={"": 15.0, "city": 5.0},
        time_zones={"Asia/Dili": []},
    )

    assert elsewhere.time_zone_of("33") == elsewhere.time_zone == "Asia/Dili"


def test_no_code_names_a_country_zone_or_currency() -> None:
    named = re.compile(r"[\"'](?:ID|IDR|Asia/[A-Z]\w+)[\"']")
    found = {
        str(path.relative_to(CODE)): hit.group()
        for path in CODE.rglob("*.py")
        if (hit := named.search(path.read_text("utf-8")))
    }

    assert {name: hit for name, hit in found.items() if name not in ABOUT_INDONESIA} == {}
