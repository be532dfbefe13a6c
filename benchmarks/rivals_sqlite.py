"""SQLite, as fast as we could make it: rows lie by category and grid cell, and a query looks into a box of cells
that grows until nothing outside it can be among the answers."""

import sqlite3
import time
from collections.abc import Iterable, Sequence
from math import cos, degrees, radians
from pathlib import Path
from typing import Any

from benchmarks.rivals_rows import FACTS, FITS, GROUP, PENALTIES, PLAIN_GATES, chord, vector
from benchmarks.rivals_search import LIMIT, RANKED, Answer, Option, in_two_steps
from referral.core.geo import EARTH_RADIUS_KM

CELL_DEGREES = 0.25
COLUMNS, ROWS = round(360 / CELL_DEGREES), round(180 / CELL_DEGREES)
WHOLE_KM = 20_020.0
_NAMES = (
    "category", "x", "y", "z", "precision_km", "emergency", "residence", "registered", "personal", "age", "sex",
    "desil", "disability", "lacking", "needed", "language", "able", "closed", "now", "day", "habit", "violence",
)  # fmt: skip
_VALUES = {name: f":{name}" for name in _NAMES}
#: square of the straight line, in radii
_SQUARE = "((o.x-:x)*(o.x-:x) + (o.y-:y)*(o.y-:y) + (o.z-:z)*(o.z-:z))"
#: the rows of a box: for each row of the grid one stretch of the primary key; or the whole category
_BOX = f"""
        FROM band CROSS JOIN {{table}} o
        WHERE o.category = :category
            AND o.cell BETWEEN band.number * {COLUMNS} + :west AND band.number * {COLUMNS} + :east"""
_BANDS = """
WITH RECURSIVE band(number) AS (
    SELECT :south UNION ALL SELECT number + 1 FROM band WHERE number < :north)"""
_ALL = """
        FROM {table} o WHERE o.category = :category"""
_PLAIN = f"""
SELECT o.id, {_SQUARE} AS square {{where}} AND {PLAIN_GATES}
ORDER BY square, o.id LIMIT {LIMIT}"""
_FACTS = "o.id, o.tells, sqrt(square) AS away, (o.floor_km + :precision_km) / 2 AS floor_km"
_NEAREST = f"""
SELECT {_FACTS}, {GROUP}, {PENALTIES} FROM (
    SELECT o.*, {_SQUARE} AS square {{where}} AND {FITS}
    ORDER BY square LIMIT :limit) o ORDER BY square"""
_RANKED = f"""
SELECT id, tells, away, floor_km, grade, steps FROM (
    SELECT {_FACTS.replace("square", _SQUARE)}, {GROUP} AS grade, {PENALTIES} AS steps
    {{where}} AND {FITS})
ORDER BY grade, max({2 * EARTH_RADIUS_KM} * asin(min(1, away / 2)), floor_km) + :step_km * steps
LIMIT {RANKED}"""


def _statement(body: str, table: str, *, everywhere: bool) -> str:
    where = (_ALL if everywhere else _BOX).format(table=table)
    text = body.replace("{where}", where).format(**_VALUES, least="min")
    return text if everywhere else _BANDS + text


#: by whether the whole category is looked through
PLAIN = {every: _statement(_PLAIN, "plain", everywhere=every) for every in (False, True)}
NEAREST = {every: _statement(_NEAREST, "offer", everywhere=every) for every in (False, True)}
RANKED_INSIDE = {every: _statement(_RANKED, "offer", everywhere=every) for every in (False, True)}
#: a category with fewer rows, and a box of more rows of the grid, is looked through whole
FEW_ROWS, MANY_BANDS = 300, 300


