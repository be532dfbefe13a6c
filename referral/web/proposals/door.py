"""What every page of proposals begins with."""

from datetime import UTC, datetime
from uuid import UUID

from flask import Blueprint, abort, redirect, request, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response

from referral.core.text import label
from referral.directory.reference import taxonomy
from referral.extensions import db
from referral.places.queries import gazetteer
from referral.planning.proposals import queries
from referral.planning.proposals.models import Proposal
from referral.planning.proposals.saying import Names
from referral.planning.unmet.models import UnmetReason
from referral.web.language import chosen

bp = Blueprint("proposals", __name__, url_prefix="/proposals")
Page = str | Response | tuple[str, int]


def now() -> datetime:
    return datetime.now(UTC)


def proposal(proposal_id: UUID) -> Proposal:
    return queries.get_proposal(db.session, proposal_id)


def seen() -> int:
    """The row version that the form was made for."""
    text = request.form.get("seen", "")
    if not (text.isascii() and text.isdigit() and len(text) < 9):
        abort(400)
    return int(text)


def back(proposal_id: UUID, part: str = "") -> Response:
    """To the proposal's page, at one of its parts."""
    return redirect(url_for(".show", proposal_id=proposal_id, _anchor=part or None), 303)


def names(lang: str | None = None) -> Names:
    """What areas, categories and reasons are called in a language, by default the page's."""
    lang = lang or chosen()
    places = gazetteer(db.session)
    reasons = {one.code: one for one in db.session.scalars(select(UnmetReason))}

    def reason(code: str) -> str:
        if code in reasons:
            return reasons[code].name_id if lang == "id" else reasons[code].name_en
        return label(f"gaps.axis.{code}", lang)

    def remedy(code: str) -> str:
        if code in reasons:
            return reasons[code].remedy_id if lang == "id" else reasons[code].remedy_en
        return label(f"proposals.axis_remedy.{code}", lang)

    return Names(
        area=lambda code: places.label(code) if code in places else code,
        category=lambda code: taxonomy().get(code).name[lang],
        reason=reason,
        remedy=remedy,
    )
