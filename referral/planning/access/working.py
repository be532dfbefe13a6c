"""Who had the measures worked out and how far that is; and whether they have grown old. One runs at a time."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, delete, func, select
from sqlalchemy.orm import Session

from referral.accounts.models import User
from referral.changes.models import DirectoryChange
from referral.core.text import Message
from referral.planning.access import queries
from referral.planning.access.models import AccessWork
from referral.planning.gaps import figures
from referral.planning.gaps.models import GapRelease
from referral.planning.work import WorkState

#: So many endings are remembered.
_REMEMBERED = 10


@dataclass(frozen=True)
class Outdated:
    """What came after the newest run.

    release  the release that it does not know; None where it knows the newest
    changes  changes of the directory since, the first of them at `since`
    """

    release: GapRelease | None
    changes: int
    since: datetime | None


def outdated(session: Session) -> Outdated | None:
    """What the newest run does not know yet; None where it knows everything or there is no run."""
    run = queries.latest(session)
    if run is None:
        return None
    release = figures.latest(session)
    is_known = release is None or release.id == run.release_id
    later = select(func.count(), func.min(DirectoryChange.at)).where(
        DirectoryChange.seq > run.directory_version
    )
    changes, since = session.execute(later).one()
    if is_known and not changes:
        return None
    return Outdated(None if is_known else release, changes, since)


def latest(session: Session) -> AccessWork | None:
    """The work that was asked for or begun last."""
    return session.scalar(_newest_first().limit(1))


def ask(session: Session, *, by: User, now: datetime) -> AccessWork:
    """Have the measures worked out: the work that goes on already, else new work that waits for a job."""
    going_on = _going_on(session, now)
    if going_on is not None:
        return going_on
    work = AccessWork(made_by_id=by.id, done=0, of=0)
    work.wait(now)
    session.add(work)
    session.flush()
    return work


def is_waiting(session: Session) -> bool:
    """Whether somebody asked and no job has taken it up."""
    waiting = select(AccessWork.id).where(AccessWork.state == WorkState.WAITING).limit(1)
    return session.scalar(waiting) is not None


def begin(session: Session, *, now: datetime) -> UUID | None:
    """Take the work up; None where it is worked on already. Needs the write lock."""
    work = _going_on(session, now)
    if work is None:
        work = AccessWork(made_by_id=None, done=0, of=0)
        work.wait(now)
        session.add(work)
    elif work.state is WorkState.WORKING:
        return None
    work.begin(now)
    session.flush()
    old = session.scalars(_newest_first().offset(_REMEMBERED)).all()
    session.execute(delete(AccessWork).where(AccessWork.id.in_([one.id for one in old])))
    return work.id


def heard(session: Session, work_id: UUID, done: int, of: int, *, now: datetime) -> None:
    """Say how far it is; flushes."""
    work = session.get_one(AccessWork, work_id)
    work.done, work.of = done, of
    work.begin(now)
    session.flush()


def end(session: Session, work_id: UUID, failure: Message | None, *, now: datetime) -> None:
    """Say that it ended, and why where it failed; flushes."""
    session.get_one(AccessWork, work_id).end(failure, now)
    session.flush()


def _going_on(session: Session, now: datetime) -> AccessWork | None:
    """What is worked on, else what waits."""
    is_open = AccessWork.state.in_((WorkState.WAITING, WorkState.WORKING))
    found = session.scalars(_newest_first().where(is_open)).all()
    going_on = [work for work in found if work.is_going_on(now)]
    return max(going_on, key=lambda work: work.state is WorkState.WORKING, default=None)


def _newest_first() -> Select[AccessWork]:
    return select(AccessWork).order_by(AccessWork.made_at.desc(), AccessWork.id.desc())
