"""The map as one picture for paper and for download: an SVG that carries its own colours. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from math import cos, radians
from typing import Any

from referral.planning.maps.palette import EDGE, LAND, MARK, PLAIN, RAMPS, SEA, SHORE
from referral.planning.maps.shapes import Shape, bounds

WIDTH = 1200
_TALLEST = 1000
_ROOM = 0.02  # of the width on each side
_PATTERNS = (
    '<pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    f'<rect width="2" height="6" fill="{MARK}"/></pattern>'
    '<pattern id="dots" width="7" height="7" patternUnits="userSpaceOnUse">'
    '<circle cx="3.5" cy="3.5" r="1.7" fill="#8a5a00"/></pattern>'
)


def drawing(
    shapes: Sequence[Shape], *, land: Iterable[Mapping[str, Any]], ramp: str, label: str
) -> str:
    """The shapes above the land around them, in a frame as wide as `WIDTH`."""
    west, south, east, north = bounds([shape.geometry for shape in shapes])
    stretch = cos(radians((south + north) / 2))
    across, up = max((east - west) * stretch, 0.2), max(north - south, 0.2)
    unit = min(WIDTH * (1 - 2 * _ROOM) / across, _TALLEST / up)
    height = round(up * unit + 2 * _ROOM * WIDTH)
    left = (WIDTH - across * unit) / 2

    def at(corner: Sequence[float]) -> str:
        x = left + (corner[0] - west) * stretch * unit
        y = _ROOM * WIDTH + (north - corner[1]) * unit
        return f"{x:.1f} {y:.1f}"

    def path(geometry: Mapping[str, Any]) -> str:
        kind, coordinates = geometry["type"], geometry["coordinates"]
        polygons = coordinates if kind == "MultiPolygon" else [coordinates]
        return "".join(
            f"M{'L'.join(at(corner) for corner in ring)}Z"
            for polygon in polygons
            for ring in polygon
        )

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" role="img" aria-label="{escape(label)}">',
        f"<defs>{_PATTERNS}</defs>",
        f'<rect width="{WIDTH}" height="{height}" fill="{SEA}"/>',
    ]
    parts += [
        f'<path d="{path(one)}" fill="{LAND}" stroke="{SHORE}" stroke-width="0.8"/>'
        for one in land
        if one["type"] in ("Polygon", "MultiPolygon")
    ]
    for shape in shapes:
        fill, pattern = _fill(shape.place, ramp)
        for paint in (fill, f"url(#{pattern})" if pattern else None):
            if paint is not None:
                parts.append(_drawn(shape, paint, path, at))
    return "".join([*parts, "</svg>"])


def _drawn(shape: Shape, paint: str, path: Any, at: Any) -> str:
    if shape.geometry["type"] == "Point":
        x, y = at(shape.geometry["coordinates"]).split()
        radius, edge = (6, "#16202a") if shape.place == "plan" else (9, EDGE)
        return f'<circle cx="{x}" cy="{y}" r="{radius}" fill="{paint}" stroke="{edge}" stroke-width="1.5"/>'
    return f'<path d="{path(shape.geometry)}" fill="{paint}" stroke="{EDGE}" stroke-width="0.6"/>'


def _fill(place: str, ramp: str) -> tuple[str, str | None]:
    if place == "plan":
        return "#ffc53d", None
    return PLAIN[place] if place in PLAIN else (RAMPS[ramp][int(place[1:])], None)
