"""Whether a point that a source states can be where it says the place is. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from referral.core.geo import haversine_km, is_on_earth
from referral.places.gazetteer import Gazetteer, UnknownPlace

#: An area's point stands in its middle; a place in it may be this many times its half-width away, and a bit:
#: islands lie far from their kabupaten.
_FAR_TIMES, _FAR_KM = 3.0, 50.0
#: farther from every known kecamatan than this is in no part of the country
_ABROAD_KM: Final = 250.0


@dataclass(frozen=True)
class Judged:
    """The point, or the ending of the finding's key that says why it is not used."""

    point: tuple[float, float] | None
    problem: str | None = None


def judge(
    point: tuple[float, float], gazetteer: Gazetteer, area_code: str | None, *, at_home: bool
) -> Judged:
    """A stated point if it can be true.

    area_code   the area the source says it is in
    at_home     the source says, or nothing speaks against it, that it is in this country
    """
    lat, lon = point
    if lat == 0 and lon == 0:
        return Judged(None, "null_island")
    # A longitude of this country is no latitude, so swapped coordinates are mostly off the earth first.
    if not is_on_earth(lat, lon):
        if is_on_earth(lon, lat) and _fits((lon, lat), gazetteer, area_code, at_home=at_home):
            return Judged(None, "swapped")
        return Judged(None, "off_earth")
    if _fits(point, gazetteer, area_code, at_home=at_home):
        return Judged(point)
    if is_on_earth(lon, lat) and _fits((lon, lat), gazetteer, area_code, at_home=at_home):
        return Judged(None, "swapped")
    return Judged(None, "outside")


def _fits(
    point: Sequence[float], gazetteer: Gazetteer, area_code: str | None, *, at_home: bool
) -> bool:
    lat, lon = point
    located = gazetteer.locate(area_code) if area_code else None
    if located is not None:
        km = haversine_km(lat, lon, located.latitude, located.longitude)
        return km <= located.precision_km * _FAR_TIMES + _FAR_KM
    if not at_home:
        return True
    try:
        return gazetteer.nearest_regency(lat, lon)[1] <= _ABROAD_KM
    except UnknownPlace:
        return True
