"""Reads the rows of a gazetteer file, ours or one to import, and says what is wrong with each. Pure."""

import math
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from referral.core.country import COUNTRY
from referral.core.errors import Finding
from referral.core.geo import haversine_km
from referral.core.text import Message
from referral.places.gazetteer import DISTRICT, PROVINCE, REGENCY, Place
from referral.places.names import is_city

COLUMNS = (
    "code",
    "level",
    "name",
    "parent_code",
    "latitude",
    "longitude",
    "precision_km",
    "point_source",
    "population",
    "time_zone",
)
#: The column names of Indonesian gazetteers, and ours.
FOREIGN_COLUMNS = {
    "kode": "code",
    "nama": "name",
    "kode_induk": "parent_code",
    "lat": "latitude",
    "lon": "longitude",
    "coord_src": "point_source",
    "penduduk_2024": "population",
}
NEEDED = ("code", "level", "name", "latitude", "longitude")
#: A point source that says the point is not the area's own.
BORROWED = "parent_centroid"

#: Three quarters of the facilities of a kecamatan lie this near to its centroid (docs/places.md).
DISTRICT_CENTROID_KM = 7.0

_CODE = re.compile(r"\d{2}(\.\d{2}(\.\d{2})?)?")


@dataclass(frozen=True)
class Reading:
    """The rows that can be kept, parents before children, and what was wrong with the others."""

    places: list[Place]
    findings: list[Finding]
    read: int


class _Wrong(Exception):
    def __init__(self, field: str):
        self.field = field


def regency_usual_km(code: str) -> float:
    """How near to a regency's seat three quarters of its facilities usually are."""
    known = COUNTRY.regency_reach_km
    if code in known:
        return known[code]
    return known["city"] if is_city(code) else known.get(code[:2], known[""])


def missing_columns(header: Iterable[str]) -> list[str]:
    """The columns a file needs and does not have."""
    have = {FOREIGN_COLUMNS.get(name, name) for name in header}
    return [name for name in NEEDED if name not in have]


def read(rows: Iterable[Mapping[str, str | None]], *, known: Collection[str] = ()) -> Reading:
    """Places from the rows of a file. Rows count from 2, as a spreadsheet shows them under its header.

    known  codes already in the gazetteer, that rows may name as parent
    """
    findings: list[Finding] = []
    found: dict[str, tuple[int, Place]] = {}
    count = 0
    for number, raw in enumerate(rows, start=2):
        count += 1
        row = {
            FOREIGN_COLUMNS.get(name, name): (value or "").strip()
            for name, value in raw.items()
            if isinstance(name, str) and not isinstance(value, list)
        }
        try:
            place = _place(row)
            if place.code in found:
                raise _Wrong("twice")
            found[place.code] = (number, place)
        except _Wrong as wrong:
            findings.append(_finding(number, wrong.field, row))
    kept: dict[str, Place] = {}
    for number, place in sorted(found.values(), key=lambda pair: (pair[1].level, pair[1].code)):
        if place.parent_code and place.parent_code not in kept and place.parent_code not in known:
            findings.append(_finding(number, "parent", {"parent_code": place.parent_code}))
        else:
            kept[place.code] = place
    findings.sort(key=lambda finding: finding.row)
    return Reading(_with_precision(kept), findings, count)


_FIELDS = {"parent": "parent_code", "point": "latitude", "zone": "time_zone", "twice": "code"}


def _finding(number: int, wrong: str, row: Mapping[str, str]) -> Finding:
    name, _, field = wrong.partition(":")
    field = field or _FIELDS.get(name, name)
    return Finding(
        row=number,
        field=field,
        value=row.get(field, "")[:80],
        message=Message(f"place.row.{name}"),
        severity="error",
    )


def _place(row: Mapping[str, str]) -> Place:
    code = row.get("code", "")
    if not _CODE.fullmatch(code):
        raise _Wrong("code")
    level = code.count(".") + 1
    if row.get("level", "") != str(level):
        raise _Wrong("level")
    if not row.get("name"):
        raise _Wrong("name")
    parent = code.rpartition(".")[0]
    if row.get("parent_code", parent) not in (parent, ""):
        raise _Wrong("parent")
    zone = row.get("time_zone") or (COUNTRY.time_zone_of(code) if level < DISTRICT else None)
    if zone is not None and zone not in COUNTRY.time_zones:
        raise _Wrong("zone")
    latitude, longitude = _point(row)
    population = _amount(row, "population")
    return Place(
        code=code,
        level=level,
        name=" ".join(row["name"].split()),
        parent_code=parent or None,
        latitude=latitude,
        longitude=longitude,
        precision_km=_amount(row, "precision_km") if latitude is not None else None,
        point_source=(row.get("point_source") or None) if latitude is not None else None,
        population=None if population is None else int(population),
        time_zone=zone,
    )


def _point(row: Mapping[str, str]) -> tuple[float | None, float | None]:
    texts = row.get("latitude", ""), row.get("longitude", "")
    if texts == ("", "") or row.get("point_source") == BORROWED:
        return None, None
    try:
        latitude, longitude = float(texts[0]), float(texts[1])
    except ValueError:
        raise _Wrong("point") from None
    west, south, east, north = COUNTRY.bounds
    if not (south <= latitude <= north and west <= longitude <= east):
        raise _Wrong("point")
    return latitude, longitude


def _amount(row: Mapping[str, str], name: str) -> float | None:
    text = row.get(name, "")
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        raise _Wrong(f"number:{name}") from None
    if not math.isfinite(value) or value < 0:
        raise _Wrong(f"number:{name}")
    return value


def _with_precision(places: Mapping[str, Place]) -> list[Place]:
    """The places, each point with a precision: as given, else from how far its parts lie around it."""
    inside: dict[str, list[Place]] = defaultdict(list)
    for place in places.values():
        if place.parent_code and place.latitude is not None:
            inside[place.parent_code].append(place)
    return [
        place
        if place.latitude is None or place.precision_km is not None
        else replace(place, precision_km=_usual_km(place, inside.get(place.code, [])))
        for place in places.values()
    ]


def _usual_km(place: Place, parts: list[Place]) -> float:
    if place.level == DISTRICT:
        return DISTRICT_CENTROID_KM
    least = regency_usual_km(place.code) if place.level == REGENCY else 100.0
    km = sorted(
        haversine_km(place.latitude, place.longitude, part.latitude, part.longitude)
        for part in parts
        if place.latitude is not None
        and place.longitude is not None
        and part.latitude is not None
        and part.longitude is not None
    )
    if len(km) < 4:
        return least
    beyond = DISTRICT_CENTROID_KM if place.level > PROVINCE else regency_usual_km(parts[0].code)
    return round(km[len(km) * 3 // 4] + beyond / 2, 1)
