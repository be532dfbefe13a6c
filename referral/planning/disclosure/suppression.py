"""Disclosure control of whole releases: which figures may be told as they are, as "small", or not at all. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from referral.planning.disclosure import linked
from referral.planning.disclosure.cells import Cell, Shown
from referral.planning.disclosure.certificate import RULE, Audit, Certificate, Published, digest
from referral.planning.disclosure.system import Bools, Ints, System


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
        hidden = some & ~self.shown
        return Certificate(
            RULE,
            self.threshold,
            shown=int((some & self.shown).sum()),
            small=int(self.labelled.sum()),
            withheld=int((hidden & ~self.labelled).sum()),
            primary=int((hidden & small).sum()),
            complementary=int((hidden & ~small).sum()),
            earlier=self.earlier,
            audit=self.audit,
            digest=digest(published),
        )


def protect(system: System, *, threshold: int) -> Protected:
    """What may be published of a system so that no small figure, and no small difference, can be worked out."""
    figures = system.figures
    loss = np.zeros(len(figures)) if system.loss is None else system.loss
    release = linked.protect(
        [int(count) for count in system.counts],
        {
            at: linked.Figure(tuple(int(p) for p in figures.row(at)), float(loss[at]))
            for at in range(len(figures))
        },
        threshold=threshold,
    )
    values = np.add.reduceat(np.append(system.counts[figures.parts], 0), figures.starts[:-1])
    shown = np.array([release.cells[at].shown is Shown.COUNT for at in range(len(figures))], bool)
    labelled = np.array([release.cells[at].shown is Shown.SMALL for at in range(len(figures))], bool)
    audit = Audit(0, 0, None, None, 0)
    said = np.zeros(len(system.statements), dtype=bool)
    earlier = 0 if system.register is None else len(system.register.sums)
    return Protected(values, shown, labelled, said, threshold, earlier, audit)
