"""The match index beside PostgreSQL with PostGIS and SQLite: the same questions, the same answers, in one run.

plain      the twenty nearest of a category whose age and sex rules do not shut the person out
effective  the twenty first by group and effective distance, with every gate and penalty of docs/matching.md

Answers must agree before a time counts. Each query is put to all of them one after the other, so that what else the
machine does meets all alike. Two times are told: that of the clock, and that of the processors, of our process and
the server's together, which a busy machine changes less and which leaves a server's waking up out. "index" gives the
order, as the rivals do; beside it stands what a match really asks for: near misses, remote offers and counts too.

    python -m benchmarks.rivals [SIZE …] [--queries N] [--explain]
"""

import argparse
import gc
import platform
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import offers as synthetic
from benchmarks import rivals_postgis, rivals_sqlite
from benchmarks.offers import STEPS
from benchmarks.rivals_postgis import PostGIS
from benchmarks.rivals_rows import Rows, chord
from benchmarks.rivals_search import LIMIT, Answer, first
from benchmarks.rivals_sqlite import SQLite
from referral.matching.facts import Offer, Query
from referral.matching.index import Index
from referral.matching.penalties import DATA_QUALITY_MOST

#: milliseconds of one query: by the clock, and of the processors
Times = tuple[float, float]
Taken = dict[str, list[Times]]

SEED, WARM = 20261122, 50
SIZES, QUERIES = (10_000, 100_000), 1_000
NO_STEPS = dict.fromkeys(STEPS, 0.0) | {DATA_QUALITY_MOST: 0.0}
#: rows a database is asked for until twenty of the first group are among them
LIMITS = (64, 512, 4_096, 32_768, 1 << 30)
#: first look of SQLite: a box that should hold some dozens of the category
START_KM, START_ROWS = (2.0, 600.0), 2_000


def main() -> None:
    """Measures and prints; raises AssertionError where two do not agree."""
    parser = argparse.ArgumentParser()
    parser.add_argument("sizes", nargs="*", type=int, default=SIZES)
    parser.add_argument("--queries", type=int, default=QUERIES)
    parser.add_argument("--explain", action="store_true")
    given = parser.parse_args()
    print(
        f"{platform.machine()}, {_processor()}, Python {platform.python_version()}, NumPy {np.__version__}"
    )
    if not rivals_postgis.PROGRAMS.exists():
        print("SKIPPED: PostgreSQL is not here; install Debian's postgresql-15-postgis-3.")
        return
    for size in given.sizes:
        with rivals_postgis.server() as address, tempfile.TemporaryDirectory() as folder:
            _compare(
                size,
                given.queries,
                PostGIS(address),
                SQLite(Path(folder) / "rival.db"),
                explain=given.explain,
            )


def _compare(size: int, count: int, post: PostGIS, lite: SQLite, *, explain: bool) -> None:
    rows = Rows()
    flat = list(rows.of(_placed(size)))
    indexed, loaded = post.fill(flat), lite.fill(flat)
    entries = len(flat)
    del flat
    gc.collect()
    print(f"\n{size:,} services, {entries:,} rows; {post.version}; {lite.version}")
    print(
        f"indexes built in {indexed:.0f} s, loaded in {loaded:.0f} s;"
        f" {post.size_mib[0]:.0f} and {post.size_mib[1]:.0f} MiB, {lite.size_mib:.0f} MiB"
    )
    queries = [replace(query, within=None) for query in synthetic.queries(count + WARM, SEED + 1)]
    index = Index.of(_bare(offer) for offer in _placed(size))
    plain = [_bare_query(query) for query in queries]
    _table("plain distance", _plain(index, plain, rows, post, lite))
    del index
    gc.collect()
    index = Index.of(_placed(size))
    _table("effective distance", _effective(index, queries, rows, post, lite))
    if explain:
        _explain(plain[WARM], queries[WARM], rows, post, lite)


def _plain(
    index: Index, queries: Sequence[Query], rows: Rows, post: PostGIS, lite: SQLite
) -> Taken:
    taken: Taken = {}
    for number, query in enumerate(queries):
        asked = rows.asked(query)
        assert query.near is not None
        point = {"point": f"POINT({query.near[1]!r} {query.near[0]!r})"}
        near, start = query.near, _start_km(rows, asked)
        ways: dict[str, Callable[[], Any]] = {
            "index": lambda q=query: index.search(q, NO_STEPS).options,
            "index, with all it counts": lambda q=query: index.select(q, NO_STEPS),
            "PostGIS n-d": lambda a=asked: post.plain(a),
            "PostGIS geography": lambda a=asked | point: post.plain_geography(a),
            "SQLite": lambda a=asked, n=near, s=start: lite.plain(a, n, s),
        }
        answers = {}
        for name, way in ways.items():
            took, answers[name] = _timed(way, post)
            if number >= WARM:
                taken.setdefault(name, []).append(took)
        whole = answers.pop("index, with all it counts").options
        ours = [str(one.offer.service_at_location_id) for one in whole]
        assert [str(index.columns.site_id(one.row)) for one in answers.pop("index")] == ours
        for name, theirs in answers.items():
            assert theirs == ours, f"{name} does not agree with the index: {query}"
    return taken


