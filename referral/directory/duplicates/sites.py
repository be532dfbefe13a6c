"""Which sites of two listings are the same place."""

from uuid import UUID

from rapidfuzz import fuzz
from sqlalchemy import select
from sqlalchemy.orm import Session

from referral.core.geo import haversine_km
from referral.directory.duplicates import normal
from referral.directory.duplicates.rows import Row
from referral.directory.models import Address, Location, ServiceAtLocation
from referral.places.codes import holds

#: Two surveyed points no farther apart are one place.
SAME_PLACE_KM = 0.3
#: A point known no better than this does not tell two places apart.
_SURVEYED_KM = 1.0
_SAME_STREET = 90.0
_NOWHERE = dict.fromkeys(("latitude", "longitude", "precision_km", "area_code", "line"))


def of(session: Session, service_id: UUID) -> list[Row]:
    """Sites of a listing with what tells places apart; nothing but the id of a confidential one."""
    query = (
        select(
            ServiceAtLocation.id,
            ServiceAtLocation.service_id,
            ServiceAtLocation.location_id,
            Location.latitude,
            Location.longitude,
            Location.precision_km,
            Location.area_code,
            Location.confidential,
        )
        .outerjoin(Location, Location.id == ServiceAtLocation.location_id)
        .where(ServiceAtLocation.service_id == service_id)
        .order_by(ServiceAtLocation.id)
    )
    found = [dict(row) for row in session.execute(query).mappings()]
    places = [row["location_id"] for row in found if row["location_id"] is not None]
    lines: dict[UUID, str] = {}
    addresses = select(Address.location_id, Address.address_1).where(
        Address.location_id.in_(places)
    )
    for location_id, line in session.execute(addresses.order_by(Address.id.desc())):
        lines[location_id] = line
    return [
        row | (_NOWHERE if row["confidential"] else {"line": lines.get(row["location_id"])})
        for row in found
    ]


def matched(session: Session, kept_id: UUID, gone_id: UUID) -> dict[UUID, UUID | None]:
    """Each site of the one that goes, and the kept one's that is the same place; None for a place of its own."""
    free = of(session, kept_id)
    found: dict[UUID, UUID | None] = {}
    for row in of(session, gone_id):
        twin = next((one for one in free if is_same_place(one, row)), None)
        found[row["id"]] = None if twin is None else twin["id"]
        if twin is not None:
            free.remove(twin)
    return found


def is_same_place(one: Row, other: Row) -> bool:
    """Whether nothing tells the two places apart.

    Surveyed points decide, then streets. Where neither is known on both sides, two places in one area are
    taken for one: a centre of a district beside an address in that district. A confidential place is only
    itself.
    """
    if one["location_id"] is None or other["location_id"] is None:
        return one["location_id"] is other["location_id"]
    if one["location_id"] == other["location_id"]:
        return True
    if one["confidential"] or other["confidential"]:
        # Whoever moves an open place about and asks again must not learn where the other one is.
        return False
    km = distance_km(one, other)
    unsure_km: float = (one["precision_km"] or 0) + (other["precision_km"] or 0)
    surveyed = all((row["precision_km"] or 0) <= _SURVEYED_KM for row in (one, other))
    if km is not None and surveyed and km <= SAME_PLACE_KM:
        return True
    if one["line"] and other["line"]:
        left, right = normal.street(one["line"]), normal.street(other["line"])
        alike: bool = (
            fuzz.token_set_ratio(" ".join(left.words), " ".join(right.words)) >= _SAME_STREET
        )
        apart = bool(left.numbers and right.numbers and not left.numbers & right.numbers)
        return bool(alike and not apart)
    if km is not None:
        return km <= unsure_km
    left_area, right_area = one["area_code"], other["area_code"]
    if left_area is None or right_area is None:
        return True
    return holds(left_area, right_area) or holds(right_area, left_area)


def distance_km(one: Row, other: Row) -> float | None:
    """Between two sites; None where either point is not known."""
    ends = (one["latitude"], one["longitude"], other["latitude"], other["longitude"])
    return None if None in ends else haversine_km(*ends)
