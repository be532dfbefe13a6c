"""Disclosure control for a few figures with names, as a report of some pages has them. Pure.

Figures of 0 may be withheld too, and none is taken as known: tables of so few people need room to hide.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

from referral.planning.disclosure import suppression
from referral.planning.disclosure.cells import Cell
from referral.planning.disclosure.system import Statement, Sums, System

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True)
class Figure:
    """One published count.

    parts   places of the smallest counts that it adds up
    loss    how much is lost when it is hidden; of figures that would do, the least loss goes first
    """

    parts: tuple[int, ...]
    loss: float = 0


@dataclass(frozen=True)
class Release(Generic[Key]):
    """What may be published: each figure as it may be seen, and which statements may be made."""

    cells: Mapping[Key, Cell]
    statements: frozenset[Key]


def protect(
    counts: Sequence[int],
    figures: Mapping[Key, Figure],
    *,
    threshold: int,
    differences: Sequence[tuple[int, ...]] = (),
    equals: Sequence[tuple[tuple[int, ...], tuple[int, ...]]] = (),
    statements: Mapping[Key, Sequence[Statement]] | None = None,
) -> Release[Key]:
    """What may be published of `figures`, and of `statements`.

    differences  sums that nobody prints, but that subtracting figures may tell
    equals       pairs of sums over the same people
    """
    statements = statements or {}
    system = System(
        np.array(counts, dtype=np.int64),
        Sums.of([figure.parts for figure in figures.values()]),
        loss=np.array([figure.loss for figure in figures.values()], dtype=float),
        differences=Sums.of(differences),
        equals=(Sums.of([left for left, _ in equals]), Sums.of([right for _, right in equals])),
        statements=list(statements.values()),
        nested=False,
        zero_shown=False,
        unsure=np.ones(len(counts), dtype=bool),
    )
    found = suppression.protect(system, threshold=threshold)
    said = [key for key, said in zip(statements, found.said, strict=True) if said]
    return Release(dict(zip(figures, found.cells(), strict=True)), frozenset(said))
