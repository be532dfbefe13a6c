"""HSDS 3.2.3, declared once: its tables, files, fields and nesting. Pure.

Reading and writing both follow this description. `load_row` makes a row of our columns of what a source
states; `dump_row` makes what we state of a row. Where writing our column would not give the source's own value
again, `load_row` keeps that value in `as_stated`, and `dump_row` gives it back for as long as our column still
means the same.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from referral.directory.hsds.values import Field as Field
from referral.directory.hsds.values import Kind as Kind
from referral.directory.hsds.values import clean, is_equal

VERSION = "3.2.3"
_EXTENSION = " ext. "


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
        stated = clean(stated)
        loaded = each.load(stated)
        value = each.default if loaded.value is None else loaded.value
        row.columns[each.column] = value
        if loaded.problem:
            row.problems.append((each.name, stated, loaded.problem))
        if not is_equal(each.dump(value), stated):
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
#: all tables, declared below
_NAMES = (
    *("organization", "program", "service", "attribute", "service_at_location", "location"),
    *("phone", "contact", "address", "schedule", "funding", "service_area", "required_document"),
    *("language", "accessibility", "taxonomy_term", "metadata", "meta_table_description"),
    *("cost_option", "organization_identifier", "taxonomy", "service_capacity", "unit", "url"),
)
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
            _f("link_entity", Kind.TABLE, required=True, codes=_NAMES, worked_out=True),
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
            _f("resource_type", Kind.TABLE, required=True, codes=_NAMES, worked_out=True),
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
