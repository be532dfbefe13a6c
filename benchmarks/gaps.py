"""Counting gaps at national size: a million episodes of 514 kab/kota × 80 kinds of help, counted, released, read.

    python -m benchmarks.gaps [--episodes N] [--later N] [--keep FOLDER] [--only-count]

Told by the clock and by the processor: how long counting takes, and how long it holds the write lock at a time.
Rows are filled in without personal values, three sealed columns of a usual length in each; counting opens none.
A second quarter follows, so that the release is held against the first. Memory is this process's highest.
"""

import argparse
import resource
import secrets
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from sqlalchemy import event, func, select
from sqlalchemy.engine import Engine

from referral.accounts.models import Office, Role, User
from referral.changes.actors import SYSTEM
from referral.config import Settings
from referral.core.db import new_id, take_write_lock
from referral.core.sealing import DataKey
from referral.directory.reference import taxonomy
from referral.extensions import alembic, db
from referral.factory import create_app
from referral.places.queries import gazetteer
from referral.planning.disclosure.certificate import Certificate
from referral.planning.gaps import counting, figures, releases
from referral.planning.gaps.cuts import Key
from referral.planning.gaps.models import GapCount, GapFigure, Measure
from referral.reference import load_reference

SEED, THRESHOLD, AT_A_TIME = 7, 5, 20_000
#: the first day of a quarter: the one before it is counted
FIRST, SECOND = datetime(2026, 7, 1, 3, tzinfo=UTC), datetime(2026, 10, 1, 3, tzinfo=UTC)
REASONS = {
    "U01": 30,
    "U02": 20,
    "U03": 15,
    "U05": 8,
    "U06": 7,
    "U07": 7,
    "U08": 6,
    "U17": 5,
    "U12": 2,
}
READS = 200
Answer = TypeVar("Answer")


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--episodes", type=int, default=1_000_000)
    asked.add_argument(
        "--later", type=int, default=250_000, help="episodes of the quarter after it"
    )
    asked.add_argument("--keep", type=Path, help="folder of the instance, to look at it afterwards")
    asked.add_argument("--only-count", action="store_true", help="without releases and reads")
    given = asked.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        app = create_app(Settings.from_env({"JEJARING_INSTANCE": str(given.keep or folder)}))
        with app.app_context():
            alembic.upgrade()
            load_reference(db.session, now=FIRST)
            db.session.commit()
            draw = np.random.default_rng(SEED)
            fill(draw, given.episodes, FIRST - timedelta(days=360), FIRST)
            count("2026-Q2", FIRST)
            if given.only_count:
                return
            release("2026-Q2", FIRST)
            fill(draw, given.later, FIRST, SECOND)
            count("2026-Q3", SECOND)
            release("2026-Q3", SECOND)
            reads(draw)


def fill(draw: np.random.Generator, episodes: int, begin: datetime, end: datetime) -> None:
    """People who wait: one in six has two needs, one in five waits no more."""
    start = time.perf_counter()
    session = db.session
    key = DataKey.new(session)
    office = Office(key=key, name=f"Kantor {secrets.token_hex(4)}", area_code="33.74")
    broker = User(
        name="Pekerja",
        email=f"{secrets.token_hex(4)}@example.org",
        fs_uniquifier=secrets.token_hex(8),
        role=Role.BROKER,
        office=office,
        created_at=begin,
    )
    session.add_all([office, broker])
    session.commit()
    rows = _rows(draw, episodes, begin, end, office.id.hex, broker.id.hex, key.id.hex)
    connection = db.engine.raw_connection()
    cursor = connection.cursor()
    cursor.execute("BEGIN")
    for client, case, need, unmet in rows:
        cursor.executemany(_INSERTS["client"], client)
        cursor.executemany(_INSERTS["case"], case)
        cursor.executemany(_INSERTS["need"], need)
        cursor.executemany(_INSERTS["unmet_need"], unmet)
    cursor.execute("COMMIT")
    connection.close()
    print(f"filled {episodes:,} episodes in {time.perf_counter() - start:.0f} s")


_COLUMNS = {
    "client": "id, key_id, office_id, kind, created_at, area_code, name_sealed, facts_sealed, stays_at_sealed",
    "case": "id, key_id, number, client_id, office_id, broker_id, stage, opened_at, version",
    "need": "id, key_id, case_id, category, urgency, severity, in_scope, assessed_at, because_sealed",
    "unmet_need": "id, need_id, office_id, category, area_code, reason, secondary, evidence, origin,"
    " opened_at, closed_at, closed_as",
}
_INSERTS = {
    table: f'INSERT INTO "{table}" ({columns}) VALUES ({", ".join("?" * (columns.count(",") + 1))})'
    for table, columns in _COLUMNS.items()
}


