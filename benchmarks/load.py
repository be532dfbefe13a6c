"""The doors of the match under load: 100,000 services in SQLite, gunicorn with two workers, this machine alone.

API   POST /api/v1/match with a token and a thousand different questions, asked by `wrk` (Debian's package)
page  a signed-in worker's POST /match, the redirect, and the receipt it leads to; every one writes a receipt and
      two entries of the audit chain, and SQLite has one writer

    python -m benchmarks.load [SERVICES] [--seconds N] [--profile]
"""

import argparse
import cProfile
import json
import os
import platform
import pstats
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import urlencode

import numpy as np
from flask import Flask

from benchmarks import synthetic
from referral.accounts import tokens
from referral.accounts.models import Office, Role, User
from referral.accounts.passwords import hashed
from referral.config import ROOT, Settings
from referral.core.db import new_id
from referral.core.sealing import DataKey
from referral.directory.reference import taxonomy
from referral.extensions import alembic, db
from referral.factory import create_app
from referral.matching import live
from referral.reference import load_reference

SERVICES, SECONDS, SEED, QUESTIONS = 100_000, 15, 20261122, 1_000
CONNECTIONS, PEOPLE, WORKERS = 8, 4, 2
EMAIL, PASSWORD = "load@example.org", "a long enough password for the load"
LARGE = "1000000 per minute"


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser()
    parser.add_argument("services", nargs="?", type=int, default=SERVICES)
    parser.add_argument("--seconds", type=int, default=SECONDS)
    parser.add_argument("--profile", action="store_true", help="Where one request's time goes.")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        environment = {"JEJARING_INSTANCE": str(folder), "API_RATE": LARGE}
        app = create_app(Settings.from_env(environment))
        token, questions = _prepare(app, given.services)
        print(
            f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()};"
            f" {given.services:,} services in SQLite, gunicorn, {WORKERS} sync workers"
        )
        if given.profile:
            _profile(app, token, questions)
            return
        with _serving(environment) as (port, server):
            _api(port, server, folder, token, questions, given.seconds)
            _pages(port, server, questions, given.seconds)


def _prepare(app: Flask, services: int) -> tuple[str, list[dict[str, Any]]]:
    """Fill the instance; gives a token and questions from near its listings."""
    now = datetime.now(UTC)
    with app.app_context():
        alembic.upgrade()
        load_reference(db.session, now=now)
        draw = np.random.default_rng(SEED)
        areas = synthetic.areas_of(db.session)
        listings = list(synthetic.listings_of(draw, areas, services))
        synthetic.fill(db.session, listings)
        office = Office(key=DataKey.new(db.session), name="Kantor Beban", area_code="33.74")
        people = [
            User(
                name=role.value,
                email=EMAIL if role is Role.BROKER else f"{role}@example.org",
                password=hashed(PASSWORD),
                fs_uniquifier=new_id().hex,
                role=role,
                created_at=now,
                office=office if role is Role.BROKER else None,
            )
            for role in (Role.BROKER, Role.ADMINISTRATOR)
        ]
        db.session.add_all([office, *people])
        db.session.flush()
        issued = tokens.issue(
            db.session,
            name="load",
            office_id=office.id,
            organization_id=None,
            scopes=["match"],
            days=1,
            by=people[1],
            now=now,
        )
        db.session.commit()
        while live.INDEX.exact(db.session) is None or not list(
            Path(app.instance_path).glob("match-*.index")
        ):
            db.session.rollback()
            time.sleep(0.2)
        db.session.rollback()
    return issued.text, list(_questions(draw, listings))


def _questions(
    draw: np.random.Generator, listings: list[synthetic.Listing]
) -> Iterator[dict[str, Any]]:
    leaves = [term.code for term in taxonomy() if term.level > 1]
    for number in range(QUESTIONS):
        one = listings[int(draw.integers(len(listings)))]
        question: dict[str, Any] = {
            "need": one.codes[0] if number % 3 else leaves[int(draw.integers(len(leaves)))],
            "registered_in": one.area,
            "age": int(draw.integers(90)),
            "sex": ("female", "male")[number % 2],
            "urgency": ("routine", "routine", "urgent", "emergency")[number % 4],
        }
        if number % 2:
            question["near"] = [round(one.at[0], 4), round(one.at[1], 4)]
        else:
            question["place"] = one.area
        if number % 5 == 0:
            question["desil"] = int(draw.integers(1, 11))
        yield question


@contextmanager
def _serving(environment: dict[str, str]) -> Iterator[tuple[int, int]]:
    """Port and process of a server as production has it, until the end of the block."""
    with socket.create_server(("127.0.0.1", 0), backlog=256) as listening:
        port = listening.getsockname()[1]
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "gunicorn", "--bind", f"fd://{listening.fileno()}"),
                *("--workers", str(WORKERS), "--no-control-socket", "--log-level", "error"),
                "app:app",
            ],
            cwd=ROOT,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)} | environment,
            pass_fds=[listening.fileno()],
        )
        try:
            _wait(port, process)
            yield port, process.pid
        finally:
            process.terminate()
            process.wait(30)


