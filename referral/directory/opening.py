"""Whether a place is open at a moment, from HSDS schedule rows. Pure.

How the rows of one listing are read together, day by day of their own zone:

- a closure (`is_closure`) closes its days, whatever other rows say;
- a dated row, which has first and last day and no rule, replaces the hours of the rules on its days;
- of the rules those count that are valid on the day and whose series has not ended. Where there is none, the
  hours are not known if another is no longer (or not yet) valid, and closed if all have ended (`until`);
- on a public holiday hours by a rule hold only where the rows say so (`closed_on_holidays` is False) or it
  never closes; where they say nothing it is not known.

An opening belongs to the day it begins on: a night that begins before a closure runs to its end.
"""

import re
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from functools import cached_property, lru_cache
from itertools import islice
from operator import attrgetter
from typing import Any, Literal

from dateutil import rrule

_FREQUENCIES: dict[str, Literal[0, 1, 2, 3]] = {
    "DAILY": rrule.DAILY,
    "WEEKLY": rrule.WEEKLY,
    "MONTHLY": rrule.MONTHLY,
    "YEARLY": rrule.YEARLY,
}
_WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_DAYS = {day: getattr(rrule, day) for day in _WEEKDAYS}
_PLAIN_DAYS = re.compile(r"(?:MO|TU|WE|TH|FR|SA|SU)(?:,(?:MO|TU|WE|TH|FR|SA|SU))*")
#: how far the next opening is looked for: past the next of any monthly rule
AHEAD_DAYS = 62
_DAY_MINUTES = 24 * 60
_LAST_MINUTE = _DAY_MINUTES - 1
_LONGEST_OFFSET_HOURS = 24
#: openings that follow on one another without a break before an end is no longer looked for
_MOST_OPENINGS_IN_A_ROW = 5
#: days of one listing that are remembered
_MOST_DAYS = 200


