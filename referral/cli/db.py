"""Commands about the database: `flask db upgrade`."""

from datetime import UTC, datetime

import click
from sqlalchemy import select

from referral.cli.answering import Group
from referral.core.db import tables_change, take_write_lock
from referral.directory.models import Service
from referral.extensions import alembic
from referral.extensions import db as database
from referral.reference import load_reference

group = Group("db", help="Look after the database.")


@group.command()
def upgrade() -> None:
    """Bring schema and reference data (taxonomy, coded lists, penalties, gazetteer) up to date.

    \b
    Example: flask db upgrade
    """
    with tables_change(database.engine):
        alembic.upgrade()
    take_write_lock(database.session)
    load_reference(database.session, now=datetime.now(UTC))
    database.session.commit()


@group.command()
@click.argument("target", default="-1")
def downgrade(target: str) -> None:
    """Go back to an earlier schema (default: one step; `base`: before the first).

    \b
    Example: flask db downgrade base
    """
    with tables_change(database.engine):
        alembic.downgrade(target)


@group.command()
@click.argument("message")
def revision(message: str) -> None:
    """Write a migration for what changed in the tables.

    \b
    Example: flask db revision "letters of a referral"
    """
    alembic.revision(message)


@group.command()
def empty() -> None:
    """Say by the exit code whether the directory holds no listing yet (0: empty, 1: not).

    \b
    Example: flask db empty
    """
    raise SystemExit(0 if database.session.scalar(select(Service.id).limit(1)) is None else 1)
