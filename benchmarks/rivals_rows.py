"""The synthetic directory as a database would keep it best: one flat row for each placed offer and category.

Codes and bit sets stand for words and lists, so that every rule is arithmetic on columns; nothing has to be
joined or parsed. Offers out of service are left out, for they are never options.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC
from math import cos, radians, sin
from typing import Any

from benchmarks.offers import STEPS
from referral.core.geo import EARTH_RADIUS_KM
from referral.directory.opening import OpeningRow, is_open
from referral.directory.reference import taxonomy
from referral.matching.facts import Offer, Query
from referral.matching.penalties import (
    CAPACITY_GOOD_DAYS,
    DATA_QUALITY_MOST,
    RELIABILITY_PRIOR,
    VERIFIED_GOOD_DAYS,
    is_able_to_pay,
)
from referral.matching.rules import MEDIATION, residence_matters

LEAVES = [term.code for term in taxonomy() if term.level > 1]
_CATEGORY = {code: number for number, code in enumerate(LEAVES)}
_ROOMS = {
    None: 0,
    "capacity": 1,
    "no-capacity": 2,
    "waitlist": 3,
    "additional-assessment-required": 4,
}
_DISABILITIES = ("any", "physical", "visual", "hearing", "intellectual", "mental", "multiple")
_PLACE_MATTERS = ("physical", "visual", "hearing")
_PAPERS = ("KTP", "KK", "DTSEN")
_LANGUAGES = ("ind", "jav", "ins")
EVERYWHERE = 0

#: columns of an offer beside category, id, place and cell
FACTS = (
    "known", "tells", "floor_km", "low", "high", "sex", "desil", "disability", "papers", "languages",
    "access", "no_access", "fee", "room", "room_at", "room_until", "hours", "assured_on", "due", "in_time",
    "crowding", "serves", "residency", "assumed", "unsafe",
)  # fmt: skip


def vector(latitude: float, longitude: float) -> tuple[float, float, float]:
    """A point as a unit vector: straight lines between such order as arcs on the sphere do."""
    lat, lon = radians(latitude), radians(longitude)
    return cos(lat) * cos(lon), cos(lat) * sin(lon), sin(lat)


def chord(km: float) -> float:
    """The straight line, in radii, that belongs to an arc."""
    return 2 * sin(min(km / EARTH_RADIUS_KM, 3.141592653589793) / 2)


class Rows:
    """Reads offers; keeps what only the whole of them tells."""

    def __init__(self) -> None:
        self._areas: dict[str, int] = {}
        self._hours: dict[tuple[OpeningRow, ...], int] = {}
        #: by category number: due and in time of all offers, and of those proposed where there is violence
        self.answered: dict[tuple[int, bool], list[int]] = {}
        #: rows of each category
        self.counts: dict[int, int] = {}

    def of(
        self, offers: Iterable[Offer]
    ) -> Iterator[tuple[int, str, float, float, tuple[Any, ...]]]:
        """Category number, id, latitude, longitude and FACTS of every row."""
        for offer in offers:
            facts = None
            for code, stated in offer.categories.items():
                category = _CATEGORY[code]
                for violence in (False, True):
                    if not (violence and offer.unsafe_with_violence):
                        sums = self.answered.setdefault((category, violence), [0, 0])
                        sums[0] += offer.due
                        sums[1] += offer.in_time
                if not offer.active or offer.latitude is None or offer.longitude is None:
                    continue
                self.counts[category] = self.counts.get(category, 0) + 1
                facts = facts or self._facts(offer)
                place = offer.latitude, offer.longitude
                yield category, str(offer.service_at_location_id), *place, (int(stated), *facts)

    def _facts(self, offer: Offer) -> tuple[Any, ...]:
        papers = -1
        if offer.documents is not None:  # how to get it is not said: lacking it shuts out
            hard = [one.code for one in offer.documents if one.how_to_get is None]
            papers = _bits(hard, _PAPERS)
        share = 0.0
        if offer.open_referrals and offer.capacity_maximum:
            share = min(1.0, offer.open_referrals / offer.capacity_maximum)
        areas = offer.service_areas
        serves = None if not areas else EVERYWHERE if areas == ("*",) else self.area(areas[0])
        return (
            int(not offer.confidential),
            offer.precision_km,
            offer.minimum_age,
            offer.maximum_age,
            0 if offer.sex is None else 3 if not offer.sex else 1 if "female" in offer.sex else 2,
            0 if offer.desil is None else max(offer.desil, default=10),
            -1 if offer.disability is None else _bits(offer.disability, _DISABILITIES),
            papers,
            0 if offer.interprets else _bits(offer.languages or (), _LANGUAGES),
            _bits(offer.access, _DISABILITIES),
            _bits(offer.no_access, _DISABILITIES),
            int(bool(offer.fee)),
            _ROOMS[offer.capacity],
            offer.capacity_at and offer.capacity_at.timestamp(),
            offer.capacity_until and offer.capacity_until.toordinal(),
            self._hours.setdefault(offer.hours, len(self._hours)),
            offer.assured_on and offer.assured_on.toordinal(),
            offer.due,
            offer.in_time,
            share,
            serves,
            self.area(offer.residency[0]) if offer.residency else None,
            offer.assumed_area and self.area(offer.assumed_area),
            int(offer.unsafe_with_violence),
        )

    def area(self, code: str) -> int:
        return self._areas.setdefault(code, len(self._areas) + 1)

    def asked(self, query: Query) -> dict[str, Any]:
        """A query as values of the statements; `nothing` where violence leaves nothing to propose."""
        category = _CATEGORY[query.need]
        due, in_time = self.answered.get((category, query.violence), [0, 0])
        needed = [code for code in query.disability if code in _PLACE_MATTERS]
        closed = sum(
            1 << number for rows, number in self._hours.items() if is_open(rows, query.at) is False
        )
        assert query.near is not None
        x, y, z = vector(*query.near)
        return {
            "category": category,
            "x": x,
            "y": y,
            "z": z,
            "precision_km": query.precision_km,
            "emergency": int(query.is_emergency),
            "residence": int(residence_matters(query)),
            "registered": self.area(query.registered_in) if query.registered_in else None,
            "personal": int(not query.is_group),
            "age": query.age,
            "sex": {"female": 1, "male": 2, None: None}[query.sex],
            "desil": query.desil,
            "disability": _bits(query.disability, _DISABILITIES),
            "lacking": 0 if query.is_emergency else _bits(query.documents_lacking, _PAPERS),
            "needed": _bits(needed, _DISABILITIES),
            "language": _bits(query.language, _LANGUAGES),
            "able": int(is_able_to_pay(query)),
            "closed": closed,
            "now": query.at.timestamp(),
            "day": query.at.astimezone(UTC).date().toordinal(),
            "habit": in_time / due if due else None,
            "violence": int(query.violence),
            "nothing": query.violence and query.need == MEDIATION,
        }


def _bits(codes: Iterable[str | None], names: tuple[str, ...]) -> int:
    return sum(1 << names.index(code) for code in set(codes) if code is not None)


# The rules as SQL: the same text for both databases. {name} is a value of the query, o a row. -----------------

PLAIN_GATES = """
    ({age} IS NULL OR ((o.low IS NULL OR o.low <= {age}) AND (o.high IS NULL OR {age} <= o.high)))
    AND ({sex} IS NULL OR o.sex IN (0, 3, {sex}))"""

#: true for an option: no gate of domain.md fails
FITS = """
    ({violence} = 0 OR o.unsafe = 0)
    AND ({residence} = 0 OR {registered} IS NULL
         OR ((o.serves IS NULL OR o.serves = 0 OR o.serves = {registered})
             AND (o.residency IS NULL OR o.residency = {registered})))
    AND ({personal} = 0 OR (
        ({age} IS NULL OR ((o.low IS NULL OR o.low <= {age}) AND (o.high IS NULL OR {age} <= o.high)))
        AND ({sex} IS NULL OR o.sex IN (0, 3, {sex}))
        AND ({desil} IS NULL OR o.desil = 0 OR {desil} <= o.desil)
        AND (o.disability <= 0 OR {disability} = 0 OR (o.disability & ({disability} | 1)) <> 0)
        AND (o.papers <= 0 OR (o.papers & {lacking}) = 0)
        AND (o.no_access & {needed}) = 0))"""

_UNKNOWN = """
    o.known = 0
    OR ({residence} = 1 AND CASE
        WHEN o.serves IS NOT NULL OR o.residency IS NOT NULL
        THEN {registered} IS NULL AND (o.serves > 0 OR o.residency IS NOT NULL)
        ELSE o.assumed IS NULL OR {registered} IS NULL OR o.assumed <> {registered} END)
    OR ({personal} = 1 AND (
        (o.low IS NULL AND o.high IS NULL)
        OR ({age} IS NULL AND NOT (coalesce(o.low, 0) = 0 AND o.high IS NULL))
        OR o.sex = 0 OR ({sex} IS NULL AND o.sex <> 3)
        OR o.desil = 0 OR ({desil} IS NULL AND o.desil < 10)
        OR o.disability = -1 OR ({disability} = 0 AND o.disability > 0)
        OR ({emergency} = 0 AND o.papers = -1)
        OR (o.access & {needed}) <> {needed}))"""
_ROOM = f"""CASE
        WHEN o.room = 0 THEN 0
        WHEN o.room_until IS NOT NULL THEN CASE WHEN {{day}} <= o.room_until THEN o.room ELSE 0 END
        WHEN {{now}} - o.room_at > {CAPACITY_GOOD_DAYS * 86_400} THEN 0
        ELSE o.room END"""
_CLOSED = "(({closed} >> o.hours) & 1)"

GROUP = f"""CASE
    WHEN ({_ROOM}) = 2 OR ({{emergency}} = 1 AND {_CLOSED} = 1) THEN 2
    WHEN {{residence}} = 1 AND o.serves IS NULL AND o.residency IS NULL
         AND o.assumed IS NOT NULL AND o.assumed <> {{registered}} THEN 1
    ELSE 0 END"""

#: the sum of all penalties, in local steps
PENALTIES = f"""(
    {STEPS["closed"]} * {_CLOSED}
    + CASE {_ROOM} WHEN 3 THEN {STEPS["waitlist"]} WHEN 4 THEN {STEPS["assessment"]} ELSE 0 END
    + CASE WHEN {{language}} <> 0 AND o.languages <> 0 AND (o.languages & {{language}}) = 0
           THEN {STEPS["language"]} ELSE 0 END
    + CASE WHEN o.fee = 1 AND {{able}} = 0 THEN {STEPS["fee"]} ELSE 0 END
    + CASE WHEN o.due > 0 AND {{habit}} IS NOT NULL
           THEN {STEPS["reliability"]} * (1 - (o.in_time + {RELIABILITY_PRIOR} * {{habit}}) / (o.due + {RELIABILITY_PRIOR}))
           ELSE 0 END
    + {STEPS["congestion"]} * o.crowding
    + {{least}}({STEPS[DATA_QUALITY_MOST]},
        CASE WHEN {_UNKNOWN} THEN {STEPS["eligibility_unknown"]} ELSE 0 END
        + CASE WHEN ({_ROOM}) = 0 THEN {STEPS["capacity_unknown"]} ELSE 0 END
        + CASE WHEN o.assured_on IS NULL OR {{day}} - o.assured_on > {VERIFIED_GOOD_DAYS}
               THEN {STEPS["unverified"]} ELSE 0 END))"""
