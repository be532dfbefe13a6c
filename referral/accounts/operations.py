"""Doing things with accounts: inviting, changing, ending. Every one is written to the audit chain."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from email_validator import EmailNotValidError, validate_email
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from referral.accounts import passwords, queries
from referral.accounts.models import (
    AccessLink,
    ClockProfile,
    LinkPurpose,
    Office,
    User,
    UserSession,
)
from referral.accounts.permissions import GRANTABLE, Role
from referral.accounts.signing_in import end_sessions, forget_failures
from referral.changes import audit
from referral.changes.actors import Actor
from referral.core.crypto import new_token
from referral.core.errors import Invalid, NotAllowed, NotFound
from referral.core.sealing import DataKey
from referral.core.text import LANGUAGES

#: how long a one-time link can be used
LINK_LASTS = {LinkPurpose.INVITATION: timedelta(days=7), LinkPurpose.PASSWORD: timedelta(days=1)}
_LONGEST_NAME, _LONGEST_EMAIL = 120, 254


# One's own account


def change_password(
    session: Session,
    user: User,
    *,
    current: str,
    new: str,
    keep: UserSession | None,
    now: datetime,
) -> None:
    """Take a new password; every other device is signed out. Raises Invalid naming `current` or `password`."""
    if not passwords.matches(current, user.password):
        raise Invalid("accounts.password.not_current", field="current")
    passwords.check(new, email=user.email)
    user.password = passwords.hashed(new)
    audit.record(session, "password.changed", user, by=user, now=now)
    end_sessions(session, user, by=user, now=now, but=keep)


# Links to hand over


@dataclass(frozen=True)
class IssuedLink:
    """A one-time link at the only moment when its token is known."""

    link: AccessLink
    token: str


def issue_link(session: Session, user: User, *, by: Actor, now: datetime) -> IssuedLink:
    """A link by which `user` chooses a password: an invitation before the first, a reset after.

    Earlier unused links of the user stop working. Raises NotAllowed for an ended account.
    """
    if not user.active:
        raise NotAllowed("accounts.user.ended")
    purpose = LinkPurpose.PASSWORD if user.password else LinkPurpose.INVITATION
    session.execute(
        update(AccessLink)
        .where(
            AccessLink.user_id == user.id,
            AccessLink.used_at.is_(None),
            AccessLink.expires_at > now,
        )
        .values(expires_at=now)
    )
    token = new_token()
    link = AccessLink(
        user=user,
        purpose=purpose,
        token_digest=session.info["keyring"].blind(token),
        created_by_id=by.id,
        created_at=now,
        expires_at=now + LINK_LASTS[purpose],
    )
    session.add(link)
    audit.record(
        session, "access_link.issued", link, by=by, now=now, user_id=user.id, purpose=purpose.value
    )
    return IssuedLink(link, token)


def take_link(session: Session, token: str, *, password: str, now: datetime) -> User:
    """Use a one-time link up: its user gets this password and is signed out wherever they were.

    Raises NotFound for a link that is used, old or wrong, and Invalid for an easy password (the link stays).
    """
    link = queries.find_open_link(session, token, now=now)
    if link is None:
        raise NotFound("accounts.link.not_found")
    user = link.user
    passwords.check(password, email=user.email)
    user.password = passwords.hashed(password)
    link.used_at = now
    forget_failures(session, user.email)
    audit.record(session, "access_link.used", link, by=user, now=now, purpose=link.purpose.value)
    session.flush()
    end_sessions(session, user, by=user, now=now)
    return user


# Looking after accounts


def invite(
    session: Session,
    *,
    name: str,
    email: str,
    role: Role,
    office: Office | None = None,
    organization_id: UUID | None = None,
    language: str = "id",
    is_demo: bool = False,
    by: Actor,
    now: datetime,
) -> User:
    """A new account without a password; `issue_link` lets its person choose one.

    Raises Invalid naming the field, and NotAllowed for a role this person may not give.
    """
    _may_give(by, role, office)
    user = User(
        email=_free_email(session, email),
        active=True,
        fs_uniquifier=uuid4().hex,
        granted=[],
        is_demo=is_demo,
        created_at=now,
    )
    _describe(
        user,
        name=name,
        role=role,
        office=office,
        organization_id=organization_id,
        language=language,
    )
    session.add(user)
    audit.record(session, "user.invited", user, by=by, now=now, role=role.value)
    return user


def change_user(
    session: Session,
    user: User,
    *,
    name: str,
    role: Role,
    office: Office | None,
    organization_id: UUID | None,
    language: str,
    granted: list[str],
    by: User,
    now: datetime,
) -> None:
    """Say anew who a person is and what they may do. Raises Invalid and NotAllowed as `invite`."""
    before = (user.role, user.office_id, user.organization_id, sorted(user.granted))
    _may_give(by, role, office)
    if user.id == by.id and role is not user.role:
        raise NotAllowed("accounts.user.own_role")
    unknown = set(granted) - GRANTABLE
    if unknown:
        raise Invalid("accounts.user.not_grantable", field="granted", permission=sorted(unknown)[0])
    _describe(
        user,
        name=name,
        role=role,
        office=office,
        organization_id=organization_id,
        language=language,
    )
    if by.role is Role.ADMINISTRATOR:
        user.granted = sorted(granted)
    session.flush()
    after = (user.role, user.office_id, user.organization_id, sorted(user.granted))
    audit.record(
        session, "user.changed", user, by=by, now=now, role=role.value, granted=user.granted
    )
    if before != after:
        # What the person may do is read anew with each page, but a page already open was drawn for another role.
        end_sessions(session, user, by=by, now=now)


def give_organization(
    session: Session, user: User, organization_id: UUID, *, by: Actor, now: datetime
) -> None:
    """Let somebody who answers for an agency answer for this one from now on; signed out where that is new.

    Raises NotAllowed for an ended account and for one that is for something else.
    """
    if not user.active or user.role is not Role.AGENCY:
        raise NotAllowed("accounts.user.not_an_agency")
    if user.organization_id == organization_id:
        return
    user.organization_id = organization_id
    session.flush()
    audit.record(session, "user.changed", user, by=by, now=now, role=user.role.value)
    end_sessions(session, user, by=by, now=now)


def deactivate(session: Session, user: User, *, by: User, now: datetime) -> None:
    """End an account and sign it out everywhere.

    A broker's open cases must go to somebody first: doors call `casework.handover.retire`, which sees to that.
    """
    if user.id == by.id:
        raise NotAllowed("accounts.user.own_end")
    if not user.active:
        raise NotAllowed("accounts.user.ended")
    end_sessions(session, user, by=by, now=now)
    user.active = False
    audit.record(session, "user.deactivated", user, by=by, now=now)


def reactivate(session: Session, user: User, *, by: User, now: datetime) -> None:
    """Open an ended account again. The old password is gone: the person needs a new link."""
    if user.active:
        raise NotAllowed("accounts.user.not_ended")
    user.active, user.password = True, None
    audit.record(session, "user.reactivated", user, by=by, now=now)


# Offices


def create_office(
    session: Session,
    *,
    name: str,
    area_code: str | None,
    time_zone: str,
    clock_profile: ClockProfile,
    by: Actor,
    now: datetime,
) -> Office:
    """A new office with a key of its own. Raises Invalid naming the field."""
    office = Office(key=DataKey.new(session))
    _describe_office(session, office, name=name, area_code=area_code, time_zone=time_zone)
    office.clock_profile = clock_profile
    session.add(office)
    audit.record(session, "office.created", office, by=by, now=now, area_code=area_code)
    return office


def change_office(
    session: Session,
    office: Office,
    *,
    name: str,
    area_code: str | None,
    time_zone: str,
    clock_profile: ClockProfile,
    by: Actor,
    now: datetime,
) -> None:
    """Say anew where an office is and how it works. Raises Invalid naming the field."""
    _describe_office(session, office, name=name, area_code=area_code, time_zone=time_zone)
    office.clock_profile = clock_profile
    audit.record(session, "office.changed", office, by=by, now=now, area_code=area_code)


# Demonstration


def refuse_demo(session: Session) -> None:
    """Raises NotAllowed when people of the demonstration can sign in here: their password is known."""
    if queries.demo_people(session):
        raise NotAllowed("accounts.demo.in_production")


# What the operations above share


def checked_email(email: str) -> str:
    """The address to sign in with that somebody typed. Raises Invalid for what is none."""
    try:
        found = validate_email(email.strip(), check_deliverability=False).normalized.lower()
    except EmailNotValidError:
        raise Invalid("accounts.email.bad", field="email") from None
    if len(found) > _LONGEST_EMAIL:
        raise Invalid("accounts.email.bad", field="email")
    return found


def _free_email(session: Session, email: str) -> str:
    found = checked_email(email)
    if queries.find_by_email(session, found):
        raise Invalid("accounts.email.taken", field="email")
    return found


def _name(name: str) -> str:
    name = " ".join(name.split())
    if not name:
        raise Invalid("accounts.name.missing", field="name")
    if len(name) > _LONGEST_NAME:
        raise Invalid("accounts.name.long", field="name", longest=_LONGEST_NAME)
    return name


def _describe(
    user: User,
    *,
    name: str,
    role: Role,
    office: Office | None,
    organization_id: UUID | None,
    language: str,
) -> None:
    in_office, in_agency = role in (Role.BROKER, Role.SUPERVISOR), role is Role.AGENCY
    if in_office and office is None:
        raise Invalid("accounts.office.missing", field="office")
    if in_agency and organization_id is None:
        raise Invalid("accounts.organization.missing", field="organization")
    if language not in LANGUAGES:
        raise Invalid("accounts.language.unknown", field="language")
    user.name, user.role, user.language = _name(name), role, language
    user.office = office if in_office else None
    user.organization_id = organization_id if in_agency else None


def _may_give(by: Actor, role: Role, office: Office | None) -> None:
    """A supervisor looks after the brokers of one office and nobody else."""
    if not isinstance(by, User) or by.role is Role.ADMINISTRATOR:
        return
    in_own_office = office is not None and office.id == by.office_id
    if by.role is not Role.SUPERVISOR or role is not Role.BROKER or not in_own_office:
        raise NotAllowed("accounts.user.not_yours")


def _describe_office(
    session: Session, office: Office, *, name: str, area_code: str | None, time_zone: str
) -> None:
    name = _name(name)
    twin = session.scalar(select(Office).where(Office.name == name, Office.id != office.id))
    if twin is not None:
        raise Invalid("accounts.office.taken", field="name")
    try:
        ZoneInfo(time_zone)
    except (ZoneInfoNotFoundError, ValueError):
        raise Invalid("accounts.office.zone", field="time_zone") from None
    office.name, office.area_code, office.time_zone = name, area_code, time_zone
