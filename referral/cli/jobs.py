"""Commands about jobs: `flask jobs run`, `deliver`, `letters`."""

import click

from referral.changes import outbox
from referral.cli.answering import FINDINGS, Group, as_json, on_schema, print_json
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
@as_json
@on_schema
def letters(as_json: bool) -> None:
    """List the letters that failed, those given up first. Ends with 1 if there are any.

    \b
    Example: flask jobs letters --json
    """
    found = [
        {
            "key": letter.key,
            "attempts": letter.attempts,
            "error": letter.last_error,
            "given_up_at": letter.given_up_at and letter.given_up_at.isoformat(),
        }
        for letter in outbox.troubled(db.session)
    ]
    if as_json:
        print_json({"letters": found})
    else:
        for one in found:
            click.echo(f"{one['key']}: {one['attempts']} × {one['error']}")
    raise SystemExit(FINDINGS if found else 0)
