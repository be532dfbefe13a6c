"""The tasks themselves. Each opens its own transactions in an application context and commits."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import sleep
from typing import Any
from uuid import UUID

from flask import current_app
from flask_mailman import EmailMultiAlternatives

from referral.accounts.models import User
from referral.casework import areas
from referral.changes import outbox, webhooks
from referral.changes.actors import SYSTEM, Actor
from referral.changes.models import OutgoingEvent, OutgoingMail
from referral.core.db import take_write_lock
from referral.core.errors import JejaringError
from referral.core.text import Message
from referral.directory.duplicates import finding
from referral.directory.intake import runs
from referral.directory.intake.uploads import Uploads
from referral.directory.upkeep import claims
from referral.extensions import db, mail, reading
from referral.jobs import posting
from referral.planning.access import operations as access
from referral.planning.access import working
from referral.planning.fairness import releases as fairness
from referral.planning.gaps import counting
from referral.planning.gaps import releases as gaps
from referral.planning.gaps.periods import quarter_of
from referral.planning.rehearsal import freezing
from referral.planning.siting import operations as siting
from referral.planning.siting import queries as sitings
from referral.planning.siting.questions import Question
from referral.planning.unmet import noticing, telling
from referral.referrals import reminders, standing

Clock = Callable[[], datetime]
#: Needs looked at in one transaction: others may write between two.
_AT_ONCE = 50
#: How far a long work is, is kept so often.
_TOLD_EVERY = timedelta(seconds=2)
#: Whoever waits for SQLite's lock looks ten times a second: without a pause they would hardly ever find it free.
_BREATH_SECONDS = 0.03


def the_time() -> datetime:
    """The clock of every task, unless a simulation brings its own."""
    return datetime.now(UTC)


def deliver_letters(clock: Clock = the_time) -> int:
    """Send every letter that is due; gives how many left. Does nothing without a mail server."""
    settings = current_app.config["SETTINGS"]
    left = 0
    while settings.MAIL_SERVER and (letter := _take_letter(clock())) is not None:
        try:
            with mail.get_connection() as connection:
                connection.send_messages([_message(letter)])
        except Exception as error:
            _begin_writing()
            outbox.failed(db.session, letter, type(error).__name__, now=clock())
        else:
            _begin_writing()
            outbox.sent(db.session, letter, now=clock())
            left += 1
        db.session.commit()
    return left


def deliver_events(clock: Clock = the_time) -> int:
    """Post every event that is due to its webhook; gives how many were taken there.

    A webhook that fails is left alone until the next run.
    """
    guarded = current_app.config["SETTINGS"].JEJARING_ENV == "production"
    down: set[UUID] = set()
    left = 0
    while (event := _take_event(down, clock())) is not None:
        event_id, webhook_id, trouble = event.id, event.webhook_id, None
        try:
            _post(event, guarded=guarded, now=clock())
        except posting.NotTaken as refused:
            trouble = str(refused)
        except Exception as error:
            trouble = type(error).__name__
        _begin_writing()
        now_there = db.session.get(OutgoingEvent, event_id)
        if now_there is None:
            pass  # its webhook was stopped meanwhile
        elif trouble is None:
            outbox.sent(db.session, now_there, now=clock())
            left += 1
        else:
            outbox.failed(db.session, now_there, trouble, now=clock())
            down.add(webhook_id)
        db.session.commit()
    return left


def forget_claims() -> int:
    """Delete what decided claims say about people once their time is over; gives how many."""
    _begin_writing()
    forgotten = claims.forget(db.session, now=datetime.now(UTC))
    db.session.commit()
    return forgotten


def remind_agencies(clock: Clock = the_time) -> int:
    """Remind of urgent referrals, and write the week's letters; gives how many agencies were due one."""
    public_url, now = current_app.config["SETTINGS"].PUBLIC_URL, clock()
    _begin_writing()
    reminded = reminders.remind(db.session, public_url=public_url, now=now)
    reminded += reminders.write_digests(db.session, public_url=public_url, now=now)
    db.session.commit()
    return reminded


def count_silence(clock: Clock = the_time) -> int:
    """Let services that did not answer in time stand so in matches; gives how many were looked at."""
    _begin_writing()
    looked_at = standing.push_silence(db.session, now=clock())
    db.session.commit()
    return looked_at


