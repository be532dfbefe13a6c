"""Nobody who is helped can be read out of the files of an installation without its keys."""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, OpenerDirector, build_opener

import pytest
from flask import Flask

from referral.cli.demo import command as demo
from referral.cli.demo.people import CASE_PEOPLE, PARENTS
from referral.config import ROOT, Settings
from referral.core import sealing
from referral.extensions import db
from referral.factory import create_app
from tests.leaks import Traces, forms_of, found_in, sealed_texts, traces

#: somebody invented, who comes in by the web
WEB_NAME, WEB_NUMBER = "Larasati Contoh", "+6281200000088"
WEB_STORY = (
    "Larasati dipukul suaminya semalam dan bersembunyi di rumah bibinya di belakang pasar; "
    "ia takut pulang dan tidak berani melapor ke mana pun."
)
#: the Makefile's own format: a path, never a query
ACCESS_LOG = "%(t)s %(m)s %(U)s %(s)s %(M)sms"


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh instance with its directory and its staff, and nobody who is helped."""
    folder = tmp_path_factory.mktemp("base")
    app = demo.new_instance(folder)
    with app.app_context():
        db.engine.dispose()
    return folder


def played(base: Path, folder: Path) -> Flask:
    """The demonstration, played on a copy of the fresh instance."""
    shutil.copytree(base, folder)
    app = create_app(Settings.from_env({"JEJARING_INSTANCE": str(folder)}))
    assert demo.run(app, "id").failed == []
    return app


def left_by_clients(app: Flask, base: Path) -> Traces:
    """What the clients would leave behind, without what is public anyhow."""
    people = CASE_PEOPLE
    names = [*(person.name for person in people[:2]), *(one.name for one in PARENTS)]
    numbers = [person.number for person in people]
    with app.app_context():
        texts = sealed_texts(db.session)
        db.session.rollback()
    assert set(names) <= set(texts)
    assert {person.story("id") for person in people[:2]} <= set(texts)
    wanted = traces([*texts, WEB_STORY], [*names, WEB_NAME], [*numbers, WEB_NUMBER])
    public = set().union(*found_in(base, wanted).values())
    assert wanted.words.isdisjoint(public)
    assert len(public) < len(wanted) / 10
    return wanted.without(public)


def test_no_file_holds_a_client_s_name_number_or_story(base: Path, tmp_path: Path) -> None:
    folder = tmp_path / "instance"
    app = played(base, folder)
    wanted = left_by_clients(app, base)
    (folder / "logs").mkdir()

    with serving(folder) as web:
        use_the_web(web)
        while_running = found_in(folder, wanted)
        files = {path.name for path in folder.rglob("*") if path.is_file()}

    with app.app_context():
        assert {WEB_NAME, WEB_STORY} <= set(sealed_texts(db.session))
    assert (while_running, found_in(folder, wanted)) == ({}, {})
    assert {"jejaring.db", "jejaring.db-wal", "secrets.json", "access.log", "error.log"} <= files
    log = (folder / "logs" / "access.log").read_text("utf-8")
    assert re.search(r"POST /cases/[0-9a-f-]{36}/story 303", log), log


def test_the_same_search_finds_everybody_once_nothing_is_sealed(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sealing, "seal", lambda plain, _key, place: b"\x01" + plain)
    monkeypatch.setattr(sealing, "open_sealed", lambda sealed, _key, place: sealed[1:])
    folder = tmp_path / "instance"
    app = played(base, folder)
    wanted = left_by_clients(app, base)

    found = set().union(*found_in(folder, wanted).values())

    people = [*CASE_PEOPLE[:2], *PARENTS]
    assert {person.name.lower().encode() for person in people} <= found
    assert {person.number.encode() for person in people} <= found
    # Pages of the database cut a text here and there.
    story = traces([person.story("id") for person in people[:2]], [], []).windows & wanted.windows
    assert len(story & found) > 0.9 * len(story)


@pytest.mark.parametrize(
    "written",
    [
        "Larasati Contoh".encode("utf-16-le"),
        b"x" + "Larasati Contoh".encode("utf-16-be"),
        b"GET /cases?q=LARASATI+contoh HTTP/1.1",
        b"call 0812-0000-0088 now",
        b"tel:6281200000088",
        b"rumah%20bibinya%20di",
    ],
)
def test_the_search_reads_other_encodings_and_spellings(tmp_path: Path, written: bytes) -> None:
    (tmp_path / "some.log").write_bytes(written)

    assert found_in(tmp_path, traces([WEB_STORY], [WEB_NAME], [WEB_NUMBER]))


def test_a_number_is_looked_for_in_every_way_it_is_written() -> None:
    assert {"+6281200000088", "081200000088", "0812-0000-0088", "0812 0000 0088"} <= forms_of(
        WEB_NUMBER
    )


# A short session on the web -----------------------------------------------------------------------


class serving:  # noqa: N801 - reads as a verb where it is used
    """The real server on a free port, its logs in the instance folder; gives a browser without pictures."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __enter__(self) -> "Web":
        logs = self.folder / "logs"
        with socket.create_server(("127.0.0.1", 0)) as listening:
            port, line = listening.getsockname()[1], listening.fileno()
            self.server = subprocess.Popen(
                [sys.executable, "-m", "gunicorn", "--bind", f"fd://{line}", "--workers", "1",
                 "--worker-class", "gthread", "--threads", "4", "--access-logformat", ACCESS_LOG,
                 "--access-logfile", str(logs / "access.log"), "--error-logfile", str(logs / "error.log"),
                 "--capture-output", "app:app"],
                cwd=ROOT,
                env={"PATH": os.environ.get("PATH", ""), "JEJARING_INSTANCE": str(self.folder)},
                pass_fds=[line],
            )  # fmt: skip
        web = Web(f"http://127.0.0.1:{port}")
        for _attempt in range(500):
            try:
                web.get("/healthz")
                return web
            except OSError:
                time.sleep(0.2)
        self.server.terminate()
        raise RuntimeError((logs / "error.log").read_text("utf-8"))

    def __exit__(self, *_exception: object) -> None:
        self.server.terminate()
        self.server.wait(timeout=60)


