"""What became of a listing, newest first: changes made here and what imports wrote. By role, never by name."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from referral.changes.models import ChangeRecord
from referral.core.errors import NotFound
from referral.core.paging import Page, page_number
from referral.core.text import Message
from referral.directory.models import (
    Address,
    CostOption,
    EligibilityRule,
    EntryStep,
    Language,
    Phone,
    RequiredDocument,
    Schedule,
    Service,
    ServiceArea,
    ServiceAtLocation,
    ServiceCapacity,
    ServiceCategory,
)
from referral.directory.upkeep import editing, listings
from referral.directory.upkeep.kinds import ChangeKind, ChangeStatus
from referral.directory.upkeep.models import ListingChange
from referral.directory.upkeep.saying import Names

PAGE_SIZE = 20

#: which field of editing a row of a table belongs to
_FIELD_OF_TABLE = {
    "address": "address",
    "cost_option": "cost",
    "eligibility_rule": "eligibility",
    "entry_step": "entry_steps",
    "language": "languages",
    "phone": "phones",
    "required_document": "documents",
    "schedule": "hours",
    "service_area": "service_areas",
    "service_capacity": "capacity",
    "service_category": "categories",
}
#: which field a column of the service or of its place belongs to, where it has another name
_FIELD_OF_COLUMN = {
    "minimum_age": "eligibility",
    "maximum_age": "eligibility",
    "fees_description": "cost",
    "area_code": "area_code",
    "latitude": "point",
    "longitude": "point",
}


@dataclass(frozen=True)
class Entry:
    """One moment of a listing's history.

    change   a set of changes made here, published or since taken back; else
    records  what was written at that moment by an import or another way than by editing
    hidden   whether any of it is not for the reader: where a confidential place is
    """

    at: datetime
    role: str
    change: ListingChange | None = None
    records: Sequence[ChangeRecord] = ()
    differences: Sequence[editing.Difference] = ()
    hidden: Sequence[Message] = field(default=())

    @property
    def can_revert(self) -> bool:
        """Whether all of it can be taken back at once."""
        return self.change is not None and self.change.status is ChangeStatus.PUBLISHED

    @property
    def revertible(self) -> list[ChangeRecord]:
        """What of it can be taken back field by field."""
        return [record for record in self.records if is_revertible(record)]

    @property
    def fields(self) -> list[Message]:
        """The fields that its records touch."""
        names = {name for record in self.records if (name := field_of(record))}
        return [editing.FIELDS[name].label for name in editing.FIELDS if name in names]


def is_revertible(record: ChangeRecord) -> bool:
    """Whether a single record tells all that is needed to take it back."""
    return (
        record.as_stated is None
        and record.resource_type == Service.__tablename__
        and record.last_action_type == "update"
        and record.field_name in listings.COLUMNS
    )


def field_of(record: ChangeRecord) -> str | None:
    """The field of editing that a record is about; None where it is about none."""
    if record.resource_type in ("service", "location"):
        name = _FIELD_OF_COLUMN.get(record.field_name, record.field_name)
        return name if name in editing.FIELDS else None
    return _FIELD_OF_TABLE.get(record.resource_type)


def entries(
    session: Session,
    service: Service,
    *,
    for_owner: bool = False,
    names: Names = str,
    page: int = 1,
) -> Page[Entry]:
    """A page of the listing's history.

    for_owner  with where a confidential place was and is
    names      gives the name of an area by its code
    """
    published = session.scalars(
        select(ListingChange).where(
            ListingChange.service_id == service.id,
            ListingChange.status.in_((ChangeStatus.PUBLISHED, ChangeStatus.REVERTED)),
        )
    )
    order: list[tuple[datetime, str, ListingChange | None]] = [
        (change.decided_at, change.made_by_role, change)
        for change in published
        if change.decided_at
    ]
    made_here = {at for at, _, _ in order}
    moments: dict[tuple[datetime, str], list[ChangeRecord]] = {}
    for record in _records(session, service):
        if record.last_action_date not in made_here:
            key = record.last_action_date, record.updated_by_role
            moments.setdefault(key, []).append(record)
    order += [(at, role, None) for at, role in moments]
    order.sort(key=lambda one: (one[0], one[1]), reverse=True)

    number = page_number(page, len(order), PAGE_SIZE)
    shown = set(listings.values_of(service, for_owner=for_owner))
    found = [
        _of_change(change, shown, names)
        if change is not None
        else Entry(at, role, records=moments[at, role])
        for at, role, change in order[(number - 1) * PAGE_SIZE : number * PAGE_SIZE]
    ]
    return Page(found, number, PAGE_SIZE, len(order))


def get_record(session: Session, service: Service, record_id: UUID) -> ChangeRecord:
    """A record of the listing's own row. Raises NotFound."""
    record = session.get(ChangeRecord, record_id)
    if record is None or record.resource_id != service.id:
        raise NotFound("listing.change.unknown")
    return record


def _of_change(change: ListingChange, shown: set[str], names: Names) -> Entry:
    before, after = change.previous, change.values
    if change.kind is ChangeKind.NEW:
        before = {}
    # A field that this listing does not show is either secret or none of it any more.
    hidden = [
        editing.FIELDS[name].label
        for name in editing.FIELDS
        if name in after and name in editing.WHERE and name not in shown
    ]
    told = {
        name: value for name, value in after.items() if name not in editing.WHERE or name in shown
    }
    return Entry(
        change.decided_at or change.made_at,
        change.made_by_role,
        change=change,
        differences=editing.differences(before, told, names),
        hidden=hidden,
    )


def _records(session: Session, service: Service) -> Iterable[ChangeRecord]:
    """What was written about the listing's rows, those that are there now."""
    ids = [service.id]
    owned = (
        *(CostOption, EligibilityRule, EntryStep, Language, Phone, RequiredDocument),
        *(Schedule, ServiceArea, ServiceCapacity, ServiceCategory, ServiceAtLocation),
    )
    for model in owned:
        ids += session.scalars(select(model.id).where(model.service_id == service.id))
    for site in service.sites:
        if site.location_id is not None:
            ids.append(site.location_id)
            ids += session.scalars(
                select(Address.id).where(Address.location_id == site.location_id)
            )
    return session.scalars(
        select(ChangeRecord)
        # What a source recorded is told in its own words, which may name people.
        .where(ChangeRecord.resource_id.in_(ids), ChangeRecord.as_stated.is_(None))
        .order_by(ChangeRecord.last_action_date, ChangeRecord.id)
    )
