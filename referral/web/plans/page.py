"""One plan for several needs: made from a case, shown, and printed for the client."""

from datetime import UTC, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from referral.casework.models import Case, Need
from referral.directory import closed_days
from referral.extensions import db
from referral.matching import own_people, visit_plans
from referral.matching.asking import FARTHEST_KM
from referral.matching.models import MatchReceipt, VisitPlan
from referral.matching.plans import (
    CANDIDATES,
    DAY_TRIP_KM,
    TRAVEL_KM_PER_HOUR,
    VISIT_MINUTES,
    sets_out_at,
)
from referral.planning.unmet.noticing import notice_all
from referral.referrals.letters.sheets import names_unsaid
from referral.web.access import requires
from referral.web.answers import Answers
from referral.web.casework.crisis import first_numbers
from referral.web.casework.files import file_to_change, need_states, to_look_for
from referral.web.language import zone
from referral.web.plans.cards import page_of
from referral.web.plans.sheet import sheet_of
from referral.web.reading import seen

bp = Blueprint("plans", __name__)


@bp.post("/cases/<uuid:case_id>/plan")
@requires("match:run")
def make(case_id: UUID) -> Response:
    """Look for help for every open need of one's own case, and put the visits together."""
    return _made(file_to_change(case_id), _next_morning(), DAY_TRIP_KM)


@bp.post("/plans/<uuid:plan_id>/again")
@requires("match:run")
def again(plan_id: UUID) -> Response:
    """Plan again for another time or another distance; the earlier plan stays as it was."""
    _plan, case = visit_plans.get(db.session, g.user, plan_id)
    answers = Answers(request.form)
    within = answers.whole("within", 1, int(FARTHEST_KM))
    at = answers.instant("at")
    if answers.errors:
        for sentence in answers.errors.values():
            flash(sentence, "bad")
        return redirect(url_for(".show", plan_id=plan_id), 303)
    return _made(case, at or _next_morning(), within)


@bp.get("/plans/<uuid:plan_id>")
@requires("receipt:read")
def show(plan_id: UUID) -> str:
    """The stops in order, what is met without going, what is not; and each need's own list beside it."""
    plan, case, receipts = _shown(plan_id)
    content = plan.content or {}
    needs = {str(need.id): need for need in case.needs}
    page = page_of(plan, case, receipts, request.args.get("show", ""))
    return render_template(
        "matching/plan.html",
        plan=plan,
        case=case,
        page=page,
        violence=content["violence"],
        emergencies=[needs[one] for one in content["emergencies"]],
        apart=[needs[one] for one in content["apart"]],
        numbers=first_numbers(case) if content["emergencies"] or case.crisis_since else [],
        own=_own_people([needs[one] for one in receipts], receipts),
        to_choose={need.id for need in to_look_for(case, need_states(case.needs))},
        cap=CANDIDATES,
        within=content["within"],
        at_typed=page.at.strftime("%Y-%m-%dT%H:%M"),
        km_per_hour=TRAVEL_KM_PER_HOUR,
        visit_minutes=VISIT_MINUTES,
    )


@bp.get("/plans/<uuid:plan_id>/print")
@requires("receipt:read")
def print_plan(plan_id: UUID) -> str:
    """The way on paper for the client, in large type, without reasons against anything."""
    plan, case, receipts = _shown(plan_id)
    page = page_of(plan, case, receipts, request.args.get("show", ""), to_take_along=True)
    needs = {str(need.id): need for need in case.needs}
    unsaid = names_unsaid(case, [needs[need_id].category for need_id in receipts])
    return render_template(
        "matching/print_plan.html", plan=plan, kind=page.kind, sheet=sheet_of(page, unsaid)
    )


def _shown(plan_id: UUID) -> tuple[VisitPlan, Case, dict[str, MatchReceipt]]:
    """A plan that may still be shown, and that it was read is noted."""
    plan, case = visit_plans.get(db.session, g.user, plan_id)
    receipts = visit_plans.receipts_of(db.session, plan, case)
    seen(plan, client_id=case.client_id)
    return plan, case, receipts


def _made(case: Case, at: datetime, within: float | None) -> Response:
    needs = to_look_for(case, need_states(case.needs))
    plan = visit_plans.make(
        db.session, case, needs, by=g.user, now=datetime.now(UTC), at=at, within=within
    )
    notice_all(db.session, [need.id for need in needs], by=g.user, now=datetime.now(UTC))
    where = url_for(".show", plan_id=plan.id)
    db.session.commit()
    return redirect(where, 303)


def _next_morning() -> datetime:
    now = datetime.now(UTC).astimezone(ZoneInfo(zone()))
    return sets_out_at(now, closed_days.around(now.year))


def _own_people(
    needs: list[Need], receipts: dict[str, MatchReceipt]
) -> list[tuple[Need, list[str], UUID]]:
    """The client's own people for each need; none by itself where somebody near may be the danger."""
    return [
        (need, [name or _("Somebody near") for name in names], receipts[str(need.id)].id)
        for need, names in own_people.names_for(db.session, needs)
    ]
