"""CSV files and workbooks are the same table."""

from datetime import date, datetime, time

import pytest
import xlsxwriter

from referral.core.errors import Invalid
from referral.directory.intake import files

ROWS = [
    ["id", "name", "", "longitude", "since"],
    ["a1", "Puskesmas Ünït", "", "110.42", "2026-01-02"],
    ["007", "", "x", "5", ""],
]
READ = [
    (2, {"id": "a1", "name": "Puskesmas Ünït", "(C)": "", "longitude": "110.42", "since": "2026-01-02"}, True),
    (4, {"id": "007", "name": "", "(C)": "x", "longitude": "5", "since": ""}, True),
]  # fmt: skip


def workbook(path, sheets):
    book = xlsxwriter.Workbook(path)
    day = book.add_format({"num_format": "yyyy-mm-dd"})
    for name, rows in sheets.items():
        sheet = book.add_worksheet(name)
        for at, row in rows:
            for column, cell in enumerate(row):
                if isinstance(cell, date):
                    sheet.write_datetime(at, column, datetime.combine(cell, time()), day)
                else:
                    sheet.write(at, column, cell)
    book.close()
    return path


def read(path, **options):
    with files.opened(path, **options) as table:
        return table.header, list(table.rows)


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
def test_a_csv_file_is_read_whatever_separates_it_and_in_either_encoding(
    tmp_path, separator, encoding
):
    path = tmp_path / "a.csv"
    lines = [separator.join(row) for row in (ROWS[0], ROWS[1], [], ROWS[2])]
    path.write_text("\n".join(lines), encoding)

    assert read(path) == (["id", "name", "(C)", "longitude", "since"], READ)


def test_a_workbook_gives_the_same_rows_as_the_file_in_csv(tmp_path):
    cells = [
        (0, ROWS[0]),
        (1, ["a1", "Puskesmas Ünït", "", 110.42, date(2026, 1, 2)]),
        (3, ["007", "", "x", 5]),
    ]

    assert read(workbook(tmp_path / "a.xlsx", {"Data": cells})) == (
        ["id", "name", "(C)", "longitude", "since"],
        READ,
    )


def test_a_sheet_is_chosen_by_name_and_else_the_first_is_read(tmp_path):
    one = [(0, ["id"]), (1, ["a"])]
    path = workbook(tmp_path / "a.xlsx", {"Satu": one, "Dua": [(2, ["kode"]), (3, ["b"])]})

    assert read(path) == (["id"], [(2, {"id": "a"}, True)])
    assert read(path, sheet="Dua") == (["kode"], [(4, {"kode": "b"}, True)])
    with pytest.raises(Invalid) as refused:
        read(path, sheet="Tiga")
    assert refused.value.candidates == ["Satu", "Dua"]


def test_a_row_with_too_few_or_too_many_cells_is_marked(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("id,name\na\nb,c,d\n")

    assert read(path)[1] == [(2, {"id": "a"}, False), (3, {"id": "b", "name": "c"}, False)]


@pytest.mark.parametrize(
    ("name", "content", "key"),
    [
        ("a.csv", "", "directory.file.empty"),
        ("a.csv", "id,id\n1,2\n", "directory.file.heading_twice"),
        ("a.xlsx", "no workbook", "directory.file.unreadable"),
    ],
)
def test_what_is_no_table_is_refused(tmp_path, name, content, key):
    path = tmp_path / name
    path.write_text(content)

    with pytest.raises(Invalid) as refused:
        read(path)
    assert refused.value.message.key == key


def test_columns_are_lettered_as_a_spreadsheet_does():
    assert [files._letters(place) for place in (0, 25, 26, 51, 52, 701, 702)] == [
        "A", "Z", "AA", "AZ", "BA", "ZZ", "AAA",
    ]  # fmt: skip
