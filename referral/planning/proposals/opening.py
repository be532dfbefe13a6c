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
    ServiceCategory,
)
from referral.directory.points import area_point
from referral.directory.reference import taxonomy
from referral.places.codes import no_finer_than_regency
from referral.places.queries import gazetteer as places_of
from referral.planning.proposals.models import Proposal, ProposalStatus
from referral.planning.proposals.operations import NEXT, move
from referral.planning.unmet.models import NewServiceNotice
from referral.planning.unmet.telling import tell_waiting


@dataclass(frozen=True)
class Opening:
    """What must be known of a resource on the day it opens."""

    name: str
    organization: str
    category: str
    area_code: str
    address: str
    hours: Sequence[Schedule]
    phone: str
    #: a refuge: where it is goes into no table
    confidential: bool = False


def open_resource(
    session: Session, proposal: Proposal, opening: Opening, *, by: User, now: datetime
) -> tuple[ServiceAtLocation, list[NewServiceNotice]]:
    """The resource exists: an active, unverified listing is made, waiting needs are matched with it, and
    their brokers told, in the published order. All in this transaction."""
    _check(session, opening)
    if ProposalStatus.OPENED not in NEXT[proposal.status]:
        raise NotAllowed("planning.out_of_turn")
    site = _list(session, proposal, opening, by=by, now=now)
    proposal.service_id = site.service_id
    move(session, proposal, ProposalStatus.OPENED, by=by, now=now)
    return site, tell_waiting(session, site, opening.category, now=now)


def _check(session: Session, opening: Opening) -> None:
    missing: list[tuple[str, Any]] = [
        ("name", opening.name.strip()),
        ("organization", opening.organization.strip()),
        ("address", opening.address.strip()),
        ("hours", opening.hours),
        ("phone", opening.phone.strip()),
    ]
    for field, value in missing:
        if not value and not (field == "address" and opening.confidential):
            raise Invalid(f"planning.opening.{field}", field=field)
    if opening.area_code not in places_of(session):
        raise Invalid("planning.area", field="area_code")
    taxonomy().get(opening.category)


def _list(
    session: Session, proposal: Proposal, opening: Opening, *, by: User, now: datetime
) -> ServiceAtLocation:
    """The listing of a resource that has just opened: active, and verified by nobody yet."""
    located = None if opening.confidential else places_of(session).locate(opening.area_code)
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
    location = Location(
        area_code=no_finer_than_regency(opening.area_code)
        if opening.confidential
        else opening.area_code,
        confidential=opening.confidential,
        latitude=located.latitude if located else None,
        longitude=located.longitude if located else None,
        precision_km=located.precision_km if located else None,
        point_source=area_point(located.at.level) if located else None,
    )
    session.add_all([organization, service, location])
    session.flush()
    site = ServiceAtLocation(service_id=service.id, location_id=location.id)
    for schedule in opening.hours:
        schedule.service_id = service.id
    parts: list[Identified] = [
        site,
        ServiceCategory(service_id=service.id, code=opening.category),
        Phone(service_id=service.id, number=opening.phone.strip(), type="voice"),
        *opening.hours,
    ]
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
