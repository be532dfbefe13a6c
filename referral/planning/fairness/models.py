"""Published counts of how people waited and were shared among agencies."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from referral.core.db import Identified


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
    #: {waiting, spread}, as fairness.waiting.report and fairness.spread.report give them
    content: Mapped[dict[str, Any]]
