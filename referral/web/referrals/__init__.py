"""Pages of the loop: sending and following for the worker, answering for the agency."""

from referral.web.referrals import (
    answering,
    closing,
    following,
    letters,
    pooled,
    replying,
    sending,
    sheets,
)
from referral.web.referrals.steps import bp

__all__ = [
    "answering",
    "bp",
    "closing",
    "following",
    "letters",
    "pooled",
    "replying",
    "sending",
    "sheets",
]