class SQLite:
    """One connection to a file with both tables."""

    name = "SQLite"

    def __init__(self, path: Path) -> None:
        self.path = path
        self.connection = sqlite3.connect(path, isolation_level=None, cached_statements=64)
        columns = ", ".join(FACTS)
        for statement in (
            "PRAGMA journal_mode = OFF",
            "PRAGMA synchronous = OFF",
            "PRAGMA cache_size = -2000000",
            "PRAGMA mmap_size = 4000000000",
            "PRAGMA temp_store = MEMORY",
            "DROP TABLE IF EXISTS plain",
            "DROP TABLE IF EXISTS offer",
            "CREATE TABLE plain (category INT, cell INT, id TEXT, x REAL, y REAL, z REAL, low REAL, high REAL,"
            " sex INT, PRIMARY KEY (category, cell, id)) WITHOUT ROWID",
            f"CREATE TABLE offer (category INT, cell INT, id TEXT, x REAL, y REAL, z REAL, {columns},"
            " PRIMARY KEY (category, cell, id)) WITHOUT ROWID",
        ):
            self.connection.execute(statement)

    def fill(self, rows: Iterable[tuple[int, str, float, float, tuple[Any, ...]]]) -> float:
        """Load in the order of the key; gives the seconds that loading took."""
        low, high, sex = (FACTS.index(name) for name in ("low", "high", "sex"))
        ready = sorted(
            (category, _cell(latitude, longitude), row_id, *vector(latitude, longitude), *facts)
            for category, row_id, latitude, longitude, facts in rows
        )
        started = time.perf_counter()
        self.connection.execute("BEGIN")
        self.connection.executemany(
            f"INSERT INTO plain VALUES ({','.join('?' * 9)})",
            ((*row[:6], row[6 + low], row[6 + high], row[6 + sex]) for row in ready),
        )
        self.connection.executemany(
            f"INSERT INTO offer VALUES ({','.join('?' * (6 + len(FACTS)))})", ready
        )
        self.connection.execute("COMMIT")
        return time.perf_counter() - started

    @property
    def size_mib(self) -> float:
        """Both tables."""
        return self.path.stat().st_size / 2**20

    def plain(self, asked: dict[str, Any], near: tuple[float, float], start_km: float) -> list[str]:
        """The twenty nearest."""
        found = self._nearest(PLAIN, asked, near, start_km, LIMIT)
        return [row[0] for row in found]

    def effective(
        self,
        asked: dict[str, Any],
        near: tuple[float, float],
        start_km: float,
        limits: Sequence[int],
    ) -> Answer:
        """The first twenty by effective distance, in two steps."""

        def nearest(limit: int) -> list[Option]:
            values = asked | {"limit": limit}
            found = self._nearest(NEAREST, values, near, start_km, limit, at=2, square=False)
            return [Option(*row) for row in found]

        def inside(km: float, step_km: float) -> list[Option]:
            values = asked | {"step_km": step_km}
            return [Option(*row) for row in self._run(RANKED_INSIDE, values, near, km)]

        return in_two_steps(nearest, inside, limits)

    def _nearest(
        self,
        statements: dict[bool, str],
        asked: dict[str, Any],
        near: tuple[float, float],
        start_km: float,
        limit: int,
        *,
        at: int = 1,
        square: bool = True,
    ) -> list[Any]:
        """Rows by distance from a box that grows until none outside it can be nearer; `at`: their distance."""
        km = start_km
        while True:
            found = self._run(statements, asked, near, km)
            if km >= WHOLE_KM:
                return found
            if len(found) < limit:
                km = min(km * 3, WHOLE_KM)
                continue
            away = found[-1][at] ** 0.5 if square else found[-1][at]
            if away < chord(km):
                return found
            km = _arc_km(away) * 1.0001

    def _run(
        self,
        statements: dict[bool, str],
        asked: dict[str, Any],
        near: tuple[float, float],
        km: float,
    ) -> list[Any]:
        box = _box(near, km)
        everywhere = km >= WHOLE_KM or box["north"] - box["south"] > MANY_BANDS
        return self.connection.execute(statements[everywhere], asked | box).fetchall()

    def explained(self, statement: str, asked: dict[str, Any], near: tuple[float, float]) -> str:
        """How it goes about a statement."""
        values = asked | _box(near, 25.0) | {"limit": 64, "step_km": 5.0}
        rows = self.connection.execute(f"EXPLAIN QUERY PLAN {statement}", values)
        return "\n".join(row[3] for row in rows)

    @property
    def version(self) -> str:
        return f"SQLite {sqlite3.sqlite_version}"


def _cell(latitude: float, longitude: float) -> int:
    row = min(int((latitude + 90) / CELL_DEGREES), ROWS - 1)
    return row * COLUMNS + min(int((longitude + 180) / CELL_DEGREES), COLUMNS - 1)


def _box(near: tuple[float, float], km: float) -> dict[str, int]:
    """Rows and columns of the grid that hold every point so near; whole rows where it goes round the earth."""
    latitude, longitude = near
    up = degrees(km / EARTH_RADIUS_KM)
    south, north = latitude - up, latitude + up
    widest = max(abs(south), abs(north))
    across = 360.0 if widest >= 89 else up / cos(radians(widest))
    west, east = longitude - across, longitude + across
    if west < -180 or east > 180:
        west, east = -180.0, 180.0
    return {
        "south": max(0, int((south + 90) / CELL_DEGREES)),
        "north": min(ROWS - 1, int((north + 90) / CELL_DEGREES)),
        "west": max(0, int((west + 180) / CELL_DEGREES)),
        "east": min(COLUMNS - 1, int((east + 180) / CELL_DEGREES)),
    }


def _arc_km(away: float) -> float:
    return Option("", 0, away, 0, 0, 0).km
