"""The public directory: search, one service, emergency numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from flask import (
    Blueprint,
    current_app,
    flash,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask_babel import format_date
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from referral.core.geo import is_on_earth
from referral.core.text import day
from referral.directory import hours, phones, queries, words
from referral.directory.kinds import OLDEST_YEARS
from referral.directory.models import CategoryBasis, Phone, Service, ServiceCategory
from referral.directory.queries import Listing
from referral.directory.reference import taxonomy
from referral.directory.search import LONGEST_QUERY, Hit, Near, misses, search
from referral.directory.search.postings import Field
from referral.directory.upkeep.kinds import Doubt, Part
from referral.extensions import db
from referral.places.gazetteer import REGENCY, Gazetteer, PlaceNotClear
from referral.places.queries import gazetteer
from referral.referrals.letters.sheets import message_of_listing
from referral.taxonomy.tree import UnknownCategory
from referral.web.access import may, public, requires
from referral.web.answers import Answers
from referral.web.emergency import numbers_around
from referral.web.formatting import label, labelled, say
from referral.web.language import chosen
from referral.web.naming import category_name, searchable_categories
from referral.web.pins import collection, pin
from referral.web.track_records import track_records

bp = Blueprint("directory", __name__)
Page = str | Response | tuple[str, int]

#: A phone knows where it is to some metres; a town block is enough here, and all that the cookie keeps.
NEAR_DIGITS = 2
NEAR_KM = 1.0
#: A search may end in a place: "penitipan anak kota semarang".
LONGEST_PLACE_WORDS = 3
SURE_SCORE = 99.0
MOST_NUMBERS_BESIDE = 4


@dataclass
class _Asked:
    """What the address asks for, with what is wrong with it by field."""

    words: str
    place: str
    category: str
    open_now: bool
    free: bool
    age: str
    near_me: bool
    errors: dict[str, str]
    candidates: list[dict[str, Any]]
    near: Near | None = None
    age_years: float | None = None

    @property
    def is_empty(self) -> bool:
        return not (self.words or self.place or self.near_me or self.is_narrowed)

    @property
    def is_narrowed(self) -> bool:
        return bool(self.category or self.age or self.open_now or self.free)

    def page_url(self, number: int) -> str:
        return self.url(page=number)

    def url(self, **changes: Any) -> str:
        """The address of the same search with some of it changed."""
        values: dict[str, Any] = {
            "q": self.words,
            "place": self.place,
            "category": self.category,
            "open": "1" if self.open_now else "",
            "free": "1" if self.free else "",
            "age": self.age,
            "near": "me" if self.near_me else "",
        }
        given = {name: value for name, value in (values | changes).items() if value}
        return url_for("directory.index", **given)


def _asked(places: Gazetteer) -> _Asked:
    args = request.args
    asked = _Asked(
        words=" ".join(args.get("q", "").split()),
        place=" ".join(args.get("place", "").split()),
        category=args.get("category", "").strip(),
        open_now=args.get("open") == "1",
        free=args.get("free") == "1",
        age=args.get("age", "").strip(),
        near_me=args.get("near") == "me" and "near" in session,
        errors={},
        candidates=[],
    )
    if len(asked.words) > LONGEST_QUERY:
        asked.errors["q"] = _(
            "Search with fewer words: at most %(most)s characters.", most=LONGEST_QUERY
        )
    if asked.category:
        try:
            asked.category = taxonomy().get(asked.category).code
        except UnknownCategory as error:
            asked.errors["category"] = say(error.message)
    if asked.age:
        try:
            asked.age_years = float(asked.age.replace(",", "."))
        except ValueError:
            asked.age_years = -1
        if not 0 <= asked.age_years <= OLDEST_YEARS:
            asked.age_years = None
            asked.errors["age"] = _("Write the age in years, from 0 to 130.")
    if asked.place:
        try:
            place = places.resolve(asked.place)
        except PlaceNotClear as error:
            asked.errors["place"] = say(error.message)
            asked.candidates = error.candidates
        else:
            located = places.locate(place.code)
            if located is None:
                asked.errors["place"] = _("We do not know where this place is. Name its kabupaten.")
            else:
                asked.near = Near(
                    located.latitude, located.longitude, located.precision_km, place.code
                )
    elif asked.near_me:
        latitude, longitude = session["near"]
        area = places.nearest_regency(latitude, longitude)[0].code if len(places) else None
        asked.near = Near(latitude, longitude, NEAR_KM, area)
    return asked


def _places_in(asked: _Asked, places: Gazetteer) -> list[tuple[str, str]]:
    """Where the last words name a kabupaten or kota and no place was given: its name, and that search."""
    words = asked.words.split()
    if asked.near or asked.place:
        return []
    for count in range(min(LONGEST_PLACE_WORDS, len(words) - 1), 0, -1):
        found = [
            one
            for one in places.find(" ".join(words[-count:]))
            if one.place.level == REGENCY and not one.missing and one.score >= SURE_SCORE
        ]
        if found:
            rest = " ".join(words[:-count])
            return [(one.label, asked.url(q=rest, place=one.place.code)) for one in found]
    return []


@bp.get("/directory")
@public
def index() -> Page:
    """Search for help by words, place and kind, without an account."""
    places = gazetteer(db.session)
    asked = _asked(places)
    now = datetime.now(UTC)
    results = None
    if not asked.is_empty and not asked.errors:
        results = search(
            db.session,
            words=asked.words,
            near=asked.near,
            category=asked.category or None,
            open_at=now if asked.open_now else None,
            free=asked.free,
            age_years=asked.age_years,
            page=request.args.get("page", 1, type=int),
        )
        if asked.words and not (results.page.total or results.remote or asked.is_narrowed):
            misses.count(db.session, asked.words, kinds=list(results.kinds), on=now.date())
            if not current_app.testing:
                misses.write_soon(db.engine)
    crisis = results is not None and any(
        taxonomy().get(code).crisis_default for code in results.kinds[:1]
    )
    shown = [*results.page.items, *results.remote] if results else []
    # Asked for only where they are shown: they take longer than the search.
    area = asked.near.area_code if asked.near else None
    numbers = numbers_around(area, places) if crisis or (results and not shown) else []
    return (
        render_template(
            "directory/index.html",
            asked=asked,
            results=results,
            places_in_words=_places_in(asked, places) if results else [],
            cards=[_card(hit, places, now) for hit in results.page.items] if results else [],
            remote=[_card(hit, places, now) for hit in results.remote] if results else [],
            pins=_pins(results.page.items, asked.near) if results else None,
            crisis=crisis,
            numbers=numbers[:MOST_NUMBERS_BESIDE],
            categories=searchable_categories(),
            domains=taxonomy().domains(),
            leaves={
                domain.code: [leaf.name[chosen()] for leaf in taxonomy().leaves(domain.code)]
                for domain in taxonomy().domains()
            },
        ),
        422 if asked.errors else 200,
    )


@bp.get("/directory/misses")
@requires("listing:approve")
def missed() -> Page:
    """Words that people searched for and found nothing, so that curators know what is missing."""
    found = misses.most_missed(db.session)
    months = {miss.last_month: format_date(miss.last_month, "MMMM y") for miss in found}
    return render_template("directory/misses.html", misses=found, months=months)


@bp.post("/directory/near")
@public
def near() -> Response:
    """Take where the person is, to a kilometre, into this browser's cookie: never into an address or a log."""
    answer = {name: request.form.get(name, "") for name in ("q", "category", "open", "free", "age")}
    kept: dict[str, Any] = {name: value for name, value in answer.items() if value}
    try:
        latitude, longitude = (float(request.form.get(name, "")) for name in ("lat", "lon"))
    except ValueError:
        latitude = longitude = float("nan")
    if not is_on_earth(latitude, longitude):
        flash(_("Your device did not say where you are. Type a place instead."), "wait")
        return redirect(url_for(".index", **kept), 303)
    session["near"] = [round(latitude, NEAR_DIGITS), round(longitude, NEAR_DIGITS)]
    return redirect(url_for(".index", **kept | {"near": "me"}), 303)


