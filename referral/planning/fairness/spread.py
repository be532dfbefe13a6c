"""How people who were sent on spread over the agencies that offer the same help. Pure."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from referral.planning.disclosure.cells import Shown
from referral.planning.disclosure.linked import Figure, protect
from referral.planning.fairness.waiting import MEDIAN_TIMES, PERIODS, as_json, from_json

_TOTAL_LOSS = 10


@dataclass(frozen=True)
class Sent:
    """One referral of the year. `client` tells people apart while they are counted; it goes no further."""

    client: int
    agency: str
    category: str
    #: place in PERIODS of the shortest one that holds it
    period: int


@dataclass(frozen=True)
class Offer:
    """One service of an agency as it stands in the directory, and for how many it says it has room at a time."""

    agency: str
    categories: frozenset[str]
    room: int | None = None


def report(
    sent: Sequence[Sent],
    offers: Sequence[Offer],
    *,
    names: Mapping[str, str],
    domain_of: Callable[[str], str],
    threshold: int,
) -> list[dict[str, Any]]:
    """What may be told, fit for JSON: [{category, is_rest, offering, room, people, agencies: [{name, room, people}]}].

    A person counts once for an agency and a category, with the first referral of the year. Categories with few
    people are put together by domain.
    """
    people = Counter(category for _, category in {(one.client, one.category) for one in sent})
    rows = defaultdict(list)
    for one in sent:
        few = people[one.category] < MEDIAN_TIMES * threshold
        rows[domain_of(one.category) if few else one.category].append(one)
    return [
        _category(code, rows[code], offers, names=names, threshold=threshold)
        for code in sorted(rows)
    ]


def _category(
    code: str,
    sent: Sequence[Sent],
    offers: Iterable[Offer],
    *,
    names: Mapping[str, str],
    threshold: int,
) -> dict[str, Any]:
    leaves = {one.category for one in sent}
    first: dict[tuple[str, int], int] = {}
    for one in sent:
        pair = (one.agency, one.client)
        first[pair] = max(first.get(pair, 0), one.period)
    agencies = sorted({agency for agency, _ in first}, key=lambda agency: (names[agency], agency))
    counts = [0] * (len(agencies) * len(PERIODS))
    for (agency, _), period in first.items():
        counts[agencies.index(agency) * len(PERIODS) + period] += 1
    figures: dict[tuple[str, int], Figure] = {}
    differences = []
    rows = {agency: [at] for at, agency in enumerate(agencies)} | {"": list(range(len(agencies)))}
    for name, members in rows.items():

        def parts(start: int, end: int, members: Sequence[int] = members) -> tuple[int, ...]:
            return tuple(
                member * len(PERIODS) + at for member in members for at in range(start, end)
            )

        for end in range(1, len(PERIODS) + 1):
            loss = end - 1 + (0 if name else _TOTAL_LOSS)
            figures[name, end - 1] = Figure(parts(0, end), loss)
            differences += [parts(start, end) for start in range(1, end)]
    cells = protect(counts, figures, threshold=threshold, differences=differences).cells
    room: dict[str, int | None] = {}
    for offer in offers:
        if offer.categories & leaves:
            known = room.get(offer.agency)
            room[offer.agency] = known if offer.room is None else (known or 0) + offer.room
    return {
        "category": code,
        "is_rest": code not in leaves,
        "offering": len(room),
        "room": sum(one or 0 for one in room.values()) or None,
        "people": {str(months): as_json(cells["", at]) for at, months in enumerate(PERIODS)},
        "agencies": [
            {
                "name": names[agency],
                "room": room.get(agency),
                "people": {
                    str(months): as_json(cells[agency, at]) for at, months in enumerate(PERIODS)
                },
            }
            for agency in agencies
        ],
    }


@dataclass(frozen=True)
class Busiest:
    """The agency that took most of a category, as far as published figures tell."""

    name: str
    people: int
    total: int
    #: that were asked or offer the help today
    agencies: int


def busiest(row: Mapping[str, Any], months: str, *, threshold: int) -> Busiest | None:
    """Who took most, from what is published alone. None with few people, or where a hidden agency may have had more."""
    total = from_json(row["people"][months]).count
    if total is None or total < MEDIAN_TIMES * threshold:
        return None
    cells = [(from_json(one["people"][months]), one["name"]) for one in row["agencies"]]
    shown = sorted(((cell.count, name) for cell, name in cells if cell.count), reverse=True)
    if not shown:
        return None
    most, name = shown[0]
    hidden = total - sum(count or 0 for count, _ in shown)
    may_be_more = any(cell.shown is Shown.WITHHELD for cell, _ in cells) and hidden >= most
    if may_be_more or [count for count, _ in shown].count(most) > 1:
        return None
    agencies = max(row["offering"], sum(cell.count != 0 for cell, _ in cells))
    return Busiest(name, most, total, agencies) if agencies > 1 else None
