"""What a merge would do, for a curator to look at before it is done."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from referral.core.text import Message, named
from referral.directory import hours, words
from referral.directory.duplicates import sites
from referral.directory.duplicates.merging import listings, proposed
from referral.directory.duplicates.references import CHOSEN, FIELDS, REFERENCES, How
from referral.directory.duplicates.rows import Row, table
from referral.directory.models import Organization, Service
from referral.directory.upkeep.listings import is_confidential
from referral.places.gazetteer import Gazetteer

#: Values that are codes, and the family of their words.
_CODED = {
    "status": "directory.status",
    "remote": "directory.remote",
    "answer_mode": "directory.answer_mode",
    "contact_mode": "directory.contact_mode",
}
Shown = str | date | Message | Sequence[Any] | None


@dataclass(frozen=True)
class Line:
    """One field of both listings: what each says, whose a merge proposes to keep, and whether they differ."""

    name: str
    kept: Shown
    gone: Shown
    proposed: str

    @property
    def differs(self) -> bool:
        return self.kept != self.gone

    @property
    def is_choice(self) -> bool:
        """Whether both say something, so that one of the two is lost to readers."""
        return self.differs and bool(self.kept) and bool(self.gone)


@dataclass(frozen=True)
class SiteLine:
    """One site of the listing that goes: which site of the kept one is the same place, and how far away each is."""

    site_id: UUID
    same_as: UUID | None
    others: Sequence[tuple[UUID, float | None]]


@dataclass(frozen=True)
class Preview:
    kept: Service
    gone: Service
    lines: Sequence[Line]
    sites: Sequence[SiteLine]
    #: kind of row → how many move
    moves: Sequence[tuple[str, int]]


def preview(
    session: Session, kept_id: UUID, gone_id: UUID, places: Gazetteer, lang: str
) -> Preview:
    """What merging the second listing into the first would do. Raises what a merge raises."""
    kept, gone = listings(session, kept_id, gone_id)
    sides = proposed(session, kept, gone)
    lines = [
        Line(name, _field(session, kept, name), _field(session, gone, name), sides[name])
        for name in FIELDS
    ]
    lines += [
        Line(name, _rows(kept, name, places, lang), _rows(gone, name, places, lang), sides[name])
        for name in CHOSEN
    ]
    same = sites.matched(session, kept_id, gone_id)
    ours = sites.of(session, kept_id)
    return Preview(
        kept=kept,
        gone=gone,
        lines=[line for line in lines if line.kept or line.gone],
        sites=[
            SiteLine(row["id"], same[row["id"]], [(one["id"], _km(one, row)) for one in ours])
            for row in sites.of(session, gone_id)
        ],
        moves=_moves(session, gone_id),
    )


def _km(one: Row, other: Row) -> float | None:
    if one["confidential"] or other["confidential"]:
        return None
    return sites.distance_km(one, other)


def _field(session: Session, service: Service, name: str) -> Shown:
    values = [getattr(service, column) for column in FIELDS[name]]
    if name == "organization":
        return session.get_one(Organization, service.organization_id).name
    if name in _CODED:
        return values[0] and Message(f"{_CODED[name]}.{values[0].value}")
    if name == "ages":
        low, high = values
        if low is None and high is None:
            return None
        return [value for value in (low, high) if value is not None]
    if name == "assured":
        return service.assured_date
    if name == "read_in":
        if is_confidential(service):
            return service.source  # a page read about it may say where it is
        return service.source_title or service.source_url
    return next((value for value in values if value), None)


def _rows(service: Service, name: str, places: Gazetteer, lang: str) -> Shown:
    match name:
        case "schedule":
            return [f"{days}: {span}" for days, span in hours.in_words(service.schedules, lang)]
        case "service_area":
            return words.areas(service, places, lang)
        case "cost_option":
            return [
                option.amount_description or _fee(option.option) for option in service.cost_options
            ]
        case "service_capacity":
            return [
                Message(f"directory.capacity.{one.status.value}")
                for one in service.capacities[-1:]
                if one.status is not None
            ]
        case "entry_step":
            return [step.office for step in service.entry_steps]
        case _:
            return words.eligibility(service, places, lang)


def _fee(option: str | None) -> Message | str:
    return named(f"directory.fee.{option}", option or "–")


def _moves(session: Session, gone_id: UUID) -> list[tuple[str, int]]:
    """How many rows of each kind the listing that goes has for the kept one."""
    found = []
    for reference in REFERENCES:
        if reference.to != "service" or reference.how not in (How.MOVES, How.ADDED, How.SITES):
            continue
        source = table(reference.table)
        query = select(func.count()).where(source.c[reference.column] == gone_id)
        for column, values in reference.only.items():
            some = source.c[column].in_(values) if values else source.c[column].is_(None)
            query = query.where(some)
        if count := session.scalar(query):
            found.append((reference.table, count))
    return found
