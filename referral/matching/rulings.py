"""What rules say of facts: each is asked once of every different set of the facts that it reads. Pure."""

from bisect import bisect_left
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from referral.matching import bits
from referral.matching.bits import Bits
from referral.matching.columns import Columns
from referral.matching.facts import Offer, Outcome, Query
from referral.matching.gates import Finding, Gate, Verdict
from referral.matching.postings import Posting, Recent
from referral.matching.rules import ASSUMED_OTHER, residence_matters

Ints = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

#: Of so many different facts each has its own bits; of more a rule has bits for all that it keeps out.
FEW = 48
#: So many different facts are all asked about at once; of more those that somebody has who is looked at.
ALL_AT_ONCE = 512
#: How many rulings on few different facts are kept; and for how many areas that people are registered in.
MOST_NARROW, MOST_AREAS = 1024, 512
#: Answers are kept up to so many bytes; then all are asked again.
MOST_KEPT_BYTES = 8 << 20
#: For somebody registered here no area of any offer holds the place or lies in it.
APART = "-"
_NOT_ASKED = 255

#: Which facts each gate reads, and what of the query.
_READS: Mapping[str, tuple[str, Callable[[Query], Any]]] = {
    "category": ("kind", lambda query: query.need),
    "active": ("state", lambda _: None),
    "jurisdiction": (
        "jurisdiction",
        lambda query: residence_matters(query) and (query.registered_in,),
    ),
    "age": ("age", lambda query: query.age),
    "sex": ("sex", lambda query: query.sex),
    "desil": ("desil", lambda query: query.desil),
    "disability": ("disability", lambda query: query.disability),
    "documents": ("documents", lambda query: (query.is_emergency, query.documents_lacking)),
    "accessibility": ("access", lambda query: query.disability),
    "open_only": ("hours", lambda query: query.at),
    "free_only": ("fee", lambda _: None),
}


@dataclass(frozen=True, slots=True)
class Piece:
    """Offers of a posting that a gate keeps out, for which it takes the same change until it does not."""

    rule: str
    change: float
    bits: Bits
    count: int


@dataclass(frozen=True)
class Ruling:
    """What a gate says of facts.

    said     number of its finding, by code of the facts of `group`
    unknown  whether that is not to know, by the same; None: it knows of all
    other    whether that is to assume that another jurisdiction is served; None: it is of none
    failing  codes that it keeps out, with the change it takes until it does not; of narrow groups alone
    sayings  its sentences about facts, by code, as far as somebody asked for them
    """

    group: str
    said: Ints
    unknown: Bools | None
    other: Bools | None
    failing: tuple[tuple[int, float], ...] = ()
    sayings: dict[Hashable, Verdict] = field(default_factory=dict, compare=False)

    @classmethod
    def of(
        cls, group: str, gate: Gate, said: Ints, failing: tuple[tuple[int, float], ...] = ()
    ) -> "Ruling":
        """What a gate says, by the numbers of its findings."""
        other = None
        if ASSUMED_OTHER in gate.findings:
            other = _where(said == gate.findings.index(ASSUMED_OTHER))
        return cls(group, said, _where(_those(gate, Outcome.UNKNOWN)[said]), other, failing)

    def found(self, gate: Gate, codes: Ints) -> list[Finding]:
        """The findings about these facts."""
        return [gate.findings[number] for number in self.said[codes].tolist()]


