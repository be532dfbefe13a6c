"""What can be edited of a listing: one table of fields, how each is read, and how a difference is said. Pure.

A set of values is a plain dictionary, field → value, that JSON can hold; so is what was seen when it was
written. Values of the fields, as `read` gives them and `upkeep.listings` takes them from the rows:

    name                     text, never empty
    organization             text; of a new listing alone, where its agency is not known here yet
    alternate_name, description, url, email, alert, eligibility_description,
    interpretation_services, application_process
                             text or None
    status                   "active", "inactive", "defunct", "temporarily closed"
    phones                   [{"number", "extension", "type", "description"}]; type of directory.phones.TYPES
    address                  {"address_1", "city", "state_province", "postal_code"} or None
    area_code                code of the gazetteer or None
    point                    {"lat", "lon"} or None: placed by its area; read from a listing it has "precision_km" too
    hours, exceptions        see upkeep.timetable
    hours_until              "2026-12-31" or None: after that day the hours are not known any more
    follows_public_holidays  True: closed then; False: open as on other days; None: not known
    categories               ["HE05", "?HE07"]; `?`: only its kind suggests so, and saying it without `?` confirms it
    service_areas            area codes, "*" for everywhere, or words that name no area we know; []: not stated
    languages                ["ind", "jav"] (ISO 639-3)
    documents                None: not known; []: none needed; [{"code", "words", "how_to_get"}]
    entry_steps              [{"office", "documents": [code], "days", "cost", "who_may_go"}], in order
    cost                     {"fee": "free" | "paid" | "unknown", "amount", "words"}; a listing with several prices
                             has the others in "more", as HSDS's cost_option: send them back, or leave them out
    eligibility              {"minimum_age", "maximum_age", "sex", "desil_max", "disability", "residency"}; None is not
                             known, and open to all is ages from 0, desil 10, and [] for the three lists
    capacity                 {"status", "available", "maximum", "until"} or None; read from a listing it has "as_of" too
    answer_mode, contact_mode   words of directory.kinds
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from referral.core.errors import Finding, Invalid
from referral.core.geo import is_on_earth
from referral.core.text import Message
from referral.directory import phones
from referral.directory.kinds import (
    HIGHEST_DESIL,
    OLDEST_YEARS,
    AnswerMode,
    CapacityStatus,
    ContactMode,
    ServiceStatus,
)
from referral.directory.upkeep import saying
from referral.directory.upkeep.timetable import read_exceptions, read_hours
from referral.directory.upkeep.values import (
    Item,
    Lists,
    Wrong,
    choice,
    codes,
    day,
    email,
    items,
    line,
    maybe,
    needed,
    number,
    text,
    url,
    whole,
    yes_no_unknown,
)

INFERRED = "?"
EVERYWHERE = "*"
SEXES = ("female", "male")
FEES = ("free", "paid", "unknown")
_MOST_MONEY = 10**12
_SHOWN = 80

#: what a value read from a listing tells beside what can be edited
_ADDED = {"capacity": "as_of", "point": "precision_km"}

Values = Mapping[str, Any]


@dataclass(frozen=True)
class Field:
    """One thing that can be edited.

    read        the value from what was typed or sent; raises Wrong
    say         the value in lines of words; no lines: nothing is stated
    empty       the value that states nothing
    is_where    tells where a place is: of a confidential place for its own agency alone
    is_for_new  asked of a new listing only
    """

    name: str
    read: Callable[[Any, Lists], Any]
    say: Callable[[Any, saying.Names], list[Message]]
    empty: Any = None
    is_where: bool = False
    is_for_new: bool = False

    @property
    def label(self) -> Message:
        return Message(f"listing.field.{self.name}")


@dataclass(frozen=True)
class Difference:
    """What changed in one field: lines of words before and after, and one sentence that says it."""

    field: str
    label: Message
    before: list[Message]
    after: list[Message]
    message: Message


class InvalidListing(Invalid):
    """Values that can't be taken. Every one has its finding: field (`phones.number`), row (from 1), value, message."""

    def __init__(self, findings: list[Finding]):
        first = findings[0]
        super().__init__(first.message.key, field=first.field, **first.message.params)
        self.findings = findings
        self.candidates = [
            {
                "field": found.field,
                "row": found.row,
                "value": found.value,
                "message": found.message.as_json(),
            }
            for found in findings
        ]


