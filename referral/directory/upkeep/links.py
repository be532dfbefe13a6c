"""Ways into one listing without an account: a link by mail to the address the listing itself gives.

A link is random, kept as a keyed digest alone, for one purpose, for a while, for one use. It stands in
the query of an address, which access logs leave out, and opening it changes nothing.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from referral.changes import outbox
from referral.changes.mails import mail
from referral.core.crypto import new_token
from referral.core.errors import NotAllowed, NotFound
from referral.core.text import DEFAULT_LANGUAGE, Message
from referral.directory import queries
from referral.directory.upkeep import checking
from referral.directory.upkeep.kinds import LinkPurpose
from referral.directory.upkeep.models import Claim, ListingLink

PATH = "/listing-links"
LASTS_DAYS = 30
_CHECKS = (LinkPurpose.STILL_TRUE, LinkPurpose.FIX, LinkPurpose.CLOSED)


def issue(
    session: Session,
    service_id: UUID,
    purpose: LinkPurpose,
    *,
    claim: Claim | None = None,
    now: datetime,
) -> str:
    """The token of a new link, known only now."""
    token = new_token()
    session.add(
        ListingLink(
            service_id=service_id,
            purpose=purpose,
            claim_id=claim.id if claim else None,
            token_hash=_digest(session, token),
            made_at=now,
            expires_at=now + timedelta(days=LASTS_DAYS),
        )
    )
    session.flush()
    return token


def find(
    session: Session, token: str, purpose: LinkPurpose, *, now: datetime
) -> ListingLink | None:
    """The link behind a token, if it is for this purpose and can still be used."""
    return session.scalar(
        select(ListingLink).where(
            ListingLink.token_hash == _digest(session, token),
            ListingLink.purpose == purpose,
            ListingLink.used_at.is_(None),
            ListingLink.expires_at > now,
        )
    )


def take(session: Session, token: str, purpose: LinkPurpose, *, now: datetime) -> ListingLink:
    """Use a link up. Raises NotFound for one that is used, old, wrong or for something else."""
    link = find(session, token, purpose, now=now)
    if link is None:
        raise NotFound("upkeep.link.gone")
    link.used_at = now
    session.flush()
    return link


def address(public_url: str, purpose: LinkPurpose, token: str) -> str:
    """Where a link leads."""
    return f"{public_url.rstrip('/')}{PATH}/{purpose.value.replace('_', '-')}?key={token}"


def ask_to_verify(
    session: Session,
    *,
    public_url: str,
    limit: int,
    lang: str = DEFAULT_LANGUAGE,
    now: datetime,
) -> Sequence[UUID]:
    """Write to the agencies of the listings that most need a check; gives the listings asked about.

    Nobody is asked about one listing twice in checking.ASK_AGAIN_DAYS, and no address gets more than
    checking.MOST_LETTERS in checking.BURDEN_DAYS. Raises NotAllowed where links would lead nowhere.
    """
    _needs(public_url)
    wanted = checking.to_ask_by_mail(session, limit=limit, now=now)
    for service_id, to in wanted:
        _ask(session, service_id, to, public_url=public_url, lang=lang, now=now)
    return [service_id for service_id, _to in wanted]


def ask_about(
    session: Session,
    service_id: UUID,
    *,
    public_url: str,
    lang: str = DEFAULT_LANGUAGE,
    now: datetime,
) -> None:
    """Write to the agency of one listing. Raises NotAllowed where it has no address or was asked lately."""
    _needs(public_url)
    wanted = checking.to_ask_by_mail(session, limit=1, now=now, service_id=service_id)
    if not wanted:
        raise NotAllowed("upkeep.mail.not_now")
    _ask(session, *wanted[0], public_url=public_url, lang=lang, now=now)


def ask_for_claim(
    session: Session, claim: Claim, *, public_url: str, lang: str, now: datetime
) -> None:
    """Write to a listing's own address that somebody wants to keep it; nothing says who.

    Without an address, or after MOST_LETTERS to it, nothing is written and nobody is told so.
    """
    to = checking.address_of(session, claim.service_id)
    if not public_url or to is None or not checking.may_write_to(session, to, now=now):
        return
    token = issue(session, claim.service_id, LinkPurpose.CLAIM, claim=claim, now=now)
    service = queries.get(session, claim.service_id).service
    about = {"name": service.name, "listing": _page(public_url, claim.service_id)}
    made = mail(
        Message("upkeep.letter.claim.subject", about),
        Message("upkeep.letter.claim.why", about),
        [(Message("upkeep.letter.claim.link"), address(public_url, LinkPurpose.CLAIM, token))],
        Message("upkeep.letter.claim.after", {"until": _last_day(now)}),
        lang=lang,
    )
    outbox.write(session, key=f"claim:{claim.id}", to=to, now=now, **made)


def _ask(
    session: Session, service_id: UUID, to: str, *, public_url: str, lang: str, now: datetime
) -> None:
    service = queries.get(session, service_id).service
    links = [
        (
            Message(f"upkeep.letter.verify.{purpose}"),
            address(public_url, purpose, issue(session, service_id, purpose, now=now)),
        )
        for purpose in _CHECKS
    ]
    about = {"name": service.name, "listing": _page(public_url, service_id)}
    made = mail(
        Message("upkeep.letter.verify.subject", about),
        Message("upkeep.letter.verify.why", about),
        links,
        Message("upkeep.letter.verify.after", {"until": _last_day(now)}),
        lang=lang,
    )
    outbox.write(session, key=f"verify:{service_id}:{now:%Y-%m-%d}", to=to, now=now, **made)


def _needs(public_url: str) -> None:
    if not public_url:
        raise NotAllowed("upkeep.mail.no_public_url")


def _page(public_url: str, service_id: UUID) -> str:
    return f"{public_url.rstrip('/')}/services/{service_id}"


def _last_day(now: datetime) -> date:
    return (now + timedelta(days=LASTS_DAYS)).date()


def _digest(session: Session, token: str) -> bytes:
    digest: bytes = session.info["keyring"].blind(token)
    return digest
