"""Rehearsing a change of a listing's rules: who of the last year would have been gained and lost. Writes nothing."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from referral.changes.actors import Actor
from referral.core.country import COUNTRY
from referral.directory.upkeep import listings, writing
from referral.directory.upkeep.recording import Recorder
from referral.matching import candidates
from referral.matching.facts import Offer
from referral.places.gazetteer import Gazetteer
from referral.places.queries import gazetteer as places_of
from referral.planning.gaps import figures
from referral.planning.gaps.cuts import Key
from referral.planning.gaps.figures import Told
from referral.planning.gaps.models import Audience, Measure
from referral.planning.rehearsal.freezing import QUARTERS
from referral.planning.rehearsal.models import AskerGroup
from referral.planning.rehearsal.trying import Asked, Tried, tried

#: Fields of a listing whose change decides who is served.
RULES = (
    *("eligibility", "service_areas", "documents", "categories", "status"),
    *("hours", "hours_until", "capacity"),
)
_HOURS, _ROOM = frozenset({"hours", "hours_until"}), frozenset({"capacity"})


@dataclass(frozen=True)
class GapCell:
    """A gap that the change would make smaller, or larger, and what is published of it."""

    area: str
    category: str
    people: int
    is_gained: bool
    told: Told | None


@dataclass(frozen=True)
class Rehearsal:
    """What a change would have meant.

    quarters  whose people were looked at, newest first
    least     the smallest group of people that is told
    """

    tried: Tried
    cells: Sequence[GapCell]
    quarters: Sequence[str]
    least: int


@dataclass(frozen=True)
class Change:
    """A listing as matching reads it, as it is and as it would be with these values."""

    values: Mapping[str, Any]
    before: Sequence[Offer]
    after: Sequence[Offer]


def written(
    session: Session, service_id: UUID, values: Mapping[str, Any], *, by: Actor, now: datetime
) -> Change:
    """What matching would make of values of a listing, as upkeep.editing has them.

    Writes them to see it: the caller rolls the session back, always, and at once, since nobody else can write
    meanwhile.
    """
    places = places_of(session)
    service = listings.get(session, service_id)
    before = candidates.offers_by(session, [service_id], places)
    book = Recorder(session, service, places, by=by, now=now, as_of=now)
    writing.write(book, values)
    book.finish()
    session.flush()
    session.expire_all()
    return Change(values, before, candidates.offers_by(session, [service_id], places))


def rehearse(
    session: Session,
    change: Change,
    *,
    now: datetime,
    audience: Audience = Audience.PLANNERS,
) -> Rehearsal:
    """Try a change on the groups of the last four quarters; only reads.

    audience   whose published figures stand beside the gaps that would change
    """
    places, values, before = places_of(session), change.values, change.before
    groups, quarters, least = _groups(session, _categories(before, values))
    result = tried(
        groups,
        before,
        change.after,
        point_of=lambda code: _point_of(places, code),
        now=now.astimezone(_zone_of(places, before)),
        hours=bool(_HOURS & values.keys()),
        room=bool(_ROOM & values.keys()),
    )
    return Rehearsal(result, _cells(session, result, audience), quarters, least)


def _categories(before: Iterable[Offer], values: Mapping[str, Any]) -> set[str]:
    """Every kind of help that the listing gives or would give."""
    now = {code for offer in before for code in offer.categories}
    return now | {code.removeprefix("?") for code in values.get("categories", ())}


def _groups(session: Session, categories: set[str]) -> tuple[list[Asked], Sequence[str], int]:
    newest = (
        select(AskerGroup.quarter)
        .group_by(AskerGroup.quarter)
        .order_by(AskerGroup.quarter.desc())
        .limit(QUARTERS)
    )
    quarters = session.scalars(newest).all()
    rows = session.scalars(
        select(AskerGroup).where(
            AskerGroup.quarter.in_(quarters), AskerGroup.category.in_(categories)
        )
    )
    groups = [Asked(row.people, row.category, row.facts) for row in rows]
    return groups, quarters, min((group.people for group in groups), default=0)


def _point_of(places: Gazetteer, code: str) -> tuple[float, float] | None:
    located = places.locate(code) if code in places else None
    return (located.latitude, located.longitude) if located else None


def _zone_of(places: Gazetteer, offers: Iterable[Offer]) -> ZoneInfo:
    """Where the listing's hours are told."""
    zones = (
        places.time_zone(one.area_code)
        for one in offers
        if one.area_code and one.area_code in places
    )
    return ZoneInfo(next((zone for zone in zones if zone), COUNTRY.time_zone))


def _cells(session: Session, result: Tried, audience: Audience) -> list[GapCell]:
    """The gaps that would change, the largest change first."""
    release = figures.latest(session, audience)
    read = figures.read(session, release, Measure.UNMET) if release else None
    cells = [
        GapCell(
            area,
            category,
            people,
            is_gained,
            read.told(Key(area=area, category=category)) if read else None,
        )
        for moved, is_gained in ((result.gained, True), (result.lost, False))
        for (area, category), people in moved.items()
    ]
    return sorted(cells, key=lambda cell: (-cell.people, cell.area, cell.category))
