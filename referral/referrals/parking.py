"""Services a client does not want for a need, and what to offer instead."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from referral.accounts.models import User
from referral.casework.models import Need
from referral.casework.queries import excluded_organizations
from referral.changes import audit
from referral.core.errors import NotFound
from referral.directory.models import Service
from referral.matching.operations import answer, query_for
from referral.referrals.kinds import Received
from referral.referrals.lifecycle import Status
from referral.referrals.models import Feedback, Parked, Referral
from referral.referrals.operations import works

#: So many options are looked through for one that was not tried or parked.
_LOOKED_THROUGH = 20
_IN_VAIN = (Status.REJECTED, Status.FAILED, Status.CANCELLED)


def parked(session: Session, need_ids: Sequence[UUID]) -> dict[UUID, dict[UUID, Service]]:
    """By need, the services that are parked now, by id."""
    found: dict[UUID, dict[UUID, Service]] = {need_id: {} for need_id in need_ids}
    rows = session.execute(
        select(Parked.need_id, Service)
        .join(Service, Service.id == Parked.service_id)
        .where(Parked.need_id.in_(list(need_ids)), Parked.lifted_at.is_(None))
        .order_by(Parked.at, Parked.id)
    )
    for need_id, service in rows:
        found[need_id][service.id] = service
    return found


def lift(session: Session, need: Need, service_id: UUID, *, by: User, now: datetime) -> None:
    """The client wants to hear of a service again. Raises NotFound where it is not parked."""
    rows = session.scalars(
        select(Parked).where(
            Parked.need_id == need.id,
            Parked.service_id == service_id,
            Parked.lifted_at.is_(None),
        )
    ).all()
    if not rows or not works(need.case, by):
        raise NotFound("referral.none")
    for row in rows:
        row.lifted_at = now
    client_id = need.case.client_id
    audit.record(session, "parked.lifted", rows[0], by=by, now=now, client_id=client_id)


def next_best(session: Session, need: Need, *, now: datetime) -> dict[str, Any] | None:
    """The first option of the need as things are now, of those not tried in vain and not parked; an entry as a
    receipt keeps it. Writes nothing.
    """
    tried = set(
        session.scalars(
            select(Referral.service_id)
            .outerjoin(
                Feedback, and_(Feedback.referral_id == Referral.id, Feedback.given_by == "client")
            )
            .where(
                Referral.need_id == need.id,
                or_(
                    Referral.status.in_(_IN_VAIN),
                    and_(Referral.status == Status.COMPLETED, Feedback.received == Received.NO),
                ),
            )
        )
    )
    out = {str(service_id) for service_id in tried | set(parked(session, [need.id])[need.id])}
    case = need.case
    content = answer(
        session,
        query_for(session, need, now=now, limit=_LOOKED_THROUGH),
        zone=case.office.time_zone,
        office_id=case.office_id,
        need_id=str(need.id),
        kept_out=excluded_organizations(session, case.id),
        now=now,
    )
    found = [*content["options"], *content["remote"]]
    return next((one for one in found if one["service_id"] not in out), None)
