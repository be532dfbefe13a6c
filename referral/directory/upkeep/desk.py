"""What lies on the desk of an agency or a curator: own listings, drafts, changes that wait; and whom curators trust."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session, selectinload

from referral.changes import audit
from referral.changes import directory as records
from referral.changes.actors import Actor
from referral.core.errors import NotFound
from referral.core.paging import Page, page_of
from referral.directory.models import Organization, Service, ServiceAtLocation
from referral.directory.queries import WHOLE
from referral.directory.upkeep.models import ChangeStatus, ListingChange

PAGE_SIZE = 20
#: A refusal is shown to the agency this long.
REFUSED_DAYS = 30


def of_organization(session: Session, organization_id: UUID, *, page: int = 1) -> Page[Service]:
    """An agency's listings with all their rows, the one checked longest ago first."""
    query = (
        select(Service)
        .where(Service.organization_id == organization_id, Service.merged_into_id.is_(None))
        .order_by(Service.assured_date.is_not(None), Service.assured_date, Service.name, Service.id)
        .options(*WHOLE, selectinload(Service.sites).selectinload(ServiceAtLocation.service_areas))
    )
    return page_of(session, query, number=page, size=PAGE_SIZE)


def draft_of(session: Session, service_id: UUID | None, *, by: Actor) -> ListingChange | None:
    """The draft that a person has for a listing (None: for a new one)."""
    query = select(ListingChange).where(
        ListingChange.made_by_id == by.id,
        ListingChange.status == ChangeStatus.DRAFT,
        ListingChange.service_id == service_id
        if service_id
        else ListingChange.service_id.is_(None),
    )
    return session.scalars(query.order_by(ListingChange.made_at.desc())).first()


def on_their_way(
    session: Session, service_ids: Iterable[UUID], *, by: Actor, now: datetime
) -> dict[UUID, list[ListingChange]]:
    """By listing, newest first: the person's own drafts, what waits, what was refused lately."""
    query = (
        select(ListingChange)
        .where(ListingChange.service_id.in_(list(service_ids)))
        .order_by(ListingChange.made_at.desc(), ListingChange.id)
    )
    found: dict[UUID, list[ListingChange]] = {}
    for change in session.scalars(query.where(_is_on_its_way(by, now))):
        if change.service_id is not None:
            found.setdefault(change.service_id, []).append(change)
    return found


def new_listings(
    session: Session, organization_id: UUID | None, *, by: Actor, now: datetime
) -> Sequence[ListingChange]:
    """New listings of an agency that are not published: drafts of this person, those that wait, those refused."""
    query = select(ListingChange).where(
        ListingChange.service_id.is_(None),
        ListingChange.organization_id == organization_id,
        _is_on_its_way(by, now),
    )
    return session.scalars(query.order_by(ListingChange.made_at.desc(), ListingChange.id)).all()


def waiting(session: Session, *, page: int = 1) -> Page[ListingChange]:
    """What a curator has to decide, oldest first."""
    query = (
        select(ListingChange)
        .where(ListingChange.status == ChangeStatus.WAITING)
        .order_by(ListingChange.made_at, ListingChange.id)
    )
    return page_of(session, query, number=page, size=PAGE_SIZE)


def names_of(session: Session, changes: Iterable[ListingChange]) -> dict[UUID | None, str]:
    """The names of the listings and organizations that these changes are about, by id."""
    some = list(changes)
    wanted = (
        (Service, {change.service_id for change in some}),
        (Organization, {change.organization_id for change in some}),
    )
    return {
        row_id: name
        for model, ids in wanted
        for row_id, name in session.execute(select(model.id, model.name).where(model.id.in_(ids)))
    }


def get_change(session: Session, change_id: UUID) -> ListingChange:
    """A change that is no longer a draft. Raises NotFound: a draft is its writer's alone."""
    change = session.get(ListingChange, change_id)
    if change is None or change.status is ChangeStatus.DRAFT:
        raise NotFound("listing.change.unknown")
    return change


def set_trusted(
    session: Session, organization: Organization, trusted: bool, *, by: Actor, now: datetime
) -> None:
    """Let an organization publish changes of its listings without being asked first, or no longer."""
    if organization.trusted == trusted:
        return
    change = (
        *(Organization.__tablename__, organization.id, "update"),
        *("trusted", organization.trusted, trusted),
    )
    records.record_many(session, [change], by=by, now=now)
    organization.trusted = trusted
    action = "organization.trusted" if trusted else "organization.no_longer_trusted"
    audit.record(session, action, organization, by=by, now=now)
    session.flush()


def _is_on_its_way(by: Actor, now: datetime) -> ColumnElement[bool]:
    own_draft = (ListingChange.status == ChangeStatus.DRAFT) & (ListingChange.made_by_id == by.id)
    refused = (ListingChange.status == ChangeStatus.REFUSED) & (
        ListingChange.decided_at > now - timedelta(days=REFUSED_DAYS)
    )
    return own_draft | (ListingChange.status == ChangeStatus.WAITING) | refused
