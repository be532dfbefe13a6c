"""Nested documents of HSDS: many listings with all their rows in few statements, and nothing that must stay here."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from referral.directory.hsds import vocabularies
from referral.directory.hsds.shape import TABLES, is_stand_in
from referral.directory.hsds.telling import PLACES, Document, Row, as_told, fits, short
from referral.directory.hsds.visible import MODELS, has_secret_place, visible
from referral.directory.hsds.vocabularies import Stated
from referral.directory.models import EligibilityRule, Service, ServiceCategory

#: Values in one statement: databases take no more than some ten thousands.
MOST_VALUES = 5000
_LAST_MODIFIED = TABLES["service"].by_name["last_modified"]
#: Tables below a listing, each after those that lead to it.
_BELOW = (
    "program",
    "location",
    "contact",
    "phone",
    "schedule",
    "language",
    "service_area",
    "address",
    "accessibility",
    "url",
    "funding",
    "cost_option",
    "required_document",
    "organization_identifier",
    "service_capacity",
    "unit",
)


class Listings:
    """Listings read from the database, ready to be told as documents.

    The rows of a whole batch are read at once: so many statements as there are tables, not as there are rows.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._rows: dict[str, dict[UUID, Row]] = defaultdict(dict)
        self._under: dict[tuple[str, str], dict[UUID, list[Row]]] = defaultdict(
            lambda: defaultdict(list)
        )
        self._secret: set[UUID] = set()
        self._facts: dict[UUID, list[Stated]] = defaultdict(list)
        self._told: dict[tuple[str, UUID, tuple[str, ...]], Document] = {}

    @classmethod
    def of_services(cls, session: Session, ids: Collection[UUID]) -> "Listings":
        """Services with all that belongs to them."""
        found = cls(session)
        found._by_id("service", ids)
        found._by_id("organization", found._leads("service", "organization_id"))
        found._by_link("service_at_location", ["service"])
        return found._complete()

    @classmethod
    def of_sites(cls, session: Session, ids: Collection[UUID]) -> "Listings":
        """Services at their locations."""
        found = cls(session)
        found._by_id("service_at_location", ids)
        found._by_id("service", found._leads("service_at_location", "service_id"))
        found._by_id("organization", found._leads("service", "organization_id"))
        return found._complete()

    @classmethod
    def of_organizations(
        cls, session: Session, ids: Collection[UUID], *, services: bool
    ) -> "Listings":
        """Organizations; their services whole or, without `services`, in short."""
        found = cls(session)
        found._by_id("organization", ids)
        if services:
            found._by_link("service", ["organization"])
            found._by_link("service_at_location", ["service"])
        found._complete()
        if not services:
            found._by_link("service", ["organization"])
            found._own_facts()
        return found

    @classmethod
    def facts_of(cls, session: Session, ids: Collection[UUID]) -> "Listings":
        """Services with what we know of them beside HSDS, and nothing else."""
        found = cls(session)
        found._by_id("service", ids)
        found._own_facts()
        found._by_link("service_capacity", ["service"])
        found._capacity_facts()
        return found

    @classmethod
    def of_terms(cls, session: Session, table: str, ids: Collection[UUID]) -> "Listings":
        """Terms with their taxonomies, or taxonomies."""
        found = cls(session)
        found._by_id(table, ids)
        found._by_id("taxonomy", found._leads("taxonomy_term", "taxonomy_id"))
        found._records()
        return found

    @classmethod
    def in_short(cls, session: Session, table: str, ids: Collection[UUID]) -> "Listings":
        """Rows as lists have them: themselves, and the few that they lead to."""
        found = cls(session)
        found._by_id(table, ids)
        for part in ("location", "service", "organization", "program"):
            for link in _LEADS[part]:
                found._by_id(part, found._leads(*link))
        found._find_secrets()
        return found

    def short(self, table: str, row_id: UUID) -> Document | None:
        """A row of a list: its own fields, and below it those of the rows that it leads to."""
        row = self._rows[table].get(row_id)
        if row is None:
            return None
        told = self._short(table, row)
        for child in TABLES[table].children:
            if not child.many and row[child.link] is not None:
                below = self._rows[child.table].get(row[child.link])
                if below is not None and not is_stand_in(below["as_stated"]):
                    told[child.key] = self.short(child.table, below["id"])
        return told

    def modified_at(self, table: str, row_id: UUID) -> datetime:
        """When the service that a row is or belongs to was last modified."""
        row = self._rows[table][row_id]
        at: datetime = row.get("last_modified") or self.modified_at("service", row["service_id"])
        return at

    def merged_into(self, row_id: UUID) -> UUID | None:
        """The listing that a service was merged into, if it was and that may be told."""
        kept: UUID | None = self._rows["service"][row_id]["merged_into_id"]
        return kept

    def row(self, table: str, row_id: UUID) -> Row:
        """One of the rows that are here."""
        return self._rows[table][row_id]

    def has(self, table: str, row_id: UUID) -> bool:
        return row_id in self._rows[table]

    @property
    def facts(self) -> Mapping[UUID, Sequence[Stated]]:
        """What we know beside HSDS of services and their capacities, by row."""
        return self._facts

    def service(self, row_id: UUID) -> Document | None:
        return self._document("service", row_id)

    def organization(self, row_id: UUID, *, services: bool) -> Document | None:
        """An organization with its services, whole or in short; None where it only stands in for one."""
        row = self._rows["organization"].get(row_id)
        if row is None or is_stand_in(row["as_stated"]):
            return None
        told = self._document("organization", row_id, without=() if services else ("service",))
        under = self._under["service", "organization_id"].get(row_id, ())
        if told is not None and under and not services:
            told["services"] = [self._short("service", one) for one in under]
        return told

    def site(self, row_id: UUID) -> Document | None:
        return self._document("service_at_location", row_id)

    def term(self, table: str, row_id: UUID) -> Document | None:
        return self._document(table, row_id)

    # Reading.

    def _complete(self) -> "Listings":
        self._own_facts()
        for table in _BELOW:
            self._by_parents(table)
        self._attributes()
        self._records()
        return self

    def _leads(self, table: str, link: str) -> set[UUID]:
        return {row[link] for row in self._rows[table].values() if row[link] is not None}

    def _by_id(self, table: str, ids: Collection[UUID]) -> None:
        self._read(table, {"id": set(ids) - set(self._rows[table])})

    def _by_link(self, table: str, parents: Sequence[str]) -> None:
        wanted = {
            child.link: set(self._rows[parent])
            for parent in parents
            for child in TABLES[parent].children
            if child.many and child.table == table
        }
        self._read(table, wanted)

    def _by_parents(self, table: str) -> None:
        """Rows that hang on a row which is here, or that one leads to."""
        wanted: dict[str, set[UUID]] = defaultdict(set)
        for parent in TABLES.values():
            if not self._rows.get(parent.name):
                continue
            for child in parent.children:
                if child.table == table and child.many:
                    wanted[child.link] |= set(self._rows[parent.name])
                elif child.table == table:
                    wanted["id"] |= self._leads(parent.name, child.link)
        self._read(table, wanted)

    def _read(self, table: str, wanted: Mapping[str, set[UUID]]) -> None:
        model = MODELS[table]
        columns = model.__table__.c
        for part in _parts(wanted):
            links = (columns[name].in_(values) for name, values in part.items())
            query = select(*columns).where(or_(*links), visible(table)).order_by(columns.id)
            for found in self._session.execute(query):
                self._keep(table, dict(found._mapping))

    def _keep(self, table: str, row: Row) -> None:
        if row["id"] in self._rows[table]:
            return
        self._rows[table][row["id"]] = row
        for link in _LINKS[table]:
            if row[link] is not None:
                self._under[table, link][row[link]].append(row)

    def _own_facts(self) -> None:
        """What we know beside HSDS of the services that are here, as it is told in our vocabularies."""
        categories: dict[UUID, list[tuple[str, str]]] = defaultdict(list)
        rules: dict[UUID, dict[str, list[Any]]] = defaultdict(dict)
        self._find_secrets()
        for part in _parts({"id": set(self._rows["service"])}):
            ids = list(part["id"])
            in_order = select(
                ServiceCategory.service_id, ServiceCategory.code, ServiceCategory.basis
            ).order_by(ServiceCategory.code)
            for service_id, code, basis in self._session.execute(
                in_order.where(ServiceCategory.service_id.in_(ids))
            ):
                categories[service_id].append((code, basis))
            query = select(
                EligibilityRule.service_id, EligibilityRule.criterion, EligibilityRule.values
            ).where(EligibilityRule.service_id.in_(ids))
            query = query.order_by(EligibilityRule.criterion)
            for service_id, criterion, values in self._session.execute(query):
                rules[service_id][criterion] = values
        for row_id, row in self._rows["service"].items():
            self._facts[row_id] = vocabularies.of_service(
                row, categories[row_id], rules[row_id], secret=row_id in self._secret
            )

    def _find_secrets(self) -> None:
        for part in _parts({"id": set(self._rows["service"])}):
            query = select(Service.id).where(
                Service.id.in_(part["id"]), has_secret_place(Service.id)
            )
            self._secret |= set(self._session.scalars(query))

    def _capacity_facts(self) -> None:
        for row in self._rows["service_capacity"].values():
            self._facts[row["id"]] = vocabularies.of_capacity(row)

    def _attributes(self) -> None:
        self._capacity_facts()
        self._read("attribute", {"link_id": self._ids()})
        ours = {one.term_id for facts in self._facts.values() for one in facts}
        self._by_id("taxonomy_term", ours | self._leads("attribute", "taxonomy_term_id"))
        self._by_id("taxonomy", self._leads("taxonomy_term", "taxonomy_id"))

    def _records(self) -> None:
        noisy = {
            row["id"]
            for table, rows in [*self._rows.items()]
            for row in rows.values()
            if not self._is_quiet(table, row)
        }
        self._read("metadata", {"resource_id": noisy})

    def _ids(self) -> set[UUID]:
        return {row_id for rows in self._rows.values() for row_id in rows}

    def _is_quiet(self, table: str, row: Row) -> bool:
        """Whether the history of a row stays here: old values of a service with a secret place may tell it."""
        if table == "service":
            return row["id"] in self._secret
        if row.get("service_id") in self._secret:
            return True
        site_id = row.get("service_at_location_id")
        site = self._rows["service_at_location"].get(site_id) if site_id else None
        return site is not None and site["service_id"] in self._secret

    # Telling.

    def _document(
        self,
        table: str,
        row_id: UUID,
        *,
        above: tuple[str, ...] = (),
        without: Collection[str] = (),
    ) -> Document | None:
        row = self._rows[table].get(row_id)
        if row is None or (above and is_stand_in(row["as_stated"])):
            return None
        # What is told of a row depends on the listings that it stands in, and on nothing else.
        kept = (table, row_id, tuple(one for one in above if one in _LISTINGS))
        if above and kept in self._told:
            return self._told[kept]
        told = self._short(table, row)
        above = (*above, table)
        for child in TABLES[table].children:
            if child.table in above or child.table in without:
                continue
            if child.table == "attribute":
                found: Any = self._told_attributes(row, above)
            elif child.many:
                under = self._under[child.table, child.link].get(row_id, ())
                found = [self._document(child.table, one["id"], above=above) for one in under]
                found = [one for one in found if one is not None]
            else:
                target = row[child.link]
                found = target and self._document(child.table, target, above=above)
            if found:
                told[child.key] = found
        if table == "service_capacity":
            told.setdefault("unit", PLACES)
        if above:
            self._told[kept] = told
        return told

    def _short(self, table: str, row: Row) -> Document:
        return short(TABLES[table], as_told(table, row, secret=row["id"] in self._secret))

    def _told_attributes(self, row: Row, above: tuple[str, ...]) -> list[Document]:
        """Attributes as sources state them, and our own facts; of a service with a secret place only ours."""
        facts = {one.term_id: one for one in self._facts.get(row["id"], ())}
        told: list[Document] = []
        for one in self._under["attribute", "link_id"].get(row["id"], ()):
            of = self._rows["taxonomy_term"].get(one["taxonomy_term_id"])
            ours = of is not None and vocabularies.is_ours(of["taxonomy"], one["link_entity"])
            if ours and facts.pop(one["taxonomy_term_id"], None) is None:
                continue  # it was true when the source said so
            if not ours and row["id"] in self._secret:
                continue
            document = self._document("attribute", one["id"], above=above)
            told += [document] if document else []
        for fact in facts.values():
            term = self._document("taxonomy_term", fact.term_id, above=(*above, "attribute"))
            if term is not None:
                told.append(fact.attribute(row["id"]) | {"taxonomy_term": term})
        return told


