"""Danger to life: numbers first, one tap to call, nothing required beforehand; the paper follows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from flask import flash, g, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import select
from werkzeug.wrappers import Response

from referral.accounts.models import User
from referral.casework import crisis as operations
from referral.casework import queries
from referral.casework.models import Case, CrisisCall
from referral.casework.stories import suggest
from referral.core.errors import Invalid
from referral.directory import reference
from referral.directory.models import Service
from referral.directory.queries import emergency_numbers
from referral.extensions import db
from referral.places.queries import gazetteer
from referral.web.access import requires
from referral.web.answers import LONG, SHORT, Answers
from referral.web.casework.files import Page, bp, file_of, file_to_change, now
from referral.web.emergency import number_row

#: after this long without an answer the next number is shown
NEXT_NUMBER_AFTER = timedelta(minutes=5)
#: a second person looks at what was done within this time
REVIEW_WITHIN = timedelta(hours=24)
#: calls outside any case stay in view this long
KEPT_IN_VIEW = timedelta(days=7)
#: how many numbers a banner shows before "more"
FIRST = 4
OTHER = "other"
RINGING, ANSWERED, NOT_ANSWERED = "ringing", "yes", "no"


@dataclass(frozen=True)
class LoggedCall:
    """A call of the log, as the page shows it."""

    call: CrisisCall
    name: str
    by: str
    due_at: datetime
    is_overdue: bool
    may_review: bool


def numbers_for(case: Case | None) -> list[dict[str, Any]]:
    """Emergency numbers that work where the client is, or in the office's area; dicts for the banner."""
    area = ((case.client.stays_at or {}) if case else {}).get("code") or g.user.office.area_code
    needs = {need.category for need in case.needs} | _told_of(case) if case else set()
    kept_out = queries.excluded_organizations(db.session, case.id) if case else frozenset()
    hidden = (
        set(db.session.scalars(select(Service.id).where(Service.organization_id.in_(kept_out))))
        if kept_out
        else set()
    )
    return [
        number_row(one)
        for one in emergency_numbers(db.session, area_code=area, needs=needs)
        if one.service_id not in hidden
    ]


def _told_of(case: Case) -> set[str]:
    """What the story speaks of: whoever answers for it comes first, before any need is confirmed."""
    if not case.story:
        return set()
    told = suggest(case.story, reference.taxonomy(), gazetteer=gazetteer(db.session))
    return {need.code for need in told.needs}


def first_numbers(case: Case | None) -> list[dict[str, Any]]:
    """The numbers a banner on another page shows; the rest is one tap away."""
    return numbers_for(case)[:FIRST]


def next_number(
    numbers: Sequence[dict[str, Any]], calls: Sequence[CrisisCall], at: datetime
) -> dict[str, Any] | None:
    """The number to try now that the last call failed, or rang for five minutes; None when none is due.

    `calls` newest first. After the last number it begins again with the first.
    """
    if not calls or not numbers or calls[0].answered:
        return None
    waited = at - calls[0].called_at >= NEXT_NUMBER_AFTER
    if calls[0].answered is None and not waited:
        return None
    tried = {call.number for call in calls}
    return next((one for one in numbers if one["number"] not in tried), numbers[0])


@bp.route("/crisis", methods=["GET", "POST"])
@requires("crisis:log")
def crisis() -> Page:
    """Call first. A log without a case, for the moment before anything is known."""
    return _crisis(None)


@bp.route("/cases/<uuid:case_id>/crisis", methods=["GET", "POST"])
@requires("crisis:log")
def case_crisis(case_id: UUID) -> Page:
    """Call first: the numbers that work where this client is, and the log of the case."""
    return _crisis(file_to_change(case_id))


def _crisis(case: Case | None) -> Page:
    answers = Answers(request.form)
    if request.method == "POST":
        logged = _log(case, answers)
        if logged is not None:
            return logged
    elif request.method == "GET":
        answers = Answers.of(answered=RINGING)
    return _page(case, answers)


