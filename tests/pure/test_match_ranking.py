"""The order of a match equals what anybody would work out from the published rules."""

import math
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from referral.core.text import LANGUAGES, render
from referral.directory.opening import OpeningRow
from referral.matching.facts import Document, Offer, Place, Query, Route
from referral.matching.ranking import local_step_km
from referral.matching.receipts import Listed, content_of, printed, query_of
from referral.matching.recomputing import recomputed
from referral.matching.telling import Ranking, rank

AT = datetime(2026, 3, 2, 2, 30, tzinfo=UTC)  # a Monday, 02.30 in UTC
TABLE = {
    "closed": 0.5,
    "waitlist": 2.0,
    "assessment": 0.5,
    "language": 1.0,
    "fee": 1.0,
    "reliability": 0.5,
    "congestion": 0.5,
    "eligibility_unknown": 0.3,
    "capacity_unknown": 0.1,
    "unverified": 0.1,
    "data_quality_most": 0.5,
}
CLOSED_NOW = OpeningRow(freq="WEEKLY", byday="SU", opens_at="08:00", closes_at="10:00")
OPEN_NOW = OpeningRow(freq="DAILY", opens_at="00:00", closes_at="23:59")

latitudes = st.one_of(st.floats(-90, 90), st.sampled_from([-90.0, 90.0, 0.0, -6.99]))
longitudes = st.one_of(st.floats(-180, 180), st.sampled_from([-180.0, 180.0, 110.42]))
points = st.tuples(latitudes, longitudes)
areas = st.sampled_from(["33.74", "33.22", "94.01"])
ids = st.integers(0, 2**32).map(lambda number: UUID(int=number))


@st.composite
def offers(draw: st.DrawFn) -> Offer:
    placed = draw(st.sampled_from([True, True, True, False]))
    # Few points, so that some offers share one.
    point = draw(st.one_of(points, st.sampled_from([(-7.0, 110.4), (-7.1, 110.3)])))
    few = st.none() | st.just(())
    due = draw(st.sampled_from([0, 0, 8]))
    return Offer(
        service_at_location_id=draw(st.uuids()),
        service_id=draw(ids),
        organization_id=draw(st.sampled_from([UUID(int=1), UUID(int=2)])),
        categories=draw(
            st.sampled_from([{"HE05": True}, {"HE05": False}, {"HE05": True, "HE01": True}])
        ),
        active=draw(st.sampled_from([True, True, True, False])),
        latitude=point[0] if placed else None,
        longitude=point[1] if placed else None,
        precision_km=draw(st.sampled_from([0.0, 0.5, 4.0, 30.0])),
        confidential=draw(st.sampled_from([False, False, True])),
        area_code=draw(st.none() | areas),
        remote=draw(st.sampled_from([None, None, None, "phone"])),
        service_areas=draw(st.sampled_from([(), ("*",), ("33.74",)])),
        assumed_area=draw(st.none() | areas),
        minimum_age=draw(st.sampled_from([None, 0, 12])),
        maximum_age=draw(st.sampled_from([None, 18, 60])),
        sex=draw(few | st.just(("female",))),
        desil=draw(few | st.just((5,))),
        disability=draw(few | st.just(("visual",))),
        documents=draw(few | st.just((Document("KTP", "KTP", None),))),
        languages=draw(st.sampled_from([None, ("ind",), ("jav",)])),
        access=draw(st.sampled_from([(), ("physical",)])),
        fee=draw(st.sampled_from([None, True, False])),
        capacity=draw(
            st.sampled_from(
                [None, "capacity", "no-capacity", "waitlist", "additional-assessment-required"]
            )
        ),
        capacity_at=AT - timedelta(days=draw(st.sampled_from([0, 29, 31]))),
        capacity_maximum=draw(st.sampled_from([None, 10.0])),
        hours=draw(st.sampled_from([(), (OPEN_NOW,), (CLOSED_NOW,)])),
        assured_on=draw(st.sampled_from([None, date(2026, 1, 1), date(2020, 1, 1)])),
        due=due,
        in_time=draw(st.integers(0, due)),
        open_referrals=draw(st.sampled_from([0, 4, 40])),
    )


