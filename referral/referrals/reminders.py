"""What is said to agencies because time passes: a reminder of what is urgent, and one letter a week for the rest.

Found anew each time from the clocks; what was said once is known by its key, so that a job may run twice,
late, or on several machines.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from hashlib import sha256
from typing import Any, cast
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session

from referral.casework.models import Urgency
from referral.changes import outbox
from referral.changes.mails import mail
from referral.core.country import COUNTRY
from referral.core.text import DEFAULT_LANGUAGE, Message
from referral.directory.models import AnswerMode, Organization, Service
from referral.referrals import queries, replies
from referral.referrals.lifecycle import WAITING
from referral.referrals.models import Referral

#: When the week's letter is written: Monday morning.
DIGEST_AT = time(7)
#: More do not stand in one letter; the inbox has them all.
MOST_IN_A_LETTER = 20
#: What an answer takes, beside the telephone.
MINUTES_FOR_AN_ANSWER = 3


@dataclass(frozen=True)
class Burden:
    """How often an agency was asked, and about how long answering took."""

    asks: int

    @property
    def minutes(self) -> int:
        return self.asks * MINUTES_FOR_AN_ANSWER


def remind(
    session: Session, *, public_url: str, lang: str = DEFAULT_LANGUAGE, now: datetime
) -> int:
    """Remind the agency of each urgent referral whose time is half over; gives how many could be reminded."""
    reminded = 0
    for referral in _unanswered(session, Referral.priority != Urgency.ROUTINE):
        clock = queries.clock(referral)
        if clock.remind_at is None or clock.is_paused or now < clock.remind_at:
            continue
        reminded += replies.ask_by_mail(
            session, referral, public_url=public_url, reminds=True, lang=lang, now=now
        )
    return reminded


def write_digests(
    session: Session, *, public_url: str, lang: str = DEFAULT_LANGUAGE, now: datetime
) -> int:
    """This week's letter to each mailbox of an agency with something unanswered from before it; gives how many were due."""
    since = week_begins(now)
    if not public_url or now < since:
        return 0
    old = Referral.requested_at < since
    mailbox = func.coalesce(func.nullif(Service.email, ""), Organization.email)
    pairs = cast("Select[Any]", select(Referral.organization_id, mailbox))
    asked = (
        _waiting(pairs, old, mailbox.is_not(None))
        .join(Service, Service.id == Referral.service_id)
        .join(Organization, Organization.id == Service.organization_id)
        .distinct()
        .order_by(Referral.organization_id, mailbox)
    )
    due = 0
    for organization_id, to in session.execute(asked).all():
        key = f"referral.digest:{organization_id}:{_short(to)}:{since.date().isoformat()}"
        due += 1
        if outbox.is_written(session, key):
            continue
        # A service with a mailbox of its own hears of its own referrals alone.
        referrals = [
            one
            for one in _unanswered(session, old, Referral.organization_id == organization_id)
            if replies.mail_address(one) == to
        ]
        _digest(session, key, to, referrals, public_url, lang, now)
    return due


def week_begins(now: datetime) -> datetime:
    """Monday morning of the week, in the country's zone."""
    zone = ZoneInfo(COUNTRY.time_zone)
    today = now.astimezone(zone).date()
    return datetime.combine(today - timedelta(days=today.weekday()), DIGEST_AT, zone)


def asked_lately(session: Session, organization_id: UUID, *, now: datetime) -> Burden:
    """What an agency was asked within the last 30 days, by everybody."""
    sent = session.scalar(
        select(func.count()).where(
            Referral.organization_id == organization_id,
            Referral.answer_mode != AnswerMode.WALK_IN,
            Referral.requested_at > now - timedelta(days=30),
        )
    )
    return Burden(sent or 0)


def _unanswered(session: Session, *which: ColumnElement[bool]) -> Sequence[Referral]:
    """Referrals that wait for an agency's answer, oldest first."""
    waiting = _waiting(queries.loaded(select(Referral)), *which)
    return session.scalars(waiting.order_by(Referral.requested_at, Referral.id)).all()


def _waiting(query: Select[Any], *which: ColumnElement[bool]) -> Select[Any]:
    return query.where(
        Referral.status.in_(WAITING),
        Referral.answer_mode == AnswerMode.REPLIES,
        queries.of_the_known(),
        *which,
    )


def _short(address: str) -> str:
    """Tells mailboxes apart in a key without naming them."""
    return sha256(address.encode()).hexdigest()[:12]


def _digest(
    session: Session,
    key: str,
    to: str,
    referrals: Sequence[Referral],
    public_url: str,
    lang: str,
    now: datetime,
) -> None:
    links = []
    for referral in referrals[:MOST_IN_A_LETTER]:
        due_at = queries.clock(referral).decide_by
        told: dict[str, Any] = {"number": referral.number, "service": referral.service.name}
        words = Message("reply.digest.one", told)
        if due_at is not None:
            words = Message("reply.digest.one_due", told | {"due": due_at.date()})
        link = replies.issue(session, referral, now=now)
        links.append((words, replies.address(public_url, link) or ""))
    burden = {"count": len(referrals), "minutes": len(referrals) * MINUTES_FOR_AN_ANSWER}
    written = mail(
        Message("reply.digest.subject", burden),
        Message("reply.digest.why", burden),
        links,
        Message("reply.digest.after"),
        lang=lang,
    )
    outbox.write(session, key=key, to=to, **written, now=now)
