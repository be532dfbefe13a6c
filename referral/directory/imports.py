"""Taking a table of listings into the directory: again and again, without making anything twice."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5
from zoneinfo import ZoneInfo

from sqlalchemy import Table, delete, insert, select, update
from sqlalchemy.orm import Session

from referral.changes import directory as changes
from referral.changes.actors import Actor, StandingActor
from referral.changes.models import ChangeRecord
from referral.core.country import COUNTRY
from referral.core.errors import Finding
from referral.core.text import Message
from referral.directory.kinds import Criterion, ServiceStatus
from referral.directory.listings import Listing
from referral.directory.mapping import Known, TableMapping
from referral.directory.models import (
    Address,
    CostOption,
    EligibilityRule,
    Language,
    Location,
    Organization,
    Phone,
    RequiredDocument,
    Schedule,
    Service,
    ServiceArea,
    ServiceAtLocation,
    ServiceCapacity,
    ServiceCategory,
)
from referral.places.gazetteer import DISTRICT, REGENCY, Gazetteer, PlaceNotClear

#: Who changed a row that an import changed; any other role's changes are local and are kept.
IMPORT = StandingActor("import")
BATCH = 1000

#: what a point stands for that is no more than the middle of an area, by the area's level
AREA_POINTS = {REGENCY: "regency", DISTRICT: "kecamatan"}
#: Parents before children; deleted the other way round.
_TABLES: dict[str, Table] = {
    model.__tablename__: model.__table__  # type: ignore[misc]  # declared as FromClause; ours are tables
    for model in (
        Organization,
        Service,
        Location,
        ServiceAtLocation,
        Address,
        Phone,
        Schedule,
        ServiceArea,
        Language,
        CostOption,
        RequiredDocument,
        ServiceCapacity,
        ServiceCategory,
        EligibilityRule,
    )
}
#: How a service's own rows are found again.
_OF_SERVICE = (
    "service_at_location",
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
_REPLACED = (*_OF_SERVICE[1:], "address")
#: Set when a row is made and left alone when it comes again.
_ONCE = {"service": {"status", "version", "last_modified"}, "service_capacity": {"updated"}}

Rows = dict[str, dict[UUID, dict[str, Any]]]


@dataclass
class Report:
    """What an import did; `findings` hold everything that was wrong, row by row."""

    source: str
    mapping: str
    rows: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    left_out: int = 0
    unplaced: int = 0
    findings: list[Finding] = field(default_factory=list)


class Import:
    """One table on its way into the directory. `take` batches in order; commit after each."""

    def __init__(
        self,
        session: Session,
        mapping: TableMapping,
        known: Known,
        gazetteer: Gazetteer,
        *,
        source: str | None = None,
        now: datetime,
        by: Actor = IMPORT,
    ):
        self.session, self.mapping, self.known, self.gazetteer = session, mapping, known, gazetteer
        self.now, self.by = now, by
        self.report = Report(source or mapping.source, mapping.name)
        self._namespace = uuid5(NAMESPACE_URL, self.report.source)
        self._seen: dict[str, int] = {}
        self._organizations: dict[str, UUID] = {}

    def take(self, batch: Sequence[tuple[int, Mapping[str, str | None], bool]]) -> None:
        """Take rows (number, cells, whether it is whole) in; flushes."""
        listings = [listing for row in batch if (listing := self._read(*row)) is not None]
        wanted: Rows = {name: {} for name in _TABLES}
        for listing in listings:
            self._build(wanted, listing)
        existing = self._existing(wanted)
        self._refuse_foreign(wanted, existing)
        self._write(wanted, existing)
        self.session.flush()

    def _read(self, row: int, cells: Mapping[str, str | None], whole: bool) -> Listing | None:
        self.report.rows += 1
        listing, findings = self.mapping.read(row, cells, self.known)
        self.report.findings += findings
        if not whole:
            self._find(row, "", "", "directory.import.cells")
        if listing is None:
            self.report.left_out += 1
        elif listing.source_id in self._seen:
            first = self._seen[listing.source_id]
            self._find(row, "id", listing.source_id, "directory.import.duplicate", first=str(first))
            self.report.left_out += 1
            return None
        else:
            self._seen[listing.source_id] = row
        return listing

    def _find(self, row: int, column: str, value: str, key: str, **params: Any) -> None:
        self.report.findings.append(Finding(row, column, value[:80], Message(key, params)))

    # from a listing to rows of tables

    def _build(self, wanted: Rows, listing: Listing) -> None:
        service_id = _given(listing.source_id) or uuid5(self._namespace, listing.source_id)
        ours = {"source": self.report.source, "source_id": listing.source_id}

        def part(table: str, key: str, **values: Any) -> None:
            row_id = uuid5(service_id, f"{table}:{key}")
            wanted[table][row_id] = {"id": row_id, **values}

        wanted["service"][service_id] = {
            "id": service_id,
            **ours,
            "organization_id": self._organization(wanted, listing, service_id),
            "name": listing.name,
            "description": listing.description,
            "url": listing.url,
            "email": listing.email,
            "fees_description": listing.cost,
            "minimum_age": listing.minimum_age,
            "maximum_age": listing.maximum_age,
            "alert": listing.note,
            "facility_type": listing.facility_type,
            "answer_mode": listing.answer_mode,
            "contact_mode": listing.contact_mode,
            "remote": listing.remote,
            "source_url": listing.source_url,
            "source_title": listing.source_title,
            "source_date": listing.source_date,
            "read_on": listing.read_on,
            "status": listing.status or ServiceStatus.ACTIVE,
            "version": 1,
            "last_modified": self.now,
        }
        location_id = self._location(wanted, listing, service_id)
        part("service_at_location", "", service_id=service_id, location_id=location_id)
        area = wanted["location"][location_id]["area_code"] if location_id else None

        for phone in listing.phones:
            part(
                "phone",
                f"{phone.number}/{phone.extension}",
                service_id=service_id,
                number=phone.number,
                extension=phone.extension,
                type=phone.type,
            )
        for opening in listing.openings:
            part(
                "schedule",
                f"{opening.byday}/{opening.opens_at}",
                service_id=service_id,
                freq="WEEKLY",
                byday=opening.byday,
                opens_at=opening.opens_at,
                closes_at=opening.closes_at,
                timezone=_hours_east(area),
            )
        for code in self._areas(listing):
            part(
                "service_area",
                code,
                service_id=service_id,
                name=None if code == "*" else self._name(code),
                area_code=code,
            )
        for code in listing.languages:
            part("language", code, service_id=service_id, code=code)
        if listing.fee:
            part(
                "cost_option",
                "",
                service_id=service_id,
                option=listing.fee,
                currency=COUNTRY.currency,
                amount=0.0 if listing.fee == "free" else None,
                amount_description=listing.cost,
            )
        for code_or_none, words in listing.documents:
            part(
                "required_document",
                code_or_none or words,
                service_id=service_id,
                code=code_or_none,
                document=words,
            )
        if listing.capacity:
            part(
                "service_capacity",
                "",
                service_id=service_id,
                status=listing.capacity,
                updated=self.now,
            )
        for category, basis in listing.categories.items():
            part("service_category", category, service_id=service_id, code=category, basis=basis)
        rules: dict[Criterion, list[Any]] = {
            Criterion.SEX: list(listing.sex),
            Criterion.DESIL: [] if listing.desil_max is None else [listing.desil_max],
            Criterion.DISABILITY: list(listing.disabilities),
        }
        for criterion, values in rules.items():
            if values:
                part(
                    "eligibility_rule",
                    criterion,
                    service_id=service_id,
                    criterion=criterion,
                    values=values,
                )

    def _organization(self, wanted: Rows, listing: Listing, service_id: UUID) -> UUID:
        if listing.organization:
            key = f"name:{' '.join(listing.organization.casefold().split())}"
            organization_id = uuid5(self._namespace, f"organization:{key}")
        else:
            key, organization_id = listing.source_id, uuid5(service_id, "organization:")
        if key not in self._organizations:  # what its first row says about it counts
            self._organizations[key] = organization_id
            wanted["organization"][organization_id] = {
                "id": organization_id,
                "source": self.report.source,
                "source_id": key,
                "name": listing.organization or listing.name,
                "system_type": listing.system_type,
            }
        return organization_id

    def _location(self, wanted: Rows, listing: Listing, service_id: UUID) -> UUID | None:
        code = self._area(listing)
        point, precision_km, point_source = (
            listing.point,
            listing.precision_km,
            listing.point_source,
        )
        if point is None and code and not (listing.remote and not listing.address):
            located = self.gazetteer.locate(code)
            if located is not None:
                point = (located.latitude, located.longitude)
                precision_km = located.precision_km
                point_source = AREA_POINTS.get(located.at.level, "province")
        if point is None and not code and not listing.address:
            if not listing.remote:
                self.report.unplaced += 1
            return None
        if point is None and not listing.remote:
            self.report.unplaced += 1
        location_id = uuid5(service_id, "location:")
        wanted["location"][location_id] = {
            "id": location_id,
            "source": self.report.source,
            "source_id": listing.source_id,
            "latitude": point[0] if point else None,
            "longitude": point[1] if point else None,
            "precision_km": precision_km,
            "point_source": point_source,
            "area_code": code,
            "confidential": listing.confidential,
        }
        if listing.address:
            address_id = uuid5(service_id, "address:")
            wanted["address"][address_id] = {
                "id": address_id,
                "location_id": location_id,
                "address_1": listing.address,
                "city": listing.city or self._above(code, REGENCY) or "",
                "state_province": listing.province or self._above(code, 1) or "",
                "postal_code": "",
                "country": COUNTRY.code,
            }
        return location_id

    def _area(self, listing: Listing) -> str | None:
        for text in listing.place:
            if code := self._code(text):
                return code
        if listing.place:
            self._find(listing.row, "place", listing.place[-1], "directory.import.unknown_place")
        return None

    def _areas(self, listing: Listing) -> list[str]:
        found = []
        for text in listing.service_areas:
            code = "*" if text == "*" else self._code(text)
            if code:
                found.append(code)
            else:
                self._find(listing.row, "service_area", text, "directory.import.unknown_place")
        return list(dict.fromkeys(found))

    def _code(self, text: str) -> str | None:
        try:
            return self.gazetteer.get(text).code
        except PlaceNotClear:
            pass
        if text[:1].isdigit():
            return None
        try:
            return self.gazetteer.resolve(text).code
        except PlaceNotClear:
            return None

    def _name(self, code: str) -> str:
        return self.gazetteer.get(code).name

    def _above(self, code: str | None, level: int) -> str | None:
        if code is None:
            return None
        areas = (self.gazetteer.get(code), *self.gazetteer.ancestors(code))
        return next((area.name for area in areas if area.level == level), None)

    # from rows to the database

    def _existing(self, wanted: Rows) -> Rows:
        found: Rows = {name: {} for name in _TABLES}

        def load(name: str, column: str, ids: Sequence[UUID]) -> None:
            table = _TABLES[name]
            if ids:
                query = select(table).where(table.c[column].in_(ids))
                for row in self.session.execute(query).mappings():
                    found[name][row["id"]] = dict(row)

        for name in ("organization", "service"):
            load(name, "id", list(wanted[name]))
        for name in _OF_SERVICE:
            load(name, "service_id", list(found["service"]))
        locations = [uuid5(service_id, "location:") for service_id in found["service"]]
        load("location", "id", locations)
        load("address", "location_id", locations)
        return found

    def _refuse_foreign(self, wanted: Rows, existing: Rows) -> None:
        """A UUID that already stands for another source's listing is not ours to change."""
        for service_id, row in existing["service"].items():
            if row["source"] == self.report.source:
                continue
            line = self._seen[wanted["service"][service_id]["source_id"]]
            self._find(line, "id", str(service_id), "directory.import.foreign")
            self.report.left_out += 1
            del wanted["service"][service_id]
            wanted["location"].pop(uuid5(service_id, "location:"), None)
            wanted["organization"].pop(uuid5(service_id, "organization:"), None)
            wanted["address"].pop(uuid5(service_id, "address:"), None)
            for name in _OF_SERVICE:
                for row_id in [i for i, r in wanted[name].items() if r["service_id"] == service_id]:
                    del wanted[name][row_id]
                existing[name] = {
                    i: r for i, r in existing[name].items() if r["service_id"] != service_id
                }
        existing["service"] = {
            i: r for i, r in existing["service"].items() if i in wanted["service"]
        }

    def _write(self, wanted: Rows, existing: Rows) -> None:
        record: list[tuple[str, UUID, str, str, Any, Any]] = []
        touched: set[UUID] = set()
        local = self._local(existing)
        inserted: dict[str, list[dict[str, Any]]] = {}
        updated: list[tuple[str, UUID, dict[str, Any]]] = []
        owner = _owners(wanted) | _owners(existing)
        for name in _TABLES:
            held = {
                owner[row_id]
                for row_id in existing[name]
                if name in _REPLACED and any((row_id, column) in local for column in _columns(name))
            }
            for row_id, row in wanted[name].items():
                old = existing[name].get(row_id)
                service_id = owner.get(row_id)
                if service_id in held:
                    continue
                if old is None:
                    inserted.setdefault(name, []).append(row)
                    if service_id in existing["service"]:
                        record.append((name, row_id, "create", "id", "", str(row_id)))
                        touched.add(service_id)
                    elif name == "service":
                        record.append((name, row_id, "create", "id", "", str(row_id)))
                    continue
                changed = {}
                for column, value in row.items():
                    if column in _ONCE.get(name, ()) or old[column] == value:
                        continue
                    if (row_id, column) in local:
                        self._keep_local(wanted, owner, row_id, column, value)
                        continue
                    changed[column] = value
                    record.append((name, row_id, "update", column, old[column], value))
                if changed:
                    updated.append((name, row_id, changed))
                    if service_id:
                        touched.add(service_id)
            if held:
                for service_id in held:
                    self._keep_local(wanted, owner, service_id, name, "")
        gone = self._gone(wanted, existing, local, owner)
        for name, row_id in gone:
            record.append((name, row_id, "delete", "id", str(row_id), ""))
            touched.add(owner[row_id])

        for name, rows in inserted.items():
            self.session.execute(insert(_TABLES[name]), rows)
        for name, row_id, values in updated:
            table = _TABLES[name]
            self.session.execute(update(table).where(table.c.id == row_id).values(**values))
        for name, row_id in reversed(gone):
            table = _TABLES[name]
            self.session.execute(delete(table).where(table.c.id == row_id))
        service = _TABLES["service"]
        for service_id in touched:
            self.session.execute(
                update(service)
                .where(service.c.id == service_id)
                .values(version=service.c.version + 1, last_modified=self.now)
            )
        created = len(wanted["service"]) - len(existing["service"])
        self.report.created += created
        self.report.updated += len(touched)
        self.report.unchanged += len(existing["service"]) - len(touched)
        if record:
            changes.record_many(self.session, record, by=self.by, now=self.now)
            changes.announce(self.session, None, now=self.now)

    def _gone(
        self,
        wanted: Rows,
        existing: Rows,
        local: set[tuple[UUID, str]],
        owner: Mapping[UUID, UUID],
    ) -> list[tuple[str, UUID]]:
        """Rows that an earlier import made and the source no longer has.

        What people added stays, and so does a place, which others may have written things about.
        """
        found = []
        for name in _REPLACED:
            for row_id in existing[name]:
                made_here = row_id.version == 5
                edited = any((row_id, column) in local for column in _columns(name))
                if row_id not in wanted[name] and made_here and not edited and row_id in owner:
                    found.append((name, row_id))
        return found

    def _local(self, existing: Rows) -> set[tuple[UUID, str]]:
        """Fields that people changed here since they were imported."""
        ids = [row_id for rows in existing.values() for row_id in rows]
        found: set[tuple[UUID, str]] = set()
        for start in range(0, len(ids), 10_000):
            query = select(ChangeRecord.resource_id, ChangeRecord.field_name).where(
                ChangeRecord.resource_id.in_(ids[start : start + 10_000]),
                ChangeRecord.updated_by_role != IMPORT.role,
            )
            found.update((row_id, column) for row_id, column in self.session.execute(query))
        return found

    def _keep_local(
        self, wanted: Rows, owner: Mapping[UUID, UUID], row_id: UUID, column: str, value: Any
    ) -> None:
        service = wanted["service"].get(owner.get(row_id, row_id))
        line = self._seen[service["source_id"]] if service else 0
        self._find(line, column, str(value or ""), "directory.import.kept_local")


def _owners(rows: Rows) -> dict[UUID, UUID]:
    """Which service each row belongs to; organizations belong to several."""
    owners = {service_id: service_id for service_id in rows["service"]}
    for name in _OF_SERVICE:
        owners |= {row_id: row["service_id"] for row_id, row in rows[name].items()}
    places = {uuid5(service_id, "location:"): service_id for service_id in rows["service"]}
    owners |= {row_id: places[row_id] for row_id in rows["location"] if row_id in places}
    owners |= {
        row_id: places[row["location_id"]]
        for row_id, row in rows["address"].items()
        if row["location_id"] in places
    }
    return owners


def _columns(name: str) -> list[str]:
    return [column.name for column in _TABLES[name].columns]


def _given(source_id: str) -> UUID | None:
    """The source's id where it is a UUID, which is kept."""
    try:
        return UUID(source_id)
    except ValueError:
        return None


def _hours_east(area_code: str | None) -> float:
    """HSDS's time zone of a schedule: hours ahead of UTC."""
    offset = datetime(2026, 1, 1, tzinfo=ZoneInfo(COUNTRY.time_zone_of(area_code))).utcoffset()
    return offset.total_seconds() / 3600 if offset is not None else 0.0
