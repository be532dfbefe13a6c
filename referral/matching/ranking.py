"""The order of a match: who comes first, who stands beside, who is no option and why. Pure."""

import heapq
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from operator import getitem
from typing import Any, NamedTuple

from referral.core.geo import bearing_degrees, haversine_km
from referral.core.text import Message
from referral.matching.facts import Circumstances, Names, Offer, Outcome, Query, Route
from referral.matching.penalties import NO_CAPACITY, Penalties, Penalty, is_closed, known_capacity
from referral.matching.rules import (
    ASSUMED_OTHER,
    Finding,
    Gate,
    Verdict,
    applying,
    is_proposed,
)
from referral.places.land import Crossing, Land

#: The local step is the km to this option, counted from the nearest.
STEP_OPTION = 3
STEP_WITHOUT_OPTIONS_KM = 10.0
STEP_SMALLEST_KM, STEP_LARGEST_KM = 1.0, 40.0
#: Above this the place is an area and not a door: its distance is told as a range.
DOOR_PRECISION_KM = 1.0
#: What is called near when the client has said no limit.
NEAR_KM = 25.0

#: Where an option lies from where the client stays, clockwise from the north.
BEARINGS = ("N", "NE", "E", "SE", "S", "SW", "W", "NW")

NORMAL, OTHER_JURISDICTION, FULL, NO_POSITION = range(4)
_FAIL, _UNKNOWN = Outcome.FAIL, Outcome.UNKNOWN


class Ranked(NamedTuple):
    """One offer in its place.

    km            None for remote and confidential offers and without position; unrounded
    precision_km  half-width of the distance: the client's and the offer's together
    effective_km  what the order is by: order km and penalties
    failed        rules that keep it from being an option
    change        of a near miss: how large the largest change is that it takes; see rules.CHANGES
    straight_km   as the crow flies; like what follows only where a distance may be told
    bearing       one of BEARINGS; None where the two places are too roughly known
    route         the way that the office knows
    crossing      of an option: whether it lies on another island
    """

    offer: Offer
    group: int
    km: float | None
    band: tuple[float, float] | None
    precision_km: float | None
    effective_km: float | None
    penalties: tuple[Penalty, ...]
    verdicts: tuple[Verdict, ...]
    failed: tuple[str, ...] = ()
    would_fit_if: tuple[Message, ...] = ()
    change: float = 0.0
    straight_km: float | None = None
    bearing: str | None = None
    route: Route | None = None
    crossing: Crossing | None = None


@dataclass(frozen=True)
class Ranking:
    """What a query gives.

    tally  counts over all offers, not only those shown: `considered`, `options`, `remote`,
           `no_capacity` (options), `failed` {rule: offers}, `failed_alone` {rule: offers that only
           this rule keeps out}
    """

    step_km: float
    options: tuple[Ranked, ...]
    remote: tuple[Ranked, ...]
    why_not: tuple[Ranked, ...]
    why_not_total: int
    coverage: Message
    tally: Mapping[str, Any]