def notice_gaps(clock: Clock = the_time) -> int:
    """Open, renew and close records of unmet needs as time alone demands; gives how many are open of those looked at."""
    needs = noticing.due(db.session, now=clock())
    db.session.rollback()
    still_open = 0
    for some in (needs[first : first + _AT_ONCE] for first in range(0, len(needs), _AT_ONCE)):
        _begin_writing()
        still_open += noticing.notice_all(db.session, some, by=SYSTEM, now=clock())
        db.session.commit()
    return still_open


def tell_of_changes(clock: Clock = the_time) -> int:
    """Weigh what changed in the directory for whoever waits; gives how many were told of a service.

    A run opens a bounded number of files, few at a time; what it leaves comes first in the next.
    """
    told, opened = 0, 0
    while opened < telling.MOST_MATCHED:
        _begin_writing()
        followed = telling.follow(db.session, now=clock(), most=_AT_ONCE)
        db.session.commit()
        told, opened = told + followed.told, opened + followed.matched
        if followed.is_done:
            break
    return told


def _begin_writing() -> None:
    db.session.rollback()  # a lock for writing comes before the first reading
    take_write_lock(db.session)


def _take_letter(now: datetime) -> OutgoingMail | None:
    _begin_writing()
    letter = outbox.take(db.session, now=now)
    db.session.commit()
    return letter


def _take_event(down: set[UUID], now: datetime) -> OutgoingEvent | None:
    _begin_writing()
    event = outbox.take_event(db.session, but=down, now=now)
    db.session.commit()
    return event


def _post(event: OutgoingEvent, *, guarded: bool, now: datetime) -> None:
    """Send an event, signed. Its id is always the same, so that a receiver can tell one that came twice."""
    webhook = event.webhook
    address, secret = webhook.address, webhook.secret
    body = webhooks.written_out(event.body)
    db.session.rollback()  # nobody waits for the other side with a transaction open
    if secret is None:
        raise posting.NotTaken("Stopped")
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "Jejaring",
        webhooks.SIGNATURE: webhooks.signature(secret, body, at=now),
    }
    posting.post(address, body, headers, guarded=guarded)


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


def publish_gaps(clock: Clock = the_time) -> bool:
    """Release the counts of gaps of the quarter that has ended, where they are missing; whether they were made."""
    quarter = gaps.due(db.session, now=clock())
    db.session.rollback()
    return quarter is not None and release_gaps(quarter, clock=clock)


def publish_gaps_of(asked_by_id: str) -> bool:
    """The same at once, also for the running quarter, asked for by a planner; whether it was made."""
    quarter = gaps.possible(db.session, now=the_time())
    db.session.rollback()
    return quarter is not None and release_gaps(
        quarter, lambda: db.session.get_one(User, UUID(asked_by_id))
    )


def fill_areas() -> int:
    """Write the kab/kota of clients whose files are older than the column for it; gives how many were looked at."""
    older = areas.without(db.session)
    for first in range(0, len(older), _AT_ONCE):
        _begin_writing()
        areas.fill(db.session, older[first : first + _AT_ONCE])
        db.session.commit()
        sleep(_BREATH_SECONDS)
    db.session.rollback()
    if older:
        current_app.logger.info("Clients whose kab/kota was looked up: %d", len(older))
    return len(older)


def release_gaps(
    quarter: str, by: Callable[[], Actor] = lambda: SYSTEM, *, clock: Clock = the_time
) -> bool:
    """Count a quarter and release it. Others write while people are counted and while it is worked out what may be told.

    May be stopped anywhere, or run twice at once: whoever comes next counts those who are left.
    """
    threshold, now = current_app.config["SETTINGS"].COUNT_THRESHOLD, clock()
    fill_areas()
    for clients in gaps.to_count(db.session, quarter, now=now):
        _begin_writing()
        gaps.mark(db.session, quarter, clients, now=now)
        db.session.commit()
        sleep(_BREATH_SECONDS)
    for each in gaps.unfrozen(db.session, quarter):
        grouped = counting.grouped(db.session, each)
        _begin_writing()
        is_frozen = counting.freeze(db.session, grouped)
        db.session.commit()
        if not is_frozen:
            return False  # somebody else counts too, and takes it from there
    if not gaps.has_counts(db.session, quarter):
        return False
    prepared = gaps.prepare(db.session, quarter, threshold=threshold)
    _begin_writing()
    made = gaps.keep(db.session, quarter, prepared, by=by(), now=clock())
    db.session.commit()
    return bool(made)


