"""Complaints, the obstacles behind them, what was done about those, and harm by a service."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from referral.accounts.models import Office, User
from referral.core.db import Identified
from referral.core.sealing import Sealed, Sealing
from referral.directory.models import Service
from referral.referrals.models import Referral


class AdvocacyOutcome(StrEnum):
    """How an obstacle ended."""

    REMOVED = "removed"
    EXCEPTION = "exception"
    ALTERNATIVE = "alternative"
    UNCHANGED = "unchanged"


class AdvocacyKind(StrEnum):
    """What was done about an obstacle."""

    CALL = "call"
    LETTER = "letter"
    MEETING = "meeting"
    ALTERNATIVE = "alternative"


class HarmDecision(StrEnum):
    """What the second person decided after looking."""

    STAYS_SUSPENDED = "stays_suspended"
    LIFTED = "lifted"


class Obstacle(Sealing, Identified):
    """What keeps clients of an office from one service, whoever complained: one file for all of them."""

    __tablename__ = "obstacle"

    office_id: Mapped[UUID] = mapped_column(ForeignKey("office.id"), index=True)
    service_id: Mapped[UUID] = mapped_column(ForeignKey("service.id"), index=True)
    reason_code: Mapped[str] = mapped_column(ForeignKey("reason_code.code"))
    opened_at: Mapped[datetime]
    opened_by_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"))
    #: whose it is to carry on
    owner_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"), index=True)
    due_on: Mapped[date]
    closed_at: Mapped[datetime | None]
    outcome: Mapped[AdvocacyOutcome | None]

    #: with the office's key: no word about one client
    result = Sealed[str]()
    result_sealed: Mapped[bytes | None]

    office: Mapped[Office] = relationship()
    service: Mapped[Service] = relationship()
    owner: Mapped[User] = relationship(foreign_keys=[owner_id])
    complaints: Mapped[list["Complaint"]] = relationship(
        back_populates="obstacle", order_by="Complaint.at, Complaint.id"
    )
    actions: Mapped[list["AdvocacyAction"]] = relationship(
        order_by="AdvocacyAction.at, AdvocacyAction.id"
    )


class Complaint(Sealing, Identified):
    """What a client says about a referral that was refused or failed, and what they would want."""

    __tablename__ = "complaint"

    referral_id: Mapped[UUID] = mapped_column(ForeignKey("referral.id"), index=True)
    obstacle_id: Mapped[UUID] = mapped_column(ForeignKey("obstacle.id"), index=True)
    at: Mapped[datetime]
    by_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"))
    #: as kinds.Form
    form: Mapped[str]
    #: the client agrees that the service hears of it in their name
    may_name: Mapped[bool] = mapped_column(default=False)

    text = Sealed[str]()
    text_sealed: Mapped[bytes | None]
    wants = Sealed[str]()
    wants_sealed: Mapped[bytes | None]

    obstacle: Mapped[Obstacle] = relationship(back_populates="complaints")
    referral: Mapped[Referral] = relationship()


class AdvocacyAction(Sealing, Identified):
    """One thing done about an obstacle, sealed with the office's key."""

    __tablename__ = "advocacy_action"

    obstacle_id: Mapped[UUID] = mapped_column(ForeignKey("obstacle.id"), index=True)
    kind: Mapped[AdvocacyKind]
    at: Mapped[datetime]
    by_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"))

    text = Sealed[str]()
    text_sealed: Mapped[bytes | None]


class HarmReport(Sealing, Identified):
    """Harm by a service: for the supervisor and the protection unit, never for the agency."""

    __tablename__ = "harm_report"

    referral_id: Mapped[UUID] = mapped_column(ForeignKey("referral.id"), index=True)
    service_id: Mapped[UUID] = mapped_column(ForeignKey("service.id"), index=True)
    office_id: Mapped[UUID] = mapped_column(ForeignKey("office.id"), index=True)
    at: Mapped[datetime]
    #: None: the client said it by their own link
    by_id: Mapped[UUID | None] = mapped_column(ForeignKey("user.id"))
    #: until then nobody is sent there
    decision: Mapped[HarmDecision | None]
    decided_at: Mapped[datetime | None]
    decided_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("user.id"))

    text = Sealed[str]()
    text_sealed: Mapped[bytes | None]
    #: why it was decided so
    why = Sealed[str]()
    why_sealed: Mapped[bytes | None]

    referral: Mapped[Referral] = relationship()
