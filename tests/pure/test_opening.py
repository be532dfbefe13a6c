"""HSDS schedule rows say whether a place is open, when it opens next, or nothing."""

from datetime import date, datetime, timedelta, timezone

import pytest

from referral.directory.opening import OpeningRow, is_open, is_readable, next_opening

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
            False,
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


def test_on_a_holiday_only_what_never_closes_is_surely_open() -> None:
    holiday = {date(2026, 3, 2)}

    assert is_open((OFFICE,), at("2026-03-02T09:00"), holidays=holiday) is None
    assert is_open((ALWAYS,), at("2026-03-02T09:00"), holidays=holiday) is True


def test_the_next_opening_is_found_across_the_weekend() -> None:
    assert next_opening((OFFICE,), at("2026-03-06T17:00")) == at("2026-03-09T08:00")
    assert next_opening((OpeningRow(freq="DAILY"),), at("2026-03-06T17:00")) is None


def test_a_rule_that_cannot_be_read_says_so() -> None:
    assert is_readable(OFFICE)
    assert not is_readable(OpeningRow(freq="WEEKLY", byday="SOMEDAY"))
    assert not is_readable(OpeningRow(freq="MONTHLY", bymonthday="many"))
