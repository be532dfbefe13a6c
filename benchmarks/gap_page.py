"""The planners' gap page at national size: a release of 514 kab/kota × 80 kinds of help, measures of all of them.

    python -m benchmarks.gap_page [--keep FOLDER] [--boundaries FILE] [--requests N]

Rows of the release are filled in directly; the measures are worked out as every night. Each address is asked again
and again; then every kind of help once and once more, since a planner rarely asks the same twice.
"""

import argparse
import gc
import json
import statistics
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import func, insert, select

from benchmarks import synthetic
from referral.accounts.models import Role, User
from referral.accounts.passwords import hashed
from referral.config import Settings
from referral.directory.reference import taxonomy
from referral.extensions import alembic, db
from referral.factory import create_app
from referral.places import boundaries
from referral.places.models import AreaBoundary
from referral.places.queries import gazetteer
from referral.planning.access import operations as access
from referral.planning.disclosure.cells import Cell, Shown
from referral.planning.disclosure.certificate import Audit, Certificate, digest
from referral.planning.gaps.models import Audience, GapFigure, GapRelease, Measure
from referral.planning.gaps.periods import window
from referral.reference import load_reference

LISTINGS, SEED, QUARTER, THRESHOLD = 20_000, 6, "2026-Q3", 5
PASSWORD = "a long enough password for a benchmark"
PAGES = (
    "/gaps",
    "/gaps?category=HE05",
    "/gaps?category=HE&layer=share&level=province",
    "/gaps?category=FC05&in=33&layer=nearest",
    "/gaps?reason=U01&level=province&category=HE",
    "/gaps?category=HE05&sort=services&dir=desc&page=4",
    "/gaps?category=HE05&layer=coverage&system=societal",
    "/gaps?category=HE05&layer=nearest&shape=hexagons",
)
FRAMES = (
    "/gaps/map?category=HE05",
    "/gaps/map?category=HE05&layer=nearest&shape=hexagons",
    "/gaps/map?category=HE05&layer=nearest&shape=hexagons&in=62",
    "/gaps/map?category=HE05&in=33",
)
FILES = (
    "/gaps/map.svg?category=HE05",
    "/gaps/csv?category=HE05",
    "/gaps/xlsx?category=HE05",
    "/gaps/geojson?category=HE05",
    "/gaps/png?category=HE05",
    "/gaps/print?category=HE05",
)


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--keep", type=Path, help="folder of the instance, to look at it afterwards")
    asked.add_argument("--boundaries", type=Path, action="append", default=[])
    asked.add_argument("--requests", type=int, default=40)
    given = asked.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        place = given.keep or Path(folder)
        app = create_app(Settings.from_env({"JEJARING_INSTANCE": str(place)}))
        with app.app_context():
            alembic.upgrade()
            load_reference(db.session, now=datetime.now(UTC))
            db.session.commit()
            fill(given.boundaries)
        app.config["WTF_CSRF_ENABLED"] = False
        gc.collect()
        gc.freeze()  # as app.py does
        client = app.test_client()
        client.post("/sign-in", data={"email": "planner@example.org", "password": PASSWORD})
        for addresses, requests in ((PAGES, given.requests), (FRAMES, 10), (FILES, 5)):
            for address in addresses:
                say(client, address, requests)
        for rest in ("", "&layer=services&system=societal", "&layer=nearest&shape=hexagons"):
            for when in ("first", "again"):
                say_all(client, rest, when)


def fill(files: list[Path]) -> None:
    """A directory, a release, measures and somebody to look at them."""
    session, now = db.session, datetime.now(UTC)
    draw = np.random.default_rng(SEED)
    listings = list(synthetic.listings_of(draw, synthetic.areas_of(session), LISTINGS))
    synthetic.fill(session, listings)
    session.commit()
    for file in files:
        found = boundaries.read(session, boundaries.features(file))
        boundaries.keep(session, found, source=file.stem)
    for audience, least in ((Audience.PLANNERS, THRESHOLD), (Audience.PUBLIC, 11)):
        session.execute(insert(GapFigure), _figures(draw, audience, least, now))
    session.add(
        User(
            name="Perencana",
            email="planner@example.org",
            password=hashed(PASSWORD),
            fs_uniquifier="benchmark",
            role=Role.PLANNER,
            created_at=now,
        )
    )
    session.commit()
    start = time.perf_counter()
    access.work_out(session, now=now)
    session.commit()
    count = session.scalar(select(func.count()).select_from(AreaBoundary))
    print(f"measures worked out in {time.perf_counter() - start:.1f} s; {count} boundaries")


