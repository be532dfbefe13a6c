"""The values of an edited listing in words, as lines that can be compared. Pure."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

from referral.core.text import Message, named
from referral.directory import hours as hours_in
from referral.directory.kinds import HIGHEST_DESIL
from referral.directory.upkeep.timetable import opening_row

#: Gives the name of an area by its code.
Names = Callable[[str], str]
Lines = list[Message]


def plain(text: Any) -> Message:
    """Words that somebody wrote, as they are."""
    return Message("listing.words", {"words": str(text)})


def together(lines: Lines) -> Message:
    """Lines one after the other in one sentence."""
    joined = lines[0]
    for line in lines[1:]:
        joined = Message("listing.lines", {"first": joined, "then": line})
    return joined


def words(value: Any, _names: Names) -> Lines:
    return [plain(value)] if value else []


def day(value: Any, _names: Names) -> Lines:
    return [Message("listing.day", {"day": date.fromisoformat(value)})] if value else []


def status(value: Any, _names: Names) -> Lines:
    return [Message(f"directory.status.{value}")]


def answer_mode(value: Any, _names: Names) -> Lines:
    return [Message(f"directory.answer_mode.{value}")]


def contact_mode(value: Any, _names: Names) -> Lines:
    return [Message(f"directory.contact_mode.{value}")]


def categories(value: Any, _names: Names) -> Lines:
    return [
        Message("listing.category.inferred", {"category": _category(code[1:])})
        if code.startswith("?")
        else _category(code)
        for code in value
    ]


def _category(code: str) -> Message:
    found = named(f"category.{code}", code)
    return found if isinstance(found, Message) else plain(found)


def phones(value: Any, _names: Names) -> Lines:
    return [Message("listing.phone", _phone(phone)) for phone in value]


def _phone(phone: Mapping[str, Any]) -> dict[str, Any]:
    number = (
        f"{phone['number']} ext {phone['extension']}" if phone["extension"] else phone["number"]
    )
    known = (
        [named(f"directory.phone.{phone['type']}", phone["type"] or "")] if phone["type"] else []
    )
    notes = [note for note in (*known, phone["description"]) if note]
    return {"number": number, "notes": Message("listing.notes", {"notes": notes}) if notes else ""}


def address(value: Any, _names: Names) -> Lines:
    return [plain(", ".join(part for part in value.values() if part))] if value else []


def area(value: Any, names: Names) -> Lines:
    return [plain(names(value))] if value else []


def point(value: Any, _names: Names) -> Lines:
    return [plain(f"{value['lat']:.5f}, {value['lon']:.5f}")] if value else []


def hours(value: Any, _names: Names) -> Lines:
    return [_hours(entry) for entry in value]


def _hours(entry: Mapping[str, Any]) -> Message:
    if "rule" in entry:
        return hours_in.said(opening_row(entry["rule"])) or plain(
            entry["rule"].get("description") or entry["rule"].get("notes") or "?"
        )
    return Message(
        "hours.line",
        {
            "days": hours_in.days_said(
                entry["days"],
                every=entry["every"],
                nth=entry["nth"],
                start=date.fromisoformat(entry["start"]) if entry["start"] else None,
            ),
            "times": hours_in.times_said(entry["opens"], entry["closes"]),
        },
    )


def exceptions(value: Any, _names: Names) -> Lines:
    return [_exception(entry) for entry in value]


def _exception(entry: Mapping[str, Any]) -> Message:
    days = hours_in.dates_said(date.fromisoformat(entry["from"]), date.fromisoformat(entry["to"]))
    times = (
        Message("hours.closed")
        if entry["closed"]
        else hours_in.times_said(entry["opens"], entry["closes"])
    )
    said = Message("hours.line", {"days": days, "times": times})
    return (
        Message("listing.noted", {"said": said, "note": entry["note"]}) if entry["note"] else said
    )


def holidays(value: Any, _names: Names) -> Lines:
    return [] if value is None else [Message(f"listing.holidays.{'closed' if value else 'open'}")]


def service_areas(value: Any, names: Names) -> Lines:
    return [
        Message("directory.everywhere") if code == "*" else _area(code, names) for code in value
    ]


def _area(code: str, names: Names) -> Message:
    return plain(names(code) if code[:1].isdigit() else code)


def languages(value: Any, _names: Names) -> Lines:
    return [_named("language", code) for code in value]


def _named(kind: str, code: str) -> Message:
    found = named(f"{kind}.{code}", code)
    return found if isinstance(found, Message) else plain(found)


def documents(value: Any, _names: Names) -> Lines:
    if value is None:
        return []
    if not value:
        return [Message("listing.documents.none")]
    found = []
    for entry in value:
        said = _named("document", entry["code"]) if entry["code"] else plain(entry["words"])
        how = entry["how_to_get"]
        found.append(Message("listing.noted", {"said": said, "note": how}) if how else said)
    return found


def entry_steps(value: Any, _names: Names) -> Lines:
    found = []
    for position, step in enumerate(value, start=1):
        notes: list[Any] = [_named("document", code) for code in step["documents"]]
        if step["days"] is not None:
            notes.append(Message("listing.days", {"days": step["days"]}))
        notes += [step[part] for part in ("cost", "who_may_go") if step[part]]
        found.append(
            Message(
                "listing.step",
                {
                    "position": position,
                    "office": step["office"],
                    "notes": Message("listing.notes", {"notes": notes}) if notes else "",
                },
            )
        )
    return found


def cost(value: Any, _names: Names) -> Lines:
    found = [] if value["fee"] == "unknown" else [Message(f"directory.fee.{value['fee']}")]
    if value["amount"]:
        found.append(Message("listing.amount", {"amount": value["amount"]}))
    if value["words"]:
        found.append(plain(value["words"]))
    for other in value.get("more", ()):
        parts = [other["option"], other["amount_description"], other["currency"], other["amount"]]
        found.append(plain(" · ".join(str(part) for part in parts if part not in (None, ""))))
    return found


def eligibility(value: Any, names: Names) -> Lines:
    found = _ages(value["minimum_age"], value["maximum_age"])
    sex, desil = value["sex"], value["desil_max"]
    if sex is not None:
        found.append(Message(f"directory.eligibility.{sex[0]}" if sex else "listing.all.sexes"))
    if desil is not None:
        found.append(
            Message("directory.eligibility.desil", {"desil": desil})
            if desil < HIGHEST_DESIL
            else Message("listing.all.incomes")
        )
    if value["disability"] is not None:
        kinds = [Message(f"match.word.{code}") for code in value["disability"]]
        found.append(
            Message("directory.eligibility.disability", {"kinds": kinds})
            if kinds
            else Message("listing.all.abilities")
        )
    if value["residency"] is not None:
        areas = [names(code) for code in value["residency"]]
        found.append(
            Message("directory.eligibility.residency", {"areas": areas})
            if areas
            else Message("listing.all.areas")
        )
    return found


def _ages(low: float | None, high: float | None) -> Lines:
    if high is not None:
        key = "directory.eligibility.age" if low else "directory.eligibility.maximum_age"
        return [Message(key, {"low": low, "high": high} if low else {"high": high})]
    if low:
        return [Message("directory.eligibility.minimum_age", {"low": low})]
    return [] if low is None else [Message("listing.all.ages")]


def capacity(value: Any, _names: Names) -> Lines:
    if not value:
        return []
    found = []
    if value["status"]:
        said = Message(f"directory.capacity.{value['status']}")
        until = value["until"]
        found.append(
            Message("listing.capacity.until", {"said": said, "until": date.fromisoformat(until)})
            if until
            else said
        )
    for part in ("available", "maximum"):
        if value[part] is not None:
            found.append(Message(f"listing.capacity.{part}", {part: value[part]}))
    return found


def as_of(value: Any) -> datetime | None:
    """When room was last spoken of; None where the value does not tell."""
    said = value.get("as_of") if value else None
    return datetime.fromisoformat(said) if said else None
