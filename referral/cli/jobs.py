"""Commands about jobs: `flask jobs run`, `deliver`, `letters`."""

from datetime import UTC, datetime
from typing import Any

import click

from referral.changes import outbox
from referral.changes.actors import OPERATOR
from referral.cli.answering import (
    FINDINGS,
    Group,
    as_json,
    language,
    on_schema,
    print_json,
    refuse,
)
from referral.core.db import take_write_lock
from referral.core.errors import JejaringError
from referral.extensions import db
from referral.jobs.queue import jobs
from referral.jobs.tasks import deliver_letters

group = Group("jobs", help="Work that nobody waits for: letters out, files in.")


@group.command()
@on_schema
def run() -> None:
    """Work tasks off until stopped, beside web processes that don't do it themselves.

    \b
    Example: flask jobs run
    """
    jobs().run()


@group.command()
@as_json
@on_schema
def deliver(as_json: bool) -> None:
    """Send every letter that is due now. Ends with 1 if some did not leave.

    \b
    Example: flask jobs deliver
    """
    left = deliver_letters()
    waiting = outbox.waiting(db.session)
    if as_json:
        print_json({"sent": left, "waiting": waiting})
    else:
        click.echo(f"sent {left}, waiting {waiting}")
    raise SystemExit(FINDINGS if waiting else 0)


@group.command()
@click.option("--resend", "again", metavar="KEY", help="Try this one again now.")
@click.option("--drop", "over", metavar="KEY", help="Never try this one again.")
@click.option(
    "--because", type=click.Choice([why.value for why in outbox.Why]), help="Why it is dropped."
)
@as_json
@language
@on_schema
def letters(
    again: str | None, over: str | None, because: str | None, as_json: bool, lang: str
) -> None:
    """List the letters and events that failed, those given up first. Ends with 1 if there are any.

    KEY is what the list calls it. What was dropped is not listed any more.

    \b
    Example: flask jobs letters --json
    """
    if (over is None) != (because is None):
        raise click.UsageError("--drop and --because go together")
    try:
        _settle(again, over, because)
    except JejaringError as error:
        db.session.rollback()
        refuse(error, as_json=as_json, lang=lang)
    found = [_told(one.key, one) for one in outbox.troubled(db.session)]
    events = [_told(str(one.id), one) for one in outbox.troubled_events(db.session)]
    if as_json:
        print_json({"letters": found, "events": events})
    else:
        for one in found + events:
            click.echo(f"{one['key']}: {one['attempts']} × {one['error']}")
    raise SystemExit(FINDINGS if found or events else 0)


def _settle(again: str | None, over: str | None, because: str | None) -> None:
    if again is None and over is None:
        return
    take_write_lock(db.session)
    now = datetime.now(UTC)
    if again is not None:
        outbox.resend(db.session, outbox.get(db.session, again), by=OPERATOR, now=now)
    if over is not None:
        one = outbox.get(db.session, over)
        outbox.drop(db.session, one, because or "", by=OPERATOR, now=now)
    db.session.commit()


def _told(key: str, one: outbox.Outgoing) -> dict[str, Any]:
    return {
        "key": key,
        "attempts": one.attempts,
        "error": one.last_error,
        "given_up_at": one.given_up_at and one.given_up_at.isoformat(),
    }
