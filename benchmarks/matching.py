"""The explained match against the obvious way: every row as an object, geopy for every distance.

Both answer the same question on the same synthetic directory (fixed seed, 80 categories by Zipf's law,
clustered like towns); the nearest options of both must agree before a time counts.
"""

import platform
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from geopy.distance import great_circle
from sqlalchemy import insert, select
from sqlalchemy.orm import Session

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
from referral.matching.facts import Query
from referral.matching.operations import answer
from referral.reference import load_reference

SERVICES, QUERIES, SEED = 20_000, 60, 20261121
NOW = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)


def main() -> None:
    """Measures and prints; raises AssertionError where the two do not agree."""
    with tempfile.TemporaryDirectory() as folder:
        app = create_app(Settings.from_env({"JEJARING_INSTANCE": folder}))
        with app.app_context():
            alembic.upgrade()
            load_reference(db.session, now=NOW)
            draw = np.random.default_rng(SEED)
            leaves = [term.code for term in taxonomy() if term.level > 1]
            _fill(db.session, draw, leaves)
            queries = _queries(draw, leaves)
            ours, theirs = [], []
            for query in queries:
                taken, options = _timed(lambda q=query: answer(db.session, q, zone="Asia/Jakarta"))  # type: ignore[misc]
                ours.append(taken)
                taken, nearest = _timed(lambda q=query: _by_rows(db.session, q))  # type: ignore[misc]
                theirs.append(taken)
                found = {one["service_at_location_id"] for one in options["options"]}
                assert found == nearest, "the two ways do not agree"
                db.session.expunge_all()
        size = (Path(folder) / "jejaring.db").stat().st_size / 1e6
    print(f"{platform.machine()}, Python {platform.python_version()}, SQLite {size:.0f} MB")
    print(f"{SERVICES:,} services, {len(queries)} queries, top 20, same nearest 20 in every one")
    for name, taken in (("explained match", ours), ("objects and geopy", theirs)):
        p95 = statistics.quantiles(taken, n=20)[-1]
        print(f"{name:>18}: median {statistics.median(taken):8.1f} ms, p95 {p95:8.1f} ms")
    print(f"{'ratio of medians':>18}: {statistics.median(theirs) / statistics.median(ours):.1f}")


def _timed(call: Callable[[], Any]) -> tuple[float, Any]:
    start = time.perf_counter()
    result = call()
    return (time.perf_counter() - start) * 1000, result


def _by_rows(session: Session, query: Query) -> set[str]:
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
