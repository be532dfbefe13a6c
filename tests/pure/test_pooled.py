"""What clients let a service hear only together with others."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from referral.referrals.pooled import MARKS, TOGETHER, Answer, Mark, Pool, pool, released

START = datetime(2026, 3, 2, tzinfo=UTC)


def at(minute: int) -> datetime:
    return START + timedelta(minutes=minute)


def answer(minute: int, received: str = "yes", **values: Any) -> Answer:
    return Answer(at(minute), received, **values)


def test_nothing_is_read_before_the_fifth_answer() -> None:
    four = [answer(minute) for minute in range(4)]

    assert pool([]) is None
    assert pool(four) is None
    assert pool([*four, answer(4, "no")]) == Pool(5, {"yes": 4, "no": 1}, {}, {})


def test_the_next_release_waits_for_five_more() -> None:
    nine = [answer(minute, "yes" if minute < 5 else "no") for minute in range(9)]

    assert pool(nine) == pool(nine[:5])
    assert pool([*nine, answer(9)]) == Pool(10, {"yes": 6, "no": 4}, {}, {})


def test_a_question_that_few_answered_waits_for_five_answers_of_its_own() -> None:
    """Else the next release would tell what one client marked."""
    ten = [
        answer(
            minute,
            quality=5 if minute % 2 else None,
            staff=2 if minute < 4 else None,
            waited="under_7d" if minute < 6 else None,
        )
        for minute in range(10)
    ]

    assert pool(ten[:5]) == Pool(5, {"yes": 5}, {"under_7d": 5}, {})
    assert pool(ten) == Pool(10, {"yes": 10}, {"under_7d": 5}, {"quality": Mark(5.0, 5)})


def test_what_was_taken_back_counts_while_waiting_no_longer_and_once_released_still() -> None:
    waiting = [answer(0, "no", taken_back_at=at(2)), *(answer(minute) for minute in range(1, 5))]
    late = [answer(0, "no", taken_back_at=at(60)), *(answer(minute) for minute in range(1, 5))]

    assert pool(waiting) is None
    assert pool([*waiting, answer(5)]) == Pool(5, {"yes": 5}, {}, {})
    assert pool(late) == Pool(5, {"no": 1, "yes": 4}, {}, {})


marks = st.none() | st.integers(1, 5)
given_answers = st.lists(
    st.builds(
        lambda received, waited, quality, waiting, staff, back: (
            received,
            waited,
            quality,
            waiting,
            staff,
            back,
        ),
        st.sampled_from(["yes", "partly", "no"]),
        st.none() | st.sampled_from(["under_1h", "over_2w"]),
        marks,
        marks,
        marks,
        st.none() | st.integers(1, 40),
    ),
    max_size=40,
)


@settings(max_examples=300, deadline=None)
@given(given_answers)
def test_what_was_released_stays_and_two_readings_differ_by_nothing_or_by_five_or_more(
    rows: list[Any],
) -> None:
    """Read after every answer, as it was known then, as somebody would who compares."""
    before: list[Answer] = []
    read: Pool | None = None
    for now in range(len(rows)):
        known = [
            Answer(
                at(minute),
                *row[:5],
                taken_back_at=at(minute + row[5]) if row[5] and minute + row[5] <= now else None,
            )
            for minute, row in enumerate(rows[: now + 1])
        ]
        out = released(known)
        identity = [(one.at, one.received) for one in out]
        assert identity[: len(before)] == [(one.at, one.received) for one in before]
        assert len(out) - len(before) in (0, TOGETHER)
        then, read = read, pool(known)
        if then is not None and read is not None:
            for name in MARKS:
                earlier = then.marks.get(name, Mark(0, 0)).count
                added = read.marks.get(name, Mark(0, 0)).count - earlier
                assert added % TOGETHER == 0
            assert (sum(read.waited.values()) - sum(then.waited.values())) % TOGETHER == 0
        before = out
