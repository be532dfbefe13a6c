"""Agencies that take their listing over: somebody says they work there, shows it, and a curator decides.

Who asks is told nothing that they did not bring: not whether an address is known, nor whether an account is.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from referral.accounts import operations as accounts
from referral.accounts import queries as users
from referral.accounts.models import User
from referral.accounts.operations import IssuedLink
from referral.accounts.permissions import Role
from referral.changes import audit
from referral.changes.actors import PUBLIC, Actor
from referral.core.errors import Invalid, NotAllowed, NotFound
from referral.core.paging import Page, page_of
from referral.core.text import DEFAULT_LANGUAGE, Message
from referral.directory import queries
from referral.directory.models import Organization
from referral.directory.upkeep import links
from referral.directory.upkeep.kinds import ClaimStatus, LinkPurpose, Proof
from referral.directory.upkeep.models import Claim, ListingLink

LONGEST_NAME, LONGEST_TEXT = 120, 1000
MOST_CLAIMS_A_DAY = 5
CODE_DIGITS, CODE_LASTS, MOST_ATTEMPTS = 8, timedelta(hours=24), 5
#: After its decision what a claim says about a person is kept this long.
KEPT_DAYS = 30
WRONG_CODE = Message("upkeep.claim.code_wrong")
OPEN = (ClaimStatus.WAITING, ClaimStatus.PROVEN)


@dataclass(frozen=True)
class _Curator:
    """A curator decides about an agency's account, which their own role alone may not."""

    id: UUID | None
    role: str = "curator"


def make(
    session: Session,
    service_id: UUID,
    *,
    name: str,
    email: str,
    message: str,
    proof: Proof,
    public_url: str,
    lang: str = DEFAULT_LANGUAGE,
    now: datetime,
) -> Claim:
    """Take up that somebody says they work for a listing's agency. Raises Invalid naming the field.

    Raises NotAllowed when too many did so today.
    """
    listing = queries.get(session, service_id)
    name, message = " ".join(name.split()), message.strip()
    if not name or len(name) > LONGEST_NAME:
        raise Invalid("upkeep.claim.name", field="name", most=LONGEST_NAME)
    email = accounts.checked_email(email)
    if len(message) > LONGEST_TEXT:
        raise Invalid("upkeep.too_long", field="message", most=LONGEST_TEXT)
    today = session.scalar(
        select(func.count()).where(
            Claim.service_id == service_id, Claim.made_at > now - timedelta(days=1)
        )
    )
    if (today or 0) >= MOST_CLAIMS_A_DAY:
        raise NotAllowed("upkeep.claim.too_many")
    claim = Claim(
        service_id=service_id,
        organization_id=listing.organization.id,
        name=name,
        email=email,
        message=message or None,
        proof=proof,
        status=ClaimStatus.WAITING,
        attempts=0,
        made_at=now,
    )
    session.add(claim)
    audit.record(session, "claim.made", claim, by=PUBLIC, now=now, proof=proof.value)
    if proof is Proof.MAIL:
        links.ask_for_claim(session, claim, public_url=public_url, lang=lang, now=now)
    return claim


def prove_by_link(session: Session, token: str, *, now: datetime) -> Claim:
    """Somebody at the listing's own address pressed the button. Raises NotFound for a link that is over."""
    link = links.take(session, token, LinkPurpose.CLAIM, now=now)
    claim = session.get(Claim, link.claim_id) if link.claim_id else None
    if claim is None or claim.status not in OPEN:
        raise NotFound("upkeep.link.gone")
    _proven(session, claim, now=now)
    return claim


def give_code(session: Session, claim: Claim, *, by: Actor, now: datetime) -> str:
    """A code for a curator to tell whoever answers the listing's registered number; an earlier one ends."""
    _must_be_open(claim)
    code = f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}}"
    claim.code_hash, claim.code_expires_at = _digest(session, claim, code), now + CODE_LASTS
    claim.attempts = 0
    audit.record(session, "claim.code_given", claim, by=by, now=now)
    session.flush()
    return code


def try_code(session: Session, claim: Claim, typed: str, *, now: datetime) -> bool:
    """Whether the code is the one told by phone; then the claim is proven. Each try counts: commit either way.

    A code that was never given, is over or was tried too often answers as a wrong one.
    """
    if claim.status is ClaimStatus.PROVEN:
        return True
    claim.attempts += 1
    usable = (
        claim.status is ClaimStatus.WAITING
        and claim.code_hash is not None
        and claim.code_expires_at is not None
        and now < claim.code_expires_at
        and claim.attempts <= MOST_ATTEMPTS
    )
    digits = "".join(letter for letter in typed if letter.isdigit())
    fits = secrets.compare_digest(claim.code_hash or b"", _digest(session, claim, digits))
    if usable and fits:
        _proven(session, claim, now=now)
    session.flush()
    return usable and fits


