"""Taking a table of listings into the directory: again and again, without making anything twice."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Table, delete, insert, select, update
from sqlalchemy.orm import Session

from referral.changes import directory as changes
from referral.changes.actors import Actor, StandingActor
from referral.changes.models import ChangeRecord
from referral.core.errors import Finding
from referral.core.text import Message
from referral.directory.intake.batches import Rows
from referral.directory.intake.listings import Listing
from referral.directory.intake.mapping import Known, TableMapping
from referral.directory.intake.rows import Maker, part_id
from referral.directory.models import (
    Address,
    CostOption,
    EligibilityRule,
    Language,
    Location,
    Organization,
    Phone,
    RequiredDocument,
    Schedule,
    Service,
    ServiceArea,
    ServiceAtLocation,
    ServiceCapacity,
    ServiceCategory,
)
from referral.places.gazetteer import Gazetteer

#: Who changed a row that an import changed; any other role's changes are local and are kept.
IMPORT = StandingActor("import")
BATCH = 1000

#: Parents before children; deleted the other way round.
_TABLES: dict[str, Table] = {
    model.__tablename__: model.__table__  # type: ignore[misc]  # declared as FromClause; ours are tables
    for model in (
        Organization,
        Service,
        Location,
        ServiceAtLocation,
        Address,
        Phone,
        Schedule,
        ServiceArea,
        Language,
        CostOption,
        RequiredDocument,
        ServiceCapacity,
        ServiceCategory,
        EligibilityRule,
    )
}
#: How a service's own rows are found again.
_OF_SERVICE = (
    "service_at_location",
    "phone",
    "schedule",
    "service_area",
    "language",
    "cost_option",
    "required_document",
    "service_capacity",
    "service_category",
    "eligibility_rule",
)
_REPLACED = (*_OF_SERVICE[1:], "address")
#: Set when a row is made and left alone when it comes again.
_ONCE = {"service": {"status", "version", "last_modified"}, "service_capacity": {"updated"}}


@dataclass
class Report:
    """What an import did; `findings` hold everything that was wrong, row by row."""

    source: str
    mapping: str
    rows: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    left_out: int = 0
    unplaced: int = 0
    findings: list[Finding] = field(default_factory=list)


class Import:
    """One table on its way into the directory. `take` batches in order; commit after each."""

    def __init__(
        self,
        session: Session,
        mapping: TableMapping,
        known: Known,
        gazetteer: Gazetteer,
        *,
        source: str | None = None,
        now: datetime,
        by: Actor = IMPORT,
    ):
        self.session, self.mapping, self.known = session, mapping, known
        self.now, self.by = now, by
        self.report = Report(source or mapping.source, mapping.name)
        self._maker = Maker(self.report.source, gazetteer, now=now)
        self._seen: dict[str, int] = {}

    def take(self, batch: Sequence[tuple[int, Mapping[str, str | None], bool]]) -> None:
        """Take rows (number, cells, whether it is whole) in; flushes."""
        listings = [listing for row in batch if (listing := self._read(*row)) is not None]
        made = self._maker.rows_of(listings)
        self.report.findings += made.findings
        self.report.unplaced += made.unplaced
        wanted = made.rows
        existing = self._existing(wanted)
        self._refuse_foreign(wanted, existing)
        self._write(wanted, existing)
        self.session.flush()

    def _read(self, row: int, cells: Mapping[str, str | None], whole: bool) -> Listing | None:
        self.report.rows += 1
        listing, findings = self.mapping.read(row, cells, self.known)
        self.report.findings += findings
        if not whole:
            self._find(row, "", "", "directory.import.cells")
        if listing is None:
            self.report.left_out += 1
        elif listing.source_id in self._seen:
            first = self._seen[listing.source_id]
            self._find(row, "id", listing.source_id, "directory.import.duplicate", first=str(first))
            self.report.left_out += 1
            return None
        else:
            self._seen[listing.source_id] = row
        return listing

    def _find(self, row: int, column: str, value: str, key: str, **params: Any) -> None:
        self.report.findings.append(Finding(row, column, value[:80], Message(key, params)))

    def _existing(self, wanted: Rows) -> Rows:
        found: Rows = {name: {} for name in _TABLES}

        def load(name: str, column: str, ids: Sequence[UUID]) -> None:
            table = _TABLES[name]
            if ids:
                query = select(table).where(table.c[column].in_(ids))
                for row in self.session.execute(query).mappings():
                    found[name][row["id"]] = dict(row)

        for name in ("organization", "service"):
            load(name, "id", list(wanted[name]))
        for name in _OF_SERVICE:
            load(name, "service_id", list(found["service"]))
        locations = [part_id(service_id, "location") for service_id in found["service"]]
        load("location", "id", locations)
        load("address", "location_id", locations)
        return found

    def _refuse_foreign(self, wanted: Rows, existing: Rows) -> None:
        """A UUID that already stands for another source's listing is not ours to change."""
        for service_id, row in existing["service"].items():
            if row["source"] == self.report.source:
                continue
            line = self._seen[wanted["service"][service_id]["source_id"]]
            self._find(line, "id", str(service_id), "directory.import.foreign")
            self.report.left_out += 1
            del wanted["service"][service_id]
            wanted["location"].pop(part_id(service_id, "location"), None)
            wanted["organization"].pop(part_id(service_id, "organization"), None)
            wanted["address"].pop(part_id(service_id, "address"), None)
            for name in _OF_SERVICE:
                for row_id in [i for i, r in wanted[name].items() if r["service_id"] == service_id]:
                    del wanted[name][row_id]
                existing[name] = {
                    i: r for i, r in existing[name].items() if r["service_id"] != service_id
                }
        existing["service"] = {
            i: r for i, r in existing["service"].items() if i in wanted["service"]
        }

    def _write(self, wanted: Rows, existing: Rows) -> None:
        record: list[tuple[str, UUID, str, str, Any, Any]] = []
        touched: set[UUID] = set()
        local = self._local(existing)
        inserted: dict[str, list[dict[str, Any]]] = {}
        updated: list[tuple[str, UUID, dict[str, Any]]] = []
        owner = _owners(wanted) | _owners(existing)
        for name in _TABLES:
            held = {
                owner[row_id]
                for row_id in existing[name]
                if name in _REPLACED and any((row_id, column) in local for column in _columns(name))
            }
            for row_id, row in wanted[name].items():
                old = existing[name].get(row_id)
                service_id = owner.get(row_id)
                if service_id in held:
                    continue
                if old is None:
                    inserted.setdefault(name, []).append(row)
                    if service_id in existing["service"]:
                        record.append((name, row_id, "create", "id", "", str(row_id)))
                        touched.add(service_id)
                    elif name == "service":
                        record.append((name, row_id, "create", "id", "", str(row_id)))
                    continue
                changed = {}
                for column, value in row.items():
                    if column in _ONCE.get(name, ()) or old[column] == value:
                        continue
                    if (row_id, column) in local:
                        self._keep_local(wanted, owner, row_id, column, value)
                        continue
                    changed[column] = value
                    record.append((name, row_id, "update", column, old[column], value))
                if changed:
                    updated.append((name, row_id, changed))
                    if service_id:
                        touched.add(service_id)
            if held:
                for service_id in held:
                    self._keep_local(wanted, owner, service_id, name, "")
        gone = self._gone(wanted, existing, local, owner)
        for name, row_id in gone:
            record.append((name, row_id, "delete", "id", str(row_id), ""))
            touched.add(owner[row_id])

        for name, rows in inserted.items():
            self.session.execute(insert(_TABLES[name]), rows)
        for name, row_id, values in updated:
            table = _TABLES[name]
            self.session.execute(update(table).where(table.c.id == row_id).values(**values))
        for name, row_id in reversed(gone):
            table = _TABLES[name]
            self.session.execute(delete(table).where(table.c.id == row_id))
        service = _TABLES["service"]
        for service_id in touched:
            self.session.execute(
                update(service)
                .where(service.c.id == service_id)
                .values(version=service.c.version + 1, last_modified=self.now)
            )
        created = len(wanted["service"]) - len(existing["service"])
        self.report.created += created
        self.report.updated += len(touched)
        self.report.unchanged += len(existing["service"]) - len(touched)
        if record:
            changes.record_many(self.session, record, by=self.by, now=self.now)
            changes.announce(self.session, None, now=self.now)

    def _gone(
        self,
        wanted: Rows,
        existing: Rows,
        local: set[tuple[UUID, str]],
        owner: Mapping[UUID, UUID],
    ) -> list[tuple[str, UUID]]:
        """Rows that an earlier import made and the source no longer has.

        What people added stays, and so does a place, which others may have written things about.
        """
        found = []
        for name in _REPLACED:
            for row_id in existing[name]:
                made_here = row_id.version == 5
                edited = any((row_id, column) in local for column in _columns(name))
                if row_id not in wanted[name] and made_here and not edited and row_id in owner:
                    found.append((name, row_id))
        return found

    def _local(self, existing: Rows) -> set[tuple[UUID, str]]:
        """Fields that people changed here since they were imported."""
        ids = [row_id for rows in existing.values() for row_id in rows]
        found: set[tuple[UUID, str]] = set()
        for start in range(0, len(ids), 10_000):
            query = select(ChangeRecord.resource_id, ChangeRecord.field_name).where(
                ChangeRecord.resource_id.in_(ids[start : start + 10_000]),
                ChangeRecord.updated_by_role != IMPORT.role,
            )
            found.update((row_id, column) for row_id, column in self.session.execute(query))
        return found

    def _keep_local(
        self, wanted: Rows, owner: Mapping[UUID, UUID], row_id: UUID, column: str, value: Any
    ) -> None:
        service = wanted["service"].get(owner.get(row_id, row_id))
        line = self._seen[service["source_id"]] if service else 0
        self._find(line, column, str(value or ""), "directory.import.kept_local")


def _owners(rows: Rows) -> dict[UUID, UUID]:
    """Which service each row belongs to; organizations belong to several."""
    owners = {service_id: service_id for service_id in rows["service"]}
    for name in _OF_SERVICE:
        owners |= {row_id: row["service_id"] for row_id, row in rows[name].items()}
    places = {part_id(service_id, "location"): service_id for service_id in rows["service"]}
    owners |= {row_id: places[row_id] for row_id in rows["location"] if row_id in places}
    owners |= {
        row_id: places[row["location_id"]]
        for row_id, row in rows["address"].items()
        if row["location_id"] in places
    }
    return owners


def _columns(name: str) -> list[str]:
    return [column.name for column in _TABLES[name].columns]
