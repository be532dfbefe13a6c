"""Several tables that belong together, as another program exports them, read as rows of HSDS. Pure.

The folder is held in memory while it is read.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from referral.core.errors import Finding
from referral.core.text import Message
from referral.directory import hours_text
from referral.directory.hsds.shape import TABLES
from referral.directory.intake import files
from referral.directory.intake.batches import BATCH, Batch, Line
from referral.directory.intake.folder_mapping import OUR_FIELDS, FolderMapping, Source
from referral.directory.intake.mapping import Known
from referral.directory.intake.rows import given_id, part_id

_SHOWN = 80
_DAYS = {"mon": "MO", "tue": "TU", "wed": "WE", "thu": "TH", "fri": "FR", "sat": "SA", "sun": "SU"}
_DATES = ("%Y-%m-%d", "%m/%d/%Y", "%m/%d/%y", "%B %d, %Y")


class FolderReader:
    """A folder of tables. See batches.Reader."""

    format = "table"

    def __init__(
        self,
        folder: Path,
        mapping: FolderMapping,
        known: Known,
        *,
        source: str | None = None,
    ):
        self._mapping, self._known = mapping, known
        self.source, self.mapping = source or mapping.source, mapping.name
        self._namespace = uuid5(NAMESPACE_URL, self.source)
        self._files: dict[str, list[tuple[int, dict[str, str]]]] = {}
        self._findings: list[Finding] = []
        self._by: dict[tuple[str, str], dict[str, dict[str, str]]] = {}
        for name in mapping.files:
            with files.opened(folder / name) as table:
                self._files[name] = []
                for number, cells, is_whole in table.rows:
                    self._files[name].append((number, cells))
                    if not is_whole:
                        self._find(Line(name, number), "", "", "cells")
        self.total = sum(len(rows) for rows in self._files.values())
        self._rows: dict[str, dict[UUID, dict[str, Any]]] = defaultdict(dict)
        self._lines: dict[UUID, Line] = {}
        #: what the source called the row that a link leads to
        self._keys: dict[tuple[UUID, str], str] = {}
        self._left_out = 0

    def __iter__(self) -> Iterator[Batch]:
        self._columns()
        for source in self._mapping.tables:
            for number, cells in self._files[source.file]:
                self._take(source, Line(source.file, number), cells)
        self._dangling()
        self._without_a_place()
        yield from self._batches()

    def _find(self, line: Line, column: str, value: str, key: str, **params: Any) -> None:
        words = Message(f"directory.import.{key}", params)
        self._findings.append(Finding(line.row, column, value[:_SHOWN], words, file=line.file))

    def _columns(self) -> None:
        """Columns that hold something and have no place with us: why, where the mapping says so."""
        for name, rows in self._files.items():
            used = {
                column for one in self._mapping.tables if one.file == name for column in one.columns
            }
            reasons = self._mapping.not_mapped.get(name, {})
            for column in rows[0][1] if rows else ():
                filled = sum(1 for _, cells in rows if cells.get(column, "").strip())
                if column in used or not filled:
                    continue
                why = reasons.get(column)
                key = "column_left" if why else "column_unknown"
                self._find(
                    Line(name, 1), column, "", key, filled=filled, **({"why": why} if why else {})
                )

    # One row.

    def _take(self, source: Source, line: Line, cells: Mapping[str, str]) -> None:
        if any(cells.get(column, "").strip() != value for column, value in source.when.items()):
            return
        for place, piece in enumerate(self._pieces(source, line, cells)):
            self._row(source, line, {**cells, **piece}, place if source.each else None)

    def _pieces(
        self, source: Source, line: Line, cells: Mapping[str, str]
    ) -> Iterator[dict[str, str]]:
        """The row itself, or one for each piece of a cell, whose text is then the column `piece`."""
        if source.each is None:
            yield {}
            return
        column, separator = source.each["column"], source.each.get("separator")
        text = cells.get(column, "").strip()
        for piece in filter(
            None, (p.strip() for p in (text.split(separator) if separator else [text]))
        ):
            if source.each.get("skip") and re.fullmatch(source.each["skip"], piece):
                continue
            if "pattern" not in source.each:
                yield {"piece": piece}
            elif found := re.fullmatch(source.each["pattern"], piece):
                yield {f"piece.{name}": text or "" for name, text in found.groupdict().items()}
            else:
                self._find(line, f"{source.table}.{column}", piece, "no_pattern")

    def _row(self, source: Source, line: Line, cells: Mapping[str, str], place: int | None) -> None:
        if source.table == "service_category":
            self._category(source, line, cells)
            return
        raw: dict[str, Any] = {}
        ours: dict[str, Any] = {}
        for name, spec in source.fields.items():
            value = self._value(source, line, name, spec, cells)
            if name in OUR_FIELDS:
                ours[name] = value
            elif value is not None:
                raw[name] = value
        columns: dict[str, Any] = {}
        for each in TABLES[source.table].fields:
            if each.name in source.fields and each.name not in OUR_FIELDS:
                loaded = each.load(raw.get(each.name))
                columns[each.column] = each.default if loaded.value is None else loaded.value
                if loaded.problem:
                    said = str(raw[each.name])
                    self._find(line, f"{source.table}.{each.name}", said, loaded.problem)
        if missing := [name for name in source.needs if columns.get(name) in (None, "")]:
            self._find(line, f"{source.table}.{missing[0]}", cells.get("id", ""), "row_without")
            self._left_out += 1
            return
        keys = {name: self._linked(spec, cells) for name, spec in source.links.items()}
        links = {
            name: self._key(name.removesuffix("_id"), key) if key else None
            for name, key in keys.items()
        }
        if source.table not in _ENTITIES and not any(links.values()):
            self._find(line, source.table, cells.get("id", ""), "belongs_to_nothing")
            self._left_out += 1
            return
        row_id = self._id(source, cells, columns, links, place)
        if row_id in self._rows[source.table]:
            self._find(line, f"{source.table}.id", str(cells.get(source.id or "", "")), "same_row")
            return
        row = {"id": row_id, **columns, **ours, **links}
        if source.table in ("organization", "service", "location"):
            row |= {"source": self.source, "source_id": cells.get(source.id or "", "")}
        self._rows[source.table][row_id] = row
        self._lines[row_id] = line
        self._keys |= {(row_id, name): key for name, key in keys.items() if key}

    def _category(self, source: Source, line: Line, cells: Mapping[str, str]) -> None:
        term = cells["piece"]
        spec = source.fields["code"]
        codes = self._mapping.crosswalks[spec["crosswalk"]].get(term, ())
        key = self._linked(source.links["service_id"], cells)
        service_id = self._key("service", key) if key else None
        if not codes:
            self._find(
                line, f"service.{(source.each or {}).get('column', '')}", term, "unknown_term"
            )
        for code in codes:
            if code not in self._known.categories:
                self._find(line, "service_category.code", code, "unknown_category")
            elif service_id:
                row_id = part_id(service_id, "service_category", code)
                self._lines[row_id] = line
                basis = source.fields["basis"]["constant"]
                self._rows["service_category"][row_id] = {
                    "id": row_id,
                    "service_id": service_id,
                    "code": code,
                    "basis": basis,
                }

    def _value(
        self,
        source: Source,
        line: Line,
        name: str,
        spec: Mapping[str, Any],
        cells: Mapping[str, str],
    ) -> Any:
        if "constant" in spec:
            return spec["constant"]
        if "join" in spec:
            said = ((part.get("label"), self._cell(part, cells)) for part in spec["join"])
            return "\n".join(f"{a}: {b}" if a else b for a, b in said if b) or None
        text = self._cell(spec, cells)
        if not text:
            return None
        try:
            return _READ[spec.get("read", "text")](text)
        except ValueError:
            self._find(line, f"{source.table}.{name}", text, f"no_{spec['read']}")
            return None

    @staticmethod
    def _cell(spec: Mapping[str, Any], cells: Mapping[str, str]) -> str:
        text = cells.get(spec["column"], "").strip()
        return str((spec.get("values") or {}).get(text, text) or "")

    # Ids and links.

    def _key(self, table: str, key: str) -> UUID:
        return given_id(key) or uuid5(
            self._namespace, key if table == "service" else f"{table}:{key}"
        )

    def _linked(self, spec: Any, cells: Mapping[str, str]) -> str:
        """The source's own id of the row that a link leads to; empty: none."""
        if isinstance(spec, str):
            return cells.get(spec, "").strip()
        by_way_of = self._index(spec["file"], spec["key"])
        return (
            by_way_of.get(cells.get(spec["column"], "").strip(), {}).get(spec["take"], "").strip()
        )

    def _index(self, file: str, column: str) -> dict[str, dict[str, str]]:
        if (file, column) not in self._by:
            self._by[file, column] = {c.get(column, "").strip(): c for _, c in self._files[file]}
        return self._by[file, column]

    def _id(
        self,
        source: Source,
        cells: Mapping[str, str],
        columns: Mapping[str, Any],
        links: Mapping[str, UUID | None],
        place: int | None,
    ) -> UUID:
        key = cells.get(source.id, "").strip() if source.id else ""
        if key and place is None:
            # Two files of one table each count from 1; nothing leads to such rows.
            known = key if source.table in _ENTITIES else f"{source.file}:{key}"
            return self._key(source.table, known)
        parent = next(link for link in links.values() if link)
        # What a row says tells it from its sisters, so that it is known again when another comes before it.
        return part_id(parent, source.table, repr(sorted((k, str(v)) for k, v in columns.items())))

    def _dangling(self) -> None:
        """Links to rows that the folder does not have are taken out, and what then belongs to nothing."""
        links: dict[str, set[str]] = defaultdict(set)
        for one in self._mapping.tables:
            links[one.table] |= one.links.keys()
        for name, rows in list(self._rows.items()):
            for row_id, row in list(rows.items()):
                for column in sorted(links[name]):
                    target = row.get(column)
                    if target and target not in self._rows[column.removesuffix("_id")]:
                        row[column] = None
                        key = self._keys[row_id, column]
                        self._find(self._lines[row_id], f"{name}.{column}", key, "dangling")
                if name not in _ENTITIES and not any(row.get(c) for c in links[name]):
                    self._find(self._lines[row_id], name, "", "belongs_to_nothing")
                    self._left_out += 1
                    del rows[row_id]

    def _without_a_place(self) -> None:
        """A service whose place is not said has a site without one, so that it can still be offered."""
        placed = {row["service_id"] for row in self._rows["service_at_location"].values()}
        for service_id in self._rows["service"]:
            if service_id not in placed:
                row_id = part_id(service_id, "service_at_location")
                row = {"id": row_id, "service_id": service_id, "location_id": None}
                self._rows["service_at_location"][row_id] = row

    # Batches.

    def _batches(self) -> Iterator[Batch]:
        parts = self._parts()
        told: set[UUID] = set()
        services = list(self._rows["service"])
        groups = [services[at : at + BATCH] for at in range(0, len(services), BATCH)] or [[]]
        placed = {
            row["service_id"]
            for row in self._rows["service_at_location"].values()
            if row["location_id"]
        }
        for at, group in enumerate(groups):
            is_last = at == len(groups) - 1
            wanted = set(group)
            if is_last:
                wanted |= self._rows["organization"].keys() | self._rows["location"].keys()
            batch = Batch(derived=True, lines=self._lines)
            self._tell(batch, wanted - told, told, parts)
            batch.unplaced = sum(1 for one in group if one not in placed)
            if at == 0:
                batch.findings, batch.count, batch.left_out = (
                    self._findings,
                    self.total,
                    self._left_out,
                )
            yield batch

    def _parts(self) -> dict[UUID, list[tuple[str, str, UUID]]]:
        """Rows by the row they lead to: table, column, id."""
        found: dict[UUID, list[tuple[str, str, UUID]]] = defaultdict(list)
        for table, rows in self._rows.items():
            for row_id, row in rows.items():
                for column, to in row.items():
                    if column.endswith("_id") and isinstance(to, UUID) and to != row_id:
                        found[to].append((table, column, row_id))
        return found

    def _tell(
        self,
        batch: Batch,
        ids: set[UUID],
        told: set[UUID],
        parts: Mapping[UUID, Sequence[tuple[str, str, UUID]]],
    ) -> None:
        """Put these rows into the batch, what they lead to, and the parts that lead to them."""
        waiting = list(ids)
        while waiting:
            row_id = waiting.pop()
            table = next((name for name, rows in self._rows.items() if row_id in rows), None)
            if table is None or row_id in told:
                continue
            told.add(row_id)
            row = self._rows[table][row_id]
            batch.rows[table][row_id] = row
            waiting += [
                to for key, to in row.items() if key.endswith("_id") and isinstance(to, UUID)
            ]
            if table in _ENTITIES:
                waiting += [r for name, _, r in parts.get(row_id, ()) if name not in _LATER]
                batch.whole |= {
                    (one.table, f"{table}_id", row_id)
                    for one in self._mapping.tables
                    if one.table not in _ENTITIES and f"{table}_id" in one.links
                }


