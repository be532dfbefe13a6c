"""Reading referrals. Every query is scoped by who asks."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, false, func, or_, select
from sqlalchemy.orm import Session, joinedload, selectinload

from referral.accounts.models import Role, User
from referral.casework.models import Case
from referral.casework.queries import theirs
from referral.core.errors import NotFound
from referral.directory.models import Service
from referral.referrals.lifecycle import LIVE, Event, Status
from referral.referrals.loop import Trace
from referral.referrals.models import Feedback, ReasonCode, Referral, ReferralStep


def reachable(user: User) -> ColumnElement[bool]:
    """Which referrals this person may open: their cases', or those sent to their agency."""
    if user.role is Role.AGENCY and user.organization_id is not None:
        sent = Referral.status != Status.DRAFT
        return and_(Referral.organization_id == user.organization_id, sent)
    if user.role in (Role.BROKER, Role.SUPERVISOR):
        return Referral.case_id.in_(select(Case.id).where(theirs(user)))
    return false()


def _loaded(query: Select[Any]) -> Select[Any]:
    return query.options(
        joinedload(Referral.service).joinedload(Service.organization),
        joinedload(Referral.case).joinedload(Case.client),
        joinedload(Referral.need),
        selectinload(Referral.steps),
    )


def get(session: Session, user: User, referral_id: UUID) -> Referral:
    """The referral with its steps. Raises NotFound when it is not this person's to see."""
    referral = session.scalar(
        _loaded(select(Referral)).where(Referral.id == referral_id, reachable(user))
    )
    if referral is None:
        raise NotFound("referral.none")
    return referral


def of_broker(user: User, *, live: bool = True) -> Select[Any]:
    """Referrals of this person's cases; those due first, then the longest waiting. To be paged."""
    return (
        _loaded(select(Referral))
        .where(
            reachable(user),
            Referral.status.in_([*LIVE, Status.DRAFT])
            if live
            else Referral.status.not_in([*LIVE, Status.DRAFT]),
        )
        .order_by(
            Referral.review_on.is_(None),
            Referral.review_on,
            func.coalesce(Referral.requested_at, Referral.created_at),
            Referral.id,
        )
    )


def inbox(user: User, *, live: bool = True) -> Select[Any]:
    """Referrals to this person's agency: unanswered first, urgent before routine, longest wait first."""
    unanswered = Referral.status.in_([Status.REQUESTED, Status.RECEIVED])
    return (
        _loaded(select(Referral))
        .where(
            reachable(user),
            Referral.status.in_(LIVE) if live else Referral.status.not_in(LIVE),
        )
        .order_by(~unanswered, Referral.priority == "routine", Referral.requested_at, Referral.id)
    )


def live_duplicate(session: Session, need_id: UUID, service_id: UUID) -> Referral | None:
    """A referral of the same need to the same service that is still running."""
    return session.scalar(
        select(Referral).where(
            Referral.need_id == need_id,
            Referral.service_id == service_id,
            Referral.status.in_([*LIVE, Status.DRAFT]),
        )
    )


def of_case(session: Session, case_id: UUID) -> Sequence[Referral]:
    """Every referral of a case, newest first."""
    return session.scalars(
        _loaded(select(Referral))
        .where(Referral.case_id == case_id)
        .order_by(Referral.created_at.desc(), Referral.id.desc())
    ).all()


def traces(session: Session, need_ids: Sequence[UUID]) -> dict[UUID, list[Trace]]:
    """For each need what is known of its referrals, for `loop.need_state`."""
    found: dict[UUID, list[Trace]] = {need_id: [] for need_id in need_ids}
    rows = session.execute(
        select(Referral.need_id, Referral.status, Feedback.received)
        .outerjoin(
            Feedback, and_(Feedback.referral_id == Referral.id, Feedback.given_by == "client")
        )
        .where(Referral.need_id.in_(need_ids), Referral.status != Status.DRAFT)
        .order_by(Referral.created_at, Referral.id)
    )
    for need_id, status, received in rows:
        found[need_id].append(Trace(status, received))
    return found


def reason_codes(session: Session, column: str) -> Sequence[ReasonCode]:
    """The coded reasons that fit a decline, failure, hold or cancel; `other` last."""
    fits = getattr(ReasonCode, f"for_{column}")
    return session.scalars(
        select(ReasonCode).where(fits).order_by(ReasonCode.code == "other", ReasonCode.code)
    ).all()


def feedback_of(session: Session, referral_id: UUID) -> Feedback | None:
    """What the client said of it, if they were asked."""
    return session.scalar(
        select(Feedback).where(Feedback.referral_id == referral_id, Feedback.given_by == "client")
    )


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
        Referral.answer_mode == "walk_in",
        Referral.status == Status.REQUESTED,
        Referral.review_on <= today,
    )
    asked = select(Feedback.id).where(
        Feedback.referral_id == Referral.id, Feedback.given_by == "client"
    )
    return (
        _loaded(select(Referral))
        .where(reachable(user), or_(claimed, walked_in), ~asked.exists())
        .order_by(Referral.outcome_on, Referral.review_on, Referral.id)
    )
