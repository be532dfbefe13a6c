"""Checking listings: somebody who knows says that one is true, and what is used most is asked about first.

A check is no change: `assured_date` moves, `last_modified` stays.
"""

from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from referral.accounts.models import User
from referral.accounts.permissions import Role, allows
from referral.changes import directory as changes
from referral.changes.actors import Actor, StandingActor
from referral.core.country import COUNTRY
from referral.core.errors import Invalid, NotAllowed
from referral.directory import phones
from referral.directory.models import Phone, Service
from referral.directory.queries import SHOWN
from referral.directory.upkeep.kinds import Assurer
from referral.directory.upkeep.models import ListingUse

#: An agency that answers by a link of ours, without an account.
AGENCY_BY_LINK = StandingActor(Role.AGENCY.value)
LONGEST_NUMBER = 40


def confirm(session: Session, service: Service, *, by: Actor, now: datetime) -> None:
    """Write down that somebody who knows says that a listing is true. Changes nothing of what it says.

    Raises NotAllowed for a listing that is no longer offered: who says "still true" there means something else.
    """
    if service.status not in SHOWN:
        raise NotAllowed("upkeep.verify.not_offered")
    day = now.astimezone(ZoneInfo(COUNTRY.time_zone)).date()
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
    is_curator = isinstance(by, User) and allows(by, "listing:approve")
    return Assurer.CURATOR if is_curator else Assurer.BROKER


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
