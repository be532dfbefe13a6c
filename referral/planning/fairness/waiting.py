"""How long people waited, group by group: bands, medians, and which difference is more than chance. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any

from referral.planning.disclosure.cells import Cell, Shown
from referral.planning.disclosure.linked import Figure, Release, protect
from referral.planning.disclosure.system import Statement

#: Periods that a reader may choose, in months; each holds the shorter ones.
PERIODS = (3, 6, 12)
#: Last day of each band of days; beyond the last one the wait was longer.
_BAND_ENDS = (2, 7, 14, 30)
#: How a wait stands: a band of days, not over yet, or ended without what was waited for.
BANDS = ("0-2", "3-7", "8-14", "15-30", "31+", "waiting", "ended")
_DONE = len(_BAND_ENDS) + 1
MEASURES = ("decision", "contact")
CUTS = ("sex", "age", "disability", "area")
EVERYBODY, UNKNOWN = "everybody", "unknown"
#: A median, and a comparison of two, wants this many times the smallest count that may be shown.
MEDIAN_TIMES = 2
_SURE = 1.96  # standard errors on either side of 95 in 100
#: Losses on hiding: a row's total is worth more than its cells, everybody's row more than one group's.
_TOTAL_LOSS, _EVERYBODY_LOSS = 10, 20

Groups = Mapping[str, str]


@dataclass(frozen=True)
class Spell:
    """One wait: how many days, and whether it ended with what was waited for (`done`), otherwise, or not yet."""

    days: int
    how: str = "done"

    @property
    def band(self) -> int:
        """Place in BANDS."""
        if self.how != "done":
            return BANDS.index(self.how)
        return next((at for at, end in enumerate(_BAND_ENDS) if self.days <= end), _DONE - 1)


@dataclass(frozen=True)
class Wait:
    """One person's wait: the first referral of the year. `period` is the place in PERIODS of the shortest one that holds it."""

    period: int
    #: for each cut the group
    groups: Groups
    #: for each measure how long
    spells: Mapping[str, Spell]


@dataclass(frozen=True)
class Median:
    """After how many days half were over, None where fewer than half are, with what chance leaves open."""

    days: int | None
    low: int | None
    high: int | None

    def differs_from(self, other: "Median") -> bool:
        """Whether the two are further apart than chance explains: their ranges share no day."""
        return self._ends_before(other) or other._ends_before(self)

    def _ends_before(self, other: "Median") -> bool:
        return self.high is not None and (other.low is None or self.high < other.low)


def median(spells: Iterable[Spell]) -> Median:
    """The median: see `quantile`."""
    return quantile(spells, 0.5)


def quantile(spells: Iterable[Spell], over_by_then: float) -> Median:
    """After how many days this share of waits is over, by Kaplan and Meier: who still waits counts for as long as
    they have waited.

    Its range holds each day at which that share being over lies within 1.96 standard errors (Greenwood).
    """
    left_then = 1 - over_by_then + 1e-9  # a product of shares may miss it by its rounding
    ordered = sorted(spells, key=lambda spell: spell.days)
    left, share, spread = len(ordered), 1.0, 0.0
    middle = low = high = None
    for day in sorted({spell.days for spell in ordered}):
        today = [spell for spell in ordered if spell.days == day]
        over = sum(spell.how == "done" for spell in today)
        if over:
            share *= 1 - over / left
            spread += over / (left * (left - over)) if left > over else 0.0
            error = _SURE * share * sqrt(spread)
            middle = day if middle is None and share <= left_then else middle
            low = day if low is None and share - error <= left_then else low
            high = day if high is None and share + error <= left_then else high
        left -= len(today)
    return Median(middle, low, high)


