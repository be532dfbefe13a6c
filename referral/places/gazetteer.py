"""Finds places by what people write and by where they are. Pure; ambiguous names are offered, never guessed."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from rapidfuzz import fuzz, process

from referral.core.errors import JejaringError
from referral.core.geo import EARTH_RADIUS_KM
from referral.places.codes import regency_of
from referral.places.names import base_name, is_city, letters, spelling

if TYPE_CHECKING:
    from referral.places.outlines import Outlines

PROVINCE, REGENCY, DISTRICT = 1, 2, 3
#: A misspelt name must be this like the right one: inside a regency, and in the whole country.
TYPO_INSIDE, TYPO_ANYWHERE = 84, 88
SHORTEST_TYPO = 5
OFFERED = 10


@dataclass(frozen=True, slots=True)
class Place:
    """One administrative area; its own point may be missing."""

    code: str
    level: int
    name: str
    parent_code: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    precision_km: float | None = None
    point_source: str | None = None
    population: int | None = None
    time_zone: str | None = None


@dataclass(frozen=True, slots=True)
class Alias:
    alias: str
    code: str
    kind: str = "name"


@dataclass(frozen=True, slots=True)
class Located:
    """A place with the point that stands for it: its own, or that of the `at` it lies in."""

    place: Place
    at: Place
    latitude: float
    longitude: float
    precision_km: float


@dataclass(frozen=True, slots=True)
class Candidate:
    """A place a text could mean, 0–100 for how surely; `missing` holds the named parts not found."""

    place: Place
    label: str
    score: float
    missing: tuple[str, ...] = ()

    def as_json(self) -> dict[str, object]:
        return {
            "code": self.place.code,
            "name": self.label,
            "level": self.place.level,
            "score": round(self.score, 1),
        }


class PlaceNotClear(JejaringError):
    """A text that is no one place; `candidates` says what it could be."""


class AmbiguousPlace(PlaceNotClear):
    """Several places bear the name."""

    code = "ambiguous_place"


class UnknownPlace(PlaceNotClear):
    """No place bears the name."""

    code = "unknown_place"


_MARKS = (
    (PROVINCE, "", r"prov(?:insi)?"),
    (REGENCY, "kabupaten", r"kab(?:upaten)?(?:\s+adm(?:inistrasi)?\b\.?)?"),
    (REGENCY, "kota", r"(?:kota|kotamadya|kodya)(?:\s+adm(?:inistrasi)?\b\.?)?"),
    (DISTRICT, "", r"kec(?:amatan)?|distrik|kapanewon|kemantren"),
    (4, "", r"kel(?:urahan)?|desa|ds|dsn|dusun|gampong|nagari|kp|kampung|rt|rw|jl|jln|jalan"),
)
_MARKED = [
    (level, kind, re.compile(rf"^(?:{pattern})\b\.?\s*(?=\S)", re.IGNORECASE))
    for level, kind, pattern in _MARKS
]
_BEFORE_MARK = re.compile(
    r"(?<=[^\s,;])\s+(?=(?:kec(?:amatan)?|kab(?:upaten)?|kota|prov(?:insi)?|kel(?:urahan)?|"
    r"distrik|kapanewon|kemantren)\b\.?\s*\S)",
    re.IGNORECASE,
)
_MARK_AFTER = re.compile(r"(.*\S)\s+(kab|kabupaten|kota)\.?$", re.IGNORECASE)
_BREAK = re.compile(r"[,;\n()]+|\s-\s")
_POSTCODE = re.compile(r"\b\d{5}\b")
LONGEST_TEXT = 300


@dataclass(frozen=True, slots=True)
class _Part:
    """One name in a text, with the kind of area its mark says it is (0 where unmarked)."""

    text: str
    level: int = 0
    kind: str = ""


@dataclass(frozen=True, slots=True)
class _State:
    """What the parts read so far could mean: an area and how surely; "" is the whole country."""

    code: str
    score: float
    by_seat: bool = False


def _part(text: str) -> _Part:
    for level, kind, mark in _MARKED:
        if found := mark.match(text):
            return _Part(text[found.end() :].strip(" ."), level, kind)
    return _Part(text)


def _parts(text: str) -> list[_Part]:
    cleaned = _POSTCODE.sub(" ", text)
    parts = [_part(piece.strip(" .")) for piece in _BREAK.split(cleaned) if piece.strip(" .")]
    return [part for part in parts if letters(part.text) not in ("", "indonesia", "ri")]


class Gazetteer:
    """All places of a country in memory. Building takes a moment; asking is quick."""

    def __init__(
        self,
        rows: Iterable[Place],
        aliases: Iterable[Alias] = (),
        outlines: "Outlines | None" = None,
    ):
        self._places = {place.code: place for place in rows}
        #: boundaries of areas; None where none were imported
        self.outlines = outlines
        self._children: dict[str, list[Place]] = defaultdict(list)
        self._named: dict[str, list[Place]] = defaultdict(list)
        self._districts: dict[str, dict[str, list[Place]]] = defaultdict(lambda: defaultdict(list))
        self._alias: dict[str, list[Alias]] = defaultdict(list)
        for place in self._places.values():
            self._children[place.parent_code or ""].append(place)
            names = {place.name, base_name(place.name)} if place.level < DISTRICT else {place.name}
            for key in {spelling(name) for name in names} - {""}:
                self._named[key].append(place)
            if place.level == DISTRICT:
                self._districts[place.code[:5]][spelling(place.name)].append(place)
        for alias in aliases:
            if alias.code in self._places:
                self._alias[spelling(alias.alias)].append(alias)
        self._wide_keys = sorted(
            {
                key
                for key, places in self._named.items()
                for place in places
                if place.level <= REGENCY and len(key) > SHORTEST_TYPO
            }
        )

    def __len__(self) -> int:
        return len(self._places)

    def __contains__(self, code: object) -> bool:
        return code in self._places

    def __iter__(self) -> Iterator[Place]:
        return iter(self._places.values())

    def get(self, code: str) -> Place:
        """The place with this code. Raises UnknownPlace."""
        if place := self._places.get(code):
            return place
        raise UnknownPlace("place.unknown_code", field="place")

    def ancestors(self, code: str) -> list[Place]:
        """The areas a place lies in, nearest first."""
        found = []
        parent = self.get(code).parent_code
        while parent and (place := self._places.get(parent)):
            found.append(place)
            parent = place.parent_code
        return found

    def children(self, code: str = "") -> list[Place]:
        """The areas directly inside a place; without a code, the provinces."""
        return list(self._children.get(code, ()))

    def regency(self, code: str) -> Place | None:
        """The kabupaten or kota a place lies in or is; None for a province."""
        return self._places.get(regency_of(code) or "")

    def time_zone(self, code: str) -> str | None:
        """The IANA zone of a place, its own or that of the area it lies in."""
        for place in (self.get(code), *self.ancestors(code)):
            if place.time_zone:
                return place.time_zone
        return None

    def label(self, code: str) -> str:
        """A place's name with all it lies in: "Kec. Banyumanik, Kota Semarang, Jawa Tengah"."""
        place = self.get(code)
        first = f"Kec. {place.name}" if place.level == DISTRICT else place.name
        return ", ".join([first, *(above.name for above in self.ancestors(code))])

    def locate(self, code: str) -> Located | None:
        """The point that stands for a place: its own, else that of the nearest area around it."""
        place = self.get(code)
        for at in (place, *self.ancestors(code)):
            if at.latitude is not None and at.longitude is not None and at.precision_km is not None:
                return Located(place, at, at.latitude, at.longitude, at.precision_km)
        return None

    def find(self, text: str) -> list[Candidate]:
        """Places the text could mean, surest first, at most ten; none for text that names no place."""
        text = text.strip()
        if not text or len(text) > LONGEST_TEXT:
            return []
        if text in self._places:
            return [Candidate(self._places[text], self.label(text), 100.0)]
        found = self._read(_parts(text))
        if not found or found[0].missing:
            for variant, is_whole in self._variants(text):
                better = self._read(variant, is_whole=is_whole)
                if better and (not found or not better[0].missing):
                    return better
        return found

    def resolve(self, text: str) -> Place:
        """The one place the text means. Raises AmbiguousPlace or UnknownPlace with what is near."""
        found = self.find(text)
        if not found:
            raise UnknownPlace("place.unknown", field="place")
        if found[0].missing:
            near = self._near_misses(found)
            raise UnknownPlace("place.part_unknown", field="place", candidates=near)
        if len(found) > 1:
            raise AmbiguousPlace(
                "place.ambiguous",
                field="place",
                candidates=[candidate.as_json() for candidate in found],
                count=len(found),
            )
        return found[0].place

    def regency_at(self, latitude: float, longitude: float) -> Place | None:
        """The regency whose boundary holds a position; None where boundaries don't tell surely.

        Where the nearest point is that of a regency without a boundary, the position may as well lie there.
        """
        code = self.outlines.regency_at(latitude, longitude) if self.outlines else None
        if code not in self._places:
            return None
        nearest, _, _ = self.nearest_regency(latitude, longitude)
        is_sure = nearest.code == code or nearest.code in (self.outlines or ())
        return self._places[code] if is_sure else None

    def drawn(self, codes: Iterable[str], *, degrees: float) -> dict[str, Any]:
        """GeoJSON geometries of those of the areas that have an outline, no finer than `degrees`."""
        return dict(self.outlines.light(tuple(codes), degrees)) if self.outlines else {}

    def nearest_regency(
        self, latitude: float, longitude: float
    ) -> tuple[Place, float, float | None]:
        """The regency with the nearest known point, its km, and the km of the next regency.

        Where the two are about equal nobody can say which of them the position lies in.
        Raises UnknownPlace where no place has a point.
        """
        codes, km = self._km_to_points(latitude, longitude)
        if not codes:
            raise UnknownPlace("place.unknown", field="near")
        order = np.argsort(km, kind="stable")
        first = codes[order[0]][:5]
        runner_up = next((float(km[i]) for i in order if codes[i][:5] != first), None)
        return self._places[first], float(km[order[0]]), runner_up

    def nearest(self, latitude: float, longitude: float) -> tuple[Place, float]:
        """The nearest kecamatan inside the nearest regency, or that regency where none has a point."""
        regency, km, _ = self.nearest_regency(latitude, longitude)
        codes, distances = self._km_to_points(latitude, longitude)
        inside = [
            (float(distances[i]), code)
            for i, code in enumerate(codes)
            if len(code) == 8 and code[:5] == regency.code
        ]
        if not inside:
            return regency, km
        nearest_km, code = min(inside)
        return self._places[code], nearest_km

    def _km_to_points(self, latitude: float, longitude: float) -> tuple[list[str], np.ndarray]:
        codes, vectors = self._points
        phi, lam = np.radians(latitude), np.radians(longitude)
        here = np.array([np.cos(phi) * np.cos(lam), np.cos(phi) * np.sin(lam), np.sin(phi)])
        chord = np.linalg.norm(vectors - here, axis=1)
        return codes, 2 * EARTH_RADIUS_KM * np.arcsin(np.minimum(1.0, chord / 2))

    @cached_property
    def _points(self) -> tuple[list[str], np.ndarray]:
        placed = [
            (place.code, place.latitude, place.longitude)
            for place in self._places.values()
            if place.level in (REGENCY, DISTRICT) and place.latitude is not None
        ]
        degrees = np.array([row[1:] for row in placed], dtype=float).reshape(-1, 2)
        phi, lam = np.radians(degrees[:, 0]), np.radians(degrees[:, 1])
        vectors = np.column_stack(
            [np.cos(phi) * np.cos(lam), np.cos(phi) * np.sin(lam), np.sin(phi)]
        )
        return [row[0] for row in placed], vectors

    def _variants(self, text: str) -> Iterator[tuple[list[_Part], bool]]:
        """The same text cut before its marks, or else between its words: commas are often left out.

        True beside those of which every part must be found.
        """
        cut = _BEFORE_MARK.sub(", ", text)
        if cut != text:
            yield _parts(cut), False
        elif not _BREAK.search(text):
            words = text.split()
            for at in range(min(len(words), 7) - 1, 0, -1):
                yield _parts(f"{' '.join(words[:at])}, {' '.join(words[at:])}"), True

    def _read(self, parts: Sequence[_Part], *, is_whole: bool = False) -> list[Candidate]:
        """What the parts mean together, read from the widest area, usually the last one named."""
        states = [_State("", 100.0)]
        missing: list[str] = []
        for part in reversed(parts):
            if part.level == 4 or not part.text:
                continue
            narrowed = self._narrow(states, part)
            if narrowed:
                states = narrowed
            elif is_whole:
                return []
            elif part.level or states == [_State("", 100.0)]:
                missing.append(part.text)
        states = [state for state in states if state.code]
        if not states or (missing and not any(part.level for part in parts)):
            return []
        best: dict[str, _State] = {}
        for state in states:
            if state.code not in best or state.score > best[state.code].score:
                best[state.code] = state
        kept = self._without_repeats(list(best.values()))
        kept.sort(
            key=lambda s: (-s.score, self._places[s.code].level, not self._is_city(s.code), s.code)
        )
        return [
            Candidate(self._places[s.code], self.label(s.code), s.score, tuple(missing))
            for s in kept[:OFFERED]
        ]

    def _is_city(self, code: str) -> bool:
        return len(code) == 5 and is_city(code)

    def _without_repeats(self, states: list[_State]) -> list[_State]:
        """Without a kecamatan that bears its own regency's name, and without a regency meant by its seat
        where a kecamatan there is so named: the two are one place to whoever wrote the text."""
        exact = {state.code for state in states if len(state.code) == 5 and not state.by_seat}
        named = {state.code[:5] for state in states if len(state.code) == 8}
        return [
            state
            for state in states
            if not (len(state.code) == 8 and state.code[:5] in exact)
            and not (state.by_seat and state.code in named)
        ]

    def _narrow(self, states: Sequence[_State], part: _Part) -> list[_State]:
        """The states that also fit one more part: areas of its name inside, or an area around."""
        found = []
        matches = self._matches(part)
        for state in states:
            for match in matches:
                if match.code.startswith(state.code and state.code + "."):
                    found.append(_State(match.code, min(state.score, match.score), match.by_seat))
                elif state.code.startswith(match.code + ".") or state.code == match.code:
                    found.append(_State(state.code, min(state.score, match.score), state.by_seat))
        if not found:
            found = self._misspelt(states, part)
        return found

    def _matches(self, part: _Part) -> list[_State]:
        key = spelling(part.text)
        found = [
            _State(place.code, self._likeness(place, part))
            for place in self._named.get(key, ())
            if self._is_kind(place, part)
        ]
        for alias in self._alias.get(key, ()):
            place = self._places[alias.code]
            if self._is_kind(place, part) or (alias.kind == "seat" and part.level == REGENCY):
                found.append(_State(alias.code, 97.0, by_seat=alias.kind == "seat"))
        if not found and not part.level and (after := _MARK_AFTER.match(part.text)):
            kind = "kota" if after[2].lower() == "kota" else "kabupaten"
            found = self._matches(_Part(after[1], REGENCY, kind))
        if not found and part.kind == "kota":  # a kecamatan's own name may begin with Kota
            whole = spelling(f"kota {part.text}")
            found = [_State(place.code, 98.0) for place in self._named.get(whole, ())]
            found += [
                _State(alias.code, 97.0, by_seat=True) for alias in self._alias.get(whole, ())
            ]
        return found

    def _likeness(self, place: Place, part: _Part) -> float:
        """100 for the very name, a little less for another spelling or an unmarked kecamatan."""
        same = letters(part.text) in (letters(place.name), letters(base_name(place.name)))
        return (100.0 if same else 98.0) - (3.0 if place.level > REGENCY and not part.level else 0)

    def _is_kind(self, place: Place, part: _Part) -> bool:
        if not part.level:
            return True
        if part.level != place.level:
            return False
        return part.level != REGENCY or is_city(place.code) == (part.kind == "kota")

    def _misspelt(self, states: Sequence[_State], part: _Part) -> list[_State]:
        key = spelling(part.text)
        if len(key) < SHORTEST_TYPO:
            return []
        found = []
        for state in states:
            if len(state.code) == 5:
                keys: Sequence[str] = list(self._districts.get(state.code, ()))
                cutoff = TYPO_INSIDE
            elif len(key) > SHORTEST_TYPO:
                keys, cutoff = self._wide_keys, TYPO_ANYWHERE
            else:
                continue
            for like, score, _ in process.extract(
                key, keys, scorer=fuzz.ratio, score_cutoff=cutoff, limit=3
            ):
                inside = (
                    self._districts[state.code][like]
                    if len(state.code) == 5
                    else [p for p in self._named[like] if p.level <= REGENCY]
                )
                found += [
                    _State(place.code, min(state.score, score))
                    for place in inside
                    if place.code.startswith(state.code) and self._is_kind(place, part)
                ]
        best = max((state.score for state in found), default=0.0)
        return [state for state in found if state.score == best]

    def _near_misses(self, found: Sequence[Candidate]) -> list[dict[str, object]]:
        """Areas inside what was found whose names are most like the part that was not."""
        inside = {
            child.code: child.name
            for candidate in found
            for child in self.children(candidate.place.code)
        }
        like = process.extract(
            found[0].missing[0], inside, scorer=fuzz.WRatio, score_cutoff=60, limit=5
        )
        return [
            Candidate(self._places[code], self.label(code), score).as_json()
            for _, score, code in like
        ]
