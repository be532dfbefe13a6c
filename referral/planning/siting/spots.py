"""Kecamatan as points with people, and how far points are apart."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from referral.places.gazetteer import REGENCY, Gazetteer
from referral.planning.access.bands import Floats, km_of_chord, unit_vectors


@dataclass(frozen=True)
class Spot:
    """A kecamatan with people: the point that stands for it."""

    code: str
    latitude: float
    longitude: float
    precision_km: float
    is_beyond: bool


def spot_of(gazetteer: Gazetteer, code: str, *, is_beyond: bool = False) -> Spot | None:
    found = gazetteer.locate(code)
    if found is None or found.at.level < REGENCY:
        return None
    return Spot(code, found.latitude, found.longitude, found.precision_km, is_beyond)


class _Point(Protocol):
    @property
    def latitude(self) -> float: ...
    @property
    def longitude(self) -> float: ...


def vectors(points: Sequence[_Point]) -> Floats:
    """Unit vectors of points, one row each."""
    return unit_vectors([one.latitude for one in points], [one.longitude for one in points])


def km_between(here: Floats, there: Floats) -> Floats:
    """Great-circle km between two lists of unit vectors."""
    apart = np.sqrt(np.maximum(0.0, 2 - 2 * (here @ there.T)))
    km: Floats = km_of_chord(apart)
    return km
