"""Planners' pages of proposals: from a gap to the day the resource opens."""

from referral.web.proposals import opening, paper, parts, showing, starting, steps
from referral.web.proposals.door import bp

__all__ = ["bp", "opening", "paper", "parts", "showing", "starting", "steps"]
