"""The explained match by the index, by rows, and the obvious way: rows as objects, geopy for every distance.

All answer the same questions on the same synthetic directory (fixed seed, 80 categories by Zipf's law,
clustered like towns); their answers must agree before a time counts. Then the index alone, without a
database, against looking at every offer, as the directory grows.
"""

import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
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
from referral.matching import live
from referral.matching.facts import Query
from referral.matching.index import Index
from referral.matching.operations import answer
from referral.matching.ranking import select as select_all
from referral.matching.ranking import told
from referral.reference import load_reference

SERVICES, QUERIES, SEED = 20_000, 60, 20261121
GROWING, ASKED, CHECKED = (10_000, 100_000), 1_000, 20
NOW = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)


def main() -> None:
    """Measures and prints; raises AssertionError where two ways do not agree."""
    print(f"{platform.machine()}, Python {platform.python_version()}, {os.cpu_count()} cores")
    _with_a_database()
    for size in GROWING:
        _without(size)


def _with_a_database() -> None:
    by_index: list[float] = []
    by_rows: list[float] = []
    by_objects: list[float] = []
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
    started = time.process_time()
    index = Index.of(synthetic.offers(size, SEED))
    built = time.process_time() - started
    columns = index.columns
    arrays = [*columns.codes.values(), columns.points, columns.ids]
    arrays += [
        part
        for posting in columns.postings.values()
        for part in (posting.rows, posting.centres, posting.radii)
    ]
    queries = list(synthetic.queries(ASKED, SEED + 1))
    selecting, explaining, looking = [], [], []
    for query in queries:
        taken, selection = _timed(lambda q=query: index.select(q, STEPS))  # type: ignore[misc]
        selecting.append(taken)
        more, _ = _timed(lambda q=query, s=selection: told(q, s, STEPS))  # type: ignore[misc]
        explaining.append(taken + more)
    for query in queries[:CHECKED]:
        among = [
            columns.offer(int(row)) for row in columns.postings[query.need].rows
        ]  # not counted: rows by rows would have them too
        taken, selection = _timed(lambda q=query, a=among: select_all(q, a, STEPS))  # type: ignore[misc]
        looking.append(taken)
        assert selection == index.select(query, STEPS), "the index is wrong"
    mib = sum(array.nbytes for array in arrays) / 2**20
    print(f"{size:,} offers: built in {built:.0f} s of one core, {mib:.0f} MiB of arrays")
    _row("select", selecting)
    _row("select and explain", explaining)
    _row("look at every offer", looking, than=selecting)


def _row(name: str, taken: list[float], *, than: list[float] | None = None) -> None:
    p95 = statistics.quantiles(taken, n=20)[-1]
    line = f"{name:>20}: median {statistics.median(taken):9.2f} ms, p95 {p95:9.2f} ms"
    if than is not None:
        line += f", {statistics.median(taken) / statistics.median(than):.1f} times as long"
    print(line)


def _timed(call: Callable[[], Any]) -> tuple[float, Any]:
    start = time.perf_counter()
    result = call()
    return (time.perf_counter() - start) * 1000, result


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
