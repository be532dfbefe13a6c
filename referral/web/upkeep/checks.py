"""Checking listings: a curator's queue with numbers to call, and the one tap of a broker who called anyway."""

from typing import Any
from uuid import UUID

from flask import flash, g, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from markupsafe import Markup

from referral.core.errors import Invalid, JejaringError, NotAllowed
from referral.core.text import Message
from referral.directory import queries
from referral.directory.kinds import ServiceStatus
from referral.directory.upkeep import checking, links, verification
from referral.extensions import db
from referral.places.queries import gazetteer
from referral.web.access import requires
from referral.web.answers import Answers
from referral.web.directory import phone_of, service_page
from referral.web.formatting import say
from referral.web.upkeep.door import Page, bp, now, public_url

#: letters written by one press
LETTERS = 20
_STILL_TRUE = "still_true"


@bp.get("/checks")
@requires("listing:approve")
def checks() -> Page:
    """Listings to check by phone, most used and longest unchecked first."""
    page = checking.due(db.session, today=now().date(), page=request.args.get("page", 1, type=int))
    return render_template(
        "upkeep/checks.html",
        page=page,
        phones={
            one.listing.service.id: [phone_of(phone) for phone in one.listing.service.phones]
            for one in page.items
        },
        why_no_letters=None if public_url() else say(Message("upkeep.mail.no_public_url")),
        letters=LETTERS,
        never_days=checking.NEVER_CHECKED_DAYS,
        page_url=lambda number: url_for(".checks", page=number),
    )


@bp.post("/checks/<uuid:service_id>")
@requires("listing:approve")
def check(service_id: UUID) -> Page:
    """Write down what a curator heard by phone: still true, closed for good, or closed for a while."""
    service = queries.get(db.session, service_id).service
    name, said = service.name, request.form.get("said")
    try:
        if said == _STILL_TRUE:
            verification.confirm(db.session, service, by=g.user, now=now())
        elif said in (ServiceStatus.DEFUNCT, ServiceStatus.TEMPORARILY_CLOSED):
            verification.found_closed(
                db.session,
                service,
                ServiceStatus(said),
                gazetteer(db.session),
                by=g.user,
                now=now(),
            )
        else:
            raise Invalid("upkeep.check.said", field="said")
    except JejaringError as error:
        db.session.rollback()
        flash(say(error.message), "bad")
    else:
        db.session.commit()
        if said == _STILL_TRUE:
            flash(_("Noted: %(name)s is still true.", name=name), "good")
        else:
            link = Markup('{} <a href="{}">{}</a>').format(
                _("Noted: %(name)s is closed.", name=name),
                url_for("listings.history", service_id=service_id),
                _("A mistake? Take it back in its history."),
            )
            flash(link, "good")
    return redirect(url_for(".checks", page=request.form.get("page", 1, type=int)), 303)


@bp.post("/checks/<uuid:service_id>/ask")
@requires("listing:approve")
def ask(service_id: UUID) -> Page:
    """Write to the agency of one listing."""
    queries.get(db.session, service_id)
    try:
        links.ask_about(db.session, service_id, public_url=public_url(), now=now())
    except NotAllowed as error:
        db.session.rollback()
        flash(say(error.message), "bad")
    else:
        db.session.commit()
        flash(_("The letter will leave in a minute."), "good")
    return redirect(url_for(".checks", page=request.form.get("page", 1, type=int)), 303)


@bp.post("/checks/ask")
@requires("listing:approve")
def ask_many() -> Page:
    """Write to the agencies of the listings that most need it."""
    try:
        asked = links.ask_to_verify(db.session, public_url=public_url(), limit=LETTERS, now=now())
    except NotAllowed as error:
        db.session.rollback()
        flash(say(error.message), "bad")
        return redirect(url_for(".checks"), 303)
    db.session.commit()
    flash(
        ngettext(
            "%(num)s letter will leave in a minute.",
            "%(num)s letters will leave in a minute.",
            len(asked),
        ),
        "good" if asked else "info",
    )
    return redirect(url_for(".checks"), 303)


@bp.post("/services/<uuid:service_id>/confirm")
@requires("match:run", "listing:approve")
def confirm(service_id: UUID) -> Page:
    """Note in one tap that a listing is true: a broker has just spoken with them."""
    said = _("Thank you: the listing now says that it was checked today.")
    return _noted(service_id, Answers(), said, verification.confirm)


@bp.post("/services/<uuid:service_id>/number")
@requires("match:run", "listing:approve")
def add_number(service_id: UUID) -> Page:
    """Add the number by which a listing was reached."""
    answers = Answers(request.form)
    said = _("Thank you: the number is in the listing, which now says that it was checked today.")
    return _noted(service_id, answers, said, verification.add_number, answers.shown("number"))


def _noted(service_id: UUID, answers: Answers, said: str, operation: Any, *values: str) -> Page:
    service = queries.get(db.session, service_id).service
    try:
        operation(db.session, service, *values, by=g.user, now=now())
    except (Invalid, NotAllowed) as error:
        db.session.rollback()
        answers.wrong(error.field or "number", say(error.message))
        listing = queries.get(db.session, service_id)
        return service_page(listing, answers=answers), answers.status
    db.session.commit()
    flash(said, "good")
    return redirect(url_for("directory.show", service_id=service_id), 303)
