"""Quarters of a year, as 2026-Q3, in the time of the country's first zone. Pure."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from referral.core.country import COUNTRY

#: Quarters that a release adds up.
WINDOW = 4
_MONTHS = 3


def quarter_of(at: datetime) -> str:
    """The quarter that holds this moment."""
    day = COUNTRY.day_of(at)
    return _named(day.year * 4 + (day.month - 1) // _MONTHS)


def before(quarter: str, steps: int = 1) -> str:
    """The quarter so many earlier."""
    return _named(_number(quarter) - steps)


def window(quarter: str) -> tuple[str, ...]:
    """The quarters of a release that ends with this one, oldest first."""
    return tuple(before(quarter, steps) for steps in range(WINDOW - 1, -1, -1))


def end_of(quarter: str) -> datetime:
    """The first moment after it."""
    year, place = divmod(_number(quarter) + 1, 4)
    zone = ZoneInfo(COUNTRY.time_zone)
    return datetime(year, place * _MONTHS + 1, 1, tzinfo=zone).astimezone(UTC)


def _number(quarter: str) -> int:
    year, _, place = quarter.partition("-Q")
    return int(year) * 4 + int(place) - 1


def _named(number: int) -> str:
    return f"{number // 4}-Q{number % 4 + 1}"
