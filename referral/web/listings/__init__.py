"""Pages on which an agency keeps its listings true and a curator decides."""

from referral.web.listings import edit, history, index, preview, review, sending, stale
from referral.web.listings.door import bp

__all__ = ["bp", "edit", "history", "index", "preview", "review", "sending", "stale"]
