"""The files of an HSDS data package, in a folder or in a zip; what is unsafe in a zip is refused. Pure."""

import csv
import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import IO, Any

from referral.core.errors import Invalid
from referral.directory.hsds.shape import TABLES
from referral.directory.intake.bombs import MOST_TIMES, grows_too_much

DESCRIPTION = "datapackage.json"
LONGEST_CELL = 10_000_000
#: what a zip may become, together: 1,000,000 services are about 2 GB
LARGEST_BYTES = 20 << 30
_LARGEST_DESCRIPTION = 10 << 20


class Package:
    """An open package.

    files      table → the name of its file
    publisher  who the description says made it; None where it doesn't
    """

    def __init__(self, path: Path):
        self.path = path
        is_description = path.name == DESCRIPTION
        self._zip = self._opened_zip() if path.is_file() and not is_description else None
        self._folder = path.parent if is_description else path
        self._names = self._listed()
        description = self._description()
        self.publisher = _publisher(description)
        self.files = self._found(description)
        if not self.files:
            raise Invalid("directory.hsds.no_package", field="path", name=path.name)

    def rows(self, table: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
        """A table's rows with their numbers as a spreadsheet counts them; nothing where it has no file."""
        name = self.files.get(table)
        if name is None:
            return
        csv.field_size_limit(LONGEST_CELL)
        with self._open(name) as file:
            text = io.TextIOWrapper(file, "utf-8-sig", errors="replace", newline="")
            reader = csv.reader(line.replace("\0", "") for line in text)
            try:
                header = [cell.strip() for cell in next(reader)]
                for number, cells in enumerate(reader, start=2):
                    if any(cells):
                        yield number, dict(zip(header, cells, strict=False))
            except StopIteration:
                return
            except (csv.Error, zipfile.BadZipFile, OSError) as error:
                raise self._unreadable(f"{name}: {error}") from error

    def _opened_zip(self) -> zipfile.ZipFile:
        try:
            opened = zipfile.ZipFile(self.path)
        except (OSError, zipfile.BadZipFile) as error:
            raise self._unreadable(str(error)) from error
        total = 0
        for each in opened.infolist():
            parts = PurePosixPath(each.filename.replace("\\", "/"))
            if parts.is_absolute() or ".." in parts.parts:
                raise self._unsafe(f"{each.filename[:80]} leads out of it")
            if grows_too_much(each):
                raise self._unsafe(f"{each.filename[:80]} grows more than {MOST_TIMES} times")
            total += each.file_size
        if total > LARGEST_BYTES:
            raise self._unsafe(f"{total} bytes")
        return opened

    def _listed(self) -> dict[str, str]:
        """Where each file is, by its name; a package may lie in a folder of the zip."""
        if self._zip is not None:
            names = sorted(self._zip.namelist(), key=lambda name: -name.count("/"))
            return {PurePosixPath(name).name: name for name in names if not name.endswith("/")}
        try:
            return {each.name: each.name for each in self._folder.iterdir() if each.is_file()}
        except OSError as error:
            raise Invalid("directory.file.unreadable", field="path", name=self.path.name) from error

    def _description(self) -> Mapping[str, Any]:
        if DESCRIPTION not in self._names:
            return {}
        try:
            with self._open(DESCRIPTION) as file:
                found = json.loads(file.read(_LARGEST_DESCRIPTION))
        except (ValueError, OSError, RecursionError, zipfile.BadZipFile) as error:
            raise self._unreadable(f"{DESCRIPTION}: {error}") from error
        return found if isinstance(found, Mapping) else {}

    def _found(self, description: Mapping[str, Any]) -> dict[str, str]:
        """What the description says and is there; else the standard's own names."""
        found = {}
        resources = description.get("resources")
        for each in resources if isinstance(resources, list) else ():
            if isinstance(each, Mapping) and each.get("name") in TABLES:
                path = each.get("path")
                file = PurePosixPath(path).name if isinstance(path, str) else ""
                if file in self._names:
                    found[each["name"]] = file
        for name, table in TABLES.items():
            if table.file in self._names:
                found.setdefault(name, table.file)
        return found

    def _open(self, name: str) -> IO[bytes]:
        if self._zip is not None:
            return self._zip.open(self._names[name])
        return (self._folder / self._names[name]).open("rb")

    def _unreadable(self, why: str) -> Invalid:
        return Invalid(
            "directory.hsds.unreadable", field="path", name=self.path.name, why=why[:200]
        )

    def _unsafe(self, why: str) -> Invalid:
        return Invalid("directory.hsds.unsafe_zip", field="path", name=self.path.name, why=why)


class TabularJson:
    """The standard's `tabular.json`: the tables of a package in one object, each a list by its file's name."""

    publisher: str | None = None

    def __init__(self, path: Path):
        try:
            found = json.loads(path.read_bytes())
        except (OSError, ValueError, RecursionError) as error:
            raise Invalid(
                "directory.hsds.unreadable", field="path", name=path.name, why=str(error)[:200]
            ) from error
        self._rows = {
            name: found[table.file]
            for name, table in TABLES.items()
            if isinstance(found.get(table.file), list)
        }
        self.files = {name: TABLES[name].file for name in self._rows}

    def rows(self, table: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
        for number, row in enumerate(self._rows.get(table, ()), start=1):
            if isinstance(row, Mapping):
                yield number, row


def _publisher(description: Mapping[str, Any]) -> str | None:
    """Who published a package, in the words of its description."""
    contributors = description.get("contributors")
    for each in contributors if isinstance(contributors, list) else ():
        if isinstance(each, Mapping) and each.get("role") == "publisher" and each.get("title"):
            return str(each["title"])
    publisher = description.get("publisher")
    if isinstance(publisher, Mapping):
        publisher = publisher.get("name") or publisher.get("title")
    return str(publisher) if publisher else None
