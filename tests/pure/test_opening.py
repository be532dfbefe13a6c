"""HSDS schedule rows say whether a place is open, when it opens next, or nothing."""

from dataclasses import replace
from datetime import date, datetime, timedelta, timezone
from typing import Any

import pytest
from dateutil import rrule
from hypothesis import given, settings
from hypothesis import strategies as st

from referral.directory.opening import AHEAD_DAYS, OpeningRow, is_open, is_readable, next_opening

WIB = timezone(timedelta(hours=7))
OFFICE = OpeningRow(freq="WEEKLY", byday="MO,TU,WE,TH,FR", opens_at="08:00", closes_at="16:00")
NIGHT = OpeningRow(freq="WEEKLY", byday="FR", opens_at="20:00", closes_at="04:00")
ALWAYS = OpeningRow(
    freq="WEEKLY", byday="MO,TU,WE,TH,FR,SA,SU", opens_at="00:00", closes_at="23:59"
)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=WIB)


@pytest.mark.parametrize(
    ("rows", "moment", "expected"),
    [
        ((), "2026-03-02T09:00", None),
        ((OFFICE,), "2026-03-02T08:00", True),  # a Monday
        ((OFFICE,), "2026-03-02T16:00", False),
        ((OFFICE,), "2026-03-01T09:00", False),
        ((NIGHT,), "2026-03-06T23:00", True),
        ((NIGHT,), "2026-03-07T03:59", True),
        ((NIGHT,), "2026-03-08T03:00", False),
        ((ALWAYS,), "2026-03-08T23:59", True),
        ((OpeningRow(opens_at="08:00", closes_at="12:00"),), "2026-03-01T09:00", True),
        ((OpeningRow(freq="DAILY"),), "2026-03-02T09:00", None),
        ((OpeningRow(freq="DAILY", opens_at="all day", closes_at="x"),), "2026-03-02T09:00", None),
        (
            (OpeningRow(freq="MONTHLY", byday="2TU", opens_at="08:00", closes_at="10:00"),),
            "2026-03-10T09:00",
            True,
        ),
        (
            (OpeningRow(freq="MONTHLY", byday="2TU", opens_at="08:00", closes_at="10:00"),),
            "2026-03-03T09:00",
            False,
        ),
        (
            (
                OpeningRow(
                    freq="WEEKLY",
                    interval=2,
                    dtstart=date(2026, 3, 2),
                    byday="MO",
                    opens_at="08:00",
                    closes_at="10:00",
                ),
            ),
            "2026-03-09T09:00",
            False,
        ),
        (
            (
                OpeningRow(
                    freq="DAILY", valid_to=date(2026, 3, 1), opens_at="08:00", closes_at="10:00"
                ),
            ),
            "2026-03-02T09:00",
            None,
        ),
        (
            (OpeningRow(freq="DAILY", timezone=9.0, opens_at="08:00", closes_at="10:00"),),
            "2026-03-02T06:30",  # 08.30 in Papua
            True,
        ),
    ],
)
def test_open_or_closed_or_not_known(
    rows: tuple[OpeningRow, ...], moment: str, expected: bool | None
) -> None:
    assert is_open(rows, at(moment)) is expected


def row(**values: Any) -> OpeningRow:
    """A row open 08.00 to 10.00."""
    return OpeningRow(**{"opens_at": "08:00", "closes_at": "10:00"} | values)


NINE = "T09:00"


