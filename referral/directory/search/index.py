"""The catalogue of this process: read from the directory at first use, then kept true by the change feed.

Every question first looks at the feed's last entry. Services that changed are read again one by one. Where
everything may have changed (an import), a small directory is read anew at once; a large one in a thread,
and questions are answered from what is known until it is done. What is shown is always read from the
database, so that a listing that was closed or hidden meanwhile is not shown by a catalogue that is behind.
"""

import logging
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from functools import cache, lru_cache
from threading import Lock, Thread
from time import monotonic
from typing import Any
from uuid import UUID
from weakref import WeakKeyDictionary

from sqlalchemy import Engine, Row, Select, func, select
from sqlalchemy.orm import Session

from referral.changes.models import DirectoryChange
from referral.directory.kinds import CategoryBasis
from referral.directory.models import (
    Address,
    CostOption,
    Location,
    Organization,
    Schedule,
    Service,
    ServiceArea,
    ServiceAtLocation,
    ServiceCategory,
)
from referral.directory.opening import OpeningRow
from referral.directory.queries import is_offered
from referral.directory.reference import FOLDER
from referral.directory.search.catalogue import Catalogue
from referral.directory.search.columns import Document, Site
from referral.directory.search.words import NameForms
from referral.places.codes import no_finer_than_regency
from referral.places.models import Place, PlaceAlias
from referral.taxonomy.words import stem

#: A directory of at most this many services is read anew while its question waits.
SMALL = 5_000
#: More changed services than this, or than a tenth of all, are cheaper read anew than one by one.
MOST_CHANGES = 2_000
#: A long import announces many batches: the catalogue is not read anew more often than this.
SECONDS_BETWEEN = 10.0
#: On a database with several writers a change may appear after one with a higher number.
LATE_SECONDS, LATE_NUMBERS = 600.0, 200
_WINDOW = 4_000
_OPENING = tuple(OpeningRow.__dataclass_fields__)
_log = logging.getLogger(__name__)

_Row = Row[*tuple[Any, ...]]
#: The same row for the same columns: of a hundred thousand listings most keep the same hours.
_opening_row = lru_cache(maxsize=50_000)(OpeningRow)
Head = tuple[int, datetime | None, UUID | None]
_NOTHING: Head = (0, None, None)


@cache
def name_forms() -> NameForms:
    """Short and full forms of words in names, as directory_data lists them."""
    return NameForms.from_csv(FOLDER / "name_words.csv")


