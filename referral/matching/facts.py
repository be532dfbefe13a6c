"""What the rules look at: one question, one offer of help. Pure; everything in it is plain data."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from referral.core.text import Message
from referral.directory.opening import OpeningRow
from referral.places.codes import holds

EMERGENCY = "emergency"

#: Gives the name of an area by its code.
Names = Callable[[str], str]


class Outcome(StrEnum):
    """What a gate answers. Not knowing is an answer of its own and never shuts anybody out."""

    PASS = "pass"  # noqa: S105 - not a password
    FAIL = "fail"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Place:
    """An area of the gazetteer where the client stays; `precision_km` is its half-width, km."""

    code: str
    name: str
    precision_km: float


@dataclass(frozen=True)
class Route:
    """What the office knows of the way from where the client stays to an area: its km, and how one goes."""

    to_code: str
    km: float
    how: str


@dataclass(frozen=True)
class Query:
    """Who needs what, where and when. The person facts are the beneficiary's; None or () is not known.

    need           a leaf or a domain of the taxonomy
    near           latitude and longitude distances are measured from; None: not known
    precision_km   half-width of where the client really may be: 0 when the point itself was given
    registered_in  code of the area the person is registered in
    at             aware, in the office's zone
    within         the client's travel limit, km
    is_group       a group or a village: person gates do not apply
    violence       somebody was or may be hurt by a person of their own surroundings
    able_to_pay    of the household
    routes         ways known from where the client stays
    open_only, free_only   what the worker asked to see alone; not facts of the client
    """

    need: str
    at: datetime
    near: tuple[float, float] | None = None
    precision_km: float = 0.0
    place: Place | None = None
    registered_in: str | None = None
    age: int | None = None
    sex: str | None = None
    desil: int | None = None
    disability: tuple[str, ...] = ()
    language: tuple[str, ...] = ()
    documents_lacking: tuple[str, ...] = ()
    urgency: str = "routine"
    within: float | None = None
    limit: int = 20
    is_group: bool = False
    violence: bool = False
    able_to_pay: bool | None = None
    routes: tuple[Route, ...] = ()
    open_only: bool = False
    free_only: bool = False

    @property
    def is_emergency(self) -> bool:
        return self.urgency == EMERGENCY

    def route_to(self, area_code: str | None) -> Route | None:
        """The way known to an area: the one that names it most closely, of equals the shortest."""
        if not self.routes:
            return None
        known = [route for route in self.routes if holds(route.to_code, area_code or "")]
        return min(known, key=lambda route: (-len(route.to_code), route.km), default=None)

    def asks_for(self, code: str) -> bool:
        """Whether a category lies in what is needed: a domain holds its leaves."""
        return code == self.need or (len(self.need) == 2 and code.startswith(self.need))


@dataclass(frozen=True)
class Document:
    """A paper a service asks for; `how_to_get` None: the path does not say how to get it."""

    code: str | None
    name: str
    how_to_get: str | None


@dataclass(frozen=True)
class Offer:
    """One service at one place with everything the rules need to know; None is not known.

    latitude, longitude   of a confidential place: its public point, never where it is
    categories            {code: whether the source says it (True) or its kind only suggests it (False)}
    service_areas         codes it says it serves; `*` everywhere; () not said
    assumed_area          the kab/kota that a service of its type usually keeps to
    residency, sex, desil, disability, documents, languages   None not known; empty open to all
    access, no_access     disabilities a visitor may have that the place is, or is not, made for
    fee                   True: it costs something
    due, in_time          referrals that should have been answered by now, and those that were in time
    assured_by            who checked it last, of upkeep.kinds.Assurer; None: nobody here
    in_doubt              what the agency itself said is wrong, and since when; it counts as not known
    unsafe_with_violence  neighbourhood and faith leaders, couple counselling
    """

    service_at_location_id: UUID
    service_id: UUID
    organization_id: UUID
    categories: Mapping[str, bool]
    active: bool = True
    latitude: float | None = None
    longitude: float | None = None
    precision_km: float = 0.0
    confidential: bool = False
    area_code: str | None = None
    remote: str | None = None
    service_areas: tuple[str, ...] = ()
    assumed_area: str | None = None
    residency: tuple[str, ...] | None = None
    minimum_age: float | None = None
    maximum_age: float | None = None
    sex: tuple[str, ...] | None = None
    desil: tuple[int, ...] | None = None
    disability: tuple[str, ...] | None = None
    documents: tuple[Document, ...] | None = None
    languages: tuple[str, ...] | None = None
    interprets: bool = False
    access: tuple[str, ...] = ()
    no_access: tuple[str, ...] = ()
    fee: bool | None = None
    capacity: str | None = None
    capacity_at: datetime | None = None
    capacity_until: date | None = None
    capacity_maximum: float | None = None
    hours: tuple[OpeningRow, ...] = ()
    assured_on: date | None = None
    assured_by: str | None = None
    due: int = 0
    in_time: int = 0
    open_referrals: int = 0
    unsafe_with_violence: bool = False
    in_doubt: tuple[tuple[Message, date], ...] = ()


@dataclass(frozen=True)
class Circumstances:
    """What all offers of one run share besides the query."""

    #: the category's own share of referrals answered in time; None where nobody was due
    answered_in_time: float | None = None
    #: days on which an office that is otherwise open may be closed
    holidays: frozenset[date] = field(default_factory=frozenset)
