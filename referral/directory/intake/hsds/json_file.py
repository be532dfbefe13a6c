"""HSDS as JSON: one object, a page or list of objects, or one object a line; read as it streams."""

import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import IO, Any

import ijson

from referral.core.careful_json import CarefulJson
from referral.core.errors import Finding, Invalid
from referral.core.text import Message
from referral.directory.hsds.shape import TABLES
from referral.directory.intake.batches import BATCH, Batch, Line
from referral.directory.intake.hsds.documents import Reading
from referral.directory.intake.hsds.settling import Settling
from referral.directory.intake.memory import Memory

#: An object is of the first of those that know most of its keys.
_ROOTS = (
    "service",
    "service_at_location",
    "location",
    "organization",
    "taxonomy_term",
    "taxonomy",
)
_KEYS = {
    name: {each.name for each in TABLES[name].fields}
    | {child.key for child in TABLES[name].children}
    for name in _ROOTS
}
#: Of those that know equally many, the one that lacks least of what it needs in JSON.
_NEEDED = {
    "service": {"id", "name", "status"},
    "service_at_location": {"id"},
    "location": {"id", "location_type"},
    "organization": {"id", "name", "description"},
    "taxonomy_term": {"id", "name", "description"},
    "taxonomy": {"id", "name", "description"},
}
#: A batch ends early when its documents hold so many rows.
_ROWS = 30_000
#: Where a file says nothing of its publisher.
SOURCE = "hsds"

#: number of the entry, or of its line, and the object; or why it can't be read
Entry = tuple[int, Any]


class HsdsJson:
    """A JSON file of services, organizations or other HSDS objects. See batches.Reader."""

    format = "hsds-json"
    mapping = ""
    total: int | None = None

    def __init__(self, path: Path, reading: Reading, settling: Settling):
        self.path, self.source = path, reading.source
        self._reading, self._settling = reading, settling
        self._memory = Memory()

    def __iter__(self) -> Iterator[Batch]:
        for number, entry in entries(self.path):
            batch = self._reading.batch
            batch.count += 1
            self._take(number, entry)
            if batch.count >= BATCH or sum(map(len, batch.rows.values())) >= _ROWS:
                yield self._settling.settle(self._reading.done())
        if self._reading.batch.count:
            yield self._settling.settle(self._reading.done())

    def _take(self, number: int, entry: Any) -> None:
        line, batch = Line("", number), self._reading.batch
        table = kind_of(entry)
        if table is None:
            key = "no_json" if isinstance(entry, Exception) else "no_hsds"
            said = str(entry) if isinstance(entry, Exception) else entry
            self._reading.find(line, "", said, key, severity="error")
            batch.left_out += 1
            return
        root = self._reading.identity(entry.get("id"), table)
        if root is not None and (first := self._memory.earlier(table, root, line)):
            words = Message("directory.import.entry_twice", {"first": str(first.row)})
            batch.findings.append(Finding(number, f"{table}.id", str(entry["id"])[:80], words))
            batch.left_out += 1
            return
        self._reading.nested(table, entry, line)


def kind_of(entry: Any) -> str | None:
    """The table an object is of; None where it is none of HSDS."""
    if not isinstance(entry, Mapping) or not entry.keys() & {"id", "name"}:
        return None
    keys = set(entry)
    return min(_ROOTS, key=lambda name: (len(keys - _KEYS[name]), len(_NEEDED[name] - keys)))


def entries(path: Path) -> Iterator[Entry]:
    """The objects of a file with their numbers; an exception in the place of one that can't be read."""
    try:
        with path.open("rb") as file:
            yield from _entries(file)
    except OSError as error:
        raise Invalid("directory.file.unreadable", field="path", name=path.name) from error


def is_tables(path: Path) -> bool:
    """Whether a JSON file holds tables by the names of their files, as the standard's `tabular.json` does."""
    return _first_key(path).endswith(".csv")


def _first_key(path: Path) -> str:
    try:
        with path.open("rb") as file:
            _skip_mark(file)
            return next((value for _, event, value in _events(file) if event == "map_key"), "")
    except (OSError, ijson.JSONError, UnicodeError):
        return ""


def _entries(file: IO[bytes]) -> Iterator[Entry]:
    start = _skip_mark(file)
    lines = list(islice((line for line in file if line.strip()), 2))
    file.seek(start)
    if lines and lines[0].lstrip()[:1] == b"[":
        yield from _streamed(file, "item")
    elif len(lines) == 2 and _is_whole(lines[0]):
        yield from _lined(file)
    elif _is_page(file):
        file.seek(start)
        yield from _streamed(file, "contents.item")
    else:
        file.seek(start)
        yield 1, _parsed(file.read())


def _skip_mark(file: IO[bytes]) -> int:
    start = 3 if file.read(3) == b"\xef\xbb\xbf" else 0
    file.seek(start)
    return start


def _is_whole(line: bytes) -> bool:
    return not isinstance(_parsed(line), Exception)


def _is_page(file: IO[bytes]) -> bool:
    """Whether the object's `contents` are a list; an object of HSDS has an id before it has much else."""
    try:
        for prefix, event, _ in _events(file):
            if prefix == "contents":
                return event == "start_array"
            if prefix == "id":
                return False
    except (ijson.JSONError, UnicodeError):
        pass
    return False


def _events(file: IO[bytes]) -> Iterable[tuple[str, str, Any]]:
    found: Iterable[tuple[str, str, Any]] = ijson.parse(CarefulJson(file))
    return found


def _streamed(file: IO[bytes], prefix: str) -> Iterator[Entry]:
    number = 0
    try:
        for number, entry in enumerate(
            ijson.items(CarefulJson(file), prefix, use_float=True), start=1
        ):
            yield number, entry
    except (ijson.JSONError, UnicodeError, RecursionError) as error:
        yield number + 1, ValueError(str(error))


def _lined(file: IO[bytes]) -> Iterator[Entry]:
    for number, line in enumerate(file, start=1):
        if line.strip():
            yield number, _parsed(line)


def _parsed(text: bytes) -> Any:
    try:
        return json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        return ValueError(str(error))


def _no_number(word: str) -> None:
    """Python reads NaN and Infinity, which are no JSON and which no database keeps as such."""
    raise ValueError(word)
