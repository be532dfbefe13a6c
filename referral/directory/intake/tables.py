"""The tables an import writes, how their rows belong together, and what of them is there already."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar
from uuid import UUID, uuid5

from sqlalchemy import Table, select, tuple_
from sqlalchemy.orm import Session

from referral.changes.models import ChangeRecord
from referral.core.db import Identified
from referral.directory import models
from referral.directory.intake.batches import Batch, Line, Rows
from referral.directory.intake.hsds.documents import (
    ENTITIES,
    PARENTS,
    apart,
    further,
    says_the_same,
)

#: ids in one question to the database
CHUNK = 2000
_Item = TypeVar("_Item")

_MODELS: tuple[type[Identified], ...] = (
    models.Taxonomy,
    models.TaxonomyTerm,
    models.Unit,
    models.MetaTableDescription,
    models.Organization,
    models.Program,
    models.Service,
    models.Location,
    models.ServiceAtLocation,
    models.Contact,
    models.Phone,
    models.Address,
    models.Schedule,
    models.ServiceArea,
    models.Language,
    models.Accessibility,
    models.CostOption,
    models.RequiredDocument,
    models.Funding,
    models.OrganizationIdentifier,
    models.Url,
    models.ServiceCapacity,
    models.Attribute,
    ChangeRecord,
    models.ServiceCategory,
    models.EligibilityRule,
)
#: Parents before children; deleted the other way round.
TABLES: dict[str, Table] = {
    model.__tablename__: model.__table__  # type: ignore[misc]  # declared as FromClause; ours are tables
    for model in _MODELS
}
#: table → its columns that lead to a row of another of these tables
LINKS: dict[str, dict[str, str]] = {
    name: {
        key.parent.name: key.column.table.name
        for key in table.foreign_keys
        if key.column.table.name in TABLES and key.parent.name != "merged_into_id"
    }
    for name, table in TABLES.items()
}
#: table → the columns that may say whose its rows are, in that order
OWNERS: dict[str, tuple[str, ...]] = {
    name: tuple(column for column in PARENTS if column in table.c)
    for name, table in TABLES.items()
    if name not in ENTITIES
}
#: parts that have no parts
_LEAVES = frozenset(OWNERS) - {"contact", "phone"}
SELF_LINKS = {"organization": "parent_organization_id", "taxonomy_term": "parent_id"}


def stand_in_id(row_id: UUID, table: str) -> UUID:
    """The id of a row that stands where ours needs one and the source has none."""
    return uuid5(row_id, f"{table}:")


def owner(table: str, row: Mapping[str, Any]) -> tuple[str, UUID] | None:
    """Whose part a row is: the column that says so and the id."""
    for column in OWNERS[table]:
        if row.get(column) is not None:
            return column, row[column]
    return None


def chunks(items: Sequence[_Item]) -> Iterator[Sequence[_Item]]:
    for start in range(0, len(items), CHUNK):
        yield items[start : start + CHUNK]


def rows_by(
    session: Session, name: str, column: str, ids: Sequence[UUID]
) -> dict[UUID, dict[str, Any]]:
    """The rows of a table whose column is one of these, by id."""
    table, found = TABLES[name], {}
    for some in chunks(ids):
        for row in session.execute(select(table).where(table.c[column].in_(some))).mappings():
            found[row["id"]] = dict(row)
    return found


def present(session: Session, name: str, ids: Sequence[UUID]) -> set[UUID]:
    """Those of these ids that a table has."""
    table = TABLES[name]
    found: set[UUID] = set()
    for some in chunks(ids):
        found.update(session.scalars(select(table.c.id).where(table.c.id.in_(some))))
    return found


def load(session: Session, batch: Batch) -> Rows:
    """What is there already of a batch: its rows, and the other rows of those it tells in full."""
    found: Rows = {name: {} for name in TABLES}
    for name in TABLES:
        if name in ENTITIES or not batch.derived:
            found[name] |= rows_by(session, name, "id", list(batch.rows[name]))
    old = {row_id for name in ENTITIES for row_id in found[name]}
    services = [row_id for row_id in batch.rows["service"] if row_id in old]
    name = "service_at_location"
    found[name] |= rows_by(session, name, "service_id", services)
    _recognize_sites(batch, found[name])
    old |= set(found[name])
    asked: dict[tuple[str, str], list[UUID]] = {}
    # The parts of parts come last: their parents are found by then.
    for name, column, parent in sorted(batch.whole, key=lambda each: _depth(each[1])):
        asked.setdefault((name, column), []).append(parent)
    for (name, column), parents in asked.items():
        there = [parent for parent in parents if parent in old]
        rows = rows_by(session, name, column, there)
        found[name] |= rows
        old |= set(rows)
    return found


def _recognize_sites(batch: Batch, sites: Mapping[UUID, Mapping[str, Any]]) -> None:
    """A site whose id is new, of a service at a place it was at before, is the one it was: referrals lead there."""
    wanted = batch.rows["service_at_location"]
    before = {
        (row["service_id"], row["location_id"]): row_id
        for row_id, row in sites.items()
        if row["location_id"] and row_id not in wanted
    }
    same = {
        row_id: before.pop(pair)
        for row_id, row in wanted.items()
        if row_id not in sites and (pair := (row["service_id"], row.get("location_id"))) in before
    }
    for stated, row_id in same.items():
        row = wanted.pop(stated)
        row["as_stated"] = {"id": str(stated), **(row.get("as_stated") or {})}
        wanted[row_id] = {**row, "id": row_id}
        batch.lines[row_id] = batch.lines.get(stated) or Line("", 0)
    if same:
        for name, columns in OWNERS.items():
            for column in {"service_at_location_id", "link_id", "resource_id"}.intersection(
                columns
            ):
                for row in batch.rows[name].values():
                    row_to = row.get(column)
                    if row_to in same:
                        row[column] = same[row_to]
        batch.whole = {(t, column, same.get(to, to)) for t, column, to in batch.whole}


def _depth(column: str) -> int:
    return PARENTS.index(column)


def part(session: Session, batch: Batch, existing: Rows) -> None:
    """Give a row that is there already with other parents a further row for the ones the batch adds."""
    if batch.derived:
        return
    made: dict[str, list[UUID]] = {}
    for name in OWNERS:
        wanted = batch.rows[name]
        for row_id, row in list(wanted.items()):
            old = existing[name].get(row_id)
            if old is None:
                continue
            links = [
                link
                for link in apart(name, old, row)
                if (name, link, old[link]) not in batch.whole
                or _is_further(wanted, name, row_id, old[link])
            ]
            if not links:
                continue
            same = says_the_same(name, old, row)
            for link in links if same else [each for each in OWNERS[name] if row.get(each)]:
                one = further(row, name, link)
                wanted.setdefault(one["id"], one)
                batch.lines.setdefault(one["id"], batch.lines[row_id])
                made.setdefault(name, []).append(one["id"])
            if same:
                for link in links:
                    row.pop(link)
            if not same or not any(row.get(each) for each in OWNERS[name]):
                del wanted[row_id]
            for link in links:
                again = uuid5(row_id, str(old[link]))
                if name in _LEAVES and again in wanted:
                    # The parent that has it here already keeps it under its own id.
                    wanted[row_id] = {
                        **wanted.pop(again),
                        "id": row_id,
                        "as_stated": old["as_stated"],
                    }
    for name, ids in made.items():
        existing[name] |= rows_by(session, name, "id", ids)


def _is_further(wanted: Mapping[UUID, Any], name: str, row_id: UUID, parent: UUID) -> bool:
    return name in _LEAVES and uuid5(row_id, str(parent)) in wanted


def leave_services(batch: Batch, services: set[UUID]) -> None:
    """Take listings out of a batch, with their sites and all that is only theirs."""
    rows = batch.rows
    sites = {
        row_id
        for row_id, row in rows["service_at_location"].items()
        if row["service_id"] in services
    }
    gone = {"service": services, "service_at_location": sites}
    for name, of in (("location", "service_at_location"), ("organization", "service")):
        column = f"{name}_id"
        theirs = {rows[of][row_id].get(column) for row_id in gone[of]}
        others = {row.get(column) for row_id, row in rows[of].items() if row_id not in gone[of]}
        gone[name] = {row_id for row_id in theirs - others if row_id is not None}
    for name, ids in gone.items():
        for row_id in ids:
            rows[name].pop(row_id, None)
    leave_parts(batch, set().union(*gone.values()))


def leave_parts(batch: Batch, parents: set[UUID]) -> None:
    """Take out of a batch what belongs to nobody but these."""
    gone = set(parents)
    for name, columns in OWNERS.items():
        for row_id, row in list(batch.rows[name].items()):
            links = [link for link in columns if row.get(link) is not None]
            lost = [link for link in links if row[link] in gone]
            if lost and len(lost) == len(links):
                del batch.rows[name][row_id]
                gone.add(row_id)
            for link in lost:
                row.pop(link)
    batch.whole = {each for each in batch.whole if each[2] not in gone}


def in_order(name: str, rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows with those first that others of them lead to."""
    link = SELF_LINKS[name]
    by_id = {row["id"]: row for row in rows}
    done: dict[UUID, dict[str, Any]] = {}
    for row in rows:
        path = []
        at: dict[str, Any] | None = row
        while at is not None and at["id"] not in done and at not in path:
            path.append(at)
            at = by_id.get(at.get(link))
        for each in reversed(path):
            done[each["id"]] = each
    return list(done.values())


