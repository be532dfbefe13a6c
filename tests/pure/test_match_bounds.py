"""What the match index works out on arrays is never beyond what single offers say."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import offers as synthetic
from referral.core.geo import EARTH_RADIUS_KM, haversine_km
from referral.matching.facts import Offer
from referral.matching.index import Index
from referral.matching.penalties import known_capacity
from referral.matching.postings import BLOCK, Posting
from referral.matching.ranking import select
from referral.matching.rooms import ROOMS, Rooms
from referral.matching.telling import told

AT = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
POINTS = st.tuples(st.floats(-90, 90), st.floats(-180, 180))
MOMENTS = st.integers(-60 * 24, 60 * 24).map(lambda hours: AT + timedelta(hours=hours))


@given(
    clusters=st.lists(POINTS, min_size=1, max_size=6),
    near=POINTS,
    width=st.sampled_from([0.0, 1e-6, 0.1, 20.0]),
    seed=st.integers(0, 99),
)
def test_no_offer_of_a_block_is_nearer_than_its_bound(
    clusters: list[tuple[float, float]], near: tuple[float, float], width: float, seed: int
) -> None:
    draw = np.random.default_rng(seed)
    centres = np.array([*clusters, near])[draw.integers(0, len(clusters) + 1, 300)]
    points = np.clip(centres + draw.normal(0, width, (300, 2)), [-90, -180], [90, 180])
    rows = np.arange(300)
    posting = Posting.of(rows, points, np.ones(300, bool), np.zeros((300, 2), int))

    bounds_km = posting.bounds(near) * EARTH_RADIUS_KM

    assert sorted(posting.everybody().tolist()) == rows.tolist()
    for place, row in enumerate(posting.rows.tolist()):
        assert bounds_km[place // BLOCK] <= haversine_km(*near, *points[row])


@given(
    st.lists(
        st.tuples(
            st.sampled_from([None, *ROOMS[1:]]),
            st.none() | MOMENTS,
            st.none() | st.dates(date(2026, 10, 1), date(2027, 1, 31)),
        ),
        max_size=20,
    ),
    MOMENTS,
)
def test_words_on_room_hold_as_long_as_those_of_one_offer(
    words: list[tuple[str | None, datetime | None, date | None]], at: datetime
) -> None:
    rooms = Rooms(words)
    nobody = UUID(int=0)

    known = [ROOMS[number] or None for number in rooms.known(at).tolist()]

    assert known == [
        known_capacity(
            Offer(
                nobody,
                nobody,
                nobody,
                {},
                capacity=capacity,
                capacity_at=since,
                capacity_until=until,
            ),
            at,
        )
        for capacity, since, until in words
    ]


@pytest.mark.parametrize("seed", range(3))
def test_sentences_kept_from_other_questions_are_those_of_looking_at_every_offer(seed: int) -> None:
    offers = list(synthetic.offers(900, seed=seed))
    index = Index.of(offers)

    for number, query in enumerate(synthetic.queries(60, seed=seed + 1, hard=True)):
        among = [one for one in offers if any(query.asks_for(code) for code in one.categories)]
        how = {"names": lambda code, number=number: f"{code} {number % 2}"}  # areas may be renamed

        found = told(query, index.select(query, synthetic.STEPS), synthetic.STEPS, **how)

        expected = told(query, select(query, among, synthetic.STEPS), synthetic.STEPS, **how)
        assert found == expected
