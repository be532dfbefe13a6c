"""What may be seen of a person's record, and that it was: an event, in the audit chain before the page leaves."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from flask import Flask, Response, g

from referral.changes import audit
from referral.core.db import take_write_lock
from referral.core.errors import NotAllowed
from referral.extensions import db
from referral.matching import queries
from referral.matching.models import MatchReceipt


def seen(subject: Any, *, client_id: UUID) -> None:
    """Note that this page shows `subject`, which is about `client_id`."""
    g.setdefault("seen", []).append((subject.__tablename__, subject.id, client_id))


def shown_receipt(receipt_id: UUID) -> MatchReceipt:
    """A receipt that may still be shown: one that names whom the client must not meet is kept unseen."""
    receipt = queries.get_receipt(db.session, g.user, receipt_id)
    if queries.is_outdated(db.session, receipt):
        raise NotAllowed("match.receipt.outdated")
    return receipt


@dataclass(frozen=True)
class _Reader:
    id: UUID
    role: str


class _Seen:
    def __init__(self, table: str, row_id: UUID) -> None:
        self.__tablename__, self.id = table, row_id


def _write(response: Response) -> Response:
    # A form that comes back with errors shows the person too; an error page took its readings away.
    readings = g.pop("seen", [])
    if readings:
        reader = _Reader(g.user.id, g.user.role)
        # The page is made: what it has not committed it does not keep, and its lock must not block ours.
        db.session.rollback()
        # A session of its own, so that a page that only reads takes the write lock for a moment, not for its whole life.
        with db.sessionmaker() as session:
            take_write_lock(session)
            for table, row_id, client_id in readings:
                subject = _Seen(table, row_id)
                audit.record(
                    session,
                    f"{table}.read",
                    subject,
                    by=reader,
                    now=datetime.now(UTC),
                    client_id=client_id,
                )
            session.commit()
    return response


def init_app(app: Flask) -> None:
    app.after_request(_write)
