"""The page of one proposal: the plan, its parts, what happened, the next step, and what came of it."""

from typing import Any
from uuid import UUID

from flask import flash, render_template, request

from referral.core.errors import NotAllowed, Stale
from referral.core.text import Message, money
from referral.extensions import db
from referral.planning.proposals import operations, queries, saying
from referral.planning.proposals.after import After, after
from referral.planning.proposals.evidence import printed
from referral.planning.proposals.models import Answered, Proposal
from referral.planning.proposals.partners import suggested
from referral.planning.proposals.parts import cost
from referral.planning.proposals.queries import Happened
from referral.planning.proposals.sites import Sites
from referral.planning.proposals.states import ENDED, MAY_GO_BACK, NEXT, ProposalStatus
from referral.web.access import requires
from referral.web.answers import Answers
from referral.web.formatting import say
from referral.web.language import chosen
from referral.web.naming import area_name, category_name
from referral.web.proposals.door import Page, bp, names, proposal

#: the steps of the way, in order, as the page draws them
WAY = (
    ProposalStatus.PROPOSED,
    ProposalStatus.IN_DEVELOPMENT,
    ProposalStatus.FUNDED,
    ProposalStatus.OPENED,
)


@bp.get("/<uuid:proposal_id>")
@requires("proposal:write")
def show(proposal_id: UUID) -> Page:
    """One proposal."""
    return shown(proposal(proposal_id))


@bp.errorhandler(NotAllowed)
@bp.errorhandler(Stale)
def not_now(error: NotAllowed | Stale) -> Page:
    """It is no longer where the person saw it: where it stands now, with why, and what was typed still in its form."""
    db.session.rollback()
    flash(say(error.message), "wait")
    page, _status = shown(proposal(request.view_args["proposal_id"]), Answers(request.form))  # type: ignore[index]
    return page, 409


def shown(found: Proposal, tried: Answers | None = None) -> tuple[str, int]:
    """The page, with what was typed into one of its forms where that was refused."""
    answers = tried or Answers()
    lang = chosen()
    others = queries.of_gap(db.session, found.area_code, found.category)
    page = render_template(
        "proposals/show.html",
        proposal=found,
        way=WAY,
        next_statuses=NEXT[found.status],
        goes_back=operations.status_before(found) if found.status in MAY_GO_BACK else None,
        is_over=found.status in ENDED,
        answers=answers,
        evidence=evidence_words(found),
        printed=say(saying.people(printed(found.evidence), names())) if found.evidence else None,
        why=saying.why(found.evidence, names()) if found.evidence else [],
        sites=sites_of(found),
        open_points=_open_points(found),
        planners=[(str(one.id), one.name) for one in queries.planners(db.session)],
        suggested=[
            one
            for one in suggested()
            if one.name[lang] not in {partner.name for partner in found.partners}
        ],
        answered=list(Answered),
        cost=cost(found.budget, found.people_covered),
        money=lambda amount: money(round(amount), lang),
        events=[_event(found, one) for one in queries.history(db.session, found)],
        others=[one for one in others if one.id != found.id],
        after=_after(after(db.session, found)),
        category_name=category_name,
        area_name=area_name,
    )
    return page, answers.status


def sites_of(found: Proposal) -> Sites | None:
    """The places it was worked out to stand at."""
    kept = (found.evidence or {}).get("siting")
    return Sites.from_json(kept) if kept else None


def evidence_words(found: Proposal) -> list[str]:
    """What the evidence tells, one sentence each."""
    if not found.evidence:
        return []
    called = names()
    parts = [
        saying.people(found.evidence, called),
        saying.asked(found.evidence),
        saying.nearest(found.evidence, called),
        saying.coverage(found.evidence, called),
        saying.trend(found.evidence, called),
    ]
    return [say(one) for one in parts if one is not None] + [say(saying.source(found.evidence))]


def _open_points(found: Proposal) -> list[str]:
    """What is still missing on the way, in plain words; none of it but the money stops anybody."""
    if found.status in ENDED:
        return []
    points = []
    if found.capacity is None:
        points.append("capacity")
    if not any(one.answered is Answered.YES for one in found.partners):
        points.append("partner")
    if not found.budget:
        points.append("budget")
    if operations.missing_money(found):
        points.append("source")
    if found.people_covered is None:
        points.append("people")
    if not found.tasks:
        points.append("tasks")
    return [say(Message(f"proposals.open.{point}")) for point in points]


def _event(found: Proposal, one: Happened) -> dict[str, Any]:
    what = one.action.removeprefix("proposal.")
    step = next((s for s in found.steps if str(s.id) == one.details.get("step")), None)
    named = {
        str(part.id): name
        for part, name in (
            *((p, p.name) for p in found.partners),
            *((t, t.title) for t in found.tasks),
            *((b, b.item) for b in found.budget),
        )
    }
    params: dict[str, Any] = {"name": named.get(one.details.get("part", ""), "–")}
    tone = ""
    if what == "moved":
        before, status = one.details["before"], one.details["status"]
        params["status"] = Message(f"planning.status.{status}")
        is_back = status not in {next_.value for next_ in NEXT[ProposalStatus(before)]}
        what = "moved_back" if is_back else "moved"
        tone = "bad" if is_back or status == ProposalStatus.DROPPED else "good"
    if what == "partner_answered":
        params["answered"] = Message(f"planning.answered.{one.details['answered']}")
    if what == "handed_over":
        people = {str(person.id): person.name for person in queries.planners(db.session)}
        params["name"] = people.get(one.details["owner"], "–")
    return {
        "at": one.at,
        "title": say(Message(f"proposals.did.{what}", params)),
        "who": one.who,
        "note": step.note if step else None,
        "tone": tone,
    }


def _after(found: After | None) -> dict[str, Any] | None:
    """Before and now as the page's table tells it."""
    if found is None:
        return None
    return {
        "points": [
            {
                "quarter": say(saying.quarter(point.quarter)),
                "people": saying.shown(point.figure, point.threshold),
                "since": point.is_since,
            }
            for point in found.points
        ],
        "has_since": found.has_since,
        "km_before": found.km_before,
        "km_now": found.km_now,
        "reach_before": found.reach_before,
        "reach_now": found.reach_now,
    }
