"""Measures in plain words with their source, for whoever reads a table of them. Pure."""

from collections.abc import Mapping
from typing import Any

from referral.core.text import Message

#: In the order in which they are explained: the simplest first.
EXPLAINED = ("coverage", "nearest_km", "balanced_per_person", "cost")
#: What a number is per, where people asked and where the population stands in for them.
PER_ASKED, PER_RESIDENTS = 100, 100_000


def explained(measure: str, *, radius_km: float, per: int) -> Message:
    """What one of EXPLAINED says, what it does not say, and who it is from; places are told for `per` people."""
    given = {"km": radius_km, "per": per}
    return Message(
        "access.explained",
        {
            "name": Message(f"access.measure.{measure}.name"),
            "plain": Message(f"access.measure.{measure}.plain", given),
            "caution": Message(f"access.measure.{measure}.caution", given),
            "source": Message(f"access.measure.{measure}.source"),
        },
    )


def whose_demand(supply: Mapping[str, Any]) -> Message:
    """Whose number stands for the demand; `supply` as a result has it."""
    return Message(f"access.demand.{supply['demand']['basis']}")


def per_how_many(supply: Mapping[str, Any]) -> int:
    """For how many people places are told: a hundred who asked, or 100,000 who live there."""
    return PER_ASKED if supply["demand"]["basis"] == "asked" else PER_RESIDENTS
