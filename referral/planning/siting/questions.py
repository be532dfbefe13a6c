"""What can be asked about where a resource should stand, and how far is near where nobody has said. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

import numpy as np

from referral.core.errors import Invalid
from referral.planning.access.bands import Floats, km_of_chord

#: Sites are looked for up to so many at once.
MOST_SITES = 5
#: How far a radius may be, km.
LEAST_KM, MOST_KM = 1, 300
#: Beside the radius that was asked for, how far it is changed to see how much hangs on it.
FACTORS = (0.5, 1.0, 1.5, 2.0)
#: Radii that are offered by themselves, km.
STEPS_KM = (5, 10, 25, 50)
#: An area is this many of its radii wide: from its middle to nine of ten of its kecamatan.
RADII_IN_AREA = 2
_FAR_SHARE = 0.9


class Aim(StrEnum):
    """What is made best."""

    #: as many people as can be have one within the radius
    PEOPLE = "people"
    #: people have as few km in sum as can be to the nearest
    DISTANCE = "distance"


class Kind(StrEnum):
    """What a site may be; where two are equally good, the earlier kind stands first."""

    AGENCY = "agency"
    SEAT = "seat"
    HEX = "hex"


class By(StrEnum):
    """Who is counted."""

    #: people who asked and whom nothing met
    NEEDS = "needs"
    #: everybody who lives there
    POPULATION = "population"


@dataclass(frozen=True)
class Question:
    """Where should a resource of one category stand, for the people of one area?

    services     kinds of facility that count as being there already, "" for those without a kind; None: all
    beyond       people who live within the radius of the area's border count too
    same_island  nobody crosses the sea within the radius
    """

    category: str
    area: str
    within_km: float
    aim: Aim = Aim.PEOPLE
    kinds: tuple[Kind, ...] = (Kind.AGENCY, Kind.SEAT)
    by: By = By.NEEDS
    services: tuple[str, ...] | None = None
    beyond: bool = True
    same_island: bool = True
    most: int = MOST_SITES

    def __post_init__(self) -> None:
        if not LEAST_KM <= self.within_km <= MOST_KM:
            raise Invalid("siting.within", field="within", lowest=LEAST_KM, highest=MOST_KM)
        if not 1 <= self.most <= MOST_SITES:
            raise Invalid("siting.most", field="most", highest=MOST_SITES)
        if not self.kinds:
            raise Invalid("siting.kinds", field="kinds")

    def as_json(self) -> dict[str, Any]:
        return {
            "within_km": self.within_km,
            "aim": self.aim.value,
            "kinds": [kind.value for kind in self.kinds],
            "by": self.by.value,
            "services": None if self.services is None else list(self.services),
            "beyond": self.beyond,
            "same_island": self.same_island,
            "most": self.most,
        }

    @classmethod
    def from_json(cls, category: str, area: str, kept: Mapping[str, Any]) -> Self:
        services = kept["services"]
        return cls(
            category,
            area,
            within_km=kept["within_km"],
            aim=Aim(kept["aim"]),
            kinds=tuple(Kind(kind) for kind in kept["kinds"]),
            by=By(kept["by"]),
            services=None if services is None else tuple(services),
            beyond=kept["beyond"],
            same_island=kept["same_island"],
            most=kept["most"],
        )


@dataclass(frozen=True)
class Near:
    """A radius that fits an area, and what it was chosen by: nine of ten kecamatan lie within `far_km` of its middle."""

    within_km: int
    far_km: float


def near_enough(places: Floats) -> Near:
    """The largest of the offered radii that the area is RADII_IN_AREA wide; the smallest for a small one.

    places  unit vectors
    """
    if not len(places):
        return Near(STEPS_KM[1], 0.0)
    middle = places.mean(axis=0)
    length = np.linalg.norm(middle)
    middle = middle / length if length else places[0]
    km = km_of_chord(np.linalg.norm(places - middle, axis=1))
    far_km = float(np.quantile(km, _FAR_SHARE))
    return Near(_step(far_km / RADII_IN_AREA), far_km)


def _step(km: float, steps: Sequence[int] = STEPS_KM) -> int:
    return max((step for step in steps if step <= km), default=steps[0])