# How each field is read --------------------------------------------------------------------------


def _plain(reader: Callable[[Any], Any]) -> Callable[[Any, Lists], Any]:
    return lambda value, _lists: reader(value)


def _phones(value: Any, _lists: Lists) -> list[dict[str, Any]]:
    return in_order(items(value, _phone))


def _phone(item: Item) -> dict[str, Any]:
    printed = item.read("number", needed)
    given, extension = item.read("extension", line, most=10), None
    if given is None:
        printed, extension = phones.split(printed)
    if not phones.is_number(printed):
        raise Wrong("listing.wrong.phone", printed, part="number")
    return {
        "number": printed,
        "extension": given or extension,
        "type": item.read("type", maybe, phones.TYPES),
        "description": item.read("description", line),
    }


ADDRESS = ("address_1", "city", "state_province", "postal_code")


def _address(value: Any, _lists: Lists) -> dict[str, Any] | None:
    item = _object(value)
    if item is None or item.is_blank:
        return None
    return {
        "address_1": item.read("address_1", needed),
        **{part: item.read(part, line) or "" for part in ADDRESS[1:]},
    }


def _area(value: Any, lists: Lists) -> str | None:
    code = line(value)
    if code is not None and not lists.is_area(code):
        raise Wrong("listing.wrong.area", code)
    return code


def _point(value: Any, _lists: Lists) -> dict[str, float] | None:
    item = _object(value)
    if item is None or item.is_blank:
        return None
    lat = item.read("lat", number, low=-90, high=90)
    lon = item.read("lon", number, low=-180, high=180)
    if lat is None or lon is None or not is_on_earth(lat, lon) or (lat, lon) == (0, 0):
        raise Wrong("listing.wrong.point")
    return {"lat": lat, "lon": lon}


def _categories(value: Any, lists: Lists) -> list[str]:
    found = codes(value, lambda code: code.removeprefix(INFERRED) in lists.categories)
    stated = {code for code in found if not code.startswith(INFERRED)}
    kept = stated | {code for code in found if code.removeprefix(INFERRED) not in stated}
    return sorted(kept, key=lambda code: code.removeprefix(INFERRED))


def _service_areas(value: Any, lists: Lists) -> list[str]:
    found = codes(value, lambda code: code == EVERYWHERE or _is_area_or_words(code, lists))
    return [EVERYWHERE] if EVERYWHERE in found else sorted(found)


def _is_area_or_words(code: str, lists: Lists) -> bool:
    return lists.is_area(code) or (bool(code.strip()) and not code[:1].isdigit())


def _languages(value: Any, _lists: Lists) -> list[str]:
    return sorted(
        codes(value, lambda c: len(c) == 3 and c.isascii() and c.isalpha() and c.islower())
    )


def _documents(value: Any, lists: Lists) -> list[dict[str, Any]] | None:
    if value is None:
        return None

    def read(item: Item) -> dict[str, Any]:
        code, words = item.read("code", maybe, lists.documents), item.read("words", line)
        if code is None and words is None:
            raise Wrong("listing.wrong.missing", part="words")
        return {
            "code": code,
            "words": None if code and words == lists.documents[code] else words,
            "how_to_get": item.read("how_to_get", line, most=1000),
        }

    return in_order(items(value, read))


def _entry_steps(value: Any, lists: Lists) -> list[dict[str, Any]]:
    def read(item: Item) -> dict[str, Any]:
        return {
            "office": item.read("office", needed),
            "documents": item.read("documents", codes, lambda code: code in lists.documents),
            "days": item.read("days", number, low=0, high=3650),
            "cost": item.read("cost", line),
            "who_may_go": item.read("who_may_go", line),
        }

    return items(value, read)


