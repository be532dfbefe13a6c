"""What a worker owes that no status says: reports to who never meets the client, and what kept a client away."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session, joinedload

from referral.accounts.models import User
from referral.casework.cover import works
from referral.casework.models import Case, Client, Stage
from referral.casework.queries import theirs
from referral.changes import audit
from referral.core.errors import Invalid, NotAllowed, NotFound
from referral.directory.models import ContactMode
from referral.referrals.kinds import Form
from referral.referrals.lifecycle import LIVE, Event
from referral.referrals.models import Referral, Task, TaskKind

#: The first report is due so long after the agency said yes, the next ones so long after one another.
FIRST_REPORT_DAYS, NEXT_REPORT_DAYS = 14, 30
LONGEST_TEXT = 4_000  # characters


class Kept(StrEnum):
    """What kept a client from coming, as they tell it."""

    WAY = "way"
    HOURS = "hours"
    OTHER = "other"


#: what answers a task
ANSWERS: dict[TaskKind, type[StrEnum]] = {TaskKind.REPORT: Form, TaskKind.ASK_TRANSPORT: Kept}


def follow(
    session: Session, referral: Referral, event: Event, *, accepted_on: date, now: datetime
) -> None:
    """What a step makes the worker owe, or owe no longer, in the same transaction.

    accepted_on  the day of the agency's yes, where `event` is one
    """
    if event is Event.ACCEPT and referral.service.contact_mode is ContactMode.INDIRECT:
        _owe_report(session, referral, accepted_on + timedelta(days=FIRST_REPORT_DAYS), now=now)
    if referral.status not in LIVE:
        owed = select(Task).where(
            Task.referral_id == referral.id,
            Task.kind == TaskKind.REPORT,
            Task.done_at.is_(None),
        )
        for task in session.scalars(owed):
            task.done_at = now  # by nobody: it is owed no longer


def open_of(user: User) -> Select[Any]:
    """Tasks of this person's open cases that are not done, the longest due first."""
    return (
        select(Task)
        .join(Task.case)
        .join(Case.client)
        .where(
            theirs(user),
            Task.done_at.is_(None),
            Client.erased_at.is_(None),
            Case.stage != Stage.CLOSED,
        )
        .options(
            joinedload(Task.case).joinedload(Case.broker),
            joinedload(Task.referral).joinedload(Referral.service),
        )
        .order_by(Task.due_on, Task.id)
    )


def of_referral(session: Session, referral_id: UUID) -> Sequence[Task]:
    """Every task of a referral, in the order of their days."""
    return session.scalars(
        select(Task).where(Task.referral_id == referral_id).order_by(Task.due_on, Task.id)
    ).all()


def get(session: Session, user: User, task_id: UUID) -> Task:
    """A task of one of this person's cases. Raises NotFound."""
    task: Task | None = session.scalar(
        select(Task)
        .join(Task.case)
        .join(Case.client)
        .where(Task.id == task_id, theirs(user), Client.erased_at.is_(None))
        .options(joinedload(Task.case), joinedload(Task.referral).joinedload(Referral.service))
    )
    if task is None:
        raise NotFound("task.none")
    return task


def done(
    session: Session,
    task: Task,
    *,
    answer: str | None,
    text: str | None,
    by: User,
    today: date,
    now: datetime,
) -> None:
    """The report was given, or the client has answered; while the referral runs the next report is owed.

    answer  one of ANSWERS of the task's kind
    text    what was said; kept sealed
    """
    if not works(task.case, by):
        raise NotFound("task.none")
    if task.done_at is not None:
        raise NotAllowed("task.is_done")
    if answer not in list(ANSWERS[task.kind]):
        raise Invalid(f"task.missing.{task.kind}", field="answer")
    text = (text or "").strip() or None
    if text is None and answer == Kept.OTHER:
        raise Invalid("task.missing.text", field="text")
    if text is not None and len(text) > LONGEST_TEXT:
        raise Invalid("referral.text_long", field="text", limit=LONGEST_TEXT, length=len(text))
    task.answer, task.text, task.done_at, task.done_by_id = answer, text, now, by.id
    client_id = task.case.client_id
    told = {"kind": task.kind.value, "answer": answer}
    audit.record(session, "task.done", task, by=by, now=now, client_id=client_id, **told)
    referral = task.referral
    if task.kind is TaskKind.REPORT and referral is not None and referral.status in LIVE:
        next_on = max(task.due_on, today) + timedelta(days=NEXT_REPORT_DAYS)
        _owe_report(session, referral, next_on, now=now)


def _owe_report(session: Session, referral: Referral, due_on: date, *, now: datetime) -> None:
    session.add(
        Task(
            key=referral.key,
            key_text=f"report:{referral.id}:{due_on.isoformat()}",
            case_id=referral.case_id,
            referral_id=referral.id,
            kind=TaskKind.REPORT,
            due_on=due_on,
            made_at=now,
        )
    )