# Names that our tables have once.


def taken_names(
    session: Session, taxonomies: Mapping[UUID, Mapping[str, Any]]
) -> list[tuple[UUID, str]]:
    """Taxonomies whose name another one has."""
    names: dict[str, UUID] = {}
    table = TABLES["taxonomy"]
    wanted = [row["name"] for row in taxonomies.values() if "name" in row]
    for row_id, name in session.execute(
        select(table.c.id, table.c.name).where(table.c.name.in_(wanted))
    ):
        names[name] = row_id
    clashes = []
    for row_id, row in taxonomies.items():
        if "name" in row and names.setdefault(row["name"], row_id) != row_id:
            clashes.append((row_id, row["name"]))
    return clashes


def taken_codes(session: Session, terms: Mapping[UUID, Mapping[str, Any]]) -> list[UUID]:
    """Terms whose code another term of their taxonomy has."""
    table = TABLES["taxonomy_term"]
    wanted = [
        (row["taxonomy_id"], row["code"])
        for row in terms.values()
        if row.get("taxonomy_id") and "code" in row
    ]
    codes: dict[tuple[UUID, str], UUID] = {}
    for some in chunks(wanted):
        query = select(table.c.id, table.c.taxonomy_id, table.c.code).where(
            tuple_(table.c.taxonomy_id, table.c.code).in_(some)
        )
        for row_id, taxonomy_id, code in session.execute(query):
            codes[taxonomy_id, code] = row_id
    return [
        row_id
        for row_id, row in terms.items()
        if row.get("taxonomy_id")
        and "code" in row
        and codes.setdefault((row["taxonomy_id"], row["code"]), row_id) != row_id
    ]


def taken_sites(
    wanted: Mapping[UUID, Mapping[str, Any]], existing: Mapping[UUID, Mapping[str, Any]]
) -> Iterable[UUID]:
    """Sites of a service at a place where it has another one."""
    pairs = {
        (row["service_id"], row["location_id"]): row_id
        for row_id, row in existing.items()
        if row["location_id"]
    }
    return [
        row_id
        for row_id, row in wanted.items()
        if row.get("location_id")
        and pairs.setdefault((row["service_id"], row["location_id"]), row_id) != row_id
    ]
