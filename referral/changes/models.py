"""The change record of the directory, its feed, and the audit chain."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from referral.core.db import Base, Identified
from referral.core.sealing import Sealed, Sealing


class ChangeRecord(Identified):
    """HSDS `metadata`: one field of one directory row that changed, with both values."""

    __tablename__ = "metadata"

    resource_id: Mapped[UUID] = mapped_column(index=True)
    resource_type: Mapped[str]
    last_action_date: Mapped[datetime]
    #: create, update or delete
    last_action_type: Mapped[str]
    field_name: Mapped[str]
    previous_value: Mapped[str]
    replacement_value: Mapped[str]
    #: Who in this house; leaves it only as a role. None for a job or an import.
    updated_by_id: Mapped[UUID | None]
    updated_by_role: Mapped[str]
    #: what a source's own record says that our columns can't hold: see directory.models.Published
    as_stated: Mapped[dict[str, Any] | None]


class DirectoryChange(Base):
    """The change feed: which offer of help changed, in order. Its last number is the directory's version."""

    __tablename__ = "directory_change"

    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    at: Mapped[datetime]
    #: None when everything may have changed (a large import).
    service_id: Mapped[UUID | None] = mapped_column(index=True)


class AuditEntry(Base):
    """One link of the append-only chain: who did or saw what, about whom, when."""

    __tablename__ = "audit_entry"

    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime]
    actor_id: Mapped[UUID | None] = mapped_column(index=True)
    actor_role: Mapped[str]
    #: past tense, as `case.opened`, `case.read`, `referral.accepted`
    action: Mapped[str]
    subject_type: Mapped[str]
    subject_id: Mapped[UUID | None] = mapped_column(index=True)
    #: the person the subject is about, so that "who saw this person" is one question
    client_id: Mapped[UUID | None] = mapped_column(index=True)
    #: codes and ids only, never a name, number, contact or text
    details: Mapped[dict[str, Any]]
    previous_hash: Mapped[bytes]
    hash: Mapped[bytes]


class AuditHead(Base):
    """The end of the chain; the one row that every writer of the chain locks first."""

    __tablename__ = "audit_head"

    id: Mapped[int] = mapped_column(primary_key=True)
    seq: Mapped[int]
    hash: Mapped[bytes]


class OutgoingMail(Identified):
    """A letter that is to leave the house, written in the transaction that decided so. Never personal data of a client."""

    __tablename__ = "outgoing_mail"

    #: the same letter is never written twice
    key: Mapped[str] = mapped_column(unique=True)
    to: Mapped[str]
    subject: Mapped[str]
    text: Mapped[str]
    html: Mapped[str | None]
    created_at: Mapped[datetime]
    #: not tried before this; None: it left, or was given up
    next_try_at: Mapped[datetime | None] = mapped_column(index=True)
    attempts: Mapped[int] = mapped_column(default=0)
    sent_at: Mapped[datetime | None]
    given_up_at: Mapped[datetime | None]
    #: kind of failure, never the server's words, which may repeat the letter
    last_error: Mapped[str | None]
    #: why nobody tries it any more, as outbox.Why
    dropped_because: Mapped[str | None]


class Webhook(Sealing, Identified):
    """Where another system wants to hear of events about what was sent to its agency."""

    __tablename__ = "webhook"

    organization_id: Mapped[UUID] = mapped_column(ForeignKey("organization.id"), index=True)
    address: Mapped[str]
    made_at: Mapped[datetime]
    made_by_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"))
    stopped_at: Mapped[datetime | None]

    #: signs what is sent
    secret = Sealed[str]()
    secret_sealed: Mapped[bytes | None]


class OutgoingEvent(Identified):
    """An event on its way to a webhook, written in the transaction in which it happened. No personal data."""

    __tablename__ = "outgoing_event"
    __table_args__ = (UniqueConstraint("webhook_id", "key"),)

    webhook_id: Mapped[UUID] = mapped_column(ForeignKey("webhook.id"), index=True)
    #: the same event is never written twice
    key: Mapped[str]
    body: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]
    #: not tried before this; None: it left, or was given up
    next_try_at: Mapped[datetime | None] = mapped_column(index=True)
    attempts: Mapped[int] = mapped_column(default=0)
    sent_at: Mapped[datetime | None]
    given_up_at: Mapped[datetime | None]
    #: kind of failure, or the number the other system answered with
    last_error: Mapped[str | None]
    #: why nobody tries it any more, as outbox.Why
    dropped_because: Mapped[str | None]

    webhook: Mapped[Webhook] = relationship()
