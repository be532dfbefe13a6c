"""What a map shows, as GeoJSON for static/js/map.js."""

from typing import Any


def pin(latitude: float, longitude: float, properties: dict[str, Any]) -> dict[str, Any]:
    """One point; its properties say what kind it is, and its number or label."""
    return {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": [longitude, latitude]},
        "properties": properties,
    }


def line(points: list[tuple[float, float]], properties: dict[str, Any]) -> dict[str, Any]:
    """A way through points, each latitude and longitude."""
    return {
        "type": "Feature",
        "geometry": {"type": "LineString", "coordinates": [[lon, lat] for lat, lon in points]},
        "properties": properties,
    }


def collection(pins: list[dict[str, Any]]) -> dict[str, Any]:
    return {"type": "FeatureCollection", "features": pins}
