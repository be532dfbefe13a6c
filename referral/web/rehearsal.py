"""What a change of a listing's rules would have meant for those who asked, before anybody makes it: counts alone."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from flask import Blueprint, abort, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from referral.core.db import take_write_lock
from referral.core.errors import NotFound
from referral.core.text import Message
from referral.directory.models import Service
from referral.directory.upkeep import editing, listings
from referral.directory.upkeep.publishing import Maker
from referral.extensions import db
from referral.planning.disclosure.cells import Shown
from referral.planning.gaps.models import Audience
from referral.planning.rehearsal import rehearsing
from referral.planning.rehearsal.rehearsing import GapCell, Rehearsal
from referral.web.access import may, requires
from referral.web.answers import Answers
from referral.web.formatting import capital, say
from referral.web.gaps.words import quarter_words
from referral.web.listings.door import (
    Page,
    area_words,
    in_words,
    is_own,
    kept,
    lines,
    lists,
    values_of,
)
from referral.web.listings.edit import parts, press
from referral.web.listings.sections import filled, read
from referral.web.naming import area_name, category_name

bp = Blueprint("rehearsal", __name__, url_prefix="/rehearsal")

#: what is tried in the fields of a listing's own form; room is asked for in one
_FIELDS = ("eligibility", "service_areas", "hours")
#: a trial with more rules than this is shown, but its address would be too long to be sent
_LONGEST_ADDRESS = 3_000


@bp.get("/<uuid:service_id>")
@requires("rule:rehearse")
def show(service_id: UUID) -> Page:
    """Try other rules on a listing: a planner any public one, an agency its own. The address names the rules."""
    service = _open_to_them(service_id)
    now = values_of(service)
    tried = _named(now)
    answers = filled(_FIELDS, now | tried)
    answers.given["room"] = (tried.get("capacity") or {}).get("status", "")
    return _page(service, tried, answers)


@bp.post("/<uuid:service_id>")
@requires("rule:rehearse")
def ask(service_id: UUID) -> Page:
    """Do what a row's button says, or try the rules of the form. Nothing is changed by it."""
    service = _open_to_them(service_id)
    answers = Answers(MultiDict(request.form))
    if deed := request.form.get("do", ""):
        return _page(service, {}, answers, focus=press(answers.given, deed))
    tried = _typed(values_of(service), answers)
    if answers.errors:
        return _page(service, {}, answers)
    if not tried:
        flash(_("Nothing is different from the listing yet. Change a rule, then try it."), "info")
    rules = json.dumps(tried, separators=(",", ":"))
    if len(rules) > _LONGEST_ADDRESS:
        return _page(service, tried, answers)
    return redirect(url_for(".show", service_id=service_id, rules=rules if tried else None), 303)


@bp.get("/<uuid:service_id>/draft")
@requires("rule:rehearse")
def draft(service_id: UUID) -> Page:
    """Try what somebody who keeps the listing has changed and not sent."""
    subject = kept(service_id)
    rules = {name: value for name, value in subject.drafted.items() if name in rehearsing.RULES}
    if subject.service is None or not rules:
        raise NotFound("listing.change.unknown")
    return _page(subject.service, rules, None)


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


def _page(
    service: Service, tried: Mapping[str, Any], answers: Answers | None, *, focus: str = ""
) -> Page:
    """What was tried with what it would have meant, and the form; without answers it has none."""
    found = _rehearsed(service.id, tried) if tried else None
    now = values_of(service)
    page = render_template(
        "rehearsal/show.html",
        service=service,
        found=found,
        net=found.tried.after - found.tried.before if found else 0,
        cells=[_cell(cell) for cell in found.cells] if found else [],
        reasons=[
            (capital(say(Message(f"rehearsal.rule.{rule}"))), people)
            for rule, people in found.tried.because.most_common()
        ]
        if found
        else [],
        differences=[
            (say(one.label), lines(one.before), lines(one.after))
            for one in editing.differences(now, tried, area_words)
        ],
        quarters=[quarter_words(code) for code in found.quarters] if found else [],
        focus=focus,
        now={name: in_words(name, now[name]) for name in (*_FIELDS, "capacity")},
        **(parts(answers) if answers else {"answers": None}),
    )
    return page, answers.status if answers else 200


def _cell(cell: GapCell) -> dict[str, Any]:
    told = cell.told
    where: dict[str, Any] = {"category": cell.category, "in": cell.area.partition(".")[0]}
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
        "url": url_for("gaps.index", **where) if may("gap:read") else None,
    }


# Which rules -------------------------------------------------------------------------------------


def _named(now: Mapping[str, Any]) -> dict[str, Any]:
    """Values of a listing that the address names, those alone that differ from what it says."""
    try:
        raw = json.loads(request.args.get("rules", "{}"))
    except (ValueError, RecursionError):
        abort(400)
    if not isinstance(raw, dict) or set(raw) - set(rehearsing.RULES):
        abort(400)
    values, findings = editing.read(raw, lists())
    if findings:
        abort(400)
    return editing.changed(values, now)


def _typed(now: Mapping[str, Any], answers: Answers) -> dict[str, Any]:
    """Values of the form that differ from what the listing says. What is wrong waits at its field."""
    tried = editing.changed(read(answers, _FIELDS, now, lists()), now)
    if "hours" in tried and now["hours_until"]:
        tried["hours_until"] = None  # other hours are not over when these are
    room = answers.choice("room", ("capacity", "no-capacity"))
    if room not in (None, (now["capacity"] or {}).get("status")):
        tried["capacity"] = {**dict.fromkeys(("available", "maximum", "until")), "status": room}
    return tried
