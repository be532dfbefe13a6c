"""Commands about the directory: `flask directory import`, `starter`."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import click
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from referral.cli import duplicates
from referral.cli.answering import FINDINGS, Group, as_json, language, on_schema, refuse
from referral.cli.export import export
from referral.core.db import take_write_lock
from referral.core.errors import JejaringError
from referral.core.text import Message, render
from referral.directory import reference
from referral.directory.intake import runs
from referral.directory.intake.formats import AUTO, FORMATS
from referral.directory.intake.runs import Outcome
from referral.directory.intake.upsert import Taken
from referral.extensions import db

group = Group("directory", help="Fill the directory of services.")
group.add_command(duplicates.command)
group.command("export")(export)

SHOWN = 20
STARTER = reference.FOLDER / "starter"
dry = click.option("--dry-run", is_flag=True, help="Say what would happen and change nothing.")


@group.command("import")
@click.argument("path", type=click.Path(path_type=Path))
@click.option(
    "--format",
    "kind",
    type=click.Choice([AUTO, *FORMATS]),
    default=AUTO,
    help="What PATH is; by default what is in it says so.",
)
@click.option(
    "--mapping",
    "mapping_path",
    type=click.Path(path_type=Path),
    help="YAML file; by default the one in directory_data/mappings that fits best.",
)
@click.option("--sheet", help="Sheet of a workbook; by default the first.")
@click.option("--source", help="Name of the source; by default the mapping's.")
@dry
@as_json
@language
@on_schema
def import_(
    path: Path,
    kind: str,
    mapping_path: Path | None,
    sheet: str | None,
    source: str | None,
    dry_run: bool,
    as_json: bool,
    lang: str,
) -> None:
    """Take services into the directory; doing it again changes only what changed.

    PATH is HSDS (JSON, ndjson, or a data package as folder or zip), a table (CSV or a workbook), a folder of
    tables, GeoJSON, or an answer of OpenStreetMap's Overpass API. Bad values are reported and left out, the
    rest of the row and of the file is kept. Ends with 1 if anything was found wrong.

    \b
    Example: flask directory import facilities_all.csv
    """
    try:
        answers = [
            _import(path, mapping_path, format=kind, source=source, sheet=sheet, dry_run=dry_run)
        ]
    except JejaringError as error:
        db.session.rollback()
        refuse(error, as_json=as_json, lang=lang)
    _answer(answers, dry_run=dry_run, as_json=as_json, lang=lang)


@group.command()
@dry
@as_json
@language
@on_schema
def starter(dry_run: bool, as_json: bool, lang: str) -> None:
    """Load the starter directory: real services of Indonesia from public facts, not yet verified.

    \b
    Example: flask directory starter
    """
    try:
        answers = load_starter(dry_run=dry_run)
    except JejaringError as error:
        db.session.rollback()
        refuse(error, as_json=as_json, lang=lang)
    _answer(answers, dry_run=dry_run, as_json=as_json, lang=lang)


def load_starter(*, dry_run: bool = False) -> list[tuple[str, Outcome]]:
    """Take every file of the starter directory in; gives each file's name and report."""
    mapping = reference.FOLDER / "mappings" / "starter.yaml"
    paths = sorted(STARTER.glob("*.csv"))
    return [_import(path, mapping, format="table", dry_run=dry_run) for path in paths]


def _import(
    path: Path,
    mapping: Path | None,
    *,
    format: str = AUTO,  # noqa: A002 - the option's name
    source: str | None = None,
    sheet: str | None = None,
    dry_run: bool = False,
) -> tuple[str, Outcome]:
    session, guides = db.session, runs.guides(db.session, now=datetime.now(UTC))
    session.rollback()
    run = None
    if not dry_run:
        take_write_lock(session)
        run = runs.begin(session, file_name=path.name, now=guides.now)
    with _progress() as bar:
        task = bar.add_task(path.name, total=None)

        def heard(taken: Taken, total: int | None) -> None:
            bar.update(task, advance=taken.count, total=total)

        outcome = runs.perform(
            session,
            path,
            guides,
            run=run,
            dry_run=dry_run,
            format=format,
            mapping=mapping,
            source=source,
            sheet=sheet,
            clock=lambda: datetime.now(UTC),
            heard=heard,
        )
    return path.name, outcome


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )


def _answer(
    answers: Sequence[tuple[str, Outcome]], *, dry_run: bool, as_json: bool, lang: str
) -> None:
    if as_json:
        _print(answers, dry_run, lang)
    else:
        for name, outcome in answers:
            _show(name, outcome, lang)
    if any(outcome.findings for _, outcome in answers):
        raise SystemExit(FINDINGS)


def _print(answers: Sequence[tuple[str, Outcome]], dry_run: bool, lang: str) -> None:
    """One line of JSON, written piece by piece: there may be as many findings as rows."""
    several = len(answers) != 1
    click.echo('{"files": [' if several else "", nl=False)
    for place, (name, outcome) in enumerate(answers):
        head = json.dumps(
            {
                "file": name,
                "source": outcome.source,
                "format": outcome.format,
                "mapping": outcome.mapping,
                "dry_run": dry_run,
                **{count: getattr(outcome, count) for count in ("rows", *runs.COUNTS)},
            },
            ensure_ascii=True,
        )
        click.echo(f'{", " if place else ""}{head[:-1]}, "findings": [', nl=False)
        for number, finding in enumerate(outcome.findings):
            one = json.dumps(
                {
                    "file": finding.file or name,
                    "row": finding.row,
                    "field": finding.field,
                    "value": finding.value,
                    "code": finding.message.key.removeprefix("directory.import."),
                    "reason": render(finding.message, lang),
                }
            )
            click.echo(f"{', ' if number else ''}{one}", nl=False)
        click.echo("]}", nl=False)
    click.echo("]}" if several else "")


def _show(name: str, outcome: Outcome, lang: str) -> None:
    counts = ("rows", *runs.COUNTS)
    words = Message("directory.import.summary", {c: getattr(outcome, c) for c in counts})
    click.echo(
        f"{name} ({outcome.source}, {outcome.mapping or outcome.format}): {render(words, lang)}"
    )
    if not outcome.findings:
        return
    console = Console(stderr=True)
    table = Table("file", "row", "field", "value", "reason", box=None)
    for finding in islice(outcome.findings, SHOWN):
        place = (finding.file or name, str(finding.row), finding.field, escape(finding.value))
        table.add_row(*place, render(finding.message, lang))
    console.print(table)
    total = Message("directory.import.findings", {"total": len(outcome.findings), "shown": SHOWN})
    click.echo(render(total, lang), err=True)
