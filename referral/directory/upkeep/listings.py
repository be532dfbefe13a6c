"""A listing's rows as values that can be edited. How changed values go back: `upkeep.writing`."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from referral.core.errors import NotFound
from referral.directory.kinds import HIGHEST_DESIL, Criterion
from referral.directory.models import (
    CategoryBasis,
    CostOption,
    Location,
    RequiredDocument,
    Schedule,
    Service,
    ServiceArea,
    ServiceAtLocation,
    ServiceCapacity,
)
from referral.directory.points import OF_AREA
from referral.directory.reference import known
from referral.directory.upkeep import editing, scheduling
from referral.directory.upkeep.values import Lists
from referral.places.gazetteer import Gazetteer

#: fields that are a column of the service itself, under the same name
COLUMNS = (
    "name",
    "alternate_name",
    "description",
    "status",
    "alert",
    "url",
    "email",
    "interpretation_services",
    "eligibility_description",
    "application_process",
    "answer_mode",
    "contact_mode",
)


def lists(gazetteer: Gazetteer) -> Lists:
    """The codes and areas that values may name."""
    codes = known()
    return Lists(
        codes.categories, codes.documents, codes.disabilities, lambda code: code in gazetteer
    )


def get(session: Session, service_id: UUID) -> Service:
    """A listing that may be changed. Raises NotFound for one that is merged into another, and for people's own help."""
    service = session.get(Service, service_id)
    if service is None or service.merged_into_id is not None or service.organization.is_private:
        raise NotFound("directory.unknown_service")
    return service


def is_confidential(service: Service) -> bool:
    """Whether where it is given must stay secret."""
    return any(site.location is not None and site.location.confidential for site in service.sites)


def values_of(service: Service, *, for_owner: bool = False) -> dict[str, Any]:
    """The values of every field, as `upkeep.editing` has them.

    Where it is given (address, area_code, point) is not among them for a service at several places, nor,
    unless `for_owner`, for a confidential place.
    """
    timetable = scheduling.read(schedules_of(service))
    found: dict[str, Any] = {name: plain(getattr(service, name)) for name in COLUMNS} | {
        "categories": _categories(service),
        "phones": _phones(service),
        "hours": timetable.hours,
        "exceptions": timetable.exceptions,
        "hours_until": timetable.hours_until,
        "follows_public_holidays": timetable.follows_public_holidays,
        "service_areas": sorted({words for row in areas_of(service) if (words := area(row))}),
        "languages": sorted({row.code for row in service.languages if row.code}),
        "documents": _documents(service.required_documents),
        "entry_steps": [
            {
                "office": step.office,
                "documents": list(step.documents),
                "days": step.days,
                "cost": step.cost,
                "who_may_go": step.who_may_go,
            }
            for step in service.entry_steps
        ],
        "cost": _cost(service),
        "eligibility": _eligibility(service),
        "capacity": _capacity(capacities_told(service)),
    }
    if len(service.sites) < 2 and (for_owner or not is_confidential(service)):
        found |= _where(place_of(service))
    return {name: found[name] for name in editing.FIELDS if name in found}


def plain(value: Any) -> Any:
    """A column's value as JSON holds it."""
    return str(value) if hasattr(value, "value") else value


def site_of(service: Service) -> ServiceAtLocation | None:
    """The one place where it is given; None where there are several, or none."""
    return service.sites[0] if len(service.sites) == 1 else None


def place_of(service: Service) -> Location | None:
    site = site_of(service)
    return site.location if site is not None else None


def schedules_of(service: Service) -> Sequence[Schedule]:
    """The rows that hours are read from: those of its one site, else its own, else those of the place."""
    site, place = site_of(service), place_of(service)
    rows = (site.schedules if site is not None else ()) or service.schedules
    return rows or (place.schedules if place is not None else ())


