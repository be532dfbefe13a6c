"""What is derived and never typed: how far a referral's loop is closed, and whether a need is met. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from referral.referrals.lifecycle import LIVE, Status


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
    """What is known of one referral: its status and what the client said (yes, partly, no, or nothing yet)."""

    status: Status
    client_says: str | None = None


def loop_of(trace: Trace) -> Loop:
    """How far one referral's loop is closed. Served is the agency's claim; confirmed the client's word."""
    if trace.client_says is not None:
        return Loop.DISPUTED if trace.client_says == "no" else Loop.CONFIRMED
    return {
        Status.DRAFT: Loop.OPEN,
        Status.REQUESTED: Loop.OPEN,
        Status.RECEIVED: Loop.ACKNOWLEDGED,
        Status.ACCEPTED: Loop.DECIDED,
        Status.IN_PROGRESS: Loop.DECIDED,
        Status.ON_HOLD: Loop.ACKNOWLEDGED,
        Status.COMPLETED: Loop.SERVED,
    }.get(trace.status, Loop.CLOSED)


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
    traces = [trace for trace in traces if trace.status is not Status.ENTERED_IN_ERROR]
    said = {trace.client_says for trace in traces if trace.status is Status.COMPLETED}
    statuses = {trace.status for trace in traces}
    if withdrawn:
        return NeedState.WITHDRAWN
    if "yes" in said:
        return NeedState.MET
    if resolved_otherwise:
        return NeedState.RESOLVED_OTHERWISE
    if "partly" in said:
        return NeedState.PARTLY_MET
    if statuses & {Status.ACCEPTED, Status.IN_PROGRESS}:
        return NeedState.IN_SERVICE
    if statuses & LIVE:
        return NeedState.REFERRED
    if None in said:
        return NeedState.SERVED
    if unmet:
        return NeedState.UNMET
    if statuses & {Status.REJECTED, Status.FAILED, Status.CANCELLED, Status.COMPLETED}:
        return NeedState.DISPOSITION
    return NeedState.OPEN
