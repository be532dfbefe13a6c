"""Reading referrals. Every query is scoped by who asks."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, and_, case, false, func, or_, select
from sqlalchemy.orm import Session, joinedload, selectinload

from referral.accounts.models import Office, Role, User
from referral.casework.models import Case, Client, LawfulBasis, Need, Purpose, Urgency
from referral.casework.queries import basis_for, theirs
from referral.core.errors import NotFound
from referral.directory import closed_days
from referral.directory.models import AnswerMode, Service
from referral.referrals import clocks
from referral.referrals.cards import View, view_of
from referral.referrals.clocks import Calendar, Clock
from referral.referrals.lifecycle import LIVE, WAITING, Event, Status
from referral.referrals.loop import Trace
from referral.referrals.models import Disposition, Feedback, ReasonCode, Referral, ReferralStep

_OPEN = (*LIVE, Status.DRAFT)


def reachable(user: User) -> ColumnElement[bool]:
    """Which referrals this person may open: their cases', or those sent to their agency."""
    if user.role is Role.AGENCY and user.organization_id is not None:
        sent = Referral.status != Status.DRAFT
        return and_(Referral.organization_id == user.organization_id, sent, of_the_known())
    if user.role in (Role.BROKER, Role.SUPERVISOR):
        return and_(Referral.case_id.in_(select(Case.id).where(theirs(user))), of_the_known())
    return false()


def of_the_known() -> ColumnElement[bool]:
    """Referrals of people who were not erased: where somebody had been sent would still tell of them."""
    return Referral.client_id.in_(select(Client.id).where(Client.erased_at.is_(None)))


def loaded(query: Select[Any]) -> Select[Any]:
    """The query with what its referrals are read with."""
    return query.options(
        joinedload(Referral.service).joinedload(Service.organization),
        joinedload(Referral.case).joinedload(Case.client),
        joinedload(Referral.case).joinedload(Case.office),
        joinedload(Referral.case).joinedload(Case.broker),
        joinedload(Referral.need).joinedload(Need.beneficiary),
        selectinload(Referral.steps),
    )


def get(session: Session, user: User, referral_id: UUID) -> Referral:
    """The referral with its steps. Raises NotFound when it is not this person's to see."""
    referral: Referral | None = session.scalar(
        loaded(select(Referral)).where(Referral.id == referral_id, reachable(user))
    )
    if referral is None:
        raise NotFound("referral.none")
    return referral


def of_broker(user: User, *, live: bool = True) -> Select[Any]:
    """Referrals of this person's cases: those due first, then the longest waiting; ended ones newest first."""
    query = loaded(select(Referral)).where(
        reachable(user),
        Referral.status.in_(_OPEN) if live else Referral.status.not_in(_OPEN),
    )
    if not live:
        return query.order_by(Referral.ended_at.desc().nulls_last(), Referral.id)
    return query.order_by(
        Referral.review_on.is_(None),
        Referral.review_on,
        func.coalesce(Referral.requested_at, Referral.created_at),
        Referral.id,
    )


def inbox(user: User, *, live: bool = True) -> Select[Any]:
    """Referrals to this person's agency: unanswered first, urgent before routine, longest wait first."""
    query = loaded(select(Referral)).where(
        reachable(user),
        Referral.status.in_(LIVE) if live else Referral.status.not_in(LIVE),
    )
    if not live:
        return query.order_by(Referral.ended_at.desc().nulls_last(), Referral.id)
    rank = case(
        (Referral.priority == Urgency.EMERGENCY, 0),
        (Referral.priority == Urgency.URGENT, 1),
        else_=2,
    )
    return query.order_by(Referral.status.not_in(WAITING), rank, Referral.requested_at, Referral.id)


def count_live(session: Session, user: User) -> int:
    """How many referrals of this person are running, drafts with them."""
    query = select(func.count()).select_from(Referral)
    return session.scalar(query.where(reachable(user), Referral.status.in_(_OPEN))) or 0


def count_ended(session: Session, user: User) -> int:
    """How many referrals of this person have ended."""
    query = select(func.count()).select_from(Referral)
    return session.scalar(query.where(reachable(user), Referral.status.not_in(_OPEN))) or 0


def live_duplicate(session: Session, need_id: UUID, service_id: UUID) -> Referral | None:
    """A referral of the same need to the same service that is drafted or still running."""
    found: Referral | None = session.scalar(
        loaded(select(Referral))
        .where(
            Referral.need_id == need_id,
            Referral.service_id == service_id,
            Referral.status.in_(_OPEN),
        )
        .order_by(Referral.created_at, Referral.id)
        .limit(1)
    )
    return found


def of_case(session: Session, case_id: UUID) -> Sequence[Referral]:
    """Every referral of a case, newest first."""
    return session.scalars(
        loaded(select(Referral))
        .where(Referral.case_id == case_id)
        .order_by(Referral.created_at.desc(), Referral.id.desc())
    ).all()


