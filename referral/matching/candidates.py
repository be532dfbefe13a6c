"""Loads the offers of a category from the database, as plain facts for the rules.

The one part of matching that an index may replace: whatever gives the same offers will do.
"""

import csv
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Subquery, and_, case, func, select
from sqlalchemy.orm import Session

from referral.directory.models import (
    Accessibility,
    CategoryBasis,
    CostOption,
    Criterion,
    EligibilityRule,
    EntryStep,
    Language,
    Location,
    Organization,
    RequiredDocument,
    Schedule,
    Service,
    ServiceArea,
    ServiceAtLocation,
    ServiceCapacity,
    ServiceCategory,
    ServiceStatus,
    SystemType,
)
from referral.directory.opening import OpeningRow, is_readable, shared_row
from referral.directory.upkeep.doubts import doubts
from referral.matching.doubts import doubted
from referral.matching.facts import Document, Offer
from referral.matching.models import ServiceStanding
from referral.matching.rules import FAMILY_COUNSELLING
from referral.places.codes import no_finer_than_regency, regency_of
from referral.places.gazetteer import Gazetteer

FACILITY_DEFAULTS = Path(__file__).parents[2] / "directory_data" / "facility_defaults.csv"

_COUPLES = re.compile(
    r"\b(?:nikah|pernikahan|perkawinan|pasangan|mediasi|couple|marital|marriage)\b", re.I
)
#: What the free text of HSDS's accessibility rows says about a place.
_ACCESS_WORDS = {
    "physical": re.compile(r"kursi roda|wheelchair|\bramp\b|landai|\blift\b|elevator", re.I),
    "visual": re.compile(r"braille|guiding block|jalur pemandu|tactile|netra", re.I),
    "hearing": re.compile(r"isyarat|sign language|\bJBI\b|induction loop|rungu", re.I),
}
_NOT = re.compile(r"^\s*(?:no|not|tidak|belum|tanpa)\b", re.I)


@dataclass(frozen=True)
class FacilityDefault:
    """What is assumed of a service from its type, from directory_data/facility_defaults.csv."""

    answer_mode: str
    own_area_only: bool
    never_with_violence: bool


@cache
def facility_defaults() -> dict[str, FacilityDefault]:
    with FACILITY_DEFAULTS.open(encoding="utf-8", newline="") as file:
        return {
            row["facility_type"]: FacilityDefault(
                row["answer_mode"],
                row["own_area_only"] == "yes",
                row["never_with_violence"] == "yes",
            )
            for row in csv.DictReader(file)
        }


#: Services whose rows are read at once.
_BATCH = 5_000
#: Not merged into another listing, and no harm by it is being looked into.
_IS_OFFERED = and_(
    Service.merged_into_id.is_(None),
    ~select(ServiceStanding.service_id)
    .where(ServiceStanding.service_id == Service.id, ServiceStanding.suspended)
    .exists(),
)
_USUAL = FacilityDefault("replies", own_area_only=False, never_with_violence=False)


def offers_of(session: Session, codes: Iterable[str], gazetteer: Gazetteer) -> list[Offer]:
    """Every service at a place that has one of these categories, whatever its state.

    What was merged into another listing is that listing's; where harm is being looked into nobody is sent.
    """
    services = select(ServiceCategory.service_id).where(ServiceCategory.code.in_(list(codes)))
    return _load(session, services, gazetteer, _IS_OFFERED)


def offers_at(session: Session, site_ids: Iterable[UUID], gazetteer: Gazetteer) -> list[Offer]:
    """These services at places."""
    services = select(ServiceAtLocation.service_id).where(ServiceAtLocation.id.in_(list(site_ids)))
    wanted = set(site_ids)
    found = _load(session, services, gazetteer)
    return [offer for offer in found if offer.service_at_location_id in wanted]


def offers_by(session: Session, service_ids: Iterable[UUID], gazetteer: Gazetteer) -> list[Offer]:
    """These services wherever they are given, as `everything` has them."""
    services = select(Service.id).where(Service.id.in_(list(service_ids)))
    return _load(session, services, gazetteer, _IS_OFFERED)


