"""A selection with its sentences: what each gate says, what would have to change, how one gets there. Pure."""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import getitem
from typing import Any, NamedTuple

from referral.core.geo import bearing_degrees, haversine_km
from referral.core.text import Message
from referral.matching.facts import Names, Offer, Outcome, Query, Route
from referral.matching.gates import Gate, Verdict, would_fit
from referral.matching.judging import Judged, weighed
from referral.matching.penalties import Penalties, Penalty
from referral.matching.ranking import Selection, select
from referral.matching.rules import applying
from referral.places.land import Crossing, Land

#: Above this the place is an area and not a door: its distance is told as a range.
DOOR_PRECISION_KM = 1.0

#: What is called near when the client has said no limit.
NEAR_KM = 25.0

#: Where an option lies from where the client stays, clockwise from the north.
BEARINGS = ("N", "NE", "E", "SE", "S", "SW", "W", "NW")


class Ranked(NamedTuple):
    """One offer in its place.

    km            None for remote and confidential offers and without position; unrounded
    precision_km  half-width of the distance: the client's and the offer's together
    effective_km  what the order is by: order km and penalties
    failed        rules that keep it from being an option
    change        of a near miss: how large the largest change is that it takes; see gates.CHANGES
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
    verdicts = _Verdicts(query, gates, names, selection.sayings)

    def shown(ones: Sequence[Judged], land: Land | None = None) -> tuple[Ranked, ...]:
        step_km = selection.step_km
        return tuple([_ranked(query, one, found, step_km, land, verdicts) for one in ones])

    return Ranking(
        step_km=selection.step_km,
        options=shown(selection.options, land),
        remote=shown(selection.remote),
        why_not=shown(selection.why_not),
        why_not_total=_failing(selection.tally),
        coverage=coverage(query, selection, names),
        tally=selection.tally,
    )


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


class _Verdicts:
    """The sentences of one query: each is made once, however many offers it is true of."""

    def __init__(
        self,
        query: Query,
        gates: tuple[Gate, ...],
        names: Names,
        sayings: Mapping[str, dict[Hashable, Verdict]],
    ):
        self._query, self._gates, self._names = query, gates, names
        self._known: list[dict[Hashable, Verdict]] = [
            {} if gate.names_areas else sayings.get(gate.rule, {}) for gate in gates
        ]

    def of(self, one: Judged) -> tuple[Verdict, ...]:
        """What each gate says of an offer."""
        alike = one.alike or tuple(
            [
                (found.key, gate.tells(one.offer))
                for gate, found in zip(self._gates, one.findings, strict=True)
            ]
        )
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
    land: Land | None,
    verdicts: _Verdicts,
) -> Ranked:
    offer = one.offer
    if one.failed:  # of options that was done before
        penalties, _, effective_km = weighed(one, found, step_km)
    else:
        penalties, effective_km = tuple(one.penalties), one.effective_km
    km = None if offer.confidential else one.km
    precision_km = None if one.km is None else query.precision_km + offer.precision_km
    band = None
    if km is not None and precision_km is not None and precision_km > DOOR_PRECISION_KM:
        band = (max(0.0, km - precision_km), km + precision_km)
    said = verdicts.of(one)
    failed: tuple[Verdict, ...] = ()
    if one.failed:
        failed = tuple([verdict for verdict in said if verdict.outcome is Outcome.FAIL])
    return Ranked(
        offer,
        one.group,
        km,
        band,
        precision_km,
        effective_km,
        penalties,
        said,
        tuple([verdict.rule for verdict in failed]),
        would_fit(query, failed, one.order_km),
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