def _wait(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < deadline:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError("the server does not answer")


# The API ------------------------------------------------------------------------------------------


def _api(
    port: int,
    server: int,
    folder: Path,
    token: str,
    questions: list[dict[str, Any]],
    seconds: int,
) -> None:
    wrk = shutil.which("wrk")
    if wrk is None:
        print("SKIPPED: `wrk` is not here; install Debian's package of that name.")
        return
    bodies = folder / "questions.jsonl"
    bodies.write_text("".join(json.dumps(one) + "\n" for one in questions), "utf-8")
    script = ROOT / "benchmarks" / "load.lua"
    how = [
        wrk,
        "-t1",
        f"-c{CONNECTIONS}",
        "--timeout",
        "20s",
        "-s",
        str(script),
        f"http://127.0.0.1:{port}",
    ]
    for duration in (3, seconds):  # the first lets both workers read what they keep
        busy = _busy_seconds(server)
        said = subprocess.run(
            [*how, f"-d{duration}s", "--", str(bodies), token],
            capture_output=True,
            text=True,
            check=True,
        )
    found = json.loads(said.stdout.splitlines()[-1])
    assert found["bad"] == 0, said.stdout
    used = (_busy_seconds(server) - busy) / found["requests"]
    _row("POST /api/v1/match", found)
    print(f"{found['requests'] / found['seconds']:.1f} a second, {_ms(used)}")


def _row(name: str, found: dict[str, float]) -> None:
    print(f"{name:>20}: p50 {found['p50']:.1f}, p95 {found['p95']:.1f}, p99 {found['p99']:.1f} ms")


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms of one of the server's processors each"


def _busy_seconds(server: int) -> float:
    """Processor time that the workers of a server have used so far."""
    children = Path(f"/proc/{server}/task/{server}/children").read_text().split()
    ticks = 0
    for child in children:
        fields = Path(f"/proc/{child}/stat").read_text().rsplit(") ", 1)[1].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


# The pages ----------------------------------------------------------------------------------------


class Worker:
    """A worker's browser: signs in, asks, and follows to the receipt."""

    def __init__(self, port: int) -> None:
        self._port, self._cookie = port, ""
        token = self._token("/sign-in")
        self._send("POST", "/sign-in", {"email": EMAIL, "password": PASSWORD, "csrf_token": token})
        self._csrf = self._token("/match")

    def ask(self, question: dict[str, Any]) -> tuple[float, float]:
        """Milliseconds until the redirect, and from there until the receipt is read."""
        near = question.get("near")
        place = question.get("place") or ",".join(str(one) for one in near)
        form = {
            "need": question["need"],
            "place": place if near is None else "Kota Semarang",
            "place_code": "" if near is None else "33.74",
            "age": str(question["age"]),
            "sex": question["sex"],
            "urgency": question["urgency"],
            "csrf_token": self._csrf,
        }
        start = time.perf_counter()
        status, where, _ = self._send("POST", "/match", form)
        assert status == 303, status
        middle = time.perf_counter()
        status, _, page = self._send("GET", where)
        assert status == 200, status
        assert "</html>" in page
        return (middle - start) * 1000, (time.perf_counter() - middle) * 1000

    def _token(self, path: str) -> str:
        _, _, page = self._send("GET", path)
        found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
        assert found, path
        return found[1]

    def _send(self, method: str, path: str, form: Any = None) -> tuple[int, str, str]:
        connection = HTTPConnection("127.0.0.1", self._port, timeout=60)
        headers = {"Cookie": self._cookie} if self._cookie else {}
        if form is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        connection.request(method, path, urlencode(form) if form else None, headers)
        answer = connection.getresponse()
        page = answer.read().decode()
        for name, value in answer.getheaders():
            if name.lower() == "set-cookie" and value.startswith("jejaring="):
                self._cookie = value.split(";")[0]
        connection.close()
        return answer.status, answer.headers.get("Location", ""), page


def _pages(port: int, server: int, questions: list[dict[str, Any]], seconds: int) -> None:
    people = [Worker(port) for _ in range(PEOPLE)]
    taken: list[list[tuple[float, float]]] = [[] for _ in people]

    def work(number: int, until: float) -> None:
        while time.monotonic() < until:
            at = len(taken[number]) * PEOPLE + number
            taken[number].append(people[number].ask(questions[at % len(questions)]))

    started, busy = time.monotonic(), _busy_seconds(server)
    threads = [
        Thread(target=work, args=(number, started + seconds)) for number in range(len(people))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    rate = sum(map(len, taken)) / (time.monotonic() - started)
    flows = [one for each in taken for one in each]
    for name, times in (
        ("POST /match", [post for post, _ in flows]),
        ("GET the receipt", [get for _, get in flows]),
        ("both", [post + get for post, get in flows]),
    ):
        shares = statistics.quantiles(times, n=100)
        _row(name, {"p50": shares[49], "p95": shares[94], "p99": shares[98]})
    used = (_busy_seconds(server) - busy) / len(flows)
    print(f"{PEOPLE} people at once, {rate:.1f} of both a second, {_ms(used)}")


# Where the time goes ------------------------------------------------------------------------------


def _profile(app: Flask, token: str, questions: list[dict[str, Any]]) -> None:
    """One process, no server: the API's view under a profile."""
    browser = app.test_client()
    headers = {"Authorization": f"Bearer {token}"}

    def ask(number: int) -> None:
        answer = browser.post("/api/v1/match", json=questions[number], headers=headers)
        assert answer.status_code == 200

    for number in range(100):
        ask(number)
    start = time.process_time()
    for number in range(100, 300):
        ask(number)
    took = (time.process_time() - start) / 200 * 1000
    print(f"{took:.2f} ms of one processor for a request, test client included")
    profile = cProfile.Profile()
    profile.enable()
    for number in range(300, 500):
        ask(number)
    profile.disable()
    pstats.Stats(profile).sort_stats("cumulative").print_stats(70)


if __name__ == "__main__":
    main()
