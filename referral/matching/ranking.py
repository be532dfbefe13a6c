"""The order of a match: who comes first, who stands beside, who is no option. Pure."""

import heapq
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from referral.matching.facts import Circumstances, Offer, Query
from referral.matching.gates import Verdict
from referral.matching.judging import Judged, judge, weigh
from referral.matching.penalties import NO_CAPACITY, Penalties, known_capacity
from referral.matching.rules import applying, is_proposed

#: The local step is the km to this option, counted from the nearest.
STEP_OPTION = 3

STEP_WITHOUT_OPTIONS_KM = 10.0

STEP_SMALLEST_KM, STEP_LARGEST_KM = 1.0, 40.0


@dataclass(frozen=True)
class Selection:
    """Those who are shown, in order, and what is counted over everybody.

    nearest          the nearest option with a distance that may be told
    nearest_too_far  where there is no option to go to: the nearest that only the travel limit keeps out
    sayings          sentences of gates that were made for others before, by rule and then Judged.alike
    """

    step_km: float
    around: Circumstances
    options: Sequence[Judged]
    remote: Sequence[Judged]
    why_not: Sequence[Judged]
    nearest: Judged | None
    nearest_too_far: Judged | None
    tally: Mapping[str, Any]
    sayings: Mapping[str, dict[Hashable, Verdict]] = field(default_factory=dict, compare=False)


def select(
    query: Query,
    offers: Iterable[Offer],
    table: Mapping[str, float],
    *,
    need_id: str = "",
    kept_out: frozenset[Any] = frozenset(),
    holidays: frozenset[Any] = frozenset(),
) -> Selection:
    """Who of `offers` is shown, by looking at every one of them."""
    offers = [
        offer
        for offer in offers
        if offer.organization_id not in kept_out and is_proposed(query, offer)
    ]
    around = Circumstances(answered_in_time(offers), holidays)
    gates = applying(query, holidays)
    judged = [judge(query, offer, gates, around) for offer in offers]
    fitting = [one for one in judged if not one.failed]
    failing = [one for one in judged if one.failed]
    step_km = local_step_km(
        one.km
        for one in fitting
        if one.km is not None and not one.offer.confidential and not one.offer.remote
    )
    found = Penalties(query, table, around)
    for one in fitting:
        weigh(one, found, step_km)
    on_site = [one for one in fitting if not one.offer.remote]
    remote = [one for one in fitting if one.offer.remote]
    return Selection(
        step_km=step_km,
        around=around,
        options=first(query.limit, on_site, lambda one: order(query, one), need_id),
        remote=first(query.limit, remote, lambda one: (one.group, one.steps), need_id),
        why_not=first(query.limit, failing, nearness, need_id),
        nearest=nearest(on_site, need_id),
        nearest_too_far=None
        if on_site
        else nearest([one for one in failing if _is_only_too_far(one)], need_id),
        tally=_tally(query, on_site, remote, failing),
    )


def local_step_km(kms: Iterable[float]) -> float:
    """One local step: km to the third-nearest option, else the farthest, between 1 and 40."""
    nearest = heapq.nsmallest(STEP_OPTION, kms)
    step = nearest[-1] if nearest else STEP_WITHOUT_OPTIONS_KM
    return min(max(step, STEP_SMALLEST_KM), STEP_LARGEST_KM)


def tie(need_id: str, service_at_location_id: Any) -> str:
    """Orders equals: anybody can compute it, nobody can choose it."""
    return sha256(f"{need_id}:{service_at_location_id}".encode()).hexdigest()


def _is_only_too_far(one: Judged) -> bool:
    return [gate.rule for gate in one.failed] == ["within"]


def nearest(ones: Iterable[Judged], need_id: str) -> Judged | None:
    """The nearest with a distance that may be told."""
    placed = [one for one in ones if one.order_km is not None and not one.offer.confidential]
    closest = min((one.order_km or 0.0 for one in placed), default=0.0)
    return min(
        (one for one in placed if one.order_km == closest),
        key=lambda one: tie(need_id, one.offer.service_at_location_id),
        default=None,
    )


def order(query: Query, one: Judged) -> tuple[float, ...]:
    """What options are sorted by, before ties."""
    if one.effective_km is None:
        return (one.group, area_distance(query, one.offer), one.steps)
    return (one.group, one.effective_km)


def area_distance(query: Query, offer: Offer) -> int:
    """How many levels up the client's area and the offer's meet: 0 the same one."""
    here = (query.place.code if query.place else "").split(".")
    there = (offer.area_code or "").split(".")
    shared = 0
    for ours, theirs in zip(here, there, strict=False):
        if not ours or ours != theirs:
            break
        shared += 1
    return 3 - min(shared, 3)


def nearness(one: Judged) -> tuple[float, ...]:
    """What near misses are sorted by, before ties: how many gates fail, how large a change it takes, how far it is."""
    km = float("inf") if one.km is None else one.km
    return (len(one.failed), one.change, km)


def first(
    limit: int,
    ones: Sequence[Judged],
    key: Callable[[Judged], tuple[float, ...]],
    need_id: str,
) -> list[Judged]:
    """The first `limit` by key and then tie; ties are computed only where they can matter."""
    keyed = [(key(one), one) for one in ones]
    smallest = heapq.nsmallest(limit, (k for k, _ in keyed))
    if not smallest:
        return []
    contenders = [(k, one) for k, one in keyed if k <= smallest[-1]]
    contenders.sort(key=lambda pair: (pair[0], tie(need_id, pair[1].offer.service_at_location_id)))
    return [one for _, one in contenders[:limit]]


def answered_in_time(offers: Sequence[Offer]) -> float | None:
    """The category's own share of referrals answered in time."""
    due = sum(offer.due for offer in offers)
    return sum(offer.in_time for offer in offers) / due if due else None


def _tally(
    query: Query,
    on_site: Sequence[Judged],
    remote: Sequence[Judged],
    failing: Sequence[Judged],
) -> dict[str, Any]:
    failed = Counter(gate.rule for one in failing for gate in one.failed)
    alone = Counter(one.failed[0].rule for one in failing if len(one.failed) == 1)
    full = sum(known_capacity(one.offer, query.at) == NO_CAPACITY for one in (*on_site, *remote))
    return {
        "considered": len(on_site) + len(remote) + len(failing),
        "options": len(on_site),
        "remote": len(remote),
        "no_capacity": full,
        "failed": dict(failed),
        "failed_alone": dict(alone),
    }
