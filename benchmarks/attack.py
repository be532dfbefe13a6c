"""An attack on where a refuge is: thousands of questions from chosen points, asked of two directories.

The two are the same but for the true points of their refuges, which lie in the same regency. Whoever knows everything
else (every other listing, every rule, the penalties, the tie) may ask from wherever they like, with every filter and
limit: if not one answer differs by a byte, then no question tells anything about the true point. Asked are the match
(as it is printed and as it is kept; by the database and by the index), the public search, planners' nearest
service, and what leaves the house whole.

    python -m benchmarks.attack --queries 10000
"""

import argparse
import json
import math
import random
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5
from zoneinfo import ZoneInfo

from flask import Flask

from referral.config import Settings
from referral.core.geo import haversine_km
from referral.directory.hsds.exports import Format, texts
from referral.directory.kinds import CapacityStatus, CategoryBasis, Criterion, ServiceStatus
from referral.directory.models import (
    CostOption,
    EligibilityRule,
    Location,
    Organization,
    RequiredDocument,
    Schedule,
    Service,
    ServiceAtLocation,
    ServiceCapacity,
    ServiceCategory,
)
from referral.directory.search import search
from referral.directory.search.queries import Near
from referral.extensions import alembic, db
from referral.factory import create_app
from referral.matching import live
from referral.matching.facts import Place, Query, Route
from referral.matching.operations import answer
from referral.matching.receipts import printed
from referral.places.queries import gazetteer
from referral.planning.gaps.nearest import nearest
from referral.reference import load_reference

ZONE = "Asia/Jakarta"
NOW = datetime(2026, 3, 2, 9, 30, tzinfo=ZoneInfo(ZONE))
HOLIDAY = datetime(2026, 8, 17, 9, 30, tzinfo=ZoneInfo(ZONE))
REGENCY = "33.74"
NEED = "EM07"
#: Where the refuges of each directory truly are: all in Kota Semarang, kilometres apart.
TRUE_POINTS = (
    ((-6.9931, 110.4203), (-7.0512, 110.4398), (-6.9702, 110.3011)),
    ((-7.0844, 110.4021), (-6.9555, 110.4608), (-7.0333, 110.3555)),
)
DECOYS = 40
SEED = 20261122


@dataclass(frozen=True)
class Leak:
    """A question to which the two directories give two answers."""

    asked: str
    way: str


def directories(folder: Path) -> tuple[Flask, Flask]:
    """Two databases that differ in the true points of their refuges alone."""
    made = []
    for number, points in enumerate(TRUE_POINTS):
        place = folder / str(number)
        place.mkdir()
        app = create_app(Settings.from_env({"JEJARING_INSTANCE": str(place)}))
        with app.app_context():
            alembic.upgrade()
            load_reference(db.session, now=NOW.astimezone(UTC))
            for refuge, point in enumerate(points):
                _add(f"refuge {refuge}", point, confidential=True, kind=refuge)
            rng = random.Random(SEED)
            for decoy in range(DECOYS):
                _add(f"decoy {decoy}", _decoy_point(rng, decoy), confidential=False, kind=decoy)
            db.session.commit()
        made.append(app)
    return made[0], made[1]


def _decoy_point(rng: random.Random, number: int) -> tuple[float, float]:
    """Some stand exactly where a refuge truly is, some where the regency's public point is, most around."""
    points = [point for points in TRUE_POINTS for point in points]
    if number < len(points):
        return points[number]
    return -7.0 + rng.uniform(-0.12, 0.12), 110.42 + rng.uniform(-0.15, 0.15)


def _id(*names: str) -> UUID:
    return uuid5(NAMESPACE_URL, "/".join(names))


