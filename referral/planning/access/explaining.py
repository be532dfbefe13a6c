"""Each measure in plain words with its source, for whoever reads a map of it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from referral.core.text import Message

#: In the order in which they are explained: the simplest first.
EXPLAINED = (
    "coverage",
    "nearest_km",
    "ratio",
    "balanced_per_person",
    "balanced",
    "two_step",
    "cost",
)
#: What a number is per, where people asked and where the population stands in for them.
PER_ASKED, PER_RESIDENTS = 100, 100_000


@dataclass(frozen=True)
class Explanation:
    """What a measure says, what it does not say, and who it is from."""

    measure: str
    name: Message
    plain: Message
    caution: Message
    source: Message


def explained(measure: str, *, radius_km: float, per: int = PER_ASKED) -> Explanation:
    """The words for one of EXPLAINED; places are told for `per` people."""
    given = {"km": radius_km, "per": per}
    return Explanation(
        measure,
        Message(f"access.measure.{measure}.name"),
        Message(f"access.measure.{measure}.plain", given),
        Message(f"access.measure.{measure}.caution", given),
        Message(f"access.measure.{measure}.source"),
    )


def whose_demand(supply: Mapping[str, Any]) -> Message:
    """Whose number stands for the demand; `supply` as a result has it."""
    return Message(f"access.demand.{supply['demand']['basis']}")


def per_how_many(supply: Mapping[str, Any]) -> int:
    """For how many people places are told: a hundred who asked, or 100,000 who live there."""
    return PER_ASKED if supply["demand"]["basis"] == "asked" else PER_RESIDENTS
