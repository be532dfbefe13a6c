"""Rows of HSDS's schedule as entries of a timetable, and entries as the columns of a row. Pure."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from referral.directory.hours import DAYS, ORDINALS, opening_row
from referral.directory.opening import OpeningRow
from referral.directory.upkeep.timetable import RULE_COLUMNS, normal

Entry = dict[str, Any]

#: columns that the grid writes; another one of a row that it can't show makes the row a rule of its own
_GRID = {"freq", "byday", "interval", "wkst", "dtstart", "opens_at", "closes_at"}
#: what a row may say besides without being more than the grid
_BESIDE = {"timezone", "description", "notes", "schedule_link", "attending_type"}


@dataclass
class Timetable:
    """What a listing's rows say of its hours; `rows` has the entries of each row, in the rows' order."""

    hours: list[Entry] = field(default_factory=list)
    exceptions: list[Entry] = field(default_factory=list)
    hours_until: str | None = None
    follows_public_holidays: bool | None = None
    rows: list[tuple[str, list[Entry]]] = field(default_factory=list)


def read(rows: Sequence[Any]) -> Timetable:
    """The timetable that these rows are."""
    found = Timetable()
    openings = [opening_row(row) for row in rows]
    regular = [row for row, opening in zip(rows, openings, strict=True) if not _single(opening)]
    until = _common([row.valid_to for row in regular])
    found.follows_public_holidays = _common([row.closed_on_holidays for row in regular])
    found.hours_until = until.isoformat() if until else None
    for row, opening in zip(rows, openings, strict=True):
        if _single(opening):
            entry = _exception(row)
            found.exceptions.append(entry)
            found.rows.append(("exceptions", [entry]))
        else:
            entries = _entries(row, opening, until)
            found.hours += entries
            found.rows.append(("hours", entries))
    found.hours = normal(found.hours)
    found.exceptions.sort(key=lambda e: (e["from"], e["to"], e["opens"] or ""))
    return found


def _common(values: Sequence[Any]) -> Any:
    """What all of them are; None where they differ."""
    return values[0] if values and all(value == values[0] for value in values) else None


def _single(row: OpeningRow) -> bool:
    if not row.is_dated or row.valid_from is None or row.valid_to is None:
        return False
    return row.is_closure or bool(row.opens_at and row.closes_at)


def _exception(row: Any) -> Entry:
    return {
        "from": row.valid_from.isoformat(),
        "to": row.valid_to.isoformat(),
        "closed": bool(row.is_closure),
        "opens": None if row.is_closure else row.opens_at[:5],
        "closes": None if row.is_closure else row.closes_at[:5],
        "note": row.notes or row.description,
    }


def _entries(row: Any, opening: OpeningRow, until: date | None) -> list[Entry]:
    """The entries of the grid that a row stands for, or itself where it says more than the grid can."""
    stated = {name for name in RULE_COLUMNS if getattr(row, name) not in (None, "")}
    if until is not None:
        stated.discard("valid_to")
    grid = None if stated - _GRID - _BESIDE else _grid(opening)
    if grid is not None and not row.is_closure:
        return grid
    rule = {name: _plain(getattr(row, name)) for name in sorted(stated)}
    return [{"rule": rule}]


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def _grid(row: OpeningRow) -> list[Entry] | None:
    times = [time and time[:5] for time in (row.opens_at, row.closes_at)]
    if not all(time and len(time) == 5 and time[2] == ":" for time in times):
        return None
    days: dict[str, list[int]]
    interval, freq = row.interval or 1, (row.freq or "WEEKLY").upper()
    names = [name.strip().upper() for name in (row.byday or "").split(",") if name.strip()]
    if (row.wkst or "MO").upper() != "MO" and interval > 1:
        return None
    if freq in ("WEEKLY", "DAILY") and interval == 1:
        if not names and freq == "WEEKLY" and row.freq:
            return None  # comes on the weekday of its start
        every, days = "week", {name: [] for name in names or DAYS}
    elif freq == "WEEKLY" and interval == 2 and names and row.dtstart:
        every, days = "second_week", {name: [] for name in names}
    elif freq == "MONTHLY" and interval == 1 and names:
        every, days = "month", {}
        for name in names:
            number = name[:-2].removeprefix("+")
            if number not in [str(n) for n in ORDINALS]:
                return None
            days.setdefault(name[-2:], []).append(int(number))
    else:
        return None
    if not set(days) <= set(DAYS):
        return None
    start = row.dtstart.isoformat() if row.dtstart else None
    opens, closes = times
    return [
        {
            "days": [day],
            "opens": opens,
            "closes": closes,
            "every": every,
            "nth": nth,
            "start": start,
        }
        for day, nth in days.items()
    ]


def columns(entry: Entry) -> dict[str, Any]:
    """The columns of the row that an entry of `hours` or `exceptions` becomes."""
    if "rule" in entry:
        return {
            name: date.fromisoformat(value) if RULE_COLUMNS[name] is date else value
            for name, value in entry["rule"].items()
        }
    if "from" in entry:
        return {
            "is_closure": entry["closed"],
            "valid_from": date.fromisoformat(entry["from"]),
            "valid_to": date.fromisoformat(entry["to"]),
            "opens_at": entry["opens"],
            "closes_at": entry["closes"],
            "notes": entry["note"],
        }
    byday = [f"{nth}{day}" for nth in entry["nth"] or [""] for day in entry["days"]]
    return {
        "freq": "MONTHLY" if entry["every"] == "month" else "WEEKLY",
        "interval": 2 if entry["every"] == "second_week" else None,
        "byday": ",".join(byday),
        "dtstart": date.fromisoformat(entry["start"]) if entry["start"] else None,
        "opens_at": entry["opens"],
        "closes_at": entry["closes"],
    }


def atoms(entries: Iterable[Entry]) -> set[str]:
    """What entries say, cut as small as it goes, so that two ways of saying the same can be compared."""
    found = set()
    for entry in entries:
        if "days" not in entry:
            found.add(json.dumps(entry, sort_keys=True))
            continue
        for day in entry["days"]:
            for nth in entry["nth"] or [0]:
                single = entry | {"days": [day], "nth": [nth] if nth else []}
                found.add(json.dumps(single, sort_keys=True))
    return found


def beyond(entries: Iterable[Entry], kept: set[str]) -> list[Entry]:
    """The part of the entries that rows which stay do not already say."""
    left = [json.loads(atom) for atom in sorted(atoms(entries) - kept)]
    return normal(left) if any("days" in entry for entry in left) else left
