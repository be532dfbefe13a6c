"""Files made to fill a memory, a disk or a day are refused before anything reads them whole. Pure."""

import re
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

#: Ordinary text shrinks to a tenth; more than this is made to fill a disk.
MOST_TIMES = 200
_SMALL_BYTES = 10 << 20
#: A sheet is held whole, blank cells too, from the first to the farthest that has something in it.
MOST_CELLS = 30_000_000
#: A mapping is some hundred words; aliases of aliases can say a thousand million.
LARGEST_MAPPING_BYTES = 1 << 20
MOST_WORDS = 100_000

_CELL = re.compile(rb"""\br\s*=\s*["']([A-Z]{1,3})([0-9]{1,7})["']""")
_PIECE = 1 << 20


def grows_too_much(packed: zipfile.ZipInfo) -> bool:
    """Whether a file in a zip is made to fill a disk."""
    times = packed.file_size / max(1, packed.compress_size)
    return packed.file_size > _SMALL_BYTES and times > MOST_TIMES


def is_workbook_too_large(path: Path) -> bool:
    """Whether the sheets of an XLSX file are larger than any list of services."""
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as packed:
        parts = packed.infolist()
        return any(grows_too_much(one) or _cells(packed, one) > MOST_CELLS for one in parts)


def _cells(packed: zipfile.ZipFile, part: zipfile.ZipInfo) -> int:
    columns: set[bytes] = set()
    last, rest = 0, b""
    with packed.open(part) as file:
        while piece := file.read(_PIECE):
            found = _CELL.findall(rest + piece)
            columns.update(column for column, _ in found)
            last = max([last, *(int(row) for _, row in found)])
            rest = piece[-40:]
    return last * max(map(_place, columns), default=0)


def _place(letters: bytes) -> int:
    place = 0
    for letter in letters:
        place = place * 26 + letter - 64
    return place


def mapping_in(path: Path) -> Any:
    """What a YAML file says. Raises OSError, yaml.YAMLError, and ValueError for one that is no mapping of columns."""
    if path.stat().st_size > LARGEST_MAPPING_BYTES:
        raise ValueError("too large")
    try:
        data = yaml.safe_load(path.read_text("utf-8"))
    except RecursionError:
        raise ValueError("nested too deep") from None
    if not _has_few_words(data):
        raise ValueError("too large")
    return data


def _has_few_words(data: Any) -> bool:
    """Whether it stays small when its aliases are written out."""
    left, waiting = MOST_WORDS, [iter((data,))]
    while waiting:
        one = next(waiting[-1], waiting)
        if one is waiting:
            waiting.pop()
            continue
        left -= 1
        if left < 0:
            return False
        inner: Iterable[Any] = ()
        if isinstance(one, Mapping):
            inner = (part for pair in one.items() for part in pair)
        elif isinstance(one, (list, tuple, set)):
            inner = one
        waiting.append(iter(inner))
    return True