_ENTITIES = ("organization", "program", "service", "location", "service_at_location")
#: they come with their own batch, not with what they belong to
_LATER = ("service", "location")


def _year(text: str) -> int:
    found = re.search(r"\b(1[5-9]\d\d|20\d\d)\b", text)
    if found is None:
        raise ValueError(text)
    return int(found[0])


def _day(text: str) -> str:
    for form in _DATES:
        try:
            day = datetime.strptime(text, form).date()  # noqa: DTZ007 - a day has no zone
        except ValueError:
            continue
        if day.year < 1900:
            raise ValueError(text)  # a day of every year
        return day.isoformat()
    raise ValueError(text)


def _weekday(text: str) -> str:
    try:
        return _DAYS[text[:3].casefold()]
    except KeyError as error:
        raise ValueError(text) from error


def _truth(text: str) -> bool:
    return text.casefold() in ("true", "yes", "1")


def _url(text: str) -> str:
    if not re.fullmatch(r"[^\s\"'<>]+\.[^\s\"'<>]+", text):
        raise ValueError(text)
    return text if re.match(r"https?://", text) else f"https://{text}"


def _email(text: str) -> str:
    if not re.fullmatch(r"[^@\s<>]+@[^@\s<>]+\.[^@\s<>]+", text):
        raise ValueError(text)
    return text


def _number(text: str) -> float:
    return float(text)


_READ: Mapping[str, Callable[[str], Any]] = {
    "text": str,
    "year": _year,
    "day": _day,
    "weekday": _weekday,
    "time": hours_text.clock,
    "truth": _truth,
    "number": _number,
    "url": _url,
    "email": _email,
}
