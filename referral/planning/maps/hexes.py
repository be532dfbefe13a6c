"""Hexagons of Uber's H3 over an area: which lie on land, and what they hold of points. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import h3
import numpy as np
import shapely

from referral.planning.maps.values import Kind, Value

#: The most hexagons of a map: more are slow to draw and too small to touch.
MOST = 4_000
#: H3's resolutions that are tried, finest first: about 4, 9, 22, 60 and 160 km across.
FINEST, COARSEST = 7, 3
_CELL_KM2 = {3: 12_393.0, 4: 1_770.0, 5: 252.9, 6: 36.1, 7: 5.2}


@dataclass(frozen=True)
class Grid:
    """Hexagons on land at one resolution."""

    resolution: int
    cells: tuple[str, ...]
    #: (n, 2) latitude and longitude of their middles
    middles: Any

    def of(self, points: Any) -> list[str | None]:
        """The cell of each (latitude, longitude); None where it is not known or lies in no cell of the grid."""
        inside = set(self.cells)
        found = []
        for latitude, longitude in points:
            is_known = not (np.isnan(latitude) or np.isnan(longitude))
            cell = h3.latlng_to_cell(latitude, longitude, self.resolution) if is_known else None
            found.append(cell if cell in inside else None)
        return found


def grid(shapes: Sequence[Any], *, area_km2: float) -> Grid:
    """The hexagons that touch any of the shapes, as fine as `MOST` allows."""
    for resolution in range(FINEST, COARSEST - 1, -1):
        if area_km2 / _CELL_KM2[resolution] > MOST:
            continue
        cells = sorted({cell for shape in shapes for cell in _cells(shape, resolution)})
        if len(cells) <= MOST or resolution == COARSEST:
            return _grid(resolution, cells)
    return _grid(COARSEST, [])


def _grid(resolution: int, cells: list[str]) -> Grid:
    middles = np.array([h3.cell_to_latlng(cell) for cell in cells]).reshape(-1, 2)
    return Grid(resolution, tuple(cells), middles)


def _cells(shape: Any, resolution: int) -> Iterable[str]:
    for polygon in shapely.get_parts(shape):
        if polygon.geom_type != "Polygon" or polygon.is_empty:
            continue
        outer = [(y, x) for x, y in polygon.exterior.coords]
        holes = [[(y, x) for x, y in hole.coords] for hole in polygon.interiors]
        made = h3.LatLngPoly(outer, *holes)
        yield from h3.h3shape_to_cells_experimental(made, resolution, "overlap")


@lru_cache(maxsize=8)
def outlines(cells: tuple[str, ...]) -> dict[str, dict[str, Any]]:
    """GeoJSON geometries of the cells, to about 100 m."""
    return {cell: _outline(cell) for cell in cells}


def _outline(cell: str) -> dict[str, Any]:
    ring = [[round(lon, 3), round(lat, 3)] for lat, lon in h3.cell_to_boundary(cell)]
    return {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}


def summed(cells: Sequence[str | None], values: Sequence[Value]) -> dict[str, Value]:
    """What shown counts come to in each cell that holds a point, with how many of its points have a hidden one."""
    sums: dict[str, float] = {}
    few: dict[str, int] = {}
    known: dict[str, bool] = {}
    for cell, value in zip(cells, values, strict=True):
        if cell is None:
            continue
        sums[cell] = sums.get(cell, 0.0) + (value.number or 0.0)
        few[cell] = few.get(cell, 0) + (value.kind in (Kind.SMALL, Kind.WITHHELD))
        known[cell] = known.get(cell, False) or value.kind is not Kind.NO_DATA
    return {
        cell: Value(Kind.TOLD, total, few[cell]) if known[cell] else Value(Kind.NO_DATA)
        for cell, total in sums.items()
    }


def averaged(cells: Sequence[str | None], values: Any, weights: Any) -> dict[str, float]:
    """The mean of what is known in each cell, by weight; evenly where no point in it has any."""
    held: dict[str, list[tuple[float, float]]] = {}
    for cell, value, weight in zip(cells, values, weights, strict=True):
        if cell is not None and np.isfinite(value):
            held.setdefault(cell, []).append((float(value), float(np.nan_to_num(weight))))
    return {cell: _mean(pairs) for cell, pairs in held.items()}


def _mean(pairs: Sequence[tuple[float, float]]) -> float:
    whole = sum(weight for _, weight in pairs)
    if whole:
        return sum(value * weight for value, weight in pairs) / whole
    return sum(value for value, _ in pairs) / len(pairs)


def counted(cells: Iterable[str | None]) -> Mapping[str, int]:
    """How many points each cell holds."""
    counts: dict[str, int] = {}
    for cell in cells:
        if cell is not None:
            counts[cell] = counts.get(cell, 0) + 1
    return counts