def everything(session: Session, gazetteer: Gazetteer) -> Iterator[Offer]:
    """Every service at a place, some thousand at a time."""
    after: UUID | None = None
    while True:
        following = select(Service.id).order_by(Service.id).limit(_BATCH)
        if after is not None:
            following = following.where(Service.id > after)
        ids = session.scalars(following).all()
        if not ids:
            return
        after = ids[-1]
        services = select(Service.id).where(Service.id.between(ids[0], after))
        yield from _load(session, services, gazetteer, _IS_OFFERED)


def _load(
    session: Session,
    services: Select[UUID],
    gazetteer: Gazetteer,
    *conditions: ColumnElement[bool],
) -> list[Offer]:
    categories = _categories(services)
    sites = session.execute(
        select(
            ServiceAtLocation.id,
            ServiceAtLocation.service_id,
            categories.c.stated,
            categories.c.inferred,
            Service.organization_id,
            Service.name,
            Service.status,
            Service.minimum_age,
            Service.maximum_age,
            Service.facility_type,
            Service.remote,
            Service.assured_date,
            Service.assured_by_role,
            Service.interpretation_services,
            Organization.system_type,
            # The true point of a confidential place does not even leave the database.
            case((Location.confidential, None), else_=Location.latitude).label("latitude"),
            case((Location.confidential, None), else_=Location.longitude).label("longitude"),
            Location.precision_km,
            Location.confidential,
            Location.area_code,
        )
        .join(Service, Service.id == ServiceAtLocation.service_id)
        .outerjoin(categories, categories.c.service_id == Service.id)
        .join(Organization, Organization.id == Service.organization_id)
        .outerjoin(Location, Location.id == ServiceAtLocation.location_id)
        .where(ServiceAtLocation.service_id.in_(services), *conditions)
    ).all()
    parts = _Parts(session, services)
    offers = [_offer(row, parts, gazetteer) for row in sites]
    in_doubt = doubts(session, services)
    return [
        doubted(offer, in_doubt[offer.service_id]) if offer.service_id in in_doubt else offer
        for offer in offers
    ]


def _categories(services: Select[UUID]) -> Subquery:
    """One row per service with its categories, joined by commas: stated, inferred."""

    def of(basis: CategoryBasis) -> ColumnElement[str]:
        code = case((ServiceCategory.basis == basis, ServiceCategory.code))
        return func.aggregate_strings(code, ",")

    return (
        select(
            ServiceCategory.service_id,
            of(CategoryBasis.STATED).label("stated"),
            of(CategoryBasis.INFERRED).label("inferred"),
        )
        .where(ServiceCategory.service_id.in_(services))
        .group_by(ServiceCategory.service_id)
        .subquery()
    )


