"""How every command answers: its `--json` and `--lang`, its exit codes, and how it refuses."""

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import wraps
from pathlib import Path
from typing import Any, NoReturn

import click
from flask.cli import AppGroup
from rich.console import Console
from rich.progress import track
from sqlalchemy import inspect

from referral.core.errors import Invalid, JejaringError, NotAllowed
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


class Command(click.Command):
    """A command whose wrong usage is answered as any other error where `--json` was asked for."""

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,
    ) -> click.Context:
        given = tuple(args)
        try:
            return super().make_context(info_name, args, parent, **extra)
        except click.UsageError as error:
            if "--json" not in given:
                raise
            refuse(_wrong_usage(error), as_json=True, lang=_language_in(given))


class Group(AppGroup):
    """A group of such commands."""

    command_class = Command


def _wrong_usage(error: click.UsageError) -> Invalid:
    if isinstance(error, click.NoSuchOption):
        return Invalid(
            "cli.usage.no_such_option",
            field=error.option_name,
            name=error.option_name,
            candidates=sorted(error.possibilities or ()),
        )
    if isinstance(error, click.BadOptionUsage):
        return Invalid("cli.usage.value_missing", field=error.option_name, name=error.option_name)
    param = error.param if isinstance(error, click.BadParameter) else None
    if param is None:
        return Invalid("cli.usage.wrong", problem=error.format_message())
    is_file = isinstance(param.type, (click.Path, click.File))
    kind = (
        "missing" if isinstance(error, click.MissingParameter) else "file" if is_file else "value"
    )
    return Invalid(
        f"cli.usage.{kind}",
        field=param.name,
        name=param.opts[0] if isinstance(param, click.Option) else param.human_readable_name,
        candidates=list(param.type.choices) if isinstance(param.type, click.Choice) else [],
    )


def _language_in(args: Sequence[str]) -> str:
    """The language a command line asks for, where the rest of it can't be read."""
    words = [word for arg in args for word in arg.split("=", 1)]
    asked = words[words.index("--lang") + 1 :][:1] if "--lang" in words else []
    return asked[0] if asked and asked[0] in LANGUAGES else DEFAULT_LANGUAGE


def jsonl(name: str, *, as_json: bool, lang: str) -> Iterator[bytes]:
    """The lines of a file, or of stdin for `-`, with progress on stderr."""
    try:
        content = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except OSError:
        error = Invalid("cli.file.unreadable", field="jsonl", file=name)
        refuse(error, as_json=as_json, lang=lang)
    # Only \n ends a line: a text may hold any other separator.
    lines = content.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    if lines[-1] == b"":
        lines.pop()
    errors = Console(stderr=True)
    yield from track(lines, console=errors, transient=True, disable=not errors.is_terminal)


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
