"""The supervisor's page: the cases of the office, who is alone with a crisis, and handing cases over."""

from datetime import UTC, datetime
from uuid import UUID

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from referral.accounts import queries as accounts
from referral.casework import crisis, handover, queries
from referral.core.errors import Invalid
from referral.core.paging import page_of
from referral.extensions import db
from referral.planning import measures
from referral.planning.fairness.waiting import PERIODS
from referral.referrals import queries as referrals
from referral.referrals.advocacy import harm
from referral.referrals.advocacy.models import HarmDecision, HarmReport
from referral.web import team
from referral.web.access import requires
from referral.web.answers import Answers
from referral.web.formatting import capital, label, say
from referral.web.naming import area_name
from referral.web.reading import seen
from referral.web.referrals.disagreeing import disagreements

bp = Blueprint("office", __name__, url_prefix="/office")
Page = str | Response | tuple[str, int]


@bp.get("/")
@requires("office:read")
def index() -> Page:
    """Cases of the office by number, never by name; crises first."""
    closed = request.args.get("closed") == "1"
    number = request.args.get("page", 1, type=int)
    alone = queries.alone_in_crisis(db.session, g.user.office_id)
    late = referrals.late(db.session, g.user, now=datetime.now(UTC))
    return render_template(
        "office/index.html",
        office=g.user.office,
        cases=page_of(db.session, queries.cases_of(g.user, closed=closed), number=number),
        closed=closed,
        alone=[(case, queries.calls_of(db.session, case.id)) for case in alone],
        brokers=accounts.active_brokers(db.session, g.user.office_id),
        harm=[_seen_harm(one) for one in harm.of_office(db.session, g.user)],
        decisions=list(HarmDecision),
        disagreements=disagreements(),
        late=late,
        team=team.shown(g.user, late),
        page_url=lambda page: url_for(".index", closed=int(closed), page=page),
    )


def _seen_harm(report: HarmReport) -> HarmReport:
    seen(report, client_id=report.referral.client_id)
    return report


@bp.route("/cases/<uuid:case_id>/reassign", methods=["GET", "POST"])
@requires("case:reassign")
def reassign(case_id: UUID) -> Page:
    """Give a case to another broker, with a note for them."""
    case = queries.get_case(db.session, g.user, case_id)
    brokers = [
        one
        for one in accounts.active_brokers(db.session, g.user.office_id)
        if one.id != case.broker_id
    ]
    answers = Answers(request.form)
    if request.method == "POST":
        chosen = next((one for one in brokers if str(one.id) == answers.shown("to")), None)
        note = answers.text("note", longest=handover.LONGEST_NOTE)
        try:
            if chosen is None:
                raise Invalid("accounts.handover.to_missing", field="to")
            if not answers.errors:
                handover.reassign(
                    db.session, case, to=chosen, note=note or "", by=g.user, now=datetime.now(UTC)
                )
                db.session.commit()
                flash(
                    _(
                        "Case %(number)s is now with %(name)s.",
                        number=case.number,
                        name=chosen.name,
                    ),
                    "good",
                )
                return redirect(url_for(".index"), 303)
        except Invalid as error:
            answers.refused(error, "to", "note")
    page = render_template("office/reassign.html", case=case, brokers=brokers, answers=answers)
    return page, answers.status


@bp.post("/calls/<uuid:call_id>/review")
@requires("crisis:review")
def review_call(call_id: UUID) -> Page:
    """Say that a second person has looked at an emergency call."""
    call = queries.get_call(db.session, g.user, call_id)
    crisis.review_call(db.session, call, by=g.user, now=datetime.now(UTC))
    db.session.commit()
    flash(_("Noted: a second person has looked."), "good")
    return redirect(url_for(".index"), 303)


@bp.post("/harm/<uuid:report_id>")
@requires("crisis:review")
def decide_harm(report_id: UUID) -> Response:
    """Say, as the second person, whether a service that harmed somebody may be offered again."""
    report = harm.get(db.session, g.user, report_id)
    answers = Answers(request.form)
    decision = answers.choice("decision", list(HarmDecision))
    try:
        if decision is None:
            raise Invalid("harm.why", field="decision")
        harm.decide(
            db.session,
            report,
            HarmDecision(decision),
            why=answers.text("why", longest=handover.LONGEST_NOTE) or "",
            by=g.user,
            now=datetime.now(UTC),
        )
    except Invalid as error:
        db.session.rollback()
        flash(say(error.message), "bad")
    else:
        db.session.commit()
        flash(_("Decided. The agency is not told."), "good")
    return redirect(url_for(".index", _anchor="harm"), 303)


@bp.get("/measures")
@requires("office:read")
def measured() -> str:
    """How the office's referrals fare: how long answers take, and how many get how far."""
    months = request.args.get("months", PERIODS[0], type=int)
    if months not in PERIODS:
        months = PERIODS[0]
    rows = measures.of_office(db.session, g.user, months=months, now=datetime.now(UTC))
    (total,) = rows.pop("all")
    return render_template(
        "office/measures.html",
        office=g.user.office,
        months=months,
        periods=PERIODS,
        old_enough=measures.OLD_ENOUGH_DAYS,
        total=total,
        cuts=[
            (cut, [(_group(cut, row.name), row) for row in those]) for cut, those in rows.items()
        ],
    )


def _group(cut: str, name: str) -> str:
    """What a group is called on the page."""
    if cut == "area":
        return area_name(name) or _("Area not known")
    if cut == "agency":
        return name
    key = {"priority": "casework.urgency", "system": "directory.system_type"}[cut]
    return capital(label(f"{key}.{name}"))
