"""Opening hours as people edit them: entries of a weekly grid, and days that are different. Pure.

An entry of `hours`:
    {"days": ["MO", "TU"], "opens": "08:00", "closes": "12:00",
     "every": "week" | "second_week" | "month",
     "nth": [1, -1],            month only: which of the month's such days; -1 is the last
     "start": "2026-03-02"}     needed for second_week (a day in a week that counts), else None
`closes` before `opens` is on the next day; "00:00" to "24:00" is the whole day. A rule of a source that says
more than that travels whole, as `{"rule": {HSDS column: value}}`: send it back as it came, or leave it out.

An entry of `exceptions`: these days are as said here, whatever `hours` says
    {"from": "2026-12-24", "to": "2026-12-26", "closed": true, "opens": None, "closes": None, "note": None}
Several entries with the same days and `closed: false` are several intervals.
"""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from referral.directory.hours import DAYS, LAST_MINUTE
from referral.directory.opening import OpeningRow, is_readable
from referral.directory.upkeep.values import (
    Item,
    Wrong,
    choice,
    codes,
    day,
    items,
    line,
    time_of_day,
)

EVERY = ("week", "second_week", "month")
NTH = (1, 2, 3, 4, 5, -1)
LONGEST_EXCEPTION_DAYS = 366

#: columns of HSDS's schedule that a rule may have, and what is in them
RULE_COLUMNS = {
    **dict.fromkeys(("valid_from", "valid_to", "dtstart", "until"), date),
    **dict.fromkeys(("count", "interval"), int),
    "timezone": float,
    **dict.fromkeys(
        (
            "freq",
            "wkst",
            "byday",
            "byweekno",
            "bymonthday",
            "byyearday",
            "opens_at",
            "closes_at",
            "description",
            "notes",
            "schedule_link",
            "attending_type",
        ),
        str,
    ),
}


def read_hours(value: Any, _lists: object = None) -> list[dict[str, Any]]:
    """Entries of `hours`, in one order and with days of equal hours together. Raises Wrong."""
    found = normal(items(value, _entry))
    _refuse_overlaps(found)
    return found


def read_exceptions(value: Any, _lists: object = None) -> list[dict[str, Any]]:
    """Entries of `exceptions`, by day. Raises Wrong."""
    found: list[dict[str, Any]] = items(value, _exception)
    found.sort(key=lambda e: (e["from"], e["to"], e["opens"] or ""))
    for number, entry in enumerate(found):
        for other in found[:number]:
            same_days = entry["from"] == other["from"] and entry["to"] == other["to"]
            apart = other["to"] < entry["from"] or entry["to"] < other["from"]
            both_open = not entry["closed"] and not other["closed"]
            if apart or (same_days and both_open and not _overlap(entry, other)):
                continue
            raise Wrong("listing.wrong.exceptions_overlap", entry["from"], row=number + 1)
    return found


