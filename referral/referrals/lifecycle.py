"""The closed loop as data: which step may follow which status, by whom, and what it must carry. Pure.

Status names are FHIR TaskStatus. The table is domain law; the test walks every cell of it.
"""

from dataclasses import dataclass
from enum import StrEnum

from referral.core.errors import Invalid, NotAllowed
from referral.core.text import Message


class Status(StrEnum):
    DRAFT = "draft"
    REQUESTED = "requested"
    RECEIVED = "received"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    IN_PROGRESS = "in-progress"
    ON_HOLD = "on-hold"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    ENTERED_IN_ERROR = "entered-in-error"


class Event(StrEnum):
    SEND = "send"
    RECEIVE = "receive"
    ACCEPT = "accept"
    DECLINE = "decline"
    ASK = "ask"
    #: the worker's answer to what the agency asked
    REPLY = "reply"
    HOLD = "hold"
    RESUME = "resume"
    START = "start"
    REPORT = "report"
    COMPLETE = "complete"
    FAIL = "fail"
    CANCEL = "cancel"
    #: the agency has read that what it accepted was cancelled
    CONFIRM = "confirm"
    VOID = "void"


class Actor(StrEnum):
    """Whose step it is."""

    BROKER = "broker"
    AGENCY = "agency"
    CLIENT = "client"
    TIMER = "timer"


class Field(StrEnum):
    """What a step must carry."""

    REASON = "reason"
    NOTE = "note"
    REVIEW_ON = "review_on"
    FIRST_CONTACT_ON = "first_contact_on"
    OUTCOME = "outcome"
    OUTCOME_ON = "outcome_on"


class CodeList(StrEnum):
    """Which column of the reason codes a step's reason must be in."""

    DECLINE = "decline"
    FAILURE = "failure"
    HOLD = "hold"
    CANCEL = "cancel"


#: The agency has been asked and has not decided.
WAITING = (Status.REQUESTED, Status.RECEIVED)
#: The agency said yes.
HELPING = (Status.ACCEPTED, Status.IN_PROGRESS)
LIVE = frozenset({*WAITING, *HELPING, Status.ON_HOLD})
TERMINAL = frozenset(
    {Status.REJECTED, Status.COMPLETED, Status.FAILED, Status.CANCELLED, Status.ENTERED_IN_ERROR}
)


@dataclass(frozen=True)
class Rule:
    """One cell of the table. `to` None: the status stays (or, on resuming, is the one before the hold).

    only            the only reason codes that fit; empty: every code of the list
    modes           only for services whose answer mode is one of these; empty: any
    once_accepted   only after the agency accepted: a hold may also lie before its decision
    """

    to: Status | None
    by: frozenset[Actor]
    required: frozenset[Field] = frozenset()
    codes: CodeList | None = None
    only: frozenset[str] = frozenset()
    modes: frozenset[str] = frozenset()
    once_accepted: bool = False


_B, _A, _C = Actor.BROKER, Actor.AGENCY, Actor.CLIENT
_F = Field


def _rule(
    to: Status | None,
    by: Actor | tuple[Actor, ...],
    *required: Field,
    codes: CodeList | None = None,
    only: tuple[str, ...] = (),
    modes: tuple[str, ...] = (),
    once_accepted: bool = False,
) -> Rule:
    actors = by if isinstance(by, tuple) else (by,)
    return Rule(
        to,
        frozenset(actors),
        frozenset(required),
        codes,
        frozenset(only),
        frozenset(modes),
        once_accepted,
    )


