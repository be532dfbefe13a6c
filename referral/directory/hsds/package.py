"""HSDS's tabular data package: a CSV file for every table, and a description of them all."""

import csv
import io
import json
import zipfile
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO, Any
from uuid import UUID

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from referral.directory.hsds import vocabularies
from referral.directory.hsds.compiled import Listings
from referral.directory.hsds.finding import batches
from referral.directory.hsds.shape import TABLES, VERSION, Field, Kind, Table, dump_row, is_stand_in
from referral.directory.hsds.telling import PLACES, PLACES_ID, Row, as_told
from referral.directory.hsds.visible import MODELS, hides_nothing, history_leaves, visible
from referral.directory.models import Attribute, Service, TaxonomyTerm, Unit

#: Rows read at once.
BATCH = 1000
#: What stands in a cell that the package requires and nobody has said anything for.
NOT_SAID = "-"
DESCRIPTOR = "datapackage.json"
#: Rows that only stand in for one that the source does not have, and that others need in a package.
_NEEDED_STAND_INS = ("organization", "unit")
#: Tables whose rows are about a row of any table, and the link to it.
_ABOUT_ANY = {"attribute": "link_id", "metadata": "resource_id"}


def write_folder(session: Session, folder: Path, services: Collection[UUID] = ()) -> int:
    """Write the package into a folder; with `services` only those. Gives the number of services."""
    folder.mkdir(parents=True, exist_ok=True)
    return _Package(session, services).write(lambda name: (folder / name).open("wb"))


