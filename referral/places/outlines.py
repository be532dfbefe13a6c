"""Outlines of areas: read from GeoJSON features, mended, made lighter together, and asked which holds a point. Pure."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import chain, islice
from typing import Any

import numpy as np
import shapely
from shapely.errors import ShapelyError

from referral.core.errors import Finding, Invalid
from referral.core.geo import KM_PER_DEGREE
from referral.core.text import Message

#: Features that are looked at to find which property is the code.
LOOKED_AT = 200
MOST_CANDIDATES = 100
#: How finely an outline is kept: about 100 m.
KEPT_DEGREES = 0.001
#: A point this far off every outline still belongs to the nearest: coasts are drawn coarsely, harbours stand out.
COAST_KM = 3.0
#: Rings of real files that cross do it a few times; to mend many crossings takes their square in time.
MOST_CROSSINGS = 20_000
#: An outline this far from where the gazetteer has its area, beyond that point's own precision, is another area's.
ELSEWHERE_KM = 60.0
_FLATTENING_E2 = 0.00669437999014
_SEMI_MAJOR_KM = 6378.137
_AS_ID = "id"


@dataclass(frozen=True)
class Anchor:
    """Where the gazetteer has an area; None: nowhere."""

    latitude: float | None
    longitude: float | None
    precision_km: float


@dataclass(frozen=True)
class Outline:
    """The shape of an area, with its size before anything was left out."""

    code: str
    shape: Any
    area_km2: float


@dataclass(frozen=True)
class Read:
    """What a file of areas held. Each feature is in an outline or has a finding.

    mended    features whose rings crossed and were put right
    joined    features that are a further part of an area that was there already
    """

    features: int
    code_property: str
    outlines: list[Outline]
    mended: int
    joined: int
    findings: list[Finding]


def read(
    features: Iterable[Any], known: Mapping[str, Anchor], *, code_property: str | None = None
) -> Read:
    """The outlines in a stream of GeoJSON features, for areas the gazetteer knows.

    Raises Invalid where no property holds codes of areas.
    """
    stream = iter(features)
    first = list(islice(stream, LOOKED_AT))
    name = code_property or _code_property(first, known)
    findings: list[Finding] = []
    parts: dict[str, list[Any]] = {}
    read_count = mended = 0
    for row, feature in enumerate(chain(first, stream), start=1):
        read_count = row
        value = _property(feature, name)
        code = dotted(value)
        if code not in known:
            findings.append(_finding(row, name, value, "code"))
            continue
        shape, problem, was_mended = _shape(feature)
        if shape is None:
            findings.append(_finding(row, "geometry", code, problem))
            continue
        if is_elsewhere(shape, known[code]):
            findings.append(_finding(row, "geometry", code, "elsewhere"))
            continue
        mended += was_mended
        parts.setdefault(code, []).append(shape)
    outlines = [
        Outline(code, shape, round(area_km2(shape), 3))
        for code, pieces in sorted(parts.items())
        for shape in [pieces[0] if len(pieces) == 1 else _areal(shapely.union_all(pieces))]
    ]
    joined = sum(len(pieces) - 1 for pieces in parts.values())
    return Read(read_count, name, outlines, mended, joined, findings)


def dotted(value: Any) -> str:
    """An area's code as 33.74.11 from how files write it: with or without dots, as text or as a number."""
    if isinstance(value, bool) or value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = str(value).strip()
    if text.endswith(".0") and text[:-2].isdigit():
        text = text[:-2]
    digits = text.replace(".", "")
    if not digits.isascii() or not digits.isdigit() or len(digits) not in (2, 4, 6):
        return ""
    return ".".join(digits[at : at + 2] for at in range(0, len(digits), 2))


def _code_property(features: Sequence[Any], known: Mapping[str, Anchor]) -> str:
    """The property with the most different codes: beside an area's own code often stands that of its province."""
    codes: dict[str, set[str]] = {}
    for feature in features:
        if isinstance(feature, Mapping):
            for name in (*_properties(feature), _AS_ID):
                # Names are printed; some would command a terminal.
                if str(name).isprintable():
                    code = dotted(_property(feature, name))
                    codes.setdefault(str(name), set()).update({code} & known.keys())
    best = max(codes, key=lambda name: len(codes[name]), default=None)
    if best is None or not codes[best]:
        candidates = [name[:60] for name in codes if name != _AS_ID][:MOST_CANDIDATES]
        raise Invalid("place.boundary.no_code", field="code", candidates=candidates)
    return best


