"""The form of the day a resource opens."""

from typing import Any
from uuid import UUID

from flask import flash, g, render_template, request
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from referral.core.errors import NotAllowed, Stale
from referral.directory.models import Phone, Schedule
from referral.directory.upkeep import editing, scheduling
from referral.directory.upkeep.listings import lists
from referral.extensions import db
from referral.matching.rules import VIOLENT_NEEDS
from referral.places.gazetteer import DISTRICT
from referral.places.queries import gazetteer
from referral.planning.proposals import operations
from referral.planning.proposals.models import Answered, Proposal
from referral.planning.proposals.opening import Opening, missing, open_resource
from referral.planning.proposals.sites import Site
from referral.planning.proposals.states import NEXT, ProposalStatus
from referral.web.access import requires
from referral.web.answers import Answers
from referral.web.formatting import say
from referral.web.listings import hours, rows
from referral.web.listings.edit import parts, press
from referral.web.listings.sections import filled, read
from referral.web.naming import area_name, category_name
from referral.web.proposals.door import Page, back, bp, now, proposal, seen
from referral.web.proposals.showing import sites_of

_LINES = ("name", "organization", "address")
_FIELDS = ("phones", "hours")
_SITE = "site:"


@bp.route("/<uuid:proposal_id>/opened", methods=["GET", "POST"])
@requires("proposal:write")
def opened(proposal_id: UUID) -> Page:
    """The resource exists now: make its listing and tell the brokers whose clients wait."""
    found = proposal(proposal_id)
    if ProposalStatus.OPENED not in NEXT[found.status]:
        raise NotAllowed("planning.out_of_turn")
    if request.method == "GET":
        return _form(found, _prefilled(found))
    answers = Answers(MultiDict(request.form))
    if deed := request.form.get("do", ""):
        return _form(found, answers, focus=press(answers.given, deed))
    opening = _opening(found, answers)
    for error in missing(opening):
        # What is wrong with a row says more than that the list has none.
        if not any(name.startswith(f"{error.field}-") for name in answers.errors):
            answers.refused(error, *_LINES, *_FIELDS)
    if answers.errors:
        return _form(found, answers)
    try:
        open_resource(db.session, found, opening, seen=seen(), by=g.user, now=now())
    except Stale as error:
        found = proposal(proposal_id)
        if ProposalStatus.OPENED not in NEXT[found.status]:
            raise
        # It may still open: what was typed stays, to be sent once more after a look.
        flash(say(error.message), "wait")
        answers.given["seen"] = str(found.version)
        return _form(found, answers)[0], 409
    db.session.commit()
    # The same words whether anybody waited: else opening listings would ask about single people.
    flash(
        _("The service is listed. Waiting needs were matched with it, and their brokers are told."),
        "good",
    )
    return back(proposal_id)


def _prefilled(found: Proposal) -> Answers:
    """What is known already: the title, a partner who runs it, the place, the capacity; a row for each weekday."""
    answers = filled(_FIELDS, {"phones": [], "hours": []})
    for day, _name in hours.day_names():
        rows.write(answers.given, f"hours-{day}", hours.TIMES, [{}])
    said_yes = [one.name for one in found.partners if one.answered is Answered.YES]
    sites = sites_of(found)
    answers.given["name"] = found.title
    answers.given["organization"] = said_yes[0] if len(said_yes) == 1 else ""
    answers.given["place"] = f"{_SITE}0" if sites and sites.sites else found.area_code
    answers.given["capacity"] = "" if found.capacity is None else str(found.capacity)
    if found.category in VIOLENT_NEEDS:
        answers.given["confidential"] = "y"
    return answers


def _form(found: Proposal, answers: Answers, *, focus: str = "") -> tuple[str, int]:
    page = render_template(
        "proposals/open.html",
        proposal=found,
        focus=focus,
        places=_places(found),
        category_name=category_name,
        area_name=area_name,
        **parts(answers),
    )
    return page, answers.status


def _places(found: Proposal) -> list[tuple[str, Any]]:
    """Where it can be said to stand: sites that were worked out, the area, and what lies in it."""
    places = gazetteer(db.session)
    area = places.get(found.area_code)
    choices: list[tuple[str, Any]] = []
    sites = sites_of(found)
    if sites and sites.sites:
        offered = [
            (f"{_SITE}{number}", site.name or places.label(site.area_code))
            for number, site in enumerate(sites.sites)
        ]
        choices.append((_("Worked out for this proposal"), offered))
    inside = [(area.code, places.label(area.code))]
    if area.level < DISTRICT:
        inside += [(one.code, places.label(one.code)) for one in places.children(area.code)]
    choices.append((_("By area"), inside))
    if area.level == 1:
        for regency in places.children(area.code):
            districts = [
                (one.code, places.label(one.code)) for one in places.children(regency.code)
            ]
            if districts:
                choices.append((regency.name, districts))
    return choices


def _opening(found: Proposal, answers: Answers) -> Opening:
    typed = {name: answers.text(name) or "" for name in _LINES}
    capacity = answers.whole("capacity", 1, operations.CAPACITY_LIMIT)
    values = read(answers, _FIELDS, editing.empty_values(), lists(gazetteer(db.session)))
    area, site = _place(found, answers)
    return Opening(
        name=typed["name"],
        organization=typed["organization"],
        category=found.category,
        area_code=area,
        address=typed["address"],
        hours=[Schedule(**scheduling.columns(entry)) for entry in values.get("hours") or ()],
        phones=[Phone(**one) for one in values.get("phones") or ()],
        confidential=answers.ticked("confidential"),
        site=site,
        capacity=capacity,
    )


def _place(found: Proposal, answers: Answers) -> tuple[str, Site | None]:
    """The area it stands in, and the site where one was chosen."""
    asked = answers.shown("place")
    sites = sites_of(found)
    offered = {value for _group, choices in _places(found) for value, _label in choices}
    if asked not in offered:
        answers.wrong("place", _("Choose one of the answers on the page."))
        return found.area_code, None
    if asked.startswith(_SITE) and sites:
        site = sites.sites[int(asked.removeprefix(_SITE))]
        return site.area_code, site
    return asked, None
