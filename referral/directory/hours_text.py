"""Opening hours as people write them, in Indonesian or English, put into the words of opening_hours. Pure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from referral.directory import hours
from referral.directory.hours import Opening

_DAY_WORDS = {
    "Mo": "senin sen monday mondays mon mo",
    "Tu": "selasa sel tuesday tuesdays tues tue tu",
    "We": "rabu rab wednesday wednesdays weds wed we",
    "Th": "kamis kam thursday thursdays thurs thur thu th",
    "Fr": "jumat jum friday fridays fri fr",
    "Sa": "sabtu sab saturday saturdays sat sa",
    "Su": "minggu ahad min sunday sundays sun su",
    "Mo-Fr": "weekdays weekday",
    "Sa,Su": "weekends weekend",
    "Mo-Su": "everyday daily",
    "PH": "ph holidays holiday",
}
_DAY_OF = {word: day for day, words in _DAY_WORDS.items() for word in words.split()} | {
    "hari kerja": "Mo-Fr",
    "akhir pekan": "Sa,Su",
    "setiap hari": "Mo-Su",
    "tiap hari": "Mo-Su",
    "every day": "Mo-Su",
    "7 days a week": "Mo-Su",
    "7 hari": "Mo-Su",
    "libur nasional": "PH",
    "hari libur": "PH",
    "hari besar": "PH",
    "public holidays": "PH",
    "public holiday": "PH",
}
_WEEK = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
_SEVERAL = {"Mo-Fr": _WEEK[:5], "Sa,Su": _WEEK[5:], "Mo-Su": _WEEK}
_TO = (
    "s/d",
    "s.d.",
    "s.d",
    "sampai dengan",
    "sampai",
    "hingga",
    "through",
    "thru",
    "until",
    "till",
    "to",
)
_AND = ("dan", "and", "&", "+", "/")
_CLOSED = ("tutup", "closed", "libur", "off")
_ALL_DAY = ("24 jam", "24 hours", "24 hrs", "24h", "24 hour", "open 24 hours")
_BREAK = ("istirahat", "break", "lunch")
_EMPTY = (
    "wib",
    "wita",
    "wit",
    "pukul",
    "pkl",
    "jam",
    "hari",
    "from",
    "dari",
    "mulai",
    "buka",
    "open",
    "at",
)
#: A week in words is a line or two; what is longer is a story.
_LONGEST = 2000
_TIME = r"(?P<hour>\d{1,2})(?:[:.](?P<minute>\d{2}))?\s*(?P<half>[ap]\.?m\b\.?)?"


def _any(words: tuple[str, ...]) -> str:
    return "|".join(
        re.escape(w) + (r"\b" if w[-1].isalnum() else "")
        for w in sorted(words, key=len, reverse=True)
    )


_TOKEN = re.compile(
    rf"""\s*(?:
      (?P<day>{_any(tuple(_DAY_OF))})
    | (?P<allday>{_any(_ALL_DAY)})
    | (?P<noon>(?:12\s*)?noon\b|(?:12\s*)?midnight\b)
    | (?P<time>{_TIME})
    | (?P<to>-|{_any(_TO)})
    | (?P<also>{_any(_AND)})
    | (?P<closed>{_any(_CLOSED)})
    | (?P<rest>{_any(_BREAK)})
    | (?P<empty>{_any(_EMPTY)}|[().])
    | (?P<comma>,)
    | (?P<end>[;|\n])
    | (?P<colon>:)
    )""",
    re.X,
)


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    minutes: int = 0
    #: whether the clock's half of the day is beyond doubt
    sure: bool = True


def parse(text: str) -> list[Opening]:
    """Weekly rules of a text, as `Senin-Kamis 08.00-15.00, Jumat 08.00-11.00` or `Mon-Fri 9am-5pm`.

    Also everything that `hours.parse` takes. Raises ValueError for anything not wholly understood.
    """
    if len(text) > _LONGEST:
        raise ValueError(text[:_LONGEST])
    try:
        return hours.parse(text)
    except ValueError:
        return hours.parse(normal(text))


def clock(text: str) -> str:
    """A time of day as HH:MM, from `08:00`, `9am`, `3 PM`, `17.30`. Raises ValueError."""
    tokens = list(_tokens(_plain(text)))
    if len(tokens) != 1 or tokens[0].kind != "time":
        raise ValueError(text)
    return _hhmm(tokens[0].minutes)


def normal(text: str) -> str:
    """The text in the words of opening_hours, day by day. Raises ValueError."""
    week: dict[str, list[tuple[int, int]]] = {}
    for days, spans in _rules(text):
        for day in days:
            earlier = week.get(day, [])
            if spans and not any(_overlap(one, other) for one in spans for other in earlier):
                spans_of_day = sorted(earlier + spans)  # another interval of the same day
            else:
                spans_of_day = sorted(spans)  # what is said later about a day counts
            week[day] = spans_of_day
    return "; ".join(
        f"{day} {','.join(f'{_hhmm(a)}-{_hhmm(b)}' for a, b in spans) or 'off'}"
        for day, spans in week.items()
    )


def _rules(text: str) -> Iterator[tuple[list[str], list[tuple[int, int]]]]:
    """Days with their intervals, none where it is closed. The days come first, or else always last."""
    days: list[str] = []
    spans: list[tuple[int, int]] = []
    is_closed = False
    tokens = [token for token in _tokens(_plain(text)) if token.kind != "empty"]
    days_last = tokens[:1] != [] and tokens[0].kind in ("time", "allday", "closed")
    at, found = 0, False
    while at < len(tokens):
        token = tokens[at]
        is_complete = bool(days) and (bool(spans) or is_closed)
        begins = token.kind in ("time", "allday", "closed") if days_last else token.kind == "day"
        if is_complete and (token.kind == "end" or begins) and not (days and days[-1] == "-"):
            yield _expanded(days, text), list(spans)
            days, spans, is_closed, found = [], [], False, True
        if token.kind == "day":
            days.append(token.text)
        elif token.kind == "to" and days and days[-1] != "-":
            days.append("-")
        elif token.kind == "closed":
            is_closed = True
        elif token.kind == "allday":
            spans.append((0, 24 * 60))
        elif token.kind in ("time", "rest"):
            is_break = token.kind == "rest"
            span, at = _span(tokens, at + is_break, text)
            if is_break and not spans:
                raise ValueError(text)
            spans = [p for s in spans for p in _without(s, span)] if is_break else [*spans, span]
            continue
        elif token.kind not in ("comma", "also", "colon", "end"):
            raise ValueError(text)
        at += 1
    if spans or is_closed:
        yield _expanded(days or ["Mo-Su"], text), spans
    elif days or not found:
        raise ValueError(text)


def _expanded(words: list[str], text: str) -> list[str]:
    """Every day that is meant, one by one. Public holidays are passed over, as in opening_hours."""
    found: list[str] = []
    for at, word in enumerate(words):
        if word == "-":
            ends = words[at - 1 : at + 2]
            if len(ends) < 3 or any(end not in _WEEK for end in ends[::2]):
                raise ValueError(text)
            first, last = _WEEK.index(ends[0]), _WEEK.index(ends[2])
            found += [_WEEK[(first + i) % 7] for i in range((last - first) % 7 + 1)]
        else:
            found += _SEVERAL.get(word, (word,))
    return list(dict.fromkeys(day for day in found if day in _WEEK))


def _overlap(one: tuple[int, int], other: tuple[int, int]) -> bool:
    return one[0] < other[1] and other[0] < one[1]


def _plain(text: str) -> str:
    text = text.casefold().replace("–", "-").replace("—", "-").replace("’", "'")
    return text.replace("jum'at", "jumat").strip()


def _tokens(text: str) -> Iterator[_Token]:
    at = 0
    while at < len(text):
        if not text[at:].strip():
            return
        found = _TOKEN.match(text, at)
        if found is None:
            raise ValueError(text)
        at = found.end()
        kind = found.lastgroup or ""
        if found["noon"]:
            yield _Token("time", "", 12 * 60 if "noon" in found["noon"] else 24 * 60)
        elif found["time"]:
            yield _time(found)
        elif found["day"]:
            yield _Token("day", _DAY_OF[found["day"]])
        else:
            yield _Token(kind, found[0].strip())


def _time(found: re.Match[str]) -> _Token:
    hour, minute, half = int(found["hour"]), int(found["minute"] or 0), (found["half"] or "")[:1]
    if minute > 59 or hour > (12 if half else 24):
        raise ValueError(found[0])
    if half:
        hour = hour % 12 + (12 if half == "p" else 0)
    return _Token("time", half, hour * 60 + minute, sure=bool(half or found["minute"]))


def _span(tokens: list[_Token], at: int, text: str) -> tuple[tuple[int, int], int]:
    """From when to when, and the token after it. `9-5pm` begins in the morning, `1-5pm` does not."""
    kinds = [token.kind for token in tokens[at : at + 3]]
    if kinds != ["time", "to", "time"]:
        raise ValueError(text)
    first, last = tokens[at], tokens[at + 2]
    opens, closes = first.minutes, last.minutes
    if last.text and not first.text and opens <= 12 * 60:
        later = opens % 720 + 720
        opens = later if last.text == "p" and later < closes else opens % 720
    elif not first.sure and not last.sure and closes <= 12 * 60:
        raise ValueError(text)  # 9-5 without a half of the day, or 1-5: nobody can say
    return (opens, closes), at + 3


def _without(span: tuple[int, int], pause: tuple[int, int]) -> list[tuple[int, int]]:
    if not span[0] < pause[0] < pause[1] < span[1]:
        return [span]
    return [(span[0], pause[0]), (pause[1], span[1])]


def _hhmm(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"
