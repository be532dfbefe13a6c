"""What of the directory may leave the house, as conditions on its tables: for every export and every answer of the API.

Never: people's own informal help, confidential places, and whatever else would tell where such a place is.
"""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, func, literal, not_, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from referral.changes.models import ChangeRecord
from referral.core.db import Base, Identified
from referral.directory.hsds import shape
from referral.directory.kinds import SystemType
from referral.directory.models import (
    Accessibility,
    Address,
    Contact,
    CostOption,
    Funding,
    Language,
    Location,
    Organization,
    OrganizationIdentifier,
    Phone,
    Program,
    RequiredDocument,
    Schedule,
    Service,
    ServiceArea,
    ServiceAtLocation,
    ServiceCapacity,
    Url,
)
from referral.places.codes import REGENCY_LENGTH
from referral.places.models import Place

Condition = ColumnElement[bool]
Link = InstrumentedAttribute[object] | ColumnElement[object]

_BY_NAME: dict[str, type[Identified]] = {
    mapper.class_.__tablename__: mapper.class_ for mapper in Base.registry.mappers
}
#: the tables of HSDS by name
MODELS: Mapping[str, type[Identified]] = {name: _BY_NAME[name] for name in shape.TABLES}


@cache
def visible(table: str) -> Condition:
    """Which rows of a table may leave. Rows that hang on nothing stay: nobody knows what they were about."""
    return _VISIBLE[table]() if table in _VISIBLE else literal(True)


@cache
def history_leaves(table: str) -> Condition:
    """Which rows of a table may leave with what sources and we wrote about them.

    Old values of a service with a secret place, and of what belongs to it, may tell where the place is.
    """
    columns: Any = MODELS[table].__table__.c
    service_id = columns.id if table == "service" else columns.get("service_id")
    site_id = columns.get("service_at_location_id")
    if table == "service_at_location":
        return and_(visible(table), not_(has_secret_place(columns.service_id)))
    if service_id is None and site_id is None:
        return visible(table)
    none: Any = literal(None)
    of_secret = _of_secret(
        none if service_id is None else service_id, none if site_id is None else site_id
    )
    return and_(visible(table), not_(of_secret))


def hides_nothing(session: Session) -> bool:
    """Whether the directory holds nothing that must stay here, so that records about rows long gone may leave."""
    secret = exists().where(Location.confidential)
    informal = exists().where(Organization.system_type == SystemType.INFORMAL)
    return not session.scalar(select(or_(secret, informal)))


def has_secret_place(service_id: Link) -> Condition:
    """Whether a service is given at a place that must stay secret."""
    site, place = aliased(ServiceAtLocation), aliased(Location)
    at_it = and_(site.service_id == service_id, place.id == site.location_id, place.confidential)
    return exists().where(at_it)


def _organization(row_id: Link) -> Condition:
    # What must stay is rare: a short list of it, made once, is faster than a look at every row.
    one = aliased(Organization)
    informal = select(one.id).where(one.is_private)
    return and_(row_id.is_not(None), row_id.not_in(informal))


def _service(row_id: Link) -> Condition:
    one, owner = aliased(Service), aliased(Organization)
    informal = select(one.id).join(owner, owner.id == one.organization_id).where(owner.is_private)
    return and_(row_id.is_not(None), row_id.not_in(informal))


def _location(row_id: Link) -> Condition:
    one = aliased(Location)
    return exists().where(one.id == row_id, _location_leaves(one))


def _location_leaves(one: type[Location]) -> Condition:
    # Where a neighbour helps belongs to no organization and is nobody else's place.
    site = aliased(ServiceAtLocation)
    used = exists().where(site.location_id == one.id, _service(site.service_id))
    owner = or_(and_(one.organization_id.is_(None), used), _organization(one.organization_id))
    return and_(not_(one.confidential), owner)


def _site(row_id: Link) -> Condition:
    one = aliased(ServiceAtLocation)
    return exists().where(one.id == row_id, _site_leaves(one))


def _site_leaves(one: type[ServiceAtLocation]) -> Condition:
    secret, of_informal, owner = aliased(Location), aliased(Location), aliased(Organization)
    hidden = select(secret.id).where(secret.confidential)
    theirs = (
        select(of_informal.id)
        .join(owner, owner.id == of_informal.organization_id)
        .where(owner.is_private)
    )
    place = and_(one.location_id.not_in(hidden), one.location_id.not_in(theirs))
    return and_(_service(one.service_id), or_(one.location_id.is_(None), place))


def _contact(row_id: Link) -> Condition:
    one = aliased(Contact)
    return exists().where(one.id == row_id, _contact_leaves(one))


