"""The coded words of what a client says came of a referral. Pure, so that rules can know them."""

from enum import StrEnum


class Received(StrEnum):
    """Whether the help arrived."""

    YES = "yes"
    PARTLY = "partly"
    NO = "no"


class Explanation(StrEnum):
    """How it was explained to the client where it did not."""

    NONE = "none"
    UNCLEAR = "unclear"
    UNFAIR = "unfair"
    CLEAR = "clear"


class Wait(StrEnum):
    """How long the client waited."""

    UNDER_1_HOUR = "under_1h"
    UNDER_48_HOURS = "under_48h"
    UNDER_7_DAYS = "under_7d"
    UNDER_2_WEEKS = "under_2w"
    OVER_2_WEEKS = "over_2w"


class Form(StrEnum):
    """How the client told it."""

    UNWRITTEN = "unwritten"
    WRITTEN = "written"


class Share(StrEnum):
    """How it may reach the service: in the client's name, pooled with others', or not at all."""

    ATTRIBUTED = "attributed"
    POOLED = "pooled"
    NO = "no"
