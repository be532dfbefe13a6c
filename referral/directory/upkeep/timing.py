"""A listing's edited hours into its rows of HSDS's schedule."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy import inspect

from referral.core.country import COUNTRY
from referral.directory.models import Schedule
from referral.directory.upkeep import listings, scheduling
from referral.directory.upkeep.recording import Recorder
from referral.directory.upkeep.timetable import RULE_COLUMNS

#: the fields that are written together
FIELDS = ("hours", "exceptions", "hours_until", "follows_public_holidays")
#: a row that is given other hours keeps nothing of the rule it was
_BLANK = dict.fromkeys(RULE_COLUMNS.keys() - {"timezone", "valid_to", "attending_type"})

_Rules = list[tuple[Schedule, list[scheduling.Entry]]]


def write(book: Recorder, values: Mapping[str, Any]) -> None:
    """Put those of the four fields that are given into the rows."""
    rows = _own_rows(book)
    timetable = scheduling.read(rows)
    rules: _Rules = []
    single = []
    for row, (kind, entries) in zip(rows, timetable.rows, strict=True):
        if kind == "hours":
            rules.append((row, entries))
        else:
            single.append(row)
    if "hours" in values:
        rules = _write_rules(book, rules, values["hours"], rows)
    until = values.get("hours_until", timetable.hours_until)
    closed = values.get("follows_public_holidays", timetable.follows_public_holidays)
    for row, entries in rules:
        ends_itself = any("valid_to" in entry.get("rule", ()) for entry in entries)
        if not ends_itself and ("hours_until" in values or _is_new(row)):
            book.set(row, "valid_to", date.fromisoformat(until) if until else None)
        if "follows_public_holidays" in values or _is_new(row):
            book.set(row, "closed_on_holidays", closed)
    if "exceptions" in values:
        book.replace(
            single,
            values["exceptions"],
            value_of=lambda row: scheduling.read([row]).exceptions[0],
            columns=scheduling.columns,
            make=lambda **columns: _new_row(book, rows, **columns),
        )


def _is_new(row: Schedule) -> bool:
    return not inspect(row).persistent


def _write_rules(
    book: Recorder, held: _Rules, wanted: list[scheduling.Entry], rows: list[Schedule]
) -> _Rules:
    """Rows for exactly these entries; a row that says nothing else than they do stays as it is."""
    asked = scheduling.atoms(wanted)
    kept = [(row, entries) for row, entries in held if scheduling.atoms(entries) <= asked]
    others = [row for row, entries in held if not scheduling.atoms(entries) <= asked]
    said: set[str] = set().union(*(scheduling.atoms(entries) for _, entries in kept))
    left = scheduling.beyond(wanted, said)
    for row, entry in zip(others, left, strict=False):
        book.fill(row, _BLANK | scheduling.columns(entry))
        kept.append((row, [entry]))
    for entry in left[len(others) :]:
        row = _new_row(book, rows, **scheduling.columns(entry))
        book.add(row)
        kept.append((row, [entry]))
    for row in others[len(left) :]:
        book.delete(row)
    return kept


def _own_rows(book: Recorder) -> list[Schedule]:
    """The rows to change. Those of a place, which other services share, are copied first."""
    rows = list(listings.schedules_of(book.service))
    if not rows or rows[0].location_id is None:
        return rows
    names = [
        column.key
        for column in inspect(Schedule).column_attrs
        if column.key not in ("id", "location_id", "as_stated")
    ]
    copies = []
    for row in rows:
        values = {name: getattr(row, name) for name in names} | {"service_id": book.service.id}
        copies.append(Schedule(**values))
        book.add(copies[-1])
    return copies


def _new_row(book: Recorder, rows: list[Schedule], **columns: Any) -> Schedule:
    site, place = listings.site_of(book.service), listings.place_of(book.service)
    if site is not None and any(row.service_at_location_id == site.id for row in rows):
        owner = {"service_at_location_id": site.id}
    else:
        owner = {"service_id": book.service.id}
    zones = [row.timezone for row in rows if row.timezone is not None]
    area = place.area_code if place else None
    zone = zones[0] if zones else COUNTRY.hours_ahead_of_utc(area)
    return Schedule(**{**owner, "is_closure": False, "timezone": zone, **columns})
