"""Other counts that would be published the same: what an attacker can't tell from the truth. Pure.

One linear programme moves many secret counts at once, as far from the truth as they must be able to be, and
pays for every published figure that this changes. What it changes has to be hidden; then its answer is a proof
that anybody can check by adding up: a second set of counts that fits everything published.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from referral.planning.disclosure.knowledge import Knowledge, Part
from referral.planning.disclosure.system import Bools, Floats, Ints

_TOLERANCE = 1e-6
#: What it costs to give up a label ("<5") and a statement, where a shown inner cell costs 1 and more.
_LABEL_WORTH, _STATEMENT_WORTH = 0.3, 6.0
#: What it gains to move a secret: one that is asked for, in times of the dearest figure, and any other.
_URGENT, _WELCOME = 200.0, 0.01


@dataclass
class Told:
    """What is published so far: of each sum whether it is shown, and whether as small; which statements.

    is_kept  it has left the house: nothing more may be hidden
    """

    shown: Bools
    labelled: Bools
    said: Bools
    is_kept: bool = False


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
    """How far counts may move that fit what is published, but for figures it is worth hiding, and move the secrets
    as wished."""
    shown, labelled = np.flatnonzero(told.shown), np.flatnonzero(told.labelled)
    withheld = np.flatnonzero(~told.shown & ~told.labelled)
    said = np.flatnonzero(told.said[known.speaker])
    dearest = float(known.worth.max(initial=1.0))
    price = 1e-3 if wish.whatever else 1.0
    rows = _Rows(-known.counts)
    at = rows.add(known.sums[shown], 0, 0)
    may_hide = known.inside & (not told.is_kept)
    at_label = may_hide[labelled]
    may_hide = may_hide[shown] & (known.values[shown] >= known.least)
    costs = price * known.worth[shown][may_hide]
    rows.slack(at[may_hide], -1, costs)
    rows.slack(at[may_hide], 1, costs, high=known.values[shown][may_hide] - known.least)
    values = known.values[labelled]
    at = rows.add(known.sums[labelled], 1.0 - values, known.threshold - 1.0 - values)
    at = at[at_label]
    rows.slack(at, -1, np.full(len(at), price * _LABEL_WORTH))
    rows.slack(at, 1, np.full(len(at), price * _LABEL_WORTH), high=1 - known.least)
    rows.add(known.sums[withheld], known.least - known.values[withheld], np.inf)
    at = rows.add(known.spoken[said], -np.inf, known.room[said])
    rows.slack(at, -1, np.full(len(at), price * _STATEMENT_WORTH))
    rows.add(known.fixed, known.fixed_low, known.fixed_high)
    moving = known.secrets[wish.secrets].multiply(wish.signs[:, None]).tocsr()
    at = rows.add(moving, 0, np.inf)
    gain = np.where(wish.urgent, _URGENT * dearest, _WELCOME)
    rows.slack(at, -1, -gain, low=-np.inf, high=wish.steps)
    return np.maximum(_solved(rows), -known.counts)


def fewest(known: Knowledge, costs: Floats) -> Floats:
    """Counts of as few people as whoever knows only which figures are 0 has to reckon with."""
    rows = _Rows(np.zeros(len(known.counts)))
    some = (known.values > 0) & known.inside
    rows.add(known.sums[some], known.least, np.inf)
    rows.add(known.sums[(known.values == 0) & known.inside], 0, 0)
    rows.add(known.not_zero, 1, np.inf)
    rows.add(known.tied, known.tied_low, 0)
    return np.maximum(_solved(rows, costs), 0)


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
    found: Floats = solved.x[: len(rows.least)]
    whole = np.rint(found)
    return np.where(np.abs(found - whole) < _TOLERANCE, whole, found)


def hide(part: Part, told: Told, moved: Floats) -> None:
    """Hide what those counts change, so that they fit everything published."""
    known, sums = part.known, part.known.sums @ moved
    told.shown[part.sums] &= np.abs(sums) <= _TOLERANCE
    sums += known.values
    told.labelled[part.sums] &= (sums >= 1 - _TOLERANCE) & (
        sums <= known.threshold - 1 + _TOLERANCE
    )
    told.said[known.speaker[known.spoken @ moved > known.room + _TOLERANCE]] = False


def fits(known: Knowledge, told: Told, moved: Floats) -> bool:
    """Whether counts so far from the truth would be published the same, on top of all that is out already."""
    sums, fixed, spoken = known.sums @ moved, known.fixed @ moved, known.spoken @ moved
    then, slack = known.values + sums, 10 * _TOLERANCE
    return bool(
        (known.counts + moved >= 0).all()
        and (np.abs(sums)[told.shown] <= slack).all()
        and (then[~told.shown] >= known.least - slack).all()
        and (then[told.labelled] >= 1 - slack).all()
        and (then[told.labelled] <= known.threshold - 1 + slack).all()
        and (fixed >= known.fixed_low - slack).all()
        and (fixed <= known.fixed_high + slack).all()
        and (spoken - known.room <= slack)[told.said[known.speaker]].all()
    )


@dataclass
class _Rows:
    """Rows of a linear programme, and columns beside the counts by which single rows may be missed."""

    least: Floats
    parts: list[Any] = field(default_factory=list)
    low: list[Floats] = field(default_factory=list)
    high: list[Floats] = field(default_factory=list)
    length: int = 0
    slacks: list[tuple[Ints, float, Floats, Floats, Floats]] = field(default_factory=list)

    def add(self, rows: Any, low: Any, high: Any) -> Ints:
        """Adds rows between low and high; where they stand."""
        at = np.arange(self.length, self.length + rows.shape[0])
        self.parts.append(rows)
        self.low.append(np.broadcast_to(np.asarray(low, dtype=float), len(at)))
        self.high.append(np.broadcast_to(np.asarray(high, dtype=float), len(at)))
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
        own = np.zeros(len(self.least)) if counts is None else counts
        return np.concatenate([own, *(slack[2] for slack in self.slacks)])

    def bounds(self) -> tuple[Floats, Floats]:
        low = np.concatenate([self.least, *(slack[3] for slack in self.slacks)])
        high = np.concatenate(
            [np.full(len(self.least), np.inf), *(slack[4] for slack in self.slacks)]
        )
        return low, high
