"""Two writers at once wait for each other: on a SQLite file nobody is turned away and no chain breaks."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, func, select
from sqlalchemy.orm import Session

from referral.changes import audit
from referral.changes.actors import SYSTEM
from referral.changes.models import AuditEntry
from referral.core.crypto import KeyRing, new_key
from referral.core.db import take_write_lock
from referral.core.sealing import DataKey
from referral.tables import metadata
from tests.together import together

NOW = datetime(2026, 3, 2, tzinfo=UTC)
ENTRIES = 25


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = create_engine(f"sqlite:///{tmp_path / 'together.db'}")
    metadata.create_all(engine)
    with Session(engine) as session:
        audit.start(session)
        session.commit()
    yield engine
    engine.dispose()


def write(engine: Engine) -> None:
    """Look first, then write, each time in a transaction of its own: what a request does."""
    keys = KeyRing({"m": new_key()}, "m", new_key())
    for _ in range(ENTRIES):
        with Session(engine, info={"keyring": keys}) as session:
            take_write_lock(session)
            session.scalar(select(func.count()).select_from(DataKey))
            key = DataKey.new(session)
            session.flush()
            audit.record(session, "key.made", key, by=SYSTEM, now=NOW)
            session.commit()


def read(engine: Engine) -> None:
    for _ in range(ENTRIES):
        with Session(engine) as session:
            assert audit.first_break(session) is None


def test_two_writers_and_a_reader_of_one_file_leave_a_whole_chain(engine: Engine) -> None:
    together([lambda: write(engine), lambda: write(engine), lambda: read(engine)])

    with Session(engine) as session:
        numbers = session.scalars(select(AuditEntry.seq).order_by(AuditEntry.seq)).all()
        assert numbers == list(range(1, 2 * ENTRIES + 1))
        assert audit.first_break(session) is None
