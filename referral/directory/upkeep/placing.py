"""Where an edited listing is: its address, its area and its point, in the rows of its place."""

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import inspect, select

from referral.core.country import COUNTRY
from referral.core.db import Identified
from referral.directory.hsds import vocabularies
from referral.directory.models import (
    Address,
    Attribute,
    Location,
    Service,
    ServiceAtLocation,
    TaxonomyTerm,
)
from referral.directory.points import OF_AREA, area_point
from referral.directory.upkeep import listings
from referral.directory.upkeep.recording import Recorder

#: half-width of a point that somebody set on the map themselves
SET_POINT_KM = 0.1


def write(book: Recorder, values: Mapping[str, Any]) -> None:
    """Put those of address, area_code and point that are given into the rows of the place."""
    place = _place(book)
    writers: dict[str, Callable[[Recorder, Location, Any], None]] = {
        "address": _write_address,
        "area_code": _write_area,
        "point": _write_point,
    }
    for name, write_one in writers.items():
        if name in values:
            write_one(book, place, values[name])
    at_place = select(ServiceAtLocation.service_id).where(ServiceAtLocation.location_id == place.id)
    book.also |= set(book.session.scalars(at_place))


def _place(book: Recorder) -> Location:
    """The place to change, made where there is none; another agency's services that share it keep theirs."""
    session, service = book.session, book.service
    site = listings.site_of(service)
    if site is None:
        site = ServiceAtLocation(service_id=service.id)
        book.add(site)
    place = site.location
    if place is None:
        place = Location(
            organization_id=service.organization_id, confidential=_is_kept_secret(book, service)
        )
        if place.confidential:
            book.secret.add(place.id)
        book.add(place)
    elif _is_shared(book, place):
        place = _copy(book, place)
    else:
        if place.confidential:
            book.secret |= {place.id} | {row.id for row in place.addresses}
        return place
    session.flush()
    book.set(site, "location_id", place.id)
    session.flush()
    session.refresh(site, ["location"])
    session.refresh(service, ["sites"])
    return place


def _is_kept_secret(book: Recorder, service: Service) -> bool:
    """Whether the directory a listing came from keeps its place to itself: then it is no place to tell here either."""
    query = (
        select(Attribute.id)
        .join(TaxonomyTerm, TaxonomyTerm.id == Attribute.taxonomy_term_id)
        .where(
            Attribute.link_id == service.id,
            TaxonomyTerm.taxonomy == vocabularies.CONFIDENTIALITY,
            TaxonomyTerm.code == vocabularies.CONFIDENTIAL,
        )
    )
    return book.session.scalars(query.limit(1)).first() is not None


def _is_shared(book: Recorder, place: Location) -> bool:
    others = (
        select(Service.id)
        .join(ServiceAtLocation, ServiceAtLocation.service_id == Service.id)
        .where(
            ServiceAtLocation.location_id == place.id,
            Service.organization_id != book.service.organization_id,
        )
    )
    return book.session.scalars(others.limit(1)).first() is not None


def _copy(book: Recorder, place: Location) -> Location:
    new = Location(**_columns(place) | {"source": None, "source_id": None})
    if new.confidential:
        book.secret.add(new.id)
    book.add(new)
    book.session.flush()
    for row in (*place.addresses, *place.accessibilities):
        book.add(type(row)(**_columns(row) | {"location_id": new.id}))
    book.session.flush()
    return new


def _columns(row: Identified) -> dict[str, Any]:
    names = [column.key for column in inspect(type(row)).column_attrs if column.key != "id"]
    return {name: getattr(row, name) for name in names}


def _write_address(book: Recorder, place: Location, address: Any) -> None:
    row = place.addresses[0] if place.addresses else None
    if row is not None:
        if address is None:
            book.delete(row)
        else:
            book.fill(row, address)
    elif address is not None:
        book.add(Address(location_id=place.id, country=COUNTRY.code, **address))


def _write_area(book: Recorder, place: Location, code: str | None) -> None:
    book.set(place, "area_code", code)
    if place.latitude is None or place.point_source in OF_AREA:
        _place_by_area(book, place)


def _write_point(book: Recorder, place: Location, point: dict[str, float] | None) -> None:
    if point is None:
        _place_by_area(book, place)
        return
    book.fill(
        place,
        {
            "latitude": point["lat"],
            "longitude": point["lon"],
            "precision_km": point.get("precision_km", SET_POINT_KM),
            "point_source": "facility",
        },
    )


def _place_by_area(book: Recorder, place: Location) -> None:
    code = place.area_code
    located = book.gazetteer.locate(code) if code and code in book.gazetteer else None
    book.fill(
        place,
        {
            "latitude": located.latitude if located else None,
            "longitude": located.longitude if located else None,
            "precision_km": located.precision_km if located else None,
            "point_source": area_point(located.at.level) if located else None,
        },
    )
