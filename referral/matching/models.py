"""What a match run leaves behind: the receipt, the client's choice; and what it reads besides the directory."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from referral.core.db import Base, Identified
from referral.core.sealing import Sealed, Sealing


class PenaltyTable(Identified):
    """A version of the penalties, in local steps; the newest of an office counts, else the newest of all."""

    __tablename__ = "penalty_table"
    __table_args__ = (
        UniqueConstraint("office_id", "number"),
        # To a database two missing offices are two different ones.
        Index(
            "ix_penalty_table_shared_number",
            "number",
            unique=True,
            sqlite_where=text("office_id IS NULL"),
            postgresql_where=text("office_id IS NULL"),
        ),
    )

    #: None: for every office that has none of its own
    office_id: Mapped[UUID | None] = mapped_column(ForeignKey("office.id"))
    number: Mapped[int]
    #: {rule: steps}; {}: the office uses the shared table again
    steps: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]
    #: None: it came with the program
    by_id: Mapped[UUID | None] = mapped_column(ForeignKey("user.id"))
    #: why it was changed
    reason: Mapped[str | None]


class KnownRoute(Identified):
    """How long the way between two areas really is, as an office knows it: round a bay, by boat."""

    __tablename__ = "known_route"

    office_id: Mapped[UUID] = mapped_column(ForeignKey("office.id"), index=True)
    #: areas of the gazetteer; each holds the areas within it
    from_code: Mapped[str]
    to_code: Mapped[str]
    km: Mapped[float]
    #: in the office's own words: "boat Tuesday and Friday, Rp 50.000"
    how: Mapped[str]
    created_at: Mapped[datetime]
    by_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"))
    ended_at: Mapped[datetime | None]


class ServiceStanding(Base):
    """How a service has answered and how full its hands are; pushed by the referral side."""

    __tablename__ = "service_standing"

    service_id: Mapped[UUID] = mapped_column(ForeignKey("service.id"), primary_key=True)
    #: referrals that should have been answered by now, and those answered in time
    due: Mapped[int] = mapped_column(default=0)
    in_time: Mapped[int] = mapped_column(default=0)
    open_referrals: Mapped[int] = mapped_column(default=0)
    #: of those that ended or were decided: yes said, help claimed by the agency, asked and confirmed by clients
    decided: Mapped[int] = mapped_column(default=0)
    accepted: Mapped[int] = mapped_column(default=0)
    claimed: Mapped[int] = mapped_column(default=0)
    asked: Mapped[int] = mapped_column(default=0)
    confirmed: Mapped[int] = mapped_column(default=0)
    #: harm by it is being looked into: nobody is sent there, and the agency is not told
    suspended: Mapped[bool] = mapped_column(default=False)


class MatchReceipt(Sealing, Identified):
    """One match run as it was, whole: who asked for what, which rules, every option and near miss."""

    __tablename__ = "match_receipt"

    office_id: Mapped[UUID | None] = mapped_column(ForeignKey("office.id"), index=True)
    case_id: Mapped[UUID | None] = mapped_column(ForeignKey("case.id"), index=True)
    need_id: Mapped[UUID | None] = mapped_column(ForeignKey("need.id"), index=True)
    by_id: Mapped[UUID | None] = mapped_column(ForeignKey("user.id"))
    at: Mapped[datetime]
    rules_version: Mapped[int]
    penalty_table_id: Mapped[UUID] = mapped_column(ForeignKey("penalty_table.id"))
    directory_version: Mapped[int]

    #: the answer as `flask match --json` prints it, sentences as keys and parameters
    content = Sealed[dict[str, Any]]()
    content_sealed: Mapped[bytes | None]


class ClientChoice(Sealing, Identified):
    """What the client chose among the options, or that they said no."""

    __tablename__ = "client_choice"

    need_id: Mapped[UUID] = mapped_column(ForeignKey("need.id"), index=True)
    receipt_id: Mapped[UUID | None] = mapped_column(ForeignKey("match_receipt.id"))
    #: None: none of them
    service_at_location_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("service_at_location.id"), index=True
    )
    own_resource_id: Mapped[UUID | None] = mapped_column(ForeignKey("own_resource.id"))
    at: Mapped[datetime]
    by_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"))
    #: on a "no": unmet-need reason codes the client gave
    reasons: Mapped[list[str]] = mapped_column(default=list)

    #: why another than the first, or a service known without a search
    note = Sealed[str]()
    note_sealed: Mapped[bytes | None]


class VisitPlan(Sealing, Identified):
    """How several needs of a case may be met with few trips, as it was worked out."""

    __tablename__ = "visit_plan"

    office_id: Mapped[UUID] = mapped_column(ForeignKey("office.id"), index=True)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("case.id"), index=True)
    by_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"))
    at: Mapped[datetime]

    #: which receipts it was made of, who is visited in which order, what stays without help
    content = Sealed[dict[str, Any]]()
    content_sealed: Mapped[bytes | None]