def _properties(feature: Mapping[str, Any]) -> Mapping[str, Any]:
    found = feature.get("properties")
    return found if isinstance(found, Mapping) else {}


def _property(feature: Any, name: str) -> Any:
    if not isinstance(feature, Mapping):
        return None
    properties = _properties(feature)
    if name in properties:
        return properties[name]
    return feature.get(_AS_ID) if name == _AS_ID else None


def _finding(row: int, field: str, value: Any, problem: str) -> Finding:
    return Finding(row, field, str(value)[:60], Message(f"place.boundary.{problem}"))


def _shape(feature: Mapping[str, Any]) -> tuple[Any, str, bool]:
    """The feature's area on the ground, why there is none, and whether it had to be mended."""
    geometry = feature.get("geometry")
    if not isinstance(geometry, Mapping) or not geometry.get("type"):
        return None, "no_shape", False
    try:
        made = shapely.force_2d(shapely.geometry.shape(geometry))
    except (
        ValueError,
        TypeError,
        KeyError,
        IndexError,
        AttributeError,
        OverflowError,
        ShapelyError,
    ):
        return None, "unreadable", False
    coordinates = shapely.get_coordinates(made)
    if not coordinates.size:
        return None, "no_shape", False
    if not np.isfinite(coordinates).all() or (np.abs(coordinates) > (180.0, 90.0)).any():
        return None, "not_on_earth", False
    is_valid = bool(shapely.is_valid(made))
    if not is_valid:
        if _crosses_too_often(made):
            return None, "crossed", False
        made = shapely.make_valid(made, method="structure", keep_collapsed=False)
    areal = _areal(made)
    if areal is None:
        return None, "no_area", False
    return areal, "", not is_valid


def _crosses_too_often(shape: Any) -> bool:
    """Whether its rings cross so often that mending it would take hours."""
    corners, rings = shapely.get_coordinates(
        shapely.get_rings(shapely.get_parts(shapely.get_parts(shape))), return_index=True
    )
    inside = rings[1:] == rings[:-1]
    sides = shapely.linestrings(np.stack([corners[:-1][inside], corners[1:][inside]], axis=1))
    tree = shapely.STRtree(sides)
    at_once = 1 + 200_000 // max(1, len(sides))
    met = 0
    for start in range(0, len(sides), at_once):
        some = sides[start : start + at_once]
        # Every side meets itself and two neighbours.
        met += tree.query(some, predicate="intersects").shape[1] - 3 * len(some)
        if met > 2 * MOST_CROSSINGS:
            return True
    return False


def _areal(shape: Any) -> Any:
    """The polygons of a shape; None where it has none."""
    polygons = [
        part
        for part in shapely.get_parts(shapely.get_parts(shape))
        if part.geom_type == "Polygon" and not part.is_empty
    ]
    if not polygons:
        return None
    return polygons[0] if len(polygons) == 1 else shapely.union_all(polygons)


def is_elsewhere(shape: Any, anchor: Anchor) -> bool:
    """Whether an outline lies so far from its area's point that its code must mean another area.

    Other offices number areas differently, and some files have latitude and longitude the other way round.
    """
    if anchor.latitude is None or anchor.longitude is None:
        return False
    point = shapely.Point(anchor.longitude, anchor.latitude)
    off_km = float(shapely.distance(shape, point)) * KM_PER_DEGREE
    return off_km > ELSEWHERE_KM + anchor.precision_km


def area_km2(shape: Any) -> float:
    """Size on the ellipsoid (WGS 84): by the cylindrical projection that keeps areas."""

    def project(lonlat: np.ndarray) -> np.ndarray:
        radius = _SEMI_MAJOR_KM * math.sqrt(float(_q(np.array([90.0]))[0]) / 2)
        return np.column_stack(
            [
                radius * np.radians(lonlat[:, 0]),
                _SEMI_MAJOR_KM**2 * _q(lonlat[:, 1]) / (2 * radius),
            ]
        )

    return float(shapely.area(shapely.transform(shape, project)))


