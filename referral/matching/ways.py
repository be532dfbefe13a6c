"""The way through the places of a plan: in which order, how far, and to whose open doors. Pure."""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import pairwise
from typing import Any

from referral.core.geo import haversine_km
from referral.directory.opening import is_open
from referral.matching.facts import Offer
from referral.matching.plans import (
    EXACT_STOPS,
    Assignment,
    Point,
    Spot,
    arrivals,
    round_km,
    shortest_round,
)

#: Which needs are met at one stop: {need: site}.
Stop = Mapping[str, str]
#: km and how far off they may be
Leg = tuple[float, float]


@dataclass(frozen=True)
class Site:
    """Where an option is. `point` None: on no way and no map, because it is not known or not told."""

    spot: Spot
    point: Point | None
    precision_km: float


class Way:
    """Puts the stops of an assignment in order and measures the way.

    entries  what the receipts say of each need at each site
    urgent   needs whose stops come first
    at       when somebody sets out
    offers   by site, of every site that may be chosen
    """

    def __init__(
        self,
        entries: Mapping[tuple[str, str], Mapping[str, Any]],
        sites: Mapping[str, Site],
        urgent: Container[str],
        at: datetime,
        offers: Mapping[str, Offer],
        holidays: Container[date],
    ) -> None:
        self._entries, self._sites, self._urgent = entries, sites, urgent
        self._at, self._offers, self._holidays = at, offers, holidays

    def through(self, assignment: Assignment) -> dict[str, Any]:
        """The stops in order, who is met without going, and how long the way is, there and back.

        A stop without a position has no km: it comes first where it is urgent, else last.
        """
        by_place: dict[str, dict[str, str]] = {}
        for need_id, pick in assignment.picks.items():
            if pick.place is not None:
                by_place.setdefault(pick.place, {})[need_id] = pick.site
        stops = list(by_place.values())
        placed = [stop for stop in stops if self._door(stop) is not None]
        lost = sorted(
            (stop for stop in stops if self._door(stop) is None),
            key=lambda stop: (self._effective_km(stop), sorted(stop)),
        )
        on_the_way, way_km = self._in_order(placed)
        return {
            "stops": [
                *(_listed(stop, None) for stop in lost if self._is_urgent(stop)),
                *(_listed(stop, leg) for stop, leg in on_the_way),
                *(_listed(stop, None) for stop in lost if not self._is_urgent(stop)),
            ],
            "remote": {
                need_id: pick.site
                for need_id, pick in assignment.picks.items()
                if pick.place is None
            },
            "way_km": way_km if placed else None,
            "is_shortest": len(placed) <= EXACT_STOPS,
            "sum_km": assignment.km,
        }

    def _in_order(self, stops: Sequence[Stop]) -> tuple[list[tuple[Stop, Leg]], float]:
        """The stops in order, each with the leg that leads to it, and the km there and back."""
        stops = sorted(stops, key=lambda stop: order_km(self._from_start(stop)))
        starts = [self._from_start(stop) for stop in stops]
        legs = [[self._leg(one, other) for other in stops] for one in stops]
        from_start = [order_km(leg) for leg in starts]
        between = [[order_km(leg) for leg in row] for row in legs]
        first = {at for at, stop in enumerate(stops) if self._is_urgent(stop)}
        order = shortest_round(from_start, between, first)
        taken = _along(order, starts, legs)
        if len(first) in (0, len(stops)):
            # Either way round is as long: rather to open doors, then to the place for most needs.
            other = order[::-1]
            order, taken = min(
                ((order, taken), (other, _along(other, starts, legs))),
                key=lambda way: (
                    self._closed([stops[at] for at in way[0]], way[1]),
                    [-len(stops[at]) for at in way[0]],
                ),
            )
        on_the_way = [(stops[at], leg) for at, leg in zip(order, taken, strict=True)]
        return on_the_way, round_km(order, from_start, between)

    def _closed(self, stops: Sequence[Stop], legs: Sequence[Leg]) -> int:
        """How many services are surely closed on arrival."""
        times = arrivals(map(order_km, legs), map(len, stops), self._at)
        return sum(
            is_open(self._offers[site].hours, time, holidays=self._holidays) is False
            for stop, time in zip(stops, times, strict=True)
            for site in set(stop.values())
        )

    def _is_urgent(self, stop: Stop) -> bool:
        return any(need_id in self._urgent for need_id in stop)

    def _door(self, stop: Stop) -> tuple[str, str] | None:
        """The need and the site by which the position of a stop is known best; None where it is not."""
        known = [(need, site) for need, site in stop.items() if self._sites[site].point]
        return min(known, key=lambda one: (self._sites[one[1]].precision_km, one[1]), default=None)

    def _effective_km(self, stop: Stop) -> float:
        return min(self._entries[one]["effective_km"] or 0.0 for one in stop.items())

    def _from_start(self, stop: Stop) -> Leg:
        """As the need's own list has it, a way that the office knows included."""
        door = self._door(stop)
        entry = self._entries[door] if door else {"distance_km": 0.0, "precision_km": 0.0}
        return entry["distance_km"], entry["precision_km"]

    def _leg(self, one: Stop, other: Stop) -> Leg:
        ends = [self._sites[door[1]] for door in (self._door(one), self._door(other)) if door]
        points = [end.point for end in ends if end.point]
        if one is other or len(points) < 2:
            return 0.0, 0.0
        precision_km = sum(end.precision_km for end in ends)
        return round(haversine_km(*points[0], *points[1]), 3), round(precision_km, 3)


def order_km(leg: Leg) -> float:
    """As in the lists: never less than half of what is not known."""
    km, precision_km = leg
    return max(km, precision_km / 2)


def _along(order: Sequence[int], starts: Sequence[Leg], legs: Sequence[Sequence[Leg]]) -> list[Leg]:
    """The leg that leads to each stop of an order."""
    return [starts[at] for at in order[:1]] + [legs[a][b] for a, b in pairwise(order)]


def _listed(stop: Stop, leg: Leg | None) -> dict[str, Any]:
    km, precision_km = leg or (None, None)
    return {"sites": dict(stop), "km": km, "precision_km": precision_km}
