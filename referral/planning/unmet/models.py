"""Needs that nothing meets, why, and who was told of a new service. Nothing here names a person."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from referral.core.db import Base, Identified
from referral.planning.unmet.kinds import CallOutcome as CallOutcome
from referral.planning.unmet.kinds import Closing as Closing
from referral.planning.unmet.kinds import Origin as Origin


class UnmetReason(Base):
    """One reason why a need stays unmet, from directory_data/unmet_reasons.csv."""

    __tablename__ = "unmet_reason"

    code: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)
    name_id: Mapped[str]
    name_en: Mapped[str]
    axis: Mapped[str]
    remedy_id: Mapped[str]
    remedy_en: Mapped[str]
    #: False for U17 and U18: they never make a supply gap by themselves
    counts_as_gap: Mapped[bool]


class UnmetNeed(Identified):
    """One episode of one person's need that no service meets, and why."""

    __tablename__ = "unmet_need"

    need_id: Mapped[UUID] = mapped_column(ForeignKey("need.id"), index=True)
    office_id: Mapped[UUID] = mapped_column(ForeignKey("office.id"), index=True)
    category: Mapped[str] = mapped_column(index=True)
    #: kab/kota where the client stays, coarse on purpose; None: not known
    area_code: Mapped[str | None] = mapped_column(index=True)
    reason: Mapped[str] = mapped_column(ForeignKey("unmet_reason.code"))
    secondary: Mapped[list[str]] = mapped_column(default=list)
    #: ids of what is behind it, in order: {receipts, choices, referrals}
    evidence: Mapped[dict[str, Any]] = mapped_column(default=dict)
    #: what it was first seen by
    origin: Mapped[Origin]
    opened_at: Mapped[datetime]
    #: it was closed and then opened again
    reopened_at: Mapped[datetime | None]
    #: the client wants to hear when something appears
    callback_asked_at: Mapped[datetime | None]
    #: when a broker looked at the pre-filled reason and agreed or corrected it
    confirmed_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    #: as Closing
    closed_as: Mapped[str | None]
    #: version of the directory up to which every offer was weighed for it
    weighed_version: Mapped[int | None]
    #: the quarter whose counts hold it, and whose hold its end; "": its client was counted for this category already
    counted_in: Mapped[str | None]
    closing_counted_in: Mapped[str | None]


class NewServiceNotice(Identified):
    """Tells a broker that a service may now fit a need that was waiting."""

    __tablename__ = "new_service_notice"

    unmet_need_id: Mapped[UUID] = mapped_column(ForeignKey("unmet_need.id"), index=True)
    broker_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"), index=True)
    service_at_location_id: Mapped[UUID] = mapped_column(ForeignKey("service_at_location.id"))
    #: place in the waiting order it was told in, from 1
    position: Mapped[int]
    at: Mapped[datetime]
    seen_at: Mapped[datetime | None]
    #: as CallOutcome
    done_as: Mapped[str | None]