@st.composite
def queries(draw: st.DrawFn) -> Query:
    near = draw(st.none() | points)
    return Query(
        need=draw(st.sampled_from(["HE05", "HE"])),
        at=AT,
        near=near,
        precision_km=draw(st.sampled_from([0.0, 4.0])),
        place=draw(st.none() | areas.map(lambda code: Place(code, code, 4.0))),
        registered_in=draw(st.none() | areas),
        age=draw(st.sampled_from([None, 3, 16, 70])),
        sex=draw(st.sampled_from([None, "female", "male"])),
        desil=draw(st.sampled_from([None, 3, 8])),
        disability=draw(st.sampled_from([(), ("physical",), ("visual",)])),
        language=draw(st.sampled_from([(), ("jav",)])),
        documents_lacking=draw(st.sampled_from([(), ("KTP",)])),
        urgency=draw(st.sampled_from(["emergency", "urgent", "routine"])),
        within=draw(st.sampled_from([None, 5.0, 500.0])),
        limit=draw(st.integers(1, 6)),
        is_group=draw(st.booleans()),
        able_to_pay=draw(st.sampled_from([None, True, False])),
    )


def ranked(query: Query, some: list[Offer], **more: Any) -> Ranking:
    return rank(query, some, TABLE, need_id="need", **more)


# The oracle: domain.md's words once more, written without looking at the implementation's shape.


def oracle_km(a: tuple[float, float], b: tuple[float, float]) -> float:
    """Angle between unit vectors, by arctangent: another road to the haversine's answer."""

    def vector(point: tuple[float, float]) -> tuple[float, float, float]:
        lat, lon = math.radians(point[0]), math.radians(point[1])
        return math.cos(lat) * math.cos(lon), math.cos(lat) * math.sin(lon), math.sin(lat)

    (ax, ay, az), (bx, by, bz) = vector(a), vector(b)
    cross = math.hypot(ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx)
    return 6371.009 * math.atan2(cross, ax * bx + ay * by + az * bz)


def oracle_gates(q: Query, o: Offer, order_km: float | None) -> dict[str, str]:
    said: dict[str, str] = {}
    bases = [o.categories[c] for c in o.categories if c == q.need or c.startswith(q.need)]
    said["category"] = "pass" if True in bases else "unknown"
    said["active"] = "pass" if o.active else "fail"
    if q.urgency == "emergency" or "*" in o.service_areas:
        said["jurisdiction"] = "pass"
    elif o.service_areas:
        said["jurisdiction"] = (
            "unknown"
            if q.registered_in is None
            else "pass"
            if q.registered_in in o.service_areas
            else "fail"
        )
    elif o.assumed_area:
        said["jurisdiction"] = "pass" if q.registered_in == o.assumed_area else "unknown"
    else:
        said["jurisdiction"] = "unknown"
    if not q.is_group:
        low, high = o.minimum_age, o.maximum_age
        if low == 0 and high is None:
            said["age"] = "pass"
        elif (low is None and high is None) or q.age is None:
            said["age"] = "unknown"
        else:
            fits = q.age >= (low or 0) and q.age <= (999 if high is None else high)
            said["age"] = "pass" if fits else "fail"

        def listed(values: tuple[Any, ...] | None, fits: bool | None) -> str:
            if values is None:
                return "unknown"
            if values == ():
                return "pass"
            return "unknown" if fits is None else "pass" if fits else "fail"

        said["sex"] = listed(o.sex, None if q.sex is None else q.sex == "female")
        said["desil"] = listed(o.desil, None if q.desil is None else q.desil <= 5)
        said["disability"] = listed(
            o.disability, None if not q.disability else "visual" in q.disability
        )
        if q.urgency == "emergency":
            said["documents"] = "pass"
        else:
            said["documents"] = listed(o.documents, "KTP" not in q.documents_lacking)
        if o.remote or not set(q.disability):
            said["accessibility"] = "pass"
        else:
            said["accessibility"] = "pass" if set(q.disability) <= set(o.access) else "unknown"
    if q.within is None or o.remote:
        said["within"] = "pass"
    elif order_km is None or o.confidential:
        said["within"] = "unknown"
    else:
        said["within"] = "pass" if order_km <= q.within else "fail"
    return said


