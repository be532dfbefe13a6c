"""Accounts, offices, tokens and webhooks: one's own, and those one looks after. Signing in itself is in web/signin.py."""

from referral.web.accounts import offices, own, people, tokens, webhooks
from referral.web.accounts.door import bp

__all__ = ["bp", "offices", "own", "people", "tokens", "webhooks"]