@pytest.mark.parametrize(
    ("rows", "days"),
    [
        # no longer valid: not known; its series ended: closed
        ([row(freq="DAILY", valid_to=date(2026, 3, 3))], {"03-03": True, "03-04": None}),
        ([row(freq="DAILY", until=date(2026, 3, 3))], {"03-03": True, "03-04": False}),
        ([row(freq="DAILY", valid_from=date(2026, 3, 3))], {"03-02": None, "03-03": True}),
        ([row(freq="DAILY", dtstart=date(2026, 3, 3))], {"03-02": False, "03-03": True}),
        (
            # hours that changed: the old row was closed, the new one begins
            [
                row(freq="WEEKLY", byday="MO,TU", valid_to=date(2026, 3, 8)),
                row(freq="WEEKLY", byday="MO", valid_from=date(2026, 3, 9)),
            ],
            {"03-03": True, "03-09": True, "03-10": False},
        ),
        (
            [
                row(freq="DAILY", until=date(2026, 3, 3)),
                row(freq="DAILY", valid_to=date(2026, 3, 5)),
            ],
            {"03-04": True, "03-06": None},
        ),
        # closures and single days
        (
            [
                row(freq="DAILY"),
                OpeningRow(is_closure=True, valid_from=date(2026, 3, 4), valid_to=date(2026, 3, 5)),
            ],
            {"03-03": True, "03-04": False, "03-05": False, "03-06": True},
        ),
        (
            [row(freq="DAILY"), OpeningRow(is_closure=True, freq="MONTHLY", byday="1WE")],
            {"03-03": True, "03-04": False, "03-11": True},
        ),
        (
            # a closure closes single days too
            [
                row(valid_from=date(2026, 3, 3), valid_to=date(2026, 3, 5)),
                OpeningRow(is_closure=True, valid_from=date(2026, 3, 4), valid_to=date(2026, 3, 4)),
            ],
            {"03-03": True, "03-04": False},
        ),
        (
            [
                row(freq="DAILY"),
                row(
                    valid_from=date(2026, 3, 4),
                    valid_to=date(2026, 3, 4),
                    opens_at="13:00",
                    closes_at="14:00",
                ),
            ],
            {"03-03": True, "03-04": False, "03-05": True},
        ),
        (
            # an extra day beside the weekly ones
            [
                row(freq="WEEKLY", byday="MO"),
                row(valid_from=date(2026, 3, 4), valid_to=date(2026, 3, 4)),
            ],
            {"03-02": True, "03-03": False, "03-04": True, "03-05": False},
        ),
        (
            # only single days are known: of other days nothing is
            [row(valid_from=date(2026, 3, 4), valid_to=date(2026, 3, 4))],
            {"03-03": None, "03-04": True, "03-05": None},
        ),
        # monthly, by day and by date
        (
            [row(freq="MONTHLY", byday="1SA,-1FR")],
            {"03-07": True, "03-14": False, "03-27": True, "03-20": False, "03-28": False},
        ),
        ([row(freq="MONTHLY", bymonthday="1,-1")], {"03-01": True, "03-30": False, "03-31": True}),
        ([row(freq="MONTHLY", dtstart=date(2026, 1, 15))], {"03-15": True, "03-16": False}),
        ([row(freq="YEARLY", byyearday="61")], {"03-02": True, "03-03": False}),
        ([row(freq="YEARLY", byweekno="10", byday="TU")], {"03-03": True, "03-10": False}),
        # every second week from a day in the week before; three times in all
        (
            [row(freq="WEEKLY", interval=2, byday="MO,WE", dtstart=date(2026, 2, 24))],
            {"03-02": False, "03-09": True, "03-11": True, "03-16": False, "03-23": True},
        ),
        (
            [row(freq="WEEKLY", byday="MO", count=3, dtstart=date(2026, 2, 23))],
            {"03-02": True, "03-09": True, "03-16": False},
        ),
        (
            [row(freq="DAILY", interval=3, dtstart=date(2026, 3, 1))],
            {"03-04": True, "03-05": False},
        ),
        # what can't be read says nothing
        ([row(freq="WEEKLY", byday="SOMEDAY")], {"03-02": None}),
        ([row(freq="DAILY", timezone=99.0)], {"03-02": None}),
        ([row(freq="FORTNIGHTLY")], {"03-02": None}),
        # a rule that never comes is followed no further than it is asked about
        ([row(freq="DAILY", byyearday="1", bymonthday="30")], {"03-02": False}),
    ],
)
def test_rows_of_one_listing_are_read_together(
    rows: list[OpeningRow], days: dict[str, bool | None]
) -> None:
    assert {day: is_open(rows, at(f"2026-{day}{NINE}")) for day in days} == days


def test_a_night_belongs_to_the_day_it_begins_on() -> None:
    saturday = date(2026, 3, 7)
    closed = OpeningRow(is_closure=True, valid_from=saturday, valid_to=saturday)

    assert is_open((NIGHT, closed), at("2026-03-07T03:00")) is True
    friday = OpeningRow(is_closure=True, valid_from=date(2026, 3, 6), valid_to=date(2026, 3, 6))
    assert is_open((NIGHT, friday), at("2026-03-07T03:00")) is False


def test_rows_of_several_zones_are_each_read_in_their_own() -> None:
    papua = row(freq="DAILY", timezone=9.0)
    java = row(freq="DAILY", timezone=7.0, opens_at="09:00", closes_at="10:00")

    assert is_open((papua, java), at("2026-03-02T06:30")) is True
    assert is_open((papua, java), at("2026-03-02T09:30")) is True
    assert is_open((papua, java), at("2026-03-02T08:30")) is False
    assert next_opening((papua, java), at("2026-03-02T08:30")) == at("2026-03-02T09:00")
    # A closure that names no zone is about the listing's.
    closed = OpeningRow(is_closure=True, valid_from=date(2026, 3, 3), valid_to=date(2026, 3, 3))
    assert is_open((papua, closed), at("2026-03-02T22:30")) is False


