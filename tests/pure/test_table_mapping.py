"""A row of somebody's table becomes a listing; what is wrong with it is found, the rest is kept."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referral.core.errors import Invalid
from referral.core.text import LANGUAGES, render
from referral.directory.intake.listings import PrintedPhone
from referral.directory.intake.mapping import COLUMNS, TableMapping, best_fit
from referral.directory.kinds import AnswerMode, CategoryBasis, Remote, SystemType
from referral.directory.reference import FOLDER, known

MAPPINGS = {
    path.stem: TableMapping.from_yaml(path) for path in sorted((FOLDER / "mappings").glob("*.yaml"))
}


def read(mapping="table", row=2, **cells):
    return MAPPINGS[mapping].read(row, {"id": "a1", "name": "Layanan", **cells}, known())


def found(**cells):
    """What is wrong with a row: (field, reason)."""
    _, findings = read(**{"category": "HE05", **cells})
    return [(f.field, f.message.key.removeprefix("directory.import.")) for f in findings]


def test_a_whole_row_of_our_own_columns_is_understood():
    listing, findings = read(
        category="HE05|EM06",
        category_basis="inferred",
        system_type="formal",
        facility_type="RSJ",
        phone="(024) 6722565|0812 6000 6810",
        phone_type="voice|whatsapp",
        schedule="24/7",
        service_area="ID|33.74",
        remote="phone|online",
        sex="female",
        minimum_age="12",
        maximum_age="17,5",
        desil_max="4",
        disability="any",
        language="IND|jav",
        required_document="ktp|SKTM",
        fee="free",
        latitude="-6.99",
        longitude="110,42",
        url="example.org/a",
        source_url="Daftar Dinas Sosial",
        read_on="2026-11-21",
    )

    assert findings == []
    assert listing.categories == {"HE05": CategoryBasis.INFERRED, "EM06": CategoryBasis.INFERRED}
    assert listing.system_type is SystemType.FORMAL
    assert listing.answer_mode is AnswerMode.WALK_IN
    assert listing.phones == [
        PrintedPhone("(024) 6722565", None, "voice"),
        PrintedPhone("0812 6000 6810", None, "whatsapp"),
    ]
    assert listing.service_areas == ["*", "33.74"]
    assert listing.remote is Remote.PHONE
    assert (listing.minimum_age, listing.maximum_age, listing.desil_max) == (12, 17.5, 4)
    assert listing.languages == ["ind", "jav"]
    assert [code for code, _ in listing.documents] == ["KTP", "SKTM"]
    assert (listing.point, listing.precision_km) == ((-6.99, 110.42), 1)
    assert listing.url == "https://example.org/a"
    assert (listing.source_url, listing.source_title) == (None, "Daftar Dinas Sosial")


@pytest.mark.parametrize(
    ("cells", "findings"),
    [
        ({"category": "XX99"}, [("category", "unknown_category")]),
        ({"category": ""}, [("category", "no_category")]),
        ({"latitude": "utara", "longitude": ""}, [("latitude", "no_point")]),
        ({"minimum_age": "-3"}, [("minimum_age", "no_age")]),
        ({"minimum_age": "tua"}, [("minimum_age", "no_number")]),
        ({"minimum_age": "18", "maximum_age": "6"}, [("maximum_age", "age_order")]),
        ({"desil_max": "11"}, [("desil_max", "no_desil")]),
        ({"sex": "wanita"}, [("sex", "unknown_word")]),
        ({"answer_mode": "perhaps"}, [("answer_mode", "unknown_word")]),
        ({"remote": "radio"}, [("remote", "unknown_word")]),
        ({"language": "Jawa"}, [("language", "no_language")]),
        ({"required_document": "KARTU_AJAIB"}, [("required_document", "unknown_document")]),
        ({"phone": "(1)"}, [("phone", "no_phone")]),
        ({"url": "javascript:alert(1)"}, [("url", "no_address")]),
        ({"email": "kantor"}, [("email", "no_email")]),
        ({"email": "a@example.org, b@example.org"}, [("email", "one_email")]),
        ({"schedule": "jam kerja"}, [("schedule", "no_hours")]),
        ({"read_on": "21/11/2026"}, [("read_on", "no_day")]),
    ],
)
def test_a_bad_value_is_named_and_the_listing_kept(cells, findings):
    listing, _ = read(**{"category": "HE05", **cells})

    assert found(**cells) == findings
    assert listing is not None
    assert listing.name == "Layanan"


@pytest.mark.parametrize(("column", "code"), [("id", "no_id"), ("name", "no_name")])
def test_a_row_without_id_or_name_is_left_out(column, code):
    listing, findings = read(**{column: " ", "category": "HE05"})

    assert listing is None
    assert [f.message.key for f in findings] == [f"directory.import.{code}"]
    assert findings[0].severity == "error"


def test_a_confidential_place_loses_its_point_and_address_before_it_is_stored():
    listing, findings = read(
        category="EM07",
        confidential="ya",
        latitude="-6.9",
        longitude="110",
        address="Jl. Rahasia 1",
    )

    assert (listing.point, listing.address, listing.precision_km) == (None, None, None)
    assert [f.message.key for f in findings] == ["directory.import.confidential"]


def test_unsure_whether_a_place_is_confidential_it_is():
    listing, _ = read(category="EM07", confidential="mungkin", address="Jl. Rahasia 1")

    assert listing.confidential
    assert listing.address is None


def test_a_row_of_the_facility_list_gets_precision_and_what_it_states_itself():
    cells = {
        "id": "uptd:1",
        "nama": "UPTD PPA Kota X",
        "jenis": "UPTD_PPA",
        "kategori": "EM07|FC04",
        "lat": "-6.9",
        "lon": "110.4",
        "geo_precision": "kab_seat",
        "keterangan": "rumah_perlindungan=ya",
        "telp": "(1) 082349150456 / (2) 082280360624",
        "kode_kec": "",
        "kode_kab": "33.74",
    }

    listing, findings = MAPPINGS["facilities_all"].read(7, cells, known())

    assert findings == []
    assert (listing.precision_km, listing.point_source) == (23, "regency")
    assert listing.place == ["33.74"]
    assert listing.categories == {"EM07": CategoryBasis.STATED, "FC04": CategoryBasis.INFERRED}
    assert [phone.number for phone in listing.phones] == ["082349150456", "082280360624"]
    assert listing.answer_mode is AnswerMode.REPLIES


def test_a_point_of_unknown_kind_is_not_trusted():
    cells = {"id": "1", "nama": "A", "kategori": "HE01", "lat": "-6", "lon": "110"}

    listing, findings = MAPPINGS["facilities_all"].read(
        2, cells | {"geo_precision": "kira-kira"}, known()
    )

    assert listing.point is None
    assert [f.message.key for f in findings] == ["directory.import.unknown_point"]


def test_the_mapping_that_asks_for_most_of_the_columns_is_chosen():
    theirs = [c for columns in MAPPINGS["facilities_all"].columns.values() for c in columns]

    assert best_fit(MAPPINGS.values(), theirs).name == "facilities_all"
    assert best_fit(MAPPINGS.values(), COLUMNS).name == "starter"
    assert best_fit(MAPPINGS.values(), ["name", "id", "category"]).name == "table"


def test_a_table_that_no_mapping_fits_is_refused_with_its_columns_named():
    with pytest.raises(Invalid, match="kolom, lain"):
        best_fit(MAPPINGS.values(), ["kolom", "lain"])


@pytest.mark.parametrize("text", ["", "- a\n- b", "source: x", "source: x\ncolumns: {nama: a}\n"])
def test_a_bad_mapping_file_is_refused_by_name(tmp_path: Path, text):
    path = tmp_path / "mine.yaml"
    path.write_text(text)

    with pytest.raises(Invalid, match=r"mine\.yaml"):
        TableMapping.from_yaml(path)


@given(st.dictionaries(st.sampled_from(COLUMNS), st.text(max_size=40)))
def test_no_row_stops_an_import(cells):
    listing, findings = MAPPINGS["table"].read(2, cells, known())

    assert listing is not None or findings
    for finding in findings:
        assert all(render(finding.message, lang) for lang in LANGUAGES)
