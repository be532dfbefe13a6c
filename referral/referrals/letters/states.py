"""The way of a paper letter as data: for signature → signed → numbered → handed over → delivered. Pure.

A letter is proven to have arrived only once somebody of the agency has it; the referral's clock starts then.
"""

from dataclasses import dataclass
from enum import StrEnum

from referral.core.errors import Invalid, NotAllowed
from referral.core.text import Message


class LetterState(StrEnum):
    FOR_SIGNATURE = "for_signature"
    SIGNED = "signed"
    NUMBERED = "numbered"
    HANDED_OVER = "handed_over"
    DELIVERED = "delivered"
    VOID = "void"


class LetterEvent(StrEnum):
    SIGN = "sign"
    NUMBER = "number"
    HAND_OVER = "hand_over"
    DELIVER = "deliver"
    VOID = "void"


class Carrier(StrEnum):
    """Who took the letter out of the office's hands."""

    CLIENT = "client"
    POST = "post"
    #: the agency itself: handing over proves the arrival
    AGENCY = "agency"


class LetterField(StrEnum):
    """What a step of a letter must carry."""

    SIGNATORY = "signatory_name"
    ON = "on"
    NUMBER = "number"
    CARRIER = "handed_to"
    NOTE = "note"


class Hand(StrEnum):
    """Whose hand a step needs."""

    WORKER = "worker"
    SUPERVISOR = "supervisor"


@dataclass(frozen=True)
class LetterRule:
    to: LetterState
    by: frozenset[Hand]
    required: frozenset[LetterField]


def _rule(to: LetterState, *required: LetterField, by: tuple[Hand, ...]) -> LetterRule:
    return LetterRule(to, frozenset(by), frozenset(required))


_S, _E, _F = LetterState, LetterEvent, LetterField
#: A worker of an office without a head of its own, as of many NGOs, signs too.
_ANY = (Hand.WORKER, Hand.SUPERVISOR)

LETTER_TRANSITIONS: dict[tuple[LetterState, LetterEvent], LetterRule] = {
    (_S.FOR_SIGNATURE, _E.SIGN): _rule(_S.SIGNED, _F.SIGNATORY, _F.ON, by=_ANY),
    (_S.SIGNED, _E.NUMBER): _rule(_S.NUMBERED, _F.NUMBER, by=_ANY),
    (_S.NUMBERED, _E.HAND_OVER): _rule(_S.HANDED_OVER, _F.CARRIER, _F.ON, by=(Hand.WORKER,)),
    (_S.HANDED_OVER, _E.DELIVER): _rule(_S.DELIVERED, _F.ON, by=(Hand.WORKER,)),
    **{
        (state, _E.VOID): _rule(_S.VOID, _F.NOTE, by=_ANY)
        for state in (_S.FOR_SIGNATURE, _S.SIGNED, _S.NUMBERED, _S.HANDED_OVER)
    },
}
#: Nothing follows: the agency has it, or it counts for nothing.
LETTER_ENDS = frozenset({LetterState.DELIVERED, LetterState.VOID})


def possible_events(state: LetterState, hand: Hand) -> list[LetterEvent]:
    """The steps this hand may take now, in the order of a letter's way."""
    rules = ((event, LETTER_TRANSITIONS.get((state, event))) for event in LetterEvent)
    return [event for event, rule in rules if rule is not None and hand in rule.by]


def next_state(
    state: LetterState,
    event: LetterEvent,
    *,
    hand: Hand,
    given: frozenset[LetterField],
    carrier: Carrier | None = None,
) -> LetterState:
    """The state after a step. Raises NotAllowed for one out of turn, Invalid for a missing field."""
    rule = LETTER_TRANSITIONS.get((state, event))
    if rule is None or hand not in rule.by:
        raise NotAllowed(
            "letter.out_of_turn",
            state=Message(f"letter.state.{state}"),
            event=Message(f"letter.event.{event}"),
        )
    for field in LetterField:
        if field in rule.required and field not in given:
            raise Invalid(f"letter.missing.{field}", field=field)
    if event is LetterEvent.HAND_OVER and carrier is Carrier.AGENCY:
        return LetterState.DELIVERED
    return rule.to
