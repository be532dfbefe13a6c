"""How much room a service says it has, and how it has answered: what the matcher reads of it."""

from collections.abc import Iterable
from dataclasses import fields
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload, selectinload

from referral.casework.models import Case
from referral.changes import directory as directory_changes
from referral.changes.actors import Actor
from referral.directory.models import AnswerMode, CapacityStatus, Service, ServiceCapacity
from referral.matching.models import ServiceStanding
from referral.matching.penalties import CAPACITY_GOOD_DAYS
from referral.referrals import clocks, queries
from referral.referrals.kinds import Received
from referral.referrals.lifecycle import LIVE, WAITING, Event, Status
from referral.referrals.models import Feedback, Referral
from referral.referrals.reliability import Tally

FULL_FOR_DAYS = 30  # after "at capacity" without a date the service counts as full this long


def is_full(service: Service, now: datetime) -> bool:
    """Whether the service last said that it has no room, recently enough to count."""
    if not service.capacities:
        return False
    latest = service.capacities[-1]
    if latest.status is not CapacityStatus.NO_CAPACITY:
        return False
    if latest.until is not None:
        return now.date() <= latest.until
    return now - latest.updated <= timedelta(days=CAPACITY_GOOD_DAYS)


def say_capacity(
    session: Session, service: Service, *, by: Actor, now: datetime, **values: Any
) -> None:
    """Write down what is known of a service's room from now on."""
    row = ServiceCapacity(service_id=service.id, updated=now, **values)
    session.add(row)
    directory_changes.record(session, row, service_id=service.id, by=by, now=now)
    session.flush()
    session.expire(service, ["capacities"])


def take_place(session: Session, referral: Referral, *, by: Actor, now: datetime) -> None:
    """One place fewer, where the service counts its places."""
    latest = referral.service.capacities[-1] if referral.service.capacities else None
    if latest is None or not latest.available or latest.available < 1:
        return
    left = latest.available - 1
    status = latest.status if left >= 1 else CapacityStatus.NO_CAPACITY
    say_capacity(
        session,
        referral.service,
        available=left,
        maximum=latest.maximum,
        unit_id=latest.unit_id,
        status=status,
        by=by,
        now=now,
    )


def standings(session: Session, service_ids: Iterable[UUID]) -> dict[UUID, ServiceStanding]:
    """How the services have answered; nothing of those that nobody was sent to."""
    rows = session.scalars(
        select(ServiceStanding).where(ServiceStanding.service_id.in_(set(service_ids)))
    )
    return {row.service_id: row for row in rows}


def all_together(session: Session) -> Tally:
    """How all services together have answered: what is usual."""
    row = session.execute(
        select(
            *(
                func.coalesce(func.sum(getattr(ServiceStanding, one.name)), 0)
                for one in fields(Tally)
            )
        )
    ).one()
    return Tally(*(int(count) for count in row))


def push_silence(session: Session, *, now: datetime) -> int:
    """Tell the matcher of services whose time to answer ran out: silence takes no step; gives how many were looked at."""
    asked = select(Referral.service_id).where(Referral.status.in_(WAITING)).distinct()
    service_ids = session.scalars(asked.order_by(Referral.service_id)).all()
    for service_id in service_ids:
        push_standing(session, service_id, now=now)
    session.flush()
    return len(service_ids)


def push_standing(session: Session, service_id: UUID, *, now: datetime) -> None:
    """Tell the matcher how full a service's hands are and how it has answered.

    Only answers that could be expected count: arrival proven, a service that replies, no entry in error.
    """
    session.flush()
    standing = session.get(ServiceStanding, service_id) or ServiceStanding(service_id=service_id)
    sent = session.scalars(
        select(Referral)
        .where(
            Referral.service_id == service_id,
            Referral.status.not_in([Status.DRAFT, Status.ENTERED_IN_ERROR]),
        )
        .options(
            joinedload(Referral.case).options(joinedload(Case.office), joinedload(Case.client)),
            selectinload(Referral.steps),
        )
    ).all()
    # Of those who were erased nobody tells how it ended.
    is_known = [one.case.client.erased_at is None for one in sent]
    standing.open_referrals = sum(
        known and one.status in LIVE for one, known in zip(sent, is_known, strict=True)
    )
    decisions = [queries.decision(one) for one in sent]
    standing.decided = sum(decision is not None for decision in decisions)
    standing.accepted = sum(decision is Event.ACCEPT for decision in decisions)
    said = _said_by_clients(session, service_id)
    standing.claimed = sum(one.status is Status.COMPLETED for one in sent)
    standing.asked, standing.confirmed = len(said), sum(word != Received.NO for word in said)
    answers = [_in_time(one, now) for one in sent]
    standing.due = sum(answer is not None for answer in answers)
    standing.in_time = sum(answer is True for answer in answers)
    session.add(standing)
    if session.is_modified(standing):
        directory_changes.announce(session, service_id, now=now)


def _said_by_clients(session: Session, service_id: UUID) -> list[str]:
    """Whether help arrived, by the clients of whom the service says that it helped them."""
    return list(
        session.scalars(
            select(Feedback.received)
            .join(Referral, Referral.id == Feedback.referral_id)
            .where(
                Referral.service_id == service_id,
                Referral.status == Status.COMPLETED,
                Feedback.given_by == "client",
            )
        )
    )


def _in_time(referral: Referral, now: datetime) -> bool | None:
    """Whether the agency decided in time; None where it still has time, or none could be expected."""
    if referral.delivered_at is None or referral.answer_mode is not AnswerMode.REPLIES:
        return None
    return clocks.answered_in_time(
        referral.steps,
        delivered_at=referral.delivered_at,
        terms=clocks.terms_of(
            priority=referral.priority.value, profile=referral.case.office.clock_profile.value
        ),
        by=referral.ended_at or now,
    )
