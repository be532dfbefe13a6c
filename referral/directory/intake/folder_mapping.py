"""How the tables of another program become rows of HSDS: a folder mapping. Pure.

A folder mapping (YAML, `format: folder`) says for each of our tables from which file its rows come, which of
their columns fill which fields, and by which keys the rows belong together. See docs/directory.md.
"""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from referral.core.errors import Invalid
from referral.directory.hsds.shape import TABLES
from referral.directory.intake import files
from referral.directory.intake.bombs import mapping_in

#: where the crosswalks are that come with the program, seen from its mappings
_CROSSWALKS = "../../crosswalks/"
#: ours beside HSDS: what a row of these tables is made of
_OURS = {"service_category": ("code", "basis")}
#: fields of ours in HSDS's tables, which are written as they are
OUR_FIELDS = frozenset({"precision_km", "point_source", "is_closure", "remote"})


@dataclass(frozen=True)
class Source:
    """Where the rows of one of our tables come from: one entry of `tables` in the file."""

    table: str
    file: str
    id: str | None
    fields: Mapping[str, Mapping[str, Any]]
    links: Mapping[str, Any]
    when: Mapping[str, str]
    each: Mapping[str, str] | None
    needs: Sequence[str]

    @property
    def columns(self) -> set[str]:
        """The columns of the file that it reads."""
        parts = [part for spec in self.fields.values() for part in spec.get("join", [spec])]
        links = [spec if isinstance(spec, str) else spec["column"] for spec in self.links.values()]
        each = [self.each["column"]] if self.each else []
        named = {part["column"] for part in parts if "column" in part}
        return {*named, *links, *each, *self.when, *([self.id] if self.id else [])}


@dataclass(frozen=True)
class FolderMapping:
    """One mapping file. `not_mapped`: file → column → why it has no place with us."""

    name: str
    source: str
    tables: Sequence[Source]
    crosswalks: Mapping[str, Mapping[str, Sequence[str]]]
    not_mapped: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @classmethod
    def from_yaml(cls, path: Path) -> "FolderMapping":
        """The mapping in a file. Raises Invalid where the file can't be one."""
        try:
            data = mapping_in(path)
            if data["format"] != "folder":
                raise ValueError("format")
            return cls(
                name=path.stem,
                source=str(data["source"]),
                tables=[_source(each) for each in data["tables"]],
                crosswalks={
                    name: _crosswalk(path.parent / _safe(file, _CROSSWALKS))
                    for name, file in (data.get("crosswalks") or {}).items()
                },
                not_mapped=data.get("not_mapped") or {},
            )
        except OSError as error:
            name = Path(error.filename or path).name
            raise Invalid("directory.mapping.unreadable", field="mapping", name=name) from error
        except (AttributeError, KeyError, TypeError, ValueError, yaml.YAMLError) as error:
            raise Invalid(
                "directory.mapping.bad", field="mapping", name=path.name, why=str(error)[:200]
            ) from error

    @property
    def files(self) -> list[str]:
        """The files it reads, in the order in which they are first named."""
        return list(dict.fromkeys(one.file for one in self.tables))

    def fits(self, folder: Path) -> bool:
        """Whether the folder has all the files, each with all the columns that are read."""
        return all(
            (folder / name).is_file() and self._columns_of(name) <= _heading(folder / name)
            for name in self.files
        )

    def _columns_of(self, name: str) -> set[str]:
        read = {column for one in self.tables if one.file == name for column in one.columns}
        return {column for column in read if column.partition(".")[0] != "piece"}


def _heading(path: Path) -> set[str]:
    with files.opened(path) as table:
        return set(table.header)


def _source(data: Mapping[str, Any]) -> Source:
    table = data["table"]
    known = set(_OURS.get(table, ())) or {*TABLES[table].by_name, *OUR_FIELDS}
    fields = {
        ours: {"column": theirs} if isinstance(theirs, str) else dict(theirs)
        for ours, theirs in (data.get("fields") or {}).items()
    }
    if unknown := sorted({*fields, *(data.get("links") or {})} - known - {"service_id"}):
        raise ValueError(f"{table}: {', '.join(unknown)}")
    return Source(
        table=table,
        file=_safe(data["file"]),
        id=data.get("id"),
        fields=fields,
        links=data.get("links") or {},
        when={k: str(v) for k, v in (data.get("when") or {}).items()},
        each=data.get("each"),
        needs=data.get("needs") or (),
    )


def _safe(file: str, folder: str = "") -> str:
    """A file beside the others, or in `folder`: whoever hands a mapping in reads nothing else of this machine."""
    name = file.removeprefix(folder)
    if name in ("", "..") or Path(name).name != name:
        raise ValueError(file)
    return file


def _crosswalk(path: Path) -> dict[str, list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return {row["theirs"]: row["ours"].split("|") for row in csv.DictReader(file)}
