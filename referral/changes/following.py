"""Something in memory that is made of the whole directory, kept true by the change feed.

There is one for each database of a process. Every question first looks at the feed's last entry; services
that changed are read again one by one. Where everything may have changed (an import), a small directory is
read anew at once, a large one in a thread.
"""

import logging
from collections.abc import Callable
from datetime import datetime
from threading import Lock, Thread
from time import monotonic
from typing import Generic, TypeVar
from uuid import UUID
from weakref import WeakKeyDictionary

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from referral.changes.models import DirectoryChange

#: A directory of at most this many services is read anew while its question waits.
SMALL = 5_000
#: More changed services than this, or than a tenth of all, are cheaper read anew than one by one.
MOST_CHANGES = 2_000
#: A long import announces many batches: nothing is read anew more often than this.
SECONDS_BETWEEN = 10.0
#: On a database with several writers a change may appear after one with a higher number.
LATE_SECONDS, LATE_NUMBERS = 600.0, 200
_log = logging.getLogger(__name__)

Thing = TypeVar("Thing")
#: number, time and service of the feed's last entry: all three, for a number may be given again
Head = tuple[int, datetime | None, UUID | None]
_NOTHING: Head = (0, None, None)


class _Kept(Generic[Thing]):
    """What is known of one database and how far it has followed the feed."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.thing: Thing | None = None
        self.head = _NOTHING
        self.late: dict[int, float] = {}
        self.questions = 0
        self.is_reading = False
        self.read_at = 0.0
        self.seconds = 0.0

    def take(self, head: Head, thing: Thing, late: dict[int, float]) -> Thing:
        self.thing, self.head, self.late = thing, head, late
        return thing


class Followed(Generic[Thing]):
    """One kind of such a thing.

    read    makes it of everything that the session sees
    bring   reads these services again into it
    count   services of the directory
    worn    how many services were brought since it was made
    restore gives what an earlier process kept of this database, if it is still of use
    keep    keeps what a thread read of a large directory for processes to come
    """

    def __init__(
        self,
        name: str,
        *,
        read: Callable[[Session], Thing],
        bring: Callable[[Thing, Session, set[UUID]], None],
        count: Callable[[Session], int],
        worn: Callable[[Thing], int],
        restore: Callable[[Engine], tuple[Thing, Head] | None] = lambda _: None,
        keep: Callable[[Engine, Thing, Head], None] = lambda *_: None,
    ):
        self._name, self._read, self._bring = name, read, bring
        self._count, self._worn, self._restore, self._keep = count, worn, restore, keep
        self._all: WeakKeyDictionary[Engine, _Kept[Thing]] = WeakKeyDictionary()
        self._all_lock = Lock()

    def forget(self, engine: Engine) -> None:
        """Drop what is known of a database; the next question reads it anew."""
        with self._all_lock:
            self._all.pop(engine, None)

    def latest(self, session: Session) -> tuple[Thing, Lock]:
        """The newest there is, and the lock to hold while asking it; behind while a large import is read."""
        kept = self._kept(session)
        head = _head(session)
        with kept.lock:
            if kept.thing is None:
                return self._read_now(kept, session, head), kept.lock
            self._catch_up(kept, kept.thing, session, head)
            return kept.thing, kept.lock

    def exact(self, session: Session) -> tuple[Thing, Lock] | None:
        """The same, if it holds just what the session sees; None: ask the database itself.

        So is a process's first question answered, which may be its only one, where nothing was kept.
        """
        kept = self._kept(session)
        head = _head(session)
        with kept.lock:
            kept.questions += 1
            if kept.questions == 1:
                restored = self._restore(session.connection().engine)
                if restored is None:
                    return None
                thing, at = restored
                kept.take(at, thing, {})
            if kept.thing is None:
                self._read_anew(kept, session, head, self._count(session))
            else:
                self._catch_up(kept, kept.thing, session, head)
            is_level = kept.thing is not None and kept.head == head
            return (kept.thing, kept.lock) if is_level and kept.thing is not None else None

    def _kept(self, session: Session) -> _Kept[Thing]:
        with self._all_lock:
            return self._all.setdefault(session.connection().engine, _Kept())

    def _catch_up(self, kept: _Kept[Thing], thing: Thing, session: Session, head: Head) -> None:
        if head == kept.head and not kept.late:
            return
        limit = monotonic() - LATE_SECONDS
        kept.late = {seq: since for seq, since in kept.late.items() if since > limit}
        most = MOST_CHANGES + LATE_NUMBERS
        query = (
            select(DirectoryChange.seq, DirectoryChange.at, DirectoryChange.service_id)
            .where((DirectoryChange.seq >= kept.head[0]) | DirectoryChange.seq.in_(list(kept.late)))
            .order_by(DirectoryChange.seq)
            .limit(most)
        )
        rows: list[Head] = [(row[0], row[1], row[2]) for row in session.execute(query)]
        # The entry we stand on is gone or another: the database was put back to an earlier state.
        is_rewound = kept.head != _NOTHING and kept.head not in rows
        changed = {row[2] for row in rows if row != kept.head}
        is_cut = len(rows) == most  # what comes after these was not read
        if is_rewound or is_cut or None in changed or self._is_much(thing, len(changed), session):
            self._read_anew(kept, session, head, self._count(session))
            return
        self._bring(thing, session, {one for one in changed if one is not None})
        seen = {seq for seq, _, _ in rows}
        now = monotonic()
        for seq in range(max(kept.head[0] + 1, head[0] - LATE_NUMBERS), head[0]):
            if seq not in seen:
                kept.late.setdefault(seq, now)
        for seq in seen:
            kept.late.pop(seq, None)
        kept.head = head

    def _is_much(self, thing: Thing, changed: int, session: Session) -> bool:
        worn = self._worn(thing) + changed
        if changed <= SMALL // 10 and worn <= SMALL // 4:
            return False
        size = max(SMALL, self._count(session))
        return changed > min(MOST_CHANGES, size // 10) or worn > size // 4

    def _read_anew(self, kept: _Kept[Thing], session: Session, head: Head, count: int) -> None:
        if count <= SMALL:
            self._read_now(kept, session, head)
            return
        wait = max(SECONDS_BETWEEN, 3 * kept.seconds)
        if not kept.is_reading and (not kept.read_at or monotonic() - kept.read_at > wait):
            kept.is_reading = True
            engine = session.connection().engine
            Thread(
                target=self._read_aside, args=(kept, engine), daemon=True, name=self._name
            ).start()

    def _read_now(self, kept: _Kept[Thing], session: Session, head: Head) -> Thing:
        return kept.take(head, self._read(session), _late(session, head))

    def _read_aside(self, kept: _Kept[Thing], engine: Engine) -> None:
        started = monotonic()
        try:
            with Session(engine) as session:
                head = _head(session)
                thing, late = self._read(session), _late(session, head)
            with kept.lock:
                kept.take(head, thing, late)
            self._keep(engine, thing, head)
        except Exception:
            _log.exception("%s could not be read anew; what is known stays in use.", self._name)
        finally:
            with kept.lock:
                kept.is_reading, kept.read_at = False, monotonic()
                kept.seconds = kept.read_at - started


def _head(session: Session) -> Head:
    query = select(DirectoryChange.seq, DirectoryChange.at, DirectoryChange.service_id)
    row = session.execute(query.order_by(DirectoryChange.seq.desc()).limit(1)).first()
    return (row[0], row[1], row[2]) if row else _NOTHING


def _late(session: Session, head: Head) -> dict[int, float]:
    """Numbers not seen near the end of the feed, which may still come."""
    first = max(1, head[0] - LATE_NUMBERS)
    numbers = select(DirectoryChange.seq).where(DirectoryChange.seq.between(first, head[0]))
    seen = set(session.scalars(numbers))
    return {seq: monotonic() for seq in range(first, head[0]) if seq not in seen} if seen else {}
