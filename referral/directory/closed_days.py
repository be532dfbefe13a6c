"""The days on which an office that is otherwise open may be closed. Pure."""

from datetime import date
from functools import cache

from referral.core.country import COUNTRY


@cache
def around(year: int) -> frozenset[date]:
    """Public and government holidays of a year and its neighbours' edges."""
    import holidays  # takes a third of a second, which a directory without hours need not pay

    calendar = holidays.country_holidays(
        COUNTRY.code, years=[year - 1, year, year + 1], categories=("public", "government")
    )
    return frozenset(calendar)
