"""The coded words and bounds of the directory. Pure, so that rules can know them without a database."""

from enum import StrEnum

#: nobody is older; a higher age of a person or an age limit is a mistake
OLDEST_YEARS = 130
#: the richest tenth of households: who is for all of them up to here is for everybody
HIGHEST_DESIL = 10


class SystemType(StrEnum):
    """Pincus and Minahan's kinds of resource system."""

    INFORMAL = "informal"
    FORMAL = "formal"
    SOCIETAL = "societal"


class ContactMode(StrEnum):
    """Whether the resource system sees the client itself, or must be told by the worker."""

    DIRECT = "direct"
    INDIRECT = "indirect"


class AnswerMode(StrEnum):
    """How a service answers a referral."""

    REPLIES = "replies"
    WALK_IN = "walk_in"
    DECISION = "decision"


class ServiceStatus(StrEnum):
    ACTIVE = "active"
    INACTIVE = "inactive"
    DEFUNCT = "defunct"
    TEMPORARILY_CLOSED = "temporarily closed"


class CapacityStatus(StrEnum):
    """FHIR SDOH Clinical Care's words for room."""

    CAPACITY = "capacity"
    NO_CAPACITY = "no-capacity"
    WAITLIST = "waitlist"
    ADDITIONAL_ASSESSMENT = "additional-assessment-required"


class CategoryBasis(StrEnum):
    """Whether the source says that a service does this, or only its kind of facility suggests it."""

    STATED = "stated"
    INFERRED = "inferred"


class Remote(StrEnum):
    """A service that needs no visit."""

    PHONE = "phone"
    ONLINE = "online"


class Criterion(StrEnum):
    """What an eligibility rule looks at; ages are HSDS columns of the service itself."""

    SEX = "sex"
    DESIL = "desil"
    DISABILITY = "disability"
    RESIDENCY = "residency"
