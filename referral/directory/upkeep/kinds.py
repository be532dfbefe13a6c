"""The coded words of keeping listings true. Pure."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from referral.core.text import Message


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
    """The part of a listing that a report is about and that may be in doubt: fields of upkeep.editing."""

    CATEGORIES = "categories"
    PHONES = "phones"
    ADDRESS = "address"
    HOURS = "hours"
    ELIGIBILITY = "eligibility"
    SERVICE_AREAS = "service_areas"
    DOCUMENTS = "documents"
    COST = "cost"
    LANGUAGES = "languages"
    CAPACITY = "capacity"


@dataclass(frozen=True)
class Doubt:
    """A part of a listing (None: all of it) that its agency said is wrong; `value` is one entry of the part."""

    part: Part | None
    value: str | None
    since: datetime

    def is_about_category(self, code: str) -> bool:
        """Whether it is in doubt that a listing gives this kind of help."""
        # A need may be a whole domain, and then all of it is not offered.
        return self.part is None or (
            self.part is Part.CATEGORIES and code.startswith(self.value or "")
        )

    def is_about(self, part: Part) -> bool:
        """Whether a part of a listing is in doubt."""
        return self.part is None or self.part is part

    @property
    def message(self) -> Message:
        """What is in doubt, in words."""
        if self.part is None:
            return Message("upkeep.doubt.whole")
        if self.part is Part.CATEGORIES and self.value is not None:
            return Message(f"category.{self.value}")
        return Message(f"listing.field.{self.part}")
