"""Fixtures every test may ask for. A session's commits are undone after the test."""

import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import html5lib
import pytest
from argon2 import PasswordHasher
from bs4 import BeautifulSoup, Tag
from flask import Flask, g
from flask.testing import FlaskClient, FlaskCliRunner
from hypothesis import HealthCheck, settings
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from referral.accounts import passwords
from referral.config import Settings
from referral.directory.search import index
from referral.extensions import alembic, db
from referral.factory import create_app
from referral.matching import live
from referral.planning.maps import listings
from referral.reference import load_reference
from tests.factories import PASSWORD, Make

# CI asks for the same examples every time, elsewhere they are new; how long one may take says nothing on a busy machine.
settings.register_profile(
    "jejaring",
    derandomize="SAME_EXAMPLES" in os.environ,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("jejaring")

SHARED = Path(__file__).resolve().parents[2] / "shared"
#: where files take longest; these begin, so that no worker waits for one of them in the end
LONGEST_FIRST = ("tests/whole/browser", "tests/whole", "tests/features", "tests/doors")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def turn(item: pytest.Item) -> int:
        starts = [item.nodeid.startswith(f"{folder}/") for folder in LONGEST_FIRST]
        return starts.index(True) if True in starts else len(starts)

    items.sort(key=turn)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of official examples and real data that is not part of the project."""
    if not SHARED.exists():
        pytest.skip("needs the shared data folder beside the project, which is not here")
    return SHARED


@pytest.fixture(scope="session", autouse=True)
def own_hasher() -> Iterator[PasswordHasher]:
    """The product's own; thousands of people sign in here, so that tests hash with 8 KiB instead of 46 MiB."""
    own = passwords._hasher
    with pytest.MonkeyPatch.context() as patch:
        quick = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
        patch.setattr(passwords, "_hasher", quick)
        yield own


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An instance with a migrated SQLite database and reference data, for others to copy."""
    folder = tmp_path_factory.mktemp("migrated")
    app = create_app(Settings.from_env({"JEJARING_INSTANCE": str(folder)}))
    with app.app_context():
        alembic.upgrade()
        load_reference(db.session, now=datetime.now(UTC))
        db.session.commit()
        db.engine.dispose()
    return folder


@pytest.fixture
def fresh(migrated: Path, tmp_path: Path) -> Settings:
    """A migrated instance of this test's own, with reference data."""
    folder = shutil.copytree(migrated, tmp_path / "instance")
    return Settings.from_env({"JEJARING_INSTANCE": str(folder)})


@pytest.fixture(scope="session")
def app(migrated: Path, tmp_path_factory: pytest.TempPathFactory) -> Flask:
    """The application on a migrated SQLite database with reference data."""
    folder = shutil.copytree(migrated, tmp_path_factory.mktemp("app") / "instance")
    app = create_app(Settings.from_env({"JEJARING_INSTANCE": str(folder)}))
    app.config.update(TESTING=True)
    return app


@pytest.fixture
def session(app: Flask) -> Iterator[Session]:
    """A session whose commits are undone after the test."""
    with app.app_context():
        connection = db.engine.connect()
        outer = connection.begin()
        kept = dict(db.sessionmaker.kw)
        db.sessionmaker.configure(bind=connection, join_transaction_mode="create_savepoint")
        yield db.session
        db.session.close()
        db.sessionmaker.kw.clear()
        db.sessionmaker.configure(**kept)
        outer.rollback()
        connection.close()
        live.INDEX.forget(db.engine)
        index.CATALOGUE.forget(db.engine)  # it read what is no longer there
        listings.forget()


@pytest.fixture
def now() -> datetime:
    """A Monday morning in Jakarta (09.30 there)."""
    return datetime(2026, 3, 2, 2, 30, tzinfo=UTC)


@pytest.fixture
def make(session: Session, now: datetime) -> Make:
    """Builds saved rows: `make.case(broker=...)`."""
    return Make(session, now)


class Browser(FlaskClient):
    """A test client that checks the pages it fetches and notices work left uncommitted."""

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        db.session.commit()  # what the test made is there before the request
        for name in [name for name in g if name != "_sqlalchemy_sessions"]:
            g.pop(
                name
            )  # in life every request starts with an empty g; only the session is shared here
        response = super().open(*args, **kwargs)
        db.session.rollback()
        db.session.expire_all()
        return response

    def page(self, url: str, status: int = 200) -> BeautifulSoup:
        """The page at `url`, well formed: valid HTML, one h1, a title, no id twice, every field labelled."""
        return checked(self.get(url, follow_redirects=True), status)

    def submit(
        self, url: str, data: dict[str, Any] | None = None, status: int = 200
    ) -> BeautifulSoup:
        """The page that follows after `data` was posted to `url`, as a form does."""
        return checked(self.post(url, data=data or {}, follow_redirects=True), status)

    def sign_in(self, user: Any, password: str = PASSWORD) -> "Browser":
        self.post("/sign-in", data={"email": user.email, "password": password})
        return self


def checked(response: TestResponse, status: int) -> BeautifulSoup:
    assert response.status_code == status, (response.status_code, response.text[:2000])
    parser = html5lib.HTMLParser(strict=False)
    parser.parse(response.text)
    assert not parser.errors, parser.errors[:3]
    page = BeautifulSoup(response.text, "html.parser")
    assert len(page.select("h1")) == 1, page.select("h1")
    assert page.title
    assert page.title.text.strip()
    ids = [tag["id"] for tag in page.select("[id]")]
    assert len(ids) == len(set(ids)), [one for one in ids if ids.count(one) > 1]
    for field in page.select("input:not([type=hidden], [type=submit]), select, textarea"):
        assert _is_labelled(page, field), f"no label: {field}"
    return page


def _is_labelled(page: BeautifulSoup, field: Tag) -> bool:
    if field.get("aria-label") or field.get("aria-labelledby") or field.find_parent("label"):
        return True
    return bool(field.get("id") and page.select(f'label[for="{field["id"]}"]'))


@pytest.fixture
def browser(app: Flask, session: Session) -> Browser:
    """Somebody with no account; `browser.sign_in(user)` makes it theirs. Forms need no token here."""
    app.test_client_class = Browser
    app.config["WTF_CSRF_ENABLED"] = False
    client = app.test_client()
    assert isinstance(client, Browser)
    return client


@dataclass(frozen=True)
class Output:
    """What a command printed and how it ended."""

    exit_code: int
    stdout: str
    stderr: str

    @property
    def json(self) -> Any:
        return json.loads(self.stdout)


@pytest.fixture
def cli(app: Flask, session: Session) -> Any:
    """Runs a command: `cli("needs", "suggest", "--json", "…")`."""
    runner: FlaskCliRunner = app.test_cli_runner()

    def run(*args: str, stdin: str | None = None) -> Output:
        db.session.commit()  # what the test made is there before the command
        result = runner.invoke(args=list(args), input=stdin)
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Output(result.exit_code, result.stdout, result.stderr)

    return run
