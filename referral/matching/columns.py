"""The facts of many offers in columns: what is the same among them is kept once. Pure."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import chain, pairwise
from math import cos
from operator import getitem
from typing import Any
from uuid import UUID, SafeUUID

import numpy as np
import numpy.typing as npt

from referral.core.geo import EARTH_RADIUS_KM
from referral.matching import bits
from referral.matching.bits import Bits
from referral.matching.facts import Offer
from referral.matching.postings import Posting, along
from referral.matching.rooms import FULL_ROOM, NEVER, Rooms

Ints = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
#: Codes by group, of some rows.
Codes = Mapping[str, Ints]

#: Of each group, so many different facts are kept as objects.
MOST_MADE = 4096
#: Letters of a code that name its domain.
DOMAIN = 2
#: Where no day is known.
NO_DAY = -1

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
#: What else is kept by row:
#: points         latitude and longitude; not a number: no position
#: sites, services    ids, two words each
#: owners         which of the organizations
#: by_service     rows in the order of the second word of the service's id
#: and `organizations`, the ids of organizations in their order
ARRAYS = ("points", "sites", "services", "owners", "by_service", "organizations")
_NOBODY = UUID(int=0)
_LOW = (1 << 64) - 1
_BLANK: Mapping[str, Any] = vars(Offer(_NOBODY, _NOBODY, _NOBODY, categories={}))


class _Known(dict[int, tuple[Any, ...]]):
    """Facts by code, the same objects each time; of more than MOST_MADE those asked for of late."""

    def __init__(self, values: Sequence[tuple[Any, ...]]):
        super().__init__()
        self._values = values

    def __missing__(self, code: int) -> tuple[Any, ...]:
        found = self._values[code]
        _keep(self, code, found)
        return found


class Columns:
    """Offers by column. Make them with `of`; a row is taken out, never changed."""

    def __init__(
        self,
        values: Mapping[str, Sequence[tuple[Any, ...]]],
        codes: npt.NDArray[np.void],
        arrays: Mapping[str, Ints],
        postings: Mapping[str, Posting],
    ):
        """
        values    by group, the different facts
        codes     which of them, by row and group: what is known of a row lies together
        arrays    see ARRAYS
        postings  of each category
        """
        self.values, self.codes, self.arrays, self.postings = values, codes, arrays, dict(postings)
        self.points = arrays["points"]
        self._bytes = codes.view(np.uint8).reshape(len(codes), codes.dtype.itemsize)
        self._domains: dict[str, Posting] = {}
        self._stubs: dict[str, dict[int, Offer]] = {name: {} for name in values}
        self._known = {name: _Known(values[name]) for name in codes.dtype.names or ()}
        self._fields = [field for name in self._known for field in GROUPS[name]]
        self._ready: dict[int, Offer] = {}
        states = values["state"]
        self.is_remote = np.array([remote is not None for _, remote, _ in states], bool)
        self.is_confidential = np.array([bool(hidden) for *_, hidden in states], bool)
        self.precisions = np.array([value[0] for value in values["precision"]], float)
        self.assured_days = np.array(
            [NO_DAY if on is None else on.toordinal() for on, _ in values["assured"]], np.int64
        )
        self.records = np.array(values["record"][:], np.int64).reshape(-1, 2)
        self.rooms = Rooms(values["room"])
        self._widths = _widths(codes.dtype)

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
                words += (each.int >> 64, each.int & _LOW)
        place = np.array(points, float).reshape(-1, 2)
        numbers = np.zeros(
            len(points), form_of({name: len(those) for name, those in values.items()})
        )
        for name, those in codes.items():
            numbers[name] = those
        order = _in_order(place, numbers["kind"], values["kind"])
        ordered = numbers[order]
        ids = np.array(words, np.uint64).reshape(-1, 3, 2)[order]
        owners, organizations = _numbered(ids[:, 2])
        arrays = {
            "points": place[order],
            "sites": ids[:, 0].copy(),
            "services": ids[:, 1].copy(),
            "owners": owners,
            "organizations": organizations,
            "by_service": np.argsort(ids[:, 1, 1], kind="stable").astype(np.uint32),
        }
        columns = cls(values, ordered, arrays, {})
        for key, rows in _leaves(values["kind"], ordered["kind"]).items():
            columns.postings[key] = columns._posting(rows)
        return columns

    def __len__(self) -> int:
        return len(self.points)

    @property
    def nbytes(self) -> int:
        """Memory of the columns, with what was worked out about them so far."""
        parts = [self.codes, *self.arrays.values()]
        postings = (*self.postings.values(), *self._domains.values())
        return sum(part.nbytes for part in parts) + sum(one.nbytes for one in postings)

    def posting(self, need: str) -> Posting:
        """The offers of a category; those of a domain are brought together when first asked for."""
        if len(need) != DOMAIN:
            return self.postings.get(need) or Posting.empty()
        found = self._domains.get(need)
        if found is None:
            parts = [one.everybody() for key, one in self.postings.items() if key[:DOMAIN] == need]
            rows = np.unique(np.concatenate(parts)) if parts else np.zeros(0, np.uint32)
            found = self._domains[need] = self._posting(rows)
        return found

    def _posting(self, rows: Ints) -> Posting:
        points = self.points[rows]
        placed = ~np.isnan(points[:, 0]) & ~self.is_remote[self.codes["state"][rows]]
        return Posting.of(rows, points, placed, self.records[self.codes["record"][rows]])

    def codes_of(self, rows: Ints, groups: Sequence[str] = ()) -> Codes:
        """The codes of some rows: of few groups one by one, of all in one piece."""
        if groups:
            return {group: self.codes[group][rows] for group in groups}
        whole = self._bytes.take(rows, axis=0)
        codes: dict[str, Ints] = {}
        for kind, names, start in self._widths:
            those = whole.view(kind)[:, start : start + len(names)]
            codes.update(zip(names, those.T.astype(np.intp), strict=True))
        return codes

    def km_from(self, near: tuple[float, float], rows: Ints) -> Floats:
        """Great-circle km; the formula of core.geo on arrays."""
        here, there = np.radians(near), np.radians(self.points.take(rows, axis=0))
        halves = np.sin((there - here) * 0.5)
        lat, lon = (halves * halves).T
        a = lat + np.cos(there[:, 0]) * (cos(here[0]) * lon)
        km: Floats = 2 * EARTH_RADIUS_KM * np.arcsin(np.minimum(1.0, np.sqrt(a)))
        return km

    def full(self, posting: Posting, at: datetime) -> list[Ints]:
        """Where in a posting it is known at `at` that there is no room."""
        found: tuple[tuple[Ints, Ints], ...] | None = posting.kept.get("full")
        if found is None:
            said = self.rooms.kinds == FULL_ROOM
            places = bits.places(self.bits(posting, "room", said))
            words = self.codes["room"][posting.rows[places]]
            until = [good.take(words) for good in self.rooms.good]
            orders = [np.argsort(each)[np.count_nonzero(each == NEVER) :] for each in until]
            found = posting.kept["full"] = tuple(
                (each[order], places[order]) for each, order in zip(until, orders, strict=True)
            )
        return [
            places[np.searchsorted(until, now) :]
            for (until, places), now in zip(found, self.rooms.clocks(at), strict=True)
        ]

    def stub(self, group: str, code: int) -> Offer:
        """An offer that has these facts and no other, for rules to look at."""
        found = self._stubs[group].get(code)
        if found is None:
            found = _made(
                {**_BLANK, **dict(zip(GROUPS[group], self.facts(group, code), strict=True))}
            )
            _keep(self._stubs[group], code, found)
        return found

    def facts(self, group: str, code: int) -> tuple[Any, ...]:
        """A set of facts, the same object each time."""
        return self._known[group][code]

    def present(self, posting: Posting, group: str) -> Ints:
        """Which facts of a group occur in a posting."""
        found: Ints | None = posting.kept.get(("present", group))
        if found is None:
            count = np.bincount(self.codes[group][posting.rows], minlength=len(self.values[group]))
            found = posting.kept["present", group] = np.flatnonzero(count)
        return found

    def bits(self, posting: Posting, group: str, chosen: Bools) -> Bits:
        """Which offers of a posting have one of the chosen facts of a group."""
        return bits.packed(chosen.take(self.codes[group][posting.rows])) & posting.somebody

    def bits_with(self, posting: Posting, group: str, chosen: Bools) -> Bits:
        """Which offers of a posting have one of the chosen facts, of a group of few."""
        found = bits.empty(len(posting.rows))
        for code in np.flatnonzero(chosen).tolist():
            found |= self.bits_of(posting, group, code)[0]
        return found

    def bits_of(self, posting: Posting, group: str, code: int) -> tuple[Bits, int]:
        """Which offers of a posting have these facts, and how many they are; kept."""
        found: tuple[Bits, int] | None = posting.kept.get((group, code))
        if found is None:
            have = bits.packed(self.codes[group][posting.rows] == code) & posting.somebody
            found = posting.kept[group, code] = have, bits.count(have)
        return found

    def places(self, posting: Posting, group: str, codes: Iterable[int]) -> Ints:
        """Where in a posting these facts are; for facts of which there are many and each is rare."""
        found = posting.kept.get(("places", group))
        if found is None:
            at = bits.places(posting.somebody)
            those = self.codes[group][posting.rows[at]]
            order = np.argsort(those, kind="stable")
            different, starts = np.unique(those[order], return_index=True)
            spans = dict(
                zip(different.tolist(), pairwise([*starts.tolist(), len(at)]), strict=True)
            )
            found = posting.kept["places", group] = (at[order].astype(np.uint32), spans)
        at, spans = found
        parts = [at[slice(*spans[code])] for code in codes if code in spans]
        return np.concatenate(parts) if parts else at[:0]

    def organization(self, identifier: UUID) -> int | None:
        """The number of an organization among `owners`."""
        known = self.arrays["organizations"]
        at = bisect_left(range(len(known)), identifier.int, key=lambda at: _number(known[at]))
        return at if at < len(known) and _number(known[at]) == identifier.int else None

    def rows_of(self, service_id: UUID) -> list[int]:
        """The rows of a service."""
        services, order = self.arrays["services"], self.arrays["by_service"]
        low = service_id.int & _LOW
        at = bisect_left(range(len(order)), low, key=lambda at: int(services[order[at], 1]))
        rows = []
        while at < len(order) and int(services[order[at], 1]) == low:
            if _number(services[order[at]]) == service_id.int:
                rows.append(int(order[at]))
            at += 1
        return rows

    def site_id(self, row: int) -> UUID:
        return _identifier(_number(self.arrays["sites"][row]))

    def offers(self, rows: Ints) -> list[Offer]:
        """The offers of these rows, as they were given."""
        wanted = rows.tolist()
        ready = {row: self._ready.get(row) for row in wanted}
        missing = [row for row, offer in ready.items() if offer is None]
        for row, offer in zip(missing, self._make(missing), strict=True):
            ready[row] = offer
            _keep(self._ready, row, offer)
        return [ready[row] for row in wanted]  # type: ignore[misc]  # those that were missing are made

    def _make(self, those: list[int]) -> Iterator[Offer]:
        rows, arrays, known = np.array(those, np.int64), self.arrays, self._known.values()
        ids = np.stack(
            [
                arrays["sites"].take(rows, axis=0),
                arrays["services"].take(rows, axis=0),
                arrays["organizations"].take(arrays["owners"].take(rows), axis=0),
            ],
            axis=1,
        )
        for words, (lat, lon), codes in zip(
            ids.tolist(),
            self.points.take(rows, axis=0).tolist(),
            self.codes[rows].tolist(),
            strict=True,
        ):
            values = chain.from_iterable(map(getitem, known, codes))
            facts = dict(zip(self._fields, values, strict=True))
            site, service, organization = [_identifier(high << 64 | low) for high, low in words]
            facts["service_at_location_id"] = site
            facts["service_id"], facts["organization_id"] = service, organization
            is_known = lat == lat  # not a number is not itself
            facts["latitude"], facts["longitude"] = (lat, lon) if is_known else (None, None)
            yield _made(facts)

    def take_out(self, service_id: UUID) -> None:
        """Leave the offers of a service out from now on."""
        for row in self.rows_of(service_id):
            categories, _ = self.facts("kind", int(self.codes["kind"][row]))
            due, in_time = self.records[self.codes["record"][row]].tolist()
            domains = {code[:DOMAIN] for code in categories} & self._domains.keys()
            for posting in [self.postings[code] for code in categories] + [
                self._domains[code] for code in domains
            ]:
                posting.take_out(row, due, in_time)


def form_of(sizes: Mapping[str, int]) -> np.dtype[np.void]:
    """How codes lie behind one another, where there are so many different facts of each group."""
    kinds = {name: np.min_scalar_type(max(sizes[name], 1)) for name in GROUPS}
    widest_first = sorted(GROUPS, key=lambda name: -kinds[name].itemsize)
    return np.dtype([(name, kinds[name]) for name in widest_first], align=True)


def _keep(kept: dict[int, Any], code: int, one: Any) -> None:
    """Keeps what was made of a code, and drops all where they have become too many."""
    if len(kept) >= MOST_MADE:
        kept.clear()
    kept[code] = one


def _number(words: Ints) -> int:
    high, low = words.tolist()
    return int(high << 64 | low)


def _made(facts: dict[str, Any]) -> Offer:
    """An offer of all its facts; its own way of being made takes many times as long."""
    offer = object.__new__(Offer)
    object.__setattr__(offer, "__dict__", facts)
    return offer


_set_number, _set_safe = (UUID.__dict__[name].__set__ for name in ("int", "is_safe"))


def _identifier(number: int) -> UUID:
    """UUID(int=number), made as above."""
    identifier = UUID.__new__(UUID)
    _set_number(identifier, number)
    _set_safe(identifier, SafeUUID.unknown)
    return identifier


def _numbered(ids: Ints) -> tuple[Ints, Ints]:
    """For each id its number among the different ones, and these in order."""
    if not len(ids):
        return np.zeros(0, np.uint32), ids
    order = np.lexsort((ids[:, 1], ids[:, 0]))
    is_new = np.append(True, (np.diff(ids[order], axis=0) != 0).any(axis=1))
    numbers = np.zeros(len(ids), np.uint32)
    numbers[order] = np.cumsum(is_new) - 1
    return numbers, ids[order][is_new]


def _code(numbers: dict[Any, int], values: list[tuple[Any, ...]], value: tuple[Any, ...]) -> int:
    """The number of a value among `values`; a new one is added."""
    try:
        number = numbers.setdefault(value, len(values))
    except TypeError:  # a mapping inside has no hash
        number = numbers.setdefault(repr(value), len(values))
    if number == len(values):
        values.append(value)
    return number


def _widths(form: np.dtype[np.void]) -> list[tuple[Any, tuple[str, ...], int]]:
    """Of the groups whose codes are equally wide: their kind, names, and where the first lies among such."""
    kinds = {name: form[name] for name in form.names or ()}
    return [
        (
            kind,
            names := tuple(name for name, each in kinds.items() if each == kind),
            form.fields[names[0]][1] // kind.itemsize,  # type: ignore[index]  # it has fields
        )
        for kind in dict.fromkeys(kinds.values())
    ]


def _in_order(
    points: Floats, codes: Ints, values: Sequence[tuple[Any, ...]]
) -> npt.NDArray[np.intp]:
    """Rows by category and then along a curve that keeps neighbours together."""
    kinds = [min(categories, default="") for categories, _ in values]
    first = np.unique(kinds, return_inverse=True)[1]
    return np.lexsort((along(points), first[codes])) if len(points) else np.zeros(0, np.intp)


def _leaves(values: Sequence[tuple[Any, ...]], codes: Ints) -> dict[str, Ints]:
    """The rows of each category."""
    by_key: dict[str, list[int]] = {}
    for number, (categories, _) in enumerate(values):
        for key in categories:
            by_key.setdefault(key, []).append(number)
    order = np.argsort(codes, kind="stable")
    starts = np.searchsorted(codes[order], np.arange(len(values) + 1))
    return {
        key: np.concatenate([order[starts[one] : starts[one + 1]] for one in kinds])
        for key, kinds in by_key.items()
    }
