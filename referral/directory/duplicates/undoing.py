"""Takes a merge back: every row goes where it was, unless somebody has changed it since."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from referral.changes import audit
from referral.changes import directory as changes
from referral.changes.actors import Actor
from referral.core.errors import NotAllowed
from referral.core.text import Message
from referral.directory.duplicates.merging import touch
from referral.directory.duplicates.models import DuplicatePair, Merge, PairStatus
from referral.directory.duplicates.references import REFERENCES, How
from referral.directory.duplicates.rows import (
    MADE,
    Change,
    at,
    find,
    key_of,
    plain,
    records,
    remove,
    revived,
    table,
    write,
)
from referral.directory.models import Service

_COUNTED = frozenset(one.table for one in REFERENCES if one.how is How.COUNTED)


@dataclass
class Plan:
    """What taking a merge back will do.

    left   what stays as it is now, because it was changed or deleted since: sentences for the curator
    """

    restored: dict[str, dict[str, Change]] = field(default_factory=dict)
    writes: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)
    removed: list[tuple[str, str]] = field(default_factory=list)
    left: list[Message] = field(default_factory=list)


def plan(session: Session, merge: Merge) -> Plan:
    """What undoing would restore and what not. Raises NotAllowed where it can't be undone at all."""
    session.flush()
    if merge.undone_at is not None:
        raise NotAllowed("duplicates.undo.already")
    _refuse_covered(session, merge)
    found = Plan()
    for name, rows in merge.moved.items():
        for key, change in rows.items():
            _plan_row(session, found, name, key, change)
    return found


def _refuse_covered(session: Session, merge: Merge) -> None:
    """A later merge of one of the two stands on this one; it goes first."""
    both = (merge.kept_id, merge.gone_id)
    later = session.scalars(
        select(Merge).where(
            Merge.id != merge.id,
            Merge.undone_at.is_(None),
            Merge.merged_at >= merge.merged_at,
            or_(Merge.kept_id.in_(both), Merge.gone_id.in_(both)),
        )
    )
    for one in later:
        if (one.merged_at, one.id) > (merge.merged_at, merge.id):
            name = session.get_one(Service, one.gone_id).name
            raise NotAllowed("duplicates.undo.covered", name=name)


def _plan_row(session: Session, found: Plan, name: str, key: str, change: Change) -> None:
    rows = find(session, name, at(name, key))
    if not rows:
        # A row that the merge made and somebody deleted is where it was before.
        if MADE not in change:
            found.left.append(Message("duplicates.undo.deleted", {"what": _what(name)}))
        return
    (row,) = rows
    if MADE in change:
        found.removed.append((name, key))
        return
    values: dict[str, Any] = {}
    restored: Change = {}
    for column, (before, after) in change.items():
        current = plain(row[column])
        if current == after:
            values[column] = revived(name, column, before)
        elif name in _COUNTED:
            # Counted on since: what the merge added is taken off again.
            values[column] = max(0, current - (after - before))
        else:
            params = {"what": _what(name), "field": column}
            found.left.append(Message("duplicates.undo.changed", params))
            continue
        restored[column] = [before, current]
    if values:
        found.writes.append((name, key, values))
        found.restored.setdefault(name, {})[key] = restored


def _what(name: str) -> Message:
    key = f"duplicates.rows.{name}"
    return Message(key)


def undo(session: Session, merge: Merge, *, by: Actor, now: datetime) -> list[Message]:
    """Take a merge back; flushes. Gives what could not be restored. Raises NotAllowed.

    What was made since for the kept listing stays with it; a referral to a site that goes back goes with it.
    """
    found = plan(session, merge)
    for name, key in found.removed:
        remove(session, name, key)
    for name, key, values in found.writes:
        write(session, name, key, values)
    _follow_sites(session, merge, found)
    first, second = sorted((merge.kept_id, merge.gone_id))
    session.execute(
        update(DuplicatePair)
        .where(
            DuplicatePair.first_id == first,
            DuplicatePair.second_id == second,
            DuplicatePair.status == PairStatus.MERGED,
        )
        .values(status=PairStatus.OPEN, decided_by_id=None, decided_at=None)
    )
    touch(session, merge.kept_id, merge.gone_id, now=now)
    merge.undone_by_id, merge.undone_at = by.id, now
    changes.record_many(session, records(found.restored, back=True), by=by, now=now)
    for one in (merge.kept_id, merge.gone_id):
        changes.announce(session, one, now=now)
    audit.record(session, "listing.unmerged", merge, by=by, now=now, left=len(found.left))
    session.flush()
    session.expire_all()
    return found.left


def _follow_sites(session: Session, merge: Merge, found: Plan) -> None:
    """Referrals made since the merge to a site that goes back are that listing's."""
    back = [
        UUID(key)
        for name, key, values in found.writes
        if name == "service_at_location" and "service_id" in values
    ]
    referral = table("referral")
    rows = find(
        session,
        "referral",
        referral.c.service_at_location_id.in_(back),
        referral.c.service_id == merge.kept_id,
    )
    for row in rows:
        write(session, "referral", key_of("referral", row), {"service_id": merge.gone_id})
