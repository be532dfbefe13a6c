"""What is derived and never typed: how far a referral's loop is closed, and whether a need is met. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from referral.referrals.kinds import Received
from referral.referrals.lifecycle import HELPING, LIVE, Status


class Loop(StrEnum):
    """How far the promise of a referral is kept."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    DECIDED = "decided"
    SERVED = "served"
    CONFIRMED = "confirmed"
    DISPUTED = "disputed"
    CLOSED = "closed_without_service"


class NeedState(StrEnum):
    OPEN = "open"
    REFERRED = "referred"
    IN_SERVICE = "in_service"
    SERVED = "served"
    MET = "met"
    PARTLY_MET = "partly_met"
    DISPOSITION = "disposition"
    UNMET = "unmet"
    WITHDRAWN = "withdrawn"
    RESOLVED_OTHERWISE = "resolved_otherwise"


@dataclass(frozen=True)
class Trace:
    """What is known of one referral.

    client_says   one of Received; None: not asked yet
    accepted      the agency said yes at some time: tells a hold before its decision from one after
    disposed      it ended without help and the worker has decided what follows
    """

    status: Status
    client_says: str | None = None
    accepted: bool = False
    disposed: bool = False


def loop_of(trace: Trace) -> Loop:
    """How far one referral's loop is closed. Served is the agency's claim; confirmed the client's word.

    The two may contradict each other either way: help claimed that never came, help that came all the same.
    """
    if trace.status is Status.ENTERED_IN_ERROR:
        return Loop.CLOSED
    if trace.client_says is not None:
        came = trace.client_says != Received.NO
        if trace.status is Status.COMPLETED:
            return Loop.CONFIRMED if came else Loop.DISPUTED
        return Loop.DISPUTED if came else Loop.CLOSED
    return {
        Status.DRAFT: Loop.OPEN,
        Status.REQUESTED: Loop.OPEN,
        Status.RECEIVED: Loop.ACKNOWLEDGED,
        Status.ACCEPTED: Loop.DECIDED,
        Status.IN_PROGRESS: Loop.DECIDED,
        Status.ON_HOLD: Loop.DECIDED if trace.accepted else Loop.ACKNOWLEDGED,
        Status.COMPLETED: Loop.SERVED,
    }.get(trace.status, Loop.CLOSED)


def awaits_disposition(trace: Trace) -> bool:
    """Whether a referral ended without help, and nobody has said yet what follows for the need."""
    ended_in_vain = trace.status in (Status.REJECTED, Status.FAILED, Status.CANCELLED)
    denied = trace.status is Status.COMPLETED and trace.client_says == Received.NO
    return (ended_in_vain or denied) and not trace.disposed


def need_state(
    traces: Sequence[Trace],
    *,
    unmet: bool,
    withdrawn: bool = False,
    resolved_otherwise: bool = False,
) -> NeedState:
    """Where a need stands, from its referrals in any order, its open unmet record and the worker's word.

    A rejected, failed or disputed referral leaves the need waiting for a disposition: it is never closed by it.
    """
    said = {trace.client_says for trace in traces if trace.status is Status.COMPLETED}
    live = [trace for trace in traces if trace.status in LIVE]
    if withdrawn:
        return NeedState.WITHDRAWN
    if Received.YES in said:
        return NeedState.MET
    if resolved_otherwise:
        return NeedState.RESOLVED_OTHERWISE
    if any(trace.status in HELPING or trace.accepted for trace in live):
        return NeedState.IN_SERVICE
    if live:
        return NeedState.REFERRED
    if Received.PARTLY in said:
        return NeedState.PARTLY_MET
    if None in said:
        return NeedState.SERVED
    if unmet:
        return NeedState.UNMET
    if any(awaits_disposition(trace) for trace in traces):
        return NeedState.DISPOSITION
    return NeedState.OPEN


def is_closed(state: NeedState) -> bool:
    """Whether nothing more is to be done for the need."""
    return state in (NeedState.MET, NeedState.WITHDRAWN, NeedState.RESOLVED_OTHERWISE)
