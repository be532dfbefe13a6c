"""What another penalty table would have changed: the office's last matches, asked again with both tables."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from time import monotonic
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from referral.accounts.models import Office
from referral.casework.queries import excluded_organizations
from referral.matching import operations, queries
from referral.matching.models import MatchReceipt
from referral.matching.ranking import Selection
from referral.matching.receipts import query_of

#: How many of an office's last receipts are asked again.
LAST_RECEIPTS = 200
#: How long that may take; what is left is said.
MOST_SECONDS = 20.0
#: Whose places are compared: who is beyond is unfolded by few.
FIRST = 5


@dataclass(frozen=True)
class Change:
    """One receipt that would be answered otherwise. Nothing of the person: what was looked for, and when.

    came, went  how many enter and leave the first five
    """

    category: str
    at: datetime
    came: int
    went: int
    first_place: bool


@dataclass
class OfCategory:
    """The receipts of one kind of need; services by id with how often they enter or leave the first five."""

    asked: int = 0
    changed: int = 0
    first_place: int = 0
    came: Counter[UUID] = field(default_factory=Counter)
    went: Counter[UUID] = field(default_factory=Counter)


@dataclass
class Rehearsal:
    """What the last receipts of an office come to with other penalties.

    asked      receipts asked again
    unreadable receipts of people whose data were erased
    left       receipts for which there was no time
    changes    receipts with another first five, newest first
    names      of the services that enter or leave
    """

    asked: int = 0
    unreadable: int = 0
    left: int = 0
    changes: list[Change] = field(default_factory=list)
    categories: dict[str, OfCategory] = field(default_factory=dict)
    names: dict[UUID, str] = field(default_factory=dict)


def rehearse(
    session: Session,
    office: Office,
    steps: dict[str, float],
    *,
    most: int = LAST_RECEIPTS,
    seconds: float = MOST_SECONDS,
) -> Rehearsal:
    """Ask the newest receipts of an office again, with its penalties as they are and with `steps`.

    Both over the directory as it is now, so that nothing but the penalties differs. Writes nothing.
    """
    holds = queries.penalty_table(session, office.id).steps
    found = Rehearsal()
    kept_out: dict[UUID | None, frozenset[UUID]] = {None: frozenset()}
    ids = session.scalars(
        select(MatchReceipt.id)
        .where(MatchReceipt.office_id == office.id)
        .order_by(MatchReceipt.at.desc(), MatchReceipt.id.desc())
        .limit(most)
    ).all()
    until = monotonic() + seconds
    for receipt_id in ids:
        if monotonic() > until:
            found.left += 1
            continue
        receipt = session.get_one(MatchReceipt, receipt_id)
        content = receipt.content
        if content is None:
            found.unreadable += 1
            continue
        if receipt.case_id not in kept_out and receipt.case_id is not None:
            kept_out[receipt.case_id] = excluded_organizations(session, receipt.case_id)
        query = query_of(content | {"query": content["query"] | {"limit": FIRST}})
        before, after = (
            _first(
                operations.selected(
                    session,
                    query,
                    table,
                    need_id=content["asked"]["need_id"],
                    kept_out=kept_out[receipt.case_id],
                )
            )
            for table in (holds, steps)
        )
        _note(found, query.need, receipt.at, before, after)
    _name(session, found)
    return found


def _first(selection: Selection) -> list[UUID]:
    return [one.offer.service_at_location_id for one in selection.options[:FIRST]]


def _note(
    found: Rehearsal, category: str, at: datetime, before: list[UUID], after: list[UUID]
) -> None:
    found.asked += 1
    counted = found.categories.setdefault(category, OfCategory())
    counted.asked += 1
    if before == after:
        return
    came, went = set(after) - set(before), set(before) - set(after)
    first_place = before[0] != after[0]
    counted.changed += 1
    counted.first_place += first_place
    counted.came.update(came)
    counted.went.update(went)
    found.changes.append(Change(category, at, len(came), len(went), first_place))


def _name(session: Session, found: Rehearsal) -> None:
    sites = {
        site_id
        for one in found.categories.values()
        for counter in (one.came, one.went)
        for site_id in counter
    }
    found.names = {
        site_id: listed.name for site_id, listed in queries.listed(session, sites).items()
    }
