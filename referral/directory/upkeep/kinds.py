"""The coded words of keeping listings true. Pure."""

from enum import StrEnum


class ChangeKind(StrEnum):
    """Why a set of changes was written."""

    NEW = "new"
    EDIT = "edit"
    CORRECTION = "correction"
    REVERT = "revert"


class ChangeStatus(StrEnum):
    """How far a set of changes has come."""

    DRAFT = "draft"
    WAITING = "waiting"
    PUBLISHED = "published"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    REVERTED = "reverted"


class Proof(StrEnum):
    """How somebody shows that they speak for an agency."""

    MAIL = "mail"
    PHONE = "phone"
    CURATOR = "curator"


class ClaimStatus(StrEnum):
    WAITING = "waiting"
    PROVEN = "proven"
    APPROVED = "approved"
    REFUSED = "refused"


class LinkPurpose(StrEnum):
    """What a signed link may be used for, once, and nothing else."""

    STILL_TRUE = "still_true"
    CLOSED = "closed"
    FIX = "fix"
    CLAIM = "claim"


class Assurer(StrEnum):
    """Who said that a listing is true, as far as it is ever told."""

    AGENCY = "agency"
    CURATOR = "curator"
    BROKER = "broker"


class Part(StrEnum):
    """The part of a listing that a report is about and that may be in doubt."""

    CATEGORIES = "categories"
    PHONES = "phones"
    ADDRESS = "address"
    SCHEDULES = "schedules"
    ELIGIBILITY = "eligibility"
    SERVICE_AREAS = "service_areas"
    REQUIRED_DOCUMENTS = "required_documents"
    COST_OPTIONS = "cost_options"
    LANGUAGES = "languages"
    CAPACITIES = "capacities"
