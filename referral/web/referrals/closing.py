"""What follows an end: the client's word, and the decision on a need that was not helped."""

from typing import Any
from uuid import UUID

from flask import Response, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext as _

from referral.casework import operations as casework
from referral.casework import queries as cases
from referral.core.errors import Invalid, NotFound
from referral.extensions import db, limiter
from referral.planning.unmet.noticing import notice
from referral.referrals import operations, parking, queries, replies
from referral.referrals.feedback import CLIENT_BY_LINK, record_feedback
from referral.referrals.kinds import Explanation, Form, Received, Share, Wait
from referral.web.access import public, requires
from referral.web.answers import Answers
from referral.web.naming import category_name
from referral.web.reading import seen
from referral.web.referrals.replying import TRIES, by_link, guesser, holds_a_token, was_wrong
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
        said = said_in(
            answers,
            without_share=_("Choose how the client lets it be passed on."),
            without_form=_("Choose how the client told it."),
        )
        if not answers.errors:
            try:
                record_feedback(db.session, referral, by=g.user, now=now(), **said)
            except Invalid as error:
                answers.refused(error)
            else:
                notice(db.session, referral.need_id, by=g.user, now=now())
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


def said_in(
    answers: Answers, *, without_share: str, without_form: str | None = None
) -> dict[str, Any]:
    """What came with the client's questionnaire, in the order of its questions; what is missing is an error.

    without_form   what to say where it is not told how the client told it; None: they write themselves
    """
    received = answers.choice("received", list(Received))
    answers.require("received", received, _("Choose whether the help arrived."))
    said: dict[str, Any] = {
        "received": received or "",
        "explanation": answers.choice("explanation", list(Explanation)),
        "waited": answers.choice("waited", list(Wait)),
        **{name: answers.whole(name, 1, 5) for name in MARKS},
        "text": answers.text("text", longest=operations.TEXT_LIMIT),
        "harmed": answers.ticked("harmed"),
    }
    if without_form is not None:
        said["form"] = answers.choice("form", list(Form)) or ""
        answers.require("form", said["form"], without_form)
    said["share"] = answers.choice("share", list(Share)) or ""
    answers.require("share", said["share"], without_share)
    return said


@bp.route(replies.CLIENT_PATH, methods=["GET", "POST"])
@public
@limiter.limit(TRIES, key_func=guesser, exempt_when=holds_a_token, deduct_when=was_wrong)
def client_says() -> Response:
    """The client's own word, by their own link. The page names neither the help nor the service."""
    key = (request.values.get("key") or "").strip()
    try:
        link = replies.find(db.session, key, purpose=replies.Purpose.CLIENT, now=now())
    except NotFound:
        return by_link("referrals/client_gone.html", 404)
    answers = Answers(request.form) if request.method == "POST" else Answers()
    if request.method == "POST":
        said = said_in(answers, without_share=_("Choose whether we may pass it on."))
        if not answers.errors:
            try:
                replies.answer_as_client(db.session, link, now=now(), **said)
            except Invalid as error:
                answers.refused(error)
            else:
                notice(db.session, link.referral.need_id, by=CLIENT_BY_LINK, now=now())
                db.session.commit()
                return by_link("referrals/client_done.html", 200)
    return by_link(
        "referrals/client_says.html",
        answers.status,
        answers=answers,
        token=link.token,
        received=Received,
        explanations=Explanation,
        waits=Wait,
    )


@bp.post("/referrals/<uuid:referral_id>/client-link")
@requires("feedback:record")
def make_client_link(referral_id: UUID) -> Page:
    """Make the link that the client may answer by themselves."""
    referral = queries.get(db.session, g.user, referral_id)
    replies.issue_to_client(db.session, referral, by=g.user, now=now())
    db.session.commit()
    return redirect(url_for(".show", referral_id=referral_id, _anchor="client-link"), 303)


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
    notice(db.session, referral.need_id, by=g.user, now=now())
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