@dataclass(frozen=True)
class OpeningRow:
    """One HSDS schedule: days by RFC 5545 rule, hours as HH:MM. `timezone` is hours east of UTC.

    closes_at earlier than opens_at: it closes on the next day. The same, or 00:00 to 24:00: all day.
    is_closure, closed_on_holidays: ours; None is not known
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
    is_closure: bool = False
    closed_on_holidays: bool | None = None

    def __hash__(self) -> int:
        """Rows are looked up in caches all the time, and have many fields."""
        known: int | None = self.__dict__.get("_hash")
        if known is None:
            known = hash(_columns(self))
            object.__setattr__(self, "_hash", known)
        return known

    def __getstate__(self) -> dict[str, Any]:
        """Without the hash, which another process would not share."""
        return {name: value for name, value in self.__dict__.items() if name != "_hash"}

    @property
    def has_rule(self) -> bool:
        parts = (self.freq, self.byday, self.bymonthday, self.byyearday, self.byweekno)
        return any(parts)

    @property
    def is_plain_week(self) -> bool:
        """Whether its rule is no more than days of the week, as most are."""
        if (self.interval or 1) > 1 or self.count:
            return False
        if self.bymonthday or self.byyearday or self.byweekno:
            return False
        if self.freq == "DAILY" and not self.byday:
            return True
        return self.freq in ("WEEKLY", "DAILY", None) and bool(
            _PLAIN_DAYS.fullmatch(self.byday or "")
        )

    @property
    def is_dated(self) -> bool:
        """Whether it is about single days rather than a rule: its first and last day are all it says."""
        if self.has_rule:
            return False
        return self.is_closure or bool(self.valid_from and self.valid_to)

    @property
    def never_closes(self) -> bool:
        opens, closes = _minutes(self.opens_at), _minutes(self.closes_at)
        every_day = self.freq == "DAILY" or len(set((self.byday or "").split(","))) == 7
        return (
            every_day
            and not self.is_closure
            and (self.interval or 1) == 1
            and opens == 0
            and closes is not None
            and (closes == 0 or closes >= _LAST_MINUTE)
        )


_columns = attrgetter(*OpeningRow.__dataclass_fields__)


@lru_cache(maxsize=50_000)
def shared_row(*columns: Any) -> OpeningRow:
    """The row with these columns, in the order of its fields; the same one for the same columns."""
    return OpeningRow(*columns)


def is_open(
    rows: Sequence[OpeningRow], at: datetime, *, holidays: Container[date] = ()
) -> bool | None:
    """Open at `at`? None where no row says hours, or on a holiday that hours may not hold on.

    at  aware; hours are read in the rows' own zone, else in the zone of `at`
    """
    answer: bool | None = False
    groups = _groups(tuple(rows))
    for group in groups:
        found = group.is_open(_local(group.hours_east, at), holidays)
        if found:
            return True
        if found is None:
            answer = None
    return answer if groups else None


def next_opening(
    rows: Sequence[OpeningRow], at: datetime, *, holidays: Container[date] = ()
) -> datetime | None:
    """The first moment after `at`, within two months, when it surely opens; None: none is known."""
    moments = []
    for group in _groups(tuple(rows)):
        local = _local(group.hours_east, at)
        opens = group.opens_after(local, holidays)
        if opens is not None:
            moments.append(opens.astimezone(at.tzinfo))
    return min(moments, default=None)


def closing(
    rows: Sequence[OpeningRow], at: datetime, *, holidays: Container[date] = ()
) -> datetime | None:
    """When what is open at `at` closes; None where it is not open, or not for days."""
    closes = at
    for _ in range(_MOST_OPENINGS_IN_A_ROW):
        ends = [
            end.astimezone(at.tzinfo)
            for group in _groups(tuple(rows))
            if (end := group.closes_after(_local(group.hours_east, closes), holidays))
        ]
        if not ends:
            return None if closes == at else closes
        closes = max(ends)
    return None


@dataclass(frozen=True)
class _Span:
    """One opening of a day, in minutes after its midnight; what it is on a holiday."""

    opens: float
    closes: float
    on_holidays: bool | None

    def holds(self, is_holiday: bool) -> bool | None:
        return self.on_holidays if is_holiday else True


@dataclass(frozen=True)
class _Plan:
    """The openings that begin on a day; whether they may not be all."""

    spans: tuple[_Span, ...]
    unknown: bool = False

    @cached_property
    def nights(self) -> tuple[_Span, ...]:
        """The openings that run on into the next day."""
        return tuple(span for span in self.spans if span.closes > _DAY_MINUTES)


class _Group:
    """Rows of one zone, read together; what they say about a day is worked out once."""

    def __init__(self, hours_east: float | None, rows: tuple[OpeningRow, ...]):
        self.hours_east, self._rows = hours_east, rows
        self._plans: dict[date, _Plan] = {}

    def is_open(self, local: datetime, holidays: Container[date]) -> bool | None:
        today, minute = local.date(), _minute_of(local)
        plan = self.plan(today)
        answer = None if plan.unknown else False
        yesterday = today - timedelta(days=1)
        for day, spans, since in (
            (today, plan.spans, minute),
            (yesterday, self.plan(yesterday).nights, minute + _DAY_MINUTES),
        ):
            for span in spans:
                if span.opens <= since < span.closes:
                    holds = span.holds(day in holidays)
                    if holds:
                        return True
                    if holds is None:
                        answer = None
        return answer

    def closes_after(self, local: datetime, holidays: Container[date]) -> datetime | None:
        """The end of the opening that surely holds at this moment."""
        today, minute = local.date(), _minute_of(local)
        yesterday = today - timedelta(days=1)
        ends = [
            _moment(day, span.closes, local)
            for day, since in ((today, minute), (yesterday, minute + _DAY_MINUTES))
            for span in self.plan(day).spans
            if span.opens <= since < span.closes and span.holds(day in holidays)
        ]
        return max(ends, default=None)

    def opens_after(self, local: datetime, holidays: Container[date]) -> datetime | None:
        after, today = _minute_of(local), local.date()
        for ahead in range(AHEAD_DAYS + 1):
            day = today + timedelta(days=ahead)
            begins = [
                span.opens
                for span in self.plan(day).spans
                if (ahead or span.opens > after) and span.holds(day in holidays)
            ]
            if begins:
                return _moment(day, min(begins), local)
        return None

    def plan(self, day: date) -> _Plan:
        found = self._plans.get(day)
        if found is None:
            if len(self._plans) > _MOST_DAYS:
                self._plans.clear()
            found = self._plans[day] = _plan(self._rows, day)
        return found


@lru_cache(maxsize=50_000)
def _groups(rows: tuple[OpeningRow, ...]) -> tuple[_Group, ...]:
    """The rows that can be read, by zone; those without one go with the others where these agree."""
    readable = [row for row in rows if is_readable(row)]
    zones = list(dict.fromkeys(row.timezone for row in readable if row.timezone is not None))
    if len(zones) < 2:
        return (_Group(zones[0] if zones else None, tuple(readable)),) if readable else ()
    groups = (
        (zone, tuple(row for row in readable if row.timezone == zone)) for zone in (*zones, None)
    )
    return tuple(_Group(zone, group) for zone, group in groups if group)


def _plan(group: tuple[OpeningRow, ...], day: date) -> _Plan:
    """What these rows, all of one zone, say about the openings that begin on `day`."""
    if any(row.is_closure and _runs_on(row, day) for row in group):
        return _Plan(())
    dated = [row for row in group if row.is_dated and not row.is_closure and _runs_on(row, day)]
    if dated:
        return _spans(dated, True)
    rules = [row for row in group if not row.is_closure and not row.is_dated]
    valid = [row for row in rules if _is_valid(row, day)]
    live = [row for row in valid if not (row.until and day > row.until)]
    if live:
        return _spans([row for row in live if _runs_on(row, day)], None)
    return _Plan((), unknown=len(valid) < len(rules) or not rules)


def _spans(rows: Iterable[OpeningRow], on_holidays: bool | None) -> _Plan:
    found, unknown = [], False
    for row in rows:
        opens, closes = _minutes(row.opens_at), _minutes(row.closes_at)
        if opens is None or closes is None:
            unknown = True
            continue
        if closes == _LAST_MINUTE:
            closes += 1  # HSDS has no 24:00 in common use: 23:59 stands for midnight
        if closes <= opens:
            closes += _DAY_MINUTES
        holds = on_holidays or row.never_closes or _not(row.closed_on_holidays)
        found.append(_Span(opens, closes, holds))
    return _Plan(tuple(found), unknown)


def _not(answer: bool | None) -> bool | None:
    return None if answer is None else not answer


def _is_valid(row: OpeningRow, day: date) -> bool:
    starts, ends = row.valid_from, row.valid_to
    return not ((starts and day < starts) or (ends and day > ends))


def _local(hours_east: float | None, at: datetime) -> datetime:
    return at if hours_east is None else at.astimezone(_zone(hours_east))


@lru_cache(maxsize=100)
def _zone(hours_east: float) -> timezone:
    return timezone(timedelta(hours=hours_east))


def _minute_of(local: datetime) -> float:
    return local.hour * 60 + local.minute + local.second / 60


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
    return total if 0 <= total <= _DAY_MINUTES else None


def _runs_on(row: OpeningRow, day: date) -> bool:
    """Whether the row's rule has an occurrence on `day`."""
    if not _is_valid(row, day) or (row.until and day > row.until):
        return False
    if row.dtstart and day < row.dtstart:
        return False
    if not row.has_rule:
        return True  # HSDS allows a row without a rule: it is about every day it is valid on
    if row.is_plain_week:
        return not row.byday or _WEEKDAYS[day.weekday()] in row.byday
    return day.day in _days_of_month(row, day.year, day.month)


