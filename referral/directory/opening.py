"""Whether a place is open at a moment, from HSDS schedule rows. Pure."""

from collections.abc import Container, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from functools import lru_cache
from typing import Any, Literal

from dateutil import rrule

_FREQUENCIES: dict[str, Literal[0, 1, 2, 3]] = {
    "DAILY": rrule.DAILY,
    "WEEKLY": rrule.WEEKLY,
    "MONTHLY": rrule.MONTHLY,
    "YEARLY": rrule.YEARLY,
}
_DAYS = {day: getattr(rrule, day) for day in ("MO", "TU", "WE", "TH", "FR", "SA", "SU")}
_AHEAD_DAYS = 14
_LAST_MINUTE = 23 * 60 + 59


@dataclass(frozen=True)
class OpeningRow:
    """One HSDS schedule: days by RFC 5545 rule, hours as HH:MM. `timezone` is hours east of UTC.

    closes_at earlier than opens_at: it closes on the next day. The same, or 00:00 to 24:00: all day.
    """

    freq: str | None = None
    byday: str | None = None
    bymonthday: str | None = None
    byyearday: str | None = None
    byweekno: str | None = None
    interval: int | None = None
    count: int | None = None
    until: date | None = None
    wkst: str | None = None
    dtstart: date | None = None
    valid_from: date | None = None
    valid_to: date | None = None
    opens_at: str | None = None
    closes_at: str | None = None
    timezone: float | None = None

    @property
    def never_closes(self) -> bool:
        opens, closes = _minutes(self.opens_at), _minutes(self.closes_at)
        every_day = self.freq == "DAILY" or len((self.byday or "").split(",")) == 7
        return (
            every_day
            and opens == 0
            and closes is not None
            and (closes == 0 or closes >= _LAST_MINUTE)
        )


def is_open(
    rows: Sequence[OpeningRow], at: datetime, *, holidays: Container[date] = ()
) -> bool | None:
    """Open at `at`? None where no row says hours, or on a holiday that hours may not hold on.

    at  aware; hours are read in the row's own zone, else in the zone of `at`
    """
    if not rows:
        return None
    answers = {_row_is_open(row, at, holidays) for row in rows}
    if True in answers:
        return True
    return None if None in answers else False


def next_opening(rows: Sequence[OpeningRow], at: datetime) -> datetime | None:
    """The first moment after `at`, within two weeks, when it opens; None: none is known."""
    moments = []
    for row in rows:
        local = _local(row, at)
        opens = _minutes(row.opens_at)
        if opens is None:
            continue
        for ahead in range(_AHEAD_DAYS + 1):
            day = local.date() + timedelta(days=ahead)
            moment = _moment(day, opens, local)
            if moment > local and _runs_on(row, day):
                moments.append(moment.astimezone(at.tzinfo))
                break
    return min(moments, default=None)


def _row_is_open(row: OpeningRow, at: datetime, holidays: Container[date]) -> bool | None:
    local = _local(row, at)
    today = local.date()
    opens, closes = _minutes(row.opens_at), _minutes(row.closes_at)
    if opens is None or closes is None:
        return None if _runs_on(row, today) else False
    if closes == _LAST_MINUTE:
        closes += 1  # HSDS has no 24:00 in common use: 23:59 stands for midnight
    if closes <= opens:
        closes += 24 * 60
    for day in (today, today - timedelta(days=1)):
        since = (local.replace(tzinfo=None) - datetime.combine(day, time())).total_seconds() / 60
        if opens <= since < closes and _runs_on(row, day):
            return None if day in holidays and not row.never_closes else True
    return False


def _local(row: OpeningRow, at: datetime) -> datetime:
    return at if row.timezone is None else at.astimezone(timezone(timedelta(hours=row.timezone)))


def _moment(day: date, minutes: float, local: datetime) -> datetime:
    return datetime.combine(day, time(), tzinfo=local.tzinfo) + timedelta(minutes=minutes)


@lru_cache(maxsize=1000)
def _minutes(text: str | None) -> float | None:
    """Minutes after midnight of "08:00"; 24:00 is 1440. None where it is not a time of day."""
    try:
        hours, minutes = (text or "").split(":")[:2]
        total = int(hours) * 60 + int(minutes[:2])
    except ValueError:
        return None
    return total if 0 <= total <= 24 * 60 else None


@lru_cache(maxsize=20_000)
def _runs_on(row: OpeningRow, day: date) -> bool:
    """Whether the row's rule has an occurrence on `day`."""
    if (row.valid_from and day < row.valid_from) or (row.valid_to and day > row.valid_to):
        return False
    if row.until and day > row.until:
        return False
    if row.freq not in _FREQUENCIES:
        # HSDS allows a row without a rule: its days are then those it names, else all it is valid on.
        return not row.byday or _weekday(day) in row.byday.upper().split(",")
    anchored = bool((row.interval or 1) > 1 or row.count or not _names_days(row))
    start = (row.dtstart or row.valid_from) if anchored else day
    if start is None:
        start = day  # a rule that counts from a start that nobody gave: taken to start today
    if start > day:
        return False
    rule = rrule.rrule(
        _FREQUENCIES[row.freq],
        dtstart=datetime.combine(start, time()),
        interval=row.interval or 1,
        count=row.count,
        wkst=_DAYS.get((row.wkst or "MO").upper()),
        byweekday=[_weekday_rule(text) for text in (row.byday or "").split(",") if text.strip()]
        or None,
        bymonthday=_numbers(row.bymonthday),
        byyearday=_numbers(row.byyearday),
        byweekno=_numbers(row.byweekno),
    )
    moment = datetime.combine(day, time())
    return bool(rule.between(moment, moment, inc=True))


def _names_days(row: OpeningRow) -> bool:
    return row.freq == "DAILY" or bool(row.byday or row.bymonthday or row.byyearday)


def _weekday(day: date) -> str:
    return tuple(_DAYS)[day.weekday()]


def _weekday_rule(text: str) -> Any:
    """`MO`, or `2TU` for the second Tuesday of the month."""
    text = text.strip().upper()
    weekday = _DAYS[text[-2:]]
    return weekday(int(text[:-2])) if text[:-2] else weekday


def is_readable(row: OpeningRow) -> bool:
    """Whether the rule can be followed at all; a row that can't says nothing about hours."""
    try:
        _runs_on(row, date(2024, 1, 1))
    except (KeyError, ValueError, TypeError):
        return False
    return True


def _numbers(text: str | None) -> list[int] | None:
    return [int(number) for number in text.split(",") if number.strip()] if text else None
