"""How well people reach services: the measures of spatial access on sparse pairs, each with its source. Pure.

Everywhere: `people` (n,) at demand points, `places` (m,) that services have, `weights` (p,) one for each pair of
the band. No service in reach gives 0. NaN says that there is no answer: nobody to share a service with.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from referral.planning.access.bands import Band, Bools, Floats, sums

#: Rounds after which the equilibrium of RAAM is taken as it is; it is mostly there much earlier.
ROUNDS = 300
#: Part of a cost by which people may still be off their cheapest choice, on average.
TOLERANCE = 1e-3


def stepwise(km: Floats, steps: Sequence[tuple[float, float]]) -> Floats:
    """The weight of the first step (up to km, weight) that holds each distance, 0 beyond the last.

    Luo & Qi (2009), An enhanced two-step floating catchment area (E2SFCA) method. Health & Place 15(4).
    """
    edges, weights = zip(*sorted(steps), strict=True)
    return np.append(weights, 0.0)[np.searchsorted(edges, km, side="left")]


def thirds(radius_km: float) -> tuple[tuple[float, float], ...]:
    """The three steps of Luo & Qi (2009) up to a radius: 1, 0.68 and 0.22."""
    return (radius_km / 3, 1.0), (2 * radius_km / 3, 0.68), (radius_km, 0.22)


def reached(band: Band) -> Bools:
    """Whether each demand point has any supply in the band: coverage, where the band holds what is open and not full."""
    return np.diff(band.starts) > 0


def share(people: Floats, is_so: Any) -> float:
    """Σ people·is_so / Σ people, over points of which it is known; NaN where nobody is."""
    known = ~np.isnan(np.asarray(is_so, float)) & ~np.isnan(people)
    total = people[known].sum()
    return float((people * is_so)[known].sum() / total) if total > 0 else float("nan")


def within(band: Band, places: Floats) -> Floats:
    """Places of all services in the band of each demand point, (n,)."""
    return band.by_demand(places[band.columns])


def ratio(places_within: Floats, people_within: Floats) -> Floats:
    """Provider-to-need: places within X km of a point / people within X km of it, (n,). NaN where nobody is.

    The floating catchment ratio; Luo & Wang (2003), Environment and Planning B 30(6), its first step.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(people_within > 0, places_within / people_within, np.nan)


def two_step(band: Band, weights: Floats, people: Floats, places: Floats) -> Floats:
    """E2SFCA: R_j = S_j / Σ_i P_i W_ij, A_i = Σ_j R_j W_ij; places for one person, (n,).

    With weights of 1 it is the plain 2SFCA. Σ_i P_i A_i = Σ_j S_j over the services that anybody reaches.
    Luo & Wang (2003), Environment and Planning B 30(6); Luo & Qi (2009), Health & Place 15(4).
    """
    level = _level(places, band.by_supply(weights * people[band.rows]))
    return band.by_demand(weights * level[band.columns])


def balanced(band: Band, weights: Floats, people: Floats, places: Floats) -> Floats:
    """Balanced FCA: people and levels of service are shared out, neither is counted twice; (n,).

    W'_ij = W_ij / Σ_j W_ij shares people over services: D_j = Σ_i P_i W'_ij, Σ_j D_j = Σ_i P_i.
    W"_ij = W_ij / Σ_i W_ij shares the level L_j = S_j / D_j over areas: A_i = Σ_j L_j W"_ij, Σ_i A_i = Σ_j L_j.
    An area's value is its part of a level, so parts add up and smaller areas have smaller ones.
    Paez, Higgins & Vivona (2019), Demand and level of service inflation in floating catchment area (FCA)
    methods. PLOS ONE 14(6): e0218773.
    """
    by_row = weights / band.by_demand(weights)[band.rows]
    by_column = weights / band.by_supply(weights)[band.columns]
    level = _level(places, band.by_supply(by_row * people[band.rows]))
    return band.by_demand(by_column * level[band.columns])


def balanced_per_person(band: Band, weights: Floats, people: Floats, places: Floats) -> Floats:
    """Places for one person where people are shared over services as in the balanced FCA; (n,).

    A_i = Σ_j L_j W'_ij: the level of the services that the people of i are shared over. It does not depend on how
    an area is cut up, and Σ_i P_i A_i = Σ_j S_j over the services that anybody reaches.
    """
    by_row = weights / band.by_demand(weights)[band.rows]
    level = _level(places, band.by_supply(by_row * people[band.rows]))
    return band.by_demand(by_row * level[band.columns])


