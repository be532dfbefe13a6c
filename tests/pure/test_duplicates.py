"""Two listings are compared by what makes each its own, and every point for or against has a reason."""

from dataclasses import replace

import numpy as np
import pytest

from referral.directory.duplicates import blocking, normal
from referral.directory.duplicates.blocking import Keys, once, pairs
from referral.directory.duplicates.scoring import (
    Entry,
    Place,
    Shared,
    judge,
    name_likeness,
)

HERE = Place(-6.99, 110.42, 0.5, "33.74.11")


def entry(name: str, **values: object) -> Entry:
    given = {"organization": name, "categories": frozenset({"HE02"}), "places": [HERE]} | values
    return Entry(normal.name(name), **given)  # type: ignore[arg-type]


def score(one: Entry, other: Entry, shared: Shared | None = None) -> float:
    return judge(one, other, shared or Shared()).score


def keys(one: Entry, other: Entry, shared: Shared | None = None) -> set[str]:
    reasons = judge(one, other, shared or Shared()).reasons
    return {reason.message.key.removeprefix("duplicates.") for reason in reasons}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("RSUD Banyumanik", "Rumah Sakit Umum Daerah Banyumanik"),
        ("St. Elisabeth Hospital", "Rumah Sakit Santo Elisabeth"),
        ("Yay. Kasih Bunda", "Yayasan Kasih Bunda"),
        ("PKM Cicadas I", "Puskesmas Cicadas 1"),
        ("UPT Puskesmas Neglasari", "Puskesmas Neglasari"),
        ("SLB N Oesao", "SLB Negeri Usao"),
        ("Puskesmas Sei Bahar", "Puskesmas Sungai Bahar"),
        ("SMKN01 Bantul", "SMK Negeri 1 Bantul"),
        ("Dinsos Kab. Garut", "Dinas Sosial Kabupaten Garut"),
        ("Ma'arif Al-Hikmah", "MAARIF AL HIKMAH"),
    ],
)
def test_short_forms_and_old_spellings_are_the_same_name(one: str, other: str) -> None:
    assert normal.name(one) == replace(normal.name(other), kinds=normal.name(one).kinds)


def test_a_name_is_taken_apart() -> None:
    assert normal.name("SLB-B Negeri 2 Harapan Kota Semarang") == normal.Name(
        core=("harapan", "semarang"),
        kinds=frozenset({"sekolah luar biasa"}),
        numbers=frozenset({"2"}),
        letters=frozenset({"b"}),
        sides={"owner": frozenset({"negeri"}), "region": frozenset({"kota"})},
        is_part=False,
        is_bare=False,
    )


def test_an_address_names_areas_beside_its_street() -> None:
    found = normal.street("Jl. Pasir Sari No. 12 RT 03 Ds. Sindangkerta, Kec. Pagelaran")

    assert (found.words, found.areas) == (
        ("pasir", "sari"),
        {"village": "sindangkerta", "district": "pagelaran"},
    )
    assert "12" in found.numbers


@pytest.mark.parametrize(
    ("printed", "digits"),
    [("(0724) 22095", "72422095"), ("+62 724-22095", "72422095"), ("112", ""), ("119 ext 8", "")],
)
def test_a_number_is_the_same_however_it_is_written(printed: str, digits: str) -> None:
    assert normal.phone(printed) == digits


def test_a_host_that_thousands_share_says_nothing() -> None:
    assert normal.host("https://www.rs-harapan.example/kontak") == "rs-harapan.example"
    assert normal.host("https://web.facebook.com/rs.harapan") == ""


def test_a_typo_lowers_the_likeness_of_names_but_does_not_end_it() -> None:
    alike = name_likeness(entry("RS Muhammdiyah Delanggu"), entry("RS Muhammadiyah Delanggu"))

    assert 0.9 < alike < 1
    assert name_likeness(entry("Puskesmas Kotabaru"), entry("Puskesmas Ko Ta Baru")) == 1
    assert name_likeness(entry("Puskesmas Melati"), entry("Puskesmas Anggrek")) < 0.3


def test_the_same_name_in_the_same_place_is_shown_to_a_curator() -> None:
    one = entry("RSUD Kasih Bunda", phones=frozenset({"24354"}))
    other = entry("Rumah Sakit Umum Daerah Kasih Bunda", phones=frozenset({"24354"}))

    assert score(one, other) > 0.99
    assert keys(one, other) == {
        "name.same",
        "phone.same",
        "place.near",
        "area.same",
        "category.same",
    }


