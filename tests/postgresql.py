"""A throw-away PostgreSQL for tests: the server of TEST_DATABASE_URL, or one started here for the while."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import URL, create_engine, make_url
from sqlalchemy.exc import OperationalError

DEBIAN = Path("/usr/lib/postgresql")
START_SECONDS = 90


@contextmanager
def database(server: URL, *, like: str | None = None) -> Iterator[str]:
    """The address of a new database, empty or a copy of one that nobody uses; it is gone afterwards."""
    name = f"jejaring_test_{uuid4().hex[:12]}"
    template = f' TEMPLATE "{make_url(like).database}"' if like else ""
    _run(server, f'CREATE DATABASE "{name}"{template}')
    try:
        yield server.set(database=name).render_as_string(hide_password=False)
    finally:
        _run(server, f'DROP DATABASE "{name}" WITH (FORCE)')


@contextmanager
def server() -> Iterator[URL]:
    """A server on which databases may be made. Skips, and says so, where there is none."""
    given = os.environ.get("TEST_DATABASE_URL")
    if given:
        yield make_url(given)
        return
    programs = _programs()
    if programs is None:
        pytest.skip("No PostgreSQL here: install the package 'postgresql' or set TEST_DATABASE_URL")
    folder = Path(tempfile.mkdtemp(prefix="jejaring-pg-"))  # short: a socket's path has 107 bytes
    who = _ordinary_user(folder)
    try:
        with _running(programs, folder, who) as url:
            yield url
    finally:
        shutil.rmtree(folder)


@contextmanager
def replica(primary: URL) -> Iterator[URL]:
    """A server that follows one started here and refuses to write. Skips where the server is somebody else's."""
    programs = _programs()
    if programs is None or "TEST_DATABASE_URL" in os.environ:
        pytest.skip("A replica is made only of a PostgreSQL that the tests start themselves")
    folder = Path(tempfile.mkdtemp(prefix="jejaring-pg-"))
    who = _ordinary_user(folder)
    socket, name = str(primary.query["host"]), str(primary.username)
    try:
        _made(
            [programs / "pg_basebackup", "--pgdata", folder / "data", "--write-recovery-conf", "--no-sync",
             "--checkpoint", "fast", "--host", socket, "--username", name],
            folder, who,
        )  # fmt: skip
        with _running(programs, folder, who) as url:
            yield url
    finally:
        shutil.rmtree(folder)


def _programs() -> Path | None:
    """The folder of the newest server's programs."""
    found = sorted(DEBIAN.glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    elsewhere = shutil.which("initdb")
    return Path(elsewhere).resolve().parent if elsewhere else None


def _ordinary_user(folder: Path) -> dict[str, Any]:
    """How to start the server's programs: it refuses root, so root lends the folder to somebody else."""
    if os.getuid() != 0:
        return {}
    names = {entry.pw_name for entry in pwd.getpwall()}
    entry = pwd.getpwnam("postgres" if "postgres" in names else "nobody")
    os.chown(folder, entry.pw_uid, entry.pw_gid)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


@contextmanager
def _running(programs: Path, folder: Path, who: dict[str, Any]) -> Iterator[URL]:
    data = folder / "data"
    if not data.exists():
        initdb = ["--username", "tests", "--encoding", "UTF8", "--auth", "trust", "--no-sync", "--no-instructions"]  # fmt: skip
        _made([programs / "initdb", "--pgdata", data, *initdb], folder, who)
    options = {
        "listen_addresses": "",
        "unix_socket_directories": str(folder),
        "fsync": "off",
        "synchronous_commit": "off",
        "full_page_writes": "off",
        "autovacuum": "off",
    }
    with (
        (folder / "log").open("wb") as log,
        subprocess.Popen(
            [programs / "postgres", "-D", data, *(f"--{name}={options[name]}" for name in options)],
            stdout=log,
            stderr=log,
            **_start(folder, who),
        ) as process,
    ):
        try:
            url = URL.create(
                "postgresql", "tests", database="postgres", query={"host": str(folder)}
            )
            _wait(url, process, folder / "log")
            yield url
        finally:
            process.send_signal(signal.SIGINT)  # "fast": end the sessions, then stop
            process.wait(START_SECONDS)


def _start(folder: Path, who: dict[str, Any]) -> dict[str, Any]:
    return {"cwd": folder, "env": {"LC_ALL": "C.UTF-8", "PATH": os.defpath}} | who


def _made(command: list[Any], folder: Path, who: dict[str, Any]) -> None:
    subprocess.run(command, check=True, capture_output=True, **_start(folder, who))


def _wait(url: URL, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(START_SECONDS * 20):
        if process.poll() is not None:
            break
        try:
            _run(url, "SELECT 1")
        except OperationalError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"PostgreSQL did not start:\n{log.read_text('utf-8', 'replace')}")


def _run(url: URL, statement: str) -> None:
    """One statement outside any transaction, as CREATE DATABASE wants it."""
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql(statement)
    finally:
        engine.dispose()
