"""One value of HSDS: how it is read into our column and written from it. Pure."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from enum import StrEnum
from typing import Any
from uuid import UUID


class Kind(StrEnum):
    TEXT = "text"
    NUMBER = "number"
    INTEGER = "integer"
    DATE = "date"
    #: a day in HSDS, an instant with us
    DAY_OF = "day_of"
    DATETIME = "datetime"
    TIME = "time"
    CODE = "code"
    #: ISO 639-3 with us, any code of a language in HSDS
    LANGUAGE = "language"
    #: a number in HSDS and a text with us, because its zeros count
    EXTENSION = "extension"
    #: the row's own id
    ID = "id"
    #: another row's id
    LINK = "link"
    #: the name of a table
    TABLE = "table"


@dataclass(frozen=True)
class Loaded:
    """A value as our column holds it; `problem` says why what was stated can't be that: a finding's key."""

    value: Any
    problem: str | None = None


@dataclass(frozen=True)
class Field:
    """One field of a table.

    column        our column, where its name is another
    codes         all that a code, or the name of a table, may be
    default       what our column holds where the source states nothing it can hold
    target        LINK: the table it leads to
    declared      LINK: the data package declares it, so that one that leads nowhere is a fault
    nested        LINK: said in JSON by where the object stands and therefore not written there
    worked_out    our column is worked out by us: what the source states leaves as it came
    """

    name: str
    kind: Kind = Kind.TEXT
    required: bool = False
    column: str = ""
    codes: tuple[str, ...] = ()
    default: Any = None
    target: str = ""
    declared: bool = True
    nested: bool = False
    worked_out: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "column", self.column or self.name)

    def load(self, raw: Any) -> Loaded:
        """The value of our column for what a source states."""
        if raw is None or raw == "":
            return Loaded(None)
        return _LOAD[self.kind](self, raw)

    def dump(self, value: Any) -> Any:
        """What HSDS's JSON says for a value of our column."""
        return None if value is None else _DUMP[self.kind](value)

    def from_cell(self, cell: str | None) -> Any:
        """What a cell of the data package states, as JSON would state it."""
        if not cell:
            return None
        if self.kind in _NUMBERS and (match := _PLAIN_NUMBER.fullmatch(cell)):
            return float(cell) if match[1] else int(cell)
        return cell

    def as_stated(self, stated: Mapping[str, Any] | None, value: Any) -> Any:
        """What leaves for our column's value: the source's own word while that still means the same."""
        if stated and self.name in stated:
            raw = stated[self.name]
            leads_nowhere = self.kind is Kind.LINK and value is None
            if self.worked_out or leads_nowhere or _same(self.load(raw).value, value, self.default):
                return raw
        return self.dump(value)


# Reading and writing one value.

_NUMBERS = (Kind.NUMBER, Kind.INTEGER, Kind.EXTENSION)
_PLAIN_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(\.\d+)?")
#: 3:30 hours ahead of UTC, as sources write the number that HSDS asks for
_OFFSET = re.compile(r"(?:UTC|GMT)?\s*([+-]?)(\d{1,2})(?::?(\d{2}))?")
_TIME = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?\s*(Z|[+-]\d{2}:?\d{2})?")
#: what no database keeps in a text, and nobody means
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


def clean(raw: Any) -> Any:
    """What a source states without what no database keeps."""
    if isinstance(raw, str):
        return _CONTROL.sub("", raw)
    if isinstance(raw, list):
        return [clean(each) for each in raw]
    if isinstance(raw, dict):
        return {clean(name): clean(each) for name, each in raw.items()}
    return raw


def _text(_: Field, raw: Any) -> Loaded:
    if isinstance(raw, str):
        return Loaded(raw)
    if isinstance(raw, bool) or not isinstance(raw, (int, float)):
        return Loaded(None, "not_text")
    return Loaded(str(raw))


def _number(each: Field, raw: Any) -> Loaded:
    try:
        if isinstance(raw, bool):
            raise ValueError
        number = float(raw if not isinstance(raw, str) else raw.strip())
    except (TypeError, ValueError, OverflowError):
        if each.name == "timezone" and isinstance(raw, str):
            return _offset(raw)
        return Loaded(None, "no_number")
    low, high = _RANGES.get(each.name, (-1e15, 1e15))
    if not math.isfinite(number) or not low <= number <= high:
        return Loaded(None, _OUT_OF_RANGE.get(each.name, "no_number"))
    return Loaded(number)


_RANGES: Mapping[str, tuple[float, float]] = {
    "latitude": (-90, 90),
    "longitude": (-180, 180),
    "minimum_age": (0, 1000),
    "maximum_age": (0, 1000),
    "timezone": (-26, 26),
}
_OUT_OF_RANGE = {
    "latitude": "off_earth",
    "longitude": "off_earth",
    "minimum_age": "no_age",
    "maximum_age": "no_age",
}


def _offset(raw: str) -> Loaded:
    match = _OFFSET.fullmatch(raw.strip())
    if match is None:
        return Loaded(None, "no_number")
    hours = int(match[2]) + int(match[3] or 0) / 60
    return Loaded(-hours if match[1] == "-" else hours)


