"""What is known of listings beside their words, in arrays that grow: places, kinds of help, ages, hours. Pure."""

from array import array
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from referral.core.geo import EARTH_RADIUS_KM

Mask = NDArray[np.bool_]
Rows = NDArray[np.int32]
#: Letters of a name that put it in its place among others.
_SORTED_LETTERS = 24


class Site(NamedTuple):
    """A place of a service as the public may know it: a confidential one has no point and a kab/kota at most."""

    latitude: float | None
    longitude: float | None
    precision_km: float | None
    area_code: str | None


@dataclass(frozen=True, slots=True)
class Document:
    """One public listing in plain columns.

    places        words of addresses and areas that may be searched
    categories    codes, with whether the source states them
    opening       its schedule as something that can be compared; None: its hours are not known
    areas         codes of the areas it says it is for; only read of services by phone or online
    """

    id: UUID
    name: str
    alternate_name: str = ""
    organization: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    description: str = ""
    sites: tuple[Site, ...] = ()
    categories: tuple[tuple[str, bool], ...] = ()
    is_remote: bool = False
    is_free: bool = False
    minimum_age: float | None = None
    maximum_age: float | None = None
    opening: Hashable | None = None
    areas: tuple[str, ...] = ()


class _Grown:
    """Arrays of equal length that double when they are full."""

    def __init__(self, **types: Any):
        self.size = 0
        self._arrays = {name: np.zeros(64, dtype=kind) for name, kind in types.items()}

    def add(self, **values: Any) -> int:
        if self.size == len(next(iter(self._arrays.values()))):
            self._arrays = {n: np.resize(a, 2 * len(a)) for n, a in self._arrays.items()}
        for name, value in values.items():
            self._arrays[name][self.size] = value
        self.size += 1
        return self.size - 1

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self._arrays[name][: self.size]

    def trim(self) -> None:
        self._arrays = {n: a[: max(1, self.size)].copy() for n, a in self._arrays.items()}

    def nbytes(self) -> int:
        return sum(array.nbytes for array in self._arrays.values())


