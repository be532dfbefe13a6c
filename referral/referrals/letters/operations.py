"""What can be done with a letter on paper. Who, when and why come in as arguments; the caller commits."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from referral.accounts.models import Office, Role, User
from referral.changes import audit
from referral.core.errors import Invalid, NotAllowed, NotFound, Stale
from referral.core.text import LANGUAGES, Message
from referral.referrals.letters import queries
from referral.referrals.letters.models import Letter
from referral.referrals.letters.numbering import LONGEST_NUMBER, check_pattern, numbered
from referral.referrals.letters.states import (
    Carrier,
    Hand,
    LetterEvent,
    LetterField,
    LetterState,
    next_state,
    possible_events,
)
from referral.referrals.models import Referral
from referral.referrals.operations import local_day, works

MOST_ATTACHMENTS = 20
#: what an office may say of itself on its letters
LETTERHEAD = (
    *("parent", "address", "phone", "email"),
    *("signatory_name", "signatory_title", "signatory_nip", "number_pattern"),
)


@dataclass(frozen=True)
class LetterGiven:
    """What comes with a step of a letter; which of it is required say its states."""

    on: date | None = None
    signatory_name: str | None = None
    signatory_title: str | None = None
    signatory_nip: str | None = None
    number: str | None = None
    handed_to: Carrier | None = None
    receiver: str | None = None
    note: str | None = None

    @property
    def fields(self) -> frozenset[LetterField]:
        return frozenset(field for field in LetterField if getattr(self, field))


def make(
    session: Session,
    referral: Referral,
    *,
    language: str,
    attachments: int = 0,
    copies: Collection[str] = (),
    by: User,
    now: datetime,
) -> Letter:
    """A letter to be signed. Raises NotAllowed while another one of the referral is on its way.

    copies   ids of organizations that may get one, as `queries.copies_for` gives them
    """
    if not works(referral.case, by):
        raise NotFound("referral.none")
    if language not in LANGUAGES or not 0 <= attachments <= MOST_ATTACHMENTS:
        raise Invalid("letter.attachments_range", field="attachments", most=MOST_ATTACHMENTS)
    if not queries.may_make(session, referral):
        raise NotAllowed("letter.on_its_way")
    facts = queries.letter_facts(session, referral, language, letter=None, now=now)
    may_get = {str(one.id) for one in queries.copies_for(session, referral, facts.about, now=now)}
    if not set(copies) <= may_get:
        raise Invalid("letter.copy_without_basis", field="copies")
    letter = Letter(
        key=referral.key,
        referral=referral,
        office_id=referral.office_id,
        language=language,
        attachments=attachments,
        copies=sorted(set(copies)),
        made_at=now,
        made_by_id=by.id,
    )
    session.add(letter)
    session.flush()
    audit.record(session, "letter.made", letter, by=by, now=now, client_id=referral.client_id)
    return letter


def take_letter_step(
    session: Session,
    letter: Letter,
    event: LetterEvent,
    *,
    by: User,
    now: datetime,
    version: int,
    given: LetterGiven,
) -> None:
    """Move a letter along. Once the agency has it, the referral counts as delivered on that day.

    Raises Stale when the row has moved on, NotAllowed for a step out of turn, Invalid for a missing or unfit
    field, NotFound for somebody else's letter.
    """
    referral = letter.referral
    hand = hand_of(referral, by)
    if hand is None:
        raise NotFound("letter.none")
    if version != letter.version:
        raise Stale(
            "letter.stale",
            field="version",
            candidates=[version, letter.version],
            state=Message(f"letter.state.{letter.state}"),
        )
    before = letter.state
    today = local_day(referral, now)
    number, sequence = given.number, None
    if event is LetterEvent.NUMBER and not number:
        number, sequence = _by_pattern(session, letter, today)
    fields = given.fields | ({LetterField.NUMBER} if number else frozenset())
    after = next_state(before, event, hand=hand, given=fields, carrier=given.handed_to)
    _check_days(letter, event, given.on, today)
    if event is LetterEvent.NUMBER:
        _number(session, letter, str(number), sequence, today)
    _write(letter, event, given, by=by, now=now)
    letter.state = after
    if after is LetterState.DELIVERED and given.on is not None:
        letter.delivered_on, letter.delivered_at, letter.delivered_by_id = given.on, now, by.id
        _prove_delivery(referral, given.on, now)
    try:
        session.flush()
    except StaleDataError:
        raise Stale("letter.stale_now", field="version") from None
    audit.record(
        session,
        f"letter.{event}",
        letter,
        by=by,
        now=now,
        client_id=referral.client_id,
        before=before.value,
        after=after.value,
    )


def hand_of(referral: Referral, by: User) -> Hand | None:
    """As whom this person may move the letter: the worker whose case it is, or a supervisor of the office."""
    if works(referral.case, by):
        return Hand.WORKER
    is_head = by.role is Role.SUPERVISOR and by.office_id == referral.office_id
    return Hand.SUPERVISOR if is_head else None


def possible_letter_steps(letter: Letter, by: User) -> list[LetterEvent]:
    """The steps this person may take now."""
    hand = hand_of(letter.referral, by)
    return possible_events(letter.state, hand) if hand else []


def say_letterhead(
    session: Session, office: Office, values: dict[str, str | None], *, by: User, now: datetime
) -> None:
    """Keep what the office's letters say of it. An empty value is not printed."""
    if by.office_id != office.id:
        raise NotFound("letter.none")
    kept = {name: value for name in LETTERHEAD if (value := (values.get(name) or "").strip())}
    if "number_pattern" in kept:
        check_pattern(kept["number_pattern"])
    office.letterhead = kept or None
    session.flush()
    audit.record(session, "office.letterhead", office, by=by, now=now, fields=sorted(kept))


