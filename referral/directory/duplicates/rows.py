"""Rows of any table, read and changed by name, with every change kept so that it can be taken back."""

from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Table, and_, delete, insert, select, update
from sqlalchemy.orm import Session

from referral.core.db import Base
from referral.directory.models import Attribute, Organization, Published

Row = dict[str, Any]
#: column → [value before, value after]; of a row that was made: `+` → [None, None]
Change = dict[str, list[Any]]
MADE = "+"
_BETWEEN = "|"


def table(name: str) -> Table:
    return Base.metadata.tables[name]


def is_listing_data(name: str) -> bool:
    """Whether changes of this table belong in the directory's change record."""
    return name in _LISTING_DATA


_LISTING_DATA = frozenset(
    mapper.local_table.name  # type: ignore[attr-defined]  # a table, as all of ours
    for mapper in Organization.registry.mappers
    if issubclass(mapper.class_, Published) or mapper.class_.__module__ == Attribute.__module__
)


def find(session: Session, name: str, *where: ColumnElement[bool]) -> list[Row]:
    """Rows of a table, in the order of their keys."""
    source = table(name)
    query = select(source).where(*where).order_by(*source.primary_key.columns)
    return [dict(row) for row in session.execute(query).mappings()]


def key_of(name: str, row: Mapping[str, Any]) -> str:
    """What names a row in what is kept."""
    return _BETWEEN.join(str(plain(row[c.name])) for c in table(name).primary_key.columns)


def at(name: str, key: str) -> ColumnElement[bool]:
    """The row of that key."""
    columns = list(table(name).primary_key.columns)
    parts = key.split(_BETWEEN)
    return and_(*(c == revived(name, c.name, part) for c, part in zip(columns, parts, strict=True)))


def plain(value: Any) -> Any:
    """A column's value as JSON."""
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    return value.value if isinstance(value, StrEnum) else value


def revived(name: str, column: str, value: Any) -> Any:
    """A value of JSON as its column takes it."""
    if not isinstance(value, str):
        return value
    kind = table(name).c[column].type.python_type
    if kind is UUID:
        return UUID(value)
    if kind in (datetime, date):
        return kind.fromisoformat(value)
    return kind(value) if issubclass(kind, StrEnum) else value


class Journal:
    """Changes rows and remembers how: table → row → column → values."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.changed: dict[str, dict[str, Change]] = {}

    def set(self, name: str, row: Mapping[str, Any], /, **values: Any) -> None:
        """Change columns of a row; what is already so is no change."""
        fresh = {column: value for column, value in values.items() if row[column] != value}
        if not fresh:
            return
        key = key_of(name, row)
        change = self.changed.setdefault(name, {}).setdefault(key, {})
        for column, value in fresh.items():
            before = change[column][0] if column in change else plain(row[column])
            change[column] = [before, plain(value)]
        self.session.execute(update(table(name)).where(at(name, key)).values(**fresh))

    def make(self, name: str, /, **values: Any) -> None:
        """A new row, which is taken away again with the rest."""
        self.session.execute(insert(table(name)).values(**values))
        key = key_of(name, values)
        self.changed.setdefault(name, {})[key] = {MADE: [None, None]}

    def counts(self) -> dict[str, int]:
        """Rows changed, by table."""
        return {name: len(rows) for name, rows in self.changed.items()}


def records(
    changed: Mapping[str, Mapping[str, Change]], *, back: bool = False
) -> list[tuple[str, UUID, str, str, Any, Any]]:
    """What the change record says of these changes."""
    return [
        (name, UUID(key), "update", column, *(reversed(values) if back else values))
        for name, rows in changed.items()
        if is_listing_data(name)
        for key, change in rows.items()
        for column, values in change.items()
    ]


def remove(session: Session, name: str, key: str) -> None:
    session.execute(delete(table(name)).where(at(name, key)))


def write(session: Session, name: str, key: str, values: Mapping[str, Any]) -> None:
    session.execute(update(table(name)).where(at(name, key)).values(**values))