class Columns:
    """Rows of listings; a listing that changes gets a new row, its old one is dead."""

    def __init__(self) -> None:
        self.listings = _Grown(
            id="S16",
            name=f"S{_SORTED_LETTERS}",
            name_place=np.float64,
            name_words=np.uint8,
            alive=np.bool_,
            remote=np.bool_,
            free=np.bool_,
            minimum_age=np.float64,
            maximum_age=np.float64,
            opening=np.int32,
            site=np.int32,
            sites=np.int32,
        )
        self.sites = _Grown(lat=np.float64, lon=np.float64, precision=np.float32, area=np.int32)
        self._kinds: dict[str, tuple[array[int], array[int]]] = {}
        self._kinds_laid: dict[str, tuple[Rows, Mask]] = {}
        self.openings: list[Hashable] = []
        self._opening_numbers: dict[Hashable, int] = {}
        self.areas: list[str] = []
        self._area_numbers: dict[str, int] = {}
        self.remote_areas: dict[int, tuple[str, ...]] = {}
        self._names = np.zeros(0, dtype=f"S{_SORTED_LETTERS}")
        self._sorted_ids: tuple[int, NDArray[np.int64]] | None = None
        self._later_ids: dict[bytes, int] = {}

    def __len__(self) -> int:
        return self.listings.size

    @property
    def alive(self) -> Mask:
        return self.listings["alive"]

    def add(self, document: Document, name_words: int) -> int:
        """The row that the listing gets."""
        opening = -1
        if document.opening is not None:
            opening = self._opening_numbers.setdefault(document.opening, len(self.openings))
            if opening == len(self.openings):
                self.openings.append(document.opening)
        name = document.name.casefold().encode()[:_SORTED_LETTERS]
        row = self.listings.add(
            id=document.id.bytes,
            name=name,
            # A listing that comes later stands just before the first that was there and is not before it.
            name_place=np.searchsorted(self._names, np.bytes_(name)) - 0.5,
            name_words=min(name_words, 255),
            alive=True,
            remote=document.is_remote,
            free=document.is_free,
            minimum_age=-np.inf if document.minimum_age is None else document.minimum_age,
            maximum_age=np.inf if document.maximum_age is None else document.maximum_age,
            opening=opening,
            site=self.sites.size,
            sites=len(document.sites),
        )
        for site in document.sites:
            self.sites.add(
                lat=np.nan if site.latitude is None else site.latitude,
                lon=np.nan if site.longitude is None else site.longitude,
                precision=site.precision_km or 0.0,
                area=self._area(site.area_code),
            )
        for code, is_stated in document.categories:
            rows, stated = self._kinds.setdefault(code, (array("i"), array("b")))
            rows.append(row)
            stated.append(is_stated)
            self._kinds_laid.pop(code, None)
        if document.is_remote and document.areas:
            self.remote_areas[row] = document.areas
        if self._sorted_ids is not None:
            self._later_ids[document.id.bytes] = row
        return row

    def _area(self, code: str | None) -> int:
        if code is None:
            return -1
        number = self._area_numbers.setdefault(code, len(self.areas))
        if number == len(self.areas):
            self.areas.append(code)
        return number

    def settle(self) -> None:
        """Lay out for asking what was added so far."""
        self.listings.trim()
        self.sites.trim()
        for code in self._kinds:
            self.of_kind(code)
        names = self.listings["name"]
        order = np.argsort(names, kind="stable")
        self.listings["name_place"][order] = np.arange(len(order))
        self._names = names[order]
        ids = self.listings["id"]
        self._sorted_ids = (len(ids), np.argsort(ids))

    def row_of(self, service_id: UUID) -> int | None:
        """The living row of a listing."""
        wanted = service_id.bytes
        row = self._later_ids.get(wanted)
        if row is None and self._sorted_ids is not None and self._sorted_ids[0]:
            size, order = self._sorted_ids
            ids = self.listings["id"][:size]
            place = int(np.searchsorted(ids, np.bytes_(wanted), sorter=order))
            if place < size and ids[order[place]] == np.bytes_(wanted):
                row = int(order[place])
        return row if row is not None and self.alive[row] else None

    @property
    def name_places(self) -> NDArray[np.float64]:
        """Where each row stands in the order of names."""
        return self.listings["name_place"]

    def id_of(self, row: int) -> UUID:
        # NumPy takes zeros at the end for no bytes.
        return UUID(bytes=bytes(self.listings["id"][row]).ljust(16, b"\0"))

    def of_kind(self, code: str) -> tuple[Rows, Mask]:
        """Rows of a category, with whether each states it."""
        laid = self._kinds_laid.get(code)
        if laid is None:
            rows, stated = self._kinds.get(code, (array("i"), array("b")))
            laid = (np.array(rows, dtype=np.int32), np.array(stated, dtype=np.bool_))
            self._kinds_laid[code] = laid
        return laid

    def of_any_kind(self, codes: Iterable[str]) -> Mask:
        found = np.zeros(len(self), dtype=np.bool_)
        for code in codes:
            found[self.of_kind(code)[0]] = True
        return found

    def for_age(self, years: float) -> Mask:
        """Those not known to be for other ages: "up to 17" is until the eighteenth birthday."""
        found: Mask = (self.listings["minimum_age"] <= years) & (
            self.listings["maximum_age"] + 1 > years
        )
        return found

    def open(self, rows: NDArray[np.int64], is_open: Callable[[Any], bool]) -> Mask:
        """Which rows are open for certain; `is_open` is asked once for each different schedule."""
        numbers = self.listings["opening"][rows]
        answers = np.zeros(len(self.openings) + 1, dtype=np.bool_)  # the last one stands for -1
        for number in np.unique(numbers[numbers >= 0]):
            answers[number] = is_open(self.openings[number])
        found: Mask = answers[numbers]
        return found

    def sites_of(self, rows: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """All sites of the rows: for each its place in `rows`, and its number."""
        counts = self.listings["sites"][rows].astype(np.int64)
        places = np.repeat(np.arange(len(rows)), counts)
        starts = np.repeat(self.listings["site"][rows].astype(np.int64), counts)
        within = np.arange(len(places)) - np.repeat(np.cumsum(counts) - counts, counts)
        return places, starts + within

    def in_areas(self, is_there: Callable[[str], bool]) -> Mask:
        """For each area that sites lie in, whether it is there; one more for the unknown area."""
        return np.array([*(is_there(code) for code in self.areas), False], dtype=np.bool_)

    def nbytes(self) -> int:
        kinds = sum(rows.nbytes + stated.nbytes for rows, stated in self._kinds_laid.values())
        return self.listings.nbytes() + self.sites.nbytes() + kinds


def km_to(
    lat: NDArray[np.float64], lon: NDArray[np.float64], here: Sequence[float]
) -> NDArray[np.float64]:
    """Great-circle km from one point to many; NaN stays NaN."""
    phi, lam = np.radians(lat), np.radians(lon)
    phi0, lam0 = np.radians(here[0]), np.radians(here[1])
    half = np.sin((phi - phi0) / 2) ** 2
    half += np.cos(phi) * np.cos(phi0) * np.sin((lam - lam0) / 2) ** 2
    km: NDArray[np.float64] = 2 * EARTH_RADIUS_KM * np.arcsin(np.minimum(1.0, np.sqrt(half)))
    return km
