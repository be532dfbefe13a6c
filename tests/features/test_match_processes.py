"""A listing edited in one process is matched so by another: two real processes on one database."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from flask import Flask

from referral.changes import directory
from referral.changes.actors import SYSTEM
from referral.config import ROOT, Settings
from referral.directory.models import CapacityStatus, Service, ServiceCapacity, ServiceStatus
from referral.extensions import db
from referral.factory import create_app
from referral.matching import live
from tests.factories import SEMARANG, Make

NOW = datetime(2026, 3, 2, 2, 30, tzinfo=UTC)
#: What the other process does with each line it is sent: one question, answered from its own index or not.
OTHER = """
import json, os, sys
from datetime import UTC, datetime
from referral.config import Settings
from referral.extensions import db
from referral.factory import create_app
from referral.matching import live
from referral.matching.facts import Query
from referral.matching.operations import answer

app = create_app(Settings.from_env(os.environ))
query = Query(need="HE05", at=datetime(2026, 3, 2, 2, 30, tzinfo=UTC), near=(-6.9903, 110.4229))
for _line in sys.stdin:
    with app.app_context():
        found = answer(db.session, query, zone="Asia/Jakarta")["options"]
        db.session.rollback()
        by_index = live.INDEX.exact(db.session) is not None
    print(json.dumps([by_index, [one["name"] for one in found]]), flush=True)
"""


class Other:
    """The other process; it keeps running from one question to the next."""

    def __init__(self, folder: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", OTHER],
            cwd=ROOT,
            env=os.environ | {"JEJARING_INSTANCE": str(folder), "PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self) -> tuple[bool, list[str]]:
        """Whether it has an index, and the names it finds, in order."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write("?\n")
        self.process.stdin.flush()
        by_index, names = json.loads(self.process.stdout.readline())
        return by_index, names


@pytest.fixture
def app(fresh: Settings) -> Iterator[Flask]:
    """An application of this process, on a database of its own."""
    app = create_app(fresh)
    yield app
    with app.app_context():
        live.INDEX.forget(db.engine)
        db.engine.dispose()


@pytest.fixture
def other(app: Flask, fresh: Settings) -> Iterator[Other]:
    started = Other(Path(fresh.JEJARING_INSTANCE))
    yield started
    assert started.process.stdin
    started.process.stdin.close()
    assert started.process.wait(30) == 0
    assert started.process.stdout
    started.process.stdout.close()


def change(app: Flask, service_id: UUID, **values: Any) -> None:
    """Edit a listing here, as every edit is written down."""
    with app.app_context():
        service = db.session.get_one(Service, service_id)
        for name, value in values.items():
            setattr(service, name, value)
        directory.record(db.session, service, service_id=service_id, by=SYSTEM, now=NOW)
        db.session.commit()


def test_the_first_question_after_an_edit_elsewhere_is_answered_by_it(
    app: Flask, other: Other
) -> None:
    with app.app_context():
        make = Make(db.session, NOW)
        near = make.service("HE05", name="Klinik Zamrud").service_id
        far = make.service(
            "HE05", name="Klinik Kencana", at=(SEMARANG[0] - 0.2, SEMARANG[1])
        ).service_id
        db.session.commit()
    other.ask()
    assert other.ask() == (True, ["Klinik Zamrud", "Klinik Kencana"])

    change(app, near, name="Klinik Delima")
    assert other.ask() == (True, ["Klinik Delima", "Klinik Kencana"])

    with app.app_context():
        full = ServiceCapacity(service_id=near, status=CapacityStatus.NO_CAPACITY, updated=NOW)
        db.session.add(full)
        directory.record(db.session, full, service_id=near, by=SYSTEM, now=NOW)
        db.session.commit()
    assert other.ask() == (True, ["Klinik Kencana", "Klinik Delima"]), "who is full comes last"

    change(app, far, status=ServiceStatus.DEFUNCT)
    assert other.ask() == (True, ["Klinik Delima"])

    with app.app_context():
        Make(db.session, NOW).service("HE05", name="Klinik Intan")
        db.session.commit()
    assert other.ask() == (True, ["Klinik Intan", "Klinik Delima"])