NO_COST: dict[str, Any] = {"fee": "unknown", "amount": None, "words": None}
PRICE = ("option", "currency", "amount", "amount_description", "valid_from", "valid_to")


def _cost(value: Any, _lists: Lists) -> dict[str, Any]:
    item = _object(value)
    if item is None or item.is_blank:
        return NO_COST
    fee = item.read("fee", choice, FEES) if item["fee"] else "unknown"
    amount = item.read("amount", number, low=0, high=_MOST_MONEY)
    if fee == "free" and amount:
        raise Wrong("listing.wrong.free_has_price", amount, part="amount")
    if fee == "unknown" and amount:
        fee = "paid"
    found = {"fee": fee, "amount": amount or None, "words": item.read("words", text, most=1000)}
    more = in_order(item.read("more", items, _price))
    return found | ({"more": more} if more else {})


def _price(item: Item) -> dict[str, Any]:
    return {
        **{part: item.read(part, line) for part in ("option", "currency", "amount_description")},
        "amount": item.read("amount", number, low=0, high=_MOST_MONEY),
        **{part: item.read(part, day) for part in ("valid_from", "valid_to")},
    }


_NO_ELIGIBILITY: dict[str, Any] = {
    "minimum_age": None,
    "maximum_age": None,
    "sex": None,
    "desil_max": None,
    "disability": None,
    "residency": None,
}


def _eligibility(value: Any, lists: Lists) -> dict[str, Any]:
    item = _object(value)
    if item is None:
        return _NO_ELIGIBILITY

    def some(part: str, is_known: Callable[[str], bool]) -> list[str] | None:
        return None if item[part] is None else sorted(item.read(part, codes, is_known))

    found = {
        "minimum_age": item.read("minimum_age", number, low=0, high=OLDEST_YEARS),
        "maximum_age": item.read("maximum_age", number, low=0, high=OLDEST_YEARS),
        "sex": some("sex", lambda code: code in SEXES),
        "desil_max": item.read("desil_max", whole, low=1, high=HIGHEST_DESIL),
        "disability": some("disability", lambda code: code in lists.disabilities),
        "residency": some("residency", lists.is_area),
    }
    low, high = found["minimum_age"], found["maximum_age"]
    if low is not None and high is not None and high < low:
        raise Wrong("listing.wrong.age_order", high, part="maximum_age")
    if found["sex"] == sorted(SEXES):
        found["sex"] = []
    return found


def _capacity(value: Any, _lists: Lists) -> dict[str, Any] | None:
    item = _object(value)
    if item is None:
        return None
    found = {
        "status": item.read("status", maybe, [status.value for status in CapacityStatus]),
        "available": item.read("available", number, low=0, high=1_000_000),
        "maximum": item.read("maximum", number, low=0, high=1_000_000),
        "until": item.read("until", day),
    }
    return None if not any(part is not None for part in found.values()) else found


