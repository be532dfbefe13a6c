"""Publishing a change: its values into the rows, if nobody else changed what it replaces."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from referral.accounts.models import User
from referral.accounts.permissions import Role, allows
from referral.changes import audit
from referral.changes.actors import Actor
from referral.core.errors import Invalid, NotAllowed, Stale
from referral.directory import organizations
from referral.directory.duplicates import finding
from referral.directory.kinds import SystemType
from referral.directory.models import Organization, Service, ServiceAtLocation
from referral.directory.upkeep import editing, listings, reports, writing
from referral.directory.upkeep.kinds import ChangeStatus
from referral.directory.upkeep.models import ListingChange
from referral.directory.upkeep.recording import Recorder
from referral.places.gazetteer import Gazetteer

LONGEST_NOTE = 2_000
#: The field of editing.FIELDS that nobody but the agency can know.
ROOM = "capacity"


@dataclass(frozen=True)
class Maker:
    """Whose word a change is, when somebody else publishes it."""

    id: UUID | None
    role: str


def is_curator(by: Actor) -> bool:
    """Whether somebody may publish any change."""
    return isinstance(by, User) and allows(by, "listing:approve")


def is_owner(by: Actor, service: Service) -> bool:
    """Whether somebody answers for the listing's organization."""
    return organization_of(by) == service.organization_id


def organization_of(by: Actor) -> UUID | None:
    """The organization that somebody answers for."""
    return by.organization_id if isinstance(by, User) and by.role is Role.AGENCY else None


def shown_to(by: Actor, service: Service) -> Collection[str]:
    """The fields of a listing that somebody may know: where a confidential place is knows its own agency alone."""
    return listings.values_of(service, for_owner=is_owner(by, service)).keys()


def refuse_stale(
    values: Mapping[str, Any],
    seen: Mapping[str, Any],
    current: Mapping[str, Any],
    *,
    shown: Collection[str],
    key: str = "listing.change.stale",
) -> None:
    """Stale where a field holds neither what was seen nor what is wanted. One that was never seen is not asked.

    shown  fields whose values may travel with the error
    """
    conflicts = [
        {"field": name}
        | (
            {"seen": seen[name], "current": current.get(name), "yours": value}
            if name in shown
            else {"seen": None, "current": None, "yours": None}
        )
        for name, value in values.items()
        if name in seen
        and not editing.is_same(name, seen[name], current.get(name))
        and not editing.is_same(name, value, current.get(name))
    ]
    if conflicts:
        raise Stale(key, field=conflicts[0]["field"], candidates=conflicts)


def check_status(change: ListingChange, status: ChangeStatus) -> None:
    if change.status is not status:
        raise NotAllowed("listing.change.decided")


def checked_note(note: str | None) -> str | None:
    note = (note or "").strip()
    if len(note) > LONGEST_NOTE:
        raise Invalid("listing.wrong.too_long", field="note", most=LONGEST_NOTE)
    return note or None


def decide(
    change: ListingChange, status: ChangeStatus, *, by: Actor, now: datetime, note: str | None
) -> None:
    """Note how a change ended."""
    change.status, change.decided_at, change.decided_by_id = status, now, by.id
    change.decision_note = checked_note(note)


def queue(
    session: Session,
    change: ListingChange,
    service: Service | None,
    gazetteer: Gazetteer,
    *,
    by: Actor,
    now: datetime,
) -> ListingChange:
    """Publish at once what its maker may publish; leave the rest waiting."""
    session.add(change)
    change.status = ChangeStatus.WAITING
    session.flush()
    if is_curator(by) or _is_its_own_word(session, change, service, by):
        publish(session, change, service, change.previous, gazetteer, by=by, now=now)
    return change


def _is_its_own_word(
    session: Session, change: ListingChange, service: Service | None, by: Actor
) -> bool:
    """Whether an agency decides this itself: anything where it is trusted, and always how much room it has."""
    own = organization_of(by)
    if own is None or (service is not None and service.organization_id != own):
        return False
    organization = session.get(Organization, own)
    if organization is None:
        return False
    return organization.trusted or (service is not None and set(change.values) == {ROOM})


def publish(
    session: Session,
    change: ListingChange,
    service: Service | None,
    seen: Mapping[str, Any],
    gazetteer: Gazetteer,
    *,
    by: Actor,
    now: datetime,
) -> None:
    """Write a change into the rows, as the word of who made it. Raises Stale.

    A new listing is compared with those that are there; pairs that may be one wait for a curator.
    """
    is_new = service is None
    if service is None:
        service = _make(session, change, now=now)
        change.previous, made = {}, [service, *service.sites]
    else:
        current, made = listings.values_of(service, for_owner=True), []
        gone = change.values.keys() - current.keys()
        if gone:  # the service came to be given at several places
            raise Invalid("listing.change.not_here", field=min(gone))
        refuse_stale(change.values, seen, current, shown=shown_to(by, service))
        change.previous = {name: current[name] for name in change.values}
    maker = Maker(change.made_by_id, change.made_by_role)
    book = Recorder(session, service, gazetteer, by=maker, now=now, as_of=change.made_at)
    book.made(*made)
    writing.write(book, change.values)
    decide(change, ChangeStatus.PUBLISHED, by=by, now=now, note=change.decision_note)
    if change.reverts_id is not None:
        reverted = session.get_one(ListingChange, change.reverts_id)
        reverted.status = ChangeStatus.REVERTED
    fields = sorted(change.values)
    book.finish()
    if is_new:
        finding.find_for(session, service.id, now=now)
    reports.close_corrected(session, change, by_curator=is_curator(by), by=by, now=now)
    audit.record(session, "listing_change.published", change, by=by, now=now, fields=fields)


def _make(session: Session, change: ListingChange, *, now: datetime) -> Service:
    """The rows of a new listing, before anything but its name is said of it."""
    organization = None
    if change.organization_id is not None:
        organization = session.get(Organization, change.organization_id)
    else:
        organization = _organization(session, change, now=now)
    service = Service(organization=organization, name=change.values["name"], last_modified=now)
    session.add_all([service, ServiceAtLocation(service=service)])
    session.flush()
    change.service_id, change.organization_id = service.id, service.organization_id
    return service


def _organization(session: Session, change: ListingChange, *, now: datetime) -> Organization:
    """The organization of this name, made where there is none. People's own help is an organization of its own."""
    name = change.values.get("organization") or change.values["name"]
    if change.system_type is SystemType.INFORMAL:
        own = Organization(name=name, system_type=SystemType.INFORMAL, made_public_on=now.date())
        session.add(own)
        return own
    for one in organizations.named(session, name):
        if one.name.casefold() == name.casefold() and one.system_type is not SystemType.INFORMAL:
            return one
    organization = Organization(name=name)
    session.add(organization)
    return organization
