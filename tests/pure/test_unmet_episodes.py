"""What the history of a need says about a gap: the same history gives the same answer, in whatever order it is read."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referral.planning.unmet.episodes import (
    NO_GAP,
    Answer,
    Gap,
    Helped,
    History,
    Search,
    Sent,
    found_at,
    gap_of,
    helped,
)
from referral.planning.unmet.kinds import Closing, Origin
from referral.referrals.lifecycle import Actor, Status

START = datetime(2026, 3, 2, 2, 30, tzinfo=UTC)
LATER = START + timedelta(days=400)


def at(days: float) -> datetime:
    return START + timedelta(days=days)


def number(value: int) -> UUID:
    return UUID(int=value)


def tally(**values: Any) -> dict[str, Any]:
    return {"considered": 0, "options": 0, "remote": 0, "no_capacity": 0, "failed": {}} | values


NOTHING = tally()
TOO_YOUNG = tally(considered=3, failed={"age": 3})
MIXED = tally(considered=3, failed={"age": 2, "sex": 1})
FULL = tally(considered=2, options=2, no_capacity=2)
SOMEBODY = tally(considered=4, options=2, remote=1)


def search(day: float, found: dict[str, Any], id_: int = 1) -> Search:
    return Search(number(id_), at(day), found)


def sent(day: float, status: Status, id_: int = 50, **values: Any) -> Sent:
    return Sent(number(id_), at(day), status, **values)


def declined(day: float, reason: str | None, id_: int = 50) -> Sent:
    return sent(
        day - 1,
        Status.REJECTED,
        id_,
        ended_at=at(day),
        ended_by=Actor.AGENCY,
        ended_code="x",
        ended_party="provider",
        ended_reason=reason,
    )


def told(gap: Gap | None) -> tuple[str, str, tuple[str, ...]] | None:
    return None if gap is None else (gap.origin, gap.reason, gap.secondary)


@pytest.mark.parametrize(
    ("history", "expected"),
    [
        (History([search(1, NOTHING)]), ("no_match", "U01", ())),
        (History([search(1, TOO_YOUNG)]), ("all_failed", "U05", ())),
        (History([search(1, MIXED)]), ("all_failed", "U99", ("U05", "U12"))),
        (History([search(1, FULL)]), ("all_failed", "U03", ())),
        (History([search(1, SOMEBODY)]), None),
        (History([search(1, NOTHING), search(2, SOMEBODY, 2)]), None),
        (History([search(1, NOTHING), search(2, TOO_YOUNG, 2)]), ("all_failed", "U05", ())),
        (
            History(
                [search(1, SOMEBODY)], [Answer(number(9), at(1), False, ["U08", "U17", "U07"])]
            ),
            ("client_no", "U08", ("U07", "U17")),
        ),
        (
            History([search(1, SOMEBODY)], [Answer(number(9), at(1), False, ["U17"])]),
            ("client_no", "U17", ()),
        ),
        (
            History(
                answers=[
                    Answer(number(9), at(1), False, ["U08"]),
                    Answer(number(10), at(2), True),
                ]
            ),
            None,
        ),
        (History(referrals=[declined(3, "U04")]), ("declined", "U04", ())),
        (
            History([search(1, NOTHING)], referrals=[declined(3, "U04")]),
            ("declined", "U04", ("U01",)),
        ),
        (
            History(referrals=[declined(3, "U04", 50), declined(5, "U05", 51)]),
            ("declined", "U05", ("U04",)),
        ),
        # A decline that says nothing of a gap says nothing at all.
        (History(referrals=[declined(3, None)]), None),
        (
            History(referrals=[sent(1, Status.REQUESTED, silent_at=at(31))]),
            ("no_response", "U15", ()),
        ),
        (
            History(
                referrals=[
                    sent(
                        1,
                        Status.FAILED,
                        ended_at=at(40),
                        ended_by=Actor.BROKER,
                        ended_code="no_response",
                        ended_party="system",
                        ended_reason="U15",
                    )
                ]
            ),
            ("no_response", "U15", ()),
        ),
        # Somebody else is still being asked.
        (
            History(
                referrals=[
                    sent(1, Status.REQUESTED, silent_at=at(31)),
                    sent(2, Status.RECEIVED, 51),
                ]
            ),
            None,
        ),
        (
            History(
                referrals=[
                    sent(
                        1,
                        Status.ON_HOLD,
                        helping_at=at(2),
                        held_at=at(3),
                        held_code="waiting_for_place",
                        held_reason="U03",
                        held_long_at=at(33),
                    )
                ]
            ),
            ("long_hold", "U03", ()),
        ),
        (
            History(
                referrals=[
                    sent(
                        1,
                        Status.ON_HOLD,
                        held_at=at(3),
                        held_code="missing_documents",
                        held_reason="U06",
                        held_long_at=at(33),
                    )
                ]
            ),
            ("long_hold", "U06", ()),
        ),
        (
            History(
                referrals=[
                    sent(
                        1,
                        Status.ON_HOLD,
                        held_at=at(3),
                        held_code="institutionalised",
                        held_long_at=at(33),
                    )
                ]
            ),
            None,
        ),
        (
            History(
                referrals=[
                    sent(
                        1,
                        Status.CANCELLED,
                        ended_at=at(4),
                        ended_by=Actor.CLIENT,
                        ended_code="client_declined",
                        ended_party="client",
                        ended_reason="U17",
                    )
                ]
            ),
            ("withdrawn", "U17", ()),
        ),
        # The worker took it back: they know why, and say so themselves.
        (
            History(
                referrals=[
                    sent(
                        1,
                        Status.CANCELLED,
                        ended_at=at(4),
                        ended_by=Actor.BROKER,
                        ended_code="safety_conflict",
                        ended_party="provider",
                        ended_reason="U13",
                    )
                ]
            ),
            None,
        ),
        (
            History(
                referrals=[
                    sent(1, Status.COMPLETED, ended_at=at(4), client_says="no", said_at=at(9))
                ]
            ),
            ("not_helped", "U16", ()),
        ),
        (
            History(referrals=[declined(3, "U04"), sent(5, Status.ACCEPTED, 51, helping_at=at(6))]),
            None,
        ),
        (
            History(referrals=[declined(3, "U04"), sent(5, Status.COMPLETED, 51, ended_at=at(9))]),
            None,
        ),
    ],
)
def test_each_way_to_a_gap_tells_its_reason(
    history: History, expected: tuple[str, str, tuple[str, ...]] | None
) -> None:
    assert told(gap_of(history, now=LATER)) == expected


def test_time_alone_makes_silence_and_a_long_hold_a_gap() -> None:
    silent = History(referrals=[sent(1, Status.RECEIVED, silent_at=at(31))])
    held = History(
        referrals=[
            sent(
                1,
                Status.ON_HOLD,
                helping_at=at(2),
                held_at=at(3),
                held_code="no_show",
                held_reason="U08",
                held_long_at=at(33),
            )
        ]
    )

    assert [told(gap_of(one, now=at(30))) for one in (silent, held)] == [None, None]
    assert [told(gap_of(one, now=at(33))) for one in (silent, held)] == [
        ("no_response", "U15", ()),
        ("long_hold", "U08", ()),
    ]
    assert helped(held, now=at(30)) == Helped(Closing.FITTING_SERVICE, at(2))
    assert helped(held, now=at(33)) is None


def test_everything_behind_a_gap_is_kept_once_in_its_order() -> None:
    history = History(
        [search(4, NOTHING, 2), search(1, TOO_YOUNG, 1)],
        [Answer(number(9), at(5), False, ["U08"], receipt_id=number(2))],
        [declined(8, "U04", 51), declined(7, "U05", 50)],
    )

    gap = gap_of(history, now=LATER)

    assert gap is not None
    assert gap.evidence == {
        "receipts": [str(number(1)), str(number(2))],
        "choices": [str(number(9))],
        "referrals": [str(number(50)), str(number(51))],
    }
    assert (gap.reason, gap.secondary) == ("U04", ("U05", "U08", "U17", "U01"))
    assert gap.since == at(1)


def test_what_was_known_before_an_answer_opens_nothing_again() -> None:
    history = History([search(1, NOTHING)], referrals=[declined(8, "U04")])

    assert gap_of(history, now=LATER, after=at(8)) is None
    assert told(gap_of(history, now=LATER, after=at(7))) == ("declined", "U04", ())


def test_help_ends_a_gap_and_the_clients_yes_weighs_most() -> None:
    served = sent(5, Status.COMPLETED, 51, ended_at=at(20))
    thanked = sent(5, Status.COMPLETED, 52, ended_at=at(9), client_says="yes", said_at=at(10))

    assert helped(History(referrals=[served]), now=LATER) == Helped(Closing.FITTING_SERVICE, at(20))
    assert helped(History(referrals=[served, thanked]), now=LATER) == Helped(Closing.MET, at(10))
    assert helped(History(referrals=[declined(3, "U04")]), now=LATER) is None


def test_only_the_last_search_says_whether_somebody_was_found() -> None:
    assert found_at(History([search(3, SOMEBODY, 2), search(1, NOTHING)])) == at(3)
    assert found_at(History([search(3, NOTHING, 2), search(1, SOMEBODY)])) is None
    assert found_at(History()) is None


DAYS = st.integers(0, 60).map(float)
CODES = st.sampled_from(["U01", "U03", "U04", "U08", "U15", "U17", "U18", "U99"])
SEARCHES = st.builds(search, DAYS, st.sampled_from([NOTHING, TOO_YOUNG, MIXED, FULL, SOMEBODY]))
ANSWERS = st.builds(
    Answer, st.just(number(1)), DAYS.map(at), st.booleans(), st.lists(CODES, min_size=1, max_size=3)
)
ENDED = st.builds(declined, DAYS, CODES)
RUNNING = st.builds(
    sent,
    DAYS,
    st.sampled_from([Status.REQUESTED, Status.RECEIVED, Status.ACCEPTED, Status.IN_PROGRESS]),
    silent_at=st.none() | DAYS.map(at),
    helping_at=st.none() | DAYS.map(at),
)


@st.composite
def histories(draw: st.DrawFn) -> History:
    def numbered(items: list[Any], base: int) -> list[Any]:
        return [
            type(one)(**(one.__dict__ | {"id": number(base + place)}))
            for place, one in enumerate(items)
        ]

    return History(
        numbered(draw(st.lists(SEARCHES, max_size=4)), 100),
        numbered(draw(st.lists(ANSWERS, max_size=4)), 200),
        numbered(draw(st.lists(ENDED | RUNNING, max_size=4)), 300),
    )


@given(histories(), st.randoms(use_true_random=False))
def test_the_order_in_which_a_history_is_read_changes_nothing(
    history: History, chance: Any
) -> None:
    def shuffled(items: Any) -> list[Any]:
        mixed = list(items)
        chance.shuffle(mixed)
        return mixed

    mixed = History(
        shuffled(history.searches), shuffled(history.answers), shuffled(history.referrals)
    )

    assert gap_of(mixed, now=LATER) == gap_of(history, now=LATER)
    assert helped(mixed, now=LATER) == helped(history, now=LATER)


@given(histories())
def test_a_gap_names_only_what_happened_and_never_beside_help(history: History) -> None:
    gap = gap_of(history, now=LATER)
    known = {str(one.id) for one in (*history.searches, *history.answers, *history.referrals)}

    if helped(history, now=LATER) is not None:
        assert gap is None
    if gap is None:
        assert gap_of(history, now=LATER, after=LATER) is None
        return
    chain = [one for ids in gap.evidence.values() for one in ids]
    assert len(chain) == len(set(chain)) > 0
    assert set(chain) <= known
    assert gap.reason not in gap.secondary
    assert len(gap.secondary) == len(set(gap.secondary))
    assert gap.since <= LATER


@given(histories())
def test_nothing_opens_twice_from_the_same_history(history: History) -> None:
    last = max(
        [
            *(one.at for one in (*history.searches, *history.answers)),
            *(
                moment
                for one in history.referrals
                for moment in (one.at, one.ended_at, one.silent_at)
                if moment is not None
            ),
            START,
        ]
    )

    assert gap_of(history, now=LATER, after=last) is None


@given(histories())
def test_what_no_service_can_mend_stands_first_only_alone(history: History) -> None:
    gap = gap_of(history, now=LATER)

    if gap is not None and gap.origin is Origin.CLIENT_NO and gap.reason in NO_GAP:
        last = max(history.answers, key=lambda one: (one.at, one.id))
        assert set(last.reasons) <= set(NO_GAP)
