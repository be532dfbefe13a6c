"""Tables as files: their heading and their rows, one at a time. Pure."""

import csv
import re
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from string import ascii_uppercase
from typing import TextIO

from python_calamine import CalamineError, CalamineWorkbook

from referral.core.errors import Invalid
from referral.directory.intake.bombs import is_workbook_too_large

LONGEST_CELL = 10_000_000
#: what a column without a heading is called
UNNAMED = re.compile(r"\([A-Z]{1,3}\)")
WORKBOOKS = (".xlsx", ".xlsm", ".xls", ".ods")
Cell = int | float | str | bool | time | date | datetime | timedelta


@dataclass(frozen=True)
class Table:
    """An open table; its rows can be read once. `total`: about how many they are, for progress only."""

    header: list[str]
    rows: Iterator[tuple[int, dict[str, str], bool]]
    total: int


def is_workbook(path: Path) -> bool:
    """Whether a file is a spreadsheet with sheets, by its name or else by what is in it."""
    if path.suffix.lower() in WORKBOOKS:
        return True
    if path.suffix or not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as packed:
        return "xl/workbook.xml" in packed.namelist() or "content.xml" in packed.namelist()


@contextmanager
def opened(path: Path, sheet: str | None = None) -> Iterator[Table]:
    """A table with a heading: a sheet of a workbook, the first where none is named, or a CSV file separated by
    comma, semicolon or tab, in UTF-8 or Windows' western letters.

    Each row comes as its number in the file as a spreadsheet counts it (the heading is 1), its cells by
    heading, and whether it has as many cells as the heading. A column without a heading is called by its
    letter in brackets, as `(T)`. Raises Invalid where this is no table.
    """
    if is_workbook(path):
        yield _sheet(path, sheet)
        return
    csv.field_size_limit(LONGEST_CELL)
    try:
        file = path.open(encoding=_encoding(path), newline="", errors="replace")
    except OSError as error:
        raise Invalid("directory.file.unreadable", field="path", name=path.name) from error
    with file:
        # PostgreSQL keeps no text that holds the character 0, and a damaged file may.
        lines = (line.replace("\0", "") for line in file)
        delimiter = _delimiter(file)
        reader = csv.reader(lines, delimiter=delimiter)
        try:
            header = _header(path, next(reader))
        except (StopIteration, csv.Error) as error:
            raise Invalid("directory.file.empty", field="path", name=path.name) from error
        yield Table(header, _rows(path, reader, header), _lines_in(path))


def _header(path: Path, cells: Sequence[str]) -> list[str]:
    header = [name.strip() or f"({_letters(place)})" for place, name in enumerate(cells)]
    if len(set(header)) < len(header):
        raise Invalid("directory.file.heading_twice", field="path", name=path.name)
    return header


def _letters(place: int) -> str:
    """What a spreadsheet calls a column."""
    first, last = divmod(place, 26)
    return (_letters(first - 1) if first else "") + ascii_uppercase[last]


def _rows(
    path: Path, reader: Iterator[list[str]], header: list[str]
) -> Iterator[tuple[int, dict[str, str], bool]]:
    width = len(header)
    try:
        for number, cells in enumerate(reader, start=2):
            if any(cells):
                yield number, dict(zip(header, cells, strict=False)), len(cells) == width
    except csv.Error as error:
        raise Invalid("directory.file.damaged", field="path", name=path.name) from error


def _lines_in(path: Path) -> int:
    with path.open("rb") as file:
        lines = 0
        while piece := file.read(1 << 20):
            lines += piece.count(b"\n")
        return max(0, lines - 1)


def _sheet(path: Path, name: str | None) -> Table:
    if _is_too_large(path):
        raise Invalid("directory.file.too_large", field="path", name=path.name)
    try:
        workbook = CalamineWorkbook.from_path(str(path))
        if name is not None and name not in workbook.sheet_names:
            raise Invalid(
                "directory.file.no_sheet", field="sheet", name=name, candidates=workbook.sheet_names
            )
        names = workbook.sheet_names
        sheet = workbook.get_sheet_by_name(name or names[0])
        rows = enumerate(([said(cell) for cell in cells] for cells in sheet.iter_rows()), start=1)
        header = _header(path, next(texts for _, texts in rows if any(texts)))
    except (OSError, CalamineError) as error:
        raise Invalid("directory.file.unreadable", field="path", name=path.name) from error
    except (IndexError, StopIteration) as error:
        raise Invalid("directory.file.empty", field="path", name=path.name) from error
    whole = (
        (number, dict(zip(header, texts, strict=False)), True)
        for number, texts in rows
        if any(texts)
    )
    return Table(header, whole, max(0, sheet.height - 1))


def _is_too_large(path: Path) -> bool:
    try:
        return is_workbook_too_large(path)
    except (OSError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
        raise Invalid("directory.file.unreadable", field="path", name=path.name) from error


def said(cell: Cell) -> str:
    """A spreadsheet's cell as the same table in CSV has it: 5, not 5.0; days as 2026-11-21."""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    if isinstance(cell, datetime) and cell.time() == time():
        return cell.date().isoformat()
    if isinstance(cell, (date, time)):
        return cell.isoformat()
    return str(cell).replace("\0", "")


def _encoding(path: Path) -> str:
    with path.open("rb") as file:
        rest = b""
        while piece := file.read(1 << 20):
            piece = rest + piece
            try:
                piece.decode()
                rest = b""
            except UnicodeDecodeError as error:
                # A character may be cut in two at the end of a piece.
                if error.start < len(piece) - 3:
                    return "cp1252"
                rest = piece[error.start :]
    return "cp1252" if rest else "utf-8-sig"


def _delimiter(file: TextIO) -> str:
    first = file.readline()
    file.seek(0)
    return max(",;\t", key=first.count)
