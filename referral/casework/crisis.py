"""Danger to life: when it begins and ends, the numbers that were called, and the second person's look.

The caller commits.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from referral.accounts.models import Office, User
from referral.casework import queries
from referral.casework.models import Case, CrisisCall
from referral.changes import audit
from referral.core.errors import Invalid, NotAllowed


def raise_crisis(session: Session, case: Case, *, by: User, now: datetime) -> None:
    """Somebody's life may be in danger: emergency numbers come before everything else."""
    if case.crisis_since is not None:  # the clock of the second person's look runs from the first
        return
    case.crisis_since = now
    audit.record(session, "crisis.raised", case, by=by, now=now, client_id=case.client_id)


def end_crisis(session: Session, case: Case, *, by: User, now: datetime) -> None:
    """The danger is over, as the worker sees it."""
    if case.crisis_since is None:
        return
    case.crisis_since = None
    audit.record(session, "crisis.ended", case, by=by, now=now, client_id=case.client_id)


def log_call(
    session: Session,
    *,
    office: Office,
    case: Case | None,
    number: str,
    answered: bool | None,
    outcome: str | None,
    called_at: datetime | None = None,
    by: User,
    now: datetime,
) -> CrisisCall:
    """An emergency number was called, just now or at `called_at`. Nothing else has to exist first."""
    if called_at is not None and called_at > now:
        raise Invalid("casework.call_future", field="called_at")
    call = CrisisCall(
        key=case.key if case else office.key,
        office_id=office.id,
        case_id=case.id if case else None,
        by_id=by.id,
        number=number,
        called_at=called_at or now,
        answered=answered,
        outcome=outcome,
    )
    session.add(call)
    audit.record(
        session,
        "crisis.called",
        call,
        by=by,
        now=now,
        client_id=case.client_id if case else None,
        answered=answered,
    )
    return call


def tell_call(
    session: Session,
    call: CrisisCall,
    *,
    answered: bool,
    outcome: str | None,
    by: User,
    now: datetime,
) -> None:
    """What came of a call that was still ringing when it was logged."""
    if call.answered is not None:
        raise NotAllowed("casework.call_told")
    call.answered, call.outcome = answered, outcome
    client_id = _client_of(session, call)
    audit.record(
        session, "crisis.told", call, by=by, now=now, client_id=client_id, answered=answered
    )


def review_call(session: Session, call: CrisisCall, *, by: User, now: datetime) -> None:
    """A second person looked at what was done: at this call and all others of the case still unseen.

    It can't be the one who called.
    """
    others = queries.calls_of(session, call.case_id) if call.case_id else ()
    unseen = {call, *(one for one in others if one.reviewed_at is None)}
    if by.id in {one.by_id for one in unseen}:
        raise NotAllowed("casework.own_review")
    for one in unseen:
        one.reviewed_by_id, one.reviewed_at = by.id, now
    client_id = _client_of(session, call)
    audit.record(session, "crisis.reviewed", call, by=by, now=now, client_id=client_id)


def _client_of(session: Session, call: CrisisCall) -> UUID | None:
    return session.get_one(Case, call.case_id).client_id if call.case_id else None
