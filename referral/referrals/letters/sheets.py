"""What the client's sheet and message say, read from the directory and the match. Who may ask is the caller's to know."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from referral.casework.models import Case
from referral.core import text
from referral.core.errors import NotFound
from referral.core.text import Message
from referral.directory import hours, words
from referral.directory import queries as directory
from referral.directory.duplicates.queries import site_now
from referral.directory.queries import Listing, Site
from referral.directory.reference import taxonomy
from referral.directory.upkeep.kinds import Part
from referral.matching.models import MatchReceipt
from referral.matching.queries import held_back, latest_choices
from referral.places.gazetteer import Gazetteer
from referral.places.queries import gazetteer
from referral.referrals.letters.chat import chat_text
from referral.referrals.letters.coast import coast
from referral.referrals.letters.discretion import telling_words
from referral.referrals.letters.handout import Option, handout_content
from referral.referrals.letters.place import Place
from referral.referrals.letters.sketch import Spot
from referral.referrals.models import Referral

#: options on a handout when nobody chose
FIRST_OPTIONS = 3
#: more sheets than these nobody reads
MOST_OPTIONS = 6
#: numbers that nobody can call
_NO_CALLS = ("fax", "text", "pager")


def names_unsaid(case: Case | None, categories: Iterable[str]) -> tuple[str, ...] | None:
    """The needs' names, where nobody may learn of them from what the client carries; None where that is no danger.

    A case in which the safe contact was never agreed counts as one with limits: not knowing is not the
    client's fault.
    """
    if case is None:
        return None
    contact = case.client.safe_contact or {}
    if contact and not contact.get("through_worker_only") and not case.protections:
        return None
    terms = [taxonomy().get(category) for category in categories]
    terms += [taxonomy().get(term.parent) for term in terms if term.parent]
    return telling_words(
        name
        for term in terms
        for lang in text.LANGUAGES
        for name in (term.name[lang], *term.synonyms.get(lang, ()))
    )


def handout_of_receipt(
    session: Session,
    receipt: MatchReceipt,
    lang: str,
    *,
    case: Case | None,
    site_ids: Sequence[UUID],
    on: date,
) -> dict[str, Any]:
    """The sheet for options of a match: those named, else what the client chose, else the first ones.

    Raises NotFound where none of them is offered any more.
    """
    content = receipt.content or {}
    wanted = [str(one) for one in site_ids] or on_the_sheet(session, receipt)
    shown = [one for one in _entries(content) if one["service_at_location_id"] in wanted]
    category = content["query"]["need"]
    return _sheet(session, shown[:MOST_OPTIONS], content, lang, case=case, category=category, on=on)


def handout_of_referral(
    session: Session, referral: Referral, lang: str, *, on: date
) -> dict[str, Any]:
    """The sheet for the service a client is sent to, with the distance its match told, if one did."""
    site_id = str(referral.service_at_location_id or "")
    receipt = session.get(MatchReceipt, referral.receipt_id) if referral.receipt_id else None
    content = (receipt.content if receipt else None) or {}
    entry: Mapping[str, Any] = next(
        (one for one in _entries(content) if one["service_at_location_id"] == site_id),
        {"service_at_location_id": site_id, "distance_km": None, "distance_band": None},
    )
    category = referral.need.category
    return _sheet(session, [entry], content, lang, case=referral.case, category=category, on=on)


def message_of_referral(session: Session, referral: Referral, lang: str, *, on: date) -> str:
    """What may be sent to the client of a referral, so that they get there."""
    places = _places(session, [str(referral.service_at_location_id or "")], lang, on)
    unsaid = names_unsaid(referral.case, [referral.need.category])
    return "\n\n".join(chat_text(place, lang, unsaid=unsaid) for place in places.values())


def message_of_listing(session: Session, listing: Listing, lang: str, *, on: date) -> str:
    """What may be sent to anybody who asks for this service; empty where nobody is sent there now."""
    if held_back(session, [listing.service.id]):
        return ""
    site = listing.sites[0] if listing.sites else None
    return chat_text(place_of(listing, site, gazetteer(session), lang, on=on), lang)


def on_the_sheet(session: Session, receipt: MatchReceipt) -> list[str]:
    """What stands on it when nobody says: the site the client chose from this match, else the first ones."""
    sites = [one["service_at_location_id"] for one in _entries(receipt.content or {})]
    if receipt.need_id is not None:
        choice = latest_choices(session, [receipt.need_id]).get(receipt.need_id)
        chosen = str(choice.service_at_location_id) if choice else ""
        if chosen in sites:
            return [chosen]
    return sites[:FIRST_OPTIONS]


def _entries(content: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [*content.get("options", []), *content.get("remote", [])]


def _sheet(
    session: Session,
    entries: Sequence[Mapping[str, Any]],
    content: Mapping[str, Any],
    lang: str,
    *,
    case: Case | None,
    category: str,
    on: date,
) -> dict[str, Any]:
    places = _places(session, [one["service_at_location_id"] for one in entries], lang, on)
    options = [
        _option(places[one["service_at_location_id"]], one, lang)
        for one in entries
        if one["service_at_location_id"] in places
    ]
    if not options:
        raise NotFound("letter.no_option")
    near = content["query"]["near"] if content else None
    start = Spot(near[0], near[1], content["asked"]["precision_km"]) if near else None
    return handout_content(
        options, lang, start=start, coast=coast(), unsaid=names_unsaid(case, [category])
    )


def _places(session: Session, site_ids: Iterable[str], lang: str, on: date) -> dict[str, Place]:
    """The services at these sites as the directory has them today; what is no longer offered is missing."""
    sites = {site_id: site_now(session, UUID(site_id)) for site_id in site_ids if site_id}
    services = {site.service_id for site in sites.values() if site is not None}
    listings = directory.by_ids(session, services - held_back(session, services))
    places, found = gazetteer(session), {}
    for asked, site in sites.items():
        listing = listings.get(site.service_id) if site else None
        if site is None or listing is None or not listing.is_shown_in_searches:
            continue
        at = next((one for one in listing.sites if one.id == site.id), None)
        found[asked] = place_of(listing, at, places, lang, on=on)
    return found


def _option(place: Place, entry: Mapping[str, Any], lang: str) -> Option:
    bearing, way = entry.get("bearing"), entry.get("way")
    further = Message.from_json(way) if way else None
    return Option(
        place,
        _distance(entry, lang),
        entry.get("straight_km") or entry["distance_km"],
        text.render(Message.from_json(bearing), lang) if bearing else None,
        text.render(further, lang) if further and further.key != "match.way.straight" else None,
    )


def _distance(entry: Mapping[str, Any], lang: str) -> str | None:
    if entry["distance_band"] is not None:
        return text.km_range(entry["distance_band"], lang)
    straight_km = entry.get("straight_km") or entry["distance_km"]
    return None if straight_km is None else text.km(straight_km, lang)


def place_of(
    listing: Listing, site: Site | None, gazetteer: Gazetteer, lang: str, *, on: date
) -> Place:
    """What the directory says of a service today; what its agency itself doubts counts as not known."""
    service = listing.service
    address = site.address if site else None
    doubted = listing.is_in_doubt
    street = [address.address_1, address.address_2, address.city] if address else []
    parts = list(dict.fromkeys(part.strip() for part in street if part and part.strip()))
    if len(parts) > 1 and parts[-1] in parts[0]:
        parts.pop()
    return Place(
        name=service.name,
        organization=listing.organization.name,
        phones=()
        if doubted(Part.PHONES)
        else [
            f"{one.number} ext {one.extension}" if one.extension else one.number
            for one in service.phones
            if one.type not in _NO_CALLS
        ],
        address=", ".join(parts) or None,
        area=words.place_name(gazetteer, site.area_code) or None if site else None,
        hours=() if doubted(Part.HOURS) else _hours(listing, lang, on),
        documents=words.documents(service, lang),
        steps=[_step(step.office, step.documents, step.cost) for step in service.entry_steps],
        confidential=listing.is_confidential,
        remote=service.remote is not None,
        latitude=site.latitude if site else None,
        longitude=site.longitude if site else None,
        precision_km=(site.precision_km or 0.0) if site else 0.0,
    )


def _hours(listing: Listing, lang: str, on: date) -> list[tuple[str, str]]:
    if listing.is_always_open:
        return [(text.label("directory.always", lang), "")]
    return hours.in_words(listing.schedules, lang, on=on)


def _step(office: str, documents: Sequence[str], cost: str | None) -> str:
    said = f"{office}: {', '.join(documents)}" if documents else office
    return f"{said} ({cost})" if cost else said
