"""Where a resource should stand: `flask gaps site`."""

from datetime import UTC, datetime
from typing import Any

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from referral.cli.answering import as_json, language, on_schema, print_json, refuse
from referral.cli.gaps import group
from referral.core.errors import JejaringError
from referral.core.text import Message, km, label, listed, number, render
from referral.directory.reference import taxonomy
from referral.extensions import db
from referral.places.gazetteer import Gazetteer
from referral.places.queries import gazetteer
from referral.planning.gaps import figures
from referral.planning.siting import ground, operations
from referral.planning.siting.questions import (
    LEAST_KM,
    MOST_KM,
    MOST_SITES,
    Aim,
    By,
    Kind,
    Question,
)


@group.command("site")
@click.option("--category", required=True, help="Kind of help or its domain, as HE05 or HE.")
@click.option("--area", required=True, help="Province or kabupaten/kota, name or code.")
@click.option(
    "--within",
    type=click.IntRange(LEAST_KM, MOST_KM),
    metavar="KM",
    help="How far is near enough, straight line; by default what fits the area.",
)
@click.option(
    "--sites",
    type=click.IntRange(1, MOST_SITES),
    default=MOST_SITES,
    metavar="N",
    help="Look for up to so many sites.",
    show_default=True,
)
@click.option(
    "--aim",
    type=click.Choice([aim.value for aim in Aim]),
    default=Aim.PEOPLE.value,
    help="Reach as many people as possible, or make the distances of all as short as possible.",
    show_default=True,
)
@click.option(
    "--demand",
    type=click.Choice([by.value for by in By]),
    help="Who is counted; by default those of published gaps, before the first release everybody.",
)
@click.option(
    "--candidates",
    type=click.Choice([kind.value for kind in Kind]),
    multiple=True,
    help="Where it could stand; may be repeated; by default agency and seat.",
)
@click.option(
    "--facility-type",
    "types",
    metavar="TYPE",
    multiple=True,
    help="Only this type of facility is there already, as RSJ; may be repeated.",
)
@as_json
@language
@on_schema
def site(
    category: str,
    area: str,
    within: int | None,
    sites: int,
    aim: str,
    demand: str | None,
    candidates: tuple[str, ...],
    types: tuple[str, ...],
    as_json: bool,
    lang: str,
) -> None:
    """Work out at which one to five places a new resource reaches most people, and who is left out.

    Nothing is kept. People come from published figures alone, services from the public directory.

    \b
    Example: flask gaps site --category HE05 --area "Jawa Tengah" --facility-type RSJ
             flask gaps site --category VR01 --area 53 --within 50 --aim distance --json
    """
    places = gazetteer(db.session)
    usual = By.NEEDS if figures.latest(db.session) else By.POPULATION
    try:
        code = places.resolve(area).code
        question = Question(
            taxonomy().get(category).code,
            ground.area_of(places, code).code,
            within_km=float(within or ground.usual(places, code).within_km),
            aim=Aim(aim),
            kinds=tuple(Kind(kind) for kind in candidates) or (Kind.AGENCY, Kind.SEAT),
            by=By(demand) if demand else usual,
            services=types or None,
            most=sites,
        )
        answer = operations.work_out(db.session, question, now=datetime.now(UTC))
    except JejaringError as error:
        refuse(error, as_json=as_json, lang=lang)
    if as_json:
        asked = {"category": question.category, "area": question.area, **question.as_json()}
        print_json({"question": asked, **answer})
    else:
        _show(question, answer, places, lang)


def _show(question: Question, answer: dict[str, Any], places: Gazetteer, lang: str) -> None:
    table = Table(
        *(label(f"siting.head.{head}", lang) for head in ("sites", "at", "people", "share", "mean"))
    )
    before = {"count": 0, "sites": [], **answer["before"]}
    for state in (before, *answer["counts"]):
        names = [_name(answer["sites"][str(one["site"])], places) for one in state["sites"]]
        mean = state["mean_km"]
        table.add_row(
            str(state["count"]),
            escape(listed(names, lang)) if names else "–",
            number(state["people"], lang, digits=0 if state["people"] >= 10 else 1),
            f"{number(state['share'], lang)} %",
            km(mean, lang) if mean is not None else "–",
        )
    Console().print(table)
    people = {
        "people": answer["people"]["all"],
        "who": Message(f"siting.by.{question.by}"),
        "km": question.within_km,
    }
    click.echo(render(Message("siting.told", people), lang))
    if not all(count["is_proven"] for count in answer["counts"]):
        click.echo(render(Message("siting.unproven"), lang))


def _name(site: dict[str, Any], places: Gazetteer) -> str:
    near = places.get(site["near"])
    return f"{site['name']} ({near.name})" if site["name"] else near.name
