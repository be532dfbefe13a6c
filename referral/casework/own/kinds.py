"""The coded words of people's own help."""

from enum import StrEnum


class Published(StrEnum):
    """What of a helper may be known to all; each is asked by itself."""

    NAME = "name"
    PHONE = "phone"
    PLACE = "place"


class Ended(StrEnum):
    """Why a helper is asked no more."""

    MOVED = "moved"
    NO_TIME = "no_time"
    UNWELL = "unwell"
    NOT_NEEDED = "not_needed"
    NOT_SUITED = "not_suited"
    OTHER = "other"
