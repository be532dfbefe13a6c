"""One question asked of one category in memory: who is shown, found by looking at few. Pure.

What gates say is in bits over the whole category, so that who fits and how many each gate keeps out is
known without looking at anybody. What the order needs is worked out on arrays for those who fit, block by
block from the nearest on, until no other block can hold anybody better, however few its penalties. Who
may be shown is then worked out once more in single numbers, which alone decide.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby, pairwise
from operator import attrgetter
from typing import Any

import numpy as np

from referral.matching import bits, judging, penalties, ranking
from referral.matching.bits import Bits
from referral.matching.columns import Floats, Ints
from referral.matching.counting import Counting
from referral.matching.facts import Circumstances, Query
from referral.matching.judging import NORMAL, Judged
from referral.matching.penalties import NO_CAPACITY, Penalties
from referral.matching.postings import Posting
from referral.matching.ranking import Selection
from referral.matching.reach import CLOSE_KM, Reach
from referral.matching.rings import Rings
from referral.matching.rules import applying, is_proposed
from referral.matching.rulings import Piece, Ruling, Rulings
from referral.matching.standing import NOBODY, Seen, Standing

#: The km to an offer and the km that the order uses; None without a position.
Kms = tuple[float, float] | tuple[None, None]
#: For each option asked for, how many that fit are looked at before it is known how far one has to look.
FIRST_LOOK = 12
#: So many waiting blocks are looked into at once; of more the nearest, by which the bound may come down.
AT_ONCE = 4096
#: How many times more are looked at where these are too many.
GROWTH = 4
#: Farther than any option stands back: so far one group lies behind another where both are one number.
GROUP_KM = 1e6
#: How many times the limit is told apart by exact numbers at most; equals beyond it by their tie alone.
SPARE = 4


@dataclass(slots=True)
class Placed:
    """An offer in its place, in single numbers; `key` is what it stands by before ties."""

    key: tuple[float, ...]
    row: int
    km: float | None = None
    order_km: float | None = None
    effective_km: float | None = None
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
        self.reach = Reach(rulings, posting, query)
        self.gates = applying(query, holidays)
        self.said: dict[str, Ruling] = {}
        pieces: list[Piece] = []
        for gate in self.gates:
            if gate.rule != "within":
                self.said[gate.rule], failing = rulings.of(posting, gate, query, holidays)
                pieces += failing
            elif query.within is not None and len(posting.rows):
                pieces.append(self.reach.too_far(gate))
        offers = [
            offer
            for offer in fresh
            if offer.organization_id not in kept_out and is_proposed(query, offer)
        ]
        there, due, in_time = self._there(kept_out)
        due += sum(offer.due for offer in offers)
        in_time += sum(offer.in_time for offer in offers)
        self.around = Circumstances(in_time / due if due else None, holidays)
        self.standing = Standing(self.reach, self.gates, self.said, table, self.around)
        self.fresh = [judging.judge(query, offer, self.gates, self.around) for offer in offers]
        self.counting = Counting(there, pieces, is_all=there is posting.somebody)

    @cached_property
    def _penalties(self) -> Penalties:
        return Penalties(self.query, self.table, self.around)

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

    # Whom to look at ----------------------------------------------------------------------------

    def _outward(
        self,
        chosen: Bits,
        first: int,
        see: Callable[[Ints, float], Seen],
        enough_km: Callable[[Seen], float],
    ) -> Seen:
        """Places with a position, block by block, until no other that waits could matter."""
        rings = Rings(chosen, self.reach.bounds)
        seen = see(rings.nearest(first), np.inf)
        km = enough_km(seen) + CLOSE_KM
        while (next_km := rings.next_km) < np.inf and next_km <= km:
            few = rings.within(km) <= AT_ONCE
            at = rings.up_to(km) if few else rings.nearest(GROWTH * (len(seen.at) + first))
            more = see(at, km)
            if len(more.at):
                seen += more
                km = enough_km(seen) + CLOSE_KM
        return seen

    def _see_fitting(self, at: Ints, most_km: float = np.inf) -> Seen:
        """Those of offers that fit who are not farther than that."""
        rows = self.posting.rows.take(at)
        km = self.reach.straight_km(at, rows)
        if most_km < np.inf:
            near = np.flatnonzero(km <= most_km)
            at, rows, km = at.take(near), rows.take(near), km.take(near)
            if not len(at):
                return NOBODY
        return self.standing.of(at, rows, self.columns.codes_of(rows), km)

    def _see_missing(self, at: Ints, _most_km: float = np.inf) -> Seen:
        """Where offers are that do not fit: nothing else is asked of them."""
        rows = self.posting.rows.take(at)
        codes = self.columns.codes_of(rows, ("state", "precision", "area"))
        km = self.reach.straight_km(at, rows)
        tellable = ~(self.columns.is_confidential.take(codes["state"]) | np.isnan(km))
        nothing = np.zeros(len(at))
        return Seen(at, rows, *self.reach.by_way(km, codes), tellable, nothing, nothing)

    @cached_property
    def _unplaced(self) -> Bits:
        there = self.counting.there.copy()
        there[: len(self.posting.radii)] = 0
        return there

    @cached_property
    def _remote(self) -> Bits:
        return self.columns.bits_with(self.posting, "state", self.columns.is_remote)

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
        there_km = seen.km[seen.tellable]
        if count := min(ranking.STEP_OPTION, len(there_km)):
            third_km = np.partition(there_km, count - 1)[count - 1]
            near = seen.rows[seen.tellable & (seen.km <= third_km + CLOSE_KM)]
            kms += [km for km, _ in self.reach.exact_kms(near)]
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
            levels = self.rulings.numbers(
                ("levels up", query.place and query.place.code),
                "area",
                self.columns.codes["area"][seen.rows],
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
            judging.weigh(one, self._penalties, step_km)
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
            for row, (km, order_km) in self._nearest(among, number, missing):
                key = (gates, change, np.inf if km is None else km)
                found.append(Placed(key, row, km, order_km))
            missing -= number
            if missing <= 0:
                break
        found += [_placed(ranking.nearness(one), one) for one in self.fresh if one.failed]
        return self._in_order(found, self.query.limit)

    def _nearest(self, among: Bits, number: int, count: int) -> Iterable[tuple[int, Kms]]:
        """Rows and distances of the nearest of these bits, which are `number`."""
        if number <= count or self.query.near is None:
            seen = self._see_missing(bits.places(among))
        else:
            seen = self._outward(
                among, 2 * count, self._see_missing, lambda seen: _nth(seen.km, count)
            )
            if len(seen.at) < count:
                seen += self._see_missing(bits.places(among & self._unplaced))
        first = self._contenders(seen, (np.where(np.isnan(seen.km), np.inf, seen.km),), count)
        return zip(*self._in_numbers(seen, first), strict=True)

    def _in_numbers(self, seen: Seen, chosen: Ints) -> tuple[list[int], Sequence[Kms]]:
        """Rows of chosen ones and their distances, in single numbers; None without a position."""
        rows = seen.rows[chosen]
        nowhere = np.isnan(seen.km[chosen])
        if not nowhere.any():
            return rows.tolist(), self.reach.exact_kms(rows)
        kms: list[Any] = [(None, None)] * len(rows)
        for at, one in zip(
            np.flatnonzero(~nowhere).tolist(), self.reach.exact_kms(rows[~nowhere]), strict=True
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
        if len(keys) <= 2:
            by = keys[-1] if len(keys) == 1 else keys[0] * GROUP_KM + keys[1]
            near = np.flatnonzero(by <= _nth(by, limit) + CLOSE_KM)
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
        found.sort(key=_KEY)
        if all(one.key != other.key for one, other in pairwise(found[: limit + 1])):
            return found[:limit]
        ordered: list[Placed] = []
        for _, those in groupby(found, key=_KEY):
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
        known = self._judged_by_row([*options, *remote, *nearest, *why_not, *too_far])
        for one in known.values():
            if not one.failed:
                judging.weigh(one, self._penalties, self.step_km)

        def judged_of(ones: list[Placed]) -> list[Judged]:
            return [one.judged or known[one.row] for one in ones]

        return Selection(
            step_km=self.step_km,
            around=self.around,
            options=judged_of(options),
            remote=judged_of(remote),
            why_not=judged_of(why_not),
            nearest=next(iter(judged_of(nearest)), None),
            nearest_too_far=next(iter(judged_of(too_far)), None),
            tally=tally,
            sayings={rule: ruling.sayings for rule, ruling in self.said.items()},
        )

    def _judged_by_row(self, shown: list[Placed]) -> dict[int, Judged]:
        """Everything that is known of those who are shown, of the answers that rules gave before."""
        ones = {one.row: one for one in shown if one.judged is None}.values()
        rows = np.array([one.row for one in ones], np.int64)
        offers = self.columns.offers(rows)
        codes = self.columns.codes_of(rows)
        findings, alike, weighing = [], [], [codes[group].tolist() for group in penalties.GROUPS]
        for gate in self.gates:
            ruling = self.said.get(gate.rule)
            if ruling is None:
                pairs = zip(offers, ones, strict=True)
                found = [gate.find(self.query, offer, one.order_km) for offer, one in pairs]
                alike.append([each.key for each in found])
            else:
                those = codes[ruling.group]
                found = ruling.found(gate, those)
                alike.append(those.tolist())
            findings.append(found)
        known = {}
        columns = (zip(*those, strict=True) for those in (findings, alike, weighing))
        for offer, one, told, same, weighed in zip(offers, ones, *columns, strict=True):
            kms = one.km, one.order_km
            judged = judging.judged(self.query, offer, kms, self.gates, told, self.around)
            judged.alike, judged.alike_for_penalties = same, weighed
            known[one.row] = judged
        return known

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
        full = self.columns.full(self.posting, self.query.at)
        return sum(bits.count_set(fits, at) for at in full)


_KEY = attrgetter("key")


def _placed(key: tuple[float, ...], one: Judged) -> Placed:
    return Placed(key, -1, one.km, one.order_km, one.effective_km, one)


def _nth(kms: Floats, count: int) -> float:
    return float(np.partition(kms, count - 1)[count - 1]) if len(kms) >= count else np.inf
