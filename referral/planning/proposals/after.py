"""What came of a resource that opened: published figures before and since, and how near such help is now."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from referral.places.queries import gazetteer as places_of
from referral.planning.gaps import figures
from referral.planning.gaps.cuts import Key
from referral.planning.gaps.models import Audience, GapRelease, Measure
from referral.planning.gaps.nearest import nearest
from referral.planning.gaps.periods import quarter_of
from referral.planning.proposals.evidence import figure
from referral.planning.proposals.models import Proposal
from referral.planning.proposals.reach import reach_of
from referral.planning.proposals.states import ProposalStatus

#: Releases of before that are shown beside those since.
BEFORE = 4


@dataclass(frozen=True)
class Point:
    """The figure of one release, which counts the four quarters up to its own."""

    quarter: str
    threshold: int
    figure: dict[str, Any]
    is_since: bool


@dataclass(frozen=True)
class After:
    """Before and now. What was not known before is None."""

    points: list[Point]
    km_before: float | None
    km_now: float | None
    reach_before: dict[str, Any] | None
    reach_now: dict[str, Any] | None

    @property
    def has_since(self) -> bool:
        """Whether a release counts any day since it opened."""
        return any(point.is_since for point in self.points)


def after(session: Session, proposal: Proposal) -> After | None:
    """Before and now for the gap of a proposal; None until its resource opened."""
    opened = [step.at for step in proposal.steps if step.to_status is ProposalStatus.OPENED]
    if not opened:
        return None
    area, category = proposal.area_code, proposal.category
    quarter = quarter_of(opened[-1])
    releases = session.scalars(
        select(GapRelease)
        .where(GapRelease.audience == Audience.PLANNERS)
        .order_by(GapRelease.quarter)
    ).all()
    # A release of the running quarter may have been made before the day.
    since = [one for one in releases if one.quarter >= quarter and one.made_at > opened[-1]]
    before = [one for one in releases if one not in since][-BEFORE:]
    points = []
    for release in (*before, *since):
        told = figures.read(session, release, Measure.UNMET, category=category)
        points.append(
            Point(
                release.quarter,
                release.threshold,
                figure(told, Key(area, category)),
                release in since,
            )
        )
    known = proposal.evidence or {}
    now = nearest(session, places_of(session), [(area, category)])[area, category]
    reach = reach_of(session, area, category)
    was = known.get("access")
    return After(
        points,
        (known.get("nearest") or {}).get("km"),
        now.km,
        was,
        # What was worked out before it opened tells nothing of now.
        reach if reach and reach["made_at"] > opened[-1].isoformat() else None,
    )
