"""Which places meet several needs with the fewest stops, and in which order to go. Pure.

What a plan is chosen by, in this order: needs met; places; the sum over the needs of the effective km that
their own lists are ordered by, to the metre; the sum of the ranks in these lists. HiGHS proves the optimum.
"""

from collections import defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cached_property
from itertools import pairwise
from typing import Any

from referral.core.geo import haversine_km

Point = tuple[float, float]

#: Options of each need that a plan looks at, from the top of the need's own list.
CANDIDATES = 40
#: Doors this near to each other are one place.
SAME_PLACE_KM = 0.05
#: Up to so many stops the order is proven to be the shortest.
EXACT_STOPS = 9
#: One place more is worth showing when it spares at least so many km and this share of the sum.
WORTH_KM, WORTH_SHARE = 5.0, 0.2
#: As far as somebody gets there and back in a day, km; what a plan keeps to where nothing else is said.
DAY_TRIP_KM = 60.0
#: How an arrival is guessed: straight-line km in an hour with public transport, and a visit for one need.
TRAVEL_KM_PER_HOUR = 20.0
VISIT_MINUTES = 60
#: Who would set out later than the second goes on the next working day at the first.
SETS_OUT, SETS_OUT_LATEST = time(8), time(13)

_KM_PER_DEGREE = 111.0  # of latitude, a little less than it is
_METRES = 1000  # km are printed to the metre, so in metres they are whole


# One place or two --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Spot:
    """Where a service is, as far as it tells one place from another.

    location  its row in the directory; of a confidential place together with its organization
    address   street, house number and town in a form to compare; None: no number, or confidential
    point     None: not known to the door, or confidential
    """

    location: str
    address: tuple[str, ...] | None = None
    point: Point | None = None


def one_place(spots: Mapping[str, Spot]) -> dict[str, str]:
    """The place of each site, named by the first of its sites.

    Sites are at one place where location, address or door (within SAME_PLACE_KM) is the same; what is one
    place with a third is one place.
    """
    joined = {site: site for site in spots}

    def root(site: str) -> str:
        while joined[site] != site:
            site = joined[site]
        return site

    def join(a: str, b: str) -> None:
        first, second = sorted((root(a), root(b)))
        joined[second] = first

    known: dict[tuple[str, ...], str] = {}
    for site, spot in spots.items():
        for said in (("location", spot.location), spot.address and ("address", *spot.address)):
            if said:
                join(site, known.setdefault(said, site))
    doors = sorted((spot.point, site) for site, spot in spots.items() if spot.point)
    for at, (point, site) in enumerate(doors):
        for other, neighbour in doors[at + 1 :]:
            if (other[0] - point[0]) * _KM_PER_DEGREE > SAME_PLACE_KM:
                break
            if haversine_km(*point, *other) <= SAME_PLACE_KM:
                join(site, neighbour)
    return {site: root(site) for site in spots}


# Which places ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Option:
    """An option of one need's own match.

    rank   in the need's own list, from 1
    km     effective km; 0 where no distance is known
    place  as `one_place` names it; None: nobody has to go there
    """

    site: str
    rank: int
    group: int
    km: float
    place: str | None


@dataclass(frozen=True)
class Assignment:
    """An option for each need that has one."""

    picks: Mapping[str, Option]

    @cached_property
    def places(self) -> frozenset[str]:
        return frozenset(pick.place for pick in self.picks.values() if pick.place is not None)

    @cached_property
    def km(self) -> float:
        """The sum over the needs of effective km."""
        return sum(_metres(pick) for pick in self.picks.values()) / _METRES

    @property
    def cost(self) -> tuple[int, float, int]:
        """What is made small, most important first."""
        return len(self.places), self.km, sum(pick.rank for pick in self.picks.values())


def usable(options: Iterable[Option], *, at_home: bool = False) -> list[Option]:
    """The options of one need that a plan may choose from: all of its best group.

    A full place comes in only where every option is full. Help without going there never stands at distance
    0 among the others: it is used where there is nowhere to go, or first of all where `at_home`.
    """
    options = list(options)
    best = min((option.group for option in options), default=0)
    options = [option for option in options if option.group == best]
    remote = [option for option in options if option.place is None]
    going = [option for option in options if option.place is not None]
    return (remote or going) if at_home else (going or remote)


