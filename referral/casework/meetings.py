"""Meetings and visits: when worker and client see each other next."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session, joinedload

from referral.accounts.models import User
from referral.casework.cover import works
from referral.casework.models import Case, Client, Meeting, MeetingKind, Stage
from referral.casework.queries import theirs
from referral.changes import audit
from referral.core.errors import Invalid, NotAllowed, NotFound

LONGEST_NOTE = 1_000  # characters


def plan(
    session: Session,
    case: Case,
    *,
    kind: MeetingKind,
    at: datetime,
    note: str | None,
    by: User,
    now: datetime,
) -> Meeting:
    """A meeting to come. Raises Invalid naming `at` or `note`, NotAllowed for a closed case."""
    if not works(case, by):
        raise NotFound("casework.no_case")
    if case.stage is Stage.CLOSED:
        raise NotAllowed("casework.closed")
    _check(at, note, now)
    meeting = Meeting(key=case.key, case=case, kind=kind, at=at, note=note, made_by_id=by.id)
    session.add(meeting)
    audit.record(session, "meeting.planned", meeting, by=by, now=now, client_id=case.client_id)
    return meeting


def move(
    session: Session,
    meeting: Meeting,
    *,
    kind: MeetingKind,
    at: datetime,
    note: str | None,
    by: User,
    now: datetime,
) -> None:
    """Another day or way of meeting."""
    _must_be_open(meeting, by)
    _check(at, note, now)
    meeting.kind, meeting.at, meeting.note = kind, at, note
    client_id = meeting.case.client_id
    audit.record(session, "meeting.moved", meeting, by=by, now=now, client_id=client_id)


def end(session: Session, meeting: Meeting, *, by: User, now: datetime) -> None:
    """It took place, or will not: it is no longer to come."""
    _must_be_open(meeting, by)
    meeting.ended_at = now
    client_id = meeting.case.client_id
    audit.record(session, "meeting.ended", meeting, by=by, now=now, client_id=client_id)


def open_of(user: User) -> Select[Any]:
    """Meetings of this person's open cases that have not ended, the next first."""
    return (
        select(Meeting)
        .join(Meeting.case)
        .join(Case.client)
        .where(
            theirs(user),
            Meeting.ended_at.is_(None),
            Client.erased_at.is_(None),
            Case.stage != Stage.CLOSED,
        )
        .options(joinedload(Meeting.case).joinedload(Case.broker))
        .order_by(Meeting.at, Meeting.id)
    )


def of_case(session: Session, case_id: UUID) -> Sequence[Meeting]:
    """The meetings of a case that have not ended, the next first."""
    return session.scalars(
        select(Meeting)
        .where(Meeting.case_id == case_id, Meeting.ended_at.is_(None))
        .order_by(Meeting.at, Meeting.id)
    ).all()


def get(session: Session, user: User, meeting_id: UUID) -> Meeting:
    """A meeting of one of this person's cases. Raises NotFound."""
    meeting: Meeting | None = session.scalar(
        select(Meeting)
        .join(Meeting.case)
        .join(Case.client)
        .where(Meeting.id == meeting_id, theirs(user), Client.erased_at.is_(None))
        .options(joinedload(Meeting.case))
    )
    if meeting is None:
        raise NotFound("casework.meeting.none")
    return meeting


def _must_be_open(meeting: Meeting, by: User) -> None:
    if not works(meeting.case, by):
        raise NotFound("casework.meeting.none")
    if meeting.ended_at is not None:
        raise NotAllowed("casework.meeting.over")


def _check(at: datetime, note: str | None, now: datetime) -> None:
    if at <= now:
        raise Invalid("casework.meeting.past", field="at")
    if note is not None and len(note) > LONGEST_NOTE:
        raise Invalid("casework.meeting.note_long", field="note", limit=LONGEST_NOTE)
