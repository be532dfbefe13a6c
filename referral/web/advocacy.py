"""Complaints and what is done about them: the client's words, the file of an obstacle, its letter, its outcome."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from referral.accounts import queries as accounts
from referral.accounts.models import User
from referral.core.errors import Invalid
from referral.core.paging import page_of
from referral.core.text import LANGUAGES
from referral.extensions import db
from referral.planning.unmet.queries import confirmed_unmet
from referral.referrals import operations as referral_operations
from referral.referrals import queries as referrals
from referral.referrals.advocacy import operations, queries
from referral.referrals.advocacy.letter import letter as written
from referral.referrals.advocacy.models import (
    AdvocacyKind,
    AdvocacyOutcome,
    Obstacle,
)
from referral.referrals.kinds import Form
from referral.referrals.loop import NeedState, need_state
from referral.web.access import may, requires
from referral.web.answers import Answers
from referral.web.directory import phone_of
from referral.web.formatting import capital, label
from referral.web.language import chosen
from referral.web.naming import category_name
from referral.web.reading import seen
from referral.web.referrals.disagreeing import disagreements
from referral.web.referrals.following import alternative_for
from referral.web.referrals.steps import reason_name

bp = Blueprint("advocacy", __name__)
Page = str | Response | tuple[str, int]

LONGEST = referral_operations.TEXT_LIMIT
#: how long the letter gives the agency to answer
ANSWER_DAYS = 14
#: a need in one of these no longer looks for another way
_SETTLED = (
    NeedState.MET,
    NeedState.WITHDRAWN,
    NeedState.RESOLVED_OTHERWISE,
    NeedState.REFERRED,
    NeedState.IN_SERVICE,
)
#: options are worked out for so many complaints of a file; the rest are a press away
_MOST_ALTERNATIVES = 3
_ICONS = {
    AdvocacyKind.CALL: "phone-call",
    AdvocacyKind.LETTER: "mail",
    AdvocacyKind.MEETING: "users",
    AdvocacyKind.ALTERNATIVE: "route",
}


def _now() -> datetime:
    return datetime.now(UTC)


def _today() -> date:
    return operations.local_day(g.user.office, _now())


@bp.route("/referrals/<uuid:referral_id>/complaint", methods=["GET", "POST"])
@requires("advocacy:write")
def complain(referral_id: UUID) -> Page:
    """What the client says about a referral that was refused or failed, and what they want."""
    referral = referrals.get(db.session, g.user, referral_id)
    seen(referral, client_id=referral.client_id)
    if not operations.may_complain(db.session, referral):
        flash(label("advocacy.no_ground"), "info")
        return redirect(url_for("referrals.show", referral_id=referral.id), 303)
    answers = Answers(request.form) if request.method == "POST" else Answers.of(form=Form.UNWRITTEN)
    if request.method == "POST":
        form = answers.choice("form", list(Form))
        answers.require("form", form, label("advocacy.form"))
        text = answers.text("text", longest=LONGEST)
        wants = answers.text("wants", longest=LONGEST)
        if not answers.errors:
            try:
                made = operations.complain(
                    db.session,
                    referral,
                    text=text or "",
                    wants=wants,
                    form=form or "",
                    may_name=answers.ticked("may_name"),
                    by=g.user,
                    now=_now(),
                )
            except Invalid as error:
                answers.refused(error)
            else:
                obstacle_id = made.obstacle_id
                db.session.commit()
                flash(_("The complaint is written down. Here it is carried on."), "good")
                return redirect(url_for(".show", obstacle_id=obstacle_id), 303)
    page = render_template(
        "advocacy/complaint.html",
        referral=referral,
        case=referral.case,
        why=reason_name(_code(referral)),
        forms=Form,
        answers=answers,
    )
    return page, answers.status


def _code(referral: Any) -> str:
    reason = referrals.end_reason(db.session, referral)
    return reason.code if reason is not None else operations.NOT_HELPED


@bp.get("/advocacy")
@requires("advocacy:write")
def index() -> str:
    """The obstacles this person carries on, and where agency and client contradict each other."""
    closed = request.args.get("closed") == "1"
    page = page_of(
        db.session,
        queries.files(g.user, closed=closed),
        number=request.args.get("page", 1, type=int),
    )
    return render_template(
        "advocacy/index.html",
        page=page,
        closed=closed,
        today=_today(),
        people=queries.people(db.session, [one.id for one in page.items]),
        reasons={one.reason_code: reason_name(one.reason_code) for one in page.items},
        disagreements=disagreements(),
        page_url=lambda number: url_for(".index", page=number, closed=int(closed)),
    )


@bp.get("/advocacy/<uuid:obstacle_id>")
@requires("advocacy:write")
def show(obstacle_id: UUID) -> Page:
    """One obstacle: whom it keeps out, what was done, what comes next."""
    return _page(queries.get(db.session, g.user, obstacle_id))


def _page(obstacle: Obstacle, tried: str = "", answers: Answers | None = None) -> Page:
    told = queries.told_to(db.session, g.user, obstacle)
    for complaint in told.complaints:
        seen(complaint, client_id=complaint.referral.client_id)
    answers = answers or Answers()
    page = render_template(
        "advocacy/show.html",
        obstacle=obstacle,
        service=obstacle.service,
        reason=reason_name(obstacle.reason_code),
        told=told,
        alternatives=_alternatives(obstacle, told.complaints),
        phones=[phone_of(phone) for phone in obstacle.service.phones],
        events=_events(obstacle),
        overdue=obstacle.closed_at is None and obstacle.due_on < _today(),
        kinds=AdvocacyKind,
        outcomes=AdvocacyOutcome,
        workers=[(str(one.id), one.name) for one in _workers(obstacle)],
        tried=tried,
        answers=answers,
        typed=lambda form, name, known="": answers.shown(name) if tried == form else known,
        wrong=lambda form, name: answers.error(name) if tried == form else None,
        summary=[(f"{tried}-{name}", words) for name, words in answers.summary],
        category_name=category_name,
    )
    return page, answers.status


def _workers(obstacle: Obstacle) -> list[User]:
    """Who of the office can carry a file; whoever carries it now stands among them."""
    people = {one.id: one for one in accounts.active_brokers(db.session, obstacle.office_id)}
    people |= {one.id: one for one in (g.user, obstacle.owner)}
    return sorted(people.values(), key=lambda one: (one.name, one.id))


def _alternatives(obstacle: Obstacle, complaints: Any) -> dict[UUID, dict[str, Any] | None]:
    """By complaint the next best option of its need, for the worker who may look for one and needs none yet."""
    if obstacle.closed_at is not None or not may("referral:send"):
        return {}
    needs = [one.referral.need for one in complaints]
    traces = referrals.traces(db.session, [one.id for one in needs])
    unmet = confirmed_unmet(db.session, [one.id for one in needs])
    open_ones = [
        complaint
        for complaint, need in zip(complaints, needs, strict=True)
        if need_state(
            traces[need.id],
            unmet=need.id in unmet,
            withdrawn=need.withdrawn_at is not None,
            resolved_otherwise=need.resolved_otherwise_at is not None,
        )
        not in _SETTLED
    ]
    return {
        one.id: alternative_for(one.referral.need) if place < _MOST_ALTERNATIVES else None
        for place, one in enumerate(open_ones)
    }


def _events(obstacle: Obstacle) -> list[dict[str, Any]]:
    """What happened to a file, for a timeline."""
    ids = {obstacle.opened_by_id, *(one.by_id for one in obstacle.actions)}
    names = queries.names_of(db.session, ids)
    told = [
        {
            "at": obstacle.opened_at,
            "title": _("The file was opened"),
            "who": names[obstacle.opened_by_id],
            "icon": "folder-open",
        }
    ]
    told += [
        {
            "at": one.at,
            "title": capital(label(f"advocacy.kind.{one.kind}")),
            "who": names[one.by_id],
            "note": one.text,
            "icon": _ICONS[one.kind],
        }
        for one in obstacle.actions
    ]
    if obstacle.closed_at is not None and obstacle.outcome is not None:
        ended = label(f"advocacy.outcome.{obstacle.outcome}")
        told.append(
            {
                "at": obstacle.closed_at,
                "title": _("Closed: %(outcome)s", outcome=ended),
                "note": obstacle.result,
                "icon": "check",
                "tone": "wait" if obstacle.outcome is AdvocacyOutcome.UNCHANGED else "good",
            }
        )
    return told


@bp.post("/advocacy/<uuid:obstacle_id>/actions")
@requires("advocacy:write")
def act(obstacle_id: UUID) -> Page:
    """Write down one thing that was done."""
    obstacle = queries.get(db.session, g.user, obstacle_id)
    answers = Answers(request.form)
    kind = answers.choice("kind", list(AdvocacyKind))
    answers.require("kind", kind, label("advocacy.kind_missing"))
    text = answers.text("text", longest=LONGEST)
    answers.require("text", text, label("advocacy.action_missing"))
    if answers.errors or kind is None:
        return _page(obstacle, "act", answers)
    operations.act(db.session, obstacle, AdvocacyKind(kind), text=text or "", by=g.user, now=_now())
    db.session.commit()
    flash(_("Written down."), "good")
    return redirect(url_for(".show", obstacle_id=obstacle_id), 303)


@bp.post("/advocacy/<uuid:obstacle_id>/owner")
@requires("advocacy:write")
def entrust(obstacle_id: UUID) -> Page:
    """Say who carries the file on, and by when it is looked at again."""
    obstacle = queries.get(db.session, g.user, obstacle_id)
    answers = Answers(request.form)
    to = next((one for one in _workers(obstacle) if str(one.id) == answers.shown("to")), None)
    due_on = answers.day("due_on")
    answers.require("due_on", due_on, label("advocacy.due_past"))
    if to is None:
        answers.wrong("to", label("advocacy.owner"))
    if not answers.errors and to is not None and due_on is not None:
        try:
            operations.entrust(db.session, obstacle, to=to, due_on=due_on, by=g.user, now=_now())
        except Invalid as error:
            answers.refused(error)
        else:
            db.session.commit()
            flash(_("%(name)s carries it on.", name=to.name), "good")
            return redirect(url_for(".index"), 303)
    return _page(obstacle, "entrust", answers)


@bp.post("/advocacy/<uuid:obstacle_id>/close")
@requires("advocacy:write")
def close(obstacle_id: UUID) -> Page:
    """End the file with what came of it."""
    obstacle = queries.get(db.session, g.user, obstacle_id)
    answers = Answers(request.form)
    outcome = answers.choice("outcome", list(AdvocacyOutcome))
    answers.require("outcome", outcome, label("advocacy.outcome_missing"))
    result = answers.text("result", longest=LONGEST)
    answers.require("result", result, label("advocacy.result_missing"))
    if answers.errors or outcome is None:
        return _page(obstacle, "close", answers)
    operations.close(
        db.session,
        obstacle,
        AdvocacyOutcome(outcome),
        result=result or "",
        rule_changed=answers.ticked("rule_changed"),
        by=g.user,
        now=_now(),
    )
    db.session.commit()
    flash(_("Closed. Everybody whose client it is about reads it in their case."), "good")
    return redirect(url_for(".index"), 303)


@bp.get("/advocacy/<uuid:obstacle_id>/letter")
@requires("advocacy:write")
def letter(obstacle_id: UUID) -> str:
    """The letter to print or copy. It names only those clients who want it and whose case this person reads."""
    obstacle = queries.get(db.session, g.user, obstacle_id)
    asked = request.args.get("lang", "")
    lang = asked if asked in LANGUAGES else chosen()
    told = queries.told_to(db.session, g.user, obstacle).complaints
    named = queries.named(db.session, told)
    for complaint in named:
        seen(complaint, client_id=complaint.referral.client_id)
    return render_template(
        "advocacy/letter.html",
        obstacle=obstacle,
        language=lang,
        named=len(named),
        letter=written(
            organization=obstacle.service.organization.name,
            service=obstacle.service.name,
            reason=_reason_in(obstacle, lang),
            named=[(one.referral.case.client.name or "", one.referral.number) for one in named],
            office=obstacle.office.name,
            signed_by=obstacle.owner.name,
            on=_today(),
            answer_by=_today() + timedelta(days=ANSWER_DAYS),
            lang=lang,
        ),
    )


def _reason_in(obstacle: Obstacle, lang: str) -> str:
    reason = referrals.reasons_by_code(db.session)[obstacle.reason_code]
    return reason.name_id if lang == "id" else reason.name_en