@bp.get("/services/<uuid:service_id>")
@public
def show(service_id: UUID) -> Page:
    """One service with all a person needs to get there."""
    listing = queries.get(db.session, service_id)
    merged_into = queries.merged_into(db.session, listing)
    if merged_into is not None:
        return redirect(url_for(".show", service_id=merged_into.service.id), 303)
    return service_page(listing)


@bp.get("/emergency")
@public
def emergency() -> Page:
    """Numbers to call when somebody is in danger. Nothing is asked first."""
    places = gazetteer(db.session)
    numbers = numbers_around(None, places)
    everywhere = [one for one in numbers if one["everywhere"]]
    return render_template(
        "directory/emergency.html",
        everywhere=everywhere,
        elsewhere=[one for one in numbers if not one["everywhere"]],
    )


def service_page(
    listing: Listing, *, answers: Answers | None = None, template: str = "directory/show.html"
) -> str:
    """The page of one service; `answers` is a form on it that was refused."""
    places, lang, now = gazetteer(db.session), chosen(), datetime.now(UTC)
    service = listing.service
    sites = [
        {
            "site": site,
            "area": words.place_name(places, site.area_code),
            "position": words.position(site, lang),
        }
        for site in listing.sites
        if service.remote is None or site.address
    ]
    return render_template(
        template,
        listing=listing,
        service=service,
        publisher=urlsplit(service.source_url or "").hostname,
        sites=sites,
        pins=_pins([Hit(listing, None, None)], None),
        phones=[phone_of(phone) for phone in service.phones],
        hours=hours.in_words(listing.schedules, lang, on=now.date()),
        is_open=listing.is_open(now),
        is_stale=listing.is_stale(now.date()),
        kinds=_kinds(listing),
        cost=_cost(listing),
        capacity=_capacity(listing),
        areas=words.areas(service, places, lang),
        eligibility=words.eligibility(service, places, lang),
        documents=words.documents(service, lang),
        languages=words.coded_names(
            "languages", [x.code for x in service.languages if x.code], lang
        ),
        assured_by=_assured_by(service),
        doubts=listing.doubts,
        record=track_records([service.id]).get(service.id, [])
        if may("match:run") or may("office:read")
        else [],
        parts=labelled(Part, "listing.field"),
        message=_message(listing, now) if may("match:run") else None,
        answers=answers or Answers(),
    )


