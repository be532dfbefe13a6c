"""The audit chain: each entry carries the hash of the one before, so that a missing or altered one shows."""

import hashlib
import json
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, true
from sqlalchemy.orm import Session

from referral.changes.actors import Actor
from referral.changes.models import AuditEntry, AuditHead

_START = b"\0" * 32


def start(session: Session) -> None:
    """Lay the end that the first entry joins, in a new database. Every writer of the chain locks it."""
    if session.get(AuditHead, 1) is None:
        session.add(AuditHead(id=1, seq=0, hash=_START))
        session.flush()


def record(
    session: Session,
    action: str,
    subject: Any,
    *,
    by: Actor,
    now: datetime,
    client_id: UUID | None = None,
    **details: Any,
) -> AuditEntry:
    """Append to the chain, in the caller's transaction. `details` hold codes and ids, never personal data."""
    session.flush()  # the subject's id must be in the database
    # What this session read of the head before it held the lock may be old.
    locked = select(AuditHead).where(AuditHead.id == 1).with_for_update()
    head = session.scalars(locked, execution_options={"populate_existing": True}).one()
    entry = AuditEntry(
        seq=head.seq + 1,
        at=now,
        actor_id=by.id,
        actor_role=str(by.role),
        action=action,
        subject_type=subject.__tablename__,
        subject_id=subject.id,
        client_id=client_id,
        details=json.loads(json.dumps(details, default=str)),
        previous_hash=head.hash,
    )
    entry.hash = _hash(entry)
    head.seq, head.hash = entry.seq, entry.hash
    session.add(entry)
    session.flush()
    return entry


def first_break(session: Session) -> int | None:
    """Number of the first entry that is missing, altered or out of order; None when the chain is whole."""
    # One statement: a writer between two of them would look like a break.
    chain = (
        select(AuditHead.seq, AuditHead.hash, AuditEntry)
        .outerjoin(AuditEntry, true())
        .where(AuditHead.id == 1)
        .order_by(AuditEntry.seq)
    )
    previous, expected, end = _START, 1, None
    rows: Any
    with session.execute(chain, execution_options={"yield_per": 1000}) as rows:
        for *end_of_chain, entry in rows:
            end = tuple(end_of_chain)
            if entry is None:
                break
            right = entry.seq == expected and entry.previous_hash == previous
            if not right or entry.hash != _hash(entry):
                return expected
            previous, expected = entry.hash, expected + 1
    return None if end == (expected - 1, previous) else expected


def _hash(entry: AuditEntry) -> bytes:
    content = [
        entry.seq,
        entry.at.isoformat(),
        str(entry.actor_id),
        entry.actor_role,
        entry.action,
        entry.subject_type,
        str(entry.subject_id),
        str(entry.client_id),
        entry.details,
    ]
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":")).encode()
    return hashlib.sha256(entry.previous_hash + canonical).digest()