def based_on(session: Session, referral_id: UUID) -> Sequence[Referral]:
    """The referrals made after this one and because of it, oldest first."""
    return session.scalars(
        select(Referral)
        .where(Referral.based_on_id == referral_id)
        .order_by(Referral.created_at, Referral.id)
    ).all()


def resting_on(session: Session, receipt_id: UUID) -> Sequence[Referral]:
    """The referrals to services that were chosen from this match, oldest first."""
    return session.scalars(
        select(Referral)
        .where(Referral.receipt_id == receipt_id)
        .order_by(Referral.created_at, Referral.id)
    ).all()


def last_number(session: Session, year: int) -> str | None:
    """The highest number given to a referral this year; None before the first."""
    return session.scalar(
        select(Referral.number)
        .where(Referral.number.like(f"R-{year}-%"))
        .order_by(func.length(Referral.number).desc(), Referral.number.desc())
        .limit(1)
    )


def traces(session: Session, need_ids: Sequence[UUID]) -> dict[UUID, list[Trace]]:
    """For each need what is known of its sent referrals, oldest first, for `loop.need_state`."""
    found: dict[UUID, list[Trace]] = {need_id: [] for need_id in need_ids}
    accepted = (
        select(ReferralStep.id)
        .where(ReferralStep.referral_id == Referral.id, ReferralStep.event == Event.ACCEPT)
        .exists()
    )
    decided = select(Disposition.id).where(Disposition.referral_id == Referral.id).exists()
    rows = session.execute(
        select(Referral.need_id, Referral.status, Feedback.received, accepted, decided)
        .outerjoin(
            Feedback, and_(Feedback.referral_id == Referral.id, Feedback.given_by == "client")
        )
        .where(
            Referral.need_id.in_(need_ids),
            Referral.status.not_in([Status.DRAFT, Status.ENTERED_IN_ERROR]),
        )
        .order_by(Referral.created_at.desc(), Referral.id.desc())
    )
    for need_id, status, received, said_yes, disposed in rows:
        # Whatever came before a newer referral was answered by making that one.
        followed = bool(found[need_id])
        found[need_id].insert(0, Trace(status, received, bool(said_yes), disposed or followed))
    return found


def trace_of(session: Session, referral: Referral) -> Trace:
    """What is known of one referral."""
    feedback = feedback_of(session, referral.id)
    later = session.scalar(
        select(Referral.id)
        .where(
            Referral.need_id == referral.need_id,
            or_(
                Referral.created_at > referral.created_at,
                and_(Referral.created_at == referral.created_at, Referral.id > referral.id),
            ),
            Referral.status.not_in([Status.DRAFT, Status.ENTERED_IN_ERROR]),
        )
        .limit(1)
    )
    return Trace(
        referral.status,
        feedback.received if feedback else None,
        was_accepted(referral),
        later is not None or disposition_of(session, referral.id) is not None,
    )


def decision(referral: Referral) -> Event | None:
    """The agency's yes or no; None while there is none."""
    decided = [step.event for step in referral.steps if step.event in (Event.ACCEPT, Event.DECLINE)]
    return decided[0] if decided else None


def was_accepted(referral: Referral) -> bool:
    """Whether the agency said yes at some time."""
    return any(step.event is Event.ACCEPT for step in referral.steps)


def open_question(referral: Referral) -> ReferralStep | None:
    """What the agency asked before it decided, while the worker has not answered."""
    said = [step for step in referral.steps if step.event in (Event.ASK, Event.REPLY)]
    is_open = said and said[-1].event is Event.ASK and referral.status in WAITING
    return said[-1] if is_open else None


def unconfirmed_cancellation(referral: Referral) -> bool:
    """Whether the agency had accepted, somebody else cancelled, and it has not yet said that it knows."""
    if referral.status is not Status.CANCELLED or not was_accepted(referral):
        return False
    events = {step.event for step in referral.steps}
    by_agency = any(
        step.event is Event.CANCEL and step.actor == "agency" for step in referral.steps
    )
    return Event.CONFIRM not in events and not by_agency


def agency_view(session: Session, referral: Referral, *, now: datetime) -> View:
    """How much of the client the agency of this referral may see now."""
    basis = session.get(LawfulBasis, referral.basis_id) if referral.basis_id else None
    # The client's last word on this agency counts: a later no, or the end of the time they gave, ends it too.
    in_force = basis_for(
        session,
        referral.client_id,
        purpose=Purpose.REFERRAL,
        organization_id=referral.organization_id,
        now=now,
    )
    holds = basis is not None and basis.withdrawn_at is None and in_force is not None
    return view_of(referral.status, accepted=was_accepted(referral), basis_holds=holds)


