"""People's own help as a public listing: a curator decides, and it is gone at once when they no longer agree."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from referral.changes.actors import Actor
from referral.changes.models import ChangeRecord
from referral.core.text import DEFAULT_LANGUAGE, Message, render
from referral.directory.kinds import ServiceStatus, SystemType
from referral.directory.models import Service
from referral.directory.upkeep import changes, editing, listings
from referral.directory.upkeep.kinds import ChangeStatus
from referral.directory.upkeep.models import ListingChange
from referral.directory.upkeep.publishing import decide
from referral.directory.upkeep.recording import Recorder
from referral.places.gazetteer import Gazetteer

#: columns of a service in which somebody may stand by name
_WORDS = (
    "alternate_name",
    "description",
    "alert",
    "url",
    "email",
    "application_process",
    "eligibility_description",
    "interpretation_services",
)
_POINT = ("latitude", "longitude", "precision_km", "point_source")


def propose(
    session: Session,
    values: Mapping[str, Any],
    gazetteer: Gazetteer,
    *,
    note: str,
    by: Actor,
    now: datetime,
) -> ListingChange:
    """Ask a curator to list it, with exactly what its people let be known. Raises InvalidListing."""
    change = changes.suggest(session, None, values, gazetteer, seen={}, note=note, by=by, now=now)
    change.system_type = SystemType.INFORMAL
    session.flush()
    return change


def propose_changes(
    session: Session,
    change: ListingChange,
    values: Mapping[str, Any],
    gazetteer: Gazetteer,
    *,
    note: str,
    by: Actor,
    now: datetime,
) -> None:
    """Ask a curator to bring a listing up to date; one that waits says the new at once."""
    service = listing(session, change)
    if service is None:
        fresh = propose(session, values, gazetteer, note=note, by=by, now=now)
        change.values, change.note, change.made_at = fresh.values, fresh.note, now
        session.delete(fresh)
        session.flush()
        return
    current = listings.values_of(service)
    said = {name: value for name, value in values.items() if name in current}
    changed = editing.changed(said, current)
    if changed:
        changes.suggest(
            session, service.id, changed, gazetteer, seen=current, note=note, by=by, now=now
        )


def listing(session: Session, change: ListingChange) -> Service | None:
    """The listing that a proposal has become; None while it is none, or no longer one."""
    return _public(session, change) if change.status is ChangeStatus.PUBLISHED else None


def _public(session: Session, change: ListingChange) -> Service | None:
    if change.service_id is None:
        return None
    service = session.get_one(Service, change.service_id)
    return None if service.organization.is_private else service


def close(
    session: Session, change: ListingChange, gazetteer: Gazetteer, *, by: Actor, now: datetime
) -> None:
    """Take back what was made public: the listing is closed and names nobody, nor does what was written about it.

    That it was there and is closed stays in the change record.
    """
    service = _public(session, change)  # also one that was set inactive
    if service is not None:
        _close(session, service, gazetteer, by=by, now=now)
        about: Any = ListingChange.service_id == service.id
    else:
        about = ListingChange.id == change.id
    for one in session.scalars(select(ListingChange).where(about)):
        if one.status in (ChangeStatus.WAITING, ChangeStatus.DRAFT):
            decide(one, ChangeStatus.WITHDRAWN, by=by, now=now, note=None)
        one.values, one.previous, one.note = {}, {}, None
    session.flush()


def _close(
    session: Session, service: Service, gazetteer: Gazetteer, *, by: Actor, now: datetime
) -> None:
    organization = service.organization
    nobody = render(Message("directory.informal.closed"), DEFAULT_LANGUAGE)
    places = [
        site.location
        for site in service.sites
        if site.location is not None and site.location.organization_id == organization.id
    ]
    addresses = [address for place in places for address in place.addresses]
    said = {row.id for row in (service, organization, *places, *addresses, *service.phones)}
    book = Recorder(session, service, gazetteer, by=by, now=now, as_of=now)
    book.set(service, "status", ServiceStatus.DEFUNCT)
    book.secret |= said
    for row in (*service.phones, *addresses):
        book.delete(row)
    for place in places:
        book.fill(place, dict.fromkeys(_POINT))
    book.fill(service, {"name": nobody, **dict.fromkeys(_WORDS)})
    book.fill(organization, {"name": nobody, "made_public_on": None})
    book.finish()
    session.execute(
        update(ChangeRecord)
        .where(ChangeRecord.resource_id.in_(said), ChangeRecord.field_name != "status")
        .where(ChangeRecord.last_action_type == "update")
        .values(previous_value="", replacement_value="")
    )
