"""Every offer in memory, in columns: the selection of ranking.select without looking at most of them. Pure.

What is different among offers is kept once and counted; a rule is asked once for each different set of
facts that it reads, never for each offer, so there is one definition of it and no second form to keep
equal. Places lie in blocks of neighbours; a block that can't hold anybody who would be shown, however
few its penalties, is not looked into.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from functools import cached_property, partial
from typing import Any
from uuid import UUID

import numpy as np
import numpy.typing as npt

from referral.core.geo import haversine_km
from referral.directory.opening import is_open
from referral.matching import penalties, ranking
from referral.matching.columns import BLOCK, NO_DAY, Bits, Columns, Posting, two_words
from referral.matching.facts import Circumstances, Offer, Outcome, Query
from referral.matching.penalties import ASSESSMENT, NO_CAPACITY, WAITLIST
from referral.matching.ranking import (
    FULL,
    NO_POSITION,
    NORMAL,
    OTHER_JURISDICTION,
    Judged,
    Selection,
)
from referral.matching.rules import ASSUMED_OTHER, Gate, applying, is_proposed, residence_matters

Ints = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

#: Blocks looked into at first, and how many times more in each further round.
FIRST_BLOCKS, GROWTH = 12, 4
#: So few fitting offers are all looked at; more are searched for block by block.
FEW = 2048
#: Arrays and single numbers may differ in their last digits: nearer than this is not told apart by a bound.
CLOSE_KM = 1e-6
#: How many times the limit is told apart by exact numbers at most; equals beyond it by their tie alone.
SPARE = 4

_PASS, _UNKNOWN, _OTHER, _FAIL, _NOT_ASKED = 0, 1, 2, 3, 255
_FULL_ROOM = Columns.ROOMS.index(NO_CAPACITY)
#: Which facts each rule looks at, and what of the query: its answers are kept by that.
_LOOKS_AT: Mapping[str, tuple[str, Callable[[Query], Any]]] = {
    "category": ("kind", lambda query: query.need),
    "active": ("state", lambda _: None),
    "jurisdiction": (
        "jurisdiction",
        lambda query: residence_matters(query) and (query.registered_in,),
    ),
    "age": ("age", lambda query: query.age),
    "sex": ("sex", lambda query: query.sex),
    "desil": ("desil", lambda query: query.desil),
    "disability": ("disability", lambda query: query.disability),
    "documents": ("documents", lambda query: (query.is_emergency, query.documents_lacking)),
    "accessibility": ("access", lambda query: query.disability),
    "free_only": ("fee", lambda _: None),
    "proposed": ("kind", lambda query: (query.need, query.violence)),
    "language": ("language", lambda query: query.language),
    "fee": ("fee", penalties.is_able_to_pay),
    "open": ("hours", lambda query: query.at),
    "area": ("area", lambda query: query.place and query.place.code),
}
_MOST_ANSWERS = 4096


class Index:
    """All offers of a directory, fit to be asked. Thread-safe for asking; one thread changes it at a time.

    A change is put beside the columns and asked by the same rules one by one, so that it counts at once;
    make a new index before there are thousands of changes.
    """

    def __init__(self, columns: Columns):
        self.columns = columns
        self._answers: dict[tuple[Any, ...], Ints] = {}
        self._fresh: dict[UUID, Offer] = {}

    @classmethod
    def of(cls, offers: Iterable[Offer]) -> "Index":
        """An index of these offers."""
        return cls(Columns.of(offers))

    @property
    def changes(self) -> int:
        """How many offers stand beside the columns."""
        return len(self._fresh)

    @property
    def keeps_hours(self) -> bool:
        """Whether any offer says when it is open."""
        hours = self.columns.values["hours"]
        return any(rows for (rows,) in hours) or any(one.hours for one in self._fresh.values())

    def replace(self, service_id: UUID, offers: Iterable[Offer]) -> None:
        """Take these for everything that was known of a service."""
        self.columns.take_out(service_id)
        self._fresh = {
            site: offer for site, offer in self._fresh.items() if offer.service_id != service_id
        } | {offer.service_at_location_id: offer for offer in offers}

    def select(
        self,
        query: Query,
        table: Mapping[str, float],
        *,
        need_id: str = "",
        kept_out: frozenset[Any] = frozenset(),
        holidays: frozenset[Any] = frozenset(),
    ) -> Selection:
        """The same as ranking.select over every offer of the index."""
        posting = self.columns.postings.get(query.need) or Posting.empty()
        fresh = [
            offer
            for offer in self._fresh.values()
            if offer.organization_id not in kept_out
            and any(query.asks_for(code) for code in offer.categories)
            and is_proposed(query, offer)
        ]
        search = _Search(self, posting, query, table, kept_out, holidays, fresh)
        return search.selection(need_id)

    def answers(
        self,
        rule: str,
        query: Query,
        codes: Ints,
        ask: Callable[[Offer], int],
        also: Any = None,
    ) -> Ints:
        """What a rule answers for every different set of the facts it looks at; at least for these codes.

        Each is asked once and kept. `also` is what the answer depends on beside the query.
        """
        group, asked = _LOOKS_AT[rule]
        key = (rule, asked(query), also)
        known = self._answers.get(key)
        if known is None:
            if len(self._answers) >= _MOST_ANSWERS:
                self._answers.clear()
            known = self._answers[key] = np.full(
                len(self.columns.values[group]), _NOT_ASKED, np.uint8
            )
        missing = codes[known[codes] == _NOT_ASKED]
        for code in set(missing.tolist()):
            known[code] = ask(self.columns.stub(group, code))
        return known


class _Search:
    """One query on its way through one category."""

    def __init__(
        self,
        index: Index,
        posting: Posting,
        query: Query,
        table: Mapping[str, float],
        kept_out: frozenset[Any],
        holidays: frozenset[Any],
        fresh: list[Offer],
    ):
        self.index, self.columns, self.posting = index, index.columns, posting
        self.query, self.table, self.holidays = query, table, holidays
        self.gates = applying(query, holidays)
        self.within: Gate | None = None
        self.open_only: Gate | None = None
        if query.within is not None:
            self.within = next(gate for gate in self.gates if gate.rule == "within")
        self._ask()
        self.hidden = self._hidden(kept_out)
        self.around = Circumstances(self._answered_in_time(fresh), holidays)
        self.fresh = [ranking.judge(query, offer, self.gates, self.around) for offer in fresh]

    # What is the same wherever an offer is ------------------------------------------------------

    def _ask(self) -> None:
        """What every rule but those of distance and hours says of the facts that occur here."""
        query = self.query
        self.said: dict[str, Ints] = {}
        self.fails: dict[str, Bits] = {}
        for gate in self.gates:
            if gate.rule == "open_only":
                self.open_only = gate
            elif gate.rule != "within":
                said = self._said(gate.rule, partial(self._outcome, gate))
                self.said[gate.rule] = said
                self.fails[gate.rule] = self._bits(gate.rule, said == _FAIL)
        self.proposed = self._said("proposed", lambda offer: int(is_proposed(query, offer)))
        self.speaks = self._said(
            "language", lambda offer: int(penalties.speaks_otherwise(query, offer))
        )
        self.costs = self._said(
            "fee", lambda offer: int(bool(offer.fee) and not penalties.is_able_to_pay(query))
        )

    def _said(self, rule: str, ask: Callable[[Offer], int]) -> Ints:
        present = self.columns.present(self.posting, _LOOKS_AT[rule][0])
        return self.index.answers(rule, self.query, present, ask)

    def _bits(self, rule: str, chosen: Bools) -> Bits:
        return self.columns.bits(self.posting, _LOOKS_AT[rule][0], chosen)

    def _of(self, rule: str, said: Ints, rows: Ints) -> Ints:
        """What a rule said, by row."""
        return said[self.columns.codes[_LOOKS_AT[rule][0]][rows]]

    def _outcome(self, gate: Gate, offer: Offer) -> int:
        found = gate.find(self.query, offer, None)
        if found is ASSUMED_OTHER:
            return _OTHER
        return {Outcome.PASS: _PASS, Outcome.UNKNOWN: _UNKNOWN, Outcome.FAIL: _FAIL}[found.outcome]

    def _hidden(self, kept_out: frozenset[Any]) -> Bools | None:
        """Which of the category's offers must not be seen: taken out since, kept out by the client, unsafe."""
        rows = self.posting.rows
        hidden = self.posting.is_gone
        if kept_out:
            organizations = self.columns.organization_ids[rows]
            hidden = np.zeros(len(rows), bool) if hidden is None else hidden.copy()
            for organization_id in kept_out:
                hidden |= (organizations == two_words(organization_id)).all(axis=1)
        kinds = self.columns.present(self.posting, "kind")
        if not self.proposed[kinds].all():
            unsafe = self._of("proposed", self.proposed, rows) == 0
            hidden = unsafe if hidden is None else hidden | unsafe
        return hidden

    @cached_property
    def _alive(self) -> Bits:
        if self.hidden is None:
            return np.packbits(np.ones(len(self.posting.rows), bool))
        return np.packbits(~self.hidden)

    def _answered_in_time(self, fresh: list[Offer]) -> float | None:
        due, in_time = self.posting.due, self.posting.in_time
        if self.hidden is not None:
            rows = self.posting.rows[~self.hidden]
            records = self.columns.records[self.columns.codes["record"][rows]]
            due, in_time = records.sum(axis=0).tolist()
        due += sum(offer.due for offer in fresh)
        in_time += sum(offer.in_time for offer in fresh)
        return in_time / due if due else None

    @cached_property
    def _once_and_twice(self) -> tuple[Bits, Bits]:
        """Which offers some rule, and which more than one rule of `fails` keeps out."""
        once = np.zeros_like(self._alive)
        twice = np.zeros_like(self._alive)
        for fails in self.fails.values():
            twice |= once & fails
            once |= fails
        return once & self._alive, twice & self._alive

    # What differs from offer to offer -----------------------------------------------------------

    @cached_property
    def _room(self) -> Ints:
        """Known capacity by number in Columns.ROOMS, for every different word on room."""
        return self.columns.known_room(self.query.at)

    @cached_property
    def _unverified(self) -> Bools:
        days = self.columns.assured_days
        age = self.query.at.date().toordinal() - days
        unverified: Bools = (days == NO_DAY) | (age > penalties.VERIFIED_GOOD_DAYS)
        return unverified

    @cached_property
    def _unreliable(self) -> Floats:
        records, mean = self.columns.records, self.around.answered_in_time
        if mean is None:
            return np.zeros(len(records))
        prior = penalties.RELIABILITY_PRIOR
        share = 1.0 - (records[:, 1] + prior * mean) / (records[:, 0] + prior)
        return np.where(records[:, 0] > 0, share, 0.0)

    def _hours(self, rows: Ints) -> Ints:
        """1 open, 0 closed, 2 not known."""

        def ask(offer: Offer) -> int:
            answer = is_open(offer.hours, self.query.at, holidays=self.holidays)
            return 2 if answer is None else int(answer)

        codes = self.columns.codes["hours"][rows]
        return self.index.answers("open", self.query, codes, ask, self.holidays)[codes]

    def _change(self, gate: Gate, rows: Ints) -> Floats:
        """How large a change it takes until this rule no longer fails, by row."""
        group = _LOOKS_AT[gate.rule][0]
        codes = self.columns.codes[group][rows]
        sizes = np.zeros(len(self.columns.values[group]))
        for code in set(codes.tolist()):
            sizes[code] = gate.change(self.query, self.columns.stub(group, code))
        return sizes[codes]

    def evaluate(self, at: Ints) -> "_Evaluated":
        """Everything the order needs of the offers at these places of the posting."""
        query, columns = self.query, self.columns
        if self.hidden is not None:
            at = at[~self.hidden[at]]
        rows = self.posting.rows[at]
        km = order_km = np.full(len(at), np.nan)
        if query.near is not None:
            placed = at < self.posting.placed
            km = np.where(placed, columns.km_from(query.near, rows), np.nan)
            half = (query.precision_km + columns.precisions[columns.codes["precision"][rows]]) / 2
            order_km = np.where(placed, np.maximum(km, half), np.nan)
        failed = np.zeros(len(at), np.uint8)
        change = np.zeros(len(at))
        unknown, other = np.zeros(len(at), bool), np.zeros(len(at), bool)
        for gate in self.gates:
            if gate.rule in self.said:
                said = self._of(gate.rule, self.said[gate.rule], rows)
                fails = said == _FAIL
                failed += fails
                if gate.off is None:
                    np.maximum(change, gate.size * fails, out=change)
                elif fails.any():
                    here = np.flatnonzero(fails)
                    change[here] = np.maximum(change[here], self._change(gate, rows[here]))
                if gate.eligibility:
                    unknown |= (said == _UNKNOWN) | (said == _OTHER)
                if gate.rule == "jurisdiction":
                    other = said == _OTHER
        base, base_change = failed, change
        closed = self._hours(rows) == 0
        too_far = shut = None
        if self.within is not None:
            too_far = self._too_far(rows, order_km)
            failed, change = failed + too_far, np.maximum(change, self.within.size * too_far)
        if self.open_only is not None:
            shut = closed
            failed, change = failed + shut, np.maximum(change, self.open_only.size * shut)
        room = self._room[columns.codes["room"][rows]]
        is_full = room == _FULL_ROOM
        group = np.where(other, OTHER_JURISDICTION, NORMAL)
        group[is_full | closed if query.is_emergency else is_full] = FULL
        group[columns.is_nowhere[rows]] = NO_POSITION
        return _Evaluated(
            at=at,
            km=km,
            order_km=order_km,
            base=base,
            base_change=base_change,
            failed=failed,
            change=change,
            too_far=np.zeros(len(at), bool) if too_far is None else too_far,
            shut=np.zeros(len(at), bool) if shut is None else shut,
            group=group,
            steps=self._all_steps(rows, unknown, closed, room),
        )

    def _too_far(self, rows: Ints, order_km: Floats) -> Bools:
        limit = self.query.within or 0.0
        state = self.columns.codes["state"][rows]
        return np.where(
            np.isnan(order_km),
            self._fails_at(None)[state],
            np.where(order_km <= limit, self._fails_at(limit)[state], self._fails_beyond[state]),
        )

    @cached_property
    def _fails_beyond(self) -> Bools:
        return self._fails_at(float("inf"))

    def _fails_at(self, km: float | None) -> Bools:
        """By state, whether the travel limit's own rule fails at this distance."""
        gate, states = self.within, self.columns.values["state"]
        return np.array(
            [
                gate is not None and gate.find(self.query, one, km).outcome is Outcome.FAIL
                for one in map(partial(self.columns.stub, "state"), range(len(states)))
            ],
            bool,
        )

    def _all_steps(self, rows: Ints, unknown: Bools, closed: Bools, room: Ints) -> Floats:
        table, columns = self.table, self.columns
        steps: Floats = table["closed"] * closed.astype(float)
        steps += table["language"] * self._of("language", self.speaks, rows)
        steps += table["fee"] * self._of("fee", self.costs, rows)
        steps += table["waitlist"] * (room == columns.ROOMS.index(WAITLIST))
        steps += table["assessment"] * (room == columns.ROOMS.index(ASSESSMENT))
        steps += np.maximum(
            table["reliability"] * self._unreliable[columns.codes["record"][rows]], 0.0
        )
        steps += table["congestion"] * columns.crowding[columns.codes["load"][rows]]
        quality = table["eligibility_unknown"] * unknown
        quality += table["capacity_unknown"] * (room == 0)
        quality += table["unverified"] * self._unverified[columns.codes["assured"][rows]]
        steps += np.minimum(quality, table[penalties.DATA_QUALITY_MOST])
        return steps

    # Whom to look at ----------------------------------------------------------------------------

    def selection(self, need_id: str) -> Selection:
        """Those who are shown, found by looking at as few as will do."""
        seen = self._look()
        fits = self._few_fits() if self._fit_few else seen.those(seen.failed == 0)
        step_km = self._step_km(fits)
        for one in self.fresh:
            if not one.failed:
                ranking.weigh(self.query, one, self.table, self.around, step_km)
        is_remote = self.columns.is_remote(self.posting.rows[fits.at])
        on_site, beside = fits.those(~is_remote), fits.those(is_remote)
        misses = seen.those(seen.failed > 0)
        limit, tally = self.query.limit, self._tally(seen)
        exact = _Exact(self, need_id, step_km)
        fresh_fits = [one for one in self.fresh if not one.failed]
        return Selection(
            step_km=step_km,
            around=self.around,
            options=ranking.first(
                limit,
                exact.of(on_site, self._order(on_site, step_km), limit)
                + [one for one in fresh_fits if not one.offer.remote],
                lambda one: ranking.order(self.query, one),
                need_id,
            ),
            remote=ranking.first(
                limit,
                exact.of(beside, (beside.group, beside.steps), limit)
                + [one for one in fresh_fits if one.offer.remote],
                lambda one: (one.group, one.steps),
                need_id,
            ),
            why_not=ranking.first(
                limit,
                exact.of(misses, (misses.failed, misses.change, _or_infinite(misses.km)), limit)
                + [one for one in self.fresh if one.failed],
                ranking.nearness,
                need_id,
            ),
            nearest=exact.nearest(on_site, [one for one in fresh_fits if not one.offer.remote]),
            nearest_too_far=None
            if tally["options"]
            else self._nearest_too_far(exact),
            tally=tally,
        )

    @cached_property
    def _base_fits(self) -> Bits:
        """Who fits, but for distance and hours."""
        return self._alive & ~self._once_and_twice[0]

    @cached_property
    def _fit_few(self) -> bool:
        return _count(self._base_fits) <= FEW

    def _at(self, bits: Bits) -> Ints:
        return np.flatnonzero(np.unpackbits(bits, count=len(self.posting.rows)))

    def _few_fits(self) -> "_Evaluated":
        found = self.evaluate(self._at(self._base_fits))
        return found.those(found.failed == 0)

    def _look(self) -> "_Evaluated":
        """Blocks from the nearest on, until no other can hold anybody who would be shown."""
        posting, query = self.posting, self.query
        if query.near is None or self.open_only is not None:
            return self.evaluate(np.arange(len(posting.rows)))
        seen = self.evaluate(np.arange(posting.placed, len(posting.rows)))
        bounds = posting.bounds_km(query.near)
        waiting, count = np.arange(len(bounds)), FIRST_BLOCKS
        while len(waiting):
            chosen = waiting
            if count < len(waiting):
                halves = np.argpartition(bounds[waiting], count - 1)
                chosen, waiting = waiting[halves[:count]], waiting[halves[count:]]
            else:
                waiting = waiting[:0]
            at = (np.sort(chosen)[:, None] * BLOCK + np.arange(BLOCK)).ravel()
            seen = seen + self.evaluate(at[at < posting.placed])
            if not len(waiting) or self._is_enough(seen, bounds[waiting].min() - CLOSE_KM):
                break
            count *= GROWTH
        return seen

    def _is_enough(self, seen: "_Evaluated", next_km: float) -> bool:
        """Whether nobody at `next_km` or farther could be shown, or make a difference to who is."""
        if self.within is not None and next_km <= (self.query.within or 0.0):
            return False  # who is within reach is counted one by one
        if not self._misses_suffice(seen, next_km):
            return False
        if self._fit_few:
            return True
        fits = seen.those(seen.failed == 0)
        tellable = self._tellable(fits)
        if (fits.km[tellable] <= next_km).sum() < ranking.STEP_OPTION:
            return False
        if fits.order_km[tellable].min() > next_km:
            return False
        effective_km = fits.order_km + self._step_km(fits) * fits.steps
        sure = (fits.group == NORMAL) & (effective_km <= next_km)
        return int(sure.sum()) >= self.query.limit

    def _misses_suffice(self, seen: "_Evaluated", next_km: float) -> bool:
        once, twice = self._once_and_twice
        unseen = [
            _count(self._base_fits) - int((seen.base == 0).sum()),
            _count(once & ~twice) - int((seen.base == 1).sum()),
            _count(twice) - int((seen.base > 1).sum()),
        ]
        if self.within is None:
            unseen[0] = 0
        if not any(unseen):
            return True
        fewest = 1 if unseen[0] or unseen[1] else 2
        least = self._least_change(seen, is_beyond=bool(unseen[0])) if fewest == 1 else 0
        misses = seen.those(seen.failed > 0)
        size, km = np.floor(misses.change), _or_infinite(misses.km)
        # By how much a rule fails is not looked at here: then nobody is sure before everybody was seen.
        near = (misses.change == least) & (km <= next_km)
        sure = (misses.failed < fewest) | ((misses.failed == fewest) & ((size < least) | near))
        return int(sure.sum()) >= self.query.limit

    def _least_change(self, seen: "_Evaluated", *, is_beyond: bool) -> int:
        """The smallest change that somebody not yet seen may take whom one rule keeps out."""
        once, twice = self._once_and_twice
        alone = once & ~twice
        seen_sizes = Counter(np.floor(seen.base_change[seen.base == 1]).astype(int).tolist())
        sizes = [
            gate.size
            for gate in self.gates
            if gate.rule in self.fails
            and _count(alone & self.fails[gate.rule]) > seen_sizes[gate.size]
        ]
        if is_beyond and self.within is not None:
            sizes.append(self.within.size)
        return min(sizes)

    def _tellable(self, found: "_Evaluated") -> Bools:
        """Those with a distance that may be told."""
        rows = self.posting.rows[found.at]
        return ~np.isnan(found.km) & ~self.columns.is_confidential(rows)

    def _step_km(self, fits: "_Evaluated") -> float:
        """The local step, from single numbers: it must be the same for everybody who works it out."""
        near = self.query.near
        kms = [
            one.km
            for one in self.fresh
            if not one.failed
            and one.km is not None
            and not one.offer.confidential
            and not one.offer.remote
        ]
        tellable = np.flatnonzero(self._tellable(fits))
        if near is not None and len(tellable):
            few = min(ranking.STEP_OPTION, len(tellable))
            closest = tellable[np.argpartition(fits.km[tellable], few - 1)[:few]]
            points = self.columns.points[self.posting.rows[fits.at[closest]]].tolist()
            kms += [haversine_km(*near, *point) for point in points]
        return ranking.local_step_km(kms)

    def _order(self, fits: "_Evaluated", step_km: float) -> tuple[Ints, Floats, Floats]:
        effective_km = fits.order_km + step_km * fits.steps
        unplaced = np.isnan(effective_km)
        if not unplaced.any():
            return fits.group, effective_km, np.zeros(len(fits.at))
        codes = self.columns.codes["area"][self.posting.rows[fits.at]]
        levels = self.index.answers(
            "area", self.query, codes, lambda offer: ranking.area_distance(self.query, offer)
        )[codes]
        return (
            fits.group,
            np.where(unplaced, levels, effective_km),
            np.where(unplaced, fits.steps, 0.0),
        )

    def _nearest_too_far(self, exact: "_Exact") -> Judged | None:
        if self.within is None:
            return None
        found = self.evaluate(self._at(self._base_fits))
        alone = [one for one in self.fresh if [gate.rule for gate in one.failed] == ["within"]]
        return exact.nearest(found.those(found.failed == 1), alone)

    # What is counted over all -------------------------------------------------------------------

    def _tally(self, seen: "_Evaluated") -> dict[str, Any]:
        """Counts over all offers, eight at a time."""
        fails = dict(self.fails)
        if self.within is not None:
            # Whoever was not looked at is beyond the limit, as far as it is anywhere.
            too_far = self._fails_beyond[self.columns.codes["state"][self.posting.rows]]
            too_far[seen.at] = seen.too_far
            fails["within"] = np.packbits(too_far)
        if self.open_only is not None:
            shut = np.zeros(len(self.posting.rows), bool)
            shut[seen.at] = seen.shut
            fails["open_only"] = np.packbits(shut)
        alive = self._alive
        once, twice = np.zeros_like(alive), np.zeros_like(alive)
        for one in fails.values():
            twice |= once & one
            once |= one
        alone, fits = once & ~twice & alive, ~once & alive
        remote = self.columns.bits(self.posting, "state", self.columns.remote_states)
        full = self.columns.told_full(self.posting)
        known = self._room[self.columns.codes["room"][self.posting.rows[full]]] == _FULL_ROOM
        fresh = [one for one in self.fresh if not one.failed]
        missed = [one for one in self.fresh if one.failed]

        def by_rule(among: Bits, singles: list[Judged]) -> dict[str, int]:
            counts = Counter(gate.rule for one in singles for gate in one.failed)
            counts.update({rule: _count(one & among) for rule, one in fails.items()})
            return {rule: count for rule, count in counts.items() if count}

        return {
            "considered": _count(alive) + len(self.fresh),
            "options": _count(fits & ~remote) + sum(not one.offer.remote for one in fresh),
            "remote": _count(fits & remote) + sum(bool(one.offer.remote) for one in fresh),
            "no_capacity": int(_are_set(fits, full[known]).sum())
            + sum(
                penalties.known_capacity(one.offer, self.query.at) == NO_CAPACITY for one in fresh
            ),
            "failed": by_rule(alive, missed),
            "failed_alone": by_rule(alone, [one for one in missed if len(one.failed) == 1]),
        }


