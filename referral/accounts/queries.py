"""Reading offices, the people who sign in, their sessions and links."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, false, select
from sqlalchemy.orm import Session, joinedload

from referral.accounts.models import AccessLink, Office, Role, User, UserSession
from referral.accounts.sessions import is_live
from referral.core.errors import NotFound


def find_by_email(session: Session, email: str) -> User | None:
    """The user who signs in with this address, however it is typed."""
    return session.scalar(select(User).where(User.email == email.strip().lower()))


def find_live_session(session: Session, session_id: UUID, *, now: datetime) -> UserSession | None:
    """A sign-in that still opens pages: not revoked, not idle, its user active; user and office loaded."""
    found = session.scalar(
        select(UserSession)
        .where(UserSession.id == session_id)
        .options(joinedload(UserSession.user).joinedload(User.office))
    )
    return found if found and found.user.active and is_live(found, now=now) else None


def live_sessions(session: Session, user: User, *, now: datetime) -> Sequence[UserSession]:
    """Where a person is signed in, last seen first."""
    rows = session.scalars(
        select(UserSession)
        .where(UserSession.user_id == user.id, UserSession.revoked_at.is_(None))
        .order_by(UserSession.last_seen_at.desc(), UserSession.id)
    )
    return [row for row in rows if is_live(row, now=now)]


def _managed(by: User) -> Select[User]:
    people = select(User)
    if by.role is Role.ADMINISTRATOR:
        return people
    if by.role is Role.SUPERVISOR:
        return people.where(User.role == Role.BROKER, User.office_id == by.office_id)
    return people.where(false())


def managed(session: Session, by: User) -> Sequence[User]:
    """The accounts this person looks after: everybody's, or a supervisor's own brokers; by name."""
    query = _managed(by).options(joinedload(User.office)).order_by(User.name, User.id)
    return session.scalars(query).all()


def get_managed(session: Session, by: User, user_id: UUID) -> User:
    """One of the accounts this person looks after. Raises NotFound."""
    user = session.scalar(_managed(by).where(User.id == user_id))
    if user is None:
        raise NotFound("accounts.user.not_found")
    return user


def active_brokers(session: Session, office_id: UUID) -> Sequence[User]:
    """Brokers of an office who can take a case, by name."""
    query = select(User).where(
        User.office_id == office_id,
        User.role == Role.BROKER,
        User.active,
        User.password.is_not(None),
    )
    return session.scalars(query.order_by(User.name, User.id)).all()


def offices(session: Session) -> Sequence[Office]:
    """Every office, by name."""
    return session.scalars(select(Office).order_by(Office.name, Office.id)).all()


def get_office(session: Session, office_id: UUID) -> Office:
    """Raises NotFound."""
    office = session.get(Office, office_id)
    if office is None:
        raise NotFound("accounts.office.not_found")
    return office


def find_open_link(session: Session, token: str, *, now: datetime) -> AccessLink | None:
    """The one-time link behind a token that can still be used; its user loaded."""
    digest = session.info["keyring"].blind(token)
    link = session.scalar(
        select(AccessLink)
        .where(AccessLink.token_digest == digest)
        .options(joinedload(AccessLink.user))
    )
    usable = link and link.used_at is None and now < link.expires_at and link.user.active
    return link if usable else None


def demo_people(session: Session) -> Sequence[User]:
    """People of the demonstration, in the order they were made."""
    query = select(User).where(User.is_demo).order_by(User.created_at, User.id)
    return session.scalars(query).all()
