"""Commands about the directory: `flask directory import`, `starter`."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from referral.cli import duplicates
from referral.cli.answering import FINDINGS, Group, as_json, language, on_schema, print_json, refuse
from referral.cli.export import export
from referral.core.db import take_write_lock
from referral.core.errors import JejaringError
from referral.core.text import Message, render
from referral.directory import reference
from referral.directory.intake import files
from referral.directory.intake.imports import BATCH, Import, Report
from referral.directory.intake.mapping import TableMapping, best_fit
from referral.extensions import db
from referral.places.queries import gazetteer

group = Group("directory", help="Fill the directory of services.")
group.add_command(duplicates.command)
group.command("export")(export)

SHOWN = 20
MAPPINGS = reference.FOLDER / "mappings"
STARTER = reference.FOLDER / "starter"
dry = click.option("--dry-run", is_flag=True, help="Say what would happen and change nothing.")


@group.command("import")
@click.argument("path", type=click.Path(path_type=Path))
@click.option(
    "--format",
    "kind",
    type=click.Choice(["auto", "table"]),
    default="auto",
    help="A table is a CSV file with a heading.",
)
@click.option(
    "--mapping",
    "mapping_path",
    type=click.Path(path_type=Path),
    help="YAML file; by default the one in directory_data/mappings that fits the heading best.",
)
@click.option("--source", help="Name of the source; by default the mapping's.")
@dry
@as_json
@language
@on_schema
def import_(
    path: Path,
    kind: str,  # noqa: ARG001 - there is one format so far
    mapping_path: Path | None,
    source: str | None,
    dry_run: bool,
    as_json: bool,
    lang: str,
) -> None:
    """Take a table of services into the directory; doing it again changes only what changed.

    Bad values are reported and left out, the rest of the row and of the file is kept. Ends with 1 if
    anything was found wrong.

    \b
    Example: flask directory import facilities_all.csv
    """
    try:
        mapping = None if mapping_path is None else TableMapping.from_yaml(mapping_path)
        answers = [_import(path, mapping, source=source, dry_run=dry_run)]
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


def load_starter(*, dry_run: bool = False) -> list[tuple[str, Report]]:
    """Take every file of the starter directory in; gives each file's name and report."""
    mapping = TableMapping.from_yaml(MAPPINGS / "starter.yaml")
    paths = sorted(STARTER.glob("*.csv"))
    return [_import(path, mapping, source=None, dry_run=dry_run) for path in paths]


def _import(
    path: Path, mapping: TableMapping | None, *, source: str | None, dry_run: bool
) -> tuple[str, Report]:
    session, now = db.session, datetime.now(UTC)
    with ExitStack() as stack:
        table = stack.enter_context(files.opened(path))
        if mapping is None:
            shipped = [TableMapping.from_yaml(each) for each in sorted(MAPPINGS.glob("*.yaml"))]
            mapping = best_fit(shipped, table.header)
        bar = stack.enter_context(_progress())
        task = bar.add_task(path.name, total=table.total)
        # Asking for places reads; the first batch takes the lock for writing before it does.
        take_write_lock(db.session)
        run = Import(
            session, mapping, reference.known(), gazetteer(session), source=source, now=now
        )
        for batch in _batches(table.rows):
            run.take(batch)
            if not dry_run:
                session.commit()
                take_write_lock(db.session)
            bar.advance(task, len(batch))
        if dry_run:
            session.rollback()
        else:
            session.commit()
    return path.name, run.report


def _batches(rows: Iterable[Any]) -> Iterator[Sequence[Any]]:
    rows = iter(rows)
    while batch := list(islice(rows, BATCH)):
        yield batch


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
    answers: Sequence[tuple[str, Report]], *, dry_run: bool, as_json: bool, lang: str
) -> None:
    if as_json:
        files_ = [_as_json(name, report, dry_run, lang) for name, report in answers]
        answer = files_[0] if len(files_) == 1 else {"files": files_}
        print_json(answer)
    else:
        for name, report in answers:
            _show(name, report, lang)
    if any(report.findings for _, report in answers):
        raise SystemExit(FINDINGS)


def _as_json(name: str, report: Report, dry_run: bool, lang: str) -> dict[str, Any]:
    return {
        "file": name,
        "source": report.source,
        "mapping": report.mapping,
        "dry_run": dry_run,
        "rows": report.rows,
        "created": report.created,
        "updated": report.updated,
        "unchanged": report.unchanged,
        "left_out": report.left_out,
        "unplaced": report.unplaced,
        "findings": [
            {
                "file": name,
                "row": finding.row,
                "field": finding.field,
                "value": finding.value,
                "code": finding.message.key.removeprefix("directory.import."),
                "reason": render(finding.message, lang),
            }
            for finding in report.findings
        ],
    }


def _show(name: str, report: Report, lang: str) -> None:
    counts = ("rows", "created", "updated", "unchanged", "left_out", "unplaced")
    words = Message("directory.import.summary", {c: getattr(report, c) for c in counts})
    click.echo(f"{name} ({report.source}, {report.mapping}): {render(words, lang)}")
    if not report.findings:
        return
    console = Console(stderr=True)
    table = Table("row", "field", "value", "reason", box=None)
    for finding in report.findings[:SHOWN]:
        reason = render(finding.message, lang)
        table.add_row(str(finding.row), finding.field, escape(finding.value), reason)
    console.print(table)
    total = Message("directory.import.findings", {"total": len(report.findings), "shown": SHOWN})
    click.echo(render(total, lang), err=True)
