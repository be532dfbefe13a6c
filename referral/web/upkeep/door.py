"""What every page of keeping listings true begins with."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from flask import Blueprint, current_app, flash, request, session, url_for
from werkzeug.wrappers import Response

from referral.core.errors import NotAllowed
from referral.directory.duplicates.queries import waiting as waiting_pairs
from referral.directory.upkeep import claims, desk, reports
from referral.extensions import db
from referral.web.formatting import say
from referral.web.listings.sections import section_of

bp = Blueprint("upkeep", __name__)
Page = str | Response | tuple[str, int]

#: One report, claim or suggestion per browser in this time, so that a stuck button or a bored hand fills no queue.
SECONDS_BETWEEN = 30
#: A field that people don't see; who fills it in is a machine.
HONEYPOT = "website"
_LAST = "sent_at"


def now() -> datetime:
    return datetime.now(UTC)


def pause() -> None:
    """Raises NotAllowed where this browser has just sent something."""
    if now().timestamp() - session.get(_LAST, 0) < SECONDS_BETWEEN:
        raise NotAllowed("upkeep.too_fast")


def not_now(error: NotAllowed) -> int:
    """Say above the form why it was not taken, since no field of it is wrong. Gives the answer's status."""
    flash(say(error.message), "wait")
    return 429


def has_sent() -> None:
    """Remember that this browser sent something just now."""
    session[_LAST] = int(now().timestamp())


def is_machine() -> bool:
    """Whether the form was filled in by something that does not see the page."""
    return bool(request.form.get(HONEYPOT))


def public_url() -> str:
    """Where this installation is reached from outside; empty where nobody said."""
    address: str = current_app.config["SETTINGS"].PUBLIC_URL
    return address


def edit_url(service_id: UUID, field: str | None = None) -> str:
    """Where a curator corrects a listing, or one field of it."""
    if field is None:
        return url_for("listings.check", service_id=service_id)
    return url_for("listings.edit", service_id=service_id, section=section_of(field).key)


@bp.app_template_global()
def waiting_for_curators() -> dict[str, int]:
    """How much waits on each side of a curator's work, by the endpoint of its page."""
    return {
        "listings.review": desk.waiting(db.session).total,
        "upkeep.open_reports": reports.open_reports(db.session).total,
        "upkeep.open_claims": claims.open_claims(db.session).total,
        "duplicates.index": waiting_pairs(db.session).total,
    }


@bp.context_processor
def _context() -> dict[str, Any]:
    return {"edit_url": edit_url}
