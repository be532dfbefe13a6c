"""A synthetic directory and queries from a fixed seed: 80 categories by Zipf's law, clustered like towns."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import numpy as np

from referral.directory.opening import OpeningRow
from referral.directory.reference import taxonomy
from referral.matching.facts import Document, Offer, Place, Query, Route
from referral.matching.penalties import DATA_QUALITY_MOST

AT = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)  # a Monday morning in Jakarta
TOWNS = 500
#: The steps of each penalty, as the shipped table has them.
STEPS = {
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
    DATA_QUALITY_MOST: 0.5,
}
_HOURS = [
    (),
    (OpeningRow(freq="WEEKLY", byday="MO,TU,WE,TH,FR", opens_at="08:00", closes_at="16:00"),),
    (OpeningRow(freq="DAILY", opens_at="00:00", closes_at="23:59"),),
    (
        OpeningRow(freq="WEEKLY", byday="MO,TU,WE,TH", opens_at="07:30", closes_at="14:00"),
        OpeningRow(freq="WEEKLY", byday="FR", opens_at="07:30", closes_at="11:00"),
        OpeningRow(freq="WEEKLY", byday="SA", opens_at="07:30", closes_at="12:30"),
    ),
    (OpeningRow(freq="MONTHLY", byday="1SA", opens_at="09:00", closes_at="12:00"),),
]
_AGES = [(None, None), (0.0, None), (0.0, 17.0), (18.0, None), (60.0, None), (15.0, 35.0)]
_SEXES = [None, None, (), ("female",), ("male",)]
_DESIL = [None, None, (), (4,), (5,)]
_DISABILITIES = [None, None, (), ("any",), ("physical", "visual"), ("intellectual",)]
_PAPERS = [
    None,
    None,
    (),
    (Document("KTP", "KTP", "Dukcapil"), Document("KK", "KK", None)),
    (Document("DTSEN", "DTSEN", None),),
]
_LANGUAGES = [None, None, ("ind",), ("ind", "jav"), ("ins",)]
_ROOM = [None, None, None, "capacity", "no-capacity", "waitlist", "additional-assessment-required"]


def towns(draw: np.random.Generator) -> Any:
    """Latitude, longitude and weight of towns across the archipelago."""
    latitude, longitude = draw.uniform(-10.5, 5.5, TOWNS), draw.uniform(95.5, 140.5, TOWNS)
    weight = 1 / np.arange(1, TOWNS + 1)
    return np.stack([latitude, longitude], axis=1), weight / weight.sum()


def offers(count: int, seed: int) -> Iterator[Offer]:
    """`count` offers, one after the other."""
    draw = np.random.default_rng(seed)
    centres, weight = towns(draw)
    leaves = [term.code for term in taxonomy() if term.level > 1]
    zipf = 1 / np.arange(1, len(leaves) + 1)
    zipf /= zipf.sum()
    words = draw.integers(0, 2**63, (count, 2)).tolist()
    town = draw.choice(TOWNS, count, p=weight).tolist()
    kinds = draw.choice(len(leaves), (count, 2), p=zipf).tolist()
    away = draw.normal(0, 0.12, (count, 2))
    point = np.clip(centres[town] + away, [-90, -180], [90, 180]).tolist()
    dice = draw.integers(0, 2**31, (count, 20)).tolist()
    for number in range(count):
        d = dice[number]
        categories = {leaves[kinds[number][0]]: d[0] % 4 != 0}
        if d[1] % 3 == 0:
            categories[leaves[kinds[number][1]]] = d[1] % 2 == 0
        area = f"{11 + town[number] % 38}.{1 + town[number] % 30:02}"
        low, high = _AGES[d[2] % 6]
        remote = "phone" if d[3] % 100 == 0 else None
        placed = d[4] % 40 != 0 and remote is None
        room = _ROOM[d[5] % 7]
        told = AT - timedelta(days=d[6] % 60, hours=d[6] % 24)
        identifier = UUID(int=words[number][0] << 64 | words[number][1])
        yield Offer(
            service_at_location_id=identifier,
            service_id=UUID(int=identifier.int ^ 1),
            organization_id=UUID(int=number // 3),
            categories=categories,
            active=d[7] % 20 != 0,
            latitude=point[number][0] if placed else None,
            longitude=point[number][1] if placed else None,
            precision_km=(0.0, 0.5, 0.5, 6.0)[d[8] % 4],
            confidential=d[9] % 200 == 0,
            area_code=area,
            remote=remote,
            service_areas=((area,), (), (), ("*",))[d[10] % 4],
            assumed_area=area if d[11] % 5 == 0 else None,
            residency=(None, None, None, (area,))[d[11] % 4],
            minimum_age=low,
            maximum_age=high,
            sex=_SEXES[d[12] % 5],
            desil=_DESIL[d[13] % 5],
            disability=_DISABILITIES[d[13] % 6],
            documents=_PAPERS[d[14] % 5],
            languages=_LANGUAGES[d[14] % 7 % 5],
            interprets=d[15] % 50 == 0,
            access=((), (), ("physical",), ("physical", "visual"))[d[15] % 4],
            no_access=((), (), (), ("physical",))[d[16] % 4] if d[15] % 4 < 2 else (),
            fee=(None, None, True, False)[d[16] % 4],
            capacity=room,
            capacity_at=told if room else None,
            capacity_until=told.date() + timedelta(days=d[6] % 90)
            if room and d[6] % 5 == 0
            else None,
            capacity_maximum=float(5 + d[17] % 40) if d[17] % 3 == 0 else None,
            hours=_HOURS[d[18] % 5],
            assured_on=date(2026, 11, 1) - timedelta(days=d[19] % 900) if d[19] % 2 else None,
            due=d[17] % 12 if d[18] % 4 == 0 else 0,
            in_time=d[17] % 12 // 2 if d[18] % 4 == 0 else 0,
            open_referrals=d[19] % 9 if d[17] % 3 == 0 else 0,
            unsafe_with_violence=d[10] % 30 == 0,
        )


def queries(count: int, seed: int, *, hard: bool = False) -> Iterator[Query]:
    """`count` queries near towns; `hard` ones also ask what is rare: limits, poles, whole domains."""
    draw = np.random.default_rng(seed)
    centres, weight = towns(np.random.default_rng(seed - 1))
    leaves = [term.code for term in taxonomy() if term.level > 1]
    domains = sorted({code[:2] for code in leaves})
    zipf = 1 / np.arange(1, len(leaves) + 1)
    zipf /= zipf.sum()
    for _ in range(count):
        town = int(draw.choice(TOWNS, p=weight))
        near = (centres[town] + draw.normal(0, 0.15, 2)).tolist()
        d = draw.integers(0, 2**31, 18 if hard else 16).tolist()
        area = f"{11 + town % 38}.{1 + town % 30:02}"
        need = leaves[int(draw.choice(len(leaves), p=zipf))]
        if hard:
            need = domains[d[0] % len(domains)] if d[0] % 5 == 0 else need
            near = [near, near, near, [90.0, 0.0], [-90.0, 12.0], [0.0, 180.0], [-6.9, -179.9]][
                d[1] % 7
            ]
        yield Query(
            need=need,
            at=AT + timedelta(minutes=d[2] % 10_080),
            near=None if hard and d[3] % 15 == 0 else (near[0], near[1]),
            precision_km=(0.0, 0.0, 4.0)[d[4] % 3],
            place=Place(area, area, 4.0) if d[4] % 3 else None,
            registered_in=area if d[5] % 4 else None,
            age=d[6] % 90 if d[6] % 5 else None,
            sex=(None, "female", "male")[d[7] % 3],
            desil=d[8] % 10 + 1 if d[8] % 3 else None,
            disability=((), (), (), ("physical",), ("intellectual", "visual"))[d[9] % 5],
            language=((), (), ("ind",), ("jav",))[d[10] % 4],
            documents_lacking=((), (), ("KTP",), ("KK", "DTSEN"))[d[11] % 4],
            urgency=("routine", "routine", "urgent", "emergency")[d[12] % 4],
            within=(None, None, None, 5.0, 25.0, 400.0)[d[13] % 6] if hard else None,
            is_group=d[14] % 20 == 0,
            violence=d[14] % 9 == 0,
            open_only=hard and d[15] % 12 == 0,
            free_only=hard and d[15] % 10 == 0,
            limit=(20, 20, 5, 100)[d[15] % 4] if hard else 20,
            routes=_routes(area, town, d[16], d[17]) if hard else (),
        )


def _routes(area: str, town: int, dice: int, km: int) -> tuple[Route, ...]:
    """Ways known to the area itself, its province, or a neighbour; to one of them twice."""
    province, neighbour = area[:2], f"{11 + (town + 1) % 38}.{1 + (town + 1) % 30:02}"
    codes = ((), (), (area,), (province,), (province, area), (neighbour, area, area))[dice % 6]
    lengths = (0.5, 3.0, 30.0, 120.0, 900.0)
    return tuple(
        Route(code, lengths[(km + number) % len(lengths)], "boat")
        for number, code in enumerate(codes)
    )