def clock(referral: Referral) -> Clock:
    """When which answer is due; nothing for a service that gives none."""
    if referral.answer_mode is not AnswerMode.REPLIES:
        return Clock()
    return clocks.clock_of(
        referral.steps,
        status=referral.status,
        delivered_at=referral.delivered_at,
        review_on=referral.review_on,
        terms=clocks.terms_of(
            priority=referral.priority.value, profile=referral.case.office.clock_profile.value
        ),
        calendar=calendar(referral.case.office, (referral.requested_at or referral.created_at)),
    )


def late(session: Session, user: User, *, now: datetime) -> list[tuple[Referral, datetime]]:
    """Running referrals whose answer, contact or news is overdue, with since when; longest first."""
    running = session.scalars(
        loaded(select(Referral)).where(reachable(user), Referral.status.in_(LIVE))
    ).all()
    found = []
    for referral in running:
        due = clock(referral)
        due_at = due.decide_by or due.stalled_from
        if due_at is not None and due_at < now:
            found.append((referral, due_at))
    return sorted(found, key=lambda pair: (pair[1], pair[0].id))


def calendar(office: Office, at: datetime) -> Calendar:
    """The working days of an office around an instant: without the country's holidays and its own days off."""
    zone = ZoneInfo(office.time_zone)
    own = {day.on for day in office.days_off}
    return Calendar(zone, closed_days.around(at.astimezone(zone).year) | own)


def has_account(session: Session, organization_id: UUID) -> bool:
    """Whether somebody of the agency can sign in and find the referral in their inbox."""
    return (
        session.scalar(
            select(User.id)
            .where(
                User.organization_id == organization_id,
                User.role == Role.AGENCY,
                User.active,
                User.password.is_not(None),
            )
            .limit(1)
        )
        is not None
    )


def reason_codes(session: Session, column: str) -> Sequence[ReasonCode]:
    """The coded reasons that fit a decline, failure, hold or cancel; `other` last."""
    fits = getattr(ReasonCode, f"for_{column}")
    return session.scalars(
        select(ReasonCode).where(fits).order_by(ReasonCode.code == "other", ReasonCode.code)
    ).all()


def reasons_by_code(session: Session) -> dict[str, ReasonCode]:
    """Every coded reason."""
    return {reason.code: reason for reason in session.scalars(select(ReasonCode))}


def ended_in_vain(session: Session, need_id: UUID) -> Referral | None:
    """The referral of a need that was refused, failed or cancelled last."""
    found: Referral | None = session.scalar(
        loaded(select(Referral))
        .where(
            Referral.need_id == need_id,
            Referral.status.in_([Status.REJECTED, Status.FAILED, Status.CANCELLED]),
        )
        .order_by(Referral.ended_at.desc(), Referral.id.desc())
        .limit(1)
    )
    return found


def end_reason(session: Session, referral: Referral) -> ReasonCode | None:
    """The coded reason with which a referral ended; None while it runs, or where it ended well."""
    steps = [step for step in referral.steps if step.reason_code]
    if not steps or steps[-1].to_status is not referral.status or referral.ended_at is None:
        return None
    return session.get(ReasonCode, steps[-1].reason_code)


def feedback_of(session: Session, referral_id: UUID) -> Feedback | None:
    """What the client said of it, if they were asked."""
    return session.scalar(
        select(Feedback).where(Feedback.referral_id == referral_id, Feedback.given_by == "client")
    )


def disposition_of(session: Session, referral_id: UUID) -> Disposition | None:
    """What the worker decided after it ended without help."""
    return session.scalar(select(Disposition).where(Disposition.referral_id == referral_id))


def status_before_hold(session: Session, referral_id: UUID) -> Status:
    """Where a referral on hold came from."""
    step = session.scalars(
        select(ReferralStep)
        .where(ReferralStep.referral_id == referral_id, ReferralStep.event == Event.HOLD)
        .order_by(ReferralStep.at.desc(), ReferralStep.id.desc())
        .limit(1)
    ).one()
    return step.from_status


def to_ask_client(user: User, today: date) -> Select[Any]:
    """Referrals whose client should be asked now: help claimed, or a walk-in visit that is due."""
    claimed = Referral.status == Status.COMPLETED
    walked_in = and_(
        Referral.answer_mode == AnswerMode.WALK_IN,
        Referral.status.in_(LIVE),
        Referral.review_on <= today,
    )
    asked = select(Feedback.id).where(
        Feedback.referral_id == Referral.id, Feedback.given_by == "client"
    )
    return (
        loaded(select(Referral))
        .where(reachable(user), or_(claimed, walked_in), ~asked.exists())
        .order_by(Referral.outcome_on.nulls_first(), Referral.review_on, Referral.id)
    )