def _message(listing: Listing, now: datetime) -> str:
    return message_of_listing(db.session, listing, chosen(), on=now.date())


def _assured_by(service: Service) -> str | None:
    return label(f"upkeep.assurer.{service.assured_by_role}") if service.assured_by_role else None


def _kinds(listing: Listing) -> list[str]:
    found = [_category(c, listing.doubts) for c in listing.service.categories]
    inferred = _("by its kind, ask")
    return [f"{c['name']} ({inferred})" if c["inferred"] else c["name"] for c in found]


def _cost(listing: Listing) -> str:
    """The price in words: whether it is known to be free or to cost money, then what the source says."""
    options = listing.service.cost_options
    said = [label(f"directory.fee.{o.option}") for o in options if o.option in ("free", "paid")]
    said += [o.amount_description for o in options if o.amount_description]
    said.append(listing.service.fees_description or "")
    once = {text.casefold(): text for text in reversed(said) if text}
    return " · ".join(reversed(once.values()))


def _capacity(listing: Listing) -> str:
    """The last word on room, with its day; nothing where nobody has said."""
    stated = [c for c in listing.service.capacities if c.status is not None]
    if not stated:
        return ""
    last = stated[-1]
    return f"{label(f'directory.capacity.{last.status}')} ({day(last.updated, chosen())})"


def _category(category: ServiceCategory, in_doubt: Sequence[Doubt]) -> dict[str, Any]:
    doubted = any(doubt.is_about_category(category.code) for doubt in in_doubt)
    return {
        "name": category_name(category.code),
        "inferred": doubted or category.basis is CategoryBasis.INFERRED,
    }


def phone_of(phone: Phone) -> dict[str, Any]:
    """A number as a page shows it and as a telephone dials it."""
    number = f"{phone.number} ext {phone.extension}" if phone.extension else phone.number
    return {
        "number": number,
        "dial": phones.dial(phone.number, phone.extension),
        "type": phone.type or "voice",
        "calls": phone.type not in ("fax", "text", "pager"),
    }


def _card(hit: Hit, places: Gazetteer, now: datetime) -> dict[str, Any]:
    listing, lang = hit.listing, chosen()
    service = listing.service
    site = listing.sites[0] if listing.sites else None
    callable_ = [phone_of(p) for p in service.phones if p.type not in ("fax", "text", "pager")]
    return {
        "service": service,
        "organization": listing.organization.name,
        "km": None if hit.km is None else words.distance(hit.km, hit.unsure_km, lang),
        "area": words.place_name(places, site.area_code) if site else "",
        "address": site.address.address_1 if site and site.address else "",
        "categories": [_category(c, listing.doubts) for c in service.categories[:3]],
        "more_categories": max(0, len(service.categories) - 3),
        "phone": callable_[0] if callable_ else None,
        "is_open": listing.is_open(now),
        "is_stale": listing.is_stale(now.date()),
        "assured_by": _assured_by(service),
        "doubts": [(one.since, say(one.message)) for one in listing.doubts],
        "positioned": any(s.latitude is not None for s in listing.sites),
        "found_by": _found_by(hit),
    }


def _found_by(hit: Hit) -> str:
    """Which words of the listing answered those asked for, and where they stand."""
    where = {
        None: _("kind of help"),
        Field.FORM: _("short for its name"),
        Field.ORGANIZATION: _("organization"),
        Field.PLACE: _("place"),
        Field.DESCRIPTION: _("description"),
    }
    by_place: dict[str, list[str]] = {}
    for found in hit.why:
        if found.word is not None:
            by_place.setdefault(where.get(found.field, ""), []).append(found.word)
    return " · ".join(
        f"{' '.join(dict.fromkeys(words))} ({place})" if place else " ".join(dict.fromkeys(words))
        for place, words in by_place.items()
    )


def _pins(hits: Any, near: Near | None) -> dict[str, Any] | None:
    """What the map shows: the same numbers as the list; nothing where no place is known."""
    features: list[dict[str, Any]] = []
    for number, hit in enumerate(hits, start=1):
        for site in hit.listing.sites:
            if site.latitude is not None:
                properties = {"kind": "option", "number": number, "name": hit.listing.service.name}
                features.append(pin(site.latitude, site.longitude, properties | {"note": ""}))
    if features and near is not None:
        properties = {"kind": "start", "label": _("Here"), "precision_km": near.precision_km}
        features.append(pin(near.latitude, near.longitude, properties))
    return collection(features) if features else None