@pytest.mark.parametrize(
    ("one", "other", "because"),
    [
        ("SLB Negeri 1 Bantul", "SLB Negeri 2 Bantul", "name.numbers"),
        ("SMKN 3 Semarang", "SMKN 4 Semarang", "name.numbers"),
        ("Puskesmas Cicadas I", "Puskesmas Cicadas II", "name.numbers"),
        ("SLB A Kasih", "SLB B Kasih", "name.letters"),
        ("SDLB Kasih Bunda", "SMPLB Kasih Bunda", "name.opposite"),
        ("RSUD Kota Semarang", "RSUD Kabupaten Semarang", "name.opposite"),
        ("SMK Negeri Melati", "SMK Swasta Melati", "name.opposite"),
        ("Puskesmas Kel. Duren Sawit", "Puskesmas Kec. Duren Sawit", "name.opposite"),
        ("Puskesmas Melati Utara", "Puskesmas Melati Selatan", "name.opposite"),
        ("Puskesmas Banyumanik", "Puskesmas Pembantu Banyumanik", "name.branch"),
        ("Klinik Utama Kasih", "Klinik Utama Kasih Cabang Tembalang", "name.branch"),
    ],
)
def test_what_tells_two_names_apart_keeps_them_from_the_curator(
    one: str, other: str, because: str
) -> None:
    assert because in keys(entry(one), entry(other))
    assert score(entry(one), entry(other)) < 0.5


def test_services_of_one_organization_at_one_site_are_not_doubles() -> None:
    house = {"organization": "Yayasan Kasih", "phones": frozenset({"243540000"})}
    one = entry("Konseling", categories=frozenset({"HE05"}), **house)
    other = entry("Konseling", categories=frozenset({"SA01"}), **house)
    third = entry("Penitipan anak", categories=frozenset({"HE05"}), **house)

    assert score(one, other) < 0.01
    assert score(one, third) < 0.01
    assert keys(one, other) >= {"organization.two_services", "category.differ"}


def test_the_same_name_in_another_district_is_another_office() -> None:
    one = entry("Kantor Kecamatan Sukaraja", places=[Place(-6.9, 106.9, 0.5, "32.01.10")])
    other = entry("Kantor Kecamatan Sukaraja", places=[Place(-7.3, 108.2, 0.5, "32.06.13")])
    shared = Shared(names={one.name.whole: 6})

    assert score(one, other, shared) < 0.2


def test_two_rows_of_one_list_are_told_apart_by_it_unless_more_than_the_name_is_the_same() -> None:
    one = entry("Puskesmas Cidahu", origin="register")
    there = replace(one, organization=2, origin="register")
    elsewhere = replace(there, origin="other list")

    assert score(one, there) == pytest.approx(score(one, elsewhere) - 0.45, abs=0.2)
    assert "origin.same" in keys(one, there)
    assert "origin.same" not in keys(one, elsewhere)


def test_a_number_that_many_share_is_weak_evidence() -> None:
    hotline = {"phones": frozenset({"1500771"})}
    one, other = entry("Layanan Melati", **hotline), entry("Layanan Kenanga", **hotline)
    few, many = (Shared(phones={"1500771": count}) for count in (2, 500))

    assert score(one, other, few) > 10 * score(one, other, many)
    assert score(one, other, many) < 0.02


def test_addresses_that_name_different_districts_speak_louder_than_points_geocoded_by_name() -> (
    None
):
    one, other = (
        entry("Puskesmas Sukatani", places=[replace(HERE, street=normal.street(line))])
        for line in ("Jl. Raya, Kec. Sukatani", "Ds. Sukatani, Kec. Cilamaya Wetan")
    )

    assert "address.district" in keys(one, other)
    assert score(one, other) < 0.7


def test_a_point_that_is_only_the_middle_of_an_area_is_no_evidence_of_nearness() -> None:
    coarse = replace(HERE, precision_km=13.5)
    one, other = entry("RS Melati"), entry("RS Melati", places=[coarse])

    assert "place.near" not in keys(one, other)
    assert "place.near" in keys(one, entry("RS Melati"))


def test_the_score_follows_from_the_reasons() -> None:
    one, other = entry("RS Melati Indah", origin="a"), entry("RS Melati Indahh", origin="b")
    told = judge(one, other)

    points = -1 + sum(reason.points for reason in told.reasons)
    assert told.score == pytest.approx(1 / (1 + np.exp(-points)))
    assert judge(other, one).score == pytest.approx(told.score)


def test_blocks_give_every_pair_once_and_none_of_a_block_that_is_too_large() -> None:
    keys = Keys()
    for row, some in enumerate([[1], [1, 2], [1, 2], [2], [3], [3], [3], [3]]):
        keys.add(row, some)

    packed = once(pairs(*keys.columns(), most=3), 8)

    assert {divmod(int(one), 8) for one in packed} == {(0, 1), (0, 2), (1, 2), (1, 3), (2, 3)}


def test_points_on_either_side_of_a_cells_edge_share_a_cell() -> None:
    name = normal.name("RS Melati")
    edge = blocking.CELL_DEGREES * 100

    near = set(blocking.cell_keys(name, edge - 0.001, edge - 0.001))

    assert near & set(blocking.cell_keys(name, edge + 0.001, edge + 0.001))
    assert not near & set(blocking.cell_keys(name, edge + 0.05, edge))


def test_a_word_spelt_otherwise_has_the_same_skeleton() -> None:
    for one, other in (("sukarame", "sukorame"), ("muhammad", "mohamad"), ("aisyiyah", "aisiyah")):
        assert normal.skeleton(one) == normal.skeleton(other)
