"""Whose cases a worker may work on: their own, and those of a colleague they stand in for.

The one home of that rule. Whether somebody stands in is asked of the clock at the moment of asking: what a person
may see does not depend on what a caller says the time is.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, and_, or_, select
from sqlalchemy.orm import Session, aliased, object_session

from referral.accounts.models import Role, User
from referral.casework.models import Case, Cover
from referral.changes import audit
from referral.core.country import COUNTRY
from referral.core.errors import Invalid, NotAllowed, NotFound

#: Nobody stands in longer; then the cases are handed over.
LONGEST_DAYS = 60
_By = aliased(User)


def worked_by(user: User) -> ColumnElement[bool]:
    """Cases this broker may work on now; of a colleague's only those of their own office."""
    covered = and_(Case.office_id == user.office_id, Case.broker_id.in_(_covered(user)))
    return or_(Case.broker_id == user.id, covered)


def works(case: Case, by: User) -> bool:
    """Whether this broker may work on the case now."""
    if by.role is not Role.BROKER:
        return False
    if case.broker_id == by.id:
        return True
    session = object_session(case)
    if session is None or case.office_id != by.office_id:
        return False
    covers = _covered(by).where(Cover.absent_id == case.broker_id)
    return session.scalar(covers.limit(1)) is not None


def _covered(user: User) -> Select[UUID]:
    return select(Cover.absent_id).where(Cover.by_id == user.id, _runs(today_of(user)))


def _runs(today: date) -> ColumnElement[bool]:
    return and_(Cover.ended_at.is_(None), Cover.from_on <= today, Cover.until_on >= today)


def today_of(user: User, now: datetime | None = None) -> date:
    """The day it is where this person works."""
    zone = user.office.time_zone if user.office else COUNTRY.time_zone
    return (now or datetime.now(UTC)).astimezone(ZoneInfo(zone)).date()


def of_office(session: Session, supervisor: User) -> Sequence[tuple[Cover, User, User]]:
    """Who stands in for whom now or soon, as (cover, absent, covering), the first to come back first."""
    return _with_people(
        session,
        User.office_id == supervisor.office_id,
        Cover.ended_at.is_(None),
        Cover.until_on >= today_of(supervisor),
    )


def around(session: Session, user: User) -> Sequence[tuple[Cover, User, User]]:
    """The covers in force that this worker takes part in, on either side."""
    mine = or_(Cover.by_id == user.id, Cover.absent_id == user.id)
    return _with_people(session, mine, _runs(today_of(user)), User.office_id == user.office_id)


def _with_people(
    session: Session, *which: ColumnElement[bool]
) -> Sequence[tuple[Cover, User, User]]:
    # `which` speaks of the absent one as User.
    rows = session.execute(
        select(Cover, User, _By)
        .join(User, User.id == Cover.absent_id)
        .join(_By, _By.id == Cover.by_id)
        .where(*which, _By.office_id == User.office_id)
        .order_by(Cover.until_on, Cover.id)
    )
    return [(cover, absent, by) for cover, absent, by in rows]


def begin(
    session: Session, *, absent: User, covering: User, until: date, by: User, now: datetime
) -> Cover:
    """From today on `covering` may do with the cases of `absent` what `absent` may; both keep their own.

    A cover of the same two that runs already gets the new last day. Raises NotAllowed for anybody but a supervisor,
    NotFound for people of another office, Invalid naming `covering` or `until`.
    """
    _check(by, absent, covering)
    if covering.id == absent.id:
        raise Invalid("casework.cover.same", field="covering")
    today = today_of(by, now)
    if not today <= until or (until - today).days > LONGEST_DAYS:
        raise Invalid("casework.cover.until", field="until", days=LONGEST_DAYS)
    cover = session.scalar(
        select(Cover).where(Cover.absent_id == absent.id, Cover.by_id == covering.id, _runs(today))
    )
    if cover is None:
        cover = Cover(
            absent_id=absent.id,
            by_id=covering.id,
            from_on=today,
            made_by_id=by.id,
            made_at=now,
            until_on=until,
        )
        session.add(cover)
    cover.until_on = until
    told: dict[str, Any] = {"absent_id": absent.id, "covering_id": covering.id, "until_on": until}
    audit.record(session, "cover.began", cover, by=by, now=now, **told)
    return cover


def get(session: Session, supervisor: User, cover_id: UUID) -> Cover:
    """A cover of two people of this supervisor's office. Raises NotFound."""
    cover = session.scalar(
        select(Cover)
        .join(User, User.id == Cover.absent_id)
        .where(Cover.id == cover_id, User.office_id == supervisor.office_id)
    )
    if cover is None or supervisor.role is not Role.SUPERVISOR:
        raise NotFound("casework.cover.none")
    return cover


def end(session: Session, cover: Cover, *, by: User, now: datetime) -> None:
    """The absent one is back: who stood in sees their own cases again and no others."""
    if cover.ended_at is not None:
        raise NotAllowed("casework.cover.over")
    cover.ended_at = now
    audit.record(session, "cover.ended", cover, by=by, now=now)


def _check(by: User, *people: User) -> None:
    if by.role is not Role.SUPERVISOR:
        raise NotAllowed("accounts.handover.not_yours")
    for one in people:
        if one.role is not Role.BROKER or one.office_id != by.office_id or not one.active:
            raise NotFound("accounts.user.not_found")
