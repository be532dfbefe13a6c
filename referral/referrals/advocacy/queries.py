"""Reading obstacles and complaints. An office's files are its own; whom a file is about, only who reads that case."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, false, func, or_, select
from sqlalchemy.orm import Session, joinedload, selectinload

from referral.accounts.models import Role, User
from referral.casework.models import Case, Client, Exclusion, LawfulBasis, Need, Purpose
from referral.casework.queries import theirs
from referral.core.errors import NotFound
from referral.directory.models import Service
from referral.referrals import queries as referrals
from referral.referrals.advocacy.models import Complaint, Obstacle
from referral.referrals.kinds import Received
from referral.referrals.lifecycle import Actor, Event, Status
from referral.referrals.models import Disposition, Feedback, Referral, ReferralStep


def reachable(user: User) -> ColumnElement[bool]:
    """Which files this person may open: a supervisor their office's, a broker those that they carry or that hold a
    complaint of one of their cases.
    """
    if user.role is Role.SUPERVISOR:
        return Obstacle.office_id == user.office_id
    if user.role is not Role.BROKER:
        return false()
    held = select(Complaint.obstacle_id).join(Complaint.referral).join(Referral.case)
    return and_(
        Obstacle.office_id == user.office_id,
        or_(Obstacle.owner_id == user.id, Obstacle.id.in_(held.where(theirs(user)))),
    )


def get(session: Session, user: User, obstacle_id: UUID) -> Obstacle:
    """The file with what was done. Raises NotFound when it is not this person's."""
    found: Obstacle | None = session.scalar(
        _loaded(select(Obstacle)).where(Obstacle.id == obstacle_id, reachable(user))
    )
    if found is None:
        raise NotFound("advocacy.none")
    return found


def _loaded(query: Select[Any]) -> Select[Any]:
    return query.options(
        joinedload(Obstacle.service).joinedload(Service.organization),
        joinedload(Obstacle.owner),
        joinedload(Obstacle.office),
        selectinload(Obstacle.actions),
    )


def files(user: User, *, closed: bool = False) -> Select[Any]:
    """This person's files: those due first, or those that ended last; to be paged."""
    query = _loaded(select(Obstacle)).where(reachable(user))
    if closed:
        ended = query.where(Obstacle.closed_at.is_not(None))
        return ended.order_by(Obstacle.closed_at.desc(), Obstacle.id)
    return query.where(Obstacle.closed_at.is_(None)).order_by(Obstacle.due_on, Obstacle.id)


def people(session: Session, obstacle_ids: Sequence[UUID]) -> dict[UUID, int]:
    """By file, of how many clients it is."""
    rows = session.execute(
        select(Complaint.obstacle_id, func.count(Referral.client_id.distinct()))
        .join(Complaint.referral)
        .where(Complaint.obstacle_id.in_(list(obstacle_ids)))
        .group_by(Complaint.obstacle_id)
    )
    return {row[0]: row[1] for row in rows}


@dataclass(frozen=True)
class Told:
    """The complaints of a file that somebody may read, and of how many other clients it is besides."""

    complaints: Sequence[Complaint]
    others: int


def told_to(session: Session, user: User, obstacle: Obstacle) -> Told:
    """What of a file's complaints is this person's to read: those of their own cases."""
    complaints = session.scalars(
        select(Complaint)
        .join(Complaint.referral)
        .join(Referral.case)
        .join(Case.client)
        .where(Complaint.obstacle_id == obstacle.id, theirs(user), Client.erased_at.is_(None))
        .options(
            joinedload(Complaint.referral).joinedload(Referral.case).joinedload(Case.client),
            joinedload(Complaint.referral).joinedload(Referral.need).joinedload(Need.case),
        )
        .order_by(Complaint.at, Complaint.id)
    ).all()
    shown = {one.referral.client_id for one in complaints}
    return Told(complaints, people(session, [obstacle.id]).get(obstacle.id, 0) - len(shown))


def named(session: Session, complaints: Sequence[Complaint]) -> list[Complaint]:
    """Those whose client may still be named to the service: a later no to this agency takes the word back."""
    return [
        one
        for one in complaints
        if one.may_name and one.referral.case.client.name and not _took_back(session, one)
    ]


def _took_back(session: Session, complaint: Complaint) -> bool:
    referral = complaint.referral
    basis = select(LawfulBasis.id).where(
        LawfulBasis.client_id == referral.client_id,
        LawfulBasis.purpose == Purpose.REFERRAL,
        LawfulBasis.organization_id == referral.organization_id,
        or_(
            LawfulBasis.withdrawn_at >= complaint.at,
            and_(LawfulBasis.refused, LawfulBasis.given_at >= complaint.at),
        ),
    )
    kept_out = select(Exclusion.id).where(
        Exclusion.case_id == referral.case_id,
        Exclusion.organization_id == referral.organization_id,
    )
    return bool(session.scalar(select(or_(basis.exists(), kept_out.exists()))))


