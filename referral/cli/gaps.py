"""Commands about gaps: `flask gaps release`, `show`, `certificate`, `audit`. They tell what a planner may read."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, NoReturn

import click

from referral.changes.actors import OPERATOR
from referral.cli.answering import (
    FINDINGS,
    Group,
    as_json,
    language,
    on_schema,
    print_json,
    refuse,
)
from referral.core.errors import Invalid, JejaringError, NotFound
from referral.core.text import Message, label, render
from referral.directory.reference import taxonomy
from referral.extensions import db
from referral.jobs import tasks
from referral.places.codes import no_finer_than_regency
from referral.places.queries import gazetteer
from referral.planning.disclosure.certificate import Certificate
from referral.planning.gaps import figures, releases
from referral.planning.gaps.cuts import DIMENSIONS, UNKNOWN, Key
from referral.planning.gaps.figures import Figures
from referral.planning.gaps.models import Audience, GapRelease, Measure
from referral.planning.gaps.periods import window
from referral.planning.gaps.words import Words

group = Group("gaps", help="Release and read the counts of needs that nothing met.")
audience = click.option(
    "--audience",
    type=click.Choice([each.value for each in Audience]),
    default=Audience.PLANNERS.value,
    help="Whose release.",
    show_default=True,
)


@group.command()
@as_json
@language
@on_schema
def release(as_json: bool, lang: str) -> None:
    """Count what is new and release it: the quarter that has ended, else the running one, each once.

    \b
    Example: flask gaps release
    """
    quarter = releases.possible(db.session, now=datetime.now(UTC))
    made = tasks.release_gaps(quarter, lambda: OPERATOR) if quarter else False
    newest = figures.latest(db.session)
    if as_json:
        print_json({"made": made, "release": _as_json(newest)})
    elif not made or newest is None:
        click.echo(render(Message("gaps.not_due"), lang))
    else:
        told = [Certificate.from_json(one) for one in newest.certificate.values()]
        counts = {name: sum(getattr(one, name) for one in told) for name in _COUNTS}
        params = {"quarter": newest.quarter, "threshold": newest.threshold, **counts}
        click.echo(render(Message("gaps.made", params), lang))


@group.command()
@click.option("--category", default="", help="Kind of help or its domain, as FC05 or FC.")
@click.option(
    "--area", default="", help="Province or kabupaten/kota, name or code; ? for not known."
)
@click.option("--reason", default="", help="Coded reason or its axis, as U01 or availability.")
@click.option("--period", default="", help="One quarter, as 2026-Q3.")
@click.option(
    "--measure",
    type=click.Choice([each.value for each in Measure]),
    default=Measure.UNMET.value,
    help="What is counted.",
    show_default=True,
)
@click.option("--by", type=click.Choice(DIMENSIONS), help="List what is inside, one step narrower.")
@click.option(
    "--trend", is_flag=True, help="List how the figure came and went, quarter by quarter."
)
@audience
@as_json
@language
@on_schema
def show(
    category: str,
    area: str,
    reason: str,
    period: str,
    measure: str,
    by: str | None,
    trend: bool,
    audience: str,
    as_json: bool,
    lang: str,
) -> None:
    """Tell a published figure, or the wider one that stands in where it may not be told.

    \b
    Example: flask gaps show --category FC05 --area "Kota Semarang"
             flask gaps show --category FC --by area --lang en
             flask gaps show --reason availability --trend --json
    """
    newest = _newest(audience, as_json=as_json, lang=lang)
    found = figures.read(db.session, newest, Measure(measure))
    try:
        key = _key(found, newest, category, area, reason, period)
    except JejaringError as error:
        refuse(error, as_json=as_json, lang=lang)
    told, words = found.told(key), Words(db.session, newest, lang)
    inside = found.inside(key, by) if by else []
    points = figures.trend(db.session, key, Measure(measure), Audience(audience)) if trend else []
    if as_json:
        print_json(
            {
                "release": _as_json(newest),
                "measure": measure,
                "wanted": asdict(told.wanted),
                "told": asdict(told.key) if told.key else None,
                "people": told.people,
                "words": words.told(told),
                "inside": [asdict(one) | _seen(found, one) for one in inside],
                "trend": [asdict(point) for point in points],
            }
        )
        return
    params = {
        "quarter": newest.quarter,
        "made_at": newest.made_at,
        "measure": label(f"gaps.measure.{measure}", lang),
    }
    click.echo(render(Message("gaps.release", params), lang))
    click.echo(words.told(told))
    rows: list[tuple[str, ...]] = []
    for one in inside:
        rows.append((getattr(words, str(by))(getattr(one, str(by))), words.people(found.cell(one))))
    rows += [
        (point.quarter, *(words.people(cell) if cell else "" for cell in (point.own, point.year)))
        for point in points
    ]
    _print(rows)


@group.command()
@audience
@as_json
@language
@on_schema
def certificate(audience: str, as_json: bool, lang: str) -> None:
    """Print what was hidden in the newest release, what the audit found, and the digest to check a copy with.

    \b
    Example: flask gaps certificate --audience public --json
    """
    newest = _newest(audience, as_json=as_json, lang=lang)
    if as_json:
        print_json(_as_json(newest))
        return
    for measure, content in newest.certificate.items():
        click.echo(label(f"gaps.measure.{measure}", lang))
        flat = {**content, **content["audit"]}
        _print([(f"  {name}", str(value)) for name, value in flat.items() if name != "audit"])


@group.command()
@as_json
@language
@on_schema
def audit(as_json: bool, lang: str) -> None:
    """Prove the newest releases again from what is stored (exit code 0: nothing found; 1: something is wrong).

    \b
    Example: flask gaps audit --json
    """
    answers, lines = [], []
    for whose in Audience:
        newest = _newest(whose.value, as_json=as_json, lang=lang)
        found = releases.check(db.session, newest)
        about = {"quarter": newest.quarter, "audience": newest.audience.value}
        answers += [about | {"findings": [asdict(one) for one in found]}]
        lines += [
            Message(
                "gaps.audit.wrong",
                about
                | {
                    "measure": Message(f"gaps.measure.{one.measure.value}"),
                    "what": Message(f"gaps.audit.{one.what}", {"figures": one.figures}),
                },
            )
            for one in found
        ] or [Message("gaps.audit.fine", about)]
    if as_json:
        print_json(answers)
    else:
        for line in lines:
            click.echo(render(line, lang))
    if any(answer["findings"] for answer in answers):
        raise SystemExit(FINDINGS)


_COUNTS = ("shown", "small", "withheld")


def _newest(audience: str, *, as_json: bool, lang: str) -> GapRelease:
    newest = figures.latest(db.session, Audience(audience))
    if newest is None:
        _refuse_none(as_json=as_json, lang=lang)
    return newest


def _refuse_none(*, as_json: bool, lang: str) -> NoReturn:
    refuse(NotFound("gaps.none"), as_json=as_json, lang=lang)


def _key(
    found: Figures, newest: GapRelease, category: str, area: str, reason: str, period: str
) -> Key:
    """The figure that is asked for. Raises Invalid for a part that there is not."""
    if category and category not in taxonomy():
        raise Invalid("gaps.category_unknown", field="category")
    if area and not area.endswith(UNKNOWN):
        area = no_finer_than_regency(gazetteer(db.session).resolve(area).code) or ""
    known = {key.reason for key in found} | set(found.tree.reasons)
    if reason and reason not in known:
        raise Invalid("gaps.reason_unknown", field="reason", candidates=sorted(known - {""}))
    quarters = window(newest.quarter)
    if period and period not in quarters:
        raise Invalid("gaps.period_unknown", field="period", candidates=list(quarters))
    return Key(area, category, reason, period)


def _seen(found: Figures, key: Key) -> dict[str, Any]:
    return asdict(found.cell(key))


def _as_json(newest: GapRelease | None) -> dict[str, Any] | None:
    if newest is None:
        return None
    return {
        "quarter": newest.quarter,
        "audience": newest.audience.value,
        "made_at": newest.made_at.isoformat(),
        "threshold": newest.threshold,
        "certificate": newest.certificate,
    }


def _print(rows: Sequence[tuple[str, ...]]) -> None:
    """Lines whose first column is as wide as its longest entry."""
    width = max((len(row[0]) for row in rows), default=0)
    for first, *rest in rows:
        click.echo("  ".join([first.ljust(width), *(one.rjust(7) for one in rest)]).rstrip())
