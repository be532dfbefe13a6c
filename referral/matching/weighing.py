"""The penalty table of an office: what may be in it, a new version of it, and back to the one all share."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy.orm import Session

from referral.accounts.models import Office, User
from referral.changes import audit
from referral.core.errors import Invalid, Stale
from referral.core.text import Message
from referral.matching import queries
from referral.matching.models import PenaltyTable
from referral.matching.penalties import DATA_QUALITY_MOST
from referral.matching.reference import rules

#: The most one penalty may weigh, in local steps.
MOST_STEPS = 20.0
#: What is not known about a listing must not weigh more than a waiting list does by default.
MOST_FOR_DATA_QUALITY = 2.0
LONGEST_REASON = 500


def wrong_with(steps: Mapping[str, Any]) -> dict[str, Message]:
    """What can't be taken of a table's numbers, by rule; empty when all can be."""
    wrong = {}
    for rule in rules():
        value = steps.get(rule)
        highest = MOST_FOR_DATA_QUALITY if rule == DATA_QUALITY_MOST else MOST_STEPS
        if value is None:
            wrong[rule] = Message("penalties.wrong.missing")
        elif not 0 <= value <= highest:  # also what is no number at all
            wrong[rule] = Message("penalties.wrong.range", {"highest": highest})
        elif Decimal(str(value)) != round(Decimal(str(value)), 2):
            wrong[rule] = Message("penalties.wrong.number")
    return wrong


def change(
    session: Session,
    office: Office,
    steps: Mapping[str, float],
    *,
    based_on: int,
    reason: str,
    by: User,
    now: datetime,
) -> PenaltyTable:
    """A new version of the office's table.

    based_on  number of the office's own version that was changed, 0 for none
    Raises Invalid naming the rule or the reason, and Stale where somebody was faster.
    """
    for rule, message in wrong_with(steps).items():
        raise Invalid(message.key, field=rule, **message.params)
    kept = {rule: float(steps[rule]) for rule in rules()}
    if kept == queries.penalty_table(session, office.id).steps:
        raise Invalid("penalties.wrong.same", field=rules()[0])
    return _keep(session, office, kept, based_on=based_on, reason=reason, by=by, now=now)


def follow_shared(
    session: Session, office: Office, *, based_on: int, reason: str, by: User, now: datetime
) -> PenaltyTable:
    """From now on the office uses the table all share, in its newest version; kept as a version without steps."""
    if queries.penalty_table(session, office.id).office_id is None:
        raise Invalid("penalties.wrong.same", field=rules()[0])
    return _keep(session, office, {}, based_on=based_on, reason=reason, by=by, now=now)


@dataclass(frozen=True)
class Version:
    """One version of an office's own table: who made it, and {rule: (steps before, steps after)}."""

    table: PenaltyTable
    by: str
    differences: Mapping[str, tuple[float, float]]


def history(session: Session, office: Office) -> list[Version]:
    """Every version of the office's own table, newest first."""
    own = queries.own_tables(session, office.id)
    steps = [
        table.steps or queries.shared_table(session, until=table.created_at).steps
        for table, _ in own
    ]
    if own:
        steps.append(queries.shared_table(session, until=own[-1][0].created_at).steps)
    return [
        Version(table, by, differing(before, after))
        for (table, by), after, before in zip(own, steps, steps[1:], strict=False)
    ]


def differing(
    before: Mapping[str, float], after: Mapping[str, float]
) -> dict[str, tuple[float, float]]:
    """Rules whose steps differ, with both."""
    return {
        rule: (before.get(rule, 0.0), after.get(rule, 0.0))
        for rule in dict.fromkeys((*before, *after))
        if before.get(rule, 0.0) != after.get(rule, 0.0)
    }


def _keep(
    session: Session,
    office: Office,
    steps: dict[str, float],
    *,
    based_on: int,
    reason: str,
    by: User,
    now: datetime,
) -> PenaltyTable:
    if not reason.strip():
        raise Invalid("penalties.wrong.reason", field="reason")
    if len(reason) > LONGEST_REASON:
        raise Invalid("penalties.wrong.reason_long", field="reason", most=LONGEST_REASON)
    newest = queries.newest_own_table(session, office.id)
    number = newest.number if newest else 0
    if number != based_on:
        raise Stale("penalties.stale")
    before = queries.penalty_table(session, office.id).steps
    table = PenaltyTable(
        office_id=office.id,
        number=number + 1,
        steps=steps,
        created_at=now,
        by_id=by.id,
        reason=reason.strip(),
    )
    session.add(table)
    session.flush()
    audit.record(
        session,
        "penalties.changed" if steps else "penalties.shared_again",
        table,
        by=by,
        now=now,
        number=table.number,
        steps=differing(before, queries.penalty_table(session, office.id).steps),
    )
    return table
