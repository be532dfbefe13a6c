"""What the gates and the penalties make of one offer. Pure."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field

from referral.core.geo import haversine_km
from referral.matching.facts import Circumstances, Offer, Outcome, Query
from referral.matching.gates import Finding, Gate
from referral.matching.penalties import NO_CAPACITY, Penalties, Penalty, is_closed, known_capacity
from referral.matching.rules import ASSUMED_OTHER

NORMAL, OTHER_JURISDICTION, FULL, NO_POSITION = range(4)

_PASS, _FAIL = Outcome.PASS, Outcome.FAIL


@dataclass(slots=True)
class Judged:
    """What the gates and the penalties make of one offer.

    km        from the public point; of confidential offers too
    order_km  the km that the order uses
    findings  one for each gate, in the gates' order
    change    of a near miss: how large the largest change is that it takes; see gates.CHANGES
    alike     for each gate what its sentence follows from; () is found out when they are told
    alike_for_penalties  codes of the facts that penalties are about; () where they have none
    """

    offer: Offer
    km: float | None
    order_km: float | None
    findings: tuple[Finding, ...]
    failed: tuple[Gate, ...]
    eligibility_unknown: bool
    group: int
    change: float = 0.0
    penalties: Sequence[Penalty] = ()
    steps: float = 0.0
    effective_km: float | None = None
    alike: tuple[Hashable, ...] = field(default=(), compare=False, repr=False)
    alike_for_penalties: tuple[Hashable, ...] = field(default=(), compare=False, repr=False)


def judge(query: Query, offer: Offer, gates: tuple[Gate, ...], around: Circumstances) -> Judged:
    """What the gates say of an offer, and how far it is."""
    km, order_km = distance(query, offer)
    findings = tuple(gate.find(query, offer, order_km) for gate in gates)
    return judged(query, offer, (km, order_km), gates, findings, around)


def distance(query: Query, offer: Offer) -> tuple[float | None, float | None]:
    """The km to an offer, and the km that the order uses."""
    placed = offer.latitude is not None and offer.longitude is not None and not offer.remote
    if not query.near or not placed:
        return None, None
    km = haversine_km(*query.near, offer.latitude, offer.longitude)  # type: ignore[arg-type]  # `placed` says that both are known
    if route := query.route_to(offer.area_code):
        km = max(km, route.km)  # no way is shorter than the straight line
    return km, max(km, (query.precision_km + offer.precision_km) / 2)


def judged(
    query: Query,
    offer: Offer,
    kms: tuple[float | None, float | None],
    gates: tuple[Gate, ...],
    findings: tuple[Finding, ...],
    around: Circumstances,
) -> Judged:
    """What follows from the findings of the gates and from `distance`."""
    failed: tuple[Gate, ...] = ()
    eligibility_unknown = False
    group = NORMAL
    for gate, found in zip(gates, findings, strict=True):
        outcome = found.outcome
        if outcome is _PASS:
            continue
        if outcome is _FAIL:
            failed += (gate,)
        elif gate.eligibility:
            eligibility_unknown = True
            if found is ASSUMED_OTHER:
                group = OTHER_JURISDICTION
    if (offer.capacity and known_capacity(offer, query.at) == NO_CAPACITY) or (
        query.is_emergency and is_closed(query, offer, around)
    ):
        group = FULL
    if offer.latitude is None and not offer.remote:
        group = NO_POSITION
    change = max([gate.change(query, offer) for gate in failed]) if failed else 0.0
    return Judged(offer, *kms, findings, failed, eligibility_unknown, group, change)


def weigh(one: Judged, found: Penalties, step_km: float) -> None:
    """Find the penalties of an offer and add them to its distance."""
    one.penalties, one.steps, one.effective_km = weighed(one, found, step_km)


def weighed(
    one: Judged, found: Penalties, step_km: float
) -> tuple[tuple[Penalty, ...], float, float | None]:
    those = found.of(
        one.offer, eligibility_unknown=one.eligibility_unknown, alike=one.alike_for_penalties
    )
    steps = 0.0
    for penalty in those:  # not sum(), which makes up for lost digits in newer Pythons
        steps += penalty.steps
    return those, steps, None if one.order_km is None else one.order_km + step_km * steps