def oracle(q: Query, everyone: list[Offer]) -> tuple[float, list[tuple[Any, ...]]]:
    """Local step and the on-site options in order: (id, group, km, effective km)."""
    due = sum(o.due for o in everyone)
    m = sum(o.in_time for o in everyone) / due if due else 0.0
    fits = []
    for o in everyone:
        if o.remote:
            continue
        km = order_km = None
        if q.near is not None and o.latitude is not None and o.longitude is not None:
            km = oracle_km(q.near, (o.latitude, o.longitude))
            order_km = max(km, (q.precision_km + o.precision_km) / 2)
        said = oracle_gates(q, o, order_km)
        if "fail" not in said.values():
            fits.append((o, km, order_km, said))
    kms = sorted(km for o, km, _, _ in fits if km is not None and not o.confidential)
    step = 10.0 if not kms else kms[2] if len(kms) > 2 else kms[-1]
    step = min(40.0, max(1.0, step))
    rows = []
    for o, km, order_km, said in fits:
        fresh = o.capacity is not None and o.capacity_at is not None
        fresh = fresh and (AT - o.capacity_at).days <= 30  # type: ignore[operator]
        capacity = o.capacity if fresh else None
        closed = o.hours == (CLOSED_NOW,)
        poor = not (q.able_to_pay if q.able_to_pay is not None else (q.desil or 0) > 5)
        total = 0.5 * closed + 2 * (capacity == "waitlist")
        total += 0.5 * (capacity == "additional-assessment-required")
        total += 1.0 * bool(q.language and o.languages and not set(q.language) & set(o.languages))
        total += 1.0 * (o.fee is True and poor)
        if o.due:
            total += 0.5 * (1 - (o.in_time + 10 * m) / (o.due + 10))
        if o.capacity_maximum:
            total += 0.5 * min(1, o.open_referrals / o.capacity_maximum)
        asked = [said[rule] for rule in said if rule not in ("active", "within")]
        quality = 0.3 * ("unknown" in asked) + 0.1 * (capacity is None)
        quality += 0.1 * (o.assured_on is None or (AT.date() - o.assured_on).days > 365)
        total += min(0.5, quality)
        other = (
            o.assumed_area and not o.service_areas and q.registered_in not in (None, o.assumed_area)
        )
        group = 1 if other and q.urgency != "emergency" else 0
        if capacity == "no-capacity" or (q.urgency == "emergency" and closed):
            group = 2
        if o.latitude is None:
            group = 3
        effective = None if order_km is None else order_km + step * total
        here, there = (q.place.code if q.place else "?").split("."), (o.area_code or "!").split(".")
        levels = 3 - (2 if here == there else 1 if here[0] == there[0] else 0)
        key = (group, levels, total) if effective is None else (group, effective, 0)
        tie = sha256(f"need:{o.service_at_location_id}".encode()).hexdigest()
        shown_km = None if o.confidential else km
        rows.append((key, tie, (o.service_at_location_id, group, shown_km, effective)))
    return step, [row for _, _, row in sorted(rows, key=lambda row: row[:2])]


#: What it takes that a gate no longer fails, the smallest change first, as docs/matching.md has it.
SMALLEST_FIRST = [
    "open_only",
    "free_only",
    "documents",
    "within",
    "accessibility",
    "jurisdiction",
    "desil",
    "age",
    "active",
    "disability",
    "sex",
    "category",
]


def near_miss_key(q: Query, o: Offer, failed: tuple[str, ...]) -> tuple[float, ...]:
    hardest = max(SMALLEST_FIRST.index(rule) for rule in failed)
    years = 0.0
    if SMALLEST_FIRST[hardest] == "age" and q.age is not None:
        years = max((o.minimum_age or 0) - q.age, q.age - (o.maximum_age or q.age))
    km = math.inf
    if q.near is not None and o.latitude is not None and o.longitude is not None and not o.remote:
        km = round(oracle_km(q.near, (o.latitude, o.longitude)), 6)
    return len(failed), hardest, years, km


def close(a: float | None, b: float | None) -> bool:
    return a is b is None or (a is not None and b is not None and abs(a - b) < 1e-4)


@settings(max_examples=300, deadline=None)
@given(queries(), st.lists(offers(), max_size=12, unique_by=lambda o: o.service_at_location_id))
def test_the_order_is_the_one_the_rules_give(query: Query, some: list[Offer]) -> None:
    ranking = ranked(query, some)
    step, expected = oracle(query, some)

    assert close(ranking.step_km, step)
    assert len(ranking.options) == min(query.limit, len(expected))
    for one, (site_id, group, km, effective_km) in zip(ranking.options, expected, strict=False):
        same_place = one.offer.service_at_location_id == site_id
        # The two roads to the km differ in the last digits, which may swap what they make equal.
        assert same_place or close(one.effective_km, effective_km)
        assert one.group == group
        if same_place:
            assert close(one.km, km)
            assert close(one.effective_km, effective_km)