def _add(name: str, point: tuple[float, float], *, confidential: bool, kind: int) -> None:
    """A service of its own organization; what is known of it goes by its number."""
    organization = Organization(id=_id(name, "organization"), name=name, description=name)
    service = Service(
        id=_id(name, "service"),
        organization=organization,
        name=name,
        status=ServiceStatus.ACTIVE if kind % 11 != 10 else ServiceStatus.INACTIVE,
        maximum_age=(None, None, 17)[kind % 3],
        assured_date=date(2026, 1, 5) if kind % 2 else None,
        last_modified=NOW,
    )
    location = Location(
        id=_id(name, "location"),
        area_code=f"{REGENCY}.{1 + kind % 16:02}" if not confidential else REGENCY,
        confidential=confidential,
        latitude=point[0],
        longitude=point[1],
        precision_km=0.5,
        point_source="facility",
    )
    site = ServiceAtLocation(id=_id(name, "site"), service=service, location=location)
    db.session.add_all([organization, service, location, site])
    db.session.flush()
    rows: list[Any] = [
        ServiceCategory(service_id=service.id, code=NEED, basis=CategoryBasis.STATED),
        ServiceCapacity(
            service_id=service.id,
            status=list(CapacityStatus)[kind % len(CapacityStatus)],
            updated=NOW - timedelta(days=kind % 45),
        ),
    ]
    if kind % 3 == 1:
        rows.append(
            EligibilityRule(service_id=service.id, criterion=Criterion.SEX, values=["female"])
        )
    if kind % 4 == 1:
        rows.append(CostOption(service_id=service.id, amount=20_000, currency="IDR"))
    if kind % 5 == 1:
        rows.append(RequiredDocument(service_id=service.id, code="KTP", document="KTP"))
    if kind % 2:
        hours = {"opens_at": "08:00", "closes_at": "15:00"}
        rows.append(Schedule(service_id=service.id, freq="WEEKLY", byday="MO,TU,WE,TH,FR", **hours))
    for number, row in enumerate(rows):
        row.id = _id(name, "row", str(number))
    db.session.add_all(rows)
    db.session.flush()


def questions(count: int, *, seed: int = SEED) -> Iterator[Query]:
    """Questions of somebody who knows everything but the point, and both points it may be."""
    rng = random.Random(seed)
    truths = [point for points in TRUE_POINTS for point in points]
    for _ in range(count):
        truth = rng.choice(truths)
        near = _chosen_point(rng, truth, truths)
        within = _chosen_limit(rng, haversine_km(*near, *truth))
        code = rng.choice([REGENCY, REGENCY, f"{REGENCY}.{rng.randint(1, 16):02}", "33.22"])
        routes = [
            Route(rng.choice([REGENCY, f"{REGENCY}.{number:02}"]), rng.choice([5.0, 60.0]), "boat")
            for number in rng.sample(range(1, 17), rng.choice([0, 0, 1, 3]))
        ]
        yield Query(
            need=rng.choice([NEED, NEED, "EM"]),
            at=rng.choice([NOW, NOW.replace(hour=22), HOLIDAY, NOW + timedelta(days=5)]),
            near=near,
            precision_km=rng.choice([0.0, 0.0, 0.5, 4.0, 30.0]),
            place=rng.choice([None, Place(code, code, 4.0)]),
            registered_in=rng.choice([None, REGENCY, "33.22"]),
            age=rng.choice([None, 16, 29]),
            sex=rng.choice([None, "female", "male"]),
            desil=rng.choice([None, 3, 8]),
            documents_lacking=rng.choice([(), ("KTP",)]),
            urgency=rng.choice(["emergency", "urgent", "routine"]),
            within=within,
            limit=rng.choice([1, 2, 3, 5, 20, 50]),
            violence=rng.random() < 0.3,
            is_group=rng.random() < 0.1,
            open_only=rng.random() < 0.3,
            free_only=rng.random() < 0.2,
            routes=tuple(routes),
        )


def _chosen_point(
    rng: random.Random, truth: tuple[float, float], truths: Sequence[tuple[float, float]]
) -> tuple[float, float]:
    way = rng.randrange(5)
    if way == 0:  # at the door
        return truth
    if way == 1:  # on a grid around it
        north, east = rng.randint(-10, 10), rng.randint(-10, 10)
        return truth[0] + north * 0.005, truth[1] + east * 0.005
    if way == 2:  # as far from it as from another place
        other = rng.choice(truths)
        return (truth[0] + other[0]) / 2, (truth[1] + other[1]) / 2
    if way == 3:  # on a circle around it, to see from which side it is nearer
        turn, radius = rng.uniform(0, 2 * math.pi), rng.choice([0.001, 0.01, 0.1])
        return truth[0] + radius * math.cos(turn), truth[1] + radius * math.sin(turn)
    return rng.uniform(-11, 6), rng.uniform(95, 141)


