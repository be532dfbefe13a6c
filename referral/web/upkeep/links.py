"""The links that agencies get by mail. Opening one changes nothing; only its button does.

The secret stands in the query, which our access log leaves out, and then in the form; a proxy in front of
us must leave it out too: docs/verification.md.
"""

from flask import abort, render_template, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from referral.core.errors import Invalid, NotAllowed, NotFound
from referral.directory import queries
from referral.directory.kinds import ServiceStatus
from referral.directory.upkeep import claims, links, suggestions, verification
from referral.directory.upkeep.kinds import LinkPurpose
from referral.directory.upkeep.models import ListingLink
from referral.directory.upkeep.verification import AGENCY_BY_LINK
from referral.extensions import db
from referral.places.queries import gazetteer
from referral.web.access import public
from referral.web.answers import Answers
from referral.web.formatting import say
from referral.web.upkeep.door import Page, bp, now
from referral.web.upkeep.suggestions import filled, form_of, typed

_CLOSED = (ServiceStatus.TEMPORARILY_CLOSED, ServiceStatus.DEFUNCT)


@bp.route(f"{links.PATH}/<name>", methods=["GET", "POST"])
@public
def link(name: str) -> Page | Response:
    """What a link is for, and its button."""
    try:
        purpose = LinkPurpose(name.replace("-", "_"))
    except ValueError:
        abort(404)
    token = request.values.get("key", "")
    found = links.find(db.session, token, purpose, now=now())
    if found is None:
        return _answer("upkeep/link_gone.html", 404)
    answers, service_id = Answers(request.form), found.service_id
    if request.method == "POST":
        try:
            done = _take(found, purpose, token, answers)
        except (Invalid, NotAllowed) as error:
            db.session.rollback()
            answers.wrong(error.field or "said", say(error.message))
        except NotFound:
            db.session.rollback()
            return _answer("upkeep/link_gone.html", 404)
        else:
            db.session.commit()
            return _answer("upkeep/link_done.html", 200, done=done, service_id=service_id)
    return _shown(found, purpose, token, answers)


def _take(found: ListingLink, purpose: LinkPurpose, token: str, answers: Answers) -> str:
    """Do what the link is for; gives the sentence that says what came of it."""
    if purpose is LinkPurpose.CLAIM:
        claims.prove_by_link(db.session, token, now=now())
        return str(_("Thank you. A curator now decides about the request."))
    service = queries.get(db.session, found.service_id).service
    places = gazetteer(db.session)
    if purpose is LinkPurpose.STILL_TRUE:
        verification.confirm(db.session, service, by=AGENCY_BY_LINK, now=now())
        said = _("Thank you. The listing now says that you checked it today.")
    elif purpose is LinkPurpose.CLOSED:
        status = answers.choice("said", _CLOSED)
        if status is None:
            raise Invalid("upkeep.check.said", field="said")
        verification.found_closed(
            db.session, service, ServiceStatus(status), places, by=AGENCY_BY_LINK, now=now()
        )
        said = _("Thank you. What you said is noted.")
    else:
        suggestions.correct(
            db.session, service, typed(answers), places, by=AGENCY_BY_LINK, now=now()
        )
        said = _("Thank you. What you said is noted.")
    links.take(db.session, token, purpose, now=now())
    return str(said)


def _shown(found: ListingLink, purpose: LinkPurpose, token: str, answers: Answers) -> Response:
    listing = queries.get(db.session, found.service_id)
    shown: dict[str, object] = {
        "service": listing.service,
        "statuses": [one.value for one in _CLOSED],
    }
    if purpose is LinkPurpose.FIX:
        answers = answers if answers.given else filled(listing)
        shown = form_of(listing, answers)
    return _answer(
        "upkeep/link.html",
        answers.status,
        purpose=purpose.value,
        token=token,
        until=found.expires_at,
        answers=answers,
        **shown,
    )


def _answer(template: str, status: int, **shown: object) -> Response:
    response = Response(render_template(template, **shown), status, mimetype="text/html")
    # Where a page goes on to must not hear the secret; forms still need to hear from whom they come.
    response.headers["Referrer-Policy"] = "origin"
    response.headers["Cache-Control"] = "no-store"
    return response