def own_best(needs: Mapping[str, Sequence[Option]]) -> Assignment:
    """Each need's own best option, whatever the others' is."""
    return Assignment({need: _first(options) for need, options in needs.items() if options})


def fewest_places(needs: Mapping[str, Sequence[Option]]) -> Assignment:
    """The options that meet every need that has one, at the fewest places; of these the nearest.

    needs  the usable options of each need
    """
    going, others = _split(needs)
    if not _is_shared(going):
        return own_best(needs)  # each need is one place, whichever is chosen
    program = _Program(going)
    places = program.fewest()
    return Assignment(others | program.nearest(places))


def within_places(needs: Mapping[str, Sequence[Option]], places: int) -> Assignment:
    """The nearest options at no more than so many places; these must be enough for every need."""
    going, others = _split(needs)
    if places >= len(going):
        return own_best(needs)
    return Assignment(others | _Program(going).nearest(places))


def is_worth_it(fewer: Assignment, more: Assignment) -> bool:
    """Whether more places spare so much that a client would want to know."""
    spared_km = fewer.km - more.km
    return (
        len(more.places) > len(fewer.places)
        and spared_km >= WORTH_KM
        and spared_km >= WORTH_SHARE * fewer.km
    )


def _metres(option: Option) -> int:
    return round(option.km * _METRES)


def _first(options: Iterable[Option]) -> Option:
    return min(options, key=lambda option: (_metres(option), option.rank))


_Going = Mapping[str, Mapping[str, Option]]


def _split(needs: Mapping[str, Sequence[Option]]) -> tuple[_Going, dict[str, Option]]:
    """Of the needs that somebody goes for, the best option at each place; what was found for the others."""
    going: dict[str, dict[str, Option]] = {}
    others = {}
    for need, options in needs.items():
        at: dict[str, list[Option]] = defaultdict(list)
        for option in options:
            if option.place is not None:
                at[option.place].append(option)
        if at:
            going[need] = {place: _first(there) for place, there in at.items()}
        elif options:
            others[need] = _first(options)
    return going, others


def _is_shared(going: _Going) -> bool:
    """Whether any place is an option of two needs."""
    places = [place for options in going.values() for place in options]
    return len(places) > len(set(places))


class _Program:
    """The choice as an integer program: one unknown for each option and one for each place."""

    def __init__(self, going: _Going) -> None:
        self._options = [
            (need, place, option)
            for need, options in going.items()
            for place, option in options.items()
        ]
        self._needs = len(going)
        places = sorted({place for _, place, _ in self._options})
        self._place_at = {place: len(self._options) + at for at, place in enumerate(places)}
        self._size = len(self._options) + len(places)
        # (unknown, factor) of each row, and between what its sum must be
        self._rows: list[tuple[list[tuple[int, int]], float, float]] = [
            ([(at, 1) for at, (of, _, _) in enumerate(self._options) if of == need], 1, 1)
            for need in going
        ]
        # Somebody goes to the place of an option that is chosen.
        self._rows += [
            ([(at, 1), (self._place_at[place], -1)], -1, 0)
            for at, (_, place, _) in enumerate(self._options)
        ]
        self._count = [(at, 1) for at in self._place_at.values()]

    def fewest(self) -> int:
        """How many places are enough."""
        found = self._solved(self._count)
        return int(sum(found[at] for at, _ in self._count))

    def nearest(self, places: int) -> dict[str, Option]:
        """The options with the smallest sum of km at no more than so many places; of equals, of ranks."""
        # A metre outweighs every sum of ranks, so that ranks decide between equals alone.
        a_metre = 1 + self._needs * max(option.rank for _, _, option in self._options)
        costs = [
            (at, _metres(option) * a_metre + option.rank)
            for at, (_, _, option) in enumerate(self._options)
        ]
        found = self._solved(costs, (self._count, 0.0, float(places)))
        return {
            need: option for at, (need, _, option) in enumerate(self._options) if round(found[at])
        }

    def _solved(
        self,
        objective: Sequence[tuple[int, int]],
        *more: tuple[Sequence[tuple[int, int]], float, float],
    ) -> Any:
        """The unknowns, 0 or 1, that make the objective smallest, proven by HiGHS."""
        # Takes a second to load, which an application that plans nothing need not pay.
        import numpy as np
        from scipy.optimize import Bounds, LinearConstraint, milp
        from scipy.sparse import coo_array

        rows = [*self._rows, *more]
        entries = [
            (row, at, factor) for row, (terms, _, _) in enumerate(rows) for at, factor in terms
        ]
        row_at, column_at, factors = zip(*entries, strict=True)
        costs = np.zeros(self._size)
        for at, cost in objective:
            costs[at] = cost
        answer = milp(
            costs,
            integrality=np.ones(self._size),
            bounds=Bounds(0, 1),
            constraints=LinearConstraint(
                coo_array((factors, (row_at, column_at)), shape=(len(rows), self._size)).tocsr(),
                [low for _, low, _ in rows],
                [high for _, _, high in rows],
            ),
            options={"mip_rel_gap": 0},
        )
        if not answer.success:
            raise RuntimeError(f"HiGHS found no plan: {answer.message}")
        return np.round(answer.x)


