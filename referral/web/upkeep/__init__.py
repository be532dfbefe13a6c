"""Keeping listings true, on the web: reports, checks, links by mail, claims, suggestions."""

from referral.web.upkeep import checks, claims, links, reports, suggestions
from referral.web.upkeep.door import bp

__all__ = ["bp", "checks", "claims", "links", "reports", "suggestions"]
