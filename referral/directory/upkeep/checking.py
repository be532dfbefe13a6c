"""Which listings to check next: those used most and checked longest ago.

    urgency = (1 + times chosen in the last 12 months) x days since the last check

Never checked counts as NEVER_CHECKED_DAYS, and no listing counts for more. Equal ones: the older listing first.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Date,
    Integer,
    Select,
    and_,
    case,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Session
from sqlalchemy.sql.functions import FunctionElement

from referral.core.paging import Page, page_number
from referral.directory.models import Organization, Service
from referral.directory.queries import Listing, by_ids, is_offered
from referral.directory.upkeep.kinds import LinkPurpose
from referral.directory.upkeep.models import ListingLink, ListingUse
from referral.directory.upkeep.verification import first_of_month

#: A check holds for a year; after half of it the listing may be asked about again.
CHECK_AGAIN_DAYS = 180
NEVER_CHECKED_DAYS = 730
USE_DAYS = 365
PAGE_SIZE = 25
#: One listing is asked about by mail at most this often,
ASK_AGAIN_DAYS = 90
#: and one address gets at most so many letters in so many days, however many listings it has.
MOST_LETTERS, BURDEN_DAYS = 5, 30


@dataclass(frozen=True)
class Due:
    """A listing that should be checked, and why now: chosen so often, checked so long ago (None: never)."""

    listing: Listing
    uses: int
    urgency: int
    asked_at: datetime | None


class _DaysBetween(FunctionElement[int]):
    """Whole days from the first date to the second."""

    type = Integer()
    name = "days_between"
    inherit_cache = True


@compiles(_DaysBetween)
def _subtracted(element: Any, compiler: Any, **options: Any) -> str:
    first, second = element.clauses
    return f"({compiler.process(second, **options)} - {compiler.process(first, **options)})"


@compiles(_DaysBetween, "sqlite")
def _julian(element: Any, compiler: Any, **options: Any) -> str:
    first, second = (f"julianday({compiler.process(one, **options)})" for one in element.clauses)
    return f"CAST({second} - {first} AS INTEGER)"


def due(session: Session, *, today: date, page: int = 1, size: int = PAGE_SIZE) -> Page[Due]:
    """Offered listings to check, most urgent first. Listings checked within CHECK_AGAIN_DAYS are not due."""
    query = _due(today)
    total = session.scalar(_of_due(select(func.count(Service.id)), today)) or 0
    number = page_number(page, total, size)
    rows = session.execute(query.limit(size).offset((number - 1) * size)).all()
    ids = [row.id for row in rows]
    listings, asked = by_ids(session, ids), _asked_at(session, ids)
    items = [Due(listings[row.id], row.uses, row.urgency, asked.get(row.id)) for row in rows]
    return Page(items, number, size, total)


def to_ask_by_mail(
    session: Session, *, limit: int, now: datetime, service_id: UUID | None = None
) -> list[tuple[UUID, str]]:
    """Ids and addresses of due listings (or of one) that may get a letter, most urgent first."""
    asked_since = now - timedelta(days=ASK_AGAIN_DAYS)
    asked_lately = select(ListingLink.service_id).where(
        ListingLink.purpose == LinkPurpose.STILL_TRUE, ListingLink.made_at > asked_since
    )
    query = (
        _due(now.date())
        .add_columns(_address().label("address"))
        .where(_address() != "", Service.id.not_in(asked_lately))
    )
    if service_id is not None:
        query = query.where(Service.id == service_id)
    letters = _letters_by_address(session, now=now)
    found: list[tuple[UUID, str]] = []
    rows: Any
    with session.execute(query, execution_options={"yield_per": 500}) as rows:
        for row in rows:
            if len(found) == limit:
                break
            if letters[row.address] < MOST_LETTERS:
                letters[row.address] += 1
                found.append((row.id, row.address))
    return found


def address_of(session: Session, service_id: UUID) -> str | None:
    """The mail address by which a listing's agency is known here; None where there is none."""
    query = select(_address()).select_from(Service).join(Service.organization)
    return session.scalar(query.where(Service.id == service_id)) or None


def may_write_to(session: Session, address: str, *, now: datetime) -> bool:
    """Whether an address has not yet had its MOST_LETTERS."""
    return _letters_by_address(session, now=now)[address] < MOST_LETTERS


def _due(today: date) -> Select[Any]:
    since = first_of_month(today - timedelta(days=USE_DAYS))
    used = (
        select(ListingUse.service_id, func.sum(ListingUse.times).label("times"))
        .where(ListingUse.month >= since)
        .group_by(ListingUse.service_id)
        .subquery()
    )
    uses = func.coalesce(used.c.times, 0)
    age = _DaysBetween(Service.assured_date, literal(today, Date()))
    days = case(
        (or_(Service.assured_date.is_(None), age > NEVER_CHECKED_DAYS), NEVER_CHECKED_DAYS),
        else_=age,
    )
    urgency = ((1 + uses) * days).label("urgency")
    query = select(Service.id, uses.label("uses"), urgency)
    return (
        _of_due(query, today)
        .outerjoin(used, used.c.service_id == Service.id)
        .order_by(urgency.desc(), Service.last_modified, Service.id)
    )


def _of_due(query: Select[Any], today: date) -> Select[Any]:
    again = today - timedelta(days=CHECK_AGAIN_DAYS)
    is_due = or_(Service.assured_date.is_(None), Service.assured_date <= again)
    return query.join(Service.organization).where(is_offered(), is_due)


def _address() -> ColumnElement[str]:
    own = func.nullif(func.trim(Service.email), "")
    of_agency = func.nullif(func.trim(Organization.email), "")
    return func.lower(func.coalesce(own, of_agency, ""))


def _asked_at(session: Session, service_ids: Iterable[UUID]) -> dict[UUID, datetime]:
    rows = session.execute(
        select(ListingLink.service_id, func.max(ListingLink.made_at))
        .where(
            ListingLink.service_id.in_(list(service_ids)),
            ListingLink.purpose == LinkPurpose.STILL_TRUE,
        )
        .group_by(ListingLink.service_id)
    )
    return {row[0]: row[1] for row in rows}


def _letters_by_address(session: Session, *, now: datetime) -> Counter[str]:
    address = _address().label("address")
    lately = and_(
        # each letter holds one of these
        ListingLink.purpose.in_((LinkPurpose.STILL_TRUE, LinkPurpose.CLAIM)),
        ListingLink.made_at > now - timedelta(days=BURDEN_DAYS),
    )
    rows = session.execute(
        select(address, func.count(ListingLink.id))
        .join(Service, Service.id == ListingLink.service_id)
        .join(Service.organization)
        .where(lately)
        .group_by(address)
    )
    return Counter({row[0]: row[1] for row in rows})
