"""Questions where a resource should stand, and what came out of them."""

from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from referral.accounts.models import User
from referral.core.db import Identified
from referral.planning.work import Work

#: What a case has for an answer until it is worked out.
NOTHING_YET: dict[str, Any] = {"counts": []}


class SitingCase(Work, Identified):
    """One siting question with its answer, which never changes; several of one gap are compared side by side."""

    __tablename__ = "siting_case"

    category: Mapped[str] = mapped_column(index=True)
    #: province or kab/kota whose people are to be reached
    area_code: Mapped[str] = mapped_column(index=True)
    made_by_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"))
    #: what was asked: aim, radius, candidates, demand
    question: Mapped[dict[str, Any]]
    #: what it was worked out from, or is to be: the directory, and the release where published needs count
    directory_version: Mapped[int]
    release_quarter: Mapped[str | None]
    #: what came out: sites for 1 … 5, who is reached and who is left out, sensitivity
    answer: Mapped[dict[str, Any]]

    made_by: Mapped[User] = relationship()