def areas_of(service: Service) -> Sequence[ServiceArea]:
    """The rows that say whom it is for: those of its one site override its own."""
    site = site_of(service)
    return (site.service_areas if site is not None else ()) or service.service_areas


def area(row: ServiceArea) -> str | None:
    """The value of one area: its code, else its words."""
    return row.area_code or row.name or row.description


def _categories(service: Service) -> list[str]:
    return [
        row.code if row.basis is CategoryBasis.STATED else f"{editing.INFERRED}{row.code}"
        for row in sorted(service.categories, key=lambda row: row.code)
    ]


def _phones(service: Service) -> list[dict[str, Any]]:
    found = [
        {part: getattr(row, part) for part in ("number", "extension", "type", "description")}
        for row in service.phones
    ]
    return editing.in_order(found)


def document(row: RequiredDocument) -> dict[str, Any]:
    """The value of one document; the list's own name of a coded one is left out."""
    words = None if row.code and row.document == known().documents.get(row.code) else row.document
    return {"code": row.code, "words": words, "how_to_get": row.how_to_get}


def _documents(rows: Sequence[RequiredDocument]) -> list[dict[str, Any]] | None:
    if not rows:
        return None
    return editing.in_order([document(row) for row in rows if row.code or row.document])


def main_cost(rows: Sequence[CostOption]) -> CostOption | None:
    """Of several prices the one that says whether it costs anything."""
    return min(rows, key=lambda row: (row.option not in editing.FEES, row.id), default=None)


def price(row: CostOption) -> dict[str, Any]:
    return {
        part: value.isoformat() if isinstance(value := getattr(row, part), date) else value
        for part in editing.PRICE
    }


def _cost(service: Service) -> dict[str, Any]:
    main = main_cost(service.cost_options)
    if main is None:
        return editing.NO_COST | {"words": service.fees_description}
    free = main.option == "free" or main.amount == 0
    found = {
        "fee": "free" if free else "paid",
        "amount": main.amount or None,
        "words": service.fees_description or main.amount_description,
    }
    more = [price(row) for row in service.cost_options if row is not main]
    return found | ({"more": editing.in_order(more)} if more else {})


def _eligibility(service: Service) -> dict[str, Any]:
    rules = {rule.criterion: list(rule.values) for rule in service.eligibility_rules}
    desil = rules.get(Criterion.DESIL)
    return {
        "minimum_age": service.minimum_age,
        "maximum_age": service.maximum_age,
        "sex": _sorted(rules.get(Criterion.SEX)),
        "desil_max": None if desil is None else int(max(desil, default=HIGHEST_DESIL)),
        "disability": _sorted(rules.get(Criterion.DISABILITY)),
        "residency": _sorted(rules.get(Criterion.RESIDENCY)),
    }


def _sorted(values: list[Any] | None) -> list[str] | None:
    found = None if values is None else sorted(str(value) for value in values)
    return [] if found == sorted(editing.SEXES) else found


def capacities_told(service: Service) -> list[ServiceCapacity]:
    """What was said about room, the newest last."""
    return sorted(service.capacities, key=lambda row: (row.updated, row.id))


def _capacity(rows: Sequence[ServiceCapacity]) -> dict[str, Any] | None:
    if not rows:
        return None
    newest = rows[-1]
    return {
        "status": plain(newest.status),
        "available": newest.available,
        "maximum": newest.maximum,
        "until": newest.until.isoformat() if newest.until else None,
        "as_of": newest.updated.isoformat(),
    }


def _where(place: Location | None) -> dict[str, Any]:
    if place is None:
        return dict.fromkeys(editing.WHERE)
    stated = place.latitude is not None and place.point_source not in OF_AREA
    address = place.addresses[0] if place.addresses else None
    return {
        "address": address and {part: getattr(address, part) or "" for part in editing.ADDRESS},
        "area_code": place.area_code,
        "point": {
            "lat": place.latitude,
            "lon": place.longitude,
            "precision_km": place.precision_km,
        }
        if stated
        else None,
    }
