"""`flask places`: finding, importing, coverage."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session

from referral.places import operations

HEADER = "kode,level,nama,kode_induk,kabkota,provinsi,lat,lon,coord_src,penduduk_2024,luas_km2\n"


@pytest.fixture(autouse=True)
def places(session: Session) -> None:
    """Two regencies that share a name, in a province of their own."""
    rows = [
        {"code": "99", "level": "1", "name": "Tanah Uji"},
        {"code": "99.01", "level": "2", "name": "Kabupaten Cobaan"},
        {
            "code": "99.71",
            "level": "2",
            "name": "Kota Cobaan",
            "latitude": "-7",
            "longitude": "110",
        },
        {"code": "99.71.01", "level": "3", "name": "Cobaan Tengah"},
    ]
    operations.load(session, rows, source="survey", now=datetime.now(UTC))
    session.commit()


def test_find_gives_a_point_an_area_and_a_precision(cli: Any) -> None:
    output = cli("places", "find", "Kec. Cobaan Tengah, Kota Cobaan", "--json")

    assert (output.exit_code, output.json) == (
        0,
        {
            "code": "99.71.01",
            "name": "Kec. Cobaan Tengah, Kota Cobaan, Tanah Uji",
            "level": 3,
            "latitude": -7.0,
            "longitude": 110.0,
            "precision_km": 6.0,
            "point_of": "99.71",
            "time_zone": "Asia/Jakarta",
        },
    )


def test_find_offers_what_an_ambiguous_name_could_mean(cli: Any) -> None:
    output = cli("places", "find", "Cobaan", "--json", "--lang", "en")

    assert output.exit_code == 2
    assert output.json == {
        "error": {
            "code": "ambiguous_place",
            "field": "place",
            "message": "2 places have that name. Choose one, or give its kabupaten, kota or province.",
            "candidates": [
                {"code": "99.71", "name": "Kota Cobaan, Tanah Uji", "level": 2, "score": 100.0},
                {
                    "code": "99.01",
                    "name": "Kabupaten Cobaan, Tanah Uji",
                    "level": 2,
                    "score": 100.0,
                },
            ],
        }
    }


def test_find_says_in_indonesian_that_there_is_no_such_place(cli: Any) -> None:
    output = cli("places", "find", "asdf")

    assert output.exit_code == 2
    assert output.stderr.startswith("Tempat itu tidak ditemukan.")


def test_import_loads_good_rows_and_reports_bad_ones(cli: Any, tmp_path: Path) -> None:
    file = tmp_path / "better.csv"
    file.write_text(
        HEADER
        + "99.01,2,Kabupaten Cobaan,99,,,-7.5,110.5,survey,5000,10\n"
        + "99.02,2,Kabupaten Salah,99,,,-95,110.5,survey,,\n",
        encoding="utf-8",
    )

    output = cli("places", "import", str(file), "--json", "--lang", "en")

    assert output.exit_code == 1
    assert output.json == {
        "read": 2,
        "added": 0,
        "changed": 1,
        "unchanged": 0,
        "rejected": 1,
        "findings": [
            {
                "row": 3,
                "field": "latitude",
                "value": "-95",
                "message": "A point must be a latitude and longitude in Indonesia, or both must be empty.",
            }
        ],
    }
    assert cli("places", "find", "Kab. Cobaan", "--json").json["latitude"] == -7.5


@pytest.mark.parametrize(
    ("content", "key"),
    [
        (b"kode,nama\n99,Tanah Uji\n", "level, latitude, longitude"),
        (b"", "code, level, name, latitude, longitude"),
        (b"\xff\xfe\x00kode", "UTF-8"),
    ],
)
def test_import_refuses_a_file_it_cannot_read(
    cli: Any, tmp_path: Path, content: bytes, key: str
) -> None:
    file = tmp_path / "bad.csv"
    file.write_bytes(content)

    output = cli("places", "import", str(file), "--json")

    assert output.exit_code == 2
    assert output.json["error"]["field"] == "file"
    assert key in output.json["error"]["message"]


def test_import_names_a_file_that_is_not_there(cli: Any) -> None:
    assert cli("places", "import", "nowhere.csv").exit_code == 2


def test_coverage_counts_places_with_a_point(cli: Any, tmp_path: Path) -> None:
    seats = tmp_path / "seats.csv"
    seats.write_text("kode,nama,lat,lon\n99.71,Kota Cobaan,-7,110\n99.01,X,-7,110\n", "utf-8")

    output = cli("places", "coverage", "--against", str(seats), "--json")

    assert output.exit_code == 0
    assert output.json["against"]["levels"]["2"]["within_25_km"] == 1
    assert output.json["against"]["levels"]["2"]["unplaced"] == 1


def test_an_address_is_looked_up_by_the_geocoder_of_the_settings(cli):
    found = cli("places", "geocode", "Kota Semarang", "--json")

    assert found.exit_code == 0
    assert (round(found.json["latitude"]), round(found.json["longitude"])) == (-7, 110)


def test_an_address_that_is_nowhere_ends_with_two(cli):
    assert cli("places", "geocode", "asdfgh qwerty", "--json").exit_code == 2


def test_an_online_geocoder_that_does_not_answer_says_what_to_do(cli, monkeypatch):
    from geopy.exc import GeocoderUnavailable

    from referral.cli import places

    class Silent:
        def geocode(self, _text):
            raise GeocoderUnavailable

    monkeypatch.setattr(places, "geocoder_from", lambda *_: Silent())
    found = cli("places", "geocode", "Kota Semarang", "--json")

    assert (found.exit_code, found.json["error"]["code"]) == (2, "not_found")


def test_coverage_is_told_in_the_language_asked_for(cli: Any) -> None:
    told = {lang: cli("places", "coverage", "--lang", lang).stdout for lang in ("id", "en")}

    assert "Kabupaten dan kota" in told["id"]
    assert "With a point" in told["en"]


def test_a_list_to_compare_with_needs_its_columns(cli: Any, tmp_path: Path) -> None:
    file = tmp_path / "seats.csv"
    file.write_text("kode,name\n99.01,Cobaan\n", "utf-8")

    output = cli("places", "coverage", "--against", str(file), "--json", "--lang", "en")

    assert output.exit_code == 2
    assert output.json["error"] == {
        "code": "invalid",
        "field": "against",
        "message": "The file lacks these columns: lat, lon.",
        "candidates": [],
    }
