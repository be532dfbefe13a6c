"""The rows that listings become: one service with its place, its organization and all that is known of it. Pure."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from referral.core.country import COUNTRY
from referral.core.errors import Finding
from referral.core.text import Message
from referral.directory.intake.batches import Rows
from referral.directory.intake.listings import Listing
from referral.directory.kinds import Criterion, ServiceStatus
from referral.directory.points import area_point, judge
from referral.places.codes import no_finer_than_regency
from referral.places.gazetteer import REGENCY, Gazetteer, PlaceNotClear

_SHOWN = 80  # characters of a value that a finding repeats


@dataclass
class Made:
    """What listings became; `unplaced` of them are not on the map and should be."""

    rows: Rows = field(default_factory=lambda: defaultdict(dict))
    findings: list[Finding] = field(default_factory=list)
    unplaced: int = 0


def part_id(service_id: UUID, table: str, key: str = "") -> UUID:
    """The id of a service's row in another table: the same each time the listing comes."""
    return uuid5(service_id, f"{table}:{key}")


class Maker:
    """Makes the rows of one source. An organization's come with the first listing that names it."""

    def __init__(self, source: str, gazetteer: Gazetteer, *, now: datetime):
        self.source, self.gazetteer, self.now = source, gazetteer, now
        self._namespace = uuid5(NAMESPACE_URL, source)
        self._organizations: dict[str, UUID] = {}

    def rows_of(self, listings: Iterable[Listing]) -> Made:
        """The rows of these listings, and what could not be understood in them."""
        made = Made()
        for listing in listings:
            self._build(made, listing)
        return made

    def service_id(self, listing: Listing) -> UUID:
        """The source's own id where it is a UUID, else one made of the source and its id."""
        return given_id(listing.source_id) or uuid5(self._namespace, listing.source_id)

    def _build(self, made: Made, listing: Listing) -> None:
        service_id = self.service_id(listing)
        ours = {"source": self.source, "source_id": listing.source_id}

        def part(table: str, key: str, **values: Any) -> None:
            row_id = part_id(service_id, table, key)
            made.rows[table][row_id] = {"id": row_id, **values}

        made.rows["service"][service_id] = {
            "id": service_id,
            **ours,
            "organization_id": self._organization(made, listing, service_id),
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
        location_id = self._location(made, listing, service_id)
        part("service_at_location", "", service_id=service_id, location_id=location_id)
        area = made.rows["location"][location_id]["area_code"] if location_id else None

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
                timezone=COUNTRY.hours_ahead_of_utc(area),
            )
        for code in self._areas(made, listing):
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

    def _organization(self, made: Made, listing: Listing, service_id: UUID) -> UUID:
        if listing.organization:
            key = f"name:{' '.join(listing.organization.casefold().split())}"
            organization_id = uuid5(self._namespace, f"organization:{key}")
            is_first = key not in self._organizations  # what its first row says about it counts
            self._organizations[key] = organization_id
        else:
            key, organization_id, is_first = (
                listing.source_id,
                part_id(service_id, "organization"),
                True,
            )
        if is_first:
            made.rows["organization"][organization_id] = {
                "id": organization_id,
                "source": self.source,
                "source_id": key,
                "name": listing.organization or listing.name,
                "system_type": listing.system_type,
            }
        return organization_id

    def _location(self, made: Made, listing: Listing, service_id: UUID) -> UUID | None:
        code = self._area(made, listing)
        if listing.confidential:
            code = no_finer_than_regency(code)
        point, precision_km, point_source = (
            listing.point,
            listing.precision_km,
            listing.point_source,
        )
        if point is not None:
            point = self._judged(made, listing, point, code)
        if point is None:
            precision_km = point_source = None
        if point is None and code and not (listing.remote and not listing.address):
            located = self.gazetteer.locate(code)
            if located is not None:
                point = (located.latitude, located.longitude)
                precision_km = located.precision_km
                point_source = area_point(located.at.level)
        # A secret place of which nothing is known is kept: whoever adds its address must not make it public.
        if point is None and not code and not listing.address and not listing.confidential:
            if not listing.remote:
                made.unplaced += 1
            return None
        if point is None and not listing.remote:
            made.unplaced += 1
        location_id = part_id(service_id, "location")
        made.rows["location"][location_id] = {
            "id": location_id,
            "source": self.source,
            "source_id": listing.source_id,
            "latitude": point[0] if point else None,
            "longitude": point[1] if point else None,
            "precision_km": precision_km,
            "point_source": point_source,
            "area_code": code,
            "confidential": listing.confidential,
        }
        for words in listing.accessibility:
            access_id = part_id(service_id, "accessibility", words)
            made.rows["accessibility"][access_id] = {
                "id": access_id,
                "location_id": location_id,
                "description": words,
            }
        if listing.address:
            address_id = part_id(service_id, "address")
            made.rows["address"][address_id] = {
                "id": address_id,
                "location_id": location_id,
                "address_1": listing.address,
                "city": listing.city or self._above(code, REGENCY) or "",
                "state_province": listing.province or self._above(code, 1) or "",
                "postal_code": "",
                "country": COUNTRY.code,
            }
        return location_id

    def _judged(
        self, made: Made, listing: Listing, stated: tuple[float, float], code: str | None
    ) -> tuple[float, float] | None:
        judged = judge(stated, self.gazetteer, code, at_home=False)
        if judged.told is not None:
            said = f"{stated[0]}, {stated[1]}"
            made.findings.append(Finding(listing.row, "latitude", said[:_SHOWN], judged.told))
        return judged.point

    def _area(self, made: Made, listing: Listing) -> str | None:
        for text in listing.place:
            if code := self._code(text):
                return code
        if listing.place:
            said = "" if listing.confidential else listing.place[-1]
            made.findings.append(_finding(listing, "place", said, "unknown_place"))
        return None

    def _areas(self, made: Made, listing: Listing) -> list[str]:
        found = []
        for text in listing.service_areas:
            code = "*" if text == "*" else self._code(text)
            if code:
                found.append(code)
            else:
                made.findings.append(_finding(listing, "service_area", text, "unknown_place"))
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


def _finding(listing: Listing, column: str, value: str, key: str, **params: Any) -> Finding:
    words = Message(f"directory.import.{key}", params)
    return Finding(listing.row, column, value[:_SHOWN], words)


def given_id(source_id: str) -> UUID | None:
    """The source's id where it is a UUID, which is kept."""
    try:
        return UUID(source_id)
    except ValueError:
        return None
