"""One question asked of one category in memory: who is shown, found by looking at few. Pure.

What gates say is in bits over the whole category, so that who fits and how many each gate keeps out is
known without looking at anybody. What the order needs is worked out on arrays for those who fit, block by
block from the nearest on, until no other block can hold anybody better, however few its penalties. Who
may be shown is then worked out once more in single numbers, which alone decide.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from itertools import groupby
from typing import Any

import numpy as np

from referral.core.geo import EARTH_RADIUS_KM, haversine_km
from referral.matching import bits, penalties, ranking
from referral.matching.bits import Bits
from referral.matching.columns import NO_DAY, Bools, Codes, Columns, Floats, Ints
from referral.matching.counting import Counting
from referral.matching.facts import Circumstances, Outcome, Query
from referral.matching.penalties import ASSESSMENT, NO_CAPACITY, WAITLIST
from referral.matching.postings import BLOCK, Posting
from referral.matching.ranking import (
    FULL,
    NO_POSITION,
    NORMAL,
    OTHER_JURISDICTION,
    Judged,
    Selection,
)
from referral.matching.rings import Rings
from referral.matching.rules import ASSUMED_OTHER, Gate, applying, is_proposed
from referral.matching.rulings import Piece, Ruling, Rulings

#: Arrays and single numbers may differ in their last digits: nearer than this is not told apart by a bound.
CLOSE_KM = 1e-6
#: For each option asked for, how many that fit are looked at before it is known how far one has to look.
FIRST_LOOK = 3
#: So many waiting blocks are looked into at once; of more the nearest, by which the bound may come down.
AT_ONCE = 4096
#: How many times more are looked at where these are too many.
GROWTH = 4
#: How many times the limit is told apart by exact numbers at most; equals beyond it by their tie alone.
SPARE = 4

_FULL_ROOM = Columns.ROOMS.index(NO_CAPACITY)
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


@dataclass
class Placed:
    """An offer in its place, in single numbers; `key` is what it stands by before ties."""

    key: tuple[float, ...]
    row: int
    km: float | None = None
    order_km: float | None = None
    effective_km: float | None = None
    change: float = 0.0
    judged: Judged | None = None


class Search:
    """One query on its way through one category."""

    def __init__(
        self,
        rulings: Rulings,
        posting: Posting,
        query: Query,
        table: Mapping[str, float],
        *,
        need_id: str,
        kept_out: frozenset[Any],
        holidays: frozenset[Any],
        fresh: Iterable[Any] = (),
    ):
        """fresh: offers that stand beside the columns"""
        self.columns, self.rulings, self.posting = rulings.columns, rulings, posting
        self.query, self.table, self.need_id = query, table, need_id
        self.gates = applying(query, holidays)
        self.said: dict[str, Ruling] = {}
        pieces: list[Piece] = []
        for gate in self.gates:
            if gate.rule != "within":
                also = holidays if gate.rule == "open_only" else None
                self.said[gate.rule], failing = rulings.of(posting, gate, query, also)
                pieces += failing
            elif query.within is not None and len(posting.rows):
                pieces.append(self._too_far(gate))
        offers = [
            offer
            for offer in fresh
            if offer.organization_id not in kept_out and is_proposed(query, offer)
        ]
        there, due, in_time = self._there(kept_out)
        due += sum(offer.due for offer in offers)
        in_time += sum(offer.in_time for offer in offers)
        self.around = Circumstances(in_time / due if due else None, holidays)
        self.fresh = [ranking.judge(query, offer, self.gates, self.around) for offer in offers]
        self.counting = Counting(there, pieces, is_all=there is posting.somebody)

    # Who is there -------------------------------------------------------------------------------

    def _there(self, kept_out: frozenset[Any]) -> tuple[Bits, int, int]:
        """Who may be seen, and of them all: referrals that were due, and those answered in time."""
        posting, query = self.posting, self.query
        if not kept_out and not query.violence and posting.gone is None:
            return posting.somebody, posting.due, posting.in_time
        key = (query.violence and query.need, kept_out)
        found: tuple[Bits, int, int] = posting.hidden.find(key) or posting.hidden.keep(
            key, self._without(kept_out)
        )
        return found

    def _without(self, kept_out: frozenset[Any]) -> tuple[Bits, int, int]:
        columns, posting = self.columns, self.posting
        there = posting.somebody if posting.gone is None else posting.somebody & ~posting.gone
        hidden = np.zeros_like(there)
        if self.query.violence:
            is_unsafe = np.zeros(len(columns.values["kind"]), bool)
            for kind in columns.present(posting, "kind").tolist():
                is_unsafe[kind] = not is_proposed(self.query, columns.stub("kind", kind))
            hidden |= columns.bits(posting, "kind", is_unsafe)
        numbers = [columns.organization(identifier) for identifier in kept_out]
        if owned := [number for number in numbers if number is not None]:
            owners = columns.arrays["owners"][posting.rows]
            hidden |= bits.packed(np.isin(owners, owned))
        rows = posting.rows[bits.places(there & hidden)]
        due, in_time = columns.records[columns.codes["record"][rows]].sum(axis=0).tolist()
        return there & ~hidden, posting.due - due, posting.in_time - in_time

    # How far ------------------------------------------------------------------------------------

    @cached_property
    def _angles(self) -> Floats:
        if self.query.near is None:
            return np.zeros(0)
        return self.posting.angles(self.query.near)

    @cached_property
    def _bounds_km(self) -> Floats:
        """What no offer of a block is nearer than, by block."""
        bounds: Floats = np.maximum(self._angles - self.posting.radii, 0.0) * EARTH_RADIUS_KM
        return bounds

    @cached_property
    def _ways_km(self) -> Floats | None:
        """By area, the km of the way that is known to it; 0 where none is."""
        found: Floats | None = None
        for route in self.query.routes:
            for code in self.rulings.areas("area").inside(route.to_code):
                if found is None:
                    found = np.zeros(len(self.columns.values["area"]))
                (area,) = self.columns.facts("area", code)
                way = self.query.route_to(area)
                found[code] = way.km if way else 0.0
        return found

    def _straight_km(self, at: Ints, rows: Ints) -> Floats:
        """As the crow flies to offers at these places."""
        if self.query.near is None:
            return np.full(len(at), np.nan)
        km = self.columns.km_from(self.query.near, rows)
        if len(at) and at[-1] >= self.posting.placed:
            km = np.where(at < self.posting.placed, km, np.nan)
        return km

    def _by_way(self, km: Floats, codes: Codes) -> tuple[Floats, Floats]:
        """The km by the way that is known, and the order's km."""
        if self._ways_km is not None:
            km = np.maximum(km, self._ways_km.take(codes["area"]))
        half_km = (self.query.precision_km + self.columns.precisions.take(codes["precision"])) / 2
        return km, np.maximum(km, half_km)

    def _exact_kms(self, rows: Ints) -> list[tuple[float, float]]:
        """The same as ranking.distance, of offers with a position."""
        near, columns, precision_km = (
            self.query.near or (0.0, 0.0),
            self.columns,
            self.query.precision_km,
        )
        points = columns.points[rows].tolist()
        kms = [haversine_km(*near, *point) for point in points]
        if self._ways_km is not None:
            ways = self._ways_km[columns.codes["area"][rows]].tolist()
            kms = [max(km, way) for km, way in zip(kms, ways, strict=True)]
        precisions = columns.precisions[columns.codes["precision"][rows]].tolist()
        return [
            (km, max(km, (precision_km + own_km) / 2))
            for km, own_km in zip(kms, precisions, strict=True)
        ]

    def _too_far(self, gate: Gate) -> Piece:
        """Whom the travel limit keeps out: block by block, one by one only where it goes through a block."""
        query, posting, limit = self.query, self.posting, self.query.within or 0.0
        unplaced, inside, beyond = (self._fails_at(gate, km) for km in (None, limit, np.inf))
        if query.near is None:
            out = self._by_state(unplaced)
        else:
            most_km = np.max(
                self._ways_km if self._ways_km is not None else 0.0, initial=self._widest_half_km
            )
            upper_km = np.maximum((self._angles + posting.radii) * EARTH_RADIUS_KM, most_km)
            is_out, is_in = self._bounds_km > limit + CLOSE_KM, upper_km < limit - CLOSE_KM
            block = np.repeat(np.where(is_out, 2, np.where(is_in, 1, 0)), BLOCK // bits.WORD)
            part = np.append(block, np.full(len(posting.somebody) - len(block), 3))
            out = np.choose(part, [np.uint64(0), *map(self._by_state, (inside, beyond, unplaced))])
            between = np.flatnonzero(~is_out & ~is_in)
            at = (between[:, None] * BLOCK + np.arange(BLOCK)).ravel()
            rows = posting.rows[at]
            codes = self.columns.codes_of(rows)
            _, order_km = self._by_way(self._straight_km(at, rows), codes)
            close = np.flatnonzero(np.abs(order_km - limit) <= CLOSE_KM)
            order_km[close] = [km for _, km in self._exact_kms(rows[close])]
            states = codes["state"]
            failing = np.where(order_km <= limit, inside[states], beyond[states])
            words = out[: len(block)].reshape(-1, BLOCK // bits.WORD)
            words[between] = bits.packed(failing).reshape(-1, BLOCK // bits.WORD)
            out &= posting.somebody
        return Piece(
            gate.rule, gate.change(query, self.columns.stub("state", 0)), out, bits.count(out)
        )

    @property
    def _widest_half_km(self) -> float:
        return float(self.query.precision_km + self.columns.precisions.max(initial=0.0)) / 2

    def _fails_at(self, gate: Gate, km: float | None) -> Bools:
        """By state, whether the travel limit's own rule fails at this distance."""
        stubs = (
            self.columns.stub("state", code) for code in range(len(self.columns.values["state"]))
        )
        return np.array(
            [gate.find(self.query, one, km).outcome is Outcome.FAIL for one in stubs], bool
        )

    def _by_state(self, chosen: Bools) -> Bits:
        found = bits.empty(len(self.posting.rows))
        for code in np.flatnonzero(chosen).tolist():
            found |= self.columns.bits_of(self.posting, "state", code)[0]
        return found

    # How well -----------------------------------------------------------------------------------

    def _weighed(self, at: Ints, rows: Ints, codes: Codes, km: Floats) -> Seen:
        """What the order needs of offers that fit."""
        columns, table = self.columns, self.table
        unknown, group = self._not_known(codes)
        room, state = self._room.take(codes["room"]), codes["state"]
        shares = {
            rule: self.rulings.shares(rule, asked, facts, codes[facts], ask)
            for rule, facts, asked, ask in self._shares
        }
        group[room == _FULL_ROOM] = FULL
        if self.query.is_emergency:
            group[shares["closed"] > 0] = FULL
        if len(at) and at[-1] >= self.posting.placed:
            nowhere = np.isnan(columns.points[rows, 0]) & ~columns.is_remote.take(state)
            group[nowhere] = NO_POSITION
        # Added one after the other as ranking.weigh does, so that both come to the same number.
        steps = table["closed"] * shares["closed"]
        steps += self._room_steps.take(room)
        for rule in ("language", "fee", "reliability", "congestion"):
            steps += table[rule] * shares[rule]
        true = unknown * 4 + (room == 0) * 2 + self._is_old.take(codes["assured"])
        for each in _quality_steps(*(table[rule] for rule in _QUALITY)):
            steps += each.take(true)
        tellable = ~(columns.is_confidential.take(state) | np.isnan(km))
        return Seen(at, rows, *self._by_way(km, codes), tellable, group, steps)

    @cached_property
    def _room(self) -> Ints:
        """What is known of the room, by what was said of it."""
        return self.columns.known_room(self.query.at)

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
        for gate in self.gates:
            ruling = self.said.get(gate.rule)
            if ruling is None or not gate.eligibility or ruling.unknown is None:
                continue
            those = codes[ruling.group]
            unknown |= ruling.unknown.take(those)
            if ASSUMED_OTHER in gate.findings:
                other = gate.findings.index(ASSUMED_OTHER)
                group[ruling.said.take(those) == other] = OTHER_JURISDICTION
        return unknown, group

    @cached_property
    def _shares(self) -> list[tuple[str, str, Any, Callable[[Any], float]]]:
        query, around = self.query, self.around
        is_able = penalties.is_able_to_pay(query)

        def unreliable(offer: Any) -> float:
            answered = penalties.reliability(offer, around)
            return 0.0 if answered is None else max(1.0 - answered, 0.0)

        return [
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

    @cached_property
    def _room_steps(self) -> Floats:
        steps = np.zeros(len(Columns.ROOMS))
        steps[Columns.ROOMS.index(WAITLIST)] = self.table["waitlist"]
        steps[Columns.ROOMS.index(ASSESSMENT)] = self.table["assessment"]
        return steps

    # Whom to look at ----------------------------------------------------------------------------

    def _outward(
        self,
        chosen: Bits,
        first: int,
        see: Callable[[Ints, float], Seen],
        enough_km: Callable[[Seen], float],
    ) -> Seen:
        """Places with a position, block by block, until no other that waits could matter."""
        rings = Rings(chosen, self._bounds_km)
        seen = see(rings.nearest(first), np.inf)
        while (next_km := rings.next_km) < np.inf:
            km = enough_km(seen) + CLOSE_KM
            if next_km > km:
                break
            few = rings.within(km) <= AT_ONCE
            at = rings.up_to(km) if few else rings.nearest(GROWTH * (len(seen.at) + first))
            seen += see(at, km)
        return seen

    def _see_fitting(self, at: Ints, most_km: float = np.inf) -> Seen:
        """Those of offers that fit who are not farther than that."""
        rows = self.posting.rows.take(at)
        km = self._straight_km(at, rows)
        if most_km < np.inf:
            near = np.flatnonzero(km <= most_km)
            at, rows, km = at.take(near), rows.take(near), km.take(near)
        return self._weighed(at, rows, self.columns.codes_of(rows), km)

    def _see_missing(self, at: Ints, _most_km: float = np.inf) -> Seen:
        """Where offers are that do not fit: nothing else is asked of them."""
        rows = self.posting.rows.take(at)
        codes = self.columns.codes_of(rows)
        km = self._straight_km(at, rows)
        tellable = ~(self.columns.is_confidential.take(codes["state"]) | np.isnan(km))
        nothing = np.zeros(len(at))
        return Seen(at, rows, *self._by_way(km, codes), tellable, nothing, nothing)

    @cached_property
    def _unplaced(self) -> Bits:
        there = self.counting.there.copy()
        there[: self.posting.placed // bits.WORD] = 0
        return there

    @cached_property
    def _remote(self) -> Bits:
        return self._by_state(self.columns.is_remote)

    @cached_property
    def _on_site(self) -> Seen:
        """Those that fit among whom the options are."""
        fits, limit = self.counting.fits, self.query.limit
        if self.query.near is None:
            return self._see_fitting(bits.places(fits & ~self._remote))
        seen = self._outward(fits, FIRST_LOOK * limit, self._see_fitting, self._enough_km)
        if len(seen.at) < limit:
            seen += self._see_fitting(bits.places(fits & self._unplaced & ~self._remote))
        return seen

    def _enough_km(self, seen: Seen) -> float:
        """Beyond these km nobody could be shown, or make a difference to who is."""
        limit, few = self.query.limit, ranking.STEP_OPTION
        normal = seen.group == NORMAL
        km = seen.km[seen.tellable]
        if len(km) < few or np.count_nonzero(normal) < limit:
            return np.inf
        third_km = np.partition(km, few - 1)[few - 1]
        # Farther away the step can only become smaller.
        effective_km = seen.order_km + ranking.local_step_km([third_km] * few) * seen.steps
        last_km = np.partition(effective_km[normal], limit - 1)[limit - 1]
        return float(max(last_km, third_km, seen.order_km[seen.tellable].min()))

    @cached_property
    def step_km(self) -> float:
        """The local step, from single numbers: it must be the same for everybody who works it out."""
        kms = [
            one.km
            for one in self._fresh_fits
            if one.km is not None and not one.offer.confidential and not one.offer.remote
        ]
        seen = self._on_site
        there = seen.those(seen.tellable)
        if count := min(ranking.STEP_OPTION, len(there.km)):
            third_km = np.partition(there.km, count - 1)[count - 1]
            kms += [km for km, _ in self._exact_kms(there.rows[there.km <= third_km + CLOSE_KM])]
        return ranking.local_step_km(kms)

    @property
    def _fresh_fits(self) -> list[Judged]:
        return [one for one in self.fresh if not one.failed]

    # Who is shown -------------------------------------------------------------------------------

    @cached_property
    def options(self) -> list[Placed]:
        """The options in their order."""
        query, seen, step_km = self.query, self._on_site, self.step_km
        effective_km = seen.order_km + step_km * seen.steps
        unplaced = np.isnan(effective_km)
        keys: tuple[Ints, ...] = (seen.group, effective_km)
        if unplaced.any():
            codes = self.columns.codes["area"][seen.rows]
            levels = self.rulings.shares(
                "area",
                query.place and query.place.code,
                "area",
                codes,
                lambda offer: ranking.area_distance(query, offer),
            )
            keys = (
                seen.group,
                np.where(unplaced, levels, effective_km),
                np.where(unplaced, seen.steps, 0.0),
            )
        found = []
        first = self._contenders(seen, keys, query.limit)
        for at, row, (km, order_km) in zip(
            first.tolist(), *self._in_numbers(seen, first), strict=True
        ):
            if order_km is None:
                found.append(Placed(tuple(key[at] for key in keys), row))
            else:
                effective = order_km + step_km * float(seen.steps[at])
                found.append(Placed((int(seen.group[at]), effective), row, km, order_km, effective))
        for one in self._fresh_fits:
            ranking.weigh(query, one, self.table, self.around, step_km)
            if not one.offer.remote:
                found.append(_placed(ranking.order(query, one), one))
        return self._in_order(found, query.limit)

    def _remote_options(self) -> list[Placed]:
        seen = self._see_fitting(bits.places(self.counting.fits & self._remote))
        keys = (seen.group, seen.steps)
        found = [
            Placed((seen.group[at], seen.steps[at]), int(seen.rows[at]))
            for at in self._contenders(seen, keys, self.query.limit).tolist()
        ]
        fresh = [one for one in self._fresh_fits if one.offer.remote]
        found += [_placed((one.group, one.steps), one) for one in fresh]
        return self._in_order(found, self.query.limit)

    def _near_misses(self) -> list[Placed]:
        """Whom the fewest gates keep out, for which it takes the smallest change, who are nearest."""
        found: list[Placed] = []
        missing = self.query.limit
        for gates, change, among in self.counting.misses():
            number = bits.count(among)
            if not number:
                continue
            for placed in self._nearest(among, number, missing):
                km = np.inf if placed.km is None else placed.km
                found.append(replace(placed, key=(gates, change, km), change=change))
            missing -= number
            if missing <= 0:
                break
        found += [_placed(ranking.nearness(one), one) for one in self.fresh if one.failed]
        return self._in_order(found, self.query.limit)

    def _nearest(self, among: Bits, number: int, count: int) -> list[Placed]:
        """The nearest of these bits, which are `number`."""
        if number <= count or self.query.near is None:
            seen = self._see_missing(bits.places(among))
        else:
            seen = self._outward(
                among, 2 * count, self._see_missing, lambda seen: _nth(seen.km, count)
            )
            if len(seen.at) < count:
                seen += self._see_missing(bits.places(among & self._unplaced))
        first = self._contenders(seen, (np.where(np.isnan(seen.km), np.inf, seen.km),), count)
        return [
            Placed((), row, *kms) for row, kms in zip(*self._in_numbers(seen, first), strict=True)
        ]

    def _in_numbers(
        self, seen: Seen, chosen: Ints
    ) -> tuple[list[int], list[tuple[float, float]] | list[tuple[None, None]]]:
        """Rows of chosen ones and their distances, in single numbers; None without a position."""
        rows = seen.rows[chosen]
        nowhere = np.isnan(seen.km[chosen])
        if not nowhere.any():
            return rows.tolist(), self._exact_kms(rows)
        kms: list[Any] = [(None, None)] * len(rows)
        for at, one in zip(
            np.flatnonzero(~nowhere).tolist(), self._exact_kms(rows[~nowhere]), strict=True
        ):
            kms[at] = one
        return rows.tolist(), kms

    def _nearest_option(self) -> list[Placed]:
        seen = self._on_site
        return self._closest(seen.those(seen.tellable), self._fresh_fits)

    def _nearest_too_far(self) -> list[Placed]:
        far = [piece.bits for piece in self.counting.pieces if piece.rule == "within"]
        fresh = [one for one in self.fresh if [gate.rule for gate in one.failed] == ["within"]]
        if not far:
            return self._closest(None, fresh)
        seen = self._outward(
            self.counting.alone & far[0],
            FIRST_LOOK,
            self._see_missing,
            lambda seen: _nth(seen.order_km[seen.tellable], 1),
        )
        return self._closest(seen.those(seen.tellable), fresh)

    def _closest(self, seen: Seen | None, fresh: list[Judged]) -> list[Placed]:
        """Of some with a distance that may be told, and of others, the nearest; nobody where there is none."""
        found = []
        if seen is not None:
            first = self._contenders(seen, (seen.order_km,), 1)
            for row, kms in zip(*self._in_numbers(seen, first), strict=True):
                found.append(Placed((kms[1] or 0.0,), row, *kms))
        found += [
            _placed((one.order_km,), one)
            for one in fresh
            if one.order_km is not None and not one.offer.confidential
        ]
        return self._in_order(found, 1)

    def _contenders(self, seen: Seen, keys: tuple[Ints, ...], limit: int) -> Ints:
        """Everybody who may be among the first `limit` by these keys."""
        if len(seen.at) <= limit:
            return np.arange(len(seen.at))
        if len(keys) == 2 and np.count_nonzero(sure := keys[0] == NORMAL) >= limit:
            last = _nth(keys[1][sure], limit)
            near = np.flatnonzero(sure & (keys[1] <= last + CLOSE_KM))
            if len(near) <= SPARE * limit:
                return near
        order = np.lexsort(keys[::-1])
        last = order[limit - 1]
        before = np.zeros(len(order), bool)
        same = np.ones(len(order), bool)
        for key in keys:
            with np.errstate(invalid="ignore"):
                close = (key == key[last]) | (np.abs(key - key[last]) <= CLOSE_KM)
            before |= same & ~close & (key < key[last])
            same &= close
        sure, equal = np.flatnonzero(before), np.flatnonzero(same)
        room = SPARE * limit - len(sure)
        if len(equal) > room:
            ties = {at: self._tie(int(seen.rows[at])) for at in equal.tolist()}
            ranked = sorted(ties, key=lambda at: (*(key[at] for key in keys), ties[at]))
            equal = np.array(ranked[:room])
        return np.concatenate([sure, equal])

    def _tie(self, row: int) -> str:
        return ranking.tie(self.need_id, self.columns.site_id(row))

    def _in_order(self, found: list[Placed], limit: int) -> list[Placed]:
        """The first by key and then tie; ties are computed only among equals."""
        found.sort(key=lambda one: one.key)
        ordered: list[Placed] = []
        for _, those in groupby(found, key=lambda one: one.key):
            equals = list(those)
            if len(equals) > 1:
                equals.sort(key=lambda one: self._tie_of(one))
            ordered += equals
            if len(ordered) >= limit:
                break
        return ordered[:limit]

    def _tie_of(self, one: Placed) -> str:
        if one.judged is None:
            return self._tie(one.row)
        return ranking.tie(self.need_id, one.judged.offer.service_at_location_id)

    # What is told of them -----------------------------------------------------------------------

    def selection(self) -> Selection:
        """The same as ranking.select over every offer of the category."""
        options, remote, why_not = self.options, self._remote_options(), self._near_misses()
        nearest = self._nearest_option()
        tally = self._tally()
        too_far = [] if tally["options"] else self._nearest_too_far()
        fit = self._judged_by_row([*options, *remote, *nearest])
        for judged in fit.values():
            ranking.weigh(self.query, judged, self.table, self.around, self.step_km)
        missed = self._judged_by_row([*why_not, *too_far])

        def judged_of(ones: list[Placed], known: Mapping[int, Judged]) -> list[Judged]:
            return [one.judged or known[one.row] for one in ones]

        return Selection(
            step_km=self.step_km,
            around=self.around,
            options=judged_of(options, fit),
            remote=judged_of(remote, fit),
            why_not=judged_of(why_not, missed),
            nearest=next(iter(judged_of(nearest, fit)), None),
            nearest_too_far=next(iter(judged_of(too_far, missed)), None),
            tally=tally,
        )

    def _judged_by_row(self, shown: list[Placed]) -> dict[int, Judged]:
        """Everything that is known of those who are shown, of the answers that rules gave before."""
        ones = {one.row: one for one in shown if one.judged is None}.values()
        rows = np.array([one.row for one in ones], np.int64)
        offers = self.columns.offers(rows)
        codes = self.columns.codes_of(rows)
        findings = []
        for gate in self.gates:
            ruling = self.said.get(gate.rule)
            if ruling is None:
                pairs = zip(offers, ones, strict=True)
                findings.append(
                    [gate.find(self.query, offer, one.order_km) for offer, one in pairs]
                )
            else:
                findings.append(ruling.found(gate, codes[ruling.group]))
        return {
            one.row: ranking.judged(
                self.query, offer, (one.km, one.order_km), self.gates, found, self.around
            )
            for offer, one, found in zip(offers, ones, zip(*findings, strict=True), strict=True)
        }

    def _tally(self) -> dict[str, Any]:
        """Counts over all offers."""
        counting, fits = self.counting, self.counting.fits
        fit, remote = bits.count(fits), bits.count(fits & self._remote)
        fresh = self._fresh_fits
        missed = [one for one in self.fresh if one.failed]
        failed, alone = Counter(counting.failed()), Counter(counting.failed_alone())
        for one in missed:
            failed.update(gate.rule for gate in one.failed)
            if len(one.failed) == 1:
                alone[one.failed[0].rule] += 1
        beside = sum(bool(one.offer.remote) for one in fresh)
        return {
            "considered": bits.count(counting.there) + len(self.fresh),
            "options": fit - remote + len(fresh) - beside,
            "remote": remote + beside,
            "no_capacity": self._full(fits)
            + sum(
                penalties.known_capacity(one.offer, self.query.at) == NO_CAPACITY for one in fresh
            ),
            "failed": {rule: number for rule, number in failed.items() if number},
            "failed_alone": {rule: number for rule, number in alone.items() if number},
        }

    def _full(self, fits: Bits) -> int:
        """How many of these are known to have no room."""
        said = self.columns.places_said_full(self.posting)
        at = said[bits.are_set(fits, said)]
        codes = self.columns.codes["room"][self.posting.rows[at]]
        return int((self.columns.known_room(self.query.at, codes) == _FULL_ROOM).sum())


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


def _placed(key: tuple[float, ...], one: Judged) -> Placed:
    return Placed(key, -1, one.km, one.order_km, one.effective_km, one.change, one)


def _nth(kms: Floats, count: int) -> float:
    return float(np.partition(kms, count - 1)[count - 1]) if len(kms) >= count else np.inf
