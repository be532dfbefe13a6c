"""The character 0, which no keyboard makes and PostgreSQL keeps in no text, gets no further than the door."""

from pathlib import Path

from referral.directory.intake import files
from tests.conftest import Browser


def test_a_question_or_a_form_that_holds_it_is_not_read(browser: Browser) -> None:
    browser.page("/?q=%00", status=400)
    browser.submit("/sign-in", {"email": "a\0@example.org", "password": "x"}, status=400)


def test_a_damaged_cell_of_a_table_loses_it_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "damaged.csv"
    path.write_bytes(b"name,phone\nKli\0nik,021\n")

    with files.opened(path) as table:
        assert list(table.rows) == [(2, {"name": "Klinik", "phone": "021"}, True)]
