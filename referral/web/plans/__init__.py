"""One plan for several needs of a person."""

from referral.web.plans.page import bp

__all__ = ["bp"]
