"""Listings read one by one, whatever the file, as the batches that an import takes. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from uuid import UUID

from referral.core.errors import Finding
from referral.core.text import Message
from referral.directory.intake import files
from referral.directory.intake.batches import BATCH, Batch, Line
from referral.directory.intake.listings import Listing
from referral.directory.intake.mapping import Known, TableMapping
from referral.directory.intake.memory import Memory
from referral.directory.intake.rows import Maker, part_id

#: an entry of a source: its number there, its cells by heading, and whether it has as many as the heading;
#: or what keeps it from being a listing
Entry = tuple[int, Mapping[str, str | None], bool] | Finding

#: what the source speaks of as a whole, by the column that leads to the service and to its place
OF_SERVICE = (
    "phone",
    "schedule",
    "service_area",
    "language",
    "cost_option",
    "required_document",
    "service_capacity",
    "service_category",
    "eligibility_rule",
)
OF_LOCATION = ("address", "accessibility")
ONCE = {
    "service": frozenset({"status", "version", "last_modified"}),
    "service_capacity": frozenset({"updated"}),
}


class ListingReader:
    """Entries that are one service each, read with a mapping. See batches.Reader."""

    def __init__(
        self,
        entries: Iterable[Entry],
        mapping: TableMapping,
        known: Known,
        maker: Maker,
        *,
        format: str,  # noqa: A002 - the protocol's word
        total: int | None,
    ):
        self._entries, self._mapping, self._known, self._maker = entries, mapping, known, maker
        self._memory = Memory()
        self._unnamed: list[str] | None = None
        self.source, self.mapping = maker.source, mapping.name
        self.format, self.total = format, total

    def __iter__(self) -> Iterator[Batch]:
        entries = iter(self._entries)
        while some := list(islice(entries, BATCH)):
            yield self.batch(some)

    def batch(self, entries: Iterable[Entry]) -> Batch:
        """The listings of some entries, told apart from all that came before them."""
        batch = Batch(once=ONCE, derived=True)
        listings: list[Listing] = []
        for entry in entries:
            batch.count += 1
            if isinstance(entry, Finding):
                batch.findings.append(entry)
                batch.left_out += 1
                continue
            number, cells, is_whole = entry
            if self._unnamed is None:
                self._unnamed = [name for name in cells if files.UNNAMED.fullmatch(name)]
            for name in self._unnamed:
                if value := cells.get(name):
                    key = "directory.import.unnamed_column"
                    batch.findings.append(_finding(number, name, value, key))
            listing, findings = self._mapping.read(number, cells, self._known)
            batch.findings += findings
            if not is_whole:
                batch.findings.append(_finding(number, "", "", "directory.import.cells"))
            if listing is None:
                batch.left_out += 1
            elif first := self._memory.earlier("entry", listing.source_id, Line("", number)):
                words = Message("directory.import.duplicate", {"first": str(first.row)})
                batch.findings.append(Finding(number, "id", listing.source_id[:80], words))
                batch.left_out += 1
            else:
                listings.append(listing)
        made = self._maker.rows_of(listings)
        batch.rows, batch.unplaced = made.rows, made.unplaced
        batch.findings += made.findings
        for listing in listings:
            service_id = self._maker.service_id(listing)
            batch.lines[service_id] = Line("", listing.row)
            batch.whole |= _whole(service_id)
        return batch


def _whole(service_id: UUID) -> set[tuple[str, str, UUID]]:
    location_id = part_id(service_id, "location")
    return {(table, "service_id", service_id) for table in OF_SERVICE} | {
        (table, "location_id", location_id) for table in OF_LOCATION
    }


def _finding(row: int, field: str, value: str, key: str) -> Finding:
    return Finding(row, field, value[:80], Message(key))
