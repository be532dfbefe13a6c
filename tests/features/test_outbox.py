"""Letters wait for their transaction, leave once, are tried again, at last given up, and then somebody decides."""

from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from referral.changes import outbox
from referral.changes.actors import OPERATOR
from referral.changes.models import AuditEntry, OutgoingMail
from referral.core.errors import Invalid, NotAllowed, NotFound


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


def given_up(session: Session, now: datetime) -> OutgoingMail:
    letter = write(session, now)
    letter.attempts = len(outbox.PAUSES) + 1
    outbox.failed(session, letter, "OSError", now=now)
    return letter


def actions(session: Session) -> list[tuple[str, dict[str, str]]]:
    entries = session.scalars(
        select(AuditEntry)
        .where(AuditEntry.subject_type == "outgoing_mail")
        .order_by(AuditEntry.seq)
    )
    return [(entry.action, entry.details) for entry in entries]


def test_a_letter_that_was_given_up_is_resent_with_all_its_tries_before_it(
    session: Session, now: datetime
) -> None:
    letter = given_up(session, now)
    assert outbox.count_troubled(session) == 1

    outbox.resend(session, letter, by=OPERATOR, now=now)

    assert outbox.take(session, now=now) is letter
    assert (letter.attempts, letter.given_up_at) == (1, None)
    assert actions(session) == [("outgoing_mail.resent", {})]


def test_a_letter_that_may_be_under_way_is_not_resent(session: Session, now: datetime) -> None:
    letter = write(session, now)
    outbox.take(session, now=now)

    with pytest.raises(NotAllowed) as caught:
        outbox.resend(session, letter, by=OPERATOR, now=now + timedelta(minutes=1))

    assert caught.value.message.key == "outbox.soon"


def test_a_dropped_letter_is_forgotten_but_never_written_or_sent_again(
    session: Session, now: datetime
) -> None:
    letter = given_up(session, now)

    outbox.drop(session, letter, "address_gone", by=OPERATOR, now=now)

    assert write(session, now) is letter
    assert (letter.text, letter.html) == ("", None)
    assert outbox.take(session, now=now + timedelta(days=9)) is None
    assert (outbox.count_troubled(session), outbox.troubled(session)) == (0, [])
    assert actions(session) == [("outgoing_mail.dropped", {"why": "address_gone"})]
    for call in (
        lambda: outbox.resend(session, letter, by=OPERATOR, now=now),
        lambda: outbox.drop(session, letter, "mistake", by=OPERATOR, now=now),
    ):
        with pytest.raises(NotAllowed):
            call()


def test_dropping_takes_a_reason_of_the_list_and_something_that_is_there(
    session: Session, now: datetime
) -> None:
    letter = given_up(session, now)

    with pytest.raises(Invalid):
        outbox.drop(session, letter, "Ibu Dewi tidak mau", by=OPERATOR, now=now)
    with pytest.raises(NotFound):
        outbox.get(session, "verify:2")
    assert outbox.get(session, "verify:1") is letter


def test_a_failure_that_is_told_late_takes_nothing_back(session: Session, now: datetime) -> None:
    """A worker that hung for longer than its try, while another sent the letter or somebody dropped it."""
    first, second = write(session, now), write(session, now, key="verify:2")
    outbox.sent(session, first, now=now)
    outbox.drop(session, second, "outdated", by=OPERATOR, now=now)

    for letter in (first, second):
        outbox.failed(session, letter, "TimeoutError", now=now)

    assert outbox.waiting(session) == 0
    assert [one.last_error for one in (first, second)] == [None, None]
