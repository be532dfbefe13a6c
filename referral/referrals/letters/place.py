"""One service at its place, in words, as handouts and messages tell it: never a confidential point. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    """What a person needs to get there, in one language. Nothing here is about a client."""

    name: str
    organization: str
    phones: Sequence[str] = ()
    address: str | None = None
    area: str | None = None
    #: days and times; empty: not known
    hours: Sequence[tuple[str, str]] = ()
    #: what to bring, and how somebody without it gets it; empty: not said
    documents: Sequence[tuple[str, str | None]] = ()
    steps: Sequence[str] = ()
    confidential: bool = False
    #: nobody goes there: help comes by phone or online
    remote: bool = False
    latitude: float | None = None
    longitude: float | None = None
    precision_km: float = 0.0