def test_hsds_worked_example_opens_on_the_days_its_guidance_names() -> None:
    """Monday to Thursday mornings and afternoons, and the first Saturday of the month until November."""
    weekly = {"freq": "WEEKLY", "byday": "MO,TU,WE,TH"}
    saturday = OpeningRow(
        freq="MONTHLY",
        byday="1SA",
        dtstart=date(2020, 7, 1),
        until=date(2020, 11, 7),
        opens_at="10:00",
        closes_at="12:00",
    )
    rows = (
        OpeningRow(**weekly, opens_at="09:00", closes_at="12:00"),
        OpeningRow(**weekly, opens_at="15:00", closes_at="17:00"),
        saturday,
    )
    oracle = rrule.rrule(
        rrule.MONTHLY,
        byweekday=rrule.SA(1),
        dtstart=datetime(2020, 7, 1),  # noqa: DTZ001 - days, without a zone
        until=datetime(2020, 11, 7),  # noqa: DTZ001
    )
    first = date(2020, 6, 1)
    days = [first + timedelta(days=ahead) for ahead in range(250)]
    open_on = [d for d in days if d.weekday() == 5 and is_open(rows, at(f"{d}T11:00"))]

    assert open_on == [moment.date() for moment in oracle]
    assert [f"{d:%m-%d}" for d in open_on] == ["07-04", "08-01", "09-05", "10-03", "11-07"]
    assert is_open(rows, at("2020-07-07T13:00")) is False
    assert is_open(rows, at("2020-07-07T16:00")) is True
    assert next_opening(rows, at("2020-07-02T18:00")) == at("2020-07-04T10:00")
    assert next_opening((saturday,), at("2020-10-03T12:00")) == at("2020-11-07T10:00")
    assert next_opening((saturday,), at("2020-11-07T12:00")) is None


# A plain oracle: dateutil's own series from far before, and no cleverness -----------------------

_DAYS = st.sampled_from(["MO", "WE", "SA", "MO,TU,WE,TH,FR", "SA,SU", None])
_DATES = st.dates(date(2025, 11, 1), date(2026, 5, 1))
_TIMES = st.sampled_from([("08:00", "12:00"), ("13:00", "16:30"), ("20:00", "02:00")])


@st.composite
def opening_rows(draw: st.DrawFn) -> OpeningRow:
    opens, closes = draw(_TIMES)
    common: dict[str, Any] = {
        "opens_at": opens,
        "closes_at": closes,
        "dtstart": draw(_DATES),
        "until": draw(st.none() | _DATES),
        "valid_to": draw(st.none() | _DATES),
    }
    kind = draw(st.sampled_from(["week", "weeks", "month", "date", "closure", "single", "count"]))
    if kind in ("closure", "single"):
        first = draw(_DATES)
        return OpeningRow(
            is_closure=kind == "closure",
            valid_from=first,
            valid_to=first + timedelta(days=draw(st.integers(0, 5))),
            opens_at=opens,
            closes_at=closes,
        )
    if kind == "week":
        return OpeningRow(freq="WEEKLY", byday=draw(_DAYS), **common)
    if kind == "weeks":
        return OpeningRow(
            freq="WEEKLY", interval=draw(st.integers(2, 3)), byday=draw(_DAYS), **common
        )
    if kind == "count":
        return OpeningRow(freq="WEEKLY", count=draw(st.integers(1, 9)), byday=draw(_DAYS), **common)
    if kind == "month":
        nth = draw(st.sampled_from(["1SA", "-1FR", "2TU,4TU", "5MO", "SA"]))
        return OpeningRow(freq="MONTHLY", byday=nth, **common)
    days = draw(st.sampled_from(["1", "15,30", "-1"]))
    return OpeningRow(freq="MONTHLY", bymonthday=days, **common)


def occurrences(one: OpeningRow) -> set[date]:
    """Every day that a row falls on, from its own rule text."""
    if not one.freq:
        assert one.valid_from is not None
        assert one.valid_to is not None
        length = (one.valid_to - one.valid_from).days
        return {one.valid_from + timedelta(days=ahead) for ahead in range(length + 1)}
    parts = {
        "FREQ": one.freq,
        "INTERVAL": one.interval,
        "COUNT": one.count,
        "BYDAY": one.byday,
        "BYMONTHDAY": one.bymonthday,
    }
    text = ";".join(f"{name}={value}" for name, value in parts.items() if value)
    series = rrule.rrulestr(f"DTSTART:{one.dtstart:%Y%m%d}T000000\nRRULE:{text}")
    days = set()
    for moment in series:
        if moment.date() > date(2026, 6, 1):
            break
        days.add(moment.date())
    return {day for day in days if not one.until or day <= one.until}


