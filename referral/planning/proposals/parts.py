"""What a proposal is made of: partners, tasks and the budget. The caller commits."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy.orm import Session

from referral.accounts.models import User
from referral.changes import audit
from referral.core.errors import Invalid, NotAllowed, NotFound
from referral.planning.proposals.models import (
    Answered,
    BudgetLine,
    Proposal,
    ProposalPartner,
    ProposalTask,
)
from referral.planning.proposals.operations import check_open

LINE_LIMIT = 200
#: more of a kind than these nobody carries
MOST = 60
#: ten thousand billion: more than any year's budget of a regency
AMOUNT_LIMIT = 10_000_000_000_000

Part = TypeVar("Part", ProposalPartner, ProposalTask, BudgetLine)


@dataclass(frozen=True)
class Cost:
    """What it costs, in whole units of the country's money.

    per_person  once and one year together, for each person within reach; None where nobody said how many
    """

    once: int
    yearly: int
    per_person: float | None


def cost(lines: Sequence[BudgetLine], people: int | None) -> Cost:
    """The totals of a budget."""
    once = sum(line.amount for line in lines if not line.yearly)
    yearly = sum(line.amount for line in lines if line.yearly)
    return Cost(once, yearly, (once + yearly) / people if people else None)


def add_partner(
    session: Session, proposal: Proposal, *, name: str, part: str, by: User, now: datetime
) -> ProposalPartner:
    """An organization or a kind of group to ask; never a private person."""
    check_open(proposal)
    name, part = _line(name, "partner"), _line(part, "part", needed=False)
    if any(one.name.casefold() == name.casefold() for one in proposal.partners):
        raise Invalid("planning.partner_twice", field="partner")
    partner = ProposalPartner(
        proposal_id=proposal.id, name=name, part=part or None, answered=Answered.TO_ASK
    )
    _room(proposal.partners)
    proposal.partners.append(partner)
    return _told(session, proposal, "partner_added", partner, by=by, now=now)


def answer_partner(
    session: Session,
    proposal: Proposal,
    partner: ProposalPartner,
    answered: Answered,
    *,
    by: User,
    now: datetime,
) -> None:
    """Keep what a partner said, or that it was asked."""
    check_open(proposal)
    if partner.answered is not answered:
        partner.answered = answered
        _told(
            session, proposal, "partner_answered", partner, by=by, now=now, answered=answered.value
        )


def add_task(
    session: Session,
    proposal: Proposal,
    *,
    title: str,
    who: str,
    due_on: date | None,
    by: User,
    now: datetime,
) -> ProposalTask:
    """Something to do, by an office or a role, until a day."""
    check_open(proposal)
    task = ProposalTask(
        proposal_id=proposal.id,
        title=_line(title, "task"),
        who=_line(who, "who", needed=False) or None,
        due_on=due_on,
    )
    _room(proposal.tasks)
    proposal.tasks.append(task)
    return _told(session, proposal, "task_added", task, by=by, now=now)


def do_task(
    session: Session, proposal: Proposal, task: ProposalTask, *, done: bool, by: User, now: datetime
) -> None:
    """It is done, or was not after all."""
    check_open(proposal)
    if done is not (task.done_at is not None):
        task.done_at = now if done else None
        _told(session, proposal, "task_done" if done else "task_undone", task, by=by, now=now)


def add_line(
    session: Session,
    proposal: Proposal,
    *,
    item: str,
    amount: int,
    yearly: bool,
    source: str,
    by: User,
    now: datetime,
) -> BudgetLine:
    """One thing to pay, once or every year, and who pays where that is known."""
    check_open(proposal)
    if not 0 <= amount <= AMOUNT_LIMIT:
        raise Invalid("planning.amount", field="amount")
    line = BudgetLine(
        proposal_id=proposal.id,
        item=_line(item, "item"),
        amount=amount,
        yearly=yearly,
        source=_line(source, "source", needed=False) or None,
    )
    _room(proposal.budget)
    proposal.budget.append(line)
    return _told(session, proposal, "line_added", line, by=by, now=now)


def pay_line(
    session: Session, proposal: Proposal, line: BudgetLine, source: str, *, by: User, now: datetime
) -> None:
    """Say who pays; empty where it is open again."""
    check_open(proposal)
    source = _line(source, "source", needed=False)
    if (line.source or "") != source:
        line.source = source or None
        _told(session, proposal, "line_paid", line, by=by, now=now, known=bool(source))


def take_out(session: Session, proposal: Proposal, part: Part, *, by: User, now: datetime) -> None:
    """Take out what was entered wrongly; the history says that it was there."""
    check_open(proposal)
    kind, listed = {
        ProposalPartner: ("partner", proposal.partners),
        ProposalTask: ("task", proposal.tasks),
        BudgetLine: ("line", proposal.budget),
    }[type(part)]
    _told(session, proposal, f"{kind}_taken_out", part, by=by, now=now)
    listed.remove(part)  # type: ignore[attr-defined]  # the list of its kind
    session.delete(part)
    session.flush()


def find(parts: Sequence[Part], part_id: UUID) -> Part:
    """The part with this id. Raises NotFound."""
    for part in parts:
        if part.id == part_id:
            return part
    raise NotFound("planning.no_part")


def _line(text: str, field: str, *, needed: bool = True) -> str:
    text = " ".join(text.split())
    if needed and not text:
        raise Invalid(f"planning.empty.{field}", field=field)
    if len(text) > LINE_LIMIT:
        raise Invalid("planning.too_long", field=field, limit=LINE_LIMIT)
    return text


def _room(parts: Sequence[object]) -> None:
    if len(parts) >= MOST:
        raise NotAllowed("planning.too_many", limit=MOST)


def _told(
    session: Session,
    proposal: Proposal,
    what: str,
    part: Part,
    *,
    by: User,
    now: datetime,
    **details: Any,
) -> Part:
    session.flush()
    audit.record(
        session, f"proposal.{what}", proposal, by=by, now=now, part=str(part.id), **details
    )
    return part
