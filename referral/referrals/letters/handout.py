"""The sheet that a client takes home: where to go, in large print, and nothing about why. Knows no database."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import shapely

from referral.core.text import Message, render
from referral.referrals.letters.discretion import tells
from referral.referrals.letters.place import Place
from referral.referrals.letters.sketch import Spot, drawing

MAP_MM = (170.0, 62.0)
#: Farther than this a drawing of the way helps nobody.
MAP_FARTHEST_KM = 60.0


@dataclass(frozen=True)
class Option:
    """A place with how far it is from where the person starts, as the match said."""

    place: Place
    #: "3,2 km" or "0–14 km", in a straight line
    distance: str | None = None
    km: float | None = None
    #: in words; None where the place may as well lie on the other side
    bearing: str | None = None
    #: what the match knows of the way: another island, a road or boat that the office knows
    further: str | None = None


def handout_content(
    options: Sequence[Option],
    lang: str,
    *,
    start: Spot | None,
    coast: Sequence[shapely.Geometry] = (),
    unsaid: Sequence[str] | None = None,
) -> dict[str, Any]:
    """The sheet in one language. Our own words name neither a referral, nor a need, nor the office.

    start    where the way begins; None: not known, and no drawing
    unsaid   as in chat_text: the need's own names, where the sheet must not tell whoever finds it
    """

    def words(key: str, **params: Any) -> str:
        return render(Message(key, params), lang)

    return {
        "lang": lang,
        "title": words("letter.handout.title"),
        "words": {
            "address": words("letter.handout.address"),
            "phone": words("letter.handout.phone"),
            "hours": words("letter.handout.hours"),
            "bring": words("letter.handout.bring"),
            "steps": words("letter.handout.steps"),
            "say": words("letter.handout.say"),
            "north": words("letter.handout.north"),
            "start": words("letter.handout.start"),
            "page": words("letter.page"),
            "of": words("letter.of"),
        },
        "say": words("letter.handout.say_this"),
        "options": [
            _option(number, one, start, coast, unsaid, words, many=len(options) > 1)
            for number, one in enumerate(options, start=1)
        ],
        "note": words("letter.handout.check"),
    }


def _option(
    number: int,
    option: Option,
    start: Spot | None,
    coast: Sequence[shapely.Geometry],
    unsaid: Sequence[str] | None,
    words: Any,
    *,
    many: bool,
) -> dict[str, Any]:
    place, held_back = _discreet(option.place, unsaid)
    spot = None
    # A start on the sheet would show where the person lives, to whoever finds it.
    if (
        start is not None
        and unsaid is None
        and place.latitude is not None
        and not place.confidential
    ):
        spot = Spot(place.latitude, place.longitude or 0.0, place.precision_km)
    return {
        "number": number if many else None,
        "name": place.name or words("letter.handout.place", number=number),
        "organization": place.organization if place.organization != place.name else "",
        "address": None if place.confidential else place.address,
        "area": None if place.confidential else place.area,
        "address_unknown": _no_address(place, words),
        "phones": list(place.phones),
        "no_phone": None if place.phones else words("letter.handout.no_phone"),
        "hours": [list(row) for row in place.hours],
        "no_hours": None if place.hours else words("letter.handout.no_hours"),
        "bring": [f"{name} ({how})" if how else name for name, how in place.documents],
        "no_bring": None if place.documents else words("letter.handout.no_bring"),
        "held_back": words("letter.handout.held_back") if held_back else None,
        "steps": list(place.steps),
        "way": _way(option, words),
        "map": _map(option, start, spot, coast, words),
    }


def _no_address(place: Place, words: Any) -> str | None:
    if place.confidential:
        return str(words("letter.handout.confidential"))
    if place.address:
        return None
    return str(words("letter.handout.remote" if place.remote else "letter.handout.no_address"))


def _discreet(place: Place, unsaid: Sequence[str] | None) -> tuple[Place, bool]:
    """The place without any line that would tell, and whether something is missing now."""
    if unsaid is None:
        return place, False

    def kept(line: str | None) -> bool:
        return line is None or not tells(line, unsaid)

    quiet = replace(
        place,
        name=place.name if kept(place.name) else "",
        organization=place.organization if kept(place.organization) else "",
        address=place.address if kept(place.address) else None,
        hours=[row for row in place.hours if kept(" ".join(row))],
        documents=[row for row in place.documents if kept(" ".join(filter(None, row)))],
        steps=[step for step in place.steps if kept(step)],
    )
    if not quiet.name and quiet.organization:
        quiet = replace(quiet, name=quiet.organization)
    return quiet, quiet != place


def _way(option: Option, words: Any) -> str | None:
    """How far and in which direction, and what else is known of the way."""
    if option.distance is None or option.place.confidential:
        return None
    if option.bearing:
        way = words("letter.handout.way_to", distance=option.distance, bearing=option.bearing)
    else:
        way = words("letter.handout.way", distance=option.distance)
    return " ".join(filter(None, [way, option.further]))


def _map(
    option: Option,
    start: Spot | None,
    spot: Spot | None,
    coast: Sequence[shapely.Geometry],
    words: Any,
) -> dict[str, Any] | None:
    if start is None or spot is None or (option.km or 0.0) > MAP_FARTHEST_KM:
        return None
    drawn = drawing(start, [spot], coast, width=MAP_MM[0], height=MAP_MM[1])
    return drawn | {
        "scale_text": words("letter.handout.scale", km=drawn["scale"]["km"]),
        "note": words("letter.handout.map_note"),
        "alt": words("letter.handout.map_alt", way=_way(option, words) or ""),
    }
