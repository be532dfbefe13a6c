"""Searches that found nothing, counted by month for curators, and never with a person.

Of a query only words are kept that name a kind of help, an office, a province or a regency, and words of the
dictionary that stand nowhere in the directory, each of these by itself. Why that is safe: docs/search.md.

A search writes nothing: counts wait in this process for at most a minute and are written by a thread of their
own, so that no search waits for a lock. Counts of a process that is killed in that minute are lost.
"""

import atexit
import logging
from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta
from threading import Lock, Timer
from uuid import NAMESPACE_URL, uuid5
from weakref import WeakKeyDictionary

from sqlalchemy import Engine, delete, func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from referral.core.db import take_write_lock
from referral.directory.reference import taxonomy
from referral.directory.search.countable import countable
from referral.directory.search.index import CATALOGUE
from referral.directory.search.queries import names_help
from referral.directory.search.words import words_of
from referral.directory.upkeep.models import SearchMiss
from referral.places.gazetteer import REGENCY
from referral.places.names import base_name
from referral.places.queries import gazetteer
from referral.taxonomy.words import is_root

#: Different entries that wait at most; a flood of searches can't fill the memory or the table.
MOST_WAITING = 500
SECONDS_WAITING = 60.0
MONTHS_KEPT = 12
MOST_SHOWN = 100
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Miss:
    """Words searched for in vain: how often in the months that are kept, and the last month."""

    words: str
    times: int
    last_month: date


class _Waiting:
    """Counts of one database that are not written yet."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.counts: Counter[tuple[str, date]] = Counter()
        self.timer: Timer | None = None

    def take(self) -> Counter[tuple[str, date]]:
        with self.lock:
            taken, self.counts, self.timer = self.counts, Counter(), None
        return taken

    def put(self, counts: Counter[tuple[str, date]]) -> None:
        with self.lock:
            for key, times in counts.items():
                if key in self.counts or len(self.counts) < MOST_WAITING:
                    self.counts[key] += times


_waiting: WeakKeyDictionary[Engine, _Waiting] = WeakKeyDictionary()
_waiting_lock = Lock()


def count(session: Session, words: str, *, kinds: list[str], on: date) -> None:
    """Note in memory that a search found nothing; reads only.

    kinds   the kinds of help that its words were taken for
    """
    catalogue, lock = CATALOGUE.latest(session)
    names = (words_of(base_name(p.name)) for p in gazetteer(session) if p.level <= REGENCY)
    # Of longer names no part is taken for the whole: Jaya is a person's name too.
    regions = {"kota", "kabupaten", "provinsi"} | {name[0] for name in names if len(name) == 1}
    with lock:
        entries = countable(
            words_of(words),
            names_help=names_help,
            names_region=regions.__contains__,
            is_plain_word=lambda word: is_root(word) and catalogue.postings.find(word) is None,
            is_danger=any(taxonomy().get(code).crisis_default for code in kinds),
        )
    month = on.replace(day=1)
    _of(session.connection().engine).put(Counter((entry, month) for entry in entries))


def write_soon(engine: Engine) -> None:
    """See to it that what waits is written within a minute, by a thread of its own."""
    waiting = _of(engine)
    with waiting.lock:
        if waiting.counts and waiting.timer is None:
            waiting.timer = Timer(SECONDS_WAITING, _write_aside, (engine,))
            waiting.timer.daemon = True
            waiting.timer.start()


def write(session: Session) -> int:
    """Add what waits in this process to the table and drop months that are over; flushes, gives how many entries.

    The transaction has to have begun as one that writes.
    """
    return _add(session, _of(session.connection().engine).take())


def _add(session: Session, counts: Counter[tuple[str, date]]) -> int:
    for (words, month), times in sorted(counts.items()):
        found = session.scalar(
            select(SearchMiss).where(SearchMiss.words == words, SearchMiss.month == month)
        )
        if found is None:
            # Not an id that begins with the time: when somebody searched is not to be known.
            identity = uuid5(NAMESPACE_URL, f"jejaring:miss/{month}/{words}")
            session.add(SearchMiss(id=identity, words=words, month=month, times=times))
        else:
            found.times += times
    if counts:
        newest = max(month for _, month in counts)
        session.execute(
            delete(SearchMiss).where(SearchMiss.month < newest - timedelta(days=31 * MONTHS_KEPT))
        )
    session.flush()
    return len(counts)


def most_missed(session: Session) -> list[Miss]:
    """Words searched for in vain, most frequent first."""
    query = (
        select(SearchMiss.words, func.sum(SearchMiss.times), func.max(SearchMiss.month))
        .group_by(SearchMiss.words)
        .order_by(func.sum(SearchMiss.times).desc(), SearchMiss.words)
        .limit(MOST_SHOWN)
    )
    return [Miss(words, int(times), month) for words, times, month in session.execute(query)]


def _of(engine: Engine) -> _Waiting:
    with _waiting_lock:
        return _waiting.setdefault(engine, _Waiting())


def _write_aside(engine: Engine) -> None:
    waiting = _of(engine)
    counts = waiting.take()
    try:
        with Session(engine) as session:
            take_write_lock(session)
            _add(session, counts)
            session.commit()
    except SQLAlchemyError:
        # Another process holds the lock or has just written the same words: the next minute will do.
        _log.info("Counts of searches that found nothing wait another minute.")
        waiting.put(counts)
        write_soon(engine)


@atexit.register
def _write_at_the_end() -> None:
    for engine, waiting in list(_waiting.items()):
        if waiting.timer is not None:
            waiting.timer.cancel()
            _write_aside(engine)
