"""Where other systems want to hear of events, and the events on their way there. Never personal data in one."""

import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from referral.changes import audit
from referral.changes.actors import Actor
from referral.changes.models import OutgoingEvent, Webhook
from referral.core.errors import Invalid, NotAllowed, NotFound
from referral.core.sealing import DataKey

SIGNATURE = "Jejaring-Signature"
LONGEST_ADDRESS = 500
_PREFIX = "jjw_"
_AT_HOME = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class IssuedWebhook:
    """A webhook at the only moment when its secret is shown."""

    webhook: Webhook
    secret: str


@dataclass(frozen=True)
class Stand:
    """How a webhook does: events on their way, when one arrived last, and why the last failure failed."""

    waiting: int
    heard_at: datetime | None
    last_error: str | None


def register(
    session: Session,
    *,
    organization_id: UUID,
    address: str,
    may_be_plain: bool = False,
    by: Actor,
    now: datetime,
) -> IssuedWebhook:
    """A new webhook for what is sent to an organization. Raises Invalid naming the field.

    may_be_plain   http to this machine itself is allowed: for development only
    """
    _check_address(address, may_be_plain=may_be_plain)
    known = select(Webhook.id).where(
        Webhook.organization_id == organization_id,
        Webhook.address == address,
        Webhook.stopped_at.is_(None),
    )
    if session.scalar(known) is not None:
        raise Invalid("webhook.twice", field="address")
    secret = _PREFIX + secrets.token_hex(32)
    webhook = Webhook(
        key=DataKey.new(session),
        organization_id=organization_id,
        address=address,
        made_at=now,
        made_by_id=by.id,
        secret=secret,
    )
    session.add(webhook)
    audit.record(
        session, "webhook.registered", webhook, by=by, now=now, organization=str(organization_id)
    )
    return IssuedWebhook(webhook, secret)


def stop(session: Session, webhook: Webhook, *, by: Actor, now: datetime) -> None:
    """Nothing is sent there any more, nor what is on its way; its secret is destroyed."""
    if webhook.stopped_at is not None:
        raise NotAllowed("webhook.stopped")
    webhook.stopped_at = now
    session.execute(
        delete(OutgoingEvent).where(
            OutgoingEvent.webhook_id == webhook.id, OutgoingEvent.sent_at.is_(None)
        )
    )
    webhook.key.destroy(now=now)
    audit.record(session, "webhook.stopped", webhook, by=by, now=now)


def all_of(session: Session) -> Sequence[Webhook]:
    """Every webhook, newest first, those that were stopped too."""
    return session.scalars(
        select(Webhook).order_by(Webhook.made_at.desc(), Webhook.id.desc())
    ).all()


def get(session: Session, webhook_id: UUID) -> Webhook:
    """Raises NotFound."""
    webhook = session.get(Webhook, webhook_id)
    if webhook is None:
        raise NotFound("webhook.none")
    return webhook


def stand_of(session: Session, webhook: Webhook) -> Stand:
    """How a webhook does."""
    events = select(OutgoingEvent).where(OutgoingEvent.webhook_id == webhook.id)
    count = select(func.count()).select_from(
        events.where(OutgoingEvent.next_try_at.is_not(None)).subquery()
    )
    failed = session.scalar(
        events.where(OutgoingEvent.last_error.is_not(None))
        .order_by(OutgoingEvent.created_at.desc(), OutgoingEvent.id.desc())
        .limit(1)
    )
    heard = select(func.max(OutgoingEvent.sent_at)).where(OutgoingEvent.webhook_id == webhook.id)
    return Stand(
        session.scalar(count) or 0, session.scalar(heard), failed.last_error if failed else None
    )


def announce(
    session: Session, organization_id: UUID, *, key: str, body: Mapping[str, Any], now: datetime
) -> int:
    """Write an event for every webhook of an organization, once for each `key`; gives how many there are.

    body   ids, codes and times only
    """
    live = select(Webhook.id).where(
        Webhook.organization_id == organization_id, Webhook.stopped_at.is_(None)
    )
    webhook_ids = session.scalars(live).all()
    for webhook_id in webhook_ids:
        written = select(OutgoingEvent.id).where(
            OutgoingEvent.webhook_id == webhook_id, OutgoingEvent.key == key
        )
        if session.scalar(written) is None:
            session.add(
                OutgoingEvent(
                    webhook_id=webhook_id,
                    key=key,
                    body=dict(body),
                    created_at=now,
                    next_try_at=now,
                    attempts=0,
                )
            )
    session.flush()
    return len(webhook_ids)


def written_out(body: Mapping[str, Any]) -> bytes:
    """The bytes of an event: what is sent and what is signed, the same on every try."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()


def signature(secret: str, body: bytes, *, at: datetime) -> str:
    """What stands in the header: when it was signed, and HMAC-SHA256 of that second, a dot, and the body."""
    second = int(at.timestamp())
    signed = hmac.new(secret.encode(), f"{second}.".encode() + body, hashlib.sha256)
    return f"t={second},v1={signed.hexdigest()}"


def _check_address(address: str, *, may_be_plain: bool) -> None:
    try:
        parts = urlsplit(address)
        host, _port = parts.hostname, parts.port
    except ValueError:
        raise Invalid("webhook.address", field="address") from None
    # A request line or a header must hold nothing but the address.
    if not host or not address.isascii() or not address.isprintable() or " " in address:
        raise Invalid("webhook.address", field="address")
    if len(address) > LONGEST_ADDRESS:
        raise Invalid("webhook.address_long", field="address", longest=LONGEST_ADDRESS)
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise Invalid("webhook.address_parts", field="address")
    plain = parts.scheme == "http" and may_be_plain and host in _AT_HOME
    if parts.scheme != "https" and not plain:
        raise Invalid("webhook.https", field="address")
