"""The match index of a process: the same answers as the database gives, and never behind it."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread
from typing import Any
from uuid import UUID

import pytest
from flask import Flask

from referral.changes import following
from referral.changes.directory import announce
from referral.config import Settings
from referral.directory.models import CapacityStatus, Service, ServiceCapacity, ServiceStatus
from referral.directory.reference import taxonomy
from referral.extensions import db
from referral.factory import create_app
from referral.matching import live
from referral.matching.facts import Place, Query
from referral.matching.operations import answer
from tests.factories import SEMARANG, Make

NOW = datetime(2026, 3, 2, 2, 30, tzinfo=UTC)


@pytest.fixture
def apps(fresh: Settings) -> Iterator[tuple[Flask, Flask]]:
    """Two applications on one database, as two processes have them."""
    first, second = create_app(fresh), create_app(fresh)
    yield first, second
    for app in (first, second):
        with app.app_context():
            live.INDEX.forget(db.engine)
            db.engine.dispose()


def matched(need: str = "HE05", **facts: Any) -> dict[str, Any]:
    asked: dict[str, Any] = {"near": SEMARANG, "place": Place("33.74", "Kota Semarang", 4.0)}
    query = Query(need=need, at=NOW, **asked | facts)
    found = answer(db.session, query, zone="Asia/Jakarta", need_id="n")
    db.session.rollback()
    return found


def names(app: Flask) -> list[str]:
    with app.app_context():
        return [one["name"] for one in matched()["options"]]


def is_known(app: Flask) -> bool:
    with app.app_context():
        known = live.INDEX.exact(db.session) is not None
        db.session.rollback()
        return known


def add(app: Flask, name: str) -> UUID:
    with app.app_context():
        site = Make(db.session, NOW).service("HE05", name=name)
        service_id: UUID = site.service_id
        db.session.commit()
        return service_id


def test_the_first_question_asks_the_database_and_the_next_ones_the_index(
    apps: tuple[Flask, Flask],
) -> None:
    add(apps[0], "Klinik Zamrud")

    assert names(apps[1]) == ["Klinik Zamrud"]
    assert is_known(apps[1])
    assert names(apps[1]) == ["Klinik Zamrud"]


def test_both_ways_give_the_same_answer_for_every_kind_of_help(apps: tuple[Flask, Flask]) -> None:
    run = apps[0].test_cli_runner().invoke(args=["directory", "starter"])
    assert run.exit_code in (0, 1)
    asked: list[dict[str, Any]] = [
        {"age": 16, "sex": "female", "desil": 3, "registered_in": "33.74"},
        {"urgency": "emergency", "violence": True, "within": 40.0},
        {"near": (-2.53, 140.7), "place": None, "disability": ("physical",), "open_only": True},
    ]
    with apps[0].app_context():
        needs = [term.code for term in taxonomy()]
        by_rows, by_index = [], []
        for need in needs:
            for facts in asked:
                live.INDEX.forget(db.engine)
                by_rows.append(matched(need, **facts))
        assert matched()["options"]
        assert live.INDEX.exact(db.session) is not None
        for need in needs:
            for facts in asked:
                by_index.append(matched(need, **facts))

    assert sum(len(one["options"]) for one in by_rows) > 1000
    assert by_index == by_rows


def test_a_listing_changed_by_one_process_is_matched_so_by_the_other(
    apps: tuple[Flask, Flask],
) -> None:
    first, second = apps
    one, other = add(first, "Klinik Zamrud"), add(first, "Klinik Kencana")
    assert sorted(names(second)) == sorted(names(second)) == ["Klinik Kencana", "Klinik Zamrud"]

    with first.app_context():
        full = ServiceCapacity(service_id=one, status=CapacityStatus.NO_CAPACITY, updated=NOW)
        db.session.add(full)
        announce(db.session, one, now=NOW)
        db.session.commit()
    assert names(second) == ["Klinik Kencana", "Klinik Zamrud"], "who is full comes last"

    with first.app_context():
        db.session.get_one(Service, other).merged_into_id = one
        announce(db.session, other, now=NOW)
        db.session.commit()
    assert names(second) == ["Klinik Zamrud"]


def test_what_is_taken_back_before_it_is_committed_is_not_matched_afterwards(
    apps: tuple[Flask, Flask],
) -> None:
    first, _ = apps
    add(first, "Klinik Zamrud")
    assert names(first) == names(first) == ["Klinik Zamrud"]

    with first.app_context():
        Make(db.session, NOW).service("HE05", name="Klinik Kencana")
        query = Query(need="HE05", at=NOW, near=SEMARANG)
        seen = answer(db.session, query, zone="Asia/Jakarta")["options"]
        db.session.rollback()

    assert sorted(one["name"] for one in seen) == ["Klinik Kencana", "Klinik Zamrud"]
    assert names(first) == ["Klinik Zamrud"]


def test_while_a_large_directory_is_read_the_database_answers(
    apps: tuple[Flask, Flask], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = apps
    monkeypatch.setattr(following, "SMALL", 0)
    started: list[Thread] = []
    monkeypatch.setattr(
        following, "Thread", lambda **how: started.append(Thread(**how)) or started[-1]
    )
    add(first, "Klinik Zamrud")
    assert [names(second), names(second)] == [["Klinik Zamrud"]] * 2
    for thread in started:
        thread.join()

    assert len(started) == 1
    assert is_known(second)
    assert names(second) == ["Klinik Zamrud"]


def test_a_new_process_takes_what_an_earlier_one_kept_and_brings_what_changed_since(
    apps: tuple[Flask, Flask], monkeypatch: pytest.MonkeyPatch, fresh: Settings
) -> None:
    first, second = apps
    monkeypatch.setattr(following, "SMALL", 0)
    started: list[Thread] = []
    monkeypatch.setattr(
        following, "Thread", lambda **how: started.append(Thread(**how)) or started[-1]
    )
    gone = add(first, "Klinik Kencana")
    names(first), names(first)
    for thread in started:
        thread.join()
    [kept] = Path(fresh.JEJARING_INSTANCE).glob("match-*.index")
    monkeypatch.setattr(following, "SMALL", 5_000)
    add(first, "Klinik Zamrud")
    with first.app_context():
        db.session.get_one(Service, gone).status = ServiceStatus.DEFUNCT
        announce(db.session, gone, now=NOW)
        db.session.commit()

    read: list[object] = []
    monkeypatch.setattr(live.INDEX, "_read", read.append)
    assert is_known(second), "at its first question"
    assert names(second) == ["Klinik Zamrud"]
    assert read == []

    kept.write_bytes(kept.read_bytes()[:200])
    with second.app_context():
        live.INDEX.forget(db.engine)
    assert not is_known(second), "a damaged file is as none"
    assert names(first) == ["Klinik Zamrud"]
