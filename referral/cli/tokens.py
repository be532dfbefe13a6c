"""`flask accounts token new|list|revoke`: tokens of other systems."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import click
from rich.console import Console
from rich.table import Table

from referral.accounts import queries, tokens
from referral.accounts.permissions import SCOPES
from referral.changes.actors import SYSTEM
from referral.cli.answering import Group, as_json, language, on_schema, print_json, refuse
from referral.core.db import take_write_lock
from referral.core.errors import Invalid, JejaringError
from referral.core.text import Message, label, render
from referral.directory import organizations
from referral.extensions import db

group = Group("token", help="Look after the tokens that other systems ask with.")


@group.command()
@click.option("--name", required=True, help="Which system uses it.")
@click.option("--office", metavar="NAME", help="Office whose system it is.")
@click.option("--organization", metavar="NAME", help="Agency whose system it is, instead.")
@click.option(
    "--scope",
    type=click.Choice(sorted(SCOPES)),
    multiple=True,
    default=["match"],
    help="What it may be used for; by default match.",
)
@click.option("--days", type=int, default=tokens.DAYS, help="How long it lasts; by default 365.")
@click.option("--by", metavar="EMAIL", required=True, help="Administrator who answers for it.")
@as_json
@language
@on_schema
def new(
    name: str,
    office: str | None,
    organization: str | None,
    scope: tuple[str, ...],
    days: int,
    by: str,
    as_json: bool,
    lang: str,
) -> None:
    """Make a token and print it, this once.

    \b
    Example: flask accounts token new --name "SIM Dinsos" --office "Dinsos Kota" --by adi@example.org
    """
    now = datetime.now(UTC)
    session = db.session
    take_write_lock(session)
    try:
        user = queries.find_by_email(session, by)
        if user is None:
            raise Invalid("accounts.token.by", field="by")
        issued = tokens.issue(
            session,
            name=name,
            office_id=_office(office),
            organization_id=_organization(organization),
            scopes=scope,
            days=days,
            by=user,
            now=now,
        )
    except JejaringError as error:
        session.rollback()
        refuse(error, as_json=as_json, lang=lang)
    session.commit()
    until = issued.token.expires_at
    if as_json:
        print_json({"token": issued.text, "until": until.isoformat()})
    else:
        params = {"name": issued.token.name, "until": until}
        click.echo(render(Message("accounts.token.shown_once", params), lang), err=True)
        click.echo(issued.text)


@group.command("list")
@as_json
@language
@on_schema
def listed(as_json: bool, lang: str) -> None:
    """List every token by its first letters, also those that are over.

    \b
    Example: flask accounts token list
    """
    now = datetime.now(UTC)
    session = db.session
    offices = {one.id: one.name for one in queries.offices(session)}
    rows: list[dict[str, Any]] = [
        {
            "begins": one.begins,
            "name": one.name,
            "whose": offices[one.office_id]
            if one.office_id
            else organizations.name_of(session, one.organization_id),
            "scopes": one.scopes,
            "state": tokens.state_of(one, now=now),
            "until": one.expires_at.isoformat(),
            "last_used_on": one.last_used_at and one.last_used_at.date().isoformat(),
        }
        for one in tokens.issued(session)
    ]
    if as_json:
        print_json({"tokens": rows})
        return
    if not rows:
        click.echo(render(Message("accounts.token.none"), lang))
        return
    table = Table(show_header=False, box=None, pad_edge=False)
    for row in rows:
        state = label(f"accounts.token.state.{row['state']}", lang)
        table.add_row(row["begins"], row["name"], row["whose"], state, row["until"][:10])
    Console().print(table)


@group.command()
@click.argument("begins")
@as_json
@language
@on_schema
def revoke(begins: str, as_json: bool, lang: str) -> None:
    """End a token at once. BEGINS are its first letters, as `list` shows them.

    \b
    Example: flask accounts token revoke jj_1a2b3c4d
    """
    session = db.session
    take_write_lock(session)
    try:
        token = tokens.get_beginning(session, begins)
    except JejaringError as error:
        session.rollback()
        refuse(error, as_json=as_json, lang=lang)
    tokens.revoke(session, token, by=SYSTEM, now=datetime.now(UTC))
    session.commit()
    if as_json:
        print_json({"begins": begins, "state": "revoked"})
    else:
        click.echo(render(Message("accounts.token.revoked", {"begins": begins}), lang))


def _office(name: str | None) -> UUID | None:
    if name is None:
        return None
    offices = {one.name: one.id for one in queries.offices(db.session)}
    if name not in offices:
        raise Invalid(
            "accounts.token.office_unknown", field="office", name=name, candidates=[*offices]
        )
    return offices[name]


def _organization(name: str | None) -> UUID | None:
    if name is None:
        return None
    found = organizations.named(db.session, name)
    if len(found) != 1:
        key = "ambiguous" if found else "unknown"
        raise Invalid(
            f"accounts.organization.{key}",
            field="organization",
            candidates=[one.name for one in found],
        )
    return found[0].id
