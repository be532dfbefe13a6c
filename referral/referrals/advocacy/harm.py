"""Harm by a service: nobody is sent there until a second person has looked. The agency is never told."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from referral.accounts.models import Role, User
from referral.changes import audit
from referral.changes import directory as directory_changes
from referral.changes.actors import Actor
from referral.core.errors import Invalid, NotFound
from referral.directory.models import Service
from referral.matching.models import ServiceStanding
from referral.referrals.advocacy.models import HarmDecision, HarmReport
from referral.referrals.models import Referral


def report(
    session: Session, referral: Referral, *, text: str | None, by: Actor, now: datetime
) -> HarmReport:
    """Keep what the client says of harm and send nobody there from now on."""
    made = HarmReport(
        key=referral.key,
        referral=referral,
        service_id=referral.service_id,
        office_id=referral.office_id,
        at=now,
        by_id=by.id,
        text=text,
    )
    session.add(made)
    audit.record(session, "harm.reported", made, by=by, now=now, client_id=referral.client_id)
    _suspend(session, referral.service_id, now=now)
    return made


def decide(
    session: Session,
    made: HarmReport,
    decision: HarmDecision,
    *,
    why: str,
    by: User,
    now: datetime,
) -> None:
    """The second person's decision: the service stays out, or may be offered again. Never by who wrote it down."""
    if by.role is not Role.SUPERVISOR or by.office_id != made.office_id or by.id == made.by_id:
        raise NotFound("harm.none")
    if not why.strip():
        raise Invalid("harm.why", field="why")
    made.decision, made.decided_at, made.decided_by_id, made.why = decision, now, by.id, why.strip()
    client_id = made.referral.client_id
    audit.record(
        session, "harm.decided", made, by=by, now=now, client_id=client_id, decision=decision.value
    )
    _suspend(session, made.service_id, now=now)


def of_office(session: Session, user: User) -> Sequence[HarmReport]:
    """What a supervisor has to look at, and what stays out since; undecided first, oldest first."""
    if user.role is not Role.SUPERVISOR:
        return ()
    return session.scalars(
        select(HarmReport)
        .where(
            HarmReport.office_id == user.office_id,
            HarmReport.decision.is_(None) | (HarmReport.decision == HarmDecision.STAYS_SUSPENDED),
        )
        .options(joinedload(HarmReport.referral).joinedload(Referral.service))
        .order_by(HarmReport.decision.is_not(None), HarmReport.at, HarmReport.id)
    ).all()


def get(session: Session, user: User, report_id: UUID) -> HarmReport:
    """One report of this supervisor's office. Raises NotFound for anybody else's."""
    found = next((one for one in of_office(session, user) if one.id == report_id), None)
    if found is None:
        raise NotFound("harm.none")
    return found


def _suspend(session: Session, service_id: UUID, *, now: datetime) -> None:
    """Out as long as any report, of any office, is undecided or was found true."""
    session.flush()
    open_reports = session.scalar(
        select(func.count()).where(
            HarmReport.service_id == service_id,
            HarmReport.decision.is_(None) | (HarmReport.decision == HarmDecision.STAYS_SUSPENDED),
        )
    )
    standing = session.get(ServiceStanding, service_id)
    if standing is None:
        session.get_one(Service, service_id)
        standing = ServiceStanding(service_id=service_id)
        session.add(standing)
    standing.suspended = bool(open_reports)
    directory_changes.announce(session, service_id, now=now)
    session.flush()
