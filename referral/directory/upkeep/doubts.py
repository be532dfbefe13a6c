"""The parts of listings that are in doubt: what an agency itself said is wrong, until a curator has looked."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from referral.directory.upkeep.kinds import Doubt, Part
from referral.directory.upkeep.models import ListingReport

#: rows of a listing, a part, one value of it, since when: `doubt_of` reads one
ROWS = (
    select(
        ListingReport.service_id,
        ListingReport.field,
        ListingReport.value,
        ListingReport.reported_at,
    )
    .where(ListingReport.is_quarantine, ListingReport.closed_at.is_(None))
    .order_by(ListingReport.reported_at, ListingReport.id)
)


def doubts(session: Session, service_ids: Iterable[UUID] | Select[UUID]) -> dict[UUID, list[Doubt]]:
    """What is in doubt about these listings, the oldest doubt first; a listing without doubt is missing."""
    among = service_ids if isinstance(service_ids, Select) else list(service_ids)
    found: dict[UUID, list[Doubt]] = {}
    for service_id, field, value, since in session.execute(
        ROWS.where(ListingReport.service_id.in_(among))
    ):
        found.setdefault(service_id, []).append(doubt_of(field, value, since))
    return found


def doubt_of(field: str | None, value: str | None, since: datetime) -> Doubt:
    return Doubt(Part(field) if field else None, value, since)
