"""Answers of an agency that has no account: by a link, or by a short code from the printed letter.

Both open the blind card and nothing else; who the client is never stands behind them. Opening one changes
nothing. The token stands in the query of an address, which access logs leave out.
"""

import secrets
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from referral.changes import outbox
from referral.core.errors import NotAllowed, NotFound
from referral.core.text import DEFAULT_LANGUAGE, Message
from referral.directory.models import AnswerMode
from referral.directory.upkeep.letters import letter
from referral.directory.upkeep.verification import AGENCY_BY_LINK
from referral.referrals.given import Given
from referral.referrals.lifecycle import WAITING, Actor, Event
from referral.referrals.models import Channel, Referral, ReferralStep, ReplyLink
from referral.referrals.operations import take_step


class Purpose(StrEnum):
    """What a link is for."""

    #: the agency's yes, no or question
    ANSWER = "answer"


PATH = "/reply"
LASTS = timedelta(days=90)
#: Without those that look or sound alike.
CODE_LETTERS = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
CODE_LENGTH = 8
#: What can be said through a link, the weightiest first.
EVENTS = (Event.ACCEPT, Event.DECLINE, Event.ASK)


def way_to_answer(session: Session, referral: Referral, *, now: datetime) -> ReplyLink | None:
    """The link by which the agency may answer now; None where no answer is waited for, or none was made."""
    if referral.status not in WAITING or referral.answer_mode is AnswerMode.WALK_IN:
        return None
    return session.scalar(
        select(ReplyLink)
        .where(
            ReplyLink.referral_id == referral.id,
            ReplyLink.purpose == Purpose.ANSWER,
            ReplyLink.used_at.is_(None),
            ReplyLink.expires_at > now,
        )
        .order_by(ReplyLink.made_at.desc(), ReplyLink.id.desc())
        .limit(1)
    )


def issue(session: Session, referral: Referral, *, now: datetime) -> ReplyLink:
    """The way to answer, made where there is none. Raises NotAllowed where no answer is waited for."""
    if referral.status not in WAITING or referral.answer_mode is AnswerMode.WALK_IN:
        raise NotAllowed("reply.not_waiting")
    known = way_to_answer(session, referral, now=now)
    if known is not None:
        return known
    # Digits and letters a-f only: the keyed digest folds case.
    token = secrets.token_hex(32)
    code = "".join(secrets.choice(CODE_LETTERS) for _ in range(CODE_LENGTH))
    blind = session.info["keyring"].blind
    link = ReplyLink(
        key=referral.key,
        referral=referral,
        purpose=Purpose.ANSWER,
        token_digest=blind(token),
        code_digest=blind(code),
        made_at=now,
        expires_at=now + LASTS,
        token=token,
        code=f"{code[:4]}-{code[4:]}",
    )
    session.add(link)
    session.flush()
    return link


def find(session: Session, said: str, *, now: datetime) -> ReplyLink:
    """The link behind a token or a short code. Raises NotFound for what is wrong, old, or was answered."""
    digest = session.info["keyring"].blind(said)
    link = session.scalar(
        select(ReplyLink).where(
            (ReplyLink.token_digest == digest) | (ReplyLink.code_digest == digest),
            ReplyLink.expires_at > now,
        )
    )
    if link is None or way_to_answer(session, link.referral, now=now) is not link:
        raise NotFound("reply.gone")
    return link


def answer(
    session: Session, link: ReplyLink, event: Event, given: Given, *, version: int, now: datetime
) -> ReferralStep:
    """The agency's word through a link. A question leaves it open; a decision uses it up.

    Raises what operations.take_step raises.
    """
    if event not in EVENTS:
        raise NotFound("reply.gone")
    step = take_step(
        session,
        link.referral,
        event,
        actor=Actor.AGENCY,
        by=AGENCY_BY_LINK,
        channel=Channel.LINK,
        given=given,
        version=version,
        now=now,
    )
    if event is not Event.ASK:
        link.used_at = now
    session.flush()
    return step


def address(public_url: str, link: ReplyLink) -> str | None:
    """Where a link leads; None where this installation has no address that others reach."""
    return f"{public_url.rstrip('/')}{PATH}?key={link.token}" if public_url else None


def mail_address(referral: Referral) -> str | None:
    """Where the agency gets its mail: the service's own address, else the organization's."""
    return referral.service.email or referral.service.organization.email


def ask_by_mail(
    session: Session,
    referral: Referral,
    *,
    public_url: str,
    reminds: bool = False,
    lang: str = DEFAULT_LANGUAGE,
    now: datetime,
) -> bool:
    """Write to the agency that a referral waits, with the link to answer; gives whether there was a way to.

    Asked once, reminded once, however often this is called. The mail names service, office and number, no person.
    """
    to = mail_address(referral)
    if to is None or not public_url:
        return False
    link = issue(session, referral, now=now)
    kind = "reminds" if reminds else "asks"
    told = {"service": referral.service.name, "number": referral.number}
    words = letter(
        Message(f"reply.mail.{kind}.subject", told),
        Message(f"reply.mail.{kind}.why", told | {"office": referral.case.office.name}),
        [(Message("reply.mail.link"), address(public_url, link) or "")],
        Message("reply.mail.after", {"until": link.expires_at.date()}),
        lang=lang,
    )
    outbox.write(session, key=f"referral.{kind}:{referral.id}", to=to, **words, now=now)
    return True