def _by_pattern(session: Session, letter: Letter, today: date) -> tuple[str | None, int | None]:
    """The next number of the office's own pattern; nothing where it has none."""
    head = letter.referral.case.office.letterhead or {}
    pattern = head.get("number_pattern")
    if not pattern:
        return None, None
    year = today.year
    sequence = queries.last_sequence(session, letter.office_id, year) + 1
    # A number typed by hand may already stand in the pattern's row.
    while queries.is_number_taken(session, letter, numbered(pattern, sequence, today)):
        sequence += 1
    return numbered(pattern, sequence, today), sequence


def _number(
    session: Session, letter: Letter, number: str, sequence: int | None, today: date
) -> None:
    if len(number) > LONGEST_NUMBER:
        raise Invalid("letter.number_long", field="number", most=LONGEST_NUMBER)
    if queries.is_number_taken(session, letter, number):
        raise Invalid("letter.number_taken", field="number")
    letter.number, letter.sequence = number, sequence
    letter.sequence_year = today.year if sequence else None


def _check_days(letter: Letter, event: LetterEvent, on: date | None, today: date) -> None:
    if on is None:
        return
    earliest = {
        LetterEvent.SIGN: local_day(letter.referral, letter.referral.created_at),
        LetterEvent.HAND_OVER: letter.signed_on,
        LetterEvent.DELIVER: letter.handed_on,
    }.get(event)
    if on > today or (earliest is not None and on < earliest):
        raise Invalid("letter.day", field="on", day=earliest or today)


def _write(
    letter: Letter, event: LetterEvent, given: LetterGiven, *, by: User, now: datetime
) -> None:
    if event is LetterEvent.SIGN:
        letter.signatory_name = given.signatory_name
        letter.signatory_title, letter.signatory_nip = given.signatory_title, given.signatory_nip
        letter.signed_on, letter.signed_at, letter.signed_by_id = given.on, now, by.id
    elif event is LetterEvent.NUMBER:
        letter.numbered_at, letter.numbered_by_id = now, by.id
    elif event is LetterEvent.HAND_OVER:
        letter.handed_to, letter.handed_on = given.handed_to, given.on
        letter.handed_over_at, letter.handed_over_by_id = now, by.id
        letter.receiver = given.receiver
    elif event is LetterEvent.DELIVER:
        letter.receiver = given.receiver or letter.receiver
    elif event is LetterEvent.VOID:
        letter.note, letter.voided_at, letter.voided_by_id = given.note, now, by.id


def _prove_delivery(referral: Referral, on: date, now: datetime) -> None:
    """The agency has it: its clock starts on that day, or already did."""
    arrived_at = now
    if on < local_day(referral, now):
        zone = ZoneInfo(referral.case.office.time_zone)
        arrived_at = datetime(on.year, on.month, on.day, 23, 59, tzinfo=zone)
    if referral.delivered_at is None or arrived_at < referral.delivered_at:
        referral.delivered_at = arrived_at
