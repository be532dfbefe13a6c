"""The ways that an office knows: listed, entered, ended."""

from datetime import UTC, datetime
from uuid import UUID

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from referral.core.errors import Invalid
from referral.core.text import Message
from referral.extensions import db
from referral.matching import routes
from referral.places.gazetteer import Gazetteer, PlaceNotClear
from referral.places.queries import gazetteer
from referral.web.access import requires
from referral.web.answers import Answers
from referral.web.formatting import say
from referral.web.naming import area_name

bp = Blueprint("routes", __name__, url_prefix="/routes")
Page = str | Response | tuple[str, int]


@bp.route("/", methods=["GET", "POST"])
@requires("route:edit")
def index() -> Page:
    """The ways that hold today, and a form for one more."""
    answers = Answers(MultiDict(request.form))
    candidates: dict[str, list[tuple[str, str]]] = {}
    if request.method == "POST":
        places = gazetteer(db.session)
        ends = [_area(answers, name, places, candidates) for name in ("from", "to")]
        km = _km(answers)
        how = answers.text("how", longest=routes.LONGEST_HOW)
        answers.require("how", how, say(Message("match.route.how")))
        if not answers.errors:
            try:
                routes.enter(
                    db.session,
                    places,
                    office=g.user.office,
                    from_code=ends[0],
                    to_code=ends[1],
                    km=km,
                    how=how or "",
                    both_ways=answers.ticked("both_ways"),
                    by=g.user,
                    now=datetime.now(UTC),
                )
            except Invalid as error:
                answers.refused(error, "to", "km", "how")
        if not answers.errors:
            db.session.commit()
            flash(_("Kept. Matches count this way from now on."), "good")
            return redirect(url_for(".index"), 303)
    page = render_template(
        "matching/routes.html",
        answers=answers,
        candidates=candidates,
        routes=[
            (one, area_name(one.from_code), area_name(one.to_code))
            for one in routes.of_office(db.session, g.user.office_id)
        ],
    )
    return page, answers.status


@bp.post("/<uuid:route_id>/end")
@requires("route:edit")
def end(route_id: UUID) -> Response:
    """A way that no longer holds: matches measure the straight line again."""
    route = routes.get(db.session, g.user, route_id)
    routes.end(db.session, route, by=g.user, now=datetime.now(UTC))
    db.session.commit()
    flash(_("Ended. Matches measure the straight line again."), "good")
    return redirect(url_for(".index"), 303)


def _area(
    answers: Answers,
    name: str,
    places: Gazetteer,
    candidates: dict[str, list[tuple[str, str]]],
) -> str:
    """The code of the area that a field names; what it could be waits in `candidates`."""
    chosen = answers.shown(f"{name}_code")
    text = chosen or answers.text(name) or ""
    if not text:
        answers.wrong(name, _("Write the name of a kecamatan, kabupaten or kota."))
        return ""
    try:
        code = places.resolve(text).code
    except PlaceNotClear as error:
        answers.wrong(name, say(error.message))
        candidates[name] = [(one["code"], one["name"]) for one in error.candidates]
        return ""
    if chosen:  # shown again it is the one that was meant
        answers.given[name] = places.label(code)
    return code


def _km(answers: Answers) -> float:
    typed = (answers.text("km") or "").replace(",", ".")
    try:
        return float(typed)
    except ValueError:
        answers.wrong("km", _("Write the distance in km, such as 74 or 12,5."))
        return 0.0
