"""Counting people once and for all: what a quarter has brought is grouped by the database and never changes again.

Everything that was opened up to the end of a quarter and not yet counted goes into that quarter. Each row that
was looked at is marked with the quarter, or with "" where the same client was counted for the same kind of help
within the window of a release already. So nobody is lost, nobody counts twice in the four quarters of a release,
and no clock has to agree with another. Nothing sealed is read, and whoever was erased before is not counted.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from sqlalchemy import (
    ColumnElement,
    Select,
    String,
    and_,
    case,
    cast,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from referral.casework.models import Case, Client, Need, OwnHelp
from referral.places.codes import REGENCY_LENGTH
from referral.planning.gaps.cuts import UNKNOWN
from referral.planning.gaps.models import GapCount, Measure
from referral.planning.gaps.periods import WINDOW, before, end_of
from referral.planning.gaps.register import Counts
from referral.planning.unmet.models import Closing, UnmetNeed, UnmetReason

#: What is counted: rows with a category and a mark, each about a need.
_Counted = Need | UnmetNeed | OwnHelp
#: It was looked at, and its client was counted already.
_AGAIN = ""
_PROVINCE_LENGTH = 2
#: Rows are many, and nobody in this session looks at the marks.
_BULK = {"synchronize_session": False}


@dataclass(frozen=True)
class _Kind:
    """How one measure is counted: of which rows, where their mark stands, what each tells, when it was, which count."""

    measure: Measure
    of: type[_Counted]
    mark: InstrumentedAttribute[str | None]
    area: InstrumentedAttribute[str | None]
    reason: ColumnElement[Any]
    at: InstrumentedAttribute[Any]
    counts: ColumnElement[bool]


def frozen(session: Session, measure: Measure, quarters: Sequence[str]) -> Counts:
    """The counts of these quarters, for a release alone to read."""
    rows = session.execute(
        select(GapCount.area, GapCount.category, GapCount.reason, GapCount.quarter, GapCount.people)
        .where(GapCount.measure == measure, GapCount.quarter.in_(quarters))
        .order_by(GapCount.quarter, GapCount.area, GapCount.category, GapCount.reason)
    ).all()
    area, category, reason, quarter, people = zip(*rows, strict=True) if rows else [()] * 5
    return Counts(area, category, reason, quarter, np.array(people, dtype=np.int64))


def is_frozen(session: Session, quarter: str) -> bool:
    """Whether anything was counted into this quarter."""
    return (
        session.scalar(select(GapCount.people).where(GapCount.quarter == quarter).limit(1))
        is not None
    )


def freeze(session: Session, quarter: str, *, since: datetime, now: datetime) -> None:
    """Count into a quarter whatever belongs there and was opened after `since`. The caller holds the write lock."""
    session.flush()
    until, reason = min(now, end_of(quarter)), _reason(session)
    asked = _Kind(
        Measure.ASKED,
        Need,
        Need.counted_in,
        Client.area_code,
        literal("", String),
        Need.assessed_at,
        Need.assessed_at <= until,
    )
    unmet = _Kind(
        Measure.UNMET,
        UnmetNeed,
        UnmetNeed.counted_in,
        UnmetNeed.area_code,
        reason,
        UnmetNeed.opened_at,
        and_(
            UnmetNeed.opened_at <= until,
            reason.is_not(None),
            _was_a_gap(),
        ),
    )
    closed = _Kind(
        Measure.CLOSED,
        UnmetNeed,
        UnmetNeed.closing_counted_in,
        UnmetNeed.area_code,
        func.coalesce(cast(UnmetNeed.closed_as, String), literal("", String)),
        UnmetNeed.closed_at,
        and_(
            UnmetNeed.counted_in.is_not(None),
            UnmetNeed.closed_at <= until,
            _was_a_gap(),
            _waits_no_more(),
        ),
    )
    helped = _Kind(
        Measure.HELPED,
        OwnHelp,
        OwnHelp.counted_in,
        Client.area_code,
        literal("", String),
        OwnHelp.recorded_at,
        OwnHelp.recorded_at <= until,
    )
    recent = [before(quarter, steps) for steps in range(1, WINDOW)]
    for kind in (asked, unmet, closed, helped):
        _count(session, kind, quarter, since=since, recent=recent)


def _count(
    session: Session, kind: _Kind, quarter: str, *, since: datetime, recent: Sequence[str]
) -> None:
    """Mark the first row of each client and kind of help that was not counted lately, count these, mark the rest."""
    of, mark = kind.of, kind.mark
    waiting = and_(mark.is_(None), Client.erased_at.is_(None), kind.counts)
    ranked = _with_client(
        select(
            of.id,
            mark.label("mark"),
            func.row_number()
            .over(
                partition_by=(Case.client_id, of.category),
                # Whoever was counted lately comes first, and then nobody else is.
                order_by=(case((mark.is_(None), 1), else_=0), kind.at, of.id),
            )
            .label("nth"),
        ),
        of,
    ).where(or_(and_(waiting, kind.at > since), mark.in_(recent)))
    turn = ranked.subquery()
    chosen = select(turn.c.id).where(turn.c.nth == 1, turn.c.mark.is_(None))
    name = mark.key
    session.execute(
        update(of).where(of.id.in_(chosen)).values({name: quarter}), execution_options=_BULK
    )
    counted = (
        _with_client(
            select(
                _coarse(kind.area).label("area"),
                of.category.label("category"),
                kind.reason.label("reason"),
            ),
            of,
        )
        .where(mark == quarter)
        .subquery()
    )
    by = (counted.c.area, counted.c.category, counted.c.reason)
    grouped = select(
        literal(kind.measure.value, String), literal(quarter, String), *by, func.count()
    ).group_by(*by)
    columns = ["measure", "quarter", "area", "category", "reason", "people"]
    session.execute(insert(GapCount).from_select(columns, grouped), execution_options=_BULK)
    rest = _with_client(select(of.id), of).where(waiting)
    session.execute(
        update(of).where(of.id.in_(rest)).values({name: _AGAIN}), execution_options=_BULK
    )


def _coarse(area: InstrumentedAttribute[str | None]) -> ColumnElement[Any]:
    """The kab/kota; or that no more than the province is known, or nothing."""
    return case(
        (func.coalesce(area, "") == "", UNKNOWN),
        (func.length(area) == _PROVINCE_LENGTH, area + "." + UNKNOWN),
        else_=func.substr(area, 1, REGENCY_LENGTH),
    )


def _with_client(query: Select[Any], of: type[_Counted]) -> Select[Any]:
    """The rows with the client they are about."""
    if issubclass(of, (UnmetNeed, OwnHelp)):
        query = query.join(Need, Need.id == of.need_id)
    return query.join(Case, Case.id == Need.case_id).join(Client, Client.id == Case.client_id)


def _reason(session: Session) -> ColumnElement[Any]:
    """The reason that makes a gap: the first one told, else the lowest of the others; None where none does."""
    of_gaps = session.scalars(
        select(UnmetReason.code).where(UnmetReason.counts_as_gap).order_by(UnmetReason.code)
    ).all()
    others = cast(UnmetNeed.secondary, String)
    return case(
        (UnmetNeed.reason.in_(of_gaps), UnmetNeed.reason),
        *((others.like(f'%"{code}"%'), literal(code, String)) for code in of_gaps),
        else_=None,
    )


def _was_a_gap() -> ColumnElement[bool]:
    """Nobody has said meanwhile that there was none."""
    return func.coalesce(cast(UnmetNeed.closed_as, String), "") != Closing.NOT_A_GAP.value


def _waits_no_more() -> ColumnElement[bool]:
    """Nothing of this kind that the client needs still waits: a family's last child ends its wait."""
    need, file, still = aliased(Need), aliased(Case), aliased(UnmetNeed)
    waiting = (
        select(cast(file.client_id, String) + still.category)
        .select_from(still)
        .join(need, need.id == still.need_id)
        .join(file, file.id == need.case_id)
        .where(still.closed_at.is_(None))
    )
    # One text, not a pair: SQLite looks a pair up that may be NULL by reading the whole list each time.
    return (cast(Case.client_id, String) + UnmetNeed.category).not_in(waiting)
