"""Changed values of a listing into its rows."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

from referral.core.country import COUNTRY
from referral.directory.kinds import (
    HIGHEST_DESIL,
    AnswerMode,
    CapacityStatus,
    CategoryBasis,
    ContactMode,
    Criterion,
    ServiceStatus,
)
from referral.directory.models import (
    CostOption,
    EligibilityRule,
    EntryStep,
    Language,
    Phone,
    RequiredDocument,
    ServiceArea,
    ServiceCapacity,
    ServiceCategory,
)
from referral.directory.reference import known
from referral.directory.upkeep import editing, listings, placing, timing
from referral.directory.upkeep.recording import Recorder

_KINDS: dict[str, Callable[[str], Any]] = {
    "status": ServiceStatus,
    "answer_mode": AnswerMode,
    "contact_mode": ContactMode,
}
_PHONE = ("number", "extension", "type", "description")
_STEP = ("office", "documents", "days", "cost", "who_may_go", "position")


def write(book: Recorder, values: Mapping[str, Any]) -> None:
    """Put these values, read and found right, into the rows of the recorder's listing."""
    for name in listings.COLUMNS:
        if name in values:
            value = _KINDS[name](values[name]) if name in _KINDS else values[name]
            book.set(book.service, name, value)
    for name, write_one in _WRITERS.items():
        if name in values:
            write_one(book, values[name])
    for fields, write_some in ((timing.FIELDS, timing.write), (editing.WHERE, placing.write)):
        some = {name: values[name] for name in fields if name in values}
        if some:
            write_some(book, some)


def _categories(book: Recorder, codes: list[str]) -> None:
    bases = {
        code.removeprefix(editing.INFERRED): CategoryBasis.INFERRED
        if code.startswith(editing.INFERRED)
        else CategoryBasis.STATED
        for code in codes
    }
    held = {row.code: row for row in book.service.categories}
    for code, row in held.items():
        if code in bases:
            book.set(row, "basis", bases[code])
        else:
            book.delete(row)
    for code in bases.keys() - held.keys():
        book.add(ServiceCategory(service_id=book.service.id, code=code, basis=bases[code]))


def _phones(book: Recorder, phones: list[dict[str, Any]]) -> None:
    book.replace(
        book.service.phones,
        phones,
        value_of=lambda row: {part: getattr(row, part) for part in _PHONE},
        columns=dict,
        make=lambda **values: Phone(service_id=book.service.id, **values),
    )


def _service_areas(book: Recorder, areas: list[str]) -> None:
    site = listings.site_of(book.service)
    of_site = site is not None and bool(site.service_areas)
    owner = (
        {"service_at_location_id": site.id} if site and of_site else {"service_id": book.service.id}
    )
    book.replace(
        listings.areas_of(book.service),
        areas,
        value_of=listings.area,
        columns=lambda code: _area_columns(book, code),
        make=lambda **values: ServiceArea(**owner, **values),
    )


def _area_columns(book: Recorder, code: str) -> dict[str, Any]:
    if code == editing.EVERYWHERE:
        return {"area_code": code, "name": None}
    if code in book.gazetteer:
        return {"area_code": code, "name": book.gazetteer.get(code).name}
    return {"area_code": None, "name": code}


def _languages(book: Recorder, codes: list[str]) -> None:
    book.replace(
        [row for row in book.service.languages if row.code],
        codes,
        value_of=lambda row: row.code,
        columns=lambda code: {"code": code},
        make=lambda **values: Language(service_id=book.service.id, **values),
    )


def _documents(book: Recorder, documents: list[dict[str, Any]] | None) -> None:
    def columns(value: dict[str, Any]) -> dict[str, Any]:
        name = known().documents.get(value["code"] or "")
        return {
            "code": value["code"],
            "document": value["words"] or name,
            "how_to_get": value["how_to_get"],
        }

    # A row that names no document says that none is needed; no row, that nothing is known.
    none_needed = {"code": None, "words": None, "how_to_get": None}
    book.replace(
        book.service.required_documents,
        [none_needed] if documents == [] else documents or [],
        value_of=listings.document,
        columns=columns,
        make=lambda **values: RequiredDocument(service_id=book.service.id, **values),
    )


def _entry_steps(book: Recorder, steps: list[dict[str, Any]]) -> None:
    numbered = [step | {"position": number} for number, step in enumerate(steps, start=1)]
    book.replace(
        book.service.entry_steps,
        numbered,
        value_of=lambda row: {part: getattr(row, part) for part in _STEP},
        columns=dict,
        make=lambda **values: EntryStep(service_id=book.service.id, **values),
    )


def _cost(book: Recorder, cost: dict[str, Any]) -> None:
    main = listings.main_cost(book.service.cost_options)
    others = [row for row in book.service.cost_options if row is not main]
    book.set(book.service, "fees_description", cost["words"])
    if cost["fee"] == "unknown":
        if main is not None:
            book.delete(main)
    else:
        columns = {
            "option": cost["fee"],
            "amount": 0.0 if cost["fee"] == "free" else cost["amount"],
            "amount_description": cost["words"],
        }
        if main is None:
            currency = COUNTRY.currency
            book.add(CostOption(service_id=book.service.id, currency=currency, **columns))
        else:
            book.fill(main, columns)
    book.replace(
        others,
        cost.get("more", ()),
        value_of=listings.price,
        columns=lambda value: (
            value
            | {
                part: value[part] and date.fromisoformat(value[part])
                for part in ("valid_from", "valid_to")
            }
        ),
        make=lambda **values: CostOption(service_id=book.service.id, **values),
    )


def _eligibility(book: Recorder, eligibility: dict[str, Any]) -> None:
    desil = eligibility["desil_max"]
    wanted: dict[Criterion, list[Any] | None] = {
        Criterion.SEX: eligibility["sex"],
        Criterion.DESIL: None if desil is None else [] if desil >= HIGHEST_DESIL else [desil],
        Criterion.DISABILITY: eligibility["disability"],
        Criterion.RESIDENCY: eligibility["residency"],
    }
    for column in ("minimum_age", "maximum_age"):
        book.set(book.service, column, eligibility[column])
    held = {rule.criterion: rule for rule in book.service.eligibility_rules}
    for criterion, values in wanted.items():
        rule = held.get(criterion)
        if values is None:
            if rule is not None:
                book.delete(rule)
        elif rule is not None:
            book.set(rule, "values", values)
        else:
            rule = EligibilityRule(service_id=book.service.id, criterion=criterion, values=values)
            book.add(rule)


def _capacity(book: Recorder, capacity: dict[str, Any] | None) -> None:
    rows = listings.capacities_told(book.service)
    if capacity is None:
        for row in rows:
            book.delete(row)
        return
    said = capacity.get("as_of")
    columns = {
        "status": CapacityStatus(capacity["status"]) if capacity["status"] else None,
        "available": capacity["available"],
        "maximum": capacity["maximum"],
        "until": date.fromisoformat(capacity["until"]) if capacity["until"] else None,
        "updated": datetime.fromisoformat(said) if said else book.as_of,
    }
    if rows:
        book.fill(rows[-1], columns)
    else:
        book.add(ServiceCapacity(service_id=book.service.id, **columns))


_WRITERS: dict[str, Callable[[Recorder, Any], None]] = {
    "categories": _categories,
    "phones": _phones,
    "service_areas": _service_areas,
    "languages": _languages,
    "documents": _documents,
    "entry_steps": _entry_steps,
    "cost": _cost,
    "eligibility": _eligibility,
    "capacity": _capacity,
}
