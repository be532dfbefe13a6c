"""The penalties: what makes an option stand further back than its km. Pure.

Each is counted in local steps, so that it means the same in a city and on an island.
"""

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache
from itertools import chain
from operator import getitem
from typing import NamedTuple

from referral.core.text import Message, named
from referral.directory.opening import OpeningRow, is_open, next_opening
from referral.matching.facts import Circumstances, Offer, Query

NO_CAPACITY, WAITLIST, ASSESSMENT = "no-capacity", "waitlist", "additional-assessment-required"
CAPACITY_GOOD_DAYS = 30
_CAPACITY_GOOD = timedelta(days=CAPACITY_GOOD_DAYS)
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
#: A rule that is true, by how large a part of it, and what is said of that.
_Cause = tuple[str, float, Message]


class Penalty(NamedTuple):
    """One addition to the distance: `steps` local steps, and why."""

    rule: str
    steps: float
    message: Message


class Penalties:
    """The penalties of one query with the table's steps; offers with the same facts share them."""

    def __init__(self, query: Query, table: Mapping[str, float], around: Circumstances):
        self.query, self.table, self.around = query, table, around
        self._by_facts: list[dict[Hashable, tuple[Penalty, ...]]] = [{} for _ in GROUPS]
        self._by_code: list[dict[Hashable, tuple[Penalty, ...]]] = [{} for _ in GROUPS]
        self._quality = tuple([table[rule] for rule in (*DATA_QUALITY, DATA_QUALITY_MOST)])

    def of(
        self, offer: Offer, *, eligibility_unknown: bool, alike: Sequence[Hashable] = ()
    ) -> tuple[Penalty, ...]:
        """Every penalty above 0 of an offer; `alike`: codes of its facts, by GROUPS, where they have any."""
        known = self._by_code if alike else self._by_facts
        alike = alike or [facts(self.query, offer) for facts, _ in GROUPS.values()]
        try:
            found = tuple(chain.from_iterable(map(getitem, known, alike)))
        except KeyError:
            for kept, (_, causes), key in zip(known, GROUPS.values(), alike, strict=True):
                if key not in kept:
                    kept[key] = self._of_causes(causes(self.query, offer, self.around))
            found = tuple(chain.from_iterable(map(getitem, known, alike)))
        today, on = self.query.at.date(), offer.assured_on
        return found + _data_quality(
            eligibility_unknown,
            known_capacity(offer, self.query.at) is None,
            on,
            on is not None and (today - on).days > VERIFIED_GOOD_DAYS,
            self._quality,
        )

    def _of_causes(self, causes: Iterable[_Cause]) -> tuple[Penalty, ...]:
        return tuple(
            [
                Penalty(rule, self.table[rule] * share, message)
                for rule, share, message in causes
                if self.table[rule] * share > 0
            ]
        )


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
    if offer.capacity_at is None or at - offer.capacity_at > _CAPACITY_GOOD:
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


def _opening_causes(query: Query, offer: Offer, around: Circumstances) -> Iterator[_Cause]:
    if is_closed(query, offer, around):
        yield "closed", 1.0, _closed(query, offer, around)


def _room_causes(query: Query, offer: Offer, _around: Circumstances) -> Iterator[_Cause]:
    capacity = known_capacity(offer, query.at)
    if capacity == WAITLIST:
        yield "waitlist", 1.0, _WAITLIST
    if capacity == ASSESSMENT:
        yield "assessment", 1.0, _ASSESSMENT


def _language_causes(query: Query, offer: Offer, _around: Circumstances) -> Iterator[_Cause]:
    if speaks_otherwise(query, offer):
        yield "language", 1.0, _language(query, offer)


def _fee_causes(query: Query, offer: Offer, _around: Circumstances) -> Iterator[_Cause]:
    if offer.fee and not is_able_to_pay(query):
        yield "fee", 1.0, _FEE


def _record_causes(_query: Query, offer: Offer, around: Circumstances) -> Iterator[_Cause]:
    answered = reliability(offer, around)
    if answered is not None:
        message = Message("match.penalty.reliability", {"in_time": offer.in_time, "due": offer.due})
        yield "reliability", 1.0 - answered, message


def _load_causes(_query: Query, offer: Offer, _around: Circumstances) -> Iterator[_Cause]:
    share = crowding(offer)
    if share is not None:
        message = Message(
            "match.penalty.congestion",
            {"open": offer.open_referrals, "maximum": offer.capacity_maximum},
        )
        yield "congestion", share, message


@lru_cache(maxsize=4096)
def _data_quality(
    is_eligibility_unknown: bool,
    is_room_unknown: bool,
    assured_on: date | None,
    is_long_ago: bool,
    steps: tuple[float, ...],
) -> tuple[Penalty, ...]:
    """What the quality of data costs, with these steps of its rules; the same for many offers."""
    causes = []
    if is_eligibility_unknown:
        causes.append(("eligibility_unknown", _ELIGIBILITY_UNKNOWN))
    if is_room_unknown:
        causes.append(("capacity_unknown", _CAPACITY_UNKNOWN))
    if assured_on is None:
        causes.append(("unverified", _NEVER_VERIFIED))
    elif is_long_ago:
        causes.append(
            ("unverified", Message("match.penalty.verified_long_ago", {"on": assured_on}))
        )
    table = dict(zip((*DATA_QUALITY, DATA_QUALITY_MOST), steps, strict=True))
    each = capped(table, [rule for rule, _ in causes])
    found = [Penalty(rule, one, said) for (rule, said), one in zip(causes, each, strict=True)]
    return tuple([penalty for penalty in found if penalty.steps > 0])


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


#: What speaks against offers, in the order in which it is added, by the facts it is about; before each, what it
#: follows from.
GROUPS: Mapping[
    str,
    tuple[
        Callable[[Query, Offer], Hashable],
        Callable[[Query, Offer, Circumstances], Iterable[_Cause]],
    ],
] = {
    "hours": (lambda _, offer: offer.hours, _opening_causes),
    "room": (lambda query, offer: known_capacity(offer, query.at), _room_causes),
    "language": (
        lambda query, offer: bool(query.language) and (offer.languages, offer.interprets),
        _language_causes,
    ),
    "fee": (lambda _, offer: offer.fee, _fee_causes),
    "record": (lambda _, offer: offer.due and (offer.due, offer.in_time), _record_causes),
    "load": (
        lambda _, offer: offer.open_referrals and (offer.open_referrals, offer.capacity_maximum),
        _load_causes,
    ),
}
