"""What a change of a listing's rules would have meant for those who asked, before anybody makes it: counts alone."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from flask import Blueprint, g, render_template, request
from flask_babel import gettext as _

from referral.core.db import take_write_lock
from referral.core.errors import NotFound
from referral.core.text import Message
from referral.directory.models import Service
from referral.directory.upkeep import editing, listings
from referral.directory.upkeep.publishing import Maker
from referral.extensions import db
from referral.places.codes import regency_of
from referral.planning.disclosure.cells import Shown
from referral.planning.gaps.models import Audience
from referral.planning.rehearsal import rehearsing
from referral.planning.rehearsal.rehearsing import GapCell, Rehearsal
from referral.web.access import may, requires
from referral.web.answers import Answers
from referral.web.formatting import capital, say
from referral.web.gaps.words import quarter_words
from referral.web.listings.door import is_own, kept
from referral.web.naming import area_name, category_name

bp = Blueprint("rehearsal", __name__, url_prefix="/rehearsal")

_OLDEST, _HIGHEST_DESIL = 120, 10
_DAYS = ["MO", "TU", "WE", "TH", "FR"]
_WHOLE_WEEK = [*_DAYS, "SA", "SU"]


@bp.get("/<uuid:service_id>")
@requires("rule:rehearse")
def show(service_id: UUID) -> tuple[str, int]:
    """Try other rules on a listing: a planner any public one, an agency its own."""
    service = _open_to_them(service_id)
    answers = Answers(request.args)
    values = _values(service, answers)
    found = _rehearsed(service_id, values) if values and not answers.errors else None
    return _page(service, found, answers), answers.status


@bp.get("/<uuid:service_id>/draft")
@requires("rule:rehearse")
def draft(service_id: UUID) -> tuple[str, int]:
    """Try what somebody who keeps the listing has changed and not sent."""
    subject = kept(service_id)
    rules = {name: value for name, value in subject.drafted.items() if name in rehearsing.RULES}
    if subject.service is None or not rules:
        raise NotFound("listing.change.unknown")
    return _page(subject.service, _rehearsed(service_id, rules), None), 200


def _open_to_them(service_id: UUID) -> Service:
    service = listings.get(db.session, service_id)
    if not (may("proposal:write") or is_own(service)):
        raise NotFound("directory.unknown_service")
    return service


def _rehearsed(service_id: UUID, values: Mapping[str, Any]) -> Rehearsal:
    # A session of its own: what is written here to be tried is never committed.
    now = datetime.now(UTC)
    with db.sessionmaker() as session:
        take_write_lock(session)
        try:
            by = Maker(g.user.id, str(g.user.role))
            change = rehearsing.written(session, service_id, values, by=by, now=now)
        finally:
            session.rollback()  # before anything is worked out: others wait to write
    audience = Audience.PLANNERS if may("gap:read") else Audience.PUBLIC
    return rehearsing.rehearse(db.session, change, now=now, audience=audience)


def _page(service: Service, found: Rehearsal | None, answers: Answers | None) -> str:
    return render_template(
        "rehearsal/show.html",
        service=service,
        answers=answers,
        found=found,
        net=found.tried.after - found.tried.before if found else 0,
        cells=[_cell(cell) for cell in found.cells] if found else [],
        reasons=[
            (capital(say(Message(f"rehearsal.rule.{rule}"))), people)
            for rule, people in found.tried.because.most_common()
        ]
        if found
        else [],
        choices=_choices(),
        now=listings.values_of(service)["eligibility"],
        quarters=[quarter_words(code) for code in found.quarters] if found else [],
    )


def _cell(cell: GapCell) -> dict[str, Any]:
    told = cell.told
    words = "–"
    if told is not None and told.own is not None and told.own.shown is not Shown.WITHHELD:
        few = say(Message("rehearsal.few"))
        words = few if told.own.count is None else str(told.own.count)
    return {
        "area": area_name(cell.area) if cell.area != "?" else say(Message("planning.area_unknown")),
        "category": category_name(cell.category),
        "people": cell.people,
        "is_gained": cell.is_gained,
        "unmet": words,
    }


# What was typed ----------------------------------------------------------------------------------


def _choices() -> dict[str, list[tuple[str, str]]]:
    """What each list of the form offers, beside leaving it as it is."""
    return {
        "sex": [
            ("all", _("Open to all")),
            ("female", _("Only women and girls")),
            ("male", _("Only men and boys")),
        ],
        "areas": [
            ("everywhere", _("Everywhere")),
            ("province", _("Its own province")),
            ("regency", _("Its own kab/kota")),
        ],
        "disability": [("all", _("Open to all"))],
        "room": [("capacity", _("Has room")), ("no-capacity", _("Full"))],
        "hours": [
            ("workdays", _("Monday to Friday, 8–16")),
            ("late", _("Monday to Friday, 8–21")),
            ("week", _("Every day, 8–16")),
            ("always", _("Day and night")),
        ],
    }


_HOURS: dict[str, tuple[list[str], str, str]] = {
    "workdays": (_DAYS, "08:00", "16:00"),
    "late": (_DAYS, "08:00", "21:00"),
    "week": (_WHOLE_WEEK, "08:00", "16:00"),
    "always": (_WHOLE_WEEK, "00:00", "24:00"),
}


def _values(service: Service, answers: Answers) -> dict[str, Any]:
    """What was typed as values of a listing, those alone that differ from what it says."""
    now = listings.values_of(service)
    chosen = {
        name: answers.choice(name, [value for value, _words in offered])
        for name, offered in _choices().items()
    }
    eligibility = dict(now["eligibility"])
    for name, most in (
        ("minimum_age", _OLDEST),
        ("maximum_age", _OLDEST),
        ("desil_max", _HIGHEST_DESIL),
    ):
        typed = answers.whole(name, 0 if most == _OLDEST else 1, most)
        if typed is not None:
            eligibility[name] = typed
    low, high = eligibility["minimum_age"], eligibility["maximum_age"]
    if low is not None and high is not None and low > high:
        answers.wrong("maximum_age", _("The upper age is below the lower one."))
    if chosen["sex"]:
        eligibility["sex"] = [] if chosen["sex"] == "all" else [chosen["sex"]]
    if chosen["disability"]:
        eligibility["disability"] = []
    values: dict[str, Any] = {"eligibility": eligibility}
    if chosen["areas"]:
        values["service_areas"] = _areas(service, chosen["areas"], answers)
    if chosen["room"]:
        known = {k: v for k, v in (now["capacity"] or {}).items() if k != "as_of"}
        nothing = {"available": None, "maximum": None, "until": None}
        values["capacity"] = {**nothing, **known, "status": chosen["room"], "until": None}
    if chosen["hours"]:
        days, opens, closes = _HOURS[chosen["hours"]]
        entry = {"days": days, "opens": opens, "closes": closes, "every": "week"}
        values["hours"] = [{**entry, "nth": [], "start": None}]
    return editing.changed(values, {name: now[name] for name in values})


def _areas(service: Service, chosen: str, answers: Answers) -> list[str]:
    if chosen == "everywhere":
        return [editing.EVERYWHERE]
    codes = (site.location.area_code for site in service.sites if site.location)
    regency = next((code for one in codes if (code := regency_of(one))), None)
    if regency is None:
        answers.wrong("areas", _("The listing does not say in which kab/kota it is."))
        return []
    return [regency if chosen == "regency" else regency.partition(".")[0]]
