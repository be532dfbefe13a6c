"""The declarative base every table shares and the types its columns use. Knows SQLAlchemy, not Flask."""

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Literal

from alembic.runtime.migration import MigrationContext
from sqlalchemy import JSON, DateTime, Dialect, Enum, MetaData, TypeDecorator, event
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

NAMES = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class UTCDateTime(TypeDecorator[datetime]):
    """An instant. Refuses naive datetimes going in; gives aware UTC coming out."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("naive datetime: say which zone it is in")
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        return value and value.replace(tzinfo=UTC)


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMES)
    type_annotation_map = {
        datetime: UTCDateTime,
        dict[str, Any]: JSON(none_as_null=True),
        list[Any]: JSON,
        list[str]: JSON,
        StrEnum: Enum(
            StrEnum,
            native_enum=False,
            length=40,
            values_callable=lambda kind: [member.value for member in kind],
        ),
    }


def new_id() -> uuid.UUID:
    """A random id whose first 48 bits are the time, so that rows made together lie together."""
    moment = int(datetime.now(UTC).timestamp() * 1000)
    random = int.from_bytes(os.urandom(10), "big")
    value = (moment & (1 << 48) - 1) << 80 | random
    value = value & ~(0xF << 76) | 0x7 << 76  # version 7
    value = value & ~(0x3 << 62) | 0x2 << 62  # RFC 9562 variant
    return uuid.UUID(int=value)


class Identified(Base):
    """A row that has a UUID, known before it is saved so that sealed columns can bind to it."""

    __abstract__ = True

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)

    def __init__(self, **values: Any) -> None:
        values.setdefault("id", new_id())
        super().__init__(**values)


def migration_type(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    """How a migration writes a column type of ours: as the plain type it is stored in. For Alembic."""
    return "sa.DateTime()" if kind == "type" and isinstance(item, UTCDateTime) else False


#: How long a transaction waits for another's lock before it fails, on either database.
_WAIT_MS = 10_000
_WAIT_FOR_READERS_MS = 1_000
#: The lock that writers share on PostgreSQL: a number of ours, the same in every process.
_WRITERS = 0x6A656A6172696E67


def _is_sqlite(connection: Any) -> bool:
    return type(connection).__module__.startswith("sqlite3")


@event.listens_for(Engine, "connect")
def _prepare_sqlite(connection: Any, _record: Any) -> None:
    if _is_sqlite(connection):
        # The driver's own transactions would break savepoints; we send BEGIN ourselves below.
        connection.isolation_level = None
        for pragma in (
            "foreign_keys = ON",
            "journal_mode = WAL",
            f"busy_timeout = {_WAIT_MS}",
            "synchronous = NORMAL",
            "secure_delete = ON",  # what is deleted is overwritten: a destroyed key above all
        ):
            connection.execute(f"PRAGMA {pragma}")


@contextmanager
def tables_change(engine: Engine) -> Iterator[None]:
    """While a migration runs: SQLite changes a table by making it anew, and then its references dangle."""

    def let_dangle(connection: Any, _record: Any) -> None:
        connection.execute("PRAGMA foreign_keys = OFF")

    if engine.dialect.name != "sqlite":
        yield
        return
    engine.dispose()
    event.listen(engine, "connect", let_dangle)
    try:
        yield
    finally:
        event.remove(engine, "connect", let_dangle)
        engine.dispose()


def refuse_dangling(*, ctx: MigrationContext, **_: Any) -> None:
    """Stops a migration, before it is committed, that would leave a reference to a row that isn't there."""
    connection = ctx.connection
    if connection is not None and connection.dialect.name == "sqlite":
        broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
        if broken:
            raise RuntimeError(f"references without their row in: {sorted({b[0] for b in broken})}")


def forget_deleted(engine: Engine) -> None:
    """Take what was deleted and committed out of SQLite's files too, as far as no reader still needs it.

    Until then the log beside the database, and the database before its next checkpoint, hold the old pages.
    """
    if engine.dialect.name != "sqlite":
        return
    connection = engine.raw_connection()
    try:
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {_WAIT_FOR_READERS_MS}")
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        cursor.execute(f"PRAGMA busy_timeout = {_WAIT_MS}")
    finally:
        connection.close()


@event.listens_for(Engine, "connect")
def _prepare_postgresql(connection: Any, _record: Any) -> None:
    if type(connection).__module__.startswith("psycopg"):
        connection.execute(f"SET lock_timeout = {_WAIT_MS}")
        connection.commit()  # else the pool's rollback takes it back


@event.listens_for(Engine, "begin")
def _begin(connection: Connection) -> None:
    """A transaction that will write waits for the other writers before it reads.

    So "look, then write" holds on both databases: no number is given twice, no place taken twice. SQLite's
    own lock, taken late, would fail instead of wait; on PostgreSQL readers go on undisturbed.
    """
    writes = connection.get_execution_options().get("writes", False)
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
    elif connection.dialect.name == "postgresql" and writes:
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_WRITERS})")


def take_write_lock(session: Session) -> None:
    """Begin the session's transaction as one that will write. It has to come before anything is read."""
    session.connection(execution_options={"writes": True})
