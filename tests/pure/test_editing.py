"""What somebody types about a listing is read to plain values, or each wrong part is named; differences are said."""

from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from referral.core.text import LANGUAGES, render
from referral.directory.hours import DAYS
from referral.directory.opening import OpeningRow, is_open
from referral.directory.upkeep import editing, scheduling
from referral.directory.upkeep.timetable import NTH, RULE_COLUMNS, normal, read_hours
from referral.directory.upkeep.values import Lists

LISTS = Lists(
    categories={"HE05", "HE07"},
    documents={"KTP": "KTP elektronik", "KK": "Kartu Keluarga (KK)"},
    disabilities={"visual", "hearing"},
    is_area=lambda code: code in ("33", "33.74", "33.74.11"),
)
WEEK = {"every": "week", "nth": [], "start": None}


def read(name: str, value: Any) -> Any:
    """The value of one field; fails the test where it is wrong."""
    found, findings = editing.read({name: value}, LISTS)
    assert findings == []
    return found[name]


@pytest.mark.parametrize(
    ("name", "given", "value"),
    [
        ("name", "  Posyandu \n Melati ", "Posyandu Melati"),
        ("description", " Satu.\r\nDua.\x00 ", "Satu.\nDua."),
        ("description", "", None),
        ("url", "melati.example.org/kontak", "https://melati.example.org/kontak"),
        ("status", "temporarily closed", "temporarily closed"),
        (
            "phones",
            [{"number": " 119 ext 8 ", "type": ""}, {"number": "", "type": None}],
            [{"number": "119", "extension": "8", "type": None, "description": None}],
        ),
        (
            "address",
            {"address_1": "Jl. Melati 3", "city": "Semarang"},
            {
                "address_1": "Jl. Melati 3",
                "city": "Semarang",
                "state_province": "",
                "postal_code": "",
            },
        ),
        ("address", {"address_1": "", "city": ""}, None),
        ("area_code", "33.74", "33.74"),
        ("point", {"lat": "-6,98", "lon": "110.41"}, {"lat": -6.98, "lon": 110.41}),
        ("point", {"lat": "", "lon": ""}, None),
        (
            "hours",
            [
                {"days": ["TU"], "opens": "8.00", "closes": "12:00"},
                {"days": ["MO"], "opens": "08:00", "closes": "12:00"},
                {"days": ["MO"], "opens": "13:00", "closes": "24:00"},
                {"days": [], "opens": "", "closes": ""},
            ],
            [
                {"days": ["MO"], "opens": "13:00", "closes": "23:59", **WEEK},
                {"days": ["MO", "TU"], "opens": "08:00", "closes": "12:00", **WEEK},
            ],
        ),
        (
            "hours",
            [
                {
                    "days": ["SA"],
                    "opens": "08:00",
                    "closes": "10:00",
                    "every": "month",
                    "nth": ["-1", 1],
                }
            ],
            [
                {
                    "days": ["SA"],
                    "opens": "08:00",
                    "closes": "10:00",
                    "every": "month",
                    "nth": [1, -1],
                    "start": None,
                }
            ],
        ),
        (
            "exceptions",
            [{"from": "2026-12-24", "closed": "yes", "opens": "08:00", "note": "Natal"}],
            [
                {
                    "from": "2026-12-24",
                    "to": "2026-12-24",
                    "closed": True,
                    "opens": None,
                    "closes": None,
                    "note": "Natal",
                }
            ],
        ),
        ("follows_public_holidays", "unknown", None),
        ("follows_public_holidays", "no", False),
        ("categories", ["HE07", "?HE07", "?HE05"], ["?HE05", "HE07"]),
        ("service_areas", ["33.74", "pasar lama", "33.74"], ["33.74", "pasar lama"]),
        ("service_areas", ["33.74", "*"], ["*"]),
        ("languages", ["jav", "ind"], ["ind", "jav"]),
        ("documents", [], []),
        ("documents", None, None),
        (
            "documents",
            [{"code": "KTP", "words": "KTP elektronik"}],
            [{"code": "KTP", "words": None, "how_to_get": None}],
        ),
        (
            "entry_steps",
            [{"office": "Kelurahan", "documents": ["KK"], "days": "0,5"}],
            [
                {
                    "office": "Kelurahan",
                    "documents": ["KK"],
                    "days": 0.5,
                    "cost": None,
                    "who_may_go": None,
                }
            ],
        ),
        ("cost", None, {"fee": "unknown", "amount": None, "words": None}),
        ("cost", {"amount": "5000"}, {"fee": "paid", "amount": 5000.0, "words": None}),
        (
            "eligibility",
            {"minimum_age": "", "sex": ["male", "female"], "desil_max": "4", "residency": []},
            {
                "minimum_age": None,
                "maximum_age": None,
                "sex": [],
                "desil_max": 4,
                "disability": None,
                "residency": [],
            },
        ),
        ("capacity", {"status": "", "available": ""}, None),
        (
            "capacity",
            {"status": "waitlist", "maximum": 20, "as_of": "2026-01-01"},
            {"status": "waitlist", "available": None, "maximum": 20.0, "until": None},
        ),
    ],
)
def test_what_is_typed_becomes_one_plain_value(name: str, given: Any, value: Any) -> None:
    assert read(name, given) == value
    assert read(name, value) == value  # what was read reads the same again


