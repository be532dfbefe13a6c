"""Opening hours in words, and the opening_hours text of a list. Pure."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Protocol

from referral.core.text import Message, render
from referral.directory.opening import OpeningRow

DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
EVERY_DAY = ",".join(DAYS)
#: HSDS has no flag for a whole day; a rule that closes in the last minute of the day lasts until midnight.
LAST_MINUTE = "23:59"
#: which of a month's Mondays; -1 is the last
ORDINALS = (1, 2, 3, 4, 5, -1)

_TIMES = re.compile(r"(\d{1,2})[:.](\d{2})\s*[-–]\s*(\d{1,2})[:.](\d{2})")
_RULE = re.compile(r"^(?P<days>[A-Za-z][A-Za-z,\s–-]*?)?\s*(?P<times>\d.*|off|closed)$")


@dataclass(frozen=True)
class Opening:
    """One weekly rule. `closes_at` before `opens_at` runs past midnight."""

    byday: str
    opens_at: str
    closes_at: str


class Weekly(Protocol):
    """What is told in words of a weekly rule."""

    @property
    def byday(self) -> str | None: ...
    @property
    def opens_at(self) -> str | None: ...
    @property
    def closes_at(self) -> str | None: ...


def parse(text: str) -> list[Opening]:
    """Weekly rules of an opening_hours text, as `24/7` or `Mo-Th 08:00-15:30; Fr 08:00-11:00`.

    Days without a rule are closed; public holidays (`PH off`) are passed over. Raises ValueError for
    anything outside this part of the language: half-understood hours would send people to a closed door.
    """
    if text.strip() == "24/7":
        return [Opening(EVERY_DAY, "00:00", LAST_MINUTE)]
    openings: dict[str, list[tuple[str, str]]] = {}
    for part in filter(None, (piece.strip() for piece in text.split(";"))):
        rule = _RULE.match(part)
        if rule is None:
            raise ValueError(part)
        words = (rule["days"] or "Mo-Su").strip()
        if words.upper() == "PH":
            continue
        spans = [] if rule["times"] in ("off", "closed") else _spans(rule["times"])
        for day in _days(words):
            openings[day] = spans  # as in opening_hours, a later rule replaces an earlier one
    grouped: dict[tuple[str, str], list[str]] = {}
    for day in DAYS:
        for span in openings.get(day, []):
            grouped.setdefault(span, []).append(day)
    if not grouped:
        raise ValueError(text)
    return [Opening(",".join(days), *span) for span, days in grouped.items()]


def _spans(text: str) -> list[tuple[str, str]]:
    spans = []
    for piece in text.split(","):
        times = _TIMES.fullmatch(piece.strip())
        if times is None:
            raise ValueError(text)
        spans.append((_time(times[1], times[2]), _time(times[3], times[4])))
    return spans


def _time(hours: str, minutes: str) -> str:
    if int(hours) == 24 and int(minutes) == 0:
        return LAST_MINUTE
    if int(hours) > 23 or int(minutes) > 59:
        raise ValueError(f"{hours}:{minutes}")
    return f"{int(hours):02}:{minutes}"


def _days(text: str) -> list[str]:
    found: list[str] = []
    for piece in text.upper().replace("–", "-").split(","):
        ends = [end.strip() for end in piece.split("-")]
        if len(ends) > 2 or any(end not in DAYS for end in ends):
            raise ValueError(text)
        first, last = DAYS.index(ends[0]), DAYS.index(ends[-1])
        found += [DAYS[(first + i) % 7] for i in range((last - first) % 7 + 1)]
    return found


# In words ----------------------------------------------------------------------------------------


def in_words(rows: Iterable[Weekly], lang: str, *, on: date | None = None) -> list[tuple[str, str]]:
    """Days and times as people there write them: `("Senin–Jumat", "08.00–16.00")`, Monday first.

    What comes every second week or on some days of the month follows, then single days that are different.
    With `on`, what is over by that day is left out.
    """
    found = []
    for row in map(opening_row, rows):
        if on is not None and any(
            end is not None and end < on for end in (row.valid_to, row.until)
        ):
            continue
        if on is not None and row.valid_from is not None and row.valid_from <= on and row.has_rule:
            row = replace(row, valid_from=None)  # it holds by now: no need to say since when
        words = _parts(row)
        if words is not None:
            found.append((_order(row), render(words[0], lang), render(words[1], lang)))
    return [(days, times) for _, days, times in sorted(found)]


def opening_row(row: Any) -> OpeningRow:
    """The rule of anything that has some of HSDS's columns of a schedule."""
    if isinstance(row, OpeningRow):
        return row
    return OpeningRow(
        **{
            name: value
            for name in OpeningRow.__dataclass_fields__
            if (value := getattr(row, name, None)) is not None
        }
    )


def said(row: OpeningRow) -> Message | None:
    """One rule in a sentence; None where it tells no days or no times."""
    parts = _parts(row)
    return None if parts is None else Message("hours.line", {"days": parts[0], "times": parts[1]})


def _parts(row: OpeningRow) -> tuple[Message, Message] | None:
    days = _days_of(row)
    if days is None:
        return None
    if row.is_closure:
        return days, Message("hours.closed")
    if not row.opens_at or not row.closes_at:
        return None
    return days, times_said(row.opens_at, row.closes_at)


