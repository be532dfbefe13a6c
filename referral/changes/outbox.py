"""Letters that leave the house: written with the decision that makes them, sent later by a job."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from referral.changes.models import OutgoingMail

#: How long after a failed try the next one comes, by number of tries; then the letter is given up.
PAUSES = (
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=3),
    timedelta(hours=12),
    timedelta(days=1),
)
#: A try that neither succeeded nor failed by then was cut off.
LONGEST_TRY = timedelta(minutes=5)


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


def take(session: Session, *, now: datetime) -> OutgoingMail | None:
    """The next letter that is due, marked as being tried. Commit before sending, so that nobody else takes it."""
    letter = session.scalar(
        select(OutgoingMail)
        .where(OutgoingMail.next_try_at <= now)
        .order_by(OutgoingMail.next_try_at, OutgoingMail.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    if letter is not None:
        letter.attempts += 1
        letter.next_try_at = now + LONGEST_TRY
        session.flush()
    return letter


def sent(session: Session, letter: OutgoingMail, *, now: datetime) -> None:
    """Note that a letter left. Its words are forgotten: they may hold a link that opens something."""
    letter.sent_at, letter.next_try_at, letter.last_error = now, None, None
    letter.text, letter.html = "", None
    session.flush()


def failed(session: Session, letter: OutgoingMail, error: Exception, *, now: datetime) -> None:
    """Note that a letter did not leave: it is tried again later, or given up after the last pause."""
    letter.last_error = type(error).__name__
    if letter.attempts > len(PAUSES):
        letter.next_try_at, letter.given_up_at = None, now
    else:
        letter.next_try_at = now + PAUSES[letter.attempts - 1]
    session.flush()


def waiting(session: Session) -> int:
    """How many letters have not left and will be tried."""
    return session.scalar(select(func.count()).where(OutgoingMail.next_try_at.is_not(None))) or 0


def troubled(session: Session, *, limit: int = 100) -> Sequence[OutgoingMail]:
    """Letters that failed at least once and have not left, those given up first."""
    query = (
        select(OutgoingMail)
        .where(
            OutgoingMail.sent_at.is_(None),
            or_(OutgoingMail.given_up_at.is_not(None), OutgoingMail.last_error.is_not(None)),
        )
        .order_by(OutgoingMail.given_up_at.is_(None), OutgoingMail.created_at, OutgoingMail.id)
        .limit(limit)
    )
    return session.scalars(query).all()
