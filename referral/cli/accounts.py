"""Commands about accounts: `flask accounts create-admin`, `demo`, `hint`; `token` is in cli/tokens.py."""

import os
import secrets
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import click
from flask import current_app
from rich.console import Console
from rich.table import Table
from sqlalchemy import select

from referral.accounts import operations, queries
from referral.accounts.demo import make_people
from referral.accounts.models import User
from referral.accounts.permissions import Role
from referral.changes import directory as directory_changes
from referral.changes.actors import SYSTEM
from referral.cli import tokens
from referral.cli.answering import Group, as_json, language, on_schema, print_json, refuse
from referral.cli.demo.cases import make_cases
from referral.core.db import take_write_lock
from referral.core.errors import Invalid, JejaringError, NotAllowed
from referral.core.text import Message, label, render
from referral.directory.models import Organization, Service
from referral.extensions import db
from referral.planning.gaps import releases as gaps

group = Group("accounts", help="Look after the people who sign in.")
group.add_command(tokens.group)

#: services of the starter directory whose organizations get demonstration staff
_STARTER = (
    "jejaring-starter",
    {"first": "pkbi-jateng-warga-utama", "second": "uptd-ppa-provinsi-33"},
)
_DEMO_AGENCY = ("demo", "agency", "Yayasan Contoh Peduli (demo)")


@group.command("create-admin")
@click.argument("email")
@click.option("--name", default="Administrator", help="Name shown in pages.")
@click.option(
    "--base-url", default="http://127.0.0.1:5000", help="Where this installation is reached."
)
@as_json
@language
@on_schema
def create_admin(email: str, name: str, base_url: str, as_json: bool, lang: str) -> None:
    """Make an administrator and print a one-time link to choose a password.

    For an administrator who is there already it prints a new link.

    \b
    Example: flask accounts create-admin adi@example.org --base-url https://jejaring.example.org
    """
    if not base_url.startswith(("http://", "https://")):
        refuse(Invalid("accounts.admin.base_url", field="base_url"), as_json=as_json, lang=lang)
    now = datetime.now(UTC)
    session = db.session
    take_write_lock(session)
    try:
        user = queries.find_by_email(session, email)
        if user is None:
            user = operations.invite(
                session, name=name, email=email, role=Role.ADMINISTRATOR, by=SYSTEM, now=now
            )
        elif user.role is not Role.ADMINISTRATOR:
            raise Invalid("accounts.admin.other_role", field="email")
        issued = operations.issue_link(session, user, by=SYSTEM, now=now)
    except JejaringError as error:
        session.rollback()
        refuse(error, as_json=as_json, lang=lang)
    session.commit()
    address = f"{base_url.rstrip('/')}/accounts/link?key={issued.token}"
    if as_json:
        answer = {"email": user.email, "link": address, "until": issued.link.expires_at.isoformat()}
        print_json(answer)
    else:
        click.echo(render(Message("accounts.admin.link", {"until": issued.link.expires_at}), lang))
        click.echo(address)


@group.command()
@as_json
@language
@on_schema
def demo(as_json: bool, lang: str) -> None:
    """Make the people and cases of the demonstration and print how to sign in. Refused in production.

    Their one password is made for this instance and kept in its folder, readable by its owner only.

    \b
    Example: flask accounts demo
    """
    session = db.session
    try:
        if current_app.config["SETTINGS"].JEJARING_ENV == "production":
            raise NotAllowed("accounts.demo.refused")
        take_write_lock(session)
        now = datetime.now(UTC)
        people = make_people(session, password=_password(), agencies=agencies(now), now=now)
        if make_cases(session, now=now):
            threshold = current_app.config["SETTINGS"].COUNT_THRESHOLD
            gaps.publish(session, threshold=threshold, by=SYSTEM, now=now)
    except JejaringError as error:
        session.rollback()
        refuse(error, as_json=as_json, lang=lang)
    session.commit()
    _show(list(people), as_json=as_json, lang=lang)


@group.command()
@as_json
@language
@on_schema
def hint(as_json: bool, lang: str) -> None:
    """Print how to sign in as the people of the demonstration, if there are any.

    \b
    Example: flask accounts hint
    """
    _show(list(queries.demo_people(db.session)), as_json=as_json, lang=lang)


def _show(people: list[User], *, as_json: bool, lang: str) -> None:
    password = _password() if people else None
    if as_json:
        rows = [{"email": one.email, "name": one.name, "role": one.role.value} for one in people]
        print_json({"password": password, "people": rows})
        return
    if password is None:
        click.echo(render(Message("accounts.demo.none"), lang))
        return
    click.echo(render(Message("accounts.demo.intro", {"password": password}), lang))
    table = Table(show_header=False, box=None, pad_edge=False)
    for one in people:
        table.add_row(one.email, one.name, label(f"accounts.role.{one.role}", lang))
    Console().print(table)


def agencies(now: datetime) -> dict[str, UUID]:
    """Two organizations of the starter directory, and one that exists for the demonstration only."""
    session = db.session
    source, wanted = _STARTER
    rows = session.execute(
        select(Service.source_id, Service.organization_id).where(
            Service.source == source, Service.source_id.in_(wanted.values())
        )
    )
    found = {row.source_id: row.organization_id for row in rows}
    if set(found) != set(wanted.values()):
        raise NotAllowed("accounts.demo.organizations")
    source, source_id, name = _DEMO_AGENCY
    own = session.scalar(
        select(Organization).where(
            Organization.source == source, Organization.source_id == source_id
        )
    )
    if own is None:
        own = Organization(source=source, source_id=source_id, name=name)
        session.add(own)
        directory_changes.record(session, own, service_id=None, by=SYSTEM, now=now)
        session.flush()
    return {key: found[starter_id] for key, starter_id in wanted.items()} | {"demo": own.id}


def _password() -> str:
    """The demonstration's password, made on first use."""
    path = Path(current_app.instance_path) / "demo_password"
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text("utf-8").strip()
    made = "-".join(secrets.token_hex(2) for _ in range(4))
    with os.fdopen(handle, "w") as file:
        file.write(made + "\n")
    return made
