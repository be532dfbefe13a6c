"""The planner's map as a page of its own: folium with local files only, every string told as text, never as HTML."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

import folium
import shapely
from branca.element import MacroElement
from jinja2 import Template

from referral.core.country import COUNTRY
from referral.planning.maps.palette import RAMPS, STYLES
from referral.planning.maps.shapes import Shape, bounds

#: How far beyond the country its neighbours are drawn.
_AROUND_DEGREES = 5.0
_COAST_DEGREES = 0.03
_TEMPLATE = re.compile(r"\{(?=[{%#])")


@dataclass(frozen=True)
class Tiles:
    """Background pictures from a server, where an installation has chosen one."""

    url: str
    attribution: str


class _LocalMap(folium.Map):
    """A folium map that loads nothing from elsewhere."""

    default_js: list[tuple[str, str]] = []
    default_css: list[tuple[str, str]] = []


class _Shapes(MacroElement):
    """All shapes in one layer. Popups are built as text nodes: nothing in them is ever read as HTML or script."""

    _template = Template(
        """
        {% macro script(this, kwargs) %}
        (function () {
          const told = {{ this.told }}, chart = {{ this._parent.get_name() }};
          L.geoJSON(told.land, {interactive: false, style: {className: 'land'}}).addTo(chart);
          const words = shape => {
            const box = document.createElement('div');
            const line = (tag, text) => { const made = document.createElement(tag); made.textContent = text; box.append(made); };
            line('strong', shape.title);
            shape.lines.forEach(text => line('div', text));
            if (shape.link) {
              const link = document.createElement('a');
              link.href = shape.link.startsWith('/') ? shape.link : told.rows + shape.link; link.target = '_top'; link.textContent = told.to_row;
              box.append(link);
            }
            return box;
          };
          L.geoJSON(told.shapes, {
            style: one => ({className: 'shape ' + one.properties.place}),
            pointToLayer: (one, at) => L.circleMarker(at, {radius: one.properties.place === 'plan' ? 7 : 9}),
            onEachFeature: (one, layer) => {
              layer.bindPopup(() => words(one.properties));
              layer.bindTooltip(() => { const made = document.createElement('span'); made.textContent = one.properties.title + ': ' + (one.properties.lines[0] || ''); return made; }, {sticky: true});
            },
          }).addTo(chart);
        })();
        {% endmacro %}
        """
    )

    def __init__(self, told: str) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._name, self.told = "Shapes", told


def render(
    shapes: Sequence[Shape],
    *,
    assets: Mapping[str, str],
    coast: Path,
    label: str,
    lang: str,
    ramp: str,
    rows: str,
    to_row: str,
    tiles: Tiles | None = None,
) -> str:
    """The map as an HTML page. `assets` gives the addresses of leaflet_js and leaflet_css; `ramp` one of RAMPS.

    rows    the address of the table around the frame, up to the name of a row;  to_row  the words of such a link
    """
    if ramp not in RAMPS:
        raise KeyError(ramp)
    # Without animation: a frame that is still loading would draw the coast for its first view only.
    chart = _LocalMap(
        tiles=None,
        zoom_animation=False,
        fade_animation=False,
        attribution_control=tiles is not None,
        zoom_snap=0.1,
    )
    chart.default_js = [("leaflet", assets["leaflet_js"])]
    chart.default_css = [("leaflet_css", assets["leaflet_css"])]
    if tiles:
        folium.TileLayer(tiles=tiles.url, attr=_text(tiles.attribution)).add_to(chart)
    told = {
        "land": {
            "type": "GeometryCollection",
            "geometries": [] if tiles else land_around(coast),
        },
        "shapes": {"type": "FeatureCollection", "features": [_feature(one) for one in shapes]},
        "rows": rows,
        "to_row": to_row,
    }
    _Shapes(_json(told)).add_to(chart)
    west, south, east, north = bounds([one.geometry for one in shapes])
    chart.fit_bounds([[south, west], [north, east]], max_zoom=10, padding=(12, 12))
    root: Any = chart.get_root()
    root.header.add_child(folium.Element(STYLES))
    root.title = _text(label)
    html: str = root.render()
    html = html.replace("<html>", f'<html lang="{escape(lang)}">', 1)
    return html.replace("<body>", f'<body class="{ramp}">{_PATTERNS}', 1)


_PATTERNS = (
    '<svg width="0" height="0" aria-hidden="true"><defs>'
    '<pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    '<rect class="under" width="6" height="6"/><rect class="over" width="2" height="6"/></pattern>'
    '<pattern id="dots" width="7" height="7" patternUnits="userSpaceOnUse">'
    '<rect class="under" width="7" height="7"/><circle class="over" cx="3.5" cy="3.5" r="1.7"/></pattern>'
    "</defs></svg>"
)


def _feature(shape: Shape) -> dict[str, Any]:
    return {
        "type": "Feature",
        "geometry": shape.geometry,
        "properties": {
            "place": shape.place,
            "title": shape.title,
            "lines": list(shape.lines),
            "link": shape.link,
        },
    }


def _text(words: str) -> str:
    """Words inside HTML that folium reads as a template once more."""
    return escape(words).replace("{", "&#123;")


def _json(told: Mapping[str, Any]) -> str:
    """JSON that ends no script, opens no tag and is no template, whatever it holds.

    folium reads what it was given as a template once more: two braces in a listing's name would run on our machine.
    In JSON itself no brace is followed by one of these signs.
    """
    text = json.dumps(told, ensure_ascii=True, separators=(",", ":"))
    text = text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    return _TEMPLATE.sub("\\\\u007b", text)


@cache
def land_around(coast: Path) -> list[dict[str, Any]]:
    """The land around the country, coarse: background only. Nothing where the web assets were not set up."""
    if not coast.exists():
        return []
    box = shapely.box(*COUNTRY.bounds).buffer(_AROUND_DEGREES, join_style="mitre")
    shapes = [
        shapely.intersection(shapely.make_valid(shapely.geometry.shape(feature["geometry"])), box)
        for feature in json.loads(coast.read_text("utf-8"))["features"]
    ]
    light = shapely.simplify(shapely.get_parts(shapely.get_parts(shapes)), _COAST_DEGREES)
    return [
        {"type": "Polygon", "coordinates": _rounded(shape)}
        for shape in light
        if shape.geom_type == "Polygon" and not shape.is_empty
    ]


def _rounded(shape: Any) -> list[list[list[float]]]:
    return [
        [[round(x, 2), round(y, 2)] for x, y in ring.coords]
        for ring in (shape.exterior, *shape.interiors)
    ]
