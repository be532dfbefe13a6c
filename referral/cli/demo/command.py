"""`flask demo`: both scenarios of the sources, from story to closed loop, in the terminal, every step checked."""

import logging
import shutil
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import click
from flask import Flask
from sqlalchemy.orm import Session

from referral.accounts.demo import make_people
from referral.changes import audit
from referral.cli.accounts import agencies
from referral.cli.demo.cast import Cast
from referral.cli.demo.missing_help import missing_help
from referral.cli.demo.mother import mother_alone
from referral.cli.demo.teenager import teenager
from referral.cli.demo.telling import Clock, Teller
from referral.cli.directory import load_starter
from referral.config import Settings
from referral.core.db import take_write_lock
from referral.core.errors import JejaringError
from referral.core.text import DEFAULT_LANGUAGE, LANGUAGES, Message, render
from referral.extensions import alembic, db
from referral.reference import load_reference

FINDINGS, WRONG_USAGE = 1, 2
#: A Monday morning in Jakarta (09.30 there). The same every time, so that a run tells the same story.
START = datetime(2026, 3, 2, 2, 30, tzinfo=UTC)
PASSWORD = "fictional people share this word"  # noqa: S105 - of an instance that is thrown away


@click.command("demo")
@click.option(
    "--keep",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for the demonstration's own instance, new or empty. Without it nothing is kept.",
)
@click.option(
    "--lang", type=click.Choice(LANGUAGES), default=DEFAULT_LANGUAGE, help="Language to tell it in."
)
def command(keep: Path | None, lang: str) -> None:
    """Walk both scenarios through the real operations, say what each person sees, and check every step.

    Runs on a fresh instance of its own and touches no other. Ends with 1 if a check fails.

    \b
    Example: flask demo
    Example: flask demo --lang en --keep /tmp/look-at-it
    """
    if keep is not None and keep.exists() and any(keep.iterdir()):
        raise click.BadParameter("the folder is not empty", param_hint="--keep")
    folder = keep or Path(tempfile.mkdtemp(prefix="jejaring-demo-"))
    try:
        teller = run(new_instance(folder), lang)
    finally:
        if keep is None:
            shutil.rmtree(folder, ignore_errors=True)
    if teller.failed:
        raise SystemExit(FINDINGS)


def new_instance(folder: Path) -> Flask:
    """An application on a fresh instance: schema, reference data, starter directory, people to sign in as."""
    # Asked for here: the factory registers this command.
    from referral.factory import create_app

    logging.getLogger("alembic").setLevel(logging.WARNING)
    app = create_app(Settings.from_env({"JEJARING_INSTANCE": str(folder)}))
    with app.app_context():
        alembic.upgrade()
        session = _writing()
        load_reference(session, now=START)
        session.commit()
        load_starter()
        session = _writing()
        make_people(session, password=PASSWORD, agencies=agencies(START), now=START)
        session.commit()
    return app


def run(app: Flask, lang: str, teller: Teller | None = None) -> Teller:
    """Play every scene on this instance; the teller knows how many checks held and which did not."""
    clock = Clock(START)
    teller = teller or Teller(lang, clock)
    with app.app_context():
        cast = Cast.of(_writing(), teller, teller.clock, password=PASSWORD)
        try:
            play(cast)
        except JejaringError as error:
            # A step that is refused ends the story: what follows would build on it.
            cast.session.rollback()
            teller.check(False, "demo.refused", words=render(error.message, lang))
    teller.end()
    return teller


def play(cast: Cast) -> None:
    """Every scene, in order; each is committed step by step as a page would."""
    cast.teller.title("demo.title")
    cast.teller.sees("nobody", Message("demo.intro"))
    teenager(cast)
    mother_alone(cast)
    missing_help(cast)
    chain(cast)


def chain(cast: Cast) -> None:
    """Everything that was done is in the audit chain, unbroken, without a name."""
    session, teller = cast.session, cast.teller
    teller.title("demo.chain.title")
    teller.check(audit.first_break(session) is None, "demo.chain.check.whole")


def _writing() -> Session:
    session: Session = db.session
    take_write_lock(session)
    return session
