"""What nothing met: confirmed, corrected or taken back, and whom to call when something fits."""

from referral.web.unmet.page import bp

__all__ = ["bp"]
