"""The broker's pages: cases, intake, what was agreed, needs, own help, crisis."""

from referral.web.casework import (
    agreements,
    cases,
    crisis,
    helped,
    intake,
    needs,
    own,
    people,
    stories,
)
from referral.web.casework.files import bp

__all__ = [
    "agreements",
    "bp",
    "cases",
    "crisis",
    "helped",
    "intake",
    "needs",
    "own",
    "people",
    "stories",
]
