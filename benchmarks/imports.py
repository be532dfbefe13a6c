"""A million services through `flask directory import`: time, memory, and killed on the way.

    python -m benchmarks.imports [--services N] [--whole]

Made-up rows from a fixed seed are streamed into a table. The import runs as a process of its own; it is killed
(SIGKILL) at three points of the way, each time what is in the database is checked, and run to its end. `--whole` lets one import run through instead.
"""

import argparse
import csv
import json
import os
import random
import resource
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

SEED = 20261122
#: parts of the way; early ones, because the next import goes over what is there already
KILLED_AT = (0.05, 0.15, 0.3)
HEADER = [
    "id",
    "name",
    "organization",
    "category",
    "phone",
    "address",
    "place",
    "latitude",
    "longitude",
    "precision_km",
    "schedule",
    "service_area",
    "sex",
    "minimum_age",
    "maximum_age",
    "fee",
    "required_document",
    "language",
    "source_title",
    "read_on",
]
_FIRST = [
    "Layanan",
    "Konseling",
    "Posko",
    "Rumah",
    "Klinik",
    "Yayasan",
    "Pusat",
    "Balai",
    "Griya",
    "Sanggar",
]
_SECOND = [
    "Keluarga",
    "Anak",
    "Sehat",
    "Harapan",
    "Bersama",
    "Sejahtera",
    "Mandiri",
    "Kasih",
    "Peduli",
    "Bangsa",
]
_HOURS = ("Mo-Th 08:00-15:30; Fr 08:00-11:00", "Mo-Fr 08:00-16:00", "24/7", "")
_LISTING = (
    "organization",
    "service",
    "location",
    "service_at_location",
    "phone",
    "address",
    "schedule",
    "service_area",
    "language",
    "cost_option",
    "required_document",
    "service_category",
    "eligibility_rule",
)
_WHEN = ("entered_at", "last_modified", "version")
_CHECKS = {
    "services without a site": "SELECT count(*) FROM service WHERE id NOT IN (SELECT service_id FROM service_at_location)",
    "services without a category": "SELECT count(*) FROM service WHERE id NOT IN (SELECT service_id FROM service_category)",
    "places without a service": "SELECT count(*) FROM location WHERE id NOT IN"
    " (SELECT location_id FROM service_at_location WHERE location_id IS NOT NULL)",
    "references that lead nowhere": "SELECT count(*) FROM pragma_foreign_key_check",
}


def rows(count: int, seed: int = SEED) -> Iterator[list[str]]:
    """The same services every time, with places all over Indonesia; one in ten shares its organization."""
    chance = random.Random(seed)
    root = Path(__file__).parents[1] / "directory_data"
    with (root / "taxonomy.csv").open(encoding="utf-8") as file:
        leaves = [row["code"] for row in csv.DictReader(file) if row["level"] == "2"]
    with (root / "gazetteer.csv").open(encoding="utf-8") as file:
        areas = [row["code"] for row in csv.DictReader(file) if len(row["code"]) == 8]
    for number in range(count):
        name = f"{chance.choice(_FIRST)} {chance.choice(_SECOND)} {number}"
        organization = f"Yayasan {chance.randrange(count // 10 + 1)}" if number % 10 else ""
        categories = "|".join(sorted(set(chance.choices(leaves, k=chance.randint(1, 3)))))
        latitude, longitude = chance.uniform(-10.5, 5.5), chance.uniform(95.5, 140.5)
        has_point = chance.random() < 0.5
        yield [
            f"s{number}",
            name,
            organization,
            categories,
            f"0{chance.randint(21, 99)}{chance.randint(1_000_000, 9_999_999)}",
            f"Jl. {chance.choice(_SECOND)} {chance.randint(1, 200)}",
            "" if has_point else chance.choice(areas),
            f"{latitude:.5f}" if has_point else "",
            f"{longitude:.5f}" if has_point else "",
            "0.5" if has_point else "",
            chance.choice(_HOURS),
            "" if chance.random() < 0.7 else "ID",
            chance.choice(("", "", "", "female")),
            chance.choice(("", "", "12", "18")),
            chance.choice(("", "", "", "60")),
            chance.choice(("", "free", "paid")),
            chance.choice(("", "KTP", "KTP|KK")),
            chance.choice(("", "", "jav")),
            "Data tiruan",
            "2026-11-01",
        ]


