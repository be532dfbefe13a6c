"""What a card says beside the verdicts: the way there, hours, room, cost, contact, freshness. Pure."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from referral.core.text import Message
from referral.directory.opening import closing, is_open, next_opening
from referral.matching.facts import Offer, Query
from referral.matching.penalties import known_capacity
from referral.matching.telling import Ranked
from referral.places.land import Crossing

#: A query for a moment this near is about now.
NOW = timedelta(minutes=15)
CLOSES_SOON = timedelta(hours=1)

_ACROSS = {
    Crossing.YES: Message("match.way.other_island"),
    Crossing.PERHAPS: Message("match.way.perhaps_other_island"),
}
_OPEN = {
    # (about now, closes soon)
    (True, False): "match.fact.open_now",
    (True, True): "match.fact.open_now_closes_soon",
    (False, False): "match.fact.open_then",
    (False, True): "match.fact.open_then_closes_soon",
}
_OPENS = {True: "match.fact.opens_from_now", False: "match.fact.opens_then"}
_CLOSED = {True: "match.fact.closed_now", False: "match.fact.closed_then"}
_HOLIDAY = {True: "match.fact.holiday_now", False: "match.fact.holiday_then"}


def facts_of(
    query: Query,
    offer: Offer,
    *,
    holidays: frozenset[date] = frozenset(),
    now: datetime | None = None,
    phones: Sequence[str] | None = None,
) -> list[tuple[str, Message]]:
    """(icon, sentence) of what a broker wants to know before sending somebody.

    now     when the question is asked, to tell "open now" from "open at the asked time"; None: not told apart
    phones  the numbers that are known; None: nobody looked
    """
    facts = [("clock", _hours(query.at, offer, holidays, is_now=_is_now(query, now)))]
    if now is not None and offer.hours and not _is_now(query, now):
        facts.append(
            ("clock", _hours(now.astimezone(query.at.tzinfo), offer, holidays, is_now=True))
        )
    facts += [("users", _room(query, offer)), ("banknote", _cost(offer))]
    if phones is not None and not phones:
        facts.append(("phone-off", _no_phone(offer)))
    facts.append(_check(offer))
    facts += [
        ("triangle-alert", Message("match.fact.in_doubt", {"what": what, "since": since}))
        for what, since in offer.in_doubt
    ]
    return facts


def bearing_of(one: Ranked) -> Message | None:
    """Where it lies, in words."""
    return None if one.bearing is None else Message(f"match.bearing.{one.bearing}")


def way_of(one: Ranked) -> Message | None:
    """What the distance is: the way that the office knows, or a straight line and what it crosses."""
    if one.straight_km is None:
        return None
    if one.route is not None:
        params = {"km": one.route.km, "how": one.route.how, "straight": one.straight_km}
        return Message("match.way.known", params)
    if one.crossing is None:
        return Message("match.way.straight")
    return _ACROSS.get(one.crossing, Message("match.way.straight"))


def _is_now(query: Query, now: datetime | None) -> bool:
    return now is not None and abs(query.at - now) <= NOW


def _check(offer: Offer) -> tuple[str, Message]:
    if offer.assured_on is None:
        return "shield-alert", Message("match.fact.never_verified")
    if offer.assured_by is None:
        return "shield-check", Message("match.fact.verified", {"on": offer.assured_on})
    who = Message(f"upkeep.assurer.{offer.assured_by}")
    return "shield-check", Message("match.fact.verified_by", {"on": offer.assured_on, "who": who})


def _hours(at: datetime, offer: Offer, holidays: frozenset[date], *, is_now: bool) -> Message:
    answer = is_open(offer.hours, at, holidays=holidays)
    if answer is None:
        if is_open(offer.hours, at) is None:
            return Message("match.fact.hours_unknown")
        return Message(_HOLIDAY[is_now], {"at": at})
    if answer:
        closes = closing(offer.hours, at, holidays=holidays)
        if closes is None or any(row.never_closes for row in offer.hours):
            return Message("match.fact.always_open")
        is_soon = closes - at <= CLOSES_SOON
        return Message(_OPEN[is_now, is_soon], {"at": at, "closes": _clock(closes)})
    opens = next_opening(offer.hours, at, holidays=holidays)
    if opens is None:
        return Message(_CLOSED[is_now], {"at": at})
    return Message(_OPENS[is_now], {"at": at, "opens": opens})


def _clock(moment: datetime) -> Message:
    """The time of day, as people of each language write it."""
    return Message("match.clock", {"hour": f"{moment:%H}", "minute": f"{moment:%M}"})


def _room(query: Query, offer: Offer) -> Message:
    if offer.capacity is None or offer.capacity_at is None:
        return Message("match.fact.room_unknown")
    on = offer.capacity_at.date()
    capacity = known_capacity(offer, query.at)
    if capacity is None:
        return Message("match.fact.room_old", {"on": on})
    days = max(0, (query.at - offer.capacity_at).days)
    if offer.capacity_until is not None:
        told = Message("match.told.until", {"on": on, "until": offer.capacity_until})
    elif days:
        told = Message("match.told.days", {"days": days, "on": on})
    else:
        told = Message("match.told.today", {"on": on})
    return Message(f"match.fact.room.{capacity}", {"told": told})


def _cost(offer: Offer) -> Message:
    if offer.fee is None:
        return Message("match.fact.cost_unknown")
    return Message("match.fact.costs" if offer.fee else "match.fact.free")


def _no_phone(offer: Offer) -> Message:
    """How to ask where there is no number."""
    if offer.remote:
        return Message("match.fact.no_way_to_ask")
    return Message("match.fact.go_in_person" if offer.hours else "match.fact.go_in_person_any_time")
