"""Which rows an open list names: HSDS's filters, all of which must hold, and an order that new rows don't disturb."""

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Select,
    String,
    and_,
    case,
    cast,
    exists,
    false,
    func,
    literal,
    not_,
    or_,
    select,
)
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from referral.core.errors import Invalid
from referral.directory import search
from referral.directory.hsds import vocabularies
from referral.directory.hsds.visible import MODELS, has_secret_place, visible
from referral.directory.models import (
    Address,
    Attribute,
    EligibilityRule,
    Location,
    Organization,
    Service,
    ServiceArea,
    ServiceAtLocation,
    ServiceCapacity,
    ServiceCategory,
    Taxonomy,
    TaxonomyTerm,
)
from referral.directory.points import OF_AREA
from referral.directory.reference import taxonomy as needs
from referral.taxonomy.tree import UnknownCategory

Condition = ColumnElement[bool]
METRES_PER_DEGREE = 111_195.0
#: Addresses looked at to find where a postal code is.
MOST_ADDRESSES = 2000
#: Services that one search finds at most.
MOST_FOUND = 500
#: How many rows a stream holds at once.
BATCH = 200
#: JSON's null, in the text of a row that stands in for one that its source does not have
_STAND_IN = '%"id": null%'


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What a list is asked for. None and empty: not asked.

    proximity_m   metres around the middle of `postcode`
    top_only      terms that have no parent
    """

    search: str = ""
    taxonomy_term_id: UUID | None = None
    taxonomy_id: UUID | None = None
    organization_id: UUID | None = None
    modified_after: datetime | None = None
    parent_id: UUID | None = None
    top_only: bool = False
    postcode: str = ""
    proximity_m: float | None = None


@dataclass(frozen=True)
class Around:
    """Where a postal code is, as the public addresses that have it tell."""

    latitude: float | None
    longitude: float | None
    area_code: str | None


def ids(session: Session, table: str, wanted: Wanted) -> Select[Any]:
    """Ids of the rows of an open list that fit. Raises Invalid for a postal code that nobody here has."""
    conditions = [visible(table), *_CONDITIONS[table](session, wanted)]
    model = MODELS[table]
    if table in ("organization", "taxonomy", "taxonomy_term"):
        stated = cast(model.as_stated, String)  # type: ignore[attr-defined]  # every row of HSDS has it
        conditions.append(or_(stated.is_(None), not_(stated.like(_STAND_IN))))
    query: Select[Any] = select(model.id).where(*conditions)
    return query


def page(
    session: Session, table: str, query: Select[Any], *, number: int, size: int
) -> tuple[list[UUID], int]:
    """Page `number` of a list (from 1), and how many rows the whole list has."""
    model = _listed(table)
    total = session.scalar(select(func.count()).select_from(query.subquery())) or 0
    if (number - 1) * size >= total:
        return [], total
    ordered = query.order_by(model.entered_at.asc().nulls_first(), model.id)
    return list(session.scalars(ordered.limit(size).offset((number - 1) * size))), total


def batches(
    session: Session, table: str, query: Select[Any], *, size: int = BATCH
) -> Iterator[list[UUID]]:
    """The whole list, some rows at a time."""
    model = _listed(table)
    ordered = query.add_columns(model.entered_at).order_by(
        model.entered_at.asc().nulls_first(), model.id
    )
    last: tuple[UUID, datetime | None] | None = None
    while True:
        part = ordered if last is None else ordered.where(_after(model, *last))
        rows = session.execute(part.limit(size)).all()
        if rows:
            yield [row[0] for row in rows]
        if len(rows) < size:
            return
        last = rows[-1][0], rows[-1][1]


def _listed(table: str) -> Any:
    """The model of a table whose rows know when they came in."""
    return MODELS[table]


def _after(model: Any, last_id: UUID, entered_at: datetime | None) -> Condition:
    if entered_at is None:
        beyond = and_(model.entered_at.is_(None), model.id > last_id)
        return or_(beyond, model.entered_at.is_not(None))
    same = and_(model.entered_at == entered_at, model.id > last_id)
    return or_(model.entered_at > entered_at, same)


# Filters.


def _service_conditions(session: Session, wanted: Wanted) -> list[Condition]:
    found = [
        *_found(session, wanted, Service.id),
        *_modified(wanted),
        *_terms(session, wanted, lambda term: _service_has(term, Service.id)),
    ]
    if wanted.organization_id:
        found.append(Service.organization_id == wanted.organization_id)
    return found


def _found(session: Session, wanted: Wanted, service_id: Any) -> list[Condition]:
    """Services that the directory's own search finds: it forgives misspelling and knows short forms."""
    if not wanted.search.split():
        return []
    return [service_id.in_(search.ids(session, wanted.search, MOST_FOUND))]


def _modified(wanted: Wanted) -> list[Condition]:
    """A merged listing has left; only who asks what changed is told, to take it out of a copy."""
    if wanted.modified_after:
        return [Service.last_modified >= wanted.modified_after]
    return [Service.merged_into_id.is_(None)]


