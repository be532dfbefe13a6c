"""All that a release and the earlier ones tell of the same people, as one system for disclosure control. Pure.

An attacker keeps every release. Where their windows overlap, one subtracted from another tells what a single
quarter has brought, so each is held against all others. Three tables of smallest counts are enough:

    areas    kab/kota × category × span
    reasons  province × domain × reason × span
    quarters province × domain × quarter

A span is the quarters that the same releases hold. No figure tells of a kab/kota and a reason at once, and any
tables that agree on each province × domain × span can come from the same people: they share nothing else. So
three thin tables linked by these sums say as much as one of everything with everything.

Measures tell of the same people as well: whoever nothing met has asked. `joined` makes one system of them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from referral.planning.disclosure.cells import Cell, Shown
from referral.planning.disclosure.system import UNKNOWN, Register, Sums, System
from referral.planning.gaps.cuts import CUTS, DIMENSIONS, Cut, Key, Tree

Ints = NDArray[np.int64]
_AREAS, _REASONS, _QUARTERS = range(3)
_NONE = -1
#: What is lost with each step a hidden figure is wider: inner figures go before totals, and a quarter before the year.
_LOSS_PER_STEP = 10.0
_WEIGHTS = (1, 1, 1, 4)
_DEEPEST = 6
#: Provinces that are looked at together: their figures complete each other.
_TOGETHER = 3


@dataclass(frozen=True)
class Counts:
    """Frozen counts of one measure, a place for each area, category, reason and quarter. Raw."""

    areas: Sequence[str]
    categories: Sequence[str]
    reasons: Sequence[str]
    quarters: Sequence[str]
    people: Ints


@dataclass(frozen=True)
class Published:
    """What one release has told of one measure, for whom it is; figures of 0 have no cell."""

    quarters: tuple[str, ...]
    threshold: int
    cells: Mapping[Key, Cell]


@dataclass(frozen=True)
class Asked:
    """A system for disclosure control, and which key each of its figures has.

    places   for each smallest count of a kab/kota and kind of help its (area, category, release), and its number;
             one that several releases hold stands there for each
    """

    keys: list[Key]
    system: System
    places: Mapping[tuple[str, str, int], Sequence[int]]


def system(
    counts: Counts, tree: Tree, quarters: tuple[str, ...], earlier: Sequence[Published]
) -> Asked:
    """What disclosure control has to look at for a release of these quarters.

    `counts` hold every quarter of it and of all earlier releases.
    """
    return _Build(counts, tree, quarters, earlier).asked()


def joined(parts: Mapping[Any, Asked], holds: Sequence[tuple[Any, Any]]) -> System:
    """One system of several measures, whose figures stand one after another.

    holds  pairs of measures: whoever the second counts, the first counts too, in the same kab/kota and kind of help.
           A reader takes that for granted, so it holds here wherever the counts of a release bear it out.
    """
    systems = [part.system for part in parts.values()]
    starts = np.concatenate([[0], np.cumsum([len(one.counts) for one in systems])]).tolist()
    start = dict(zip(parts, starts, strict=False))
    within: list[tuple[Ints, Ints]] = []
    for outer, inner in holds:
        if outer not in parts or inner not in parts:
            continue
        for place, held in parts[inner].places.items():
            holding = parts[outer].places.get(place, ())
            many, of = parts[inner].system.counts, parts[outer].system.counts
            if len(holding) and many[list(held)].sum() <= of[list(holding)].sum():
                within.append((start[inner] + np.array(held), start[outer] + np.array(holding)))

    def stacked(each: Sequence[Sums]) -> Sums:
        rows = zip(each, starts, strict=False)
        return _of([one.row(at) + first for one, first in rows for at in range(len(one))])

    registers = [(one.register or _NOTHING_TOLD) for one in systems]
    left, right = (stacked([one.equals[side] for one in systems]) for side in (0, 1))
    return System(
        counts=np.concatenate([one.counts for one in systems]),
        figures=stacked([one.figures for one in systems]),
        loss=np.concatenate([_of_none(one.loss) for one in systems]),
        register=Register(
            stacked([one.sums for one in registers]),
            np.concatenate([one.low for one in registers]),
            np.concatenate([one.high for one in registers]),
        ),
        differences=stacked([one.differences for one in systems]),
        equals=(left, right),
        within=(_of([one for one, _ in within]), _of([one for _, one in within])),
        parts=_ways(
            *(np.concatenate(each) for each in zip(*(one.parts for one in systems), strict=True))
        ),
        unsure=np.concatenate([_of_none(one.unsure) for one in systems]).astype(bool),
    )


def _ways(finest: Ints, province: Ints) -> list[Ints]:
    """The finest parts, then provinces in groups, put together in two ways."""
    names, rank = np.unique(province, return_inverse=True)
    return [finest, rank % max(1, len(names) // _TOGETHER), rank // _TOGETHER]


_NOTHING_TOLD = Register(Sums.none(), np.zeros(0, np.int64), np.zeros(0, np.int64))


def _of_none(values: Any) -> Any:
    return np.zeros(0) if values is None else values


class _Codes:
    """Codes of one dimension and all that they widen to, numbered; 0 is everybody."""

    def __init__(self, dimension: str, codes: Sequence[str], tree: Tree) -> None:
        self.codes = [""]
        self.place = {"": 0}
        chains: dict[int, list[int]] = {}
        for code in dict.fromkeys(codes):
            key: Key | None = Key(**{dimension: code})
            chain = []
            while key is not None:
                chain.append(self._number(getattr(key, dimension)))
                key = tree.wider(key, dimension)
            for steps in range(len(chain)):
                chains[chain[steps]] = chain[steps:][::-1]
        #: by level: the code that each widens to there, _NONE where it is wider itself
        self.at_level = np.full((4, len(self.codes)), _NONE, dtype=np.int64)
        for place, chain in chains.items():
            self.at_level[: len(chain), place] = chain

    def _number(self, code: str) -> int:
        if code not in self.place:
            self.place[code] = len(self.codes)
            self.codes.append(code)
        return self.place[code]

    def numbers(self, codes: Sequence[str]) -> Ints:
        return np.fromiter((self.place[code] for code in codes), np.int64, len(codes))

    def wide(self, places: Ints, level: int) -> Ints:
        """Codes widened to a level, left as they are where they are wider."""
        found: Ints = self.at_level[level][places]
        for wider in range(level - 1, -1, -1):
            found = np.where(found == _NONE, self.at_level[wider][places], found)
        return found


@dataclass(frozen=True)
class _Atoms:
    """Smallest counts: in which table each stands, its codes by dimension, and its span.

    Codes of `period` are 0 but for the table of quarters.
    """

    table: Ints
    codes: Ints
    span: Ints
    people: Ints


class _Build:
    def __init__(
        self, counts: Counts, tree: Tree, quarters: tuple[str, ...], earlier: Sequence[Published]
    ) -> None:
        self.tree, self.earlier = tree, list(earlier)
        #: windows of the earlier releases and, last, of this one
        self.windows = [one.quarters for one in self.earlier] + [quarters]
        known = sorted({quarter for window in self.windows for quarter in window})
        spans: dict[tuple[int, ...], int] = {}
        self.span_of = {
            quarter: spans.setdefault(
                tuple(at for at, window in enumerate(self.windows) if quarter in window), len(spans)
            )
            for quarter in known
        }
        self.covering = list(spans)
        held = [at for at, quarter in enumerate(counts.quarters) if quarter in self.span_of]
        self.dimensions = {
            "area": _Codes("area", [counts.areas[at] for at in held], tree),
            "category": _Codes("category", [counts.categories[at] for at in held], tree),
            "reason": _Codes("reason", [counts.reasons[at] for at in held], tree),
            "period": _Codes("period", known, tree),
        }
        self.atoms, self.unsure = self._atoms(counts, held)

    # Smallest counts --------------------------------------------------------------------------

    def _atoms(self, counts: Counts, held: list[int]) -> tuple[_Atoms, Any]:
        columns = (counts.areas, counts.categories, counts.reasons, counts.quarters)
        codes = np.array(
            [
                self.dimensions[name].numbers([column[at] for at in held])
                for name, column in zip(DIMENSIONS, columns, strict=True)
            ]
        )
        span = np.array([self.span_of[counts.quarters[at]] for at in held], dtype=np.int64)
        people = np.asarray(counts.people, dtype=np.int64)[held]
        province = self.dimensions["area"].wide(codes[0], 1)
        domain = self.dimensions["category"].wide(codes[1], 1)
        nothing = np.zeros_like(span)
        tables = [
            (_AREAS, codes[0], codes[1], nothing, nothing),
            (_REASONS, province, domain, codes[2], nothing),
            (_QUARTERS, province, domain, nothing, codes[3]),
        ]
        if not codes[2].any():
            del tables[_REASONS]
        found, sums = [], []
        for table, *each in tables:
            rows, where = np.unique(
                np.stack([np.full_like(span, table), *each, span]), axis=1, return_inverse=True
            )
            found.append(rows)
            sums.append(
                np.bincount(where.ravel(), people, minlength=rows.shape[1]).astype(np.int64)
            )
        rows = np.concatenate([*found, *(self._hidden_zeros(one) for one in found[:-1])], axis=1)
        zeros = rows.shape[1] - sum(len(one) for one in sums)
        values = np.concatenate([*sums, np.zeros(zeros, dtype=np.int64)])
        atoms = _Atoms(rows[0], rows[1:5], rows[5], values)
        return atoms, np.arange(len(values)) >= len(values) - zeros

    def _hidden_zeros(self, rows: Ints) -> Ints:
        """Counts of 0 that nobody can know to be 0: every release that holds their span tells of more."""
        cells, where = np.unique(rows[:5], axis=1, return_inverse=True)
        blocks = np.stack(
            [
                self.dimensions["area"].wide(cells[1], 1),
                self.dimensions["category"].wide(cells[2], 1),
            ]
        )
        _blocks, of_block = np.unique(blocks, axis=1, return_inverse=True)
        of_block = of_block.ravel()
        # by cell, or block of cells, and span: whether anybody is there
        there = np.zeros((cells.shape[1], len(self.covering)), dtype=bool)
        there[where.ravel(), rows[5]] = True
        some = np.zeros((_blocks.shape[1], len(self.covering)), dtype=bool)
        some[of_block[where.ravel()], rows[5]] = True
        possible: NDArray[np.bool_] = ~there & some[of_block]
        for window in range(len(self.windows)):
            spans = self._spans(window)
            in_window = np.asarray(there[:, spans].any(axis=1))
            possible[:, spans] &= in_window[:, None]
        cell, span = np.nonzero(possible)
        return np.concatenate([cells[:, cell], span[None, :]])

    def _spans(self, window: int) -> list[int]:
        return [span for span, covering in enumerate(self.covering) if window in covering]

    # Sums ---------------------------------------------------------------------------------------

    def _pairs(self, held: Any) -> Iterator[tuple[Ints, Ints]]:
        """Figures of every cut over some smallest counts: codes of the figure, and place of a count in it."""
        done: set[tuple[int, ...]] = set()
        for cut in CUTS:
            table = _table_of(cut)
            places = np.flatnonzero(held & (self.atoms.table == table))
            for levels in _levels(cut):
                if levels in done:
                    continue
                done.add(levels)
                codes = np.array(
                    [
                        self.dimensions[name].at_level[level][self.atoms.codes[at][places]]
                        for at, (name, level) in enumerate(zip(DIMENSIONS, levels, strict=True))
                    ]
                )
                there = (codes != _NONE).all(axis=0)
                yield codes[:, there], places[there]

    def _sums(self, held: Any) -> tuple[Ints, Sums]:
        """Codes of every figure over some smallest counts, and what each adds up."""
        pairs = list(self._pairs(held))
        codes = np.concatenate([one for one, _places in pairs], axis=1)
        parts = np.concatenate([places for _codes, places in pairs])
        keys, rows = np.unique(codes, axis=1, return_inverse=True)
        return keys, Sums.of_pairs(rows.ravel(), parts, keys.shape[1])

    def _key(self, codes: Any) -> Key:
        return Key(
            *(
                self.dimensions[name].codes[int(code)]
                for name, code in zip(DIMENSIONS, codes, strict=True)
            )
        )

    def asked(self) -> Asked:
        spans = np.array(self._spans(len(self.windows) - 1))
        codes, figures = self._sums(np.isin(self.atoms.span, spans))
        keys = [self._key(one) for one in codes.T]
        steps = [
            sum(
                weight * self.tree.level(key, name)
                for name, weight in zip(DIMENSIONS, _WEIGHTS, strict=True)
            )
            for key in keys
        ]
        return Asked(
            keys,
            System(
                counts=self.atoms.people,
                figures=figures,
                loss=(_DEEPEST - np.array(steps, dtype=float)) * _LOSS_PER_STEP,
                register=self._register(),
                differences=self._between(),
                equals=self._linked(),
                unsure=self.unsure,
                parts=self._parts(),
            ),
            self._places(),
        )

    def _parts(self) -> list[Ints]:
        """Kab/kota by province, reasons and quarters each by themselves; and everything by province."""
        areas = self.dimensions["area"]
        codes = [areas.codes[at] for at in areas.wide(self.atoms.codes[0], 1)]
        # From its name: a province has the same number in every measure.
        province = np.array([int.from_bytes(code.encode(), "big") for code in codes], np.int64)
        return [np.where(self.atoms.table == _AREAS, province, -self.atoms.table), province]

    def _places(self) -> dict[tuple[str, str, int], list[int]]:
        areas, categories = self.dimensions["area"].codes, self.dimensions["category"].codes
        found: dict[tuple[str, str, int], list[int]] = {}
        for at in np.flatnonzero(self.atoms.table == _AREAS).tolist():
            area, category = self.atoms.codes[0][at], self.atoms.codes[1][at]
            for window in self.covering[self.atoms.span[at]]:
                found.setdefault((areas[area], categories[category], window), []).append(at)
        return found

    def _register(self) -> Register | None:
        """What was told before. Of what was withheld nothing is known but that it is not 0."""
        rows: list[Ints] = []
        low, high = [], []
        for at, release in enumerate(self.earlier):
            codes, sums = self._sums(np.isin(self.atoms.span, self._spans(at)))
            for row, one in enumerate(codes.T):
                cell = release.cells.get(self._key(one))
                if cell is None:
                    continue
                rows.append(sums.row(row))
                is_count = cell.shown is Shown.COUNT
                low.append(cell.count if is_count else 1)
                high.append(_highest(cell, release.threshold))
        if not rows:
            return None
        return Register(_of(rows), np.array(low, np.int64), np.array(high, np.int64))

    def _between(self) -> Sums:
        """What one span adds to each figure: nobody prints it, subtracting releases may tell it."""
        if len(self.covering) == 1:
            return Sums.none()
        rows: list[Ints] = []
        for span in range(len(self.covering)):
            _codes, sums = self._sums((self.atoms.span == span) & (self.atoms.table != _QUARTERS))
            rows += [sums.row(at) for at in range(len(sums))]
        return _of(rows)

    def _linked(self) -> tuple[Sums, Sums]:
        """The same people in each table: sums of a province, domain and span."""
        area = self.dimensions["area"].wide(self.atoms.codes[0], 1)
        domain = self.dimensions["category"].wide(self.atoms.codes[1], 1)
        blocks, where = np.unique(
            np.stack([area, domain, self.atoms.span]), axis=1, return_inverse=True
        )
        left: list[Ints] = []
        right: list[Ints] = []
        by_table = [
            Sums.of_pairs(where.ravel()[places], places, blocks.shape[1])
            for table in (_AREAS, _REASONS, _QUARTERS)
            for places in [np.flatnonzero(self.atoms.table == table)]
        ]
        for block in range(blocks.shape[1]):
            for other in by_table[1:]:
                if len(other.row(block)):
                    left.append(by_table[_AREAS].row(block))
                    right.append(other.row(block))
        return _of(left), _of(right)


def _highest(cell: Cell, threshold: int) -> int:
    """The largest that a figure which is not 0 may be, as it was told."""
    if cell.count is not None:
        return cell.count
    return threshold - 1 if cell.shown is Shown.SMALL else UNKNOWN


def _table_of(cut: Cut) -> int:
    if cut.period:
        return _QUARTERS
    return _REASONS if cut.reason else _AREAS


def _levels(cut: Cut) -> Iterator[tuple[int, int, int, int]]:
    """Every level of the four at which the cut tells of figures, the widest first."""
    for area in range(cut.area + 1):
        for category in range(cut.category + 1):
            for reason in range(cut.reason + 1):
                for period in range(cut.period + 1):
                    yield area, category, reason, period


def _of(rows: Sequence[Ints]) -> Sums:
    lengths = np.array([len(row) for row in rows], dtype=np.int64)
    parts = np.concatenate(rows) if len(rows) else np.zeros(0, dtype=np.int64)
    return Sums(np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(lengths)]), parts)
