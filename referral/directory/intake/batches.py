"""What every reader of a file gives and the import takes: whole listings, some hundred at a time. Pure."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import UUID

from referral.core.errors import Finding

#: listings in a batch; each batch is one transaction
BATCH = 1000

#: by table and id; the values are our columns
Rows = dict[str, dict[UUID, dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class Line:
    """Where in the source a row was read; `file` is the part of a package, empty for a single file."""

    file: str
    row: int


@dataclass
class Batch:
    """Some listings of a source, each with all its rows.

    rows       a column that is not in a row is one the source does not speak of: it gets its default when the
               row is made and is left alone afterwards. All rows of one table need not have the same columns.
    lines      where a row was read: every service, other rows where that is known apart from their service's
    whole      (table, its column, id): the batch holds all rows of the table that lead to this id by the column.
               Those that an earlier import made and that are not in it are taken away
    once       table → columns that are set when a row is made and left alone afterwards
    derived    no row's id but services' is the source's own
    count      entries of the source that the batch comes from
    left_out   of these, those that could not become a listing
    unplaced   listings that should be on the map and are not
    """

    rows: Rows = field(default_factory=lambda: defaultdict(dict))
    lines: dict[UUID, Line] = field(default_factory=dict)
    whole: set[tuple[str, str, UUID]] = field(default_factory=set)
    once: Mapping[str, frozenset[str]] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    derived: bool = False
    count: int = 0
    left_out: int = 0
    unplaced: int = 0


class Reader(Protocol):
    """An open source of listings. It is read once, in order; what it holds at a time is one batch.

    source   its name, as in Service.source
    format   hsds-json, hsds-csv, table, geojson or osm
    mapping  name of the mapping it is read with, empty where none is
    total    about how many entries there are, for progress; None where only reading would tell
    """

    @property
    def source(self) -> str: ...
    @property
    def format(self) -> str: ...
    @property
    def mapping(self) -> str: ...
    @property
    def total(self) -> int | None: ...
    def __iter__(self) -> Iterator[Batch]: ...
