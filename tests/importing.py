"""Takes rows of a table into the directory as `flask directory import` does, without a file."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.orm import Session

from referral.changes.actors import Actor
from referral.core.errors import Finding
from referral.directory.intake.mapping import Known, TableMapping
from referral.directory.intake.reading import Entry, ListingReader
from referral.directory.intake.rows import Maker
from referral.directory.intake.upsert import IMPORT, Taken, Upsert
from referral.places.gazetteer import Gazetteer


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

    def add(self, taken: Taken) -> None:
        """Add what became of one more batch."""
        self.rows += taken.count
        for name in ("created", "updated", "unchanged", "left_out", "unplaced"):
            setattr(self, name, getattr(self, name) + getattr(taken, name))
        self.findings += taken.findings


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
        self.report = Report(source or mapping.source, mapping.name)
        maker = Maker(self.report.source, gazetteer, now=now)
        self._reader = ListingReader((), mapping, known, maker, format="table", total=None)
        self._upsert = Upsert(session, self.report.source, now=now, by=by)

    def take(self, rows: Sequence[Entry]) -> None:
        """Take rows (number, cells, whether it is whole) in; flushes."""
        self.report.add(self._upsert.take(self._reader.batch(rows)))
