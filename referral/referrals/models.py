"""Referrals, the steps taken on them, coded reasons and feedback."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from referral.casework.models import Case, Need, Urgency
from referral.core.db import Base, Identified
from referral.core.sealing import Sealed, Sealing
from referral.directory.models import AnswerMode, Service, ServiceAtLocation
from referral.referrals.lifecycle import Actor, Event, Status


class Channel(StrEnum):
    """How a step reached us."""

    WEB = "web"
    LINK = "link"
    PHONE = "phone"
    PAPER = "paper"
    #: the agency's own system
    SYSTEM = "system"


class ReasonCode(Base):
    """One coded reason, from directory_data/reason_codes.csv: who it lies with and what follows."""

    __tablename__ = "reason_code"

    code: Mapped[str] = mapped_column(primary_key=True)
    name_id: Mapped[str]
    name_en: Mapped[str]
    #: client, provider, system, directory, broker or both
    party: Mapped[str]
    #: for which steps it fits
    for_decline: Mapped[bool]
    for_failure: Mapped[bool]
    for_hold: Mapped[bool]
    for_cancel: Mapped[bool]
    #: what it makes happen, as `capacity_until`, `listing_correction`, `never_again`
    effect: Mapped[str | None]
    #: the unmet-need reason it suggests
    unmet_reason: Mapped[str | None]


class Referral(Sealing, Identified):
    """A request to one service for one need, followed until the loop closes."""

    __tablename__ = "referral"

    number: Mapped[str] = mapped_column(unique=True)
    office_id: Mapped[UUID] = mapped_column(ForeignKey("office.id"), index=True)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("case.id"), index=True)
    need_id: Mapped[UUID] = mapped_column(ForeignKey("need.id"), index=True)
    client_id: Mapped[UUID] = mapped_column(ForeignKey("client.id"), index=True)
    service_id: Mapped[UUID] = mapped_column(ForeignKey("service.id"), index=True)
    service_at_location_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("service_at_location.id")
    )
    #: the service's at the time of sending: who may answer
    organization_id: Mapped[UUID] = mapped_column(ForeignKey("organization.id"), index=True)
    status: Mapped[Status] = mapped_column(default=Status.DRAFT, index=True)
    priority: Mapped[Urgency]
    answer_mode: Mapped[AnswerMode]
    receipt_id: Mapped[UUID | None] = mapped_column(ForeignKey("match_receipt.id"))
    basis_id: Mapped[UUID | None] = mapped_column(ForeignKey("lawful_basis.id"))
    based_on_id: Mapped[UUID | None] = mapped_column(ForeignKey("referral.id"))
    created_at: Mapped[datetime]
    requested_at: Mapped[datetime | None]
    #: proven arrival at the agency: the clocks start here
    delivered_at: Mapped[datetime | None]
    received_at: Mapped[datetime | None]
    decided_at: Mapped[datetime | None]
    first_contact_on: Mapped[date | None]
    #: planned first contact, hold review, or the day to ask the client of a walk-in service
    review_on: Mapped[date | None]
    ended_at: Mapped[datetime | None]
    #: received, partly, enrolled, information_only
    outcome: Mapped[str | None]
    outcome_on: Mapped[date | None]
    version: Mapped[int] = mapped_column()
    #: what the agency sees before it accepts: its own criteria answered, kab, age band; no identity
    blind_card: Mapped[dict[str, Any]] = mapped_column(default=dict)

    #: what the basis lets the agency see once it accepts
    released = Sealed[dict[str, Any]]()
    released_sealed: Mapped[bytes | None]
    #: why this service, when no search led to it, or why it is tried again
    known_service_reason = Sealed[str]()
    known_service_reason_sealed: Mapped[bytes | None]

    service: Mapped[Service] = relationship()
    site: Mapped[ServiceAtLocation | None] = relationship()
    case: Mapped[Case] = relationship()
    need: Mapped[Need] = relationship()
    steps: Mapped[list["ReferralStep"]] = relationship(
        back_populates="referral", order_by="ReferralStep.at, ReferralStep.id"
    )

    __mapper_args__ = {"version_id_col": version}


class ReferralStep(Sealing, Identified):
    """One step of a referral: never changed, never deleted."""

    __tablename__ = "referral_step"

    referral_id: Mapped[UUID] = mapped_column(ForeignKey("referral.id"), index=True)
    event: Mapped[Event]
    from_status: Mapped[Status]
    to_status: Mapped[Status]
    #: whose step it is; `by_id` is who pressed the button, perhaps on their behalf
    actor: Mapped[Actor]
    by_id: Mapped[UUID | None] = mapped_column(ForeignKey("user.id"))
    channel: Mapped[Channel]
    at: Mapped[datetime]
    #: when it happened, where it was written down later
    happened_at: Mapped[datetime | None]
    reason_code: Mapped[str | None] = mapped_column(ForeignKey("reason_code.code"))

    note = Sealed[str]()
    note_sealed: Mapped[bytes | None]

    referral: Mapped[Referral] = relationship(back_populates="steps")

    @property
    def moment(self) -> datetime:
        """When it happened."""
        return self.happened_at or self.at


class ReplyLink(Sealing, Identified):
    """A way to say one thing about one referral without an account: an address to open, a short code to type.

    Found by keyed digests; both are also sealed, so that a letter can be printed again.
    """

    __tablename__ = "reply_link"

    referral_id: Mapped[UUID] = mapped_column(ForeignKey("referral.id"), index=True)
    token_digest: Mapped[bytes] = mapped_column(unique=True)
    code_digest: Mapped[bytes] = mapped_column(unique=True)
    made_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    #: as replies.Purpose
    purpose: Mapped[str]
    #: when it was answered through it; a question leaves it open
    used_at: Mapped[datetime | None]

    token = Sealed[str]()
    token_sealed: Mapped[bytes | None]
    code = Sealed[str]()
    code_sealed: Mapped[bytes | None]

    referral: Mapped[Referral] = relationship()


class Feedback(Sealing, Identified):
    """What the client says came of it, through the worker; or the agency's note."""

    __tablename__ = "feedback"
    __table_args__ = (UniqueConstraint("referral_id", "given_by"),)

    referral_id: Mapped[UUID] = mapped_column(ForeignKey("referral.id"), index=True)
    #: client or agency
    given_by: Mapped[str]
    #: kinds.Form
    form: Mapped[str]
    at: Mapped[datetime]
    #: None: the client said it themselves, by their own link
    recorded_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("user.id"))
    #: kinds.Received
    received: Mapped[str]
    #: kinds.Explanation: why not, as told to the client
    explanation: Mapped[str | None]
    #: kinds.Wait
    waited: Mapped[str | None]
    #: 1-5
    quality: Mapped[int | None]
    waiting: Mapped[int | None]
    staff: Mapped[int | None]
    #: kinds.Share
    share: Mapped[str]
    #: goes to the supervisor only, never to the agency
    harmed: Mapped[bool] = mapped_column(default=False)

    text = Sealed[str]()
    text_sealed: Mapped[bytes | None]

    referral: Mapped[Referral] = relationship()


