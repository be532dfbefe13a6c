"""Who asked for what, as groups of at least a threshold's people who look alike: what rule changes are tried on."""

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Mapped, mapped_column

from referral.core.db import Identified


class AskerGroup(Identified):
    """People of one quarter who asked for one kind of help and share these facts; made once, never changed."""

    __tablename__ = "asker_group"

    #: as 2026-Q3
    quarter: Mapped[str] = mapped_column(index=True)
    category: Mapped[str] = mapped_column(index=True)
    #: {fact: value} as planning.rehearsal.groups.FACTS; a fact that is missing is not told
    facts: Mapped[dict[str, Any]]
    people: Mapped[int]
    made_at: Mapped[datetime]
