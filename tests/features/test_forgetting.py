"""A destroyed key is gone from the files, not only from the tables."""

from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from referral.core.crypto import KeyRing, new_key
from referral.core.db import forget_deleted
from referral.core.sealing import DataKey


def test_no_file_of_the_database_holds_a_key_that_was_destroyed(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'one.db'}")
    DataKey.metadata.create_all(engine, tables=[DataKey.__table__])  # type: ignore[list-item]
    keyring = KeyRing({"m1": new_key()}, "m1", new_key())
    with Session(engine, info={"keyring": keyring}) as session:
        key = DataKey.new(session)
        session.commit()
        wrapped = key.wrapped
        assert wrapped is not None
        session.rollback()
        forget_deleted(engine)  # a checkpoint, as they come by themselves
        assert _holds(tmp_path, wrapped)

        key.destroy(now=datetime.now(UTC))
        session.commit()
        forget_deleted(engine)

    assert not _holds(tmp_path, wrapped)
    engine.dispose()


def _holds(folder: Path, value: bytes) -> bool:
    return any(value in file.read_bytes() for file in folder.iterdir())