def oracle_is_open(rows: list[OpeningRow], moment: datetime) -> bool | None:
    def begin(day: date) -> tuple[list[OpeningRow], bool]:
        on_day = [one for one in rows if day in occurrences(one)]
        if any(one.is_closure for one in on_day):
            return [], True
        if single := [one for one in on_day if not one.freq]:
            return single, True
        rules = [one for one in rows if one.freq]
        valid = [one for one in rules if not one.valid_to or day <= one.valid_to]
        live = [one for one in valid if not one.until or day <= one.until]
        if live:
            return [one for one in live if one in on_day], True
        return [], bool(rules) and len(valid) == len(rules)

    clock, today = f"{moment:%H:%M}", moment.date()
    rows_today, is_known = begin(today)
    rows_before, _ = begin(today - timedelta(days=1))
    for one in rows_today:
        assert one.opens_at is not None
        assert one.closes_at is not None
        runs_over = one.closes_at < one.opens_at
        if one.opens_at <= clock and (runs_over or clock < one.closes_at):
            return True
    for one in rows_before:
        assert one.opens_at is not None
        assert one.closes_at is not None
        if one.closes_at < one.opens_at and clock < one.closes_at:
            return True
    return False if is_known else None


@settings(max_examples=300, deadline=None)
@given(
    st.lists(opening_rows(), min_size=1, max_size=4),
    st.datetimes(datetime(2026, 1, 1), datetime(2026, 4, 20)),  # noqa: DTZ001
)
def test_open_agrees_with_a_plain_oracle(rows: list[OpeningRow], moment: datetime) -> None:
    moment = moment.replace(tzinfo=WIB)

    assert is_open(rows, moment) is oracle_is_open(rows, moment)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(opening_rows(), min_size=1, max_size=3),
    st.datetimes(datetime(2026, 1, 1), datetime(2026, 3, 20)),  # noqa: DTZ001
)
def test_the_next_opening_is_the_first_minute_that_opens(
    rows: list[OpeningRow], moment: datetime
) -> None:
    moment = moment.replace(second=0, microsecond=0, tzinfo=WIB)
    opens = next_opening(rows, moment)
    starts = {"08:00", "13:00", "20:00"}

    if opens is not None:
        assert opens > moment
        assert f"{opens:%H:%M}" in starts
        assert is_open(rows, opens) is True
    end = opens or moment + timedelta(days=AHEAD_DAYS)
    step = moment.replace(hour=0, minute=0)
    while step < end:
        for clock in sorted(starts):
            hour, minute = clock.split(":")
            begin = step.replace(hour=int(hour), minute=int(minute))
            just_before = begin - timedelta(minutes=1)
            if moment < begin < end and is_open(rows, begin):
                assert is_open(rows, just_before) is True  # another interval was open already
        step += timedelta(days=1)


def test_on_a_holiday_only_what_never_closes_is_surely_open() -> None:
    holiday = {date(2026, 3, 2)}

    assert is_open((OFFICE,), at("2026-03-02T09:00"), holidays=holiday) is None
    assert is_open((ALWAYS,), at("2026-03-02T09:00"), holidays=holiday) is True
    closed = replace(OFFICE, closed_on_holidays=True)
    assert is_open((closed,), at("2026-03-02T09:00"), holidays=holiday) is False
    usual = replace(OFFICE, closed_on_holidays=False)
    assert is_open((usual,), at("2026-03-02T09:00"), holidays=holiday) is True
    said = row(valid_from=date(2026, 3, 2), valid_to=date(2026, 3, 2))
    assert is_open((OFFICE, said), at("2026-03-02T09:00"), holidays=holiday) is True
    assert next_opening((closed,), at("2026-03-01T09:00"), holidays=holiday) == at(
        "2026-03-03T08:00"
    )


def test_the_next_opening_is_found_across_the_weekend() -> None:
    assert next_opening((OFFICE,), at("2026-03-06T17:00")) == at("2026-03-09T08:00")
    assert next_opening((OpeningRow(freq="DAILY"),), at("2026-03-06T17:00")) is None


def test_a_rule_that_cannot_be_read_says_so() -> None:
    assert is_readable(OFFICE)
    assert not is_readable(OpeningRow(freq="WEEKLY", byday="SOMEDAY"))
    assert not is_readable(OpeningRow(freq="MONTHLY", bymonthday="many"))
