"""The facts of many offers in columns: what is the same among them is kept once. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import numpy as np
import numpy.typing as npt

from referral.core.geo import EARTH_RADIUS_KM
from referral.matching.facts import Offer
from referral.matching.penalties import ASSESSMENT, CAPACITY_GOOD_DAYS, NO_CAPACITY, WAITLIST

Ints = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
#: yes or no for each offer of a posting, eight to a byte
Bits = npt.NDArray[np.uint8]

#: Offers in a block of neighbours.
BLOCK = 128
#: So many different facts in a posting have their bits kept; of more they are made when asked for.
FEW_VALUES = 48
#: Offers that were shown are kept ready to be shown again.
MOST_READY = 10_000
#: Where no day is known.
NO_DAY = -1
_MICROSECONDS = 1_000_000
_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
#: Bits of a coordinate by which places are put in order.
_GRID_BITS = 16

#: Facts that are looked at together: each different set of them has a code.
GROUPS: Mapping[str, tuple[str, ...]] = {
    "kind": ("categories", "unsafe_with_violence"),
    "state": ("active", "remote", "confidential"),
    "jurisdiction": ("service_areas", "residency", "assumed_area"),
    "age": ("minimum_age", "maximum_age"),
    "sex": ("sex",),
    "desil": ("desil",),
    "disability": ("disability",),
    "documents": ("documents",),
    "access": ("access", "no_access", "remote"),
    "language": ("languages", "interprets"),
    "fee": ("fee",),
    "hours": ("hours",),
    "room": ("capacity", "capacity_at", "capacity_until"),
    "assured": ("assured_on", "assured_by"),
    "record": ("due", "in_time"),
    "load": ("open_referrals", "capacity_maximum"),
    "area": ("area_code",),
    "precision": ("precision_km",),
    "doubt": ("in_doubt",),
}
_NOBODY = UUID(int=0)


def two_words(identifier: UUID) -> npt.NDArray[np.uint64]:
    """A UUID as two numbers."""
    return np.array([identifier.int >> 64, identifier.int & (1 << 64) - 1], np.uint64)


def _identifier(words: Sequence[int]) -> UUID:
    return UUID(int=words[0] << 64 | words[1])


@dataclass
class Posting:
    """The offers of one category or domain: first those with a position, in blocks; then the others.

    rows          row of the columns
    placed        how many have a position
    due, in_time  referrals of all of them that should have been answered, and those that were in time
    centres, radii   of each block: unit vector, and the angle that holds all of it
    """

    rows: Ints
    placed: int
    due: int
    in_time: int
    centres: Floats
    radii: Floats
    is_gone: Bools | None = None
    told_full: Ints | None = None
    present: dict[str, Ints] = field(default_factory=dict)
    bits: dict[str, dict[int, Bits]] = field(default_factory=dict)

    @classmethod
    def empty(cls) -> "Posting":
        return cls(np.zeros(0, np.int64), 0, 0, 0, np.zeros((0, 3)), np.zeros(0))

    def bounds_km(self, near: tuple[float, float]) -> Floats:
        """What no offer of a block is nearer than, by block."""
        cosines = np.clip(self.centres @ _vectors(np.array([near]))[0], -1.0, 1.0)
        bounds: Floats = np.maximum(np.arccos(cosines) - self.radii, 0.0) * EARTH_RADIUS_KM
        return bounds


class Columns:
    """Offers by column. Make them with `of`; a row is taken out, never changed."""

    ROOMS = ("", "capacity", NO_CAPACITY, WAITLIST, ASSESSMENT)

    def __init__(
        self,
        values: Mapping[str, Sequence[tuple[Any, ...]]],
        codes: Mapping[str, Ints],
        points: Floats,
        ids: npt.NDArray[np.uint64],
        postings: Mapping[str, Posting],
    ):
        """
        values  by group, the different facts
        codes   by group, which of them, by row
        points  latitude and longitude by row; not a number: no position
        ids     service_at_location, service and organization by row, two words each
        """
        self.values, self.codes, self.points, self.ids = values, codes, points, ids
        self.postings = postings
        self._stubs: dict[str, dict[int, Offer]] = {name: {} for name in values}
        self.remote_states = np.array(
            [remote is not None for _, remote, _ in values["state"]], bool
        )
        self._confidential = np.array([bool(hidden) for *_, hidden in values["state"]], bool)
        self._ready: dict[int, Offer] = {}
        self.is_nowhere = np.isnan(points[:, 0]) & ~self.is_remote(np.arange(len(points)))
        self.precisions = np.array([value[0] for value in values["precision"]], float)
        self.records = np.array(values["record"], np.int64).reshape(-1, 2)
        self.assured_days = np.array(
            [NO_DAY if on is None else on.toordinal() for on, _ in values["assured"]], np.int64
        )
        self.crowding = np.array(
            [min(1.0, held / most) if held and most else 0.0 for held, most in values["load"]]
        )
        self._rooms = _rooms(values["room"])
        self._rows_of: dict[UUID, list[int]] | None = None

    @classmethod
    def of(cls, offers: Iterable[Offer]) -> "Columns":
        """The columns of these offers, in an order of their own."""
        found: dict[str, dict[Any, int]] = {name: {} for name in GROUPS}
        values: dict[str, list[tuple[Any, ...]]] = {name: [] for name in GROUPS}
        codes: dict[str, list[int]] = {name: [] for name in GROUPS}
        points: list[tuple[float, float]] = []
        words: list[int] = []
        for offer in offers:
            for name, fields in GROUPS.items():
                value = tuple(getattr(offer, each) for each in fields)
                codes[name].append(_code(found[name], values[name], value))
            nowhere = offer.latitude is None or offer.longitude is None
            points.append(
                (np.nan, np.nan) if nowhere else (offer.latitude, offer.longitude)  # type: ignore[arg-type]  # `nowhere` says so
            )
            for each in (offer.service_at_location_id, offer.service_id, offer.organization_id):
                words += (each.int >> 64, each.int & (1 << 64) - 1)
        place = np.array(points, float).reshape(-1, 2)
        numbers = {
            name: np.array(those, np.min_scalar_type(max(len(values[name]), 1)))
            for name, those in codes.items()
        }
        order = _in_order(place, numbers["kind"], values["kind"])
        ordered = {name: those[order] for name, those in numbers.items()}
        ids = np.array(words, np.uint64).reshape(-1, 3, 2)[order]
        return cls(values, ordered, place[order], ids, _postings(values, ordered, place[order]))

    def __len__(self) -> int:
        return len(self.points)

    @property
    def organization_ids(self) -> npt.NDArray[np.uint64]:
        return self.ids[:, 2]

    def is_remote(self, rows: Ints) -> Bools:
        return self.remote_states[self.codes["state"][rows]]

    def is_confidential(self, rows: Ints) -> Bools:
        return self._confidential[self.codes["state"][rows]]

    def site_id(self, row: int) -> UUID:
        return _identifier(self.ids[row, 0].tolist())

    def told_full(self, posting: Posting) -> Ints:
        """Where in a posting somebody said that there is no room, whether or not it still holds."""
        if posting.told_full is None:
            kinds = self._rooms[0][self.codes["room"][posting.rows]]
            posting.told_full = np.flatnonzero(kinds == self.ROOMS.index(NO_CAPACITY))
        return posting.told_full

    def km_from(self, near: tuple[float, float], rows: Ints) -> Floats:
        """Great-circle km; the formula of core.geo on arrays."""
        here, there = np.radians(near), np.radians(self.points[rows])
        half_lat = (there[:, 0] - here[0]) / 2
        half_lon = np.radians(self.points[rows, 1] - near[1]) / 2
        a = np.sin(half_lat) ** 2 + np.cos(here[0]) * np.cos(there[:, 0]) * np.sin(half_lon) ** 2
        km: Floats = 2 * EARTH_RADIUS_KM * np.arcsin(np.minimum(1.0, np.sqrt(a)))
        return km

    def known_room(self, at: datetime) -> Ints:
        """By different word on room: which of ROOMS is known at `at`; 0 none."""
        kinds, until, told = self._rooms
        fresh = (told >= 0) & (
            _microseconds(at) - told <= CAPACITY_GOOD_DAYS * 86_400 * _MICROSECONDS
        )
        known = np.where(until != NO_DAY, at.date().toordinal() <= until, fresh)
        return np.where(known, kinds, 0)

    def stub(self, group: str, code: int) -> Offer:
        """An offer that has these facts and no other, for rules to look at."""
        found = self._stubs[group].get(code)
        if found is None:
            facts = {"categories": {}} | self._facts(group, code)
            found = self._stubs[group][code] = Offer(_NOBODY, _NOBODY, _NOBODY, **facts)
        return found

    def _facts(self, group: str, code: int) -> dict[str, Any]:
        return dict(zip(GROUPS[group], self.values[group][code], strict=True))

    def present(self, posting: Posting, group: str) -> Ints:
        """Which facts of a group occur in a posting."""
        found = posting.present.get(group)
        if found is None:
            found = posting.present[group] = np.unique(self.codes[group][posting.rows])
        return found

    def bits(self, posting: Posting, group: str, chosen: Bools) -> Bits:
        """Which offers of a posting have one of the chosen facts of a group."""
        present = self.present(posting, group)
        if len(present) > FEW_VALUES:
            return np.packbits(chosen[self.codes[group][posting.rows]])
        kept = posting.bits.get(group)
        if kept is None:
            codes = self.codes[group][posting.rows]
            kept = posting.bits[group] = {int(one): np.packbits(codes == one) for one in present}
        found = np.zeros((len(posting.rows) + 7) // 8, np.uint8)
        for code in present[chosen[present]].tolist():
            found |= kept[code]
        return found

    def offer(self, row: int) -> Offer:
        """The offer of a row, as it was given."""
        ready = self._ready.get(row)
        if ready is None:
            if len(self._ready) >= MOST_READY:
                self._ready.clear()
            ready = self._ready[row] = self._offer(row)
        return ready

    def _offer(self, row: int) -> Offer:
        site_id, service_id, organization_id = map(_identifier, self.ids[row].tolist())
        latitude, longitude = self.points[row].tolist()
        placed = latitude == latitude  # not a number is not itself
        offer = object.__new__(Offer)
        facts = offer.__dict__  # nobody has seen it yet: filling it in is making it
        for name in GROUPS:
            facts.update(self._facts(name, self.codes[name][row]))
        facts.update(
            service_at_location_id=site_id,
            service_id=service_id,
            organization_id=organization_id,
            latitude=latitude if placed else None,
            longitude=longitude if placed else None,
        )
        return offer

    def take_out(self, service_id: UUID) -> None:
        """Leave the offers of a service out from now on."""
        if self._rows_of is None:
            self._rows_of = {}
            for row, words in enumerate(self.ids[:, 1].tolist()):
                self._rows_of.setdefault(UUID(int=words[0] << 64 | words[1]), []).append(row)
        for row in self._rows_of.pop(service_id, ()):
            due, in_time = self.records[self.codes["record"][row]].tolist()
            for code in _keys(self.values["kind"][self.codes["kind"][row]][0]):
                posting = self.postings[code]
                if posting.is_gone is None:
                    posting.is_gone = np.zeros(len(posting.rows), bool)
                posting.is_gone[posting.rows == row] = True
                posting.due -= due
                posting.in_time -= in_time


def _code(numbers: dict[Any, int], values: list[tuple[Any, ...]], value: tuple[Any, ...]) -> int:
    """The number of a value among `values`; a new one is added."""
    try:
        number = numbers.setdefault(value, len(values))
    except TypeError:  # a mapping inside has no hash
        number = numbers.setdefault(repr(value), len(values))
    if number == len(values):
        values.append(value)
    return number


def _rooms(values: Sequence[tuple[Any, ...]]) -> tuple[Ints, Ints, Ints]:
    kinds = [Columns.ROOMS.index(capacity or "") for capacity, _, _ in values]
    until = [NO_DAY if day is None else day.toordinal() for _, _, day in values]
    told = [-1 if at is None else _microseconds(at) for _, at, _ in values]
    return np.array(kinds, np.int64), np.array(until, np.int64), np.array(told, np.int64)


def _microseconds(at: datetime) -> int:
    since = at - _EPOCH
    return (since.days * 86_400 + since.seconds) * _MICROSECONDS + since.microseconds


def _keys(categories: Iterable[str]) -> set[str]:
    """The postings that an offer stands in: its categories and their domains."""
    return {key for code in categories for key in (code, code[:2])}


def _vectors(points: Floats) -> Floats:
    lat, lon = np.radians(points).T
    return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=1)


def _in_order(
    points: Floats, codes: Ints, values: Sequence[tuple[Any, ...]]
) -> npt.NDArray[np.intp]:
    """Rows by category and then along a curve that keeps neighbours together."""
    kinds = [min(categories, default="") for categories, _ in values]
    first = np.unique(kinds, return_inverse=True)[1]
    return np.lexsort((_along(points), first[codes])) if len(points) else np.zeros(0, np.intp)


def _along(points: Floats) -> Ints:
    """Place on a Z curve over the map."""
    span = (1 << _GRID_BITS) - 1
    filled = np.nan_to_num(points)
    lat = ((filled[:, 0] + 90) / 180 * span).astype(np.uint64)
    lon = ((filled[:, 1] + 180) / 360 * span).astype(np.uint64)
    place = np.zeros(len(points), np.uint64)
    for bit in range(_GRID_BITS):
        one = np.uint64(1 << bit)
        place |= ((lat & one) << np.uint64(bit + 1)) | ((lon & one) << np.uint64(bit))
    return place


def _postings(
    values: Mapping[str, Sequence[tuple[Any, ...]]], codes: Mapping[str, Ints], points: Floats
) -> dict[str, Posting]:
    stays = np.array([remote is None for _, remote, _ in values["state"]], bool)
    placed = ~np.isnan(points[:, 0]) & stays[codes["state"]] if len(points) else np.zeros(0, bool)
    # Kinds by the postings they stand in, then rows by kind.
    by_key: dict[str, list[int]] = {}
    for number, (categories, _) in enumerate(values["kind"]):
        for key in _keys(categories):
            by_key.setdefault(key, []).append(number)
    order = np.argsort(codes["kind"], kind="stable")
    starts = np.searchsorted(codes["kind"][order], np.arange(len(values["kind"]) + 1))
    along = _along(points)
    vectors = _vectors(np.nan_to_num(points))
    records = np.array(values["record"], np.int64).reshape(-1, 2)
    postings = {}
    for key, kinds in by_key.items():
        rows = np.concatenate([order[starts[one] : starts[one + 1]] for one in kinds])
        rows = rows[np.lexsort((rows, along[rows], ~placed[rows]))]
        here = int(placed[rows].sum())
        due, in_time = records[codes["record"][rows]].sum(axis=0).tolist()
        centres, radii = _caps(vectors[rows[:here]])
        postings[key] = Posting(rows.astype(np.uint32), here, due, in_time, centres, radii)
    return postings


def _caps(vectors: Floats) -> tuple[Floats, Floats]:
    """Centre and angle of the cap around each block of places."""
    if not len(vectors):
        return np.zeros((0, 3)), np.zeros(0)
    starts = np.arange(0, len(vectors), BLOCK)
    centres = np.add.reduceat(vectors, starts)
    lengths = np.linalg.norm(centres, axis=1)
    centres = np.where(lengths[:, None] > 0, centres, vectors[starts])
    centres /= np.linalg.norm(centres, axis=1)[:, None]
    own = np.repeat(centres, BLOCK, axis=0)[: len(vectors)]
    angles = np.arccos(np.clip((vectors * own).sum(axis=1), -1.0, 1.0))
    # A nearly full turn of arccos loses digits: what it may be off is added.
    return centres, np.maximum.reduceat(angles, starts) + 1e-7
