"""The facts of the country this installation works in, from directory_data/country.yaml. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import yaml

_FILE = Path(__file__).parents[2] / "directory_data" / "country.yaml"


@dataclass(frozen=True)
class Country:
    """What holidays, telephone numbers, money, maps and time need to know.

    bounds            west, south, east and north in degrees, with its sea
    regency_reach_km  by code of a kab/kota, "city", code of a province, "" for all others: how near to its seat
                      three quarters of its facilities usually lie
    time_zones        IANA name → beginnings of the area codes it holds; the first holds all others
    """

    code: str
    currency: str
    calling_code: str
    bounds: Sequence[float]
    regency_reach_km: Mapping[str, float]
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

    def hours_ahead_of_utc(self, area_code: str | None) -> float:
        """What HSDS calls the time zone of an area's schedule; that of a New Year's Day, so that it is always the same."""
        offset = datetime(2026, 1, 1, tzinfo=ZoneInfo(self.time_zone_of(area_code))).utcoffset()
        return offset.total_seconds() / 3600 if offset is not None else 0.0

    def day_of(self, at: datetime) -> date:
        """Which day it is there."""
        return at.astimezone(ZoneInfo(self.time_zone)).date()


COUNTRY = Country(**yaml.safe_load(_FILE.read_text("utf-8")))
