"""What follows an end: the client's word, and the decision on a need that was not helped."""

from uuid import UUID

from flask import flash, g, redirect, render_template, request, url_for
from flask_babel import gettext as _

from referral.casework import operations as casework
from referral.casework import queries as cases
from referral.core.errors import Invalid
from referral.extensions import db
from referral.planning import operations as planning
from referral.referrals import operations, parking, queries
from referral.referrals.feedback import record_feedback
from referral.referrals.kinds import Explanation, Form, Received, Share, Wait
from referral.web.access import requires
from referral.web.answers import Answers
from referral.web.naming import category_name
from referral.web.reading import seen
from referral.web.referrals.steps import Page, bp, now

MARKS = ("quality", "waiting", "staff")


@bp.route("/referrals/<uuid:referral_id>/feedback", methods=["GET", "POST"])
@requires("feedback:record")
def feedback(referral_id: UUID) -> Page:
    """What the client says came of it, asked by the worker."""
    referral = queries.get(db.session, g.user, referral_id)
    seen(referral, client_id=referral.client_id)
    if queries.feedback_of(db.session, referral.id) is not None:
        flash(_("The client's feedback on this referral is already recorded."), "info")
        return redirect(url_for(".show", referral_id=referral.id), 303)
    answers = Answers(request.form) if request.method == "POST" else Answers.of(form=Form.UNWRITTEN)
    if request.method == "POST":
        received = answers.choice("received", list(Received))
        answers.require("received", received, _("Choose whether the help arrived."))
        form = answers.choice("form", list(Form))
        answers.require("form", form, _("Choose how the client told it."))
        share = answers.choice("share", list(Share))
        answers.require("share", share, _("Choose how the client lets it be passed on."))
        explanation = answers.choice("explanation", list(Explanation))
        waited = answers.choice("waited", list(Wait))
        marks = {name: answers.whole(name, 1, 5) for name in MARKS}
        text = answers.text("text", longest=operations.TEXT_LIMIT)
        if not answers.errors:
            try:
                record_feedback(
                    db.session,
                    referral,
                    received=received or "",
                    form=form or "",
                    share=share or "",
                    explanation=explanation,
                    waited=waited,
                    harmed=answers.ticked("harmed"),
                    text=text,
                    by=g.user,
                    now=now(),
                    **marks,
                )
            except Invalid as error:
                answers.refused(error)
            else:
                if received == Received.YES:
                    planning.close_met(db.session, referral.need, by=g.user, now=now())
                db.session.commit()
                flash(_("The client's word is recorded."), "good")
                return redirect(url_for(".show", referral_id=referral.id), 303)
    page = render_template(
        "referrals/feedback.html",
        referral=referral,
        case=referral.case,
        service=referral.service,
        category=category_name(referral.need.category),
        answers=answers,
        received=Received,
        explanations=Explanation,
        waits=Wait,
        forms=Form,
        shares=Share,
    )
    return page, answers.status


@bp.post("/referrals/<uuid:referral_id>/decision/<any(wait, withdraw):decision>")
@requires("referral:send")
def decide(referral_id: UUID, decision: str) -> Page:
    """A referral ended without help: the client waits, or no longer asks for this."""
    referral = queries.get(db.session, g.user, referral_id)
    note = request.form.get("note", "").strip()[: operations.TEXT_LIMIT] or None
    if decision == "wait":
        operations.keep_waiting(db.session, referral, note=note, by=g.user, now=now())
        flash(_("The need stays open and waits."), "info")
    else:
        operations.withdraw_after(db.session, referral, note=note, by=g.user, now=now())
        casework.withdraw_need(db.session, referral.need, by=g.user, now=now())
        flash(_("The need is withdrawn, as the client wishes."), "info")
    db.session.commit()
    return redirect(url_for(".show", referral_id=referral.id), 303)


@bp.post("/needs/<uuid:need_id>/parked/<uuid:service_id>/lift")
@requires("referral:send")
def lift_parked(need_id: UUID, service_id: UUID) -> Page:
    """The client wants to hear of a service again that they had declined."""
    need = cases.get_need(db.session, g.user, need_id)
    parking.lift(db.session, need, service_id, by=g.user, now=now())
    case_id = need.case_id
    db.session.commit()
    flash(_("The service is among the options again."), "good")
    return redirect(url_for("casework.case", case_id=case_id, _anchor="needs"), 303)
