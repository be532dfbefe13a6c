"""Kept answers to "where should it stand": a question about one gap, and what came out."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from referral.accounts.models import User
from referral.core.db import Identified


class SitingCase(Identified):
    """One siting question with its answer, frozen; several of one gap are compared side by side."""

    __tablename__ = "siting_case"

    category: Mapped[str] = mapped_column(index=True)
    #: province or kab/kota whose people are to be reached
    area_code: Mapped[str] = mapped_column(index=True)
    made_at: Mapped[datetime]
    made_by_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"))
    #: what was asked: aim, radius, candidates, demand
    question: Mapped[dict[str, Any]]
    #: what came out: sites for 1 … 5, who is reached and who is left out, sensitivity
    answer: Mapped[dict[str, Any]]

    made_by: Mapped[User] = relationship()
