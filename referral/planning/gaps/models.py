"""Frozen counts of people who asked and of those nothing met, and what of them was published. Names nobody."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from referral.core.db import Base, Identified


class Measure(StrEnum):
    """What is counted, each person once for a kind of help within twelve months."""

    #: asked for help: a need was assessed
    ASKED = "asked"
    #: nothing met it, for a reason that makes a gap
    UNMET = "unmet"
    #: was waiting and waits no more
    CLOSED = "closed"
    #: their own people helped, or somebody whom the office won for it
    HELPED = "helped"


class Audience(StrEnum):
    """For whom a release is made."""

    PLANNERS = "planners"
    PUBLIC = "public"


class GapCount(Base):
    """How many people of one quarter, area, category and reason: counted once, then never changed.

    All that stays of a person who is erased. Raw: only a release reads it.
    """

    __tablename__ = "gap_count"

    measure: Mapped[Measure] = mapped_column(primary_key=True)
    #: as 2026-Q3
    quarter: Mapped[str] = mapped_column(primary_key=True)
    #: kab/kota, a wider area where no more is known, or "?"
    area: Mapped[str] = mapped_column(primary_key=True)
    category: Mapped[str] = mapped_column(primary_key=True)
    #: code of the unmet-need reason; how it closed for `closed`; "" for `asked` and `helped`
    reason: Mapped[str] = mapped_column(primary_key=True)
    people: Mapped[int]


class GapMarking(Base):
    """That people are marked for a quarter. Whoever groups them sees by it that nobody came since."""

    __tablename__ = "gap_marking"

    quarter: Mapped[str] = mapped_column(primary_key=True)
    #: transactions that marked somebody, or might have
    times: Mapped[int]


class GapRelease(Identified):
    """One publication of the last four quarters' counts after disclosure control, never changed."""

    __tablename__ = "gap_release"
    __table_args__ = (UniqueConstraint("quarter", "audience"),)

    #: the last quarter it counts
    quarter: Mapped[str]
    audience: Mapped[Audience]
    made_at: Mapped[datetime]
    #: smallest count that is shown
    threshold: Mapped[int]
    #: {measure: what was hidden and what the audit found}, see planning.disclosure.certificate
    certificate: Mapped[dict[str, Any]]


class GapFigure(Base):
    """One published count; what is 0 has no row. See planning.gaps.cuts for the keys."""

    __tablename__ = "gap_figure"

    release_id: Mapped[UUID] = mapped_column(ForeignKey("gap_release.id"), primary_key=True)
    measure: Mapped[Measure] = mapped_column(primary_key=True)
    category: Mapped[str] = mapped_column(primary_key=True)
    area: Mapped[str] = mapped_column(primary_key=True)
    reason: Mapped[str] = mapped_column(primary_key=True)
    period: Mapped[str] = mapped_column(primary_key=True)
    #: as planning.disclosure.cells.Shown
    shown: Mapped[str]
    #: None unless it is shown
    people: Mapped[int | None]
