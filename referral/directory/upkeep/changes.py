"""Changing a listing: drafts, what an agency says at once, what waits for a curator, and taking it back.

Values and what was seen of them are those of `upkeep.editing`. `by` is a user, or a standing actor (the public,
a signed link), who can only suggest. An agency changes the listings of its own organization; to it any other
one is not there. Nothing here says that a listing was checked: `assured_date` is `upkeep.verification`'s.
"""

import json
from collections.abc import Collection, Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from referral.accounts.permissions import Role
from referral.changes import audit
from referral.changes.actors import Actor, StandingActor
from referral.changes.models import ChangeRecord
from referral.core.errors import Invalid, NotFound
from referral.directory.kinds import CapacityStatus
from referral.directory.models import Service
from referral.directory.upkeep import desk, editing, listings, proposing, publishing
from referral.directory.upkeep.history import is_revertible
from referral.directory.upkeep.kinds import ChangeKind, ChangeStatus
from referral.directory.upkeep.models import ListingChange
from referral.directory.upkeep.publishing import (
    check_status,
    checked_note,
    decide,
    is_curator,
    is_owner,
    organization_of,
    publish,
    queue,
    refuse_stale,
)
from referral.places.gazetteer import Gazetteer

#: characters of a draft: nobody types more about one listing
LONGEST_DRAFT = 200_000


# Drafts ------------------------------------------------------------------------------------------


def start(session: Session, service_id: UUID | None, *, by: Actor, now: datetime) -> ListingChange:
    """The person's draft for a listing (None: for a new one), the one they have or an empty one.

    Raises NotFound for a listing that is not theirs to change.
    """
    service = _editable(session, service_id, by) if service_id is not None else None
    if service is None and not (is_curator(by) or organization_of(by)):
        raise NotFound("directory.unknown_service")
    found = desk.draft_of(session, service_id, by=by)
    if found is not None:
        return found
    draft = proposing.new(
        service, ChangeKind.EDIT if service else ChangeKind.NEW, {}, {}, by=by, now=now
    )
    draft.status = ChangeStatus.DRAFT
    session.add(draft)
    session.flush()
    return draft


def save_draft(
    session: Session,
    draft: ListingChange,
    values: Mapping[str, Any],
    *,
    seen: Mapping[str, Any],
    by: Actor,
    now: datetime,
    note: str | None = None,
) -> None:
    """Keep what was typed, right or wrong; fields of earlier steps stay. Commit it before `submit`, which may refuse.

    seen  for each field the value that its writer had before them
    """
    _own(draft, by, ChangeStatus.DRAFT)
    kept = {**draft.values, **values}
    if len(json.dumps(kept)) + len(note or "") > LONGEST_DRAFT:
        raise Invalid("listing.wrong.too_long", field="values", most=LONGEST_DRAFT)
    draft.values = kept
    draft.previous = {**draft.previous, **{name: seen[name] for name in values if name in seen}}
    draft.note = note if note is not None else draft.note
    draft.made_at = now
    session.flush()


def discard(session: Session, draft: ListingChange, *, by: Actor) -> None:
    """Throw a draft away."""
    _own(draft, by, ChangeStatus.DRAFT)
    session.delete(draft)
    session.flush()


def submit(
    session: Session, draft: ListingChange, gazetteer: Gazetteer, *, by: Actor, now: datetime
) -> ListingChange | None:
    """Publish a draft, or queue it for a curator; None where it changes nothing, and the draft is gone.

    A curator and a trusted organization publish at once. Raises InvalidListing with every wrong value, and
    Stale where a field that the draft changes holds neither the value that was seen nor the new one: its
    `candidates` are [{"field", "seen", "current", "yours"}]. Fields left as they were never conflict.
    """
    _own(draft, by, ChangeStatus.DRAFT)
    service = _editable(session, draft.service_id, by) if draft.service_id is not None else None
    values, seen = proposing.read(service, draft.values, draft.previous, gazetteer, by)
    if not values:
        session.delete(draft)
        session.flush()
        return None
    draft.values, draft.previous, draft.made_at = values, seen, now
    draft.note = checked_note(draft.note)
    return queue(session, draft, service, gazetteer, by=by, now=now)


