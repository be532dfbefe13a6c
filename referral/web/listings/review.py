"""What waits for a curator: a queue, each change with what it replaces beside it, and a decision field by field."""

import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from flask import abort, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext as _
from markupsafe import Markup

from referral.core.errors import Invalid, NotFound, Stale
from referral.core.text import Message, named
from referral.directory import queries as directory
from referral.directory import words
from referral.directory.duplicates import unlisted
from referral.directory.duplicates.queries import waiting_with
from referral.directory.duplicates.unlisted import Unlisted
from referral.directory.models import Organization, Service
from referral.directory.upkeep import changes, desk, editing, listings
from referral.directory.upkeep.models import ChangeStatus, ListingChange
from referral.directory.upkeep.publishing import LONGEST_NOTE
from referral.extensions import db
from referral.places.queries import gazetteer
from referral.web.access import requires
from referral.web.answers import Answers
from referral.web.formatting import label, say
from referral.web.listings.door import Page, area_words, bp, lines, now
from referral.web.listings.stale import conflicts_of


@bp.get("/review")
@requires("listing:approve")
def review() -> Page:
    """Changes that wait, oldest first."""
    page = desk.waiting(db.session, page=request.args.get("page", 1, type=int))
    return render_template(
        "listings/review.html",
        page=page,
        cards=_cards(page.items),
        page_url=lambda number: url_for(".review", page=number),
    )


def _cards(waiting: Sequence[ListingChange]) -> list[dict[str, Any]]:
    names = desk.names_of(db.session, waiting)
    return [
        {
            "change": change,
            "name": names.get(change.service_id) or change.values.get("name") or _("New listing"),
            "organization": names.get(change.organization_id) or change.values.get("organization"),
            "kind": label(f"listing.kind.{change.kind}"),
            "role": role_words(change.made_by_role),
            "fields": [say(editing.FIELDS[name].label) for name in _ordered(change.values)],
        }
        for change in waiting
    ]


def role_words(role: str) -> str:
    """As whom somebody wrote something; never who."""
    found = named(f"upkeep.said_by.{role}", role)
    return say(found) if isinstance(found, Message) else found


def _ordered(values: dict[str, Any]) -> list[str]:
    return [name for name in editing.FIELDS if name in values]


def _service(change: ListingChange) -> Service | None:
    return listings.get(db.session, change.service_id) if change.service_id else None


def _organization(change: ListingChange) -> Organization | None:
    if change.organization_id is None:
        return None
    return db.session.get(Organization, change.organization_id)


@bp.get("/review/<uuid:change_id>")
@requires("listing:approve")
def decide(change_id: UUID) -> Page:
    """One change: what the listing says now beside what it would say."""
    return _page(desk.get_change(db.session, change_id), Answers())


def _page(change: ListingChange, answers: Answers, *, conflicts: list[Any] | None = None) -> Page:
    service, organization = _service(change), _organization(change)
    current = listings.values_of(service) if service else {}
    hidden = [name for name in change.values if service is not None and name not in current]
    shown = {name: value for name, value in change.values.items() if name not in hidden}
    before = current if service else editing.empty_values()
    stale = {conflict.field: conflict for conflict in conflicts or ()}
    differences = [
        {
            "field": one.field,
            "label": say(one.label),
            "before": lines(one.before),
            "after": lines(one.after),
            "seen": stale[one.field].lines["seen"] if one.field in stale else None,
        }
        for one in editing.differences(before, shown, area_words)
    ]
    listed = [str(one["field"]) for one in differences]
    page = render_template(
        "listings/decide.html",
        change=change,
        service=service,
        organization=organization,
        name=service.name if service else change.values.get("name") or "",
        organization_name=organization.name if organization else change.values.get("organization"),
        differences=differences,
        same=[say(editing.FIELDS[n].label) for n in _ordered(shown) if n not in listed],
        hidden=[say(editing.FIELDS[n].label) for n in _ordered(change.values) if n in hidden],
        chosen=answers.chosen("fields") if answers.given else [*listed, *hidden],
        hidden_fields=hidden,
        seen=json.dumps({name: before.get(name) for name in listed}, sort_keys=True),
        role=role_words(change.made_by_role),
        kind=label(f"listing.kind.{change.kind}"),
        waits=change.status is ChangeStatus.WAITING,
        answers=answers,
        conflicts=conflicts or [],
        twins=_twins(change) if change.status is ChangeStatus.WAITING else [],
    )
    return page, 409 if conflicts else answers.status


def _twins(change: ListingChange) -> list[dict[str, Any]]:
    """Listings that a new one may be the same as, with what speaks for it."""
    if change.service_id is not None or not change.values.get("name"):
        return []
    found = unlisted.twins(db.session, _as_unlisted(change))
    there = directory.by_ids(db.session, [service_id for service_id, _judged in found])
    places = gazetteer(db.session)
    return [
        {
            "id": service_id,
            "name": there[service_id].service.name,
            "organization": there[service_id].organization.name,
            "where": sorted(
                {words.place_name(places, site.area_code) for site in there[service_id].sites}
                - {""}
            ),
            "reasons": [say(one.message) for one in judged.reasons if one.points > 0],
        }
        for service_id, judged in found
        if service_id in there
    ]


