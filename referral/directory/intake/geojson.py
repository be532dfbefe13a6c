"""Features of a GeoJSON collection as rows of a table. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import ijson

from referral.core.careful_json import CarefulJson
from referral.core.errors import Invalid
from referral.core.geo import haversine_km
from referral.directory.intake.reading import Entry


def features(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Each feature with its place in the collection, the first being 1. Raises Invalid for damaged JSON."""
    yield from items(path, "features.item")


def items(path: Path, prefix: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """The objects of a list in a JSON file, one at a time; anything else in the list is passed over."""
    try:
        with path.open("rb") as file:
            if file.read(3) != b"\xef\xbb\xbf":
                file.seek(0)
            for number, item in enumerate(
                ijson.items(CarefulJson(file), prefix, use_float=True), start=1
            ):
                if isinstance(item, dict):
                    yield number, item
    except OSError as error:
        raise Invalid("directory.file.unreadable", field="path", name=path.name) from error
    except (ijson.JSONError, UnicodeDecodeError) as error:
        raise Invalid("directory.file.damaged", field="path", name=path.name) from error


def entries(path: Path) -> Iterator[Entry]:
    """Features as rows: their properties are the cells, and their geometry fills `latitude` and `longitude`.

    A list is written with vertical bars, a property inside another as `address.street`. A line or area is
    taken by the middle of what it covers, with `precision_km` half its width. The feature's own id is the
    cell `id` where no property has that name.
    """
    for number, feature in features(path):
        cells = {} if feature.get("id") is None else {"id": str(feature["id"])}
        cells |= dict(_flat(feature.get("properties") or {}))
        geometry = feature.get("geometry")
        point = middle(geometry)
        if point is None:
            if geometry:  # that it holds no point is found where latitudes are read
                cells |= {"latitude": str(geometry)[:80], "longitude": ""}
        else:
            latitude, longitude, km = point
            cells |= {"latitude": repr(latitude), "longitude": repr(longitude)}
            if km:
                cells["precision_km"] = f"{km:.2f}"
        yield number, cells, True


def middle(geometry: Any) -> tuple[float, float, float] | None:
    """Latitude and longitude of the middle of a geometry, and how far it reaches from there in km."""
    points = list(_points(geometry))
    if not points:
        return None
    lons, lats = [p[0] for p in points], [p[1] for p in points]
    lat, lon = (min(lats) + max(lats)) / 2, (min(lons) + max(lons)) / 2
    if len(points) == 1:
        return lat, lon, 0.0
    return lat, lon, haversine_km(lat, lon, max(lats), max(lons))


def _points(geometry: Any) -> Iterator[tuple[float, float]]:
    if not isinstance(geometry, Mapping):
        return
    for part in geometry.get("geometries") or ():
        yield from _points(part)
    yield from _pairs(geometry.get("coordinates"))


def _pairs(value: Any) -> Iterator[tuple[float, float]]:
    if not isinstance(value, Sequence) or isinstance(value, str):
        return
    if len(value) >= 2 and all(
        isinstance(n, (int, float)) and not isinstance(n, bool) for n in value[:2]
    ):
        yield float(value[0]), float(value[1])
        return
    for inner in value:
        yield from _pairs(inner)


def _flat(properties: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, str]]:
    for name, value in properties.items():
        key = f"{before}{name}"
        if isinstance(value, Mapping):
            yield from _flat(value, f"{key}.")
        elif isinstance(value, list):
            yield key, "|".join(_said(each) for each in value)
        else:
            yield key, _said(value)


def _said(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value).replace("\0", "")