TRANSITIONS: dict[tuple[Status, Event], tuple[Rule, ...]] = {
    (Status.DRAFT, Event.SEND): (_rule(Status.REQUESTED, _B),),
    (Status.REQUESTED, Event.RECEIVE): (_rule(Status.RECEIVED, _A),),
    **{(status, Event.ASK): (_rule(None, _A, _F.NOTE),) for status in WAITING},
    **{(status, Event.REPLY): (_rule(None, _B, _F.NOTE),) for status in WAITING},
    **{
        (status, Event.HOLD): (
            _rule(
                Status.ON_HOLD,
                _A,
                _F.REASON,
                _F.REVIEW_ON,
                codes=CodeList.HOLD,
                only=("missing_documents",),
            ),
        )
        for status in WAITING
    },
    **{
        (status, Event.HOLD): (
            _rule(Status.ON_HOLD, _A, _F.REASON, _F.REVIEW_ON, codes=CodeList.HOLD),
        )
        for status in HELPING
    },
    (Status.ON_HOLD, Event.RESUME): (_rule(None, _A),),
    **{
        (status, Event.ACCEPT): (_rule(Status.ACCEPTED, _A, _F.FIRST_CONTACT_ON),)
        for status in WAITING
    },
    **{
        (status, Event.DECLINE): (_rule(Status.REJECTED, _A, _F.REASON, codes=CodeList.DECLINE),)
        for status in WAITING
    },
    (Status.ACCEPTED, Event.START): (
        _rule(Status.IN_PROGRESS, (_A, _B), _F.FIRST_CONTACT_ON, _F.NOTE),
    ),
    (Status.IN_PROGRESS, Event.REPORT): (_rule(None, _A, _F.NOTE),),
    **{
        (status, Event.COMPLETE): (
            _rule(Status.COMPLETED, _A, _F.OUTCOME, _F.OUTCOME_ON, once_accepted=True),
            _rule(Status.COMPLETED, _B, _F.OUTCOME, _F.OUTCOME_ON, modes=("walk_in",)),
        )
        for status in (*HELPING, Status.ON_HOLD)
    },
    # A walk-in service gives no answer: the client's word or a stamped slip closes what was sent.
    **{
        (status, Event.COMPLETE): (
            _rule(Status.COMPLETED, _B, _F.OUTCOME, _F.OUTCOME_ON, modes=("walk_in",)),
        )
        for status in WAITING
    },
    **{
        (status, Event.FAIL): (
            _rule(
                Status.FAILED,
                _B,
                _F.REASON,
                codes=CodeList.FAILURE,
                only=("no_response",),
                modes=("replies",),
            ),
        )
        for status in WAITING
    },
    **{
        (status, Event.FAIL): (
            _rule(Status.FAILED, _A, _F.REASON, codes=CodeList.FAILURE, once_accepted=True),
            _rule(Status.FAILED, _B, _F.REASON, codes=CodeList.FAILURE),
        )
        for status in (*HELPING, Status.ON_HOLD)
    },
    **{
        (status, Event.CANCEL): (
            _rule(Status.CANCELLED, (_B, _C), _F.REASON, codes=CodeList.CANCEL),
            *(
                (_rule(Status.CANCELLED, _A, _F.REASON, codes=CodeList.CANCEL, once_accepted=True),)
                if status not in WAITING
                else ()
            ),
        )
        for status in (*WAITING, *HELPING, Status.ON_HOLD)
    },
    (Status.CANCELLED, Event.CONFIRM): (_rule(None, _A, once_accepted=True),),
    **{
        (status, Event.VOID): (_rule(Status.ENTERED_IN_ERROR, _B, _F.NOTE),)
        for status in Status
        if status not in (Status.DRAFT, Status.ENTERED_IN_ERROR)
    },
}


def allowed(status: Status, *, actor: Actor, mode: str, accepted: bool = False) -> list[Event]:
    """The steps `actor` may take now, in the order of the loop.

    accepted   the agency has said yes at some time; needed only where the status does not tell
    """
    return [event for event in Event if _find(status, event, actor, mode, accepted) is not None]


def rule_for(
    status: Status, event: Event, *, actor: Actor, mode: str, accepted: bool = False
) -> Rule:
    """The rule of one step. Raises NotAllowed, naming what is possible instead."""
    rule = _find(status, event, actor, mode, accepted)
    if rule is None:
        possible = [
            Message(f"referral.event.{other}")
            for other in allowed(status, actor=actor, mode=mode, accepted=accepted)
        ]
        where = Message(f"referral.status.{status}")
        step = Message(f"referral.event.{event}")
        if not possible:
            raise NotAllowed("referral.nothing_more", status=where, event=step)
        raise NotAllowed("referral.out_of_turn", status=where, event=step, possible=possible)
    return rule


def next_status(
    status: Status,
    event: Event,
    *,
    actor: Actor,
    mode: str,
    given: frozenset[Field],
    accepted: bool = False,
    before_hold: Status | None = None,
) -> Status:
    """Status after `event`. Raises NotAllowed for a step out of turn, Invalid for a missing field.

    `given` names the fields that came with the step; `before_hold` is where a resumed referral returns to.
    """
    rule = rule_for(status, event, actor=actor, mode=mode, accepted=accepted)
    for field in Field:
        if field in rule.required and field not in given:
            raise Invalid(f"referral.missing.{field}", field=field)
    if event is Event.RESUME:
        if before_hold is None:
            raise ValueError("a resumed referral was held from some status")
        return before_hold
    return rule.to or status


def _find(status: Status, event: Event, actor: Actor, mode: str, accepted: bool) -> Rule | None:
    accepted = accepted or status in HELPING
    for rule in TRANSITIONS.get((status, event), ()):
        if (
            actor in rule.by
            and (not rule.modes or mode in rule.modes)
            and (accepted or not rule.once_accepted)
        ):
            return rule
    return None