@pytest.mark.parametrize(
    ("name", "given", "where", "row", "key"),
    [
        ("nama", "x", "nama", 0, "field"),
        ("name", "  ", "name", 0, "missing"),
        ("name", "x" * 301, "name", 0, "too_long"),
        ("name", 5, "name", 0, "text"),
        ("url", "javascript:alert(1)", "url", 0, "url"),
        ("email", "ani@", "email", 0, "email"),
        ("status", "open", "status", 0, "choice"),
        ("phones", [{"number": "024 123"}, {"number": "kantor"}], "phones.number", 2, "phone"),
        ("phones", [{"number": "112", "type": "radio"}], "phones.type", 1, "choice"),
        ("phones", "112", "phones", 0, "list"),
        ("phones", ["112"], "phones", 1, "list"),
        ("phones", [{}] * 101, "phones", 0, "too_many"),
        ("address", {"city": "Semarang"}, "address.address_1", 0, "missing"),
        ("area_code", "99.99", "area_code", 0, "area"),
        ("point", {"lat": 0, "lon": 0}, "point", 0, "point"),
        ("point", {"lat": 91, "lon": 0}, "point.lat", 0, "number"),
        ("point", {"lat": 1}, "point", 0, "point"),
        ("hours", [{"opens": "08:00", "closes": "10:00"}], "hours.days", 1, "no_days"),
        ("hours", [{"days": ["MO"], "opens": "08:00"}], "hours.closes", 1, "no_time"),
        (
            "hours",
            [{"days": ["MO"], "opens": "25:00", "closes": "26:00"}],
            "hours.opens",
            1,
            "time",
        ),
        (
            "hours",
            [{"days": ["MO"], "opens": "08:00", "closes": "08:00"}],
            "hours.closes",
            1,
            "no_length",
        ),
        (
            "hours",
            [{"days": ["MO"], "opens": "08:00", "closes": "10:00", "every": "month"}],
            "hours.nth",
            1,
            "no_nth",
        ),
        (
            "hours",
            [{"days": ["MO"], "opens": "08:00", "closes": "10:00", "every": "second_week"}],
            "hours.start",
            1,
            "no_start",
        ),
        (
            "hours",
            [
                {"days": ["MO"], "opens": "08:00", "closes": "10:00"},
                {"days": ["MO", "TU"], "opens": "09:30", "closes": "12:00"},
            ],
            "hours",
            2,
            "hours_overlap",
        ),
        ("hours", [{"rule": {"freq": "WEEKLY", "byday": "XX"}}], "hours", 1, "rule"),
        ("hours", [{"rule": {"id": "1"}}], "hours", 1, "rule"),
        (
            "exceptions",
            [{"from": "2026-12-26", "to": "2026-12-24", "closed": True}],
            "exceptions.to",
            1,
            "days_order",
        ),
        ("exceptions", [{"from": "26-12-2026", "closed": True}], "exceptions.from", 1, "day"),
        (
            "exceptions",
            [
                {"from": "2026-12-24", "to": "2026-12-26", "closed": True},
                {"from": "2026-12-25", "opens": "08:00", "closes": "10:00"},
            ],
            "exceptions",
            2,
            "exceptions_overlap",
        ),
        ("categories", ["HE99"], "categories", 1, "code"),
        ("service_areas", ["33.99"], "service_areas", 1, "code"),
        ("languages", ["Indonesia"], "languages", 1, "code"),
        ("documents", [{"how_to_get": "Dukcapil"}], "documents.words", 1, "missing"),
        ("cost", {"fee": "free", "amount": 10}, "cost.amount", 0, "free_has_price"),
        (
            "eligibility",
            {"minimum_age": 20, "maximum_age": 10},
            "eligibility.maximum_age",
            0,
            "age_order",
        ),
        ("eligibility", {"desil_max": 11}, "eligibility.desil_max", 0, "number"),
        ("eligibility", {"desil_max": 1.5}, "eligibility.desil_max", 0, "number"),
        ("eligibility", {"disability": ["?"]}, "eligibility.disability", 1, "code"),
        ("capacity", {"status": "full"}, "capacity.status", 0, "choice"),
        ("capacity", {"available": True}, "capacity.available", 0, "number"),
        ("capacity", {"until": "besok"}, "capacity.until", 0, "day"),
        ("follows_public_holidays", "maybe", "follows_public_holidays", 0, "choice"),
    ],
)
def test_what_cannot_be_taken_is_named_by_field_part_and_row(
    name: str, given: Any, where: str, row: int, key: str
) -> None:
    found, findings = editing.read({name: given}, LISTS)

    assert found == {}
    assert [(one.field, one.row, one.message.key) for one in findings] == [
        (where, row, f"listing.wrong.{key}")
    ]
    assert all(render(findings[0].message, lang) for lang in LANGUAGES)


