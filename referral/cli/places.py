"""Commands about places: `flask places find`, `import`, `import-boundaries`, `coverage`."""

import csv
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from flask import current_app
from geopy.exc import GeopyError
from rich.console import Console
from rich.progress import track
from rich.table import Table

from referral.cli.answering import FINDINGS, Group, as_json, language, on_schema, print_json, refuse
from referral.core.db import take_write_lock
from referral.core.errors import Finding, Invalid, JejaringError, NotFound
from referral.core.text import km, label, number, render
from referral.extensions import db
from referral.places import operations, queries
from referral.places.geocoders import geocoder_from
from referral.places.rows import missing_columns

group = Group("places", help="Look up places and look after the gazetteer.")

existing_file = click.Path(exists=True, dir_okay=False, path_type=Path)


def _rows(path: Path) -> Iterator[dict[str, str]]:
    """Rows of a CSV file that has the columns a gazetteer needs. Raises Invalid."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            missing = missing_columns(reader.fieldnames or ())
            if missing:
                raise Invalid("place.file.columns", field="file", columns=", ".join(missing))
            yield from reader
    except (UnicodeDecodeError, csv.Error):
        raise Invalid("place.file.unreadable", field="file") from None


@group.command("import")
@click.argument("file", type=existing_file)
@click.option("--source", help="Name of the source; by default the file's name without its ending.")
@as_json
@language
@on_schema
def import_(file: Path, source: str | None, as_json: bool, lang: str) -> None:
    """Load a better gazetteer: columns kode, level, nama, kode_induk, lat, lon, penduduk_2024, or ours.

    Bad rows are reported and kept out, the rest is loaded. Ends with 1 if any row was bad.

    \b
    Example: flask places import gazetteer_l1_l3.csv
    """
    session = db.session
    take_write_lock(session)
    try:
        rows = track(
            list(_rows(file)), description=file.name, console=Console(stderr=True), transient=True
        )
        report = operations.load(session, rows, source=source or file.stem, now=datetime.now(UTC))
    except JejaringError as error:
        session.rollback()
        refuse(error, as_json=as_json, lang=lang)
    session.commit()
    _tell(report.as_counts(), report.findings, as_json=as_json, lang=lang)


def _tell(counts: dict[str, Any], found: list[Finding], *, as_json: bool, lang: str) -> None:
    """Say what became of a file, and end with FINDINGS where anything was wrong with it."""
    findings = [
        {
            "row": finding.row,
            "field": finding.field,
            "value": finding.value,
            "message": render(finding.message, lang),
        }
        for finding in found
    ]
    if as_json:
        print_json(counts | {"findings": findings})
    else:
        for finding in findings:
            click.echo(f"{finding['row']}: {finding['field']}: {finding['message']}", err=True)
        click.echo(", ".join(f"{name} {count}" for name, count in counts.items()))
    if findings:
        raise SystemExit(FINDINGS)


@group.command("import-boundaries")
@click.argument("geojson", type=existing_file)
@click.option(
    "--code", help="Property that holds the areas' codes; found by itself where it is not given."
)
@click.option("--source", help="Name of the source; by default the file's name without its ending.")
@as_json
@language
@on_schema
def import_boundaries(
    geojson: Path, code: str | None, source: str | None, as_json: bool, lang: str
) -> None:
    """Load outlines of areas from a GeoJSON file, for maps and to tell in which kab/kota a point lies.

    Crossed rings are mended and parts of one area joined. What can't be taken is reported with its feature and
    kept out. Ends with 1 if there was any.

    \b
    Example: flask places import-boundaries kabupaten.geojson --code kode
    """
    from referral.places import boundaries  # geometry loads slowly

    session = db.session
    try:
        found = track(
            boundaries.features(geojson),
            description=geojson.name,
            console=Console(stderr=True),
            transient=True,
        )
        read = boundaries.read(session, found, code_property=code)
        session.rollback()
        take_write_lock(session)
        report = boundaries.keep(session, read, source=source or geojson.stem)
    except JejaringError as error:
        session.rollback()
        refuse(error, as_json=as_json, lang=lang)
    session.commit()
    _tell(report.as_counts(), report.findings, as_json=as_json, lang=lang)


@group.command()
@click.argument("text")
@as_json
@language
@on_schema
def find(text: str, as_json: bool, lang: str) -> None:
    """Say which place a text means: its point, the area it lies in and how precise the point is.

    Ends with 2 when several places or none have the name, and offers what could be meant.

    \b
    Example: flask places find "Kec. Banyumanik, Kota Semarang"
    """
    gazetteer = queries.gazetteer(db.session)
    try:
        place = gazetteer.resolve(text)
    except JejaringError as error:
        refuse(error, as_json=as_json, lang=lang)
    located = gazetteer.locate(place.code)
    answer = {
        "code": place.code,
        "name": gazetteer.label(place.code),
        "level": place.level,
        "latitude": located and located.latitude,
        "longitude": located and located.longitude,
        "precision_km": located and located.precision_km,
        "point_of": located and located.at.code,
        "time_zone": gazetteer.time_zone(place.code),
    }
    if as_json:
        print_json(answer)
        return
    click.echo(f"{answer['code']}  {answer['name']}")
    if located:
        click.echo(
            f"{located.latitude:.5f}, {located.longitude:.5f}  ± {km(located.precision_km, lang)}"
            f"  ({located.at.name})"
        )


@group.command()
@click.argument("text")
@as_json
@language
@on_schema
def geocode(text: str, as_json: bool, lang: str) -> None:
    """Say where an address is, by the geocoder of the settings: the offline gazetteer, or Nominatim.

    Never give it where a client lives: an online geocoder is somebody else's machine.

    \b
    Example: flask places geocode "Kota Semarang" --json
    """
    geocoder = geocoder_from(current_app.config["SETTINGS"], queries.gazetteer(db.session))
    try:
        found = geocoder.geocode(text)
    except JejaringError as error:
        refuse(error, as_json=as_json, lang=lang)
    except GeopyError:
        refuse(NotFound("place.geocoder_silent", field="text"), as_json=as_json, lang=lang)
    if found is None:
        refuse(NotFound("place.geocoder_none", field="text", text=text), as_json=as_json, lang=lang)
    answer = {
        "address": found.address,
        "latitude": found.latitude,
        "longitude": found.longitude,
        "precision_km": found.raw.get("precision_km"),
    }
    if as_json:
        print_json(answer)
    else:
        click.echo("\n".join(f"{name}: {value}" for name, value in answer.items()))


@group.command()
@click.option(
    "--against", type=existing_file, help="CSV with kode, lat, lon to measure our points against."
)
@as_json
@language
@on_schema
def coverage(against: Path | None, as_json: bool, lang: str) -> None:
    """Count the places that have a point of their own, and compare the points with another list.

    \b
    Example: flask places coverage --against kabkota_seat.csv
    """
    gazetteer = queries.gazetteer(db.session)
    answer: dict[str, Any] = queries.coverage(gazetteer)
    if against:
        try:
            answer["against"] = queries.against(gazetteer, _points(against))
        except Invalid as error:
            refuse(error, as_json=as_json, lang=lang)
    if as_json:
        print_json(answer)
        return
    console = Console()
    heads = ("level", "placed", "total", "sources")
    table = Table(*(label(f"place.coverage.{head}", lang) for head in heads))
    for level in ("provinces", "regencies", "districts"):
        counted = answer[level]
        sources = ", ".join(f"{name} {n}" for name, n in sorted(counted["by_source"].items()))
        table.add_row(
            label(f"place.coverage.{level}", lang),
            number(counted["placed"], lang),
            number(counted["total"], lang),
            sources,
        )
    console.print(table)
    for level, spread in answer.get("against", {}).get("levels", {}).items():
        console.print(f"level {level}: " + ", ".join(f"{k} {v}" for k, v in spread.items()))
    for far in answer.get("against", {}).get("far", ()):
        away, give = km(far["km"], lang), km(far["precision_km"], lang)
        console.print(f"{far['code']} {far['name']}: {away} (± {give})")


def _points(path: Path) -> list[dict[str, str]]:
    """Rows of a CSV file with a point for each code. Raises Invalid."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            missing = {"kode", "lat", "lon"} - set(reader.fieldnames or ())
            if missing:
                columns = ", ".join(sorted(missing))
                raise Invalid("place.file.columns", field="against", columns=columns)
            return list(reader)
    except (UnicodeDecodeError, csv.Error):
        raise Invalid("place.file.unreadable", field="against") from None
