"""The layers of a question by hexagon instead of by area: from the same published figures and public points."""

from collections.abc import Sequence
from threading import Lock
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import shapely

from referral.core.geo import KM_PER_DEGREE
from referral.places.codes import holds
from referral.places.gazetteer import PROVINCE, REGENCY, Gazetteer
from referral.places.land import land
from referral.planning.access import queries as access
from referral.planning.access.bands import Floats, Supply, nearest_km, unit_vectors
from referral.planning.maps import hexes, listings, values
from referral.planning.maps.atlas import Atlas, share
from referral.planning.maps.hexes import Grid
from referral.planning.maps.question import Layer
from referral.planning.maps.values import Value

#: Where no boundary says what belongs to the country: this far around a kab/kota's point, beyond its precision.
_AROUND_KM = 30.0
_DEGREE_KM2 = KM_PER_DEGREE**2  # at the equator, where the country lies
_COARSE_DEGREES = 0.02
_grids: WeakKeyDictionary[Gazetteer, dict[str, Grid]] = WeakKeyDictionary()
_lock = Lock()


def grid_of(places: Gazetteer, within: str) -> Grid:
    """The hexagons on land of the country or of one province; made once for a gazetteer."""
    with _lock:
        kept = _grids.setdefault(places, {})
        if within not in kept:
            kept[within] = _grid(places, within)
        return kept[within]


def _grid(places: Gazetteer, within: str) -> Grid:
    provinces = [within] if within else [p.code for p in places if p.level == PROVINCE]
    outlines = places.drawn(provinces, degrees=_COARSE_DEGREES).values()
    if drawn := [shapely.geometry.shape(outline) for outline in outlines]:
        return hexes.grid(drawn, area_km2=sum(shape.area for shape in drawn) * _DEGREE_KM2)
    ground = land()
    centres = [
        (place.latitude, place.longitude, place.precision_km or 0.0)
        for place in places
        if place.level == REGENCY and place.latitude is not None and (not within or holds(within, place.code))
    ]  # fmt: skip
    if ground is None or not centres:
        return hexes.grid([], area_km2=0.0)
    around = shapely.union_all(
        [
            shapely.Point(lon, lat).buffer((_AROUND_KM + precision_km) / KM_PER_DEGREE)
            for lat, lon, precision_km in centres
        ]
    )
    tree = shapely.STRtree(ground.parts)
    near = [ground.parts[at] for at in tree.query(around, predicate="intersects").tolist()]
    shapes = [shapely.intersection(shapely.make_valid(part), around) for part in near]
    return hexes.grid(shapes, area_km2=sum(shape.area for shape in shapes) * _DEGREE_KM2)


def hexagons(atlas: Atlas, layer: Layer) -> dict[str, Value]:
    """The layer's value of each cell of the grid."""
    grid = grid_of(atlas.places, atlas.question.within)
    if layer in (Layer.UNMET, Layer.ASKED, Layer.PROPOSALS):
        found = _counts(atlas, grid, layer)
    elif layer is Layer.SHARE:
        unmet, asked = _counts(atlas, grid, Layer.UNMET), _counts(atlas, grid, Layer.ASKED)
        found = {cell: _share(unmet[cell], asked[cell]) for cell in unmet}
    elif layer is Layer.SERVICES:
        return _services(atlas, grid)
    elif layer in (Layer.NEAREST, Layer.COVERAGE):
        return _reach(atlas, grid, layer)
    elif layer in (Layer.RATIO, Layer.BALANCED):
        found = _measured(atlas, grid, layer)
    else:
        found = {}  # how many people live in a hexagon is not known
    return {cell: found.get(cell, values.NO_DATA) for cell in grid.cells}


def _points(atlas: Atlas, areas: Sequence[str]) -> Any:
    found = [atlas.places.locate(area) if area in atlas.places else None for area in areas]
    return np.array([(p.latitude, p.longitude) if p else (np.nan, np.nan) for p in found])


def _counts(atlas: Atlas, grid: Grid, layer: Layer) -> dict[str, Value]:
    if layer is Layer.PROPOSALS:
        cells = grid.of(_points(atlas, [plan.area_code for plan in atlas.plans]))
        return hexes.summed(cells, [values.told(1.0)] * len(cells))
    return hexes.summed(grid.of(_points(atlas, atlas.areas)), atlas.column(layer))


def _share(unmet: Value, asked: Value) -> Value:
    """Hidden counts on either side would make the part a lie."""
    return values.WITHHELD if unmet.few or asked.few else share(unmet, asked)


def _services(atlas: Atlas, grid: Grid) -> dict[str, Value]:
    question = atlas.question
    counts = hexes.counted(
        grid.of(listings.points(atlas.session, question.category, question.system))
    )
    return {cell: values.told(float(counts.get(cell, 0))) for cell in grid.cells}


def _reach(atlas: Atlas, grid: Grid, layer: Layer) -> dict[str, Value]:
    """From the middle of each cell to the nearest service, straight line."""
    question = atlas.question
    points = listings.points(atlas.session, question.category, question.system)
    km = nearest_km(_xyz(grid.middles), Supply.everywhere(_xyz(points)))
    if layer is Layer.COVERAGE:
        if atlas.run is None:
            return dict.fromkeys(grid.cells, values.NO_DATA)
        km = np.where(km <= atlas.run.radius_km, 100.0, 0.0)
    return {cell: values.told(float(one)) for cell, one in zip(grid.cells, km, strict=True)}


def _xyz(points: Any) -> Floats:
    return unit_vectors(points[:, 0], points[:, 1])


def _measured(atlas: Atlas, grid: Grid, layer: Layer) -> dict[str, Value]:
    """The mean of the measure at the kecamatan whose points the cell holds, by the people who asked."""
    question = atlas.question
    found = access.read(atlas.session, question.category, question.system, run=atlas.run)
    points = access.points(atlas.session, run=atlas.run)
    if found is None or points is None:
        return {}
    name = "ratio" if layer is Layer.RATIO else "balanced_per_person"
    means = hexes.averaged(grid.of(points), 100.0 * found[name], found["people"])
    return {cell: values.told(number) for cell, number in means.items()}
