"""What a card says beside the verdicts: hours, room, cost, freshness. Pure."""

from datetime import date

from referral.core.text import Message
from referral.directory.opening import is_open, next_opening
from referral.matching.facts import Offer, Query
from referral.matching.penalties import known_capacity


def facts_of(
    query: Query, offer: Offer, holidays: frozenset[date] = frozenset()
) -> list[tuple[str, Message]]:
    """(icon, sentence) of what a broker wants to know before sending somebody."""
    facts = [
        ("clock", _hours(query, offer, holidays)),
        ("users", _room(query, offer)),
        ("banknote", _cost(offer)),
    ]
    facts.append(_check(offer))
    facts += [
        ("triangle-alert", Message("match.fact.in_doubt", {"what": what, "since": since}))
        for what, since in offer.in_doubt
    ]
    return facts


def _check(offer: Offer) -> tuple[str, Message]:
    if offer.assured_on is None:
        return "shield-alert", Message("match.fact.never_verified")
    if offer.assured_by is None:
        return "shield-check", Message("match.fact.verified", {"on": offer.assured_on})
    who = Message(f"upkeep.assurer.{offer.assured_by}")
    return "shield-check", Message("match.fact.verified_by", {"on": offer.assured_on, "who": who})


def _hours(query: Query, offer: Offer, holidays: frozenset[date]) -> Message:
    answer = is_open(offer.hours, query.at, holidays=holidays)
    if answer is None:
        return Message("match.fact.hours_unknown")
    if answer:
        always = any(row.never_closes for row in offer.hours)
        return Message("match.fact.always_open" if always else "match.fact.open")
    opens = next_opening(offer.hours, query.at)
    return Message("match.fact.opens", {"opens": opens}) if opens else Message("match.fact.closed")


def _room(query: Query, offer: Offer) -> Message:
    capacity = known_capacity(offer, query.at)
    if capacity is None or offer.capacity_at is None:
        return Message("match.fact.room_unknown")
    return Message(f"match.fact.room.{capacity}", {"on": offer.capacity_at.date()})


def _cost(offer: Offer) -> Message:
    if offer.fee is None:
        return Message("match.fact.cost_unknown")
    return Message("match.fact.costs" if offer.fee else "match.fact.free")
