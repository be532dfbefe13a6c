"""The day a proposed resource opens: its listing is made and whoever waits is told. The caller commits."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from referral.accounts.models import User
from referral.changes import directory as directory_changes
from referral.core.db import Identified
from referral.core.errors import Invalid, NotAllowed
from referral.directory.models import (
    Address,
    Location,
    Organization,
    Phone,
    Schedule,
    Service,
    ServiceAtLocation,
    ServiceCapacity,
    ServiceCategory,
)
from referral.directory.points import area_point
from referral.directory.reference import taxonomy
from referral.places.codes import no_finer_than_regency
from referral.places.queries import gazetteer as places_of
from referral.planning.proposals.models import Proposal
from referral.planning.proposals.operations import check_seen, move
from referral.planning.proposals.sites import Site
from referral.planning.proposals.states import NEXT, ProposalStatus
from referral.planning.unmet.models import NewServiceNotice
from referral.planning.unmet.telling import tell_waiting


@dataclass(frozen=True)
class Opening:
    """What must be known of a resource on the day it opens.

    site      the place of the siting case it stands at; at a facility it gets its point, else the middle of its area
    capacity  people it serves at a time
    """

    name: str
    organization: str
    category: str
    area_code: str
    address: str
    hours: Sequence[Schedule]
    phones: Sequence[Phone]
    #: a refuge: where it is goes into no table
    confidential: bool = False
    site: Site | None = None
    capacity: int | None = None


def open_resource(
    session: Session,
    proposal: Proposal,
    opening: Opening,
    *,
    seen: int | None = None,
    by: User,
    now: datetime,
) -> tuple[ServiceAtLocation, list[NewServiceNotice]]:
    """The resource exists: an active, unverified listing is made, waiting needs are matched with it, and
    their brokers told, in the published order. All in this transaction.

    seen   the row version the person had before them; raises Stale where it is no longer that one
    """
    if seen is not None:
        check_seen(proposal, seen)
    _check(session, opening)
    if ProposalStatus.OPENED not in NEXT[proposal.status]:
        raise NotAllowed("planning.out_of_turn")
    site = _list(session, proposal, opening, by=by, now=now)
    proposal.service_id = site.service_id
    move(session, proposal, ProposalStatus.OPENED, by=by, now=now)
    return site, tell_waiting(session, site, opening.category, now=now)


def missing(opening: Opening) -> list[Invalid]:
    """What must be known of it and is not, field by field."""
    known: dict[str, Any] = {
        "name": opening.name.strip(),
        "organization": opening.organization.strip(),
        "address": opening.confidential or opening.address.strip(),
        "hours": opening.hours,
        "phones": any(phone.number.strip() for phone in opening.phones),
    }
    return [
        Invalid(f"planning.opening.{field}", field=field)
        for field, value in known.items()
        if not value
    ]


def _check(session: Session, opening: Opening) -> None:
    for error in missing(opening):
        raise error
    if opening.area_code not in places_of(session):
        raise Invalid("planning.area", field="area_code")
    taxonomy().get(opening.category)


def _list(
    session: Session, proposal: Proposal, opening: Opening, *, by: User, now: datetime
) -> ServiceAtLocation:
    """The listing of a resource that has just opened: active, and verified by nobody yet."""
    location = _location(session, opening)
    name = opening.organization.strip()
    known = session.scalars(
        select(Organization).where(Organization.name == name).order_by(Organization.id)
    ).first()
    organization = known or Organization(name=name)
    service = Service(
        organization=organization,
        name=opening.name.strip(),
        last_modified=now,
        source="jejaring:proposal",
        source_id=str(proposal.id),
    )
    session.add_all([organization, service, location])
    session.flush()
    site = ServiceAtLocation(service_id=service.id, location_id=location.id)
    for schedule in opening.hours:
        schedule.service_id = service.id
    for phone in opening.phones:
        phone.service_id = service.id
    parts: list[Identified] = [
        site,
        ServiceCategory(service_id=service.id, code=opening.category),
        *opening.phones,
        *opening.hours,
    ]
    if opening.capacity is not None:
        parts.append(
            ServiceCapacity(service_id=service.id, maximum=float(opening.capacity), updated=now)
        )
    if not opening.confidential:
        parts.append(
            Address(
                location_id=location.id,
                address_1=opening.address.strip(),
                city=places_of(session).get(opening.area_code).name,
                state_province="",
                postal_code="",
                country="",
            )
        )
    session.add_all(parts)
    directory_changes.record(session, service, service_id=service.id, by=by, now=now)
    session.flush()
    session.refresh(service)
    return site


def _location(session: Session, opening: Opening) -> Location:
    """Where it is: at the site that was worked out, else in the middle of its area; a refuge only in its kab/kota."""
    if opening.confidential:
        return Location(area_code=no_finer_than_regency(opening.area_code), confidential=True)
    located, site = places_of(session).locate(opening.area_code), opening.site
    point: dict[str, Any] = {}
    if site is not None and site.is_facility:
        point = {
            "latitude": site.latitude,
            "longitude": site.longitude,
            "precision_km": site.precision_km,
            "point_source": "facility",
        }
    elif located is not None:
        point = {
            "latitude": located.latitude,
            "longitude": located.longitude,
            "precision_km": located.precision_km,
            "point_source": area_point(located.at.level),
        }
    return Location(area_code=opening.area_code, confidential=False, **point)
