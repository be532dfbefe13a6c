"""Finding options: for a need of a case or without a case."""

from referral.web.matching.page import bp

__all__ = ["bp"]
