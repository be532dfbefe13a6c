"""Distance on a sphere. Pure."""

from math import asin, atan2, cos, degrees, radians, sin, sqrt

EARTH_RADIUS_KM = 6371.009  # mean radius, the sphere on which every distance here is measured
KM_PER_DEGREE = EARTH_RADIUS_KM * radians(1)  # of latitude


def haversine_km(lat1: float, lon1: float, lat2: float, lon2: float) -> float:
    """Great-circle distance in km; exact on the sphere, also at poles and across the antimeridian."""
    p1, p2 = radians(lat1), radians(lat2)
    half_lat, half_lon = (p2 - p1) / 2, radians(lon2 - lon1) / 2
    a = sin(half_lat) ** 2 + cos(p1) * cos(p2) * sin(half_lon) ** 2
    return 2 * EARTH_RADIUS_KM * asin(min(1.0, sqrt(a)))


def is_on_earth(lat: float, lon: float) -> bool:
    return -90 <= lat <= 90 and -180 <= lon <= 180


def bearing_degrees(lat1: float, lon1: float, lat2: float, lon2: float) -> float:
    """Direction in which the shortest way from the first point to the second begins: 0 north, 90 east."""
    p1, p2, across = radians(lat1), radians(lat2), radians(lon2 - lon1)
    east = sin(across) * cos(p2)
    north = cos(p1) * sin(p2) - sin(p1) * cos(p2) * cos(across)
    return degrees(atan2(east, north)) % 360
