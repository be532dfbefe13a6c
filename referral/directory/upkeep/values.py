"""Reading what somebody typed or sent into plain values, or saying what is wrong with it. Pure."""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

LONGEST_LINE, LONGEST_TEXT, MOST_ITEMS = 300, 5000, 100

_TIME = re.compile(r"(\d{1,2})[:.](\d{2})(?::\d{2})?")


@dataclass(frozen=True)
class Lists:
    """What codes may be used, documents with their names, and what areas there are."""

    categories: Collection[str]
    documents: Mapping[str, str]
    disabilities: Collection[str]
    is_area: Callable[[str], bool]


class Wrong(Exception):
    """A value that can't be taken: the key of its sentence; which row (from 1) and part of the field."""

    def __init__(self, key: str, value: Any = "", *, part: str = "", row: int = 0, **params: Any):
        super().__init__(key)
        self.key, self.value, self.part, self.row, self.params = key, value, part, row, params


@dataclass(frozen=True)
class Item:
    """One entry of a list field while it is read: `item["number"]` is what was given, None where nothing was."""

    given: dict[str, Any] = field(default_factory=dict)

    def __getitem__(self, part: str) -> Any:
        return self.given.get(part)

    def read(self, part: str, reader: Callable[..., Any], *args: Any, **options: Any) -> Any:
        """A part of the entry through a reader; what is wrong with it names the part."""
        try:
            return reader(self[part], *args, **options)
        except Wrong as wrong:
            wrong.part = wrong.part or part
            raise

    @property
    def is_blank(self) -> bool:
        return all(
            value is None or value is False or value in ("", []) for value in self.given.values()
        )


def line(value: Any, *, most: int = LONGEST_LINE) -> str | None:
    """Words on one line; None for none."""
    words = text(value, most=most)
    return " ".join(words.split()) if words else None


def text(value: Any, *, most: int = LONGEST_TEXT) -> str | None:
    """Words; None for none. Characters that no page or file can show are taken out."""
    if value is None:
        return None
    if not isinstance(value, str):
        raise Wrong("listing.wrong.text", value)
    words = "".join(c for c in value.replace("\r\n", "\n") if c >= " " or c in "\n\t").strip()
    if len(words) > most:
        raise Wrong("listing.wrong.too_long", words[:80], most=most)
    return words or None


def needed(value: Any, *, most: int = LONGEST_LINE) -> str:
    """Words on one line that must be there."""
    words = line(value, most=most)
    if words is None:
        raise Wrong("listing.wrong.missing")
    return words


def url(value: Any) -> str | None:
    """A web address; https is taken where none is said."""
    words = line(value, most=2000)
    if words is None:
        return None
    if re.fullmatch(r"[\w-]+(\.[\w-]+)+(/\S*)?", words):
        words = f"https://{words}"
    if not re.fullmatch(r"https?://[^\s\"'<>]+", words):
        raise Wrong("listing.wrong.url", words)
    return words


def email(value: Any) -> str | None:
    words = line(value)
    if words is not None and not re.fullmatch(r"[^@\s<>\"']+@[^@\s<>\"']+\.[^@\s<>\"'.]+", words):
        raise Wrong("listing.wrong.email", words)
    return words


def number(value: Any, *, low: float, high: float) -> float | None:
    """A number in these bounds, as a number or as people type it (`17,5`)."""
    if value in (None, ""):
        return None
    if isinstance(value, str):
        try:
            value = float(value.strip().replace(",", "."))
        except ValueError:
            raise Wrong("listing.wrong.number", value, low=low, high=high) from None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
        raise Wrong("listing.wrong.number", value, low=low, high=high)
    return float(value)


def whole(value: Any, *, low: int, high: int) -> int | None:
    """A whole number in these bounds."""
    found = number(value, low=low, high=high)
    if found is not None and found != int(found):
        raise Wrong("listing.wrong.number", value, low=low, high=high)
    return None if found is None else int(found)


def day(value: Any) -> str | None:
    """A day as `2026-11-22`."""
    if value in (None, ""):
        return None
    try:
        return date.fromisoformat(value).isoformat()
    except (TypeError, ValueError):
        raise Wrong("listing.wrong.day", value) from None


def time_of_day(value: Any) -> str | None:
    """A time as `08:00`; 24:00 is the end of the day."""
    if value in (None, ""):
        return None
    found = _TIME.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        raise Wrong("listing.wrong.time", value)
    hours, minutes = int(found[1]), int(found[2])
    if minutes > 59 or hours > 24 or (hours == 24 and minutes):
        raise Wrong("listing.wrong.time", value)
    return f"{hours:02}:{minutes:02}"


def choice(value: Any, among: Collection[str]) -> str:
    """One of these words."""
    if not isinstance(value, str) or value not in among:
        raise Wrong("listing.wrong.choice", value)
    return value


def maybe(value: Any, among: Collection[str]) -> str | None:
    """One of these words, or nothing."""
    return None if value in (None, "") else choice(value, among)


def yes_no_unknown(value: Any) -> bool | None:
    if value in (None, "", "unknown"):
        return None
    if value in (True, "yes"):
        return True
    if value in (False, "no"):
        return False
    raise Wrong("listing.wrong.choice", value)


def codes(value: Any, is_known: Callable[[str], bool]) -> list[str]:
    """Codes, each once, in the order given; an unknown one is wrong."""
    found = []
    for row, code in enumerate(_list(value), start=1):
        if not isinstance(code, str) or not is_known(code):
            raise Wrong("listing.wrong.code", code, row=row)
        found.append(code)
    return list(dict.fromkeys(found))


def items(value: Any, read: Callable[[Item], Any]) -> list[Any]:
    """Entries one by one; blank ones are passed over, and none is kept twice."""
    found = []
    for row, given in enumerate(_list(value), start=1):
        if not isinstance(given, dict):
            raise Wrong("listing.wrong.list", given, row=row)
        item = Item(given)
        if item.is_blank:
            continue
        try:
            entry = read(item)
        except Wrong as wrong:
            wrong.row = row
            raise
        if entry not in found:
            found.append(entry)
    return found


def _list(value: Any) -> Sequence[Any]:
    if value is None:
        return []
    if not isinstance(value, (list, tuple)):
        raise Wrong("listing.wrong.list", value)
    if len(value) > MOST_ITEMS:
        raise Wrong("listing.wrong.too_many", len(value), most=MOST_ITEMS)
    return value
