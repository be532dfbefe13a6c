"""The ways to put a plan together, side by side, and what one costs against another."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from flask_babel import ngettext

from referral.core import text
from referral.matching.visit_plans import KINDS
from referral.web.language import chosen

#: A way shorter by less than this is not said to be shorter.
LEAST_KM = 0.1


@dataclass(frozen=True)
class Way:
    """One way to put the plan together; `way_km` there and back, None where no position is known."""

    kind: str
    label: str
    places: int
    without_going: int
    way_km: float | None
    sum_km: float


def ways_of(plans: Mapping[str, Mapping[str, Any]]) -> dict[str, Way]:
    """The ways in a plan's content by kind, the plan itself first."""
    labels = {
        "fewest": _("Fewest places"),
        "one_more": _("One place more"),
        "at_home": _("As much as possible from home"),
        "own_best": _("Each need's own best"),
    }
    return {
        kind: Way(
            kind,
            labels[kind],
            len(plans[kind]["stops"]),
            len(plans[kind]["remote"]),
            plans[kind]["way_km"],
            plans[kind]["sum_km"],
        )
        for kind in KINDS
        if kind in plans
    }


def is_own_best(plans: Mapping[str, Mapping[str, Any]]) -> bool:
    """Whether each need's own best is the plan itself."""
    fewest, own = (
        ([stop["sites"] for stop in plans[kind]["stops"]], plans[kind]["remote"])
        for kind in (KINDS[0], "own_best")
    )
    return fewest == own


def trade_offs(ways: Mapping[str, Way]) -> list[str]:
    """What one way costs against another, in sentences."""
    fewest, own = ways[KINDS[0]], ways["own_best"]
    sentences = []
    more = ways.get("one_more") or (own if own.places == fewest.places + 1 else None)
    if more is not None:
        spared_km = (fewest.way_km or 0.0) - (more.way_km or 0.0)
        if spared_km >= LEAST_KM:
            costs = _("One place fewer costs %(km)s more there and back.", km=_km(spared_km))
        else:
            costs = _(
                "One place fewer costs %(km)s more in distances and additions.",
                km=_km(fewest.sum_km - more.sum_km),
            )
        sentences.append(costs)
    if own.places > fewest.places:
        sentences.append(
            _(
                "Each need's own best: %(places)s places, %(km)s there and back.",
                places=own.places,
                km=_km(own.way_km or 0.0),
            )
        )
    if home := ways.get("at_home"):
        sentences.append(
            ngettext(
                "By phone or online one place fewer has to be gone to.",
                "By phone or online %(num)s places fewer have to be gone to.",
                fewest.places - home.places,
            )
        )
    return sentences


def _km(value: float) -> str:
    return text.km(value, chosen())
