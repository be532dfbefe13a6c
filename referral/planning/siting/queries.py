"""Reads kept answers to where a resource should stand."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session, selectinload

from referral.accounts.models import User
from referral.core.errors import NotFound
from referral.planning.siting.models import SitingCase
from referral.planning.siting.questions import Question
from referral.planning.work import WorkState

#: Answers are compared up to so many at once.
MOST_COMPARED = 4
#: After so long a question is worked out anew though nothing was announced: words on room lapse by time alone.
HOLDS = timedelta(days=7)


def get(session: Session, case_id: UUID) -> SitingCase:
    """One kept answer. Raises NotFound."""
    case = session.get(SitingCase, case_id)
    if case is None:
        raise NotFound("siting.unknown")
    return case


def cases(*, category: str | None = None, area: str | None = None) -> Select[SitingCase]:
    """Cases, newest first: all, or those of one gap."""
    query = select(SitingCase).options(selectinload(SitingCase.made_by))
    if category:
        query = query.where(SitingCase.category == category)
    if area:
        query = query.where(SitingCase.area_code == area)
    return query.order_by(SitingCase.made_at.desc(), SitingCase.id.desc())


def same(
    session: Session,
    question: Question,
    *,
    version: int,
    quarter: str | None,
    now: datetime,
) -> SitingCase | None:
    """The case that has asked the same of the same directory and figures, whoever asked; None where none has.

    One that failed or was cut off is none.
    """
    alike = cases(category=question.category, area=question.area).where(
        SitingCase.directory_version == version,
        SitingCase.release_quarter == quarter,
        SitingCase.made_at > now - HOLDS,
    )
    for case in session.scalars(alike):
        if case.question == question.as_json() and (
            case.state is WorkState.DONE or case.is_going_on(now)
        ):
            return case
    return None


def waiting() -> Select[SitingCase]:
    """Cases that wait for their turn, the first first."""
    query = select(SitingCase).where(SitingCase.state == WorkState.WAITING)
    return query.order_by(SitingCase.made_at, SitingCase.id)


def before(session: Session, case: SitingCase, *, now: datetime) -> int:
    """How many cases come before one that waits."""
    in_hand = select(SitingCase).where(SitingCase.state == WorkState.WORKING)
    earlier = sum(not one.is_cut_off(now) for one in session.scalars(in_hand))
    for one in session.scalars(waiting()):
        if one.id == case.id:
            break
        earlier += 1
    return earlier


def going_on(session: Session, *, by: User, now: datetime) -> list[SitingCase]:
    """Cases of a planner that wait or are worked on, the first first."""
    is_open = SitingCase.state.in_((WorkState.WAITING, WorkState.WORKING))
    mine = select(SitingCase).where(SitingCase.made_by_id == by.id, is_open)
    found = session.scalars(mine.order_by(SitingCase.made_at, SitingCase.id))
    return [case for case in found if case.is_going_on(now)]


def compared(session: Session, case_ids: Sequence[UUID]) -> list[SitingCase]:
    """Answers to lay side by side, in the order given; those without an answer or of another gap than the first are left out.

    Raises NotFound where one does not exist.
    """
    found = [get(session, case_id) for case_id in dict.fromkeys(case_ids)]
    found = [case for case in found if case.state is WorkState.DONE]
    gap = {(case.category, case.area_code) for case in found[:1]}
    return [case for case in found if (case.category, case.area_code) in gap][:MOST_COMPARED]
