"""Proposals in a list, and a new one from a gap."""

from uuid import UUID

from flask import flash, g, redirect, render_template, request, url_for
from flask_babel import gettext as _

from referral.core.errors import Invalid, NotFound
from referral.core.paging import page_of
from referral.directory.reference import taxonomy
from referral.extensions import db
from referral.places.queries import gazetteer
from referral.planning.proposals import operations, queries, saying
from referral.planning.proposals.evidence import capacity_suggested, gather, printed
from referral.planning.proposals.sites import counts_of, sites_of
from referral.planning.proposals.states import ProposalStatus
from referral.planning.siting.models import SitingCase
from referral.web.access import requires
from referral.web.answers import LONG, Answers
from referral.web.language import chosen
from referral.web.naming import area_name, category_name
from referral.web.proposals.door import Page, bp, names, now


@bp.get("")
@requires("proposal:write")
def index() -> str:
    """Plans for new resources, under way or ended."""
    ended = request.args.get("ended") == "1"
    page = page_of(
        db.session,
        queries.proposals(ended=ended),
        number=request.args.get("page", 1, type=int),
    )
    return render_template(
        "proposals/index.html",
        page=page,
        ended=ended,
        category_name=category_name,
        area_name=area_name,
    )


@bp.route("/new", methods=["GET", "POST"])
@requires("proposal:write")
def new() -> Page:
    """Start a proposal from a gap; its problem statement is filled in from what was published."""
    area, category = _gap()
    siting = _siting(area, category)
    sites = request.args.get("sites", type=int) if siting else None
    evidence = gather(db.session, area, category, siting, sites=sites)
    called = names()
    if request.method == "POST":
        answers = Answers(request.form)
        title = answers.text("title", longest=operations.TITLE_LIMIT)
        problem = answers.text("problem", longest=operations.TEXT_LIMIT)
        capacity = answers.whole("capacity", 1, operations.CAPACITY_LIMIT)
        if not answers.errors:
            try:
                made = operations.propose(
                    db.session,
                    category=category,
                    area_code=area,
                    title=title or "",
                    problem=problem or "",
                    capacity=capacity,
                    siting=siting,
                    sites=sites,
                    by=g.user,
                    now=now(),
                )
            except Invalid as error:
                answers.refused(error, "title", "problem", "capacity")
            else:
                db.session.commit()
                flash(_("The proposal is recorded."), "good")
                return redirect(url_for(".show", proposal_id=made.id), 303)
    else:
        answers = Answers.of(
            title=_(
                "%(category)s in %(area)s",
                category=called.category(category),
                area=gazetteer(db.session).get(area).name,
            ),
            # Both are printed, so they come from what may be.
            problem=saying.statement(printed(evidence), called, chosen())[:LONG],
            capacity=capacity_suggested(printed(evidence)),
        )
    others = queries.of_gap(db.session, area, category)
    page = render_template(
        "proposals/new.html",
        area=area,
        category=category,
        area_name=area_name,
        category_name=category_name,
        people=saying.people(evidence, called),
        siting=siting,
        sites=sites,
        counts=counts_of(siting) if siting else [],
        chosen_sites=sites_of(siting, sites) if siting else None,
        live=[one for one in others if one.status is not ProposalStatus.DROPPED],
        dropped=[one for one in others if one.status is ProposalStatus.DROPPED],
        answers=answers,
    )
    return page, answers.status


def _gap() -> tuple[str, str]:
    """Area and category that the address names."""
    area, category = request.args.get("area", ""), request.args.get("category", "")
    if area not in gazetteer(db.session):
        raise Invalid("planning.area", field="area_code")
    term = taxonomy().get(category)
    if term.level == 1:
        raise Invalid("planning.leaf", field="category")
    return area, term.code


def _siting(area: str, category: str) -> SitingCase | None:
    """The kept answer to where it should stand, if the address names one of this gap."""
    asked = request.args.get("siting", "")
    if not asked:
        return None
    try:
        found = db.session.get(SitingCase, UUID(asked))
    except ValueError:
        found = None
    if found is None or (found.area_code, found.category) != (area, category):
        raise NotFound("planning.no_siting")
    return found if counts_of(found) else None  # no place would reach anybody more
