"""PostgreSQL with PostGIS, as fast as we could make it: places as 3-d unit vectors in one n-d GiST index with
the category, nearest neighbours by that index, prepared statements, a unix socket, fsync and JIT off."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from benchmarks.rivals_rows import FACTS, FITS, GROUP, PENALTIES, PLAIN_GATES, chord, vector
from benchmarks.rivals_search import RANKED, Answer, Option, Stream, in_two_steps
from referral.core.geo import EARTH_RADIUS_KM

PROGRAMS = Path("/usr/lib/postgresql/15/bin")
OPTIONS = {
    "listen_addresses": "''",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "shared_buffers": "2GB",
    "effective_cache_size": "6GB",
    "maintenance_work_mem": "1GB",
    "work_mem": "64MB",
    "max_wal_size": "4GB",
    "random_page_cost": "1.1",
    "jit": "off",
    # The planner would at times rather fetch a whole category and sort it.
    "enable_bitmapscan": "off",
    "enable_seqscan": "off",
    "cursor_tuple_fraction": "0.001",
    "plan_cache_mode": "force_generic_plan",
    "max_parallel_workers_per_gather": "0",
}
START_SECONDS = 30
_TYPES = {
    "x": "float8", "y": "float8", "z": "float8", "precision_km": "float8", "now": "float8", "habit": "float8",
    "age": "float8",
}  # fmt: skip
_NAMES = (
    "category", "x", "y", "z", "precision_km", "emergency", "residence", "registered", "personal", "age", "sex",
    "desil", "disability", "lacking", "needed", "language", "able", "closed", "now", "day", "habit", "violence",
)  # fmt: skip
_VALUES = {name: f"%({name})s::{_TYPES.get(name, 'int')}" for name in _NAMES}
_HERE = "ST_MakePoint({x}, {y}, {z})"
_REAL = {"floor_km", "low", "high", "room_at", "crowding"}

PLAIN = f"""
SELECT id FROM (
    SELECT o.id, o.place <<->> {_HERE} AS away FROM plain o
    WHERE o.category = {{category}} AND {PLAIN_GATES}
    ORDER BY o.place <<->> {_HERE} FETCH FIRST 20 ROWS WITH TIES
) nearest ORDER BY away, id LIMIT 20""".format(**_VALUES)
PLAIN_GEOGRAPHY = f"""
SELECT id FROM (
    SELECT o.id, o.point <-> %(point)s::geography AS away FROM plain o
    WHERE o.category = {{category}} AND {PLAIN_GATES}
    ORDER BY o.point <-> %(point)s::geography FETCH FIRST 20 ROWS WITH TIES
) nearest ORDER BY away, id LIMIT 20""".format(**_VALUES)
_OPTIONS = f"""
SELECT o.id, o.tells, (o.place <<->> {_HERE}) AS away, (o.floor_km + {{precision_km}}) / 2 AS floor_km,
    {GROUP} AS grade, {PENALTIES} AS steps