def _chosen_limit(rng: random.Random, km: float) -> float | None:
    """A travel limit that ends just before the true point, at it, just behind it, or somewhere."""
    close = rng.choice([-1.0, -0.001, -1e-9, 0.0, 1e-9, 0.001, 1.0])
    return rng.choice([None, max(km + close, 0.001), rng.uniform(0.1, 60.0)])


def leaks(apps: tuple[Flask, Flask], asked: Sequence[Query], *, every: int = 1) -> Iterator[Leak]:
    """Questions that tell the two directories apart.

    The index answers all; the database itself and the public search, which are slower, one in `every`.
    """
    by_way = [_everything_given_away(app) for app in apps]
    for way, ours in by_way[0].items():
        if ours != by_way[1][way]:
            yield Leak("everything", way)
    for app in apps:
        with app.app_context():  # the second question on, the index answers
            for query in asked[:2]:
                answer(db.session, query, zone=ZONE, need_id="n")
                db.session.rollback()
    for number, query in enumerate(asked):
        for way in ("index", "database", "search") if number % every == 0 else ("index",):
            ours, theirs = (_told(app, query, way) for app in apps)
            if ours != theirs:
                yield Leak(repr(query), way)


def _told(app: Flask, query: Query, way: str) -> str:
    with app.app_context():
        if way == "search":
            told = _searched(query)
        else:
            kept = live.INDEX.exact(db.session) if way == "index" else None
            if way == "index" and kept is None:
                raise RuntimeError("the index does not answer")
            told = _matched(query, by_index=way == "index")
        db.session.rollback()
        return told


def _matched(query: Query, *, by_index: bool) -> str:
    """The whole answer, as it is kept and as it is printed."""
    if by_index:
        content = answer(db.session, query, zone=ZONE, need_id="n", now=NOW)
    else:
        exact, live.INDEX.exact = live.INDEX.exact, lambda _session: None  # type: ignore[method-assign]  # so that the database answers
        try:
            content = answer(db.session, query, zone=ZONE, need_id="n", now=NOW)
        finally:
            live.INDEX.exact = exact  # type: ignore[method-assign]
    return json.dumps([content, printed(content, "id")], default=str)


def _searched(query: Query) -> str:
    near = query.near and Near(*query.near, query.precision_km, query.place and query.place.code)
    found = search(db.session, near=near, category=NEED, size=50)
    hits = [*found.page.items, *found.remote]
    return json.dumps([[str(hit.listing.service.id), hit.km, hit.unsure_km] for hit in hits])


def _everything_given_away(app: Flask) -> dict[str, str]:
    """What is given away whole: to the public, and to planners."""
    with app.app_context():
        places = gazetteer(db.session)
        pairs = [(REGENCY, NEED), ("33.22", NEED), (f"{REGENCY}.01", NEED)]
        found = {
            kind.value: "".join(texts(db.session, kind))
            for kind in Format
            if kind not in (Format.XLSX, Format.HSDS_CSV)
        }
        found["nearest"] = repr(nearest(db.session, places, pairs))
        db.session.rollback()
        return found


def main() -> None:
    """Attacks and prints what it learned; ends with 1 where it learned something."""
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("--queries", type=int, default=10_000)
    options.add_argument("--every", type=int, default=10, help="asked of database and search too")
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        apps = directories(Path(folder))
        began = time.perf_counter()
        found = list(leaks(apps, list(questions(given.queries)), every=given.every))
        seconds = time.perf_counter() - began
    print(
        f"{given.queries} questions to each of two directories by index, one in {given.every} by database and"
        f" public search too: {seconds:.0f} s"
    )
    print(f"{len(found)} answers told the true point apart")
    for leak in found[:10]:
        print(f"  {leak.way}: {leak.asked}")
    raise SystemExit(1 if found else 0)


if __name__ == "__main__":
    main()
