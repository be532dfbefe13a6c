"""What the client brings to the stops of a plan, and the offices where the way in begins."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import ceil

from flask_babel import gettext as _
from flask_babel import ngettext

from referral.core import text
from referral.directory.models import ServiceAtLocation
from referral.directory.reference import coded
from referral.matching.facts import Offer
from referral.web.language import chosen


@dataclass(frozen=True)
class Paper:
    """Something to bring; `how_to_get` where it is not at hand and somebody says how to get it."""

    name: str
    is_lacking: bool
    how_to_get: str | None


@dataclass
class Beginning:
    """An office where the way in to some services begins."""

    office: str
    papers: list[str] = field(default_factory=list)
    facts: list[str] = field(default_factory=list)
    services: list[str] = field(default_factory=list)


def papers_of(offer: Offer | None, lacking: Sequence[str]) -> list[Paper] | None:
    """What to bring; None where nobody told.

    lacking  codes of what the person does not have
    """
    if offer is None or offer.documents is None:
        return None
    return [
        Paper(
            _named(one.code, one.name),
            one.code in lacking,
            one.how_to_get if one.code in lacking else None,
        )
        for one in offer.documents
    ]


def beginnings_of(sites: Iterable[ServiceAtLocation]) -> list[Beginning]:
    """Where the way in begins: each office once, in order, with what it wants to see."""
    found: dict[str, Beginning] = {}
    for site in sites:
        for step in site.service.entry_steps:
            one = found.setdefault(step.office.strip().casefold(), Beginning(step.office))
            days = step.days and ngettext(
                "%(days)s day",
                "%(days)s days",
                ceil(step.days),
                days=text.number(step.days, chosen()),
            )
            who = step.who_may_go and _("%(who)s may go instead", who=step.who_may_go)
            for kept, told in (
                (one.papers, [_named(code, code) for code in step.documents]),
                (one.facts, [days, step.cost, who]),
                (one.services, [site.service.name]),
            ):
                kept += [item for item in told if item and item not in kept]
    return list(found.values())


def _named(code: str | None, otherwise: str) -> str:
    known = coded("documents")
    return known[code].name[chosen()] if code in known else otherwise
