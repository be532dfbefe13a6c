"""Counting people once and for all: what a quarter has brought is marked, then grouped, and never changes again.

Everything that was opened up to the end of a quarter and not yet counted goes into that quarter. Each row that
was looked at is marked with the quarter, or with "" where the same client was counted for the same kind of help
within the window of a release already. So nobody is lost, nobody counts twice in the four quarters of a release,
and no clock has to agree with another. Nothing sealed is read, and whoever was erased before is not counted.

Clients are marked some at a time, all that is theirs together. What carries the mark of a quarter is then grouped
and kept at once, and from then on nothing gets that mark any more. So whoever counts may stop anywhere, others may
count at the same time, and nobody holds the write lock for long.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from sqlalchemy import (
    ColumnElement,
    Select,
    String,
    Uuid,
    and_,
    case,
    cast,
    func,
    insert,
    literal,
    select,
    true,
    type_coerce,
    union,
    update,
)
from sqlalchemy.orm import InstrumentedAttribute, Session

from referral.casework.models import Case, Client, Need, OwnHelp
from referral.places.codes import PROVINCE_LENGTH, REGENCY_LENGTH
from referral.planning.gaps.cuts import UNKNOWN
from referral.planning.gaps.models import GapCount, GapMarking, Measure
from referral.planning.gaps.periods import WINDOW, before, end_of
from referral.planning.gaps.register import Counts
from referral.planning.unmet.models import Closing, UnmetNeed, UnmetReason

#: What is counted: rows with a category and a mark, each about a need.
_Counted = Need | UnmetNeed | OwnHelp
#: It was looked at, and its client was counted already.
_AGAIN = ""
#: Rows are many, and nobody in this session looks at the marks.
_BULK = {"synchronize_session": False}
_ALWAYS = true()


@dataclass(frozen=True)
class _Kind:
    """How one measure is counted: of which rows, where their mark stands, what each tells, when it was, which count."""

    measure: Measure
    of: type[_Counted]
    mark: InstrumentedAttribute[str | None]
    area: InstrumentedAttribute[str | None]
    reason: ColumnElement[Any]
    at: InstrumentedAttribute[Any]
    #: it may be counted
    counts: ColumnElement[bool] = _ALWAYS
    #: it may be counted now, as all that its client needs of this kind stands
    is_ripe: ColumnElement[bool] = _ALWAYS


class Span:
    """The quarters that still take people, oldest first, and between which moments somebody is counted into them."""

    def __init__(self, quarters: Sequence[str], *, since: datetime, now: datetime):
        self.quarters, self.since = quarters, since
        self._ends = {quarter: end_of(quarter) for quarter in quarters}
        self._until = min(now, max(self._ends.values()))

    def takes(self, at: InstrumentedAttribute[Any]) -> ColumnElement[bool]:
        return and_(at > self.since, at <= self._until)

    def quarter(self, at: InstrumentedAttribute[Any]) -> ColumnElement[str]:
        """The quarter into which something of this moment goes."""
        return self._by_quarter(at, {quarter: quarter for quarter in self.quarters})

    def recent(self, at: InstrumentedAttribute[Any]) -> ColumnElement[str]:
        """Whoever was counted in this quarter or later is not counted again."""
        return self._by_quarter(
            at, {quarter: before(quarter, WINDOW - 1) for quarter in self.quarters}
        )

    def _by_quarter(
        self, at: InstrumentedAttribute[Any], values: Mapping[str, str]
    ) -> ColumnElement[str]:
        return case(*((at <= self._ends[each], literal(values[each], String)) for each in values))


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
    """Whether the quarter has its counts: it takes nobody any more."""
    of_quarter = (GapCount.measure.in_(list(Measure)), GapCount.quarter == quarter)
    return session.scalar(select(GapCount.people).where(*of_quarter).limit(1)) is not None


def waiting(session: Session, span: Span) -> list[str]:
    """Clients of whom something may have to be counted, in the order of their ids."""
    found = union(
        *(
            _with_client(select(_text(Case.client_id).label("client_id")), kind.of).where(
                kind.mark.is_(None), span.takes(kind.at), Client.erased_at.is_(None)
            )
            for kind in _kinds(session)
        )
    ).subquery()
    return list(session.scalars(select(found).order_by(found.c.client_id)))


def mark(session: Session, clients: Collection[str], span: Span) -> None:
    """Mark what was not counted yet of these clients. The caller holds the write lock."""
    session.flush()
    for kind in _kinds(session):
        _mark(session, kind, clients, span)
    for quarter in span.quarters:
        marking = _marking(session, quarter) or GapMarking(quarter=quarter, times=0)
        marking.times += 1
        session.add(marking)
    session.flush()


def _mark(session: Session, kind: _Kind, clients: Collection[str], span: Span) -> None:
    """The first row of each client and kind of help that was not counted lately gets its quarter, the rest ""."""
    of, who = kind.of, (Case.client_id, kind.of.category)
    waits = and_(kind.mark.is_(None), span.takes(kind.at), kind.counts, kind.is_ripe)
    last = func.coalesce(func.max(kind.mark).over(partition_by=who), _AGAIN)
    rows = (
        _with_client(
            select(
                of.id,
                Case.client_id,
                of.category,
                kind.at.label("at"),
                waits.label("waits"),
                span.quarter(kind.at).label("quarter"),
                (last < span.recent(kind.at)).label("is_new"),
            ),
            of,
        )
        .where(_is_one_of(Case.client_id, clients), Client.erased_at.is_(None))
        .subquery()
    )
    first = func.row_number().over(
        partition_by=(rows.c.client_id, rows.c.category, rows.c.is_new),
        order_by=(rows.c.at, rows.c.id),
    )
    marks = (
        select(
            rows.c.id,
            case((and_(rows.c.is_new, first == 1), rows.c.quarter), else_=_AGAIN).label("mark"),
        )
        .where(rows.c.waits)
        .subquery()
    )
    session.execute(
        update(of).where(of.id == marks.c.id).values({kind.mark.key: marks.c.mark}),
        execution_options=_BULK,
    )


@dataclass(frozen=True)
class Grouped:
    """What carries the mark of a quarter, as counts that are not kept yet."""

    quarter: str
    counts: Sequence[Mapping[str, Any]]
    #: how often somebody was marked for it until then
    times: int


def grouped(session: Session, quarter: str) -> Grouped:
    """Whoever is marked for a quarter, as counts."""
    marking = _marking(session, quarter)
    times = marking.times if marking is not None else 0
    counts: list[Mapping[str, Any]] = []
    for kind in _kinds(session):
        rows = (
            _with_client(
                select(
                    _coarse(kind.area).label("area"),
                    kind.of.category.label("category"),
                    kind.reason.label("reason"),
                ),
                kind.of,
            )
            .where(kind.mark == quarter, kind.counts, Client.erased_at.is_(None))
            .subquery()
        )
        by = (rows.c.area, rows.c.category, rows.c.reason)
        found = session.execute(
            select(*by, func.count().label("people")).group_by(*by).order_by(*by)
        )
        fixed = {"measure": kind.measure, "quarter": quarter}
        counts += [{**fixed, **one} for one in found.mappings()]
    return Grouped(quarter, counts, times)


def freeze(session: Session, grouped: Grouped) -> bool:
    """Keep the counts of a quarter, from now on unchanged; whether it has them. The caller holds the write lock.

    Nothing is kept where somebody was marked for it since they were grouped: then it is to be grouped again.
    """
    if is_frozen(session, grouped.quarter):
        return True
    marking = _marking(session, grouped.quarter)
    if marking is not None and marking.times != grouped.times:
        return False
    if grouped.counts:
        session.execute(insert(GapCount.__table__), grouped.counts)  # type: ignore[arg-type]
    return True


def _marking(session: Session, quarter: str) -> GapMarking | None:
    return session.get(GapMarking, quarter, populate_existing=True)


def _kinds(session: Session) -> list[_Kind]:
    """The measures, in the order in which they are marked: only who was counted as waiting waits no more."""
    reason, nothing = _reason(session), literal("", String)
    still = func.count().filter(UnmetNeed.closed_at.is_(None))
    return [
        _Kind(Measure.ASKED, Need, Need.counted_in, Client.area_code, nothing, Need.assessed_at),
        _Kind(
            Measure.UNMET,
            UnmetNeed,
            UnmetNeed.counted_in,
            UnmetNeed.area_code,
            reason,
            UnmetNeed.opened_at,
            and_(reason.is_not(None), _was_a_gap()),
        ),
        _Kind(
            Measure.CLOSED,
            UnmetNeed,
            UnmetNeed.closing_counted_in,
            UnmetNeed.area_code,
            cast(UnmetNeed.closed_as, String),
            UnmetNeed.closed_at,
            and_(UnmetNeed.counted_in.is_not(None), UnmetNeed.closed_as.is_not(None), _was_a_gap()),
            # A family's last child ends its wait.
            still.over(partition_by=(Case.client_id, UnmetNeed.category)) == 0,
        ),
        _Kind(
            Measure.HELPED,
            OwnHelp,
            OwnHelp.counted_in,
            Client.area_code,
            nothing,
            OwnHelp.recorded_at,
        ),
    ]


def _coarse(area: InstrumentedAttribute[str | None]) -> ColumnElement[Any]:
    """The kab/kota; or that no more than the province is known, or nothing."""
    return case(
        (func.coalesce(area, "") == "", UNKNOWN),
        (func.length(area) == PROVINCE_LENGTH, area + "." + UNKNOWN),
        else_=func.substr(area, 1, REGENCY_LENGTH),
    )


def _with_client(query: Select[Any], of: type[_Counted]) -> Select[Any]:
    """The rows with the client they are about."""
    query = query.select_from(of)
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


#: Ids are many and nobody looks at them, so they stay the text that they are in SQLite.
_ID = Uuid(as_uuid=False)


def _text(column: InstrumentedAttribute[Any]) -> ColumnElement[str]:
    return cast(column, String)


def _is_one_of(column: InstrumentedAttribute[Any], ids: Collection[str]) -> ColumnElement[bool]:
    return type_coerce(column, _ID).in_(ids)
