"""A plain drawing of the way: where one starts, the places, the coast, and how far a kilometre is. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import cos, floor, log10, radians
from typing import Any

import shapely

from referral.core.geo import KM_PER_DEGREE

#: drawn no closer than this across, km: the coast is known to about one kilometre
_CLOSEST_KM = 2.0
_ROOM = 0.22  # of the width on each side, for pins and their numbers


@dataclass(frozen=True)
class Spot:
    """A point on the drawing; `unsure_km` is the half-width of where it may really be."""

    latitude: float
    longitude: float
    unsure_km: float = 0.0


def drawing(
    start: Spot,
    places: Sequence[Spot],
    coast: Iterable[shapely.Geometry],
    *,
    width: float,
    height: float,
    outlines: Sequence[shapely.Geometry] = (),
) -> dict[str, Any]:
    """Everything to draw in a frame of this size, in its units, y downwards. All of the outlines is in it.

    land    closed rings; the rest is sea. Empty where no coast is known
    areas   closed rings of the outlines
    places  in the order given, with the radius of what is not sure
    scale   a round number of km and its length
    """
    corners = [
        Spot(latitude, longitude)
        for west, south, east, north in (shape.bounds for shape in outlines)
        for latitude, longitude in ((south, west), (north, east))
    ]
    west, south, km_across, stretch = _frame(start, [*places, *corners], width / height)
    unit = width / km_across
    box = shapely.box(west, south, west + km_across / (KM_PER_DEGREE * stretch),
                      south + km_across * height / width / KM_PER_DEGREE)  # fmt: skip

    def at(longitude: float, latitude: float) -> list[float]:
        x = (longitude - west) * KM_PER_DEGREE * stretch * unit
        return [round(x, 2), round(height - (latitude - south) * KM_PER_DEGREE * unit, 2)]

    def spot(one: Spot) -> dict[str, Any]:
        return {"at": at(one.longitude, one.latitude), "unsure": round(one.unsure_km * unit, 2)}

    def rings(shapes: Iterable[shapely.Geometry]) -> list[list[list[float]]]:
        return [
            [at(*point) for point in polygon.exterior.coords]
            for shape in shapes
            if shapely.intersects(shapely.box(*shape.bounds), box)
            # A coast drawn for a map of the world may cross itself.
            for polygon in _polygons(shapely.intersection(shapely.make_valid(shape), box))
        ]

    round_km = _round_km(km_across / 3)
    return {
        "width": width,
        "height": height,
        "land": rings(coast),
        "areas": rings(outlines),
        "start": spot(start),
        "places": [spot(one) for one in places],
        "scale": {"km": round_km, "length": round(round_km * unit, 2)},
    }


def _frame(start: Spot, places: Sequence[Spot], shape: float) -> tuple[float, float, float, float]:
    """West and south edge, km across, and how many km of latitude a degree of longitude is worth."""
    spots = [start, *places]
    latitudes, longitudes = [s.latitude for s in spots], [s.longitude for s in spots]
    middle_lat, middle_lon = (
        (min(latitudes) + max(latitudes)) / 2,
        (min(longitudes) + max(longitudes)) / 2,
    )
    stretch = cos(radians(middle_lat))
    wide_km = (max(longitudes) - min(longitudes)) * KM_PER_DEGREE * stretch
    high_km = (max(latitudes) - min(latitudes)) * KM_PER_DEGREE
    unsure_km = max(one.unsure_km for one in spots)
    across = max(wide_km, high_km * shape, _CLOSEST_KM, unsure_km * 1.5) / (1 - 2 * _ROOM)
    west = middle_lon - across / 2 / (KM_PER_DEGREE * stretch)
    south = middle_lat - across / shape / 2 / KM_PER_DEGREE
    return west, south, across, stretch


def _polygons(shape: shapely.Geometry) -> list[shapely.Polygon]:
    parts = getattr(shape, "geoms", [shape])
    return [part for part in parts if isinstance(part, shapely.Polygon) and not part.is_empty]


def _round_km(at_most: float) -> float:
    """The largest of 1, 2, 5, 10 … km that is not more."""
    power = 10.0 ** floor(log10(at_most))
    return float(max(step * power for step in (1, 2, 5) if step * power <= at_most))
