"""What comes with a step of a referral. Pure."""

from dataclasses import dataclass
from datetime import date

from referral.directory.upkeep.kinds import Part
from referral.referrals.lifecycle import Field


@dataclass(frozen=True)
class Given:
    """What comes with a step; which of it is required says the lifecycle."""

    reason: str | None = None
    note: str | None = None
    review_on: date | None = None
    first_contact_on: date | None = None
    outcome: str | None = None
    outcome_on: date | None = None
    #: what of its listing the agency says is wrong; None: it did not say
    wrong_part: Part | None = None

    @property
    def fields(self) -> frozenset[Field]:
        return frozenset(field for field in Field if getattr(self, field))
