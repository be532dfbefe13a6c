"""Doors for other systems: the open HSDS API, which only reads, and match and referrals for those who have a token."""

from flask import Flask

from referral.api import answers, hsds, match, referrals, signed
from referral.extensions import csrf


def init_app(app: Flask) -> None:
    """Register the APIs and the one shape of their errors; after everything that makes pages of errors."""
    for blueprint in (hsds.bp, match.bp, referrals.bp):
        csrf.exempt(blueprint)
        app.register_blueprint(blueprint)
    answers.init_app(app)
    signed.init_app(app)
