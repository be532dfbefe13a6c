"""HSDS objects as rows of our tables: nested ones from JSON, flat ones from a data package. Pure.

The same id may stand at several places of a document, as a phone does that is the service's and its
location's. Where the objects say the same and each place is another parent, they are one row with several
links. Where they can't be one row, the later one gets an id made of its own and its parent's, and
`as_stated["id"]` keeps the one it came with.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from referral.core.errors import Finding
from referral.core.text import Message
from referral.directory.hsds.shape import TABLES, Child, Field, Kind, Table, load_row
from referral.directory.intake.batches import Batch, Line

#: Rows that stand for themselves; the others are parts of such a row.
ENTITIES = frozenset(
    {
        "organization",
        "program",
        "service",
        "location",
        "service_at_location",
        "unit",
        "taxonomy",
        "taxonomy_term",
        "meta_table_description",
    }
)
#: Whether an object is told in full shows in its lists: an entry of a list page has none.
_TOLD_BY_LISTS = frozenset({"organization", "service", "location", "service_at_location"})
#: Columns that say whose part a row is. The last two may lead to a row of any table.
PARENTS = (
    "service_id",
    "service_at_location_id",
    "location_id",
    "organization_id",
    "contact_id",
    "phone_id",
    "link_id",
    "resource_id",
)
_SOURCED = frozenset({"organization", "service", "location"})
_ENTITY_OF = {"attribute": "link_entity", "metadata": "resource_type"}
_DEEPEST = 12
_SHOWN = 80


@cache
def parents_of(table: str) -> tuple[str, ...]:
    """The columns that say whose part a row of this table is."""
    if table not in TABLES:  # one of ours
        return ("service_id",)
    names = {each.column for each in TABLES[table].fields if each.kind is Kind.LINK}
    return tuple(name for name in PARENTS if name in names)


def apart(table: str, held: Mapping[str, Any], row: Mapping[str, Any]) -> list[str]:
    """The links by which two rows of one id lead to different parents."""
    return [
        link
        for link in parents_of(table)
        if held.get(link) and row.get(link) and held[link] != row[link]
    ]


def says_the_same(table: str, held: Mapping[str, Any], row: Mapping[str, Any]) -> bool:
    """Whether two rows of one id differ in their links only."""
    ignored = {*parents_of(table), "as_stated", _ENTITY_OF.get(table)}
    return all(held.get(name) == value for name, value in row.items() if name not in ignored)


def further(row: Mapping[str, Any], table: str, link: str) -> dict[str, Any]:
    """The row that takes a repeated id to one more parent."""
    apart_from = {name: None for name in parents_of(table) if name in row}
    stated = dict(row.get("as_stated") or {})
    stated.setdefault("id", str(row["id"]))
    own = uuid5(row["id"], str(row[link]))
    return {**row, **apart_from, "id": own, link: row[link], "as_stated": stated}


class Reading:
    """Objects of one source becoming one batch after another.

    silent   tables that the source has no file of, and so says nothing about
    """

    def __init__(self, source: str, *, now: datetime, silent: frozenset[str] = frozenset()):
        self.source, self.now, self.silent = source, now, silent
        self._namespace = uuid5(NAMESPACE_URL, source)
        self.batch = Batch()

    def done(self) -> Batch:
        """The batch so far; a new one begins."""
        batch, self.batch = self.batch, Batch()
        return batch

    def identity(self, stated: Any, table: str = "service") -> UUID | None:
        """Our id for one of the source's: a UUID as it is, any other made of the source and it.

        Sources that number their rows begin anew in each table; services have the ids that tables give them.
        """
        if isinstance(stated, bool) or not isinstance(stated, (str, int)) or stated == "":
            return None
        try:
            return UUID(stated if isinstance(stated, str) else str(stated))
        except ValueError:
            kind = "" if table == "service" else f"{table}:"
            return uuid5(self._namespace, f"{kind}{str(stated).strip()}")

    def nested(self, table: str, raw: Any, line: Line) -> UUID | None:
        """Take an object of a JSON document in with all it holds; None where it is none."""
        return self._object(TABLES[table], raw, line, None, 0)

    def flat(self, table: str, raw: Mapping[str, Any], line: Line) -> UUID | None:
        """Take a row of a data package in; its links are in its columns."""
        shape = TABLES[table]
        row_id = self.identity(raw.get("id"), table)
        if row_id is None:
            self.find(line, f"{table}.id", raw.get("id"), "left_without_id", severity="error")
            return None
        if self._is_nameless(shape, raw, line):
            return None
        row = self._row(shape, raw, row_id, line, whole=True)
        for each in shape.fields:
            if each.kind is Kind.LINK:
                row[each.column] = self.identity(raw.get(each.name), _target(shape, each, raw))
        self.batch.rows[table].setdefault(row_id, row)
        self.batch.lines[row_id] = line
        for child in shape.children:
            self._all_of(child, row_id)
        return row_id

    def find(
        self, line: Line, field: str, value: Any, key: str, *, severity: str = "warning"
    ) -> None:
        shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        shown = "" if value is None else shown[:_SHOWN]
        message = Message(f"directory.import.{key}")
        self.batch.findings.append(Finding(line.row, field, shown, message, severity, line.file))

    def _object(
        self,
        table: Table,
        raw: Any,
        line: Line,
        parent: tuple[str, str, UUID] | None,
        depth: int,
    ) -> UUID | None:
        if not isinstance(raw, Mapping) or depth > _DEEPEST:
            self.find(line, table.name, raw, "no_object")
            return None
        if self._is_nameless(table, raw, line):
            return None
        row_id = self.identity(raw.get("id"), table.name)
        if row_id is None:
            # Something that stays the same when the object comes again.
            whose = parent[2] if parent else self._namespace
            row_id = uuid5(whose, table.name + json.dumps(raw, sort_keys=True, default=str))
            self.find(line, f"{table.name}.id", raw.get("id"), "no_row_id")
        whole = table.name not in _TOLD_BY_LISTS or any(
            child.many and child.key in raw for child in table.children
        )
        row = self._row(table, raw, row_id, line, whole=whole)
        self._stated_links(table, raw, row)
        if parent:
            entity, link, parent_id = parent
            row[link] = parent_id
            self._of_entity(table, raw, row, entity)
        row_id = self._add(table, row, parent[1] if parent else None, line)
        held = self.batch.rows[table.name][row_id]
        for child in table.children:
            if child.many:
                self._children(table, child, raw, row_id, line, depth, whole=whole)
            elif raw.get(child.key) is not None:
                other = self._object(TABLES[child.table], raw[child.key], line, None, depth + 1)
                if other:
                    held[child.link] = other
        return row_id

    def _is_nameless(self, table: Table, raw: Mapping[str, Any], line: Line) -> bool:
        name = raw.get("name")
        if table.name != "service" or (isinstance(name, str) and name.strip()):
            return False
        self.find(line, "service.name", name, "no_name", severity="error")
        self.batch.left_out += 1
        return True

    def _children(
        self,
        table: Table,
        child: Child,
        raw: Mapping[str, Any],
        row_id: UUID,
        line: Line,
        depth: int,
        *,
        whole: bool,
    ) -> None:
        given = raw.get(child.key)
        if whole:
            self._all_of(child, row_id)
        if given is None:
            return
        if not isinstance(given, list):
            self.find(line, f"{table.name}.{child.key}", given, "no_list")
            return
        for each in given:
            parent = (table.name, child.link, row_id)
            self._object(TABLES[child.table], each, line, parent, depth + 1)

    def _all_of(self, child: Child, row_id: UUID) -> None:
        told = child.many and child.table not in self.silent
        if told and child.table not in ENTITIES and child.table != "metadata":
            self.batch.whole.add((child.table, child.link, row_id))

    def _row(
        self, table: Table, raw: Mapping[str, Any], row_id: UUID, line: Line, *, whole: bool
    ) -> dict[str, Any]:
        loaded = load_row(table, raw, whole=whole)
        if row_id not in self.batch.rows[table.name]:  # else it was said before
            for name, stated, key in loaded.problems:
                if key == "off_earth":  # a point is judged whole, by the area it should lie in
                    continue
                self.find(line, f"{table.name}.{name}", stated, key)
        row = {"id": row_id, **loaded.columns}
        if table.name in _SOURCED:
            row |= {"source": self.source, "source_id": str(raw.get("id") or row_id)}
        if table.name == "metadata":
            # Tells what a source recorded from what was recorded here.
            loaded.as_stated.setdefault("updated_by", raw.get("updated_by"))
            row["last_action_date"] = row["last_action_date"] or self.now
        if table.name in _ENTITY_OF:
            entity = _ENTITY_OF[table.name]
            row[entity] = row[entity] or str(raw.get(entity) or "")
        if table.name == "service" and row.get("last_modified") is None:
            row.pop("last_modified", None)
        if table.name == "service_capacity" and row.get("updated") is None:
            row.pop("updated", None)
        if table.name == "taxonomy_term" and not row["code"]:
            row["code"] = str(row_id)
            loaded.as_stated["code"] = None
        row["as_stated"] = loaded.as_stated or None
        return row

    def _stated_links(self, table: Table, raw: Mapping[str, Any], row: dict[str, Any]) -> None:
        for each in table.fields:
            if each.kind is Kind.LINK and (stated := raw.get(each.name)) is not None:
                row[each.column] = self.identity(stated, _target(table, each, raw))
                if each.nested:
                    _state(row, each, stated)

    def _of_entity(
        self, table: Table, raw: Mapping[str, Any], row: dict[str, Any], entity: str
    ) -> None:
        if table.name in _ENTITY_OF:
            name = _ENTITY_OF[table.name]
            row[name] = entity
            stated = raw.get(name)
            if stated is None and name in (row["as_stated"] or {}):
                del row["as_stated"][name]
            elif stated != entity:
                # Not said is kept too: as nothing.
                _state(row, table.by_name[name], stated)

    def _add(self, table: Table, row: dict[str, Any], link: str | None, line: Line) -> UUID:
        """Put a row among the others of the batch; gives its id, which may have to be a further one."""
        rows = self.batch.rows[table.name]
        row_id: UUID = row["id"]
        self.batch.lines.setdefault(row_id, line)
        held = rows.get(row_id)
        if held is None:
            rows[row_id] = row
            return row_id
        if table.name in ENTITIES:
            for name, value in row.items():  # what is said first counts; the rest fills its gaps
                if held.get(name) is None:
                    held[name] = value
            return row_id
        if link and (apart(table.name, held, row) or not says_the_same(table.name, held, row)):
            return self._add(table, further(row, table.name, link), None, line)
        for name in parents_of(table.name):
            if row.get(name) and not held.get(name):
                held[name] = row[name]
        return row_id


def _target(table: Table, link: Field, raw: Mapping[str, Any]) -> str:
    if link.target:
        return link.target
    entity = raw.get(_ENTITY_OF[table.name])
    return entity if isinstance(entity, str) and entity in TABLES else "service"


def _state(row: dict[str, Any], field: Field, stated: Any) -> None:
    row["as_stated"] = {**(row["as_stated"] or {}), field.name: stated}
