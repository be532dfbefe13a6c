"""People put into groups that look alike, each large enough that no sum of groups ever tells a small number. Pure.

Whatever rule is tried on them, and however often, an answer is a sum of whole groups: subtracting answers can't
come below a group. (Microaggregation with k-anonymous groups, split as Mondrian does.)
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TypeAlias

Facts: TypeAlias = Mapping[str, str]

#: What is told of a group, in the order in which groups are split by it: what decides most listings first.
FACTS = (
    "province",
    "regency",
    "age",
    "sex",
    "registered",
    "disability",
    "desil",
    "documents",
    "when",
)


def grouped(people: Sequence[Facts], *, least: int) -> list[tuple[dict[str, str], int]]:
    """The groups as (facts they share, people), each of at least `least`; [] where all together are fewer.

    Of each person only FACTS are looked at. A fact that too few share is not told of their group.
    """
    if len(people) < least:
        return []
    return [
        (dict(shared), count) for shared, count in sorted(_split(people, {}, FACTS, least).items())
    ]


_Shared: TypeAlias = tuple[tuple[str, str], ...]


def _split(
    people: Sequence[Facts], told: Mapping[str, str], facts: Sequence[str], least: int
) -> dict[_Shared, int]:
    if not facts:
        return {tuple(told.items()): len(people)}
    fact, *others = facts
    parts: dict[str | None, list[Facts]] = defaultdict(list)
    for person in people:
        parts[person.get(fact)].append(person)
    together = parts.pop(None, [])
    for value in sorted(parts, key=lambda value: (len(parts[value]), value)):
        # Who is left over needs company, and the smallest part is the smallest loss.
        if len(parts[value]) < least or 0 < len(together) < least:
            together = together + parts.pop(value)
    found: dict[_Shared, int] = {}
    if together:
        found |= _split(together, told, others, least)
    for value, part in parts.items():
        found |= _split(part, {**told, fact: str(value)}, others, least)
    return found
