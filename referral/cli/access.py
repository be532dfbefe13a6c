"""Commands about access: `flask gaps access` and `flask gaps nearest`."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

import click
import numpy as np

from referral.cli.answering import as_json, language, on_schema, print_json, refuse
from referral.cli.gaps import group
from referral.core.errors import JejaringError
from referral.core.text import Message, km, label, number, render
from referral.directory.kinds import SystemType
from referral.directory.reference import taxonomy
from referral.extensions import db
from referral.jobs import tasks
from referral.places.gazetteer import Gazetteer
from referral.places.queries import gazetteer
from referral.planning.access import distances
from referral.planning.access.explaining import (
    EXPLAINED,
    PER_ASKED,
    explained,
    per_how_many,
    whose_demand,
)
from referral.planning.access.measuring import RADIUS_KM, Summary, summarise
from referral.planning.access.operations import Workshop

category_option = click.option(
    "--category", default="", help="Kind of help or its domain, as HE05 or HE; by default any."
)


@group.command()
@category_option
@click.option(
    "--within",
    type=click.FloatRange(min=0, min_open=True),
    default=RADIUS_KM,
    show_default=True,
    metavar="KM",
    help="How far counts as within reach, straight line.",
)
@click.option(
    "--system",
    type=click.Choice([each.value for each in SystemType]),
    help="Kind of resource system.",
)
@click.option(
    "--keep", is_flag=True, help="First work out all categories for the pages, and keep them."
)
@as_json
@language
@on_schema
def access(
    category: str, within: float, system: str | None, keep: bool, as_json: bool, lang: str
) -> None:
    """Say by province how well people reach a kind of help: coverage, places per person, balanced FCA, RAAM.

    \b
    Example: flask gaps access --category HE05 --within 25
    """
    category = _code(category, as_json=as_json, lang=lang)
    if keep and not tasks.work_out_access(is_asked=True):
        click.echo(render(Message("access.busy"), lang), err=True)
    shop = Workshop(db.session, now=datetime.now(UTC), category=category, radius_km=within)
    demand = shop.demand(category)
    arrays, counted = shop.measured(shop.of(category, system), demand)
    country = shop.country
    nation = np.zeros(len(country.areas), int)
    rows = [
        *_rows([""], summarise(arrays, nation, 1, radius_km=within)),
        *_rows(
            country.provinces,
            summarise(arrays, country.province, len(country.provinces), radius_km=within),
        ),
    ]
    if as_json:
        print_json(
            {"category": category, "system": system, "within_km": within, "supply": counted}
            | {"areas": rows}
        )
        return
    places = gazetteer(db.session)
    of_how_many = per_how_many(counted)
    of_people = "of_asked" if of_how_many == PER_ASKED else "of_residents"
    heads = ("areas", "covered", "covered_areas", "nearest_km", "places", of_people, "cost")
    table = [["", *(label(f"access.head.{head}", lang) for head in heads)]]
    for row in rows:
        table.append(
            [
                _name(row["area"], places, lang),
                number(row["areas"], lang),
                _percent(row["covered"], lang),
                _percent(row["covered_areas"], lang),
                _km(row["nearest_km"], lang),
                number(row["places"], lang, digits=0),
                _plain(row["balanced_per_person"], lang, times=of_how_many),
                _plain(row["cost"], lang),
            ]
        )
    _print(table)
    click.echo(render(whose_demand(counted), lang))
    for measure in EXPLAINED:
        click.echo(render(explained(measure, radius_km=within, per=of_how_many), lang))


@group.command()
@category_option
@click.option(
    "--facility-type", "types", multiple=True, metavar="TYPE", help="Only this type of facility, as RSJ; may be repeated."
)  # fmt: skip
@click.option(
    "--within",
    type=click.FloatRange(min=0, min_open=True),
    default=RADIUS_KM,
    show_default=True,
    metavar="KM",
    help="How far counts as within reach, straight line.",
)
@click.option(
    "--told-only", is_flag=True, help="Leave out what only the type of facility suggests."
)
@as_json
@language
@on_schema
def nearest(
    category: str,
    types: tuple[str, ...],
    within: float,
    told_only: bool,
    as_json: bool,
    lang: str,
) -> None:
    """Count the areas, and the people who live there, that are farther than so many km from the nearest service.

    \b
    Example: flask gaps nearest --facility-type RSJ --within 50
    """
    category = _code(category, as_json=as_json, lang=lang)
    found = distances.farther(
        db.session,
        now=datetime.now(UTC),
        within_km=within,
        category=category,
        types=types,
        told_only=told_only,
    )
    if as_json:
        print_json(
            {
                "category": category,
                "facility_types": list(types),
                "within_km": within,
                "sites": found.sites,
                "usable": found.usable,
                "areas_without_point": found.unknown,
                "areas": [_farther_json(one) for one in (found.whole, *found.provinces)],
            }
        )
        return
    places = gazetteer(db.session)
    heads = ("areas", "farther", "share", "people_share", "median_km")
    table = [["", *(label(f"access.head.{head}", lang) for head in heads)]]
    for one in (found.whole, *found.provinces):
        table.append(
            [
                _name(one.area, places, lang),
                number(one.areas, lang),
                number(one.farther, lang),
                _percent(one.share, lang),
                _percent(one.people_share, lang),
                _km(one.median_km, lang),
            ]
        )
    _print(table)


def _code(category: str, *, as_json: bool, lang: str) -> str:
    """The category as the taxonomy writes it. Ends with what could have been meant where there is none such."""
    try:
        return taxonomy().get(category).code if category else ""
    except JejaringError as error:
        refuse(error, as_json=as_json, lang=lang)


def _rows(codes: Sequence[str], summary: Summary) -> list[dict[str, Any]]:
    """A summary as one JSON object for each area; what is not known or endless is null."""
    names = [field.name for field in fields(summary) if field.name != "people"]
    columns: Mapping[str, Any] = {name: getattr(summary, name) for name in names}
    return [
        {"area": code, **{name: _json(values[at]) for name, values in columns.items()}}
        for at, code in enumerate(codes)
    ]


def _json(value: Any) -> float | int | None:
    if isinstance(value, np.integer):
        return int(value)
    return float(f"{value:.6g}") if np.isfinite(value) else None


def _farther_json(one: distances.Farther) -> dict[str, Any]:
    return {
        "area": one.area,
        "areas": one.areas,
        "farther": one.farther,
        "share": _rounded(one.share),
        "people_share": _rounded(one.people_share),
        "median_km": _rounded(one.median_km),
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _name(code: str, places: Gazetteer, lang: str) -> str:
    return places.get(code).name if code in places else label("access.country", lang)


def _percent(value: float | None, lang: str) -> str:
    return "-" if value is None else f"{number(100 * value, lang, digits=1)} %"


def _plain(value: float | None, lang: str, *, times: int = 1) -> str:
    return "-" if value is None else number(times * value, lang, digits=2)


def _km(value: float | None, lang: str) -> str:
    return "-" if value is None else km(value, lang)


def _print(rows: Sequence[Sequence[str]]) -> None:
    """Columns as wide as their longest entry, numbers to the right."""
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    for first, *rest in rows:
        line = [first.ljust(widths[0])]
        line += [one.rjust(width) for one, width in zip(rest, widths[1:], strict=True)]
        click.echo("  ".join(line).rstrip())
