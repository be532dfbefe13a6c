"""A listing as clients would see it with what is not published yet: made, shown and undone."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import g

from referral.core.db import take_write_lock
from referral.core.errors import NotFound
from referral.directory import queries
from referral.directory.upkeep import desk, listings, writing
from referral.directory.upkeep.publishing import Maker
from referral.directory.upkeep.recording import Recorder
from referral.extensions import db
from referral.places.queries import gazetteer
from referral.web.access import requires
from referral.web.directory import service_page
from referral.web.listings.door import KEEPERS, Page, bp, kept, now


@bp.get("/<uuid:service_id>/preview")
@requires(*KEEPERS)
def preview(service_id: UUID) -> Page:
    """The public page with this person's draft in it."""
    return _shown(service_id, kept(service_id).drafted)


@bp.get("/review/<uuid:change_id>/preview")
@requires("listing:approve")
def preview_change(change_id: UUID) -> Page:
    """The public page with a change in it that waits."""
    change = desk.get_change(db.session, change_id)
    if change.service_id is None:
        raise NotFound("listing.change.unknown")
    return _shown(change.service_id, change.values)


def _shown(service_id: UUID, values: Mapping[str, Any]) -> str:
    places, by = gazetteer(db.session), g.user
    # A session of its own: what is written here for the page is never committed.
    with db.sessionmaker() as session:
        take_write_lock(session)
        try:
            service = listings.get(session, service_id)
            maker = Maker(by.id, str(by.role))
            book = Recorder(session, service, places, by=maker, now=now(), as_of=now())
            writing.write(book, values)
            book.finish()
            return service_page(queries.get(session, service_id), template="listings/preview.html")
        finally:
            session.rollback()
