"""The worker's day on one page, and what is done from it: meetings and tasks.

Lines show case and referral numbers and services, never a name or a need: the list itself is no reading of anybody's
record. The page behind each line is, and says so to the audit chain.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import select
from werkzeug.wrappers import Response

from referral.casework import cover, meetings
from referral.casework.models import Case, Meeting, MeetingKind, Stage
from referral.casework.own import queries as own_people
from referral.casework.queries import theirs
from referral.core.errors import Invalid
from referral.extensions import db
from referral.planning.unmet import queries as unmet_queries
from referral.referrals import due, queries, tasks
from referral.referrals.kinds import Form
from referral.referrals.lifecycle import Event
from referral.referrals.models import Referral, ReferralStep, Task
from referral.web.access import requires
from referral.web.answers import Answers
from referral.web.casework.files import file_to_change, saved
from referral.web.formatting import label, labelled
from referral.web.reading import seen
from referral.web.unmet.lines import GapLine, gap_lines

bp = Blueprint("day", __name__)
Page = str | Response | tuple[str, int]

#: what is shown of the days to come, and of consents that end
COMING_DAYS, CONSENT_DAYS = 7, 14
#: gaps to confirm that stand on the page; the others stand in their list
FIRST_GAPS = 3
#: what an agency does without moving the referral on
_SAID = (Event.ASK, Event.REPORT, Event.CONFIRM)


@dataclass(frozen=True)
class Line:
    """One thing to do, or to know: what, of which case, by when, and the page where it is done."""

    url: str
    what: str
    case: Case
    about: str | None = None
    on: date | None = None
    at: datetime | None = None


@bp.get("/day")
@requires("case:write")
def index() -> str:
    """What is due today, what was answered, who waits for a decision."""
    now = datetime.now(UTC)
    today = cover.today_of(g.user, now)
    running = db.session.scalars(due.running(g.user)).all()
    dated = [line for one in running if (line := due.due_of(one, now=now)) is not None]
    dated = [line for line in dated if line.due is not due.Due.ASK_CLIENT]
    asking = db.session.scalars(queries.to_ask_client(g.user, today)).all()
    owed = db.session.scalars(tasks.open_of(g.user)).all()
    planned = db.session.scalars(meetings.open_of(g.user)).all()
    lines = [
        *map(_line, dated),
        *(_line(due.DueLine(one, due.Due.ASK_CLIENT, _asked_on(one))) for one in asking),
        *map(_task, owed),
        *map(_meeting, planned),
    ]
    lines.sort(key=lambda line: (line.on or today, line.at or now, line.case.number))
    return render_template(
        "day/index.html",
        today=today,
        covers=cover.around(db.session, g.user),
        crises=_crises(),
        due=[line for line in lines if line.on and line.on <= today],
        coming=[line for line in lines if line.on and 0 < (line.on - today).days <= COMING_DAYS],
        answers=_answers(_yesterday(today)),
        undecided=_undecided(),
        not_arrived=[
            _referral(one, label("day.not_arrived")) for one in running if due.has_not_arrived(one)
        ],
        notices=unmet_queries.notices(db.session, g.user),
        gaps=_gaps(),
        gap_count=unmet_queries.to_confirm(db.session, g.user),
        calls=unmet_queries.count(db.session, unmet_queries.calls(g.user)),
        expiring=_expiring(today),
        to_ask_again=own_people.to_ask_again(db.session, g.user, today=today),
    )


def _zone() -> ZoneInfo:
    return ZoneInfo(g.user.office.time_zone)


def _yesterday(today: date) -> datetime:
    return datetime.combine(today - timedelta(days=1), time(), _zone())


def _asked_on(referral: Referral) -> date:
    ended = referral.ended_at or referral.created_at
    return referral.review_on or ended.astimezone(_zone()).date()


def _line(line: due.DueLine) -> Line:
    return _referral(line.referral, label(f"day.due.{line.due}"), on=line.on)


def _referral(referral: Referral, what: str, on: date | None = None) -> Line:
    url = url_for("referrals.show", referral_id=referral.id)
    about = f"{referral.number} · {referral.service.name}"
    return Line(url, what, referral.case, about, on)


def _task(task: Task) -> Line:
    url = url_for("day.task", task_id=task.id)
    referral = task.referral
    about = f"{referral.number} · {referral.service.name}" if referral else None
    return Line(url, label(f"task.kind.{task.kind}"), task.case, about, task.due_on)


def _meeting(meeting: Meeting) -> Line:
    url = url_for("day.meeting", meeting_id=meeting.id)
    on = meeting.at.astimezone(_zone()).date()
    return Line(
        url, label(f"casework.meeting.kind.{meeting.kind}"), meeting.case, None, on, meeting.at
    )


def _crises() -> Sequence[Case]:
    return db.session.scalars(
        select(Case)
        .where(theirs(g.user), Case.crisis_since.is_not(None), Case.stage != Stage.CLOSED)
        .order_by(Case.crisis_since, Case.id)
    ).all()


def _answers(since: datetime) -> list[Line]:
    return [
        Line(
            url_for("referrals.show", referral_id=step.referral_id),
            _said(step),
            step.referral.case,
            f"{step.referral.number} · {step.referral.service.name}",
            at=step.at,
        )
        for step in due.answers_since(db.session, g.user, since)
    ]


def _said(step: ReferralStep) -> str:
    if step.event in _SAID:
        return label(f"day.said.{step.event}")
    return label(f"referral.status.{step.to_status}")


def _undecided() -> list[Line]:
    found = due.undecided(db.session, g.user)
    unmet = unmet_queries.confirmed_unmet(db.session, [one.need_id for one in found])
    return [
        _referral(one, label(f"referral.status.{one.status}"))
        for one in found
        if one.need_id not in unmet
    ]


def _gaps() -> list[GapLine]:
    """The first gaps that wait for the worker's word."""
    rows = db.session.execute(unmet_queries.own(g.user, unconfirmed=True).limit(FIRST_GAPS)).all()
    return gap_lines((unmet, need) for unmet, need in rows)