class _Parts:
    """The rows beside the services, by the id they belong to; few have any, so each is one query."""

    def __init__(self, session: Session, services: Select[UUID]):
        is_asked = ServiceAtLocation.service_id.in_(services)
        sites = select(ServiceAtLocation.id).where(is_asked)
        hours = [getattr(Schedule, name) for name in OpeningRow.__dataclass_fields__]
        self.hours = _by_owner(
            session.execute(select(owner, *hours).where(owner.in_(some)).order_by(Schedule.id))
            for owner, some in (
                (Schedule.service_at_location_id, sites),
                (Schedule.service_id, services),
            )
        )
        at_place = session.execute(
            select(ServiceAtLocation.id, *hours)
            .join(Schedule, Schedule.location_id == ServiceAtLocation.location_id)
            .where(is_asked)
            .order_by(Schedule.id)
        )
        self.place_hours = _by_owner([at_place])
        self.areas = _by_owner(
            session.execute(
                select(owner, ServiceArea.area_code)
                .where(owner.in_(some))
                .order_by(ServiceArea.area_code)
            )
            for owner, some in (
                (ServiceArea.service_at_location_id, sites),
                (ServiceArea.service_id, services),
            )
        )
        self.languages = _of_service(
            session.execute(
                select(Language.service_id, Language.code)
                .where(Language.service_id.in_(services), Language.code.is_not(None))
                .order_by(Language.code)
            )
        )
        self.costs = _of_service(
            session.execute(
                select(CostOption.service_id, CostOption.amount).where(
                    CostOption.service_id.in_(services)
                )
            )
        )
        self.documents = _of_service(
            session.execute(
                select(
                    RequiredDocument.service_id,
                    RequiredDocument.code,
                    RequiredDocument.document,
                    RequiredDocument.how_to_get,
                )
                .where(RequiredDocument.service_id.in_(services))
                .order_by(RequiredDocument.code, RequiredDocument.id)
            )
        )
        self.steps = _of_service(
            session.execute(
                select(EntryStep.service_id, EntryStep.office, EntryStep.documents)
                .where(EntryStep.service_id.in_(services))
                .order_by(EntryStep.position)
            )
        )
        self.capacities = _of_service(
            session.execute(
                select(
                    ServiceCapacity.service_id,
                    ServiceCapacity.status,
                    ServiceCapacity.available,
                    ServiceCapacity.maximum,
                    ServiceCapacity.updated,
                    ServiceCapacity.until,
                )
                .where(ServiceCapacity.service_id.in_(services))
                .order_by(ServiceCapacity.updated, ServiceCapacity.id)
            )
        )
        self.rules: dict[UUID, dict[Criterion, tuple[Any, ...]]] = defaultdict(dict)
        for service_id, criterion, values in session.execute(
            select(
                EligibilityRule.service_id, EligibilityRule.criterion, EligibilityRule.values
            ).where(EligibilityRule.service_id.in_(services))
        ):
            self.rules[service_id][criterion] = tuple(values)
        self.access = _of_service(
            session.execute(
                select(ServiceAtLocation.id, Accessibility.description, Accessibility.details)
                .join(Accessibility, Accessibility.location_id == ServiceAtLocation.location_id)
                .where(is_asked)
            )
        )
        self.standing = {
            row.service_id: row
            for row in session.execute(
                select(
                    ServiceStanding.service_id,
                    ServiceStanding.due,
                    ServiceStanding.in_time,
                    ServiceStanding.open_referrals,
                ).where(ServiceStanding.service_id.in_(services))
            )
        }
        #: every site and service that any of these rows is about
        self.told = {
            owner
            for rows in (
                self.hours,
                self.place_hours,
                self.areas,
                self.languages,
                self.costs,
                self.documents,
                self.capacities,
                self.rules,
                self.access,
                self.standing,
            )
            for owner in rows
        }


def _of_service(rows: Iterable[Any]) -> dict[UUID, list[Any]]:
    found: dict[UUID, list[Any]] = defaultdict(list)
    for row in rows:
        found[row[0]].append(row)
    return found


def _by_owner(results: Iterable[Iterable[Any]]) -> dict[UUID, list[Any]]:
    """Rows of several results by their first column."""
    found: dict[UUID, list[Any]] = defaultdict(list)
    for rows in results:
        for row in rows:
            found[row[0]].append(row[1:])
    return found


def _offer(row: Any, parts: _Parts, gazetteer: Gazetteer) -> Offer:
    service_id = row.service_id
    default = facility_defaults().get(row.facility_type or "", _USUAL)
    categories = _said(row.stated, row.inferred)
    area = row.area_code
    latitude, longitude, precision_km = row.latitude, row.longitude, row.precision_km
    if row.confidential:
        area = no_finer_than_regency(area)
        latitude, longitude, precision_km = _public_point(area, gazetteer)
    # Most services have nothing beside themselves: one look instead of one per kind of row.
    told = parts.told & {row.id, service_id}
    return Offer(
        service_at_location_id=row.id,
        service_id=service_id,
        organization_id=row.organization_id,
        categories=categories,
        active=row.status is ServiceStatus.ACTIVE,
        latitude=latitude,
        longitude=longitude,
        precision_km=precision_km or 0.0,
        confidential=bool(row.confidential),
        area_code=area,
        remote=row.remote.value if row.remote else None,
        assumed_area=regency_of(area) if default.own_area_only else None,
        minimum_age=row.minimum_age,
        maximum_age=row.maximum_age,
        interprets=bool(row.interpretation_services),
        assured_on=row.assured_date,
        assured_by=row.assured_by_role,
        unsafe_with_violence=(
            default.never_with_violence
            or row.system_type is SystemType.INFORMAL  # somebody of their own surroundings
            or _counsels_couples(row, categories)
        ),
        **(_told(row.id, service_id, parts) if told else {}),
    )


