"""The measures of access at the size of the country: a million needs, 100,000 services, 7,285 areas.

    python -m benchmarks.access [SERVICES] [EPISODES]

Needs are a million rows of area and category, grouped by the database as a release groups them, and published
without hiding any (what may be told is measured elsewhere). Kecamatan that the gazetteer can't place get a point
near that of their kab/kota, so that no two share one. The measures are held against the same sums as a dense
matrix of NumPy and in plain Python, at the sizes that these can do; different answers raise an error. Times are of the processor, which a
machine that others use too tells truly, with those of the clock in brackets.
"""

import platform
import resource
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import insert, select, text
from sqlalchemy.orm import Session

from benchmarks.synthetic import NOW, areas_of, fill, listings_of
from referral.config import Settings
from referral.core.db import new_id
from referral.core.geo import haversine_km
from referral.directory.reference import taxonomy
from referral.extensions import alembic, db
from referral.factory import create_app
from referral.places.models import Place, PlaceLoad
from referral.planning.access import kernels, operations, queries
from referral.planning.access.bands import Supply, band, unit_vectors
from referral.planning.access.measuring import RADIUS_KM
from referral.planning.access.operations import Workshop
from referral.planning.gaps.models import Audience, GapFigure, GapRelease, Measure
from referral.reference import load_reference

SERVICES, EPISODES, SEED, TIMES = 100_000, 1_000_000, 20261122, 5
ONE_CATEGORY_S, WHOLE_S, MEMORY_MB = 2.0, 60.0, 2_048


class Took(float):
    """Seconds of the processor, with those of the clock."""

    clock: float

    def __str__(self) -> str:
        return f"{float(self):.2f} s ({self.clock:.2f} s)"


def main(services: int = SERVICES, episodes: int = EPISODES) -> None:
    """Measures and prints."""
    np.seterr(all="raise", under="ignore")
    with tempfile.TemporaryDirectory() as folder:
        app = create_app(Settings.from_env({"JEJARING_INSTANCE": folder}))
        app.config.update(TESTING=True)
        with app.app_context():
            alembic.upgrade()
            load_reference(db.session, now=NOW)
            draw = np.random.default_rng(SEED)
            _place(db.session, draw)
            areas = areas_of(db.session)
            fill(db.session, list(listings_of(draw, areas, services)))
            seconds, grouped = _episodes(db.session, draw, [one[0] for one in areas], episodes)
            size = sum(each.stat().st_size for each in Path(folder).glob("*.db*")) / 1e6
            print(
                f"{platform.machine()}, Python {platform.python_version()}, NumPy {np.__version__}; "
                f"{services:,} services, {episodes:,} needs, {len(areas):,} areas; SQLite {size:.0f} MB"
            )
            print(f"needs grouped by the database: {seconds}, {grouped:,} figures")
            _one_category(db.session)
            _whole(db.session)
            print(f"most memory so far: {_memory_mb():.0f} MB (goal {MEMORY_MB:,})")
    _rivals()


def _place(session: Session, draw: np.random.Generator) -> None:
    """Give every kecamatan a point of its own."""
    inside = {place.code: place for place in session.scalars(select(Place))}
    for code, place in inside.items():
        if place.level == 3 and place.latitude is None:
            near = inside[code[:5]] if inside[code[:5]].latitude is not None else inside[code[:2]]
            if near.latitude is not None and near.longitude is not None:
                place.latitude = near.latitude + draw.normal(0, 0.15)
                place.longitude = near.longitude + draw.normal(0, 0.15)
                place.precision_km = 7.0
    session.add(PlaceLoad(source="benchmark", changed_count=1))
    session.commit()


