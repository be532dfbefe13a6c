"""What a map draws, and how far it reaches. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from referral.core.country import COUNTRY


@dataclass(frozen=True)
class Shape:
    """One area, hexagon or point on the map.

    place   its class of colour, see values.Scale.place; "plan" for a proposal
    lines   what its popup says below the title
    link    an address, or where its row stands in the page around the frame
    """

    geometry: Mapping[str, Any]
    place: str
    title: str
    lines: Sequence[str]
    link: str | None = None


def bounds(geometries: Sequence[Mapping[str, Any]]) -> tuple[float, float, float, float]:
    """West, south, east and north of what is drawn; those of the country where nothing is."""
    if not geometries:
        west, south, east, north = COUNTRY.bounds
        return west, south, east, north
    corners = [corner for geometry in geometries for corner in _corners(geometry["coordinates"])]
    lons, lats = zip(*corners, strict=True)
    return min(lons), min(lats), max(lons), max(lats)


def _corners(coordinates: Any) -> list[tuple[float, float]]:
    if isinstance(coordinates[0], (int, float)):
        return [(coordinates[0], coordinates[1])]
    return [corner for part in coordinates for corner in _corners(part)]
