"""The form of opening hours: a weekly grid, days of the month, and days that are different."""

import json
from collections.abc import Callable, Iterable
from typing import Any

from babel.dates import get_day_names
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from referral.core.text import Message
from referral.directory.hours import DAYS, LAST_MINUTE
from referral.directory.upkeep.timetable import read_exceptions, read_hours
from referral.directory.upkeep.values import Wrong
from referral.web.answers import Answers
from referral.web.formatting import say
from referral.web.language import chosen
from referral.web.listings import rows

TIMES = ("opens", "closes")
#: name of a list of rows in the form → what a row is made of
LISTS: dict[str, tuple[str, ...]] = {
    **{f"hours-{day}": TIMES for day in DAYS},
    "monthly": ("nth", "day", *TIMES),
    "second": ("day", "start", *TIMES),
    "dates": ("date", *TIMES),
    "exceptions": ("from", "to", "closed", *TIMES, "note"),
}
_WORKING_DAYS = DAYS[1:5]
KEPT = "kept"
LAST_DATE = 31


def day_names() -> list[tuple[str, str]]:
    """Days of the week, Monday first, as the page's language calls them."""
    names = get_day_names("wide", locale=chosen())
    return [(code, names[number]) for number, code in enumerate(DAYS)]


def nth_names() -> list[tuple[str, str]]:
    """Which of a month's Mondays: the first, the second … the last."""
    return [
        ("1", _("first")),
        ("2", _("second")),
        ("3", _("third")),
        ("4", _("fourth")),
        ("5", _("fifth")),
        ("-1", _("last")),
    ]


def press(given: MultiDict[str, str], button: str) -> str | None:
    """Do what a button of the week says; gives the id of the field to go on with, None for another button."""
    if button == "hours-MO.copy":
        monday = rows.typed(given, "hours-MO", TIMES)
        for day in _WORKING_DAYS:
            rows.write(given, f"hours-{day}", TIMES, monday)
        return f"hours-{_WORKING_DAYS[0]}-add"
    if button == "hours.always":
        for day in DAYS:
            rows.write(given, f"hours-{day}", TIMES, [_times("00:00", LAST_MINUTE)])
        return f"hours-{DAYS[0]}-0-opens"
    return None


def fill(given: MultiDict[str, str], hours: list[dict[str, Any]]) -> None:
    """Put hours into the form's rows; rules the grid can't show are kept whole."""
    found: dict[str, list[rows.Row]] = {name: [] for name in LISTS if name != "exceptions"}
    kept = []
    for entry in hours:
        rule = entry.get("rule")
        if rule is not None and (date := _date_of_month(rule)):
            found["dates"].append({"date": date, **_times(rule["opens_at"], rule["closes_at"])})
        elif rule is not None:
            kept.append(json.dumps(rule, sort_keys=True))
        else:
            _fill_entry(found, entry)
    for name, listed in found.items():
        rows.write(given, name, LISTS[name], listed)
    given.setlist(KEPT, kept)
    given.setlist(f"{KEPT}-all", kept)


def _fill_entry(found: dict[str, list[rows.Row]], entry: dict[str, Any]) -> None:
    times = _times(entry["opens"], entry["closes"])
    for day in entry["days"]:
        if entry["every"] == "week":
            found[f"hours-{day}"].append(times)
        elif entry["every"] == "second_week":
            found["second"].append({"day": day, "start": entry["start"], **times})
        else:
            found["monthly"] += [{"nth": str(nth), "day": day, **times} for nth in entry["nth"]]


def fill_exceptions(given: MultiDict[str, str], exceptions: list[dict[str, Any]]) -> None:
    listed = [
        {
            "from": entry["from"],
            "to": entry["to"] if entry["to"] != entry["from"] else "",
            "closed": "yes" if entry["closed"] else "no",
            "note": entry["note"] or "",
            **_times(entry["opens"], entry["closes"]),
        }
        for entry in exceptions
    ]
    rows.write(given, "exceptions", LISTS["exceptions"], listed)


def read(answers: Answers) -> list[dict[str, Any]]:
    """The hours of the form as `hours` of a listing; what is wrong stands at its row."""
    found: list[dict[str, Any]] = []
    for day in DAYS:
        found += _checked(answers, f"hours-{day}", _on(day), read_hours)
    found += _checked(
        answers,
        "monthly",
        lambda row: {**row, "days": [row["day"]], "nth": [row["nth"]], "every": "month"},
        read_hours,
        parts={"days": "day"},
    )
    found += _checked(
        answers,
        "second",
        lambda row: {**row, "days": [row["day"]], "every": "second_week"},
        read_hours,
        parts={"days": "day"},
    )
    found += _dates(answers)
    found += [{"rule": rule} for rule in _kept(answers)]
    return found


