"""Carrying a proposal from a gap until the resource opens or the plan is dropped. The caller commits."""

from datetime import datetime

from sqlalchemy.orm import Session

from referral.accounts.models import Role, User
from referral.changes import audit
from referral.core.errors import Invalid, NotAllowed, Stale
from referral.core.text import Message
from referral.directory.reference import taxonomy
from referral.places.queries import gazetteer as places_of
from referral.planning.proposals.evidence import gather, printed
from referral.planning.proposals.models import Proposal, ProposalComment, ProposalStep
from referral.planning.proposals.states import ENDED, MAY_GO_BACK, NEXT, ProposalStatus
from referral.planning.siting.models import SitingCase

TITLE_LIMIT = 200
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
    siting: SitingCase | None = None,
    sites: int | None = None,
    by: User,
    now: datetime,
) -> Proposal:
    """A plan to create what is missing, with the evidence as it is published today; who makes it carries it.

    siting, sites   where it should stand, as worked out, and at how many places
    """
    taxonomy().get(category)
    if area_code not in places_of(session):
        raise Invalid("planning.area", field="area_code")
    evidence = gather(session, area_code, category, siting, sites=sites)
    proposal = Proposal(
        category=category,
        area_code=area_code,
        created_at=now,
        created_by=by,
        owner=by,
        evidence=evidence,
        siting_case_id=siting.id if siting else None,
        # It is printed, so it comes from what may be.
        people_covered=printed(evidence)["siting"]["people"] or None if siting else None,
    )
    _word(proposal, title, problem, capacity)
    session.add(proposal)
    audit.record(session, "proposal.made", proposal, by=by, now=now, category=category)
    return proposal


def revise(
    session: Session,
    proposal: Proposal,
    *,
    title: str,
    problem: str,
    capacity: int | None,
    people_covered: int | None,
    seen: int,
    by: User,
    now: datetime,
) -> None:
    """Put the plan in other words. The evidence stays as it was.

    seen   the row version the person had before them; raises Stale with what stands there now
    """
    check_open(proposal)
    check_seen(proposal, seen)
    before = (proposal.title, proposal.problem, proposal.capacity, proposal.people_covered)
    _word(proposal, title, problem, capacity)
    if people_covered is not None and not 1 <= people_covered <= CAPACITY_LIMIT:
        raise Invalid("planning.people_covered", field="people_covered")
    proposal.people_covered = people_covered
    after = (proposal.title, proposal.problem, proposal.capacity, proposal.people_covered)
    names = ("title", "problem", "capacity", "people_covered")
    changed = [name for name, old, new in zip(names, before, after, strict=True) if old != new]
    if changed:
        audit.record(session, "proposal.revised", proposal, by=by, now=now, fields=changed)


def move(
    session: Session,
    proposal: Proposal,
    status: ProposalStatus,
    *,
    note: str = "",
    seen: int | None = None,
    by: User,
    now: datetime,
) -> ProposalStep:
    """Take a proposal one status further; dropping needs a reason. Opening goes through `open_resource`.

    seen   the row version the person had before them; raises Stale where it is no longer that one
    """
    if seen is not None:
        check_seen(proposal, seen)
    if status is ProposalStatus.OPENED and proposal.service_id is None:
        raise Invalid("planning.opening", field="name")
    if status not in NEXT[proposal.status]:
        raise NotAllowed("planning.out_of_turn")
    note = _short(note, "note")
    if status is ProposalStatus.DROPPED:
        if not note:
            raise Invalid("planning.dropped_reason", field="note")
        proposal.dropped_reason = note
    elif proposal.owner is None:
        proposal.owner = by
    if status is ProposalStatus.FUNDED and (unpaid := missing_money(proposal)):
        raise Invalid("planning.no_source", field="budget", items=unpaid)
    return _step(session, proposal, status, note, by=by, now=now)


