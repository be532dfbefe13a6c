"""Reading cases. Every query is scoped by who asks: what is not theirs is not there."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, false, func, or_, select
from sqlalchemy.orm import Session, joinedload, selectinload

from referral.accounts.models import Role, User
from referral.casework import cover
from referral.casework.models import (
    Case,
    Client,
    CrisisCall,
    Exclusion,
    Handover,
    LawfulBasis,
    Need,
    Purpose,
    Stage,
)
from referral.core.errors import NotFound
from referral.directory.models import Organization


def theirs(user: User) -> ColumnElement[bool]:
    """Which cases are this person's: those a broker works on, a supervisor's whole office, nobody else's."""
    if user.role is Role.BROKER:
        return cover.worked_by(user)
    if user.role is Role.SUPERVISOR:
        return Case.office_id == user.office_id
    return false()


def get_case(session: Session, user: User, case_id: UUID) -> Case:
    """The case with its client, needs and contracts. Raises NotFound when it is not this person's."""
    case = session.scalar(
        select(Case)
        .where(Case.id == case_id, theirs(user))
        .options(
            joinedload(Case.client),
            joinedload(Case.broker),
            selectinload(Case.needs).joinedload(Need.beneficiary),
            selectinload(Case.beneficiaries),
            selectinload(Case.contracts),
        )
    )
    if case is None:
        raise NotFound("casework.no_case")
    return case


def get_need(session: Session, user: User, need_id: UUID) -> Need:
    """A need of one of this person's cases. Nothing more is done for somebody who was erased."""
    need = session.scalar(
        select(Need)
        .join(Need.case)
        .join(Case.client)
        .where(Need.id == need_id, theirs(user), Client.erased_at.is_(None))
        .options(joinedload(Need.case).joinedload(Case.client), joinedload(Need.beneficiary))
    )
    if need is None:
        raise NotFound("casework.no_need")
    return need


def cases_of(user: User, *, closed: bool = False) -> Select[Any]:
    """This person's cases, crises first, then newest; to be paged."""
    is_closed = Case.stage == Stage.CLOSED
    return (
        select(Case)
        .where(theirs(user), is_closed if closed else ~is_closed)
        .options(joinedload(Case.client), joinedload(Case.broker), selectinload(Case.needs))
        .order_by(Case.crisis_since.is_(None), Case.opened_at.desc(), Case.id)
    )


def same_contact(session: Session, user: User, digest: bytes, *, besides: UUID) -> Sequence[Case]:
    """Other cases of the person's office with the same contact number, oldest first."""
    return session.scalars(
        select(Case)
        .join(Case.client)
        .where(Client.contact_index == digest, Client.id != besides, theirs(user))
        .order_by(Case.opened_at, Case.id)
    ).all()


def basis_for(
    session: Session,
    client_id: UUID,
    *,
    purpose: Purpose,
    organization_id: UUID | None,
    now: datetime,
) -> LawfulBasis | None:
    """The basis in force for this purpose and recipient, newest first; None when there is none."""
    latest = session.scalar(
        select(LawfulBasis)
        .where(
            LawfulBasis.client_id == client_id,
            LawfulBasis.purpose == purpose,
            LawfulBasis.organization_id.is_(None)
            if organization_id is None
            else LawfulBasis.organization_id == organization_id,
        )
        .order_by(LawfulBasis.given_at.desc(), LawfulBasis.id.desc())
        .limit(1)
    )
    if latest is None or latest.refused or latest.withdrawn_at is not None:
        return None
    return None if latest.expires_on is not None and latest.expires_on < now.date() else latest


def bases_of(session: Session, client_id: UUID) -> Sequence[LawfulBasis]:
    """Every basis and refusal of a client, newest first."""
    return session.scalars(
        select(LawfulBasis)
        .where(LawfulBasis.client_id == client_id)
        .order_by(LawfulBasis.given_at.desc(), LawfulBasis.id.desc())
    ).all()


def get_basis(session: Session, client_id: UUID, basis_id: UUID) -> LawfulBasis:
    """One basis of a client whose case was already found to be this person's."""
    basis = session.get(LawfulBasis, basis_id)
    if basis is None or basis.client_id != client_id:
        raise NotFound("casework.no_basis")
    return basis


def exclusions_of(session: Session, case_id: UUID) -> Sequence[tuple[Exclusion, Organization]]:
    """Who is kept out of a case and why, for the worker alone."""
    rows = session.execute(
        select(Exclusion, Organization)
        .join(Organization, Organization.id == Exclusion.organization_id)
        .where(Exclusion.case_id == case_id)
        .order_by(Exclusion.at, Exclusion.id)
    )
    return [(exclusion, organization) for exclusion, organization in rows]


def excluded_organizations(session: Session, case_id: UUID) -> frozenset[UUID]:
    """Organizations this case must never be sent to or shown."""
    return frozenset(
        session.scalars(select(Exclusion.organization_id).where(Exclusion.case_id == case_id))
    )


def handovers_of(session: Session, case_id: UUID) -> Sequence[Handover]:
    """Every time a case changed hands, oldest first."""
    return session.scalars(
        select(Handover).where(Handover.case_id == case_id).order_by(Handover.at, Handover.id)
    ).all()


def calls_of(session: Session, case_id: UUID) -> Sequence[CrisisCall]:
    """Emergency calls logged in a case, newest first."""
    return session.scalars(
        select(CrisisCall)
        .where(CrisisCall.case_id == case_id)
        .order_by(CrisisCall.called_at.desc(), CrisisCall.id.desc())
    ).all()


def calls_without_case(session: Session, user: User, *, since: datetime) -> Sequence[CrisisCall]:
    """Emergency calls a person logged outside any case, newest first."""
    return session.scalars(
        select(CrisisCall)
        .where(CrisisCall.case_id.is_(None), _their_calls(user), CrisisCall.called_at >= since)
        .order_by(CrisisCall.called_at.desc(), CrisisCall.id.desc())
    ).all()


def get_call(session: Session, user: User, call_id: UUID) -> CrisisCall:
    """A call this person logged, or one of their cases; a supervisor's whole office."""
    call = session.scalar(select(CrisisCall).where(CrisisCall.id == call_id, _their_calls(user)))
    if call is None:
        raise NotFound("casework.no_call")
    return call


def _their_calls(user: User) -> ColumnElement[bool]:
    if user.role is Role.SUPERVISOR:
        return CrisisCall.office_id == user.office_id
    of_case = CrisisCall.case_id.in_(select(Case.id).where(theirs(user)))
    own = and_(CrisisCall.case_id.is_(None), CrisisCall.by_id == user.id)
    return or_(of_case, own)


def alone_in_crisis(session: Session, office_id: UUID) -> Sequence[Case]:
    """Cases with a crisis or a call that no second person has looked at yet, longest first.

    A crisis that the worker has ended stays here while its calls wait for the second look.
    """
    calls = select(CrisisCall.id).where(CrisisCall.case_id == Case.id)
    looked = calls.where(CrisisCall.reviewed_at >= Case.crisis_since).exists()
    unseen = calls.where(CrisisCall.reviewed_at.is_(None)).exists()
    since = (
        select(func.min(CrisisCall.called_at))
        .where(CrisisCall.case_id == Case.id, CrisisCall.reviewed_at.is_(None))
        .scalar_subquery()
    )
    return session.scalars(
        select(Case)
        .where(Case.office_id == office_id, or_(Case.crisis_since.is_not(None) & ~looked, unseen))
        .options(joinedload(Case.client), joinedload(Case.broker))
        .order_by(func.coalesce(Case.crisis_since, since), Case.id)
    ).all()
