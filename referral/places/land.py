"""Which landmass a point lies on, and whether the straight line between two points leaves it. Pure given the land.

The coast is drawn as for a map of the world (Natural Earth 1:10m), up to a few km off, and without small islands.
So what it can't tell is not told.
"""

import json
from collections.abc import Mapping
from enum import StrEnum
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import shapely

#: Made at set-up by assets/vendor.py; where it is missing nothing is said about islands.
FILE = Path(__file__).parents[2] / "static" / "vendor" / "land.json"

#: How far off the drawn coast may be: a point this far out still lies on the land, and a strait this narrow has one
#: shore too few.
COAST_KM = 3.0
#: A place farther out than this lies on an island that is not drawn.
OUT_AT_SEA_KM = 8.0
_DEGREE_KM = 111.2  # of latitude; of longitude too, near enough for these two, where Indonesia lies
_MOST_POINTS = 20_000
_NOT_DRAWN = -1

#: latitude, longitude, and how far off the point may be, km
Spot = tuple[float, float, float]


class Crossing(StrEnum):
    """Whether two points lie on two islands."""

    NO = "no"
    PERHAPS = "perhaps"
    YES = "yes"


class Land:
    """The landmasses of a part of the earth, in memory."""

    def __init__(self, collection: Mapping[str, Any]):
        """`collection`: GeoJSON features, a landmass each, and the `bbox` in which none is missing."""
        self._west, self._south, self._east, self._north = collection["bbox"]
        self._parts: list[Any] = []
        self._masses: list[int] = []
        for number, feature in enumerate(collection["features"]):
            parts = shapely.get_parts(shapely.geometry.shape(feature["geometry"]))
            self._parts += list(parts)
            self._masses += [number] * len(parts)
        self._tree = shapely.STRtree(self._parts)
        self._around = lru_cache(maxsize=_MOST_POINTS)(self._look_around)

    @property
    def parts(self) -> list[Any]:
        """The land as polygons, in degrees."""
        return self._parts

    def crossing(self, here: Spot, there: Spot) -> Crossing | None:
        """Whether two points lie on two islands; None where the land that is drawn can't tell."""
        ours, theirs = self._around(*here), self._around(*there)
        if ours is None or theirs is None:
            return None
        (our_land, our_others), (their_land, their_others) = ours, theirs
        if our_land == their_land:
            return None if our_land == _NOT_DRAWN else Crossing.NO
        return Crossing.PERHAPS if our_others & their_others else Crossing.YES

    def _look_around(
        self, latitude: float, longitude: float, precision_km: float
    ) -> tuple[int, frozenset[int]] | None:
        """The landmass a point lies on, and all that it may lie on."""
        inside = self._west <= longitude <= self._east and self._south <= latitude <= self._north
        if not inside or not self._parts:
            return None
        point = shapely.Point(longitude, latitude)
        nearest = int(self._tree.nearest(point))
        off_km = float(shapely.distance(self._parts[nearest], point)) * _DEGREE_KM
        if COAST_KM < off_km <= OUT_AT_SEA_KM:
            return None
        land = self._masses[nearest] if off_km <= COAST_KM else _NOT_DRAWN
        reach = max(precision_km, COAST_KM) / _DEGREE_KM
        found = self._tree.query(point, predicate="dwithin", distance=reach)
        return land, frozenset({land, *(self._masses[at] for at in found.tolist())})


@cache
def land(path: Path = FILE) -> Land | None:
    """The land that was prepared at set-up; None where it was not."""
    if not path.is_file():
        return None
    return Land(json.loads(path.read_text("utf-8")))
