"""The way of a proposal: which status follows which, and which step may be taken back. Pure."""

from enum import StrEnum


class ProposalStatus(StrEnum):
    PROPOSED = "proposed"
    IN_DEVELOPMENT = "in_development"
    FUNDED = "funded"
    OPENED = "opened"
    DROPPED = "dropped"


_P = ProposalStatus
#: Which status may come next; `dropped` wants a reason, `opened` a listing. Not everything needs money.
NEXT: dict[ProposalStatus, tuple[ProposalStatus, ...]] = {
    _P.PROPOSED: (_P.IN_DEVELOPMENT, _P.DROPPED),
    _P.IN_DEVELOPMENT: (_P.FUNDED, _P.OPENED, _P.DROPPED),
    _P.FUNDED: (_P.OPENED, _P.DROPPED),
    _P.OPENED: (),
    _P.DROPPED: (),
}
#: What may be changed of a proposal as long as it is none of these.
ENDED = (_P.OPENED, _P.DROPPED)
#: What a step back may leave. A resource that opened is listed and brokers were told: only the directory closes it.
MAY_GO_BACK = (_P.IN_DEVELOPMENT, _P.FUNDED, _P.DROPPED)