def approve(
    session: Session, claim: Claim, *, note: str, by: User, now: datetime
) -> IssuedLink | None:
    """Give the claimant an account for the agency, or the agency to the account they have.

    Gives the one-time link of an account without a password, to be handed over. A claim that was not proven
    needs a note: how the curator knows. Raises NotAllowed where the address signs in for something else.
    """
    _must_be_open(claim)
    note = _note(note)
    if claim.status is ClaimStatus.WAITING and not note:
        raise Invalid("upkeep.claim.how_known", field="note")
    curator = _Curator(by.id)
    user = users.find_by_email(session, claim.email)
    if user is None:
        user = accounts.invite(
            session,
            name=claim.name,
            email=claim.email,
            role=Role.AGENCY,
            organization_id=claim.organization_id,
            by=curator,
            now=now,
        )
        session.flush()
    else:
        accounts.give_organization(session, user, claim.organization_id, by=curator, now=now)
    issued = None if user.password else accounts.issue_link(session, user, by=curator, now=now)
    claim.user_id = user.id
    _decide(session, claim, ClaimStatus.APPROVED, note, by=by, now=now)
    return issued


def refuse(session: Session, claim: Claim, reason: str, *, by: User, now: datetime) -> None:
    """Turn a claim down; the claimant reads the reason on the page of their claim."""
    _must_be_open(claim)
    reason = _note(reason)
    if not reason:
        raise Invalid("upkeep.claim.reason", field="note")
    _decide(session, claim, ClaimStatus.REFUSED, reason, by=by, now=now)


def forget(session: Session, *, now: datetime) -> int:
    """Delete what decided claims say about people once KEPT_DAYS are over; gives how many."""
    old = select(Claim.id).where(Claim.decided_at < now - timedelta(days=KEPT_DAYS))
    ids = session.scalars(old).all()
    session.execute(delete(ListingLink).where(ListingLink.claim_id.in_(ids)))
    session.execute(delete(Claim).where(Claim.id.in_(ids)))
    return len(ids)


def get(session: Session, claim_id: UUID) -> Claim:
    """Raises NotFound."""
    claim = session.get(Claim, claim_id)
    if claim is None:
        raise NotFound("upkeep.claim.unknown")
    return claim


def open_claims(session: Session, *, page: int = 1) -> Page[Claim]:
    """Claims to decide, proven ones first, then the oldest."""
    query = (
        select(Claim)
        .where(Claim.status.in_(OPEN))
        .order_by(Claim.status != ClaimStatus.PROVEN, Claim.made_at, Claim.id)
    )
    return page_of(session, query, number=page)


def people_of(session: Session, organization_id: UUID) -> Sequence[User]:
    """Who signs in for an agency already."""
    query = select(User).where(User.organization_id == organization_id, User.active)
    return session.scalars(query.order_by(User.name, User.id)).all()


def account_of(session: Session, claim: Claim) -> tuple[User, str | None] | None:
    """The account that a claimant's address signs in to, and the agency it is for now."""
    user = users.find_by_email(session, claim.email)
    if user is None:
        return None
    organization = session.get(Organization, user.organization_id) if user.organization_id else None
    return user, organization.name if organization else None


def _proven(session: Session, claim: Claim, *, now: datetime) -> None:
    if claim.status is ClaimStatus.WAITING:
        claim.status, claim.proven_at = ClaimStatus.PROVEN, now
        claim.code_hash = claim.code_expires_at = None
        audit.record(session, "claim.proven", claim, by=PUBLIC, now=now)


def _decide(
    session: Session, claim: Claim, status: ClaimStatus, note: str, *, by: User, now: datetime
) -> None:
    claim.status, claim.decision_note = status, note or None
    claim.decided_by_id, claim.decided_at = by.id, now
    claim.code_hash = claim.code_expires_at = None
    audit.record(session, f"claim.{status.value}", claim, by=by, now=now)
    session.flush()


def _must_be_open(claim: Claim) -> None:
    if claim.status not in OPEN:
        raise NotAllowed("upkeep.claim.decided")


def _note(text: str) -> str:
    text = text.strip()
    if len(text) > LONGEST_TEXT:
        raise Invalid("upkeep.too_long", field="note", most=LONGEST_TEXT)
    return text


def _digest(session: Session, claim: Claim, code: str) -> bytes:
    digest: bytes = session.info["keyring"].blind(f"{claim.id} {code}")
    return digest
