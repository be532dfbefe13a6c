"""One row of a table, understood: a service with all its categories at one place. Pure."""

from dataclasses import dataclass, field
from datetime import date

from referral.directory.hours import Opening
from referral.directory.kinds import (
    AnswerMode,
    CapacityStatus,
    CategoryBasis,
    ContactMode,
    Remote,
    ServiceStatus,
    SystemType,
)


@dataclass(frozen=True)
class PrintedPhone:
    """A number as the source prints it."""

    number: str
    extension: str | None
    type: str


@dataclass
class Listing:
    """What a source says about one service. None and empty: the source does not say.

    row           line of the source, its heading being line 1
    source_id     the source's own id of the row
    place         gazetteer code or words for the area
    point         latitude and longitude, where the source gives them
    service_areas gazetteer codes; `*` is everywhere
    """

    row: int
    source_id: str
    name: str
    organization: str | None = None
    system_type: SystemType = SystemType.SOCIETAL
    facility_type: str | None = None
    description: str | None = None
    categories: dict[str, CategoryBasis] = field(default_factory=dict)
    phones: list[PrintedPhone] = field(default_factory=list)
    email: str | None = None
    url: str | None = None
    address: str | None = None
    city: str | None = None
    province: str | None = None
    place: list[str] = field(default_factory=list)
    point: tuple[float, float] | None = None
    precision_km: float | None = None
    point_source: str | None = None
    accessibility: list[str] = field(default_factory=list)
    openings: list[Opening] = field(default_factory=list)
    service_areas: list[str] = field(default_factory=list)
    remote: Remote | None = None
    confidential: bool = False
    sex: list[str] = field(default_factory=list)
    minimum_age: float | None = None
    maximum_age: float | None = None
    desil_max: int | None = None
    disabilities: list[str] = field(default_factory=list)
    languages: list[str] = field(default_factory=list)
    documents: list[tuple[str | None, str]] = field(default_factory=list)
    cost: str | None = None
    fee: str | None = None
    capacity: CapacityStatus | None = None
    status: ServiceStatus | None = None
    answer_mode: AnswerMode = AnswerMode.REPLIES
    contact_mode: ContactMode = ContactMode.DIRECT
    note: str | None = None
    source_url: str | None = None
    source_title: str | None = None
    source_date: date | None = None
    read_on: date | None = None
