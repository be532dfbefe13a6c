"""Somebody was faster: both values of each field that changed meanwhile, and a choice for each."""

import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from referral.core.errors import Stale
from referral.directory.upkeep import editing
from referral.extensions import db
from referral.web.access import requires
from referral.web.formatting import say
from referral.web.listings.door import KEEPERS, Kept, Page, bp, in_words, keep, kept, lists

MINE, CURRENT = "mine", "current"


@dataclass(frozen=True)
class Conflict:
    """A field that is no longer as its writer saw it."""

    field: str
    seen: Any
    current: Any
    yours: Any

    @property
    def label(self) -> str:
        return say(editing.FIELDS[self.field].label)

    @property
    def lines(self) -> dict[str, list[str]]:
        """What was seen, what is there now and what was written, in words."""
        said = {"seen": self.seen, "current": self.current, "yours": self.yours}
        return {which: in_words(self.field, value) for which, value in said.items()}

    @property
    def as_text(self) -> dict[str, str]:
        """Both values as they travel with the page."""
        values = {MINE: self.yours, CURRENT: self.current}
        return {which: json.dumps(value, sort_keys=True) for which, value in values.items()}


def conflicts_of(error: Stale) -> list[Conflict]:
    """What an operation found to have changed meanwhile."""
    return [
        Conflict(one["field"], one["seen"], one["current"], one["yours"])
        for one in error.candidates
    ]


def stale_page(subject: Kept, conflicts: list[Conflict]) -> tuple[str, int]:
    """Both values of each field; nothing typed is lost: what is not in question is already in the draft."""
    return render_template("listings/stale.html", subject=subject, conflicts=conflicts), 409


@bp.post("/<uuid:service_id>/resolve")
@bp.post("/new/resolve", defaults={"service_id": None})
@requires(*KEEPERS)
def resolve(service_id: UUID | None) -> Page:
    """Keep for each field the value that was chosen; what is chosen goes into the draft."""
    subject = kept(service_id)
    values: dict[str, Any] = {}
    for name in request.form.getlist("field"):
        if name not in subject.values:
            abort(400)
        mine = request.form.get(f"{name}-choice") == MINE
        values[name] = _value(subject, name, MINE if mine else CURRENT)
    keep(subject, values, seen=subject.values)
    db.session.commit()
    if service_id is not None and not kept(service_id).drafted:
        flash(_("The listing stays as it is now. There is nothing left to send."), "info")
        return redirect(url_for(".check", service_id=service_id), 303)
    flash(_("Your choices are in the draft. Look at it once more, then send it."), "info")
    return redirect(url_for(".review_own", service_id=service_id), 303)


def _value(subject: Kept, name: str, which: str) -> Any:
    """A value as it travelled with the page. One that no page could show would stay in the draft for good."""
    try:
        value = json.loads(request.form.get(f"{name}-{which}", ""))
    except (ValueError, RecursionError):
        abort(400)
    if not editing.is_same(name, value, subject.values[name]):
        values, wrong = editing.read({name: value}, lists())
        if wrong:
            abort(400)
        value = values[name]
    return value
