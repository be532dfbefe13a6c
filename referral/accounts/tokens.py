"""Tokens of other systems: what each signs its questions with. Of a token only a keyed digest is kept."""

import hmac
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from referral.accounts.models import ApiToken, Office, User
from referral.accounts.permissions import SCOPES, allows
from referral.changes import audit
from referral.changes.actors import Actor
from referral.core.crypto import new_token
from referral.core.errors import Invalid, NotAllowed, NotFound

#: how many days a token lasts at most, and when nothing is said
LONGEST_DAYS, DAYS = 730, 365
#: `last_used_at` is true to this: a system that asks all day writes once
GRAIN = timedelta(days=1)
_LONGEST_NAME = 120
_PREFIX = "jj_"
_FORM = re.compile(rf"{_PREFIX}[0-9a-f]{{64}}")
_SHOWN = len(_PREFIX) + 8


@dataclass(frozen=True)
class IssuedToken:
    """A token at the only moment when its text is known."""

    token: ApiToken
    text: str


@dataclass(frozen=True)
class System:
    """Another system that asks, known by its token. `zone` is its office's; None: of no office."""

    token_id: UUID
    scopes: frozenset[str]
    office_id: UUID | None
    organization_id: UUID | None
    zone: str | None
    last_used_at: datetime | None


def issue(
    session: Session,
    *,
    name: str,
    office_id: UUID | None,
    organization_id: UUID | None,
    scopes: Collection[str],
    days: int,
    by: User,
    now: datetime,
) -> IssuedToken:
    """A new token for a system of an office or of an agency. Raises Invalid naming the field."""
    if not allows(by, "token:manage"):
        raise NotAllowed("accounts.token.not_yours")
    name = " ".join(name.split())
    if not name:
        raise Invalid("accounts.token.name_missing", field="name")
    if len(name) > _LONGEST_NAME:
        raise Invalid("accounts.name.long", field="name", longest=_LONGEST_NAME)
    if (office_id is None) == (organization_id is None):
        raise Invalid("accounts.token.whose", field="office")
    if not scopes or not set(scopes) <= SCOPES:
        raise Invalid("accounts.token.scopes", field="scopes", candidates=sorted(SCOPES))
    if not 1 <= days <= LONGEST_DAYS:
        raise Invalid("accounts.token.days", field="days", longest=LONGEST_DAYS)
    text = _PREFIX + new_token()
    token = ApiToken(
        name=name,
        digest=_digest(session, text),
        begins=text[:_SHOWN],
        scopes=sorted(set(scopes)),
        office_id=office_id,
        organization_id=organization_id,
        created_at=now,
        created_by_id=by.id,
        expires_at=now + timedelta(days=days),
    )
    session.add(token)
    audit.record(session, "api_token.issued", token, by=by, now=now, scopes=token.scopes)
    return IssuedToken(token, text)


def revoke(session: Session, token: ApiToken, *, by: Actor, now: datetime) -> None:
    """End a token before its time; a second time does nothing."""
    if token.revoked_at is None:
        token.revoked_at = now
        audit.record(session, "api_token.revoked", token, by=by, now=now)


def find(session: Session, text: str, *, now: datetime) -> System | None:
    """The system that this token was given to; None for a token that is wrong, revoked or over.

    It is looked up by its keyed digest, so the time it takes tells nothing about other tokens.
    """
    if not _FORM.fullmatch(text):
        return None
    digest = _digest(session, text)
    row = session.execute(
        select(
            ApiToken.id,
            ApiToken.digest,
            ApiToken.scopes,
            ApiToken.office_id,
            ApiToken.organization_id,
            Office.time_zone,
            ApiToken.last_used_at,
            ApiToken.expires_at,
            ApiToken.revoked_at,
        )
        .outerjoin(Office, Office.id == ApiToken.office_id)
        .where(ApiToken.digest == digest)
    ).one_or_none()
    if row is None or not hmac.compare_digest(row.digest, digest):
        return None
    if row.revoked_at is not None or row.expires_at <= now:
        return None
    return System(
        row.id,
        frozenset(row.scopes),
        row.office_id,
        row.organization_id,
        row.time_zone,
        row.last_used_at,
    )


def is_use_noted(system: System, *, now: datetime) -> bool:
    """Whether `last_used_at` is true enough, so that nothing needs to be written."""
    return system.last_used_at is not None and now - system.last_used_at < GRAIN


def note_use(session: Session, system: System, *, now: datetime) -> None:
    """Keep when a token was last used."""
    used = update(ApiToken).where(ApiToken.id == system.token_id).values(last_used_at=now)
    session.execute(used)


def state_of(token: ApiToken, *, now: datetime) -> str:
    """`active`, `expired` or `revoked`."""
    if token.revoked_at is not None:
        return "revoked"
    return "expired" if token.expires_at <= now else "active"


def issued(session: Session) -> Sequence[ApiToken]:
    """Every token, newest first, those that are over too."""
    return session.scalars(
        select(ApiToken).order_by(ApiToken.created_at.desc(), ApiToken.id.desc())
    ).all()


def get(session: Session, token_id: UUID) -> ApiToken:
    """Raises NotFound."""
    token = session.get(ApiToken, token_id)
    if token is None:
        raise NotFound("accounts.token.not_found")
    return token


def get_beginning(session: Session, begins: str) -> ApiToken:
    """The token that begins so, as lists show it. Raises NotFound."""
    found = session.scalars(select(ApiToken).where(ApiToken.begins == begins)).all()
    if len(found) != 1:
        raise NotFound("accounts.token.not_found", field="token")
    return found[0]


def _digest(session: Session, text: str) -> bytes:
    digest: bytes = session.info["keyring"].blind(text)
    return digest
