"""Help that begins, in under a minute, and what is different of it later. The caller commits."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy.orm import Session

from referral.accounts.models import Office, User
from referral.casework.models import Case, Method, OwnResource, Visibility
from referral.casework.own import listing, word
from referral.casework.own.kinds import Published
from referral.changes import audit
from referral.core.errors import Invalid, NotAllowed
from referral.directory.hours import DAYS

MOST_PEOPLE = 1000
#: from fewest people to most
_ORDER = {kind: number for number, kind in enumerate(Visibility)}


@dataclass(frozen=True)
class Offered:
    """What somebody offers, as the worker wrote it down.

    day          words for the time, as "after school"
    days         days of the week, as MO
    publishes    what of it may be known to all, where it is for all
    public_name  as it is then called, where the helper's own name may not be known
    """

    category: str
    name: str
    visibility: Visibility
    day: str | None = None
    days: Sequence[str] = ()
    place: str | None = None
    phone: str | None = None
    note: str | None = None
    capacity: int | None = None
    publishes: Iterable[str] = ()
    public_name: str | None = None


def make_ourselves(
    session: Session,
    case: Case,
    *,
    category: str,
    name: str,
    details: Mapping[str, Any],
    visibility: Visibility,
    helper_agreed: bool,
    by: User,
    now: datetime,
) -> OwnResource:
    """Help that the worker arranged for a case, in few words: as `make`."""
    offered = Offered(
        category=category,
        name=name,
        visibility=visibility,
        day=details.get("day"),
        place=details.get("place"),
        phone=details.get("phone"),
        note=details.get("note"),
    )
    return make(session, case.office, offered, case=case, agreed=helper_agreed, by=by, now=now)


def make(
    session: Session,
    office: Office,
    offered: Offered,
    *,
    case: Case | None = None,
    agreed: bool,
    agreed_on: date | None = None,
    method: Method = Method.SPOKEN,
    by: User,
    now: datetime,
) -> OwnResource:
    """A neighbour, a kader, a group: usable for matching at once. Raises Invalid naming the field.

    case       for whom; needed where it is for this client alone
    agreed_on  the day on which the helper said yes; None: today
    """
    _check(offered)
    if not agreed:
        raise Invalid("casework.helper_agreed", field="helper_agreed")
    is_for_client = offered.visibility is Visibility.CLIENT
    if is_for_client and case is None:
        raise Invalid("casework.own.no_client", field="visibility")
    resource = OwnResource(
        key=case.key if case is not None and is_for_client else office.key,
        office_id=office.id,
        client_id=case.client_id if case is not None and is_for_client else None,
        helper_agreed=True,
        visibility=offered.visibility,
        category=offered.category,
        created_at=now,
        created_by_id=by.id,
    )
    word.agree(resource, agreed_on, method, by=by, now=now)
    _write(resource, offered)
    session.add(resource)
    audit.record(
        session,
        "own_resource.made",
        resource,
        by=by,
        now=now,
        client_id=resource.client_id,
        category=offered.category,
        **word.consent(resource),
    )
    if offered.visibility is Visibility.PUBLIC:
        listing.ask(session, resource, office, by=by, now=now)
    return resource


def change(
    session: Session,
    resource: OwnResource,
    offered: Offered,
    *,
    agreed: bool,
    agreed_on: date | None = None,
    method: Method = Method.SPOKEN,
    by: User,
    now: datetime,
) -> None:
    """Write down what is different now. More than the helper agreed to needs their yes again; less counts at once."""
    word.check_active(resource)
    _check(offered)
    before, is_public = resource.visibility, resource.visibility is Visibility.PUBLIC
    if offered.visibility is Visibility.CLIENT and before is not Visibility.CLIENT:
        raise Invalid("casework.own.narrow", field="visibility")
    had, has = set(listing.publishes(resource)), set(_published(offered))
    is_more = _ORDER[offered.visibility] > _ORDER[before] or bool(has - had)
    if is_more and not agreed:
        raise Invalid("casework.own.agreed_again", field="helper_agreed")
    office = session.get_one(Office, resource.office_id)
    is_less = is_public and (offered.visibility is not Visibility.PUBLIC or bool(had - has))
    if is_less:
        listing.close(session, resource, by=by, now=now)
    if before is Visibility.CLIENT and offered.visibility is not Visibility.CLIENT:
        resource.key, resource.client_id = office.key, None
    resource.visibility, resource.category = offered.visibility, offered.category
    _write(resource, offered)
    if agreed:
        word.agree(resource, agreed_on, method, by=by, now=now)
    session.flush()
    consent = word.consent(resource) if agreed else {}
    word.record(session, resource, "own_resource.changed", by=by, now=now, **consent)
    if offered.visibility is Visibility.PUBLIC:
        listing.ask(session, resource, office, by=by, now=now)


def ask_again_to_list(session: Session, resource: OwnResource, *, by: User, now: datetime) -> None:
    """Ask a curator once more, after a no."""
    word.check_active(resource)
    if resource.visibility is not Visibility.PUBLIC:
        raise NotAllowed("casework.own.over")
    office = session.get_one(Office, resource.office_id)
    listing.ask(session, resource, office, by=by, now=now)


def _check(offered: Offered) -> None:
    if not offered.name.strip():
        raise Invalid("casework.own_name", field="name")
    if offered.capacity is not None and not 1 <= offered.capacity <= MOST_PEOPLE:
        raise Invalid("casework.own.capacity", field="capacity", most=MOST_PEOPLE)
    if not set(offered.days) <= set(DAYS):
        raise Invalid("casework.own.days", field="days")
    if offered.visibility is Visibility.PUBLIC and Published.NAME not in offered.publishes:
        public_name = (offered.public_name or "").strip()
        if not public_name or public_name.casefold() == offered.name.strip().casefold():
            raise Invalid("casework.own.public_name", field="public_name")


def _published(offered: Offered) -> list[str]:
    if offered.visibility is not Visibility.PUBLIC:
        return []
    # What is not there can't be known; taking a number away takes it out of the listing.
    there = {Published.NAME: offered.name, Published.PHONE: offered.phone}
    there |= {Published.PLACE: offered.place}
    return [kind.value for kind in Published if kind in offered.publishes and there[kind]]


def _write(resource: OwnResource, offered: Offered) -> None:
    is_public = offered.visibility is Visibility.PUBLIC
    resource.name = offered.name.strip()
    resource.capacity = offered.capacity
    resource.byday = ",".join(day for day in DAYS if day in offered.days) or None
    details = {
        "day": offered.day,
        "place": offered.place,
        "phone": offered.phone,
        "note": offered.note,
        "publishes": _published(offered),
        "public_name": (offered.public_name or "").strip() if is_public else None,
    }
    resource.details = {name: value for name, value in details.items() if value}
