"""One page of a long list."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

Row = TypeVar("Row")


@dataclass(frozen=True)
class Page(Generic[Row]):
    """`items` of page `number` (from 1); `total` counts the whole list."""

    items: Sequence[Row]
    number: int
    size: int
    total: int

    @property
    def last(self) -> int:
        return max(1, -(-self.total // self.size))


def page_number(asked: int, total: int, size: int) -> int:
    """The page that is shown: the one that was asked for, the first before it and the last past the end."""
    return min(max(asked, 1), max(1, -(-total // size)))


def page_of(session: Session, query: Select[Any], *, number: int, size: int = 25) -> Page[Any]:
    """Page `number` of `query`; a number past the end gives the last page. The query must end its order in a unique column."""
    total = session.scalar(select(func.count()).select_from(query.order_by(None).subquery())) or 0
    number = page_number(number, total, size)
    rows = session.scalars(query.limit(size).offset((number - 1) * size)).unique().all()
    return Page(rows, number, size, total)
