"""The planner's map as a page of its own: folium with local files only, no tiles, every string escaped."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

import folium

_RAMP = {"none": "#2f7f79", "small": "#eab464", "some": "#c8553d", "many": "#7a1f3d"}
_MANY = 25  # people from which a circle takes the darkest colour


@dataclass(frozen=True)
class GapPoint:
    """One area on the map: where its centre is, how many people (None: not shown), and the words for it."""

    area: str
    lat: float
    lon: float
    people: int | None
    words: Sequence[str]


class _LocalMap(folium.Map):
    """A folium map that loads nothing from elsewhere."""

    default_js: list[tuple[str, str]] = []
    default_css: list[tuple[str, str]] = []


def render(
    points: Sequence[GapPoint], *, assets: Mapping[str, str], coast: Path, label: str, lang: str
) -> str:
    """The map as an HTML page. `assets` gives the addresses of leaflet_js and leaflet_css."""
    # Without animation: a frame that is still loading would draw the coast for its first view only.
    chart = _LocalMap(
        tiles=None, zoom_animation=False, fade_animation=False, attribution_control=False
    )
    chart.default_js = [("leaflet", assets["leaflet_js"])]
    chart.default_css = [("leaflet_css", assets["leaflet_css"])]
    if coast.exists():
        folium.GeoJson(
            _coast(coast),
            style_function=lambda _: {
                "color": "#cfc8b8",
                "weight": 1,
                "fillColor": "#f4f1ea",
                "fillOpacity": 1,
                "interactive": False,
            },
        ).add_to(chart)
    if points:
        folium.GeoJson(
            {"type": "FeatureCollection", "features": [_feature(point) for point in points]},
            marker=folium.CircleMarker(radius=12, fill=True),
            style_function=_style,
            tooltip=folium.GeoJsonTooltip(fields=["words"], labels=False),
            popup=folium.GeoJsonPopup(fields=["words"], labels=False),
        ).add_to(chart)
    seen = [(point.lat, point.lon) for point in points] or list(_corners(coast))
    chart.fit_bounds([list(at) for at in seen], max_zoom=8, padding=(40, 40))
    root: Any = chart.get_root()
    root.header.add_child(
        folium.Element(
            "<style>html,body{margin:0}.folium-map.leaflet-container{background:#e6edf2;font:15px system-ui,sans-serif}</style>"
        )
    )
    root.title = escape(label)
    html: str = root.render()
    return html.replace("<html>", f'<html lang="{escape(lang)}">', 1)


def _feature(point: GapPoint) -> dict[str, Any]:
    return {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": [point.lon, point.lat]},
        "properties": {
            "tone": _tone(point.people),
            # folium writes properties into HTML as they are.
            "words": "<br>".join(escape(line) for line in (point.area, *point.words)),
        },
    }


def _tone(people: int | None) -> str:
    if people is None:
        return "small"
    return "many" if people >= _MANY else "some"


def _style(feature: Mapping[str, Any]) -> dict[str, Any]:
    colour = _RAMP[feature["properties"]["tone"]]
    return {"color": "#fff", "weight": 2, "fillColor": colour, "fillOpacity": 0.9}


def _corners(coast: Path) -> list[tuple[float, float]]:
    """What the coastline spans; the whole world where there is none."""
    if not coast.exists():
        return [(-60.0, -180.0), (75.0, 180.0)]
    rings = [
        ring
        for feature in _coast(coast)["features"]
        for polygon in feature["geometry"]["coordinates"]
        for ring in polygon
    ]
    lons, lats = zip(*(point for ring in rings for point in ring), strict=True)
    return [(min(lats), min(lons)), (max(lats), max(lons))]


@cache
def _coast(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))