_LISTINGS = ("organization", "service", "service_at_location")
#: which links of which tables lead to one row of a table
_LEADS: Mapping[str, Sequence[tuple[str, str]]] = {
    name: [
        (parent.name, child.link)
        for parent in TABLES.values()
        for child in parent.children
        if child.table == name and not child.many
    ]
    for name in TABLES
}
_LINKS: Mapping[str, tuple[str, ...]] = {
    name: tuple(
        {
            c.link
            for parent in TABLES.values()
            for c in parent.children
            if c.many and c.table == name
        }
    )
    for name in TABLES
}


def _parts(wanted: Mapping[str, set[UUID]]) -> Iterator[dict[str, list[UUID]]]:
    """Values by column, as many at once as a statement takes."""
    values = [(name, value) for name, ids in wanted.items() for value in sorted(ids)]
    for start in range(0, len(values), MOST_VALUES):
        part: dict[str, list[UUID]] = defaultdict(list)
        for name, value in values[start : start + MOST_VALUES]:
            part[name].append(value)
        yield part


def minimal(session: Session, ids: Sequence[UUID]) -> Iterator[Document]:
    """Ids of services with when they were last modified, in the order asked for."""
    found: dict[UUID, str] = {}
    for part in _parts({"id": set(ids)}):
        query = select(Service.id, Service.last_modified, Service.as_stated)
        for row_id, at, stated in session.execute(query.where(Service.id.in_(part["id"]))):
            said = _LAST_MODIFIED.as_stated(stated, at)
            found[row_id] = said if fits(_LAST_MODIFIED, said) else _LAST_MODIFIED.dump(at)
    return ({"id": str(one), "last_modified": found[one]} for one in ids if one in found)
