"""How far back offers stand that fit: their groups and penalties, on arrays. Pure.

What a penalty makes of an offer's facts is asked of `penalties`, once for each different set of them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from referral.matching import penalties
from referral.matching.columns import NO_DAY, Bools, Codes, Columns, Floats, Ints
from referral.matching.facts import Circumstances
from referral.matching.penalties import ASSESSMENT, NO_CAPACITY, WAITLIST
from referral.matching.ranking import FULL, NO_POSITION, OTHER_JURISDICTION
from referral.matching.reach import Reach
from referral.matching.rules import ASSUMED_OTHER, Gate
from referral.matching.rulings import Ruling

FULL_ROOM = Columns.ROOMS.index(NO_CAPACITY)
#: So many different words on room are all read for a query; of more those of whom is looked at.
FEW_WORDS = 4096
_QUALITY = (*penalties.DATA_QUALITY, penalties.DATA_QUALITY_MOST)


@dataclass
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
        mine, others = self.__dict__.values(), other.__dict__.values()
        return Seen(*map(np.concatenate, zip(mine, others, strict=True)))

    def those(self, chosen: Bools | Ints) -> "Seen":
        return Seen(*(one[chosen] for one in self.__dict__.values()))


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
        self.reach, self.gates, self.said = reach, gates, said
        self.table, self.around = table, around
        self.query, self.columns, self.rulings = reach.query, reach.columns, reach.rulings

    def of(self, at: Ints, rows: Ints, codes: Codes, km: Floats) -> Seen:
        """What the order needs of offers that fit."""
        columns = self.columns
        unknown, group = self._not_known(codes)
        room, state = self.room(codes["room"]), codes["state"]
        group[room == FULL_ROOM] = FULL
        if self.query.is_emergency:
            rule, facts, asked, ask = self._shares[0]
            group[self.rulings.shares(rule, asked, facts, codes[facts], ask) > 0] = FULL
        if len(at) and at[-1] >= self.reach.posting.placed:
            nowhere = np.isnan(columns.points[rows, 0]) & ~columns.is_remote.take(state)
            group[nowhere] = NO_POSITION
        # Added one after the other as ranking.weigh does, so that both come to the same number.
        steps = np.zeros(len(at))
        for rule, facts, asked, ask in self._shares:
            share = self.rulings.shares(rule, asked, facts, codes[facts], ask)
            steps += self.table[rule] * share
            if rule == "closed":
                steps += self._room_steps.take(room)
        true = unknown * 4 + (room == 0) * 2 + self._is_old.take(codes["assured"])
        for each in _quality_steps(*(self.table[rule] for rule in _QUALITY)):
            steps += each.take(true)
        tellable = ~(columns.is_confidential.take(state) | np.isnan(km))
        return Seen(at, rows, *self.reach.by_way(km, codes), tellable, group, steps)

    def room(self, codes: Ints) -> Ints:
        """Which of Columns.ROOMS is known, by these words on room."""
        if self._rooms is None:
            return self.columns.known_room(self.query.at, codes)
        rooms: Ints = self._rooms.take(codes)
        return rooms

    @cached_property
    def _rooms(self) -> Ints | None:
        """The same for all words on room, where they are few enough."""
        few = len(self.columns.values["room"]) <= FEW_WORDS
        return self.columns.known_room(self.query.at) if few else None

    @cached_property
    def _is_old(self) -> Bools:
        """Whether that is too long ago, by when it was verified."""
        days = self.columns.assured_days
        old: Bools = self.query.at.date().toordinal() - days > penalties.VERIFIED_GOOD_DAYS
        old |= days == NO_DAY
        return old

    def _not_known(self, codes: Codes) -> tuple[Bools, Ints]:
        """Whether any gate about eligibility does not know; the group by whom another jurisdiction serves."""
        unknown = np.zeros(len(codes), bool)
        group = np.zeros(len(codes), np.int64)
        for facts, is_unknown, is_other in self._doubts:
            those = codes[facts]
            unknown |= is_unknown.take(those)
            if is_other is not None:
                group[is_other.take(those)] = OTHER_JURISDICTION
        return unknown, group

    @cached_property
    def _doubts(self) -> list[tuple[str, Bools, Bools | None]]:
        """Of the gates about eligibility that do not know everything: which facts, and by code what is not known."""
        found: list[tuple[str, Bools, Bools | None]] = []
        for gate in self.gates:
            ruling = self.said.get(gate.rule)
            if ruling is None or not gate.eligibility or ruling.unknown is None:
                continue
            is_other = None
            if ASSUMED_OTHER in gate.findings:
                is_other = ruling.said == gate.findings.index(ASSUMED_OTHER)
            found.append((ruling.group, ruling.unknown, is_other))
        return found

    @cached_property
    def _shares(self) -> list[tuple[str, str, Any, Callable[[Any], float]]]:
        query, around = self.query, self.around
        is_able = penalties.is_able_to_pay(query)

        def unreliable(offer: Any) -> float:
            answered = penalties.reliability(offer, around)
            return 0.0 if answered is None else max(1.0 - answered, 0.0)

        shares: list[tuple[str, str, Any, Callable[[Any], float]]] = [
            (
                "closed",
                "hours",
                (query.at, around.holidays),
                lambda offer: penalties.is_closed(query, offer, around),
            ),
            (
                "language",
                "language",
                query.language,
                lambda offer: penalties.speaks_otherwise(query, offer),
            ),
            ("fee", "fee", is_able, lambda offer: bool(offer.fee) and not is_able),
            ("reliability", "record", around.answered_in_time, unreliable),
            ("congestion", "load", None, lambda offer: penalties.crowding(offer) or 0.0),
        ]
        # What is true of nobody need not be looked up.
        never = {"language": not query.language, "fee": is_able}
        return [one for one in shares if not never.get(one[0])]

    @cached_property
    def _room_steps(self) -> Floats:
        steps = np.zeros(len(Columns.ROOMS))
        steps[Columns.ROOMS.index(WAITLIST)] = self.table["waitlist"]
        steps[Columns.ROOMS.index(ASSESSMENT)] = self.table["assessment"]
        return steps


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
