"""What a worker must look at next in a running referral, and by which day."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Select, and_, or_, select
from sqlalchemy.orm import Session, contains_eager, joinedload

from referral.accounts.models import User
from referral.casework.models import Case, Client, LawfulBasis, Need, Stage
from referral.casework.queries import theirs
from referral.directory.models import AnswerMode, Organization, Service
from referral.referrals import queries
from referral.referrals.lifecycle import LIVE, Actor, Status
from referral.referrals.loop import awaits_disposition
from referral.referrals.models import Disposition, Referral, ReferralStep


class Due(StrEnum):
    """Why a referral is looked at."""

    #: the agency asked something and waits
    QUESTION = "question"
    #: so long without a word that its end may be confirmed
    SILENT = "silent"
    #: the agency should have seen it
    SEEN = "seen"
    #: yes or no
    DECIDE = "decide"
    #: the first contact that was promised
    CONTACT = "contact"
    #: word from an agency that is helping
    NEWS = "news"
    #: the day on which a hold, or an answer in writing, is looked at again
    REVIEW = "review"
    #: whether the client went, or got what was claimed
    ASK_CLIENT = "ask_client"


@dataclass(frozen=True)
class DueLine:
    """One referral with what is due of it; `on` is a day of its office's zone."""

    referral: Referral
    due: Due
    on: date


def due_of(referral: Referral, *, now: datetime) -> DueLine | None:
    """What comes next of a running referral; None where nothing is expected by a day."""
    question = queries.open_question(referral)
    zone = ZoneInfo(referral.case.office.time_zone)
    if question is not None:
        return DueLine(referral, Due.QUESTION, question.at.astimezone(zone).date())
    if referral.answer_mode is AnswerMode.WALK_IN:
        on = referral.review_on
        return DueLine(referral, Due.ASK_CLIENT, on) if on else None
    clock = queries.clock(referral)
    if clock.silent_from is not None and clock.silent_from <= now:
        return DueLine(referral, Due.SILENT, clock.silent_from.date())
    instants = [
        (at, due)
        for at, due in (
            (clock.acknowledge_by, Due.SEEN),
            (clock.decide_by, Due.DECIDE),
            (clock.contact_by, Due.CONTACT),
            (clock.stalled_from, Due.NEWS),
        )
        if at is not None
    ]
    if clock.decide_by is not None and clock.decide_by <= now:
        return DueLine(referral, Due.DECIDE, clock.decide_by.date())
    if referral.review_on is not None and (referral.status is Status.ON_HOLD or not instants):
        return DueLine(referral, Due.REVIEW, referral.review_on)
    if not instants:
        return None
    at, due = min(instants)
    return DueLine(referral, due, at.date())


def running(user: User) -> Select[Any]:
    """Every running referral of this person's cases."""
    return queries.loaded(select(Referral)).where(
        queries.reachable(user), Referral.status.in_(LIVE)
    )


def has_not_arrived(referral: Referral) -> bool:
    """Whether it was sent and nothing proves yet that the agency has it: no clock runs."""
    return (
        referral.status is Status.REQUESTED
        and referral.answer_mode is not AnswerMode.WALK_IN
        and referral.delivered_at is None
    )


def answers_since(session: Session, user: User, since: datetime) -> list[ReferralStep]:
    """The last thing each agency did since then in this person's referrals, newest first.

    What the person wrote down for the agency themselves they know.
    """
    rows = session.scalars(
        select(ReferralStep)
        .join(ReferralStep.referral)
        .where(
            queries.reachable(user),
            ReferralStep.actor == Actor.AGENCY,
            ReferralStep.at >= since,
            or_(ReferralStep.by_id.is_(None), ReferralStep.by_id != user.id),
        )
        .options(
            contains_eager(ReferralStep.referral).options(
                joinedload(Referral.service).joinedload(Service.organization),
                joinedload(Referral.case).joinedload(Case.broker),
            )
        )
        .order_by(ReferralStep.at.desc(), ReferralStep.id.desc())
    )
    newest: dict[UUID, ReferralStep] = {}
    for step in rows:
        newest.setdefault(step.referral_id, step)
    return list(newest.values())


def undecided(session: Session, user: User) -> list[Referral]:
    """Referrals that ended without help and whose need waits for the worker's word, the oldest first.

    A need that was recorded as unmet has that word; the caller knows which.
    """
    decided = select(Disposition.id).where(Disposition.referral_id == Referral.id).exists()
    ended = session.scalars(
        queries.loaded(select(Referral))
        .join(Referral.need)
        .join(Referral.case)
        .where(
            queries.reachable(user),
            Referral.status.in_(
                [Status.REJECTED, Status.FAILED, Status.CANCELLED, Status.COMPLETED]
            ),
            ~decided,
            Case.stage != Stage.CLOSED,
            Need.withdrawn_at.is_(None),
            Need.resolved_otherwise_at.is_(None),
        )
        .order_by(Referral.created_at, Referral.id)
    ).all()
    last = {referral.need_id: referral for referral in ended}
    found = queries.traces(session, list(last))
    waiting = [
        referral
        for need_id, referral in last.items()
        if found[need_id]
        and found[need_id][-1].status is referral.status
        and awaits_disposition(found[need_id][-1])
    ]
    return sorted(waiting, key=lambda one: (one.ended_at or one.created_at, one.id))


def expiring(
    session: Session, user: User, *, today: date, until: date
) -> list[tuple[LawfulBasis, Case, str | None]]:
    """Consents of this person's open cases that end by then and were not renewed, with the agency that was told."""
    later = LawfulBasis.__table__.alias("later")
    renewed = (
        select(later.c.id)
        .where(
            later.c.client_id == LawfulBasis.client_id,
            later.c.purpose == LawfulBasis.purpose,
            or_(
                later.c.organization_id == LawfulBasis.organization_id,
                and_(later.c.organization_id.is_(None), LawfulBasis.organization_id.is_(None)),
            ),
            later.c.given_at > LawfulBasis.given_at,
        )
        .exists()
    )
    rows = session.execute(
        select(LawfulBasis, Case, Organization.name)
        .join(Case, Case.client_id == LawfulBasis.client_id)
        .join(Client, Client.id == Case.client_id)
        .outerjoin(Organization, Organization.id == LawfulBasis.organization_id)
        .where(
            theirs(user),
            Case.stage != Stage.CLOSED,
            Client.erased_at.is_(None),
            ~LawfulBasis.refused,
            LawfulBasis.withdrawn_at.is_(None),
            LawfulBasis.expires_on.between(today, until),
            ~renewed,
        )
        .options(joinedload(Case.broker))
        .order_by(LawfulBasis.expires_on, LawfulBasis.id)
    )
    return [(basis, case, agency) for basis, case, agency in rows]
