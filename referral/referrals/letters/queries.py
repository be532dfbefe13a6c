"""Reads what a letter may say, and how far letters are on their way. Who may ask is the caller's to know."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session, contains_eager, joinedload

from referral.accounts.models import User
from referral.casework.models import Case, Purpose
from referral.casework.queries import bases_of, basis_for, excluded_organizations
from referral.core.errors import NotAllowed, NotFound
from referral.directory import words
from referral.directory.models import AnswerMode, Organization, Service
from referral.directory.reference import taxonomy
from referral.places.codes import no_finer_than_regency
from referral.places.names import base_name
from referral.places.queries import gazetteer
from referral.referrals import queries as referrals
from referral.referrals.cards import RELEASABLE
from referral.referrals.letters.letter import (
    Blind,
    LetterFacts,
    Letterhead,
    Released,
    Signatory,
    about_view,
)
from referral.referrals.letters.models import Letter
from referral.referrals.letters.states import LETTER_ENDS, LetterState
from referral.referrals.lifecycle import Event, Status
from referral.referrals.models import Referral


def letter_facts(
    session: Session,
    referral: Referral,
    lang: str,
    *,
    letter: Letter | None,
    now: datetime,
    reply_url: str | None = None,
    short_code: str | None = None,
) -> LetterFacts:
    """What the letter of a referral may say now; without a kept `letter` number and day are left to the hand.

    Raises NotAllowed for a draft, and once the referral ended without help or the basis holds no more.
    """
    if referral.status is Status.DRAFT:
        raise NotAllowed("referral.letter_early")
    about = _about(session, referral, lang, now)
    office, service = referral.case.office, referral.service
    head = office.letterhead or {}
    return LetterFacts(
        office=Letterhead(
            office.name,
            head.get("parent"),
            head.get("address"),
            head.get("phone"),
            head.get("email"),
            _seat(session, office.area_code),
        ),
        signatory=signatory_of(referral, letter),
        referral_number=referral.number,
        number=letter.number if letter else None,
        on=letter.signed_on if letter else None,
        organization=service.organization.name,
        service=service.name,
        mode=referral.answer_mode,
        priority=referral.priority.value,
        about=about,
        accepted=referrals.was_accepted(referral),
        worker=referral.case.broker.name,
        seat=_seat_of(session, referral),
        attachments=letter.attachments if letter else 0,
        copies=[one.name for one in _copies(session, referral, letter, about, now)],
        declines=[
            reason.name_id if lang == "id" else reason.name_en
            for reason in referrals.reason_codes(session, "decline")
        ],
        reply_url=reply_url,
        short_code=short_code,
    )


def signatory_of(referral: Referral, letter: Letter | None) -> Signatory:
    """Who signed, else who signs for the office; an office that names nobody is signed for by the worker."""
    if letter is not None and letter.signatory_name:
        return Signatory(letter.signatory_name, letter.signatory_title, letter.signatory_nip)
    head = referral.case.office.letterhead or {}
    if not head.get("signatory_name"):
        return Signatory(referral.case.broker.name)
    return Signatory(head["signatory_name"], head.get("signatory_title"), head.get("signatory_nip"))


def _about(session: Session, referral: Referral, lang: str, now: datetime) -> Released | Blind:
    basis = basis_for(
        session,
        referral.client_id,
        purpose=Purpose.REFERRAL,
        organization_id=referral.organization_id,
        now=now,
    )
    facts = referral.released or {}
    need = taxonomy().get(facts["need"]).name[lang] if "need" in facts else None
    card = referral.blind_card
    area = words.place_name(gazetteer(session), card.get("area_code")) or None
    about = about_view(
        referrals.agency_view(session, referral, now=now),
        Released(facts, need),
        Blind(card.get("criteria", {}), card.get("age_band"), area),
        carried=referral.answer_mode is AnswerMode.WALK_IN,
    )
    if about is None or basis is None:
        raise NotAllowed("letter.ended")
    return about


def _seat(session: Session, code: str | None) -> str | None:
    """What a letter's day is written with: "Semarang" for an office of Kota Semarang."""
    places = gazetteer(session)
    return base_name(places.get(code).name) if code and code in places else None


