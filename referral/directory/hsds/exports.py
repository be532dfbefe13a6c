"""The public directory as files: HSDS JSON and data package, GeoJSON, and tables for spreadsheets."""

import csv
import io
import json
from collections.abc import Callable, Collection, Iterable, Iterator
from enum import StrEnum
from pathlib import Path
from threading import BoundedSemaphore
from typing import IO, Any, TypeVar
from uuid import UUID

import xlsxwriter
from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from referral.core.errors import NotFound
from referral.directory.hsds import package, vocabularies
from referral.directory.hsds.compiled import Listings
from referral.directory.hsds.finding import batches
from referral.directory.hsds.telling import Document, Row
from referral.directory.hsds.visible import visible
from referral.directory.models import Service
from referral.places.codes import no_finer_than_regency

Piece = TypeVar("Piece")

#: A cell that begins so would be a formula in a spreadsheet.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
#: What one cell and one sheet of a workbook hold.
LONGEST_CELL = 32_767
MOST_ROWS = 1_048_575


#: How often the whole directory is written at once: each time keeps a thread busy for a minute, and pages,
#: emergency numbers above all, need the others.
MOST_AT_ONCE = 2
_turns = BoundedSemaphore(MOST_AT_ONCE)


class Format(StrEnum):
    HSDS_JSON = "hsds-json"
    HSDS_CSV = "hsds-csv"
    GEOJSON = "geojson"
    CSV = "csv"
    XLSX = "xlsx"


#: columns of the tables, named as an import names them; one row is one service at one place
_POSITION = ("latitude", "longitude", "precision_km", "point_source")
COLUMNS = (
    "id",
    "service_at_location_id",
    "name",
    "organization",
    "status",
    "category",
    "description",
    "phone",
    "email",
    "url",
    "location",
    "address",
    "city",
    "province",
    "postal_code",
    "place",
    "latitude",
    "longitude",
    "precision_km",
    "point_source",
    "confidential",
    "remote",
    "sex",
    "minimum_age",
    "maximum_age",
    "desil_max",
    "disability",
    "eligibility_description",
    "fee",
    "capacity",
    "answer_mode",
    "service_area",
    "assured_date",
    "last_modified",
)


def take_turn() -> Callable[[], None] | None:
    """A turn to give the whole directory away, as what ends it (once); None while all turns are taken."""
    if not _turns.acquire(blocking=False):
        return None
    left = [_turns.release]

    def end() -> None:
        if left:
            left.pop()()

    return end


def in_turn(pieces: Iterable[Piece], end: Callable[[], None]) -> Iterator[Piece]:
    """The same pieces; the turn ends with them."""
    try:
        yield from pieces
    finally:
        end()


def write(
    session: Session, path: Path, kind: Format, services: Collection[UUID] = ()
) -> dict[str, int]:
    """Write the public directory, or only some services, to a file. Gives how much was written.

    Raises NotFound for a service that is not public. `path` is a folder for a data package, unless it ends
    in .zip.
    """
    known(session, services)
    if kind is Format.HSDS_CSV and path.suffix.lower() != ".zip":
        return {"services": package.write_folder(session, path, services)}
    with path.open("wb") as file:
        return write_file(session, file, kind, services)


def write_file(
    session: Session, file: IO[bytes], kind: Format, services: Collection[UUID] = ()
) -> dict[str, int]:
    """The same into an open file; a data package as zip."""
    if kind is Format.HSDS_CSV:
        return {"services": package.write_zip(session, file, services)}
    if kind is Format.XLSX:
        return _write_workbook(file, rows(session, services))
    counted = {"services" if kind is Format.HSDS_JSON else "rows": 0}
    lines = _LINES[kind]
    for written, text in lines(session, services):
        file.write(text.encode("utf-8", "backslashreplace"))
        counted[next(iter(counted))] += written
    return counted


def texts(session: Session, kind: Format) -> Iterator[str]:
    """The whole directory piece by piece, in a format that is text."""
    for _written, text in _LINES[kind](session, ()):
        yield text


def known(session: Session, services: Collection[UUID]) -> None:
    """Raises NotFound if one of the services is not public."""
    query = select(Service.id).where(Service.id.in_(services), visible("service"))
    missing = set(services) - set(session.scalars(query))
    if missing:
        raise NotFound("directory.unknown_service", field="service")


def documents(session: Session, services: Collection[UUID] = ()) -> Iterator[Document]:
    """Services as compiled documents, in the order asked for or that in which they came in."""
    for part in _parts(session, services):
        found = Listings.of_services(session, part)
        for one in part:
            told = found.service(one)
            if told is not None:
                yield told


def rows(session: Session, services: Collection[UUID] = ()) -> Iterator[dict[str, Any]]:
    """One row for every service at a place that may be told, and one for each service without."""
    for part in _parts(session, services):
        found = Listings.of_services(session, part)
        for told in filter(None, map(found.service, part)):
            for site in told.get("service_at_locations", [{}]):
                place = site.get("location")
                yield _row(told, site, found.row("location", UUID(place["id"])) if place else {})


def plain(value: Any) -> Any:
    """A cell that no spreadsheet takes for a formula."""
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return value


def _parts(session: Session, services: Collection[UUID]) -> Iterator[list[UUID]]:
    if services:
        yield list(dict.fromkeys(services))
        return
    query: Select[Any] = select(Service.id).where(
        visible("service"), Service.merged_into_id.is_(None)
    )
    yield from batches(session, "service", query)


