"""HSDS 3.2.3, declared once: its tables, files, fields, nesting, and how each value is read and written. Pure.

Reading and writing both follow this description. `load_row` makes a row of our columns of what a source
states; `dump_row` makes what we state of a row. Where writing our column would not give the source's own value
again, `load_row` keeps that value in `as_stated`, and `dump_row` gives it back for as long as our column still
means the same.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from enum import StrEnum
from typing import Any
from uuid import UUID

VERSION = "3.2.3"


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
    codes         all that a code may be
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


@dataclass(frozen=True)
class Child:
    """What an object of a table holds in JSON.

    many    a list of rows whose `link` leads to this row; else the one row that this row's `link` leads to
    """

    key: str
    table: str
    link: str
    many: bool = True


@dataclass(frozen=True)
class Table:
    """One table. `children` are in the order of the standard's compiled examples."""

    name: str
    file: str
    fields: tuple[Field, ...]
    children: tuple[Child, ...] = ()
    by_name: Mapping[str, Field] = field(init=False, repr=False)
    links: tuple[Field, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_name", {each.name: each for each in self.fields})
        links = tuple(each for each in self.fields if each.kind is Kind.LINK and each.target)
        object.__setattr__(self, "links", links)

    def child(self, key: str) -> Child | None:
        return next((child for child in self.children if child.key == key), None)


@dataclass
class LoadedRow:
    """A row of our columns; `problems` are (field, what was stated, key)."""

    columns: dict[str, Any] = field(default_factory=dict)
    as_stated: dict[str, Any] = field(default_factory=dict)
    problems: list[tuple[str, Any, str]] = field(default_factory=list)


def load_row(table: Table, raw: Mapping[str, Any], *, whole: bool = True) -> LoadedRow:
    """Our columns for the fields of an object; ids and links are the caller's, who knows what they lead to.

    whole   a field that is not there is empty; else it is not spoken of and is not in the row
    """
    row = LoadedRow()
    for each in table.fields:
        if each.kind in (Kind.ID, Kind.LINK) or (not whole and each.name not in raw):
            continue
        stated = raw.get(each.name)
        if stated is None:
            row.columns[each.column] = each.default
            continue
        stated = _clean(stated)
        loaded = each.load(stated)
        value = each.default if loaded.value is None else loaded.value
        row.columns[each.column] = value
        if loaded.problem:
            row.problems.append((each.name, stated, loaded.problem))
        if not _equal(each.dump(value), stated):
            row.as_stated[each.name] = stated
    if table.name == "phone":
        _split_number(row)
    return row


def dump_row(
    table: Table, row: Mapping[str, Any], *, links: bool, empty: bool = False
) -> dict[str, Any]:
    """What we state of a row, in the order of the standard; a value may be for JSON or, as text, for a cell.

    row     our columns and `as_stated`
    links   for a package: every link, and our own ids, which are given once only. Else for JSON, which leaves
            most links to nesting, and may give one id to several objects
    empty   fields without a value too, as None
    """
    stated = row.get("as_stated")
    given: dict[str, Any] = {}
    for each in table.fields:
        if each.kind is Kind.ID and links:
            given[each.name] = each.dump(row[each.column])
            continue
        if each.nested and not links and not (stated and each.name in stated):
            continue
        value = each.as_stated(stated, row.get(each.column))
        if value is not None or empty:
            given[each.name] = value
    extension = row.get("extension")
    if table.name == "phone" and extension and given.get("extension") is None:
        # As a number it would lose its zeros and be another's extension.
        given["number"] = f"{given['number']}{_EXTENSION}{extension}"
    return given


def is_stand_in(as_stated: Mapping[str, Any] | None) -> bool:
    """Whether a row stands where our tables need one and the source has none; it leaves in no file."""
    return as_stated is not None and "id" in as_stated and as_stated["id"] is None


# Reading and writing one value.

_NUMBERS = (Kind.NUMBER, Kind.INTEGER, Kind.EXTENSION)
_PLAIN_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(\.\d+)?")
_EXTENSION = " ext. "
#: 3:30 hours ahead of UTC, as sources write the number that HSDS asks for
_OFFSET = re.compile(r"(?:UTC|GMT)?\s*([+-]?)(\d{1,2})(?::?(\d{2}))?")
_TIME = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?\s*(Z|[+-]\d{2}:?\d{2})?")
#: what no database keeps in a text, and nobody means
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


def _clean(raw: Any) -> Any:
    if isinstance(raw, str):
        return _CONTROL.sub("", raw)
    if isinstance(raw, list):
        return [_clean(each) for each in raw]
    if isinstance(raw, dict):
        return {_clean(name): _clean(each) for name, each in raw.items()}
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


def _table(_: Field, raw: Any) -> Loaded:
    return Loaded(raw if isinstance(raw, str) and raw in TABLES else None)


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
    return int(value) if value.isascii() and value.isdigit() and str(int(value)) == value else None


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


def _equal(one: Any, other: Any) -> bool:
    """Equal as JSON: true is not 1, "1" is not 1, 1.0 is 1."""
    return isinstance(one, bool) == isinstance(other, bool) and one == other


def _same(loaded: Any, value: Any, default: Any) -> bool:
    return bool(loaded == value) or (loaded is None and value == default)


def _split_number(row: LoadedRow) -> None:
    number = row.columns.get("number") or ""
    before, mark, extension = number.rpartition(_EXTENSION)
    if mark and extension.isdigit() and row.columns.get("extension") is None:
        row.columns["number"], row.columns["extension"] = before, extension
        row.as_stated.pop("extension", None)


# The tables.


def _f(name: str, kind: Kind = Kind.TEXT, *, required: bool = False, **more: Any) -> Field:
    return Field(name, kind, required, **more)


def _texts(*names: str) -> tuple[Field, ...]:
    return tuple(Field(name) for name in names)


def _link(target: str, name: str = "", *, required: bool = False, **more: Any) -> Field:
    more = {"nested": True, **more}
    return Field(name or f"{target}_id", Kind.LINK, required, target=target, **more)


_ID = Field("id", Kind.ID, required=True, worked_out=True)
_ATTRIBUTES = (Child("attributes", "attribute", "link_id"),)
_EXTRA = (*_ATTRIBUTES, Child("metadata", "metadata", "resource_id"))
_PLACES = ("physical", "postal", "virtual")
_DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


def _many(table: str, link: str, *keys: str) -> tuple[Child, ...]:
    return tuple(Child(key or f"{table}s", table, link) for key in keys or ("",))


_ALL: Sequence[Table] = (
    Table(
        "organization",
        "organizations.csv",
        (
            _ID,
            _f("name", required=True, default=""),
            _f("alternate_name"),
            _f("description", required=True),
            *_texts("email", "website", "tax_status", "tax_id"),
            _f("year_incorporated", Kind.INTEGER),
            *_texts("legal_status", "logo", "uri"),
            _link("organization", "parent_organization_id", declared=False, nested=False),
        ),
        (
            *_many("url", "organization_id", "additional_websites"),
            *_many("funding", "organization_id", "funding"),
            *_many("contact", "organization_id"),
            *_many("phone", "organization_id"),
            *_many("location", "organization_id"),
            *_many("program", "organization_id"),
            *_many("organization_identifier", "organization_id"),
            *_many("service", "organization_id"),
            *_EXTRA,
        ),
    ),
    Table(
        "program",
        "programs.csv",
        (
            _ID,
            _link("organization", required=True),
            _f("name", required=True, default=""),
            _f("alternate_name"),
            _f("description", required=True),
        ),
        _EXTRA,
    ),
    Table(
        "service",
        "services.csv",
        (
            _ID,
            _link("organization", required=True),
            _link("program"),
            _f("name", required=True, default=""),
            *_texts("alternate_name", "description", "url", "email"),
            _f(
                "status",
                Kind.CODE,
                required=True,
                codes=("active", "inactive", "defunct", "temporarily closed"),
                default="active",
            ),
            *_texts(
                "interpretation_services",
                "application_process",
                "fees_description",
                "wait_time",
                "fees",
                "accreditations",
                "eligibility_description",
            ),
            _f("minimum_age", Kind.NUMBER),
            _f("maximum_age", Kind.NUMBER),
            _f("assured_date", Kind.DATE),
            *_texts("assurer_email", "licenses", "alert"),
            _f("last_modified", Kind.DATETIME),
        ),
        (
            *_many("url", "service_id", "additional_urls"),
            *_many("phone", "service_id"),
            *_many("schedule", "service_id"),
            *_many("service_area", "service_id"),
            *_many("service_at_location", "service_id"),
            *_many("language", "service_id"),
            Child("organization", "organization", "organization_id", many=False),
            *_many("funding", "service_id", "funding"),
            *_many("cost_option", "service_id"),
            Child("program", "program", "program_id", many=False),
            *_many("required_document", "service_id"),
            *_many("contact", "service_id"),
            *_many("service_capacity", "service_id", "capacities"),
            *_EXTRA,
        ),
    ),
    Table(
        "attribute",
        "attributes.csv",
        (
            _ID,
            # Any row; so it leads to no one table.
            Field("link_id", Kind.LINK, required=True, declared=False, nested=True),
            _link("taxonomy_term", required=True),
            _f("link_type"),
            _f("link_entity", Kind.TABLE, required=True, worked_out=True),
            *_texts("value", "label"),
        ),
        (Child("taxonomy_term", "taxonomy_term", "taxonomy_term_id", many=False), _EXTRA[1]),
    ),
    Table(
        "service_at_location",
        "service_at_location.csv",
        (
            _ID,
            _link("service", required=True),
            _link("location", required=True),
            _f("description"),
        ),
        (
            *_many("service_area", "service_at_location_id"),
            *_many("contact", "service_at_location_id"),
            *_many("phone", "service_at_location_id"),
            *_many("schedule", "service_at_location_id"),
            Child("location", "location", "location_id", many=False),
            Child("service", "service", "service_id", many=False),
            *_EXTRA,
        ),
    ),
    Table(
        "location",
        "locations.csv",
        (
            _ID,
            _f("location_type", Kind.CODE, required=True, codes=_PLACES, default="physical"),
            _f("url"),
            _link("organization"),
            *_texts("name", "alternate_name", "description", "transportation"),
            _f("latitude", Kind.NUMBER),
            _f("longitude", Kind.NUMBER),
            *_texts("external_identifier", "external_identifier_type"),
        ),
        (
            *_many("language", "location_id"),
            *_many("address", "location_id", "addresses"),
            *_many("contact", "location_id"),
            *_many("accessibility", "location_id", "accessibility"),
            *_many("phone", "location_id"),
            *_many("schedule", "location_id"),
            *_EXTRA,
        ),
    ),
    Table(
        "phone",
        "phones.csv",
        (
            _ID,
            _link("location"),
            _link("service"),
            _link("organization"),
            _link("contact"),
            _link("service_at_location"),
            _f("number", required=True, default=""),
            _f("extension", Kind.EXTENSION),
            *_texts("type", "description"),
        ),
        (*_many("language", "phone_id"), *_EXTRA),
    ),
    Table(
        "contact",
        "contacts.csv",
        (
            _ID,
            _link("organization"),
            _link("service"),
            _link("service_at_location"),
            _link("location"),
            *_texts("name", "title", "department", "email"),
        ),
        (*_many("phone", "contact_id"), *_EXTRA),
    ),
    Table(
        "address",
        "addresses.csv",
        (
            _ID,
            _link("location"),
            _f("attention"),
            _f("address_1", required=True, default=""),
            _f("address_2"),
            _f("city", required=True, default=""),
            _f("region"),
            _f("state_province", required=True, default=""),
            _f("postal_code", required=True, default=""),
            _f("country", required=True, default=""),
            _f("address_type", Kind.CODE, required=True, codes=_PLACES, default="physical"),
        ),
        _EXTRA,
    ),
    Table(
        "schedule",
        "schedules.csv",
        (
            _ID,
            _link("service"),
            _link("location"),
            _link("service_at_location"),
            _f("valid_from", Kind.DATE),
            _f("valid_to", Kind.DATE),
            _f("dtstart", Kind.DATE),
            _f("timezone", Kind.NUMBER),
            _f("until", Kind.DATE),
            _f("count", Kind.INTEGER),
            _f("wkst", Kind.CODE, codes=_DAYS),
            _f("freq", Kind.CODE, codes=("WEEKLY", "MONTHLY")),
            _f("interval", Kind.INTEGER),
            *_texts("byday", "byweekno", "bymonthday", "byyearday", "description"),
            _f("opens_at", Kind.TIME),
            _f("closes_at", Kind.TIME),
            *_texts("schedule_link", "attending_type", "notes"),
        ),
        _EXTRA,
    ),
    Table(
        "funding",
        "funding.csv",
        (_ID, _link("organization"), _link("service"), _f("source")),
        _EXTRA,
    ),
    Table(
        "service_area",
        "service_areas.csv",
        (
            _ID,
            _link("service"),
            _link("service_at_location"),
            *_texts("name", "description", "extent", "extent_type", "uri"),
        ),
        _EXTRA,
    ),
    Table(
        "required_document",
        "required_documents.csv",
        (_ID, _link("service"), *_texts("document", "uri")),
        _EXTRA,
    ),
    Table(
        "language",
        "languages.csv",
        (
            _ID,
            _link("service"),
            _link("location"),
            _link("phone"),
            _f("name"),
            _f("code", Kind.LANGUAGE),
            _f("note"),
        ),
        _EXTRA,
    ),
    Table(
        "accessibility",
        "accessibility.csv",
        (_ID, _link("location"), *_texts("description", "details", "url")),
        _EXTRA,
    ),
    Table(
        "taxonomy_term",
        "taxonomy_terms.csv",
        (
            _ID,
            _f("code", worked_out=True),
            _f("name", required=True, default=""),
            _f("description", required=True, default=""),
            _link("taxonomy_term", "parent_id", declared=False, nested=False),
            *_texts("taxonomy", "language"),
            _link("taxonomy"),
            _f("term_uri"),
        ),
        (Child("taxonomy_detail", "taxonomy", "taxonomy_id", many=False), _EXTRA[1]),
    ),
    Table(
        "metadata",
        "metadata.csv",
        (
            _ID,
            Field("resource_id", Kind.LINK, required=True, declared=False, nested=True),
            _f("resource_type", Kind.TABLE, required=True, worked_out=True),
            _f("last_action_date", Kind.DAY_OF, required=True),
            _f("last_action_type", required=True, default=""),
            _f("field_name", required=True, default=""),
            _f("previous_value", required=True, default=""),
            _f("replacement_value", required=True, default=""),
            _f("updated_by", required=True, column="updated_by_role", default=""),
        ),
    ),
    Table(
        "meta_table_description",
        "meta_table_descriptions.csv",
        (_ID, *_texts("name", "language", "character_set")),
        _EXTRA,
    ),
    Table(
        "cost_option",
        "cost_options.csv",
        (
            _ID,
            _link("service", required=True),
            _f("valid_from", Kind.DATE),
            _f("valid_to", Kind.DATE),
            *_texts("option", "currency"),
            _f("amount", Kind.NUMBER),
            _f("amount_description"),
        ),
        _EXTRA,
    ),
    Table(
        "organization_identifier",
        "organization_identifiers.csv",
        (
            _ID,
            _link("organization", required=True),
            _f("identifier_scheme"),
            _f("identifier_type", required=True, default=""),
            _f("identifier", required=True, default=""),
        ),
        _EXTRA,
    ),
    Table(
        "taxonomy",
        "taxonomies.csv",
        (
            _ID,
            _f("name", required=True, default="", worked_out=True),
            _f("description", required=True, default=""),
            *_texts("uri", "version"),
        ),
        (_EXTRA[1],),
    ),
    Table(
        "service_capacity",
        "service_capacity.csv",
        (
            _ID,
            _link("service", required=True),
            _link("unit", required=True),
            _f("available", Kind.NUMBER, required=True),
            _f("maximum", Kind.NUMBER),
            _f("description"),
            _f("updated", Kind.DATETIME, required=True),
        ),
        (Child("unit", "unit", "unit_id", many=False), *_EXTRA),
    ),
    Table(
        "unit",
        "units.csv",
        (_ID, _f("name", required=True, default=""), *_texts("scheme", "identifier", "uri")),
        _EXTRA,
    ),
    Table(
        "url",
        "url.csv",
        (
            _ID,
            _f("label"),
            _f("url", required=True, default=""),
            _link("organization"),
            _link("service"),
        ),
        _EXTRA,
    ),
)

TABLES: Mapping[str, Table] = {table.name: table for table in _ALL}