def edit(
    session: Session,
    service_id: UUID,
    values: Mapping[str, Any],
    gazetteer: Gazetteer,
    *,
    seen: Mapping[str, Any],
    by: Actor,
    now: datetime,
    note: str | None = None,
) -> ListingChange | None:
    """Change a listing in one step, without a draft; as `submit`."""
    service = _editable(session, service_id, by)
    values, seen = proposing.read(service, values, seen, gazetteer, by)
    if not values:
        return None
    change = proposing.new(service, ChangeKind.EDIT, values, seen, by=by, now=now, note=note)
    return queue(session, change, service, gazetteer, by=by, now=now)


def suggest(
    session: Session,
    service_id: UUID | None,
    values: Mapping[str, Any],
    gazetteer: Gazetteer,
    *,
    seen: Mapping[str, Any],
    by: Actor,
    now: datetime,
    note: str | None = None,
) -> ListingChange:
    """Queue what anyone says should be changed, or a listing that is missing (None; needs name and organization).

    Always waits for a curator. Raises InvalidListing, and Invalid where nothing is said.
    """
    service = listings.get(session, service_id) if service_id is not None else None
    values, seen = proposing.read(service, values, seen, gazetteer, by)
    note = checked_note(note)
    if not values and not (note and service is not None):
        raise Invalid("listing.change.nothing")
    kind = ChangeKind.CORRECTION if service is not None else ChangeKind.NEW
    change = proposing.new(service, kind, values, seen, by=by, now=now, note=note)
    session.add(change)
    session.flush()
    return change


# Deciding ----------------------------------------------------------------------------------------


def approve(
    session: Session,
    change: ListingChange,
    gazetteer: Gazetteer,
    *,
    by: Actor,
    now: datetime,
    fields: Collection[str] | None = None,
    seen: Mapping[str, Any] | None = None,
    note: str | None = None,
) -> None:
    """Publish a waiting change, or some of its fields; the others become a refused change of their own.

    Besides curators, a trusted organization publishes so what it said through a signed link.
    Raises Stale as `submit` does; `seen` has for those fields the values that the curator means to replace.
    """
    service = listings.get(session, change.service_id) if change.service_id is not None else None
    if not (is_curator(by) or _is_trusted_word(change, service, by)):
        raise NotFound("listing.change.unknown")
    check_status(change, ChangeStatus.WAITING)
    wanted = set(change.values if fields is None else fields)
    if not wanted & set(change.values):
        raise Invalid("listing.change.nothing", field="fields")
    if service is None and not {"name"} <= wanted:
        raise Invalid("listing.wrong.missing", field="name")
    left = {name: value for name, value in change.values.items() if name not in wanted}
    if left:
        rest = proposing.part_of(change, left)
        decide(rest, ChangeStatus.REFUSED, by=by, now=now, note=note)
        session.add(rest)
        change.values = {name: v for name, v in change.values.items() if name in wanted}
    change.decision_note = checked_note(note)
    seen = change.previous | {name: value for name, value in (seen or {}).items() if name in wanted}
    publish(session, change, service, seen, gazetteer, by=by, now=now)


def refuse(session: Session, change: ListingChange, *, note: str, by: Actor, now: datetime) -> None:
    """Say no to a waiting change, and why."""
    _curator(by)
    check_status(change, ChangeStatus.WAITING)
    if not note.strip():
        raise Invalid("listing.wrong.missing", field="note")
    decide(change, ChangeStatus.REFUSED, by=by, now=now, note=note)
    audit.record(session, "listing_change.refused", change, by=by, now=now)


def withdraw(session: Session, change: ListingChange, *, by: Actor, now: datetime) -> None:
    """Take back one's own change that still waits."""
    _own(change, by, ChangeStatus.WAITING)
    decide(change, ChangeStatus.WITHDRAWN, by=by, now=now, note=None)
    session.flush()