def _episodes(
    session: Session, draw: np.random.Generator, areas: Sequence[str], count: int
) -> tuple[Took, int]:
    """A table of needs, grouped into the figures of a release."""
    leaves = [term.code for term in taxonomy() if term.level > 1]
    session.execute(text("create table episode (area text, category text)"))
    chosen, kinds = draw.integers(len(areas), size=count), draw.zipf(1.3, count) % len(leaves)
    for start in range(0, count, 50_000):
        rows = [
            {"area": areas[area][:5], "category": leaves[kind]}
            for area, kind in zip(
                chosen[start : start + 50_000], kinds[start : start + 50_000], strict=True
            )
        ]
        session.execute(text("insert into episode values (:area, :category)"), rows)
    session.commit()
    seconds, found = _timed(
        lambda: session.execute(
            text("select area, category, count(*) from episode group by area, category")
        ).all()
    )
    figures: Counter[tuple[str, str]] = Counter()
    for area, category, people in found:
        for wider in (area, area[:2], ""):
            for field in (category, category[:2], ""):
                figures[wider, field] += people
    release = GapRelease(
        id=new_id(),
        quarter="2026-Q3",
        audience=Audience.PLANNERS,
        made_at=NOW,
        threshold=5,
        certificate={},
    )
    session.add(release)
    session.flush()
    empty = {"release_id": release.id, "measure": Measure.ASKED, "reason": "", "period": ""}
    rows = [
        empty | {"area": area, "category": category, "shown": "count", "people": people}
        for (area, category), people in figures.items()
    ]
    session.execute(insert(GapFigure), rows)
    session.commit()
    return seconds, len(figures)