class Rulings:
    """The answers of all rules about the facts of some columns."""

    def __init__(self, columns: Columns):
        self.columns = columns
        self._narrow, self._of_area = Recent(MOST_NARROW), Recent(MOST_AREAS)
        self._kept: dict[Any, Ints] = {}
        self._kept_bytes = 0
        self._areas: dict[str, _Areas] = {}
        self._wide = {group for group, values in columns.values.items() if len(values) > FEW}

    def of(
        self, posting: Posting, gate: Gate, query: Query, holidays: frozenset[date] = frozenset()
    ) -> tuple[Ruling, Sequence[Piece]]:
        """What a gate says of facts, and whom of a posting it keeps out."""
        group, asked = _READS[gate.rule]
        key = (gate.rule, asked(query), holidays if gate.rule == "open_only" else None)
        is_wide = group in self._wide
        kept = posting.wide if is_wide else posting.narrow
        found: tuple[Ruling, Sequence[Piece]] | None = kept.find(key)
        if found is None:
            make = self._by_facts if is_wide else self._by_each
            if is_wide and gate.rule == "jurisdiction":
                make = self._by_area
            found = kept.keep(key, make(posting, gate, query, key))
        return found

    def _by_each(
        self, posting: Posting, gate: Gate, query: Query, key: Any
    ) -> tuple[Ruling, Sequence[Piece]]:
        ruling: Ruling | None = self._narrow.get(key)
        if ruling is None:
            ruling = self._narrow.keep(key, self._all_facts(gate, query, key))
        pieces = []
        for code, change in ruling.failing:
            those, count = self.columns.bits_of(posting, ruling.group, code)
            if count:
                pieces.append(Piece(gate.rule, change, those, count))
        return ruling, pieces

    def _all_facts(self, gate: Gate, query: Query, key: Any) -> Ruling:
        group = _READS[gate.rule][0]
        codes = np.arange(len(self.columns.values[group]))
        said = self._ask(gate, query, key, codes)
        failing = tuple(
            (code, change)
            for change, those in self._by_change(gate, query, group, said, codes)
            for code in those
        )
        return Ruling.of(group, gate, said, failing)

    def _by_facts(
        self, posting: Posting, gate: Gate, query: Query, key: Any
    ) -> tuple[Ruling, Sequence[Piece]]:
        group = _READS[gate.rule][0]
        present = self.columns.present(posting, group)
        said = self._ask(gate, query, key, present)
        pieces = []
        for change, codes in self._by_change(gate, query, group, said, present):
            chosen = np.zeros(len(said), bool)
            chosen[codes] = True
            those = self.columns.bits(posting, group, chosen)
            pieces.append(Piece(gate.rule, change, those, bits.count(those)))
        return Ruling.of(group, gate, said), pieces

    def _by_area(
        self, posting: Posting, gate: Gate, query: Query, key: Any
    ) -> tuple[Ruling, Sequence[Piece]]:
        """Facts get the answer that somebody gets who is registered apart from all areas.

        Only those that name the person's area, one around it or one in it are asked again.
        """
        if not residence_matters(query) or query.registered_in in (None, APART):
            return self._by_facts(posting, gate, query, key)
        apart = replace(query, registered_in=APART)
        _, pieces = self.of(posting, gate, apart)
        ruling, let_in, kept_out = self._of_area.find(key) or self._of_area.keep(
            key, self._near(gate, query, apart)
        )
        in_now = self.columns.places(posting, ruling.group, let_in)
        out_now = self.columns.places(posting, ruling.group, kept_out)
        out = pieces[0].bits.copy() if pieces else bits.empty(len(posting.rows))
        bits.put(out, in_now, False)
        bits.put(out, out_now, True)
        count = sum(piece.count for piece in pieces) - len(in_now) + len(out_now)
        change = gate.change(query, self.columns.stub(ruling.group, 0))
        return ruling, [Piece(gate.rule, change, out, count)]

    def _near(self, gate: Gate, query: Query, apart: Query) -> tuple[Ruling, list[int], list[int]]:
        """What the gate says to a person, and the facts that let in, or keep out, this person and not one apart."""
        group, asked = _READS[gate.rule]
        everything = np.arange(len(self.columns.values[group]))
        before = self._ask(gate, apart, (gate.rule, asked(apart), None), everything)
        near = np.array(self.areas(group).near(query.registered_in or ""), np.int64)
        said = before.copy()
        for code in near.tolist():
            said[code] = self._number(gate, query, group, code)
        fails = _those(gate, Outcome.FAIL)
        is_out, was_out = fails[said[near]], fails[before[near]]
        let_in, kept_out = near[was_out & ~is_out].tolist(), near[is_out & ~was_out].tolist()
        return Ruling.of(group, gate, said), let_in, kept_out

    def _by_change(
        self, gate: Gate, query: Query, group: str, said: Ints, codes: Ints
    ) -> Iterable[tuple[float, list[int]]]:
        """Facts that a gate keeps out, by the change it takes until it does not."""
        failing = codes[_those(gate, Outcome.FAIL)[said[codes]]].tolist()
        if gate.off is None:
            return (
                [(gate.change(query, self.columns.stub(group, failing[0])), failing)]
                if failing
                else []
            )
        changes: dict[float, list[int]] = {}
        for code in failing:
            changes.setdefault(gate.change(query, self.columns.stub(group, code)), []).append(code)
        return changes.items()

    def _ask(self, gate: Gate, query: Query, key: Any, codes: Ints) -> Ints:
        """Numbers of the gate's findings by code: at least for these codes."""
        group = _READS[gate.rule][0]
        said = self._known(key, len(self.columns.values[group]), np.uint8, _NOT_ASKED)
        for code in codes[said[codes] == _NOT_ASKED].tolist():
            said[code] = self._number(gate, query, group, code)
        return said

    def _number(self, gate: Gate, query: Query, group: str, code: int) -> int:
        found = gate.find(query, self.columns.stub(group, code), None)
        return gate.findings.index(found)

    def numbers(
        self, key: Hashable, group: str, codes: Ints, ask: Callable[[Offer], float]
    ) -> Floats:
        """What a rule makes of these facts; `key` names it and all that this depends on beside them."""
        size = len(self.columns.values[group])
        known = self._kept.get(key)
        if known is None:
            known = self._known(key, size, np.float64, np.nan)
            if size <= ALL_AT_ONCE:
                known[:] = [ask(self.columns.stub(group, code)) for code in range(size)]
        found: Floats = known.take(codes)
        if size > ALL_AT_ONCE and (missing := np.isnan(found)).any():
            for code in set(codes[missing].tolist()):
                known[code] = ask(self.columns.stub(group, code))
            found = known.take(codes)
        return found

    def _known(self, key: Any, size: int, kind: Any, empty: float) -> Ints:
        known = self._kept.get(key)
        if known is None:
            if self._kept_bytes > MOST_KEPT_BYTES:
                self._kept, self._kept_bytes = {}, 0
            known = self._kept[key] = np.full(size, empty, kind)
            self._kept_bytes += known.nbytes
        return known

    def areas(self, group: str) -> "_Areas":
        """Which facts of a group name which areas."""
        found = self._areas.get(group)
        if found is None:
            found = self._areas[group] = _Areas(self.columns, group)
        return found

    @property
    def nbytes(self) -> int:
        return sum(one.nbytes for one in self._kept.values())


