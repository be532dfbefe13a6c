"""The helper's own word: given, asked again after a year, taken back at any time; and the end. The caller commits."""

from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from referral.accounts.models import User
from referral.casework.cover import today_of
from referral.casework.models import Client, Method, OwnResource
from referral.casework.own import listing
from referral.casework.own.kinds import Ended
from referral.changes import audit
from referral.core.errors import Invalid, NotAllowed

#: what a helper is told before they answer; a change of the words is a new version
TEXT_VERSION = "2026-11"
#: A word given longer ago is asked again.
ASK_AGAIN_DAYS = 365
#: how a helper may answer for themselves
METHODS = (Method.SPOKEN, Method.WRITTEN, Method.THUMBPRINT)


def agree(
    resource: OwnResource, on: date | None, method: Method, *, by: User, now: datetime
) -> None:
    """Write down a helper's yes: to what, on which day, how, and to which words."""
    today = today_of(by, now)
    on = on or today
    if on > today:
        raise Invalid("casework.own.agreed_on", field="agreed_on")
    if method not in METHODS:
        raise Invalid("casework.own.method", field="method")
    resource.helper_agreed = True
    resource.agreed_on, resource.agreed_method = on, method.value
    resource.agreed_text = f"{resource.visibility}:{TEXT_VERSION}"


def consent(resource: OwnResource) -> dict[str, Any]:
    """What the audit chain keeps of a helper's yes, so that it can be proven later: nothing about who they are."""
    return {
        "agreed_on": resource.agreed_on,
        "method": resource.agreed_method,
        "text": resource.agreed_text,
        "publishes": listing.publishes(resource),
    }


def check_active(resource: OwnResource) -> None:
    """Raises NotAllowed where this help is over or its helper agrees no more."""
    if resource.ended_at is not None or not resource.helper_agreed:
        raise NotAllowed("casework.own.over")


def record(
    session: Session, resource: OwnResource, action: str, *, by: User, now: datetime, **codes: Any
) -> None:
    """Write down what was done with somebody's help, in codes."""
    audit.record(session, action, resource, by=by, now=now, client_id=resource.client_id, **codes)


def agree_again(
    session: Session, resource: OwnResource, *, method: Method, by: User, now: datetime
) -> None:
    """The helper was asked again and still wants to; also one who had taken their word back."""
    if resource.ended_at is not None:
        raise NotAllowed("casework.own.over")
    agree(resource, None, method, by=by, now=now)
    resource.details = {
        name: value for name, value in (resource.details or {}).items() if name != "withdrawn_on"
    }
    session.flush()
    record(session, resource, "own_resource.agreed", by=by, now=now, **consent(resource))


def withdraw(
    session: Session, resource: OwnResource, *, forget: bool = False, by: User, now: datetime
) -> None:
    """The helper wants to be asked no more: from now on in no match and no list, and the listing is closed.

    forget  name, phone and all words about them go too
    """
    if not resource.helper_agreed and not forget:
        raise NotAllowed("casework.own.over")
    listing.close(session, resource, by=by, now=now)
    resource.helper_agreed = False
    if forget:
        resource.name, resource.details = None, None
        resource.ended_at = resource.ended_at or now
    else:
        resource.details = (resource.details or {}) | {"withdrawn_on": now.date().isoformat()}
    session.flush()
    record(session, resource, "own_resource.withdrawn", by=by, now=now, forgotten=forget)


def end(
    session: Session,
    resource: OwnResource,
    *,
    because: Ended,
    note: str | None = None,
    by: User,
    now: datetime,
) -> None:
    """This help is over, and why. It can be taken up again as long as the helper agrees."""
    if resource.ended_at is not None:
        raise NotAllowed("casework.own.over")
    listing.close(session, resource, by=by, now=now)
    resource.ended_at = now
    ended = {"ended_because": because.value, "ended_note": note}
    resource.details = (resource.details or {}) | {k: v for k, v in ended.items() if v}
    session.flush()
    record(session, resource, "own_resource.ended", by=by, now=now, because=because.value)


def resume(session: Session, resource: OwnResource, *, by: User, now: datetime) -> None:
    """Take an end back. What was public is the office's again, until a curator is asked anew."""
    if resource.ended_at is None or not resource.helper_agreed:
        raise NotAllowed("casework.own.over")
    resource.ended_at = None
    kept = {"ended_because", "ended_note"}
    resource.details = {k: v for k, v in (resource.details or {}).items() if k not in kept}
    session.flush()
    record(session, resource, "own_resource.resumed", by=by, now=now)


def end_for_client(session: Session, client: Client, *, now: datetime) -> None:
    """Nobody is asked any more for somebody who is forgotten; who it was goes with their key."""
    for resource in session.scalars(
        select(OwnResource).where(
            OwnResource.client_id == client.id, OwnResource.ended_at.is_(None)
        )
    ):
        resource.ended_at, resource.helper_agreed = now, False


def ask_again_on(resource: OwnResource) -> date:
    """The day on which the helper is to be asked whether they still want to."""
    return (resource.agreed_on or resource.created_at.date()) + timedelta(days=ASK_AGAIN_DAYS)
