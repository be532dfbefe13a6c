"""The explained match by the index, by rows, and the obvious way: rows as objects, geopy for every distance.

All answer the same questions on the same synthetic directory (fixed seed, 80 categories by Zipf's law,
clustered like towns); their answers must agree before a time counts. Then the index alone, without a
database, against looking at every offer, as the directory grows.

    python -m benchmarks.matching [--million] [--alone]

Each time is given by the clock and, behind it, of the processor: on a machine with other work the clock also
counts waiting.
"""

import argparse
import gc
import os
import platform
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from geopy.distance import great_circle
from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from benchmarks import offers as synthetic
from benchmarks.offers import STEPS
from referral.config import Settings
from referral.core.db import new_id
from referral.directory.models import (
    CategoryBasis,
    Location,
    Organization,
    Service,
    ServiceAtLocation,
    ServiceCategory,
    ServiceStatus,
    SystemType,
)
from referral.directory.reference import taxonomy
from referral.extensions import alembic, db
from referral.factory import create_app
from referral.matching import live, snapshot
from referral.matching.facts import Offer, Query
from referral.matching.index import Index
from referral.matching.operations import answer
from referral.matching.ranking import select as select_all
from referral.matching.telling import told
from referral.reference import load_reference

SERVICES, QUERIES, SEED = 20_000, 60, 20261121
GROWING, MILLION, ASKED, CHECKED, CHANGED = (10_000, 100_000), 1_000_000, 1_000, 20, 100
NOW = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)


def main() -> None:
    """Measures and prints; raises AssertionError where two ways do not agree."""
    asked = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    asked.add_argument(
        "--million", action="store_true", help="also a million offers: takes minutes"
    )
    asked.add_argument("--alone", action="store_true", help="the index alone, without a database")
    given = asked.parse_args()
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()},"
        f" NumPy {np.__version__}, SQLite {sqlite3.sqlite_version}"
    )
    if not given.alone:
        _with_a_database()
    for size in (*GROWING, MILLION) if given.million else GROWING:
        _without(size)


def _with_a_database() -> None:
    by_index: list[Taken] = []
    by_rows: list[Taken] = []
    by_objects: list[Taken] = []
    with tempfile.TemporaryDirectory() as folder:
        app = create_app(Settings.from_env({"JEJARING_INSTANCE": folder}))
        with app.app_context():
            alembic.upgrade()
            load_reference(db.session, now=NOW)
            draw = np.random.default_rng(SEED)
            leaves = [term.code for term in taxonomy() if term.level > 1]
            _fill(db.session, draw, leaves)
            queries = _queries(draw, leaves)
            expected = []
            for query in queries:
                live.INDEX.forget(db.engine)  # so each is a process's first question
                taken, found = _timed(lambda q=query: answer(db.session, q, zone="Asia/Jakarta"))  # type: ignore[misc]
                by_rows.append(taken)
                expected.append(found)
                taken, nearest = _timed(lambda q=query: _by_objects(db.session, q))  # type: ignore[misc]
                by_objects.append(taken)
                shown = {one["service_at_location_id"] for one in found["options"]}
                assert shown == nearest, "rows and objects do not agree"
                db.session.expunge_all()
            while live.INDEX.exact(db.session) is None:
                time.sleep(0.1)
            for query, answered in zip(queries, expected, strict=True):
                taken, found = _timed(lambda q=query: answer(db.session, q, zone="Asia/Jakarta"))  # type: ignore[misc]
                by_index.append(taken)
                assert found == answered, "index and rows do not agree"
            live.INDEX.forget(db.engine)
            db.engine.dispose()
    print(f"{SERVICES:,} services in SQLite, {len(queries)} queries, explained match, top 20")
    _row("by the index", by_index)
    _row("by rows", by_rows, than=by_index)
    _row("objects and geopy", by_objects, than=by_index)


def _without(size: int) -> None:
    """The index alone."""
    seconds, index = _timed(lambda: Index.of(synthetic.offers(size, SEED)))
    queries = list(synthetic.queries(ASKED, SEED + 1))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "offers.index"
        snapshot.write(index.columns, path, head={})
        reading = [_timed(lambda: snapshot.read(path))[0] for _ in range(7)]
        index = Index(snapshot.read(path)[0])
        gc.collect()
        gc.freeze()  # as a server does before it answers
        first = [
            _timed(lambda q=query: _explained(index, q))[0] for query in _of_each_need(queries)
        ]  # type: ignore[misc]
        ranking, matching = [], []
        for query in queries:
            ranking.append(_timed(lambda q=query: index.search(q, STEPS).options)[0])  # type: ignore[misc]
        for query in queries:
            matching.append(_timed(lambda q=query: _explained(index, q))[0])  # type: ignore[misc]
        looking, among = [], {}
        for query in queries[:CHECKED]:
            if query.need not in among:
                among = {
                    query.need: index.columns.offers(index.columns.postings[query.need].everybody())
                }
            taken, found = _timed(lambda q=query, a=among[query.need]: select_all(q, a, STEPS))  # type: ignore[misc]
            looking.append(taken)
            assert found == index.select(query, STEPS), "the index is wrong"
            in_order = [
                index.columns.site_id(one.row) for one in index.search(query, STEPS).options
            ]
            assert in_order == [one.offer.service_at_location_id for one in found.options]
        changing = [
            _timed(lambda o=offer: _changed(index, o))[0]
            for offer in synthetic.offers(CHANGED, SEED)
        ]  # type: ignore[misc]
        kept = path.stat().st_size
    print(
        f"{size:,} offers: built in {seconds[0] / 1000:.0f} s of the clock, {seconds[1] / 1000:.0f} s of the processor;"
        f" {index.nbytes / 1e6:.0f} MB in memory after {len(queries):,} queries, file {kept / 1e6:.0f} MB"
    )
    _row("read the file", reading)
    _row("first of a category", first)
    _row("rank", ranking)
    _row("match and explain", matching)
    _row("look at every offer", looking, than=ranking)
    _row("one listing changed", changing)