@lru_cache(maxsize=20_000)
def _days_of_month(row: OpeningRow, year: int, month: int) -> frozenset[int]:
    """The days of a month that the row's rule falls on, whatever the row is valid for."""
    first = date(year, month, 1)
    last = date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)
    names = [name.strip().upper() for name in (row.byday or "").split(",") if name.strip()]
    # HSDS allows days without a frequency: they come every week.
    freq = (row.freq or "WEEKLY").upper()
    # A rule that counts from a start that nobody gave is taken to start with the month that is asked about.
    start = row.dtstart or row.valid_from if _is_anchored(row, freq) else None
    if start is None and (row.interval or 1) == 1:
        start = date(year, 1, 1) if freq == "YEARLY" else first
    if start is None:
        start = first
    if start > last:
        return frozenset()
    rule = rrule.rrule(
        _FREQUENCIES[freq],
        dtstart=datetime.combine(start, time()),
        interval=row.interval or 1,
        # Without an end, a rule that never comes would be followed for ever.
        until=datetime.combine(last, time()),
        wkst=_DAYS[(row.wkst or "MO").upper()],
        byweekday=[_weekday_rule(name) for name in names] or None,
        bymonthday=_numbers(row.bymonthday),
        byyearday=_numbers(row.byyearday),
        byweekno=_numbers(row.byweekno),
    )
    days = (moment.date() for moment in islice(rule, row.count))
    return frozenset(day.day for day in days if day >= first)


def _is_anchored(row: OpeningRow, freq: str) -> bool:
    """Whether its days depend on the day it starts, beyond there being none before."""
    names_days = freq == "DAILY" or bool(row.byday or row.bymonthday or row.byyearday)
    return bool((row.interval or 1) > 1 or row.count or not names_days)


def _weekday_rule(text: str) -> Any:
    """`MO`, or `2TU` for the second Tuesday of the month."""
    weekday = _DAYS[text[-2:]]
    return weekday(int(text[:-2])) if text[:-2] else weekday


@lru_cache(maxsize=20_000)
def is_readable(row: OpeningRow) -> bool:
    """Whether the rule can be followed at all; a row that can't says nothing about hours."""
    try:
        if row.has_rule:
            _days_of_month(row, 2024, 1)
        if row.timezone is not None:
            return abs(row.timezone) < _LONGEST_OFFSET_HOURS
    except (KeyError, ValueError, TypeError, OverflowError):
        return False
    return True


def _numbers(text: str | None) -> list[int] | None:
    return [int(number) for number in text.split(",") if number.strip()] if text else None
