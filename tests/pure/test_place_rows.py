"""Reading gazetteer files: what is kept, what is reported."""

import pytest

from referral.core.country import COUNTRY
from referral.places.names import base_name, spelling
from referral.places.rows import missing_columns, read

GOOD = {"kode": "33", "level": "1", "nama": "Jawa Tengah", "lat": "-7.3", "lon": "110.2"}
CITY = {"kode": "33.74", "level": "2", "nama": "Kota Semarang", "kode_induk": "33"}


def test_a_file_in_indonesian_columns_is_read_with_zone_and_precision() -> None:
    reading = read(
        [
            CITY | {"lat": "-6.99", "lon": "110.42", "penduduk_2024": "1708833"},
            GOOD,
            {"kode": "33.74.11", "level": "3", "nama": " Banyumanik ", "lat": "-7", "lon": "110.4"},
            {
                "kode": "33.74.10",
                "level": "3",
                "nama": "Tembalang",
                "lat": "-7",
                "lon": "110",
                "coord_src": "parent_centroid",
            },
        ]
    )

    assert reading.findings == []
    assert [
        (p.code, p.name, p.parent_code, p.latitude, p.precision_km, p.population, p.time_zone)
        for p in reading.places
    ] == [
        ("33", "Jawa Tengah", None, -7.3, 100.0, None, "Asia/Jakarta"),
        ("33.74", "Kota Semarang", "33", -6.99, 6.0, 1708833, "Asia/Jakarta"),
        ("33.74.10", "Tembalang", "33.74", None, None, None, None),
        ("33.74.11", "Banyumanik", "33.74", -7.0, 7.0, None, None),
    ]


@pytest.mark.parametrize(
    ("change", "field", "key"),
    [
        ({"kode": ""}, "code", "place.row.code"),
        ({"kode": "3374"}, "code", "place.row.code"),
        ({"kode": "'; DROP TABLE place;--"}, "code", "place.row.code"),
        ({"level": "3"}, "level", "place.row.level"),
        ({"level": "two"}, "level", "place.row.level"),
        ({"nama": "  "}, "name", "place.row.name"),
        ({"kode_induk": "34"}, "parent_code", "place.row.parent"),
        ({"lat": "-6.99", "lon": ""}, "latitude", "place.row.point"),
        ({"lat": "110.42", "lon": "-6.99"}, "latitude", "place.row.point"),
        ({"lat": "nan", "lon": "110"}, "latitude", "place.row.point"),
        ({"lat": "-95", "lon": "110"}, "latitude", "place.row.point"),
        ({"lat": "north", "lon": "110"}, "latitude", "place.row.point"),
        ({"penduduk_2024": "-5"}, "population", "place.row.number"),
        ({"penduduk_2024": "many"}, "population", "place.row.number"),
        ({"lat": "-7", "lon": "110", "precision_km": "inf"}, "precision_km", "place.row.number"),
        ({"time_zone": "Europe/Rome"}, "time_zone", "place.row.zone"),
    ],
)
def test_a_bad_row_is_named_and_the_rest_is_kept(
    change: dict[str, str], field: str, key: str
) -> None:
    reading = read([GOOD, CITY | change])

    assert [place.code for place in reading.places] == ["33"]
    assert [(f.row, f.field, f.message.key) for f in reading.findings] == [(3, field, key)]


def test_a_code_met_twice_keeps_the_first() -> None:
    reading = read([GOOD, GOOD | {"nama": "Jawa Tengah Lagi"}])

    assert [place.name for place in reading.places] == ["Jawa Tengah"]
    assert [(f.row, f.message.key) for f in reading.findings] == [(3, "place.row.twice")]


def test_a_row_without_its_parent_is_kept_out_unless_the_gazetteer_has_it() -> None:
    assert read([CITY]).findings[0].message.key == "place.row.parent"
    assert read([CITY], known={"33"}).findings == []


def test_a_file_says_which_columns_it_lacks() -> None:
    assert missing_columns(["kode", "nama", "lat"]) == ["level", "longitude"]


@pytest.mark.parametrize(
    ("code", "zone"),
    [
        ("11", "Asia/Jakarta"),
        ("61.71", "Asia/Jakarta"),
        ("62", "Asia/Jakarta"),
        ("63", "Asia/Makassar"),
        ("51.71", "Asia/Makassar"),
        ("76", "Asia/Makassar"),
        ("81", "Asia/Jayapura"),
        ("96.71", "Asia/Jayapura"),
    ],
)
def test_the_time_zone_is_the_provinces(code: str, zone: str) -> None:
    assert COUNTRY.time_zone_of(code) == zone


@pytest.mark.parametrize(
    ("name", "base"),
    [
        ("Kabupaten Semarang", "Semarang"),
        ("Kota Administrasi Jakarta Selatan", "Jakarta Selatan"),
        ("Kabupaten Administrasi Kepulauan Seribu", "Kepulauan Seribu"),
        ("Kab. Solok", "Solok"),
        ("Langkat Regency", "Langkat"),
    ],
)
def test_the_base_name_lacks_the_kind(name: str, base: str) -> None:
    assert base_name(name) == base


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Kep. Seribu", "Kepulauan Seribu"),
        ("Tebing Tinggi", "Tebingtinggi"),
        ("Sungai Raya", "Sei Raya"),
        ("Bandoeng", "Bandung"),
        ("Tj. Selor", "Tanjung Selor"),
        ("TOLI-TOLI", "Tolitoli"),
    ],
)
def test_spellings_of_one_name_share_a_key(one: str, other: str) -> None:
    assert spelling(one) == spelling(other)


def test_numbered_neighbours_keep_their_own_keys() -> None:
    assert len({spelling(f"Banyuasin {number}") for number in ("I", "II", "III")}) == 3
    assert spelling("Sukun II") == spelling("Sukun 2")