def _publish_fairness(office_id: UUID | None, asked_by_id: UUID | None = None) -> bool:
    now, threshold = datetime.now(UTC), current_app.config["SETTINGS"].COUNT_THRESHOLD
    # What is opened to be counted is closed with the session.
    with reading() as session:
        content = fairness.counted(session, office_id, threshold=threshold, now=now)
    if content is None:
        return False
    _begin_writing()
    by = db.session.get_one(User, asked_by_id) if asked_by_id else SYSTEM
    release = fairness.publish(db.session, office_id, content, threshold=threshold, by=by, now=now)
    db.session.commit()
    return release is not None


def work_out_access(clock: Clock = the_time, *, is_asked: bool = False) -> bool:
    """Work out how well areas reach services where a release or the directory is newer, or a planner asked.

    One runs at a time. Gives whether it was done.

    is_asked  even where nothing is newer and nobody asked on a page
    """
    due = is_asked or access.is_due(db.session, now=clock()) or working.is_waiting(db.session)
    if not due:
        db.session.rollback()
        return False
    _begin_writing()
    work_id = working.begin(db.session, now=clock())
    db.session.commit()
    if work_id is None:
        return False
    try:
        with reading() as session:
            worked = access.count(session, now=clock(), heard=_progress(work_id, clock))
        _begin_writing()
        access.keep(db.session, worked)
    except Exception:
        _begin_writing()
        working.end(db.session, work_id, Message("access.failed"), now=clock())
        db.session.commit()
        raise
    working.end(db.session, work_id, None, now=clock())
    db.session.commit()
    return True


def _progress(work_id: UUID, clock: Clock) -> Callable[[int, int], None]:
    """Keeps how far a work on the measures is, now and then."""
    told_at = clock()

    def heard(done: int, of: int) -> None:
        nonlocal told_at
        if clock() - told_at >= _TOLD_EVERY or done == of:
            told_at = clock()
            _begin_writing()
            working.heard(db.session, work_id, done, of, now=told_at)
            db.session.commit()

    return heard


def work_out_sites(clock: Clock = the_time) -> int:
    """Work out where resources should stand, one question after another; gives how many were worked out.

    Does nothing while another process is at it: that one takes the next question too.
    """
    worked_out = 0
    while (taken := _take_question(clock())) is not None:
        case_id, question = taken
        outcome: dict[str, Any] | Message
        try:
            with reading() as session:
                outcome = siting.work_out(session, question, now=clock())
        except JejaringError as error:
            outcome = error.message
        except Exception:
            current_app.logger.exception("A siting case could not be worked out.")
            outcome = Message("siting.failed")
        _begin_writing()
        siting.end(db.session, case_id, outcome, now=clock())
        db.session.commit()
        worked_out += 1
    return worked_out


def _take_question(now: datetime) -> tuple[UUID, Question] | None:
    if db.session.scalar(sitings.waiting().limit(1)) is None:
        db.session.rollback()
        return None
    _begin_writing()
    taken = siting.take_next(db.session, now=now)
    db.session.commit()
    return taken


def forget_sites() -> int:
    """Delete siting cases whose time is over; gives how many."""
    _begin_writing()
    forgotten = siting.forget_old(db.session, now=datetime.now(UTC))
    db.session.commit()
    return forgotten


def group_askers() -> int:
    """Put the people who asked in this quarter into the groups that rules are rehearsed on; gives how many were made."""
    now, least = datetime.now(UTC), current_app.config["SETTINGS"].COUNT_THRESHOLD
    quarter = quarter_of(now)
    if not freezing.is_due(db.session, quarter):
        return 0
    db.session.rollback()
    # What is opened to be grouped is closed with the session.
    with reading() as session:
        facts = freezing.facts_of(session, now=now)
    _begin_writing()
    made = 0
    if freezing.is_due(db.session, quarter):
        made = freezing.freeze(db.session, facts, quarter=quarter, least=least, now=now)
    db.session.commit()
    return made