@dataclass
class Judged:
    """What the gates and the penalties make of one offer.

    km        from the public point; of confidential offers too
    order_km  the km that the order uses
    findings  one for each gate, in the gates' order
    change    of a near miss: how large the largest change is that it takes; see rules.CHANGES
    alike     for each gate what its sentence follows from; () is found out when they are told
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


@dataclass(frozen=True)
class Selection:
    """Those who are shown, in order, and what is counted over everybody.

    nearest          the nearest option with a distance that may be told
    nearest_too_far  where there is no option to go to: the nearest that only the travel limit keeps out
    """

    step_km: float
    around: Circumstances
    options: Sequence[Judged]
    remote: Sequence[Judged]
    why_not: Sequence[Judged]
    nearest: Judged | None
    nearest_too_far: Judged | None
    tally: Mapping[str, Any]


def rank(
    query: Query,
    offers: Iterable[Offer],
    table: Mapping[str, float],
    *,
    need_id: str = "",
    kept_out: frozenset[Any] = frozenset(),
    holidays: frozenset[Any] = frozenset(),
    names: Names = str,
) -> Ranking:
    """The ranking of `offers` for `query`, by looking at every one of them.

    table     steps by rule, as directory_data/penalties.csv
    need_id   makes the order of equals this need's own; "" without a need
    kept_out  organizations the client must never be sent to: in no list and no count
    names     gives areas their names in sentences
    """
    selection = select(query, offers, table, need_id=need_id, kept_out=kept_out, holidays=holidays)
    return told(query, selection, table, names=names)


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


def told(
    query: Query,
    selection: Selection,
    table: Mapping[str, float],
    *,
    names: Names = str,
    land: Land | None = None,
) -> Ranking:
    """A selection with its sentences; `land` tells which options lie on another island."""
    gates = applying(query, selection.around.holidays)
    found = Penalties(query, table, selection.around)
    verdicts = _Verdicts(query, gates, names)

    def shown(ones: Sequence[Judged], land: Land | None = None) -> tuple[Ranked, ...]:
        step_km = selection.step_km
        return tuple([_ranked(query, one, found, step_km, names, land, verdicts) for one in ones])

    return Ranking(
        step_km=selection.step_km,
        options=shown(selection.options, land),
        remote=shown(selection.remote),
        why_not=shown(selection.why_not),
        why_not_total=_failing(selection.tally),
        coverage=coverage(query, selection, names),
        tally=selection.tally,
    )


def local_step_km(kms: Iterable[float]) -> float:
    """One local step: km to the third-nearest option, else the farthest, between 1 and 40."""
    nearest = heapq.nsmallest(STEP_OPTION, kms)
    step = nearest[-1] if nearest else STEP_WITHOUT_OPTIONS_KM
    return min(max(step, STEP_SMALLEST_KM), STEP_LARGEST_KM)


def tie(need_id: str, service_at_location_id: Any) -> str:
    """Orders equals: anybody can compute it, nobody can choose it."""
    return sha256(f"{need_id}:{service_at_location_id}".encode()).hexdigest()


def coverage(query: Query, selection: Selection, names: Names) -> Message:
    """One sentence about how well the need is covered from here. A confidential place is in it as a count only."""
    category = {"category": Message(f"category.{query.need}")}
    on_site, remote = selection.tally["options"], selection.tally["remote"]
    failing = _failing(selection.tally)
    if not on_site and selection.nearest_too_far is not None:
        return Message(
            "match.coverage.none_within_but_remote" if remote else "match.coverage.none_within",
            category
            | {"within": query.within or 0}
            | ({"count": remote} if remote else {})
            | _whereabouts(query, selection.nearest_too_far, names),
        )
    if not on_site and remote:
        return Message("match.coverage.remote_only", category | {"count": remote})
    if not on_site:
        key = "match.coverage.none_fits" if failing else "match.coverage.none_known"
        return Message(key, category | ({"count": failing} if failing else {}))
    near = selection.nearest
    if near is None or near.order_km is None:
        return Message("match.coverage.no_distance", {"count": on_site})
    key = "far" if near.order_km > NEAR_KM else "near"
    return Message(
        f"match.coverage.{key}",
        {"count": on_site, "near": NEAR_KM} | _whereabouts(query, near, names),
    )


def _failing(tally: Mapping[str, Any]) -> int:
    return int(tally["considered"] - tally["options"] - tally["remote"])


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


def _whereabouts(query: Query, one: Judged, names: Names) -> dict[str, Any]:
    """How far and where it is, and what the km are: the way that the office knows, or a straight line."""
    offer = one.offer
    where = Message("match.empty")
    if offer.area_code:
        where = Message("match.coverage.in", {"area": names(offer.area_code)})
    if query.route_to(offer.area_code):
        how = Message("match.coverage.known_way")
    elif query.precision_km + offer.precision_km > DOOR_PRECISION_KM:
        how = Message("match.coverage.roughly")
    else:
        how = Message("match.coverage.straight")
    return {"km": one.order_km, "where": where, "how": how}


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
    failed = []
    eligibility_unknown = False
    group = NORMAL
    for gate, found in zip(gates, findings, strict=True):
        outcome = found.outcome
        if outcome is _FAIL:
            failed.append(gate)
        elif outcome is _UNKNOWN:
            eligibility_unknown = eligibility_unknown or gate.eligibility
            if found is ASSUMED_OTHER:
                group = OTHER_JURISDICTION
    if known_capacity(offer, query.at) == NO_CAPACITY or (
        query.is_emergency and is_closed(query, offer, around)
    ):
        group = FULL
    if offer.latitude is None and not offer.remote:
        group = NO_POSITION
    change = max((gate.change(query, offer) for gate in failed), default=0.0)
    return Judged(offer, *kms, findings, tuple(failed), eligibility_unknown, group, change)


def weigh(one: Judged, found: Penalties, step_km: float) -> None:
    """Find the penalties of an offer and add them to its distance."""
    one.penalties, one.steps, one.effective_km = _weighed(one, found, step_km)


def _weighed(
    one: Judged, found: Penalties, step_km: float
) -> tuple[tuple[Penalty, ...], float, float | None]:
    those = found.of(one.offer, eligibility_unknown=one.eligibility_unknown)
    steps = 0.0
    for penalty in those:  # not sum(), which makes up for lost digits in newer Pythons
        steps += penalty.steps
    return those, steps, None if one.order_km is None else one.order_km + step_km * steps


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


class _Verdicts:
    """The sentences of one query: each is made once, however many offers it is true of."""

    def __init__(self, query: Query, gates: tuple[Gate, ...], names: Names):
        self._query, self._gates, self._names = query, gates, names
        self._known: list[dict[Hashable, Verdict]] = [{} for _ in gates]

    def of(self, one: Judged) -> tuple[Verdict, ...]:
        """What each gate says of an offer."""
        alike = one.alike or [
            (found.key, gate.tells(one.offer))
            for gate, found in zip(self._gates, one.findings, strict=True)
        ]
        try:
            return tuple(map(getitem, self._known, alike))
        except KeyError:
            gates = zip(self._gates, self._known, alike, one.findings, strict=True)
            for gate, known, key, found in gates:
                if key not in known:
                    known[key] = gate.said(found, self._query, one.offer, self._names)
            return tuple(map(getitem, self._known, alike))


def _ranked(
    query: Query,
    one: Judged,
    found: Penalties,
    step_km: float,
    names: Names,
    land: Land | None,
    verdicts: _Verdicts,
) -> Ranked:
    offer = one.offer
    if one.failed:  # of options that was done before
        penalties, _, effective_km = _weighed(one, found, step_km)
    else:
        penalties, effective_km = tuple(one.penalties), one.effective_km
    km = None if offer.confidential else one.km
    precision_km = None if one.km is None else query.precision_km + offer.precision_km
    band = None
    if km is not None and precision_km is not None and precision_km > DOOR_PRECISION_KM:
        band = (max(0.0, km - precision_km), km + precision_km)
    return Ranked(
        offer,
        one.group,
        km,
        band,
        precision_km,
        effective_km,
        penalties,
        verdicts.of(one),
        tuple([gate.rule for gate in one.failed]),
        tuple([gate.would_fit(query, offer, names, one.order_km) for gate in one.failed]),
        one.change,
        *_way(query, offer, km, precision_km, land),
    )


def _way(
    query: Query,
    offer: Offer,
    km: float | None,
    precision_km: float | None,
    land: Land | None,
) -> tuple[float | None, str | None, Route | None, Crossing | None]:
    """How one gets there, as far as a distance may be told: the last four of Ranked."""
    if query.near is None or km is None or offer.latitude is None or offer.longitude is None:
        return None, None, None, None
    here, there = query.near, (offer.latitude, offer.longitude)
    route = query.route_to(offer.area_code)
    straight_km = km if route is None else haversine_km(*here, *there)
    bearing = None
    if straight_km > (precision_km or 0.0):
        eighth = round(bearing_degrees(*here, *there) / (360 / len(BEARINGS)))
        bearing = BEARINGS[eighth % len(BEARINGS)]
    spots = (*here, query.precision_km), (*there, offer.precision_km)
    return straight_km, bearing, route, None if land is None else land.crossing(*spots)


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
