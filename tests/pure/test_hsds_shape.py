"""HSDS's tables are declared as the standard has them, and every value leaves as it came."""

import json
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referral.directory.hsds.shape import TABLES, Kind, dump_row, is_stand_in, load_row

PLAIN = [
    (name, each)
    for name, table in TABLES.items()
    for each in table.fields
    if each.kind not in (Kind.ID, Kind.LINK)
]
#: what sources write: the right thing in all its spellings, and the wrong one
RAW = st.one_of(
    st.text(alphabet=st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=20),
    st.integers(-(10**20), 10**20),
    st.floats(allow_nan=False, allow_infinity=False),
    st.booleans(),
    st.lists(st.integers(), max_size=2),
    st.dates().map(date.isoformat),
    st.datetimes().map(datetime.isoformat),
    st.times().map(lambda at: at.isoformat(timespec="minutes")),
    st.sampled_from(["active", "Temporarily_Closed", "MO", "weekly", "physical", "007", "+07:00"]),
)


def test_the_tables_are_those_of_the_standards_data_package(shared):
    package = json.loads((shared / "hsds/examples/csv/datapackage.json").read_text())

    def stated(resource):
        schema = resource["schema"]
        keys = schema.get("foreignKeys") or ()
        return (
            resource["path"],
            [
                (
                    each["name"],
                    each["constraints"]["required"],
                    tuple(each["constraints"].get("enum", ())),
                )
                for each in schema["fields"]
            ],
            {key["fields"]: key["reference"]["resource"] for key in keys},
        )

    assert {each["name"]: stated(each) for each in package["resources"]} == {
        name: (
            table.file,
            [
                (each.name, each.required, each.codes if each.kind is Kind.CODE else ())
                for each in table.fields
            ],
            {each.name: each.target for each in table.links if each.declared},
        )
        for name, table in TABLES.items()
    }


def test_any_row_that_a_link_may_lead_to_is_of_one_of_the_tables():
    for name, field in (("attribute", "link_entity"), ("metadata", "resource_type")):
        assert set(TABLES[name].by_name[field].codes) == TABLES.keys()


@pytest.mark.parametrize("name", ["service", "organization", "service_at_location"])
def test_every_key_of_the_standards_documents_is_a_field_or_a_child(shared, name):
    schema = json.loads((shared / f"hsds/schema/{name}.json").read_text())
    unknown = []

    def walk(at, table, path):
        for key, value in at["properties"].items():
            child = table.child(key)
            if value.get("type") == "array" or "properties" in value:
                if child is None or child.many != (value.get("type") == "array"):
                    unknown.append(f"{path}.{key}")
                else:
                    walk(value.get("items", value), TABLES[child.table], f"{path}.{key}")
            elif key not in table.by_name:
                unknown.append(f"{path}.{key}")

    walk(schema, TABLES[name], name)
    assert unknown == []


@given(st.sampled_from(PLAIN), RAW)
def test_whatever_a_source_states_leaves_as_it_came(where, raw):
    name, each = where

    row = load_row(TABLES[name], {each.name: raw})

    given_back = dump_row(TABLES[name], {**row.columns, "as_stated": row.as_stated}, links=False)
    assert given_back[each.name] == raw
    assert isinstance(given_back[each.name], bool) == isinstance(raw, bool)


@given(st.sampled_from(PLAIN), RAW, RAW)
def test_what_is_changed_here_leaves_as_changed(where, raw, other):
    name, each = where
    row = load_row(TABLES[name], {each.name: raw})
    changed = each.load(other).value
    if changed is None or changed == row.columns[each.column] or each.worked_out:
        return

    told = each.as_stated(row.as_stated, changed)

    assert told == each.dump(changed)
    if told is not None:
        assert each.load(told).value == changed


@given(st.text(alphabet="0123456789", min_size=1, max_size=6))
def test_an_extension_keeps_its_zeros(digits):
    phone = TABLES["phone"]

    told = dump_row(phone, {"number": "+62 24 1", "extension": digits}, links=False)
    again = load_row(phone, told).columns

    assert isinstance(told.get("extension"), (int, type(None)))
    assert (again["number"], again["extension"]) == ("+62 24 1", digits)


@pytest.mark.parametrize(
    ("table", "field", "raw", "value"),
    [
        ("schedule", "timezone", "+07:00", 7.0),
        ("schedule", "timezone", "UTC+5:30", 5.5),
        ("schedule", "opens_at", "8:00", "08:00"),
        ("schedule", "closes_at", "24:00:00", "24:00"),
        ("schedule", "opens_at", "10:00:00Z", "10:00"),
        ("service", "status", "Temporarily_Closed", "temporarily closed"),
        ("service", "assured_date", "2026-02-01T00:00:00Z", date(2026, 2, 1)),
        ("service", "last_modified", "2026-02-01T07:00:00+07:00", datetime(2026, 2, 1, tzinfo=UTC)),
        ("service", "minimum_age", "12", 12.0),
        ("organization", "year_incorporated", 2011, 2011),
        ("phone", "extension", 100, "100"),
        ("language", "code", "en-US", "eng"),
        ("language", "code", "JAV", "jav"),
        ("language", "code", "ur", "ur"),
    ],
)
def test_values_are_understood_in_the_spellings_sources_use(table, field, raw, value):
    loaded = TABLES[table].by_name[field].load(raw)

    assert (loaded.value, loaded.problem) == (value, None)


@pytest.mark.parametrize(
    ("table", "field", "raw", "problem"),
    [
        ("location", "latitude", 100, "off_earth"),
        ("location", "latitude", "north", "no_number"),
        ("service", "minimum_age", -1, "no_age"),
        ("service", "minimum_age", True, "no_number"),
        ("service", "status", "open", "unknown_code"),
        ("service", "assured_date", "yesterday", "no_day"),
        ("service", "last_modified", "0001-01-01T00:00:00+14:00", "no_instant"),
        ("schedule", "opens_at", "25:00", "no_time"),
        ("schedule", "count", 1.5, "no_number"),
        ("service", "name", ["a"], "not_text"),
    ],
)
def test_what_can_not_be_true_is_a_problem_and_no_value(table, field, raw, problem):
    loaded = TABLES[table].by_name[field].load(raw)

    assert (loaded.value, loaded.problem) == (None, problem)


def test_midnight_leaves_as_the_last_minute_for_the_standard_has_no_end_of_a_day():
    assert TABLES["schedule"].by_name["closes_at"].dump("24:00") == "23:59:00"


@pytest.mark.parametrize(
    ("cell", "value"),
    [("35", 35), ("-6.98", -6.98), ("007", "007"), ("1e3", "1e3"), ("", None), ("x", "x")],
)
def test_a_cell_states_a_number_only_where_writing_it_again_gives_the_same(cell, value):
    assert TABLES["cost_option"].by_name["amount"].from_cell(cell) == value


def test_a_link_that_leads_nowhere_leaves_as_it_came_and_one_set_here_as_set():
    link = TABLES["location"].by_name["organization_id"]
    nowhere = "985e4a42-bd9f-4edc-911d-0243a4640aca"
    there = "ac148810-d857-441c-9679-408f346de14b"

    assert link.as_stated({"organization_id": nowhere}, None) == nowhere
    assert link.as_stated({"organization_id": nowhere}, link.load(there).value) == there


def test_a_row_the_source_does_not_have_is_known_as_such():
    assert is_stand_in({"id": None})
    assert not any(map(is_stand_in, (None, {}, {"id": "1"})))
