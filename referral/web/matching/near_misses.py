"""The places that do not fit, grouped by what would have to change."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

from referral.matching.asking import FARTHEST_KM
from referral.web.formatting import label
from referral.web.matching.options import Card

SEVERAL = "several"
#: What the worker asked for alone and can let go with one press.
_ASKED_ALONE = ("open_only", "free_only", "within")


@dataclass(frozen=True)
class NearMisses:
    """One group. total: of all places, not only those shown; widen_km: how far the nearest is, where that is all;
    may_drop: whether the filter that keeps them out can be taken away."""

    rule: str
    title: str
    total: int
    cards: list[Card]
    widen_km: int | None
    may_drop: bool


def grouped(content: Mapping[str, Any], cards: Sequence[Card]) -> list[NearMisses]:
    """The near misses of a receipt by the rule that keeps them out, in the receipt's order; several rules last."""
    entries = content["why_not"]
    rules = [one["failed"][0] if len(one["failed"]) == 1 else SEVERAL for one in entries]
    alone = content["tally"]["failed_alone"]
    others = content["why_not_total"] - sum(alone.values())
    groups = []
    for rule in sorted(dict.fromkeys(rules), key=lambda rule: rule == SEVERAL):
        inside = [index for index, of in enumerate(rules) if of == rule]
        groups.append(
            NearMisses(
                rule=rule,
                title=label(f"match.near_miss.{rule}"),
                total=others if rule == SEVERAL else alone[rule],
                cards=[cards[index] for index in inside],
                widen_km=_reach_km([cards[index] for index in inside])
                if rule == "within"
                else None,
                may_drop=rule in _ASKED_ALONE,
            )
        )
    return groups


def nearest_km(groups: Sequence[NearMisses]) -> int | None:
    """How far one would have to travel to the nearest place that is only too far."""
    return next((group.widen_km for group in groups if group.widen_km), None)


def _reach_km(cards: Sequence[Card]) -> int | None:
    kms = [card.km for card in cards if card.km is not None]
    # Printed km are rounded: a place at 61.0004 km is not within 61.
    return min(ceil(min(kms) + 0.001), int(FARTHEST_KM)) if kms else None
