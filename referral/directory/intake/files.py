"""Tables as files: their heading and their rows, one at a time. Pure."""

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from referral.core.errors import Invalid

LONGEST_CELL = 10_000_000


@dataclass(frozen=True)
class Table:
    """An open table; its rows can be read once."""

    header: list[str]
    rows: Iterator[tuple[int, dict[str, str], bool]]


@contextmanager
def opened(path: Path) -> Iterator[Table]:
    """A CSV file with a heading, separated by comma, semicolon or tab, in UTF-8 or Windows' western letters.

    Each row comes as its number in the file as a spreadsheet counts it (the heading is 1), its cells by
    heading, and whether it has as many cells as the heading. Raises Invalid where this is no table.
    """
    csv.field_size_limit(LONGEST_CELL)
    try:
        file = path.open(encoding=_encoding(path), newline="", errors="replace")
    except OSError as error:
        raise Invalid("directory.file.unreadable", field="path", name=path.name) from error
    with file:
        reader = csv.reader(file, delimiter=_delimiter(file))
        try:
            header = [name.strip() for name in next(reader)]
        except (StopIteration, csv.Error) as error:
            raise Invalid("directory.file.empty", field="path", name=path.name) from error
        if len(set(header)) < len(header):
            raise Invalid("directory.file.heading_twice", field="path", name=path.name)
        yield Table(header, _rows(reader, header))


def _rows(
    reader: Iterator[list[str]], header: list[str]
) -> Iterator[tuple[int, dict[str, str], bool]]:
    for number, cells in enumerate(reader, start=2):
        if any(cells):
            whole = len(cells) == len(header)
            # PostgreSQL keeps no text that holds the character 0, and a damaged file may.
            clean = (cell.replace("\0", "") for cell in cells)
            yield number, dict(zip(header, clean, strict=False)), whole


def rows_in(path: Path) -> int:
    """About how many rows a table has: its lines without the heading. For progress only."""
    with path.open("rb") as file:
        return max(0, sum(1 for _ in file) - 1)


def _encoding(path: Path) -> str:
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            try:
                # A character may be cut in two at the end of a piece.
                piece[:-4].decode()
            except UnicodeDecodeError as error:
                if error.start > 3:
                    return "cp1252"
    return "utf-8-sig"


def _delimiter(file: TextIO) -> str:
    first = file.readline()
    file.seek(0)
    return max(",;\t", key=first.count)
