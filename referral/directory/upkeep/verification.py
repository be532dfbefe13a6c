"""Checking listings: somebody who knows says that one is true, and what is used most is asked about first.

A check is no change: `assured_date` moves, `last_modified` stays.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from referral.accounts.models import User
from referral.accounts.permissions import Role
from referral.changes import directory as changes
from referral.changes.actors import Actor, StandingActor
from referral.core.country import COUNTRY
from referral.core.errors import Invalid, NotAllowed
from referral.directory import phones
from referral.directory.kinds import ServiceStatus
from referral.directory.models import Phone, Service
from referral.directory.queries import SHOWN
from referral.directory.upkeep import changes as changes_of
from referral.directory.upkeep import editing, listings
from referral.directory.upkeep.kinds import Assurer, ChangeStatus
from referral.directory.upkeep.models import ListingChange, ListingUse
from referral.directory.upkeep.publishing import is_curator
from referral.places.gazetteer import Gazetteer

#: An agency that answers by a link of ours, without an account.
AGENCY_BY_LINK = StandingActor(Role.AGENCY.value)
LONGEST_NUMBER = 40


def confirm(session: Session, service: Service, *, by: Actor, now: datetime) -> None:
    """Write down that somebody who knows says that a listing is true. Changes nothing of what it says.

    Raises NotAllowed for a listing that is no longer offered: who says "still true" there means something else.
    """
    if service.status not in SHOWN:
        raise NotAllowed("upkeep.verify.not_offered")
    _checked(session, service, by=by, now=now)


def found_closed(
    session: Session,
    service: Service,
    status: ServiceStatus,
    gazetteer: Gazetteer,
    *,
    by: Actor,
    now: datetime,
) -> ListingChange | None:
    """Write down that a listing was found closed. A curator's word holds at once and is a check;

    an agency's through a link waits for a curator, unless its organization is trusted. None: it says so already.
    """
    if status not in (ServiceStatus.DEFUNCT, ServiceStatus.TEMPORARILY_CLOSED):
        raise Invalid("upkeep.check.said", field="said")
    change = propose(session, service, {"status": status.value}, gazetteer, by=by, now=now)
    if change is None or change.status is ChangeStatus.PUBLISHED:
        _checked(session, service, by=by, now=now)
    return change


def propose(
    session: Session,
    service: Service,
    values: Mapping[str, Any],
    gazetteer: Gazetteer,
    *,
    note: str | None = None,
    by: Actor,
    now: datetime,
) -> ListingChange | None:
    """Change a listing as far as `by` may: a curator at once, a trusted agency through a link too, others ask.

    None where nothing would change. Raises InvalidListing.
    """
    before = listings.values_of(service)
    seen = {field: before[field] for field in values}
    if not note and not editing.changed(values, seen):
        return None
    if isinstance(by, User):
        return changes_of.edit(
            session, service.id, values, gazetteer, seen=seen, by=by, now=now, note=note
        )
    change = changes_of.suggest(
        session, service.id, values, gazetteer, seen=seen, by=by, now=now, note=note
    )
    if by.role == Role.AGENCY and service.organization.trusted and values:
        changes_of.approve(session, change, gazetteer, by=by, now=now)
    return change


def _checked(session: Session, service: Service, *, by: Actor, now: datetime) -> None:
    day = COUNTRY.day_of(now)
    role = assurer(by)
    if (service.assured_date, service.assured_by_role) == (day, role):
        return
    service.assured_date, service.assured_by_role = day, role
    service.assurer_email = None  # of whoever checked it before
    changes.record(session, service, service_id=service.id, by=by, now=now)
    session.flush()


def assurer(by: Actor) -> Assurer:
    """As whom somebody who checks a listing is told."""
    if by.role == Role.AGENCY:
        return Assurer.AGENCY
    return Assurer.CURATOR if is_curator(by) else Assurer.BROKER


def add_number(session: Session, service: Service, typed: str, *, by: Actor, now: datetime) -> None:
    """Add a number by which a listing was reached, which also checks it. One that is there is only confirmed.

    Raises Invalid for what can't be a number.
    """
    number, extension = phones.split(" ".join(typed.split()))
    if len(typed) > LONGEST_NUMBER or not phones.is_number(number):
        raise Invalid("upkeep.number.bad", field="number")
    if service.status not in SHOWN:
        raise NotAllowed("upkeep.verify.not_offered")
    known = {phones.dial(one.number, one.extension) for one in service.phones}
    if phones.dial(number, extension) not in known:
        added = Phone(service_id=service.id, number=number, extension=extension, type="voice")
        session.add(added)
        service.last_modified = now
        changes.record(session, added, service_id=service.id, by=by, now=now)
        session.flush()
    confirm(session, service, by=by, now=now)


def count_use(session: Session, service_id: UUID, *, now: datetime) -> None:
    """Count that a broker chose a listing for somebody: the month and the listing, nothing of the person."""
    month = first_of_month(now.date())
    use = session.get(ListingUse, (service_id, month))
    if use is None:
        session.add(ListingUse(service_id=service_id, month=month, times=1))
    else:
        use.times += 1
    session.flush()


def first_of_month(day: date) -> date:
    """The day by which uses of a month are kept."""
    return day.replace(day=1)
