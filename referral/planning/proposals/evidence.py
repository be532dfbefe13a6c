"""What a proposal starts from, frozen: published figures, the nearest service, how the area reaches such services.

Everything here was published or is public; nobody's need is looked at. The planners' figures are for their page.
What is handed out, or filled in for it, goes through `printed`. The layout of `gather`:

area, category
nearest   km (None: none placed), name, anywhere (services of the category in the directory)
release   None before the first; else id, audience, quarter, threshold, digest (of the certificate), made_at
unmet     the figure of people whom nothing met; `asked` that of those who asked
          {"key": [area, category, reason, period], "shown": count | small | withheld | None (in no cut),
           "people": …, "wider": None or {"key": …, "people": …}, the figure that stands in where it may not be told}
reasons   [figure] of the area's province and the category's domain, those that are not 0
axes      the same by kind of reason
trend     [figure] of that province and domain, quarter by quarter, oldest first
access    None where nothing was worked out, or as `reach.reach_of` gives it
siting    None, or the chosen sites as `sites.Sites.as_json` keeps them
public    release to siting once more, from the figures that everybody may read alone
"""

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from referral.directory.reference import taxonomy
from referral.places.queries import gazetteer as places_of
from referral.planning.gaps import figures
from referral.planning.gaps.cuts import Key
from referral.planning.gaps.models import Audience, GapRelease, Measure
from referral.planning.gaps.nearest import nearest
from referral.planning.gaps.periods import window
from referral.planning.proposals.reach import reach_of
from referral.planning.proposals.sites import Sites, sites_of
from referral.planning.siting.ground import unmet_by_area
from referral.planning.siting.models import SitingCase
from referral.planning.siting.questions import By
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
    near = nearest(session, places_of(session), [(area, category)])[area, category]
    planners = figures.latest(session)
    public = figures.latest(session, Audience.PUBLIC)
    return {
        "area": area,
        "category": category,
        "nearest": {"km": near.km, "name": near.name, "anywhere": near.anywhere},
        **_told(session, planners, area, category),
        "access": reach_of(session, area, category),
        "siting": sites_of(siting, sites).as_json() if siting else None,
        "public": {
            **_told(session, public, area, category),
            # The share of people who asked comes from the planners' figures.
            "access": reach_of(session, area, category, of_people=False),
            "siting": _public_sites(session, siting, sites, public).as_json() if siting else None,
        },
    }


def printed(evidence: Mapping[str, Any]) -> dict[str, Any]:
    """The evidence as it may be handed out: figures that everybody may read in place of the planners'."""
    return {**evidence, **evidence["public"]} if evidence else {}


def _public_sites(
    session: Session, case: SitingCase, count: int | None, release: GapRelease | None
) -> Sites:
    """The chosen sites with the people that everybody's figures put there; residents are no secret."""
    if case.question["by"] == By.POPULATION:
        return sites_of(case, count)
    if release is None:
        return sites_of(case, count, told={})
    unmet = figures.read(session, release, Measure.UNMET, category=case.category)
    told = unmet_by_area(places_of(session), unmet, case.category)
    return sites_of(case, count, told=told)


_NO_FIGURES: dict[str, Any] = {
    "release": None,
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
        "audience": release.audience.value,
        "quarter": release.quarter,
        "threshold": release.threshold,
        "digest": certificate.get("digest"),
        "made_at": release.made_at.isoformat(),
    }


def _told(session: Session, release: GapRelease | None, area: str, category: str) -> dict[str, Any]:
    if release is None:
        return _NO_FIGURES
    unmet = figures.read(session, release, Measure.UNMET, category=category)
    asked = figures.read(session, release, Measure.ASKED, category=category)
    wide = Key(area=area.partition(".")[0], category=taxonomy().get(category).parent or category)
    codes = select(UnmetReason.code, UnmetReason.axis).where(UnmetReason.counts_as_gap)
    rows = session.execute(codes.order_by(UnmetReason.code)).all()
    axes = dict.fromkeys(axis for _code, axis in rows)
    return {
        "release": _release(release),
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

    "<5" gives five, "<11" ten; where the area's own figure may not be told, nothing is guessed.
    """
    unmet = evidence["unmet"]
    if unmet is None:
        return None
    people = unmet["people"]
    if people is None and unmet["shown"] == "small":
        people = evidence["release"]["threshold"] - 1
    return -(-people // _FIVES) * _FIVES if people else None


_FIVES = 5
