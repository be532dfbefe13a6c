"""An agency's own listings, and the six things of one: confirmed or corrected in one tap each."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

from flask import abort, flash, g, redirect, render_template, request, session, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from referral.core.country import COUNTRY
from referral.core.text import day as day_words
from referral.directory.kinds import CapacityStatus
from referral.directory.models import Service
from referral.directory.queries import SHOWN, VERIFIED_DAYS
from referral.directory.upkeep import changes, desk, editing, verification
from referral.directory.upkeep.models import ChangeStatus, ListingChange
from referral.extensions import db
from referral.places.queries import gazetteer
from referral.web.access import requires
from referral.web.language import chosen
from referral.web.listings.door import (
    KEEPERS,
    Page,
    bp,
    facts,
    is_agency,
    is_own,
    kept,
    now,
    service_of,
    values_of,
)
from referral.web.listings.sections import CHECKED, SECTIONS

#: how long a check of the six things may take before it begins anew
CHECK_HOURS = 12
LONGEST_FULL_DAYS = 366


@bp.get("")
@requires("listing:edit")
def index() -> Page:
    """The agency's listings, the one checked longest ago first."""
    if not is_agency():
        abort(404)
    page = desk.of_organization(db.session, g.user.organization_id, page=_page())
    ids = [service.id for service in page.items]
    coming = desk.on_their_way(db.session, ids, by=g.user, now=now())
    return render_template(
        "listings/index.html",
        page=page,
        cards=[_card(service, coming.get(service.id, [])) for service in page.items],
        new=desk.new_listings(db.session, g.user.organization_id, by=g.user, now=now()),
        monday=_next_monday(),
        page_url=lambda number: url_for(".index", page=number),
    )


def _card(service: Service, coming: list[ListingChange]) -> dict[str, Any]:
    values = values_of(service)
    assured = service.assured_date
    return {
        "service": service,
        "days": (_today() - assured).days if assured else None,
        "is_old": assured is None or _today() - assured > timedelta(days=VERIFIED_DAYS),
        "is_offered": service.status in SHOWN,
        "draft": _unsent(_first(coming, ChangeStatus.DRAFT), values),
        "waiting": _first(coming, ChangeStatus.WAITING),
        "refused": _first(coming, ChangeStatus.REFUSED),
        "facts": [
            (SECTIONS[key].title, [line for _label, lines in said for line in lines])
            for key in CHECKED
            if (said := facts(SECTIONS[key].fields, values))
        ],
        "room": facts(("capacity",), values)[0][1],
        "is_full": (values["capacity"] or {}).get("status") == CapacityStatus.NO_CAPACITY,
    }


def _unsent(draft: ListingChange | None, values: dict[str, Any]) -> bool:
    """Whether something of a draft still differs from what the listing says."""
    typed = draft.values if draft else {}
    return bool(editing.changed({k: v for k, v in typed.items() if k in values}, values))


def _first(coming: list[ListingChange], status: ChangeStatus) -> ListingChange | None:
    return next((change for change in coming if change.status is status), None)


@bp.get("/<uuid:service_id>/check")
@requires(*KEEPERS)
def check(service_id: UUID) -> Page:
    """The six things to look at, each with what it says now."""
    subject, service = kept(service_id), service_of(service_id)
    right = _ticked(service_id)
    things = [
        {
            "section": SECTIONS[key],
            "facts": facts(SECTIONS[key].fields, subject.shown),
            "is_right": key in right,
            "is_changed": any(name in subject.drafted for name in SECTIONS[key].fields),
        }
        for key in CHECKED
    ]
    return render_template(
        "listings/check.html",
        subject=subject,
        service=service,
        things=things,
        about=facts(SECTIONS["about"].fields, subject.shown),
        left=sum(not (thing["is_right"] or thing["is_changed"]) for thing in things),
        is_offered=service.status in SHOWN,
        is_own=is_own(service),
    )


@bp.post("/<uuid:service_id>/check/<section>")
@requires(*KEEPERS)
def right(service_id: UUID, section: str) -> Page:
    """One of the six things is right; with the last of them the listing is checked."""
    service = service_of(service_id)
    if section not in CHECKED:
        abort(404)
    done = {*_ticked(service_id), section}
    changed = {
        key
        for key in CHECKED
        if any(name in kept(service_id).drafted for name in SECTIONS[key].fields)
    }
    if done >= set(CHECKED):
        return _confirm(service)
    _tick(service_id, done)
    left = [key for key in CHECKED if key not in done | changed]
    if not left:
        flash(_("All looked at. Now send what you changed."), "info")
        return redirect(url_for(".review_own", service_id=service_id), 303)
    return redirect(url_for(".check", service_id=service_id, _anchor=left[0]), 303)