def names_of(session: Session, user_ids: Iterable[UUID]) -> dict[UUID, str]:
    """What the people are called."""
    rows = session.execute(select(User.id, User.name).where(User.id.in_(list(user_ids))))
    return {row[0]: row[1] for row in rows}


def cases_in(session: Session, obstacle: Obstacle) -> Sequence[tuple[Case, str]]:
    """The cases a file is about with the number of the referral, those of erased clients left out."""
    rows = session.execute(
        select(Case, Referral.number)
        .join(Referral, Referral.case_id == Case.id)
        .join(Complaint, Complaint.referral_id == Referral.id)
        .join(Case.client)
        .where(Complaint.obstacle_id == obstacle.id, Client.erased_at.is_(None))
        .order_by(Complaint.at, Complaint.id)
    )
    return [(case, number) for case, number in rows]


def find_open(
    session: Session, *, office_id: UUID, service_id: UUID, reason_code: str
) -> Obstacle | None:
    """The open file of an office about one reason of one service."""
    return session.scalar(
        select(Obstacle)
        .where(
            Obstacle.office_id == office_id,
            Obstacle.service_id == service_id,
            Obstacle.reason_code == reason_code,
            Obstacle.closed_at.is_(None),
        )
        .order_by(Obstacle.opened_at, Obstacle.id)
        .limit(1)
    )


def complaint_about(session: Session, referral_id: UUID) -> Complaint | None:
    """The last complaint about a referral, with its file."""
    return session.scalar(
        select(Complaint)
        .where(Complaint.referral_id == referral_id)
        .options(joinedload(Complaint.obstacle))
        .order_by(Complaint.at.desc(), Complaint.id.desc())
        .limit(1)
    )


@dataclass(frozen=True)
class Disagreement:
    """The agency's word and the client's, where one says that help came and the other that it did not.

    step    the agency's, or the worker's who ended it for the agency's silence
    """

    referral: Referral
    feedback: Feedback
    step: ReferralStep | None


def disagreements(session: Session, user: User) -> list[Disagreement]:
    """Contradictions of this person's cases that nobody has answered yet, longest first.

    Answered is what a newer referral, a disposition, a complaint, or the worker's word on the need followed; an
    unmet record is planning's to know.
    """
    if user.role not in (Role.BROKER, Role.SUPERVISOR):
        return []
    denied = and_(Referral.status == Status.COMPLETED, Feedback.received == Received.NO)
    came_all_the_same = and_(
        Referral.status.in_([Status.REJECTED, Status.FAILED]), Feedback.received != Received.NO
    )
    later = Referral.__table__.alias()
    followed = (
        select(later.c.id)
        .where(
            later.c.need_id == Referral.need_id,
            later.c.created_at > Referral.created_at,
            later.c.status.not_in([Status.DRAFT, Status.ENTERED_IN_ERROR]),
        )
        .exists()
    )
    found = session.scalars(
        referrals.loaded(select(Referral))
        .join(Feedback, and_(Feedback.referral_id == Referral.id, Feedback.given_by == "client"))
        .join(Referral.need)
        .where(
            referrals.reachable(user),
            or_(denied, came_all_the_same),
            Need.withdrawn_at.is_(None),
            Need.resolved_otherwise_at.is_(None),
            ~followed,
            ~select(Disposition.id).where(Disposition.referral_id == Referral.id).exists(),
            ~select(Complaint.id).where(Complaint.referral_id == Referral.id).exists(),
        )
        .order_by(Feedback.at, Referral.id)
    ).all()
    said = session.scalars(
        select(Feedback).where(
            Feedback.referral_id.in_([one.id for one in found]), Feedback.given_by == "client"
        )
    )
    words = {feedback.referral_id: feedback for feedback in said}
    return [Disagreement(one, words[one.id], _last_word(one)) for one in found]


def _last_word(referral: Referral) -> ReferralStep | None:
    ends = [
        step
        for step in referral.steps
        if step.event in (Event.COMPLETE, Event.DECLINE, Event.FAIL)
        and step.to_status is referral.status
    ]
    return ends[-1] if ends else None


def cancelled_by_agency(referral: Referral) -> bool:
    """Whether it was the agency that cancelled."""
    return referral.status is Status.CANCELLED and any(
        step.event is Event.CANCEL and step.actor is Actor.AGENCY for step in referral.steps
    )
