"""A client's complaint, carried to an outcome: whoever has the same trouble with a service shares one file."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from referral.accounts.models import Office, Role, User
from referral.casework.models import Case, WorkerRole
from referral.casework.operations import add_note
from referral.casework.queries import theirs
from referral.changes import audit
from referral.core.errors import Invalid, NotAllowed, NotFound
from referral.core.text import DEFAULT_LANGUAGE, Message, render
from referral.directory.upkeep import reports
from referral.referrals import queries as referrals
from referral.referrals.advocacy import queries
from referral.referrals.advocacy.models import (
    AdvocacyAction,
    AdvocacyKind,
    AdvocacyOutcome,
    Complaint,
    Obstacle,
)
from referral.referrals.kinds import Form
from referral.referrals.lifecycle import Status
from referral.referrals.loop import Loop, loop_of
from referral.referrals.models import Referral
from referral.referrals.operations import TEXT_LIMIT

#: a new file is looked at again after so many days, unless somebody says otherwise
DUE_DAYS = 14
#: why a referral ended that the agency says was completed, and the client says was not
NOT_HELPED = "help_did_not_come"
#: says nothing of what the trouble was: such complaints never share a file
OTHER = "other"


def may_complain(session: Session, referral: Referral) -> bool:
    """Whether a referral ended so that a complaint can be made, and none is being carried already."""
    if referral.status is Status.ENTERED_IN_ERROR:
        return False
    last = queries.complaint_about(session, referral.id)
    if last is not None and last.obstacle.closed_at is None:
        return False
    return (
        referral.status in (Status.REJECTED, Status.FAILED)
        or queries.cancelled_by_agency(referral)
        or loop_of(referrals.trace_of(session, referral)) is Loop.DISPUTED
    )


def complain(
    session: Session,
    referral: Referral,
    *,
    text: str,
    wants: str | None,
    form: str,
    may_name: bool,
    by: User,
    now: datetime,
) -> Complaint:
    """Write down what the client says and wants, and carry it in the open file of the same obstacle, or in a new one.

    may_name   the service may hear of it in the client's name
    """
    case = referral.case
    if not _reads(session, case, by):
        raise NotFound("referral.none")
    if not may_complain(session, referral):
        raise NotAllowed("advocacy.no_ground")
    text, wants = _checked(text, "text", "advocacy.text_missing"), (wants or "").strip()
    if len(wants) > TEXT_LIMIT:
        raise Invalid("referral.text_long", field="wants", limit=TEXT_LIMIT, length=len(wants))
    if form not in list(Form):
        raise Invalid("advocacy.form", field="form")
    reason = referrals.end_reason(session, referral)
    code = reason.code if reason is not None else NOT_HELPED
    obstacle = None
    if code != OTHER:
        obstacle = queries.find_open(
            session, office_id=case.office_id, service_id=referral.service_id, reason_code=code
        )
    if obstacle is None:
        obstacle = _open(session, referral, code, by=by, now=now)
    complaint = Complaint(
        key=referral.key,
        referral=referral,
        obstacle=obstacle,
        at=now,
        by_id=by.id,
        form=form,
        may_name=may_name,
        text=text,
        wants=wants or None,
    )
    session.add(complaint)
    audit.record(
        session,
        "complaint.recorded",
        complaint,
        by=by,
        now=now,
        client_id=referral.client_id,
        may_name=may_name,
    )
    _note(session, case, Message("advocacy.note.complaint", _about(referral)), by=by, now=now)
    return complaint


def act(
    session: Session,
    obstacle: Obstacle,
    kind: AdvocacyKind,
    *,
    text: str,
    by: User,
    now: datetime,
) -> AdvocacyAction:
    """Write down one thing that was done about an obstacle. No word about a single client belongs there."""
    _check_open(session, obstacle, by)
    made = AdvocacyAction(
        key=obstacle.key,
        obstacle_id=obstacle.id,
        kind=kind,
        at=now,
        by_id=by.id,
        text=_checked(text, "text", "advocacy.action_missing"),
    )
    session.add(made)
    audit.record(session, "advocacy.acted", made, by=by, now=now, kind=kind.value)
    session.expire(obstacle, ["actions"])
    for case, number in queries.cases_in(session, obstacle):
        told = Message(f"advocacy.note.{kind}", {"number": number})
        _note(session, case, told, by=by, now=now)
    return made


def entrust(
    session: Session, obstacle: Obstacle, *, to: User, due_on: date, by: User, now: datetime
) -> None:
    """Say who carries a file on, and by when it is looked at again."""
    _check_open(session, obstacle, by)
    in_office = to.office_id == obstacle.office_id and to.role in (Role.BROKER, Role.SUPERVISOR)
    if not in_office or not to.active:
        raise Invalid("advocacy.owner", field="to")
    if due_on < local_day(obstacle.office, now):
        raise Invalid("advocacy.due_past", field="due_on")
    obstacle.owner, obstacle.due_on = to, due_on
    audit.record(session, "obstacle.entrusted", obstacle, by=by, now=now, to=to.id, due_on=due_on)


def close(
    session: Session,
    obstacle: Obstacle,
    outcome: AdvocacyOutcome,
    *,
    result: str,
    rule_changed: bool = False,
    by: User,
    now: datetime,
) -> None:
    """End a file with what came of it. Everybody who is in it is told by a note in their case.

    rule_changed   the service's listing no longer says what is true: a curator hears of it
    """
    _check_open(session, obstacle, by)
    obstacle.result = _checked(result, "result", "advocacy.result_missing")
    obstacle.outcome, obstacle.closed_at = outcome, now
    audit.record(session, "obstacle.closed", obstacle, by=by, now=now, outcome=outcome.value)
    if rule_changed and outcome is AdvocacyOutcome.REMOVED:
        reason = referrals.reasons_by_code(session)[obstacle.reason_code]
        said = Message("advocacy.rule_changed", {"reason": reason.name_id})
        reports.report_from_answer(
            session,
            obstacle.service_id,
            render(said, DEFAULT_LANGUAGE),
            is_doubted=False,
            by=by,
            now=now,
        )
    ended = Message(f"advocacy.outcome.{outcome}")
    for case, number in queries.cases_in(session, obstacle):
        told = Message("advocacy.note.closed", {"number": number, "outcome": ended})
        _note(session, case, told, by=by, now=now)


def local_day(office: Office, now: datetime) -> date:
    """The day it is in the office's zone."""
    return now.astimezone(ZoneInfo(office.time_zone)).date()