class _Kept:
    """One database's catalogue and how far it has followed the feed."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.catalogue: Catalogue | None = None
        self.head = _NOTHING
        self.late: dict[int, float] = {}
        self.is_reading = False
        self.read_at = 0.0
        self.seconds = 0.0


_all: WeakKeyDictionary[Engine, _Kept] = WeakKeyDictionary()
_all_lock = Lock()


def forget(engine: Engine) -> None:
    """Drop what is known of a database; the next question reads it anew."""
    with _all_lock:
        _all.pop(engine, None)


def follow(session: Session) -> tuple[Catalogue, Lock]:
    """The catalogue as the session sees the directory, and the lock to hold while asking it."""
    engine = session.connection().engine
    with _all_lock:
        kept = _all.setdefault(engine, _Kept())
    head = _head(session)
    with kept.lock:
        if kept.catalogue is None:
            catalogue = _take(kept, head, *_read_all(session, head))
        elif head != kept.head or kept.late:
            catalogue = _caught_up(kept, kept.catalogue, session, engine, head)
        else:
            catalogue = kept.catalogue
        return catalogue, kept.lock


def _caught_up(
    kept: _Kept, catalogue: Catalogue, session: Session, engine: Engine, head: Head
) -> Catalogue:
    _forget_late(kept)
    query = (
        select(DirectoryChange.seq, DirectoryChange.at, DirectoryChange.service_id)
        .where((DirectoryChange.seq >= kept.head[0]) | DirectoryChange.seq.in_(list(kept.late)))
        .order_by(DirectoryChange.seq)
        .limit(MOST_CHANGES + LATE_NUMBERS)
    )
    rows: list[Head] = [(row[0], row[1], row[2]) for row in session.execute(query)]
    # The entry we stand on is gone or another: the database was put back to an earlier state.
    is_rewound = kept.head != _NOTHING and kept.head not in rows
    changes = [row for row in rows if row != kept.head]
    changed = {service_id for _, _, service_id in changes}
    most = min(MOST_CHANGES, max(SMALL, len(catalogue)) // 10)
    worn = catalogue.changed + len(changed) > max(SMALL, len(catalogue)) // 4
    if is_rewound or None in changed or len(changed) > most or worn:
        return _read_anew(kept, catalogue, session, engine, head)
    ids = {service_id for service_id in changed if service_id is not None}
    found = {document.id: document for document in documents(session, ids)}
    for service_id in ids:
        if service_id in found:
            catalogue.put(found[service_id])
        else:
            catalogue.take_out(service_id)
    seen = {seq for seq, _, _ in rows}
    now = monotonic()
    for seq in range(max(kept.head[0] + 1, head[0] - LATE_NUMBERS), head[0]):
        if seq not in seen:
            kept.late.setdefault(seq, now)
    for seq in seen:
        kept.late.pop(seq, None)
    kept.head = head
    return catalogue


def _read_anew(
    kept: _Kept, catalogue: Catalogue, session: Session, engine: Engine, head: Head
) -> Catalogue:
    count = session.scalar(select(func.count()).select_from(Service)) or 0
    if max(count, len(catalogue)) <= SMALL:
        return _take(kept, head, *_read_all(session, head))
    wait = max(SECONDS_BETWEEN, 3 * kept.seconds)
    if not kept.is_reading and monotonic() - kept.read_at > wait:
        kept.is_reading = True
        Thread(target=_read_aside, args=(kept, engine), daemon=True, name="search-index").start()
    return catalogue


def _read_aside(kept: _Kept, engine: Engine) -> None:
    started = monotonic()
    try:
        with Session(engine) as session:
            head = _head(session)
            catalogue, late = _read_all(session, head)
        with kept.lock:
            _take(kept, head, catalogue, late)
    except Exception:
        _log.exception("The search catalogue could not be read anew; the old one stays in use.")
    finally:
        with kept.lock:
            kept.is_reading, kept.read_at = False, monotonic()
            kept.seconds = kept.read_at - started


def _take(kept: _Kept, head: Head, catalogue: Catalogue, late: dict[int, float]) -> Catalogue:
    kept.catalogue, kept.head, kept.late = catalogue, head, late
    return catalogue


def _forget_late(kept: _Kept) -> None:
    limit = monotonic() - LATE_SECONDS
    kept.late = {seq: since for seq, since in kept.late.items() if since > limit}


def _head(session: Session) -> Head:
    query = select(DirectoryChange.seq, DirectoryChange.at, DirectoryChange.service_id)
    row = session.execute(query.order_by(DirectoryChange.seq.desc()).limit(1)).first()
    return (row[0], row[1], row[2]) if row else _NOTHING


def _read_all(session: Session, head: Head) -> tuple[Catalogue, dict[int, float]]:
    first = max(1, head[0] - LATE_NUMBERS)
    seen = set(
        session.scalars(
            select(DirectoryChange.seq).where(DirectoryChange.seq.between(first, head[0]))
        )
    )
    late = {seq: monotonic() for seq in range(first, head[0]) if seq not in seen} if seen else {}
    names = area_names(session)
    catalogue = Catalogue(name_forms(), stem, lambda code: names_around(names, code))
    for document in documents(session):
        catalogue.add(document)
    catalogue.settle()
    return catalogue, late


# Reading -----------------------------------------------------------------------------------------


def area_names(session: Session) -> dict[str, tuple[str, ...]]:
    """Names of areas by code, other names they go by with them."""
    found: dict[str, tuple[str, ...]] = {
        code: (name,) for code, name in session.execute(select(Place.code, Place.name))
    }
    for alias, code in session.execute(
        select(PlaceAlias.alias, PlaceAlias.code).where(PlaceAlias.kind == "name")
    ):
        found[code] = (*found.get(code, ()), alias)
    return found


def names_around(names: dict[str, tuple[str, ...]], code: str) -> tuple[str, ...]:
    """Names of an area and of all that it lies in."""
    parts = code.split(".")
    codes = (".".join(parts[:count]) for count in range(len(parts), 0, -1))
    return tuple(name for one in codes for name in names.get(one, ()))


def documents(session: Session, ids: Iterable[UUID] | None = None) -> Iterator[Document]:
    """Listings that public lists may name, of `ids` or all, as the search reads them.

    Of a confidential place neither point nor address is read, and its area no finer than its regency.
    """
    services = (
        select(
            Service.id,
            Service.name,
            Service.alternate_name,
            Service.description,
            Service.remote,
            Service.minimum_age,
            Service.maximum_age,
            Organization.name,
            Organization.alternate_name,
        )
        .join(Service.organization)
        .where(is_offered())
        .order_by(Service.id)
    )
    if ids is not None:
        wanted = sorted(ids)
        for start in range(0, len(wanted), 500):
            some = wanted[start : start + 500]
            rows = session.execute(services.where(Service.id.in_(some))).all()
            yield from _documents(session, rows)
        return
    last: UUID | None = None
    while True:
        window = services if last is None else services.where(Service.id > last)
        rows = session.execute(window.limit(_WINDOW)).all()
        if not rows:
            return
        yield from _documents(session, rows, is_run=True)
        last = rows[-1][0]


def _documents(
    session: Session, services: Sequence[_Row], *, is_run: bool = False
) -> Iterator[Document]:
    """`is_run`: the services are all there are between the first and the last."""
    ids = [row[0] for row in services]
    if not ids:
        return
    first, last = ids[0], ids[-1]

    def beside(query: Select[*tuple[Any, ...]], service_id: Any) -> dict[UUID, list[_Row]]:
        found: dict[UUID, list[_Row]] = {}
        these = service_id.between(first, last) if is_run else service_id.in_(ids)
        for row in session.execute(query.where(these)):
            found.setdefault(row[0], []).append(row)
        return found

    sites = beside(
        select(
            ServiceAtLocation.service_id,
            ServiceAtLocation.id,
            Location.latitude,
            Location.longitude,
            Location.precision_km,
            Location.area_code,
            Location.confidential,
            Address.address_1,
            Address.city,
        )
        .outerjoin(Location, Location.id == ServiceAtLocation.location_id)
        .outerjoin(Address, (Address.location_id == Location.id) & Location.confidential.is_(False))
        .order_by(ServiceAtLocation.id, Address.id),
        ServiceAtLocation.service_id,
    )
    kinds = beside(
        select(ServiceCategory.service_id, ServiceCategory.code, ServiceCategory.basis),
        ServiceCategory.service_id,
    )
    free = beside(
        select(CostOption.service_id).where(CostOption.amount == 0), CostOption.service_id
    )
    hours = tuple(getattr(Schedule, name) for name in _OPENING)
    own_hours = beside(
        select(Schedule.service_id, *hours).order_by(Schedule.id), Schedule.service_id
    )
    of_site = Schedule.service_at_location_id == ServiceAtLocation.id
    of_place = Schedule.location_id == ServiceAtLocation.location_id
    site_hours, place_hours = (
        beside(
            select(ServiceAtLocation.service_id, *hours, ServiceAtLocation.id)
            .join(Schedule, where)
            .order_by(ServiceAtLocation.id, Schedule.id),
            ServiceAtLocation.service_id,
        )
        for where in (of_site, of_place)
    )
    areas = beside(
        select(ServiceArea.service_id, ServiceArea.area_code).where(
            ServiceArea.area_code.is_not(None)
        ),
        ServiceArea.service_id,
    )
    for (
        service_id,
        name,
        alternate_name,
        description,
        remote,
        minimum_age,
        maximum_age,
        organization,
        organization_alternate,
    ) in services:
        stands = sites.get(service_id, ())
        # As Listing.schedules: of its one site, else its own, else of a place.
        rows = site_hours.get(service_id) if len({row[1] for row in stands}) == 1 else None
        rows = rows or own_hours.get(service_id)
        if not rows and (rows := place_hours.get(service_id)):
            rows = [row for row in rows if row[-1] == rows[0][-1]]
        yield Document(
            id=service_id,
            name=name,
            alternate_name=alternate_name or "",
            organization=tuple(t for t in (organization, organization_alternate) if t),
            places=tuple(text for row in stands for text in row[7:9] if text),
            description=description or "",
            sites=_sites(stands),
            categories=tuple(
                (row[1], row[2] is CategoryBasis.STATED) for row in kinds.get(service_id, ())
            ),
            is_remote=remote is not None,
            is_free=service_id in free,
            minimum_age=minimum_age,
            maximum_age=maximum_age,
            opening=tuple(_opening_row(*row[1 : 1 + len(_OPENING)]) for row in rows)
            if rows
            else None,
            areas=tuple(row[1] for row in areas.get(service_id, ())) if remote is not None else (),
        )


def _sites(rows: Iterable[_Row]) -> tuple[Site, ...]:
    found: dict[UUID, Site] = {}
    for _, site_id, latitude, longitude, precision_km, area_code, confidential, *_ in rows:
        if site_id not in found:
            found[site_id] = (
                Site(None, None, None, no_finer_than_regency(area_code))
                if confidential
                else Site(latitude, longitude, precision_km, area_code)
            )
    return tuple(found.values())