@settings(max_examples=200, deadline=None)
@given(queries(), st.lists(offers(), max_size=12, unique_by=lambda o: o.service_at_location_id))
def test_everybody_is_in_exactly_one_list_and_every_verdict_is_explained(
    query: Query, some: list[Offer]
) -> None:
    everything = ranked(_with_limit(query, 50), some)

    listed = [
        one.offer.service_at_location_id
        for part in (everything.options, everything.remote, everything.why_not)
        for one in part
    ]
    assert sorted(listed) == sorted(offer.service_at_location_id for offer in some)
    for one in everything.why_not:
        km = None if one.km is None else max(one.km, (one.precision_km or 0) / 2)
        said = oracle_gates(query, one.offer, km)
        assert {rule for rule, verdict in said.items() if verdict == "fail"} == set(one.failed)
    keys = [near_miss_key(query, one.offer, one.failed) for one in everything.why_not]
    assert keys == sorted(keys)
    assert everything.why_not_total == len(everything.why_not)


@settings(max_examples=150, deadline=None)
@given(queries(), st.lists(offers(), max_size=8, unique_by=lambda o: o.service_at_location_id))
def test_a_receipt_follows_from_its_own_numbers_and_speaks_both_languages(
    query: Query, some: list[Offer]
) -> None:
    content = receipt(query, some)

    assert recomputed(content) == []
    assert query_of(content) == query
    for lang in LANGUAGES:
        assert printed(content, lang)["coverage"]


@settings(max_examples=150, deadline=None)
@given(queries(), st.lists(offers(), max_size=8, unique_by=lambda o: o.service_at_location_id))
def test_whom_the_client_must_not_meet_is_in_no_list_and_no_count(
    query: Query, some: list[Offer]
) -> None:
    kept_out = frozenset({UUID(int=1)})
    others = [offer for offer in some if offer.organization_id not in kept_out]

    assert ranked(query, some, kept_out=kept_out) == ranked(query, others)


@settings(max_examples=150, deadline=None)
@given(queries(), st.lists(offers(), max_size=8, unique_by=lambda o: o.service_at_location_id))
def test_a_confidential_place_prints_no_distance(query: Query, some: list[Offer]) -> None:
    content = receipt(query, some)

    hidden = {str(o.service_at_location_id) for o in some if o.confidential}
    for part in ("options", "remote", "why_not"):
        for one in content[part]:
            if one["service_at_location_id"] in hidden:
                assert one["distance_km"] is None
                assert one["distance_band"] is None


def receipt(query: Query, some: list[Offer]) -> dict[str, Any]:
    return content_of(
        query,
        ranked(query, some),
        {o.service_at_location_id: Listed("Layanan", "Lembaga", None, None) for o in some},
        need_id="need",
        zone="UTC",
        rules_version=1,
        table_version=1,
        table=TABLE,
        directory_version=1,
    )


def _with_limit(query: Query, limit: int) -> Query:
    return Query(**query.__dict__ | {"limit": limit})


def plain(number: int, km_north: float, **facts: Any) -> Offer:
    known: dict[str, Any] = {
        "service_at_location_id": UUID(int=number),
        "service_id": UUID(int=number),
        "organization_id": UUID(int=number),
        "categories": {"HE05": True},
        "latitude": km_north / (6371.009 * math.pi / 180),
        "longitude": 0.0,
    }
    return Offer(**known | facts)


EQUATOR = Query(need="HE05", at=AT, near=(0.0, 0.0))


@pytest.mark.parametrize(
    ("kms", "step"),
    [
        ([], 10.0),
        ([3.0], 3.0),
        ([9.0, 3.0], 9.0),
        ([9.0, 3.0, 5.0, 20.0], 9.0),
        ([0.1] * 3, 1.0),
        ([99.0], 40.0),
    ],
)
def test_the_local_step_is_the_km_to_the_third_nearest_between_1_and_40(
    kms: list[float], step: float
) -> None:
    assert local_step_km(kms) == step


def test_a_waiting_list_counts_as_two_local_steps() -> None:
    near = plain(1, 2, capacity="waitlist", capacity_at=AT)
    middle, far = plain(2, 4), plain(3, 6)

    ranking = ranked(EQUATOR, [near, middle, far])

    assert ranking.step_km == pytest.approx(6.0)
    assert [one.offer for one in ranking.options] == [middle, far, near]
    # 2 km, two steps for the list, 0.3 for conditions not known, 0.1 for a listing never verified
    assert ranking.options[2].effective_km == pytest.approx(2 + 6 * (2 + 0.3 + 0.1))