def _site_modified(wanted: Wanted) -> list[Condition]:
    if wanted.modified_after:
        mine = Service.id == ServiceAtLocation.service_id
        return [exists().where(mine, *_modified(wanted))]
    merged = select(Service.id).where(Service.merged_into_id.is_not(None))
    return [ServiceAtLocation.service_id.not_in(merged)]


def _organization_conditions(session: Session, wanted: Wanted) -> list[Condition]:
    texts = (Organization.name, Organization.alternate_name, Organization.description)

    def has(term: "_Term") -> Condition:
        service = aliased(Service)
        offered = exists().where(
            service.organization_id == Organization.id, _service_has(term, service.id)
        )
        return or_(_attribute(term, Organization.id), offered)

    return [*_words(wanted.search, texts), *_terms(session, wanted, has)]


def _site_conditions(session: Session, wanted: Wanted) -> list[Condition]:
    service = exists().where(Service.id == ServiceAtLocation.service_id)

    def has(term: "_Term") -> Condition:
        own = or_(
            _attribute(term, ServiceAtLocation.id), _attribute(term, ServiceAtLocation.location_id)
        )
        return or_(own, _service_has(term, ServiceAtLocation.service_id))

    found = [
        *_site_modified(wanted),
        *_found(session, wanted, ServiceAtLocation.service_id),
        *_terms(session, wanted, has),
    ]
    if wanted.organization_id:
        found.append(service.where(Service.organization_id == wanted.organization_id))
    if wanted.postcode:
        found.append(_near(around(session, wanted.postcode), wanted.proximity_m))
    elif wanted.proximity_m is not None:
        raise Invalid("api.proximity_alone", field="proximity")
    return found


def _taxonomy_conditions(_session: Session, wanted: Wanted) -> list[Condition]:
    return _words(wanted.search, (Taxonomy.name, Taxonomy.description))


def _term_conditions(_session: Session, wanted: Wanted) -> list[Condition]:
    found = _words(wanted.search, (TaxonomyTerm.name, TaxonomyTerm.description, TaxonomyTerm.code))
    if wanted.taxonomy_id:
        found.append(TaxonomyTerm.taxonomy_id == wanted.taxonomy_id)
    if wanted.parent_id:
        found.append(TaxonomyTerm.parent_id == wanted.parent_id)
    if wanted.top_only:
        stated = TaxonomyTerm.as_stated["parent_id"].as_string()
        found += [TaxonomyTerm.parent_id.is_(None), stated.is_(None)]
    return found


_CONDITIONS = {
    "service": _service_conditions,
    "organization": _organization_conditions,
    "service_at_location": _site_conditions,
    "taxonomy": _taxonomy_conditions,
    "taxonomy_term": _term_conditions,
}


def _words(search: str, texts: Sequence[Any]) -> list[Condition]:
    """Every word is somewhere in what the list would tell of the row."""
    text: Any = literal("")
    for one in texts:
        text = text + func.coalesce(one, "") + " "
    return [func.lower(text).contains(word, autoescape=True) for word in search.lower().split()]


# Terms.


@dataclass(frozen=True)
class _Term:
    """A term that is looked for, or (without `term_id`) any term of a taxonomy."""

    vocabulary: str | None
    taxonomy_id: UUID | None
    term_id: UUID | None = None
    code: str | None = None


def _terms(session: Session, wanted: Wanted, has: Any) -> list[Condition]:
    found = []
    if wanted.taxonomy_term_id:
        term = session.get(TaxonomyTerm, wanted.taxonomy_term_id)
        asked = term and _Term(term.taxonomy, term.taxonomy_id, term.id, term.code)
        found.append(has(asked) if asked else false())
    if wanted.taxonomy_id:
        owner = session.get(Taxonomy, wanted.taxonomy_id)
        found.append(has(_Term(owner.name, owner.id)) if owner else false())
    return found


def _service_has(term: _Term, service_id: InstrumentedAttribute[UUID]) -> Condition:
    """Whether a service, or a place that may be told of where it is given, has a term."""
    if vocabularies.is_ours(term.vocabulary):
        return _fact(term, service_id)
    # What sources say of a service with a secret place is not told, so it is not found either.
    site = aliased(ServiceAtLocation)
    place = and_(
        site.service_id == service_id,
        or_(_attribute(term, site.id), _attribute(term, site.location_id)),
        site.id.in_(select(ServiceAtLocation.id).where(visible("service_at_location"))),
    )
    own = and_(_attribute(term, service_id), not_(has_secret_place(service_id)))
    return or_(own, exists().where(place))


def _attribute(term: _Term, link_id: Any) -> Condition:
    one = aliased(Attribute)
    if vocabularies.is_ours(term.vocabulary):
        return false()
    if term.term_id:
        return exists().where(one.link_id == link_id, one.taxonomy_term_id == term.term_id)
    of_taxonomy = select(TaxonomyTerm.id).where(TaxonomyTerm.taxonomy_id == term.taxonomy_id)
    return exists().where(one.link_id == link_id, one.taxonomy_term_id.in_(of_taxonomy))


