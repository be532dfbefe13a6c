"""How often somebody's own people helped: written down in one tap from the case, and taken back."""

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from flask import flash, g, redirect, request, url_for
from flask_babel import gettext as _

from referral.casework.cover import today_of
from referral.casework.models import Case
from referral.casework.own import helping, queries
from referral.extensions import db
from referral.matching import own_people
from referral.referrals.loop import NeedState
from referral.web.access import requires
from referral.web.answers import Answers
from referral.web.casework.files import Page, bp, file_to_change, need_in, now, saved
from referral.web.casework.own import card_of


@bp.post("/cases/<uuid:case_id>/helped")
@requires("own_resource:write")
def own_helped(case_id: UUID) -> Page:
    """They helped with a need of this case: today, or on another day."""
    case = file_to_change(case_id)
    answers = Answers(request.form)
    need = need_in(case, _id(answers, "need"))
    own = queries.usable_in(db.session, case, _id(answers, "own"))
    on = answers.day("helped_on") or today_of(g.user)
    if not answers.errors:
        with answers.refusing("helped_on"):
            helping.record(db.session, own, need, on=on, by=g.user, now=now())
    if answers.errors:
        flash(answers.errors["helped_on"], "bad")
        return redirect(url_for(".case", case_id=case.id, _anchor="own"), 303)
    sentence = _("Noted: %(name)s helped.", name=own.name or _("Somebody near"))
    return saved(case, sentence, part="own")


@bp.post("/cases/<uuid:case_id>/helped/<uuid:help_id>/undo")
@requires("own_resource:write")
def undo_helped(case_id: UUID, help_id: UUID) -> Page:
    """It was written down by mistake."""
    case = file_to_change(case_id)
    given = helping.get(db.session, case, help_id)
    helping.take_back(db.session, given, need_in(case, given.need_id), by=g.user, now=now())
    return saved(case, _("Taken back."), part="own")


def _id(answers: Answers, name: str) -> UUID:
    """The id a button sends; one that is none is nobody's."""
    try:
        return UUID(answers.shown(name))
    except ValueError:
        return UUID(int=0)


def own_in(
    case: Case, states: Mapping[UUID, NeedState], ended: Collection[NeedState]
) -> dict[str, Any]:
    """What the page of a case shows of their own people: who, for which needs they may have helped, and when they did."""
    found = queries.made_for(db.session, case)
    if not own_people.may_be_asked(case):
        found = [own for own in found if own.client_id is not None]
    ids = [own.id for own in found]
    people, given = own_people.helped_now(db.session, ids), helping.given_by(db.session, ids)
    names = {own.id: own.name for own in found}
    needs = [need for need in case.needs if states[need.id] not in ended]
    return {
        "made": [card_of(own, len(people[own.id]), given.get(own.id)) for own in found],
        "needs_of": {
            own.id: [one for one in needs if one.category == own.category] or needs for own in found
        },
        "helps": [
            (one, names.get(one.own_resource_id), need_in(case, one.need_id))
            for one in helping.given_in(db.session, case)[:5]
        ],
    }
