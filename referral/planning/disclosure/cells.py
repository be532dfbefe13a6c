"""How one count may be seen. Pure."""

from dataclasses import dataclass
from enum import StrEnum


class Shown(StrEnum):
    COUNT = "count"
    #: 1 … threshold-1, written as "<5"; never a total
    SMALL = "small"
    #: hidden so that a small one can't be worked out; may be any number
    WITHHELD = "withheld"


@dataclass(frozen=True)
class Cell:
    """One count as it may be seen; `count` is None unless it is shown."""

    shown: Shown
    count: int | None = None


def mark(shown: Shown, threshold: int) -> str:
    """What stands in a table in place of a hidden count: "<5", or a dash."""
    return f"<{threshold}" if shown is Shown.SMALL else "–"
