"""What planners' measures are worked out from on a database that one machine does not carry: a copy that follows it."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.exc import InternalError

from referral.changes import directory
from referral.config import Settings
from referral.extensions import REPLICA, db, reading
from referral.factory import create_app
from referral.jobs import tasks
from referral.planning.access import operations
from referral.planning.access.models import AccessResult, AccessRun
from tests import postgresql

FOLLOWS_SECONDS = 30


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """The application on a PostgreSQL with a streaming replica, filled as `make serve` fills it."""
    with (
        postgresql.server() as server,
        postgresql.database(server) as url,
        postgresql.replica(server) as follower,
    ):
        copy = follower.set(database=url.rpartition("/")[2].partition("?")[0])
        env = {
            "DATABASE_URL": url,
            "REPLICA_URL": copy.render_as_string(hide_password=False),
            "JEJARING_INSTANCE": str(tmp_path_factory.mktemp("instance")),
        }
        app = create_app(Settings.from_env(env))
        for command in (("db", "upgrade"), ("directory", "starter")):
            done = app.test_cli_runner().invoke(args=list(command))
            assert done.exit_code == 0, done.output
        yield app
        with app.app_context():
            for engine in db.engines.values():
                engine.dispose()


def follow() -> None:
    """Wait until the replica has what the database has."""
    with db.engine.connect() as one:
        at = one.scalar(text("SELECT pg_current_wal_lsn()::text"))
    for _ in range(FOLLOWS_SECONDS * 20):
        if on_replica(f"SELECT pg_last_wal_replay_lsn() >= '{at}'::pg_lsn"):
            return
        time.sleep(0.05)
    raise AssertionError("the replica does not follow")


def test_a_long_reading_is_on_the_replica_which_refuses_to_write(app: Flask) -> None:
    with app.app_context(), reading() as session:
        assert session.scalar(text("SELECT pg_is_in_recovery()")) is True
        with pytest.raises(InternalError, match="read-only"):
            session.execute(text("DELETE FROM place"))


def test_access_is_worked_out_from_what_the_replica_has_heard_of(app: Flask) -> None:
    with app.app_context():
        follow()
        heard = directory.version(db.session)
        on_replica("SELECT pg_wal_replay_pause()")
        directory.announce(db.session, None, now=datetime.now(UTC))
        db.session.commit()

        tasks.work_out_access(is_asked=True)
        on_replica("SELECT pg_wal_replay_resume()")

        run = db.session.scalars(select(AccessRun)).one()
        kept = db.session.scalars(select(AccessResult).where(AccessResult.run_id == run.id))
        found = {(one.category, one.system): (one.supply, one.arrays) for one in kept}
        itself = operations.count(db.session, now=datetime.now(UTC))
        assert run.directory_version == heard < itself.run["directory_version"]
        assert operations.is_due(db.session, now=datetime.now(UTC) + operations.REST)
        assert len(found) > 50
        assert found == {
            (one["category"], one["system"]): (one["supply"], one["arrays"])
            for one in itself.results
        }


def on_replica(statement: str) -> Any:
    with db.get_engine(REPLICA).connect() as other:
        return other.scalar(text(statement))