def test_a_full_service_stays_an_option_after_all_that_have_room() -> None:
    full = plain(1, 1, capacity="no-capacity", capacity_at=AT)
    far = plain(2, 300)

    assert [one.group for one in ranked(EQUATOR, [full, far]).options] == [0, 2]


def test_an_old_word_on_room_is_not_known_any_more() -> None:
    old = plain(1, 1, capacity="no-capacity", capacity_at=AT - timedelta(days=31))

    (one,) = ranked(EQUATOR, [old]).options

    assert one.group == 0
    assert "capacity_unknown" in [penalty.rule for penalty in one.penalties]


def test_full_until_a_day_holds_until_that_day_however_old_the_word_is() -> None:
    told = {"capacity": "no-capacity", "capacity_at": AT - timedelta(days=90)}

    groups = [
        ranked(EQUATOR, [plain(1, 1, capacity_until=until, **told)]).options[0].group
        for until in (AT.date(), AT.date() - timedelta(days=1))
    ]

    assert groups == [2, 0]


def test_places_known_only_by_area_are_a_range_and_never_at_0_km() -> None:
    by_area = plain(1, 0, precision_km=8.0)

    (one,) = ranked(Query(need="HE05", at=AT, near=(0.0, 0.0), precision_km=6.0), [by_area]).options

    assert one.band == (0.0, 14.0)
    assert one.effective_km is not None
    assert one.effective_km >= 7.0


def test_without_position_an_offer_is_listed_by_area_and_never_dropped() -> None:
    asked = Query(need="HE05", at=AT, near=(0.0, 0.0), place=Place("33.74.11", "x", 4.0))
    nowhere: dict[str, Any] = {"latitude": None, "longitude": None}
    same_regency = plain(1, 0, area_code="33.74", **nowhere)
    elsewhere = plain(2, 0, area_code="94.01", **nowhere)
    far = plain(3, 900)

    ranking = ranked(asked, [elsewhere, same_regency, far])

    assert [one.offer for one in ranking.options] == [far, same_regency, elsewhere]
    assert [one.group for one in ranking.options] == [0, 3, 3]


def test_remote_help_stands_beside_and_never_among_the_places() -> None:
    hotline = plain(1, 0, remote="phone")
    place = plain(2, 5)

    ranking = ranked(EQUATOR, [hotline, place])

    assert [one.offer for one in ranking.options] == [place]
    assert [(one.offer, one.km, one.effective_km) for one in ranking.remote] == [
        (hotline, None, None)
    ]


def test_the_mother_of_29_finds_day_care_for_her_child_of_3() -> None:
    day_care = plain(1, 1, minimum_age=0, maximum_age=6)

    assert ranked(Query(need="HE05", at=AT, near=(0.0, 0.0), age=3), [day_care]).options
    assert not ranked(Query(need="HE05", at=AT, near=(0.0, 0.0), age=29), [day_care]).options


def test_a_near_miss_says_what_would_have_to_change() -> None:
    for_elders = plain(1, 1, minimum_age=60)

    (miss,) = ranked(Query(need="HE05", at=AT, near=(0.0, 0.0), age=16), [for_elders]).why_not

    assert miss.failed == ("age",)
    assert [render(change, "en") for change in miss.would_fit_if] == [
        "the person were 60 years or older"
    ]


