"""Search of the directory by words, place and kind of help, for anyone."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from rapidfuzz import fuzz
from sqlalchemy import CTE, ColumnElement, Select, and_, case, func, literal, or_, select
from sqlalchemy.orm import Session

from referral.core.geo import haversine_km
from referral.core.paging import Page
from referral.directory.kinds import CategoryBasis, Remote
from referral.directory.models import (
    Address,
    CostOption,
    Location,
    Organization,
    Schedule,
    Service,
    ServiceAtLocation,
    ServiceCategory,
)
from referral.directory.queries import (
    Listing,
    by_ids,
    is_offered,
    reaches,
    service_area_codes,
)
from referral.directory.reference import names_kind, taxonomy
from referral.places.codes import REGENCY_LENGTH

PAGE_SIZE = 20
LONGEST_QUERY = 200
#: Services by phone or online that are named beside those one can go to.
MOST_REMOTE = 3
#: Kinds of help that a query may stand for; more would bury its meaning.
MOST_KINDS = 3
#: Names looked at letter by letter when no name has the words as typed.
MOST_ALIKE = 300
LEAST_LIKENESS = 78
MOST_PIECES = 12
_WORD = re.compile(r"[^\W_]+")
#: Words that say nothing about which service is meant.
_EMPTY_WORDS = frozenset(
    [
        "di",
        "ke",
        "dari",
        "yang",
        "dan",
        "atau",
        "untuk",
        "dekat",
        "saya",
        "cari",
        "mencari",
        "ada",
        "the",
        "a",
        "an",
        "of",
        "for",
        "in",
        "at",
        "near",
        "to",
        "and",
        "or",
        "my",
        "i",
    ]
)

#: Names of kinds of office that people write short and in full; the longest form first.
_SAME = (
    ("rumah sakit umum daerah", "rsud"),
    ("rumah sakit umum pusat", "rsup"),
    ("rumah sakit jiwa", "rsj", "rs jiwa"),
    ("rumah sakit", "rs"),
    ("pusat kesehatan masyarakat", "puskesmas", "pkm"),
    ("sekolah luar biasa", "slb"),
    ("balai latihan kerja", "blk"),
    ("lembaga bantuan hukum", "lbh"),
    ("dinas sosial", "dinsos"),
    ("yayasan", "yay"),
)
MOST_FORMS = 8


@dataclass(frozen=True)
class Near:
    """Where somebody is or asks for: a point with its precision, and the area where one was named."""

    latitude: float
    longitude: float
    precision_km: float
    area_code: str | None = None


@dataclass(frozen=True)
class Hit:
    """One listing found. `km` is measured from the point asked for; `unsure_km` is both points' precision together."""

    listing: Listing
    km: float | None
    unsure_km: float | None


@dataclass(frozen=True)
class Results:
    """What was found: places to go to (all of it when no place was asked for), services by phone or online, kinds of help.

    kinds   codes of the categories that the words were taken for, best first
    """

    page: Page[Hit]
    remote: Sequence[Listing]
    kinds: Sequence[str]


