"""What every page of accounts and offices begins with."""

from flask import Blueprint
from werkzeug.wrappers import Response

from referral.core.errors import JejaringError
from referral.web.answers import Answers
from referral.web.formatting import say

bp = Blueprint("accounts", __name__, url_prefix="/accounts")
Page = str | Response | tuple[str, int]


def refused(answers: Answers, error: JejaringError) -> None:
    """Keeps what an operation refuses beside its field, or above the form where no field is meant."""
    answers.wrong(error.field or "", say(error.message))
