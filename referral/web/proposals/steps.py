"""Steps of a proposal: on, back, into other hands, and its words."""

from uuid import UUID

from flask import flash, g, render_template, request
from flask_babel import gettext as _

from referral.core.errors import Invalid, Stale
from referral.extensions import db
from referral.planning.proposals import operations, queries
from referral.planning.proposals.models import Proposal
from referral.planning.proposals.states import ProposalStatus
from referral.web.access import requires
from referral.web.answers import Answers
from referral.web.formatting import say
from referral.web.proposals.door import Page, back, bp, now, proposal, seen
from referral.web.proposals.showing import shown

_WORDS = ("title", "problem", "capacity", "people_covered")


@bp.post("/<uuid:proposal_id>/<any(in_development, funded, dropped):status>")
@requires("proposal:write")
def move(proposal_id: UUID, status: str) -> Page:
    """Take the proposal one status further."""
    found = proposal(proposal_id)
    answers = Answers(request.form)
    note = answers.text("note", longest=operations.TEXT_LIMIT)
    if not answers.errors:
        with answers.refusing("note", "budget"):
            operations.move(
                db.session,
                found,
                ProposalStatus(status),
                note=note or "",
                seen=seen(),
                by=g.user,
                now=now(),
            )
    if answers.errors:
        return shown(found, answers)
    db.session.commit()
    flash(_("The proposal moved on."), "good")
    return back(proposal_id)


@bp.post("/<uuid:proposal_id>/back")
@requires("proposal:write")
def step_back(proposal_id: UUID) -> Page:
    """Take the last step back, with the reason."""
    found = proposal(proposal_id)
    answers = Answers(request.form)
    note = answers.text("why", longest=operations.TEXT_LIMIT)
    if not answers.errors:
        try:
            operations.step_back(
                db.session, found, note=note or "", seen=seen(), by=g.user, now=now()
            )
        except Invalid as error:
            answers.wrong("why", say(error.message))
    if answers.errors:
        return shown(found, answers)
    db.session.commit()
    flash(_("The step was taken back."), "good")
    return back(proposal_id)


@bp.post("/<uuid:proposal_id>/owner")
@requires("proposal:write")
def owner(proposal_id: UUID) -> Page:
    """Hand it over to another planner, or take it over."""
    found = proposal(proposal_id)
    answers = Answers(request.form)
    planners = {str(one.id): one for one in queries.planners(db.session)}
    to = answers.choice("owner", planners)
    answers.require("owner", to, _("Choose who carries it."))
    if answers.errors:
        return shown(found, answers)
    operations.hand_over(db.session, found, planners[to or ""], seen=seen(), by=g.user, now=now())
    db.session.commit()
    flash(_("It is in other hands now."), "good")
    return back(proposal_id)


@bp.route("/<uuid:proposal_id>/edit", methods=["GET", "POST"])
@requires("proposal:write")
def edit(proposal_id: UUID) -> Page:
    """Put the plan in other words."""
    found = proposal(proposal_id)
    operations.check_open(found)
    if request.method == "GET":
        return _form(found, Answers.of(**{name: getattr(found, name) for name in _WORDS}))
    answers = Answers(request.form)
    title = answers.text("title", longest=operations.TITLE_LIMIT)
    problem = answers.text("problem", longest=operations.TEXT_LIMIT)
    capacity = answers.whole("capacity", 1, operations.CAPACITY_LIMIT)
    covered = answers.whole("people_covered", 1, operations.CAPACITY_LIMIT)
    if answers.errors:
        return _form(found, answers)
    try:
        operations.revise(
            db.session,
            found,
            title=title or "",
            problem=problem or "",
            capacity=capacity,
            people_covered=covered,
            seen=seen(),
            by=g.user,
            now=now(),
        )
    except Invalid as error:
        answers.refused(error, *_WORDS)
        return _form(found, answers)
    except Stale as error:
        page, _status = _form(found, answers, stale=say(error.message))
        return page, 409
    db.session.commit()
    flash(_("Saved."), "good")
    return back(proposal_id)


def _form(found: Proposal, answers: Answers, *, stale: str | None = None) -> tuple[str, int]:
    """The form; where somebody was faster, with what stands there now beside what was typed."""
    now_there = {name: getattr(found, name) for name in _WORDS} if stale else {}
    differs = [
        name
        for name, value in now_there.items()
        if ("" if value is None else str(value)) != answers.shown(name).replace("\r\n", "\n")
    ]
    page = render_template(
        "proposals/edit.html",
        proposal=found,
        answers=answers,
        stale=stale,
        now_there=now_there,
        differs=differs,
    )
    return page, answers.status
