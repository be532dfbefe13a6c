"""Changes the gazetteer: from packages at set-up, or from a better file."""

import csv
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from referral.changes.directory import announce
from referral.core.errors import Finding
from referral.places import rows as reading
from referral.places.models import Place, PlaceAlias, PlaceLoad

#: The source of rows made by `referral.places.build`; they never undo an import.
PACKAGES = "packages"
ALIASES = Path(__file__).resolve().parents[2] / "directory_data" / "place_aliases.csv"
_POINT = ("latitude", "longitude", "precision_km", "point_source")


@dataclass(frozen=True)
class LoadReport:
    """What became of the rows of a gazetteer file."""

    read: int
    added: int
    changed: int
    unchanged: int
    findings: list[Finding]

    def as_counts(self) -> dict[str, int]:
        return {
            "read": self.read,
            "added": self.added,
            "changed": self.changed,
            "unchanged": self.unchanged,
            "rejected": len(self.findings),
        }


def load(
    session: Session, rows: Iterable[Mapping[str, str | None]], *, source: str, now: datetime
) -> LoadReport:
    """Add and update places from the rows of a file; bad rows are reported and kept out.

    Any listing may stand elsewhere afterwards, and the change feed says so.

    A blank in a row leaves what stood. Flushes; the caller commits.
    """
    columns = [column.name for column in Place.__table__.columns]
    standing: dict[str, dict[str, Any]] = {
        row["code"]: dict(row)
        for row in session.execute(select(*(getattr(Place, name) for name in columns))).mappings()
    }
    found = reading.read(rows, known=standing.keys())
    new: list[dict[str, Any]] = []
    changed: list[dict[str, Any]] = []
    unchanged = 0
    for place in found.places:
        values = asdict(place) | {"source": source}
        before = standing.get(place.code)
        if before is None:
            new.append(values)
        elif (source == PACKAGES != before["source"]) or (
            after := _merged(before, values)
        ) == before:
            unchanged += 1
        else:
            changed.append(after)
    if new:
        session.execute(insert(Place), new)
    if changed:
        session.execute(update(Place), changed)
    aliases_changed = _load_aliases(session)
    if new or changed or aliases_changed:
        session.add(PlaceLoad(source=source, changed_count=len(new) + len(changed)))
        announce(session, None, now=now)
    session.expire_all()
    session.flush()
    return LoadReport(found.read, len(new), len(changed), unchanged, found.findings)


def _merged(before: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """A standing row with the new values that are not blank; a point changes as a whole."""
    after = dict(before)
    has_point = values["latitude"] is not None
    for name, value in values.items():
        if name in _POINT:
            if has_point:
                after[name] = value
        elif value is not None:
            after[name] = value
    return after


def _load_aliases(session: Session) -> bool:
    """Bring the aliases in line with the reviewed file, for places there are; says whether any changed."""
    codes = set(session.scalars(select(Place.code)))
    with ALIASES.open(encoding="utf-8", newline="") as file:
        wanted = {
            (row["alias"], row["code"]): row["kind"]
            for row in csv.DictReader(file)
            if row["code"] in codes
        }
    standing = {
        (row.alias, row.code): row.kind
        for row in session.execute(select(PlaceAlias.alias, PlaceAlias.code, PlaceAlias.kind))
    }
    if standing == wanted:
        return False
    session.execute(delete(PlaceAlias))
    session.execute(
        insert(PlaceAlias),
        [{"alias": alias, "code": code, "kind": kind} for (alias, code), kind in wanted.items()],
    )
    return True
