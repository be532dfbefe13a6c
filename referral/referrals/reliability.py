"""How much can be said of a service from how its referrals went: shares drawn towards the usual, with an interval. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from scipy.special import betaincinv

from referral.matching.penalties import RELIABILITY_PRIOR

#: The share lies within the interval in nine of ten such cases.
COVERED = 0.9
#: With fewer a share says nothing yet.
FEWEST = 5


class Counts(Protocol):
    """What is counted of one service."""

    due: int
    in_time: int
    decided: int
    accepted: int
    claimed: int
    asked: int
    confirmed: int


@dataclass
class Tally:
    """Counts of many services together."""

    due: int = 0
    in_time: int = 0
    decided: int = 0
    accepted: int = 0
    claimed: int = 0
    asked: int = 0
    confirmed: int = 0


@dataclass(frozen=True)
class Share:
    """`part` of `whole`; `share` is drawn towards the usual where there were few, `low` to `high` holds it.

    The prior is a Beta distribution worth RELIABILITY_PRIOR cases around `usual`; the interval is of the posterior.
    """

    part: int
    whole: int
    usual: float

    @property
    def share(self) -> float:
        return (self.part + RELIABILITY_PRIOR * self.usual) / (self.whole + RELIABILITY_PRIOR)

    @property
    def interval(self) -> tuple[float, float]:
        yes = self.part + RELIABILITY_PRIOR * self.usual
        no = self.whole - self.part + RELIABILITY_PRIOR * (1 - self.usual)
        if yes <= 0 or no <= 0:
            return self.share, self.share
        tail = (1 - COVERED) / 2
        return float(betaincinv(yes, no, tail)), float(betaincinv(yes, no, 1 - tail))

    @property
    def says_something(self) -> bool:
        return self.whole >= FEWEST


@dataclass(frozen=True)
class Record:
    """What is known of how a service keeps its word. Claimed and confirmed stay apart: one is the agency's word, one the client's."""

    answered_in_time: Share
    accepted: Share
    claimed: int
    confirmed: Share

    @property
    def shares(self) -> tuple[Share, ...]:
        return self.answered_in_time, self.accepted, self.confirmed


#: What is taken for usual where nobody has a record.
_USUAL = 0.5


def record_of(counts: Counts, *, among: Sequence[Counts]) -> Record:
    """The record of a service; what is usual is the mean `among` all services it is compared with."""

    def usual(part: str, whole: str) -> float:
        total = sum(getattr(one, whole) for one in among)
        return sum(getattr(one, part) for one in among) / total if total else _USUAL

    def share(part: str, whole: str) -> Share:
        return Share(getattr(counts, part), getattr(counts, whole), usual(part, whole))

    return Record(
        share("in_time", "due"),
        share("accepted", "decided"),
        counts.claimed,
        share("confirmed", "asked"),
    )
