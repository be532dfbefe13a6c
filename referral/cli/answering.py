"""How every command answers: its `--json` and `--lang`, its exit codes, and how it refuses."""

import json
from collections.abc import Callable
from functools import wraps
from typing import Any, NoReturn

import click
from sqlalchemy import inspect

from referral.core.errors import JejaringError, NotAllowed
from referral.core.text import DEFAULT_LANGUAGE, LANGUAGES, render
from referral.extensions import db
from referral.places.models import Place

FINDINGS, WRONG_USAGE = 1, 2

as_json = click.option("--json", "as_json", is_flag=True, help="Answer as JSON on stdout.")
language = click.option(
    "--lang", type=click.Choice(LANGUAGES), default=DEFAULT_LANGUAGE, help="Language of the answer."
)


def print_json(answer: Any) -> None:
    """One line of JSON on stdout, in the letters it was written with where UTF-8 has them."""
    line = json.dumps(answer, ensure_ascii=False)
    try:
        line.encode()
    except UnicodeEncodeError:
        line = json.dumps(answer)  # half a surrogate pair of somebody's text stays an escape
    click.echo(line)


def refuse(error: JejaringError, *, as_json: bool, lang: str) -> NoReturn:
    """Say what is wrong and what could have been meant, and end with WRONG_USAGE."""
    if as_json:
        print_json(error.as_json(lang))
    else:
        click.echo(render(error.message, lang), err=True)
        for candidate in error.candidates:
            is_place = isinstance(candidate, dict)
            words = f"{candidate['code']}  {candidate['name']}" if is_place else candidate
            click.echo(f"  {words}", err=True)
    raise SystemExit(WRONG_USAGE)


def has_schema() -> bool:
    """Whether the database was ever brought up to date."""
    return inspect(db.engine).has_table(Place.__tablename__)


def on_schema(call: Callable[..., Any]) -> Callable[..., Any]:
    """A command that reads the database: without its tables it says what to run first."""

    @wraps(call)
    def checked(*args: Any, **options: Any) -> Any:
        if not has_schema():
            refuse(
                NotAllowed("cli.upgrade_first"),
                as_json=options.get("as_json", False),
                lang=options.get("lang", DEFAULT_LANGUAGE),
            )
        return call(*args, **options)

    return checked