def _on(day: str) -> Callable[[rows.Row], dict[str, Any]]:
    return lambda row: {"days": [day], **row}


def read_different(answers: Answers) -> list[dict[str, Any]]:
    """The days of the form that are different, as `exceptions` of a listing."""
    return _checked(answers, "exceptions", _exception, read_exceptions, blank=("closed",))


def _exception(row: rows.Row) -> dict[str, Any]:
    return {**row, "closed": row["closed"] != "no"}


def _checked(
    answers: Answers,
    name: str,
    entry_of: Callable[[rows.Row], dict[str, Any]],
    reader: Callable[[Any], list[dict[str, Any]]],
    *,
    parts: dict[str, str] | None = None,
    blank: Iterable[str] = ("nth", "day"),
) -> list[dict[str, Any]]:
    """Entries of a list's rows, each read by itself and beside those before it."""
    good: list[dict[str, Any]] = []
    day = dict(day_names()).get(name.removeprefix("hours-"))
    for number, row in enumerate(rows.typed(answers.given, name, LISTS[name])):
        if rows.is_blank({part: text for part, text in row.items() if part not in blank}):
            continue
        entry = entry_of(_spoken_times(row))
        try:
            reader([entry])
            for other in good:
                reader([other, entry])
        except Wrong as wrong:
            part = (parts or {}).get(wrong.part, wrong.part)
            field = part if part in LISTS[name] else LISTS[name][0]
            if wrong.key.endswith("overlap") and "opens" in row and row["opens"]:
                field = "opens" if name != "exceptions" else "from"
            said = say(Message(wrong.key, wrong.params))
            answers.wrong(f"{name}-{number}-{field}", f"{day}: {said}" if day else said)
        else:
            good.append(entry)
    return good


def _dates(answers: Answers) -> list[dict[str, Any]]:
    """`On the 10th of each month` as a rule of its own."""
    found = []
    for number, row in enumerate(rows.typed(answers.given, "dates", LISTS["dates"])):
        if rows.is_blank(row):
            continue
        date = answers.whole(f"dates-{number}-date", 1, LAST_DATE)
        answers.require(
            f"dates-{number}-date",
            date or answers.error(f"dates-{number}-date"),
            _("Say which day of the month, from 1 to 31."),
        )
        entry = {"days": ["MO"], **_spoken_times(row)}
        try:
            read = read_hours([entry])[0]
        except Wrong as wrong:
            answers.wrong(
                f"dates-{number}-{wrong.part or 'opens'}", say(Message(wrong.key, wrong.params))
            )
            continue
        if date is not None:
            found.append(
                {
                    "rule": {
                        "freq": "MONTHLY",
                        "bymonthday": str(date),
                        "opens_at": read["opens"],
                        "closes_at": read["closes"],
                    }
                }
            )
    return found


def _kept(answers: Answers) -> list[dict[str, Any]]:
    found = []
    for text in answers.chosen(KEPT):
        try:
            rule = json.loads(text)
            read_hours([{"rule": rule}])
        except (ValueError, Wrong):
            answers.wrong(KEPT, _("Choose from the answers on the page."))
        else:
            found.append(rule)
    return found


def _date_of_month(rule: dict[str, Any]) -> str:
    """The one day of each month that a rule names and nothing else; "" for any other rule."""
    date = str(rule.get("bymonthday") or "")
    said = {name for name, value in rule.items() if value not in (None, "")}
    plain = said == {"freq", "bymonthday", "opens_at", "closes_at"}
    whole = date.isascii() and date.isdigit() and len(date) < 3 and 1 <= int(date) <= LAST_DATE
    return date if plain and whole and rule["freq"] == "MONTHLY" else ""


def _times(opens: str | None, closes: str | None) -> rows.Row:
    return {"opens": _shown(opens), "closes": _shown(closes)}


def _shown(time: str | None) -> str:
    """A time of day as people here write it; the last minute of the day is its end."""
    text = "24:00" if (time or "")[:5] == LAST_MINUTE else (time or "")[:5]
    return text.replace(":", ".") if chosen() == "id" else text


def _spoken_times(row: rows.Row) -> rows.Row:
    """Times as they are typed in a hurry: 8, 08.00 and 0800 are all 08:00."""
    return {part: _time(text) if part in TIMES else text for part, text in row.items()}


def _time(text: str) -> str:
    digits = text.strip()
    if digits.isascii() and digits.isdigit():
        if len(digits) <= 2:
            return f"{digits}:00"
        if len(digits) <= 4:
            return f"{digits[:-2]}:{digits[-2:]}"
    return digits
