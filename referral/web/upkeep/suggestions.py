"""Suggestions: anyone says what should be different in a listing, or which one is missing."""

from typing import Any
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from referral.changes.actors import PUBLIC
from referral.core.errors import Invalid, NotAllowed
from referral.core.text import listed
from referral.directory import queries
from referral.directory.queries import Listing
from referral.directory.reference import taxonomy
from referral.directory.upkeep import suggestions
from referral.directory.upkeep.editing import FIELDS
from referral.directory.upkeep.listings import values_of
from referral.directory.upkeep.suggestions import CORRECTED, STATUSES, NewListing, Typed
from referral.extensions import db
from referral.places.gazetteer import Gazetteer, PlaceNotClear
from referral.places.queries import gazetteer
from referral.web.access import public
from referral.web.answers import LONG, Answers
from referral.web.formatting import label, labelled, say
from referral.web.language import chosen
from referral.web.naming import searchable_categories
from referral.web.upkeep.door import HONEYPOT, Page, bp, has_sent, is_machine, not_now, now, pause


@bp.route("/services/<uuid:service_id>/suggest", methods=["GET", "POST"])
@public
def suggest(service_id: UUID) -> Page:
    """Say what one field of a listing should be."""
    listing = queries.get(db.session, service_id)
    answers = Answers(request.form) if request.method == "POST" else filled(listing)
    status = 200
    if request.method == "POST":
        if is_machine():
            return redirect(url_for("directory.show", service_id=service_id), 303)
        try:
            pause()
            suggestions.correct(
                db.session,
                listing.service,
                typed(answers),
                gazetteer(db.session),
                by=PUBLIC,
                now=now(),
            )
        except NotAllowed as error:
            db.session.rollback()
            listing = queries.get(db.session, service_id)
            status = not_now(error)
        except Invalid as error:
            db.session.rollback()
            listing = queries.get(db.session, service_id)
            answers.wrong(error.field or "text", say(error.message))
            status = 422
        else:
            return _thanks(url_for("directory.show", service_id=service_id))
    shown = form_of(listing, answers)
    return render_template("upkeep/suggest.html", listing=listing, answers=answers, **shown), status


@bp.route("/directory/suggest", methods=["GET", "POST"])
@public
def suggest_new() -> Page:
    """Name a service that the directory does not have."""
    answers = Answers(request.form)
    status = 200
    if request.method == "POST":
        if is_machine():
            return redirect(url_for("directory.index"), 303)
        places = gazetteer(db.session)
        try:
            pause()
            new = _new(answers, places)
            if not answers.errors:
                suggestions.add(db.session, new, places, by=PUBLIC, now=now())
        except NotAllowed as error:
            db.session.rollback()
            status = not_now(error)
        except Invalid as error:
            db.session.rollback()
            field = (error.field or "name").split(".")[0]
            answers.wrong(field if field in _NEW else "name", say(error.message))
            status = 422
        else:
            if not answers.errors:
                return _thanks(url_for("directory.index"))
            status = 422
    page = render_template(
        "upkeep/suggest_new.html",
        answers=answers,
        categories=[(group, leaves[1:]) for group, leaves in searchable_categories()],
        honeypot=HONEYPOT,
    )
    return page, status


_NEW = ("name", "organization", "category", "place", "address", "phones", "hours", "description")


def filled(listing: Listing) -> Answers:
    """The form before anything was typed: the field that the address names, with what it says now."""
    values = values_of(listing.service)
    field = request.args.get("field", CORRECTED[0])
    field = field if field in CORRECTED and field in values else CORRECTED[0]
    return Answers.of(field=field, text=_as_text(field, values[field]), status=values["status"])


def _as_text(field: str, value: Any) -> str:
    """What the box holds before anything was typed: what the listing says, where that can be typed."""
    if field == "phones":
        return "\n".join(
            f"{one['number']} ext {one['extension']}" if one["extension"] else one["number"]
            for one in value
        )
    if field == "address":
        return value["address_1"] if value else ""
    return value if field in suggestions.WORDS and value else ""


def typed(answers: Answers) -> Typed:
    """What was typed, as the operation takes it."""
    field = answers.shown("field")
    text = answers.shown("status") if field == "status" else answers.shown("text")
    return Typed(field, text.replace("\r\n", "\n"))


def form_of(listing: Listing, answers: Answers) -> dict[str, Any]:
    """What the form of a correction shows beside what was typed."""
    values = values_of(listing.service)
    field = answers.shown("field")
    field = field if field in CORRECTED and field in values else CORRECTED[0]
    places = gazetteer(db.session)

    def name(code: str) -> str:
        return places.label(code).split(", ")[0] if code in places else code

    return {
        "service": listing.service,
        "field": field,
        "field_label": say(FIELDS[field].label),
        "fields": labelled([one for one in CORRECTED if one in values], "listing.field"),
        "now_says": [say(line) for line in FIELDS[field].say(values[field], name)],
        "statuses": [(one.value, label(f"directory.status.{one}")) for one in STATUSES],
        "honeypot": HONEYPOT,
    }


def _new(answers: Answers, places: Gazetteer) -> NewListing:
    category = answers.shown("category")
    known = {
        term.code for domain in taxonomy().domains() for term in taxonomy().leaves(domain.code)
    }
    if category and category not in known:
        answers.wrong("category", _("Choose a kind of help from the list."))
    area = None
    if place := answers.shown("place").strip():
        try:
            area = places.resolve(place).code
        except PlaceNotClear as error:
            candidates = listed([one["name"] for one in error.candidates][:5], chosen())
            said = say(error.message)
            answers.wrong("place", f"{said} {candidates}" if candidates else said)
    texts = ("name", "organization", "address", "phones", "hours", "description")
    return NewListing(
        **{name: answers.text(name, longest=LONG) or "" for name in texts},
        categories=(category,) if category else (),
        area_code=area,
    )


def _thanks(back: str) -> Page:
    db.session.commit()
    has_sent()
    flash(_("Thank you. A curator looks at what you wrote."), "good")
    return redirect(back, 303)