def _effective(
    index: Index, queries: Sequence[Query], rows: Rows, post: PostGIS, lite: SQLite
) -> Taken:
    taken: Taken = {}
    for number, query in enumerate(queries):
        asked = rows.asked(query)
        assert query.near is not None
        near, start = query.near, _start_km(rows, asked) * 2
        ways: dict[str, Callable[[], Any]] = {
            "index": lambda q=query: index.search(q, STEPS).options,
            "index, with all it counts": lambda q=query: index.select(q, STEPS),
            "PostGIS cursor": lambda a=asked: first(post.by_cursor(a, 128, 2)),
            "PostGIS limits": lambda a=asked: first(post.by_limits(a, 128, 8)),
            "PostGIS in two steps": lambda a=asked: post.by_two_steps(a, LIMITS),
            "SQLite in two steps": lambda a=asked, n=near, s=start: lite.effective(a, n, s, LIMITS),
        }
        if asked["nothing"]:
            continue  # nobody is proposed: nothing to rank
        answers = {}
        for name, way in ways.items():
            took, answers[name] = _timed(way, post)
            if number >= WARM:
                taken.setdefault(name, []).append(took)
        ours: Answer = [
            (str(one.offer.service_at_location_id), one.group, one.effective_km)
            for one in answers.pop("index, with all it counts").options
        ]
        assert [str(index.columns.site_id(one.row)) for one in answers.pop("index")] == [
            site_id for site_id, _, _ in ours
        ]
        for name, theirs in answers.items():
            assert _agree(ours, theirs), f"{name} does not agree with the index: {query}"
    return taken


def _agree(ours: Answer, theirs: Answer) -> bool:
    """The same offers in the same places; such as differ by less than a millimetre may change places."""
    if len(ours) != len(theirs):
        return False
    by_id = {row_id: (group, km) for row_id, group, km in ours}
    for (_, group, km), (row_id, their_group, their_km) in zip(ours, theirs, strict=True):
        if group != their_group or abs(km - their_km) > 1e-6:
            return False
        is_last = abs(their_km - ours[-1][2]) < 1e-6
        if row_id not in by_id and not is_last:
            return False
    return True


def _placed(size: int) -> Iterator[Offer]:
    """The synthetic directory, without offers that lie nowhere: no database could order them by distance."""
    return (
        offer
        for offer in synthetic.offers(size, SEED)
        if offer.latitude is not None or offer.remote
    )


def _bare(offer: Offer) -> Offer:
    """Only what the plain task looks at."""
    return Offer(
        service_at_location_id=offer.service_at_location_id,
        service_id=offer.service_id,
        organization_id=offer.organization_id,
        categories=offer.categories,
        active=offer.active and offer.latitude is not None,
        latitude=offer.latitude,
        longitude=offer.longitude,
        minimum_age=offer.minimum_age,
        maximum_age=offer.maximum_age,
        sex=offer.sex,
    )


def _bare_query(query: Query) -> Query:
    return Query(
        need=query.need, at=query.at, near=query.near, age=query.age, sex=query.sex, limit=LIMIT
    )


def _start_km(rows: Rows, asked: dict[str, Any]) -> float:
    """How far SQLite looks first: the fewer a category has, the farther."""
    (low, high), count = START_KM, rows.counts.get(asked["category"], 0)
    if count <= rivals_sqlite.FEW_ROWS:
        return rivals_sqlite.WHOLE_KM
    return min(max(low, START_ROWS / count**0.5), high)


def _timed(call: Callable[[], Any], post: PostGIS) -> tuple[Times, Any]:
    """Milliseconds by the clock, and of the processors: ours and the server's."""
    served, busy, start = post.processor_ns(), time.process_time_ns(), time.perf_counter_ns()
    result = call()
    taken, used = time.perf_counter_ns() - start, time.process_time_ns() - busy
    return (taken / 1e6, (used + post.processor_ns() - served) / 1e6), result


def _table(task: str, taken: Taken) -> None:
    ours = taken["index"]
    print(f"{task}, {len(ours):,} queries, all answers equal; ms by the clock | of the processors")
    for name, times in taken.items():
        line = f"{name:>20}:"
        for which in (0, 1):
            mine, theirs = [one[which] for one in ours], [one[which] for one in times]
            median, p95 = statistics.median(theirs), _p95(theirs)
            line += f"{' |' if which else ''} median {median:8.3f}, p95 {p95:8.3f}"
            if name != "index":
                line += f" ({median / statistics.median(mine):.2f} x, {p95 / _p95(mine):.2f} x)"
        print(line, flush=True)


def _p95(times: Sequence[float]) -> float:
    return statistics.quantiles(times, n=20)[-1]


def _explain(plain: Query, query: Query, rows: Rows, post: PostGIS, lite: SQLite) -> None:
    bare, asked = rows.asked(plain), rows.asked(query)
    assert plain.near is not None
    point = {
        "point": f"POINT({plain.near[1]!r} {plain.near[0]!r})",
        "limit": 64,
        "around": chord(25.0),
        "step_km": 5.0,
    }
    for name, statement, values in (
        ("PostGIS n-d, plain", rivals_postgis.PLAIN, bare),
        ("PostGIS geography, plain", rivals_postgis.PLAIN_GEOGRAPHY, bare | point),
        (
            "PostGIS, effective, the nearest",
            rivals_postgis.FIRST_OPTIONS.format(limit=64),
            asked | point,
        ),
        ("PostGIS, effective, ranked", rivals_postgis.RANKED_INSIDE, asked | point),
    ):
        print(f"\n-- {name}{statement}\n\n{post.explained(statement, values)}")
    for name, statement, values in (
        ("SQLite, plain", rivals_sqlite.PLAIN[False], bare),
        ("SQLite, effective, the nearest", rivals_sqlite.NEAREST[False], asked),
        ("SQLite, effective, ranked", rivals_sqlite.RANKED_INSIDE[False], asked),
    ):
        print(f"\n-- {name}{statement}\n\n{lite.explained(statement, values, plain.near)}")


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.processor() or "processor not known"
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return f"{len(names)} × {names[0]}" if names else "processor not known"


if __name__ == "__main__":
    main()