def revert(
    session: Session,
    change: ListingChange,
    gazetteer: Gazetteer,
    *,
    by: Actor,
    now: datetime,
    note: str | None = None,
) -> ListingChange:
    """Put back what a published change replaced, exactly its fields. A new listing is set inactive.

    Publishes or waits as `submit` does. Raises Stale where a field no longer holds what the change put there,
    and Invalid where all of them are as they were before.
    """
    check_status(change, ChangeStatus.PUBLISHED)
    assert change.service_id is not None  # noqa: S101 - what is published has its listing
    service = _editable(session, change.service_id, by)
    if change.kind is ChangeKind.NEW:
        values, put = {"status": "inactive"}, {"status": change.values.get("status", "active")}
    else:
        values, put = dict(change.previous), dict(change.values)
    back = _back(service, values, put, by=by, now=now, note=note)
    back.reverts_id = change.id
    return queue(session, back, service, gazetteer, by=by, now=now)


def revert_record(
    session: Session,
    record: ChangeRecord,
    gazetteer: Gazetteer,
    *,
    by: Actor,
    now: datetime,
    note: str | None = None,
) -> ListingChange:
    """Put back what an import replaced in one field of a listing; as `revert`.

    Raises Invalid for a record that does not tell enough, as a row that was deleted.
    """
    if not is_revertible(record):
        raise Invalid("listing.change.not_here", field=record.field_name)
    service = _editable(session, record.resource_id, by)
    name = record.field_name
    put = {name: record.replacement_value or None}
    values, findings = editing.read({name: record.previous_value}, listings.lists(gazetteer))
    if findings:
        raise editing.InvalidListing(findings)
    back = _back(service, values, put, by=by, now=now, note=note)
    return queue(session, back, service, gazetteer, by=by, now=now)


def _back(
    service: Service,
    values: Mapping[str, Any],
    put: Mapping[str, Any],
    *,
    by: Actor,
    now: datetime,
    note: str | None,
) -> ListingChange:
    """The change that puts these values back where the listing still says what was put there."""
    current = listings.values_of(service, for_owner=True)
    shown = publishing.shown_to(by, service)
    refuse_stale(values, put, current, shown=shown, key="listing.change.not_as_put")
    if all(editing.is_same(name, value, current.get(name)) for name, value in values.items()):
        raise Invalid("listing.change.nothing")
    return proposing.new(service, ChangeKind.REVERT, values, put, by=by, now=now, note=note)


def full_until(
    session: Session,
    service: Service,
    day: date,
    gazetteer: Gazetteer,
    *,
    by: Actor,
    now: datetime,
) -> ListingChange:
    """Say in one step that a service is full up to and including a day."""
    if day < now.date():
        raise Invalid("listing.change.day_is_past", field="until")
    _editable(session, service.id, by)
    told = listings.values_of(service)["capacity"]
    full = {
        "status": CapacityStatus.NO_CAPACITY.value,
        "available": None,
        "maximum": told["maximum"] if told else None,
        "until": day.isoformat(),
    }
    seen = {"capacity": told}
    change = proposing.new(service, ChangeKind.EDIT, {"capacity": full}, seen, by=by, now=now)
    return queue(session, change, service, gazetteer, by=by, now=now)


# What all of them share ---------------------------------------------------------------------------


def _editable(session: Session, service_id: UUID, by: Actor) -> Service:
    service = listings.get(session, service_id)
    if not (is_curator(by) or is_owner(by, service)):
        raise NotFound("directory.unknown_service")
    return service


def _is_trusted_word(change: ListingChange, service: Service | None, by: Actor) -> bool:
    """Whether an agency without account, known by its link, publishes its own word."""
    return (
        service is not None
        and service.organization.trusted
        and isinstance(by, StandingActor)
        and by.role == Role.AGENCY
        and (change.made_by_id, change.made_by_role) == (None, by.role)
    )


def _curator(by: Actor) -> None:
    if not is_curator(by):
        raise NotFound("listing.change.unknown")


def _own(change: ListingChange, by: Actor, status: ChangeStatus) -> None:
    if change.made_by_id is None or change.made_by_id != by.id:
        raise NotFound("listing.change.unknown")
    check_status(change, status)