def _as_unlisted(change: ListingChange) -> Unlisted:
    values = change.values
    point = values.get("point") or {}
    return Unlisted(
        name=values["name"],
        organization_id=change.organization_id,
        categories=values.get("categories") or (),
        numbers=[one["number"] for one in values.get("phones") or ()],
        email=values.get("email"),
        url=values.get("url"),
        point=(point["lat"], point["lon"]) if point else None,
        precision_km=point.get("precision_km", 0.0),
        area_code=values.get("area_code"),
        address=(values.get("address") or {}).get("address_1"),
    )


@bp.post("/review/<uuid:change_id>/approve")
@requires("listing:approve")
def approve(change_id: UUID) -> Page:
    """Publish the fields that were chosen; the others are refused."""
    change = desk.get_change(db.session, change_id)
    answers = Answers(request.form)
    chosen = [name for name in answers.chosen("fields") if name in change.values]
    note = answers.text("note", longest=LONGEST_NOTE)
    if not chosen:
        answers.wrong("fields", _("Choose what to publish, or refuse all of it."))
    elif len(chosen) < len(_counted(change)) and not note:
        answers.wrong("note", _("Say why you leave some of it out: the sender reads it."))
    if answers.errors:
        return _page(change, answers)
    was_there = change.service_id is not None
    try:
        changes.approve(
            db.session,
            change,
            gazetteer(db.session),
            by=g.user,
            now=now(),
            fields=[*chosen, *_unsaid(change)],
            seen=_seen(),
            note=note,
        )
        pairs = [] if was_there else waiting_with(db.session, change.service_id)
    except Stale as error:
        conflicts = conflicts_of(error)
        db.session.rollback()
        return _page(desk.get_change(db.session, change_id), answers, conflicts=conflicts)
    except Invalid as error:
        db.session.rollback()
        answers.wrong("fields", say(error.message))
        return _page(desk.get_change(db.session, change_id), answers)
    db.session.commit()
    flash(
        Markup('{} <a href="{}">{}</a>').format(
            _("Published. The next match uses it."),
            url_for(".history", service_id=change.service_id),
            _("A mistake? Take it back in its history."),
        ),
        "good",
    )
    if pairs:
        flash(_("It may be the same as a listing that was there before. Compare the two."), "wait")
        return redirect(url_for("duplicates.show", pair_id=pairs[0].id), 303)
    return redirect(url_for(".review"), 303)


def _counted(change: ListingChange) -> set[str]:
    """The fields of which a curator decides: those that differ, and those that only the agency may read."""
    return set(change.values) - set(_unsaid(change))


def _unsaid(change: ListingChange) -> list[str]:
    """Fields that already say what the change wants: nothing to decide."""
    service = _service(change)
    current = listings.values_of(service) if service else editing.empty_values()
    return [
        name
        for name, value in change.values.items()
        if name in current and editing.is_same(name, value, current[name])
    ]


def _seen() -> dict[str, Any]:
    """What the curator had before them, as it travelled with the form."""
    try:
        seen = json.loads(request.form.get("seen", ""))
    except ValueError:
        abort(400)
    return seen if isinstance(seen, dict) else {}


@bp.post("/review/<uuid:change_id>/refuse")
@requires("listing:approve")
def refuse(change_id: UUID) -> Page:
    """Say no, and why."""
    change = desk.get_change(db.session, change_id)
    answers = Answers(request.form)
    note = answers.text("refusal", longest=LONGEST_NOTE)
    answers.require("refusal", note, _("Say why: the sender reads it."))
    if answers.errors:
        return _page(change, answers)
    changes.refuse(db.session, change, note=note or "", by=g.user, now=now())
    db.session.commit()
    flash(_("Refused. Whoever sent it reads why."), "info")
    return redirect(url_for(".review"), 303)


@bp.post("/organizations/<uuid:organization_id>/trust")
@requires("listing:approve")
def trust(organization_id: UUID) -> Page:
    """Let an organization publish at once, or no longer."""
    organization = db.session.get(Organization, organization_id)
    if organization is None:
        raise NotFound("directory.unknown_service")
    trusted = request.form.get("trusted") == "yes"
    desk.set_trusted(db.session, organization, trusted, by=g.user, now=now())
    db.session.commit()
    if trusted:
        said = _("%(name)s publishes its own changes at once from now on.", name=organization.name)
    else:
        said = _("Changes by %(name)s wait for a curator again.", name=organization.name)
    flash(said, "good")
    back = request.form.get("change", "")
    try:
        return redirect(url_for(".decide", change_id=UUID(back)), 303)
    except ValueError:
        return redirect(url_for(".review"), 303)
