"""Planners' pages of proposals: from a gap to the day the resource opens."""

from datetime import UTC, datetime
from uuid import UUID

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as Answer

from referral.core.errors import Invalid
from referral.core.paging import page_of
from referral.directory.hours import parse
from referral.directory.models import Schedule
from referral.extensions import db
from referral.matching.rules import VIOLENT_NEEDS
from referral.planning.proposals import operations, queries
from referral.planning.proposals.models import Proposal, ProposalStatus
from referral.planning.proposals.opening import Opening, open_resource
from referral.web.access import requires
from referral.web.answers import Answers
from referral.web.gaps import gaps_of
from referral.web.naming import area_name, category_name

bp = Blueprint("proposals", __name__, url_prefix="/proposals")
Page = str | Answer | tuple[str, int]


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
    """Start a proposal from a gap; its problem statement is filled in from the counts."""
    area, category = request.args.get("area", ""), request.args.get("category", "")
    _table, rows = gaps_of(db.session, None)
    gap = next((row for row in rows if (row.area, row.category) == (area, category)), None)
    if gap is None or not gap.can_propose:
        raise Invalid("planning.area", field="area_code")
    if request.method == "POST":
        answers = Answers(request.form)
        title, problem = (
            answers.text("title"),
            answers.text("problem", longest=operations.TEXT_LIMIT),
        )
        capacity = answers.whole("capacity", 1, operations.CAPACITY_LIMIT)
        if not answers.errors:
            try:
                proposal = operations.propose(
                    db.session,
                    category=category,
                    area_code=area,
                    title=title or "",
                    problem=problem or "",
                    capacity=capacity,
                    by=g.user,
                    now=datetime.now(UTC),
                )
            except Invalid as error:
                answers.refused(error, "title", "problem", "capacity")
            else:
                db.session.commit()
                flash(_("The proposal is recorded."), "good")
                return redirect(url_for(".show", proposal_id=proposal.id), 303)
    else:
        title = _("%(category)s in %(area)s", category=gap.category_name, area=gap.area_name)
        answers = Answers.of(title=title, problem=gap.sentence)
    page = render_template("proposals/new.html", gap=gap, answers=answers)
    return page, answers.status


@bp.get("/<uuid:proposal_id>")
@requires("proposal:write")
def show(proposal_id: UUID) -> Page:
    """One proposal: the plan, its history, and the next step."""
    return _show(queries.get_proposal(db.session, proposal_id))


def _show(found: Proposal, tried: Answers | None = None) -> Page:
    answers = tried or Answers()
    asked = "name" in answers.given
    page = render_template(
        "proposals/show.html",
        proposal=found,
        next_statuses=operations.NEXT[found.status],
        answers=answers,
        is_confidential=answers.ticked("confidential")
        if asked
        else found.category in VIOLENT_NEEDS,
        category_name=category_name,
        area_name=area_name,
    )
    return page, answers.status


@bp.post("/<uuid:proposal_id>/<any(in_development, funded, dropped):status>")
@requires("proposal:write")
def move(proposal_id: UUID, status: str) -> Page:
    """Take the proposal one status further."""
    found = queries.get_proposal(db.session, proposal_id)
    answers = Answers(request.form)
    note = answers.text("note", longest=operations.TEXT_LIMIT)
    if not answers.errors:
        try:
            operations.move(
                db.session,
                found,
                ProposalStatus(status),
                note=note or "",
                by=g.user,
                now=datetime.now(UTC),
            )
        except Invalid as error:
            answers.refused(error, "note")
    if answers.errors:
        return _show(found, answers)
    db.session.commit()
    flash(_("The proposal moved on."), "good")
    return redirect(url_for(".show", proposal_id=proposal_id), 303)


@bp.post("/<uuid:proposal_id>/opened")
@requires("proposal:write")
def opened(proposal_id: UUID) -> Page:
    """The resource exists now: make its listing and tell the brokers whose clients wait."""
    found = queries.get_proposal(db.session, proposal_id)
    answers = Answers(request.form)
    told = False
    try:
        opening = _opening(found, answers)
        if not answers.errors:
            _site, notices = open_resource(
                db.session, found, opening, by=g.user, now=datetime.now(UTC)
            )
            told = bool(notices)
    except Invalid as error:
        answers.refused(error, *_OPENING)
    if answers.errors:
        return _show(found, answers)
    db.session.commit()
    flash(
        _("The service is listed, and the brokers whose clients wait were told.")
        if told
        else _("The service is listed. Nobody is waiting whom it fits."),
        "good",
    )
    return redirect(url_for(".show", proposal_id=proposal_id), 303)


_OPENING = ("name", "organization", "address", "hours", "phone")


def _opening(found: Proposal, answers: Answers) -> Opening:
    typed = {name: answers.text(name) or "" for name in _OPENING}
    return Opening(
        name=typed["name"],
        organization=typed["organization"],
        category=found.category,
        area_code=found.area_code,
        address=typed["address"],
        hours=_hours(typed["hours"]),
        phone=typed["phone"],
        confidential=answers.ticked("confidential"),
    )


def _hours(text: str) -> list[Schedule]:
    if not text:
        return []
    try:
        return [
            Schedule(
                freq="WEEKLY",
                byday=opening.byday,
                opens_at=opening.opens_at,
                closes_at=opening.closes_at,
                description=text,
            )
            for opening in parse(text)
        ]
    except ValueError:
        raise Invalid("planning.opening.hours", field="hours") from None