def _level(places: Floats, demand: Floats) -> Floats:
    """Places for one person at each service; NaN where places are that nobody has a claim to."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(places > 0, np.where(demand > 0, places / demand, np.nan), 0.0)


@dataclass(frozen=True)
class Equilibrium:
    """What people pay when none can pay less by going elsewhere.

    cost  (n,) NaN where nobody is, infinite where there is nowhere to go
    gap   by how much of a cost people are off their cheapest choice, on average
    """

    cost: Floats
    gap: float
    rounds: int


def rational_agents(
    band: Band,
    people: Floats,
    places: Floats,
    *,
    tau_km: float,
    rho: float | None = None,
    rounds: int = ROUNDS,
    tolerance: float = TOLERANCE,
) -> Equilibrium:
    """RAAM: cost_ij = D_j / (ρ S_j) + km_ij / τ, crowding plus way, each person where it is least. Lower is better.

    rho     people for one place at which crowding costs 1; by default all people / all places
    tau_km  the way that costs 1

    The least of Σ_j D_j² / 2ρS_j + Σ_ij x_ij km_ij / τ, found by moving people of each point from the service at
    which they lose most to the cheapest, all points at once, as far as that lowers the sum.
    Saxon & Snow (2019), A rational agent model for the spatial accessibility of primary health care. Annals of
    the American Association of Geographers 110(1).
    """
    usable = band.only((people[band.rows] > 0) & (places[band.columns] > 0))
    cost = np.where(people > 0, np.inf, np.nan)
    filled = np.flatnonzero(np.diff(usable.starts))
    if not len(filled):
        return Equilibrium(cost, 0.0, 0)
    if rho is None:
        rho = people.sum() / places.sum()
    room, way = rho * places, usable.km / tau_km
    starts, columns = usable.starts[filled], usable.columns
    lengths = np.diff(usable.starts)[filled]
    who = people[filled]
    flow = np.zeros(len(way))
    flow[_where_least(way, starts, lengths)] = who
    gap, done = np.inf, 0
    while done < rounds:
        done += 1
        crowd = sums(columns, flow, usable.size[1])
        costs = crowd[columns] / room[columns] + way
        low = _where_least(costs, starts, lengths)
        excess = flow * (costs - np.repeat(costs[low], lengths))
        total = float((flow * costs).sum())
        gap = float(excess.sum()) / total if total else 0.0
        if gap <= tolerance:
            break
        high = _where_least(-excess, starts, lengths)
        _move(flow, costs, columns, room, low, high)
    crowd = sums(columns, flow, usable.size[1])
    costs = crowd[columns] / room[columns] + way
    cost[filled] = np.add.reduceat(flow * costs, starts) / who
    return Equilibrium(cost, gap, done)


def _move(flow: Floats, costs: Floats, columns: Any, room: Floats, low: Any, high: Any) -> None:
    """Moves people from pairs `high` to pairs `low`, as far as it lowers the common sum; changes `flow`."""
    into, out = columns[low], columns[high]
    wish = (costs[high] - costs[low]) / (1 / room[into] + 1 / room[out])
    wish[into == out] = 0.0
    step = np.minimum(wish, flow[high])
    # Those that come to one service or leave it at the same time must not be more than evens the cost out.
    for ends in (into, out):
        most = np.zeros(len(room))
        np.maximum.at(most, ends, wish)
        everybody = sums(ends, step, len(room))
        with np.errstate(invalid="ignore", divide="ignore"):
            step = step * np.where(everybody > most, most / everybody, 1.0)[ends]
    change = sums(into, step, len(room))
    change -= sums(out, step, len(room))
    curve = float((change**2 / np.where(room > 0, room, 1.0)).sum())
    gain = float((step * (costs[high] - costs[low])).sum())
    if curve <= 0 or gain <= 0:
        return
    limit = float(np.min(flow[high][step > 0] / step[step > 0]))
    step *= min(gain / curve, limit)
    np.add.at(flow, low, step)
    np.subtract.at(flow, high, step)
    flow[high] = np.maximum(flow[high], 0.0)


def _where_least(values: Floats, starts: Any, lengths: Any) -> Any:
    """Where the first least value of each run lies."""
    least = np.repeat(np.minimum.reduceat(values, starts), lengths)
    at = np.flatnonzero(values == least)
    run = np.searchsorted(starts, at, side="right") - 1
    return at[np.append(True, np.diff(run) > 0)]
