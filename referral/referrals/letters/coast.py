"""The coast behind drawings, from the file that the pages' maps use too."""

import json
from functools import cache
from pathlib import Path

import shapely

#: filled at set-up by assets/vendor.py
FILE = Path(__file__).resolve().parents[3] / "static" / "vendor" / "coast.json"


@cache
def coast() -> tuple[shapely.Polygon, ...]:
    """Land as polygons in degrees; none where the web assets were not set up."""
    if not FILE.is_file():
        return ()
    features = json.loads(FILE.read_text("utf-8"))["features"]
    return tuple(
        shapely.Polygon(outer, holes)
        for one in features
        for outer, *holes in one["geometry"]["coordinates"]
    )
