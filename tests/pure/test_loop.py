"""What follows from a referral's status and the client's word."""

import pytest

from referral.core.text import LANGUAGES, label
from referral.referrals.lifecycle import Status
from referral.referrals.loop import Loop, NeedState, Trace, awaits_disposition, loop_of, need_state


@pytest.mark.parametrize(
    ("status", "loop"),
    [
        (Status.DRAFT, Loop.OPEN),
        (Status.REQUESTED, Loop.OPEN),
        (Status.RECEIVED, Loop.ACKNOWLEDGED),
        (Status.ACCEPTED, Loop.DECIDED),
        (Status.IN_PROGRESS, Loop.DECIDED),
        (Status.ON_HOLD, Loop.ACKNOWLEDGED),
        (Status.COMPLETED, Loop.SERVED),
        (Status.REJECTED, Loop.CLOSED),
        (Status.FAILED, Loop.CLOSED),
        (Status.CANCELLED, Loop.CLOSED),
        (Status.ENTERED_IN_ERROR, Loop.CLOSED),
    ],
)
def test_before_the_client_was_asked_the_status_tells_how_far_the_loop_is(
    status: Status, loop: Loop
) -> None:
    assert loop_of(Trace(status)) is loop


def test_a_hold_after_accepting_is_a_decision() -> None:
    assert loop_of(Trace(Status.ON_HOLD, accepted=True)) is Loop.DECIDED


@pytest.mark.parametrize(
    ("status", "says", "loop"),
    [
        (Status.COMPLETED, "yes", Loop.CONFIRMED),
        (Status.COMPLETED, "partly", Loop.CONFIRMED),
        (Status.COMPLETED, "no", Loop.DISPUTED),
        (Status.REJECTED, "no", Loop.CLOSED),
        (Status.FAILED, "no", Loop.CLOSED),
        (Status.FAILED, "yes", Loop.DISPUTED),
        (Status.ENTERED_IN_ERROR, "yes", Loop.CLOSED),
    ],
)
def test_the_clients_word_confirms_or_disputes_the_agencys_claim(
    status: Status, says: str, loop: Loop
) -> None:
    assert loop_of(Trace(status, says)) is loop


COMPLETED_YES = Trace(Status.COMPLETED, "yes")
COMPLETED_NO = Trace(Status.COMPLETED, "no")
COMPLETED_PARTLY = Trace(Status.COMPLETED, "partly")
REJECTED = Trace(Status.REJECTED)


@pytest.mark.parametrize(
    ("traces", "state"),
    [
        ([], NeedState.OPEN),
        ([Trace(Status.REQUESTED)], NeedState.REFERRED),
        ([Trace(Status.ON_HOLD)], NeedState.REFERRED),
        ([Trace(Status.ON_HOLD, accepted=True)], NeedState.IN_SERVICE),
        ([Trace(Status.ACCEPTED)], NeedState.IN_SERVICE),
        ([REJECTED, Trace(Status.REQUESTED)], NeedState.REFERRED),
        ([Trace(Status.COMPLETED)], NeedState.SERVED),
        ([COMPLETED_YES], NeedState.MET),
        ([REJECTED, COMPLETED_YES], NeedState.MET),
        ([COMPLETED_PARTLY], NeedState.PARTLY_MET),
        ([COMPLETED_PARTLY, Trace(Status.REQUESTED)], NeedState.REFERRED),
        ([REJECTED], NeedState.DISPOSITION),
        ([Trace(Status.FAILED)], NeedState.DISPOSITION),
        ([Trace(Status.CANCELLED)], NeedState.DISPOSITION),
        ([COMPLETED_NO], NeedState.DISPOSITION),
        ([Trace(Status.REJECTED, disposed=True)], NeedState.OPEN),
        ([Trace(Status.ENTERED_IN_ERROR)], NeedState.OPEN),
        ([Trace(Status.ENTERED_IN_ERROR, "yes")], NeedState.OPEN),
    ],
)
def test_where_a_need_stands_follows_from_its_referrals(
    traces: list[Trace], state: NeedState
) -> None:
    assert need_state(traces, unmet=False) is state
    assert need_state(traces[::-1], unmet=False) is state


@pytest.mark.parametrize(
    ("traces", "words", "state"),
    [
        ([REJECTED], {"unmet": True}, NeedState.UNMET),
        ([], {"unmet": True}, NeedState.UNMET),
        ([Trace(Status.REQUESTED)], {"unmet": True}, NeedState.REFERRED),
        ([REJECTED], {"unmet": False, "withdrawn": True}, NeedState.WITHDRAWN),
        ([COMPLETED_YES], {"unmet": False, "withdrawn": True}, NeedState.WITHDRAWN),
        ([REJECTED], {"unmet": True, "resolved_otherwise": True}, NeedState.RESOLVED_OTHERWISE),
        ([COMPLETED_YES], {"unmet": False, "resolved_otherwise": True}, NeedState.MET),
    ],
)
def test_where_a_need_stands_follows_the_workers_word_too(
    traces: list[Trace], words: dict[str, bool], state: NeedState
) -> None:
    assert need_state(traces, **words) is state  # type: ignore[arg-type]


@pytest.mark.parametrize("status", [Status.REJECTED, Status.FAILED])
def test_no_need_is_closed_by_a_referral_that_ended_without_help(status: Status) -> None:
    assert awaits_disposition(Trace(status))
    assert not awaits_disposition(Trace(status, disposed=True))
    assert need_state([Trace(status)], unmet=False) is NeedState.DISPOSITION


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_loop_and_need_state_has_words(lang: str) -> None:
    assert all(label(f"referral.loop.{loop}", lang) for loop in Loop)
    assert all(label(f"referral.need.{state}", lang) for state in NeedState)
