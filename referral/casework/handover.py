"""A case goes from one worker to another; nobody leaves with open cases."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from referral.accounts import operations as accounts
from referral.accounts.models import Role, User
from referral.casework.models import Case, Handover, Stage
from referral.changes import audit
from referral.core.errors import Invalid, NotAllowed

LONGEST_NOTE = 10_000


def open_cases(session: Session, worker: User) -> Sequence[Case]:
    """Cases a worker holds that are not closed, by number."""
    query = select(Case).where(Case.broker_id == worker.id, Case.stage != Stage.CLOSED)
    return session.scalars(query.order_by(Case.number, Case.id)).all()


def reassign(
    session: Session, case: Case, *, to: User, note: str, by: User, now: datetime
) -> Handover:
    """Give a case to another broker of the same office, with what the next worker must know.

    Raises NotAllowed for anybody but a supervisor of the office and for a closed case, and Invalid
    naming `to` or `note`.
    """
    if by.role is not Role.SUPERVISOR or by.office_id != case.office_id:
        raise NotAllowed("accounts.handover.not_yours")
    if case.stage is Stage.CLOSED:
        raise NotAllowed("accounts.handover.closed")
    can_take = to.role is Role.BROKER and to.active and to.office_id == case.office_id
    if not can_take:
        raise Invalid("accounts.handover.to_missing", field="to")
    if to.id == case.broker_id:
        raise Invalid("accounts.handover.same", field="to")
    note = note.strip()
    if not note:
        raise Invalid("accounts.handover.note_missing", field="note")
    if len(note) > LONGEST_NOTE:
        raise Invalid("accounts.handover.note_long", field="note", longest=LONGEST_NOTE)
    handover = Handover(
        key=case.key,
        case_id=case.id,
        from_id=case.broker_id,
        to_id=to.id,
        by_id=by.id,
        at=now,
        note=note,
    )
    session.add(handover)
    before, case.broker = case.broker_id, to
    audit.record(
        session,
        "case.reassigned",
        case,
        by=by,
        now=now,
        client_id=case.client_id,
        from_id=before,
        to_id=to.id,
    )
    return handover


def retire(session: Session, worker: User, *, by: User, now: datetime) -> None:
    """End a worker's account. Raises NotAllowed, naming the cases, while they still hold open ones."""
    _must_hold_none(session, worker)
    accounts.deactivate(session, worker, by=by, now=now)


def change_worker(
    session: Session, worker: User, *, by: User, now: datetime, **values: Any
) -> None:
    """`accounts.operations.change_user`, but a broker leaves role or office only without open cases."""
    office = values["office"]
    moves = values["role"] is not Role.BROKER or office is None or office.id != worker.office_id
    if worker.role is Role.BROKER and moves:
        _must_hold_none(session, worker)
    accounts.change_user(session, worker, by=by, now=now, **values)


def _must_hold_none(session: Session, worker: User) -> None:
    cases = open_cases(session, worker)
    if cases:
        raise NotAllowed("accounts.user.has_cases", numbers=[case.number for case in cases])
