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
    ASK = "ask"
    HOLD = "hold"
    RESUME = "resume"
    ACCEPT = "accept"
    DECLINE = "decline"
    START = "start"
    REPORT = "report"
    COMPLETE = "complete"
    FAIL = "fail"
    CANCEL = "cancel"
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


LIVE = frozenset(
    {Status.REQUESTED, Status.RECEIVED, Status.ACCEPTED, Status.IN_PROGRESS, Status.ON_HOLD}
)
TERMINAL = frozenset(
    {Status.REJECTED, Status.COMPLETED, Status.FAILED, Status.CANCELLED, Status.ENTERED_IN_ERROR}
)
#: The agency may see who the client is.
RELEASED = frozenset({Status.ACCEPTED, Status.IN_PROGRESS, Status.ON_HOLD, Status.COMPLETED})


@dataclass(frozen=True)
class Rule:
    """One cell of the table. `to` None: the status stays (or, on resuming, is the one before the hold)."""

    to: Status | None
    by: frozenset[Actor]
    required: frozenset[Field] = frozenset()
    codes: CodeList | None = None
    #: only for services whose answer mode is one of these (empty: any)
    modes: frozenset[str] = frozenset()


_B, _A, _C, _S = Actor.BROKER, Actor.AGENCY, Actor.CLIENT, Actor.TIMER
_F = Field


def _rule(
    to: Status | None,
    by: Actor | tuple[Actor, ...],
    *required: Field,
    codes: CodeList | None = None,
    modes: tuple[str, ...] = (),
) -> Rule:
    actors = by if isinstance(by, tuple) else (by,)
    return Rule(to, frozenset(actors), frozenset(required), codes, frozenset(modes))


_WAITING = (Status.REQUESTED, Status.RECEIVED)
_HELPING = (Status.ACCEPTED, Status.IN_PROGRESS)

TRANSITIONS: dict[tuple[Status, Event], tuple[Rule, ...]] = {
    (Status.DRAFT, Event.SEND): (_rule(Status.REQUESTED, _B),),
    (Status.REQUESTED, Event.RECEIVE): (_rule(Status.RECEIVED, _A),),
    **{(status, Event.ASK): (_rule(None, _A, _F.NOTE),) for status in _WAITING},
    **{
        (status, Event.HOLD): (
            _rule(Status.ON_HOLD, _A, _F.REASON, _F.REVIEW_ON, codes=CodeList.HOLD),
        )
        for status in (*_WAITING, *_HELPING)
    },
    (Status.ON_HOLD, Event.RESUME): (_rule(None, _A),),
    **{
        (status, Event.ACCEPT): (_rule(Status.ACCEPTED, _A, _F.FIRST_CONTACT_ON),)
        for status in _WAITING
    },
    **{
        (status, Event.DECLINE): (_rule(Status.REJECTED, _A, _F.REASON, codes=CodeList.DECLINE),)
        for status in _WAITING
    },
    (Status.ACCEPTED, Event.START): (
        _rule(Status.IN_PROGRESS, (_A, _B), _F.FIRST_CONTACT_ON, _F.NOTE),
    ),
    (Status.IN_PROGRESS, Event.REPORT): (_rule(None, _A, _F.NOTE),),
    **{
        (status, Event.COMPLETE): (
            _rule(Status.COMPLETED, _A, _F.OUTCOME, _F.OUTCOME_ON),
            _rule(Status.COMPLETED, _B, _F.OUTCOME, _F.OUTCOME_ON, modes=("walk_in",)),
        )
        for status in (*_HELPING, Status.ON_HOLD)
    },
    # A walk-in service gives no answer: the client's word or a stamped slip closes what was sent.
    **{
        (status, Event.COMPLETE): (
            _rule(Status.COMPLETED, _B, _F.OUTCOME, _F.OUTCOME_ON, modes=("walk_in",)),
        )
        for status in _WAITING
    },
    **{
        (status, Event.FAIL): (
            _rule(Status.FAILED, _B, _F.REASON, codes=CodeList.FAILURE, modes=("replies",)),
        )
        for status in _WAITING
    },
    **{
        (status, Event.FAIL): (_rule(Status.FAILED, (_A, _B), _F.REASON, codes=CodeList.FAILURE),)
        for status in (*_HELPING, Status.ON_HOLD)
    },
    **{
        (status, Event.CANCEL): (
            _rule(Status.CANCELLED, (_B, _C), _F.REASON, codes=CodeList.CANCEL),
            *(
                (_rule(Status.CANCELLED, _A, _F.REASON, codes=CodeList.CANCEL),)
                if status not in _WAITING
                else ()
            ),
        )
        for status in LIVE
    },
    **{
        (status, Event.VOID): (_rule(Status.ENTERED_IN_ERROR, _B, _F.NOTE),)
        for status in Status
        if status not in (Status.DRAFT, Status.ENTERED_IN_ERROR)
    },
}


def allowed(status: Status, *, actor: Actor, mode: str) -> list[Event]:
    """The steps `actor` may take now, in the order of the loop."""
    return [event for event in Event if _find(status, event, actor, mode) is not None]


def rule_for(status: Status, event: Event, *, actor: Actor, mode: str) -> Rule:
    """The rule of one step. Raises NotAllowed, naming what is possible instead."""
    rule = _find(status, event, actor, mode)
    if rule is None:
        possible = [
            Message(f"referral.event.{other}") for other in allowed(status, actor=actor, mode=mode)
        ]
        raise NotAllowed(
            "referral.out_of_turn" if possible else "referral.nothing_more",
            status=Message(f"referral.status.{status}"),
            event=Message(f"referral.event.{event}"),
            **({"possible": possible} if possible else {}),
        )
    return rule


def next_status(
    status: Status,
    event: Event,
    *,
    actor: Actor,
    mode: str,
    given: frozenset[Field],
    before_hold: Status | None = None,
) -> Status:
    """Status after `event`. Raises NotAllowed for a step out of turn, Invalid for a missing field.

    `given` names the fields that came with the step; `before_hold` is where a resumed referral returns to.
    """
    rule = rule_for(status, event, actor=actor, mode=mode)
    for field in Field:
        if field in rule.required and field not in given:
            raise Invalid(f"referral.missing.{field}", field=field)
    if event is Event.RESUME:
        if before_hold is None:
            raise ValueError("a resumed referral was held from some status")
        return before_hold
    return rule.to or status


def _find(status: Status, event: Event, actor: Actor, mode: str) -> Rule | None:
    for rule in TRANSITIONS.get((status, event), ()):
        if actor in rule.by and (not rule.modes or mode in rule.modes):
            return rule
    return None
