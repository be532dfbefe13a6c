"""Accounts and offices: one's own, and those one looks after. Signing in itself is in web/signin.py."""

from referral.web.accounts import offices, own, people
from referral.web.accounts.door import bp

__all__ = ["bp", "offices", "own", "people"]