class Disposition(Sealing, Identified):
    """What the worker decided after a referral ended without help."""

    __tablename__ = "disposition"

    referral_id: Mapped[UUID] = mapped_column(ForeignKey("referral.id"), unique=True)
    #: keep_waiting or withdrawn; a new referral and an unmet need speak for themselves
    kind: Mapped[str]
    at: Mapped[datetime]
    by_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"))

    note = Sealed[str]()
    note_sealed: Mapped[bytes | None]


class Parked(Identified):
    """A service that a client does not want for a need; the client lifts it any time."""

    __tablename__ = "parked"

    need_id: Mapped[UUID] = mapped_column(ForeignKey("need.id"), index=True)
    service_id: Mapped[UUID] = mapped_column(ForeignKey("service.id"), index=True)
    referral_id: Mapped[UUID | None] = mapped_column(ForeignKey("referral.id"))
    at: Mapped[datetime]
    by_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"))
    lifted_at: Mapped[datetime | None]


class TaskKind(StrEnum):
    """What a worker owes that no status says."""

    #: a report to a resource system that has no direct contact with the client
    REPORT = "report"
    #: the client did not come: was it the way, or the hours?
    ASK_TRANSPORT = "ask_transport"


class Task(Sealing, Identified):
    """Something a worker has to do for a case by a day."""

    __tablename__ = "task"

    #: made once, however often the reason for it is found
    key_text: Mapped[str | None] = mapped_column(unique=True)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("case.id"), index=True)
    referral_id: Mapped[UUID | None] = mapped_column(ForeignKey("referral.id"), index=True)
    kind: Mapped[TaskKind]
    due_on: Mapped[date]
    made_at: Mapped[datetime]
    done_at: Mapped[datetime | None]
    #: None beside `done_at`: owed no longer
    done_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("user.id"))
    #: how a report was given, or what kept the client: as tasks.ANSWERS
    answer: Mapped[str | None]

    #: what was said
    text = Sealed[str]()
    text_sealed: Mapped[bytes | None]

    case: Mapped[Case] = relationship()
    referral: Mapped[Referral | None] = relationship()
