"""The coded words of the unmet-need ledger. Pure."""

from enum import StrEnum


class Origin(StrEnum):
    """What showed that nothing meets a need."""

    NO_MATCH = "no_match"
    ALL_FAILED = "all_failed"
    CLIENT_NO = "client_no"
    DECLINED = "declined"
    NO_RESPONSE = "no_response"
    LONG_HOLD = "long_hold"
    #: completed, the agency says; no help came, the client says
    NOT_HELPED = "not_helped"
    WITHDRAWN = "withdrawn"
    BROKER = "broker"


class Closing(StrEnum):
    """Why nobody waits any more."""

    FITTING_SERVICE = "fitting_service"
    WITHDRAWN = "withdrawn"
    RESOLVED_OTHERWISE = "resolved_otherwise"
    MET = "met"
    #: the broker says, or a second search shows, that there was none
    NOT_A_GAP = "not_a_gap"


class CallOutcome(StrEnum):
    """What came of telling a client of a new service."""

    REFERRED = "referred"
    DECLINED = "declined"
    NOT_REACHED = "not_reached"
    DOES_NOT_FIT = "does_not_fit"