def _seat_of(session: Session, referral: Referral) -> str | None:
    location = referral.site.location if referral.site else None
    if location is None or location.confidential:
        return None
    return _seat(session, no_finer_than_regency(location.area_code or None))


def _copies(
    session: Session,
    referral: Referral,
    letter: Letter | None,
    about: Released | Blind,
    now: datetime,
) -> list[Organization]:
    """Of those chosen for a copy, whom the client still lets have all of it."""
    chosen = set(letter.copies) if letter else set()
    found = copies_for(session, referral, about, now=now) if chosen else []
    return [one for one in found if str(one.id) in chosen]


def copies_for(
    session: Session, referral: Referral, about: Released | Blind, *, now: datetime
) -> list[Organization]:
    """Who may get a copy: other organizations whose own basis covers all that the letter tells, by name."""
    told = set(about.facts) & set(RELEASABLE) if isinstance(about, Released) else set()
    kept_out = excluded_organizations(session, referral.case_id)
    asked = {basis.organization_id for basis in bases_of(session, referral.client_id)}
    found = []
    for organization_id in asked - {None, referral.organization_id} - kept_out:
        basis = basis_for(
            session,
            referral.client_id,
            purpose=Purpose.REFERRAL,
            organization_id=organization_id,
            now=now,
        )
        if basis is not None and told <= set(basis.fields):
            found.append(session.get_one(Organization, organization_id))
    return sorted(found, key=lambda one: (one.name, one.id))


# Letters on their way ----------------------------------------------------------------------------


def of_referral(session: Session, referral_id: UUID) -> Sequence[Letter]:
    """Every letter made of a referral, newest first."""
    return session.scalars(
        select(Letter)
        .where(Letter.referral_id == referral_id)
        .order_by(Letter.made_at.desc(), Letter.id.desc())
    ).all()


def current(session: Session, referral: Referral) -> Letter | None:
    """The letter that is printed now: the newest that is not void and says what a letter may say today.

    Once an agency accepted, a letter made before tells too little; who carries one to a walk-in service
    carries the same before and after.
    """
    accepted = [step.at for step in referral.steps if step.event is Event.ACCEPT]
    for letter in of_referral(session, referral.id):
        if letter.state is LetterState.VOID:
            continue
        is_old = accepted and letter.made_at < accepted[0]
        if referral.answer_mode is not AnswerMode.WALK_IN and is_old:
            return None
        return letter
    return None


def may_make(session: Session, referral: Referral) -> bool:
    """Whether no letter of the referral is still on its way."""
    return all(letter.state in LETTER_ENDS for letter in of_referral(session, referral.id))


def get_letter(session: Session, referral: Referral, letter_id: UUID) -> Letter:
    """A letter of a referral that was already found to be this person's. Raises NotFound."""
    letter = session.get(Letter, letter_id)
    if letter is None or letter.referral_id != referral.id:
        raise NotFound("letter.none")
    return letter


def on_their_way(session: Session, user: User, state: LetterState) -> Sequence[Letter]:
    """Letters in a state, of this person's cases or office, the longest waiting first."""
    return session.scalars(
        select(Letter)
        .join(Letter.referral)
        .where(Letter.state == state, referrals.reachable(user))
        .order_by(Letter.made_at, Letter.id)
        .options(
            contains_eager(Letter.referral).options(
                joinedload(Referral.service).joinedload(Service.organization),
                joinedload(Referral.case).joinedload(Case.broker),
            )
        )
    ).all()


def is_number_taken(session: Session, letter: Letter, number: str) -> bool:
    """Whether another letter of the office has this number."""
    other = select(Letter.id).where(
        Letter.office_id == letter.office_id, Letter.number == number, Letter.id != letter.id
    )
    return session.scalar(other.limit(1)) is not None


def last_sequence(session: Session, office_id: UUID, year: int) -> int:
    """How far the office's own numbering has come this year."""
    return (
        session.scalar(
            select(func.max(Letter.sequence)).where(
                Letter.office_id == office_id, Letter.sequence_year == year
            )
        )
        or 0
    )
