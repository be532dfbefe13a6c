"""Disclosure control of whole releases: which figures may be told as they are, as "small", or not at all. Pure.

Small figures are hidden. Then other sets of counts are looked for that would be published the same and in which
the secret counts are 1 or less, or as large as they must be able to be. A figure that such counts would change
is hidden as well, the least loss first. In the end every secret has its witnesses.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from referral.planning.disclosure.cells import Cell, Shown
from referral.planning.disclosure.certificate import RULE, Audit, Certificate, Published, digest
from referral.planning.disclosure.knowledge import Knowledge, Part
from referral.planning.disclosure.programme import Told, Wish, fewest, fits, hide, others
from referral.planning.disclosure.system import Bools, Floats, Ints, System

_TOLERANCE = 1e-6
#: Share of the secrets that one programme must move, and of those still open. Fewer at a time hide less and take longer:
#: some hundreds are moved one by one.
_AT_A_TIME, _OF_OPEN, _ONE_BY_ONE = 0.05, 0.34, 18
#: Share of the open secrets of a part that one programme must move there.
_OF_PART = 0.05
#: Share of the others that it may move besides, where that costs nothing.
_BESIDES = 0.25
#: Programmes that look for the fewest people there may be in each secret: so many over all smallest counts, at least.
_FLOOR_TRIES, _FLOOR_LEAST, _LEAST_COST = 30_000, 8, 1e-4


@dataclass(frozen=True)
class Protected:
    """What may be published, figure by figure in the order of `System.figures`.

    values     true sums; raw, never to be published as they are
    shown      told as they are
    labelled   told as small
    said       which statements may be made
    """

    values: Ints
    shown: Bools
    labelled: Bools
    said: Bools
    threshold: int
    earlier: int
    audit: Audit

    def cell(self, at: int) -> Cell:
        """How one figure may be seen."""
        if self.shown[at]:
            return Cell(Shown.COUNT, int(self.values[at]))
        return Cell(Shown.SMALL if self.labelled[at] else Shown.WITHHELD)

    def cells(self) -> list[Cell]:
        return [self.cell(at) for at in range(len(self.values))]

    def certificate(self, keys: Sequence[tuple[str, ...]]) -> Certificate:
        """The certificate of this release; keys name the figures, in their order, as they will be published."""
        published: Published = dict(zip(keys, self.cells(), strict=True))
        some = self.values > 0
        small = some & (self.values < self.threshold)
        return Certificate(
            RULE,
            self.threshold,
            shown=int((some & self.shown).sum()),
            small=int(self.labelled.sum()),
            withheld=int((~self.shown & ~self.labelled).sum()),
            primary=int((~self.shown & small).sum()),
            complementary=int((~self.shown & ~small).sum()),
            earlier=self.earlier,
            audit=self.audit,
            digest=digest(published),
        )


def protect(system: System, *, threshold: int) -> Protected:
    """What may be published of a system so that no small figure, and no small difference, can be worked out.

    The same system gives the same answer. Raises ValueError where the counts don't fit what is known of them.
    """
    known = Knowledge.of(system, threshold)
    small = (known.values > 0) & (known.values < threshold)
    told = Told(~small, small.copy(), np.ones(len(system.statements), dtype=bool))
    search = _Search(known, told)
    search.run()
    is_sum = known.places >= 0
    return Protected(
        np.where(is_sum, np.append(known.values, 0)[known.places], 0),
        ~is_sum | np.append(search.told.shown, True)[known.places],
        is_sum & np.append(search.told.labelled, False)[known.places],
        search.told.said,
        threshold,
        0 if system.register is None else len(system.register.sums),
        search.audit(),
    )


def exposed(system: System, cells: Sequence[Cell], *, threshold: int) -> list[Ints]:
    """Small sums that figures as they were published give away: places of the smallest counts that each adds up.

    Whatever earlier releases had given away already is left out. How the figures were chosen doesn't matter.
    """
    known = Knowledge.of(system, threshold)
    shown, labelled = (np.zeros(len(known.values), dtype=bool) for _ in range(2))
    told = Told(shown, labelled, np.zeros(0, dtype=bool), is_kept=True)
    is_sum = known.places >= 0
    for how, rows in ((Shown.COUNT, told.shown), (Shown.SMALL, told.labelled)):
        seen = np.array([cell.shown is how for cell in cells], dtype=bool)
        rows[known.places[seen & is_sum]] = True
    # A label that is not true tells nothing of the count.
    told.labelled &= ~told.shown & (known.values > 0) & (known.values < threshold)
    search = _Search(known, told)
    search.run()
    return [known.kept[known.secrets[[at]].indices] for at in search.given_away]


class _Search:
    """What is told so far, and how far each secret is known to be able to lie from the truth."""

    def __init__(self, known: Knowledge, told: Told) -> None:
        self.known, self.threshold, self.told = known, known.threshold, told
        # A choice, but the same for the same system.
        self.chance = np.random.default_rng(0)
        self.everything = Part.of(known, np.ones(len(known.counts), dtype=bool))
        #: low enough for each secret: 1, or as many as the figures inside it that are known not to be 0
        self.floor = self._floor()
        self.low = known.secret_values.astype(float)
        self.high = self.low.copy()
        self.told_before = np.zeros(len(self.low), dtype=bool)
        #: secrets that what is kept gives away
        self.given_away: list[int] = []
        self.witnesses: list[tuple[Ints, Floats]] = []
        self.programmes = 0

    def run(self) -> None:
        """Hide until every secret has its witnesses, or what is out already leaves it none."""
        for way in self.known.parts:
            for part in self._divided(way):
                self._settle(part)
        self._finish()

    def _divided(self, way: Ints) -> Iterator[Part]:
        names = np.unique(way)
        return (Part.of(self.known, way == each) for each in names if len(names) > 1)

    def _settle(self, part: Part) -> None:
        """Move the secrets of a part of the whole; those that don't come far enough there stay open."""
        size = 1 + int(_OF_PART * self._is_open()[part.secrets].sum())
        in_vain = np.zeros(len(self.low), dtype=bool)
        while len(still := np.flatnonzero((self._is_open() & ~in_vain)[part.secrets])):
            size = min(size, 1 + int(_OF_OPEN * len(still)))
            urgent = np.isin(np.arange(len(still)), self.chance.permutation(len(still))[:size])
            chosen = urgent | (self.chance.random(len(still)) < _BESIDES)
            arrived = self._move(part, still[chosen], urgent[chosen])
            in_vain[part.secrets[still[urgent][~arrived]]] = True

    def _finish(self) -> None:
        """Hide until every secret has its witnesses, or what is out already leaves it none."""
        part = self.everything
        most = max(1, int(_AT_A_TIME * len(part.secrets)) - _ONE_BY_ONE)
        size = most
        while len(still := np.flatnonzero(self._is_open())):
            size = min(size, max(1, most // 16, int(_OF_OPEN * len(still))))
            urgent = np.isin(np.arange(len(still)), self.chance.permutation(len(still))[:size])
            chosen = urgent | (self.chance.random(len(still)) < _BESIDES)
            arrived = self._move(part, still[chosen], urgent[chosen])
            if size == 1 and not arrived.any():
                self._force(int(still[urgent][0]))
            size = min(most, 2 * size) if 2 * arrived.sum() >= size else max(1, size // 4)

    def audit(self) -> Audit:
        """What the witnesses that fit the release prove, worked out anew from them alone."""
        known = self.known
        low, high = known.secret_values.astype(float), known.secret_values.astype(float)
        for columns, steps in self.witnesses:
            moved = np.zeros(len(known.counts))
            moved[columns] = steps
            if not fits(known, self.told, moved):
                raise RuntimeError("disclosure control: a witness does not fit the release")
            reached = known.secret_values + known.secrets @ moved
            low, high = np.minimum(low, reached), np.maximum(high, reached)
        kept = ~self.told_before
        least, possible = _whole(low[kept]), _possible(low[kept], high[kept])
        if (least > self.floor[kept]).any() or (possible < self.threshold - 1).any():
            raise RuntimeError("disclosure control: a secret has no witness")
        return Audit(
            secrets=len(low),
            told_before=int(self.told_before.sum()),
            least_possible=int(possible.min()) if len(possible) else None,
            highest_low=int(least.max()) if len(least) else None,
            programmes=self.programmes,
        )

    def _floor(self) -> Floats:
        """For each secret 1, or how many people whoever knows only where nobody is must reckon with.

        Exact for few secrets; of many that are above 1 together some may come out too high.
        """
        found = self.known.secret_values.astype(float)
        # The finest parts cut through what counts the same people.
        for part in [
            *(one for way in self.known.parts[1:2] for one in self._divided(way)),
            self.everything,
        ]:
            secrets, floor = part.known.secrets, found[part.secrets]
            if not (floor > 1).any():
                continue
            costs = np.ones(secrets.shape[1])
            floor = np.minimum(floor, _whole(secrets @ fewest(part.known, costs)))
            above = np.flatnonzero(floor > 1)
            groups = max(_FLOOR_LEAST, _FLOOR_TRIES // max(1, len(self.known.counts)))
            for start in range(min(groups, len(above))):
                costs = np.asarray(secrets[above[start::groups]].sum(axis=0)).ravel()
                floor = np.minimum(floor, _whole(secrets @ fewest(part.known, costs + _LEAST_COST)))
            found[part.secrets] = floor
        return np.asarray(np.maximum(found, 1))

    def _is_open(self) -> Bools:
        return (self._needs_low() | self._needs_high()) & ~self.told_before

    def _needs_low(self) -> Bools:
        return np.asarray(_whole(self.low) > self.floor)

    def _needs_high(self) -> Bools:
        return np.asarray(_possible(self._lowest(), self.high) < self.threshold - 1)

    def _lowest(self) -> Floats:
        """The smallest possible value of each secret, once it has come as low as it should."""
        return np.asarray(np.minimum(_whole(self.low), self.floor))

    def _move(self, part: Part, secrets: Ints, urgent: Bools) -> Bools:
        """Look for counts in which these secrets lie elsewhere; which of the urgent ones came as far as they should."""
        own = part.secrets[secrets]
        low, high = self._needs_low()[own], self._needs_high()[own]
        down = low & (~high | (self.chance.random(len(own)) < 0.5))
        goal = np.where(down, self.floor[own], self._lowest()[own] + self.threshold - 2)
        signs = np.where(down, -1, 1)
        steps = np.abs(goal - self.known.secret_values[own]).astype(float)
        moved = self._look(part, Wish(secrets, signs, steps, urgent))
        reached = moved[secrets] * signs >= steps - _TOLERANCE
        return np.asarray(reached[urgent])

    def _force(self, secret: int) -> None:
        """Hide whatever keeps one secret where it is. What then still holds it was out before."""
        for sign in (-1, 1):
            one, steps = np.array([secret]), np.array([float(self.threshold)])
            self._look(
                self.everything, Wish(one, np.array([sign]), steps, np.array([True]), whatever=True)
            )
        self.told_before[secret] = self._is_open()[secret]
        if self.told.is_kept and self.told_before[secret]:
            self.given_away += [secret] if self._could_be_hidden(secret) else []

    def _could_be_hidden(self, secret: int) -> bool:
        """Whether a kept release leaves a secret narrower than it would be if it told of no figure but where nobody is."""
        nothing = np.zeros(len(self.known.values), dtype=bool)
        bare = Told(nothing, nothing, self.told.said)
        ends = [self.known.secret_values[secret]]
        for sign in (-1, 1):
            one, steps = np.array([secret]), np.array([float(self.threshold)])
            wish = Wish(one, np.array([sign]), steps, np.array([True]))
            found = others(self.everything.known, bare, wish)
            ends.append(ends[0] + (self.known.secrets[[secret]] @ found)[0])
        least, most = max(_whole(np.array(min(ends))), self.floor[secret]), max(ends)
        low = max(_whole(self.low[secret]), self.floor[secret])
        return bool(
            low > least
            or self.high[secret]
            < min(low + self.threshold - 2, np.floor(most + _TOLERANCE)) - _TOLERANCE
        )

    def _look(self, part: Part, wish: Wish) -> Floats:
        """Look for counts as wished, hide what they change, and keep them; how far each secret of the part moved."""
        told, own = self.told, part.secrets
        here = replace(told, shown=told.shown[part.sums], labelled=told.labelled[part.sums])
        found = others(part.known, here, wish)
        if not told.is_kept:
            hide(part, told, found)
        elif not fits(part.known, here, found):
            found = np.zeros(len(found))
        moved: Floats = part.known.secrets @ found
        reached = self.known.secret_values[own] + moved
        self.low[own] = np.minimum(self.low[own], reached)
        self.high[own] = np.maximum(self.high[own], reached)
        some = np.flatnonzero(found)
        self.witnesses.append((part.columns[some], found[some]))
        self.programmes += 1
        return moved


def _whole(low: Floats) -> Floats:
    """The smallest whole number that is not less."""
    found: Floats = np.ceil(low - _TOLERANCE)
    return found


def _possible(low: Floats, high: Floats) -> Floats:
    """How many whole numbers lie between."""
    found: Floats = np.floor(high + _TOLERANCE) - _whole(low) + 1
    return found
