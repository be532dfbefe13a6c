"""Unmet needs, proposals for the resource that would meet them, and published counts. Nothing here names a person."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from referral.accounts.models import User
from referral.core.db import Base, Identified


class ProposalStatus(StrEnum):
    PROPOSED = "proposed"
    IN_DEVELOPMENT = "in_development"
    FUNDED = "funded"
    OPENED = "opened"
    DROPPED = "dropped"


class UnmetReason(Base):
    """One reason why a need stays unmet, from directory_data/unmet_reasons.csv."""

    __tablename__ = "unmet_reason"

    code: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)
    name_id: Mapped[str]
    name_en: Mapped[str]
    axis: Mapped[str]
    remedy_id: Mapped[str]
    remedy_en: Mapped[str]
    #: False for U17 and U18: they never make a supply gap by themselves
    counts_as_gap: Mapped[bool]


class UnmetNeed(Identified):
    """One episode of one person's need that no service meets, and why."""

    __tablename__ = "unmet_need"

    need_id: Mapped[UUID] = mapped_column(ForeignKey("need.id"), index=True)
    office_id: Mapped[UUID] = mapped_column(ForeignKey("office.id"), index=True)
    category: Mapped[str] = mapped_column(index=True)
    #: kab/kota where the client stays, coarse on purpose; None: not known
    area_code: Mapped[str | None] = mapped_column(index=True)
    reason: Mapped[str] = mapped_column(ForeignKey("unmet_reason.code"))
    secondary: Mapped[list[str]] = mapped_column(default=list)
    #: ids of what is behind it: {receipts, referrals}
    evidence: Mapped[dict[str, Any]] = mapped_column(default=dict)
    opened_at: Mapped[datetime]
    #: when a broker looked at the pre-filled reason and agreed or corrected it
    confirmed_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    #: fitting_service, withdrawn, resolved_otherwise, met
    closed_as: Mapped[str | None]


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
    #: the listing it became
    service_id: Mapped[UUID | None] = mapped_column(ForeignKey("service.id"))
    version: Mapped[int] = mapped_column()

    created_by: Mapped[User] = relationship()
    steps: Mapped[list["ProposalStep"]] = relationship(order_by="ProposalStep.at, ProposalStep.id")

    __mapper_args__ = {"version_id_col": version}


class ProposalStep(Identified):
    __tablename__ = "proposal_step"

    proposal_id: Mapped[UUID] = mapped_column(ForeignKey("proposal.id"), index=True)
    from_status: Mapped[ProposalStatus]
    to_status: Mapped[ProposalStatus]
    at: Mapped[datetime]
    by_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"))
    note: Mapped[str | None]


class NewServiceNotice(Identified):
    """Tells a broker that a service may now fit a need that was waiting."""

    __tablename__ = "new_service_notice"

    unmet_need_id: Mapped[UUID] = mapped_column(ForeignKey("unmet_need.id"), index=True)
    broker_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"), index=True)
    service_at_location_id: Mapped[UUID] = mapped_column(ForeignKey("service_at_location.id"))
    #: place in the waiting order it was told in, from 1
    position: Mapped[int]
    at: Mapped[datetime]
    seen_at: Mapped[datetime | None]


class FairnessRelease(Identified):
    """How people who were sent on waited and spread over agencies: counts after disclosure control, never changed.

    One for a quarter and an office, so that two of them can't be subtracted day by day.
    """

    __tablename__ = "fairness_release"
    __table_args__ = (
        UniqueConstraint("office_id", "quarter"),
        # To a database two missing offices are two different ones.
        Index(
            "ix_fairness_release_shared_quarter",
            "quarter",
            unique=True,
            sqlite_where=text("office_id IS NULL"),
            postgresql_where=text("office_id IS NULL"),
        ),
    )

    #: None: all offices together, for planners
    office_id: Mapped[UUID | None] = mapped_column(ForeignKey("office.id"))
    #: the quarter in which it was made, as 2026-Q4
    quarter: Mapped[str]
    made_at: Mapped[datetime]
    #: smallest count that is shown
    threshold: Mapped[int]
    #: {waiting, spread}, as planning.waiting.report and planning.spread.report give them
    content: Mapped[dict[str, Any]]
