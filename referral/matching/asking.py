"""Makes a query out of what people type: options of the command line, fields of a form, lines of a file."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from referral.core.errors import Invalid
from referral.core.geo import is_on_earth
from referral.directory.kinds import OLDEST_YEARS
from referral.directory.reference import coded
from referral.matching.facts import Place, Query
from referral.matching.rules import VIOLENT_NEEDS
from referral.places.gazetteer import Gazetteer
from referral.taxonomy.tree import Taxonomy

FIELDS = (
    "need",
    "near",
    "place",
    "registered_in",
    "age",
    "sex",
    "desil",
    "disability",
    "language",
    "documents_lacking",
    "urgency",
    "at",
    "within",
    "limit",
)
URGENCIES = ("emergency", "urgent", "routine")
SEXES = ("female", "male")
FIRST_YEAR, LAST_YEAR = 2000, 2100
LARGEST_LIMIT = 200
DEFAULT_LIMIT = 20
#: Nothing on earth is farther away than half way round it.
FARTHEST_KM = 20_038.0
#: Two regencies are about equally near when the second is less than this much farther.
EQUALLY_NEAR = 1.25

_POINT = re.compile(r"^\s*(-?\d+(?:\.\d+)?)\s*,\s*(-?\d+(?:\.\d+)?)\s*$")
_SHOWN = 60  # characters of a refused value that a message repeats


def query_from(
    given: Mapping[str, Any],
    *,
    taxonomy: Taxonomy,
    gazetteer: Gazetteer,
    now: datetime,
    zone: str,
) -> Query:
    """The query in `given` (names as FIELDS; text or JSON values; None and "" are not given).

    zone  IANA name of the office's zone: `at` without an offset is there, and so is the default, now.
    Raises Invalid naming the field, with candidates where it is not clear what was meant.
    """
    unknown = next((name for name in given if name not in FIELDS), None)
    if unknown is not None:
        raise Invalid("match.query.unknown_field", field=_said(unknown), name=_said(unknown))
    values = {name: _given(given.get(name)) for name in FIELDS}
    need = _need(values["need"], taxonomy)
    near, precision_km, place = _where(values["near"], values["place"], gazetteer)
    return Query(
        need=need,
        at=_at(values["at"], now, ZoneInfo(zone)),
        near=near,
        precision_km=precision_km,
        place=place,
        registered_in=_area(values["registered_in"], gazetteer),
        age=_whole("age", values["age"], 0, OLDEST_YEARS),
        sex=_choice("sex", values["sex"], SEXES),
        desil=_whole("desil", values["desil"], 1, 10),
        disability=_codes("disability", values["disability"], set(coded("disabilities"))),
        language=_languages(values["language"]),
        documents_lacking=_documents(values["documents_lacking"]),
        urgency=_choice("urgency", values["urgency"], URGENCIES) or "routine",
        within=_km(values["within"]),
        limit=_whole("limit", values["limit"], 1, LARGEST_LIMIT) or DEFAULT_LIMIT,
        violence=need in VIOLENT_NEEDS,
    )


def place_of_point(near: tuple[float, float], gazetteer: Gazetteer) -> Place | None:
    """The kab/kota a point lies in: by boundaries, else the nearest; None where two are about equally near."""
    if not len(gazetteer):
        return None
    regency = gazetteer.regency_at(*near)
    if regency is None:
        regency, km, next_km = gazetteer.nearest_regency(*near)
        if next_km is not None and next_km < km * EQUALLY_NEAR:
            return None
    located = gazetteer.locate(regency.code)
    return Place(regency.code, regency.name, located.precision_km if located else 0.0)


def place_of_code(
    code: str, gazetteer: Gazetteer
) -> tuple[tuple[float, float] | None, float, Place]:
    """Point, precision in km and place that stand for an area."""
    found = gazetteer.get(code)
    located = gazetteer.locate(code)
    if located is None:
        return None, 0.0, Place(found.code, gazetteer.label(code), 0.0)
    precision_km = located.precision_km
    return (
        (located.latitude, located.longitude),
        precision_km,
        Place(found.code, gazetteer.label(code), precision_km),
    )


def _given(value: Any) -> Any:
    if isinstance(value, str):
        value = value.strip()
    return None if value in (None, "", [], ()) else value


def _said(value: Any) -> str:
    text = str(value)
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"


def _need(value: Any, taxonomy: Taxonomy) -> str:
    if value is None:
        raise Invalid("match.query.missing_need", field="need")
    return taxonomy.get(str(value)).code


def _where(
    near: Any, place: Any, gazetteer: Gazetteer
) -> tuple[tuple[float, float] | None, float, Place | None]:
    """The point to measure from, how far off it may be, and the area it lies in."""
    if near is None and place is None:
        raise Invalid("match.query.missing_where", field="near")
    if near is None:
        return _named(place, gazetteer)
    point = _point(near)
    if place is None:
        return point, 0.0, place_of_point(point, gazetteer)
    middle, precision_km, named = _named(place, gazetteer)
    # A query copied from an answer names both: the point is the area's, as roughly known as before.
    return point, precision_km if point == middle else 0.0, named


def _named(value: Any, gazetteer: Gazetteer) -> tuple[tuple[float, float] | None, float, Place]:
    text = str(value.get("code") if isinstance(value, Mapping) else value)
    return place_of_code(gazetteer.resolve(text).code, gazetteer)


def _point(value: Any) -> tuple[float, float]:
    numbers: list[Any] = []
    if isinstance(value, str):
        found = _POINT.match(value)
        numbers = [float(number) for number in found.groups()] if found else []
    elif isinstance(value, (list, tuple)):
        numbers = list(value)
    if len(numbers) != 2 or not all(_is_number(number) for number in numbers):
        raise Invalid("match.query.near", field="near", value=_said(value))
    lat, lon = float(numbers[0]), float(numbers[1])
    if not is_on_earth(lat, lon):
        raise Invalid("match.query.near", field="near", value=_said(value))
    return lat, lon


def _is_number(value: Any) -> bool:
    # Compared and not converted: JSON has whole numbers that no float holds.
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) <= 180


def _area(value: Any, gazetteer: Gazetteer) -> str | None:
    if value is None:
        return None
    if str(value) not in gazetteer:
        raise Invalid("match.query.registered_in", field="registered_in", value=_said(value))
    return str(value)


def _whole(field: str, value: Any, low: int, high: int) -> int | None:
    if value is None:
        return None
    try:
        if isinstance(value, bool) or (isinstance(value, float) and not value.is_integer()):
            raise ValueError
        number = int(value)
        if not low <= number <= high:
            raise ValueError
    except (TypeError, ValueError, OverflowError):
        raise Invalid(
            "match.query.whole_number",
            low=low,
            high=high,
            value=_said(value),
            field=field,
            name=field,
        ) from None
    return number


def _km(value: Any) -> float | None:
    if value is None:
        return None
    try:
        if isinstance(value, bool):
            raise ValueError
        number = float(value)
        if not 0 < number <= FARTHEST_KM:
            raise ValueError
    except (TypeError, ValueError, OverflowError):
        raise Invalid(
            "match.query.number", field="within", name="within", value=_said(value)
        ) from None
    return number


def _choice(field: str, value: Any, choices: tuple[str, ...]) -> str | None:
    if value is None:
        return None
    if value not in choices:
        raise Invalid(
            "match.query.choice",
            choices=list(choices),
            value=_said(value),
            field=field,
            name=field,
            candidates=list(choices),
        )
    return str(value)


def _many(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _codes(field: str, value: Any, known: set[str]) -> tuple[str, ...]:
    for one in _many(value):
        _choice(field, one, tuple(sorted(known)))
    return tuple(dict.fromkeys(_many(value)))


def _languages(value: Any) -> tuple[str, ...]:
    for one in _many(value):
        if not re.fullmatch(r"[a-z]{3}", str(one)):
            raise Invalid("match.query.language", field="language", value=_said(one))
    return tuple(dict.fromkeys(_many(value)))


def _documents(value: Any) -> tuple[str, ...]:
    known = coded("documents")
    codes = [str(one).strip().upper() for one in _many(value)]
    for code in codes:
        if code not in known:
            raise Invalid(
                "match.query.document",
                field="documents_lacking",
                candidates=list(known),
                value=_said(code),
            )
    return tuple(dict.fromkeys(codes))


def _at(value: Any, now: datetime, zone: ZoneInfo) -> datetime:
    if value is None:
        return now.astimezone(zone).replace(microsecond=0)
    try:
        moment = datetime.fromisoformat(str(value))
        moment = moment.replace(tzinfo=zone) if moment.tzinfo is None else moment.astimezone(zone)
        if not FIRST_YEAR <= moment.year <= LAST_YEAR:
            raise ValueError
    except (ValueError, OverflowError):
        raise Invalid("match.query.at", field="at", value=_said(value)) from None
    return moment