def _days_of(row: OpeningRow) -> Message | None:
    if row.is_dated:
        first, last = row.valid_from or row.valid_to, row.valid_to or row.valid_from
        return dates_said(first, last) if first and last else None
    freq, interval = (row.freq or "WEEKLY").upper(), row.interval or 1
    byday = [day.strip().upper() for day in (row.byday or "").split(",") if day.strip()]
    if any(day[-2:] not in DAYS for day in byday):
        return None
    words = _days_of_rule(row, freq, interval, byday)
    return None if words is None else _bounded(row, words)


def _days_of_rule(row: OpeningRow, freq: str, interval: int, byday: list[str]) -> Message | None:
    if row.byweekno or row.byyearday or row.count or (row.bymonthday and byday):
        return Message("hours.special")
    if freq == "DAILY" and not byday and not row.bymonthday:
        if interval == 1:
            return days_said(DAYS)
        return Message("hours.every_days", {"interval": interval})
    if freq == "WEEKLY" and not row.bymonthday:
        named = byday or ([DAYS[row.dtstart.weekday()]] if row.dtstart and row.freq else list(DAYS))
        if interval > 2:
            return Message("hours.every_weeks", {"days": days_said(named), "interval": interval})
        every = "second_week" if interval == 2 else "week"
        return days_said(named, every=every, start=row.dtstart)
    if freq == "MONTHLY" and interval == 1 and byday:
        ordinals = [(day[-2:], int(day[:-2] or 0)) for day in byday]
        nth = sorted({number for _, number in ordinals}, key=lambda n: (n < 0, n))
        names = [day for day in DAYS if any(day == one for one, _ in ordinals)]
        if len(ordinals) == len(nth) * len(names) and all(n in ORDINALS for n in nth):
            return days_said(names, every="month", nth=nth)
        each = [
            Message(f"hours.nth.{number}", {"day": Message(f"hours.day.{day}")})
            for day, number in ordinals
            if number in ORDINALS
        ]
        return Message("hours.of_month", {"days": each}) if each else Message("hours.special")
    if freq == "MONTHLY" and interval == 1 and row.bymonthday:
        numbers = [number.strip() for number in row.bymonthday.split(",")]
        return Message("hours.month_days", {"numbers": numbers})
    return Message("hours.special")


def _bounded(row: OpeningRow, days: Message) -> Message:
    if row.valid_from:
        days = Message("hours.from", {"days": days, "start": row.valid_from})
    if row.until or row.valid_to:
        return Message("hours.until", {"days": days, "until": row.until or row.valid_to})
    return days


def days_said(
    days: Sequence[str],
    *,
    every: str = "week",
    nth: Sequence[int] = (),
    start: date | None = None,
) -> Message:
    """Days of the week, as "Monday–Thursday, Saturday" or "the first and last Saturday of the month"."""
    if every == "month":
        return Message(
            "hours.of_month",
            {
                "days": [
                    Message(f"hours.nth.{number}", {"day": Message(f"hours.day.{day}")})
                    for day in days
                    for number in nth
                ]
            },
        )
    runs: list[list[int]] = []
    for number in sorted(DAYS.index(day) for day in days):
        if runs and runs[-1][-1] == number - 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    words = [
        Message(f"hours.day.{DAYS[run[0]]}")
        if len(run) == 1
        else Message(
            "hours.run",
            {
                "first": Message(f"hours.day.{DAYS[run[0]]}"),
                "last": Message(f"hours.day.{DAYS[run[-1]]}"),
            },
        )
        for run in runs
    ]
    named = _joined(words)
    if every == "second_week":
        if start is None:
            return Message("hours.every_weeks", {"days": named, "interval": 2})
        return Message("hours.second_week", {"days": named, "start": start})
    return named


def _joined(words: Sequence[Message]) -> Message:
    """One after the other, with commas."""
    joined = words[0]
    for word in words[1:]:
        joined = Message("hours.and", {"first": joined, "then": word})
    return joined


def times_said(opens: str, closes: str) -> Message:
    """The times of one interval, each language with its own point or colon."""
    end = "24:00" if closes[:5] == LAST_MINUTE else closes[:5]
    if opens[:5] == "00:00" and end == "24:00":
        return Message("hours.all_day")
    return Message(
        "hours.times",
        {"oh": opens[:2], "om": opens[3:5], "ch": end[:2], "cm": end[3:5]},
    )


def dates_said(first: date, last: date) -> Message:
    """A day, or the days from one to another."""
    if first == last:
        return Message("hours.date", {"day": first})
    return Message("hours.dates", {"first": first, "last": last})


def _order(row: OpeningRow) -> tuple[int, str, int, str]:
    """Weekly rows by their first day, then rarer ones, then single days by date."""
    days = [day.strip()[-2:] for day in (row.byday or "").upper().split(",")]
    first = min((DAYS.index(day) for day in days if day in DAYS), default=0)
    if row.is_dated:
        return 2, str(row.valid_from or row.valid_to), 0, row.opens_at or ""
    weekly = (row.freq or "WEEKLY").upper() in ("WEEKLY", "DAILY") and (row.interval or 1) == 1
    return 0 if weekly else 1, "", first, row.opens_at or ""
