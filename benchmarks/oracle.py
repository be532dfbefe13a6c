"""The match index asked thousands of hard questions, each answered once more by looking at every offer.

    python -m benchmarks.oracle [--queries 10000] [--offers 3000] [--seed 1]

Every round makes a directory of another size and another oddness (many offers at one door, changes since the
index was made, organizations that the client must not meet) and asks 100 queries of it. A selection must be the
same in everything: who is shown, in which order, every number, finding and count. Ends with an error otherwise.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID

import numpy as np

from benchmarks import offers as synthetic
from benchmarks.offers import STEPS
from referral.matching.facts import Offer, Query
from referral.matching.index import Index
from referral.matching.ranking import Selection, select

QUERIES, OFFERS, IN_A_ROUND = 10_000, 3000, 100
#: Parts of the largest size that directories have, one after the other.
SIZES = (0.0, 0.003, 0.03, 0.2, 0.5, 1.0)
HOLIDAYS = frozenset({date(2026, 11, 24), date(2026, 11, 27)})


def main() -> None:
    """Asks, compares and prints what occurred."""
    asked = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    asked.add_argument("--queries", type=int, default=QUERIES)
    asked.add_argument("--offers", type=int, default=OFFERS)
    asked.add_argument("--seed", type=int, default=1)
    given = asked.parse_args()
    occurred: Counter[str] = Counter()
    wrong = 0
    for number in range(-(-given.queries // IN_A_ROUND)):
        for kinds, query, differs in one_round(given.seed * 100_000 + number, given.offers):
            occurred.update(kinds)
            if differs:
                wrong += 1
                print(f"wrong in {', '.join(differs)}: {query}", file=sys.stderr)
    for kind, count in sorted(occurred.items(), key=lambda pair: (-pair[1], pair[0])):
        print(f"{count:>7,}  {kind}")
    print(f"{wrong} of them wrong")
    sys.exit(bool(wrong))


def one_round(
    seed: int, largest: int, count: int = IN_A_ROUND
) -> Iterator[tuple[set[str], Query, list[str]]]:
    """Queries of one directory: what kind each is, and in which parts index and oracle differ."""
    draw = np.random.default_rng(seed)
    size = int(SIZES[seed % len(SIZES)] * largest)
    offers = list(synthetic.offers(size, seed=seed))
    what = {"queries"} | ({"an empty directory"} if not offers else set())
    if draw.random() < 0.25:
        offers = [_at_one_of(one, draw) for one in offers]
        what.add("all offers at one of four doors")
    index = Index.of(offers)
    if draw.random() < 0.5 and offers:
        offers = _changed(offers, index, draw)
        what.add("listings changed since the index was made")
    kept_out: frozenset[UUID] = frozenset()
    if draw.random() < 0.25:
        kept_out = frozenset(UUID(int=number) for number in range(0, size // 3 + 1, 7))
        what.add("organizations kept out")
    holidays = HOLIDAYS if draw.random() < 0.5 else frozenset()
    for query in synthetic.queries(count, seed=seed + 1, hard=True):
        query = _harder(query, offers, draw)
        how: dict[str, Any] = {
            "need_id": f"need-{seed}",
            "kept_out": kept_out,
            "holidays": holidays,
        }
        among = [one for one in offers if any(query.asks_for(code) for code in one.categories)]
        expected = select(query, among, STEPS, **how)
        found = index.select(query, STEPS, **how)
        differs = [
            name
            for name, field in Selection.__dataclass_fields__.items()
            if field.compare and getattr(found, name) != getattr(expected, name)
        ]
        kinds = what | _kinds(query, expected) | ({"on a holiday"} if holidays else set())
        yield kinds, query, differs


def _at_one_of(offer: Offer, draw: np.random.Generator) -> Offer:
    if offer.latitude is None:
        return offer
    latitude, longitude = [(-7.0, 110.4), (-7.0, 110.5), (90.0, 0.0), (3.0, 180.0)][
        draw.integers(4)
    ]
    return replace(offer, latitude=latitude, longitude=longitude)


def _changed(offers: list[Offer], index: Index, draw: np.random.Generator) -> list[Offer]:
    """Some closed, some changed, some changed twice, some new."""
    marks = draw.integers(0, 8, len(offers)).tolist()
    now = [one for one, mark in zip(offers, marks, strict=True) if mark > 1]
    for one, mark in zip(offers, marks, strict=True):
        if mark == 0:
            index.replace(one.service_id, [])
        elif mark == 1:
            changed = replace(
                one, fee=not one.fee, latitude=-6.9, longitude=110.4, minimum_age=18.0
            )
            index.replace(one.service_id, [replace(changed, active=False)])
            index.replace(one.service_id, [changed])
            now.append(changed)
    for new in synthetic.offers(len(offers) // 50 + 1, seed=int(draw.integers(1 << 30))):
        index.replace(new.service_id, [new])
        now.append(new)
    return now


def _harder(query: Query, offers: list[Offer], draw: np.random.Generator) -> Query:
    """Now and then at an offer's own door, with a limit that just reaches one, or of one option only."""
    dice = int(draw.integers(12))
    placed = [one for one in offers[:50] if one.latitude is not None]
    if placed and dice < 3:
        door = placed[int(draw.integers(len(placed)))]
        query = replace(query, near=(door.latitude or 0.0, door.longitude or 0.0))
    if dice == 3:
        query = replace(query, limit=1)
    reached = [one.order_km for one in _nearest(query, offers) if one.order_km]
    if dice in (2, 4) and reached:
        query = replace(query, within=reached[int(draw.integers(len(reached)))])
    return query


def _nearest(query: Query, offers: list[Offer]) -> Any:
    among = [one for one in offers if any(query.asks_for(code) for code in one.categories)]
    return select(replace(query, within=None), among[:200], STEPS).options


def _kinds(query: Query, found: Selection) -> set[str]:
    """What is odd about a query and its answer."""
    near, tally = query.near, found.tally
    shown = len(found.options) + len(found.remote)
    odd = {
        "without a place": near is None,
        "at a pole": near is not None and abs(near[0]) == 90,
        "at the antimeridian": near is not None and abs(near[1]) > 179,
        "of a whole domain": len(query.need) == 2,
        "with a travel limit": query.within is not None,
        "with a limit that just reaches an option": any(
            one.order_km == query.within for one in found.options if one.order_km
        ),
        "with ways the office knows": bool(query.routes),
        "where a way decides the km": _way_decides(query, found),
        "of an emergency": query.is_emergency,
        "of violence": query.violence,
        "of a group": query.is_group,
        "open offers only": query.open_only,
        "free offers only": query.free_only,
        "an empty category": not tally["considered"],
        "a limit above the category": 0 < tally["considered"] < query.limit,
        "nobody fits": not shown and bool(tally["considered"]),
        "near misses by two gates or more": any(len(one.failed) > 1 for one in found.why_not),
        "options without a position": any(one.group == 3 for one in found.options),
        "options of equal standing": len(
            {(one.group, one.effective_km, one.steps) for one in found.options}
        )
        < len(found.options),
    }
    return {kind for kind, occurs in odd.items() if occurs}


def _way_decides(query: Query, found: Selection) -> bool:
    kms = {route.km for route in query.routes}
    return any(one.km in kms for one in (*found.options, *found.why_not))


if __name__ == "__main__":
    main()
