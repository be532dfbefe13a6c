"""Letters on their way: days, delivery, and which letter is printed."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from referral.accounts.models import Role
from referral.core.errors import Invalid, NotAllowed, NotFound, Stale
from referral.directory.models import AnswerMode
from referral.referrals.letters import operations, queries
from referral.referrals.letters.letter import Blind, Released
from referral.referrals.letters.models import Letter
from referral.referrals.letters.operations import LetterGiven
from referral.referrals.letters.states import Carrier, LetterEvent, LetterState
from referral.referrals.lifecycle import Event
from referral.referrals.models import Referral
from tests.factories import Make
from tests.scenes import Scene


@pytest.fixture
def scene(session: Session, make: Make, now: datetime) -> Scene:
    scene = Scene(session, make, now)
    scene.agency.active = False  # only paper proves that the referral arrived
    return scene


def take(scene: Scene, letter: Letter, event: LetterEvent, **values: Any) -> None:
    by, at = values.pop("by", scene.broker), values.pop("now", scene.now)
    version = values.pop("version", letter.version)
    operations.take_letter_step(
        scene.session, letter, event, by=by, now=at, version=version, given=LetterGiven(**values)
    )


def made(scene: Scene, referral: Referral) -> Letter:
    return operations.make(scene.session, referral, language="id", by=scene.broker, now=scene.now)


def numbered(scene: Scene, referral: Referral) -> Letter:
    letter = made(scene, referral)
    take(scene, letter, LetterEvent.SIGN, signatory_name="Siti", on=scene.day)
    take(scene, letter, LetterEvent.NUMBER, number="7")
    return letter


def test_the_agencys_time_starts_at_the_end_of_the_day_it_had_the_letter(scene: Scene) -> None:
    referral = scene.sent()
    letter = numbered(scene, referral)
    take(scene, letter, LetterEvent.HAND_OVER, handed_to=Carrier.POST, on=scene.day)
    assert referral.delivered_at is None

    later = scene.now + timedelta(days=5)
    arrived = scene.day + timedelta(days=2)
    take(scene, letter, LetterEvent.DELIVER, on=arrived, receiver="Pak Contoh", now=later)

    # 23.59 in Jakarta
    assert referral.delivered_at == datetime(2026, 3, 4, 16, 59, tzinfo=UTC)
    assert (letter.state, letter.delivered_on, letter.receiver) == (
        LetterState.DELIVERED,
        arrived,
        "Pak Contoh",
    )


def test_what_the_agency_took_itself_is_delivered_at_once_and_an_earlier_proof_stays(
    scene: Scene,
) -> None:
    referral = scene.sent()
    letter = numbered(scene, referral)
    earlier = scene.now - timedelta(hours=1)
    referral.delivered_at = earlier

    take(scene, letter, LetterEvent.HAND_OVER, handed_to=Carrier.AGENCY, on=scene.day)

    assert (letter.state, referral.delivered_at) == (LetterState.DELIVERED, earlier)


def test_days_follow_one_another_and_none_lies_ahead(scene: Scene) -> None:
    letter = made(scene, scene.sent())
    tomorrow, yesterday = scene.day + timedelta(days=1), scene.day - timedelta(days=1)
    for day in (tomorrow, yesterday):  # the referral is of today
        with pytest.raises(Invalid) as refused:
            take(scene, letter, LetterEvent.SIGN, signatory_name="Siti", on=day)
        assert refused.value.field == "on"
    take(scene, letter, LetterEvent.SIGN, signatory_name="Siti", on=scene.day)
    take(scene, letter, LetterEvent.NUMBER, number="7")
    with pytest.raises(Invalid):
        take(scene, letter, LetterEvent.HAND_OVER, handed_to=Carrier.POST, on=yesterday)

    assert (letter.state, letter.handed_on) == (LetterState.NUMBERED, None)


def test_who_may_move_a_letter(scene: Scene, make: Make) -> None:
    letter = made(scene, scene.sent())
    head = make.user(Role.SUPERVISOR, office=scene.case.office)
    for stranger in (make.user(), make.user(Role.SUPERVISOR), scene.agency):
        with pytest.raises(NotFound):
            take(scene, letter, LetterEvent.VOID, note="x", by=stranger)
        with pytest.raises(NotFound):
            operations.make(
                scene.session, letter.referral, language="id", by=stranger, now=scene.now
            )
    seen = letter.version
    take(scene, letter, LetterEvent.SIGN, signatory_name="Siti", on=scene.day, by=head)
    take(scene, letter, LetterEvent.NUMBER, number="7", by=head)
    with pytest.raises(NotAllowed):
        take(scene, letter, LetterEvent.HAND_OVER, handed_to=Carrier.POST, on=scene.day, by=head)
    with pytest.raises(Stale):
        take(scene, letter, LetterEvent.VOID, note="x", version=seen)


def test_one_letter_is_on_its_way_at_a_time_and_a_void_ones_number_stays_taken(
    scene: Scene,
) -> None:
    referral = scene.sent()
    first = numbered(scene, referral)
    with pytest.raises(NotAllowed):
        made(scene, referral)
    take(scene, first, LetterEvent.VOID, note="tumpah kopi")
    second = made(scene, referral)
    take(scene, second, LetterEvent.SIGN, signatory_name="Siti", on=scene.day)
    with pytest.raises(Invalid) as refused:
        take(scene, second, LetterEvent.NUMBER, number="7")

    assert refused.value.field == "number"
    assert queries.current(scene.session, referral) is second


def test_the_offices_own_numbers_skip_what_was_typed_and_belong_to_it_alone(
    scene: Scene, session: Session, make: Make
) -> None:
    scene.case.office.letterhead = {"number_pattern": "{number}/PS/{year}"}
    referral = scene.sent()
    numbers = []
    for typed in ("1/PS/2026", None, None):
        letter = made(scene, referral)
        take(scene, letter, LetterEvent.SIGN, signatory_name="Siti", on=scene.day)
        take(scene, letter, LetterEvent.NUMBER, number=typed)
        numbers.append(letter.number)
        take(scene, letter, LetterEvent.VOID, note="x")
    other = Scene(session, make, scene.now)
    other.case.office.letterhead = scene.case.office.letterhead
    elsewhere = made(other, other.sent())
    take(other, elsewhere, LetterEvent.SIGN, signatory_name="Budi", on=other.day)
    take(other, elsewhere, LetterEvent.NUMBER)

    assert numbers == ["1/PS/2026", "2/PS/2026", "3/PS/2026"]
    assert elsewhere.number == "1/PS/2026"


@pytest.mark.parametrize(
    ("mode", "about", "is_printed"),
    [(AnswerMode.REPLIES, Released, False), (AnswerMode.WALK_IN, Released, True)],
)
def test_once_accepted_a_letter_made_before_is_printed_only_where_the_client_carries_it(
    scene: Scene, mode: AnswerMode, about: type, is_printed: bool
) -> None:
    scene.site.service.answer_mode = mode
    referral = scene.sent()
    letter = numbered(scene, referral)
    told = queries.letter_facts(scene.session, referral, "id", letter=letter, now=scene.now).about
    assert isinstance(told, Released if mode is AnswerMode.WALK_IN else Blind)

    scene.take(
        referral, Event.ACCEPT, now=scene.now + timedelta(minutes=1), first_contact_on=scene.day
    )

    after = queries.letter_facts(scene.session, referral, "id", letter=letter, now=scene.now)
    assert isinstance(after.about, about)
    assert (queries.current(scene.session, referral) is letter) is is_printed


def test_who_took_a_letter_is_sealed_with_the_clients_key(scene: Scene) -> None:
    referral = scene.sent()
    letter = numbered(scene, referral)
    take(
        scene,
        letter,
        LetterEvent.HAND_OVER,
        handed_to=Carrier.AGENCY,
        on=scene.day,
        receiver="Pak Rahasia",
    )

    assert letter.key_id == scene.case.key_id
    assert letter.receiver_sealed is not None
    assert b"Rahasia" not in letter.receiver_sealed
