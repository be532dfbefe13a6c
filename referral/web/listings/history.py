"""What was changed of a listing, by which role, and how it is taken back."""

from typing import Any
from uuid import UUID

from flask import flash, g, redirect, render_template, request, url_for
from flask_babel import gettext as _

from referral.core.errors import Invalid, NotFound, Stale
from referral.directory.upkeep import changes, desk, editing
from referral.directory.upkeep.history import Entry, entries, get_record
from referral.directory.upkeep.models import ChangeKind, ChangeStatus, ListingChange
from referral.extensions import db
from referral.places.queries import gazetteer
from referral.web.access import requires
from referral.web.formatting import label, say
from referral.web.listings.door import (
    KEEPERS,
    Page,
    area_words,
    bp,
    in_words,
    is_own,
    lines,
    lists,
    now,
    service_of,
    values_of,
)
from referral.web.listings.review import role_words
from referral.web.listings.stale import Conflict, conflicts_of

#: how a change that came so far is coloured and drawn; a word says the same
TONES = {
    ChangeStatus.PUBLISHED: ("good", "check"),
    ChangeStatus.REVERTED: ("neutral", "undo-2"),
}


@bp.get("/<uuid:service_id>/history")
@requires(*KEEPERS)
def history(service_id: UUID) -> Page:
    """All that became of a listing, newest first. Roles, never names."""
    service = service_of(service_id)
    page = entries(
        db.session,
        service,
        for_owner=is_own(service),
        names=area_words,
        page=request.args.get("page", 1, type=int),
    )
    coming = desk.on_their_way(db.session, [service_id], by=g.user, now=now())
    return render_template(
        "listings/history.html",
        service=service,
        page=page,
        waiting=[
            {"change": one, "kind": label(f"listing.kind.{one.kind}"), "role": _role(one)}
            for one in coming.get(service_id, [])
            if one.status is ChangeStatus.WAITING
        ],
        entries=[_entry(entry) for entry in page.items],
        page_url=lambda number: url_for(".history", service_id=service_id, page=number),
    )


def _role(change: ListingChange) -> str:
    return role_words(change.made_by_role)


def _entry(entry: Entry) -> dict[str, Any]:
    change = entry.change
    return {
        "change": change,
        "at": entry.at,
        "kind": label(f"listing.kind.{change.kind}") if change else label("listing.kind.record"),
        "status": label(f"listing.status.{change.status}") if change else None,
        "tone": TONES[change.status] if change else None,
        "role": role_words(entry.role),
        "differences": [
            {"label": say(one.label), "before": lines(one.before), "after": lines(one.after)}
            for one in entry.differences
        ],
        "fields": [say(label) for label in entry.fields],
        "records": [
            {
                "id": record.id,
                "label": say(editing.FIELDS[record.field_name].label),
                "before": _said(record.field_name, record.previous_value),
                "after": _said(record.field_name, record.replacement_value),
            }
            for record in entry.revertible
        ],
        "hidden": [say(label) for label in entry.hidden],
        "can_revert": entry.can_revert,
    }


def _said(name: str, text: str) -> list[str]:
    """What a record holds of a field, in words."""
    value, wrong = editing.read({name: text}, lists())
    return [text] if wrong else in_words(name, value[name])


def _change_of(service_id: UUID, change_id: UUID) -> ListingChange:
    change = desk.get_change(db.session, change_id)
    if change.service_id != service_id:
        raise NotFound("listing.change.unknown")
    return change


@bp.get("/<uuid:service_id>/history/<uuid:change_id>/revert")
@requires(*KEEPERS)
def ask_revert(service_id: UUID, change_id: UUID) -> Page:
    """What taking a change back would put in place."""
    return _ask(service_id, change_id)


def _ask(service_id: UUID, change_id: UUID, conflicts: list[Conflict] | None = None) -> Page:
    service, change = service_of(service_id), _change_of(service_id, change_id)
    visible = values_of(service)
    back = {name: value for name, value in change.previous.items() if name in visible}
    if change.kind is ChangeKind.NEW:
        back = {"status": "inactive"}
    page = render_template(
        "listings/revert.html",
        service=service,
        change=change,
        kind=label(f"listing.kind.{change.kind}"),
        conflicts=conflicts or [],
        differences=[
            {"label": say(one.label), "before": lines(one.before), "after": lines(one.after)}
            for one in editing.differences(visible, back, area_words)
        ],
    )
    return page, 409 if conflicts else 200


@bp.post("/<uuid:service_id>/history/<uuid:change_id>/revert")
@requires(*KEEPERS)
def revert(service_id: UUID, change_id: UUID) -> Page:
    """Put back what a change replaced."""
    service_of(service_id)
    change = _change_of(service_id, change_id)
    try:
        made = changes.revert(db.session, change, gazetteer(db.session), by=g.user, now=now())
    except Invalid as error:
        db.session.rollback()
        flash(say(error.message), "info")
        return redirect(url_for(".history", service_id=service_id), 303)
    except Stale as error:
        conflicts = conflicts_of(error)
        db.session.rollback()
        return _ask(service_id, change_id, conflicts)
    return _taken_back(service_id, made)


@bp.post("/<uuid:service_id>/history/records/<uuid:record_id>/revert")
@requires(*KEEPERS)
def revert_record(service_id: UUID, record_id: UUID) -> Page:
    """Put back one field that an import replaced."""
    record = get_record(db.session, service_of(service_id), record_id)
    try:
        made = changes.revert_record(
            db.session, record, gazetteer(db.session), by=g.user, now=now()
        )
    except (Stale, Invalid) as error:
        db.session.rollback()
        flash(say(error.message), "bad")
        return redirect(url_for(".history", service_id=service_id), 303)
    return _taken_back(service_id, made)


def _taken_back(service_id: UUID, made: ListingChange) -> Page:
    db.session.commit()
    if made.status is ChangeStatus.WAITING:
        flash(_("Sent. A curator looks at it; until then the listing stays as it was."), "wait")
    else:
        flash(_("Taken back: the listing says again what it said before."), "good")
    return redirect(url_for(".history", service_id=service_id), 303)
