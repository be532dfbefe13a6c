"""Commands about the audit chain: `flask audit verify`."""

import json
import sys

import click
from flask.cli import AppGroup
from sqlalchemy import func, select

from referral.changes import audit
from referral.changes.models import AuditEntry
from referral.cli.answering import on_schema
from referral.core.text import DEFAULT_LANGUAGE, LANGUAGES, Message, render
from referral.extensions import db

group = AppGroup("audit", help="Check who did and saw what.")


@group.command()
@click.option("--lang", type=click.Choice(LANGUAGES), default=DEFAULT_LANGUAGE, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object.")
@on_schema
def verify(lang: str, as_json: bool) -> None:
    """Recompute the whole chain (exit code 0: whole; 1: an entry is missing, altered or out of order).

    \b
    Example: flask audit verify --json
    """
    entries = db.session.scalar(select(func.count()).select_from(AuditEntry)) or 0
    broken = audit.first_break(db.session)
    if as_json:
        click.echo(json.dumps({"entries": entries, "first_break": broken}))
    elif broken is None:
        click.echo(render(Message("audit.whole", {"entries": entries}), lang))
    else:
        click.echo(render(Message("audit.broken", {"entry": broken}), lang))
    sys.exit(0 if broken is None else 1)
