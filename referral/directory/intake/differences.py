"""What a batch would change: rows to make, to change and to take away, and what people's own changes hold back."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from referral.changes.models import ChangeRecord
from referral.directory.intake import tables
from referral.directory.intake.batches import Batch, Rows
from referral.directory.intake.hsds.documents import ENTITIES
from referral.directory.intake.tables import OWNERS, TABLES
from referral.directory.points import FOUND
from referral.directory.upkeep.recording import LISTS

#: What a point that we found ourselves stands for; a better one may have been found since.
_FOUND = {*FOUND, None}
_POSITION = ("latitude", "longitude", "precision_km", "point_source")
#: Kept by the house, or set when the row is written.
_NEVER: Mapping[str, set[str]] = {"service": {"version", "last_modified"}}

_TABLES_OF = {together: (name,) for name, together in LISTS.items() if name in OWNERS}

Group = tuple[str, tuple[str, UUID]]


class Differences:
    """Of a batch to what is there. `find` reports about a row: (its id, column, value, key)."""

    def __init__(
        self,
        session: Session,
        batch: Batch,
        existing: Rows,
        *,
        role: str,
        find: Callable[[UUID, str, Any, str], None],
    ):
        self.batch, self.wanted, self.existing = batch, batch.rows, existing
        self._find = find
        self.inserted: dict[str, list[dict[str, Any]]] = {}
        self.updated: list[tuple[str, UUID, dict[str, Any]]] = []
        self.gone: list[tuple[str, UUID]] = []
        #: table, row, action, field, old value, new value
        self.record: list[tuple[str, UUID, str, str, Any, Any]] = []
        self._made: set[UUID] = set()
        #: rows whose change is one of their services'
        self._changed: list[tuple[str, Mapping[str, Any]]] = []
        self._local = self._changed_here(session, role)
        self._addresses = _by_location(existing["address"].values())
        self._told_addresses = _by_location(self.wanted["address"].values())
        held = self._held()
        for name in TABLES:
            self._compare(name, {group for table, group in held if table == name})
        for name in OWNERS:
            self._take_away(session, name)
        for name in tables.SELF_LINKS:
            if name in self.inserted:
                self.inserted[name] = tables.in_order(name, self.inserted[name])

    def touched(self, session: Session) -> set[UUID]:
        """Services whose rows, sites or places change."""
        found: set[UUID] = set()
        sites, places = set(), set()
        for name, row in self._changed:
            at: Mapping[str, Any] | None = row
            table = name
            if table == "attribute":
                table, at = row["link_entity"], {"id": row["link_id"]}
                at = self._row(table, row["link_id"]) or at
            for parent, column in (("phone", "phone_id"), ("contact", "contact_id")):
                while at is not None and at.get(column) and not _direct(at):
                    table, at = parent, self._row(parent, at[column])
            if at is None:
                continue
            if table == "service":
                found.add(at["id"])
            elif table == "location":
                places.add(at["id"])
            elif table == "service_at_location":
                sites.add(at["id"])
            found.update({at["service_id"]} if at.get("service_id") else ())
            sites.update({at["service_at_location_id"]} if at.get("service_at_location_id") else ())
            if table != "service_at_location" and at.get("location_id"):
                places.add(at["location_id"])
        table_ = TABLES["service_at_location"]
        for column, ids in (("id", sites), ("location_id", places)):
            for some in tables.chunks(sorted(ids)):
                query = select(table_.c.service_id).where(table_.c[column].in_(some))
                found.update(session.scalars(query))
        # An attribute of nobody's may say that it is a service's.
        unknown = found - self.wanted["service"].keys() - self.existing["service"].keys()
        return found - (unknown - tables.present(session, "service", list(unknown)))

    def _row(self, table: str, row_id: UUID) -> Mapping[str, Any] | None:
        rows, old = self.wanted.get(table, {}), self.existing.get(table, {})
        return rows.get(row_id) or old.get(row_id)

    # What people changed here.

    def _changed_here(self, session: Session, role: str) -> set[tuple[UUID, str]]:
        """Fields that people changed here since they were imported, and rows they made or took away."""
        ids = [row_id for rows in self.existing.values() for row_id in rows]
        old = {row_id for name in ENTITIES for row_id in self.existing[name]}
        for name in OWNERS:
            for row_id, row in self.wanted[name].items():
                whose = tables.owner(name, row)
                if row_id not in self.existing[name] and whose and whose[1] in old:
                    ids.append(row_id)
        found: set[tuple[UUID, str]] = set()
        for some in tables.chunks(ids):
            query = select(ChangeRecord.resource_id, ChangeRecord.field_name).where(
                ChangeRecord.resource_id.in_(some),
                ChangeRecord.updated_by_role != role,
                # What a source recorded comes with its own words; nobody here did that.
                ChangeRecord.as_stated.is_(None),
            )
            found.update((row_id, column) for row_id, column in session.execute(query))
        return found

    def _held(self) -> set[Group]:
        """Parts of which people changed some here: the source's are left as they are, all of them."""
        if not self._local:
            return set()
        changed = {row_id for row_id, _ in self._local}
        # A list that people emptied: the record is at its parent.
        held: set[Group] = {
            (name, (parent, row_id))
            for row_id, column in self._local
            for name in _TABLES_OF.get(column, ())
            for parent in OWNERS[name]
        }
        for name in OWNERS:
            for rows in (self.existing[name], self.wanted[name]):
                for row_id, row in rows.items():
                    if row_id in changed and (whose := tables.owner(name, row)):
                        held.add((name, whose))
        return held

    # Rows to make and to change.

    def _compare(self, name: str, held: set[tuple[str, UUID]]) -> None:
        told = set()
        for row_id, row in self.wanted[name].items():
            old = self.existing[name].get(row_id)
            if held:
                whose = tables.owner(name, old or row)
                if whose in held:
                    if whose not in told and (old is None or self._changes(name, row, old)):
                        self._find(whose[1], name, "", "kept_local")
                        told.add(whose)
                    continue
            if old is None:
                self.inserted.setdefault(name, []).append(row)
                self._made.add(row_id)
                whose = tables.owner(name, row) if name in OWNERS else None
                # A new place is nobody's yet, and a new listing's parts are no change of it.
                if name == "service_at_location" or (whose and whose[1] not in self._made):
                    self._changed.append((name, row))
                continue
            if name == "metadata":
                continue
            changed = {}
            for column, value in self._changes(name, row, old).items():
                if (row_id, column) in self._local:
                    self._find(row_id, column, value, "kept_local")
                    continue
                changed[column] = value
                if column != "as_stated":
                    self.record.append((name, row_id, "update", column, old[column], value))
            if changed:
                self.updated.append((name, row_id, changed))
                self._changed.append((name, {**old, **changed}))
                self._changed.append((name, old))

    def _changes(self, name: str, row: Mapping[str, Any], old: Mapping[str, Any]) -> dict[str, Any]:
        once = self.batch.once.get(name, frozenset())
        never = _NEVER.get(name, set())
        changed = {
            column: value
            for column, value in row.items()
            if old[column] != value and column not in once and column not in never
        }
        for column in OWNERS.get(name, ()):
            # A list of that parent, told in full, no longer has the row.
            if column not in row and (name, column, old[column]) in self.batch.whole:
                changed[column] = None
        if name == "location" and self._is_found_already(row, old):
            for column in _POSITION:
                changed.pop(column, None)
        return changed

    def _is_found_already(self, row: Mapping[str, Any], old: Mapping[str, Any]) -> bool:
        """Whether a place that we found by its words is where those words stood before."""
        if row.get("point_source") not in _FOUND or old["latitude"] is None:
            return False
        here = self._told_addresses.get(row["id"], [])
        return row.get("area_code") == old["area_code"] and _words(here) == _words(
            self._addresses.get(row["id"], [])
        )

    # Rows to take away.

    def _take_away(self, session: Session, name: str) -> None:
        """Rows that an earlier import made and the source no longer has.

        What people added stays, and so does a place, which others may have written things about.
        """
        if name == "metadata":
            return
        lost = {row_id for _, row_id in self.gone}
        if name == "attribute" and lost:
            self.existing[name] |= tables.rows_by(session, name, "link_id", list(lost))
        here = []
        for row_id, row in self.existing[name].items():
            whose = tables.owner(name, row)
            if whose is None or (row_id in self.wanted[name] and whose[1] not in lost):
                continue
            if whose[1] not in lost and not self._is_missed(name, row_id, whose):
                self._unlink(name, row, lost)
                continue
            self.gone.append((name, row_id))
            self.record.append((name, row_id, "delete", "id", str(row_id), ""))
            self._changed.append((name, row))
            here.append(row_id)
        for part, column in _PARTS_OF.get(name, ()):
            for row_id, row in tables.rows_by(session, part, column, here).items():
                self.existing[part].setdefault(row_id, row)

    def _is_missed(self, name: str, row_id: UUID, whose: tuple[str, UUID]) -> bool:
        if (name, *whose) not in self.batch.whole:
            return False
        # Ids of a table's parts are made of names, people's at random.
        if self.batch.derived and row_id.version != 5:
            return False
        return not any((row_id, column) in self._local for column in TABLES[name].c.keys())  # noqa: SIM118 - a collection of columns

    def _unlink(self, name: str, row: Mapping[str, Any], lost: set[UUID]) -> None:
        for column in OWNERS[name]:
            if row[column] in lost:
                self.updated.append((name, row["id"], {column: None}))
                self.record.append((name, row["id"], "update", column, row[column], None))


#: parts of parts: they go with them
_PARTS_OF = {
    "contact": (("phone", "contact_id"),),
    "phone": (("language", "phone_id"),),
}


def _direct(row: Mapping[str, Any]) -> bool:
    return any(row.get(c) for c in ("service_id", "service_at_location_id", "location_id"))


def _by_location(rows: Iterable[Mapping[str, Any]]) -> dict[UUID, list[Mapping[str, Any]]]:
    found: dict[UUID, list[Mapping[str, Any]]] = {}
    for row in rows:
        found.setdefault(row["location_id"], []).append(row)
    return found


def _words(addresses: Iterable[Mapping[str, Any]]) -> list[tuple[str, ...]]:
    names = ("address_1", "address_2", "city", "region", "state_province", "country")
    return sorted(tuple(str(row.get(name) or "") for name in names) for row in addresses)
