"""Letters wait for their transaction, leave once, are tried again and at last given up."""

from datetime import datetime, timedelta
from itertools import pairwise

from sqlalchemy.orm import Session

from referral.changes import outbox
from referral.changes.models import OutgoingMail


def write(session: Session, now: datetime, key: str = "verify:1") -> OutgoingMail:
    return outbox.write(
        session, key=key, to="tu@panti.example", subject="Masih benar?", text="Salam", now=now
    )


def test_the_same_letter_is_written_once(session: Session, now: datetime) -> None:
    first = write(session, now)
    again = outbox.write(
        session, key="verify:1", to="else@example", subject="Other", text="Other", now=now
    )

    assert again is first
    assert outbox.waiting(session) == 1


def test_a_letter_that_is_being_tried_is_not_taken_by_another(
    session: Session, now: datetime
) -> None:
    letter = write(session, now)

    assert outbox.take(session, now=now) is letter
    assert outbox.take(session, now=now) is None
    assert outbox.take(session, now=now + outbox.LONGEST_TRY) is letter, "its try was cut off"


def test_a_letter_that_left_is_never_taken_again(session: Session, now: datetime) -> None:
    write(session, now)
    letter = outbox.take(session, now=now)
    assert letter is not None
    outbox.sent(session, letter, now=now)

    assert outbox.take(session, now=now + timedelta(days=9)) is None
    assert (letter.sent_at, outbox.waiting(session)) == (now, 0)


def test_a_letter_that_always_fails_is_given_up_and_can_be_tried_again(
    session: Session, now: datetime
) -> None:
    write(session, now)
    moment, tries = now, []
    while (letter := outbox.take(session, now=moment)) is not None:
        tries.append(moment)
        outbox.failed(session, letter, "OSError", now=moment)
        moment = letter.next_try_at or moment

    [letter] = outbox.troubled(session)
    assert [b - a for a, b in pairwise(tries)] == list(outbox.PAUSES)
    assert (letter.last_error, letter.given_up_at) == ("OSError", tries[-1])
