"""Reading proposals."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session, joinedload, selectinload

from referral.accounts.models import Role, User
from referral.changes.models import AuditEntry
from referral.core.errors import NotFound
from referral.planning.proposals.models import Proposal, ProposalComment, ProposalStep
from referral.planning.proposals.states import ENDED, ProposalStatus


@dataclass(frozen=True)
class OnMap:
    """What a map tells of a proposal; `opened_at` is None until the resource opened."""

    proposal_id: UUID
    area_code: str
    category: str
    status: ProposalStatus
    opened_at: datetime | None
    title: str
    service_id: UUID | None


@dataclass(frozen=True)
class Happened:
    """One entry of a proposal's history: what was done (`proposal.moved`), by whom, with codes and ids only."""

    at: datetime
    action: str
    who: str | None
    details: dict[str, Any]


def proposals(*, ended: bool = False) -> Select[Any]:
    """Proposals under way (or ended), newest first; to be paged."""
    over = Proposal.status.in_(ENDED)
    return (
        select(Proposal)
        .where(over if ended else ~over)
        .options(joinedload(Proposal.owner))
        .order_by(Proposal.created_at.desc(), Proposal.id)
    )


def get_proposal(session: Session, proposal_id: UUID) -> Proposal:
    """A proposal with all that hangs on it. Raises NotFound."""
    found = session.scalar(
        select(Proposal)
        .where(Proposal.id == proposal_id)
        .options(
            selectinload(Proposal.steps).joinedload(ProposalStep.by),
            selectinload(Proposal.comments).joinedload(ProposalComment.by),
            selectinload(Proposal.partners),
            selectinload(Proposal.tasks),
            selectinload(Proposal.budget),
            joinedload(Proposal.created_by),
            joinedload(Proposal.owner).joinedload(User.office),
        )
    )
    if found is None:
        raise NotFound("planning.no_proposal")
    return found


def of_gap(session: Session, area_code: str, category: str) -> Sequence[Proposal]:
    """All proposals for this gap, newest first, dropped ones too."""
    query = select(Proposal).where(Proposal.area_code == area_code, Proposal.category == category)
    return session.scalars(query.order_by(Proposal.created_at.desc(), Proposal.id)).all()


def on_map(session: Session) -> list[OnMap]:
    """Every proposal that is not dropped, oldest first."""
    opened_at = (
        select(func.max(ProposalStep.at))
        .where(
            ProposalStep.proposal_id == Proposal.id,
            ProposalStep.to_status == ProposalStatus.OPENED,
        )
        .scalar_subquery()
    )
    # Columns, not rows of the session: a proposal carries its whole evidence.
    rows = session.execute(
        select(
            Proposal.id,
            Proposal.area_code,
            Proposal.category,
            Proposal.status,
            opened_at,
            Proposal.title,
            Proposal.service_id,
        )
        .where(Proposal.status != ProposalStatus.DROPPED)
        .order_by(Proposal.created_at, Proposal.id)
    )
    return [OnMap(*row) for row in rows]


def planners(session: Session) -> Sequence[User]:
    """Who may carry a proposal, by name."""
    query = select(User).where(User.role == Role.PLANNER, User.active)
    return session.scalars(query.order_by(User.name, User.id)).all()


def history(session: Session, proposal: Proposal) -> list[Happened]:
    """Everything that was done with a proposal, oldest first."""
    rows = session.execute(
        select(AuditEntry, User.name)
        .outerjoin(User, User.id == AuditEntry.actor_id)
        .where(AuditEntry.subject_id == proposal.id, AuditEntry.subject_type == "proposal")
        .order_by(AuditEntry.seq)
    )
    return [Happened(entry.at, entry.action, name, entry.details) for entry, name in rows]
