"""Offices, the people who sign in, their sessions, links and failed attempts."""

from datetime import date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from referral.accounts.permissions import Role
from referral.core.country import COUNTRY
from referral.core.db import Identified
from referral.core.sealing import Sealing

if TYPE_CHECKING:

    class UserMixin:
        """What pages ask of a user; Flask-Security's own mixin types `id` as a whole number."""

        is_authenticated: bool
        is_active: bool

else:
    from flask_security import UserMixin

__all__ = [
    "AccessLink",
    "ApiToken",
    "CalendarLink",
    "ClockProfile",
    "LinkPurpose",
    "Office",
    "OfficeDayOff",
    "Role",
    "SignInAttempt",
    "User",
    "UserSession",
]


class LinkPurpose(StrEnum):
    """What a one-time link is for."""

    INVITATION = "invitation"
    PASSWORD = "password"  # noqa: S105 - a purpose, not a secret


class ClockProfile(StrEnum):
    """How fast answers can be expected where the office works."""

    CITY = "city"
    REGENCY = "regency"
    REMOTE = "remote"


class Office(Sealing, Identified):
    """Where brokers work. Its key seals what belongs to the office and to no client."""

    __tablename__ = "office"

    name: Mapped[str] = mapped_column(unique=True)
    #: kab/kota the office serves, a code of the gazetteer
    area_code: Mapped[str | None]
    time_zone: Mapped[str] = mapped_column(default=COUNTRY.time_zone)
    clock_profile: Mapped[ClockProfile] = mapped_column(default=ClockProfile.CITY)
    #: head of its letters: parent, address, phone, email, signatory_name, signatory_title,
    #: signatory_nip, number_pattern; None: only its name is known
    letterhead: Mapped[dict[str, Any] | None]
    #: cases numbered so far in this office
    case_count: Mapped[int] = mapped_column(default=0)

    #: read once in a session, however many clocks ask
    days_off: Mapped[list["OfficeDayOff"]] = relationship(order_by="OfficeDayOff.on")


class User(UserMixin, Identified):
    """Somebody who signs in: staff of an office, an agency or a planning body. Never a client.

    Flask-Security asks its user model for the methods of `UserMixin`; nothing else here comes from Flask.
    """

    __tablename__ = "user"
    __table_args__ = (
        CheckConstraint(
            "role NOT IN ('broker', 'supervisor') OR office_id IS NOT NULL", name="office"
        ),
        CheckConstraint("role <> 'agency' OR organization_id IS NOT NULL", name="organization"),
    )

    name: Mapped[str]
    #: the sign-in name, in lower case
    email: Mapped[str] = mapped_column(unique=True)
    #: None until the invitation is taken up
    password: Mapped[str | None]
    active: Mapped[bool] = mapped_column(default=True)
    #: what a session names the user by; a new one ends all sessions at once
    fs_uniquifier: Mapped[str] = mapped_column(unique=True, default=lambda: uuid4().hex)
    role: Mapped[Role]
    #: permissions granted beside those of the role, as `listing:approve` for a curator
    granted: Mapped[list[str]] = mapped_column(default=list)
    office_id: Mapped[UUID | None] = mapped_column(ForeignKey("office.id"), index=True)
    #: the agency this person answers for
    organization_id: Mapped[UUID | None] = mapped_column(ForeignKey("organization.id"), index=True)
    language: Mapped[str] = mapped_column(default="id")
    #: a person of the demonstration, whose password is public
    is_demo: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]

    office: Mapped[Office | None] = relationship()


class UserSession(Identified):
    """One sign-in on one device; revoking it signs that device out."""

    __tablename__ = "user_session"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"), index=True)
    #: as "Chrome, Android"; None when the browser does not say
    device: Mapped[str | None]
    started_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]

    user: Mapped[User] = relationship()


class SignInAttempt(Identified):
    """A failed sign-in, counted to slow guessing down. Holds a keyed digest, not the address typed."""

    __tablename__ = "sign_in_attempt"

    account_digest: Mapped[bytes] = mapped_column(index=True)
    origin_digest: Mapped[bytes] = mapped_column(index=True)
    at: Mapped[datetime] = mapped_column(index=True)


class AccessLink(Identified):
    """A one-time link to take up an invitation or to choose a new password; handed over by a person."""

    __tablename__ = "access_link"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"), index=True)
    purpose: Mapped[LinkPurpose]
    token_digest: Mapped[bytes] = mapped_column(unique=True)
    created_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("user.id"))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]

    user: Mapped[User] = relationship(foreign_keys=[user_id])


class ApiToken(Identified):
    """What another system signs its questions with. Only a digest of it is kept."""

    __tablename__ = "api_token"

    #: which system it was given to
    name: Mapped[str]
    digest: Mapped[bytes] = mapped_column(unique=True)
    #: its first characters, to tell tokens apart in a list
    begins: Mapped[str]
    #: what it may be used for, of accounts.permissions.SCOPES
    scopes: Mapped[list[str]] = mapped_column(default=list)
    #: whose system it is: an office's or an agency's
    office_id: Mapped[UUID | None] = mapped_column(ForeignKey("office.id"), index=True)
    organization_id: Mapped[UUID | None] = mapped_column(ForeignKey("organization.id"), index=True)
    created_at: Mapped[datetime]
    created_by_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"))
    expires_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class CalendarLink(Identified):
    """Lets a calendar program fetch somebody's due days, without names. Only a digest of its token is kept."""

    __tablename__ = "calendar_link"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"), index=True)
    digest: Mapped[bytes] = mapped_column(unique=True)
    made_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]

    user: Mapped[User] = relationship()


class OfficeDayOff(Identified):
    """A day on which one office is closed beside the country's holidays; no working day for its clocks."""

    __tablename__ = "office_day_off"
    __table_args__ = (UniqueConstraint("office_id", "on"),)

    office_id: Mapped[UUID] = mapped_column(ForeignKey("office.id"), index=True)
    on: Mapped[date]
    name: Mapped[str]