def _rows(
    draw: np.random.Generator,
    episodes: int,
    begin: datetime,
    end: datetime,
    office: str,
    broker: str,
    key: str,
) -> Iterator[tuple[list[Any], list[Any], list[Any], list[Any]]]:
    areas = sorted(place.code for place in gazetteer(db.session) if place.level == 2)
    leaves = [leaf.code for each in taxonomy().domains() for leaf in taxonomy().leaves(each.code)]
    at_area = draw.permutation(1 / np.arange(2, len(areas) + 2) ** 0.8)
    of_leaf = draw.permutation(1 / np.arange(2, len(leaves) + 2) ** 0.9)
    reasons = list(REASONS)
    weights = np.array(list(REASONS.values())) / sum(REASONS.values())
    span = (end - begin).total_seconds()
    number = 0
    for first in range(0, episodes, AT_A_TIME):
        many = min(AT_A_TIME, episodes - first)
        area = draw.choice(len(areas), many, p=at_area / at_area.sum())
        leaf = draw.choice(len(leaves), many, p=of_leaf / of_leaf.sum())
        reason = draw.choice(len(reasons), many, p=weights)
        seconds = draw.random(many) * span
        again, over = draw.random(many) < 1 / 6, draw.random(many) < 0.2
        client: list[Any] = []
        case: list[Any] = []
        need: list[Any] = []
        unmet: list[Any] = []
        for at in range(many):
            opened = begin + timedelta(seconds=float(seconds[at]))
            moment, place = _text(opened), areas[area[at]]
            if not case or not again[at]:
                who, file = new_id().hex, new_id().hex
                sealed = [secrets.token_bytes(size) for size in (40, 90, 120)]
                client.append((who, key, office, "person", moment, place, *sealed))
                number += 1
                label = f"KB-{first}-{number}"
                case.append((file, key, label, who, office, broker, "assessment", moment, 1))
            one, closed = new_id().hex, opened + timedelta(days=20)
            is_over = bool(over[at]) and closed < end
            kind = leaves[leaf[at]]
            need.append((one, key, file, kind, "routine", 2, 1, moment, secrets.token_bytes(80)))
            unmet.append(
                (
                    *(new_id().hex, one, office, kind, place, reasons[reason[at]]),
                    *('["U08"]' if at % 3 == 0 else "[]", "{}", "no_match", moment),
                    *((_text(closed), "met") if is_over else (None, None)),
                )
            )
        yield client, case, need, unmet


def _text(at: datetime) -> str:
    return at.replace(tzinfo=None).isoformat(" ")


def count(quarter: str, now: datetime) -> None:
    """As the job does it, without its pauses."""
    session = db.session
    marked, frozen = Held(), Held()

    def work() -> None:
        session.rollback()
        for clients in releases.to_count(session, quarter, now=now):
            with marked.lock():
                releases.mark(session, quarter, clients, now=now)
        for each in releases.unfrozen(session, quarter):
            grouped = counting.grouped(session, each)
            with frozen.lock():
                if not counting.freeze(session, grouped):
                    raise RuntimeError("somebody else counts here")

    print(f"{quarter}:")
    timed("count and freeze", work)
    marked.tell("marking")
    frozen.tell("keeping the counts of a quarter")
    counts = session.scalar(select(func.count()).select_from(GapCount))
    people = session.scalar(select(func.sum(GapCount.people)))
    print(f"  {counts:,} counts of {people:,} people")


class Held:
    """How long the write lock was held, each time."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self.busy: list[float] = []

    @contextmanager
    def lock(self) -> Iterator[None]:
        db.session.rollback()
        take_write_lock(db.session)
        start, busy = time.perf_counter(), time.process_time()
        yield
        db.session.commit()
        self.seconds.append(time.perf_counter() - start)
        self.busy.append(time.process_time() - busy)

    def tell(self, what: str) -> None:
        print(
            f"  {what}: {len(self.seconds):,} transactions, the longest holds the lock {max(self.seconds):.2f} s"
            f" ({max(self.busy):.2f} s of processor), all together {sum(self.seconds):.0f} s ({sum(self.busy):.0f} s)"
        )


def release(quarter: str, now: datetime) -> None:
    """What may be told of what was counted, and the proof of it."""
    session = db.session

    def keep() -> None:
        session.rollback()
        take_write_lock(session)
        releases.keep(session, quarter, prepared, by=SYSTEM, now=now)
        session.commit()

    prepared = timed(
        "disclosure control", lambda: releases.prepare(session, quarter, threshold=THRESHOLD)
    )
    timed("keep", keep)
    print(f"  {session.scalar(select(func.count()).select_from(GapFigure)):,} figures are kept")
    newest = figures.latest(session)
    if newest is not None:
        for measure, content in newest.certificate.items():
            told = Certificate.from_json(content)
            print(
                f"  {measure}: {told.shown:,} told, {told.small:,} small, {told.withheld:,} withheld;"
                f" {told.audit}"
            )


def reads(draw: np.random.Generator) -> None:
    """What a page reads of a release: one kind of help, every kab/kota; one figure that widens."""
    session = db.session
    newest = figures.latest(session)
    if newest is None:
        return
    regencies = [place.code for place in gazetteer(session) if place.level == 2]
    leaves = [leaf.code for each in taxonomy().domains() for leaf in taxonomy().leaves(each.code)]
    statements = _counted()
    times = []
    for _ in range(READS):
        category = leaves[draw.integers(len(leaves))]
        start = time.perf_counter()
        found = figures.read(session, newest, Measure.UNMET, category=category)
        for area in regencies:
            found.told(Key(area, category))
        times.append(time.perf_counter() - start)
        session.expire_all()
    times.sort()
    print(
        f"one kind of help, all kab/kota, widened: median {statistics.median(times) * 1000:.0f} ms,"
        f" p95 {times[int(READS * 0.95)] * 1000:.0f} ms, {len(statements) / READS:.0f} statements each"
    )


def _counted() -> list[str]:
    found: list[str] = []
    event.listen(
        Engine,
        "before_cursor_execute",
        lambda _connection, _cursor, statement, *_rest: found.append(statement),
    )
    return found


def timed(what: str, work: Callable[[], Answer]) -> Answer:
    start, busy = time.perf_counter(), time.process_time()
    answer = work()
    seconds, busy = time.perf_counter() - start, time.process_time() - busy
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"  {what}: {seconds:.1f} s ({busy:.1f} s of processor), {peak:.0f} MB", flush=True)
    return answer


if __name__ == "__main__":
    main()
