"""Reads the queue of pairs and the merges that were made."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session, aliased

from referral.core.errors import NotFound
from referral.core.paging import Page, page_of
from referral.directory.duplicates import sites
from referral.directory.duplicates.models import DuplicatePair, Merge, PairStatus
from referral.directory.kinds import ServiceStatus
from referral.directory.models import Service, ServiceAtLocation


def waiting(session: Session, *, page: int = 1) -> Page[DuplicatePair]:
    """Pairs that nobody has decided, most alike first; none with a listing that is closed for good."""
    return page_of(session, _waiting(), number=page)


def _waiting() -> Select[DuplicatePair]:
    first, second = aliased(Service), aliased(Service)
    return (
        select(DuplicatePair)
        .join(first, first.id == DuplicatePair.first_id)
        .join(second, second.id == DuplicatePair.second_id)
        .where(
            DuplicatePair.status == PairStatus.OPEN,
            first.status != ServiceStatus.DEFUNCT,
            second.status != ServiceStatus.DEFUNCT,
        )
        .order_by(DuplicatePair.score.desc(), DuplicatePair.id)
    )


def waiting_with(session: Session, service_id: UUID | None) -> Sequence[DuplicatePair]:
    """Pairs of this listing that nobody has decided, most alike first."""
    either = or_(DuplicatePair.first_id == service_id, DuplicatePair.second_id == service_id)
    return session.scalars(_waiting().where(either)).all()


def get_pair(session: Session, pair_id: UUID) -> DuplicatePair:
    """One pair. Raises NotFound."""
    pair = session.get(DuplicatePair, pair_id)
    if pair is None:
        raise NotFound("duplicates.pair.unknown")
    return pair


def next_pair(session: Session) -> DuplicatePair | None:
    """The pair to look at next."""
    return session.scalar(_waiting().limit(1))


def merges(session: Session, *, page: int = 1) -> Page[Merge]:
    """What was merged and not taken back, newest first."""
    query = (
        select(Merge)
        .where(Merge.undone_at.is_(None))
        .order_by(Merge.merged_at.desc(), Merge.id.desc())
    )
    return page_of(session, query, number=page)


def get_merge(session: Session, merge_id: UUID) -> Merge:
    """One merge. Raises NotFound."""
    merge = session.get(Merge, merge_id)
    if merge is None:
        raise NotFound("duplicates.merge.unknown")
    return merge


def names(session: Session, service_ids: set[UUID]) -> dict[UUID, str]:
    """Names of listings, also of those that went."""
    rows = session.execute(select(Service.id, Service.name).where(Service.id.in_(service_ids)))
    return dict(rows.all())


def site_now(session: Session, site_id: UUID) -> ServiceAtLocation | None:
    """A site as an old search named it; where its listing was merged since, the kept one's site at that place."""
    site = session.get(ServiceAtLocation, site_id)
    if site is None or site.service.merged_into_id is None:
        return site
    ours = sites.of(session, site.service.merged_into_id)
    theirs = next(row for row in sites.of(session, site.service_id) if row["id"] == site_id)
    twins = [row for row in ours if sites.is_same_place(row, theirs)] or ours
    return session.get(ServiceAtLocation, twins[0]["id"]) if twins else site