def _q(latitude: np.ndarray) -> np.ndarray:
    """Snyder's q: grows with the surface between the equator and a latitude."""
    e = math.sqrt(_FLATTENING_E2)
    sin = np.sin(np.radians(latitude))
    return np.asarray(
        (1 - _FLATTENING_E2)
        * (sin / (1 - _FLATTENING_E2 * sin**2) - np.log((1 - e * sin) / (1 + e * sin)) / (2 * e))
    )


def lighter(shapes: Sequence[Any], degrees: float) -> list[Any]:
    """The shapes with fewer corners. What two of them share stays shared, and no island is lost."""
    if not len(shapes):
        return []
    made = shapely.coverage_simplify(np.asarray(shapes, dtype=object), degrees)
    return [
        after if not after.is_empty and shapely.is_valid(after) else before
        for before, after in zip(shapes, made, strict=True)
    ]


class Outlines:
    """Outlines of areas in memory, from how they are kept (WKB). Cheap to make; what is asked for is kept."""

    def __init__(self, kept: Mapping[str, bytes]) -> None:
        self._kept = dict(kept)
        self.light = cache(self._light)

    def __len__(self) -> int:
        return len(self._kept)

    def __contains__(self, code: object) -> bool:
        return code in self._kept

    def codes(self, level: int) -> list[str]:
        return [code for code in self._kept if code.count(".") == level - 1]

    @cached_property
    def _regencies(self) -> tuple[list[str], Any]:
        codes = self.codes(2)
        return codes, shapely.STRtree(shapely.from_wkb([self._kept[code] for code in codes]))

    def regency_at(self, latitude: float, longitude: float) -> str | None:
        """Code of the kab/kota that holds a point, or of the nearest within the error of a coast."""
        codes, tree = self._regencies
        if not codes:
            return None
        point = shapely.Point(longitude, latitude)
        inside = tree.query(point, predicate="intersects").tolist()
        if not inside:
            reach = COAST_KM / KM_PER_DEGREE
            inside = tree.query_nearest(point, max_distance=reach).tolist()
        # On a border two may hold it.
        return min((codes[at] for at in inside), default=None)

    def shape(self, code: str) -> Any:
        """An area's outline: its own, or that of the areas in it; None where neither is kept."""
        if code in self._kept:
            return shapely.from_wkb(self._kept[code])
        inside = [kept for kept in self._kept if kept.rpartition(".")[0] == code]
        if not inside:
            return None
        return shapely.union_all(
            shapely.make_valid(shapely.from_wkb([self._kept[one] for one in inside]))
        )

    def _light(self, codes: tuple[str, ...], degrees: float) -> dict[str, Any]:
        """GeoJSON geometries for a map, for those of the areas that have an outline."""
        found = [(code, shape) for code in codes if (shape := self.shape(code)) is not None]
        light = lighter([shape for _, shape in found], degrees)
        digits = max(1, math.ceil(-math.log10(degrees)) + 1)
        return {
            code: _rounded(shapely.geometry.mapping(shape), digits)
            for (code, _), shape in zip(found, light, strict=True)
        }


def _rounded(geometry: Mapping[str, Any], digits: int) -> dict[str, Any]:
    polygons = geometry["coordinates"]
    if geometry["type"] == "Polygon":
        polygons = [polygons]
    rounded = [[list(_ring(ring, digits)) for ring in polygon] for polygon in polygons]
    return {"type": "MultiPolygon", "coordinates": rounded}


def _ring(ring: Iterable[Sequence[float]], digits: int) -> Iterator[list[float]]:
    """Without corners that rounding made the same; a small island keeps all, so that it stays a ring."""
    corners = [[round(x, digits), round(y, digits)] for x, y in ring]
    kept = [c for at, c in enumerate(corners) if not at or c != corners[at - 1]]
    yield from kept if len(kept) > 3 else ([x, y] for x, y in ring)