def _open(session: Session, referral: Referral, code: str, *, by: User, now: datetime) -> Obstacle:
    office = referral.case.office
    obstacle = Obstacle(
        key=office.key,
        office=office,
        service=referral.service,
        reason_code=code,
        opened_at=now,
        opened_by_id=by.id,
        # A supervisor writes it down; the worker whose case it is carries it.
        owner=by if by.role is Role.BROKER else referral.case.broker,
        due_on=local_day(office, now) + timedelta(days=DUE_DAYS),
    )
    session.add(obstacle)
    audit.record(session, "obstacle.opened", obstacle, by=by, now=now, reason=code)
    return obstacle


def _check_open(session: Session, obstacle: Obstacle, by: User) -> None:
    """Raises NotFound for somebody else's file, NotAllowed for one that has ended."""
    queries.get(session, by, obstacle.id)
    if obstacle.closed_at is not None:
        raise NotAllowed("advocacy.closed")


def _checked(text: str, field: str, missing: str) -> str:
    text = text.strip()
    if not text:
        raise Invalid(missing, field=field)
    if len(text) > TEXT_LIMIT:
        raise Invalid("referral.text_long", field=field, limit=TEXT_LIMIT, length=len(text))
    return text


def _reads(session: Session, case: Case, by: User) -> bool:
    return session.scalar(select(Case.id).where(Case.id == case.id, theirs(by))) is not None


def _about(referral: Referral) -> dict[str, str]:
    return {"number": referral.number, "service": referral.service.name}


def _note(session: Session, case: Case, message: Message, *, by: User, now: datetime) -> None:
    """What was done as the client's advocate, in their case."""
    add_note(
        session,
        case,
        render(message, DEFAULT_LANGUAGE),
        acted_as=WorkerRole.ADVOCATE,
        by=by,
        now=now,
    )
