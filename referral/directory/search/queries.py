"""Search of the directory by words, place and kind of help, for anyone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache, lru_cache
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from referral.core.geo import haversine_km
from referral.core.paging import Page, page_number
from referral.directory import closed_days
from referral.directory.opening import OpeningRow, is_open
from referral.directory.queries import Listing, by_ids, reaches
from referral.directory.reference import taxonomy
from referral.directory.search.catalogue import (
    LEAST,
    LEAST_OF_BEST,
    Asked,
    Catalogue,
    Found,
    KindAsked,
)
from referral.directory.search.columns import km_to
from referral.directory.search.index import CATALOGUE, name_forms
from referral.directory.search.kinds import KindWords

PAGE_SIZE = 20
LONGEST_QUERY = 200
#: Services by phone or online that are named beside those one can go to.
MOST_REMOTE = 3
#: What distance costs beside words: 20 km weighs like one wrong letter in a word of seven.
NEARNESS = 0.11
#: A listing whose place is not known stands where one so far away would.
FAR_KM = 1000.0

Rows = NDArray[np.int64]
Floats = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Near:
    """Where somebody is or asks for: a point with its precision, and the area where one was named."""

    latitude: float
    longitude: float
    precision_km: float
    area_code: str | None = None


@dataclass(frozen=True)
class Hit:
    """One listing found. `km` is measured from the point asked for; `unsure_km` is both points' precision together.

    why   for each telling word asked for, what answered it
    """

    listing: Listing
    km: float | None
    unsure_km: float | None
    why: Sequence[Found] = ()


@dataclass(frozen=True)
class Results:
    """What was found: places to go to (all of it when no place was asked for), services by phone or online, kinds of help.

    kinds     codes of the categories that the words were taken for, best first
    missing   words asked for that none of the listings of this page has
    """

    page: Page[Hit]
    remote: Sequence[Hit]
    kinds: Sequence[str]
    missing: Sequence[str] = ()


@dataclass(frozen=True)
class _Question:
    """What is asked for beside the words, as `search` takes it."""

    near: Near | None
    codes: Sequence[str] | None
    open_at: datetime | None
    free: bool
    age_years: float | None


@dataclass(frozen=True)
class _Answer:
    """Rows of one page as ids, with what the catalogue knows of them."""

    total: int
    number: int
    ids: Sequence[UUID]
    points: Sequence[tuple[float, float] | None]
    why: Sequence[Sequence[Found]]
    remote: int
    kinds: Sequence[str]


def search(
    session: Session,
    *,
    words: str = "",
    near: Near | None = None,
    category: str | None = None,
    open_at: datetime | None = None,
    free: bool = False,
    age_years: float | None = None,
    page: int = 1,
    size: int = PAGE_SIZE,
) -> Results:
    """Public listings that fit, best answer to the words first; with `near`, nearness counts and remote ones stand beside.

    A word may be misspelt, begun, shortened, inflected or a kind of help's in either language
    (docs/search.md). A listing whose hours, price or ages are not known is left out by `open_at` and
    `free`, which ask for certainty, and kept by `age_years`, which only excludes those known not to fit.
    Raises UnknownCategory.
    """
    codes = [term.code for term in taxonomy().leaves(category)] if category else None
    question = _Question(near, codes, open_at, free, age_years)
    catalogue, lock = CATALOGUE.latest(session)
    with lock:
        answer = _answer(catalogue, words[:LONGEST_QUERY], question, page, size)
    loaded = by_ids(session, answer.ids)
    hits: list[Hit | None] = []
    for service_id, point, why in zip(answer.ids, answer.points, answer.why, strict=True):
        listing = loaded.get(service_id)
        # The catalogue may be a moment behind: what the database says now is what is shown.
        if (
            listing is None
            or not listing.is_shown_in_searches
            or (open_at is not None and not listing.is_open(open_at))
        ):
            hits.append(None)
        else:
            km, unsure_km = point or (None, None)
            hits.append(Hit(listing, km, unsure_km, why))
    remote = [hit for hit in hits[: answer.remote] if hit]
    shown = [hit for hit in hits[answer.remote :] if hit]
    missing = _missing([hit.why for hit in (*remote, *shown)])
    return Results(Page(shown, answer.number, size, answer.total), remote, answer.kinds, missing)


def ids(session: Session, words: str, limit: int) -> list[UUID]:
    """Services that the words find, best first, for an interface that adds its own conditions and order."""
    catalogue, lock = CATALOGUE.latest(session)
    with lock:
        answer = _answer(
            catalogue, words[:LONGEST_QUERY], _Question(None, None, None, False, None), 1, limit
        )
    return list(answer.ids)


def names_help(word: str) -> bool:
    """Whether a lower-case word is one by which kinds of help or offices are named, and never a person's name."""
    return word in _kind_words() or word in name_forms().of_offices


@cache
def _kind_words() -> KindWords:
    return KindWords(taxonomy(), name_forms())