FROM offer o WHERE o.category = {{category}} AND {FITS}
ORDER BY o.place <<->> {_HERE}"""
OPTIONS_BY_DISTANCE = _OPTIONS.format(**_VALUES, least="least")
#: the limit is part of the text: as a value the planner could not count on it
FIRST_OPTIONS = OPTIONS_BY_DISTANCE + " LIMIT {limit}"
#: the best within a distance: the index gives a box, the rows are ranked here
RANKED_INSIDE = f"""
SELECT id, tells, away, floor_km, grade, steps FROM (
    SELECT o.id, o.tells, ST_3DDistance(o.place, {_HERE}) AS away,
        (o.floor_km + {{precision_km}}) / 2 AS floor_km, {GROUP} AS grade, {PENALTIES} AS steps
    FROM offer o WHERE o.category = {{category}}
        AND o.place &&& ST_3DMakeBox(
            ST_MakePoint({{x}} - {{around}}, {{y}} - {{around}}, {{z}} - {{around}}),
            ST_MakePoint({{x}} + {{around}}, {{y}} + {{around}}, {{z}} + {{around}}))::geometry
        AND {FITS}
) near ORDER BY grade, greatest({2 * EARTH_RADIUS_KM} * asin(least(1, away / 2)), floor_km) + {{step_km}} * steps
LIMIT {RANKED}""".format(
    **_VALUES, least="least", around="%(around)s::float8", step_km="%(step_km)s::float8"
)


@contextmanager
def server() -> Iterator[str]:
    """How to connect to a server of our own for the while; as root it runs as somebody else."""
    folder = Path(tempfile.mkdtemp(prefix="jejaring-rival-"))
    start: dict[str, Any] = {"cwd": folder, "env": {"LC_ALL": "C.UTF-8", "PATH": os.defpath}}
    if os.getuid() == 0:
        names = {entry.pw_name for entry in pwd.getpwall()}
        entry = pwd.getpwnam("postgres" if "postgres" in names else "nobody")
        os.chown(folder, entry.pw_uid, entry.pw_gid)
        start |= {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
    data = folder / "data"
    how = ["--username", "rival", "--encoding", "UTF8", "--auth", "trust", "--no-sync"]
    try:
        subprocess.run(
            [PROGRAMS / "initdb", "--pgdata", data, *how], check=True, capture_output=True, **start
        )
        options = [f"--{name}={value.strip(chr(39))}" for name, value in OPTIONS.items()]
        with (
            (folder / "log").open("wb") as log,
            subprocess.Popen(
                [PROGRAMS / "postgres", "-D", data, "-k", folder, *options],
                stdout=log,
                stderr=log,
                **start,
            ) as process,
        ):
            try:
                address = f"host={folder} user=rival dbname=postgres"
                _wait(address, process, folder / "log")
                yield address
            finally:
                process.send_signal(signal.SIGINT)
                process.wait(START_SECONDS)
    finally:
        shutil.rmtree(folder)


def _wait(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            psycopg.connect(address).close()
        except psycopg.OperationalError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"PostgreSQL did not start:\n{log.read_text('utf-8', 'replace')}")


class PostGIS:
    """One backend with both tables."""

    name = "PostGIS"

    def __init__(self, address: str) -> None:
        self.connection = psycopg.connect(address, autocommit=True, prepare_threshold=0)
        self._schedule = Path(f"/proc/{self.connection.info.backend_pid}/schedstat")
        columns = ", ".join(f"{name} {'float8' if name in _REAL else 'int'}" for name in FACTS)
        for statement in (
            "DROP TABLE IF EXISTS plain, offer",
            "CREATE EXTENSION IF NOT EXISTS postgis",
            "CREATE EXTENSION IF NOT EXISTS btree_gist",
            "CREATE TABLE plain (category int, id uuid, place geometry, point geography, low float8,"
            " high float8, sex int)",
            f"CREATE TABLE offer (category int, id uuid, place geometry, {columns})",
        ):
            self.connection.execute(statement)

    def fill(self, rows: Iterable[tuple[int, str, float, float, tuple[Any, ...]]]) -> float:
        """Load and index; gives the seconds that indexing took."""
        low, high, sex = (FACTS.index(name) for name in ("low", "high", "sex"))
        plain = self.connection.cursor()
        folder = Path(tempfile.mkdtemp())
        with (folder / "plain").open("w") as plain_file, (folder / "offer").open("w") as offer_file:
            for category, row_id, latitude, longitude, facts in rows:
                x, y, z = vector(latitude, longitude)
                place = f"POINT Z ({x!r} {y!r} {z!r})"
                point = f"POINT ({longitude!r} {latitude!r})"
                few = (category, row_id, place, point, facts[low], facts[high], facts[sex])
                plain_file.write(_line(few))
                offer_file.write(_line((category, row_id, place, *facts)))
        for table in ("plain", "offer"):
            with (
                plain.copy(f"COPY {table} FROM STDIN") as copy,
                (folder / table).open("rb") as file,
            ):
                while block := file.read(1 << 20):
                    copy.write(block)
        shutil.rmtree(folder)
        started = time.perf_counter()
        for statement in (
            "CREATE INDEX plain_place ON plain USING gist (category, place gist_geometry_ops_nd)",
            "CREATE INDEX plain_point ON plain USING gist (category, point)",
            "CREATE INDEX offer_place ON offer USING gist (category, place gist_geometry_ops_nd)",
        ):
            self.connection.execute(statement)
        took = time.perf_counter() - started
        for statement in ("VACUUM ANALYZE plain", "VACUUM ANALYZE offer"):
            self.connection.execute(statement)
        return took

    @property
    def size_mib(self) -> tuple[float, float]:
        """The table and index of the plain task (n-d), and of the other."""
        row = self.connection.execute(
            "SELECT pg_table_size('plain') + pg_relation_size('plain_place'),"
            " pg_table_size('offer') + pg_relation_size('offer_place')"
        ).fetchone()
        assert row
        return row[0] / 2**20, row[1] / 2**20

    def processor_ns(self) -> int:
        """Time that the server's process for this connection was on a processor."""
        return int(self._schedule.read_text().split()[0])

    def plain(self, asked: dict[str, Any]) -> list[str]:
        """The twenty nearest, by the index over unit vectors."""
        return [str(row[0]) for row in self.connection.execute(PLAIN, asked)]

    def plain_geography(self, asked: dict[str, Any]) -> list[str]:
        """The same by the index over geography."""
        return [str(row[0]) for row in self.connection.execute(PLAIN_GEOGRAPHY, asked)]

    def by_limits(self, asked: dict[str, Any], batch: int, growth: int) -> Stream:
        """Options by distance: a prepared statement, asked for more and more of them."""
        limit, seen = batch, 0
        while True:
            found = self._options(FIRST_OPTIONS.format(limit=limit), asked)
            yield found[seen:]
            if len(found) < limit:
                return
            seen, limit = len(found), limit * growth

    def by_two_steps(self, asked: dict[str, Any], limits: Sequence[int]) -> Answer:
        """The first twenty: some nearest give a bound, then the server ranks what lies within it."""

        def nearest(limit: int) -> list[Option]:
            return self._options(FIRST_OPTIONS.format(limit=limit), asked)

        def inside(km: float, step_km: float) -> list[Option]:
            return self._options(RANKED_INSIDE, asked | {"around": chord(km), "step_km": step_km})

        return in_two_steps(nearest, inside, limits)

    def _options(self, statement: str, values: dict[str, Any]) -> list[Option]:
        found = self.connection.execute(statement, values).fetchall()
        return [Option(str(row[0]), *row[1:]) for row in found]

    def by_cursor(self, asked: dict[str, Any], batch: int, growth: int) -> Stream:
        """The same by a cursor, which goes on where it was but is planned anew each time."""
        with (
            self.connection.transaction(),
            self.connection.cursor(name="nearest") as cursor,
        ):
            cursor.execute(OPTIONS_BY_DISTANCE, asked)
            while found := cursor.fetchmany(batch):
                yield [Option(str(row[0]), *row[1:]) for row in found]
                batch *= growth

    def explained(self, statement: str, asked: dict[str, Any]) -> str:
        """What the server says of a statement and of running it."""
        rows = self.connection.execute(f"EXPLAIN (ANALYZE, BUFFERS, COSTS OFF) {statement}", asked)
        return "\n".join(row[0] for row in rows)

    @property
    def version(self) -> str:
        row = self.connection.execute("SELECT version(), postgis_lib_version()").fetchone()
        assert row
        return f"{row[0].split(' (')[0]}, PostGIS {row[1]}, psycopg {psycopg.__version__}"


def _line(values: tuple[Any, ...]) -> str:
    return "\t".join("\\N" if one is None else str(one) for one in values) + "\n"
