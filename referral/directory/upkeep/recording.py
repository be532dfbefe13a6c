"""Changing rows of one listing so that each change is written down by HSDS's own field name."""

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import inspect, select
from sqlalchemy.orm import Session

from referral.changes import directory as changes
from referral.changes.actors import Actor
from referral.core.db import Identified
from referral.directory.models import Service
from referral.places.gazetteer import Gazetteer

#: table → what the rows of one parent are called together in HSDS, and in ours
LISTS = {
    "address": "addresses",
    "cost_option": "cost_options",
    "eligibility_rule": "eligibility_rules",
    "entry_step": "entry_steps",
    "language": "languages",
    "phone": "phones",
    "required_document": "required_documents",
    "schedule": "schedules",
    "service_area": "service_areas",
    "service_capacity": "capacities",
    "service_category": "categories",
}
_PARENTS = {
    "service_at_location_id": "service_at_location",
    "service_id": "service",
    "location_id": "location",
}


class Recorder:
    """Changes, makes and deletes rows of a listing; `finish` records and announces all of it.

    by     whose word it is
    as_of  when what is said about room was said
    """

    def __init__(
        self,
        session: Session,
        service: Service,
        gazetteer: Gazetteer,
        *,
        by: Actor,
        now: datetime,
        as_of: datetime,
    ):
        self.session, self.service, self.gazetteer = session, service, gazetteer
        self.by, self.now, self.as_of = by, now, as_of
        #: rows of which only that they changed may be written down, never what they say
        self.secret: set[UUID] = set()
        #: other listings that a change shows in too
        self.also: set[UUID] = set()
        self._records: list[tuple[str, UUID, str, str, Any, Any]] = []
        self._made: set[UUID] = set()
        #: the class of rows that were deleted, the column that says whose they were, and whose
        self._deleted: dict[tuple[type[Identified], str, UUID], list[str]] = {}

    def set(self, row: Identified, column: str, value: Any) -> None:
        old = getattr(row, column)
        if old == value:
            return
        if row.id not in self._made:
            shown = ("", "") if row.id in self.secret else (_text(old), _text(value))
            self._records.append((row.__tablename__, row.id, "update", column, *shown))
        setattr(row, column, value)

    def fill(self, row: Identified, columns: Mapping[str, Any]) -> None:
        for column, value in columns.items():
            self.set(row, column, value)

    def add(self, row: Identified) -> None:
        self.session.add(row)
        self._made.add(row.id)
        self._records.append((row.__tablename__, row.id, "create", "id", None, str(row.id)))

    def made(self, *rows: Identified) -> None:
        """Write down rows that were made before the recorder was."""
        for row in rows:
            self.add(row)

    def delete(self, row: Identified) -> None:
        self._records.append((row.__tablename__, row.id, "delete", "id", str(row.id), None))
        for column in _PARENTS:
            parent = getattr(row, column, None)
            if parent is not None and row.__tablename__ in LISTS:
                self._deleted.setdefault((type(row), column, parent), []).append(str(row.id))
                break
        if inspect(row).persistent:
            self.session.delete(row)
        else:
            self.session.expunge(row)

    def replace(
        self,
        rows: Iterable[Any],
        wanted: Iterable[Any],
        *,
        value_of: Callable[[Any], Any],
        columns: Callable[[Any], dict[str, Any]],
        make: Callable[..., Identified],
    ) -> None:
        """Rows for exactly the wanted values: those that fit stay, others are changed, made or deleted."""
        left = list(wanted)
        others = []
        for row in rows:
            value = value_of(row)
            if value in left:
                left.remove(value)
            else:
                others.append(row)
        for row, value in zip(others, left, strict=False):
            self.fill(row, columns(value))
        for value in left[len(others) :]:
            self.add(make(**columns(value)))
        for row in others[len(left) :]:
            self.delete(row)

    def finish(self) -> None:
        """Write down what changed, count the listing's version up and tell the change feed once for each listing."""
        self.service.last_modified = self.now
        self.session.flush()
        self.session.expire_all()
        self._note_emptied()
        changes.record_many(self.session, self._records, by=self.by, now=self.now)
        for service_id in sorted({self.service.id} | self.also):
            changes.announce(self.session, service_id, now=self.now)
        self.session.flush()

    def _note_emptied(self) -> None:
        """Write down at the parent that a list was emptied: no row of it is left to tell that people did so."""
        for (model, column, parent), ids in self._deleted.items():
            query = select(model.id).filter_by(**{column: parent}).limit(1)
            if self.session.scalars(query).first() is None:
                name = LISTS[model.__tablename__]
                change = ("update", name, json.dumps(ids), "[]")
                self._records.append((_PARENTS[column], parent, *change))


def _text(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, (list, dict)) else value
