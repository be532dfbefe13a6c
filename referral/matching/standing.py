"""How far back offers stand that fit: their groups and penalties, on arrays. Pure.

What a penalty makes of an offer's facts is asked of `penalties`, once for each different set of them.
"""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, fields
from functools import cached_property, lru_cache

import numpy as np

from referral.matching import penalties
from referral.matching.columns import Bools, Codes, Floats, Ints
from referral.matching.facts import Circumstances, Offer
from referral.matching.gates import Gate
from referral.matching.judging import FULL, NO_POSITION, OTHER_JURISDICTION
from referral.matching.penalties import ASSESSMENT, WAITLIST
from referral.matching.reach import Reach
from referral.matching.rooms import FULL_ROOM, ROOMS
from referral.matching.rulings import Ruling

#: So many different words on room are all read for a query; of more those of whom is looked at.
FEW_WORDS = 4096
_QUALITY = (*penalties.DATA_QUALITY, penalties.DATA_QUALITY_MOST)
_WAITLIST, _ASSESSMENT = ROOMS.index(WAITLIST), ROOMS.index(ASSESSMENT)
#: What a penalty is asked of: what names it and all that it depends on beside the facts, and these.
_Asked = tuple[Hashable, str, Callable[[Offer], float]]


@dataclass(slots=True)
class Seen:
    """What the order needs of some offers, by place in the posting; not a number: no position."""

    at: Ints
    rows: Ints
    km: Floats
    order_km: Floats
    tellable: Bools
    group: Ints
    steps: Floats

    def __add__(self, other: "Seen") -> "Seen":
        pairs = [(getattr(self, name), getattr(other, name)) for name in _SEEN]
        return Seen(*map(np.concatenate, pairs))

    def those(self, chosen: Bools | Ints) -> "Seen":
        return Seen(*[getattr(self, name)[chosen] for name in _SEEN])


_SEEN = tuple(each.name for each in fields(Seen))
_INTS, _KMS, _BOOLS = np.zeros(0, np.intp), np.zeros(0), np.zeros(0, bool)
NOBODY = Seen(_INTS, _INTS, _KMS, _KMS, _BOOLS, _INTS, _KMS)


class Standing:
    """The penalties of one query in one category."""

    def __init__(
        self,
        reach: Reach,
        gates: tuple[Gate, ...],
        said: Mapping[str, Ruling],
        table: Mapping[str, float],
        around: Circumstances,
    ):
        """said: what each gate says, by rule"""
        self.reach, self.table, self.around = reach, table, around
        self.query, self.columns, self.rulings = reach.query, reach.columns, reach.rulings
        self._eligibility = [said[gate.rule] for gate in gates if gate.eligibility]

    def of(self, at: Ints, rows: Ints, codes: Codes, km: Floats) -> Seen:
        """What the order needs of offers that fit."""
        columns, numbers = self.columns, self.rulings.numbers
        unknown, group = np.zeros(len(at), bool), np.zeros(len(at), np.intp)
        for ruling in self._eligibility:
            if ruling.unknown is not None:
                np.logical_or(unknown, ruling.unknown.take(codes[ruling.group]), out=unknown)
            if ruling.other is not None:
                group[ruling.other.take(codes[ruling.group])] = OTHER_JURISDICTION
        room, state = self._room(codes["room"]), codes["state"]
        group[room == FULL_ROOM] = FULL
        if self.query.is_emergency:
            group[numbers(*self._closed[:2], codes["hours"], self._closed[2]) > 0] = FULL
        tellable = ~columns.is_confidential.take(state)
        if self.query.near is None or (len(at) and at[-1] >= self.reach.posting.placed):
            tellable &= ~np.isnan(km)
            nowhere = np.isnan(columns.points[rows, 0]) & ~columns.is_remote.take(state)
            group[nowhere] = NO_POSITION
        # Added one after the other as judging.weigh does, so that both come to the same number.
        before, after = self._asked
        steps = np.zeros(len(at))
        for key, facts, ask in before:
            steps += numbers(key, facts, codes[facts], ask)
        steps += self._room_steps.take(room)
        for key, facts, ask in after:
            steps += numbers(key, facts, codes[facts], ask)
        true = unknown * 4
        true += (room == 0) * 2
        true += self._is_old.take(codes["assured"])
        for each in _quality_steps(*[self.table[rule] for rule in _QUALITY]):
            steps += each.take(true)
        return Seen(at, rows, *self.reach.by_way(km, codes), tellable, group, steps)

    def _room(self, codes: Ints) -> Ints:
        """Which of ROOMS is known, by these words on room."""
        if self._rooms is None:
            return self.columns.rooms.known(self.query.at, codes)
        rooms: Ints = self._rooms.take(codes)
        return rooms

    @cached_property
    def _rooms(self) -> Ints | None:
        """The same for all words on room, where they are few enough."""
        rooms = self.columns.rooms
        return rooms.known(self.query.at) if len(rooms.kinds) <= FEW_WORDS else None

    @cached_property
    def _is_old(self) -> Bools:
        """Whether that is too long ago, by when it was verified."""
        today = self.query.at.date().toordinal()
        old: Bools = today - self.columns.assured_days > penalties.VERIFIED_GOOD_DAYS
        return old  # where no day is known it is as long ago as can be

    @cached_property
    def _room_steps(self) -> Floats:
        steps = np.zeros(len(ROOMS))
        steps[_WAITLIST], steps[_ASSESSMENT] = self.table["waitlist"], self.table["assessment"]
        return steps

    @cached_property
    def _closed(self) -> _Asked:
        query, around = self.query, self.around
        key = "is closed", query.at, around.holidays
        return key, "hours", lambda offer: penalties.is_closed(query, offer, around)

    @cached_property
    def _asked(self) -> tuple[list[_Asked], list[_Asked]]:
        """The penalties that may be true of somebody, before and after those on room: facts make steps."""
        query, around, table = self.query, self.around, self.table
        is_able = penalties.is_able_to_pay(query)
        closed, language, fee = table["closed"], table["language"], table["fee"]
        reliability, congestion = table["reliability"], table["congestion"]

        def unreliable(offer: Offer) -> float:
            answered = penalties.reliability(offer, around)
            return 0.0 if answered is None else max(reliability * (1.0 - answered), 0.0)

        before: list[_Asked] = [
            (
                ("closed", closed, query.at, around.holidays),
                "hours",
                lambda offer: closed * penalties.is_closed(query, offer, around),
            )
        ]
        after: list[_Asked] = []
        if query.language:
            after.append(
                (
                    ("language", language, query.language),
                    "language",
                    lambda offer: language * penalties.speaks_otherwise(query, offer),
                )
            )
        if not is_able:
            after.append((("fee", fee), "fee", lambda offer: fee * bool(offer.fee)))
        if around.answered_in_time is not None:
            key = "reliability", reliability, around.answered_in_time
            after.append((key, "record", unreliable))
        after.append(
            (
                ("congestion", congestion),
                "load",
                lambda offer: congestion * (penalties.crowding(offer) or 0.0),
            )
        )
        return before, after


@lru_cache(maxsize=64)
def _quality_steps(*steps: float) -> Floats:
    """Steps of the rules on the quality of data, for each way in which they can be true together."""
    rules = penalties.DATA_QUALITY
    table = dict(zip(_QUALITY, steps, strict=True))
    found = np.zeros((1 << len(rules), len(rules)))
    for which in range(len(found)):
        true = [at for at in range(len(rules)) if which & (4 >> at)]
        found[which, true] = list(penalties.capped(table, [rules[at] for at in true]))
    return found.T.copy()
