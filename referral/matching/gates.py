"""What a gate is: a question with its findings, and a sentence for each. Pure.

Finding is cheap and done for every offer, saying it is done only for the offers that are shown.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any, NamedTuple

from referral.core.text import Message
from referral.matching.facts import Names, Offer, Outcome, Query

#: How large a change it takes until a gate no longer fails, by rule, the smallest first: what was only asked to be
#: seen alone; what the client can do; what others can decide; what nobody can change. Near misses stand in this order.
CHANGES = (
    "open_only",
    "free_only",
    "documents",
    "within",
    "accessibility",
    "jurisdiction",
    "desil",
    "age",
    "active",
    "disability",
    "sex",
    "category",
)

_SIZES = {rule: size for size, rule in enumerate(CHANGES, 1)}

Params = Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Finding:
    """One answer a gate may give, there is one of each; `key` is its sentence."""

    outcome: Outcome
    key: str


class Verdict(NamedTuple):
    """What a gate said about one offer."""

    rule: str
    outcome: Outcome
    message: Message


@dataclass(frozen=True)
class Gate:
    """One rule.

    find         gives the finding; the km is the one the order uses, None without position
    findings     all it can give
    params       what its sentences say beside themselves
    personal     looks at the person: does not apply to a group
    eligibility  not knowing it lowers the quality of the data
    off          where it fails, by how much: from 0 to less than 1. It depends on what `find` looks at except the km
    tells        what of the offer `params` looks at: offers that are equal in it share their sentences
    names_areas  its sentences name areas; all others say the same to whoever asks for their names
    """

    rule: str
    find: Callable[[Query, Offer, float | None], Finding]
    findings: tuple[Finding, ...]
    params: Callable[[Query, Offer, Names], Params]
    personal: bool = False
    eligibility: bool = True
    off: Callable[[Query, Offer], float] | None = None
    tells: Callable[[Offer], Hashable] = lambda _: None
    names_areas: bool = False

    def said(self, found: Finding, query: Query, offer: Offer, names: Names) -> Verdict:
        """What the gate found, with its sentence."""
        return Verdict(
            self.rule, found.outcome, Message(found.key, self.params(query, offer, names))
        )

    @property
    def size(self) -> int:
        """How large a change it takes for this gate not to fail: its place in CHANGES."""
        return _SIZES[self.rule]

    def change(self, query: Query, offer: Offer) -> float:
        """The same with, behind the point, by how much it fails."""
        return self.size + (self.off(query, offer) if self.off else 0.0)


def would_fit(query: Query, failed: Iterable[Verdict], km: float | None) -> tuple[Message, ...]:
    """What would have to be different for gates not to fail that said this; the km is the one the order uses."""
    far = {} if km is None else {"km": _told_km(km), "more": _told_km(km - (query.within or 0))}
    return tuple(
        [Message(f"match.{one.rule}.would_fit", {**far, **one.message.params}) for one in failed]
    )


def _told_km(km: float) -> float:
    """Up to the next 100 m: who travels less does not get there."""
    return ceil(round(km * 10, 6)) / 10
