"""`flask directory duplicates`: looks for listings that may be one."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from referral.cli.answering import Command, as_json, language, on_schema, print_json
from referral.core.db import take_write_lock
from referral.core.text import Message, render
from referral.directory.duplicates import finding, queries
from referral.directory.duplicates.finding import Candidate
from referral.extensions import db

SHOWN = 20


@click.command("duplicates", cls=Command)
@click.option(
    "--limit", type=click.IntRange(min=1), default=SHOWN, help="Pairs to print, most alike first."
)
@click.option(
    "--minimum-score",
    type=click.FloatRange(0, 1),
    default=finding.MINIMUM_SCORE,
    help="Pairs below this are not kept for the curators, 0 to 1.",
)
@as_json
@language
@on_schema
def command(limit: int, minimum_score: float, as_json: bool, lang: str) -> None:
    """Look through the whole directory for listings that may be one, and bring the curators' queue up to date.

    Nothing is merged. Pairs that a curator found different stay so.

    \b
    Example: flask directory duplicates --limit 50
    """
    found, candidates = finding.look(db.session, minimum_score=minimum_score)
    db.session.rollback()  # nobody else had to wait so far
    take_write_lock(db.session)
    waiting = finding.keep(db.session, found, candidates, now=datetime.now(UTC))
    db.session.commit()
    some = waiting[:limit]
    names = queries.names(
        db.session, {id_ for one in some for id_ in (one.first_id, one.second_id)}
    )
    if as_json:
        print_json(
            asdict(found)
            | {
                "minimum_score": minimum_score,
                "pairs": [
                    {
                        "first_id": str(one.first_id),
                        "first": names[one.first_id],
                        "second_id": str(one.second_id),
                        "second": names[one.second_id],
                        **_as_json(one, lang),
                    }
                    for one in some
                ],
            }
        )
        return
    click.echo(render(Message("duplicates.report.summary", asdict(found)), lang))
    _show(some, names, lang)


def _as_json(one: Candidate, lang: str) -> dict[str, Any]:
    km = one.judgement.distance_km
    return {
        "score": round(one.judgement.score, 3),
        "distance_km": None if km is None else round(km, 3),
        "reasons": [
            {
                "key": reason.message.key,
                "points": round(reason.points, 2),
                "because": render(reason.message, lang),
            }
            for reason in one.judgement.reasons
        ],
    }


def _show(some: list[Candidate], names: dict[Any, str], lang: str) -> None:
    if not some:
        return
    table = Table(
        *(render(Message(f"duplicates.report.{name}"), lang) for name in ("score", "pair", "why")),
        box=None,
    )
    for one in some:
        pair = f"{names[one.first_id]}\n{names[one.second_id]}"
        why = "\n".join(render(reason.message, lang) for reason in one.judgement.reasons[:2])
        table.add_row(f"{one.judgement.score:.2f}", escape(pair), escape(why))
    Console().print(table)
