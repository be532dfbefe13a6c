"""An office's own pattern of letter numbers, as `{number:03}/PS/{roman_month}/{year}`. Pure."""

import re
from datetime import date

from referral.core.errors import Invalid

_ROMAN = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII")
_FIELD = re.compile(r"\{(number(?::0\d)?|year|month|roman_month)\}")
LONGEST_NUMBER = 60


def check_pattern(pattern: str) -> None:
    """Raises Invalid for a pattern that does not hold the number, or holds a word we don't know."""
    rest = _FIELD.sub("", pattern)
    if "{" in rest or "}" in rest or "{number" not in pattern or len(pattern) > LONGEST_NUMBER:
        raise Invalid("letter.pattern", field="number_pattern")


def numbered(pattern: str, sequence: int, on: date) -> str:
    """The letter number of the year's `sequence`-th letter, signed on this day."""

    def written(found: re.Match[str]) -> str:
        name, _colon, width = found[1].partition(":")
        values = {
            "number": str(sequence).zfill(int(width or 0)),
            "year": str(on.year),
            "month": f"{on.month:02}",
            "roman_month": _ROMAN[on.month - 1],
        }
        return values[name]

    return _FIELD.sub(written, pattern)
