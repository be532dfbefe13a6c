"""Columns that only the holder of a person's key can read.

A row that mixes in `Sealing` belongs to one `DataKey` (a client's or an office's). Each `Sealed()` attribute
lives in the column `<name>_sealed`; it is sealed when the session flushes and opened when it is read. The
session carries the key ring in `session.info["keyring"]`. Destroying the data key makes every value of that
person, in every table and every backup, unreadable.
"""

import json
from datetime import datetime
from typing import Any, Generic, TypeVar, overload
from uuid import UUID

from sqlalchemy import ForeignKey, event
from sqlalchemy.orm import (
    Mapped,
    Session,
    declared_attr,
    mapped_column,
    object_session,
    relationship,
)

from referral.core.crypto import KeyRing, new_key, open_sealed, seal
from referral.core.db import Identified

Value = TypeVar("Value")
_PENDING = b"pending"  # never a valid sealed value: it marks the column as changed until the flush


class DataKey(Identified):
    """The key of one person's (or one office's) data, wrapped by a master key."""

    __tablename__ = "data_key"

    master_id: Mapped[str]
    #: None once destroyed: nothing sealed with it can be read again.
    wrapped: Mapped[bytes | None]
    destroyed_at: Mapped[datetime | None]

    # The key once unwrapped: in memory only.
    __allow_unmapped__ = True
    _opened: bytes | None = None

    @classmethod
    def new(cls, session: Session) -> "DataKey":
        """A fresh key, added to the session."""
        key = cls()
        key._opened = new_key()
        key.master_id, key.wrapped = _keyring(session).wrap(key._opened, place=key._place)
        session.add(key)
        return key

    def destroy(self, *, now: datetime) -> None:
        """Forget the key for good."""
        self.wrapped, self.destroyed_at, self._opened = None, now, None

    @property
    def _place(self) -> str:
        return f"data_key.wrapped.{self.id}"

    def secret(self, session: Session) -> bytes | None:
        if self.wrapped is None:
            return None
        if self._opened is None:
            self._opened = _keyring(session).unwrap(self.master_id, self.wrapped, place=self._place)
        return self._opened


def _keyring(session: Session) -> KeyRing:
    keyring: KeyRing = session.info["keyring"]
    return keyring


class Sealing:
    """Mixin of tables that hold personal values."""

    id: Mapped[UUID]

    @declared_attr
    def key_id(cls) -> Mapped[UUID]:
        return mapped_column(ForeignKey("data_key.id"), index=True)

    @declared_attr
    def key(cls) -> Mapped[DataKey]:
        return relationship(DataKey, lazy="joined", innerjoin=True)


class Sealed(Generic[Value]):
    """A personal value (text, number, list, dict). None when empty and once the key is destroyed.

    Declare the column beside it: `name = Sealed[str]()` with `name_sealed: Mapped[bytes | None]`.
    """

    def __set_name__(self, owner: type, name: str) -> None:
        self.name, self.column = name, f"{name}_sealed"

    @overload
    def __get__(self, row: None, owner: type) -> "Sealed[Value]": ...
    @overload
    def __get__(self, row: Any, owner: type) -> Value | None: ...
    def __get__(self, row: Any, owner: type) -> "Sealed[Value] | Value | None":
        if row is None:
            return self
        pending = row.__dict__.get("_pending_plain", {})
        if self.name in pending:
            value: Value | None = pending[self.name]
            return value
        sealed = getattr(row, self.column)
        if sealed is None:
            return None
        session = object_session(row)
        if session is None:
            raise RuntimeError(f"{type(row).__name__}.{self.name} is read outside a session")
        secret = row.key.secret(session)
        return (
            None
            if secret is None
            else json.loads(open_sealed(sealed, secret, place=_place(row, self.column)))
        )

    def __set__(self, row: Any, value: Value | None) -> None:
        if value is None or value in ("", [], {}):
            row.__dict__.setdefault("_pending_plain", {}).pop(self.name, None)
            setattr(row, self.column, None)
            return
        row.__dict__.setdefault("_pending_plain", {})[self.name] = value
        setattr(row, self.column, _PENDING)


def _place(row: Any, column: str) -> str:
    return f"{row.__tablename__}.{column}.{row.id}"


@event.listens_for(Session, "before_flush")
def _seal_pending(session: Session, _context: Any, _instances: Any) -> None:
    for row in [*session.new, *session.dirty]:
        pending = row.__dict__.get("_pending_plain")
        if not pending:
            continue
        key = row.key or session.get_one(DataKey, row.key_id)
        secret = key.secret(session)
        if secret is None:
            raise RuntimeError(f"{type(row).__name__}: the key is destroyed, nothing can be added")
        for name, value in pending.items():
            column = f"{name}_sealed"
            plain = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
            setattr(row, column, seal(plain, secret, place=_place(row, column)))
        pending.clear()
