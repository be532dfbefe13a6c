"""A listing as it is and as it would be, tried on groups of people who asked: who would be gained and lost. Pure."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from enum import StrEnum
from itertools import product

from referral.core.geo import haversine_km
from referral.matching.facts import Offer, Outcome, Query
from referral.matching.rules import applying
from referral.referrals.cards import AGE_BANDS

#: Who asked farther away than this is not looked at: a change of rules brings nobody across the country.
REACH_KM = 50.0
#: Lowest and highest of the tenths of households that are told together.
DESIL_BANDS = {"1-2": (1, 2), "3-4": (3, 4), "5-6": (5, 6), "7-8": (7, 8), "9-10": (9, 10)}
#: A day and hour for each part of the week: 0 is Monday.
PARTS_OF_WEEK = {
    "workday_morning": (1, time(10)),
    "workday_afternoon": (1, time(14)),
    "workday_evening": (1, time(19)),
    "weekend": (5, time(10)),
}
FULL = "no-capacity"
#: Beside the rules of matching: a full service lets people wait, and that is told here as not being served now.
ROOM = "capacity"

#: Latitude and longitude that stand for an area, None where it has none.
PointOf = Callable[[str], tuple[float, float] | None]


class Fit(StrEnum):
    """What a listing is to a group."""

    IN = "in"
    OUT = "out"
    #: the group's facts don't tell
    UNTOLD = "untold"


@dataclass(frozen=True)
class Asked:
    """A group of people who asked: how many, for what, and the facts they share, as groups.FACTS."""

    people: int
    category: str
    facts: Mapping[str, str]

    @property
    def area(self) -> str:
        """The finest area that is told of them, "?" for none."""
        return self.facts.get("regency") or self.facts.get("province") or "?"


@dataclass
class Tried:
    """People by what a change would have meant to them; every number is a sum of whole groups.

    before, after        people the listing fits as it is, as it would be
    gained, lost         {(area, category): people}
    because              {rule: people}: for whom the rule decides, kept out before or kept out after
    untold               people whose facts don't tell, before or after
    """

    asked: int = 0
    before: int = 0
    after: int = 0
    untold: int = 0
    gained: Counter[tuple[str, str]] = field(default_factory=Counter)
    lost: Counter[tuple[str, str]] = field(default_factory=Counter)
    because: Counter[str] = field(default_factory=Counter)


def tried(
    groups: Iterable[Asked],
    before: Sequence[Offer],
    after: Sequence[Offer],
    *,
    point_of: PointOf,
    now: datetime,
    hours: bool,
    room: bool,
) -> Tried:
    """What the change from `before` to `after`, one listing at its places, means for the groups in reach of it.

    now          aware, in the zone of the place
    hours, room  whether opening hours, or being full, are to decide as well
    """
    result = Tried()
    for group in groups:
        if not _is_in_reach(group, [*before, *after], point_of):
            continue
        result.asked += group.people
        was, kept_out = _fit(group, before, now=now, hours=hours, room=room)
        will, keeps_out = _fit(group, after, now=now, hours=hours, room=room)
        if Fit.UNTOLD in (was, will):
            result.untold += group.people
            continue
        result.before += group.people * (was is Fit.IN)
        result.after += group.people * (will is Fit.IN)
        if was is will:
            continue
        moved = result.gained if will is Fit.IN else result.lost
        moved[group.area, group.category] += group.people
        for rule in kept_out or keeps_out:
            result.because[rule] += group.people
    return result


def _is_in_reach(group: Asked, offers: Sequence[Offer], point_of: PointOf) -> bool:
    """Whether they asked near the listing; a remote one, or one without a place, is near everybody."""
    here = point_of(group.area)
    for offer in offers:
        if offer.remote or offer.latitude is None or offer.longitude is None:
            return True
        if here and haversine_km(*here, offer.latitude, offer.longitude) <= REACH_KM:
            return True
    return False


def _fit(
    group: Asked, offers: Sequence[Offer], *, now: datetime, hours: bool, room: bool
) -> tuple[Fit, frozenset[str]]:
    """What the best of a listing's places is to the group, and the rules that keep it out there."""
    found = [_at_place(group, offer, now=now, hours=hours, room=room) for offer in offers]
    order = (Fit.IN, Fit.UNTOLD, Fit.OUT)
    return min(
        found, key=lambda one: (order.index(one[0]), len(one[1])), default=(Fit.OUT, frozenset())
    )


def _at_place(
    group: Asked, offer: Offer, *, now: datetime, hours: bool, room: bool
) -> tuple[Fit, frozenset[str]]:
    answers = {_answer(query, offer, room=room) for query in _queries(group, offer, now, hours)}
    if len(answers) > 1 or None in answers:
        # Part of the band is in and part is out, or a fact that decides is not told.
        return Fit.UNTOLD, frozenset()
    (failed,) = answers
    return (Fit.OUT, failed) if failed else (Fit.IN, frozenset())


def _answer(query: Query, offer: Offer, *, room: bool) -> frozenset[str] | None:
    """The rules that keep the person out; None where that hangs on a fact of the person that is not told."""
    failed = {ROOM} if room and offer.capacity == FULL else set()
    is_untold = False
    for gate in applying(query):
        found = gate.find(query, offer, None)
        if found.outcome is Outcome.FAIL:
            failed.add(gate.rule)
        # What the listing does not say shuts nobody out; what is not known of the person may.
        elif found.outcome is Outcome.UNKNOWN and found.key.endswith("unknown"):
            is_untold = True
    if failed:
        return frozenset(failed)
    return None if is_untold else frozenset()


def _queries(group: Asked, offer: Offer, now: datetime, hours: bool) -> list[Query]:
    """The group's people as questions: both ends of each band that is told, and where a limit of the offer cuts it."""
    facts = group.facts
    ages: Iterable[int | None] = (None,)
    if band := AGE_BANDS.get(facts.get("age", "")):
        limits = (offer.minimum_age, offer.maximum_age)
        ages = {*band, *(int(one) for one in limits if one and band[0] <= one <= band[1])}
    desils = DESIL_BANDS.get(facts.get("desil", ""), (None,))
    return [
        Query(
            need=group.category,
            at=_moment(facts.get("when"), now),
            registered_in=facts.get("registered"),
            age=age,
            sex=facts.get("sex"),
            desil=desil,
            disability=_codes(facts.get("disability")),
            documents_lacking=_codes(facts.get("documents")),
            open_only=hours and "when" in facts,
        )
        for age, desil in product(ages, desils)
    ]


def _codes(joined: str | None) -> tuple[str, ...]:
    return tuple(joined.split(",")) if joined else ()


def _moment(part: str | None, now: datetime) -> datetime:
    """The next such part of a week after now."""
    if part is None:
        return now
    weekday, hour = PARTS_OF_WEEK[part]
    day = date.fromordinal(now.date().toordinal() + 1 + (weekday - now.weekday() - 1) % 7)
    return datetime.combine(day, hour, now.tzinfo)


def part_of_week(at: datetime) -> str:
    """The part of the week of a moment in local time."""
    if at.weekday() >= 5:
        return "weekend"
    if at.hour < 12:
        return "workday_morning"
    return "workday_afternoon" if at.hour < 17 else "workday_evening"


def desil_band(desil: int | None) -> str | None:
    """The band that holds a tenth of households; None where it is not known."""
    if desil is None:
        return None
    return next((band for band, (_, last) in DESIL_BANDS.items() if desil <= last), None)
