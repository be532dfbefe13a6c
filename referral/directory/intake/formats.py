"""A file from elsewhere, opened as what it is: HSDS, a table, several tables, a map.

What is in a file decides what it is, not its name.
"""

import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from pathlib import Path
from shutil import copyfileobj
from tempfile import TemporaryDirectory

import ijson
import yaml

from referral.core.careful_json import CarefulJson
from referral.core.errors import Finding, Invalid
from referral.directory.intake import files, geojson, osm
from referral.directory.intake.batches import Reader
from referral.directory.intake.bombs import grows_too_much, mapping_in
from referral.directory.intake.folder_mapping import FolderMapping
from referral.directory.intake.folders import FolderReader
from referral.directory.intake.hsds.package_files import DESCRIPTION
from referral.directory.intake.hsds.source import reader as hsds_reader
from referral.directory.intake.mapping import Known, TableMapping, best_fit
from referral.directory.intake.reading import Entry, ListingReader
from referral.directory.intake.rows import Maker
from referral.places.gazetteer import Gazetteer

AUTO = "auto"
FORMATS = ("hsds-json", "hsds-csv", "table", "geojson", "osm")
#: A packed folder may not grow beyond this: some are made to fill disks.
LARGEST_UNPACKED_BYTES = 8 << 30
_LOOKED_AT = 20_000  # parts of a JSON file
_OSM_ID = re.compile(r"(node|way|relation)/\d+")
_PACKED = (".csv", ".tsv", ".json", ".ndjson", ".jsonl", ".geojson", ".xlsx")
AnyMapping = TableMapping | FolderMapping


@dataclass(frozen=True)
class Guides:
    """What every reader needs to know. `folder` holds the mappings and osm_tags.csv that ship with the program."""

    known: Known
    gazetteer: Gazetteer
    folder: Path
    now: datetime


def mapping_from(path: Path) -> AnyMapping:
    """The mapping in a YAML file, of a table or of a folder. Raises Invalid."""
    try:
        data = mapping_in(path)
    except (OSError, ValueError, yaml.YAMLError):
        data = None  # said by the mapping itself
    if isinstance(data, Mapping) and data.get("format") == "folder":
        return FolderMapping.from_yaml(path)
    return TableMapping.from_yaml(path)


@contextmanager
def opened(
    path: Path,
    guides: Guides,
    *,
    format: str = AUTO,  # noqa: A002 - the command's word
    mapping: AnyMapping | None = None,
    source: str | None = None,
    sheet: str | None = None,
) -> Iterator[Reader]:
    """The reader for a file or folder. Raises Invalid where it can't be read at all."""
    if not path.exists():
        raise Invalid("directory.file.unreadable", field="path", name=path.name)
    with TemporaryDirectory(prefix="jejaring-") as room:
        is_package = format == "hsds-csv" or (
            format == AUTO and detect(path, guides.folder) == "hsds-csv"
        )
        inside = path if is_package else _unpacked(path, Path(room))
        kind = detect(inside, guides.folder) if format == AUTO else format
        if kind.startswith("hsds"):
            yield hsds_reader(
                kind,
                inside,
                known=guides.known,
                gazetteer=guides.gazetteer,
                now=guides.now,
                source=source,
            )
        elif kind == "table" and inside.is_dir():
            yield FolderReader(
                inside, _of_folder(mapping, inside, guides), guides.known, source=source
            )
        elif kind == "table":
            with files.opened(inside, sheet) as table:
                fitting = _of_table(mapping, guides, table.header)
                yield _listings(table.rows, fitting, guides, source, kind, table.total)
        elif kind == "osm":
            rules = osm.rules(guides.folder / "osm_tags.csv")
            entries = osm.entries(inside, rules, as_features=_is_collection(inside))
            fitting = _of_table(mapping, guides, (), name="osm")
            yield _listings(entries, fitting, guides, source, kind, None)
        else:
            first, entries = _peeked(geojson.entries(inside))
            fitting = _of_table(mapping, guides, first, name="table")
            yield _listings(entries, fitting, guides, source, kind, None)


def detect(path: Path, folder: Path) -> str:
    """What a file or folder holds; `folder` as in Guides. Raises Invalid for a file that can't be opened."""
    if path.is_dir():
        if (path / DESCRIPTION).exists() or not any(one.fits(path) for one in _folders(folder)):
            return "hsds-csv"
        return "table"
    if path.name == DESCRIPTION:
        return "hsds-csv"
    if files.is_workbook(path):
        return "table"
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as packed:
            names = {Path(name).name for name in packed.namelist()}
        return "hsds-csv" if DESCRIPTION in names else "table"
    try:
        with path.open("rb") as file:
            first = file.read(1 << 16).removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    except OSError as error:
        raise Invalid("directory.file.unreadable", field="path", name=path.name) from error
    return _kind_of_json(path) if first in (b"{", b"[") else "table"


