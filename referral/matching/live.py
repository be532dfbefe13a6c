"""The match index of this process, kept true by the change feed."""

from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from referral.changes.following import Followed
from referral.directory.models import Service
from referral.matching import candidates
from referral.matching.facts import Offer
from referral.matching.index import Index
from referral.places.queries import gazetteer


def _read(session: Session) -> Index:
    return Index.of(candidates.everything(session, gazetteer(session)))


def _bring(index: Index, session: Session, ids: set[UUID]) -> None:
    found: dict[UUID, list[Offer]] = {service_id: [] for service_id in ids}
    for offer in candidates.offers_by(session, ids, gazetteer(session)):
        found[offer.service_id].append(offer)
    for service_id, offers in found.items():
        index.replace(service_id, offers)


def _services(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(Service)) or 0


#: The index of each database of this process.
INDEX = Followed(
    "match index",
    read=_read,
    bring=_bring,
    count=_services,
    worn=lambda index: index.changes,
)
