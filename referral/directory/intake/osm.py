"""Elements of OpenStreetMap as rows of a table with our column names. Pure.

Reads what the Overpass API answers (`out center` for ways and relations) and the GeoJSON that Overpass Turbo
exports. Which tags stand for which help is said by directory_data/osm_tags.csv.
"""

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from referral.core.errors import Finding
from referral.core.text import Message
from referral.directory.intake import geojson
from referral.directory.intake.reading import Entry
from referral.directory.kinds import ServiceStatus

#: prefixes of keys for what was there once, and for what is not there yet
GONE = (
    "disused",
    "abandoned",
    "demolished",
    "removed",
    "razed",
    "destroyed",
    "ruins",
    "was",
    "closed",
)
COMING = ("construction", "proposed", "planned")
#: a tag of these keys says that something is a place of help, even if we don't know of which
_HELP = ("social_facility", "social_facility:for", "healthcare", "healthcare:speciality")
_HELP_TAGS = {
    "amenity": ("social_facility", "clinic", "doctors", "hospital"),
    "office": ("ngo", "charity", "foundation"),
}
_NOT_HELP = "-"
_PHONES = (
    ("phone", "voice"),
    ("contact:phone", "voice"),
    ("emergency:phone", "hotline"),
    ("mobile", "cell"),
    ("contact:mobile", "cell"),
    ("contact:whatsapp", "whatsapp"),
    ("fax", "fax"),
    ("contact:fax", "fax"),
)
_DISABLED = {"disabled": "any", "blind": "visual", "deaf": "hearing", "mental_health": "mental"}
_WHEELCHAIR = {
    "yes": "Bisa dimasuki kursi roda",
    "designated": "Bisa dimasuki kursi roda",
    "limited": "Sebagian bisa dimasuki kursi roda",
    "no": "Tidak bisa dimasuki kursi roda",
}
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


@dataclass(frozen=True)
class Rule:
    """Tags that together stand for a kind of help; more of them say it more exactly."""

    tags: tuple[tuple[str, re.Pattern[str]], ...]
    categories: tuple[str, ...]
    facility_type: str
    confidential: bool

    def fits(self, tags: Mapping[str, str]) -> bool:
        return all(
            any(pattern.search(value.strip()) for value in tags.get(key, "").split(";"))
            for key, pattern in self.tags
        )


def rules(path: Path) -> list[Rule]:
    """The rules of osm_tags.csv: `key=value` or `key~pattern`, several with `;`."""
    found = []
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            tags = []
            for tag in row["tags"].split(";"):
                key, mark, value = re.split("([=~])", tag, maxsplit=1)
                pattern = rf"^{re.escape(value)}$" if mark == "=" else value
                tags.append((key, re.compile(pattern, re.I if mark == "~" else 0)))
            found.append(
                Rule(
                    tuple(tags),
                    tuple(row["category"].split("|")),
                    row["facility_type"],
                    row["confidential"] == "yes",
                )
            )
    return found


def entries(path: Path, known: Sequence[Rule], *, as_features: bool = False) -> Iterator[Entry]:
    """Elements that have tags, as rows; those that are no help are findings. Nodes of a way are passed over.

    as_features   a GeoJSON collection with OSM's ids, else an answer of the Overpass API
    """
    if as_features:
        elements: Iterator[tuple[int, dict[str, Any]]] = (
            (number, _of_feature(item)) for number, item in geojson.features(path)
        )
    else:
        elements = geojson.items(path, "elements.item")
    for number, element in elements:
        tags = element.get("tags")
        if isinstance(tags, Mapping) and tags:
            texts = {str(key): str(value).replace("\0", "") for key, value in tags.items()}
            yield _entry(number, element, texts, known)


def _of_feature(feature: Mapping[str, Any]) -> dict[str, Any]:
    properties = dict(feature.get("properties") or {})
    name = str(properties.pop("@id", None) or feature.get("id") or "")
    kind, _, number = name.partition("/")
    point = geojson.middle(feature.get("geometry"))
    element: dict[str, Any] = {"type": kind, "id": number}
    if isinstance(nested := properties.pop("tags", None), Mapping):
        properties |= nested
    if stamp := properties.pop("@timestamp", None):
        element["timestamp"] = stamp
    element["tags"] = {
        k: v for k, v in properties.items() if not k.startswith("@") and v is not None
    }
    return element | ({"lat": point[0], "lon": point[1]} if point else {})


def _entry(
    number: int, element: Mapping[str, Any], tags: dict[str, str], known: Sequence[Rule]
) -> Entry:
    live, status = _standing(tags)
    if status is None:
        return _left_out(number, tags, "not_yet_there")
    fitting = [rule for rule in known if rule.fits(live)]
    most = max((len(rule.tags) for rule in fitting), default=0)
    best = [rule for rule in fitting if len(rule.tags) == most]
    codes = list(dict.fromkeys(code for rule in best for code in rule.categories))
    help_tags = _help_tags(live)
    if codes == [_NOT_HELP] or (not codes and not help_tags):
        return _left_out(number, live, "no_help")
    if "name" not in live:
        if not live.get("operator"):
            return _left_out(number, live, "nameless")
        live["name"] = live["operator"]
    cells = _cells(element, live)
    # What no rule knows is shown as it is, and found where categories are read.
    cells["category"] = "|".join(code for code in codes if code != _NOT_HELP) or help_tags
    cells["facility_type"] = next((rule.facility_type for rule in best if rule.facility_type), "")
    cells["confidential"] = "yes" if any(rule.confidential for rule in best) else ""
    cells["status"] = status
    return number, cells, True


