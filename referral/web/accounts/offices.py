"""Offices: where they work and how fast answers can be expected there."""

from datetime import UTC, datetime
from uuid import UUID

from flask import flash, g, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import select

from referral.accounts import operations, queries
from referral.accounts.models import ClockProfile, Office
from referral.core.country import COUNTRY
from referral.core.errors import Invalid
from referral.core.text import Message
from referral.extensions import db
from referral.places.models import Place
from referral.web.access import requires
from referral.web.accounts.door import Page, bp, refused
from referral.web.answers import Answers
from referral.web.formatting import label, say

TIME_ZONES = tuple(COUNTRY.time_zones)


@bp.get("/offices")
@requires("office:manage")
def offices() -> Page:
    """Every office."""
    return render_template(
        "accounts/offices.html", offices=queries.offices(db.session), area_names=dict(_areas())
    )


@bp.route("/offices/new", methods=["GET", "POST"])
@requires("office:manage")
def new_office() -> Page:
    """Open an office."""
    return _office_page(None)


@bp.route("/offices/<uuid:office_id>", methods=["GET", "POST"])
@requires("office:manage")
def office(office_id: UUID) -> Page:
    """Change an office."""
    return _office_page(queries.get_office(db.session, office_id))


def _office_page(existing: Office | None) -> Page:
    answers = Answers.of(
        name=existing.name if existing else None,
        area_code=existing.area_code if existing else None,
        time_zone=existing.time_zone if existing else TIME_ZONES[0],
        clock_profile=(existing.clock_profile if existing else ClockProfile.CITY).value,
    )
    areas = _areas()
    if request.method == "POST":
        for name in ("name", "area_code", "time_zone", "clock_profile"):
            answers.given[name] = request.form.get(name, "").strip()
        _check_office(answers, {code for code, _name in areas})
        if not answers.errors and _save_office(existing, answers):
            flash(_("Saved."), "good")
            return redirect(url_for(".offices"), 303)
    page = render_template(
        "accounts/office.html",
        office=existing,
        answers=answers,
        areas=areas,
        zones=[(zone, label(f"accounts.zone.{zone}")) for zone in TIME_ZONES],
        profiles=[(one.value, label(f"accounts.profile.{one}")) for one in ClockProfile],
    )
    return page, answers.status


def _check_office(answers: Answers, areas: set[str]) -> None:
    if answers.shown("area_code") not in areas | {""}:
        answers.wrong("area_code", say(Message("accounts.office.area")))
    if answers.shown("time_zone") not in TIME_ZONES:
        answers.wrong("time_zone", say(Message("accounts.office.zone")))
    if answers.shown("clock_profile") not in set(ClockProfile):
        answers.wrong("clock_profile", say(Message("accounts.office.profile")))


def _save_office(existing: Office | None, answers: Answers) -> bool:
    values = {
        "name": answers.shown("name"),
        "area_code": answers.shown("area_code") or None,
        "time_zone": answers.shown("time_zone"),
        "clock_profile": ClockProfile(answers.shown("clock_profile")),
        "by": g.user,
        "now": datetime.now(UTC),
    }
    try:
        if existing is None:
            operations.create_office(db.session, **values)
        else:
            operations.change_office(db.session, existing, **values)
    except Invalid as error:
        db.session.rollback()
        refused(answers, error)
        return False
    db.session.commit()
    return True


def _areas() -> list[tuple[str, str]]:
    """Every regency and city of the gazetteer: (code, name)."""
    rows = db.session.execute(
        select(Place.code, Place.name).where(Place.level == 2).order_by(Place.name, Place.code)
    )
    return [(code, f"{name} ({code})") for code, name in rows]
