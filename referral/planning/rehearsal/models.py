"""Which rule changes were rehearsed: kept so that nobody can ask until one person shows."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from referral.core.db import Identified


class RuleRehearsal(Identified):
    """A change of one listing as it was tried, and the counts that were told."""

    __tablename__ = "rule_rehearsal"

    service_id: Mapped[UUID] = mapped_column(ForeignKey("service.id"), index=True)
    by_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"))
    at: Mapped[datetime]
    change: Mapped[dict[str, Any]]
    #: after disclosure control, as it was shown
    told: Mapped[dict[str, Any]]
