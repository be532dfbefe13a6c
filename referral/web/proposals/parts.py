"""Partners, tasks, budget and comments of a proposal: small forms on its page."""

from uuid import UUID

from flask import abort, flash, g, request
from flask_babel import gettext as _

from referral.extensions import db
from referral.planning.proposals import operations, parts
from referral.planning.proposals.models import Answered
from referral.web.access import requires
from referral.web.answers import Answers
from referral.web.proposals.door import Page, back, bp, now, proposal
from referral.web.proposals.showing import shown


@bp.post("/<uuid:proposal_id>/partners")
@requires("proposal:write")
def add_partner(proposal_id: UUID) -> Page:
    """Somebody to ask; a suggested kind comes with what it can bring."""
    found = proposal(proposal_id)
    answers = Answers(request.form)
    name, part = answers.text("partner"), answers.text("part")
    if not answers.errors:
        with answers.refusing("partner", "part"):
            parts.add_partner(
                db.session, found, name=name or "", part=part or "", by=g.user, now=now()
            )
    return _saved(proposal_id, answers, "partners")


@bp.post("/<uuid:proposal_id>/partners/<uuid:part_id>")
@requires("proposal:write")
def partner(proposal_id: UUID, part_id: UUID) -> Page:
    """What a partner said, or that it was entered wrongly."""
    found = proposal(proposal_id)
    one = parts.find(found.partners, part_id)
    if request.form.get("do") == "remove":
        parts.take_out(db.session, found, one, by=g.user, now=now())
    else:
        try:
            answered = Answered(request.form.get("answered", ""))
        except ValueError:
            abort(400)
        parts.answer_partner(db.session, found, one, answered, by=g.user, now=now())
    db.session.commit()
    return back(proposal_id, "partners")


@bp.post("/<uuid:proposal_id>/tasks")
@requires("proposal:write")
def add_task(proposal_id: UUID) -> Page:
    """Something to do until a day."""
    found = proposal(proposal_id)
    answers = Answers(request.form)
    title, who, due_on = answers.text("task"), answers.text("who"), answers.day("due_on")
    if not answers.errors:
        with answers.refusing("task", "who"):
            parts.add_task(
                db.session,
                found,
                title=title or "",
                who=who or "",
                due_on=due_on,
                by=g.user,
                now=now(),
            )
    return _saved(proposal_id, answers, "tasks")


@bp.post("/<uuid:proposal_id>/tasks/<uuid:part_id>")
@requires("proposal:write")
def task(proposal_id: UUID, part_id: UUID) -> Page:
    """It is done, it is not, or it was entered wrongly."""
    found = proposal(proposal_id)
    one = parts.find(found.tasks, part_id)
    if request.form.get("do") == "remove":
        parts.take_out(db.session, found, one, by=g.user, now=now())
    else:
        is_done = request.form.get("do") == "done"
        parts.do_task(db.session, found, one, done=is_done, by=g.user, now=now())
    db.session.commit()
    return back(proposal_id, "tasks")


@bp.post("/<uuid:proposal_id>/budget")
@requires("proposal:write")
def add_line(proposal_id: UUID) -> Page:
    """One thing to pay."""
    found = proposal(proposal_id)
    answers = Answers(request.form)
    item, source = answers.text("item"), answers.text("source")
    amount = _amount(answers)
    if not answers.errors:
        with answers.refusing("item", "amount", "source"):
            parts.add_line(
                db.session,
                found,
                item=item or "",
                amount=amount,
                yearly=answers.shown("yearly") == "yes",
                source=source or "",
                by=g.user,
                now=now(),
            )
    return _saved(proposal_id, answers, "budget")


@bp.post("/<uuid:proposal_id>/budget/<uuid:part_id>")
@requires("proposal:write")
def line(proposal_id: UUID, part_id: UUID) -> Page:
    """Who pays it, or that it was entered wrongly."""
    found = proposal(proposal_id)
    one = parts.find(found.budget, part_id)
    if request.form.get("do") == "remove":
        parts.take_out(db.session, found, one, by=g.user, now=now())
    else:
        answers = Answers(request.form)
        source = answers.text("source")
        if answers.errors:
            return shown(found, answers)
        parts.pay_line(db.session, found, one, source or "", by=g.user, now=now())
    db.session.commit()
    return back(proposal_id, "budget")


@bp.post("/<uuid:proposal_id>/comments")
@requires("proposal:write")
def add_comment(proposal_id: UUID) -> Page:
    """What a planner has to say about it."""
    found = proposal(proposal_id)
    answers = Answers(request.form)
    text = answers.text("text", longest=operations.TEXT_LIMIT)
    if not answers.errors:
        with answers.refusing("text"):
            operations.comment(db.session, found, text or "", by=g.user, now=now())
    return _saved(proposal_id, answers, "comments")


def _amount(answers: Answers) -> int:
    """Whole money as people write it: 1.500.000, 1 500 000 or Rp 1500000."""
    typed = answers.shown("amount")
    digits = "".join(typed.removeprefix("Rp").split()).replace(".", "").replace(",", "")
    if not (digits.isascii() and digits.isdigit() and len(digits) < _DIGITS):
        answers.wrong("amount", _("Write the amount in whole money, such as 1.500.000."))
        return 0
    return int(digits)


_DIGITS = 16


def _saved(proposal_id: UUID, answers: Answers, part: str) -> Page:
    if answers.errors:
        db.session.rollback()
        return shown(proposal(proposal_id), answers)
    db.session.commit()
    flash(_("Saved."), "good")
    return back(proposal_id, part)