def test_one_wrong_value_does_not_hide_another_and_right_ones_are_kept() -> None:
    found, findings = editing.read({"email": "x", "name": "N", "url": "?"}, LISTS)

    assert found == {"name": "N"}
    assert [one.field for one in findings] == ["email", "url"]
    error = editing.InvalidListing(findings)
    assert (error.field, len(error.candidates), error.code) == ("email", 2, "invalid")


def test_a_field_without_a_word_of_it_is_empty_and_says_nothing() -> None:
    empty = editing.empty_values()

    assert list(empty) == list(editing.FIELDS)
    unsaid = {name for name, field in editing.FIELDS.items() if not field.say(empty[name], str)}
    assert unsaid == set(editing.FIELDS) - {"status", "answer_mode", "contact_mode"}
    assert read("eligibility", {}) == empty["eligibility"]


def test_a_difference_is_said_in_both_languages() -> None:
    before = editing.empty_values() | {
        "name": "Posyandu",
        "phones": read("phones", [{"number": "112"}, {"number": "113", "type": "fax"}]),
        "languages": ["ind"],
        "alert": "Tutup",
    }
    after = before | {
        "name": "Posyandu Melati",
        "phones": read("phones", [{"number": "112"}, {"number": "114"}]),
        "languages": ["ind", "jav"],
        "alert": None,
        "hours": read("hours", [{"days": ["MO", "TU"], "opens": "08:00", "closes": "12:00"}]),
        "eligibility": read(
            "eligibility",
            {"minimum_age": 0, "desil_max": 10, "disability": [], "residency": ["33"]},
        ),
    }
    found = editing.differences(before, after, lambda code: f"area {code}")

    assert [one.field for one in found] == [
        "name",
        "alert",
        "phones",
        "hours",
        "languages",
        "eligibility",
    ]
    assert [render(one.message, "en") for one in found] == [
        "Name of the service: from Posyandu to Posyandu Melati.",
        "Important notice: no longer stated (was Tutup).",
        "Phones: from 113 (Fax) to 114.",
        "Opening hours: Monday–Tuesday: 08:00–12:00.",
        "Languages: added Javanese.",
        "Who is served: For all ages; For all incomes; For people with and without disabilities; "
        "For people registered in area 33.",
    ]
    assert render(found[3].message, "id") == "Jam buka: Senin–Selasa: 08.00–12.00."
    assert (
        render(found[1].message, "id")
        == "Pemberitahuan penting: tidak lagi disebut (tadinya Tutup)."
    )


def test_what_only_the_listing_adds_makes_no_difference() -> None:
    told = {"status": "capacity", "available": None, "maximum": None, "until": None}

    assert editing.changed(
        {"capacity": told, "name": "A", "url": None},
        {"capacity": told | {"as_of": "2026-03-02"}, "name": "B"},
    ) == {"name": "A", "url": None}


# Hours into rows and back ------------------------------------------------------------------------

