"""How far the offers of a category are from where the client stays. Pure."""

from functools import cached_property

import numpy as np

from referral.core.geo import EARTH_RADIUS_KM, haversine_km
from referral.matching import bits
from referral.matching.columns import Bools, Codes, Floats, Ints
from referral.matching.facts import Outcome, Query
from referral.matching.gates import Gate
from referral.matching.postings import BLOCK, Posting
from referral.matching.rulings import Piece, Rulings

#: Arrays and single numbers may differ in their last digits: nearer than this is not told apart by a bound.
CLOSE_KM = 1e-6


class Reach:
    """The distances of one query in one category: bounds by block, arrays by offer, and single numbers."""

    def __init__(self, rulings: Rulings, posting: Posting, query: Query):
        self.columns, self.rulings = rulings.columns, rulings
        self.posting, self.query = posting, query

    @cached_property
    def bounds(self) -> Floats:
        """What no offer of a block is nearer than, by block, in radii of the earth."""
        if self.query.near is None:
            return np.zeros(0)
        return self.posting.bounds(self.query.near)

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

    def straight_km(self, at: Ints, rows: Ints) -> Floats:
        """As the crow flies to offers at these places; the first has a position, or none has one."""
        if self.query.near is None or (len(at) and at[0] >= self.posting.placed):
            return np.full(len(at), np.nan)
        km = self.columns.km_from(self.query.near, rows)
        if len(at) and at[-1] >= self.posting.placed:
            km = np.where(at < self.posting.placed, km, np.nan)
        return km

    def by_way(self, km: Floats, codes: Codes) -> tuple[Floats, Floats]:
        """The km by the way that is known, and the order's km."""
        if self._ways_km is not None:
            km = np.maximum(km, self._ways_km.take(codes["area"]))
        half_km = (self.query.precision_km + self.columns.precisions.take(codes["precision"])) / 2
        return km, np.maximum(km, half_km)

    def exact_kms(self, rows: Ints) -> list[tuple[float, float]]:
        """The same as judging.distance, of offers with a position."""
        near, columns, precision_km = (
            self.query.near or (0.0, 0.0),
            self.columns,
            self.query.precision_km,
        )
        points = columns.points.take(rows, axis=0).tolist()
        kms = [haversine_km(*near, *point) for point in points]
        if self._ways_km is not None:
            ways = self._ways_km[columns.codes["area"][rows]].tolist()
            kms = [max(km, way) for km, way in zip(kms, ways, strict=True)]
        precisions = columns.precisions.take(columns.codes["precision"][rows]).tolist()
        return [
            (km, max(km, (precision_km + own_km) / 2))
            for km, own_km in zip(kms, precisions, strict=True)
        ]

    def too_far(self, gate: Gate) -> Piece:
        """Whom the travel limit keeps out: block by block, one by one only where it goes through a block."""
        query, posting, limit = self.query, self.posting, self.query.within or 0.0
        unplaced, inside, beyond = (self._fails_at(gate, km) for km in (None, limit, np.inf))
        if query.near is None:
            out = self.columns.bits_with(posting, "state", unplaced)
        else:
            most_km = np.max(
                self._ways_km if self._ways_km is not None else 0.0, initial=self._widest_half_km
            )
            farthest_km = (posting.angles(query.near) + posting.radii) * EARTH_RADIUS_KM
            is_out = self.bounds * EARTH_RADIUS_KM > limit + CLOSE_KM
            is_in = np.maximum(farthest_km, most_km) < limit - CLOSE_KM
            block = np.where(is_out, 2, np.where(is_in, 1, 0))
            part = np.append(block, np.full(len(posting.somebody) - len(block), 3))
            out = np.choose(
                part,
                [
                    np.uint64(0),
                    *(
                        self.columns.bits_with(posting, "state", states)
                        for states in (inside, beyond, unplaced)
                    ),
                ],
            )
            between = np.flatnonzero(~is_out & ~is_in)
            at = (between[:, None] * BLOCK + np.arange(BLOCK)).ravel()
            rows = posting.rows[at]
            codes = self.columns.codes_of(rows)
            _, order_km = self.by_way(self.straight_km(at, rows), codes)
            close = np.flatnonzero(np.abs(order_km - limit) <= CLOSE_KM)
            order_km[close] = [km for _, km in self.exact_kms(rows[close])]
            state = codes["state"]
            failing = np.where(order_km <= limit, inside[state], beyond[state])
            out[between] = bits.packed(failing)
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
