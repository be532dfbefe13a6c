"""Finding places by what people write and by where they are, on a small country."""

import pytest

from referral.places.gazetteer import Alias, AmbiguousPlace, Gazetteer, Place, UnknownPlace
from referral.places.geocoders import GazetteerGeocoder, geocoder_from

PLACES = (
    Place("33", 1, "Jawa Tengah", None, -7.3, 110.2, 120.0, "test", None, "Asia/Jakarta"),
    Place("33.22", 2, "Kabupaten Semarang", "33", -7.14, 110.4, 22.0, "test"),
    Place("33.22.14", 3, "Ungaran Barat", "33.22"),
    Place("33.74", 2, "Kota Semarang", "33", -6.993, 110.421, 6.0, "test"),
    Place("33.74.11", 3, "Banyumanik", "33.74", -7.06, 110.42, 5.0, "test"),
    Place("33.74.10", 3, "Tembalang", "33.74"),
    Place("33.13", 2, "Kabupaten Karanganyar", "33", -7.6, 110.95, 22.0, "test"),
    Place("33.13.09", 3, "Karanganyar", "33.13"),
    Place("33.05", 2, "Kabupaten Kebumen", "33"),
    Place("33.05.22", 3, "Karanganyar", "33.05"),
    Place("34", 1, "Daerah Istimewa Yogyakarta", None, -7.8, 110.4, 30.0, "test"),
    Place("34.71", 2, "Kota Yogyakarta", "34", -7.8, 110.36, 6.0, "test"),
    Place("34.04", 2, "Kabupaten Sleman", "34", -7.7, 110.35, 22.0, "test"),
    Place("34.04.07", 3, "Depok", "34.04"),
    Place("32", 1, "Jawa Barat", None),
    Place("32.76", 2, "Kota Depok", "32", -6.39, 106.82, 6.0, "test"),
    Place("18", 1, "Lampung", None),
    Place("18.06", 2, "Kabupaten Tanggamus", "18"),
    Place("18.06.01", 3, "Kota Agung", "18.06"),
)
ALIASES = (
    Alias("Jogja", "34.71"),
    Alias("DIY", "34"),
    Alias("Jateng", "33"),
    Alias("Ungaran", "33.22", "seat"),
)


@pytest.fixture(scope="module")
def gazetteer() -> Gazetteer:
    return Gazetteer(PLACES, ALIASES)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Kec. Banyumanik, Kota Semarang", "33.74.11"),
        ("kecamatan banyumanik kota semarang", "33.74.11"),
        ("Banyumanik Semarang", "33.74.11"),
        ("Jl. Setiabudi 12, Sumurboto, Kec. Banyumanik, Semarang, Jateng 50269", "33.74.11"),
        ("Kel. Sumurboto, Banyumanik, Kota Semarang, Indonesia", "33.74.11"),
        ("Kec. Banyumanek, Kota Semarang", "33.74.11"),
        ("Kota Semrang", "33.74"),
        ("Kab. Semarang", "33.22"),
        ("Semarang Kab", "33.22"),
        ("Tembalang, Semarang", "33.74.10"),
        ("Jogja", "34.71"),
        ("D.I.Y", "34"),
        ("Ungaran", "33.22"),
        ("Kab. Karanganyar", "33.13"),
        ("Karanganyar, Kebumen", "33.05.22"),
        ("Depok, Sleman", "34.04.07"),
        ("Kota Depok", "32.76"),
        ("Kota Agung", "18.06.01"),
        ("jawa tengah", "33"),
        ("33.74.11", "33.74.11"),
    ],
)
def test_a_clear_text_is_one_place(gazetteer: Gazetteer, text: str, code: str) -> None:
    assert gazetteer.resolve(text).code == code


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("Semarang", ["33.74", "33.22"]),
        ("semarang, jawa tengah", ["33.74", "33.22"]),
        ("Karanganyar", ["33.13", "33.05.22"]),
        ("Kec. Karanganyar", ["33.05.22", "33.13.09"]),
        ("Depok", ["32.76", "34.04.07"]),
    ],
)
def test_an_ambiguous_name_is_offered_not_guessed(
    gazetteer: Gazetteer, text: str, codes: list[str]
) -> None:
    with pytest.raises(AmbiguousPlace) as caught:
        gazetteer.resolve(text)

    assert [candidate["code"] for candidate in caught.value.candidates] == codes
    assert caught.value.field == "place"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "asdf",
        "qwerty uiop",
        "Kec.",
        "Kab.",
        "...",
        "<script>alert(1)</script>",
        "Robert'); DROP TABLE place;--",
        "\x00",
        "Kuala Lumpur, Malaysia",
        "Indonesia",
        "99.99",
        "semarang " * 2000,
    ],
)
def test_noise_is_no_place(gazetteer: Gazetteer, text: str) -> None:
    assert gazetteer.find(text) == []
    with pytest.raises(UnknownPlace):
        gazetteer.resolve(text)


