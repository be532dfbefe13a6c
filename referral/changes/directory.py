"""One way for a change of the directory to be written down: the change record and the change feed."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, insert, inspect, select
from sqlalchemy.orm import Session

from referral.changes.actors import Actor
from referral.changes.models import ChangeRecord, DirectoryChange
from referral.core.db import Identified, new_id


def record(
    session: Session, row: Identified, *, service_id: UUID | None, by: Actor, now: datetime
) -> None:
    """Write down what a directory row's pending change is, field by field, and announce the service.

    Call it before the flush: afterwards the old values are gone. A new row gives one record.
    """
    state = inspect(row)
    if not state.persistent:
        _write(session, row, "create", "id", "", str(row.id), by, now)
    else:
        for column in state.mapper.column_attrs:
            history = state.attrs[column.key].history
            if history.has_changes() and column.key != "last_modified":
                old = history.deleted[0] if history.deleted else None
                new = history.added[0] if history.added else None
                _write(session, row, "update", column.key, _text(old), _text(new), by, now)
    announce(session, service_id, now=now)


def record_many(
    session: Session,
    changes: Iterable[tuple[str, UUID, str, str, Any, Any]],
    *,
    by: Actor,
    now: datetime,
) -> None:
    """Write down many changes at once, as an import makes them; the caller announces them.

    changes   table, row, action (create, update, delete), field, old value, new value
    """
    entries = [
        {
            "id": new_id(),
            "resource_id": row_id,
            "resource_type": table,
            "last_action_date": now,
            "last_action_type": action,
            "field_name": field,
            "previous_value": _text(old),
            "replacement_value": _text(new),
            "updated_by_id": by.id,
            "updated_by_role": str(by.role),
        }
        for table, row_id, action, field, old, new in changes
    ]
    if entries:
        session.execute(insert(ChangeRecord), entries)


def announce(session: Session, service_id: UUID | None, *, now: datetime) -> None:
    """Tell the feed that an offer changed (None: any may have)."""
    session.add(DirectoryChange(at=now, service_id=service_id))


def version(session: Session) -> int:
    """The directory's version: the number of its last change, 0 before the first."""
    return session.scalar(select(func.max(DirectoryChange.seq))) or 0


def _write(
    session: Session,
    row: Identified,
    action: str,
    field: str,
    old: str,
    new: str,
    by: Actor,
    now: datetime,
) -> None:
    session.add(
        ChangeRecord(
            resource_id=row.id,
            resource_type=row.__tablename__,
            last_action_date=now,
            last_action_type=action,
            field_name=field,
            previous_value=old,
            replacement_value=new,
            updated_by_id=by.id,
            updated_by_role=str(by.role),
        )
    )


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value.isoformat() if isinstance(value, (date, datetime)) else str(value)