@bp.post("/<uuid:service_id>/confirm")
@requires(*KEEPERS)
def confirm(service_id: UUID) -> Page:
    """All of it is still true."""
    return _confirm(service_of(service_id))


def _confirm(service: Service) -> Page:
    verification.confirm(db.session, service, by=g.user, now=now())
    db.session.commit()
    _tick(service.id, set())
    flash(_("Thank you. %(name)s is shown as checked today.", name=service.name), "good")
    return redirect(_home(service), 303)


@bp.post("/<uuid:service_id>/full")
@requires(*KEEPERS)
def full(service_id: UUID) -> Page:
    """No room up to and including a day."""
    service = service_of(service_id)
    until = _day_of(request.form.get("until", ""))
    if until is None:
        flash(_("Choose a day from today to a year from now."), "bad")
        return redirect(_home(service), 303)
    change = changes.full_until(
        db.session, service, until, gazetteer(db.session), by=g.user, now=now()
    )
    db.session.commit()
    if change.status is ChangeStatus.WAITING:
        flash(_("A curator looks at it first."), "wait")
    else:
        said = day_words(until, chosen())
        flash(
            _("%(name)s is full up to and including %(day)s.", name=service.name, day=said), "good"
        )
    return redirect(_home(service), 303)


@bp.post("/<uuid:service_id>/room")
@requires(*KEEPERS)
def room(service_id: UUID) -> Page:
    """There is room again."""
    service = service_of(service_id)
    change = _has_room(service)
    db.session.commit()
    if change is not None and change.status is ChangeStatus.WAITING:
        flash(_("A curator looks at it first."), "wait")
    else:
        flash(_("%(name)s has room again.", name=service.name), "good")
    return redirect(_home(service), 303)


@bp.post("/room")
@requires("listing:edit")
def room_of_all() -> Page:
    """Say of several of the agency's services at once whether they have room; one left as it is stays so."""
    said = {name: word for name, word in request.form.items() if word in ("full", "room")}
    until = _day_of(request.form.get("until", ""))
    if until is None and "full" in said.values():
        flash(_("Choose a day from today to a year from now."), "bad")
        return redirect(url_for(".index", _anchor="room-of-all"), 303)
    told = 0
    for service in desk.of_organization(db.session, g.user.organization_id, page=_page()).items:
        word = said.get(f"room-{service.id}")
        if word == "full" and until is not None:
            changes.full_until(
                db.session, service, until, gazetteer(db.session), by=g.user, now=now()
            )
        elif word == "room":
            _has_room(service)
        told += word is not None
    db.session.commit()
    flash(ngettext("Noted for one service.", "Noted for %(num)s services.", told), "good")
    return redirect(url_for(".index", page=_page()), 303)


def _has_room(service: Service) -> ListingChange | None:
    """There is room again, with the most it can hold as it was."""
    before = values_of(service)["capacity"]
    value = {
        "status": CapacityStatus.CAPACITY.value,
        "available": None,
        "maximum": (before or {}).get("maximum"),
        "until": None,
    }
    return changes.edit(
        db.session,
        service.id,
        {"capacity": value},
        gazetteer(db.session),
        seen={"capacity": before},
        by=g.user,
        now=now(),
    )


def _day_of(typed: str) -> date | None:
    """A day until which a service may be full; None for any other."""
    try:
        until = date.fromisoformat(typed)
    except ValueError:
        return None
    return until if _today() <= until <= _today() + timedelta(days=LONGEST_FULL_DAYS) else None


def _page() -> int:
    """Which page of the list."""
    return request.values.get("page", 1, type=int)


def _home(service: Service) -> str:
    """Where a person keeps this listing from: their agency's list, or the listing itself."""
    if is_own(service):
        return url_for(".index")
    return url_for("directory.show", service_id=service.id)


def _today() -> date:
    return COUNTRY.day_of(now())


def _next_monday() -> date:
    today = _today()
    return today + timedelta(days=7 - today.weekday())


# What was found right so far is kept in the browser's own cookie: codes of sections, of one listing at a time.


def _ticked(service_id: UUID) -> set[str]:
    kept_in_cookie = session.get("listing_check") or {}
    since = kept_in_cookie.get("since", 0)
    is_this = kept_in_cookie.get("listing") == str(service_id)
    if not is_this or now().timestamp() - since > CHECK_HOURS * 3600:
        return set()
    return set(kept_in_cookie.get("right", ())) & set(CHECKED)


def _tick(service_id: UUID, right: set[str]) -> None:
    if not right:
        session.pop("listing_check", None)
        return
    session["listing_check"] = {
        "listing": str(service_id),
        "right": sorted(right),
        "since": int(now().timestamp()),
    }
