"""The options of a match as a page shows them: a card each, and a map."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import url_for
from flask_babel import gettext as _

from referral.core import text
from referral.core.text import Message
from referral.directory import phones
from referral.directory.kinds import ServiceStatus
from referral.matching.penalties import DATA_QUALITY
from referral.matching.queries import ShownSite
from referral.web.formatting import label, say
from referral.web.language import chosen
from referral.web.pins import collection, pin

_PHONES_IN_DOUBT = ("listing.field.phones", "upkeep.doubt.whole")
#: Facts that only say that nothing is known, and what to ask instead.
_NOT_KNOWN = {
    "match.fact.hours_unknown": "open_only",
    "match.fact.room_unknown": "room",
    "match.fact.cost_unknown": "free_only",
}
_HOW_TO_ASK = ("match.fact.go_in_person", "match.fact.no_way_to_ask")
_NOT_SAID = ".not_said"
#: Passes that say nothing about this client and this service.
_SILENT = ("match.active.pass", "match.within.no_limit", "match.accessibility.not_needed")


@dataclass(frozen=True)
class Card:
    """One option as the page shows it.

    bearing  in words, from where distances start; way: what is known of the way there;
             is_route: the km are those of a way the office knows
    ask      what nobody told and somebody must ask, in one sentence
    is_held_back  nobody is sent there today, though the receipt names it
    """

    rank: int
    site_id: str
    name: str
    organization: str
    url: str
    km: float | None
    km_text: str | None
    additions: list[tuple[str, float]]
    facts: list[tuple[str, str]]
    reasons: list[tuple[str, str]]
    ties: str | None
    phones: list[dict[str, str]]
    address: str | None
    steps: list[str]
    bearing: str | None = None
    way: str | None = None
    is_route: bool = False
    ask: str | None = None
    would_fit_if: str | None = None
    is_held_back: bool = False


def cards_of(
    entries: Iterable[Mapping[str, Any]],
    content: Mapping[str, Any],
    part: str,
    sites: Mapping[UUID, ShownSite],
    records: Mapping[UUID, Sequence[tuple[str, str]]] | None = None,
) -> list[Card]:
    """One part of a receipt as cards; `entries` is the printed part, `content` the receipt it came from.

    records   by service further facts for workers: how it keeps its word
    """
    cards: list[Card] = []
    before: Mapping[str, Any] | None = None
    for rank, (entry, kept) in enumerate(zip(entries, content[part], strict=True), 1):
        site = sites.get(UUID(entry["service_at_location_id"]))
        record = (records or {}).get(UUID(entry["service_id"]), ())
        cards.append(_card(rank, entry, kept, site, before, record))
        before = entry
    return cards


def _card(
    rank: int,
    entry: Mapping[str, Any],
    kept: Mapping[str, Any],
    site: ShownSite | None,
    before: Mapping[str, Any] | None,
    record: Sequence[tuple[str, str]],
) -> Card:
    numbers = _phones(site)
    ask = _ask(entry, kept, has_phone=bool(numbers) and not _doubts_phones(kept))
    facts = [
        (fact["icon"], printed["because"])
        for fact, printed in zip(kept["facts"], entry["facts"], strict=True)
        if not _is_said_by(ask, printed["key"])
    ]
    if site is not None and site.status is not ServiceStatus.ACTIVE:
        # The receipt is of another day; what closed since must not be chosen.
        facts.insert(0, ("circle-alert", label(f"directory.status.{site.status}")))
    is_held_back = site is not None and site.is_held_back
    if is_held_back:
        facts.insert(0, ("circle-alert", say(Message("referral.harm_looked_into"))))
    if entry["group"]:
        facts.insert(0, ("info", label(f"match.group.{entry['group']}")))
    # A place that became confidential since: what the receipt knew of where it is, is told no more.
    is_secret = _is_confidential(site) and entry["distance_km"] is not None
    order_km = None if is_secret else entry["distance_km"]
    if order_km is not None:
        order_km = max(order_km, (entry["precision_km"] or 0) / 2)
    return Card(
        rank=rank,
        site_id=entry["service_at_location_id"],
        name=entry["name"],
        organization=entry["organization"] if entry["organization"] != entry["name"] else "",
        url=url_for("directory.show", service_id=entry["service_id"]),
        km=order_km,
        km_text=None if is_secret else _range(entry),
        additions=_additions(entry["penalties"]),
        facts=[*facts, *record],
        reasons=_reasons(entry, ask),
        ties=say(Message("match.equal_distance")) if _equals(before, entry) else None,
        phones=numbers,
        address=_address(site),
        steps=_steps(site),
        bearing=None if is_secret else entry.get("bearing"),
        way=None if is_secret else _way(entry, kept),
        is_route=bool(kept.get("route")) and not is_secret,
        ask=ask,
        would_fit_if=entry.get("would_fit_if"),
        is_held_back=is_held_back,
    )


def _is_confidential(site: ShownSite | None) -> bool:
    return site is not None and site.place is not None and site.place.confidential


def _is_said_by(ask: str | None, fact: str) -> bool:
    """Whether what to ask says a fact already: that nothing is known, or how one asks."""
    return ask is not None and (fact in _NOT_KNOWN or fact.startswith(_HOW_TO_ASK))


def _way(entry: Mapping[str, Any], kept: Mapping[str, Any]) -> str | None:
    """What the distance is, where it is more than the straight line the page speaks of."""
    way = kept.get("way")
    return entry["way"] if way and way["key"] != "match.way.straight" else None


def _doubts_phones(kept: Mapping[str, Any]) -> bool:
    """Whether the agency said that its numbers, or all of its listing, are wrong."""
    return any(
        fact["message"]["key"] == "match.fact.in_doubt"
        and fact["message"]["params"]["what"]["message"]["key"] in _PHONES_IN_DOUBT
        for fact in kept["facts"]
    )


def _additions(penalties: Sequence[Mapping[str, Any]]) -> list[tuple[str, float]]:
    """What each penalty adds, in words and km; what is not known about the listing is one addition."""
    additions = [
        (one["because"], one["km"]) for one in penalties if one["rule"] not in DATA_QUALITY
    ]
    not_known_km = sum(one["km"] for one in penalties if one["rule"] in DATA_QUALITY)
    if not_known_km:
        additions.append((label("match.penalty.data_quality"), not_known_km))
    return additions


def _range(entry: Mapping[str, Any]) -> str | None:
    """ "0–14 km" where a place is known only by its area; what is confidential is not told."""
    if entry["distance_band"] is None:
        return None
    return text.km_range(entry["distance_band"], chosen())


def _equals(before: Mapping[str, Any] | None, entry: Mapping[str, Any]) -> bool:
    """Whether two neighbours of one group can't be told apart by distance: their ranges overlap."""
    if before is None or before["group"] != entry["group"]:
        return False
    a, b = before["distance_band"], entry["distance_band"]
    return bool(a and b and a[0] <= b[1] and b[0] <= a[1])


