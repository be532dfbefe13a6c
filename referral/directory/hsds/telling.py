"""What is told of a single row: what its source states where the standard has such a value, and no more than we know."""

from typing import Any
from uuid import NAMESPACE_URL, uuid5

from referral.directory.hsds.shape import TABLES, Field, Kind, Table, dump_row
from referral.directory.points import OF_AREA

Row = dict[str, Any]
Document = dict[str, Any]

_POINT = {name: TABLES["location"].by_name[name] for name in ("latitude", "longitude")}
#: What a number of places is counted in where nobody said.
PLACES_ID = uuid5(NAMESPACE_URL, "jejaring:unit/place")
PLACES = {"id": str(PLACES_ID), "name": "tempat"}

#: What JSON asks for and a row of ours may lack.
_NEEDED_TEXTS = {
    (table, name) for table in ("organization", "program") for name in ("description",)
}


def as_told(table: str, row: Row, *, secret: bool) -> Row:
    """A row with what is not ours to tell, no longer true, or more than we know put right."""
    if table == "service" and row["merged_into_id"]:
        row = _without(row, "status") | {"status": "defunct"}  # whatever it was: it is no more
    if table == "service" and secret and row["url"] == row["source_url"]:
        row = _without(row, "url")  # a page read about it may say where it is
    if table == "location":
        row = row | _point_told(row)
    if table == "service_area" and not (row["name"] or row["extent"] or row["description"]):
        row = row | {"name": row["area_code"]}
    if table == "service_capacity" and (row["available"] is None or row["unit_id"] is None):
        # The standard asks for a unit and a number; where only a state is known, it says no more than that.
        has_room = row["status"] == "capacity"
        known = {name: row[name] for name in ("available", "unit_id") if row[name] is not None}
        row = row | {"available": int(has_room), "unit_id": PLACES_ID} | known
    return row


def _point_told(row: Row) -> Row:
    """A place's own point. The middle of an area is not told as one: HSDS can't say how far off it may be."""
    if row["point_source"] in OF_AREA:
        row = _without(_without(row, "latitude"), "longitude")
    stated = row["as_stated"] or {}
    halves = {name: _POINT[name].load(stated.get(name)) for name in _POINT}
    if row["latitude"] is None and any(half.problem for half in halves.values()):
        # No place on earth: it leaves as it came, both halves of it, and misleads nobody.
        return {name: half.value for name, half in halves.items()}
    return row


def _without(row: Row, name: str) -> Row:
    stated = {key: value for key, value in (row["as_stated"] or {}).items() if key != name}
    return row | {name: None, "as_stated": stated or None}


def short(table: Table, row: Row) -> Document:
    """A row alone, as valid JSON of HSDS: what its source states, except where the standard has no such value."""
    stated = dump_row(table, row, links=False)
    told = {}
    for name, value in stated.items():
        each = table.by_name[name]
        if not fits(each, value):
            value = each.dump(row[each.column])
        if value is not None:
            told[name] = value
    for name in ("description",):
        if (table.name, name) in _NEEDED_TEXTS:
            told.setdefault(name, "")
    return told


def fits(each: Field, value: Any) -> bool:
    """Whether the standard's schema takes this value there."""
    if each.kind in (Kind.NUMBER, Kind.INTEGER, Kind.EXTENSION):
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if not isinstance(value, str):
        return False
    if each.kind is Kind.CODE:
        return value in each.codes
    if each.kind in (Kind.ID, Kind.LINK, Kind.DATE, Kind.DAY_OF, Kind.DATETIME, Kind.TIME):
        return each.load(value).problem is None
    return True