def write_zip(session: Session, file: IO[bytes], services: Collection[UUID] = ()) -> int:
    """Write the package as one zip file; with `services` only those. Gives the number of services."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        return _Package(session, services).write(lambda name: archive.open(name, "w"))


def descriptor() -> dict[str, Any]:
    """What `datapackage.json` says of the files."""
    return {
        "profile": "tabular-data-package",
        "name": "human-services-data",
        "title": f"Human Services Data Specification {VERSION}",
        "resources": [
            {
                "profile": "tabular-data-resource",
                "name": Path(table.file).stem,
                "path": table.file,
                "format": "csv",
                "mediatype": "text/csv",
                "encoding": "utf-8",
                "schema": _schema(table),
            }
            for table in TABLES.values()
        ],
    }


def _schema(table: Table) -> dict[str, Any]:
    links = [
        {
            "fields": each.name,
            "reference": {"resource": Path(TABLES[each.target].file).stem, "fields": "id"},
        }
        for each in table.links
        if each.declared
    ]
    schema: dict[str, Any] = {"primaryKey": "id", "fields": [_described(f) for f in table.fields]}
    return schema | ({"foreignKeys": links} if links else {})


def _described(each: Field) -> dict[str, Any]:
    constraints: dict[str, Any] = {}
    if each.required:
        constraints["required"] = True
    if each.kind is Kind.ID:
        constraints["unique"] = True
    if each.codes:
        constraints["enum"] = [*each.codes]
    kinds = {Kind.NUMBER: "number", Kind.INTEGER: "number", Kind.EXTENSION: "number"}
    told: dict[str, Any] = {"name": each.name, "type": kinds.get(each.kind, "string")}
    return told | ({"constraints": constraints} if constraints else {})


class _Package:
    def __init__(self, session: Session, services: Collection[UUID]) -> None:
        self._session = session
        self._only = Listings.of_services(session, services) if services else None
        self._hides_nothing = hides_nothing(session)

    def write(self, opened: Any) -> int:
        written = 0
        for table in TABLES.values():
            with _writer(opened(table.file), table) as file:
                for row in self._rows(table):
                    written += table.name == "service"
                    file.writerow([row[each.name] for each in table.fields])
        with opened(DESCRIPTOR) as file:
            file.write(json.dumps(descriptor(), indent=2).encode())
        return written

    def _rows(self, table: Table) -> Iterator[dict[str, str]]:
        """What leaves of a table, as cells."""
        for rows in self._read(table.name):
            kept = [row for row in rows if self._leaves(table.name, row)]
            for row in self._lead_somewhere(table, kept):
                yield _cells(table, row)
        if table.name == "attribute":
            yield from self._facts(table)
        if table.name == "unit" and self._session.get(Unit, PLACES_ID) is None:
            yield _blank(table) | PLACES

    def _read(self, table: str) -> Iterator[list[Row]]:
        columns: Any = MODELS[table].__table__.c
        query = select(*columns).where(visible(table)).order_by(columns.id).limit(BATCH)
        last: UUID | None = None
        while True:
            part = query if last is None else query.where(columns.id > last)
            rows = [dict(row._mapping) for row in self._session.execute(part)]
            if rows:
                last = rows[-1]["id"]
                secret = self._secret(rows) if table == "service" else set()
                told = (as_told(table, row, secret=row["id"] in secret) for row in rows)
                yield self._about_what_leaves(table, list(told))
            if len(rows) < BATCH:
                return

    def _leaves(self, table: str, row: Row) -> bool:
        if (
            self._only is not None
            and table not in _ABOUT_ANY
            and not self._only.has(table, row["id"])
        ):
            return False
        if table == "service_at_location" and row["location_id"] is None:
            return False  # a package has no way to say "nowhere"
        return table in _NEEDED_STAND_INS or not is_stand_in(row["as_stated"])

    def _about_what_leaves(self, table: str, rows: list[Row]) -> list[Row]:
        """Attributes and records without those about rows that stay here, or that may have been such."""
        if table not in _ABOUT_ANY:
            return rows
        link = _ABOUT_ANY[table]
        here = self._present_anywhere({row[link] for row in rows}, table)
        gone = self._hides_nothing and self._only is None
        kept = [row for row in rows if row[link] in here or (gone and row["as_stated"])]
        if table == "metadata":
            return kept
        ours = set(self._session.scalars(select(TaxonomyTerm.id).where(_is_of_ours())))
        return [row for row in kept if row["taxonomy_term_id"] not in ours]

    def _present_anywhere(self, wanted: set[UUID], table: str) -> set[UUID]:
        found: set[UUID] = set()
        for name in MODELS:
            if name in _ABOUT_ANY or not wanted - found:
                continue
            # What sources say of a service with a secret place is not told, nor what it was before.
            strict = table == "metadata" or name == "service"
            leaving = history_leaves(name) if strict else visible(name)
            found |= self._present(name, wanted - found, leaving)
        return found

    def _present(self, table: str, wanted: set[UUID], leaving: Any = None) -> set[UUID]:
        if not wanted:
            return set()
        model: Any = MODELS[table]
        condition = visible(table) if leaving is None else leaving
        query = select(model.id).where(model.id.in_(wanted), condition)
        if table == "service_at_location":
            query = query.where(model.location_id.is_not(None))
        found = set(self._session.scalars(query))
        return {one for one in found if self._only is None or self._only.has(table, one)}

    def _secret(self, rows: list[Row]) -> set[UUID]:
        every = {row["id"] for row in rows}
        query = select(Service.id).where(Service.id.in_(every), history_leaves("service"))
        return every - set(self._session.scalars(query))

    def _lead_somewhere(self, table: Table, rows: list[Row]) -> list[Row]:
        """The rows without links to what is not in the package."""
        for each in table.links:
            wanted = {row[each.column] for row in rows if row.get(each.column) is not None}
            here = self._present(each.target, wanted)
            for row in rows:
                value = row.get(each.column)
                if value is not None and value not in here and value != PLACES_ID:
                    stated = row["as_stated"] or {}
                    row[each.column] = None
                    row["as_stated"] = {k: v for k, v in stated.items() if k != each.name} or None
        return rows

    def _facts(self, table: Table) -> Iterator[dict[str, str]]:
        """Our own facts as attributes; one that a source stated keeps the source's row."""
        query: Select[Any] = select(Service.id).where(visible("service"))
        for part in batches(self._session, "service", query):
            wanted = [one for one in part if self._only is None or self._only.has("service", one)]
            facts = Listings.facts_of(self._session, wanted).facts
            stated = self._stated(facts)
            for row_id, each in facts.items():
                for fact in each:
                    row = stated.get((row_id, fact.term_id))
                    if row is not None:
                        yield _cells(table, row)
                        continue
                    given = fact.attribute(row_id) | {
                        "link_id": str(row_id),
                        "taxonomy_term_id": str(fact.term_id),
                    }
                    yield _blank(table) | given

    def _stated(self, facts: Mapping[UUID, Any]) -> dict[tuple[UUID, UUID], Row]:
        columns: Any = Attribute.__table__.c
        query = (
            select(*columns)
            .join(TaxonomyTerm, TaxonomyTerm.id == columns.taxonomy_term_id)
            .where(columns.link_id.in_([*facts]), _is_of_ours())
        )
        rows = [dict(row._mapping) for row in self._session.execute(query)] if facts else []
        return {(row["link_id"], row["taxonomy_term_id"]): row for row in rows}


def _is_of_ours() -> Any:
    return or_(*(TaxonomyTerm.taxonomy == name for name in vocabularies.WRITTEN))


class _writer(AbstractContextManager[Any]):  # noqa: N801 - used as a function
    """A CSV file with the table's heading, written into a file of bytes."""

    def __init__(self, file: IO[bytes], table: Table) -> None:
        self._text = io.TextIOWrapper(file, encoding="utf-8", newline="")
        self._csv = csv.writer(self._text, lineterminator="\n")
        self._csv.writerow([each.name for each in table.fields])

    def __enter__(self) -> Any:
        return self._csv

    def __exit__(self, *_: object) -> None:
        self._text.close()


def _blank(table: Table) -> dict[str, str]:
    return {each.name: "" for each in table.fields}


def _cells(table: Table, row: Row) -> dict[str, str]:
    given = dump_row(table, row, links=True, empty=True)
    cells: dict[str, str] = defaultdict(str)
    for each in table.fields:
        value = given.get(each.name)
        cells[each.name] = "" if value is None else str(value)
        if each.required and not cells[each.name] and each.kind is Kind.TEXT:
            cells[each.name] = NOT_SAID
    return cells