def _figures(
    draw: np.random.Generator, audience: Audience, least: int, now: datetime
) -> list[dict[str, Any]]:
    """Counts by kab/kota and kind of help, with all that they come to; small ones hidden, as after a release."""
    session = db.session
    release = GapRelease(
        quarter=QUARTER, audience=audience, made_at=now, threshold=least, certificate={}
    )
    session.add(release)
    session.flush()
    regencies = sorted(place.code for place in gazetteer(session) if place.level == 2)
    leaves = [leaf for domain in taxonomy().domains() for leaf in taxonomy().leaves(domain.code)]
    rows: list[dict[str, Any]] = []
    for measure, mean in ((Measure.ASKED, 12.0), (Measure.UNMET, 4.0), (Measure.CLOSED, 1.0)):
        counts = draw.negative_binomial(0.6, 0.6 / (0.6 + mean), (len(regencies), len(leaves)))
        sums: dict[tuple[str, str, str, str], int] = {}
        for row, area in enumerate(regencies):
            for column, leaf in enumerate(leaves):
                people = int(counts[row, column])
                for place in (area, area[:2], ""):
                    for kind in (leaf.code, leaf.parent or "", ""):
                        key = (place, kind, "", "")
                        sums[key] = sums.get(key, 0) + people
        reasons = ("U01", "U02", "U03", "availability", "accessibility")
        for (area, kind, _reason, _period), people in list(sums.items()):
            if len(area) < 5 and kind in {"", *(d.code for d in taxonomy().domains())}:
                for part, reason in enumerate(reasons if measure is Measure.UNMET else ()):
                    sums[area, kind, reason, ""] = people // (2 + part)
                for part, quarter in enumerate(window(QUARTER)):
                    sums[area, kind, "", quarter] = people // (3 + part)
        cells = {key: _cell(people, least) for key, people in sums.items() if people}
        release.certificate = release.certificate | {measure.value: _certificate(cells, least)}
        rows += [
            {
                "release_id": release.id,
                "measure": measure,
                "area": key[0],
                "category": key[1],
                "reason": key[2],
                "period": key[3],
                "shown": cell.shown.value,
                "people": cell.count,
            }
            for key, cell in cells.items()
        ]
    return rows


def _cell(people: int, least: int) -> Cell:
    return Cell(Shown.COUNT, people) if people >= least else Cell(Shown.SMALL)


def _certificate(cells: dict[tuple[str, ...], Cell], least: int) -> dict[str, Any]:
    small = sum(cell.count is None for cell in cells.values())
    audit = Audit(
        secrets=small, told_before=0, least_possible=least - 1, highest_low=1, programmes=0
    )
    return Certificate(
        rule="benchmark",
        threshold=least,
        shown=len(cells) - small,
        small=small,
        withheld=0,
        primary=small,
        complementary=0,
        earlier=0,
        audit=audit,
        digest=digest(cells),
    ).as_json()


def say_all(client: Any, rest: str, when: str) -> None:
    """The processor's time for one page of each kind of help."""
    taken = []
    for domain in taxonomy().domains():
        for leaf in taxonomy().leaves(domain.code):
            worked = time.process_time()
            answer = client.get(f"/gaps?category={leaf.code}{rest}")
            taken.append(1000 * (time.process_time() - worked))
            assert answer.status_code == 200
    taken.sort()
    told = {
        "pages": len(taken),
        "p50_processor_ms": round(statistics.median(taken)),
        "p95_processor_ms": round(taken[int(0.95 * len(taken))]),
        "most_processor_ms": round(taken[-1]),
    }
    print(f"every kind of help, {when}{rest:40} {json.dumps(told)}", flush=True)


def say(client: Any, address: str, requests: int) -> None:
    """How long an answer takes from its first byte asked to its last given, and how large it is."""
    start = time.perf_counter()
    answer = client.get(address)
    first = 1000 * (time.perf_counter() - start)
    assert answer.status_code == 200, (address, answer.status_code, answer.text[:300])
    taken, of_processor = [], []
    for _ in range(requests):
        start, worked = time.perf_counter(), time.process_time()
        client.get(address)
        taken.append(1000 * (time.perf_counter() - start))
        of_processor.append(1000 * (time.process_time() - worked))
    taken.sort()
    of_processor.sort()
    told = {
        "first_ms": round(first),
        "p50_ms": round(statistics.median(taken)),
        "p95_ms": round(taken[min(len(taken) - 1, int(0.95 * len(taken)))]),
        "p50_processor_ms": round(statistics.median(of_processor)),
        "p95_processor_ms": round(of_processor[min(requests - 1, int(0.95 * requests))]),
        "kB": round(len(answer.data) / 1000),
    }
    print(f"{address:58} {json.dumps(told)}", flush=True)


if __name__ == "__main__":
    main()
