"""What goes with every published table: what was hidden, what the audit found, and how to check a copy. Pure."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Any

from referral.planning.disclosure.cells import Cell, Shown

#: Version of the rule by which figures are hidden; changes when the same counts may come out otherwise.
RULE = "2026-11-22"


@dataclass(frozen=True)
class Audit:
    """What was looked at before anything left.

    secrets         small counts, and small differences of figures, that must not be worked out
    told_before     of them those that earlier releases had already narrowed: nothing now hides them
    least_possible  fewest values that stay possible for any of the others; None without any
    highest_low     the largest of their smallest possible values: 1, or of a total as many as parts of it are not 0
    programmes      linear programmes solved
    """

    secrets: int
    told_before: int
    least_possible: int | None
    highest_low: int | None
    programmes: int


@dataclass(frozen=True)
class Certificate:
    """How a release was protected. Figures that are 0 are in no count here.

    threshold      smallest count that is shown
    shown          figures told as they are
    small          figures told as "1 to threshold - 1"
    withheld       figures not told
    primary        of those not shown: small themselves
    complementary  of those not shown: large enough, but would give a small one away
    earlier        figures of earlier releases that were taken into account
    digest         of the figures as they were published, see `digest`
    """

    rule: str
    threshold: int
    shown: int
    small: int
    withheld: int
    primary: int
    complementary: int
    earlier: int
    audit: Audit
    digest: str

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "Certificate":
        """The certificate that `as_json` wrote."""
        return cls(**{**content, "audit": Audit(**content["audit"])})


Published = Mapping[tuple[str, ...], Cell]


def digest(published: Published) -> str:
    """SHA-256 of the published figures that are not 0: lines of key, how it is shown and count, sorted."""
    lines = sorted(
        "\t".join((*key, cell.shown.value, "" if cell.count is None else str(cell.count)))
        for key, cell in published.items()
        if cell.count != 0
    )
    return sha256("\n".join(lines).encode()).hexdigest()


def verify(published: Published, certificate: Certificate) -> list[str]:
    """What doesn't fit between a copy of a release and its certificate; empty where all does.

    One of "digest", "shown", "small", "withheld", "threshold".
    """
    wrong = [] if digest(published) == certificate.digest else ["digest"]
    told = Counter(cell.shown for cell in published.values() if cell.count != 0)
    for shown, name in (
        (Shown.COUNT, "shown"),
        (Shown.SMALL, "small"),
        (Shown.WITHHELD, "withheld"),
    ):
        if told[shown] != getattr(certificate, name):
            wrong.append(name)
    if any(cell.count and cell.count < certificate.threshold for cell in published.values()):
        wrong.append("threshold")
    return wrong