_TIMES = st.sampled_from(
    [("08:00", "12:00"), ("13:00", "16:30"), ("20:00", "02:00"), ("00:00", "23:59")]
)


@st.composite
def entries(draw: st.DrawFn) -> dict[str, Any]:
    opens, closes = draw(_TIMES)
    every = draw(st.sampled_from(["week", "second_week", "month"]))
    start = draw(st.dates(date(2026, 1, 1), date(2026, 2, 1))).isoformat()
    return {
        "days": sorted(draw(st.sets(st.sampled_from(DAYS), min_size=1)), key=DAYS.index),
        "opens": opens,
        "closes": closes,
        "every": every,
        "nth": draw(st.lists(st.sampled_from(NTH), min_size=1, unique=True))
        if every == "month"
        else [],
        "start": start if every == "second_week" else None,
    }


def row_of(entry: dict[str, Any], **more: Any) -> Any:
    """A row of the schedule with the columns of an entry, and nothing else."""
    blank = dict.fromkeys((*RULE_COLUMNS, "closed_on_holidays"))
    return SimpleNamespace(**blank | {"is_closure": False} | scheduling.columns(entry) | more)


@settings(max_examples=200)
@given(st.lists(entries(), max_size=4))
def test_entries_become_rows_that_say_the_same(some: list[dict[str, Any]]) -> None:
    rows = [row_of(entry, valid_to=date(2026, 12, 31)) for entry in some]
    found = scheduling.read(rows)

    assert found.hours == normal(some)
    assert normal(found.hours) == found.hours
    assert found.exceptions == []
    assert found.hours_until == ("2026-12-31" if some else None)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(entries(), min_size=1, max_size=3),
    st.datetimes(datetime(2026, 2, 2), datetime(2026, 4, 1)),  # noqa: DTZ001
)
def test_putting_equal_hours_together_changes_no_opening(
    some: list[dict[str, Any]], moment: datetime
) -> None:
    def openings(all_of_them: list[dict[str, Any]]) -> list[OpeningRow]:
        return [OpeningRow(**scheduling.columns(entry)) for entry in all_of_them]

    at = moment.replace(tzinfo=UTC)

    assert is_open(openings(normal(some)), at) is is_open(openings(some), at)


def test_a_row_that_says_more_than_the_grid_travels_whole() -> None:
    rows = [
        row_of(
            {
                "rule": {
                    "freq": "MONTHLY",
                    "bymonthday": "1",
                    "opens_at": "08:00",
                    "closes_at": "9:00",
                }
            }
        ),
        row_of({"rule": {"freq": "WEEKLY", "byday": "MO", "count": 3, "dtstart": "2026-03-02"}}),
        row_of({"rule": {"description": "Senin pagi, telepon dulu"}}),
        row_of(
            {
                "rule": {
                    "freq": "WEEKLY",
                    "byday": "MO",
                    "opens_at": "08:00",
                    "closes_at": "09:00",
                    "valid_from": "2026-03-02",
                }
            }
        ),
    ]
    found = scheduling.read(rows).hours

    assert len(found) == 4
    assert all("rule" in entry for entry in found)
    assert read_hours(found) == found
    assert scheduling.read([row_of(entry) for entry in found]).hours == found


def test_single_days_are_exceptions_and_different_ends_stay_with_their_rows() -> None:
    day = date(2026, 12, 24)
    rows = [
        row_of({"days": ["MO"], "opens": "08:00", "closes": "12:00", **WEEK}, valid_to=day),
        row_of({"days": ["TU"], "opens": "08:00", "closes": "12:00", **WEEK}),
        row_of(
            {
                "from": "2026-12-24",
                "to": "2026-12-25",
                "closed": True,
                "opens": None,
                "closes": None,
                "note": None,
            }
        ),
    ]
    found = scheduling.read(rows)

    assert found.hours == [
        {"days": ["TU"], "opens": "08:00", "closes": "12:00", **WEEK},
        {
            "rule": {
                "byday": "MO",
                "closes_at": "12:00",
                "freq": "WEEKLY",
                "opens_at": "08:00",
                "valid_to": "2026-12-24",
            }
        },
    ]
    assert (found.hours_until, found.follows_public_holidays) == (None, None)
    assert [(e["from"], e["to"], e["closed"]) for e in found.exceptions] == [
        ("2026-12-24", (day + timedelta(days=1)).isoformat(), True)
    ]
