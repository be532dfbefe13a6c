"""Maps as answers: a page for a frame, which may load nothing from elsewhere, and one picture."""

from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from flask import Response, current_app, url_for

from referral.planning.maps import page
from referral.planning.maps.drawing import drawing
from referral.planning.maps.shapes import Shape
from referral.web.language import chosen


def framed(
    shapes: Sequence[Shape], *, label: str, ramp: str, rows: str = "", to_row: str = ""
) -> Response:
    """The map for a frame; `rows` and `to_row` as maps.page.render has them."""
    tiles = _tiles()
    made = page.render(
        shapes,
        assets={
            "leaflet_js": url_for("static", filename="vendor/leaflet/leaflet.js"),
            "leaflet_css": url_for("static", filename="vendor/leaflet/leaflet.css"),
        },
        coast=_coast(),
        label=label,
        lang=chosen(),
        ramp=ramp,
        rows=rows,
        to_row=to_row,
        tiles=tiles,
    )
    answer = Response(made, mimetype="text/html")
    # folium writes inline scripts; the frame is sandboxed and may load our own files only. Where it has links,
    # one that is followed by hand leads out of it.
    leaves = " allow-top-navigation-by-user-activation" if rows else ""
    pictures = "'self' data:" + (f" {_origin(tiles.url)}" if tiles else "")
    answer.headers["Content-Security-Policy"] = (
        f"sandbox allow-scripts{leaves}; default-src 'none'; script-src 'self' 'unsafe-inline'; "
        "style-src 'self' 'unsafe-inline'; "
        f"img-src {pictures}; frame-ancestors 'self'"
    )
    return answer


def svg(shapes: Sequence[Shape], *, label: str, ramp: str) -> str:
    """The same for paper, for files and for browsers without scripts."""
    return drawing(shapes, land=page.land_around(_coast()), ramp=ramp, label=label)


def _coast() -> Path:
    """The coastline that set-up made."""
    return Path(str(current_app.static_folder)) / "vendor" / "coast.json"


def _tiles() -> page.Tiles | None:
    settings = current_app.config["SETTINGS"]
    if not settings.MAP_TILES:
        return None
    whose = settings.MAP_ATTRIBUTION or urlsplit(settings.MAP_TILES).netloc
    return page.Tiles(settings.MAP_TILES, whose)


def _origin(url: str) -> str:
    """Scheme and host of a tile server; {s} stands for several of its names."""
    parts = urlsplit(url.replace("{s}", "*"))
    return f"{parts.scheme}://{parts.netloc}"
