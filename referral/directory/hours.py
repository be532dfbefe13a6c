"""Weekly opening hours: the opening_hours text of a list, and how hours are said in words. Pure."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from babel.dates import get_day_names

DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
EVERY_DAY = ",".join(DAYS)
#: HSDS has no flag for a whole day; a rule that closes in the last minute of the day lasts until midnight.
LAST_MINUTE = "23:59"

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


def in_words(rules: Iterable[Weekly], lang: str) -> list[tuple[str, str]]:
    """Days and times as people there write them: `("Senin–Jumat", "08.00–16.00")`, Monday first."""
    point = "." if lang == "id" else ":"
    found = []
    for rule in rules:
        days = [day for day in DAYS if day in (rule.byday or EVERY_DAY).split(",")]
        if not rule.opens_at or not rule.closes_at or not days:
            continue
        closes = "24:00" if rule.closes_at[:5] == LAST_MINUTE else rule.closes_at[:5]
        times = f"{rule.opens_at[:5]}–{closes}".replace(":", point)
        found.append((DAYS.index(days[0]), _days_in_words(days, lang), times))
    return [(days, times) for _, days, times in sorted(found)]


def _days_in_words(days: Sequence[str], lang: str) -> str:
    names = get_day_names("wide", locale=lang)
    runs: list[list[int]] = []
    for number in (DAYS.index(day) for day in days):
        if runs and runs[-1][-1] == number - 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(
        names[run[0]] if len(run) == 1 else f"{names[run[0]]}–{names[run[-1]]}" for run in runs
    )
