"""What somebody who reads everything published has to reckon with, as sparse matrices. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from referral.planning.disclosure.system import UNKNOWN, Bools, Floats, Ints, Sums, System

_TOLERANCE = 1e-6
_ROWS_AT_A_TIME = 256


@dataclass(frozen=True)
class Knowledge:
    """A system without what is known to be 0, every different sum once. All that may move moves from the truth.

    least       the least that a hidden sum may be for all that is known: 1 where 0 is always shown
    kept        places in the system of the smallest counts that may be anything
    counts      how many each is; parts is which part of the whole each is in
    places      for each figure the row of `sums` that it is, -1 where it is known to be 0
    sums        different sums that figures tell, values what they are, worth what is lost when one is hidden
    inside      of sums whether all their counts are here: a part of the country hides nothing of the rest
    secrets     sums from 1 to threshold - 1 that must not be worked out; the first are small rows of `sums`
    fixed       what is out already, and sums over the same people: how far below and above the truth they may lie
    not_zero    sums inside that earlier releases have told to be at least 1
    tied        of sums over the same people how much more the one is: at most nothing, at least tied_low
    spoken      parts of statements, with the room left in each; speaker is the statement each belongs to
    """

    threshold: int
    least: int
    kept: Ints
    counts: Floats
    parts: Sequence[Ints]
    places: Ints
    sums: Any
    values: Ints
    worth: Floats
    inside: Bools
    secrets: Any
    secret_values: Ints
    fixed: Any
    fixed_low: Floats
    fixed_high: Floats
    not_zero: Any
    tied: Any
    tied_low: Floats
    spoken: Any
    room: Floats
    speaker: Ints

    @classmethod
    def of(cls, system: System, threshold: int) -> "Knowledge":
        """Raises ValueError where the counts don't fit what is said to be out, equal, within or stated."""
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
        equal, within = (
            left.matrix(width)[:, kept] - right.matrix(width)[:, kept]
            for left, right in (system.equals, system.within)
        )
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

        tied = vstack([equal, within], format="csr")
        tied_low = np.repeat([0, -np.inf], [equal.shape[0], within.shape[0]])
        fixed = vstack([tied, earlier], format="csr")
        low, high = tied_low, np.zeros(len(tied_low))
        if system.register is not None:
            low = np.concatenate([low, system.register.low])
            high = np.concatenate([high, system.register.high])
            high[high >= UNKNOWN] = np.inf
        some = np.diff(fixed.indptr) > 0
        fixed, now = fixed[some], (fixed @ counts)[some]
        spoken, most, speaker = _spoken(system, width)
        spoken = spoken[:, kept]
        low, high, room = low[some] - now, high[some] - now, most - spoken @ counts
        if max(low.max(initial=0), -high.min(initial=0), -room.min(initial=0)) > _TOLERANCE:
            raise ValueError("the counts don't fit what is known of them")
        return cls(
            threshold,
            int(system.zero_shown),
            kept,
            counts,
            [part[kept] for part in system.parts],
            places,
            sums,
            values,
            worth,
            np.ones(len(values), dtype=bool),
            secrets,
            np.rint(secrets @ counts).astype(np.int64),
            fixed,
            np.minimum(low, 0),
            np.maximum(high, 0),
            fixed[low + now >= 1],
            tied,
            tied_low,
            spoken,
            np.maximum(room, 0),
            speaker,
        )


@dataclass(frozen=True)
class Part:
    """What is known of some smallest counts while all others stay as they are: its counts, sums and secrets.

    known    as if nothing else could move; only secrets that lie wholly inside
    columns  places of its counts in the whole; so `sums` and `secrets`
    """

    known: Knowledge
    columns: Ints
    sums: Ints
    secrets: Ints

    @classmethod
    def of(cls, whole: Knowledge, here: Bools) -> "Part":
        columns = np.flatnonzero(here)
        sums, wholly = _inside(whole.sums, columns)
        secrets, own = _inside(whole.secrets, columns)
        secrets = secrets[own]
        fixed, _ = _inside(whole.fixed, columns)
        spoken, _ = _inside(whole.spoken, columns)
        some, own = _inside(whole.not_zero, columns)
        ties, among = _inside(whole.tied, columns)
        ties = ties[among]
        known = replace(
            whole,
            counts=whole.counts[columns],
            sums=whole.sums[sums][:, columns],
            values=whole.values[sums],
            worth=whole.worth[sums],
            inside=wholly,
            secrets=whole.secrets[secrets][:, columns],
            secret_values=whole.secret_values[secrets],
            fixed=whole.fixed[fixed][:, columns],
            fixed_low=whole.fixed_low[fixed],
            fixed_high=whole.fixed_high[fixed],
            not_zero=whole.not_zero[some[own]][:, columns],
            tied=whole.tied[ties][:, columns],
            tied_low=whole.tied_low[ties],
            spoken=whole.spoken[spoken][:, columns],
            room=whole.room[spoken],
            speaker=whole.speaker[spoken],
        )
        return cls(known, columns, sums, secrets)


def _inside(rows: Any, columns: Ints) -> tuple[Ints, Bools]:
    """Rows that hold any of these columns, and of each whether it holds no other."""
    here = np.zeros(rows.shape[1])
    here[columns] = 1
    some = np.ones_like(rows.data)
    among = type(rows)((some, rows.indices, rows.indptr), shape=rows.shape) @ here
    touched = np.flatnonzero(among)
    wholly: Bools = among[touched] == np.diff(rows.indptr)[touched]
    return touched, wholly


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