# In which order ----------------------------------------------------------------------------------


#: by (stops visited as bits, last of them): metres so far and the way there
_Ways = dict[tuple[int, int], tuple[int, tuple[int, ...]]]


def shortest_round(
    from_start: Sequence[float],
    between: Sequence[Sequence[float]],
    first: Container[int] = (),
) -> tuple[int, ...]:
    """The order in which all stops make the shortest way from the start and back to it.

    from_start  km from the start to each stop
    between     km between the stops; the same both ways
    first       stops that come before all the others
    Exact up to EXACT_STOPS (of equals the one that names the stops in their own order first); beyond,
    always on to the nearest.
    """
    stops = range(len(from_start))
    if len(from_start) > EXACT_STOPS:
        return _nearest_next(from_start, between, first)
    starts = [round(km * _METRES) for km in from_start]  # whole, so that equals are equal
    legs = [[round(km * _METRES) for km in row] for row in between]
    before = [sum(1 << j for j in stops if j in first and i not in first) for i in stops]
    ways: _Ways = {(1 << i, i): (starts[i], (i,)) for i in stops if not before[i]}
    for _stop in stops[1:]:
        following: _Ways = {}
        for (visited, last), (metres, way) in ways.items():
            for i in stops:
                if visited >> i & 1 or before[i] & ~visited:
                    continue
                key, found = (visited | 1 << i, i), (metres + legs[last][i], (*way, i))
                if key not in following or found < following[key]:
                    following[key] = found
        ways = following
    rounds = ((metres + starts[last], way) for (_, last), (metres, way) in ways.items())
    return min(rounds, default=(0, ()))[1]


def _nearest_next(
    from_start: Sequence[float], between: Sequence[Sequence[float]], first: Container[int]
) -> tuple[int, ...]:
    way: list[int] = []
    left = set(range(len(from_start)))
    while left:
        km = between[way[-1]] if way else from_start
        way.append(min(left, key=lambda i: (i not in first, km[i], i)))
        left.remove(way[-1])
    return tuple(way)


def round_km(
    order: Sequence[int], from_start: Sequence[float], between: Sequence[Sequence[float]]
) -> float:
    """The length of the way through the stops in this order, there and back."""
    if not order:
        return 0.0
    on_the_way = sum(between[a][b] for a, b in pairwise(order))
    return from_start[order[0]] + on_the_way + from_start[order[-1]]


def arrivals(
    legs_km: Iterable[float], visits: Iterable[int], set_out_at: datetime
) -> list[datetime]:
    """About when somebody comes to each stop.

    legs_km  from the stop before
    visits   for how many needs at each
    """
    found = []
    at = set_out_at
    for km, count in zip(legs_km, visits, strict=True):
        at += timedelta(hours=km / TRAVEL_KM_PER_HOUR)
        found.append(at)
        at += timedelta(minutes=VISIT_MINUTES * count)
    return found


def sets_out_at(now: datetime, closed_on: Container[date]) -> datetime:
    """When somebody would go: now in the morning of a working day, else on the next one.

    now  in the zone of the office
    """
    today = now.date()
    if _is_working_day(today, closed_on) and SETS_OUT <= now.time() <= SETS_OUT_LATEST:
        return now.replace(second=0, microsecond=0)
    day = today if now.time() < SETS_OUT else today + timedelta(days=1)
    while not _is_working_day(day, closed_on):
        day += timedelta(days=1)
    return datetime.combine(day, SETS_OUT, now.tzinfo)


def _is_working_day(day: date, closed_on: Container[date]) -> bool:
    return day.weekday() < 5 and day not in closed_on
