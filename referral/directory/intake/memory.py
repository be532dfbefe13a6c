"""What an import must remember from batch to batch, on disk: it may be a million rows. Pure.

SQLite's private temporary database: it has no name, it is gone with the process, and the operating system
keeps as much of it in memory as there is room for.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from uuid import UUID

from referral.directory.intake.batches import Line


@dataclass(frozen=True, slots=True)
class Deferred:
    """A link to a row that was not there yet.

    is_stated   the row keeps what was stated of it even when it leads somewhere, as an object of JSON does
    """

    table: str
    row_id: UUID
    column: str
    target: str
    target_id: UUID
    line: Line
    is_stated: bool


class Memory:
    """Of one import."""

    def __init__(self) -> None:
        self._db = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA synchronous = OFF")
        self._db.execute("PRAGMA journal_mode = OFF")
        self._db.execute(
            "CREATE TABLE seen (kind TEXT, key BLOB, file TEXT, row INTEGER, PRIMARY KEY (kind, key))"
            " WITHOUT ROWID"
        )
        self._db.execute(
            "CREATE TABLE deferred (tbl TEXT, row_id BLOB, col TEXT, target TEXT, target_id BLOB,"
            " file TEXT, line INTEGER, stated INTEGER)"
        )

    def earlier(self, kind: str, key: UUID | str, line: Line) -> Line | None:
        """Where this came before; None where it is new, and it is remembered."""
        raw = key.bytes if isinstance(key, UUID) else key.encode("utf-8", "replace")
        done = self._db.execute(
            "INSERT OR IGNORE INTO seen VALUES (?, ?, ?, ?)", (kind, raw, line.file, line.row)
        )
        if done.rowcount:
            return None
        file, row = self._db.execute(
            "SELECT file, row FROM seen WHERE kind = ? AND key = ?", (kind, raw)
        ).fetchone()
        return Line(file, row)

    def has(self, kind: str, key: UUID) -> bool:
        """Whether it came before; it is not remembered by this."""
        asked = self._db.execute("SELECT 1 FROM seen WHERE kind = ? AND key = ?", (kind, key.bytes))
        return asked.fetchone() is not None

    def make(self, kind: str, keys: Iterable[UUID]) -> None:
        """Remember rows that a rehearsal did not write."""
        made = ((f"made {kind}", key.bytes, "", 0) for key in keys)
        self._db.executemany("INSERT OR IGNORE INTO seen VALUES (?, ?, ?, ?)", made)

    def made(self, kind: str, keys: Iterable[UUID]) -> set[UUID]:
        """Those of these rows that a rehearsal would have written by now."""
        query = "SELECT 1 FROM seen WHERE kind = ? AND key = ?"
        return {k for k in keys if self._db.execute(query, (f"made {kind}", k.bytes)).fetchone()}

    def defer(self, link: Deferred) -> None:
        self._db.execute(
            "INSERT INTO deferred VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                link.table,
                link.row_id.bytes,
                link.column,
                link.target,
                link.target_id.bytes,
                link.line.file,
                link.line.row,
                link.is_stated,
            ),
        )

    def deferred(self) -> Iterator[Deferred]:
        for table, row_id, column, target, target_id, file, row, stated in self._db.execute(
            "SELECT * FROM deferred ORDER BY rowid"
        ):
            yield Deferred(
                table,
                UUID(bytes=row_id),
                column,
                target,
                UUID(bytes=target_id),
                Line(file, row),
                bool(stated),
            )

    def close(self) -> None:
        self._db.close()
