"""The address a calendar program fetches somebody's days from: one per person, of which only a digest is kept."""

import secrets
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from referral.accounts.models import CalendarLink, User
from referral.changes import audit
from referral.core.crypto import KeyRing
from referral.core.errors import NotFound


def issue(session: Session, user: User, *, now: datetime) -> str:
    """A new secret; an earlier one stops working. This is the only moment when its text is known."""
    revoke(session, user, now=now)
    token = secrets.token_hex(32)  # hexadecimal: the keyed digest folds case
    link = CalendarLink(user_id=user.id, digest=_digest(session, token), made_at=now)
    session.add(link)
    audit.record(session, "calendar_link.made", link, by=user, now=now)
    return token


def revoke(session: Session, user: User, *, now: datetime) -> None:
    """Whoever has the address gets nothing more."""
    link = current(session, user)
    if link is not None:
        link.revoked_at = now
        audit.record(session, "calendar_link.revoked", link, by=user, now=now)


def current(session: Session, user: User) -> CalendarLink | None:
    """The person's link that still works."""
    return session.scalar(
        select(CalendarLink).where(
            CalendarLink.user_id == user.id, CalendarLink.revoked_at.is_(None)
        )
    )


def find_user(session: Session, token: str) -> User:
    """Whose days a secret opens. Raises NotFound for one that was revoked, and once the account has ended."""
    link = session.scalar(
        select(CalendarLink)
        .where(CalendarLink.digest == _digest(session, token), CalendarLink.revoked_at.is_(None))
        .options(joinedload(CalendarLink.user).joinedload(User.office))
    )
    if link is None or not link.user.active:
        raise NotFound("accounts.calendar.none")
    return link.user


def _digest(session: Session, token: str) -> bytes:
    keyring: KeyRing = session.info["keyring"]
    return keyring.blind(token)
