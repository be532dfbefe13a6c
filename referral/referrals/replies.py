"""Answers without an account: an agency's, by a link or a short code from the printed letter; a client's own word.

Both open the blind card and nothing else; who the client is never stands behind them. The client's own link
opens questions that name neither help nor service: somebody else may hold their phone. Opening one changes
nothing. The token stands in the query of an address, which access logs leave out.
"""

import re
import secrets
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from referral.accounts.models import User
from referral.changes import outbox
from referral.changes.mails import mail
from referral.core.crypto import new_token
from referral.core.errors import NotAllowed, NotFound
from referral.core.text import DEFAULT_LANGUAGE, Message
from referral.directory.models import AnswerMode
from referral.directory.upkeep.verification import AGENCY_BY_LINK
from referral.referrals import queries
from referral.referrals.feedback import CLIENT_BY_LINK, record_feedback
from referral.referrals.given import Given
from referral.referrals.kinds import Form
from referral.referrals.lifecycle import WAITING, Actor, Event, Status
from referral.referrals.models import Channel, Feedback, Referral, ReferralStep, ReplyLink
from referral.referrals.operations import take_step, works


class Purpose(StrEnum):
    """What a link is for."""

    #: the agency's yes, no or question
    ANSWER = "answer"
    #: what the client says came of it
    CLIENT = "client"


PATH = "/reply"
CLIENT_PATH = "/how-was-it"
LASTS = timedelta(days=90)
# Digits and letters a-f only: the keyed digest folds case.
TOKEN = re.compile("[0-9a-f]{64}")
#: Without those that look or sound alike.
CODE_LETTERS = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
CODE_LENGTH = 8
#: What can be said through a link, the weightiest first.
EVENTS = (Event.ACCEPT, Event.DECLINE, Event.ASK)


def way_to_answer(session: Session, referral: Referral, *, now: datetime) -> ReplyLink | None:
    """The link by which the agency may answer now; None where no answer is waited for, or none was made."""
    if not _awaits_an_answer(referral):
        return None
    return _open(session, referral, Purpose.ANSWER, now)


def way_for_the_client(session: Session, referral: Referral, *, now: datetime) -> ReplyLink | None:
    """The client's own link to say what came of it; None where it would not be safe, or was not made."""
    if not may_ask_the_client(session, referral):
        return None
    return _open(session, referral, Purpose.CLIENT, now)


def may_ask_the_client(session: Session, referral: Referral) -> bool:
    """Whether a link may be left with the client: it ended, they have not spoken, and a message is safe."""
    contact = referral.case.client.safe_contact or {}
    return (
        referral.status in (Status.COMPLETED, Status.FAILED, Status.REJECTED)
        and bool(contact.get("may_leave_text"))
        and not contact.get("through_worker_only")
        and not referral.case.protections
        and queries.feedback_of(session, referral.id) is None
    )


def issue(session: Session, referral: Referral, *, now: datetime) -> ReplyLink:
    """The agency's way to answer, made where there is none. Raises NotAllowed where no answer is waited for."""
    if not _awaits_an_answer(referral):
        raise NotAllowed("reply.not_waiting")
    return _open(session, referral, Purpose.ANSWER, now) or _made(
        session, referral, Purpose.ANSWER, now
    )


def issue_to_client(session: Session, referral: Referral, *, by: User, now: datetime) -> ReplyLink:
    """The client's own link, made where there is none. Raises NotAllowed where a message is not safe."""
    if not works(referral.case, by):
        raise NotFound("referral.none")
    if not may_ask_the_client(session, referral):
        raise NotAllowed("reply.not_safe")
    return _open(session, referral, Purpose.CLIENT, now) or _made(
        session, referral, Purpose.CLIENT, now
    )


def _awaits_an_answer(referral: Referral) -> bool:
    """Whether an agency is waited for; about somebody who was erased nobody waits."""
    return (
        referral.status in WAITING
        and referral.answer_mode is not AnswerMode.WALK_IN
        and referral.case.client.erased_at is None
    )


def _open(
    session: Session, referral: Referral, purpose: Purpose, now: datetime
) -> ReplyLink | None:
    return session.scalar(
        select(ReplyLink)
        .where(
            ReplyLink.referral_id == referral.id,
            ReplyLink.purpose == purpose,
            ReplyLink.used_at.is_(None),
            ReplyLink.expires_at > now,
        )
        .order_by(ReplyLink.made_at.desc(), ReplyLink.id.desc())
        .limit(1)
    )


def _made(session: Session, referral: Referral, purpose: Purpose, now: datetime) -> ReplyLink:
    token = new_token()
    code = "".join(secrets.choice(CODE_LETTERS) for _ in range(CODE_LENGTH))
    blind = session.info["keyring"].blind
    link = ReplyLink(
        key=referral.key,
        referral=referral,
        purpose=purpose,
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


def find(
    session: Session, said: str, *, purpose: Purpose = Purpose.ANSWER, now: datetime
) -> ReplyLink:
    """The link behind a token or a short code. Raises NotFound for what is wrong, old, or was answered."""
    way = way_to_answer if purpose is Purpose.ANSWER else way_for_the_client
    digest = session.info["keyring"].blind(said)
    link = session.scalar(
        select(ReplyLink).where(
            (ReplyLink.token_digest == digest) | (ReplyLink.code_digest == digest),
            ReplyLink.expires_at > now,
        )
    )
    if link is None or way(session, link.referral, now=now) is not link:
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


def answer_as_client(session: Session, link: ReplyLink, *, now: datetime, **said: Any) -> Feedback:
    """The client's own word. Harm they speak of goes its protected way.

    Raises what feedback.record_feedback raises.
    """
    given = record_feedback(
        session, link.referral, form=Form.WRITTEN, by=CLIENT_BY_LINK, now=now, **said
    )
    link.used_at = now
    session.flush()
    return given


def address(public_url: str, link: ReplyLink) -> str | None:
    """Where a link leads; None where this installation has no address that others reach."""
    path = PATH if link.purpose == Purpose.ANSWER else CLIENT_PATH
    return f"{public_url.rstrip('/')}{path}?key={link.token}" if public_url else None


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
    kind = "reminds" if reminds else "asks"
    key = f"referral.{kind}:{referral.id}"
    if outbox.is_written(session, key):
        return True
    link = issue(session, referral, now=now)
    told = {"service": referral.service.name, "number": referral.number}
    words = mail(
        Message(f"reply.mail.{kind}.subject", told),
        Message(f"reply.mail.{kind}.why", told | {"office": referral.case.office.name}),
        [(Message("reply.mail.link"), address(public_url, link) or "")],
        Message("reply.mail.after", {"until": link.expires_at.date()}),
        lang=lang,
    )
    outbox.write(session, key=key, to=to, **words, now=now)
    return True
