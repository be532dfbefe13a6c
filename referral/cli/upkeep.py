"""Commands that keep listings true: `flask directory ask-to-verify`."""

from datetime import UTC, datetime

import click
from flask import current_app

from referral.cli.answering import as_json, language, on_schema, print_json, refuse
from referral.cli.directory import group
from referral.core.db import take_write_lock
from referral.core.errors import JejaringError
from referral.core.text import Message, render
from referral.directory.upkeep import links
from referral.extensions import db


@group.command("ask-to-verify")
@click.option(
    "--limit", type=click.IntRange(1, 1000), default=20, help="Most letters.", show_default=True
)
@click.option("--dry-run", is_flag=True, help="Say what would happen and change nothing.")
@as_json
@language
@on_schema
def ask_to_verify(limit: int, dry_run: bool, as_json: bool, lang: str) -> None:
    """Write to agencies whether their listings are still true, the most used and longest unchecked first.

    Letters are in the language of `--lang`. No listing is asked about twice in 90 days, and no address gets
    more than 5 letters in 30 days. Needs PUBLIC_URL.

    \b
    Example: flask directory ask-to-verify --limit 50
    """
    public_url = current_app.config["SETTINGS"].PUBLIC_URL
    take_write_lock(db.session)
    try:
        asked = links.ask_to_verify(
            db.session, public_url=public_url, limit=limit, lang=lang, now=datetime.now(UTC)
        )
    except JejaringError as error:
        db.session.rollback()
        refuse(error, as_json=as_json, lang=lang)
    if dry_run:
        db.session.rollback()
    else:
        db.session.commit()
    if as_json:
        print_json({"dry_run": dry_run, "asked": [str(service_id) for service_id in asked]})
    else:
        key = "upkeep.mail.would_ask" if dry_run else "upkeep.mail.asked"
        click.echo(render(Message(key, {"count": len(asked)}), lang))