def reasons_of(entry: Mapping[str, Any], *, has_phone: bool) -> list[tuple[str, str]]:
    """What speaks for a printed option, what to ask (what no source says is one question), what speaks against it."""
    return _reasons(entry, _ask(entry, {}, has_phone=has_phone))


def _reasons(entry: Mapping[str, Any], ask: str | None) -> list[tuple[str, str]]:
    verdicts = entry["verdicts"]
    reasons = [
        (one["verdict"], one["because"])
        for one in verdicts
        if one["verdict"] != "unknown" and one["key"] not in _SILENT
    ]
    reasons += [
        ("unknown", one["because"])
        for one in verdicts
        if one["verdict"] == "unknown" and not one["key"].endswith(_NOT_SAID)
    ]
    if ask:
        reasons.append(("unknown", ask))
    reasons += [
        ("fail", one["because"][:1].upper() + one["because"][1:] + ".")
        for one in entry["penalties"]
        if one["rule"] not in DATA_QUALITY
    ]
    return reasons


def _ask(entry: Mapping[str, Any], kept: Mapping[str, Any], *, has_phone: bool) -> str | None:
    """Everything that no source says, in one sentence; a topic that a rule and a fact both lack is named once."""
    facts = [fact["message"]["key"] for fact in kept.get("facts", ())]
    topics = [_NOT_KNOWN.get(fact) for fact in facts]
    topics += [one["rule"] for one in entry["verdicts"] if one["key"].endswith(_NOT_SAID)]
    lang = chosen()
    named = [text.label(f"match.topic.{topic}", lang) for topic in dict.fromkeys(topics) if topic]
    if not named:
        return None
    key = "match.ask.by_phone" if has_phone else "match.ask.in_person"
    if not has_phone and "match.fact.no_way_to_ask" in facts:
        key = "match.ask.from_afar"
    return say(Message(key, {"topics": text.listed(named, lang)}))


def _phones(site: ShownSite | None) -> list[dict[str, str]]:
    if site is None:
        return []
    return [
        {"number": number, "dial": phones.dial(number, extension)}
        for number, extension in site.phones
    ]


def _address(site: ShownSite | None) -> str | None:
    place = site.place if site else None
    if place is None or place.confidential or place.address is None:
        return None
    street, city = place.address
    return street if city in street else ", ".join(part for part in (street, city) if part)


def _steps(site: ShownSite | None) -> list[str]:
    """The way in, in order: "Kelurahan: KK, KTP"."""
    if site is None:
        return []
    return [
        f"{office}: {', '.join(documents)}" if documents else office
        for office, documents in site.steps
    ]


def options_map(
    shown: Mapping[str, Any],
    cards: Sequence[Card],
    sites: Mapping[UUID, ShownSite],
    *,
    first: int,
    precision_km: float,
) -> dict[str, Any] | None:
    """The options that may be shown on a map, and where the distances start. None when there is nothing.

    What stands after the `first` is marked as folded: it is drawn when its cards are unfolded.
    """
    features = []
    for card in cards:
        site = sites.get(UUID(card.site_id))
        place = site.place if site else None
        if place is None or place.confidential or place.latitude is None:
            continue
        distance = card.km_text or (text.km(card.km, chosen()) if card.km is not None else "")
        features.append(
            pin(
                place.latitude,
                place.longitude or 0.0,
                {
                    "kind": "option",
                    "number": card.rank,
                    "name": card.name,
                    "note": f"{distance} {card.bearing or ''}".strip(),
                    "folded": card.rank > first,
                },
            )
        )
    if not features:
        return None
    query = shown["query"]
    if query["near"]:
        start = query["place"]["name"] if query["place"] else _("Start")
        features.append(
            pin(
                query["near"][0],
                query["near"][1],
                {"kind": "start", "label": start, "precision_km": precision_km},
            )
        )
    return collection(features)
