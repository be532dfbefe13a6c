"""What a person changed, old and new side by side, before anybody else sees it: sent, kept or thrown away."""

from typing import Any
from uuid import UUID

from flask import flash, g, redirect, render_template, request, url_for
from flask_babel import gettext as _

from referral.core.errors import NotFound, Stale
from referral.directory.upkeep import changes, editing
from referral.directory.upkeep.editing import Difference, InvalidListing
from referral.directory.upkeep.models import ChangeStatus, ListingChange
from referral.extensions import db
from referral.places.queries import gazetteer
from referral.planning.rehearsal.rehearsing import RULES
from referral.web.access import may, requires
from referral.web.formatting import say
from referral.web.listings.door import (
    KEEPERS,
    Kept,
    Page,
    area_words,
    bp,
    is_own,
    keep,
    kept,
    lines,
    now,
)
from referral.web.listings.sections import section_of
from referral.web.listings.stale import conflicts_of, stale_page


def told(difference: Difference) -> dict[str, Any]:
    """A difference as pages show it."""
    return {
        "field": difference.field,
        "label": say(difference.label),
        "before": lines(difference.before),
        "after": lines(difference.after),
    }


@bp.get("/<uuid:service_id>/changes")
@bp.get("/new", defaults={"service_id": None})
@requires(*KEEPERS)
def review_own(service_id: UUID | None) -> Page:
    """You change these things: old and new in words, and how to send them."""
    return _page(kept(service_id))


def _page(subject: Kept, errors: dict[str, str] | None = None) -> Page:
    found = editing.differences(subject.values, subject.drafted, area_words)
    page = render_template(
        "listings/changes.html",
        subject=subject,
        errors=errors or {},
        rehearsable=may("rule:rehearse")
        and subject.service is not None
        and any(one.field in RULES for one in found),
        differences=[
            told(one) | {"section": section_of(one.field), "error": (errors or {}).get(one.field)}
            for one in found
        ],
        missing=[
            say(editing.FIELDS[name].label)
            for name in ("name", "organization", "categories")
            if subject.service is None and name in subject.values and not subject.shown[name]
        ],
        back=url_for(".check", service_id=subject.service_id)
        if subject.service_id
        else url_for(".index"),
    )
    return page, 422 if errors else 200


@bp.post("/<uuid:service_id>/changes")
@bp.post("/new", defaults={"service_id": None})
@requires(*KEEPERS)
def send(service_id: UUID | None) -> Page:
    """Publish what was changed, or queue it for a curator."""
    subject = kept(service_id)
    if subject.draft is None:
        flash(_("There is nothing to send."), "info")
        return redirect(url_for(".review_own", service_id=service_id), 303)
    note = request.form.get("note", "").strip()
    if note:
        changes.save_draft(
            db.session, subject.draft, {}, seen={}, by=g.user, now=now(), note=note[:1000]
        )
        db.session.commit()
    try:
        change = changes.submit(
            db.session, subject.draft, gazetteer(db.session), by=g.user, now=now()
        )
    except InvalidListing as error:
        db.session.rollback()
        errors = {one.field.partition(".")[0]: say(one.message) for one in error.findings}
        return _page(kept(service_id), errors)
    except Stale as error:
        db.session.rollback()
        return stale_page(kept(service_id), conflicts_of(error))
    db.session.commit()
    return redirect(_after(change), 303)


def _after(change: ListingChange | None) -> str:
    if change is None:
        flash(_("Nothing was different, so nothing was sent."), "info")
    elif change.status is ChangeStatus.WAITING:
        flash(_("Sent. A curator looks at it; until then the listing stays as it was."), "wait")
    else:
        flash(_("Published. Everybody sees it now."), "good")
    service_id = change.service_id if change else None
    if service_id is None or is_own(kept(service_id).service):  # type: ignore[arg-type]
        return url_for(".index") if g.user.organization_id else url_for(".review")
    return url_for("directory.show", service_id=service_id)


@bp.post("/<uuid:service_id>/changes/drop")
@bp.post("/new/drop", defaults={"service_id": None})
@requires(*KEEPERS)
def drop(service_id: UUID | None) -> Page:
    """Take one field out of the draft, or throw the whole draft away."""
    subject = kept(service_id)
    if subject.draft is None:
        raise NotFound("listing.change.unknown")
    name = request.form.get("field")
    if name is None:
        changes.discard(db.session, subject.draft, by=g.user)
        flash(_("The draft is gone."), "info")
    elif name in subject.values:
        keep(subject, {name: subject.values[name]}, seen=subject.values)
    db.session.commit()
    back = ".review_own" if name and kept(service_id).drafted else ".check"
    if service_id is None:
        back = ".review_own"
    return redirect(url_for(back, service_id=service_id), 303)


@bp.post("/changes/<uuid:change_id>/withdraw")
@requires(*KEEPERS)
def withdraw(change_id: UUID) -> Page:
    """Take back a change that still waits."""
    change = db.session.get(ListingChange, change_id)
    if change is None:
        raise NotFound("listing.change.unknown")
    changes.withdraw(db.session, change, by=g.user, now=now())
    db.session.commit()
    flash(_("Taken back. The listing stays as it was."), "info")
    if change.service_id is None:
        return redirect(url_for(".index"), 303)
    return redirect(url_for(".check", service_id=change.service_id), 303)
