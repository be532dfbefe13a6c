"""HSDS as a tabular data package: a folder, or a zip of one, joined on disk and read listing by listing.

The tables are first put into a private temporary SQLite database, where each row is said whose it is; then
what is shared comes (taxonomies, organizations, places), then the services with all that is theirs, then what
belongs to nobody. So a million services need no more memory than a thousand.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from referral.directory.hsds.shape import TABLES, Field, Table
from referral.directory.intake.batches import BATCH, Batch, Line
from referral.directory.intake.hsds.documents import ENTITIES, Reading, parents_of
from referral.directory.intake.hsds.package_files import Package, TabularJson
from referral.directory.intake.hsds.settling import Settling

#: may be about a row of any table
_OF_ANY = ("attribute", "metadata")
#: What is looked up must be read before what looks it up.
_ORDER = (
    *("taxonomy", "taxonomy_term", "unit", "meta_table_description", "organization", "program"),
    *("location", "service", "service_at_location", "contact", "phone"),
    *(name for name in TABLES if name not in ENTITIES and name not in _OF_ANY),
    *_OF_ANY,
)
_ORDERED = tuple(dict.fromkeys(_ORDER))
#: what comes before the services
_SHARED = (
    *("taxonomy", "taxonomy_term", "unit", "meta_table_description", "organization", "program"),
    "location",
)
_NOBODY = ""


class HsdsPackage:
    """A data package. See batches.Reader."""

    format = "hsds-csv"
    mapping = ""

    def __init__(self, package: Package | TabularJson, reading: Reading, settling: Settling):
        self.source = reading.source
        self._reading, self._settling = reading, settling
        reading.silent = frozenset(TABLES) - package.files.keys()
        self._files = {name: package.files.get(name, "") for name in TABLES}
        self._db = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        for pragma in ("synchronous = OFF", "journal_mode = OFF", "cache_size = -65536"):
            self._db.execute(f"PRAGMA {pragma}")
        self._db.execute(
            "CREATE TABLE entry (tbl TEXT, id TEXT, n INTEGER, owner TEXT, data TEXT,"
            " PRIMARY KEY (tbl, id))"
        )
        for name in _ORDERED:
            self._stage(name, package.rows(name))
        self._db.execute("CREATE INDEX ix_owner ON entry (owner)")
        self.total = self._count("service")

    def __iter__(self) -> Iterator[Batch]:
        if self._reading.batch.findings:
            yield self._reading.done()
        for name in _SHARED:
            yield from self._entities(name)
        yield from self._entities("service")
        yield from self._rest()

    def _count(self, name: str) -> int:
        query = "SELECT count(*) FROM entry WHERE tbl = ?"
        return int(self._db.execute(query, (name,)).fetchone()[0])

    # Into the temporary database.

    def _stage(self, name: str, rows: Iterable[tuple[int, Mapping[str, Any]]]) -> None:
        table = TABLES[name]
        self._db.execute("BEGIN")
        for number, cells in rows:
            raw = {
                each.name: value
                for each in table.fields
                if (value := _stated(each, cells.get(each.name))) is not None
            }
            line = Line(self._files[name], number)
            row_id = _key(raw.get("id"))
            if not row_id:
                self._reading.find(
                    line, f"{name}.id", cells.get("id"), "left_without_id", severity="error"
                )
                self._reading.batch.left_out += name == "service"
                continue
            owner = self._owner(table, raw)
            done = self._db.execute(
                "INSERT OR IGNORE INTO entry VALUES (?, ?, ?, ?, ?)",
                (name, row_id, number, owner, json.dumps(raw, ensure_ascii=False)),
            )
            if not done.rowcount:
                self._reading.find(line, f"{name}.id", raw["id"], "row_twice", severity="error")
                self._reading.batch.left_out += name == "service"
        self._db.execute("COMMIT")

    def _owner(self, table: Table, raw: Mapping[str, Any]) -> str | None:
        """Whose listing a row comes with: a service, or what services share; "" is nobody's."""
        if table.name == "service_at_location":
            return self._of("service", raw.get("service_id")) or _NOBODY
        if table.name in ENTITIES:
            return None
        for column in parents_of(table.name):
            if not (to := raw.get(column)):
                continue
            if column in ("link_id", "resource_id"):
                for name in _ORDERED:
                    if (owner := self._of(name, to)) is not None:
                        return owner
            elif (owner := self._of(column.removesuffix("_id"), to)) is not None:
                return owner
        return _NOBODY

    def _of(self, name: str, stated: Any) -> str | None:
        """The owner of a row, which for what stands for itself is itself; None where there is none."""
        key = _key(stated)
        row = self._db.execute(
            "SELECT owner FROM entry WHERE tbl = ? AND id = ?", (name, key)
        ).fetchone()
        if row is None:
            return None
        return f"{name}:{key}" if row[0] is None else str(row[0])

    # Out of it.

    def _entities(self, name: str) -> Iterator[Batch]:
        rows = iter(
            self._db.execute(
                "SELECT id, n, data FROM entry WHERE tbl = ? AND owner IS NULL ORDER BY n", (name,)
            )
        )
        while some := list(islice(rows, BATCH)):
            for _, number, data in some:
                self._flat(name, number, data)
            self._parts([f"{name}:{key}" for key, _, _ in some])
            if name == "service":
                self._reading.batch.count += len(some)
            yield self._settling.settle(self._reading.done())

    def _parts(self, owners: list[str]) -> None:
        for name, number, data in self._db.execute(
            "SELECT tbl, n, data FROM entry WHERE owner IN (SELECT value FROM json_each(?))"
            " ORDER BY tbl, n",
            [json.dumps(owners)],
        ).fetchall():
            self._flat(name, number, data)

    def _rest(self) -> Iterator[Batch]:
        rows = iter(
            self._db.execute("SELECT tbl, n, data FROM entry WHERE owner = '' ORDER BY tbl, n")
        )
        while some := list(islice(rows, BATCH)):
            for name, number, data in some:
                self._flat(name, number, data)
            yield self._settling.settle(self._reading.done())
        self._db.close()

    def _flat(self, name: str, number: int, data: str) -> None:
        self._reading.flat(name, json.loads(data), Line(self._files[name], number))


def _stated(field: Field, cell: Any) -> Any:
    return field.from_cell(cell) if isinstance(cell, str) else cell


def _key(stated: Any) -> str:
    return "" if stated is None else str(stated).strip().casefold()
