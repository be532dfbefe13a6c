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
    """What a signed link may be used for, and nothing else."""

    VERIFY = "verify"
    CLAIM = "claim"
