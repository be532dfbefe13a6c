"""Clocks of a referral against working days counted by hand and running time counted second by second."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referral.directory import closed_days
from referral.referrals.clocks import Calendar, Clock, answered_in_time, clock_of, terms_of
from referral.referrals.lifecycle import Event, Status

JAKARTA, JAYAPURA = ZoneInfo("Asia/Jakarta"), ZoneInfo("Asia/Jayapura")
SENT = datetime(2026, 3, 2, 2, 30, tzinfo=UTC)  # a Monday, 09.30 in Jakarta
URGENT = terms_of(priority="urgent", profile="city")
ROUTINE = terms_of(priority="routine", profile="regency")
REMOTE = terms_of(priority="routine", profile="remote")


@dataclass(frozen=True)
class Step:
    event: Event
    moment: datetime


def at(hours: float) -> datetime:
    return SENT + timedelta(hours=hours)


def clock(
    *steps: Step, status: Status = Status.REQUESTED, terms=ROUTINE, review_on: date | None = None
) -> Clock:
    return clock_of(
        [Step(Event.SEND, SENT), *steps],
        status=status,
        delivered_at=SENT,
        review_on=review_on,
        terms=terms,
        calendar=Calendar(JAKARTA),
    )


def test_the_terms_are_those_of_the_law() -> None:
    assert [
        (
            one.acknowledge_working_days,
            one.decide.days,
            one.first_contact_working_days,
            one.silent.days,
        )
        for one in (URGENT, ROUTINE, REMOTE)
    ] == [(1, 3, 5, 3), (2, 14, None, 30), (10, 30, None, 60)]
    assert [one.remind for one in (URGENT, ROUTINE)] == [timedelta(hours=36), timedelta(days=7)]
    assert terms_of(priority="emergency", profile="remote") == URGENT


def test_a_working_day_skips_weekends_and_holidays_of_the_office() -> None:
    holidays = closed_days.around(2026)
    calendar = Calendar(JAKARTA, holidays)
    friday = datetime(2026, 3, 13, 9, 0, tzinfo=JAKARTA)

    # 18-24 March 2026: Nyepi, Idulfitri and the leave around it; what is off stands in the calendar itself.
    due = calendar.end_of_working_day(4, friday)
    off = [date(2026, 3, 14) + timedelta(days=n) for n in range((due.date() - friday.date()).days)]

    assert due.date() not in holidays
    assert sum(day.weekday() < 5 and day not in holidays for day in off) == 4
    assert any(day in holidays for day in off)
    assert (due.hour, due.minute, due.tzinfo) == (23, 59, JAKARTA)


def test_the_same_instant_lies_on_another_day_in_another_zone() -> None:
    evening = datetime(
        2026, 3, 2, 15, 30, tzinfo=UTC
    )  # Monday 22.30 in Jakarta, Tuesday 00.30 in Jayapura

    assert Calendar(JAKARTA).end_of_working_day(1, evening).date() == date(2026, 3, 3)
    assert Calendar(JAYAPURA).end_of_working_day(1, evening).date() == date(2026, 3, 4)


def test_each_clock_starts_at_proven_arrival() -> None:
    assert clock() == Clock(
        acknowledge_by=datetime(2026, 3, 4, 23, 59, 59, tzinfo=JAKARTA),
        decide_by=at(14 * 24),
        remind_at=at(7 * 24),
        silent_from=at(30 * 24),
    )
    nothing = clock_of(
        [],
        status=Status.REQUESTED,
        delivered_at=None,
        review_on=None,
        terms=URGENT,
        calendar=Calendar(JAKARTA),
    )
    assert nothing == Clock()


def test_what_was_seen_need_not_be_acknowledged_again() -> None:
    seen = clock(Step(Event.RECEIVE, at(1)), status=Status.RECEIVED)

    assert (seen.acknowledge_by, seen.decide_by) == (None, at(14 * 24))


def test_a_question_stops_the_time_until_it_is_answered() -> None:
    asked = Step(Event.ASK, at(24))

    stands = clock(asked)
    assert (stands.decide_by, stands.silent_from, stands.is_paused) == (None, None, True)
    assert clock(asked, Step(Event.REPLY, at(72))).decide_by == at((14 + 2) * 24)


def test_a_hold_within_a_question_stops_it_once() -> None:
    steps = [
        Step(Event.ASK, at(24)),
        Step(Event.HOLD, at(48)),
        Step(Event.RESUME, at(96)),
        Step(Event.REPLY, at(120)),
    ]

    assert clock(*steps[:3]).decide_by is None
    assert clock(*steps).decide_by == at((14 + 4) * 24)


def test_a_question_after_the_time_was_over_gives_no_time_back() -> None:
    late = clock(Step(Event.ASK, at(20 * 24)), Step(Event.REPLY, at(22 * 24)))

    assert late.decide_by == at(14 * 24)
    assert late.silent_from == at(32 * 24)


def test_after_the_yes_the_agreed_day_counts_and_for_the_urgent_five_working_days_at_most() -> None:
    accepted = Step(Event.ACCEPT, at(1))
    agreed = date(2026, 3, 20)

    routine = clock(accepted, status=Status.ACCEPTED, review_on=agreed)
    urgent = clock(accepted, status=Status.ACCEPTED, review_on=agreed, terms=URGENT)

    assert routine.contact_by == datetime(2026, 3, 20, 23, 59, 59, tzinfo=JAKARTA)
    assert urgent.contact_by == datetime(2026, 3, 9, 23, 59, 59, tzinfo=JAKARTA)


def test_news_sets_the_stall_clock_back_and_a_hold_stalls_on_its_review_day() -> None:
    steps = [Step(Event.ACCEPT, at(1)), Step(Event.START, at(24)), Step(Event.REPORT, at(240))]

    assert clock(*steps, status=Status.IN_PROGRESS).stalled_from == at(240 + 30 * 24)
    held = clock(*steps, status=Status.ON_HOLD, review_on=date(2026, 4, 1))
    assert held.stalled_from == datetime(2026, 4, 1, 23, 59, 59, tzinfo=JAKARTA)


@pytest.mark.parametrize(
    "status",
    [Status.REJECTED, Status.COMPLETED, Status.FAILED, Status.CANCELLED, Status.ENTERED_IN_ERROR],
)
def test_whatever_has_ended_has_no_clock(status: Status) -> None:
    assert clock(Step(Event.RECEIVE, at(1)), status=status) == Clock()


def test_an_answer_is_in_time_by_its_own_day_and_silence_counts_once_it_was_due() -> None:
    def timely(*steps: Step, by: float) -> bool | None:
        return answered_in_time(steps, delivered_at=SENT, terms=URGENT, by=at(by))

    assert timely(Step(Event.DECLINE, at(72)), by=100) is True
    assert timely(Step(Event.ACCEPT, at(72.5)), by=100) is False
    assert timely(by=71) is None
    assert timely(by=72) is False
    assert timely(Step(Event.ASK, at(10)), by=100) is None
    assert timely(Step(Event.ASK, at(10)), Step(Event.REPLY, at(30)), by=91) is None
    assert timely(Step(Event.ASK, at(10)), Step(Event.REPLY, at(30)), by=92) is False


pushes = st.lists(
    st.tuples(
        st.sampled_from([Event.ASK, Event.REPLY, Event.HOLD, Event.RESUME, Event.RECEIVE]),
        st.integers(1, 400),
    ),
    max_size=12,
)


@given(pushes)
def test_the_time_to_decide_is_the_time_that_ran(history: list[tuple[Event, int]]) -> None:
    """Hour by hour, with two lamps: a question is open, a hold lasts; time runs while both are out."""
    hour, events = 0, {}
    steps = []
    for event, wait in history:
        hour += wait
        events.setdefault(hour, []).append(event)
        steps.append(Step(event, at(hour)))
    lamps: set[str] = set()
    ran, due_hour = 0, None
    for now in range(hour + 14 * 24 + 1):
        for event in events.get(now, ()):
            {
                Event.ASK: lambda: lamps.add("question"),
                Event.REPLY: lambda: lamps.discard("question"),
                Event.HOLD: lambda: lamps.add("hold"),
                Event.RESUME: lambda: lamps.discard("hold"),
            }.get(event, lambda: None)()
        if ran == 14 * 24:
            due_hour = now
            break
        ran += not lamps

    found = clock(*steps)

    assert found.decide_by == (None if due_hour is None else at(due_hour))
    assert found.is_paused == any(
        _is_open(history, *pair) for pair in ((Event.ASK, Event.REPLY), (Event.HOLD, Event.RESUME))
    )


def _is_open(history: list[tuple[Event, int]], begins: Event, ends: Event) -> bool:
    said = [event for event, _ in history if event in (begins, ends)]
    return bool(said) and said[-1] is begins
