"""Pairs of listings that may be one, and merges that can be undone."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from referral.core.db import Identified


class PairStatus(StrEnum):
    OPEN = "open"
    MERGED = "merged"
    DIFFERENT = "different"


class DuplicatePair(Identified):
    """Two listings that look alike, why, and what a curator said of it."""

    __tablename__ = "duplicate_pair"
    __table_args__ = (
        UniqueConstraint("first_id", "second_id"),
        CheckConstraint("first_id < second_id", name="in_order"),
    )

    first_id: Mapped[UUID] = mapped_column(ForeignKey("service.id"))
    second_id: Mapped[UUID] = mapped_column(ForeignKey("service.id"), index=True)
    #: 0 to 1
    score: Mapped[float] = mapped_column(index=True)
    #: what speaks for and against: key and parameters of messages
    reasons: Mapped[list[Any]]
    status: Mapped[PairStatus] = mapped_column(index=True)
    found_at: Mapped[datetime]
    decided_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("user.id"))
    decided_at: Mapped[datetime | None]


class Merge(Identified):
    """One listing taken into another, with all that is needed to take it out again."""

    __tablename__ = "merge"

    kept_id: Mapped[UUID] = mapped_column(ForeignKey("service.id"), index=True)
    gone_id: Mapped[UUID] = mapped_column(ForeignKey("service.id"), index=True)
    #: table → row → {column: [value before, value after]}; `+` for a row that the merge made
    moved: Mapped[dict[str, Any]]
    merged_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("user.id"))
    merged_at: Mapped[datetime]
    undone_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("user.id"))
    undone_at: Mapped[datetime | None]
