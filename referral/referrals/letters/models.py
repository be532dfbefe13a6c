"""Letters on paper: which were made, how far each is on its way, and what it was numbered."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from referral.core.db import Identified
from referral.core.sealing import Sealed, Sealing
from referral.referrals.letters.states import LetterState
from referral.referrals.models import Referral


class Letter(Sealing, Identified):
    """One letter of a referral; a letter that became void is made anew."""

    __tablename__ = "letter"
    __table_args__ = (UniqueConstraint("office_id", "number"),)

    referral_id: Mapped[UUID] = mapped_column(ForeignKey("referral.id"), index=True)
    office_id: Mapped[UUID] = mapped_column(ForeignKey("office.id"), index=True)
    language: Mapped[str]
    state: Mapped[LetterState] = mapped_column(default=LetterState.FOR_SIGNATURE, index=True)
    version: Mapped[int] = mapped_column()
    #: as it stands in the agenda book
    number: Mapped[str | None]
    #: its place in the office's own pattern; None where the number was typed
    sequence: Mapped[int | None]
    sequence_year: Mapped[int | None]
    signatory_name: Mapped[str | None]
    signatory_title: Mapped[str | None]
    #: None where an organization without civil servants signs
    signatory_nip: Mapped[str | None]
    #: how many papers go with it
    attachments: Mapped[int] = mapped_column(default=0)
    #: ids of the organizations that get a copy
    copies: Mapped[list[str]] = mapped_column(default=list)
    made_at: Mapped[datetime]
    made_by_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"))
    signed_on: Mapped[date | None]
    signed_at: Mapped[datetime | None]
    signed_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("user.id"))
    numbered_at: Mapped[datetime | None]
    numbered_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("user.id"))
    #: as states.Carrier
    handed_to: Mapped[str | None]
    handed_on: Mapped[date | None]
    handed_over_at: Mapped[datetime | None]
    handed_over_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("user.id"))
    delivered_on: Mapped[date | None]
    #: when the delivery was written down
    delivered_at: Mapped[datetime | None]
    delivered_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("user.id"))
    voided_at: Mapped[datetime | None]
    voided_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("user.id"))

    #: who took it in
    receiver = Sealed[str]()
    receiver_sealed: Mapped[bytes | None]
    #: why it is void
    note = Sealed[str]()
    note_sealed: Mapped[bytes | None]

    referral: Mapped[Referral] = relationship()

    __mapper_args__ = {"version_id_col": version}
