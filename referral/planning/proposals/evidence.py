"""What a proposal starts from, frozen: published figures, the nearest service, how the area reaches such services.

Everything here was published or is public; nobody's need is looked at. The layout of `gather`:

area, category
release   None before the first; else id, quarter, threshold, digest (of the certificate), made_at
unmet     the figure of people whom nothing met; `asked` that of those who asked
          {"key": [area, category, reason, period], "shown": count | small | withheld | None (in no cut),
           "people": …, "wider": None or {"key": …, "people": …}, the figure that stands in where it may not be told}
reasons   [figure] of the area's province and the category's domain, those that are not 0
axes      the same by kind of reason
trend     [figure] of that province and domain, quarter by quarter, oldest first
nearest   km (None: none placed), name, anywhere (services of the category in the directory)
access    None where nothing was worked out, or as `reach.reach_of` gives it
siting    None, or the chosen sites as `sites.Sites.as_json` keeps them
"""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from referral.directory.reference import taxonomy
from referral.places.queries import gazetteer as places_of
from referral.planning.gaps import figures
from referral.planning.gaps.cuts import Key
from referral.planning.gaps.models import GapRelease, Measure
from referral.planning.gaps.nearest import nearest
from referral.planning.gaps.periods import window
from referral.planning.proposals.reach import reach_of
from referral.planning.proposals.sites import sites_of
from referral.planning.siting.models import SitingCase
from referral.planning.unmet.models import UnmetReason

Figure = dict[str, Any]


def gather(
    session: Session,
    area: str,
    category: str,
    siting: SitingCase | None = None,
    *,
    sites: int | None = None,
) -> dict[str, Any]:
    """The evidence for what is missing in an area, as it may be told today."""
    release = figures.latest(session)
    near = nearest(session, places_of(session), [(area, category)])[area, category]
    return {
        "area": area,
        "category": category,
        "release": _release(release) if release else None,
        **(_figures(session, release, area, category) if release else _NO_FIGURES),
        "nearest": {"km": near.km, "name": near.name, "anywhere": near.anywhere},
        "access": reach_of(session, area, category),
        "siting": sites_of(siting, sites).as_json() if siting else None,
    }


_NO_FIGURES: dict[str, Any] = {
    "unmet": None,
    "asked": None,
    "reasons": [],
    "axes": [],
    "trend": [],
}


def _release(release: GapRelease) -> dict[str, Any]:
    certificate = release.certificate.get(Measure.UNMET.value) or {}
    return {
        "id": str(release.id),
        "quarter": release.quarter,
        "threshold": release.threshold,
        "digest": certificate.get("digest"),
        "made_at": release.made_at.isoformat(),
    }


def _figures(session: Session, release: GapRelease, area: str, category: str) -> dict[str, Any]:
    unmet = figures.read(session, release, Measure.UNMET, category=category)
    asked = figures.read(session, release, Measure.ASKED, category=category)
    wide = Key(area=area.partition(".")[0], category=taxonomy().get(category).parent or category)
    codes = select(UnmetReason.code, UnmetReason.axis).where(UnmetReason.counts_as_gap)
    rows = session.execute(codes.order_by(UnmetReason.code)).all()
    axes = dict.fromkeys(axis for _code, axis in rows)
    return {
        "unmet": figure(unmet, Key(area, category)),
        "asked": figure(asked, Key(area, category)),
        "reasons": list(_by_reason(unmet, wide, [code for code, _axis in rows])),
        "axes": list(_by_reason(unmet, wide, list(axes))),
        "trend": [
            figure(unmet, Key(wide.area, wide.category, period=quarter))
            for quarter in window(release.quarter)
        ],
    }


def _by_reason(unmet: figures.Figures, wide: Key, codes: list[str]) -> Iterator[Figure]:
    for code in codes:
        found = figure(unmet, Key(wide.area, wide.category, reason=code))
        if found["people"] != 0:
            yield found


def figure(of: figures.Figures, key: Key) -> Figure:
    """How one figure may be seen, and the wider one that stands in for it."""
    told = of.told(key)
    return {
        "key": _plain(key),
        "shown": told.own.shown.value if told.own else None,
        "people": told.own.count if told.own else None,
        "wider": {"key": _plain(told.key), "people": told.people}
        if told.key is not None and told.is_widened
        else None,
    }


def _plain(key: Key) -> list[str]:
    return [key.area, key.category, key.reason, key.period]


def capacity_suggested(evidence: dict[str, Any]) -> int | None:
    """A first guess of how many it should serve at a time: those whom nothing met in a year, in fives.

    "<5" gives five; where the area's own figure may not be told, nothing is guessed.
    """
    unmet = evidence["unmet"]
    if unmet is None:
        return None
    people = unmet["people"]
    if people is None and unmet["shown"] == "small":
        people = evidence["release"]["threshold"]
    return -(-people // _FIVES) * _FIVES if people else None


_FIVES = 5
