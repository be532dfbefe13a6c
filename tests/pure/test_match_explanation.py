"""What a card says beside the verdicts is true, whenever it is read."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest

from referral.core.text import LANGUAGES, Message, render
from referral.directory.opening import OpeningRow, closing
from referral.matching.explanation import bearing_of, facts_of, way_of
from referral.matching.facts import Offer, Query, Route
from referral.matching.ranking import select
from referral.matching.telling import BEARINGS, Ranked, told
from referral.places.land import Land
from tests.pure.test_land import square
from tests.pure.test_match_ranking import TABLE

WIB = timezone(timedelta(hours=7))
#: a Monday, half past nine in the morning
AT = datetime(2026, 3, 2, 9, 30, tzinfo=WIB)
WORKDAYS = OpeningRow(freq="WEEKLY", byday="MO,TU,WE,TH,FR", opens_at="08:00", closes_at="15:00")
LAND = Land({"bbox": [100, -5, 110, 5], "features": [square(101, 0, 1), square(102.1, 0, 1)]})


def offer(**facts: Any) -> Offer:
    known: dict[str, Any] = {
        "service_at_location_id": UUID(int=1),
        "service_id": UUID(int=1),
        "organization_id": UUID(int=3),
        "categories": {"HE05": True},
        "latitude": 0.5,
        "longitude": 101.9,
        "precision_km": 0.5,
    }
    return Offer(**known | facts)


def query(**facts: Any) -> Query:
    return Query(**{"need": "HE05", "at": AT, "near": (0.5, 101.1)} | facts)


def words(message: Message | None, lang: str = "en") -> str:
    assert message is not None
    assert all(render(message, each, zone="Asia/Jakarta") for each in LANGUAGES)
    return render(message, lang, zone="Asia/Jakarta")


def said(icon: str, asked: Query, offered: Offer, **more: Any) -> list[str]:
    return [words(text) for name, text in facts_of(asked, offered, **more) if name == icon]


def only(asked: Query, offered: Offer) -> Ranked:
    ranking = told(asked, select(asked, [offered], TABLE), TABLE, land=LAND)
    (one,) = (*ranking.options, *ranking.remote)
    return one


@pytest.mark.parametrize(
    ("at", "now", "expected"),
    [
        (AT, AT, ["Open now (2 Mar 2026, 09:30), closes 15:00"]),
        (
            AT + timedelta(hours=5),
            AT,
            [
                "Open at 2 Mar 2026, 14:30, but closes soon: 15:00",
                "Open now (2 Mar 2026, 09:30), closes 15:00",
            ],
        ),
        (
            AT,
            AT - timedelta(days=1),
            [
                "Open at 2 Mar 2026, 09:30, closes 15:00",
                "Closed now (1 Mar 2026, 09:30); opens 2 Mar 2026, 08:00",
            ],
        ),
        (
            AT + timedelta(hours=6),
            AT + timedelta(hours=6),
            ["Closed now (2 Mar 2026, 15:30); opens 3 Mar 2026, 08:00"],
        ),
        (AT, None, ["Open at 2 Mar 2026, 09:30, closes 15:00"]),
    ],
)
def test_open_now_and_open_at_the_asked_time_are_told_apart(
    at: datetime, now: datetime | None, expected: list[str]
) -> None:
    assert said("clock", query(at=at), offer(hours=(WORKDAYS,)), now=now) == expected


def test_a_public_holiday_is_said_and_the_next_opening_is_after_it() -> None:
    holidays = frozenset({date(2026, 3, 2), date(2026, 3, 3)})
    closes = replace(WORKDAYS, closed_on_holidays=True)

    assert said("clock", query(), offer(hours=(WORKDAYS,)), now=AT, holidays=holidays) == [
        "Now (2 Mar 2026, 09:30) is a public holiday: ask whether it is open"
    ]
    assert said("clock", query(), offer(hours=(closes,)), now=AT, holidays=holidays) == [
        "Closed now (2 Mar 2026, 09:30); opens 4 Mar 2026, 08:00"
    ]


def test_an_end_is_the_end_of_all_openings_that_follow_on_one_another() -> None:
    morning = OpeningRow(freq="DAILY", opens_at="08:00", closes_at="12:00")
    afternoon = OpeningRow(freq="DAILY", opens_at="12:00", closes_at="16:00")
    night = OpeningRow(freq="DAILY", opens_at="20:00", closes_at="02:00")
    never = OpeningRow(freq="DAILY", opens_at="00:00", closes_at="24:00")

    assert closing((morning, afternoon), AT) == datetime(2026, 3, 2, 16, tzinfo=WIB)
    assert closing((night,), AT.replace(hour=1)) == datetime(2026, 3, 2, 2, tzinfo=WIB)
    assert closing((night,), AT) is None
    assert closing((never,), AT) is None


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({}, "Room not known"),
        (
            {"capacity": "capacity", "capacity_at": AT - timedelta(days=3)},
            "Has room (told on 27 February 2026, 3 days before)",
        ),
        (
            {"capacity": "waitlist", "capacity_at": AT - timedelta(hours=3)},
            "Waiting list (told on 2 March 2026, the same day)",
        ),
        (
            {"capacity": "capacity", "capacity_at": AT - timedelta(days=40)},
            "Room not known; last told on 21 January 2026",
        ),
        (
            {
                "capacity": "no-capacity",
                "capacity_at": AT - timedelta(days=40),
                "capacity_until": date(2026, 4, 1),
            },
            "Full (told on 21 January 2026, holds until 1 April 2026)",
        ),
    ],
)
def test_room_is_told_with_its_age(facts: dict[str, Any], expected: str) -> None:
    assert said("users", query(), offer(**facts)) == [expected]


def test_without_a_number_it_says_how_to_ask() -> None:
    assert said("phone-off", query(), offer(), phones=()) == [
        "No phone number known: go in person; hours unknown"
    ]
    assert said("phone-off", query(), offer(hours=(WORKDAYS,)), phones=()) == [
        "No phone number known: go in person in its hours"
    ]
    assert said("phone-off", query(), offer(), phones=("024-1",)) == []


@pytest.mark.parametrize(
    ("point", "expected"),
    [
        ((1.5, 101.1), "N"),
        ((1.5, 102.1), "NE"),
        ((0.5, 102.1), "E"),
        ((-0.5, 102.1), "SE"),
        ((-0.5, 101.1), "S"),
        ((-0.5, 100.1), "SW"),
        ((0.5, 100.1), "W"),
        ((1.5, 100.1), "NW"),
        ((1.5, 101.11), "N"),
        ((1.5, 101.09), "N"),
    ],
)
def test_the_bearing_is_one_of_eight_words(point: tuple[float, float], expected: str) -> None:
    one = only(query(), offer(latitude=point[0], longitude=point[1]))

    assert one.bearing == expected
    assert words(bearing_of(one))


def test_every_bearing_has_its_own_word_in_both_languages() -> None:
    for lang in LANGUAGES:
        assert len({render(Message(f"match.bearing.{one}"), lang) for one in BEARINGS}) == 8
    assert render(Message("match.bearing.NE"), "id") == "timur laut"


def test_where_a_place_is_an_area_larger_than_the_distance_it_has_no_bearing() -> None:
    """0.1 degrees is 11 km."""
    near_by = {"latitude": 0.5, "longitude": 101.2}

    assert only(query(precision_km=12.0), offer(**near_by)).bearing is None
    assert only(query(precision_km=4.0), offer(**near_by, precision_km=9.0)).bearing is None
    assert only(query(precision_km=4.0), offer(**near_by)).bearing == "E"


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({}, "A straight line."),
        ({"longitude": 102.6}, "On another island: a straight line across water."),
        (
            {"longitude": 102.6, "precision_km": 80.0},
            "Perhaps on another island: a straight line, perhaps across water.",
        ),
        ({"latitude": 6.0}, "A straight line."),
    ],
)
def test_a_crossing_is_said_where_the_land_tells(facts: dict[str, Any], expected: str) -> None:
    assert words(way_of(only(query(), offer(**facts)))) == expected


def test_a_way_that_the_office_knows_counts_and_the_straight_line_is_told_beside_it() -> None:
    routes = (
        Route("61", 100.0, "by road"),
        Route("61.01", 131.5, "boat Tue/Fri, Rp 50.000"),
        Route("61.01", 140.0, "the other boat"),
        Route("61.02", 20.0, "elsewhere"),
    )

    one = only(query(routes=routes), offer(area_code="61.01.03"))

    assert (one.km, one.effective_km and one.effective_km >= 131.5) == (131.5, True)
    assert words(way_of(one)) == (
        "The way your office knows: 131.5 km, boat Tue/Fri, Rp 50.000. In a straight line 89 km."
    )


@pytest.mark.parametrize("hidden", [{"confidential": True}, {"remote": "phone"}])
def test_what_has_no_distance_has_no_way_either(hidden: dict[str, Any]) -> None:
    routes = (Route("61.01", 131.5, "boat"),)

    one = only(query(routes=routes), offer(area_code="61.01", longitude=102.6, **hidden))

    assert (one.km, one.straight_km, one.bearing, one.route, one.crossing, way_of(one)) == (
        *(None, None, None, None, None, None),
    )


def test_a_moment_of_another_zone_is_the_same_moment() -> None:
    in_utc = query(at=AT)
    assert said("clock", in_utc, offer(hours=(WORKDAYS,)), now=AT.astimezone(UTC)) == [
        "Open now (2 Mar 2026, 09:30), closes 15:00"
    ]
