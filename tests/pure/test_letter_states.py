"""The way of a paper letter, cell by cell."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referral.core.errors import Invalid, NotAllowed
from referral.referrals.letters.numbering import check_pattern, numbered
from referral.referrals.letters.states import (
    LETTER_ENDS,
    LETTER_TRANSITIONS,
    Carrier,
    Hand,
    LetterEvent,
    LetterField,
    LetterState,
    next_state,
    possible_events,
)

EVERYTHING = frozenset(LetterField)
_S, _E = LetterState, LetterEvent
#: what is allowed, written a second time by hand: (state, event) → (state after, the worker may, a supervisor may)
ALLOWED = {
    (_S.FOR_SIGNATURE, _E.SIGN): (_S.SIGNED, True, True),
    (_S.FOR_SIGNATURE, _E.VOID): (_S.VOID, True, True),
    (_S.SIGNED, _E.NUMBER): (_S.NUMBERED, True, True),
    (_S.SIGNED, _E.VOID): (_S.VOID, True, True),
    (_S.NUMBERED, _E.HAND_OVER): (_S.HANDED_OVER, True, False),
    (_S.NUMBERED, _E.VOID): (_S.VOID, True, True),
    (_S.HANDED_OVER, _E.DELIVER): (_S.DELIVERED, True, False),
    (_S.HANDED_OVER, _E.VOID): (_S.VOID, True, True),
}


@pytest.mark.parametrize("hand", Hand)
@pytest.mark.parametrize("event", LetterEvent)
@pytest.mark.parametrize("state", LetterState)
def test_every_cell_is_as_the_law_says(state: LetterState, event: LetterEvent, hand: Hand) -> None:
    after, worker, supervisor = ALLOWED.get((state, event), (None, False, False))

    if worker if hand is Hand.WORKER else supervisor:
        assert next_state(state, event, hand=hand, given=EVERYTHING) is after
        assert event in possible_events(state, hand)
    else:
        with pytest.raises(NotAllowed):
            next_state(state, event, hand=hand, given=EVERYTHING)
        assert event not in possible_events(state, hand)


@pytest.mark.parametrize(("state", "event"), LETTER_TRANSITIONS)
def test_a_step_without_what_it_must_carry_names_the_first_thing_missing(
    state: LetterState, event: LetterEvent
) -> None:
    required = LETTER_TRANSITIONS[state, event].required
    for missing in required:
        with pytest.raises(Invalid) as refused:
            next_state(state, event, hand=Hand.WORKER, given=EVERYTHING - {missing})
        assert refused.value.field == missing


def test_handing_over_proves_arrival_only_when_the_agency_took_it() -> None:
    after = {
        carrier: next_state(
            LetterState.NUMBERED,
            LetterEvent.HAND_OVER,
            hand=Hand.WORKER,
            given=EVERYTHING,
            carrier=carrier,
        )
        for carrier in Carrier
    }

    assert after == {
        Carrier.CLIENT: LetterState.HANDED_OVER,
        Carrier.POST: LetterState.HANDED_OVER,
        Carrier.AGENCY: LetterState.DELIVERED,
    }


@given(st.lists(st.tuples(st.sampled_from(LetterEvent), st.sampled_from(Hand)), max_size=12))
def test_no_history_brings_a_letter_to_the_agency_unsigned_or_without_a_number(
    steps: list[tuple[LetterEvent, Hand]],
) -> None:
    state, taken = LetterState.FOR_SIGNATURE, []
    for event, hand in steps:
        try:
            state = next_state(state, event, hand=hand, given=EVERYTHING)
        except NotAllowed:
            continue
        assert not {*taken} & {LetterEvent.VOID}
        taken.append(event)

    if state in (LetterState.HANDED_OVER, LetterState.DELIVERED):
        assert taken[:3] == [LetterEvent.SIGN, LetterEvent.NUMBER, LetterEvent.HAND_OVER]
    if state in LETTER_ENDS:
        assert all(possible_events(state, hand) == [] for hand in Hand)


@pytest.mark.parametrize(
    ("pattern", "number"),
    [
        ("{number:03}/PS/{roman_month}/{year}", "007/PS/XI/2026"),
        ("460/{number}/{month}.{year}", "460/7/11.2026"),
    ],
)
def test_an_offices_pattern_writes_its_numbers(pattern: str, number: str) -> None:
    check_pattern(pattern)
    assert numbered(pattern, 7, date(2026, 11, 22)) == number


@pytest.mark.parametrize(
    "pattern",
    ["PS/{year}", "{number}/{day}", "{number", "{number:99}", "{number!r}", "{number}" * 30],
)
def test_a_pattern_that_holds_no_number_or_strange_words_is_refused(pattern: str) -> None:
    with pytest.raises(Invalid) as refused:
        check_pattern(pattern)
    assert refused.value.field == "number_pattern"
