"""`flask match`: the options for one need, or for every line of a file; or a stored receipt worked out again."""

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import click
from flask.cli import with_appcontext
from rich.console import Console
from rich.table import Table

from referral.cli import receipts
from referral.cli.answering import (
    FINDINGS,
    Command,
    as_json,
    language,
    on_schema,
    print_json,
    refuse,
)
from referral.cli.answering import jsonl as lines_of
from referral.core.country import COUNTRY
from referral.core.errors import Invalid, JejaringError
from referral.core.text import km, km_range, label
from referral.directory.reference import taxonomy
from referral.extensions import db
from referral.matching.asking import query_from
from referral.matching.operations import answer
from referral.matching.receipts import printed
from referral.places.queries import gazetteer

#: The zone of a search that belongs to no office.
ZONE = COUNTRY.time_zone


@click.command("match", cls=Command)
@click.option("--need", help="Code of a need, as HE05; a domain code (HE) takes all its needs.")
@click.option("--near", metavar="LAT,LON", help="Point to measure from.")
@click.option("--place", metavar="TEXT", help='Area, as "Kec. Banyumanik, Kota Semarang".')
@click.option("--registered-in", metavar="CODE", help="Area code of the person's registration.")
@click.option("--age", metavar="YEARS", help="The beneficiary's age.")
@click.option("--sex", metavar="female|male")
@click.option("--desil", metavar="1-10", help="Income decile of the household.")
@click.option("--disability", multiple=True, metavar="CODE", help="May be given several times.")
@click.option("--language", multiple=True, metavar="ISO639-3", help="Languages the person speaks.")
@click.option("--lacks", multiple=True, metavar="DOC", help="Document that is missing, as KTP.")
@click.option("--urgency", metavar="emergency|urgent|routine")
@click.option("--at", metavar="ISO", help="When help is looked for; by default now.")
@click.option("--within", metavar="KM", help="Travel limit.")
@click.option("--limit", metavar="N", help="Most options to show; by default 20.")
@click.option("--jsonl", metavar="FILENAME", help="File of queries, or -.")
@click.option("--receipt", metavar="RECEIPT", help="Work a stored receipt out again and compare.")
@as_json
@language
@with_appcontext
@on_schema
def command(
    jsonl: str | None,
    receipt: str | None,
    as_json: bool,
    lang: str,
    lacks: tuple[str, ...],
    **options: Any,
) -> None:
    """Services that fit a need, nearest first, each with its reasons; and why others do not.

    With --receipt: whether a stored receipt is what is answered today, and why not (exit code 1).

    \b
    Example: flask match --need HE05 --near "-6.99,110.42" --age 16 --json
    Example: flask match --jsonl queries.jsonl > answers.jsonl
    Example: flask match --receipt 0199f3a2-5c1e-7d3b-9a41-2f6f0c9b1e77
    """
    if receipt is not None:
        if jsonl is not None or lacks or any(options.values()):
            refuse(Invalid("repeat.alone", field="receipt"), as_json=as_json, lang=lang)
        raise SystemExit(receipts.compare(receipt, as_json=as_json, lang=lang))
    if jsonl is not None:
        raise SystemExit(_batch(lines_of(jsonl, as_json=as_json, lang=lang), lang))
    given = options | {"documents_lacking": lacks}
    try:
        content = _answer(given)
    except JejaringError as error:
        refuse(error, as_json=as_json, lang=lang)
    if as_json:
        print_json(printed(content, lang))
    else:
        _show(content, lang)


def _answer(given: Mapping[str, Any]) -> dict[str, Any]:
    now = datetime.now(UTC)
    query = query_from(
        given, taxonomy=taxonomy(), gazetteer=gazetteer(db.session), now=now, zone=ZONE
    )
    return answer(db.session, query, zone=ZONE, now=now)


def _batch(lines: Iterable[bytes], lang: str) -> int:
    """One answer per line, in order; a line that can't be read gets its error and the rest go on."""
    refused = False
    for line_id, given in _queries(lines):
        try:
            if isinstance(given, JejaringError):
                raise given
            print_json({"id": line_id} | printed(_answer(given), lang))
        except JejaringError as error:
            refused = True
            print_json({"id": line_id} | error.as_json(lang))
    return FINDINGS if refused else 0


def _queries(lines: Iterable[bytes]) -> Iterator[tuple[Any, dict[str, Any] | JejaringError]]:
    for line in lines:
        try:
            given = json.loads(line)
        except (ValueError, RecursionError):
            given = None
        if not isinstance(given, dict):
            yield None, Invalid("match.query.not_json", field="line")
            continue
        line_id = given.pop("id", None)
        given.pop("step_km", None)  # a query copied from an answer asks the same again
        yield line_id, given


def _show(content: Mapping[str, Any], lang: str) -> None:
    shown = printed(content, lang)
    console = Console()
    console.print(shown["coverage"])
    for part in ("options", "remote", "why_not"):
        if not shown[part]:
            continue
        table = Table(title=label(f"match.list.{part}", lang), title_justify="left")
        for heading in ("#", "km", label("match.list.name", lang), label("match.list.why", lang)):
            table.add_column(heading)
        for rank, one in enumerate(shown[part], 1):
            table.add_row(
                str(rank),
                _distance(one, lang),
                one["name"],
                one.get("would_fit_if") or "; ".join(p["because"] for p in one["penalties"]),
            )
        console.print(table)


def _distance(entry: Mapping[str, Any], lang: str) -> str:
    """ "0–14 km" where an end is known only by its area; nothing where there is no distance."""
    if entry["distance_band"] is not None:
        return km_range(entry["distance_band"], lang)
    return "" if entry["distance_km"] is None else km(entry["distance_km"], lang)
