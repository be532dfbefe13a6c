"""The tasks themselves. Each opens its own transactions in an application context and commits."""

from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from flask import current_app
from flask_mailman import EmailMultiAlternatives

from referral.accounts.models import User
from referral.changes import outbox
from referral.changes.actors import SYSTEM
from referral.changes.models import OutgoingMail
from referral.core.db import take_write_lock
from referral.directory.duplicates import finding
from referral.directory.intake import runs
from referral.directory.intake.uploads import Uploads
from referral.directory.upkeep import claims
from referral.extensions import db, mail
from referral.planning import fairness
from referral.referrals import reminders


def deliver_letters() -> int:
    """Send every letter that is due; gives how many left. Does nothing without a mail server."""
    settings = current_app.config["SETTINGS"]
    left = 0
    while settings.MAIL_SERVER and (letter := _take_letter()) is not None:
        try:
            with mail.get_connection() as connection:
                connection.send_messages([_message(letter)])
        except Exception as error:
            _begin_writing()
            outbox.failed(db.session, letter, error, now=datetime.now(UTC))
        else:
            _begin_writing()
            outbox.sent(db.session, letter, now=datetime.now(UTC))
            left += 1
        db.session.commit()
    return left


def forget_claims() -> int:
    """Delete what decided claims say about people once their time is over; gives how many."""
    _begin_writing()
    forgotten = claims.forget(db.session, now=datetime.now(UTC))
    db.session.commit()
    return forgotten


def remind_agencies() -> int:
    """Remind of urgent referrals, and write the week's letters; gives how many agencies were due one."""
    public_url = current_app.config["SETTINGS"].PUBLIC_URL
    _begin_writing()
    reminded = reminders.remind(db.session, public_url=public_url, now=datetime.now(UTC))
    reminded += reminders.write_digests(db.session, public_url=public_url, now=datetime.now(UTC))
    db.session.commit()
    return reminded


def _begin_writing() -> None:
    db.session.rollback()  # a lock for writing comes before the first reading
    take_write_lock(db.session)


def _take_letter() -> OutgoingMail | None:
    _begin_writing()
    letter = outbox.take(db.session, now=datetime.now(UTC))
    db.session.commit()
    return letter


def _message(letter: OutgoingMail) -> EmailMultiAlternatives:
    """The letter as mail. Its id is always the same, so that a receiver can tell a letter that came twice."""
    sender = current_app.config["MAIL_DEFAULT_SENDER"]
    message = EmailMultiAlternatives(
        subject=letter.subject,
        body=letter.text,
        to=[letter.to],
        headers={"Message-ID": f"<{letter.id}@{sender.rpartition('@')[2] or 'localhost'}>"},
    )
    if letter.html:
        message.attach_alternative(letter.html, "text/html")
    return message


def find_duplicates() -> int:
    """Look for listings that may be one and bring the curators' queue up to date; gives how many wait."""
    found, candidates = finding.look(db.session)
    _begin_writing()
    waiting = finding.keep(db.session, found, candidates, now=datetime.now(UTC))
    db.session.commit()
    return len(waiting)


def import_file(run_id: str) -> None:
    """Do an import whose file was handed in on a page; one that was begun already is left alone."""
    uploads = Uploads(Path(current_app.config["SETTINGS"].JEJARING_INSTANCE) / "imports")
    runs.perform_kept(db.session, UUID(run_id), uploads, clock=lambda: datetime.now(UTC))


def publish_fairness() -> int:
    """Make the quarter's figures of waiting times and spread where they are missing; gives how many were made."""
    offices = fairness.due(db.session, now=datetime.now(UTC))
    db.session.rollback()
    return sum(_publish_fairness(office_id) for office_id in offices)


def publish_fairness_of(office_id: str, asked_by_id: str) -> bool:
    """The same for one office, asked for by its supervisor; whether it was made."""
    return _publish_fairness(UUID(office_id), UUID(asked_by_id))


def _publish_fairness(office_id: UUID | None, asked_by_id: UUID | None = None) -> bool:
    now, threshold = datetime.now(UTC), current_app.config["SETTINGS"].COUNT_THRESHOLD
    # What is opened to be counted is closed with the session.
    with db.sessionmaker() as session:
        content = fairness.counted(session, office_id, threshold=threshold, now=now)
    if content is None:
        return False
    _begin_writing()
    by = db.session.get_one(User, asked_by_id) if asked_by_id else SYSTEM
    release = fairness.publish(db.session, office_id, content, threshold=threshold, by=by, now=now)
    db.session.commit()
    return release is not None