def _json_lines(session: Session, services: Collection[UUID]) -> Iterator[tuple[int, str]]:
    """One service a line; a single one that was asked for is one object on several."""
    indent = 2 if len(services) == 1 else None
    for told in documents(session, services):
        yield 1, json.dumps(told, ensure_ascii=False, indent=indent) + "\n"


def _geojson(session: Session, services: Collection[UUID]) -> Iterator[tuple[int, str]]:
    yield 0, '{"type": "FeatureCollection", "features": ['
    separator = "\n"
    for row in rows(session, services):
        if row["latitude"] is None:
            continue
        properties = {
            name: value
            for name, value in row.items()
            if value is not None and name not in ("latitude", "longitude")
        }
        point = {"type": "Point", "coordinates": [row["longitude"], row["latitude"]]}
        feature = {"type": "Feature", "geometry": point, "properties": properties}
        yield 1, separator + json.dumps(feature, ensure_ascii=False)
        separator = ",\n"
    yield 0, "\n]}\n"


def _csv(session: Session, services: Collection[UUID]) -> Iterator[tuple[int, str]]:
    yield 0, "\ufeff" + _line(COLUMNS)  # the mark by which spreadsheets know UTF-8
    for row in rows(session, services):
        yield 1, _line([plain(row[name]) for name in COLUMNS])


def _line(cells: Any) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerow(cells)
    return text.getvalue()


_LINES = {Format.HSDS_JSON: _json_lines, Format.GEOJSON: _geojson, Format.CSV: _csv}


def _write_workbook(file: IO[bytes], found: Iterator[dict[str, Any]]) -> dict[str, int]:
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    book = xlsxwriter.Workbook(file, options)
    sheet = book.add_worksheet("services")
    sheet.write_row(0, 0, COLUMNS, book.add_format({"bold": True}))
    sheet.freeze_panes(1, 0)
    written = left_out = 0
    for row in found:
        if written == MOST_ROWS:
            left_out += 1
            continue
        written += 1
        for column, name in enumerate(COLUMNS):
            value = plain(row[name])
            if isinstance(value, str):
                sheet.write_string(written, column, value[:LONGEST_CELL])
            elif value is not None:
                sheet.write_number(written, column, value)
    book.close()
    return {"rows": written} | ({"left_out": left_out} if left_out else {})


def _row(told: Document, site: Document, where: Row) -> dict[str, Any]:
    """A row of a table; unlike HSDS it can say how far off a point may be, so it has the middle of areas too."""
    place = site.get("location", {})
    address: Document = next(iter(place.get("addresses", ())), {})
    facts = _facts(told)
    capacity: Document = next(iter(told.get("capacities", ())), {})
    codes = _facts(capacity).get(vocabularies.CAPACITY, [])
    costs = [cost.get("amount") for cost in told.get("cost_options", ())]
    street = ", ".join(
        address[name] for name in ("address_1", "address_2", "region") if address.get(name)
    )
    areas = site.get("service_areas") or told.get("service_areas", [])
    area, is_secret = where.get("area_code"), vocabularies.CONFIDENTIALITY in facts
    given = {
        "id": told["id"],
        "service_at_location_id": site.get("id"),
        "name": told["name"],
        "organization": told.get("organization", {}).get("name"),
        "status": told["status"],
        "category": facts.get(vocabularies.CATEGORY),
        "phone": [_number(phone) for phone in told.get("phones", ())],
        "location": place.get("name"),
        "address": street,
        "city": address.get("city"),
        "province": address.get("state_province"),
        "postal_code": address.get("postal_code"),
        "place": no_finer_than_regency(area) if is_secret else area,
        **{name: where.get(name) for name in _POSITION},
        "confidential": facts.get(vocabularies.CONFIDENTIALITY),
        "remote": facts.get(vocabularies.REMOTE),
        "sex": _said(facts, vocabularies.SEX),
        "desil_max": _said(facts, vocabularies.DESIL_MAX),
        "disability": _said(facts, vocabularies.DISABILITY),
        "fee": None if not costs else "free" if 0 in costs else "paid",
        "capacity": codes,
        "answer_mode": facts.get(vocabularies.ANSWER_MODE),
        "service_area": [area.get("name") for area in areas],
    }
    row = {name: told.get(name) for name in COLUMNS} | given
    return {name: _cell(value) for name, value in row.items()}


def _facts(told: Document) -> dict[str, list[str]]:
    """Codes of our vocabularies in a document's attributes."""
    found: dict[str, list[str]] = {}
    for attribute in told.get("attributes", ()):
        term = attribute["taxonomy_term"]
        if vocabularies.is_ours(term.get("taxonomy")):
            found.setdefault(term["taxonomy"], []).append(term["code"])
    return found


def _said(facts: dict[str, list[str]], vocabulary: str) -> list[str]:
    return [code for code in facts.get(vocabulary, ()) if code != vocabularies.ANY]


def _number(phone: Document) -> str:
    extension = phone.get("extension")
    return f"{phone['number']} ext {extension}" if extension is not None else str(phone["number"])


def _cell(value: Any) -> Any:
    """One value; several are separated as an import reads them."""
    if isinstance(value, list):
        return "|".join(str(one) for one in value if one) or None
    return value if value != "" else None