def _answer(catalogue: Catalogue, words: str, question: _Question, page: int, size: int) -> _Answer:
    asked = catalogue.read(words)
    codes, kinds = _kind_words().asked(
        [one.word for one in asked],
        may_be_misspelt=[catalogue.postings.find(one.word) is None for one in asked],
    )
    rows = _fitting(catalogue, question)
    scores: Floats = np.zeros(len(catalogue), dtype=np.float32)
    if words.strip():
        scores = catalogue.score(asked, kinds)
        rows = rows[scores[rows] >= LEAST]
    if question.open_at is not None:
        at = question.open_at.replace(second=0, microsecond=0)
        rows = rows[catalogue.columns.open(rows, lambda opening: _is_open(opening, at))]
    rows = rows[scores[rows] >= LEAST_OF_BEST * scores[rows].max(initial=0.0)]
    score = scores[rows]

    aside: Rows = np.zeros(0, dtype=np.int64)
    away: Floats | None = None
    if question.near is None:
        if asked:
            score = score + catalogue.short_names(len(asked))[rows]
    else:
        is_away = _is_away(catalogue, rows)
        aside = _serving(catalogue, rows[is_away], score[is_away], question.near)
        rows, score = rows[~is_away], score[~is_away]
        away = _km_away(catalogue, rows, question.near)
        if asked:
            score = score - NEARNESS * np.log10(1 + np.minimum(away, FAR_KM))

    number = page_number(page, len(rows), size)
    chosen = _first(catalogue, rows, score, away, number * size)[(number - 1) * size :]
    shown = np.concatenate([aside if number == 1 else aside[:0], chosen])
    return _Answer(
        total=len(rows),
        number=number,
        ids=[catalogue.columns.id_of(int(row)) for row in shown],
        points=[_point(catalogue, int(row), question.near) for row in shown],
        why=_why(catalogue, asked, kinds, shown),
        remote=len(shown) - len(chosen),
        kinds=codes,
    )


def _fitting(catalogue: Catalogue, question: _Question) -> Rows:
    """Rows that meet the conditions that need no looking up."""
    columns = catalogue.columns
    fits = columns.alive.copy()
    if question.codes is not None:
        fits &= columns.of_any_kind(question.codes)
    if question.free:
        fits &= columns.listings["free"]
    if question.age_years is not None:
        fits &= columns.for_age(question.age_years)
    return np.flatnonzero(fits)


@lru_cache(maxsize=20_000)
def _is_open(opening: tuple[OpeningRow, ...], at: datetime) -> bool:
    """Hours are told to the minute, so every moment of a minute has one answer."""
    return is_open(opening, at, holidays=closed_days.around(at.year)) is True


def _is_away(catalogue: Catalogue, rows: Rows) -> NDArray[np.bool_]:
    """Services by phone or online, apart from those that one can also go to."""
    columns = catalogue.columns
    found = columns.listings["remote"][rows].copy()
    remote = np.flatnonzero(found)
    places, sites = columns.sites_of(rows[remote])
    has_point = np.zeros(len(remote), dtype=np.bool_)
    has_point[places[~np.isnan(columns.sites["lat"][sites])]] = True
    found[remote[has_point]] = False
    return found


def _serving(catalogue: Catalogue, rows: Rows, score: Floats, near: Near) -> Rows:
    """Remote services for people of the place, best answer first, those that state it before those that state nothing."""
    areas = catalogue.columns.remote_areas
    found = []
    for row, answers in zip(rows.tolist(), score.tolist(), strict=True):
        stated = areas.get(row, ())
        if not stated or near.area_code is None or reaches(stated, near.area_code):
            place = catalogue.columns.name_places[row]
            found.append((-round(answers, 2), not stated, place, row))
    return np.array([row for *_, row in sorted(found)[:MOST_REMOTE]], dtype=np.int64)


def _km_away(catalogue: Catalogue, rows: Rows, near: Near) -> Floats:
    """How far the nearest place of each row is; infinite where that is not known.

    Known by area only: it stands where the edge of what is known about the place asked for stands.
    """
    columns = catalogue.columns
    places, sites = columns.sites_of(rows)
    km = km_to(
        columns.sites["lat"][sites], columns.sites["lon"][sites], (near.latitude, near.longitude)
    )
    if near.area_code:
        code = near.area_code
        is_there = columns.in_areas(lambda area: reaches([area], code))
        by_area = np.isnan(km) & is_there[columns.sites["area"][sites]]
        km[by_area] = near.precision_km
    away = np.full(len(rows), np.inf)
    np.fmin.at(away, places, km)
    return away


def _first(
    catalogue: Catalogue, rows: Rows, score: Floats, away: Floats | None, count: int
) -> Rows:
    """The first `count` rows: best score, then nearest, then by name."""
    names = catalogue.columns.name_places
    keys: list[Floats] = [-score, names[rows]] if away is None else [-score, away, names[rows]]
    for key in keys:
        # Everything past the last place that counts need not be put in order.
        if len(rows) > 4 * count and not (key == key[0]).all():
            last = np.partition(key, count - 1)[count - 1]
            kept = key <= last
            rows, keys = rows[kept], [one[kept] for one in keys]
            break
    order = np.lexsort((rows, *reversed(keys)))
    return rows[order[:count]]


def _point(catalogue: Catalogue, row: int, near: Near | None) -> tuple[float, float] | None:
    """Km to the nearest place of a row, and how unsure that is."""
    if near is None:
        return None
    sites = catalogue.columns.sites
    _, numbers = catalogue.columns.sites_of(np.array([row]))
    found = []
    for number in numbers.tolist():
        latitude, longitude = float(sites["lat"][number]), float(sites["lon"][number])
        if latitude == latitude:
            km = haversine_km(near.latitude, near.longitude, latitude, longitude)
            found.append((km, near.precision_km + float(sites["precision"][number])))
    return min(found, default=None)


def _why(
    catalogue: Catalogue, asked: Sequence[Asked], kinds: Sequence[KindAsked], rows: Rows
) -> Sequence[Sequence[Found]]:
    if not asked or not len(rows):
        return [() for _ in rows]
    return catalogue.why(asked, kinds, rows.astype(np.int32))


def _missing(whys: Sequence[Sequence[Found]]) -> list[str]:
    """Words that no listing answers; all listings were asked the same words."""
    if not whys or not whys[0]:
        return []
    return [
        found.asked
        for place, found in enumerate(whys[0])
        if all(why[place].word is None for why in whys)
    ]
