"""Rules of the house that no single area can keep: permissions, migrations, and tests that run."""

import ast
import re
from collections.abc import Iterator
from configparser import ConfigParser
from functools import cache
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import inspect

from referral.accounts.permissions import HOLDERS, SCOPES
from referral.config import Settings
from referral.extensions import alembic, db
from referral.factory import create_app
from referral.tables import metadata
from referral.web.access import PUBLIC

TESTS = Path(__file__).resolve().parents[1]
FOLDERS = {"pure", "features", "doors", "whole"}


def test_every_page_states_who_may_open_it(app: Flask) -> None:
    """Anyone, people who hold a permission, or other systems whose token has a scope: one of the three."""
    stated = {
        rule.endpoint: (
            set(getattr(app.view_functions[rule.endpoint], "permissions", ())),
            getattr(app.view_functions[rule.endpoint], "scope", None),
        )
        for rule in app.url_map.iter_rules()
        if rule.endpoint != "static"
    }

    def is_stated(permissions: set[str], scope: str | None) -> bool:
        if scope is not None:
            return scope in SCOPES and not permissions
        return permissions == {PUBLIC} or bool(permissions and permissions <= HOLDERS.keys())

    assert {page: marks for page, marks in stated.items() if not is_stated(*marks)} == {}
    assert stated["v1.match"] == (set(), "match")


def test_every_page_that_is_linked_to_exists(app: Flask) -> None:
    """`.show` stands for the page `show` of the area that links to it."""
    root = TESTS.parent
    sources = [*(root / "templates").rglob("*.html"), *(root / "referral").rglob("*.py")]
    pages = set(app.view_functions) | {f".{name.split('.')[-1]}" for name in app.view_functions}
    linked = {
        page: str(path.relative_to(root))
        for path in sources
        for page in re.findall(r"""\burl_for\(\s*["']([\w.]+)["']""", path.read_text("utf-8"))
    }

    assert {page: where for page, where in linked.items() if page not in pages} == {}


@pytest.fixture(scope="module")
def empty_app(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    """An application whose database has no table yet."""
    folder = tmp_path_factory.mktemp("empty")
    return create_app(Settings.from_env({"JEJARING_INSTANCE": str(folder)}))


def test_migrations_make_the_tables_of_the_models_and_take_them_away_again(
    empty_app: Flask,
) -> None:
    with empty_app.app_context():
        alembic.upgrade()
        assert alembic.compare_metadata() == []
        tables = set(inspect(db.engine).get_table_names())
        assert tables == set(metadata.tables) | {"alembic_version"}

        alembic.downgrade("base")
        assert set(inspect(db.engine).get_table_names()) == {"alembic_version"}

        alembic.upgrade()
        assert set(inspect(db.engine).get_table_names()) == tables
        db.engine.dispose()


def test_a_database_with_listings_goes_up_and_down_again_whole(tmp_path: Path) -> None:
    app = create_app(Settings.from_env({"JEJARING_INSTANCE": str(tmp_path)}))
    listing = (
        "INSERT INTO organization (id, name, system_type) VALUES ('0a', 'Panti', 'societal')",
        "INSERT INTO service (id, organization_id, name, status, last_modified, answer_mode,"
        " contact_mode, version) VALUES ('0b', '0a', 'Rumah singgah', 'active',"
        " '2026-01-01 00:00:00', 'replies', 'direct', 1)",
        "INSERT INTO location (id, location_type, confidential) VALUES ('0c', 'physical', 0)",
        "INSERT INTO service_at_location (id, service_id, location_id) VALUES ('0d', '0b', '0c')",
        "INSERT INTO schedule (id, service_id) VALUES ('0e', '0b')",
    )
    with app.app_context():
        alembic.upgrade("0001")
        with db.engine.begin() as connection:
            for statement in listing:
                connection.exec_driver_sql(statement)
    run = app.test_cli_runner().invoke

    assert run(args=["db", "upgrade"]).exit_code == 0
    assert run(args=["db", "downgrade", "0001"]).exit_code == 0
    assert run(args=["db", "upgrade"]).exit_code == 0

    with app.app_context(), db.engine.connect() as connection:
        tables = ("organization", "service", "location", "service_at_location", "schedule")
        counts = [
            connection.exec_driver_sql(f"SELECT count(*) FROM {name}").scalar() for name in tables
        ]
        assert counts == [1, 1, 1, 1, 1]
        assert connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall() == []


def test_every_module_that_calls_itself_pure_is_held_to_it() -> None:
    root = TESTS.parent
    contracts = ConfigParser()
    contracts.read(root / "setup.cfg")
    held = contracts["importlinter:contract:pure"]["source_modules"].split()
    pure = {
        ".".join(path.relative_to(root).with_suffix("").parts)
        for path in (root / "referral").rglob("*.py")
        if re.search(r"\bPure\b", ast.get_docstring(ast.parse(path.read_text("utf-8"))) or "")
    }

    assert pure - set(held) == set()


@cache
def modules() -> dict[str, ast.Module]:
    return {
        str(path.relative_to(TESTS)): ast.parse(path.read_text("utf-8"))
        for path in sorted(TESTS.rglob("*.py"))
    }


def test_every_test_file_stands_in_one_of_the_four_folders() -> None:
    elsewhere = [
        name
        for name in modules()
        if name.split("/")[-1].startswith("test_") and name.split("/")[0] not in FOLDERS
    ]

    assert elsewhere == []


def test_no_function_of_a_test_file_is_neither_a_test_nor_used() -> None:
    """A test whose name lacks `test_` would never run."""
    lost = {name: unused for name, tree in modules().items() if (unused := _unused(name, tree))}

    assert lost == {}


def test_every_test_asserts_something() -> None:
    idle = {
        f"{name}::{test.name}"
        for name, tree in modules().items()
        for test in _functions(tree)
        if test.name.startswith("test_") and not _asserts(test, tree)
    }

    assert idle == set()


Function = ast.FunctionDef | ast.AsyncFunctionDef


def _functions(tree: ast.AST) -> Iterator[Function]:
    """Functions of a module and methods of its test classes."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, Function):
            yield node
        elif isinstance(node, ast.ClassDef) and node.name.startswith("Test"):
            yield from _functions(node)


def _unused(name: str, tree: ast.Module) -> list[str]:
    if not name.split("/")[-1].startswith("test_"):
        return []
    mentioned = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    mentioned |= {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    return [
        function.name
        for function in _functions(tree)
        if not function.name.startswith(("test_", "__"))
        and function.name not in mentioned
        and not function.decorator_list
    ]


def _asserts(function: Function, tree: ast.Module) -> bool:
    """Whether it asserts, expects an error, or calls a function of its module that does."""
    helpers = {helper.name: helper for helper in _functions(tree) if helper is not function}
    for node in ast.walk(function):
        if isinstance(node, ast.Assert):
            return True
        if isinstance(node, ast.Call):
            called = getattr(node.func, "id", getattr(node.func, "attr", ""))
            if called in {"raises", "expect", "page", "submit"}:
                return True
            if called in helpers and any(
                isinstance(n, ast.Assert) for n in ast.walk(helpers[called])
            ):
                return True
    return False
