"""Emergency numbers as pages show them: whom one calls, what for, and where they work."""

from typing import Any

from flask_babel import gettext as _

from referral.directory.queries import EmergencyNumber, emergency_numbers
from referral.extensions import db
from referral.places.gazetteer import Gazetteer, PlaceNotClear
from referral.web.formatting import label
from referral.web.naming import category_name

#: Areas named beside an emergency number; the rest are counted, and listed on its own page.
MOST_AREAS = 8


def number_row(one: EmergencyNumber, *where: str) -> dict[str, Any]:
    """One number for the list of a page or a banner; `where` says in which areas it works."""
    notes = [", ".join(category_name(code) for code in one.categories), *where]
    if one.always_open:
        notes.append(_("24 hours"))
    return {
        "name": label(one.name_key) if one.name_key else one.name,
        "number": one.number,
        "dial": one.dial,
        "note": " · ".join(note for note in notes if note),
    }


def numbers_around(area_code: str | None, places: Gazetteer) -> list[dict[str, Any]]:
    """The public's numbers, those that work in the area first, each with where it works."""
    return [
        number_row(one, *_where(one, places))
        | {
            "everywhere": "*" in one.areas or one.service_id is None,
            "service_id": one.service_id,
        }
        for one in emergency_numbers(db.session, area_code=area_code)
    ]


def _where(one: EmergencyNumber, places: Gazetteer) -> list[str]:
    if not one.areas and one.service_id:
        return [_("not known where it works")]
    if "*" in one.areas or not one.areas:
        return []
    names = [_short_name(code, places) for code in one.areas[:MOST_AREAS]]
    if len(one.areas) > MOST_AREAS:
        names.append(_("%(count)s more", count=len(one.areas) - MOST_AREAS))
    return [_("works in: %(areas)s", areas=", ".join(names))]


def _short_name(code: str, places: Gazetteer) -> str:
    try:
        return places.get(code).name
    except PlaceNotClear:
        return code
