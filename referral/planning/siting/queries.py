"""Reads kept answers to where a resource should stand."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session, selectinload

from referral.core.errors import NotFound
from referral.planning.siting.models import SitingCase

#: Answers are compared up to so many at once.
MOST_COMPARED = 4


def get(session: Session, case_id: UUID) -> SitingCase:
    """One kept answer. Raises NotFound."""
    case = session.get(SitingCase, case_id)
    if case is None:
        raise NotFound("siting.unknown")
    return case


def cases(*, category: str | None = None, area: str | None = None) -> Select[SitingCase]:
    """Kept answers, newest first: all, or those of one gap."""
    query = select(SitingCase).options(selectinload(SitingCase.made_by))
    if category:
        query = query.where(SitingCase.category == category)
    if area:
        query = query.where(SitingCase.area_code == area)
    return query.order_by(SitingCase.made_at.desc(), SitingCase.id.desc())


def compared(session: Session, case_ids: Sequence[UUID]) -> list[SitingCase]:
    """Answers to lay side by side, in the order given; those that are not of the first one's gap are left out.

    Raises NotFound where one does not exist.
    """
    found = [get(session, case_id) for case_id in dict.fromkeys(case_ids)]
    gap = {(case.category, case.area_code) for case in found[:1]}
    return [case for case in found if (case.category, case.area_code) in gap][:MOST_COMPARED]
