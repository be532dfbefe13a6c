"""The facts of the country this installation works in, from directory_data/country.yaml. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

_FILE = Path(__file__).parents[2] / "directory_data" / "country.yaml"


@dataclass(frozen=True)
class Country:
    """What holidays, telephone numbers, money and time need to know.

    time_zones  IANA name → beginnings of the area codes it holds; the first holds all others
    """

    code: str
    currency: str
    calling_code: str
    time_zones: Mapping[str, Sequence[str]]

    @property
    def time_zone(self) -> str:
        """Where nothing more is known."""
        return next(iter(self.time_zones))

    def time_zone_of(self, area_code: str | None) -> str:
        """The IANA zone an area lies in."""
        for zone, areas in self.time_zones.items():
            if area_code and area_code.startswith(tuple(areas)):
                return zone
        return self.time_zone


COUNTRY = Country(**yaml.safe_load(_FILE.read_text("utf-8")))