def _one_category(session: Session) -> None:
    """From the database to coverage, ratio and balanced FCA of one category, each time from the beginning."""
    counted = session.execute(
        text("select category, count(*) from episode group by category order by 2 desc")
    ).all()
    wanted = [category for category, _ in (counted[0], counted[len(counted) // 2], counted[-1])]
    for category in wanted:
        seconds = [_timed(partial(_three, session, category))[0] for _ in range(TIMES)]
        sites, pairs, split = _three(session, category)
        print(
            f"{category}: {sites:,} sites, {pairs:,} pairs within {RADIUS_KM:.0f} km; coverage, ratio, balanced FCA: "
            f"median {_median(seconds)}, longest of {TIMES} {max(seconds)} (goal {ONE_CATEGORY_S} s); {split}"
        )


def _three(session: Session, category: str) -> tuple[int, int, str]:
    session.expunge_all()
    clock = [time.process_time()]
    shop = Workshop(session, now=NOW, category=category)
    clock.append(time.process_time())
    people = shop.demand(category).people
    clock.append(time.process_time())
    usable = shop.of(category) & shop.sites.usable()
    supply = shop.supply(usable)
    near = band(shop.ground.xyz, supply, RADIUS_KM)
    clock.append(time.process_time())
    weights = kernels.stepwise(near.km, kernels.thirds(RADIUS_KM))
    covered = kernels.share(people, kernels.reached(near))
    within = kernels.within(near, supply.places)
    ratio = kernels.ratio(within, shop.ground.people_within(people))
    balanced = kernels.balanced(near, weights, people, supply.places)
    each = kernels.balanced_per_person(near, weights, people, supply.places)
    clock.append(time.process_time())
    claimed = near.by_supply(people[near.rows]) > 0
    if not np.isclose(np.nansum(each * people), supply.places[claimed].sum()):
        raise ArithmeticError("places were lost or made")
    if not 0 <= covered <= 1 or len(ratio) != len(balanced):
        raise ArithmeticError("no measure")
    parts = np.diff(clock)
    names = ("areas and services", "needs", "pairs", "measures")
    split = ", ".join(f"{name} {took:.2f}" for name, took in zip(names, parts, strict=True))
    return int(usable.sum()), len(near), split


def _whole(session: Session) -> None:
    """Every category, domain and kind of resource system with every measure, kept, and read by a page."""
    session.expunge_all()
    seconds, worked = _timed(lambda: operations.count(session, now=NOW))
    taken, _ = _timed(lambda: operations.keep(session, worked))
    session.commit()
    size = sum(len(one["arrays"]) for one in worked.results) / 1e6
    print(
        f"whole report: {seconds} (goal {WHOLE_S:.0f} s) for {len(worked.results)} results of "
        f"{len(_categories(worked))} categories, ten measures each; kept in {taken}, {size:.0f} MB"
    )
    reads = []
    for category in _categories(worked):
        session.expunge_all()
        reads.append(1000 * _timed(partial(queries.read, session, category))[0])
    print(f"a page reads a category: {_spread(reads)} ms")
    reads = []
    for _ in range(20):
        session.expunge_all()
        reads.append(1000 * _timed(lambda: queries.overview(session))[0])
    print(f"a page reads all of them by kab/kota and province: {_spread(reads)} ms")


def _categories(worked: operations.Worked) -> list[str]:
    """The categories of a run."""
    return sorted({one["category"] for one in worked.results} - {queries.OVERVIEW})


def _rivals() -> None:
    """The balanced FCA by sparse pairs, as a dense matrix, and in plain Python, from points to values."""
    for n, m, is_plain in ((300, 100, True), (1_500, 500, True), (7_285, 2_000, False)):
        draw = np.random.default_rng(SEED)
        # As thick as in a country where one in forty pairs is near.
        here = np.column_stack([draw.uniform(-8, -6, n), draw.uniform(106, 110, n)])
        there = np.column_stack([draw.uniform(-8, -6, m), draw.uniform(106, 110, m)])
        people, places = draw.integers(1, 400, n).astype(float), draw.integers(1, 50, m)
        ways: dict[str, Callable[..., Any]] = {"sparse": _sparse, "dense": _dense}
        if is_plain:
            ways["plain"] = _plain
        took, answers = {}, {}
        for name, way in ways.items():
            times = 1 if name == "plain" else 7
            runs = [_timed(partial(way, here, there, people, places)) for _ in range(times)]
            took[name] = statistics.median(seconds for seconds, _ in runs)
            answers[name] = runs[0][1]
        for name, answer in answers.items():
            if not np.allclose(answer, answers["sparse"], rtol=1e-6, equal_nan=True):
                raise ArithmeticError(f"{name} answers otherwise")
        print(
            f"balanced FCA {n:,} x {m:,}: "
            + ", ".join(
                f"{name} {1000 * seconds:.1f} ms ({seconds / took['sparse']:.1f} x)"
                for name, seconds in took.items()
            )
        )


def _sparse(here: Any, there: Any, people: Any, places: Any) -> Any:
    supply = Supply.everywhere(unit_vectors(*there.T), places)
    near = band(unit_vectors(*here.T), supply, RADIUS_KM)
    weights = kernels.stepwise(near.km, kernels.thirds(RADIUS_KM))
    return kernels.balanced(near, weights, people, supply.places)


def _dense(here: Any, there: Any, people: Any, places: Any) -> Any:
    a, b = np.radians(here)[:, None, :], np.radians(there)[None, :, :]
    half = np.sin((b - a) / 2) ** 2
    root = half[..., 0] + np.cos(a[..., 0]) * np.cos(b[..., 0]) * half[..., 1]
    weights = kernels.stepwise(2 * 6371.009 * np.arcsin(np.sqrt(root)), kernels.thirds(RADIUS_KM))
    with np.errstate(divide="ignore", invalid="ignore"):
        by_row = np.nan_to_num(weights / weights.sum(1, keepdims=True))
        by_column = np.nan_to_num(weights / weights.sum(0, keepdims=True))
        demand = people @ by_row
        level = np.where(demand > 0, places / demand, 0.0)
    return by_column @ level


def _plain(here: Any, there: Any, people: Any, places: Any) -> Any:
    steps = kernels.thirds(RADIUS_KM)
    weights: dict[tuple[int, int], float] = {}
    rows, columns = [0.0] * len(here), [0.0] * len(there)
    for i, (lat, lon) in enumerate(here.tolist()):
        for j, (to_lat, to_lon) in enumerate(there.tolist()):
            km = haversine_km(lat, lon, to_lat, to_lon)
            if km <= RADIUS_KM:
                weight = next(weight for edge, weight in steps if km <= edge)
                weights[i, j] = weight
                rows[i] += weight
                columns[j] += weight
    demand, found = [0.0] * len(there), [0.0] * len(here)
    for (i, j), weight in weights.items():
        demand[j] += people[i] * weight / rows[i]
    for (i, j), weight in weights.items():
        found[i] += weight / columns[j] * places[j] / demand[j]
    return np.array(found)


def _timed(work: Callable[[], Any]) -> tuple[Took, Any]:
    clock, start = time.perf_counter(), time.process_time()
    found = work()
    took = Took(time.process_time() - start)
    took.clock = time.perf_counter() - clock
    return took, found


def _median(values: Sequence[Took]) -> Took:
    return sorted(values)[len(values) // 2]


def _spread(values: list[float]) -> str:
    ordered = sorted(values)
    return f"median {statistics.median(ordered):.1f}, p95 {ordered[int(0.95 * (len(ordered) - 1))]:.1f}"


def _memory_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
