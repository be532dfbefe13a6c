"""Reading proposals."""

from typing import Any
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session, joinedload, selectinload

from referral.core.errors import NotFound
from referral.planning.proposals.models import Proposal, ProposalStatus


def proposals(*, ended: bool = False) -> Select[Any]:
    """Proposals under way (or ended), newest first; to be paged."""
    over = Proposal.status.in_([ProposalStatus.OPENED, ProposalStatus.DROPPED])
    return (
        select(Proposal)
        .where(over if ended else ~over)
        .order_by(Proposal.created_at.desc(), Proposal.id)
    )


def get_proposal(session: Session, proposal_id: UUID) -> Proposal:
    """A proposal with its steps. Raises NotFound."""
    found = session.scalar(
        select(Proposal)
        .where(Proposal.id == proposal_id)
        .options(selectinload(Proposal.steps), joinedload(Proposal.created_by))
    )
    if found is None:
        raise NotFound("planning.no_proposal")
    return found
