"""Carrying a proposal from a gap until the resource opens or the plan is dropped. The caller commits."""

from datetime import datetime

from sqlalchemy.orm import Session

from referral.accounts.models import User
from referral.changes import audit
from referral.core.errors import Invalid, NotAllowed
from referral.directory.reference import taxonomy
from referral.places.queries import gazetteer as places_of
from referral.planning.proposals.models import Proposal, ProposalStatus, ProposalStep

#: Which status a proposal may take next; `dropped` wants a reason, `opened` a listing.
NEXT = {
    ProposalStatus.PROPOSED: (ProposalStatus.IN_DEVELOPMENT, ProposalStatus.DROPPED),
    ProposalStatus.IN_DEVELOPMENT: (
        ProposalStatus.FUNDED,
        ProposalStatus.OPENED,
        ProposalStatus.DROPPED,
    ),
    ProposalStatus.FUNDED: (ProposalStatus.OPENED, ProposalStatus.DROPPED),
    ProposalStatus.OPENED: (),
    ProposalStatus.DROPPED: (),
}
TEXT_LIMIT = 4_000
CAPACITY_LIMIT = 1_000_000


def propose(
    session: Session,
    *,
    category: str,
    area_code: str,
    title: str,
    problem: str,
    capacity: int | None,
    by: User,
    now: datetime,
) -> Proposal:
    """A plan to create what is missing."""
    taxonomy().get(category)
    if area_code not in places_of(session):
        raise Invalid("planning.area", field="area_code")
    if not title.strip():
        raise Invalid("planning.title", field="title")
    if len(problem) > TEXT_LIMIT:
        raise Invalid("planning.too_long", field="problem", limit=TEXT_LIMIT)
    if capacity is not None and not 1 <= capacity <= CAPACITY_LIMIT:
        raise Invalid("planning.capacity", field="capacity")
    proposal = Proposal(
        category=category,
        area_code=area_code,
        title=title.strip(),
        problem=problem.strip(),
        capacity=capacity,
        created_at=now,
        created_by=by,
    )
    session.add(proposal)
    audit.record(session, "proposal.made", proposal, by=by, now=now, category=category)
    return proposal


def move(
    session: Session,
    proposal: Proposal,
    status: ProposalStatus,
    *,
    note: str = "",
    by: User,
    now: datetime,
) -> ProposalStep:
    """Take a proposal one status further; dropping needs a reason. Opening goes through `open_resource`."""
    if status is ProposalStatus.OPENED and proposal.service_id is None:
        raise Invalid("planning.opening", field="name")
    if status not in NEXT[proposal.status]:
        raise NotAllowed("planning.out_of_turn")
    if status is ProposalStatus.DROPPED:
        if not note.strip():
            raise Invalid("planning.dropped_reason", field="note")
        proposal.dropped_reason = note.strip()
    step = ProposalStep(
        proposal_id=proposal.id,
        from_status=proposal.status,
        to_status=status,
        at=now,
        by_id=by.id,
        note=note.strip() or None,
    )
    proposal.status = status
    proposal.steps.append(step)
    audit.record(session, "proposal.moved", proposal, by=by, now=now, status=status.value)
    return step