def _kind_of_json(path: Path) -> str:
    """By the first keys of the outermost object; HSDS is what it is if it is nothing else."""
    with path.open("rb") as file:
        if file.read(3) != b"\xef\xbb\xbf":
            file.seek(0)
        events = ijson.parse(CarefulJson(file), multiple_values=True)
        try:
            for seen, (prefix, event, value) in enumerate(events):
                if prefix == "elements" and event == "start_array":
                    return "osm"
                if prefix == "type" and value == "FeatureCollection":
                    return "osm" if _is_of_osm(path) else "geojson"
                if prefix == "features" and event == "start_array":
                    return "osm" if _is_of_osm(path) else "geojson"
                if seen > _LOOKED_AT or (prefix, event) == ("", "start_array"):
                    break
        except (ijson.JSONError, UnicodeDecodeError):
            pass  # said by the reader, which knows where
    return "hsds-json"


def _is_collection(path: Path) -> bool:
    return next(iter(geojson.features(path)), None) is not None


def _is_of_osm(path: Path) -> bool:
    """Whether a collection is an export of OpenStreetMap: its first feature has an id as `node/1`."""
    try:
        _, feature = next(geojson.features(path))
    except (StopIteration, Invalid):
        return False
    properties = feature.get("properties")
    marked = properties.get("@id") if isinstance(properties, Mapping) else None
    return bool(_OSM_ID.fullmatch(str(marked or feature.get("id") or "")))


def _unpacked(path: Path, room: Path) -> Path:
    """What to read: the file itself, or what a zip file holds, a single file or a folder."""
    if path.is_dir() or files.is_workbook(path) or not zipfile.is_zipfile(path):
        return path
    with zipfile.ZipFile(path) as packed:
        inside = [
            one
            for one in packed.infolist()
            if one.filename.lower().endswith(_PACKED)
            and not Path(one.filename).name.startswith(".")
        ]
        size = sum(one.file_size for one in inside)
        if size > LARGEST_UNPACKED_BYTES or any(map(grows_too_much, inside)):
            raise Invalid("directory.file.too_large", field="path", name=path.name)
        names = [Path(one.filename).name for one in inside]
        if not inside or len(set(names)) < len(names):
            raise Invalid("directory.file.empty_zip", field="path", name=path.name)
        try:
            for one, name in zip(inside, names, strict=True):
                # Only the last part of the name: a path could lead out of the room.
                with packed.open(one) as source, (room / name).open("wb") as target:
                    copyfileobj(source, target)
        except (zipfile.BadZipFile, RuntimeError, EOFError) as error:
            raise Invalid("directory.file.damaged", field="path", name=path.name) from error
    return room / names[0] if len(names) == 1 else room


def _peeked(entries: Iterator[Entry]) -> tuple[Sequence[str], Iterator[Entry]]:
    """The columns of the first entry, and all entries."""
    first = next(entries, None)
    if first is None:
        return (), iter(())
    return () if isinstance(first, Finding) else list(first[1]), chain((first,), entries)


def _listings(
    entries: Iterator[Entry],
    mapping: TableMapping,
    guides: Guides,
    source: str | None,
    format: str,  # noqa: A002 - the protocol's word
    total: int | None,
) -> ListingReader:
    maker = Maker(source or mapping.source, guides.gazetteer, now=guides.now)
    return ListingReader(entries, mapping, guides.known, maker, format=format, total=total)


def _of_table(
    mapping: AnyMapping | None, guides: Guides, header: Sequence[str], *, name: str = ""
) -> TableMapping:
    """The mapping that was named, else the one that fits the heading; `name` where none does."""
    if isinstance(mapping, TableMapping):
        return mapping
    if mapping is not None:
        raise Invalid("directory.mapping.not_for_this", field="mapping", name=mapping.name)
    paths = sorted((guides.folder / "mappings").glob("*.yaml"))
    shipped = {path.stem: TableMapping.from_yaml(path) for path in paths}
    if name == "osm":
        return shipped[name]
    try:
        return best_fit(shipped.values(), header)
    except Invalid:
        if name:
            return shipped[name]
        raise


def _of_folder(mapping: AnyMapping | None, path: Path, guides: Guides) -> FolderMapping:
    if isinstance(mapping, FolderMapping):
        return mapping
    fitting = (
        None if mapping else next((one for one in _folders(guides.folder) if one.fits(path)), None)
    )
    if fitting is None:
        key = "not_for_this" if mapping else "no_folder"
        name = mapping.name if mapping else path.name
        raise Invalid(f"directory.mapping.{key}", field="mapping", name=name)
    return fitting


def _folders(folder: Path) -> list[FolderMapping]:
    return [
        FolderMapping.from_yaml(p) for p in sorted((folder / "mappings" / "folders").glob("*.yaml"))
    ]
