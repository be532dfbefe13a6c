"""A real server on a fresh instance, and a real browser to walk through it."""

import fcntl
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import sync_playwright

from tests.whole.browser.visitor import Walk

ROOT = Path(__file__).resolve().parents[3]
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Whatever asks for another machine finds none, and is seen as a failed request.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)
PREPARE = (
    ("db", "upgrade"),
    ("directory", "starter"),
    ("accounts", "demo", "--json"),
)
STARTS_WITHIN_SECONDS = 120


@dataclass(frozen=True)
class Instance:
    """A folder with a database, and the password of the demonstration's people."""

    folder: Path
    password: str

    @property
    def environment(self) -> dict[str, str]:
        kept = {key: value for key, value in os.environ.items() if not key.startswith("JEJARING")}
        kept.pop("DATABASE_URL", None)
        return kept | {"JEJARING_INSTANCE": str(self.folder), "FLASK_APP": "app.py"}


@pytest.fixture(scope="module")
def chromium() -> Iterator[Chromium]:
    """Debian's Chromium. Without it: an error in CI, a skip elsewhere.

    Playwright keeps an event loop running, in which no application of this process could be closed: it ends
    with each module.
    """
    found = shutil.which("chromium") or "/usr/bin/chromium"
    if not Path(found).exists():
        if os.environ.get("CI") == "true":
            pytest.fail("Chromium is missing: install the Debian package `chromium`.")
        pytest.skip("needs the Debian package `chromium`")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Instance:
    """The instance `make serve` makes on an empty folder; built once, for every worker to copy."""
    base = tmp_path_factory.getbasetemp()
    if os.environ.get("PYTEST_XDIST_WORKER"):
        base = base.parent  # what the workers of one run share
    instance, ready = Instance(base / "browser-instance", ""), base / "browser-instance.json"
    with (base / "browser-instance.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not ready.exists():
            for command in PREPARE:
                said = subprocess.run(
                    [sys.executable, "-m", "flask", *command],
                    cwd=ROOT,
                    env=instance.environment,
                    capture_output=True,
                    text=True,
                    check=False,
                )
                assert said.returncode == 0, said.stderr
            ready.write_text(said.stdout)
    return Instance(instance.folder, json.loads(ready.read_text())["password"])


@contextmanager
def serving(prepared: Instance, folder: Path) -> Iterator[tuple[str, Instance]]:
    """The address of a server as `make serve` runs it, on a copy of the instance. Its log must hold no error."""
    instance = Instance(folder / "instance", prepared.password)
    shutil.copytree(prepared.folder, instance.folder)
    log = folder / "server.log"
    with socket.create_server(("127.0.0.1", 0)) as listening, log.open("w") as out:
        address = f"http://127.0.0.1:{listening.getsockname()[1]}"
        running = subprocess.Popen(
            [
                *(sys.executable, "-m", "gunicorn", "--bind", f"fd://{listening.fileno()}"),
                *("--workers", "1", "--worker-class", "gthread", "--threads", "8", "app:app"),
            ],
            cwd=ROOT,
            env=instance.environment,
            stdout=out,
            stderr=out,
            pass_fds=[listening.fileno()],
        )
        try:
            _wait_for(f"{address}/healthz", running, log)
            yield address, instance
        finally:
            running.terminate()
            running.wait(timeout=60)
    assert "Traceback" not in log.read_text()


def _wait_for(url: str, running: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + STARTS_WITHIN_SECONDS
    while time.monotonic() < deadline:
        assert running.poll() is None, log.read_text()
        try:
            with urllib.request.urlopen(url, timeout=STARTS_WITHIN_SECONDS) as answer:
                assert json.load(answer) == {"status": "ok"}
                return
        except OSError:
            time.sleep(0.1)
    pytest.fail(f"the server does not answer: {log.read_text()}")


@pytest.fixture
def walk(chromium: Chromium, prepared: Instance, tmp_path: Path) -> Iterator[Walk]:
    """A server of its own, and everybody who visits it."""
    with serving(prepared, tmp_path) as (address, instance):
        walking = Walk(chromium, address, instance.password)
        yield walking
        walking.end()


@pytest.fixture(scope="module")
def server(
    prepared: Instance, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, Instance]]:
    """One server for the tests of a module that leave each other alone."""
    with serving(prepared, tmp_path_factory.mktemp("server")) as serving_at:
        yield serving_at


@pytest.fixture
def visits(chromium: Chromium, server: tuple[str, Instance]) -> Iterator[Walk]:
    """Visitors to the server that the tests of a module share."""
    address, instance = server
    walking = Walk(chromium, address, instance.password)
    yield walking
    walking.end()
