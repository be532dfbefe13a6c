"""The supervisor's care for the team: how much each has, who stands in for whom, and when the office is closed."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, g, redirect, request, url_for
from flask_babel import gettext as _
from sqlalchemy import func, select
from werkzeug.wrappers import Response

from referral.accounts import days_off
from referral.accounts import queries as accounts
from referral.accounts.models import User
from referral.casework import cover
from referral.casework.models import Case, Stage
from referral.casework.queries import theirs
from referral.core.errors import Invalid
from referral.extensions import db
from referral.referrals.letters import queries as letters
from referral.referrals.letters.states import LetterState
from referral.referrals.lifecycle import LIVE
from referral.referrals.models import Referral
from referral.web.access import requires
from referral.web.answers import Answers
from referral.web.formatting import say

bp = Blueprint("team", __name__, url_prefix="/office")

#: a cover is proposed for the rest of a working week
COVER_DAYS = 6


def shown(user: User, late: Sequence[tuple[Referral, datetime]]) -> dict[str, Any]:
    """What the office's page shows of the team; `late` are its overdue referrals."""
    brokers = accounts.active_brokers(db.session, user.office_id) if user.office_id else []
    open_cases = dict(
        db.session.execute(
            select(Case.broker_id, func.count())
            .where(theirs(user), Case.stage != Stage.CLOSED)
            .group_by(Case.broker_id)
        ).all()
    )
    live = dict(
        db.session.execute(
            select(Case.broker_id, func.count())
            .join(Referral, Referral.case_id == Case.id)
            .where(theirs(user), Referral.status.in_(LIVE))
            .group_by(Case.broker_id)
        ).all()
    )
    overdue = Counter(referral.case.broker_id for referral, _since in late)
    today = cover.today_of(user)
    return {
        "load": [
            (one, open_cases.get(one.id, 0), live.get(one.id, 0), overdue[one.id])
            for one in brokers
        ],
        "covers": cover.of_office(db.session, user),
        "people": [(str(one.id), one.name) for one in brokers],
        "until": today + timedelta(days=COVER_DAYS),
        "to_sign": len(letters.on_their_way(db.session, user, LetterState.FOR_SIGNATURE)),
        "days_off": [day for day in user.office.days_off if day.on >= today] if user.office else [],
    }


@bp.post("/covers")
@requires("case:reassign")
def begin_cover() -> Response:
    """Let a colleague stand in for somebody who is away."""
    answers = Answers(request.form)
    until = answers.day("until")
    people = {str(one.id): one for one in accounts.active_brokers(db.session, g.user.office_id)}
    absent, covering = people.get(answers.shown("absent")), people.get(answers.shown("covering"))
    try:
        if absent is None:
            raise Invalid("casework.cover.absent", field="absent")
        if covering is None:
            raise Invalid("casework.cover.same", field="covering")
        if until is None:
            raise Invalid("casework.cover.until", field="until", days=cover.LONGEST_DAYS)
        now = datetime.now(UTC)
        cover.begin(db.session, absent=absent, covering=covering, until=until, by=g.user, now=now)
    except Invalid as error:
        return _refused(error, "cover")
    db.session.commit()
    flash(
        _("%(name)s stands in for %(absent)s from now on.", name=covering.name, absent=absent.name),
        "good",
    )
    return redirect(url_for("office.index", _anchor="cover"), 303)


@bp.post("/covers/<uuid:cover_id>/end")
@requires("case:reassign")
def end_cover(cover_id: UUID) -> Response:
    """The absent one is back."""
    found = cover.get(db.session, g.user, cover_id)
    cover.end(db.session, found, by=g.user, now=datetime.now(UTC))
    db.session.commit()
    flash(_("Ended. Everybody sees their own cases again."), "good")
    return redirect(url_for("office.index", _anchor="cover"), 303)


@bp.post("/days-off")
@requires("case:reassign")
def add_day_off() -> Response:
    """The office is closed on a day."""
    answers = Answers(request.form)
    now = datetime.now(UTC)
    try:
        days_off.add(
            db.session,
            on=answers.day("on"),
            name=answers.shown("name"),
            by=g.user,
            today=cover.today_of(g.user, now),
            now=now,
        )
    except Invalid as error:
        return _refused(error, "days-off")
    db.session.commit()
    flash(_("Noted: no deadline of the office counts that day."), "good")
    return redirect(url_for("office.index", _anchor="days-off"), 303)


@bp.post("/days-off/<uuid:day_id>/remove")
@requires("case:reassign")
def remove_day_off(day_id: UUID) -> Response:
    """The office is open on that day after all."""
    days_off.remove(db.session, day_id, by=g.user, now=datetime.now(UTC))
    db.session.commit()
    flash(_("Removed: it is a working day again."), "good")
    return redirect(url_for("office.index", _anchor="days-off"), 303)


def _refused(error: Invalid, part: str) -> Response:
    db.session.rollback()
    flash(say(error.message), "bad")
    return redirect(url_for("office.index", _anchor=part), 303)
