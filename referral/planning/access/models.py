"""Stored measures of how well areas reach services: one run over the whole country, one row for a category."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from referral.core.db import Base, Identified
from referral.planning.work import Work


class AccessRun(Identified):
    """One time all measures were worked out."""

    __tablename__ = "access_run"

    made_at: Mapped[datetime] = mapped_column(index=True)
    directory_version: Mapped[int]
    #: whose published needs stand for the demand; None: population alone
    release_id: Mapped[UUID | None] = mapped_column(ForeignKey("gap_release.id"))
    radius_km: Mapped[float]
    #: codes of the areas in the order of the arrays
    areas: Mapped[list[str]]


class AccessWork(Work, Identified):
    """One time the measures were to be worked out: asked for by a planner, or begun by the night."""

    __tablename__ = "access_work"

    #: None: the night
    made_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("user.id"))
    #: kinds of help worked out so far, and how many there are
    done: Mapped[int]
    of: Mapped[int]


class AccessResult(Base):
    """The measures of one category, each an array over the run's areas; float32, NaN where not known."""

    __tablename__ = "access_result"

    run_id: Mapped[UUID] = mapped_column(ForeignKey("access_run.id"), primary_key=True)
    category: Mapped[str] = mapped_column(primary_key=True)
    #: kind of resource system, or "" for all
    system: Mapped[str] = mapped_column(primary_key=True)
    #: services and places that were counted
    supply: Mapped[dict[str, Any]]
    #: the arrays as a compressed file of NumPy
    arrays: Mapped[bytes]
