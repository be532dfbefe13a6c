"""Other counts that would be published the same: what an attacker can't tell from the truth. Pure.

One linear programme moves many secret counts at once, as far from the truth as they must be able to be, and
pays for every published figure that this changes. What it changes has to be hidden; then its answer is a proof
that anybody can check by adding up: a second set of counts that fits everything published.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from referral.planning.disclosure.knowledge import Knowledge
from referral.planning.disclosure.system import Bools, Floats, Ints

_TOLERANCE = 1e-6
#: What it costs to give up a label ("<5") and a statement, where a shown inner cell costs 1 and more.
_LABEL_WORTH, _STATEMENT_WORTH = 0.3, 6.0
#: What it gains to move a secret: one that is asked for, in times of the dearest figure, and any other.
_URGENT, _WELCOME = 200.0, 0.01


@dataclass
class Told:
    """What is published so far: of each sum whether it is shown, and whether as small; which statements."""

    shown: Bools
    labelled: Bools
    said: Bools


@dataclass(frozen=True)
class Wish:
    """Which secrets should move: up (1) or down (-1), how many steps, and whether it is worth hiding figures."""

    secrets: Ints
    signs: Ints
    steps: Floats
    urgent: Bools
    #: hide whatever it takes
    whatever: bool = False


def others(known: Knowledge, told: Told, wish: Wish) -> Floats:
    """Counts that fit what is published, but for figures it is worth hiding, and move the secrets as wished."""
    shown, labelled = np.flatnonzero(told.shown), np.flatnonzero(told.labelled)
    withheld = np.flatnonzero(~told.shown & ~told.labelled)
    said = np.flatnonzero(told.said[known.speaker])
    top = known.threshold - 1
    dearest = float(known.worth.max(initial=1.0))
    price = 1e-3 if wish.whatever else 1.0
    values = known.values[shown].astype(float)
    rows = _Rows(len(known.counts))
    at = rows.add(known.sums[shown], values, values)
    may_hide = values >= known.least
    costs = price * known.worth[shown][may_hide]
    rows.slack(at[may_hide], -1, costs)
    rows.slack(at[may_hide], 1, costs, high=values[may_hide] - known.least)
    at = rows.add(known.sums[labelled], np.ones(len(labelled)), np.full(len(labelled), top))
    rows.slack(at, -1, np.full(len(at), price * _LABEL_WORTH))
    rows.slack(at, 1, np.full(len(at), price * _LABEL_WORTH), high=1 - known.least)
    rows.add(
        known.sums[withheld],
        np.full(len(withheld), float(known.least)),
        np.full(len(withheld), np.inf),
    )
    at = rows.add(known.spoken[said], np.full(len(said), -np.inf), known.most[said])
    rows.slack(at, -1, np.full(len(at), price * _STATEMENT_WORTH))
    rows.add(known.fixed, known.fixed_low, known.fixed_high)
    moving = known.secrets[wish.secrets].multiply(wish.signs[:, None]).tocsr()
    start = wish.signs * known.secret_values[wish.secrets].astype(float)
    at = rows.add(moving, start, np.full(len(start), np.inf))
    gain = np.where(wish.urgent, _URGENT * dearest, _WELCOME)
    rows.slack(at, -1, -gain, low=-np.inf, high=wish.steps)
    return _solved(rows)


def fewest(known: Knowledge, costs: Floats) -> Floats:
    """Counts of as few people as whoever knows only which figures are 0 has to reckon with."""
    rows = _Rows(len(known.counts))
    some = known.values > 0
    values = np.where(some, known.least, 0).astype(float)
    rows.add(known.sums, values, np.where(some, np.inf, 0))
    not_zero = known.fixed[known.fixed_low >= 1]
    rows.add(not_zero, np.ones(not_zero.shape[0]), np.full(not_zero.shape[0], np.inf))
    return _solved(rows, costs)


def _solved(rows: "_Rows", costs: Floats | None = None) -> Floats:
    # SciPy takes a second to load, and most pages and commands count nothing.
    from scipy.optimize import Bounds, LinearConstraint, milp

    solved = milp(
        rows.costs(costs),
        constraints=LinearConstraint(rows.matrix(), *rows.limits()),
        bounds=Bounds(*rows.bounds()),
    )
    if solved.status != 0:
        raise RuntimeError(f"disclosure control: {solved.message}")
    found: Floats = np.maximum(solved.x[: rows.width], 0)
    whole = np.rint(found)
    return np.where(np.abs(found - whole) < _TOLERANCE, whole, found)


def hide(known: Knowledge, told: Told, found: Floats) -> None:
    """Hide what those counts change, so that they fit everything published."""
    sums = known.sums @ found
    told.shown &= np.abs(sums - known.values) <= _TOLERANCE
    told.labelled &= (sums >= 1 - _TOLERANCE) & (sums <= known.threshold - 1 + _TOLERANCE)
    told.said[known.speaker[known.spoken @ found > known.most + _TOLERANCE]] = False


def fits(known: Knowledge, told: Told, found: Floats) -> bool:
    """Whether those counts would be published the same, on top of all that is out already."""
    sums, fixed, spoken = known.sums @ found, known.fixed @ found, known.spoken @ found
    slack = 10 * _TOLERANCE
    return bool(
        (found >= 0).all()
        and (np.abs(sums - known.values)[told.shown] <= slack).all()
        and (sums[~told.shown] >= known.least - slack).all()
        and (sums[told.labelled] >= 1 - slack).all()
        and (sums[told.labelled] <= known.threshold - 1 + slack).all()
        and (fixed >= known.fixed_low - slack).all()
        and (fixed <= known.fixed_high + slack).all()
        and (spoken - known.most <= slack)[told.said[known.speaker]].all()
    )


@dataclass
class _Rows:
    """Rows of a linear programme, and columns beside the counts by which single rows may be missed."""

    width: int
    parts: list[Any] = field(default_factory=list)
    low: list[Floats] = field(default_factory=list)
    high: list[Floats] = field(default_factory=list)
    length: int = 0
    slacks: list[tuple[Ints, float, Floats, Floats, Floats]] = field(default_factory=list)

    def add(self, rows: Any, low: Floats, high: Floats) -> Ints:
        """Adds rows between low and high; where they stand."""
        at = np.arange(self.length, self.length + rows.shape[0])
        self.parts.append(rows)
        self.low.append(low)
        self.high.append(high)
        self.length += rows.shape[0]
        return at

    def slack(
        self, at: Ints, factor: float, costs: Floats, *, low: float = 0, high: Any = np.inf
    ) -> None:
        """A column of its own for each of these rows."""
        size = len(at)
        self.slacks.append((at, factor, costs, np.full(size, low), np.broadcast_to(high, size)))

    def matrix(self) -> Any:
        from scipy.sparse import csr_array, hstack, vstack

        if not self.slacks:
            return vstack(self.parts, format="csc")
        at = np.concatenate([slack[0] for slack in self.slacks])
        factors = np.concatenate([np.full(len(slack[0]), slack[1]) for slack in self.slacks])
        beside = csr_array((factors, (at, np.arange(len(at)))), shape=(self.length, len(at)))
        return hstack([vstack(self.parts), beside], format="csc")

    def limits(self) -> tuple[Floats, Floats]:
        return np.concatenate(self.low), np.concatenate(self.high)

    def costs(self, counts: Floats | None = None) -> Floats:
        """What each column costs; the counts themselves nothing where nothing is said."""
        own = np.zeros(self.width) if counts is None else counts
        return np.concatenate([own, *(slack[2] for slack in self.slacks)])

    def bounds(self) -> tuple[Floats, Floats]:
        low = np.concatenate([np.zeros(self.width), *(slack[3] for slack in self.slacks)])
        high = np.concatenate([np.full(self.width, np.inf), *(slack[4] for slack in self.slacks)])
        return low, high
