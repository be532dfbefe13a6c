"""What somebody who reads everything published has to reckon with, as sparse matrices. Pure."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from referral.planning.disclosure.system import UNKNOWN, Bools, Floats, Ints, Sums, System

_TOLERANCE = 1e-6
_ROWS_AT_A_TIME = 256


@dataclass(frozen=True)
class Knowledge:
    """A system without what is known to be 0, every different sum once.

    least       the least that a hidden sum may be for all that is known: 1 where 0 is always shown
    counts      smallest counts that may be anything
    places      for each figure the row of `sums` that it is, -1 where it is known to be 0
    sums        different sums that figures tell, values what they are, worth what is lost when one is hidden
    secrets     sums from 1 to threshold - 1 that must not be worked out; the first are small rows of `sums`
    fixed       what is out already, and sums over the same people: between low and high whatever is hidden
    spoken      parts of statements, at most `most`; speaker is the statement each belongs to
    """

    threshold: int
    least: int
    counts: Floats
    places: Ints
    sums: Any
    values: Ints
    worth: Floats
    secrets: Any
    secret_values: Ints
    fixed: Any
    fixed_low: Floats
    fixed_high: Floats
    spoken: Any
    most: Floats
    speaker: Ints

    @classmethod
    def of(cls, system: System, threshold: int) -> "Knowledge":
        """Raises ValueError where the counts don't fit what is said to be out, equal or stated."""
        from scipy.sparse import vstack

        width = len(system.counts)
        kept = np.flatnonzero((system.counts > 0) | _unsure(system))
        counts = system.counts[kept].astype(float)
        figures = system.figures.matrix(width)[:, kept]
        marks = np.random.default_rng(0).integers(1, 1 << 62, len(kept))
        marked = _marks(figures, marks)
        _, first, same = np.unique(marked, return_index=True, return_inverse=True)
        is_sum = marked[first] != 0
        row = np.where(is_sum, np.cumsum(is_sum) - 1, -1)
        places, sums = row[same], figures[first[is_sum]]
        values = np.rint(sums @ counts).astype(np.int64)
        loss = np.zeros(len(figures.indptr) - 1) if system.loss is None else system.loss
        told = places >= 0
        worth: Floats = np.bincount(
            places[told], weights=1.0 + np.maximum(loss[told], 0.0), minlength=len(values)
        ).astype(float)
        # The larger a count the more it tells; that nobody asked tells most.
        worth *= np.where(values > 0, 1 + np.log2(np.maximum(values, 1)) / 4, 4)

        small = (values > 0) & (values < threshold)
        left, right = system.equals
        equal = left.matrix(width)[:, kept] - right.matrix(width)[:, kept]
        earlier = (system.register.sums if system.register else Sums.none()).matrix(width)[:, kept]
        between = vstack([system.differences.matrix(width)[:, kept], earlier], format="csr")
        if system.nested:
            every = vstack([sums, earlier], format="csr")
            between = vstack([between, _between(every, counts, threshold)], format="csr")
        hidden = np.rint(between @ counts)
        guarded = between[(hidden > 0) & (hidden < threshold)]
        marked = _marks(guarded, marks)
        _, first = np.unique(marked, return_index=True)
        fresh = ~np.isin(marked[first], _marks(sums, marks))
        secrets = vstack([sums[small], guarded[np.sort(first[fresh])]], format="csr")

        fixed = vstack([equal, earlier], format="csr")
        low = high = np.zeros(len(left))
        if system.register is not None:
            low = np.concatenate([low, system.register.low])
            high = np.concatenate([high, system.register.high])
            high[high >= UNKNOWN] = np.inf
        some = np.diff(fixed.indptr) > 0
        fixed, low, high = fixed[some], low[some], high[some]
        spoken, most, speaker = _spoken(system, width)
        spoken = spoken[:, kept]
        if (
            (fixed @ counts < low - _TOLERANCE).any()
            or (fixed @ counts > high + _TOLERANCE).any()
            or (spoken @ counts > most + _TOLERANCE).any()
        ):
            raise ValueError("the counts don't fit what is known of them")
        return cls(
            threshold,
            int(system.zero_shown),
            counts,
            places,
            sums,
            values,
            worth,
            secrets,
            np.rint(secrets @ counts).astype(np.int64),
            fixed,
            low,
            high,
            spoken,
            most,
            speaker,
        )


def _marks(rows: Any, marks: Ints) -> Ints:
    """A number for each row that is the same for the same sums; 0 for a sum of nothing."""
    found: Ints = rows.astype(np.int64) @ marks
    return found


def _unsure(system: System) -> Bools:
    """Smallest counts of which nobody is told that they are 0."""
    if system.unsure is not None:
        return system.unsure
    width = len(system.counts)
    told = [system.figures.matrix(width)]
    if system.register is not None:
        told.append(system.register.sums.matrix(width))
    known = np.zeros(width, dtype=bool)
    for rows in told:
        known[rows[rows @ system.counts == 0].indices] = True
    return ~known


def _between(sums: Any, counts: Floats, threshold: int) -> Any:
    """Small differences of two sums of which one holds the other and neither is small: who is left when one is
    subtracted from the other."""
    from scipy.sparse import vstack

    values = sums @ counts
    sums, values = sums[values >= threshold], values[values >= threshold]
    sizes, turned = np.diff(sums.indptr), sums.T.tocsc()
    found = [sums[:0]]
    for start in range(0, len(values), _ROWS_AT_A_TIME):
        shared = (sums[start : start + _ROWS_AT_A_TIME] @ turned).tocoo()
        whole, part = shared.row + start, shared.col
        more = values[whole] - values[part]
        is_held = (shared.data == sizes[part]) & (more > 0) & (more < threshold)
        found.append(sums[whole[is_held]] - sums[part[is_held]])
    return vstack(found, format="csr")


def _spoken(system: System, width: int) -> tuple[Any, Floats, Ints]:
    from scipy.sparse import csr_array

    parts = [(speaker, part) for speaker, parts in enumerate(system.statements) for part in parts]
    entries = [
        (row, place, factor)
        for row, (_, part) in enumerate(parts)
        for place, factor in part.factors.items()
    ]
    rows, places, factors = np.array(entries, dtype=float).reshape(-1, 3).T
    matrix = csr_array(
        (factors, (rows.astype(np.int64), places.astype(np.int64))), shape=(len(parts), width)
    )
    most = np.array([part.most for _, part in parts], dtype=float)
    return matrix, most, np.array([speaker for speaker, _ in parts], dtype=np.int64)
