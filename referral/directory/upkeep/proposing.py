"""A set of changes before it is decided: what it says, read and compared with what the listing says."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from referral.changes.actors import Actor
from referral.core.errors import Invalid
from referral.directory.models import Service
from referral.directory.upkeep import editing, listings
from referral.directory.upkeep.kinds import ChangeKind, ChangeStatus
from referral.directory.upkeep.models import ListingChange
from referral.directory.upkeep.publishing import (
    checked_note,
    organization_of,
    refuse_stale,
    shown_to,
)
from referral.places.gazetteer import Gazetteer


def new(
    service: Service | None,
    kind: ChangeKind,
    values: Mapping[str, Any],
    seen: Mapping[str, Any],
    *,
    by: Actor,
    now: datetime,
    note: str | None = None,
) -> ListingChange:
    """A set of changes that waits; of a listing, or of a new one."""
    return ListingChange(
        service_id=service.id if service is not None else None,
        organization_id=service.organization_id if service is not None else organization_of(by),
        kind=kind,
        status=ChangeStatus.WAITING,
        values=dict(values),
        previous=dict(seen),
        note=checked_note(note),
        made_by_id=by.id,
        made_by_role=str(by.role),
        made_at=now,
    )


def part_of(change: ListingChange, values: dict[str, Any]) -> ListingChange:
    """A set of changes with some values of another, by the same maker."""
    return ListingChange(
        service_id=change.service_id,
        organization_id=change.organization_id,
        kind=change.kind,
        values=values,
        previous={name: seen for name, seen in change.previous.items() if name in values},
        note=change.note,
        made_by_id=change.made_by_id,
        made_by_role=change.made_by_role,
        made_at=change.made_at,
    )


def read(
    service: Service | None,
    values: Mapping[str, Any],
    seen: Mapping[str, Any],
    gazetteer: Gazetteer,
    by: Actor,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The changed values, right, and what was seen of them. Raises InvalidListing and Stale."""
    lists = listings.lists(gazetteer)
    found, findings = editing.read(editing.changed(values, seen), lists)
    if service is None and "name" not in values:
        findings += editing.read({"name": None}, lists)[1]
    if findings:
        raise editing.InvalidListing(findings)
    if service is None:
        empty = editing.empty_values()
        return {n: v for n, v in found.items() if not editing.is_same(n, v, empty[n])}, {}
    shown = shown_to(by, service)
    hidden = found.keys() - shown
    if hidden:
        raise Invalid("listing.change.not_here", field=min(hidden))
    found = editing.changed(found, seen)
    current = listings.values_of(service, for_owner=True)
    # What already holds the new value needs no writing and is no conflict; room is said anew each time.
    found = {
        name: value
        for name, value in found.items()
        if name == "capacity" or not editing.is_same(name, value, current[name])
    }
    refuse_stale(found, seen, current, shown=shown)
    return found, {name: current[name] for name in found}