def write_table(path: Path, count: int) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(HEADER)
        table.writerows(rows(count))


def flask(folder: Path, *args: str) -> subprocess.Popen[bytes]:
    environment = {
        **os.environ,
        "JEJARING_INSTANCE": str(folder),
        "DATABASE_URL": f"sqlite:///{folder / 'jejaring.db'}",
        "PYTHONPATH": str(Path(__file__).parents[1]),
    }
    command = [sys.executable, "-m", "flask", "--app", "app", *args]
    root = Path(__file__).parents[1]
    return subprocess.Popen(
        command, cwd=root, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def done(folder: Path) -> tuple[int, int]:
    """Services in the database, and what the last run says it has done."""
    database = sqlite3.connect(f"file:{folder / 'jejaring.db'}?mode=ro", uri=True, timeout=60)
    try:
        (services,) = database.execute("SELECT count(*) FROM service").fetchone()
        last = database.execute(
            "SELECT rows_done FROM import_run ORDER BY made_at DESC LIMIT 1"
        ).fetchone()
    finally:
        database.close()
    return services, last[0] if last else 0


def half_done(folder: Path) -> dict[str, int]:
    """What is in the database that no whole batch leaves there."""
    database = sqlite3.connect(folder / "jejaring.db", timeout=60)
    try:
        found = {what: database.execute(query).fetchone()[0] for what, query in _CHECKS.items()}
    finally:
        database.close()
    return {what: count for what, count in found.items() if count}


def content(folder: Path) -> dict[str, list[tuple[object, ...]]]:
    """What the listings are, whenever they came: all of their tables without times and versions."""
    database = sqlite3.connect(folder / "jejaring.db", timeout=60)
    found: dict[str, list[tuple[object, ...]]] = {}
    try:
        for name in _LISTING:
            columns = [row[1] for row in database.execute(f"PRAGMA table_info({name})")]
            kept = ", ".join(f'"{c}"' for c in columns if c not in _WHEN)
            found[name] = database.execute(f"SELECT {kept} FROM {name} ORDER BY id").fetchall()
    finally:
        database.close()
    return found


def kill_at(folder: Path, table: Path, rows_done: int) -> tuple[int, int]:
    """Start the import and kill it once it has done so many rows; what is then in the database."""
    process = flask(folder, "directory", "import", str(table), "--source", "bench", "--json")
    before = done(folder)[1] if process.poll() is None else 0
    while process.poll() is None:
        _, now_done = done(folder)
        if now_done != before and now_done >= rows_done:
            break
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    return done(folder)


def complete(folder: Path, table: Path) -> tuple[dict[str, object], float, float]:
    """Run the import to its end: its report, seconds, and the most memory it had, in MB."""
    start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    process = flask(folder, "directory", "import", str(table), "--source", "bench", "--json")
    out, errors = process.communicate()
    seconds = time.perf_counter() - start
    if not out:
        raise RuntimeError(errors.decode()[-2000:])
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    peak_mb = after.ru_maxrss / 1024
    report = json.loads(out)
    report["cpu_seconds"] = round(
        after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    )
    report["findings"] = len(report["findings"])
    return report, seconds, peak_mb


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--services", type=int, default=1_000_000)
    asked.add_argument("--whole", action="store_true", help="one import, not killed")
    options = asked.parse_args()
    with TemporaryDirectory(prefix="jejaring-bench-") as room:
        folder = Path(room)
        table = folder / "services.csv"
        write_table(table, options.services)
        print(f"{options.services} services, {table.stat().st_size / 1e6:.0f} MB", flush=True)
        flask(folder, "db", "upgrade").communicate()
        if not options.whole:
            for part in KILLED_AT:
                start = time.perf_counter()
                services, said = kill_at(folder, table, int(options.services * part))
                seconds = time.perf_counter() - start
                broken = half_done(folder)
                print(
                    f"killed after {seconds:.0f} s: {services} services, the run says {said};"
                    f" half done: {broken or 'nothing'}",
                    flush=True,
                )
        report, seconds, peak_mb = complete(folder, table)
        size_mb = (folder / "jejaring.db").stat().st_size / 1e6
        print(f"completed in {seconds:.0f} s, at most {peak_mb:.0f} MB of memory: {report}")
        print(f"database {size_mb:.0f} MB, half done: {half_done(folder) or 'nothing'}")


if __name__ == "__main__":
    main()