def _page(case: Case | None, answers: Answers, *, telling: UUID | None = None) -> Page:
    at = now()
    numbers = numbers_for(case)
    calls = (
        queries.calls_of(db.session, case.id)
        if case
        else queries.calls_without_case(db.session, g.user, since=at - KEPT_IN_VIEW)
    )
    recent = [call for call in calls if at - call.called_at <= REVIEW_WITHIN]
    page = render_template(
        "casework/crisis.html",
        case=case,
        numbers=numbers,
        next=next_number(numbers, recent, at),
        soon=_soon(numbers, recent, at),
        calls=[_shown(call, numbers, at) for call in calls],
        answers=answers,
        telling=telling,
        choices=[(one["number"], f"{one['name']} · {one['number']}") for one in numbers],
        minutes=int(NEXT_NUMBER_AFTER.total_seconds() // 60),
        first=FIRST,
    )
    return page, answers.status


def _soon(
    numbers: Sequence[dict[str, Any]], calls: Sequence[CrisisCall], at: datetime
) -> tuple[dict[str, Any], datetime] | None:
    """The number to try if the call that rings now is not answered in time, and when that will be."""
    if not calls or calls[0].answered is not None:
        return None
    due_at = calls[0].called_at + NEXT_NUMBER_AFTER
    following = next_number(numbers, calls, due_at)
    return (following, due_at) if following and due_at > at else None


def _shown(call: CrisisCall, numbers: Sequence[dict[str, Any]], at: datetime) -> LoggedCall:
    due_at = call.called_at + REVIEW_WITHIN
    known = {one["number"]: one["name"] for one in numbers}
    caller = db.session.get(User, call.by_id)
    return LoggedCall(
        call,
        _("Another number") if call.number == OTHER else known.get(call.number, call.number),
        caller.name if caller else "–",
        due_at,
        is_overdue=call.reviewed_at is None and due_at < at,
        may_review=call.reviewed_at is None and call.by_id != g.user.id,
    )


def _log(case: Case | None, answers: Answers) -> Response | None:
    """Logs the call and goes back to the numbers; None with errors in the form."""
    listed = {one["number"] for one in numbers_for(case)}
    number = answers.choice("number", listed | {OTHER})
    answers.require("number", number, _("Choose which number was called."))
    answered = answers.choice("answered", (RINGING, ANSWERED, NOT_ANSWERED))
    answers.require("answered", answered, _("Choose whether somebody answered."))
    outcome = answers.text("outcome", longest=LONG)
    other = answers.text("other_number", longest=SHORT)
    if number == OTHER:
        answers.require("other_number", other, _("Write which number or person was called."))
        # It may be somebody's own number, so it goes where personal values are sealed.
        outcome = "\n".join(part for part in (other, outcome) if part)
    called_at = answers.instant("called_at")
    if answers.errors:
        return None
    try:
        operations.log_call(
            db.session,
            office=case.office if case else g.user.office,
            case=case,
            number=number or "",
            answered=None if answered == RINGING else answered == ANSWERED,
            outcome=outcome,
            called_at=called_at,
            by=g.user,
            now=now(),
        )
    except Invalid as error:
        answers.refused(error, "called_at")
        return None
    if case is not None:
        operations.raise_crisis(db.session, case, by=g.user, now=now())
    db.session.commit()
    flash(_("The call is in the log."), "good")
    return _back(case)


def _back(case: Case | None) -> Response:
    if case is None:
        return redirect(url_for(".crisis"), 303)
    return redirect(url_for(".case_crisis", case_id=case.id), 303)


@bp.post("/crisis/calls/<uuid:call_id>")
@requires("crisis:log")
def tell_call(call_id: UUID) -> Page:
    """What came of a call that was still ringing."""
    call = queries.get_call(db.session, g.user, call_id)
    case = file_of(call.case_id) if call.case_id else None
    answers = Answers(request.form)
    told = answers.choice("told", (ANSWERED, NOT_ANSWERED))
    answers.require("told", told, _("Choose whether somebody answered."))
    told_outcome = answers.text("told_outcome", longest=LONG)
    if answers.errors:
        return _page(case, answers, telling=call.id)
    outcome = "\n".join(part for part in (call.outcome, told_outcome) if part)
    operations.tell_call(
        db.session, call, answered=told == ANSWERED, outcome=outcome, by=g.user, now=now()
    )
    db.session.commit()
    flash(_("The call is in the log."), "good")
    return _back(case)


@bp.post("/cases/<uuid:case_id>/crisis/start")
@requires("crisis:log")
def start_crisis(case_id: UUID) -> Page:
    """Somebody's life may be in danger."""
    case = file_to_change(case_id)
    operations.raise_crisis(db.session, case, by=g.user, now=now())
    db.session.commit()
    return _back(case)


@bp.post("/cases/<uuid:case_id>/crisis/end")
@requires("crisis:log")
def end_crisis(case_id: UUID) -> Page:
    """The danger is over, as the worker sees it."""
    case = file_to_change(case_id)
    operations.end_crisis(db.session, case, by=g.user, now=now())
    db.session.commit()
    flash(
        _("The crisis is over. A second person still looks at the calls within 24 hours."), "good"
    )
    return redirect(url_for(".case", case_id=case.id), 303)
