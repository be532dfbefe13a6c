"""Which language and time zone a page speaks."""

from flask import g, has_request_context, session

from referral.core.country import COUNTRY
from referral.core.text import DEFAULT_LANGUAGE, LANGUAGES


def chosen() -> str:
    """The language chosen on this device, else the person's own, else the default."""
    if not has_request_context():
        return DEFAULT_LANGUAGE
    picked = session.get("language")
    if picked in LANGUAGES:
        return str(picked)
    user = g.get("user")
    return user.language if user is not None else DEFAULT_LANGUAGE


def zone() -> str:
    """The time zone of the person's office, else the country's first."""
    user = g.get("user") if has_request_context() else None
    return user.office.time_zone if user is not None and user.office else COUNTRY.time_zone
