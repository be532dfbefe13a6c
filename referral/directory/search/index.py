"""The catalogue of this process: read from the directory at first use, then kept true by the change feed.

What is shown is always read from the database, so that a listing that was closed or hidden meanwhile is not
shown by a catalogue that is behind.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import cache, lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, select
from sqlalchemy.orm import Session

from referral.changes.following import Followed
from referral.directory import queries
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
from referral.directory.upkeep import doubts
from referral.directory.upkeep.kinds import Doubt, Part
from referral.directory.upkeep.models import ListingReport
from referral.places.codes import no_finer_than_regency
from referral.places.models import Place, PlaceAlias
from referral.taxonomy.words import stem

_WINDOW = 4_000
_OPENING = tuple(OpeningRow.__dataclass_fields__)

_Row = Row[*tuple[Any, ...]]
#: The same row for the same columns: of a hundred thousand listings most keep the same hours.
_opening_row = lru_cache(maxsize=50_000)(OpeningRow)


@cache
def name_forms() -> NameForms:
    """Short and full forms of words in names, as directory_data lists them."""
    return NameForms.from_csv(FOLDER / "name_words.csv")


def _read_all(session: Session) -> Catalogue:
    names = area_names(session)
    catalogue = Catalogue(name_forms(), stem, lambda code: names_around(names, code))
    for document in documents(session):
        catalogue.add(document)
    catalogue.settle()
    return catalogue


def _bring(catalogue: Catalogue, session: Session, ids: set[UUID]) -> None:
    found = {document.id: document for document in documents(session, ids)}
    for service_id in ids:
        if service_id in found:
            catalogue.put(found[service_id])
        else:
            catalogue.take_out(service_id)


#: The catalogue of each database of this process.
CATALOGUE = Followed(
    "search catalogue",
    read=_read_all,
    bring=_bring,
    count=queries.count,
    worn=lambda catalogue: catalogue.changed,
)


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
    in_doubt = beside(doubts.ROWS, ListingReport.service_id)
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
        # What is in doubt counts as not known, as it does for a match.
        doubted = [doubts.doubt_of(*row[1:]) for row in in_doubt.get(service_id, ())]

        def is_known(part: Part, doubted: Sequence[Doubt] = doubted) -> bool:
            return not any(doubt.is_about(part) for doubt in doubted)

        yield Document(
            id=service_id,
            name=name,
            alternate_name=alternate_name or "",
            organization=tuple(t for t in (organization, organization_alternate) if t),
            places=tuple(text for row in stands for text in row[7:9] if text),
            description=description or "",
            sites=_sites(stands, has_point=is_known(Part.ADDRESS)),
            categories=tuple(
                (
                    row[1],
                    row[2] is CategoryBasis.STATED
                    and not any(doubt.is_about_category(row[1]) for doubt in doubted),
                )
                for row in kinds.get(service_id, ())
            ),
            is_remote=remote is not None,
            is_free=service_id in free and is_known(Part.COST),
            minimum_age=minimum_age if is_known(Part.ELIGIBILITY) else None,
            maximum_age=maximum_age if is_known(Part.ELIGIBILITY) else None,
            opening=tuple(_opening_row(*row[1 : 1 + len(_OPENING)]) for row in rows)
            if rows and is_known(Part.HOURS)
            else None,
            areas=tuple(row[1] for row in areas.get(service_id, ())) if remote is not None else (),
        )


def _sites(rows: Iterable[_Row], *, has_point: bool) -> tuple[Site, ...]:
    found: dict[UUID, Site] = {}
    for _, site_id, latitude, longitude, precision_km, area_code, confidential, *_ in rows:
        if site_id not in found:
            found[site_id] = (
                Site(None, None, None, no_finer_than_regency(area_code))
                if confidential
                else Site(latitude, longitude, precision_km, area_code)
                if has_point
                else Site(None, None, None, area_code)
            )
    return tuple(found.values())