def report(waits: Sequence[Wait], *, threshold: int) -> dict[str, Any]:
    """What may be told of the waits, fit for JSON: {measure: {cut: {groups: [row], compared: {months: …}}}}.

    A row holds, for each period, people, bands and the median. All figures are protected together.
    """
    layout = _Layout(waits, threshold)
    release = protect(
        layout.counts,
        layout.figures,
        threshold=threshold,
        differences=layout.differences,
        equals=layout.equals,
        statements=layout.statements,
    )
    return {
        measure: {cut: layout.told(measure, cut, release) for cut in (EVERYBODY, *CUTS)}
        for measure in MEASURES
    }


def as_json(cell: Cell) -> int | str:
    """A protected count for a stored release: the number, or why there is none."""
    return cell.shown.value if cell.count is None else cell.count


def from_json(value: int | str) -> Cell:
    """The cell that `as_json` wrote."""
    return Cell(Shown(value)) if isinstance(value, str) else Cell(Shown.COUNT, value)


Key = tuple[str, str, str, str, int]  # measure, cut, group, band ("" for all), place of the period


class _Layout:
    """The smallest counts (measure, cut, group, band, quarter of a year), and every sum of them that is printed."""

    def __init__(self, waits: Sequence[Wait], threshold: int) -> None:
        self.waits, self.least = waits, MEDIAN_TIMES * threshold
        self.groups = {cut: sorted({wait.groups[cut] for wait in waits}) for cut in CUTS}
        self.places: dict[tuple[str, str, str, int, int], int] = {}
        for measure in MEASURES:
            for cut, groups in self.groups.items():
                for group in groups:
                    for band in range(len(BANDS)):
                        for period in range(len(PERIODS)):
                            self.places[measure, cut, group, band, period] = len(self.places)
        self.counts = [0] * len(self.places)
        for wait in waits:
            for measure, spell in wait.spells.items():
                for cut, group in wait.groups.items():
                    self.counts[self.places[measure, cut, group, spell.band, wait.period]] += 1
        self.figures: dict[Key, Figure] = {}
        self.differences: list[tuple[int, ...]] = []
        self.equals: list[tuple[tuple[int, ...], tuple[int, ...]]] = []
        self.medians: dict[Key, Median] = {}
        self.statements: dict[Key, list[Statement]] = {}
        for measure in MEASURES:
            self._rows(measure)
        self._same_people()

    def told(self, measure: str, cut: str, release: Release[Key]) -> dict[str, Any]:
        """The groups of one cut as they may be seen, and which two are farthest apart."""
        rows = [
            {
                "group": group,
                # The same people in both measures: printed once, so protected once.
                "people": {
                    str(months): as_json(release.cells[MEASURES[0], cut, group, "", at])
                    for at, months in enumerate(PERIODS)
                },
                "bands": {
                    str(months): [
                        as_json(release.cells[measure, cut, group, band, at]) for band in BANDS
                    ]
                    for at, months in enumerate(PERIODS)
                },
                "median": {
                    str(months): found and {"days": found.days}
                    for at, months in enumerate(PERIODS)
                    for found in [self._median(measure, cut, group, at, release)]
                },
            }
            for group in self.groups.get(cut, [EVERYBODY])
        ]
        compared = {
            str(months): self._compared(measure, cut, at, release)
            for at, months in enumerate(PERIODS)
        }
        return {"groups": rows, "compared": compared}

    def _median(
        self, measure: str, cut: str, group: str, at: int, release: Release[Key]
    ) -> Median | None:
        """The median where it may be told: a group whose people are not shown has none, so that its absence tells nothing."""
        people = release.cells[MEASURES[0], cut, group, "", at]
        key = (measure, cut, group, "", at)
        if people.shown is not Shown.COUNT or key not in release.statements:
            return None
        return self.medians[key]

    def _compared(
        self, measure: str, cut: str, at: int, release: Release[Key]
    ) -> dict[str, Any] | None:
        """The slowest and the fastest group, and whether chance may explain it. None: nothing to compare."""
        known = [
            (found, group)
            for group in self.groups.get(cut, [])
            if group != UNKNOWN
            and (found := self._median(measure, cut, group, at, release)) is not None
        ]
        if len(known) < 2:
            return None
        known.sort(key=lambda one: (one[0].days is None, one[0].days or 0, one[1]))
        (fast, faster), (slow, slower) = known[0], known[-1]
        return {"slow": slower, "fast": faster, "differs": slow.differs_from(fast)}

    def _rows(self, measure: str) -> None:
        """The figures of one measure: each group by band and period, with totals, and everybody."""
        first, groups = next(iter(self.groups.items()))
        self._row(measure, EVERYBODY, EVERYBODY, first, groups, _EVERYBODY_LOSS)
        for cut, groups in self.groups.items():
            for group in groups:
                self._row(measure, cut, group, cut, [group], 0)

    def _row(
        self, measure: str, cut: str, name: str, of: str, groups: Sequence[str], loss: int
    ) -> None:
        def parts(bands: Iterable[int], periods: Iterable[int]) -> tuple[int, ...]:
            periods = tuple(periods)
            return tuple(
                self.places[measure, of, group, band, period]
                for group in groups
                for band in bands
                for period in periods
            )

        every = range(len(BANDS))
        columns = [(band, [at], loss) for at, band in enumerate(BANDS)]
        if measure == MEASURES[0]:
            columns.append(("", list(every), loss + _TOTAL_LOSS))
        for band, bands, worth in columns:
            for at in range(len(PERIODS)):
                # The longer the period, the more its figure is used.
                figure = Figure(parts(bands, range(at + 1)), worth + at)
                self.figures[measure, cut, name, band, at] = figure
            for start in range(1, len(PERIODS)):
                for end in range(start + 1, len(PERIODS) + 1):
                    self.differences.append(parts(bands, range(start, end)))
        for at in range(len(PERIODS)):
            self._say_median(measure, cut, name, at, parts)

    def _say_median(self, measure: str, cut: str, name: str, at: int, parts: Any) -> None:
        """A median tells that less than half lie in the bands before its own, and half of those over up to it."""
        spells = [
            wait.spells[measure]
            for wait in self.waits
            if wait.period <= at and (cut == EVERYBODY or wait.groups[cut] == name)
        ]
        if len(spells) < self.least:
            return
        found = median(spells)
        over = _DONE if found.days is None else Spell(found.days).band
        periods = range(at + 1)
        before = dict.fromkeys(parts(range(len(BANDS)), periods), -1.0)
        before |= dict.fromkeys(parts(range(over), periods), 1.0)
        statements = [Statement(before, -1)]
        if found.days is not None:
            until = dict.fromkeys(parts(range(_DONE), periods), 1.0)
            until |= dict.fromkeys(parts(range(over + 1), periods), -1.0)
            statements.append(Statement(until, 0))
        key = (measure, cut, name, "", at)
        self.medians[key], self.statements[key] = found, statements

    def _same_people(self) -> None:
        """Every cut divides the same people, and so do both measures."""
        first, *others = CUTS
        for period in range(len(PERIODS)):
            for measure in MEASURES:
                for band in range(len(BANDS)):
                    whole = self._sum(measure, first, self.groups[first], [band], period)
                    for cut in others:
                        part = self._sum(measure, cut, self.groups[cut], [band], period)
                        self.equals.append((whole, part))
            one, *more = MEASURES
            for cut, groups in self.groups.items():
                for group in groups:
                    for other in more:
                        self.equals.append(
                            (
                                self._sum(one, cut, [group], range(len(BANDS)), period),
                                self._sum(other, cut, [group], range(len(BANDS)), period),
                            )
                        )

    def _sum(
        self, measure: str, cut: str, groups: Sequence[str], bands: Iterable[int], period: int
    ) -> tuple[int, ...]:
        return tuple(
            self.places[measure, cut, group, band, period] for band in bands for group in groups
        )