class _Areas:
    """The areas that facts name, as a tree."""

    def __init__(self, columns: Columns, group: str):
        self._named: dict[str, list[int]] = {}
        for code in range(len(columns.values[group])):
            for area in set(_texts(columns.facts(group, code))):
                self._named.setdefault(area, []).append(code)
        self._sorted = sorted(self._named)

    def inside(self, area: str) -> Iterator[int]:
        """The facts that name an area or one that lies in it."""
        yield from self._named.get(area, ())
        start, end = (bisect_left(self._sorted, area + after) for after in "./")
        for named in self._sorted[start:end]:  # "/" comes next after "."
            yield from self._named[named]

    def near(self, area: str) -> list[int]:
        """The facts that name an area, one that lies in it or one that it lies in."""
        parts = area.split(".")
        around = (".".join(parts[:count]) for count in range(1, len(parts)))
        return sorted(
            {*self.inside(area), *(code for one in around for code in self._named.get(one, ()))}
        )


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif value is not None:
        for one in value:
            yield from _texts(one)


def _those(gate: Gate, outcome: Outcome) -> Bools:
    """By number of its findings, whether it is of this outcome."""
    return _of_outcome(gate.findings, outcome)


@lru_cache(maxsize=256)
def _of_outcome(findings: tuple[Finding, ...], outcome: Outcome) -> Bools:
    found = np.zeros(_NOT_ASKED + 1, bool)
    for number, one in enumerate(findings):
        found[number] = one.outcome is outcome
    return found


def _where(true: Bools) -> Bools | None:
    """The same, or None where it is true of none."""
    return true if true.any() else None
