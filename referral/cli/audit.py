"""Commands about the audit chain: `flask audit verify`."""

import click
from sqlalchemy import func, select

from referral.changes import audit
from referral.changes.models import AuditEntry
from referral.cli.answering import FINDINGS, Group, as_json, language, on_schema, print_json
from referral.core.text import Message, render
from referral.extensions import db

group = Group("audit", help="Check who did and saw what.")


@group.command()
@as_json
@language
@on_schema
def verify(as_json: bool, lang: str) -> None:
    """Recompute the whole chain (exit code 0: whole; 1: an entry is missing, altered or out of order).

    \b
    Example: flask audit verify --json
    """
    entries = db.session.scalar(select(func.count()).select_from(AuditEntry)) or 0
    broken = audit.first_break(db.session)
    if as_json:
        print_json({"entries": entries, "first_break": broken})
    elif broken is None:
        click.echo(render(Message("audit.whole", {"entries": entries}), lang))
    else:
        click.echo(render(Message("audit.broken", {"entry": broken}), lang))
    raise SystemExit(0 if broken is None else FINDINGS)
