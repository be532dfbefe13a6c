"""The kab/kota beside a sealed place, for files that were saved before it was kept there."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from referral.casework.models import Client
from referral.places.codes import no_finer_than_regency

#: It was looked at, and the place names no area.
_NOT_KNOWN = ""


def without(session: Session) -> Sequence[UUID]:
    """Clients with a place of whom nobody has looked yet in which kab/kota it lies. Opens nothing."""
    return session.scalars(
        select(Client.id)
        .where(
            Client.area_code.is_(None),
            Client.stays_at_sealed.is_not(None),
            Client.erased_at.is_(None),
        )
        .order_by(Client.id)
    ).all()


def fill(session: Session, client_ids: Sequence[UUID]) -> None:
    """Write the kab/kota of these clients where it is not written yet. The caller holds the write lock and commits.

    Opens where they stay; nothing of it is kept in memory.
    """
    missing = select(Client).where(
        Client.id.in_(client_ids), Client.area_code.is_(None), Client.erased_at.is_(None)
    )
    for client in session.scalars(missing):
        place = client.stays_at or {}
        client.area_code = no_finer_than_regency(place.get("code")) or _NOT_KNOWN
    session.flush()
    session.expunge_all()  # with the rows go their opened keys