def _explained(index: Index, query: Query) -> Any:
    return told(query, index.select(query, STEPS), STEPS)


def _of_each_need(queries: list[Query]) -> list[Query]:
    return list({query.need: query for query in queries}.values())


def _changed(index: Index, offer: Offer) -> None:
    index.replace(offer.service_id, [replace(offer, fee=True)])


#: Milliseconds of the clock and of the processor.
Taken = tuple[float, float]


def _row(name: str, taken: list[Taken], *, than: list[Taken] | None = None) -> None:
    line = f"{name:>20}:"
    for what, ms in zip(("clock", "processor"), zip(*taken, strict=True), strict=True):
        p95 = statistics.quantiles(ms, n=20)[-1]
        line += f" {what} median {statistics.median(ms):8.3f} ms, p95 {p95:8.3f} ms;"
    if than is not None:
        times = statistics.median(one for _, one in taken) / statistics.median(
            one for _, one in than
        )
        line += f" {times:.1f} times as long"
    print(line.rstrip(";"))


def _timed(call: Callable[[], Any]) -> tuple[Taken, Any]:
    start, used = time.perf_counter(), time.process_time()
    result = call()
    used, start = time.process_time() - used, time.perf_counter() - start
    return (start * 1000, used * 1000), result


def _by_objects(session: Session, query: Query) -> set[str]:
    """The twenty nearest, by loading every service of the category and asking geopy for each."""
    sites = session.scalars(
        select(ServiceAtLocation)
        .join(Service)
        .join(ServiceCategory)
        .where(ServiceCategory.code == query.need, Service.status == ServiceStatus.ACTIVE)
    ).all()
    here = query.near
    placed = [
        (great_circle(here, (site.location.latitude, site.location.longitude)).km, str(site.id))
        for site in sites
        if site.location is not None
    ]
    return {site_id for _, site_id in sorted(placed)[: query.limit]}


def _queries(draw: np.random.Generator, leaves: list[str]) -> list[Query]:
    return [
        Query(
            need=leaves[int(draw.zipf(1.3)) % len(leaves)],
            near=(float(draw.uniform(-9, 4)), float(draw.uniform(96, 139))),
            at=NOW,
        )
        for _ in range(QUERIES)
    ]


def _fill(session: Session, draw: np.random.Generator, leaves: list[str]) -> None:
    """Services with nothing but a category and a place, around 300 towns."""
    towns = np.column_stack([draw.uniform(-9, 4, 300), draw.uniform(96, 139, 300)])
    town = towns[draw.zipf(1.4, SERVICES) % 300] + draw.normal(0, 0.15, (SERVICES, 2))
    codes = [leaves[int(rank) % len(leaves)] for rank in draw.zipf(1.3, SERVICES)]
    organization = new_id()
    ids = [(new_id(), new_id(), new_id()) for _ in range(SERVICES)]
    session.execute(
        insert(Organization),
        [{"id": organization, "name": "Contoh", "system_type": SystemType.SOCIETAL}],
    )
    session.execute(
        insert(Service),
        [
            {
                "id": service,
                "organization_id": organization,
                "name": f"Layanan {number}",
                "last_modified": NOW,
                "version": 1,
            }
            for number, (service, _, _) in enumerate(ids)
        ],
    )
    session.execute(
        insert(Location),
        [
            {"id": location, "latitude": float(lat), "longitude": float(lon), "precision_km": 0.5}
            for (_, location, _), (lat, lon) in zip(ids, town, strict=True)
        ],
    )
    session.execute(
        insert(ServiceAtLocation),
        [
            {"id": site, "service_id": service, "location_id": location}
            for service, location, site in ids
        ],
    )
    session.execute(
        insert(ServiceCategory),
        [
            {"id": new_id(), "service_id": service, "code": code, "basis": CategoryBasis.STATED}
            for (service, _, _), code in zip(ids, codes, strict=True)
        ],
    )
    session.commit()


if __name__ == "__main__":
    main()
