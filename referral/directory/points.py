"""Points of places: whether a stated one can be true, and which stand for no more than an area. Pure."""

from dataclasses import dataclass
from typing import Final

from referral.core.geo import haversine_km, is_on_earth
from referral.core.text import Message
from referral.places.gazetteer import DISTRICT, REGENCY, Gazetteer, UnknownPlace

#: what `point_source` says of a point that is no more than the middle of an area
OF_AREA = ("village", "kecamatan", "regency", "province")
#: those of them that we find ourselves; we know no point of a village
FOUND = OF_AREA[1:]
_OF_LEVEL = {REGENCY: "regency", DISTRICT: "kecamatan"}

#: A point is far outside its area beyond so many times the precision of the area's point and so many km: of
#: 20,118 listed facilities 26 are, most of them on islands far from their kabupaten.
FAR_PRECISIONS, FAR_KM = 3, 50
#: farther from every known kecamatan than this is in no part of the country
_ABROAD_KM: Final = 250.0


@dataclass(frozen=True)
class Judged:
    """The point to use, None if none can be, and what its source should be told of it."""

    point: tuple[float, float] | None
    told: Message | None = None


def area_point(level: int) -> str:
    """What the middle of an area of this level is called in `point_source`."""
    return _OF_LEVEL.get(level, "province")


def judge(
    point: tuple[float, float], gazetteer: Gazetteer, area_code: str | None, *, at_home: bool
) -> Judged:
    """What to make of a stated point.

    0, 0 and what is not on earth are never used. Latitude and longitude are exchanged only where that brings
    the point into the stated area. One far outside that area is used as it stands and told: islands lie far
    from the middle of their kabupaten, and nobody here knows which of the two is wrong.

    area_code   the area the source says it is in
    at_home     the source says that it is in this country, whether or not an area is known
    """
    lat, lon = point
    if lat == 0 and lon == 0:
        return Judged(None, _told("null_island"))
    here = _off(point, gazetteer, area_code, at_home=at_home) if is_on_earth(lat, lon) else None
    if is_on_earth(lat, lon) and here is None:
        return Judged(point)
    turned = (lon, lat)
    is_somewhere = at_home or (area_code is not None and gazetteer.locate(area_code) is not None)
    if (
        is_somewhere
        and is_on_earth(*turned)
        and _off(turned, gazetteer, area_code, at_home=at_home) is None
    ):
        return Judged(turned, _told("swapped_used"))
    # A longitude of this country is no latitude, so what is exchanged is mostly not on earth.
    return Judged(point, here) if here is not None else Judged(None, _told("off_earth"))


def _off(
    point: tuple[float, float], gazetteer: Gazetteer, area_code: str | None, *, at_home: bool
) -> Message | None:
    """How far outside what the source states a point on earth lies; None if it does not, or nothing is stated."""
    located = gazetteer.locate(area_code) if area_code else None
    if located is not None and area_code is not None:
        km = haversine_km(*point, located.latitude, located.longitude)
        if km <= located.precision_km * FAR_PRECISIONS + FAR_KM:
            return None
        return _told("outside_area", km=round(km), place=gazetteer.label(area_code))
    if not at_home:
        return None
    try:
        regency, km, _ = gazetteer.nearest_regency(*point)
    except UnknownPlace:
        return None
    if km <= _ABROAD_KM:
        return None
    return _told("outside_country", km=round(km), place=gazetteer.label(regency.code))


def _told(key: str, **params: str | int) -> Message:
    return Message(f"directory.import.{key}", params)
