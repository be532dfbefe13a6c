"""Finds listings that may be one, and keeps what curators said of them."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from rapidfuzz import fuzz, process
from sqlalchemy import (
    ColumnElement,
    ScalarSelect,
    Select,
    delete,
    false,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Session, aliased

from referral.directory.duplicates import blocking, normal
from referral.directory.duplicates.blocking import Keys, Numbers
from referral.directory.duplicates.columns import Columns, load
from referral.directory.duplicates.models import DuplicatePair, PairStatus
from referral.directory.duplicates.scoring import Judgement, Reason, Shared, judge
from referral.directory.models import Location, Phone, Service, ServiceAtLocation
from referral.places.codes import regency_of

#: Pairs below this are not shown to a curator: see docs/duplicates.md for how it was chosen.
MINIMUM_SCORE = 0.5
#: A pair found different is asked about again when its score has risen by this much since.
REOPENED_BY = 0.25
#: Names less alike than this (0 to 100) are not looked at further, unless a contact is shared.
_LEAST_ALIKE = 60.0
_BATCH = 5000
#: A point known no better than this has no cell.
_SURVEYED_KM = 1.0
#: Half a cell: how far around a listing its twins are looked for when it alone has changed.
_AROUND_DEGREES = blocking.CELL_DEGREES


@dataclass(frozen=True, slots=True)
class Candidate:
    """Two listings that may be one; `first_id` is the lower."""

    first_id: UUID
    second_id: UUID
    judgement: Judgement


@dataclass
class Found:
    """What a search for duplicates came to."""

    listings: int = 0
    compared: int = 0
    candidates: int = 0
    added: int = 0
    reopened: int = 0
    dropped: int = 0
    decided: int = 0


def candidates(
    columns: Columns,
    *,
    minimum_score: float = MINIMUM_SCORE,
    compared: Callable[[int], None] | None = None,
) -> Iterator[Candidate]:
    """Pairs of these listings that score at least `minimum_score`, in no order.

    compared   is told how many pairs were looked at closely
    """
    keys, joined, names = _keys(columns)
    shared = Shared(columns.shared.phones, columns.shared.emails, columns.shared.hosts, names)
    pairs = _pairs(keys, joined)
    if compared is not None:
        compared(len(pairs))
    for packed in pairs:
        one, other = divmod(int(packed), len(joined))
        judgement = judge(columns.entry(one), columns.entry(other), shared)
        if judgement.score >= minimum_score:
            yield Candidate(columns.ids[one], columns.ids[other], judgement)


def _keys(columns: Columns) -> tuple[dict[str, Keys], list[str], Counter[str]]:
    """Keys of all listings by their kind, their names for a first look, and how many have each name."""
    found = {kind: Keys() for kind in _MOST}
    joined: list[str] = []
    names: Counter[str] = Counter()
    for row, text in enumerate(columns.names):
        name = normal.name(text)
        joined.append(name.joined)
        names[name.whole] += 1
        for kind in ("phones", "emails", "hosts"):
            values = getattr(columns, kind).get(row, ())
            found["contact"].add(row, (blocking.key(kind, value) for value in values))
        sites = columns.sites[row]
        for regency in {regency_of(site[3]) for site in sites}:
            found["word"].add(row, blocking.word_keys(name, regency))
        found["name"].add(row, blocking.name_key(name))
        for lat, lon, km, *_ in sites:
            if lat is not None and lon is not None and km <= _SURVEYED_KM:
                found["cell"].add(row, blocking.cell_keys(name, lat, lon))
    return found, joined, names


_MOST = {
    "contact": blocking.MOST_CONTACT,
    "word": blocking.MOST_WORD,
    "name": blocking.MOST_NAME,
    "cell": blocking.MOST_CELL,
}


def _pairs(keys: dict[str, Keys], names: Sequence[str]) -> Numbers:
    """Pairs worth a close look, packed."""

    def chunks() -> Iterator[tuple[Numbers, Numbers]]:
        for kind, some in keys.items():
            for one, other in blocking.pairs(*some.columns(), _MOST[kind]):
                if kind == "contact":
                    yield one, other
                    continue
                alike = process.cpdist(
                    [names[i] for i in one],
                    [names[i] for i in other],
                    scorer=fuzz.ratio,
                    score_cutoff=_LEAST_ALIKE,
                )
                kept = alike >= _LEAST_ALIKE
                yield one[kept], other[kept]

    return blocking.once(chunks(), len(names))


def look(
    session: Session, *, minimum_score: float = MINIMUM_SCORE
) -> tuple[Found, list[Candidate]]:
    """Compare the whole directory. Reads only, for as long as that takes: `keep` then writes in a moment."""
    columns = load(session)
    found = Found(listings=len(columns.ids))

    def count(pairs: int) -> None:
        found.compared = pairs

    return found, list(candidates(columns, minimum_score=minimum_score, compared=count))


def find_for(
    session: Session, service_id: UUID, *, minimum_score: float = MINIMUM_SCORE, now: datetime
) -> tuple[Found, list[Candidate]]:
    """Look around one listing after it was made or changed, and bring its part of the queue up to date; flushes.

    Gives what was done, and the candidates that wait for a curator, most alike first.
    """
    columns = load(session, only=_around(session, service_id))
    found = Found(listings=len(columns.ids))
    some: list[Candidate] = []
    if service_id in columns.ids:
        row = columns.ids.index(service_id)
        shared = Shared(
            _own_phones(session, columns, service_id),
            columns.shared.emails,
            columns.shared.hosts,
            Counter(normal.name(name).whole for name in columns.names),
        )
        for other in range(len(columns.ids)):
            if other != row:
                one, two = sorted((row, other))
                judgement = judge(columns.entry(one), columns.entry(two), shared)
                found.compared += 1
                if judgement.score >= minimum_score:
                    some.append(Candidate(columns.ids[one], columns.ids[two], judgement))
    return found, keep(session, found, some, of=service_id, now=now)


def _around(session: Session, service_id: UUID) -> Select[UUID]:
    """The listing, and those it may be the same as."""
    sites = (
        select(Location.latitude, Location.longitude, Location.area_code, Location.confidential)
        .join(ServiceAtLocation, ServiceAtLocation.location_id == Location.id)
        .where(ServiceAtLocation.service_id == service_id)
    )
    some = around(
        [(lat, lon, area, secret) for lat, lon, area, secret in session.execute(sites)],
        select(Phone.number).where(Phone.service_id == service_id),
        select(Service.name).where(Service.id == service_id).scalar_subquery(),
    )
    return select(Service.id).where(or_(Service.id == service_id, Service.id.in_(some)))


def around(
    sites: Sequence[tuple[float | None, float | None, str | None, bool]],
    numbers: Select[str] | Sequence[str],
    name: ScalarSelect[str] | str,
) -> Select[UUID]:
    """Listings that one may be the same as: by place, name or number as written.

    sites   latitude, longitude, area code, whether it is confidential
    """
    near: list[ColumnElement[bool]] = []
    for lat, lon, area, secret in sites:
        regency = regency_of(area)
        if regency is not None:
            within = Location.area_code.startswith(f"{regency}.")
            near.append(or_(Location.area_code == regency, within))
        if lat is not None and lon is not None and not secret:
            near.append(
                Location.latitude.between(lat - _AROUND_DEGREES, lat + _AROUND_DEGREES)
                & Location.longitude.between(lon - _AROUND_DEGREES, lon + _AROUND_DEGREES)
            )
    at_place = (
        select(ServiceAtLocation.service_id)
        .join(Location, Location.id == ServiceAtLocation.location_id)
        .where(or_(false(), *near))
    )
    with_number = (
        select(Phone.service_id)
        .where(Phone.number.in_(numbers), Phone.service_id.is_not(None))
        .limit(blocking.MOST_CONTACT)
    )
    twin = aliased(Service)
    with_name = select(twin.id).where(twin.name == name).limit(blocking.MOST_NAME)
    return select(Service.id).where(
        or_(*(Service.id.in_(some) for some in (at_place, with_number, with_name)))
    )


def _own_phones(session: Session, columns: Columns, service_id: UUID) -> Counter[str]:
    printed = select(Phone.number).where(Phone.service_id == service_id)
    return widespread(session, printed, columns.shared.phones)


def widespread(
    session: Session,
    numbers: Select[str] | Sequence[str],
    among: Mapping[str, int],
    *,
    besides_directory: int = 0,
) -> Counter[str]:
    """How many listings of the whole directory have these numbers, as far as they are written alike.

    among               how many of the listings that are compared do
    besides_directory   how many have them that are not in the directory yet
    """
    everywhere = session.scalars(
        select(Phone.number).where(Phone.number.in_(numbers), Phone.service_id.is_not(None))
    )
    counted = Counter(normal.phone(number) for number in everywhere)
    return Counter({n: max(c + besides_directory, among.get(n, 1)) for n, c in counted.items()})


_NEW: tuple[UUID | None, PairStatus | None, float] = (None, None, 0.0)


def keep(
    session: Session,
    found: Found,
    some: Sequence[Candidate],
    *,
    of: UUID | None = None,
    now: datetime,
) -> list[Candidate]:
    """Write the queue: what was decided stays; what nobody decided and no longer scores goes. Flushes.

    of   the one listing that was looked at; None: all were
    """
    query = select(
        DuplicatePair.id,
        DuplicatePair.first_id,
        DuplicatePair.second_id,
        DuplicatePair.status,
        DuplicatePair.score,
    )
    if of is not None:
        query = query.where(or_(DuplicatePair.first_id == of, DuplicatePair.second_id == of))
    known = {
        (first, second): (id_, status, score)
        for id_, first, second, status, score in session.execute(query)
    }
    said = _said_of_merged(session)
    waiting: list[Candidate] = []
    fresh: list[dict[str, Any]] = []
    changed: list[dict[str, Any]] = []
    for one in some:
        pair = one.first_id, one.second_id
        id_, status, score = known.pop(pair, _NEW)
        if status is None and pair in said:
            status, score = PairStatus.DIFFERENT, said[pair]
        if status is PairStatus.DIFFERENT:
            if one.judgement.score < score + REOPENED_BY:
                found.decided += 1
                continue
            found.reopened += 1
        waiting.append(one)
        values = {
            "score": one.judgement.score,
            "reasons": as_json(one.judgement.reasons),
            "status": PairStatus.OPEN,
        }
        if id_ is None:
            fresh.append({"first_id": pair[0], "second_id": pair[1], "found_at": now} | values)
        else:
            decided = {"decided_by_id": None, "decided_at": None}
            changed.append({"id": id_} | values | decided)
    gone = [id_ for id_, status, _ in known.values() if status is PairStatus.OPEN]
    for start in range(0, len(gone), _BATCH):
        some_ids = gone[start : start + _BATCH]
        session.execute(delete(DuplicatePair).where(DuplicatePair.id.in_(some_ids)))
    if fresh:
        session.execute(insert(DuplicatePair), fresh)
    if changed:
        session.execute(update(DuplicatePair), changed)
    session.flush()
    found.candidates, found.added, found.dropped = len(some), len(fresh), len(gone)
    return sorted(waiting, key=lambda one: (-one.judgement.score, one.first_id, one.second_id))


def _said_of_merged(session: Session) -> dict[tuple[UUID, UUID], float]:
    """Pairs that were found different before one of the two was merged: the same holds for what it is now."""
    merged = session.execute(
        select(Service.id, Service.merged_into_id).where(Service.merged_into_id.is_not(None))
    )
    now_in = {gone: kept for gone, kept in merged if kept is not None}
    if not now_in:
        return {}
    query = select(DuplicatePair.first_id, DuplicatePair.second_id, DuplicatePair.score).where(
        DuplicatePair.status == PairStatus.DIFFERENT
    )
    said: dict[tuple[UUID, UUID], float] = {}
    for one, other, score in session.execute(query):
        first, second = sorted((now_in.get(one, one), now_in.get(other, other)))
        if (first, second) != (one, other) and first != second:
            said[first, second] = max(score, said.get((first, second), 0.0))
    return said


def as_json(reasons: Sequence[Reason]) -> list[dict[str, Any]]:
    """The reasons as a pair keeps them."""
    return [{"points": round(one.points, 2)} | one.message.as_json() for one in reasons]
