"""What leaves the house: letters and events, written with the decision that makes them, sent later by a job.

Each is taken by one worker at a time, tried again after pauses, and at last given up; nothing is forgotten
before somebody says so. A worker that is cut off between sending and noting it leaves one that comes twice,
under the same id.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session, joinedload

from referral.changes import audit
from referral.changes.actors import Actor
from referral.changes.models import OutgoingEvent, OutgoingMail
from referral.core.errors import Invalid, NotAllowed, NotFound

#: How long after a failed try the next one comes, by number of tries; then it is given up.
PAUSES = (
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=3),
    timedelta(hours=12),
    timedelta(days=1),
)
#: A try that neither succeeded nor failed by then was cut off.
LONGEST_TRY = timedelta(minutes=5)

Outgoing = OutgoingMail | OutgoingEvent
Kind = TypeVar("Kind", OutgoingMail, OutgoingEvent)


class Why(StrEnum):
    """Why something is not sent any more, though it never left."""

    #: nobody reads there
    ADDRESS_GONE = "address_gone"
    #: they were told another way
    TOLD_OTHERWISE = "told_otherwise"
    #: what it says is no longer true
    OUTDATED = "outdated"
    MISTAKE = "mistake"


def write(
    session: Session,
    *,
    key: str,
    to: str,
    subject: str,
    text: str,
    html: str | None = None,
    now: datetime,
) -> OutgoingMail:
    """A letter that will leave once this transaction holds; the one that is there where `key` was used before.

    key   says what makes it this letter, as `verify:<service>:<day>`; it is never sent twice
    Never put personal data of a client into a letter.
    """
    written = session.scalar(select(OutgoingMail).where(OutgoingMail.key == key))
    if written is None:
        written = OutgoingMail(
            key=key,
            to=to,
            subject=subject,
            text=text,
            html=html,
            created_at=now,
            next_try_at=now,
            attempts=0,
        )
        session.add(written)
        session.flush()
    return written


def is_written(session: Session, key: str) -> bool:
    """Whether there is a letter of this key, gone or not: whoever looks first need not make its words."""
    return session.scalar(select(OutgoingMail.id).where(OutgoingMail.key == key)) is not None


def take(session: Session, *, now: datetime) -> OutgoingMail | None:
    """The next letter that is due, marked as being tried. Commit before sending, so that nobody else takes it."""
    return _take(session, OutgoingMail, now=now)


def take_event(
    session: Session, *, but: Collection[UUID] = (), now: datetime
) -> OutgoingEvent | None:
    """The same for events. `but`: webhooks that just failed, so that one that is down holds up no other."""
    return _take(session, OutgoingEvent, OutgoingEvent.webhook_id.not_in(but), now=now)


def _take(
    session: Session, kind: type[Kind], *which: ColumnElement[bool], now: datetime
) -> Kind | None:
    one: Kind | None = session.scalar(
        select(kind)
        .where(kind.next_try_at <= now, *which)
        .order_by(kind.next_try_at, kind.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    if one is not None:
        one.attempts += 1
        one.next_try_at = now + LONGEST_TRY
        session.flush()
    return one


def sent(session: Session, one: Outgoing, *, now: datetime) -> None:
    """Note that it left. A letter's words are forgotten: they may hold a link that opens something."""
    one.sent_at, one.next_try_at, one.given_up_at, one.last_error = now, None, None, None
    _forget_words(one)
    session.flush()


def failed(session: Session, one: Outgoing, kind: str, *, now: datetime) -> None:
    """Note that it did not leave: it is tried again later, or given up after the last pause.

    kind  of failure, never the other side's words
    """
    if one.sent_at is not None or one.dropped_because is not None:
        return  # meanwhile another worker sent it, or somebody dropped it
    one.last_error = kind
    if one.attempts > len(PAUSES):
        one.next_try_at, one.given_up_at = None, now
    else:
        one.next_try_at = now + PAUSES[one.attempts - 1]
    session.flush()


def resend(session: Session, one: Outgoing, *, by: Actor, now: datetime) -> None:
    """Try it again now, with all its tries before it.

    Raises NotAllowed where it left or was dropped, or may be under way at this moment.
    """
    if one.sent_at is not None or one.dropped_because is not None:
        raise NotAllowed("outbox.over")
    if one.next_try_at is not None and one.next_try_at <= now + LONGEST_TRY:
        raise NotAllowed("outbox.soon")
    one.next_try_at, one.given_up_at, one.attempts = now, None, 0
    audit.record(session, f"{one.__tablename__}.resent", one, by=by, now=now)


def drop(session: Session, one: Outgoing, why: str, *, by: Actor, now: datetime) -> None:
    """Never try it again. It stays known, so that no job writes it anew; its words are forgotten."""
    if why not in set(Why):
        raise Invalid("outbox.why", field="why", candidates=list(Why))
    if one.sent_at is not None or one.dropped_because is not None:
        raise NotAllowed("outbox.over")
    one.dropped_because, one.next_try_at = why, None
    _forget_words(one)
    audit.record(session, f"{one.__tablename__}.dropped", one, by=by, now=now, why=why)


def waiting(session: Session) -> int:
    """How many letters have not left and will be tried."""
    return session.scalar(select(func.count()).where(OutgoingMail.next_try_at.is_not(None))) or 0


def troubled(session: Session, *, limit: int = 100) -> Sequence[OutgoingMail]:
    """Letters that failed at least once and have not left, those given up first."""
    return session.scalars(
        select(OutgoingMail)
        .where(*_in_trouble(OutgoingMail))
        .order_by(OutgoingMail.given_up_at.is_(None), OutgoingMail.created_at, OutgoingMail.id)
        .limit(limit)
    ).all()


def troubled_events(session: Session, *, limit: int = 100) -> Sequence[OutgoingEvent]:
    """The same of events."""
    return session.scalars(
        select(OutgoingEvent)
        .where(*_in_trouble(OutgoingEvent))
        .options(joinedload(OutgoingEvent.webhook))
        .order_by(OutgoingEvent.given_up_at.is_(None), OutgoingEvent.created_at, OutgoingEvent.id)
        .limit(limit)
    ).all()


def count_troubled(session: Session) -> int:
    """How many letters and events are in trouble."""
    letters = select(func.count()).select_from(OutgoingMail).where(*_in_trouble(OutgoingMail))
    events = select(func.count()).select_from(OutgoingEvent).where(*_in_trouble(OutgoingEvent))
    return (session.scalar(letters) or 0) + (session.scalar(events) or 0)


def get(session: Session, key: str) -> Outgoing:
    """The letter of this key, or the event of this id. Raises NotFound."""
    letter = session.scalar(select(OutgoingMail).where(OutgoingMail.key == key))
    if letter is not None:
        return letter
    try:
        return get_by_id(session, UUID(key))
    except ValueError:
        raise NotFound("outbox.none", field="key") from None


def get_by_id(session: Session, outgoing_id: UUID) -> Outgoing:
    """The letter or event of this id. Raises NotFound."""
    letter, event = session.get(OutgoingMail, outgoing_id), session.get(OutgoingEvent, outgoing_id)
    found: Outgoing | None = letter or event
    if found is None:
        raise NotFound("outbox.none", field="key")
    return found


def _in_trouble(kind: type[Kind]) -> tuple[ColumnElement[bool], ...]:
    return (
        kind.sent_at.is_(None),
        kind.dropped_because.is_(None),
        or_(kind.given_up_at.is_not(None), kind.last_error.is_not(None)),
    )


def _forget_words(one: Outgoing) -> None:
    if isinstance(one, OutgoingMail):
        one.text, one.html = "", None