def test_near_misses_stand_by_the_smallest_change_before_they_stand_by_km() -> None:
    """Fewest gates that fail; of these the smallest change; of equal ones the fewest years off, then the nearest."""
    asked = Query(
        need="HE05",
        at=AT,
        near=(0.0, 0.0),
        age=16,
        sex="male",
        desil=8,
        within=20.0,
        documents_lacking=("KTP",),
    )
    ktp = (Document("KTP", "KTP", None),)
    for_women = plain(1, 1, sex=("female",))
    for_elders = plain(2, 2, minimum_age=60)
    far = plain(3, 61)
    farther = plain(4, 75)
    from_17 = plain(5, 9, minimum_age=17)
    with_papers = plain(6, 19, documents=ktp)
    for_the_poor = plain(7, 3, desil=(4,))
    closed_down = plain(8, 4, active=False)
    far_with_papers = plain(9, 25, documents=ktp)
    far_for_women = plain(10, 21, sex=("female",))
    shuffled = [for_women, far, farther, from_17, for_elders, far_for_women, with_papers]

    misses = ranked(asked, [*shuffled, for_the_poor, closed_down, far_with_papers]).why_not

    assert [one.offer for one in misses] == [
        with_papers,
        far,
        farther,
        for_the_poor,
        from_17,
        for_elders,
        closed_down,
        for_women,
        far_with_papers,
        far_for_women,
    ]
    assert [render(change, "en") for one in misses[1:9:7] for change in one.would_fit_if] == [
        "the client could travel 61 km, 41 km farther",
        "the person had National identity card (KTP)",
        "the client could travel 25 km, 5 km farther",
    ]


def test_a_near_miss_in_the_wrong_place_is_found() -> None:
    asked = Query(need="HE05", at=AT, near=(0.0, 0.0), age=16, within=20.0)
    some = [plain(1, 61), plain(2, 75), plain(3, 2, minimum_age=60)]
    content = receipt(asked, some)
    assert recomputed(content) == []

    for shuffled in ([1, 0, 2], [2, 0, 1]):
        wrong = content | {"why_not": [content["why_not"][at] for at in shuffled]}
        assert [one.number for one in recomputed(wrong)] == ["order"]


HOLIDAY = date(2026, 3, 2)


@pytest.mark.parametrize(
    ("closed_on_holidays", "options", "outcome"),
    [(True, 0, "fail"), (False, 1, "pass"), (None, 1, "unknown")],
)
def test_who_asks_for_what_is_open_is_told_of_the_public_holiday(
    closed_on_holidays: bool | None, options: int, outcome: str
) -> None:
    """Open on that weekday, but the day is a holiday: the same answer as the penalty for being closed."""
    row = replace(
        OpeningRow(freq="DAILY", opens_at="00:00", closes_at="12:00"),
        closed_on_holidays=closed_on_holidays,
    )
    asked = Query(need="HE05", at=AT, near=(0.0, 0.0), open_only=True)

    ranking = ranked(asked, [plain(1, 1, hours=(row,))], holidays=frozenset({HOLIDAY}))

    assert len(ranking.options) == options
    (one,) = ranking.options or ranking.why_not
    (verdict,) = [verdict for verdict in one.verdicts if verdict.rule == "open_only"]
    assert verdict.outcome.value == outcome
    assert [penalty.rule for penalty in one.penalties if penalty.rule == "closed"] == (
        ["closed"] if outcome == "fail" else []
    )
    for lang in LANGUAGES:
        assert render(verdict.message, lang)
        assert all(render(change, lang) for change in one.would_fit_if)


TOWN = {"area_code": "33.22"}
NAMES = {"33.22": "Kabupaten Semarang"}


