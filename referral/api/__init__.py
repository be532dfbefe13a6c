"""The open HSDS API: a door for other systems, which only reads."""

from flask import Flask

from referral.api import answers, hsds
from referral.extensions import csrf


def init_app(app: Flask) -> None:
    """Register the API and the one shape of its errors; after everything that makes pages of errors."""
    csrf.exempt(hsds.bp)
    app.register_blueprint(hsds.bp)
    answers.init_app(app)