def _count(bits: Bits) -> int:
    return int(np.bitwise_count(bits).sum())


def _are_set(bits: Bits, at: Ints) -> Bools:
    set_: Bools = (bits[at >> 3] >> (7 - (at & 7)).astype(np.uint8)) & 1 == 1
    return set_


@dataclass
class _Evaluated:
    """What the order needs of some offers, by place in the posting. `base` leaves out rules of distance."""

    at: Ints
    km: Floats
    order_km: Floats
    base: Ints
    base_change: Floats
    failed: Ints
    change: Floats
    too_far: Bools
    shut: Bools
    group: Ints
    steps: Floats

    def those(self, chosen: Bools) -> "_Evaluated":
        return _Evaluated(*(getattr(self, each.name)[chosen] for each in fields(self)))

    def __add__(self, other: "_Evaluated") -> "_Evaluated":
        return _Evaluated(
            *(
                np.concatenate([getattr(self, each.name), getattr(other, each.name)])
                for each in fields(self)
            )
        )


@dataclass
class _Exact:
    """Turns the offers that may be shown into single numbers again, which alone decide."""

    search: _Search
    need_id: str
    step_km: float

    def of(self, found: _Evaluated, keys: tuple[Ints, ...], limit: int) -> list[Judged]:
        """Everybody who may be among the first `limit` by these keys."""
        return [self._judged(int(at)) for at in found.at[self._contenders(found, keys, limit)]]

    def nearest(self, found: _Evaluated, fresh: list[Judged]) -> Judged | None:
        """The nearest with a distance that may be told."""
        tellable = found.those(self.search._tellable(found))
        return ranking.nearest(self.of(tellable, (tellable.order_km,), 1) + fresh, self.need_id)

    def _contenders(self, found: _Evaluated, keys: tuple[Ints, ...], limit: int) -> Ints:
        if len(found.at) <= limit:
            return np.arange(len(found.at))
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
            ties = {at: self._tie(int(found.at[at])) for at in equal.tolist()}
            ranked = sorted(ties, key=lambda at: (*(key[at] for key in keys), ties[at]))
            equal = np.array(ranked[:room])
        return np.concatenate([sure, equal])

    def _tie(self, at: int) -> str:
        row = int(self.search.posting.rows[at])
        return ranking.tie(self.need_id, self.search.columns.site_id(row))

    def _judged(self, at: int) -> Judged:
        search = self.search
        offer = search.columns.offer(int(search.posting.rows[at]))
        one = ranking.judge(search.query, offer, search.gates, search.around)
        if not one.failed:
            ranking.weigh(search.query, one, search.table, search.around, self.step_km)
        return one


def _or_infinite(km: Floats) -> Floats:
    return np.where(np.isnan(km), np.inf, km)
