"""What HSDS rows mean to us beyond HSDS: our vocabularies, areas, where a place is, what is kept secret. Pure."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from uuid import UUID

from referral.core.country import COUNTRY
from referral.core.errors import Finding
from referral.core.text import Message
from referral.directory.hsds import vocabularies
from referral.directory.intake.batches import Batch, Line
from referral.directory.intake.mapping import Known
from referral.directory.intake.memory import Memory
from referral.directory.intake.rows import part_id
from referral.directory.points import area_point, judge
from referral.places.gazetteer import REGENCY, Gazetteer, PlaceNotClear

#: how far off a point that a source gives for a place itself may be
POINT_KM = 1.0
#: words longer than this are a sentence and name no area
_LONGEST_NAME = 120
_HERE = {"", COUNTRY.code.casefold(), "idn", "indonesia"}
_POSITION = ("latitude", "longitude", "precision_km", "point_source")
#: what would tell where a refuge is
_TELLING = (
    "url",
    "alternate_name",
    "description",
    "transportation",
    "external_identifier",
    "external_identifier_type",
)


@dataclass(frozen=True, slots=True)
class _Term:
    vocabulary: str
    code: str
    name: str


class Settling:
    """Makes a batch of HSDS rows complete, for one import."""

    def __init__(self, gazetteer: Gazetteer, known: Known):
        self.gazetteer = gazetteer
        self._codes = {
            vocabularies.CATEGORY: known.categories,
            vocabularies.DISABILITY: known.disabilities,
        }
        self._documents = {name.casefold(): code for code, name in known.documents.items()}
        self._documents |= {code.casefold(): code for code in known.documents}
        self._memory = Memory()
        # Attributes may come long after the terms they lead to. A taxonomy is small beside a directory.
        self._terms: dict[UUID | None, _Term] = {}
        self._taxonomies: dict[UUID | None, str] = {}
        self._area = lru_cache(10_000)(self._find_area)
        self._named = lru_cache(10_000)(self._find_named)

    def settle(self, batch: Batch) -> Batch:
        """The same batch with what is ours worked out; what can't be is a finding."""
        self._facts(batch)
        for row in batch.rows["required_document"].values():
            row["code"] = self._documents.get((row["document"] or "").strip().casefold())
        for row in batch.rows["service_area"].values():
            self._service_area(batch, row)
        self._places(batch)
        for row in batch.rows["service"].values():
            _ages(batch, row)
        return batch

    # Our vocabularies.

    def _facts(self, batch: Batch) -> None:
        self._learn(batch)
        categorized = set()
        for row_id, row in list(batch.rows["attribute"].items()):
            term = self._terms.get(row.get("taxonomy_term_id"))
            if term is None:
                continue
            fact = vocabularies.read(
                row["link_entity"], term.vocabulary, term.code, row["value"], self._codes
            )
            if fact is None:
                secret = term.vocabulary == vocabularies.CONFIDENTIALITY
                if row["link_entity"] == "service" and not secret:
                    _find(batch, row_id, "attribute.taxonomy_term", term.name, "unmapped_term")
                continue
            del batch.rows["attribute"][row_id]
            self._take(batch, row["link_id"], row["link_entity"], fact)
            if fact.table == "service_category":
                categorized.add(row["link_id"])
        self._forget_own(batch)
        for row_id, row in batch.rows["service_capacity"].items():
            if ("attribute", "link_id", row_id) in batch.whole:
                row |= {"status": None, "until": None} | row
        for service_id, row in batch.rows["service"].items():
            told = ("attribute", "link_id", service_id) in batch.whole
            if told:
                # What is so unless it is said is not said.
                row |= {"remote": None, "answer_mode": vocabularies.SILENT_ANSWER_MODE} | row
                batch.whole.add(("service_category", "service_id", service_id))
                batch.whole.add(("eligibility_rule", "service_id", service_id))
            if told and service_id not in categorized:
                _find(batch, service_id, "service.attributes", "", "no_category")

    def _learn(self, batch: Batch) -> None:
        for row_id, row in batch.rows["taxonomy"].items():
            self._taxonomies[row_id] = row["name"]
        for row_id, row in batch.rows["taxonomy_term"].items():
            named = self._taxonomies.get(row.get("taxonomy_id"))
            self._terms[row_id] = _Term(
                named or row.get("taxonomy") or "", row["code"], row["name"]
            )

    def _forget_own(self, batch: Batch) -> None:
        """The vocabularies themselves are ours and come with every installation."""
        terms = {row.get("taxonomy_term_id") for row in batch.rows["attribute"].values()}
        for row_id in list(batch.rows["taxonomy_term"]):
            own = self._terms[row_id].vocabulary.startswith(vocabularies.PREFIX)
            if own and row_id not in terms:
                del batch.rows["taxonomy_term"][row_id]
        used = {row.get("taxonomy_id") for row in batch.rows["taxonomy_term"].values()}
        for row_id, row in list(batch.rows["taxonomy"].items()):
            if row["name"].startswith(vocabularies.PREFIX) and row_id not in used:
                del batch.rows["taxonomy"][row_id]

    def _take(self, batch: Batch, link_id: UUID, entity: str, fact: vocabularies.Fact) -> None:
        if fact.table == "service_category":
            row_id = part_id(link_id, fact.table, fact.values["code"])
        elif fact.table == "eligibility_rule":
            row_id = part_id(link_id, fact.table, fact.values["criterion"])
            held = batch.rows[fact.table].get(row_id)
            if held is not None:
                new = [value for value in fact.values["values"] if value not in held["values"]]
                held["values"] = held["values"] + new
                return
        elif fact.table == "service_capacity" and entity == "service":
            row_id = part_id(link_id, fact.table)
            at = batch.rows["service"][link_id].get("last_modified")
            updated = {"updated": at} if at else {}
            row = {"id": row_id, "service_id": link_id, **updated, **fact.values}
            batch.rows[fact.table][row_id] = row
            return
        else:
            if link_id in batch.rows[fact.table]:
                batch.rows[fact.table][link_id].update(fact.values)
            return
        batch.rows[fact.table][row_id] = {"id": row_id, "service_id": link_id, **fact.values}

    # Where things are.

    def _service_area(self, batch: Batch, row: dict[str, Any]) -> None:
        row["area_code"] = None
        for words in (row["extent"], row["name"], row["description"]):
            if words and len(words) <= _LONGEST_NAME:
                row["area_code"] = "*" if words.strip() == "*" else self._named(words.strip())
            if row["area_code"]:
                return
        said = row["name"] or row["description"] or row["extent"]
        if said:
            _find(batch, row["id"], "service_area.name", said, "unknown_place")

    def _places(self, batch: Batch) -> None:
        addresses: dict[UUID, list[dict[str, Any]]] = {}
        for row in batch.rows["address"].values():
            if row.get("location_id"):
                addresses.setdefault(row["location_id"], []).append(row)
        told = {parent for _, _, parent in batch.whole}
        for row_id, row in batch.rows["location"].items():
            if row.get("confidential"):
                self._hide(batch, row, addresses.get(row_id, []))
            elif row_id in told or row_id in addresses:
                self._place(batch, row, addresses.get(row_id, []))
            else:
                self._place_of_entry(batch, row)
        for row_id, row in batch.rows["location"].items():
            # A place's listings may come with a later batch.
            if row.get("latitude") is None and row.get("location_type") != "virtual":
                self._memory.earlier("unplaced", row_id, Line("", 0))
        sites: dict[UUID, list[UUID | None]] = {}
        for row in batch.rows["service_at_location"].values():
            sites.setdefault(row["service_id"], []).append(row.get("location_id"))
        for service_id, row in batch.rows["service"].items():
            there = [site for site in sites.get(service_id, []) if site]
            placed = any(not self._memory.has("unplaced", site) for site in there)
            if service_id in told and not row.get("remote") and not placed:
                batch.unplaced += 1

    def _place(self, batch: Batch, row: dict[str, Any], addresses: list[dict[str, Any]]) -> None:
        at_home = all(one["country"].casefold() in _HERE for one in addresses)
        area = next((code for one in addresses if (code := self._area_of(one))), None)
        point = (row.get("latitude"), row.get("longitude"))
        position: dict[str, Any] = dict.fromkeys(_POSITION)
        latitude, longitude = (_stated(row, name) for name in ("latitude", "longitude"))
        if latitude is not None and longitude is not None:
            judged = judge(
                (latitude, longitude), self.gazetteer, area, at_home=at_home and bool(addresses)
            )
            if judged.told is not None:
                said = f"{latitude}, {longitude}"
                _tell(batch, row["id"], "location.latitude", said, judged.told)
            if judged.point is not None:
                position |= {
                    "latitude": judged.point[0],
                    "longitude": judged.point[1],
                    "precision_km": POINT_KM,
                    "point_source": "facility",
                }
        elif (latitude, longitude) != (None, None):
            missing = "longitude" if longitude is None else "latitude"
            if missing not in (row["as_stated"] or {}):  # else it was told to be no number
                _find(batch, row["id"], "location.latitude", "", "no_point")
        if (position["latitude"], position["longitude"]) != point:
            for name, value in zip(("latitude", "longitude"), point, strict=True):
                if value is not None:
                    whole = int(value) if value.is_integer() else value
                    stated = row["as_stated"] or {}
                    row["as_stated"] = {name: whole, **stated}
        if position["latitude"] is None:
            located = self.gazetteer.locate(area) if area else None
            if located is not None:
                source = area_point(located.at.level)
                position |= {
                    "latitude": located.latitude,
                    "longitude": located.longitude,
                    "precision_km": located.precision_km,
                    "point_source": source,
                }
        row |= position
        row["area_code"] = area

    def _place_of_entry(self, batch: Batch, row: dict[str, Any]) -> None:
        """An entry of a list has no address: a point that can be true is used, else it says nothing of the place."""
        had = "latitude" in row or "longitude" in row
        entry = {"latitude": None, "longitude": None, **row}
        if had:
            self._place(batch, entry, [])
        for name in (*_POSITION, "area_code"):
            row.pop(name, None)
        if had and entry["latitude"] is not None:
            row |= {name: entry[name] for name in _POSITION}
        if had:
            row["as_stated"] = entry["as_stated"]

    def _area_of(self, address: Mapping[str, Any]) -> str | None:
        if address["country"].casefold() not in _HERE:
            return None
        city, region, state = (
            (address[name] or "").strip() for name in ("city", "region", "state_province")
        )
        tried = (
            ", ".join(filter(None, (region, city, state))),
            ", ".join(filter(None, (city, state))),
            state,
        )
        return next((code for words in tried if words and (code := self._area(words))), None)

    def _find_named(self, words: str) -> str | None:
        """The area that bears exactly this name: who is served must not hang on a likeness."""
        found = self.gazetteer.find(words)
        sure = [each for each in found if each.score >= 100 and not each.missing]
        return sure[0].place.code if len(sure) == 1 else None

    def _find_area(self, words: str) -> str | None:
        try:
            return self.gazetteer.get(words).code
        except PlaceNotClear:
            pass
        if words[:1].isdigit():
            return None
        try:
            return self.gazetteer.resolve(words).code
        except PlaceNotClear:
            return None

    def _hide(self, batch: Batch, row: dict[str, Any], addresses: list[dict[str, Any]]) -> None:
        """A refuge's true place is worth nothing here and can cost a life: it is not even stored."""
        areas = [code for one in addresses if (code := self._area_of(one))]
        had = row.get("latitude") is not None or addresses
        row |= dict.fromkeys((*_TELLING, *_POSITION))
        row["as_stated"] = None
        area = self.gazetteer.get(areas[0]) if areas else None
        while area is not None and area.level > REGENCY and area.parent_code:
            area = self.gazetteer.get(area.parent_code)
        row["area_code"] = area.code if area else None
        located = self.gazetteer.locate(area.code) if area else None
        if located is not None:
            row["latitude"], row["longitude"] = located.latitude, located.longitude
            row["precision_km"] = located.precision_km
            row["point_source"] = area_point(located.at.level)
        for one in addresses:
            del batch.rows["address"][one["id"]]
        if had:
            _find(batch, row["id"], "location", "", "confidential")


def _ages(batch: Batch, row: dict[str, Any]) -> None:
    low, high = row.get("minimum_age"), row.get("maximum_age")
    if low is not None and high is not None and high < low:
        _find(batch, row["id"], "service.maximum_age", f"{low:g}–{high:g}", "age_order")
        stated = {"minimum_age": _plain(low), "maximum_age": _plain(high)}
        row["as_stated"] = {**stated, **(row["as_stated"] or {})}
        row["minimum_age"] = row["maximum_age"] = None


def _plain(value: float) -> float | int:
    return int(value) if value.is_integer() else value


def _stated(row: Mapping[str, Any], name: str) -> float | None:
    """Half of a point as its source says it, on earth or not."""
    value: float | None = row.get(name)
    if value is None:
        with suppress(KeyError, TypeError, ValueError):
            value = float((row["as_stated"] or {})[name])
    return value


def _find(batch: Batch, row_id: UUID, field: str, value: str, key: str) -> None:
    _tell(batch, row_id, field, value, Message(f"directory.import.{key}"))


def _tell(batch: Batch, row_id: UUID, field: str, value: str, words: Message) -> None:
    line = batch.lines.get(row_id) or Line("", 0)
    batch.findings.append(Finding(line.row, field, value[:80], words, file=line.file))
