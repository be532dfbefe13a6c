"""The penalties: what makes an option stand further back than its km. Pure.

Each is counted in local steps, so that it means the same in a city and on an island.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache

from referral.core.text import Message, named
from referral.directory.opening import OpeningRow, is_open, next_opening
from referral.matching.facts import Circumstances, Offer, Query

NO_CAPACITY, WAITLIST, ASSESSMENT = "no-capacity", "waitlist", "additional-assessment-required"
CAPACITY_GOOD_DAYS = 30
VERIFIED_GOOD_DAYS = 365
#: Deciles that social assistance is for; above it a household is taken to be able to pay.
HIGHEST_POOR_DESIL = 5
#: How many referrals' worth of the category's own habit a service's record starts with.
RELIABILITY_PRIOR = 10
DATA_QUALITY = ("eligibility_unknown", "capacity_unknown", "unverified")
_CLOSED = Message("match.penalty.closed")
_WAITLIST = Message("match.penalty.waitlist")
_ASSESSMENT = Message("match.penalty.assessment")
_FEE = Message("match.penalty.fee")
_ELIGIBILITY_UNKNOWN = Message("match.penalty.eligibility_unknown")
_CAPACITY_UNKNOWN = Message("match.penalty.capacity_unknown")
_NEVER_VERIFIED = Message("match.penalty.never_verified")
#: Caps what the data quality rules add up to; not a penalty of its own.
DATA_QUALITY_MOST = "data_quality_most"


@dataclass(frozen=True)
class Penalty:
    """One addition to the distance: `steps` local steps, and why."""

    rule: str
    steps: float
    message: Message


def penalties(
    query: Query,
    offer: Offer,
    table: Mapping[str, float],
    around: Circumstances,
    *,
    eligibility_unknown: bool,
) -> list[Penalty]:
    """Every penalty above 0 of an offer, with the table's steps."""
    found = [
        Penalty(rule, table[rule] * share, message)
        for rule, share, message in _causes(query, offer, around)
        if table[rule] * share > 0
    ]
    quality = _data_quality(query, offer, eligibility_unknown)
    for (rule, message), steps in zip(
        quality, capped(table, [rule for rule, _ in quality]), strict=True
    ):
        if steps > 0:
            found.append(Penalty(rule, steps, message))
    return found


def capped(table: Mapping[str, float], rules: Iterable[str]) -> Iterator[float]:
    """The steps of the rules on the quality of data that are true of an offer: together at most so many."""
    room = table[DATA_QUALITY_MOST]
    for rule in rules:
        steps = min(table[rule], room)
        room -= steps
        yield steps


def known_capacity(offer: Offer, at: datetime) -> str | None:
    """The offer's room at `at`; None where it is not known, too old, or over by its own date."""
    if offer.capacity is None:
        return None
    if offer.capacity_until is not None:
        return offer.capacity if at.date() <= offer.capacity_until else None
    if offer.capacity_at is None or at - offer.capacity_at > timedelta(days=CAPACITY_GOOD_DAYS):
        return None
    return offer.capacity


def is_closed(query: Query, offer: Offer, around: Circumstances) -> bool:
    """Surely closed at the asked time; where hours are not known it is not."""
    return _opening(offer.hours, query.at, around.holidays)[0]


def is_able_to_pay(query: Query) -> bool:
    """Known to be able to pay. Not knowing is treated as poor."""
    if query.able_to_pay is not None:
        return query.able_to_pay
    return query.desil is not None and query.desil > HIGHEST_POOR_DESIL


def reliability(offer: Offer, around: Circumstances) -> float | None:
    """Share of referrals answered in time, drawn towards the category's where there were few."""
    if not offer.due or around.answered_in_time is None:
        return None
    prior = RELIABILITY_PRIOR
    return (offer.in_time + prior * around.answered_in_time) / (offer.due + prior)


def crowding(offer: Offer) -> float | None:
    """How full it is with open referrals: 1 as full as it can be; None where it is not known."""
    if not offer.open_referrals or not offer.capacity_maximum:
        return None
    return min(1.0, offer.open_referrals / offer.capacity_maximum)


def _causes(query: Query, offer: Offer, around: Circumstances) -> list[tuple[str, float, Message]]:
    causes: list[tuple[str, float, Message]] = []
    if is_closed(query, offer, around):
        causes.append(("closed", 1.0, _closed(query, offer, around)))
    capacity = known_capacity(offer, query.at)
    if capacity == WAITLIST:
        causes.append(("waitlist", 1.0, _WAITLIST))
    if capacity == ASSESSMENT:
        causes.append(("assessment", 1.0, _ASSESSMENT))
    if speaks_otherwise(query, offer):
        causes.append(("language", 1.0, _language(query, offer)))
    if offer.fee and not is_able_to_pay(query):
        causes.append(("fee", 1.0, _FEE))
    answered = reliability(offer, around)
    if answered is not None:
        message = Message("match.penalty.reliability", {"in_time": offer.in_time, "due": offer.due})
        causes.append(("reliability", 1.0 - answered, message))
    share = crowding(offer)
    if share is not None:
        message = Message(
            "match.penalty.congestion",
            {"open": offer.open_referrals, "maximum": offer.capacity_maximum},
        )
        causes.append(("congestion", share, message))
    return causes


def _data_quality(
    query: Query, offer: Offer, eligibility_unknown: bool
) -> list[tuple[str, Message]]:
    causes = []
    if eligibility_unknown:
        causes.append(("eligibility_unknown", _ELIGIBILITY_UNKNOWN))
    if known_capacity(offer, query.at) is None:
        causes.append(("capacity_unknown", _CAPACITY_UNKNOWN))
    good = timedelta(days=VERIFIED_GOOD_DAYS)
    if offer.assured_on is None:
        causes.append(("unverified", _NEVER_VERIFIED))
    elif query.at.date() - offer.assured_on > good:
        causes.append(
            ("unverified", Message("match.penalty.verified_long_ago", {"on": offer.assured_on}))
        )
    return causes


def _closed(query: Query, offer: Offer, around: Circumstances) -> Message:
    return _opening(offer.hours, query.at, around.holidays)[1]


@lru_cache(maxsize=4096)
def _opening(
    hours: tuple[OpeningRow, ...], at: datetime, holidays: frozenset[date]
) -> tuple[bool, Message]:
    """Whether it is surely closed, and what is said of that; asked often at one time by many."""
    if is_open(hours, at, holidays=holidays) is not False:
        return False, _CLOSED
    opens = next_opening(hours, at, holidays=holidays)
    return True, _CLOSED if opens is None else Message(
        "match.penalty.closed_until", {"opens": opens}
    )


def speaks_otherwise(query: Query, offer: Offer) -> bool:
    """Known to speak none of the languages that are needed, and to have nobody who interprets."""
    if not query.language or not offer.languages or offer.interprets:
        return False
    return not set(query.language) & set(offer.languages)


def _language(query: Query, offer: Offer) -> Message:
    return Message(
        "match.penalty.language",
        {
            "spoken": [named(f"language.{code}", code) for code in offer.languages or ()],
            "needed": [named(f"language.{code}", code) for code in query.language],
        },
    )