def _standing(tags: Mapping[str, str]) -> tuple[dict[str, str], str | None]:
    """The tags as if it were open, and the status; None: it is not there yet."""
    live: dict[str, str] = {}
    gone: dict[str, str] = {}
    is_coming = False
    for key, value in tags.items():
        before, _, rest = key.partition(":")
        if before in GONE and rest:
            gone[rest] = value
        elif before in COMING and rest:
            is_coming = True
        else:
            live[key] = value
    is_gone = any(live.get(word) == "yes" for word in ("disused", "abandoned"))
    if _help_tags(live) or any(
        key in live for key in ("amenity", "office", "emergency", "government")
    ):
        closed = live.get("opening_hours", "").strip().lower() in ("closed", "off")
        if is_gone:
            return live, ServiceStatus.DEFUNCT
        if closed:
            live.pop("opening_hours")
        return live, ServiceStatus.TEMPORARILY_CLOSED if closed else ServiceStatus.ACTIVE
    if gone:
        return gone | live, ServiceStatus.DEFUNCT
    return live, None if is_coming else ServiceStatus.ACTIVE


def _help_tags(tags: Mapping[str, str]) -> str:
    said = [f"{key}={tags[key]}" for key in _HELP if key in tags]
    said += [f"{key}={tags[key]}" for key, values in _HELP_TAGS.items() if tags.get(key) in values]
    return ", ".join(said)


def _left_out(number: int, tags: Mapping[str, str], why: str) -> Finding:
    said = ", ".join(f"{key}={value}" for key, value in list(tags.items())[:3])
    return Finding(number, "tags", said[:80], Message(f"directory.import.osm.{why}"))


def _cells(element: Mapping[str, Any], tags: Mapping[str, str]) -> dict[str, str]:
    kind, number = str(element.get("type") or "node"), str(element.get("id") or "")
    latitude, longitude = _point(element)
    phones = [
        (number_.strip(), as_)
        for key, as_ in _PHONES
        for number_ in tags.get(key, "").split(";")
        if number_.strip()
    ]
    street = " ".join(filter(None, (tags.get("addr:street"), tags.get("addr:housenumber"))))
    city = tags.get("addr:city") or tags.get("addr:regency") or ""
    district = tags.get("addr:subdistrict") or tags.get("addr:district") or ""
    province = tags.get("addr:province") or tags.get("addr:state") or ""
    # A district alone may be anywhere; with its city it is one.
    area = ", ".join(filter(None, (district if city else "", city, province)))
    served = {word.strip() for word in tags.get("social_facility:for", "").split(";")}
    day = _DAY.match(str(tags.get("check_date") or element.get("timestamp") or ""))
    cells = {
        "id": f"{kind}/{number}" if number else "",
        "name": tags["name"],
        "organization": tags.get("operator", ""),
        "description": tags.get("description:id") or tags.get("description", ""),
        "phone": "|".join(number_ for number_, _ in phones),
        "phone_type": "|".join(as_ for _, as_ in phones),
        "email": tags.get("email") or tags.get("contact:email", ""),
        "url": tags.get("website") or tags.get("contact:website") or tags.get("url", ""),
        "address": tags.get("addr:full") or street,
        "city": city,
        "province": province,
        "place": area,
        "latitude": latitude,
        "longitude": longitude,
        "schedule": tags.get("opening_hours", ""),
        "accessibility": _WHEELCHAIR.get(tags.get("wheelchair", ""), ""),
        "sex": _sex(tags, served),
        "minimum_age": tags.get("min_age", ""),
        "maximum_age": tags.get("max_age", ""),
        "disability": "|".join(code for word, code in _DISABLED.items() if word in served),
        "fee": {"no": "free", "yes": "paid"}.get(tags.get("fee", ""), ""),
        "cost": tags.get("charge", ""),
        "source_url": f"https://www.openstreetmap.org/{kind}/{number}",
        "source_title": "OpenStreetMap (ODbL)",
        "source_date": day[0] if day else "",
    }
    return {name: value for name, value in cells.items() if value}


def _sex(tags: Mapping[str, str], served: set[str]) -> str:
    said = {sex for sex in ("female", "male") if tags.get(sex) == "yes"}
    said |= {"female"} if "woman" in served else set()
    return said.pop() if len(said) == 1 else ""


def _point(element: Mapping[str, Any]) -> tuple[str, str]:
    """A node's own point, the middle that `out center` gives, or that of the bounds."""
    bounds: Any = element.get("bounds")
    for place in (element, element.get("center")):
        if isinstance(place, Mapping) and "lat" in place and "lon" in place:
            return str(place["lat"]), str(place["lon"])
    try:
        latitude = (bounds["minlat"] + bounds["maxlat"]) / 2
        longitude = (bounds["minlon"] + bounds["maxlon"]) / 2
    except (TypeError, KeyError):
        return "", ""
    return repr(latitude), repr(longitude)