def _integer(each: Field, raw: Any) -> Loaded:
    loaded = _number(each, raw)
    if loaded.value is None:
        return loaded
    if loaded.value != int(loaded.value) or abs(loaded.value) >= 1 << 31:
        return Loaded(None, "no_number")
    return Loaded(int(loaded.value))


def _extension(_: Field, raw: Any) -> Loaded:
    if isinstance(raw, float) and raw.is_integer():
        raw = int(raw)
    text = str(raw).strip()
    return Loaded(text or None) if not isinstance(raw, (list, dict)) else Loaded(None, "not_text")


#: ISO 639-1 → ISO 639-3, of the languages of our own list
_LANGUAGES = {
    "ar": "ara",
    "en": "eng",
    "id": "ind",
    "in": "ind",
    "jv": "jav",
    "ms": "zlm",
    "su": "sun",
    "zh": "zho",
}


def _language(each: Field, raw: Any) -> Loaded:
    loaded = _text(each, raw)
    if loaded.value is None:
        return loaded
    first = re.split(r"[-_]", loaded.value.strip().casefold())[0]
    return Loaded(_LANGUAGES.get(first, first if len(first) == 3 else loaded.value))


def _date(_: Field, raw: Any) -> Loaded:
    try:
        return Loaded(date.fromisoformat(raw.strip()[:10]))
    except (AttributeError, TypeError, ValueError):
        return Loaded(None, "no_day")


def _datetime(_: Field, raw: Any) -> Loaded:
    try:
        at = datetime.fromisoformat(raw.strip())
        return Loaded((at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC))
    except (AttributeError, TypeError, ValueError, OverflowError):
        return Loaded(None, "no_instant")


def _day_of(each: Field, raw: Any) -> Loaded:
    return _datetime(each, raw)


def _time(_: Field, raw: Any) -> Loaded:
    match = _TIME.fullmatch(raw.strip()) if isinstance(raw, str) else None
    if match is None or int(match[1]) > 24 or int(match[2]) > 59 or int(match[3] or 0) > 59:
        return Loaded(None, "no_time")
    if int(match[1]) == 24:
        return Loaded("24:00") if int(match[2]) == 0 else Loaded(None, "no_time")
    return Loaded(f"{int(match[1]):02}:{match[2]}")


def _code(each: Field, raw: Any) -> Loaded:
    word = raw.strip() if isinstance(raw, str) else raw
    if word in each.codes:
        return Loaded(word)
    plain = re.sub(r"[\s_-]+", " ", str(word)).casefold()
    fitting = (code for code in each.codes if code.casefold() == plain)
    found = next(fitting, None)
    return Loaded(found, None if found else "unknown_code")


def _id(_: Field, raw: Any) -> Loaded:
    try:
        return Loaded(UUID(raw))
    except (AttributeError, TypeError, ValueError):
        return Loaded(None, "no_uuid")


def _table(each: Field, raw: Any) -> Loaded:
    return Loaded(raw if raw in each.codes else None)


_LOAD = {
    Kind.TEXT: _text,
    Kind.NUMBER: _number,
    Kind.INTEGER: _integer,
    Kind.DATE: _date,
    Kind.DAY_OF: _day_of,
    Kind.DATETIME: _datetime,
    Kind.TIME: _time,
    Kind.CODE: _code,
    Kind.LANGUAGE: _language,
    Kind.EXTENSION: _extension,
    Kind.ID: _id,
    Kind.LINK: _id,
    Kind.TABLE: _table,
}


def _dump_number(value: float) -> float | int:
    return int(value) if float(value).is_integer() else value


def _dump_datetime(value: datetime) -> str:
    text = value.astimezone(UTC).isoformat(timespec=_precision(value))
    return text.replace("+00:00", "Z")


def _precision(value: datetime) -> str:
    if not value.microsecond:
        return "seconds"
    return "microseconds" if value.microsecond % 1000 else "milliseconds"


def _dump_time(value: str | time) -> str:
    text = value.isoformat() if isinstance(value, time) else value
    if text == "24:00":  # the standard's sign for midnight, as it has none for the end of a day
        text = "23:59"
    return f"{text}:00" if len(text) == 5 else text


def _dump_extension(value: str) -> int | None:
    # Thousands of digits are no number to Python, and would end the whole file.
    is_number = value.isascii() and value.isdigit() and len(value) < 10
    return int(value) if is_number and str(int(value)) == value else None


_DUMP: Mapping[Kind, Any] = {
    Kind.TEXT: str,
    Kind.NUMBER: _dump_number,
    Kind.INTEGER: int,
    Kind.DATE: date.isoformat,
    Kind.DAY_OF: lambda value: value.date().isoformat(),
    Kind.DATETIME: _dump_datetime,
    Kind.TIME: _dump_time,
    Kind.CODE: str,
    Kind.LANGUAGE: str,
    Kind.EXTENSION: _dump_extension,
    Kind.ID: str,
    Kind.LINK: str,
    Kind.TABLE: str,
}


def is_equal(one: Any, other: Any) -> bool:
    """Equal as JSON: true is not 1, "1" is not 1, 1.0 is 1."""
    return isinstance(one, bool) == isinstance(other, bool) and one == other


def _same(loaded: Any, value: Any, default: Any) -> bool:
    return bool(loaded == value) or (loaded is None and value == default)