def in_order(entries: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Entries whose order says nothing, always in the same one."""
    return sorted(entries, key=lambda entry: [str(part or "") for part in entry.values()])


def _object(value: Any) -> Item | None:
    if value is None:
        return None
    if not isinstance(value, Mapping):
        raise Wrong("listing.wrong.list", value)
    return Item(dict(value))


def _among(kind: Iterable[Any]) -> Callable[[Any, Lists], str]:
    words = [member.value for member in kind]
    return lambda value, _lists: choice(value, words)


#: every field, in the order pages ask for them
FIELDS: dict[str, Field] = {
    field.name: field
    for field in (
        Field("name", _plain(needed), saying.words),
        Field("organization", _plain(line), saying.words, is_for_new=True),
        Field("alternate_name", _plain(line), saying.words),
        Field("description", _plain(text), saying.words),
        Field("status", _among(ServiceStatus), saying.status, empty="active"),
        Field("alert", _plain(text), saying.words),
        Field("categories", _categories, saying.categories, empty=[]),
        Field("phones", _phones, saying.phones, empty=[]),
        Field("url", _plain(url), saying.words),
        Field("email", _plain(email), saying.words),
        Field("address", _address, saying.address, is_where=True),
        Field("area_code", _area, saying.area, is_where=True),
        Field("point", _point, saying.point, is_where=True),
        Field("hours", read_hours, saying.hours, empty=[]),
        Field("exceptions", read_exceptions, saying.exceptions, empty=[]),
        Field("hours_until", _plain(day), saying.day),
        Field("follows_public_holidays", _plain(yes_no_unknown), saying.holidays),
        Field("service_areas", _service_areas, saying.service_areas, empty=[]),
        Field("languages", _languages, saying.languages, empty=[]),
        Field("interpretation_services", _plain(text), saying.words),
        Field("eligibility", _eligibility, saying.eligibility, empty=_NO_ELIGIBILITY),
        Field("eligibility_description", _plain(text), saying.words),
        Field("documents", _documents, saying.documents),
        Field("entry_steps", _entry_steps, saying.entry_steps, empty=[]),
        Field("application_process", _plain(text), saying.words),
        Field("cost", _cost, saying.cost, empty=NO_COST),
        Field("capacity", _capacity, saying.capacity),
        Field("answer_mode", _among(AnswerMode), saying.answer_mode, empty="replies"),
        Field("contact_mode", _among(ContactMode), saying.contact_mode, empty="direct"),
    )
}
#: what of a place is never shown where it is confidential
WHERE = tuple(name for name, field in FIELDS.items() if field.is_where)


def read(values: Mapping[str, Any], lists: Lists) -> tuple[dict[str, Any], list[Finding]]:
    """The values as they are kept, and what is wrong with the others. An unknown field is wrong."""
    found: dict[str, Any] = {}
    findings = []
    for name, value in values.items():
        field = FIELDS.get(name)
        try:
            if field is None:
                raise Wrong("listing.wrong.field", name)
            found[name] = field.read(value, lists)
        except Wrong as wrong:
            where = f"{name}.{wrong.part}" if wrong.part else name
            message = Message(wrong.key, wrong.params)
            findings.append(Finding(wrong.row, where, str(wrong.value)[:_SHOWN], message, "error"))
    return found, findings


def empty_values() -> dict[str, Any]:
    """A listing of which nothing is stated."""
    return {name: field.empty for name, field in FIELDS.items()}


def is_same(name: str, one: Any, other: Any) -> bool:
    """Whether two values of a field say the same; what only the listing itself adds makes no difference."""
    return bool(_without(_ADDED.get(name), one) == _without(_ADDED.get(name), other))


def _without(part: str | None, value: Any) -> Any:
    if part is not None and isinstance(value, Mapping):
        return {name: said for name, said in value.items() if name != part}
    return value


def changed(values: Values, seen: Values) -> dict[str, Any]:
    """The fields whose value is not the one that was seen."""
    return {
        name: value
        for name, value in values.items()
        if name not in seen or not is_same(name, value, seen[name])
    }


def differences(before: Values, after: Values, names: saying.Names = str) -> list[Difference]:
    """What changed, field by field in the order of the table.

    names  gives the name of an area by its code
    """
    found = []
    for name, field in FIELDS.items():
        if name not in after or is_same(name, before.get(name, field.empty), after[name]):
            continue
        old = field.say(before.get(name, field.empty), names)
        new = field.say(after[name], names)
        found.append(Difference(name, field.label, old, new, _sentence(field.label, old, new)))
    return found


def _sentence(label: Message, old: list[Message], new: list[Message]) -> Message:
    added = [line for line in new if line not in old]
    removed = [line for line in old if line not in new]
    if not old:
        key, said = "listing.change.said", {"new": new}
    elif not new:
        key, said = "listing.change.unsaid", {"old": old}
    elif added and not removed:
        key, said = "listing.change.added", {"new": added}
    elif removed and not added:
        key, said = "listing.change.removed", {"old": removed}
    else:
        key, said = "listing.change.replaced", {"old": removed or old, "new": added or new}
    lines = {name: saying.together(some) for name, some in said.items() if some}
    return Message(key, {"field": label, **lines})