def _phone(row_id: Link) -> Condition:
    one = aliased(Phone)
    return exists().where(one.id == row_id, _phone_leaves(one))


def _all(*links: tuple[Link, Callable[[Link], Condition]]) -> Condition:
    """Every link that there is leads to something that may leave, and there is one."""
    good = [or_(link.is_(None), leaves(link)) for link, leaves in links]
    return and_(or_(*(link.is_not(None) for link, _ in links)), *good)


def _any(*links: tuple[Link, Callable[[Link], Condition]]) -> Condition:
    return or_(*(leaves(link) for link, leaves in links))


def _of_secret(service_id: Link, site_id: Link) -> Condition:
    """Whether a row belongs to a service with a secret place, directly or through a site."""
    site = aliased(ServiceAtLocation)
    through = exists().where(site.id == site_id, has_secret_place(site.service_id))
    return or_(has_secret_place(service_id), through)


def _contact_leaves(one: type[Contact]) -> Condition:
    # Whom to ask at a refuge is as telling as its street: the organization's own contacts remain.
    return and_(
        _all(
            (one.organization_id, _organization),
            (one.service_id, _service),
            (one.service_at_location_id, _site),
            (one.location_id, _location),
        ),
        not_(_of_secret(one.service_id, one.service_at_location_id)),
    )


def _phone_leaves(one: type[Phone]) -> Condition:
    # The same number can be the service's and the refuge's own: then it stays.
    return _all(
        (one.organization_id, _organization),
        (one.service_id, _service),
        (one.location_id, _location),
        (one.service_at_location_id, _site),
        (one.contact_id, _contact),
    )


def _service_area_leaves() -> Condition:
    coarse = and_(
        ServiceArea.area_code.is_not(None), func.length(ServiceArea.area_code) <= REGENCY_LENGTH
    )
    # Whatever else a source says of the area may be the street.
    named = exists().where(Place.code == ServiceArea.area_code, Place.name == ServiceArea.name)
    coarse = and_(
        coarse,
        or_(ServiceArea.name.is_(None), ServiceArea.name == ServiceArea.area_code, named),
        or_(ServiceArea.extent.is_(None), ServiceArea.extent == ServiceArea.area_code),
        *(ServiceArea.description.is_(None), ServiceArea.uri.is_(None)),
    )
    of_secret = _of_secret(ServiceArea.service_id, ServiceArea.service_at_location_id)
    of_any = _any((ServiceArea.service_id, _service), (ServiceArea.service_at_location_id, _site))
    return and_(of_any, or_(coarse, not_(of_secret)))


def _record_leaves() -> Condition:
    """What a source recorded, and changes made here of fields that HSDS has; not that an import brought a row."""
    fields = [
        and_(
            ChangeRecord.resource_type == table.name,
            ChangeRecord.field_name.in_([*(f.name for f in table.fields)]),
        )
        for table in shape.TABLES.values()
    ]
    brought = and_(
        ChangeRecord.last_action_type == "create", ChangeRecord.updated_by_role == "import"
    )
    return or_(ChangeRecord.as_stated.is_not(None), and_(not_(brought), or_(*fields)))


_VISIBLE: Mapping[str, Callable[[], Condition]] = {
    "organization": lambda: not_(Organization.is_private),
    "service": lambda: _organization(Service.organization_id),
    "program": lambda: _organization(Program.organization_id),
    "location": lambda: _location_leaves(Location),
    "service_at_location": lambda: _site_leaves(ServiceAtLocation),
    "contact": lambda: _contact_leaves(Contact),
    "phone": lambda: _phone_leaves(Phone),
    "address": lambda: _location(Address.location_id),
    "accessibility": lambda: _location(Accessibility.location_id),
    "schedule": lambda: _any(
        (Schedule.service_id, _service),
        (Schedule.location_id, _location),
        (Schedule.service_at_location_id, _site),
    ),
    "language": lambda: _any(
        (Language.service_id, _service),
        (Language.location_id, _location),
        (Language.phone_id, _phone),
    ),
    "service_area": _service_area_leaves,
    "cost_option": lambda: _service(CostOption.service_id),
    "required_document": lambda: _service(RequiredDocument.service_id),
    "service_capacity": lambda: _service(ServiceCapacity.service_id),
    "organization_identifier": lambda: _organization(OrganizationIdentifier.organization_id),
    "funding": lambda: _any(
        (Funding.organization_id, _organization), (Funding.service_id, _service)
    ),
    "url": lambda: _any((Url.organization_id, _organization), (Url.service_id, _service)),
    "metadata": _record_leaves,
}
