"""Releases of gaps as tests need them: figures as they were published, with the certificate that fits them."""

from collections.abc import Mapping
from datetime import UTC, datetime

from sqlalchemy import insert
from sqlalchemy.orm import Session

from referral.planning.disclosure.cells import Cell, Shown
from referral.planning.disclosure.certificate import Audit, Certificate, digest
from referral.planning.gaps.models import Audience, GapFigure, GapRelease, Measure

SMALL, WITHHELD = Cell(Shown.SMALL), Cell(Shown.WITHHELD)
#: (area, category, reason, period) → how it was published
Figures = Mapping[tuple[str, str, str, str], Cell | int]


def released(
    session: Session,
    figures: Mapping[Measure, Figures],
    *,
    quarter: str = "2026-Q3",
    audience: Audience = Audience.PLANNERS,
    threshold: int = 5,
    made_at: datetime = datetime(2026, 10, 1, 1, tzinfo=UTC),
) -> GapRelease:
    """A release that holds just these figures."""
    certificate, rows = {}, []
    for measure in Measure:
        cells = {
            key: Cell(Shown.COUNT, cell) if isinstance(cell, int) else cell
            for key, cell in figures.get(measure, {}).items()
        }
        hidden = {shown: sum(c.shown is shown for c in cells.values()) for shown in Shown}
        certificate[measure.value] = Certificate(
            rule="test",
            threshold=threshold,
            shown=hidden[Shown.COUNT],
            small=hidden[Shown.SMALL],
            withheld=hidden[Shown.WITHHELD],
            primary=hidden[Shown.SMALL],
            complementary=hidden[Shown.WITHHELD],
            earlier=0,
            audit=Audit(hidden[Shown.SMALL], 0, 4, 1, 2),
            digest=digest(cells),
        ).as_json()
        rows += [
            {
                "measure": measure,
                **dict(zip(("area", "category", "reason", "period"), key, strict=True)),
                "shown": cell.shown.value,
                "people": cell.count,
            }
            for key, cell in cells.items()
        ]
    release = GapRelease(
        quarter=quarter,
        audience=audience,
        made_at=made_at,
        threshold=threshold,
        certificate=certificate,
    )
    session.add(release)
    session.flush()
    if rows:
        session.execute(insert(GapFigure), [row | {"release_id": release.id} for row in rows])
    session.flush()
    return release
