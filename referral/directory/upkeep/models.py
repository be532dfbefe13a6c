"""What is written about listings beside the listings themselves. All of it ours, none of it HSDS."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from referral.core.db import Base, Identified
from referral.directory.kinds import SystemType
from referral.directory.upkeep.kinds import ChangeKind as ChangeKind
from referral.directory.upkeep.kinds import ChangeStatus as ChangeStatus
from referral.directory.upkeep.kinds import ClaimStatus as ClaimStatus
from referral.directory.upkeep.kinds import LinkPurpose as LinkPurpose
from referral.directory.upkeep.kinds import Proof as Proof


class ListingReport(Identified):
    """Somebody says that a listing is wrong; a curator looks at it."""

    __tablename__ = "listing_report"

    service_id: Mapped[UUID] = mapped_column(ForeignKey("service.id"), index=True)
    text: Mapped[str]
    reported_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    reported_by_role: Mapped[str] = mapped_column(default="public")
    #: the part in doubt, one of kinds.Part; None: the listing as a whole
    field: Mapped[str | None]
    #: which value of the field, as the category's code; None: all of them
    value: Mapped[str | None]
    #: until a curator has looked, matching takes the field as not known
    is_quarantine: Mapped[bool] = mapped_column(default=False)


class ListingChange(Identified):
    """A set of changes to one listing, or a whole new one, from draft to published or not."""

    __tablename__ = "listing_change"

    #: None: a new listing that has not been published
    service_id: Mapped[UUID | None] = mapped_column(ForeignKey("service.id"), index=True)
    organization_id: Mapped[UUID | None] = mapped_column(ForeignKey("organization.id"), index=True)
    #: of a new listing that is no agency's: people's own help that may be known
    system_type: Mapped[SystemType | None]
    kind: Mapped[ChangeKind]
    status: Mapped[ChangeStatus] = mapped_column(index=True)
    #: field of directory.upkeep.editing → the value proposed
    values: Mapped[dict[str, Any]]
    #: field → the value seen when it was written; then the value replaced when it was published
    previous: Mapped[dict[str, Any]]
    note: Mapped[str | None]
    made_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("user.id"), index=True)
    made_by_role: Mapped[str]
    made_at: Mapped[datetime]
    decided_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("user.id"))
    decided_at: Mapped[datetime | None]
    decision_note: Mapped[str | None]
    #: the published change that this one takes back
    reverts_id: Mapped[UUID | None] = mapped_column(ForeignKey("listing_change.id"))


class Claim(Identified):
    """Somebody says that they work for the agency of a listing and may keep it true."""

    __tablename__ = "claim"

    service_id: Mapped[UUID] = mapped_column(ForeignKey("service.id"), index=True)
    organization_id: Mapped[UUID] = mapped_column(ForeignKey("organization.id"), index=True)
    name: Mapped[str]
    email: Mapped[str]
    message: Mapped[str | None]
    proof: Mapped[Proof]
    status: Mapped[ClaimStatus] = mapped_column(index=True)
    #: of the code that is told by phone
    code_hash: Mapped[bytes | None]
    code_expires_at: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    made_at: Mapped[datetime]
    proven_at: Mapped[datetime | None]
    decided_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("user.id"))
    decided_at: Mapped[datetime | None]
    #: why it was refused, in the curator's words
    decision_note: Mapped[str | None]
    #: the account that was made or extended
    user_id: Mapped[UUID | None] = mapped_column(ForeignKey("user.id"))


class ListingLink(Identified):
    """A signed, single-purpose, expiring way to one listing without an account."""

    __tablename__ = "listing_link"

    service_id: Mapped[UUID] = mapped_column(ForeignKey("service.id"), index=True)
    purpose: Mapped[LinkPurpose]
    claim_id: Mapped[UUID | None] = mapped_column(ForeignKey("claim.id"))
    token_hash: Mapped[bytes] = mapped_column(unique=True)
    made_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class ListingUse(Base):
    """How often a listing was chosen for somebody in a month: what is used most is checked first."""

    __tablename__ = "listing_use"

    service_id: Mapped[UUID] = mapped_column(ForeignKey("service.id"), primary_key=True)
    #: its first day
    month: Mapped[date] = mapped_column(primary_key=True)
    times: Mapped[int]


class SearchMiss(Identified):
    """Words that somebody searched for and nothing was found, counted by month and never with a person."""

    __tablename__ = "search_miss"
    __table_args__ = (UniqueConstraint("words", "month"),)

    words: Mapped[str]
    #: its first day
    month: Mapped[date]
    times: Mapped[int]
