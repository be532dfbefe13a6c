"""Where a new resource should stand: asked, worked out, read and printed."""

from referral.web.siting.page import bp

__all__ = ["bp"]