def test_a_named_kecamatan_that_is_not_there_is_not_passed_over(gazetteer: Gazetteer) -> None:
    with pytest.raises(UnknownPlace) as caught:
        gazetteer.resolve("Kec. Banyubiru, Kota Semarang")

    assert [candidate["code"] for candidate in caught.value.candidates] == ["33.74.11"]


def test_a_misspelt_kecamatan_is_looked_for_only_inside_its_regency(gazetteer: Gazetteer) -> None:
    assert gazetteer.find("Banyumanek") == []


def test_a_label_names_everything_around_a_place(gazetteer: Gazetteer) -> None:
    assert gazetteer.label("33.74.11") == "Kec. Banyumanik, Kota Semarang, Jawa Tengah"
    assert [place.code for place in gazetteer.ancestors("33.74.11")] == ["33.74", "33"]
    assert [place.code for place in gazetteer.children("33.74")] == ["33.74.11", "33.74.10"]
    assert [place.code for place in gazetteer.children()] == ["33", "34", "32", "18"]
    assert gazetteer.time_zone("33.74.11") == "Asia/Jakarta"
    assert gazetteer.time_zone("18.06") is None


def test_a_place_without_a_point_borrows_that_of_the_area_around_and_says_so(
    gazetteer: Gazetteer,
) -> None:
    own, borrowed = gazetteer.locate("33.74.11"), gazetteer.locate("33.74.10")

    assert own is not None
    assert (own.at.code, own.precision_km) == ("33.74.11", 5.0)
    assert borrowed is not None
    assert (borrowed.at.code, borrowed.latitude, borrowed.precision_km) == ("33.74", -6.993, 6.0)
    assert gazetteer.locate("18.06.01") is None


def test_a_position_is_nearest_to_one_regency_and_says_how_near_the_next_is(
    gazetteer: Gazetteer,
) -> None:
    place, km, runner_up_km = gazetteer.nearest_regency(-6.99, 110.42)

    assert place.code == "33.74"
    assert km == pytest.approx(0.35, abs=0.01)
    assert runner_up_km == pytest.approx(16.8, abs=0.1)
    assert gazetteer.nearest(-6.99, 110.42)[0].code == "33.74.11"
    assert gazetteer.nearest(-7.8, 110.36)[0].code == "34.71"


def test_an_empty_gazetteer_knows_nothing() -> None:
    empty = Gazetteer([])

    assert empty.find("Semarang") == []
    with pytest.raises(UnknownPlace):
        empty.nearest_regency(-7, 110)


def test_the_geocoder_gives_a_point_an_area_and_a_precision(gazetteer: Gazetteer) -> None:
    location = GazetteerGeocoder(gazetteer).geocode("Kec. Tembalang, Kota Semarang")

    assert (location.latitude, location.longitude) == (-6.993, 110.421)
    assert location.raw == {
        "code": "33.74.10",
        "area": "Kec. Tembalang, Kota Semarang, Jawa Tengah",
        "precision_km": 6.0,
        "point_of": "33.74",
    }


def test_the_geocoder_lists_all_an_ambiguous_text_could_mean(gazetteer: Gazetteer) -> None:
    geocoder = GazetteerGeocoder(gazetteer)

    assert [one.raw["code"] for one in geocoder.geocode("Semarang", exactly_one=False)] == [
        "33.74",
        "33.22",
    ]
    with pytest.raises(AmbiguousPlace):
        geocoder.geocode("Semarang")
    assert geocoder.geocode("asdf") is None


def test_the_geocoder_works_backwards(gazetteer: Gazetteer) -> None:
    location = GazetteerGeocoder(gazetteer).reverse((-7.05, 110.42))

    assert location.raw["code"] == "33.74.11"
    assert location.raw["km"] == pytest.approx(1.1, abs=0.05)
    assert location.raw["runner_up_km"] == pytest.approx(10.2, abs=0.1)


class Chosen:
    def __init__(self, geocoder: str, domain: str = ""):
        self.GEOCODER, self.NOMINATIM_DOMAIN = geocoder, domain


def test_the_settings_choose_the_geocoder(gazetteer: Gazetteer) -> None:
    assert isinstance(geocoder_from(Chosen("gazetteer"), gazetteer), GazetteerGeocoder)
    online = geocoder_from(Chosen("nominatim", "nominatim.example.org"), gazetteer)
    assert online.domain == "nominatim.example.org"
    for wrong in (Chosen("nominatim"), Chosen("crystal ball")):
        with pytest.raises(RuntimeError, match="GEOCODER"):
            geocoder_from(wrong, gazetteer)