@pytest.mark.parametrize(
    ("some", "facts", "sentences"),
    [
        (
            [],
            {},
            (
                "Untuk Layanan kesehatan jiwa: direktori belum memuat satu layanan pun.",
                "For Mental health care: the directory holds no service yet.",
            ),
        ),
        (
            [plain(1, 3, **TOWN)],
            {},
            (
                "1 layanan bisa jadi pilihan; yang terdekat berjarak 3 km di Kabupaten Semarang, garis lurus.",
                "1 service is an option; the nearest is 3 km away in Kabupaten Semarang, in a straight line.",
            ),
        ),
        (
            [plain(1, 61, **TOWN), plain(2, 70)],
            {},
            (
                "Tidak ada dalam 25 km; yang terdekat berjarak 61 km di Kabupaten Semarang, garis lurus."
                " 2 layanan bisa jadi pilihan.",
                "None within 25 km; the nearest is 61 km away in Kabupaten Semarang, in a straight line."
                " 2 services are options.",
            ),
        ),
        (
            [plain(1, 61, **TOWN), plain(2, 70)],
            {"within": 25.0},
            (
                "Untuk Layanan kesehatan jiwa: tidak ada dalam 25 km; yang terdekat berjarak"
                " 61 km di Kabupaten Semarang, garis lurus.",
                "For Mental health care: none within 25 km; the nearest is 61 km away in"
                " Kabupaten Semarang, in a straight line.",
            ),
        ),
        (
            [plain(1, 61, **TOWN), plain(2, 1, remote="phone")],
            {"within": 25.0},
            (
                "Untuk Layanan kesehatan jiwa: tidak ada dalam 25 km; yang terdekat berjarak"
                " 61 km di Kabupaten Semarang, garis lurus. 1 layanan bisa dihubungi dari jauh.",
                "For Mental health care: none within 25 km; the nearest is 61 km away in"
                " Kabupaten Semarang, in a straight line. 1 service can be reached from afar.",
            ),
        ),
        (
            [plain(1, 61, precision_km=8.0, **TOWN)],
            {"within": 25.0, "precision_km": 4.0},
            (
                "Untuk Layanan kesehatan jiwa: tidak ada dalam 25 km; yang terdekat berjarak"
                " 61 km di Kabupaten Semarang, kira-kira dan garis lurus.",
                "For Mental health care: none within 25 km; the nearest is 61 km away in"
                " Kabupaten Semarang, roughly and in a straight line.",
            ),
        ),
        (
            [plain(1, 3, **TOWN)],
            {"routes": (Route("33.22", 74.0, "boat"),)},
            (
                "Tidak ada dalam 25 km; yang terdekat berjarak 74 km di Kabupaten Semarang,"
                " lewat jalan yang diketahui kantor. 1 layanan bisa jadi pilihan.",
                "None within 25 km; the nearest is 74 km away in Kabupaten Semarang,"
                " by the way your office knows. 1 service is an option.",
            ),
        ),
        (
            [plain(1, 3, active=False)],
            {},
            (
                "Untuk Layanan kesehatan jiwa: tidak ada yang cocok dari 1 layanan yang diperiksa;"
                " ada syarat yang tidak terpenuhi.",
                "For Mental health care: none of the 1 service looked at fits; some condition is not met.",
            ),
        ),
        (
            [plain(1, 3, remote="phone")],
            {},
            (
                "Untuk Layanan kesehatan jiwa: tidak ada tempat yang bisa didatangi;"
                " 1 layanan bisa dihubungi dari jauh.",
                "For Mental health care: there is no place to go to;"
                " 1 service can be reached from afar.",
            ),
        ),
        # a refuge is a count and nothing else: not where, not how far, not "the nearest"
        (
            [plain(1, 3, confidential=True, **TOWN)],
            {},
            (
                "1 layanan bisa jadi pilihan; jaraknya tidak bisa disebut.",
                "1 service is an option; its distance can't be told.",
            ),
        ),
        (
            [plain(1, 3, confidential=True, active=False), plain(2, 61, **TOWN)],
            {"within": 25.0},
            (
                "Untuk Layanan kesehatan jiwa: tidak ada dalam 25 km; yang terdekat berjarak"
                " 61 km di Kabupaten Semarang, garis lurus.",
                "For Mental health care: none within 25 km; the nearest is 61 km away in"
                " Kabupaten Semarang, in a straight line.",
            ),
        ),
    ],
)
def test_one_sentence_says_how_well_the_need_is_covered(
    some: list[Offer], facts: dict[str, Any], sentences: tuple[str, str]
) -> None:
    asked = Query(**{"need": "HE05", "at": AT, "near": (0.0, 0.0)} | facts)

    sentence = ranked(asked, some, names=lambda code: NAMES[code]).coverage

    assert tuple(render(sentence, lang) for lang in LANGUAGES) == sentences


def test_the_example_in_the_documentation_comes_out_as_written() -> None:
    known: dict[str, Any] = {
        "service_areas": ("*",),
        "minimum_age": 0,
        "sex": (),
        "desil": (),
        "disability": (),
        "documents": (),
        "capacity_at": AT,
        "assured_on": date(2026, 1, 10),
        "precision_km": 0.5,
    }
    a = plain(1, 0, latitude=-6.99, longitude=110.438, capacity="waitlist", **known)
    b = plain(2, 0, latitude=-7.035, longitude=110.42, capacity="capacity", **known)
    c = plain(3, 0, latitude=-6.99, longitude=110.51, precision_km=0.5)

    ranking = ranked(Query(need="HE05", at=AT, near=(-6.99, 110.42), age=16), [a, b, c])

    assert round(ranking.step_km, 3) == 9.933
    assert [
        (one.offer, round(one.km or 0, 3), round(one.effective_km or 0, 3))
        for one in ranking.options
    ] == [(b, 5.004, 5.004), (c, 9.933, 14.9), (a, 1.987, 21.853)]
