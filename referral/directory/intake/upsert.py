"""Rows of a source into the directory: again and again, without making anything twice.

What people changed here stays, and a difference to the source is reported. Nothing in a source stops an
import: a row the database refuses is left out and reported.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from referral.changes import directory as changes
from referral.changes.actors import Actor, StandingActor
from referral.core.errors import Finding
from referral.core.text import Message
from referral.directory.hsds.shape import TABLES as SHAPES
from referral.directory.intake import tables
from referral.directory.intake.batches import Batch, Line, Rows
from referral.directory.intake.differences import Differences
from referral.directory.intake.memory import Deferred, Memory
from referral.directory.intake.tables import TABLES

_ALWAYS_WHOLE = ("taxonomy", "taxonomy_term", "meta_table_description")
#: rows that several listings have in common
_SHARED = (*_ALWAYS_WHOLE, "unit", "organization", "program", "location")
#: columns of a place that may tell where it is
_TELLING = frozenset(
    ("confidential", "latitude", "longitude", "precision_km", "point_source", "area_code")
)
#: Who changed a row that an import changed; any other role's changes are local and are kept.
IMPORT = StandingActor("import")
#: More changed services than this in one batch are announced as one: any may have changed.
ANNOUNCED = 200


@dataclass
class Taken:
    """What became of a batch. The first five count listings, `count` the entries they came from."""

    count: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    left_out: int = 0
    unplaced: int = 0
    findings: list[Finding] = field(default_factory=list)


class Upsert:
    """One import of one source. `take` batches in order and commit after each; then `finish` and commit.

    A rehearsal reads and compares and writes nothing, so that it needs no lock and no room; what the database
    itself would refuse is not found by it.
    """

    def __init__(
        self,
        session: Session,
        source: str,
        *,
        now: datetime,
        by: Actor = IMPORT,
        is_rehearsal: bool = False,
    ):
        self.session, self.source, self.now, self.by = session, source, now, by
        self.is_rehearsal = is_rehearsal
        self.memory = Memory()

    def take(self, batch: Batch) -> Taken:
        """Take a batch in; flushes."""
        return _Step(self, batch).run()

    def finish(self) -> list[Finding]:
        """Follow the links to rows that came later; those that lead nowhere are findings. Flushes."""
        findings: list[Finding] = []
        waiting: list[Deferred] = []
        for link in self.memory.deferred():
            waiting.append(link)
            if len(waiting) == tables.CHUNK:
                findings += self._follow(waiting)
                waiting = []
        findings += self._follow(waiting)
        self.memory.close()
        return findings

    def _follow(self, links: Sequence[Deferred]) -> list[Finding]:
        there: dict[str, set[UUID]] = {}
        for target in {link.target for link in links}:
            ids = [link.target_id for link in links if link.target == target]
            there[target] = self.present(target, ids)
        findings = []
        for link in links:
            shape = SHAPES[link.table].by_name[link.column]
            if link.target_id in there[link.target]:
                self._set_link(link)
            elif shape.declared:
                findings.append(
                    _finding(
                        link.line, f"{link.table}.{link.column}", str(link.target_id), "dangling"
                    )
                )
        return findings

    def present(self, table: str, ids: Sequence[UUID]) -> set[UUID]:
        """Those of these rows that are there, or would be."""
        found = tables.present(self.session, table, ids)
        return found | self.memory.made(table, ids) if self.is_rehearsal else found

    def _set_link(self, link: Deferred) -> None:
        if self.is_rehearsal:
            return
        table = TABLES[link.table]
        row = self.session.execute(
            select(table.c[link.column], table.c.as_stated).where(table.c.id == link.row_id)
        ).one_or_none()
        if row is None or row[0] not in (None, link.target_id):
            return
        values: dict[str, Any] = {link.column: link.target_id}
        if not link.is_stated:
            stated = {name: raw for name, raw in (row[1] or {}).items() if name != link.column}
            values["as_stated"] = stated or None
        self.session.execute(update(table).where(table.c.id == link.row_id).values(values))


class _Step:
    """One batch on its way in."""

    def __init__(self, run: Upsert, batch: Batch):
        self.run_, self.session, self.batch = run, run.session, batch
        self.wanted: Rows = batch.rows
        self.taken = Taken(
            count=batch.count,
            left_out=batch.left_out,
            unplaced=batch.unplaced,
            findings=batch.findings,
        )
        self.existing: Rows = {}

    def run(self) -> Taken:
        self.existing = tables.load(self.session, self.batch)
        self._leave_foreign()
        self._leave_told()
        tables.part(self.session, self.batch, self.existing)
        self._keep_secrets()
        self._links()
        self._uniques()
        found = Differences(
            self.session, self.batch, self.existing, role=IMPORT.role, find=self._find
        )
        if self.run_.is_rehearsal:
            self._rehearse(found)
            return self.taken
        self._write(found)
        self.session.flush()
        return self.taken

    def _find(
        self, row_id: UUID, column: str, value: Any, key: str, severity: str = "warning"
    ) -> None:
        line = self._line(row_id)
        self.taken.findings.append(_finding(line, column, value, key, severity=severity))

    def _line(self, row_id: UUID) -> Line:
        return self.batch.lines.get(row_id) or Line("", 0)

    # Rows that are not this import's to write.

    def _leave_foreign(self) -> None:
        """What another source, or people here, brought is not ours to change; nor is a merged listing."""
        foreign = self._of_others("service")
        for row_id in foreign:
            self._find(row_id, "id", str(row_id), "foreign")
        self.taken.left_out += len(foreign)
        merged = {
            row_id
            for row_id in self.wanted["service"].keys() - foreign
            if (row := self.existing["service"].get(row_id)) and row["merged_into_id"]
        }
        self.taken.unchanged += len(merged)
        if gone := foreign | merged:
            tables.leave_services(self.batch, gone)
            for row_id in gone:
                self.existing["service"].pop(row_id, None)
        others: set[UUID] = set()
        for name in ("organization", "location"):
            for row_id in self._of_others(name):
                if not self.run_.memory.earlier(f"foreign {name}", row_id, self._line(row_id)):
                    self._find(row_id, f"{name}.id", str(row_id), "foreign_part")
                del self.wanted[name][row_id]
                others.add(row_id)
        if others:
            tables.leave_parts(self.batch, others)

    def _of_others(self, name: str) -> set[UUID]:
        rows = self.existing[name]
        return {
            row_id
            for row_id in self.wanted[name]
            if row_id in rows and rows[row_id]["source"] != self.run_.source
        }

    def _leave_told(self) -> None:
        """A row that came in full before in this import is not told again: the first word counts."""
        whole = {parent for _, _, parent in self.batch.whole}
        memory, again = self.run_.memory, set()
        for name in _SHARED if not self.batch.derived else ("organization",):
            rows = self.wanted[name]
            for row_id, row in list(rows.items()):
                if self.batch.derived or row_id in whole or name in _ALWAYS_WHOLE:
                    told = memory.earlier(name, row_id, self._line(row_id)) is not None
                else:
                    told = memory.has(name, row_id)
                if told and row_id in self.existing[name]:
                    again.add(row_id)
                    links = {c: row[c] for c in tables.LINKS[name] if row.get(c) is not None}
                    old = self.existing[name][row_id]
                    rows[row_id] = {"id": row_id} | {
                        column: to for column, to in links.items() if old[column] is None
                    }
                elif row_id in self.existing[name]:
                    _keep_stated(row, self.existing[name][row_id])
        if again:
            tables.leave_parts(self.batch, again)

    def _keep_secrets(self) -> None:
        """A place that was confidential stays so, whatever a later file leaves out, and nothing is stored of it."""
        secret = set()
        for row_id, row in self.wanted["location"].items():
            old = self.existing["location"].get(row_id)
            if old is not None and old["confidential"] and not row.get("confidential"):
                secret.add(row_id)
                if _TELLING & {column for column, value in row.items() if value is not None}:
                    self._find(row_id, "location", "", "confidential")
                for column in _TELLING:
                    row.pop(column, None)
        for row_id, row in list(self.wanted["address"].items()):
            if row.get("location_id") in secret:
                del self.wanted["address"][row_id]

    # Links.

    def _links(self) -> None:
        for row in self.wanted["service"].values():
            if row.get("organization_id") is None:
                self._stand_in_organization(row)
        for row in self.wanted["attribute"].values():
            if row.get("taxonomy_term_id") is None:
                self._stand_in_term(row)
        self._own_programs()
        for name in TABLES:
            for column, target in tables.LINKS[name].items():
                self._link(name, column, target)

    def _own_programs(self) -> None:
        """A program that no organization is said to have is that of its service."""
        owners = {
            row["program_id"]: row.get("organization_id")
            for row in self.wanted["service"].values()
            if row.get("program_id")
        }
        for row_id, row in list(self.wanted["program"].items()):
            if row.get("organization_id") is None and row_id not in self.existing["program"]:
                if owner := owners.get(row_id):
                    row["organization_id"] = owner
                else:
                    del self.wanted["program"][row_id]

    def _link(self, name: str, column: str, target: str) -> None:
        rows = self.wanted[name]
        asked: dict[UUID, list[UUID]] = {}
        for row_id, row in rows.items():
            to = row.get(column)
            if to is not None and to not in self.wanted[target] and to not in self.existing[target]:
                asked.setdefault(to, []).append(row_id)
        if not asked:
            return
        there = self.run_.present(target, list(asked))
        for to, row_ids in asked.items():
            if to in there:
                continue
            for row_id in row_ids:
                self._dangling(name, rows[row_id], column, target)

    def _dangling(self, name: str, row: dict[str, Any], column: str, target: str) -> None:
        row_id, to = row["id"], row[column]
        line, old = self._line(row_id), self.existing[name].get(row_id)
        said = row if "as_stated" in row or old is None else old
        stated = said.get("as_stated") or {}
        is_stated = column in stated
        row["as_stated"] = {column: str(to), **stated}
        row[column] = None
        if old is not None and old[column] is not None:
            del row[column]  # said elsewhere, and that led somewhere
        if name == "service" and column == "organization_id":
            self._find(row_id, f"{name}.{column}", str(to), "dangling")
            self._stand_in_organization(row)
        elif name == "attribute":
            self._find(row_id, f"{name}.{column}", str(to), "dangling")
            self._stand_in_term(row)
        elif TABLES[name].c[column].nullable:
            self.run_.memory.defer(Deferred(name, row_id, column, target, to, line, is_stated))
        else:
            self._find(row_id, f"{name}.{column}", str(to), "dangling_row", severity="error")
            del self.wanted[name][row_id]

    def _stand_in_organization(self, service: dict[str, Any]) -> None:
        old = self.existing["service"].get(service["id"])
        if old is not None and "organization_id" not in service:
            return
        row_id = tables.stand_in_id(service["id"], "organization")
        service["organization_id"] = row_id
        self.wanted["organization"][row_id] = {
            "id": row_id,
            "source": self.run_.source,
            "source_id": str(row_id),
            "name": service["name"],
            "as_stated": {"id": None},
        }
        if row_id not in self.existing["organization"]:
            loaded = tables.rows_by(self.session, "organization", "id", [row_id])
            self.existing["organization"] |= loaded

    def _stand_in_term(self, attribute: dict[str, Any]) -> None:
        row_id = tables.stand_in_id(attribute["id"], "taxonomy_term")
        attribute["taxonomy_term_id"] = row_id
        self.wanted["taxonomy_term"][row_id] = {
            "id": row_id,
            "code": str(row_id),
            "name": attribute.get("label") or "",
            "description": "",
            "as_stated": {"id": None},
        }
        if row_id not in self.existing["taxonomy_term"]:
            loaded = tables.rows_by(self.session, "taxonomy_term", "id", [row_id])
            self.existing["taxonomy_term"] |= loaded

    def _uniques(self) -> None:
        """Where the source uses a name twice that we keep unique, ours is told apart and theirs is kept."""
        for row_id, clash in tables.taken_names(self.session, self.wanted["taxonomy"]):
            row = self.wanted["taxonomy"][row_id]
            row["as_stated"] = {"name": clash, **(row.get("as_stated") or {})}
            row["name"] = f"{clash} ({row_id})"
        for row_id in tables.taken_codes(self.session, self.wanted["taxonomy_term"]):
            row = self.wanted["taxonomy_term"][row_id]
            row["as_stated"] = {"code": row["code"], **(row.get("as_stated") or {})}
            row["code"] = f"{row['code']} ({row_id})"
        for row_id in tables.taken_sites(
            self.wanted["service_at_location"], self.existing["service_at_location"]
        ):
            row = self.wanted["service_at_location"][row_id]
            self._find(
                row_id, "service_at_location.location_id", str(row["location_id"]), "site_twice"
            )
            stated = {"location_id": str(row["location_id"])}
            row["as_stated"] = {**(row.get("as_stated") or {}), **stated}
            row["location_id"] = None

    # Writing.

    def _rehearse(self, found: Differences) -> None:
        """Count what would be written, and remember it for the links of later batches."""
        memory = self.run_.memory
        created = {row["id"] for row in found.inserted.get("service", ())}
        created -= memory.made("service", created)
        for name, rows in found.inserted.items():
            memory.make(name, (row["id"] for row in rows))
        self._count(created, found.touched(self.session) - created)

    def _write(self, found: Differences) -> None:
        now = self.run_.now
        fills: dict[str, dict[str, Any]] = {
            "service": {"version": 1, "last_modified": now},
            "service_capacity": {"updated": now},
        }
        refused = _Refused()
        with_room = self.session.begin_nested()
        try:
            for name, rows in found.inserted.items():
                filled = (fills.get(name, {}) | row for row in rows)
                for group in _alike(filled, ordered=name in tables.SELF_LINKS):
                    self.session.execute(insert(TABLES[name]), group)
            for name, row_id, values in found.updated:
                table = TABLES[name]
                self.session.execute(update(table).where(table.c.id == row_id).values(**values))
            for name, row_id in reversed(found.gone):
                table = TABLES[name]
                self.session.execute(delete(table).where(table.c.id == row_id))
            with_room.commit()
        except (SQLAlchemyError, UnicodeError, OverflowError):
            with_room.rollback()
            self._write_singly(found, fills, refused)
        created = {row["id"] for row in found.inserted.get("service", ())} - refused.ids
        self.taken.left_out += len(
            {row["id"] for row in found.inserted.get("service", ())} & refused.ids
        )
        record = [each for each in found.record if each[1] not in refused.ids]
        touched = found.touched(self.session) - created - refused.ids
        if touched:
            service = TABLES["service"]
            for some in tables.chunks(sorted(touched)):
                self.session.execute(
                    update(service)
                    .where(service.c.id.in_(some))
                    .values(version=service.c.version + 1, last_modified=now)
                )
        self._count(created, touched)
        if record:
            changes.record_many(self.session, record, by=self.run_.by, now=now)
        self._announce(created | touched, is_anything=bool(record))

    def _count(self, created: set[UUID], touched: set[UUID]) -> None:
        taken, memory = self.taken, self.run_.memory
        taken.created += len(created)
        for service_id in touched:
            if not memory.earlier("updated", service_id, self._line(service_id)):
                taken.updated += 1
        here = {row_id for row_id in self.wanted["service"] if row_id in self.existing["service"]}
        taken.unchanged += len(here - touched)

    def _announce(self, services: set[UUID], *, is_anything: bool) -> None:
        if len(services) > ANNOUNCED or (is_anything and not services):
            changes.announce(self.session, None, now=self.run_.now)
            return
        for service_id in sorted(services):
            changes.announce(self.session, service_id, now=self.run_.now)

    def _write_singly(
        self, found: Differences, fills: dict[str, dict[str, Any]], refused: "_Refused"
    ) -> None:
        """Each row by itself, so that what the database refuses is known and left out alone."""
        for name in TABLES:
            for row in found.inserted.get(name, ()):
                values = fills.get(name, {}) | row
                self._try(name, row["id"], insert(TABLES[name]).values(values), refused)
        for name, row_id, values in found.updated:
            table = TABLES[name]
            statement = update(table).where(table.c.id == row_id).values(**values)
            self._try(name, row_id, statement, refused)
        for name, row_id in reversed(found.gone):
            table = TABLES[name]
            self._try(name, row_id, delete(table).where(table.c.id == row_id), refused)

    def _try(self, name: str, row_id: UUID, statement: Any, refused: "_Refused") -> None:
        with_room = self.session.begin_nested()
        try:
            self.session.execute(statement)
            with_room.commit()
        except (SQLAlchemyError, UnicodeError, OverflowError):
            with_room.rollback()
            refused.ids.add(row_id)
            self._find(row_id, f"{name}.id", str(row_id), "refused", severity="error")


def _keep_stated(row: dict[str, Any], old: dict[str, Any]) -> None:
    """What was stated of columns that the row does not speak of is still so."""
    kept = {name: raw for name, raw in (old["as_stated"] or {}).items() if name not in row}
    if kept:
        row["as_stated"] = {**kept, **(row.get("as_stated") or {})}


@dataclass
class _Refused:
    ids: set[UUID] = field(default_factory=set)


def _finding(
    line: Line, column: str, value: Any, key: str, *, severity: str = "warning"
) -> Finding:
    words = Message(f"directory.import.{key}")
    return Finding(line.row, column, str(value or "")[:80], words, severity, line.file)


def _alike(rows: Iterable[dict[str, Any]], *, ordered: bool) -> Iterable[list[dict[str, Any]]]:
    """Rows in lists of those with the same columns, which one statement can insert."""
    groups: dict[Any, list[dict[str, Any]]] = {}
    turn, before = 0, None
    for row in rows:
        columns = frozenset(row)
        if ordered and columns != before:
            turn, before = turn + 1, columns
        groups.setdefault((turn, columns), []).append(row)
    return groups.values()
