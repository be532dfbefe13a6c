"""How each field of a listing stands in a form: filled in from its value, and read back as it was typed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from werkzeug.datastructures import MultiDict

from referral.directory.upkeep.editing import EVERYWHERE, INFERRED
from referral.web.answers import Answers
from referral.web.listings import areas, hours, rows, who

#: name of a list of rows in the forms → what a row is made of
LISTS: dict[str, Sequence[str]] = {
    "phones": ("number", "extension", "type", "description"),
    "categories": ("code", "guess", "sure"),
    "documents": ("code", "words", "how_to_get"),
    "entry_steps": ("office", "documents*", "days", "cost", "who_may_go"),
    "languages": ("code",),
    "service_areas": areas.FIELDS,
    who.RESIDENCY: areas.FIELDS,
    **hours.LISTS,
}
#: of a listing that states none, so that the form shows where to write
_FIRST_ROWS = ("phones", "categories", "service_areas", who.RESIDENCY, "documents")

Given = MultiDict[str, str]


@dataclass(frozen=True)
class FormField:
    """fill(given, value) puts a value into a form; read(answers, before) gives what the form says now."""

    fill: Callable[[Given, Any], None]
    read: Callable[[Answers, Any], Any]


def with_first_rows(given: Given) -> None:
    """An empty row in each list that has none."""
    for name in _FIRST_ROWS:
        if f"{name}-count" in given and given[f"{name}-count"] == "0":
            rows.write(given, name, LISTS[name], [{}])


def _words(name: str) -> FormField:
    def fill(given: Given, value: Any) -> None:
        given[name] = value or ""

    return FormField(fill, lambda answers, _before: answers.shown(name))


def _row_list(name: str) -> FormField:
    """A list whose rows are its entries, part by part."""
    fields = [field.rstrip(rows.SEVERAL) for field in LISTS[name]]

    def fill(given: Given, value: Any) -> None:
        listed = [{part: _text(entry[part]) for part in fields} for entry in value or ()]
        rows.write(given, name, LISTS[name], listed)

    def read(answers: Answers, _before: Any) -> list[dict[str, Any]]:
        return [
            {part: text for part, text in row.items() if text.strip()}
            for row in rows.typed(answers.given, name, LISTS[name])
        ]

    return FormField(fill, read)


def _text(value: Any) -> str:
    if isinstance(value, list):
        return " ".join(value)
    return str(value or "").removesuffix(".0")


def _parts(name: str, *parts: str) -> FormField:
    """A field with named parts, as an address."""

    def fill(given: Given, value: Any) -> None:
        for part in parts:
            number = (value or {}).get(part)
            given[f"{name}-{part}"] = "" if number is None else _text(number) or "0"

    def read(answers: Answers, _before: Any) -> dict[str, str]:
        return {part: answers.shown(f"{name}-{part}").strip() for part in parts}

    return FormField(fill, read)


def _fill_documents(given: Given, value: Any) -> None:
    given["documents-known"] = "unknown" if value is None else "some" if value else "none"
    _DOCUMENTS.fill(given, value)


def _read_documents(answers: Answers, before: Any) -> Any:
    known = answers.shown("documents-known")
    if known == "some":
        return _DOCUMENTS.read(answers, before)
    return [] if known == "none" else None


def _read_steps(answers: Answers, before: Any) -> Any:
    return [
        step | ({"documents": step["documents"].split()} if "documents" in step else {})
        for step in _STEPS.read(answers, before)
    ]


def _fill_categories(given: Given, value: Any) -> None:
    listed = [
        {"code": code.removeprefix(INFERRED), "guess": "1" if code.startswith(INFERRED) else ""}
        for code in value or ()
    ]
    rows.write(given, "categories", LISTS["categories"], listed)


def _read_categories(answers: Answers, _before: Any) -> list[str]:
    return [
        f"{INFERRED if row['guess'] and not row['sure'] else ''}{row['code']}"
        for row in rows.typed(answers.given, "categories", LISTS["categories"])
        if row["code"]
    ]


def _fill_languages(given: Given, value: Any) -> None:
    rows.write(given, "languages", LISTS["languages"], [{"code": code} for code in value or ()])


def _read_languages(answers: Answers, _before: Any) -> list[str]:
    listed = rows.typed(answers.given, "languages", LISTS["languages"])
    return [row["code"] for row in listed if row["code"]]


def _fill_service_areas(given: Given, value: Any) -> None:
    codes = [code for code in value or () if code != EVERYWHERE]
    given["service_areas-known"] = (
        "everywhere" if EVERYWHERE in (value or ()) else "only" if codes else "unknown"
    )
    areas.fill(given, "service_areas", codes)


def _read_service_areas(answers: Answers, before: Any) -> list[str]:
    known = answers.shown("service_areas-known")
    if known == "everywhere":
        return [EVERYWHERE]
    if known != "only":
        return []
    return areas.read(
        answers, "service_areas", known_words=[c for c in before or () if c != EVERYWHERE]
    )


def _fill_area(given: Given, value: Any) -> None:
    given["area_code"] = areas.written(value) if value else ""


def _read_area(answers: Answers, _before: Any) -> str | None:
    text = " ".join(answers.shown("area_code").split())
    return areas.one(answers, "area_code", text) if text else None


def _fill_cost(given: Given, value: Any) -> None:
    given["cost-fee"] = value["fee"]
    given["cost-amount"] = _text(value["amount"])
    given["cost-words"] = value["words"] or ""


def _read_cost(answers: Answers, before: Any) -> dict[str, Any]:
    found = {part: answers.shown(f"cost-{part}").strip() for part in ("fee", "amount", "words")}
    more = (before or {}).get("more")
    return found | ({"more": more} if more else {})


def _fill_capacity(given: Given, value: Any) -> None:
    _CAPACITY.fill(given, value)
    given["capacity-status"] = (value or {}).get("status") or "unknown"


def _read_capacity(answers: Answers, before: Any) -> dict[str, Any]:
    found: dict[str, Any] = _CAPACITY.read(answers, before)
    return found | ({"status": None} if found["status"] == "unknown" else {})


def _fill_holidays(given: Given, value: Any) -> None:
    given["follows_public_holidays"] = {None: "unknown", True: "yes", False: "no"}[value]


_DOCUMENTS, _STEPS = _row_list("documents"), _row_list("entry_steps")
_CAPACITY = _parts("capacity", "status", "available", "maximum", "until")
_LINES = (
    *("name", "organization", "alternate_name", "description", "alert", "url", "email"),
    *("hours_until", "interpretation_services", "eligibility_description"),
    *("application_process", "status", "answer_mode", "contact_mode"),
)
FORMS: dict[str, FormField] = {
    **{name: _words(name) for name in _LINES},
    "phones": _row_list("phones"),
    "categories": FormField(_fill_categories, _read_categories),
    "address": _parts("address", "address_1", "city", "state_province", "postal_code"),
    "area_code": FormField(_fill_area, _read_area),
    "point": _parts("point", "lat", "lon"),
    "hours": FormField(hours.fill, lambda answers, _before: hours.read(answers)),
    "exceptions": FormField(
        hours.fill_exceptions, lambda answers, _before: hours.read_different(answers)
    ),
    "follows_public_holidays": FormField(
        _fill_holidays, lambda answers, _before: answers.shown("follows_public_holidays")
    ),
    "service_areas": FormField(_fill_service_areas, _read_service_areas),
    "languages": FormField(_fill_languages, _read_languages),
    "eligibility": FormField(who.fill, lambda answers, _before: who.read(answers)),
    "documents": FormField(_fill_documents, _read_documents),
    "entry_steps": FormField(_STEPS.fill, _read_steps),
    "cost": FormField(_fill_cost, _read_cost),
    "capacity": FormField(_fill_capacity, _read_capacity),
}
#: read entry by entry, so that every wrong row is said and not the first alone
BY_ROW = frozenset({"phones", "documents", "entry_steps"})