def _expiring(today: date) -> list[Line]:
    until = today + timedelta(days=CONSENT_DAYS)
    rows = due.expiring(db.session, g.user, today=today, until=until)
    return [
        Line(
            url_for("casework.basis", case_id=case.id, organization=basis.organization_id),
            label(f"casework.purpose.{basis.purpose}"),
            case,
            agency,
            basis.expires_on,
        )
        for basis, case, agency in rows
    ]


# Meetings ----------------------------------------------------------------------------------------


@bp.route("/cases/<uuid:case_id>/meetings/new", methods=["GET", "POST"])
@requires("case:write")
def new_meeting(case_id: UUID) -> Page:
    """Agree on a meeting or a visit."""
    case = file_to_change(case_id)
    answers = Answers(request.form) if request.method == "POST" else Answers.of(kind="visit")
    if request.method == "POST":
        given = _typed_meeting(answers)
        try:
            if given is not None:
                meetings.plan(db.session, case, **given, by=g.user, now=datetime.now(UTC))
                return saved(case, _("The meeting is noted."), part="meetings")
        except Invalid as error:
            answers.refused(error, "at", "note")
    return _meeting_page(case, None, answers)


@bp.route("/meetings/<uuid:meeting_id>", methods=["GET", "POST"])
@requires("case:write")
def meeting(meeting_id: UUID) -> Page:
    """One meeting: put it off, or say that it is over."""
    found = meetings.get(db.session, g.user, meeting_id)
    seen(found, client_id=found.case.client_id)
    here = found.at.astimezone(_zone())
    answers = (
        Answers(request.form)
        if request.method == "POST"
        else Answers.of(kind=found.kind.value, at=here.strftime("%Y-%m-%dT%H:%M"), note=found.note)
    )
    if request.method == "POST":
        given = _typed_meeting(answers)
        try:
            if given is not None:
                meetings.move(db.session, found, **given, by=g.user, now=datetime.now(UTC))
                return saved(found.case, _("The meeting is moved."), part="meetings")
        except Invalid as error:
            answers.refused(error, "at", "note")
    return _meeting_page(found.case, found, answers)


@bp.post("/meetings/<uuid:meeting_id>/end")
@requires("case:write")
def end_meeting(meeting_id: UUID) -> Page:
    """It took place, or will not."""
    found = meetings.get(db.session, g.user, meeting_id)
    meetings.end(db.session, found, by=g.user, now=datetime.now(UTC))
    db.session.commit()
    flash(_("The meeting is over. What you learned goes into a note of the case."), "good")
    return redirect(url_for("casework.case", case_id=found.case_id, _anchor="notes"), 303)


def _typed_meeting(answers: Answers) -> dict[str, Any] | None:
    kind = answers.choice("kind", list(MeetingKind))
    answers.require("kind", kind, _("Choose how you meet."))
    at = answers.instant("at")
    answers.require("at", at, _("Write the day and the time."))
    note = answers.text("note", longest=meetings.LONGEST_NOTE)
    if answers.errors or kind is None:
        return None
    return {"kind": MeetingKind(kind), "at": at, "note": note}


def _meeting_page(case: Case, found: Meeting | None, answers: Answers) -> Page:
    page = render_template(
        "day/meeting.html",
        case=case,
        meeting=found,
        answers=answers,
        kinds=labelled(MeetingKind, "casework.meeting.kind"),
    )
    return page, answers.status


# Tasks -------------------------------------------------------------------------------------------


@bp.route("/tasks/<uuid:task_id>", methods=["GET", "POST"])
@requires("case:write")
def task(task_id: UUID) -> Page:
    """One task: say that it is done, and how."""
    found = tasks.get(db.session, g.user, task_id)
    seen(found, client_id=found.case.client_id)
    answers = Answers(request.form)
    if request.method == "POST":
        text = answers.text("text", longest=tasks.LONGEST_TEXT)
        now = datetime.now(UTC)
        try:
            if not answers.errors:
                tasks.done(
                    db.session,
                    found,
                    answer=answers.shown("answer"),
                    text=text,
                    by=g.user,
                    today=cover.today_of(g.user, now),
                    now=now,
                )
                db.session.commit()
                flash(_("Done and noted."), "good")
                return redirect(url_for(".index"), 303)
        except Invalid as error:
            answers.refused(error, "answer", "text")
    page = render_template(
        "day/task.html",
        task=found,
        answers=answers,
        forms=list(Form),
        kept=list(tasks.Kept),
    )
    return page, answers.status
