"""Signing in and out. Every one is written to the audit chain; the caller commits."""

from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address
from math import ceil
from uuid import UUID

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.orm import Session

from referral.accounts import lockout, passwords, queries
from referral.accounts.models import (
    SignInAttempt,
    User,
    UserSession,
)
from referral.changes import audit
from referral.changes.actors import PUBLIC, Actor
from referral.core.errors import NotAllowed, NotFound


class Refused(NotAllowed):
    """A sign-in that did not succeed. The failure is already in the session: commit it."""


def authenticate(
    session: Session, *, email: str, password: str, origin: str, now: datetime
) -> User:
    """The active user with this address and password. `origin` is the network address asking.

    Raises Refused, with the same words whether the account is unknown, ended or the password wrong,
    and with the time to wait after too many failures.
    """
    session.execute(delete(SignInAttempt).where(SignInAttempt.at <= now - lockout.WINDOW))
    account, place = (
        _digest(session, "account", email),
        _digest(session, "origin", network(origin)),
    )
    until = [
        _locked_until(session, SignInAttempt.account_digest == account, lockout.ACCOUNT),
        _locked_until(session, SignInAttempt.origin_digest == place, lockout.ORIGIN),
    ]
    waits = [moment - now for moment in until if moment and moment > now]
    if waits:
        # Not counted and not written down: a stranger could otherwise lengthen the wait and the chain at will.
        raise Refused("accounts.sign_in.wait", minutes=ceil(max(waits) / timedelta(minutes=1)))
    user = queries.find_by_email(session, email)
    matches = passwords.matches(password, user.password if user else None)
    if user is None or not matches or not user.active:
        attempt = SignInAttempt(account_digest=account, origin_digest=place, at=now)
        session.add(attempt)
        known = {"user_id": user.id} if user else {}
        audit.record(session, "sign_in.failed", attempt, by=PUBLIC, now=now, **known)
        raise Refused("accounts.sign_in.failed")
    forget_failures(session, email)
    if passwords.is_outdated(user.password or ""):
        user.password = passwords.hashed(password)
    session.flush()
    return user


def forget_failures(session: Session, email: str) -> None:
    """The failures of an account count no more."""
    account = _digest(session, "account", email)
    session.execute(delete(SignInAttempt).where(SignInAttempt.account_digest == account))


def start_session(
    session: Session, user: User, *, device: str | None, now: datetime
) -> UserSession:
    """A new sign-in of this user on one device."""
    started = UserSession(user=user, device=device, started_at=now, last_seen_at=now)
    session.add(started)
    audit.record(session, "session.started", started, by=user, now=now)
    return started


def end_session(session: Session, sign_in: UserSession, *, by: Actor, now: datetime) -> None:
    """Sign one device out; a second time does nothing."""
    if sign_in.revoked_at is None:
        sign_in.revoked_at = now
        audit.record(session, "session.ended", sign_in, by=by, now=now)


def end_other_session(
    session: Session, user: User, session_id: UUID, *, now: datetime
) -> UserSession:
    """Sign out one of a person's own devices. Raises NotFound for anybody else's."""
    found = session.get(UserSession, session_id)
    if found is None or found.user_id != user.id:
        raise NotFound("accounts.session.not_found")
    end_session(session, found, by=user, now=now)
    return found


def end_sessions(
    session: Session, user: User, *, by: Actor, now: datetime, but: UserSession | None = None
) -> int:
    """Sign a person out everywhere (`but` one); gives how many sign-ins ended."""
    ended = 0
    for sign_in in queries.live_sessions(session, user, now=now):
        if sign_in is not but:
            end_session(session, sign_in, by=by, now=now)
            ended += 1
    session.flush()
    return ended


def _locked_until(
    session: Session, same: ColumnElement[bool], patience: lockout.Patience
) -> datetime | None:
    failures = select(SignInAttempt.at).where(same).order_by(SignInAttempt.at)
    return lockout.locked_until(patience, session.scalars(failures).all())


def _digest(session: Session, kind: str, text: str) -> bytes:
    # The blind index drops all but letters and digits; hexadecimal keeps 10.1.11.1 and 10.11.1.1 apart.
    digest: bytes = session.info["keyring"].blind(kind + text.strip().lower().encode().hex())
    return digest


def network(origin: str) -> str:
    """An address, or the /64 network of an IPv6 one: a household or office holds a whole such network."""
    try:
        address = ip_address(origin)
    except ValueError:
        return origin
    if isinstance(address, IPv6Address):
        return address.exploded[:19]
    return origin