@dataclass(frozen=True, eq=False, slots=True)
class _Row:
    service_id: UUID
    name: str
    remote: Remote | None
    latitude: float | None
    longitude: float | None
    precision_km: float | None
    area_code: str | None
    confidential: bool | None
    named: bool
    #: how much its words are like those asked for, 0–100, where they are not the same
    likeness: float = 0.0


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
    """Public listings that fit, best name first, then best kind; with `near`, nearest first and remote ones beside.

    Words are looked for in names, addresses and (through the taxonomy's two languages) kinds of help;
    where no name has them, names spelt alike are taken. A listing whose hours, price or ages are not known
    is left out by `open_at` and `free`, which ask for certainty, and kept by `age_years`, which only
    excludes those known not to fit. Raises UnknownCategory.
    """
    words = words[:LONGEST_QUERY]
    asked = _asked(words)
    kinds = [term.code for term in taxonomy().search(words, limit=MOST_KINDS)] if asked else []
    conditions = _conditions(category, free=free, age_years=age_years, scheduled=bool(open_at))
    rows = _rows(session, asked, kinds, conditions)
    if asked and not any(row.named for row in rows):
        rows = [*_spelt_alike(session, asked[0], conditions), *rows]
    if asked and kinds and not rows:
        rows = _of_kinds(session, kinds, conditions)
    if open_at is not None:
        listings = by_ids(session, {row.service_id for row in rows})
        rows = [row for row in rows if listings[row.service_id].is_open(open_at)]

    aside: list[UUID] = []
    if near is not None:
        remote = [row for row in rows if row.remote is not None and row.latitude is None]
        aside = _serving(session, remote, near)
        away = {row.service_id for row in remote}
        rows = [row for row in rows if row.service_id not in away]
    km = _distances(rows, near)
    rank = _kind_ranks(session, kinds, rows) if near is None else {}
    order = _order(rows, " ".join(asked[0]) if asked else "", near, km, rank)
    unique = list(dict.fromkeys(row.service_id for row in order))
    nearest = {row.service_id: row for row in reversed(order)}

    total = len(unique)
    number = min(max(page, 1), max(1, -(-total // size)))
    chosen = unique[(number - 1) * size : number * size]
    aside = aside if number == 1 else []
    loaded = by_ids(session, [*chosen, *aside])
    hits = [_hit(loaded[one], nearest[one], near, km) for one in chosen]
    return Results(Page(hits, number, size, total), [loaded[one] for one in aside], kinds)


def _asked(words: str) -> list[list[str]]:
    """The words that matter, as typed and then with names of kinds of office written short or in full."""
    typed = " ".join(t for t in _WORD.findall(words.lower()) if t not in _EMPTY_WORDS)
    found = [typed] if typed else []
    for forms in _SAME:
        for text in list(found):
            for form in forms:
                if re.search(rf"\b{form}\b", text):
                    found += [re.sub(rf"\b{form}\b", other, text) for other in forms]
                    break
    return [text.split() for text in list(dict.fromkeys(found))[:MOST_FORMS]]


def _haystack() -> ColumnElement[str]:
    return func.lower(
        Service.name
        + " "
        + func.coalesce(Service.alternate_name, "")
        + " "
        + Organization.name
        + " "
        + func.coalesce(Address.address_1, "")
        + " "
        + func.coalesce(Address.city, "")
    )


def _conditions(
    category: str | None, *, free: bool, age_years: float | None, scheduled: bool
) -> list[ColumnElement[bool]]:
    found = [is_offered()]
    if category:
        codes = [term.code for term in taxonomy().leaves(category)]
        found.append(_in_categories(codes))
    if free:
        found.append(Service.id.in_(select(CostOption.service_id).where(CostOption.amount == 0)))
    if age_years is not None:
        found.append(or_(Service.minimum_age.is_(None), Service.minimum_age <= age_years))
        # "Up to 17" is until the eighteenth birthday.
        found.append(or_(Service.maximum_age.is_(None), Service.maximum_age + 1 > age_years))
    if scheduled:
        found.append(Service.id.in_(select(Schedule.service_id)))
    return found


def _in_categories(codes: Iterable[str]) -> ColumnElement[bool]:
    return Service.id.in_(
        select(ServiceCategory.service_id).where(ServiceCategory.code.in_(list(codes)))
    )


def _texts(conditions: Sequence[ColumnElement[bool]]) -> CTE:
    """Ids of the services to look at with the text their words are looked for in, written out once."""
    # A confidential place's address is not even searched: finding it by its street would name the street.
    address = and_(Address.location_id == Location.id, Location.confidential.is_(False))
    texts = (
        select(Service.id, ServiceAtLocation.id.label("site_id"), _haystack().label("text"))
        .join(Service.organization)
        .outerjoin(ServiceAtLocation, ServiceAtLocation.service_id == Service.id)
        .outerjoin(Location, Location.id == ServiceAtLocation.location_id)
        .outerjoin(Address, address)
        .where(*conditions)
        .cte("texts")
    )
    return texts.prefix_with("MATERIALIZED")


def _select(named: ColumnElement[bool], texts: CTE | None = None) -> Select[Any]:
    query: Any = select(
        Service.id,
        Service.name,
        Service.remote,
        # A confidential place is known by its kab/kota alone: a finer area would tell it by its rank.
        case((Location.confidential, None), else_=Location.latitude),
        case((Location.confidential, None), else_=Location.longitude),
        Location.precision_km,
        case(
            (Location.confidential, func.substr(Location.area_code, 1, REGENCY_LENGTH)),
            else_=Location.area_code,
        ),
        Location.confidential,
        named,
    )
    site = ServiceAtLocation.service_id == Service.id
    if texts is not None:
        query = query.join(texts, texts.c.id == Service.id)
        site = ServiceAtLocation.id == texts.c.site_id
    selected: Select[Any] = query.outerjoin(ServiceAtLocation, site).outerjoin(
        Location, Location.id == ServiceAtLocation.location_id
    )
    return selected


def _rows(
    session: Session,
    asked: Sequence[Sequence[str]],
    kinds: Sequence[str],
    conditions: Sequence[ColumnElement[bool]],
) -> list[_Row]:
    """Services whose text has all the words, and those of the kinds of help that the words name.

    A word that names no kind of help ("Banyumanik") must be in the text in any case.
    """
    if not asked:
        return _read(session, _select(literal(True)).join(Service.organization).where(*conditions))
    texts = _texts(conditions)
    text: ColumnElement[str] = texts.c.text
    forms = [and_(*(text.contains(t, autoescape=True) for t in tokens)) for tokens in asked]
    has_words = or_(*forms)
    named = case((has_words, literal(True)), else_=literal(False))
    others = [token for token in asked[0] if not names_kind(token)]
    fits: ColumnElement[bool] = has_words
    if kinds and len(others) < len(asked[0]):
        in_text = (text.contains(token, autoescape=True) for token in others)
        fits = or_(has_words, and_(_in_categories(_leaves(kinds)), *in_text))
    return _read(session, _select(named, texts).where(fits))


def _of_kinds(
    session: Session, kinds: Sequence[str], conditions: Sequence[ColumnElement[bool]]
) -> list[_Row]:
    query = _select(literal(False)).join(Service.organization)
    return _read(session, query.where(*conditions, _in_categories(_leaves(kinds))))


def _read(session: Session, query: Select[Any]) -> list[_Row]:
    return [_Row(*row) for row in session.execute(query)]


def _leaves(kinds: Iterable[str]) -> set[str]:
    return {term.code for kind in kinds for term in taxonomy().leaves(kind)}


def _spelt_alike(
    session: Session, tokens: Sequence[str], conditions: Sequence[ColumnElement[bool]]
) -> list[_Row]:
    """Names that share most three-letter pieces with the words, if each word is like one of theirs."""
    # Long words first: they tell more names apart than "rs" does.
    by_length = sorted(tokens, key=len, reverse=True)
    pieces = [token[i : i + 3] for token in by_length for i in range(max(1, len(token) - 2))]
    texts = _texts(conditions)
    shared = sum(
        (
            case((texts.c.text.contains(piece, autoescape=True), 1), else_=0)
            for piece in list(dict.fromkeys(pieces))[:MOST_PIECES]
        ),
        literal(0),
    )
    alike = select(texts).order_by(shared.desc(), texts.c.id).limit(MOST_ALIKE).cte("alike")
    query = _select(literal(True), alike).add_columns(alike.c.text)
    found = []
    for *row, text in session.execute(query):
        written = _WORD.findall(text)
        likeness = [max((fuzz.ratio(t, w) for w in written), default=0.0) for t in tokens]
        if min(likeness) >= LEAST_LIKENESS - 10 and sum(likeness) / len(likeness) >= LEAST_LIKENESS:
            found.append(replace(_Row(*row), likeness=sum(likeness) / len(likeness)))
    return found


def _serving(session: Session, rows: Sequence[_Row], near: Near) -> list[UUID]:
    """Remote services for people of the place, those that state it before those that state nothing."""
    areas = service_area_codes(session, [row.service_id for row in rows])
    fitting = [
        row
        for row in rows
        if row.service_id not in areas
        or near.area_code is None
        or reaches(areas[row.service_id], near.area_code)
    ]
    fitting.sort(
        key=lambda row: (not row.named, row.service_id not in areas, row.name, row.service_id)
    )
    return [row.service_id for row in fitting[:MOST_REMOTE]]


def _distances(rows: Sequence[_Row], near: Near | None) -> dict[_Row, float]:
    """Straight-line km of every row that has a place and may show it."""
    if near is None:
        return {}
    return {
        row: haversine_km(near.latitude, near.longitude, row.latitude, row.longitude)
        for row in rows
        if row.latitude is not None and row.longitude is not None and not row.confidential
    }


def _kind_ranks(
    session: Session, kinds: Sequence[str], rows: Sequence[_Row]
) -> dict[UUID, tuple[int, bool]]:
    """How well the kinds of help of each service answer the words: its best kind's place, and whether it is a guess.

    A kind that the words name itself comes before one that only belongs to a domain they name.
    """
    exact = [code for code in kinds if taxonomy().get(code).level > 1]
    places = {code: place for place, code in enumerate(exact)}
    for kind in kinds:
        for code in _leaves([kind]):
            places.setdefault(code, len(exact))
    if not places:
        return {}
    found: dict[UUID, tuple[int, bool]] = {}
    wanted = {row.service_id for row in rows if not row.named}
    query = select(ServiceCategory.service_id, ServiceCategory.code, ServiceCategory.basis).where(
        ServiceCategory.code.in_(places)
    )
    for service_id, code, basis in session.execute(query):
        if service_id in wanted:
            rank = (places[code], basis is not CategoryBasis.STATED)
            found[service_id] = min(rank, found.get(service_id, rank))
    return found


def _order(
    rows: Sequence[_Row],
    words: str,
    near: Near | None,
    km: dict[_Row, float],
    rank: dict[UUID, tuple[int, bool]],
) -> list[_Row]:
    last = (MOST_KINDS + 1, True)

    def by_name(row: _Row) -> tuple[Any, ...]:
        likeness = row.likeness or (
            fuzz.ratio(words, row.name.lower()) if row.named and words else 0.0
        )
        return (
            not row.named,
            -likeness,
            rank.get(row.service_id, last),
            row.name,
            row.service_id,
        )

    if near is None:
        return sorted(rows, key=by_name)

    def by_distance(row: _Row) -> tuple[Any, ...]:
        away = km.get(row)
        if away is None and near.area_code and row.area_code:
            # Known by area only: it stands where the edge of what is known about it stands.
            away = near.precision_km if reaches([row.area_code], near.area_code) else None
        return (not row.named, away is None, away or 0.0, row.name, row.service_id)

    return sorted(rows, key=by_distance)


def _hit(listing: Listing, row: _Row, near: Near | None, km: dict[_Row, float]) -> Hit:
    if near is None or row not in km:
        return Hit(listing, None, None)
    return Hit(listing, km[row], near.precision_km + (row.precision_km or 0.0))