def _fact(term: _Term, service_id: InstrumentedAttribute[UUID]) -> Condition:
    """Whether a service has a fact of ours; asked by a kind of help with kinds below it, it has one of them."""
    code, vocabulary = term.code, term.vocabulary
    if vocabulary == vocabularies.CATEGORY:
        category = aliased(ServiceCategory)
        found = category.service_id == service_id
        return exists().where(found, category.code.in_(_leaves(code)) if code else literal(True))
    if vocabulary in vocabularies.CRITERIA:
        rule = aliased(EligibilityRule)
        found = and_(
            rule.service_id == service_id, rule.criterion == vocabularies.CRITERIA[vocabulary]
        )
        values = cast(rule.values, String)
        if code == vocabularies.ANY:
            return exists().where(found, values == "[]")
        if code and vocabulary == vocabularies.DESIL_MAX:
            return exists().where(found, values == f"[{code}]")
        return exists().where(found, values.contains(f'"{code}"') if code else literal(True))
    if vocabulary == vocabularies.CAPACITY:
        capacity = aliased(ServiceCapacity)
        state = cast(capacity.status, String) == code if code else capacity.status.is_not(None)
        return exists().where(capacity.service_id == service_id, state)
    if vocabulary == vocabularies.CONFIDENTIALITY:
        return has_secret_place(service_id)
    service = aliased(Service)
    column = service.remote if vocabulary == vocabularies.REMOTE else service.answer_mode
    said = cast(column, String) == code if code else column.is_not(None)
    if vocabulary == vocabularies.ANSWER_MODE:
        said = and_(said, column != vocabularies.SILENT_ANSWER_MODE)
    return exists().where(service.id == service_id, said)


def _leaves(code: str) -> list[str]:
    try:
        return [code, *(term.code for term in needs().leaves(code))]
    except UnknownCategory:
        return [code]


# Postal codes.


def around(session: Session, postcode: str) -> Around:
    """Where a postal code is: the middle of the best placed public addresses that have it. Raises Invalid."""
    same = func.replace(func.lower(Address.postal_code), " ", "")
    query = (
        select(Location.latitude, Location.longitude, Location.precision_km, Location.area_code)
        .join(Address, Address.location_id == Location.id)
        .where(visible("location"), same == re.sub(r"\s", "", postcode.lower()))
        .order_by(Location.precision_km.is_(None), Location.precision_km, Location.id)
        .limit(MOST_ADDRESSES)
    )
    rows = session.execute(query).all()
    if not rows:
        raise Invalid("api.unknown_postcode", field="postcode")
    areas = Counter(row.area_code for row in rows if row.area_code)
    area = min(areas, key=lambda code: (-areas[code], code)) if areas else None
    best = rows[0].precision_km
    placed = [row for row in rows if row.latitude is not None and row.precision_km == best]
    if not placed:
        return Around(None, None, area)
    latitude = sum(row.latitude for row in placed) / len(placed)
    longitude = sum(row.longitude for row in placed) / len(placed)
    return Around(latitude, longitude, area)


def _near(place: Around, metres: float | None) -> Condition:
    """Serves the place as far as its areas are known; with `metres` also lies so near, if it has a point."""
    own = ServiceArea.service_at_location_id == ServiceAtLocation.id
    of_service = ServiceArea.service_id == ServiceAtLocation.service_id
    own_known, own_covers = _areas(own, place.area_code)
    known, covers = _areas(of_service, place.area_code)
    # What a site says of its own area goes before what the service says of all.
    covered = case((own_known, own_covers), else_=covers)
    stated = or_(own_known, known)
    fits = or_(not_(stated), covered)
    if metres is None:
        return fits
    point = exists().where(
        Location.id == ServiceAtLocation.location_id, Location.latitude.is_not(None), _is_own()
    )
    if place.latitude is None or place.longitude is None:
        return covered
    return and_(
        fits, or_(_within(place.latitude, place.longitude, metres), and_(not_(point), covered))
    )


def _areas(belongs: Condition, code: str | None) -> tuple[Condition, Condition]:
    """Whether areas are known, and whether one of them holds the place."""
    told = and_(belongs, ServiceArea.area_code.is_not(None), visible("service_area"))
    holds: Condition = ServiceArea.area_code == "*"
    if code is not None:
        below = literal(code).like(ServiceArea.area_code + ".%")
        holds = or_(holds, ServiceArea.area_code == code, below)
    return exists().where(told), exists().where(told, holds)


def _within(latitude: float, longitude: float, metres: float) -> Condition:
    north = (Location.latitude - latitude) * METRES_PER_DEGREE
    east = (Location.longitude - longitude) * METRES_PER_DEGREE * math.cos(math.radians(latitude))
    near = north * north + east * east <= metres * metres
    return exists().where(Location.id == ServiceAtLocation.location_id, near, _is_own())


def _is_own() -> Condition:
    """Whether a place's point is its own and therefore told."""
    return or_(Location.point_source.is_(None), Location.point_source.not_in(OF_AREA))
