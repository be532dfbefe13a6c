"""When an answer is due: the promise of a referral as instants, worked out from its steps. Pure.

Nothing here is stored. Whoever has the steps of a referral, its priority and its office's calendar gets the
same instants, on whatever day they are asked for and however often.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from referral.referrals.lifecycle import LIVE, Event, Status

#: Monday to Friday
_WORKING_WEEKDAYS = range(5)
_LAST_MOMENT = time(23, 59, 59)
_DECISIONS = (Event.ACCEPT, Event.DECLINE)
#: what lets the time run again, and after what it stood still
_ENDS = {Event.REPLY: Event.ASK, Event.RESUME: Event.HOLD}


@dataclass(frozen=True)
class Calendar:
    """The working days of an office: Monday to Friday in its own zone, without holidays."""

    zone: ZoneInfo
    holidays: frozenset[date] = frozenset()

    def end_of_working_day(self, count: int, after: datetime) -> datetime:
        """The end of the `count`-th working day that follows the day of `after`."""
        day = after.astimezone(self.zone).date()
        while count:
            day += timedelta(days=1)
            count -= day.weekday() in _WORKING_WEEKDAYS and day not in self.holidays
        return datetime.combine(day, _LAST_MOMENT, self.zone)

    def end_of(self, day: date) -> datetime:
        """The last moment of a day."""
        return datetime.combine(day, _LAST_MOMENT, self.zone)


@dataclass(frozen=True)
class Terms:
    """How long an agency has; `*_working_days` count working days, the others run day and night.

    first_contact_working_days  None: the day that was agreed on accepting
    stall                       without a word from an agency that is helping
    """

    acknowledge_working_days: int
    decide: timedelta
    first_contact_working_days: int | None
    remind: timedelta
    silent: timedelta
    stall: timedelta


_URGENT = Terms(
    1, timedelta(hours=72), 5, timedelta(hours=36), timedelta(hours=72), timedelta(days=14)
)
_ROUTINE = Terms(
    2, timedelta(days=14), None, timedelta(days=7), timedelta(days=30), timedelta(days=30)
)
_REMOTE = Terms(
    10, timedelta(days=30), None, timedelta(days=15), timedelta(days=60), timedelta(days=60)
)


def terms_of(*, priority: str, profile: str) -> Terms:
    """The terms of a referral.

    priority   emergency, urgent or routine; an emergency has calls and no clock, what is sent after it is urgent
    profile    of the office: city, regency or remote
    """
    if priority != "routine":
        return _URGENT
    return _REMOTE if profile == "remote" else _ROUTINE


class Step(Protocol):
    """What a clock reads of a step; `moment` is when it happened, not when it was written down."""

    @property
    def event(self) -> Event: ...
    @property
    def moment(self) -> datetime: ...


@dataclass(frozen=True)
class Clock:
    """The instants of one referral in its office's zone; None where that clock does not run, or stands still.

    acknowledge_by  the agency has seen it
    decide_by       yes or no
    remind_at       half of the time to decide is over
    silent_from     silence may be taken for an answer
    contact_by      first contact, once accepted
    stalled_from    an agency that is helping should have said something by then
    is_paused       a question of the agency waits for the worker, or it is on hold before the decision
    """

    acknowledge_by: datetime | None = None
    decide_by: datetime | None = None
    remind_at: datetime | None = None
    silent_from: datetime | None = None
    contact_by: datetime | None = None
    stalled_from: datetime | None = None
    is_paused: bool = False


def clock_of(
    steps: Sequence[Step],
    *,
    status: Status,
    delivered_at: datetime | None,
    review_on: date | None,
    terms: Terms,
    calendar: Calendar,
) -> Clock:
    """The clocks of a referral to a service that replies, as they stand after its steps, oldest first.

    delivered_at  proven arrival: nothing runs before it
    review_on     planned first contact, or the day a hold is looked at again
    """
    if status not in LIVE:
        return Clock()
    accepted_at = next((s.moment for s in steps if s.event is Event.ACCEPT), None)
    if accepted_at is None:
        return _before_the_decision(steps, status, delivered_at, terms, calendar)
    if status is Status.ON_HOLD:
        return Clock(stalled_from=calendar.end_of(review_on) if review_on else None)
    if status is Status.ACCEPTED:
        days = terms.first_contact_working_days
        agreed = [calendar.end_of(review_on)] if review_on else []
        promised = [calendar.end_of_working_day(days, accepted_at)] if days else []
        contact_by = min(agreed + promised, default=None)
        return Clock(contact_by=contact_by, stalled_from=contact_by)
    heard_at = max(step.moment for step in steps).astimezone(calendar.zone)
    return Clock(stalled_from=heard_at + terms.stall)


def answered_in_time(
    steps: Sequence[Step], *, delivered_at: datetime, terms: Terms, by: datetime
) -> bool | None:
    """Whether the agency decided in time; None while it still has time at `by`, or the clock stands still."""
    pauses = _pauses(steps)
    due_at = _after(delivered_at, terms.decide, pauses)
    decided_at = next((s.moment for s in steps if s.event in _DECISIONS), None)
    if decided_at is not None:
        return due_at is None or decided_at <= due_at
    return False if due_at is not None and by >= due_at else None


def _before_the_decision(
    steps: Sequence[Step],
    status: Status,
    delivered_at: datetime | None,
    terms: Terms,
    calendar: Calendar,
) -> Clock:
    if delivered_at is None:
        return Clock()
    pauses = _pauses(steps)
    days, start = terms.acknowledge_working_days, delivered_at.astimezone(calendar.zone)
    return Clock(
        acknowledge_by=calendar.end_of_working_day(days, delivered_at)
        if status is Status.REQUESTED
        else None,
        decide_by=_after(start, terms.decide, pauses),
        remind_at=_after(start, terms.remind, pauses),
        silent_from=_after(start, terms.silent, pauses),
        is_paused=bool(pauses) and pauses[-1][1] is None,
    )


def _pauses(steps: Iterable[Step]) -> list[tuple[datetime, datetime | None]]:
    """When the time to decide stood still: a question unanswered, a hold before the decision."""
    pauses: list[tuple[datetime, datetime | None]] = []
    since: datetime | None = None
    reasons: set[Event] = set()
    for step in steps:
        if step.event in _ENDS:
            reasons.discard(_ENDS[step.event])
        elif step.event in _ENDS.values():
            reasons.add(step.event)
        elif step.event in _DECISIONS:
            reasons.clear()
        if reasons and since is None:
            since = step.moment
        elif not reasons and since is not None:
            pauses.append((since, max(since, step.moment)))
            since = None
        if step.event in _DECISIONS:
            break
    return [*pauses, (since, None)] if since is not None else pauses


def _after(
    start: datetime, length: timedelta, pauses: Iterable[tuple[datetime, datetime | None]]
) -> datetime | None:
    """`length` after `start`, not counting the pauses; None when a pause that lasts came before."""
    due_at = start + length
    for since, until in pauses:
        if since >= due_at:
            break
        if until is None:
            return None
        due_at += until - max(since, start) if until > start else timedelta()
    return due_at