class Web:
    """Somebody at a browser: pages, forms with their tokens, cookies."""

    def __init__(self, base: str) -> None:
        self.base, self.status, self.url = base, 0, base
        self.opener: OpenerDirector = build_opener(HTTPCookieProcessor(CookieJar()))
        self.token = ""

    def get(self, path: str) -> str:
        return self._open(path, None)

    def post(self, path: str, **fields: str) -> str:
        return self._open(path, urlencode({"csrf_token": self.token} | fields).encode())

    def _open(self, path: str, data: bytes | None) -> str:
        try:
            answer = self.opener.open(self.base + path, data, timeout=60)
        except HTTPError as error:
            answer = error
        with answer:
            page: str = answer.read().decode()
            self.status, self.url = answer.status, answer.url
        found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
        self.token = found.group(1) if found else self.token
        return page


def use_the_web(web: Web) -> None:
    """A broker opens a case by the web, tells the story, gets things wrong, reads files, searches with a name."""
    web.get("/sign-in")
    web.post("/sign-in", email="broker@demo.example", password=demo.PASSWORD)
    wrong = {"kind": "person", "name": WEB_NAME, "age_years": "-5", "contact_number": WEB_NUMBER}
    web.get("/cases/new")
    assert (WEB_NAME in web.post("/cases/new", **wrong), web.status) == (True, 422)
    web.post(
        "/cases/new",
        kind="person",
        name=WEB_NAME,
        age_years="33",
        contact_number="0812-0000-0088",
        stays="Kec. Tembalang, Kota Semarang",
        protections="violence",
    )
    story_path = web.url.removeprefix(web.base)
    assert story_path.endswith("/story"), web.url
    page = web.post(story_path, story=WEB_STORY)
    assert (web.status, web.url.endswith("/proposals")) == (200, True), page
    token, web.token = web.token, "forged"
    web.post(story_path, story=WEB_STORY)
    assert web.status == 400
    web.token = token
    files = web.get("/cases")
    for path in sorted(set(re.findall(r'href="(/cases/[0-9a-f-]{36})"', files))):
        web.get(path)
        assert web.status == 200
    web.get("/directory?" + urlencode({"q": f"{WEB_NAME} {WEB_NUMBER}"}))
    web.get("/cases/nobody")
    assert web.status == 404
