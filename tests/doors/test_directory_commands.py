"""`flask directory import` and `starter`: reports, exit codes, refusals."""

import pytest
from sqlalchemy import func, select

from referral.directory.models import Service

HEADER = "id,name,category,place,minimum_age\n"
GOOD = "g1,Layanan Satu,HE05,,\ng2,Layanan Dua,FC02,,\n"


@pytest.fixture
def table(tmp_path):
    def write(text, name="tabel.csv", encoding="utf-8"):
        path = tmp_path / name
        path.write_bytes(text.encode(encoding))
        return str(path)

    return write


def counted(session):
    return session.scalar(select(func.count()).select_from(Service).where(Service.source == "uji"))


def test_a_good_table_ends_with_0_and_a_second_time_changes_nothing(cli, session, table):
    path = table(HEADER + GOOD)

    first = cli("directory", "import", path, "--source", "uji", "--json")
    second = cli("directory", "import", path, "--source", "uji", "--json")

    assert (first.exit_code, second.exit_code) == (0, 0)
    assert first.json == {
        "file": "tabel.csv",
        "source": "uji",
        "format": "table",
        "mapping": "table",
        "dry_run": False,
        "rows": 2,
        "created": 2,
        "updated": 0,
        "unchanged": 0,
        "left_out": 0,
        "unplaced": 2,
        "findings": [],
    }
    assert second.json == first.json | {"created": 0, "unchanged": 2}
    assert counted(session) == 2


def test_bad_rows_are_named_with_file_row_field_value_and_reason_and_end_with_1(
    cli, session, table
):
    path = table(HEADER + GOOD + "g3,Layanan Tiga,XX99,,-4\n,Tanpa id,HE05,,\n")

    answer = cli("directory", "import", path, "--source", "uji", "--json", "--lang", "en")

    assert answer.exit_code == 1
    assert [
        (f["file"], f["row"], f["field"], f["value"], f["code"]) for f in answer.json["findings"]
    ] == [
        ("tabel.csv", 4, "minimum_age", "-4", "no_age"),
        ("tabel.csv", 4, "category", "XX99", "unknown_category"),
        ("tabel.csv", 5, "id", "", "no_id"),
    ]
    assert answer.json["findings"][0]["reason"].startswith("An age must be")
    assert counted(session) == 3


def test_a_dry_run_says_what_would_happen_and_changes_nothing(cli, session, table):
    answer = cli(
        "directory", "import", table(HEADER + GOOD), "--source", "uji", "--dry-run", "--json"
    )

    assert (answer.exit_code, answer.json["created"], answer.json["dry_run"]) == (0, 2, True)
    assert counted(session) == 0


def test_without_json_the_report_is_a_sentence_and_findings_are_on_stderr(cli, table):
    path = table(HEADER + GOOD + "g3,[bold]Tiga,XX99,,\n")

    answer = cli("directory", "import", path, "--source", "uji")

    assert answer.stdout == (
        "tabel.csv (uji, table): 3 baris: 3 baru, 0 berubah, 0 tetap, 0 dilewati, 3 tanpa titik.\n"
    )
    assert "XX99" in answer.stderr
    assert answer.exit_code == 1


def test_semicolons_and_windows_letters_are_read(cli, session, table):
    path = table("id;name;category\nw1;Café Sosial;HE05\n", encoding="cp1252")

    assert cli("directory", "import", path, "--source", "uji").exit_code == 0
    assert session.scalar(select(Service.name).where(Service.source == "uji")) == "Café Sosial"


@pytest.mark.parametrize(
    ("text", "field"),
    [(None, "path"), ("", "path"), ("a,a\n1,2\n", "path"), ("kolom\n1\n", "mapping")],
)
def test_a_file_that_can_not_be_read_ends_with_2_and_names_the_argument(cli, table, text, field):
    path = "tidak-ada.csv" if text is None else table(text)

    answer = cli("directory", "import", path, "--json")

    assert answer.exit_code == 2
    assert answer.json["error"]["field"] == field


def test_a_mapping_of_ones_own_is_used(cli, session, table, tmp_path):
    mapping = tmp_path / "mine.yaml"
    mapping.write_text(
        "source: uji\ncolumns: {id: kode, name: nama, category: jenis}\n"
        "values: {category: {klinik: HE01}}\npoints: {}\n"
    )

    answer = cli(
        "directory",
        "import",
        table("kode,nama,jenis\nm1,Klinik,klinik\n"),
        "--mapping",
        str(mapping),
        "--json",
    )

    assert (answer.json["source"], answer.json["created"], answer.json["findings"]) == (
        "uji",
        1,
        [],
    )


def test_a_mapping_that_is_not_there_ends_with_2(cli, table):
    answer = cli("directory", "import", table(HEADER), "--mapping", "none.yaml", "--json")

    assert (answer.exit_code, answer.json["error"]["field"]) == (2, "mapping")


def test_the_starter_directory_loads_and_loading_it_again_changes_nothing(cli, session):
    first = cli("directory", "starter", "--json").json["files"]
    second = cli("directory", "starter", "--json").json["files"]

    assert sum(one["created"] for one in first) >= 150
    assert [(one["created"], one["updated"]) for one in second] == [(0, 0)] * len(second)