@lru_cache(maxsize=1000)
def _said(stated: str | None, inferred: str | None) -> Mapping[str, bool]:
    """{category: whether the source says so}; few combinations exist, so offers share them."""
    said = dict.fromkeys(inferred.split(","), False) if inferred else {}
    return MappingProxyType(said | (dict.fromkeys(stated.split(","), True) if stated else {}))


def _told(site_id: UUID, service_id: UUID, parts: _Parts) -> dict[str, Any]:
    """What the rows beside a service say; what is said of the site overrides the service."""
    told: dict[str, Any] = {}
    hours = (
        parts.hours.get(site_id) or parts.hours.get(service_id) or parts.place_hours.get(site_id)
    )
    if hours:
        rows = (shared_row(*values) for values in hours)
        told["hours"] = tuple(row for row in rows if is_readable(row))
    if areas := parts.areas.get(site_id) or parts.areas.get(service_id):
        # An area that nobody could name may be anybody's: then it is not known who lives outside.
        codes = tuple(code for (code,) in areas)
        told["service_areas"] = () if None in codes else codes
    if rules := parts.rules.get(service_id):
        told.update(
            residency=rules.get(Criterion.RESIDENCY),
            sex=rules.get(Criterion.SEX),
            desil=rules.get(Criterion.DESIL),
            disability=rules.get(Criterion.DISABILITY),
        )
    if documents := parts.documents.get(service_id):
        told["documents"] = _documents(documents, parts.steps.get(service_id, []))
    if languages := parts.languages.get(service_id):
        told["languages"] = tuple(language.code for language in languages)
    if costs := parts.costs.get(service_id):
        told["fee"] = not any(cost.amount == 0 for cost in costs)
    if capacities := parts.capacities.get(service_id):
        told.update(_capacity(capacities))
    if access := parts.access.get(site_id):
        told["access"], told["no_access"] = _access(access)
    if standing := parts.standing.get(service_id):
        told.update(
            due=standing.due,
            in_time=standing.in_time,
            open_referrals=standing.open_referrals,
        )
    return told


def _counsels_couples(row: Any, categories: Mapping[str, bool]) -> bool:
    """Family help that, as far as its data tell, brings both sides to one table."""
    if set(categories) != {FAMILY_COUNSELLING}:
        return False
    return bool(_COUPLES.search(row.name))


def _public_point(
    area_code: str | None, gazetteer: Gazetteer
) -> tuple[float | None, float | None, float | None]:
    """Where a confidential place may be said to be: the seat of its kab/kota."""
    code = no_finer_than_regency(area_code)
    located = gazetteer.locate(code) if code and code in gazetteer else None
    if located is None or regency_of(located.at.code) is None:
        return None, None, None
    return located.latitude, located.longitude, located.precision_km


def _documents(rows: list[Any], steps: list[Any]) -> tuple[Document, ...]:
    """What is asked for; a step of the entry path that gives a paper says how to get it."""
    offices = {code: step.office for step in steps for code in step.documents}
    return tuple(
        Document(row.code, row.document or row.code or "", row.how_to_get or offices.get(row.code))
        for row in rows
        if row.document or row.code
    )


def _capacity(rows: list[Any]) -> dict[str, Any]:
    """The newest word on room, and the most people it can help at a time."""
    told = [row for row in rows if row.status is not None or row.available is not None]
    newest = told[-1] if told else None
    maximum = next((row.maximum for row in reversed(rows) if row.maximum), None)
    if newest is None:
        return {"capacity_maximum": maximum}
    counted = "capacity" if newest.available else "no-capacity"
    return {
        "capacity": newest.status.value if newest.status else counted,
        "capacity_at": newest.updated,
        "capacity_until": newest.until,
        "capacity_maximum": maximum,
    }


def _access(rows: list[Any]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    yes: set[str] = set()
    no: set[str] = set()
    for row in rows:
        text = f"{row.description or ''} {row.details or ''}"
        named = {code for code, words in _ACCESS_WORDS.items() if words.search(text)}
        (no if _NOT.search(text) else yes).update(named)
    return tuple(sorted(yes)), tuple(sorted(no))
