"""Changing a listing: drafts, what an agency says at once, what waits for a curator, and taking it back.

Values and what was seen of them are those of `upkeep.editing`. `by` is a user, or a standing actor (the public,
a signed link), who can only suggest. An agency changes the listings of its own organization; to it any other
one is not there. Nothing here says that a listing was checked: `assured_date` is `upkeep.verification`'s.
"""

from collections.abc import Collection, Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from referral.changes.actors import Actor
from referral.directory.models import Service
from referral.directory.upkeep.models import ListingChange
from referral.places.gazetteer import Gazetteer


def start(session: Session, service_id: UUID | None, *, by: Actor, now: datetime) -> ListingChange:
    """The person's draft for a listing (None: for a new one), the one they have or an empty one.

    Raises NotFound for a listing that is not theirs to change.
    """
    raise NotImplementedError


def save_draft(
    session: Session,
    draft: ListingChange,
    values: Mapping[str, Any],
    *,
    seen: Mapping[str, Any],
    by: Actor,
    now: datetime,
    note: str | None = None,
) -> None:
    """Keep what was typed, right or wrong; fields of earlier steps stay. Commit it before `submit`, which may refuse.

    seen  for each field the value that its writer had before them
    """
    raise NotImplementedError


def discard(session: Session, draft: ListingChange, *, by: Actor) -> None:
    """Throw a draft away."""
    raise NotImplementedError


def submit(
    session: Session, draft: ListingChange, gazetteer: Gazetteer, *, by: Actor, now: datetime
) -> ListingChange | None:
    """Publish a draft, or queue it for a curator; None where it changes nothing, and the draft is gone.

    A curator and a trusted organization publish at once. Raises InvalidListing with every wrong value, and
    Stale where a field that the draft changes holds neither the value that was seen nor the new one: its
    `candidates` are [{"field", "seen", "current", "yours"}]. Fields left as they were never conflict.
    """
    raise NotImplementedError


def edit(
    session: Session,
    service_id: UUID,
    values: Mapping[str, Any],
    gazetteer: Gazetteer,
    *,
    seen: Mapping[str, Any],
    by: Actor,
    now: datetime,
    note: str | None = None,
) -> ListingChange | None:
    """Change a listing in one step, without a draft; as `submit`."""
    raise NotImplementedError


def suggest(
    session: Session,
    service_id: UUID | None,
    values: Mapping[str, Any],
    gazetteer: Gazetteer,
    *,
    seen: Mapping[str, Any],
    by: Actor,
    now: datetime,
    note: str | None = None,
) -> ListingChange:
    """Queue what anyone says should be changed, or a listing that is missing (None; needs name and organization).

    Always waits for a curator. Raises InvalidListing, and Invalid where nothing is said.
    """
    raise NotImplementedError


def approve(
    session: Session,
    change: ListingChange,
    gazetteer: Gazetteer,
    *,
    by: Actor,
    now: datetime,
    fields: Collection[str] | None = None,
    seen: Mapping[str, Any] | None = None,
    note: str | None = None,
) -> None:
    """Publish a waiting change, or some of its fields; the others become a refused change of their own.

    Raises Stale as `submit` does; `seen` has for those fields the values that the curator means to replace.
    """
    raise NotImplementedError


def refuse(session: Session, change: ListingChange, *, note: str, by: Actor, now: datetime) -> None:
    """Say no to a waiting change, and why."""
    raise NotImplementedError


def withdraw(session: Session, change: ListingChange, *, by: Actor, now: datetime) -> None:
    """Take back one's own change that still waits."""
    raise NotImplementedError


def revert(
    session: Session,
    change: ListingChange,
    gazetteer: Gazetteer,
    *,
    by: Actor,
    now: datetime,
    note: str | None = None,
) -> ListingChange:
    """Put back what a published change replaced, exactly its fields. A new listing is set inactive.

    Publishes or waits as `submit` does. Raises Stale where a field no longer holds what the change put there.
    """
    raise NotImplementedError


def full_until(
    session: Session,
    service: Service,
    day: date,
    gazetteer: Gazetteer,
    *,
    by: Actor,
    now: datetime,
) -> ListingChange:
    """Say in one step that a service is full up to and including a day."""
    raise NotImplementedError
