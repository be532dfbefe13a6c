"""Nothing that a planner opens reads a row about a person: counts come from releases alone."""

import ast
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from referral.accounts.models import Role
from referral.accounts.permissions import HOLDERS
from referral.changes.actors import SYSTEM
from referral.planning.gaps import releases
from referral.planning.proposals import operations as proposing
from referral.planning.unmet import ledger
from referral.tables import metadata
from tests.factories import Make

ROOT = Path(__file__).resolve().parents[2]
#: rows about people; whatever refers to one of them is about a person too
ROOTS = {"client", "case", "need", "referral", "match_receipt", "own_resource", "gap_count"}
#: code of planners' pages; opening a proposal matches those who wait, and shows nobody
ROOMS = (
    "planning/maps",
    "planning/access",
    "planning/siting",
    "planning/proposals",
    "web/gaps",
    "web/proposals",
    "web/siting",
)
MATCHES = "opening.py"
#: what these rooms may take from where people are kept: lists of words, and how services stand
WORDS = {"UnmetReason", "ServiceStanding", "Closing", "NewServiceNotice", "tell_waiting"}


def about_people() -> set[str]:
    """Tables with a row about a person."""
    found: set[str] = set()
    more = set(ROOTS)
    while more:
        found |= more
        more = {
            name
            for name, table in metadata.tables.items()
            if name not in found
            and any(key.column.table.name in found for key in table.foreign_keys)
        }
    return found


@pytest.fixture
def read(session: Session) -> Iterator[list[str]]:
    """Statements that touch a row about a person, as they are run."""
    names = "|".join(map(re.escape, about_people()))
    touches = re.compile(rf'\b(?:FROM|JOIN|UPDATE|INTO)\s+"?({names})"?(?=[\s,)]|$)', re.IGNORECASE)
    found: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if touches.search(statement):
            found.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    yield found
    event.remove(Engine, "before_cursor_execute", note)


@pytest.fixture
def ids(session: Session, make: Make, now: Any) -> dict[str, Any]:
    """What the addresses of planners' pages name, in a directory where people wait and a release tells of them."""
    broker, planner = make.user(), make.user(Role.PLANNER)
    for _ in range(6):
        client = make.client(broker.office, stays_at={"code": "33.74"})
        need = make.need(make.case(broker=broker, client=client), category="FC05")
        ledger.record_unmet(session, need, reason="U01", by=broker, now=now - timedelta(days=3))
    make.service("FC05", at=(-7.55, 110.83))
    releases.publish(session, threshold=5, by=SYSTEM, now=now)
    proposal = proposing.propose(
        session,
        category="FC05",
        area_code="33.74",
        title="Penitipan anak",
        problem="",
        capacity=20,
        by=planner,
        now=now,
    )
    session.flush()
    return {
        "planner": planner,
        "proposal_id": proposal.id,
        "service_id": make.service("FC05").service_id,
        "category": "FC05",
        "area": "33.74",
    }


def addresses(app: Flask, ids: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Every page that a planner may open and others may not: endpoint and address."""
    for rule in app.url_map.iter_rules():
        permissions = getattr(app.view_functions[rule.endpoint], "permissions", ())
        if "GET" not in (rule.methods or ()) or not any(
            Role.PLANNER in HOLDERS.get(permission, ()) for permission in permissions
        ):
            continue
        kinds: list[dict[str, Any]] = [{}]
        for name in rule.arguments - ids.keys():
            choices = getattr(rule._converters[name], "items", None) or ("",)
            kinds = [one | {name: choice} for one in kinds for choice in sorted(choices)]
        for values in kinds:
            if "" not in values.values():
                known = {name: ids[name] for name in rule.arguments & ids.keys()}
                adapter = app.url_map.bind("localhost")
                yield rule.endpoint, adapter.build(rule.endpoint, values | known)


@pytest.mark.parametrize(
    "query", ["", "?category=FC05&area=33.74&reason=U01&period=2026-Q1&by=area&measure=asked"]
)
def test_no_page_of_a_planner_reads_a_row_about_a_person(
    app: Flask, browser: Any, ids: dict[str, Any], read: list[str], query: str
) -> None:
    browser.sign_in(ids["planner"])
    opened, touched = set(), {}
    for endpoint, address in addresses(app, ids):
        read.clear()
        answer = browser.get(address + query)
        if answer.status_code == 200:
            opened.add(endpoint)
        if read:
            touched[endpoint] = read[0]

    assert touched == {}
    assert {"gaps.index", "proposals.index", "proposals.show", "fairness.index"} <= opened


def test_a_read_of_a_person_would_be_noticed(
    browser: Any, ids: dict[str, Any], read: list[str], make: Make
) -> None:
    browser.sign_in(make.user())
    read.clear()

    browser.get("/cases")

    assert read


def imported(path: Path) -> Iterator[tuple[str, str]]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield from ((node.module, alias.name) for alias in node.names)


def test_planners_rooms_know_nothing_that_is_kept_about_people() -> None:
    people = (
        "referral.casework",
        "referral.referrals.models",
        "referral.referrals.queries",
        "referral.referrals.operations",
        "referral.matching.models",
        "referral.planning.unmet",
        "referral.planning.gaps.counting",
    )
    paths = [path for room in ROOMS for path in (ROOT / "referral" / room).rglob("*.py")]
    wrong = {
        f"{path.relative_to(ROOT)}: {module}.{name}"
        for path in paths
        for module, name in imported(path)
        if module.startswith(people) and name not in WORDS
    }

    assert wrong == set()
    assert any(path.name == MATCHES for path in paths)
    assert [room for room in ROOMS if not (ROOT / "referral" / room).is_dir()] == []


def test_only_the_counting_and_a_release_know_the_frozen_counts() -> None:
    knowing = {
        str(path.relative_to(ROOT / "referral"))
        for path in (ROOT / "referral").rglob("*.py")
        if "GapCount" in path.read_text("utf-8")
    }

    assert knowing == {"planning/gaps/models.py", "planning/gaps/counting.py"}
