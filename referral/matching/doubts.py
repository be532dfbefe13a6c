"""What an agency itself said is wrong with its listing counts as not known until a curator has looked. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

from referral.core.country import COUNTRY
from referral.directory.upkeep.kinds import Doubt, Part
from referral.matching.facts import Offer

#: what an offer says of a part once the part is not known
_NOT_KNOWN: Mapping[Part, Mapping[str, Any]] = {
    Part.PHONES: {},
    Part.ADDRESS: {
        "latitude": None,
        "longitude": None,
        "precision_km": 0.0,
        "access": (),
        "no_access": (),
    },
    Part.HOURS: {"hours": ()},
    Part.ELIGIBILITY: {
        "minimum_age": None,
        "maximum_age": None,
        "residency": None,
        "sex": None,
        "desil": None,
        "disability": None,
    },
    Part.SERVICE_AREAS: {"service_areas": ()},
    Part.DOCUMENTS: {"documents": None},
    Part.COST: {"fee": None},
    Part.LANGUAGES: {"languages": None, "interprets": False},
    Part.CAPACITY: {"capacity": None, "capacity_at": None, "capacity_until": None},
}


def doubted(offer: Offer, doubts: Sequence[Doubt]) -> Offer:
    """The offer without what is in doubt: a category counts as only suggested, any other part as not known."""
    changes: dict[str, Any] = {}
    for doubt in doubts:
        for part in Part if doubt.part is None else (doubt.part,):
            changes |= _NOT_KNOWN.get(part, {})
    categories = {
        code: stated and not any(doubt.is_about_category(code) for doubt in doubts)
        for code, stated in offer.categories.items()
    }
    zone = ZoneInfo(COUNTRY.time_zone)
    told = tuple((doubt.message, doubt.since.astimezone(zone).date()) for doubt in doubts)
    return replace(offer, categories=categories, in_doubt=told, **changes)