def normal(entries: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same hours always in the same words: days with equal hours in one entry, weekly ones first."""
    together: dict[tuple[Any, ...], dict[str, set[int]]] = {}
    rules = []
    for entry in entries:
        if "rule" in entry:
            rules.append(entry)
            continue
        key = (entry["every"], entry["start"], entry["opens"], entry["closes"])
        days = together.setdefault(key, {})
        for one in entry["days"]:
            days.setdefault(one, set()).update(entry["nth"])
    found = []
    for (every, start, opens, closes), days in together.items():
        by_nth: dict[tuple[int, ...], list[str]] = {}
        for one in sorted(days, key=DAYS.index):
            by_nth.setdefault(tuple(sorted(days[one], key=NTH.index)), []).append(one)
        found += [
            {
                "days": named,
                "opens": opens,
                "closes": closes,
                "every": every,
                "nth": list(nth),
                "start": start,
            }
            for nth, named in by_nth.items()
        ]
    found.sort(
        key=lambda e: (
            EVERY.index(e["every"]),
            [NTH.index(n) for n in e["nth"]],
            [DAYS.index(d) for d in e["days"]],
            e["opens"],
            e["start"] or "",
        )
    )
    return found + sorted(rules, key=lambda e: sorted((k, str(v)) for k, v in e["rule"].items()))


def _entry(item: Item) -> dict[str, Any]:
    if item["rule"] is not None:
        return {"rule": _rule(item["rule"])}
    days = item.read("days", codes, lambda code: code in DAYS)
    if not days:
        raise Wrong("listing.wrong.no_days", part="days")
    opens, closes = _times(item)
    every = item.read("every", choice, EVERY) if item["every"] else "week"
    start = item.read("start", day)
    nth = _nth(item) if every == "month" else []
    if every == "second_week" and start is None:
        raise Wrong("listing.wrong.no_start", part="start")
    return {
        "days": days,
        "opens": opens,
        "closes": closes,
        "every": every,
        "nth": nth,
        "start": start,
    }


def _nth(item: Item) -> list[int]:
    try:
        found = [int(number) for number in item["nth"] or []]
    except (TypeError, ValueError):
        raise Wrong("listing.wrong.no_nth", item["nth"], part="nth") from None
    if not found or any(number not in NTH for number in found):
        raise Wrong("listing.wrong.no_nth", item["nth"], part="nth")
    return found


def _times(item: Item) -> tuple[str, str]:
    opens, closes = item.read("opens", time_of_day), item.read("closes", time_of_day)
    for part, time in (("opens", opens), ("closes", closes)):
        if time is None:
            raise Wrong("listing.wrong.no_time", part=part)
    if opens == "24:00":
        raise Wrong("listing.wrong.time", opens, part="opens")
    if closes == "24:00" or (opens == closes == "00:00"):
        closes = LAST_MINUTE
    if opens == closes:
        raise Wrong("listing.wrong.no_length", closes, part="closes")
    return opens, closes


def _exception(item: Item) -> dict[str, Any]:
    first = item.read("from", day)
    if first is None:
        raise Wrong("listing.wrong.missing", part="from")
    last = item.read("to", day) or first
    length = date.fromisoformat(last) - date.fromisoformat(first)
    if not timedelta() <= length < timedelta(days=LONGEST_EXCEPTION_DAYS):
        raise Wrong("listing.wrong.days_order", last, part="to", most=LONGEST_EXCEPTION_DAYS)
    closed = item["closed"] in (True, "yes", "true", "1")
    opens, closes = (None, None) if closed else _times(item)
    return {
        "from": first,
        "to": last,
        "closed": closed,
        "opens": opens,
        "closes": closes,
        "note": item.read("note", line),
    }


def _rule(given: Any) -> dict[str, Any]:
    if not isinstance(given, dict) or not given or set(given) - set(RULE_COLUMNS):
        raise Wrong("listing.wrong.rule", given)
    try:
        rule = {name: _plain(RULE_COLUMNS[name], value) for name, value in given.items()}
    except (TypeError, ValueError):
        raise Wrong("listing.wrong.rule", given) from None
    if not is_readable(opening_row(rule)):
        raise Wrong("listing.wrong.rule", given)
    return dict(sorted(rule.items()))


def _plain(kind: type, value: Any) -> Any:
    if kind is date:
        return date.fromisoformat(value).isoformat()
    if not isinstance(value, (int, float) if kind is float else kind) or isinstance(value, bool):
        raise TypeError(value)
    if isinstance(value, str) and len(value) > 5000:
        raise ValueError(value)
    return kind(value)


def opening_row(rule: dict[str, Any]) -> OpeningRow:
    """A rule that travels whole, as the row that `opening` evaluates."""
    columns: dict[str, Any] = {
        name: date.fromisoformat(value) if RULE_COLUMNS[name] is date else value
        for name, value in rule.items()
        if name in OpeningRow.__dataclass_fields__
    }
    return OpeningRow(**columns)


def _refuse_overlaps(entries: list[dict[str, Any]]) -> None:
    """Two intervals of one day that run into each other are a slip of the hand."""
    plain = [entry for entry in entries if "rule" not in entry]
    for number, entry in enumerate(plain):
        for other in plain[:number]:
            alike = all(entry[part] == other[part] for part in ("every", "nth", "start"))
            if alike and set(entry["days"]) & set(other["days"]) and _overlap(entry, other):
                raise Wrong("listing.wrong.hours_overlap", entry["opens"], row=number + 1)


def _overlap(one: dict[str, Any], other: dict[str, Any]) -> bool:
    first, second = sorted((_span(one), _span(other)))
    return second[0] < first[1]


def _span(entry: dict[str, Any]) -> tuple[int, int]:
    opens, closes = (int(t[:2]) * 60 + int(t[3:]) for t in (entry["opens"], entry["closes"]))
    return opens, closes if closes > opens else closes + 24 * 60
