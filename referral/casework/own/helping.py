"""How often somebody's own people helped. The caller commits."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from referral.accounts.models import User
from referral.casework.cover import today_of
from referral.casework.models import Case, Need, OwnHelp, OwnResource, Visibility
from referral.changes import audit
from referral.core.errors import Invalid, NotFound


@dataclass(frozen=True)
class Given:
    """How often somebody helped, and when last."""

    times: int = 0
    last_on: date | None = None


def record(
    session: Session, resource: OwnResource, need: Need, *, on: date, by: User, now: datetime
) -> OwnHelp:
    """They helped with this need on a day. Said twice of the same day it counts once."""
    if not (resource.client_id == need.case.client_id or _is_for_others(resource, need.case)):
        raise NotFound("casework.own.unknown")
    if on > today_of(by, now):
        raise Invalid("casework.own.future", field="helped_on")
    same = select(OwnHelp).where(
        OwnHelp.own_resource_id == resource.id,
        OwnHelp.need_id == need.id,
        OwnHelp.helped_on == on,
    )
    found = session.scalars(same.limit(1)).first()
    if found is not None:
        return found
    given = OwnHelp(
        own_resource_id=resource.id,
        need_id=need.id,
        category=need.category,
        helped_on=on,
        recorded_at=now,
        recorded_by_id=by.id,
    )
    session.add(given)
    audit.record(session, "own_help.given", given, by=by, now=now, client_id=need.case.client_id)
    return given


def take_back(session: Session, given: OwnHelp, need: Need, *, by: User, now: datetime) -> None:
    """It was written down by mistake."""
    audit.record(session, "own_help.undone", given, by=by, now=now, client_id=need.case.client_id)
    session.delete(given)
    session.flush()


def get(session: Session, case: Case, help_id: UUID) -> OwnHelp:
    """One time somebody helped in this case. Raises NotFound."""
    query = select(OwnHelp).join(Need, Need.id == OwnHelp.need_id)
    found = session.scalar(query.where(OwnHelp.id == help_id, Need.case_id == case.id))
    if found is None:
        raise NotFound("casework.own.unknown")
    return found


def given_by(session: Session, resource_ids: Iterable[UUID]) -> dict[UUID, Given]:
    """How often each of them helped anybody, by id."""
    rows = session.execute(
        select(OwnHelp.own_resource_id, func.count(), func.max(OwnHelp.helped_on))
        .where(OwnHelp.own_resource_id.in_(list(resource_ids)))
        .group_by(OwnHelp.own_resource_id)
    )
    return {resource_id: Given(times, last_on) for resource_id, times, last_on in rows}


def given_in(session: Session, case: Case) -> Sequence[OwnHelp]:
    """Every time somebody helped in a case, newest first."""
    return session.scalars(
        select(OwnHelp)
        .join(Need, Need.id == OwnHelp.need_id)
        .where(Need.case_id == case.id)
        .order_by(OwnHelp.helped_on.desc(), OwnHelp.id.desc())
    ).all()


def _is_for_others(resource: OwnResource, case: Case) -> bool:
    return resource.visibility is not Visibility.CLIENT and resource.office_id == case.office_id
