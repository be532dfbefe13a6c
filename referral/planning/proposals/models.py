"""Proposals for the resource that would meet a gap."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from referral.accounts.models import User
from referral.core.db import Identified
from referral.planning.proposals.states import ProposalStatus as ProposalStatus


class Proposal(Identified):
    """A plan to create a resource for a gap, up to the day it opens."""

    __tablename__ = "proposal"

    category: Mapped[str] = mapped_column(index=True)
    area_code: Mapped[str] = mapped_column(index=True)
    title: Mapped[str]
    problem: Mapped[str]
    #: people it is meant to serve at a time
    capacity: Mapped[int | None]
    status: Mapped[ProposalStatus] = mapped_column(default=ProposalStatus.PROPOSED)
    dropped_reason: Mapped[str | None]
    created_at: Mapped[datetime]
    created_by_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"))
    #: who carries it
    owner_id: Mapped[UUID | None] = mapped_column(ForeignKey("user.id"))
    #: the published figures it started from, and how the area reached such services then
    evidence: Mapped[dict[str, Any]] = mapped_column(default=dict)
    #: where it should stand, as worked out
    siting_case_id: Mapped[UUID | None] = mapped_column(ForeignKey("siting_case.id"))
    #: people within its reach, for the cost per person
    people_covered: Mapped[int | None]
    #: the listing it became
    service_id: Mapped[UUID | None] = mapped_column(ForeignKey("service.id"))
    version: Mapped[int] = mapped_column()

    created_by: Mapped[User] = relationship(foreign_keys=[created_by_id])
    owner: Mapped[User | None] = relationship(foreign_keys=[owner_id])
    steps: Mapped[list["ProposalStep"]] = relationship(order_by="ProposalStep.at, ProposalStep.id")
    partners: Mapped[list["ProposalPartner"]] = relationship(order_by="ProposalPartner.id")
    tasks: Mapped[list["ProposalTask"]] = relationship(
        order_by="ProposalTask.due_on, ProposalTask.id"
    )
    budget: Mapped[list["BudgetLine"]] = relationship(order_by="BudgetLine.id")
    comments: Mapped[list["ProposalComment"]] = relationship(
        order_by="ProposalComment.at, ProposalComment.id"
    )

    __mapper_args__ = {"version_id_col": version}


class ProposalStep(Identified):
    __tablename__ = "proposal_step"

    proposal_id: Mapped[UUID] = mapped_column(ForeignKey("proposal.id"), index=True)
    from_status: Mapped[ProposalStatus]
    to_status: Mapped[ProposalStatus]
    at: Mapped[datetime]
    by_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"))
    note: Mapped[str | None]

    by: Mapped[User] = relationship()


class Answered(StrEnum):
    """What a partner said."""

    TO_ASK = "to_ask"
    ASKED = "asked"
    YES = "yes"
    NO = "no"


class ProposalPartner(Identified):
    """Whom to mobilise: an organization, or a kind of community resource."""

    __tablename__ = "proposal_partner"

    proposal_id: Mapped[UUID] = mapped_column(ForeignKey("proposal.id"), index=True)
    #: an organization or a group, never a private person
    name: Mapped[str]
    #: what it is to bring
    part: Mapped[str | None]
    answered: Mapped[Answered] = mapped_column(default=Answered.TO_ASK)


class ProposalTask(Identified):
    __tablename__ = "proposal_task"

    proposal_id: Mapped[UUID] = mapped_column(ForeignKey("proposal.id"), index=True)
    title: Mapped[str]
    #: an office or a role
    who: Mapped[str | None]
    due_on: Mapped[date | None]
    done_at: Mapped[datetime | None]


class BudgetLine(Identified):
    """One thing to pay, in whole units of the country's money."""

    __tablename__ = "budget_line"

    proposal_id: Mapped[UUID] = mapped_column(ForeignKey("proposal.id"), index=True)
    item: Mapped[str]
    amount: Mapped[int] = mapped_column(BigInteger)
    #: every year, not once
    yearly: Mapped[bool]
    #: who pays, where known
    source: Mapped[str | None]


class ProposalComment(Identified):
    __tablename__ = "proposal_comment"

    proposal_id: Mapped[UUID] = mapped_column(ForeignKey("proposal.id"), index=True)
    at: Mapped[datetime]
    by_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"))
    text: Mapped[str]

    by: Mapped[User] = relationship()