def step_back(
    session: Session, proposal: Proposal, *, note: str, seen: int, by: User, now: datetime
) -> ProposalStep:
    """Take the last step back, with the reason: it was wrong, or no longer holds. Both stay in the history."""
    check_seen(proposal, seen)
    if proposal.status not in MAY_GO_BACK:
        raise NotAllowed("planning.no_way_back")
    note = _short(note, "note")
    if not note:
        raise Invalid("planning.why_back", field="note")
    proposal.dropped_reason = None
    return _step(session, proposal, status_before(proposal), note, by=by, now=now)


def status_before(proposal: Proposal) -> ProposalStatus:
    """The status a step back leads to: for a dropped one where it stood, else the one before in its way."""
    if proposal.status is ProposalStatus.DROPPED:
        return proposal.steps[-1].from_status
    order = (ProposalStatus.PROPOSED, ProposalStatus.IN_DEVELOPMENT, ProposalStatus.FUNDED)
    return order[order.index(proposal.status) - 1]


def missing_money(proposal: Proposal) -> list[str]:
    """Items of the budget of which nobody said who pays: while there are any, it is not funded."""
    return [line.item for line in proposal.budget if line.amount and not line.source]


def hand_over(
    session: Session, proposal: Proposal, to: User, *, seen: int, by: User, now: datetime
) -> None:
    """Another planner carries it from now on; anybody of them may take it over."""
    check_open(proposal)
    check_seen(proposal, seen)
    if to.role is not Role.PLANNER or not to.active:
        raise Invalid("planning.owner", field="owner")
    if proposal.owner is to:
        return
    proposal.owner = to
    audit.record(session, "proposal.handed_over", proposal, by=by, now=now, owner=str(to.id))


def comment(
    session: Session, proposal: Proposal, text: str, *, by: User, now: datetime
) -> ProposalComment:
    """What a planner has to say about it; an ended one may still be talked about."""
    text = text.strip()
    if not text:
        raise Invalid("planning.comment", field="text")
    if len(text) > TEXT_LIMIT:
        raise Invalid("planning.too_long", field="text", limit=TEXT_LIMIT)
    said = ProposalComment(proposal_id=proposal.id, at=now, by_id=by.id, text=text)
    proposal.comments.append(said)
    audit.record(session, "proposal.commented", proposal, by=by, now=now)
    return said


def check_open(proposal: Proposal) -> None:
    """Raises NotAllowed for a proposal that ended: what it was stays as it was."""
    if proposal.status in ENDED:
        raise NotAllowed("planning.ended")


def check_seen(proposal: Proposal, seen: int) -> None:
    """Raises Stale where somebody changed it since this person read it."""
    if seen != proposal.version:
        status = Message(f"planning.status.{proposal.status}")
        raise Stale(
            "planning.stale",
            field="version",
            candidates=[seen, proposal.version],
            status=status,
        )


def _word(proposal: Proposal, title: str, problem: str, capacity: int | None) -> None:
    if not title.strip():
        raise Invalid("planning.title", field="title")
    if len(title.strip()) > TITLE_LIMIT:
        raise Invalid("planning.too_long", field="title", limit=TITLE_LIMIT)
    if len(problem) > TEXT_LIMIT:
        raise Invalid("planning.too_long", field="problem", limit=TEXT_LIMIT)
    if capacity is not None and not 1 <= capacity <= CAPACITY_LIMIT:
        raise Invalid("planning.capacity", field="capacity")
    proposal.title, proposal.problem = title.strip(), problem.strip()
    proposal.capacity = capacity


def _short(text: str, field: str) -> str:
    text = text.strip()
    if len(text) > TEXT_LIMIT:
        raise Invalid("planning.too_long", field=field, limit=TEXT_LIMIT)
    return text


def _step(
    session: Session,
    proposal: Proposal,
    status: ProposalStatus,
    note: str,
    *,
    by: User,
    now: datetime,
) -> ProposalStep:
    step = ProposalStep(
        proposal_id=proposal.id,
        from_status=proposal.status,
        to_status=status,
        at=now,
        by_id=by.id,
        note=note or None,
    )
    step.by = by
    proposal.status = status
    proposal.steps.append(step)
    audit.record(
        session,
        "proposal.moved",
        proposal,
        by=by,
        now=now,
        status=status.value,
        before=step.from_status.value,
        step=str(step.id),
    )
    return step
