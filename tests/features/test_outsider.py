"""Somebody outside works an answer out again, number by number, with nothing but what is public.

What they have: the answer as printed, the public directory (where places are), the published point of each
kab/kota, and docs/matching.md. No code of ours is used for the reckoning.
"""

import hashlib
import json
import math
import random
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from referral.directory.models import (
    CapacityStatus,
    CategoryBasis,
    CostOption,
    Language,
    Location,
    Remote,
    Schedule,
    ServiceArea,
    ServiceAtLocation,
    ServiceCapacity,
)
from referral.matching import operations, queries
from referral.matching.facts import Place, Query, Route
from referral.matching.models import PenaltyTable, ServiceStanding
from referral.matching.receipts import printed
from referral.matching.recomputing import recomputed
from referral.places.queries import gazetteer
from tests.factories import Make

REGENCIES = ("33.74", "33.22", "33.73", "35.78")
Public = dict[str, Any]


@pytest.fixture
def directory(session: Session, make: Make, now: datetime) -> list[ServiceAtLocation]:
    """Sixty services of every kind, some at one point."""
    chance = random.Random(4)
    sites = []
    for number in range(60):
        at = (-7 + chance.choice([0, 0.01, 0.3, 2]) * chance.random(), 110.4 + chance.random() / 2)
        if number % 9 == 0:
            at = (-6.99, 110.42)
        site = make.service(
            "HE05",
            name=f"Layanan {number}",
            at=None if number % 11 == 5 else at,
            basis=chance.choice([CategoryBasis.STATED, CategoryBasis.INFERRED]),
            confidential=number % 10 == 7,
            remote=Remote.PHONE if number % 13 == 6 else None,
            facility_type=chance.choice([None, "UPTD_PPA"]),
            minimum_age=chance.choice([None, 0, 12, 60]),
            assured_date=chance.choice([None, date(2026, 2, 1), date(2024, 1, 1)]),
        )
        assert site.location is not None
        site.location.area_code = chance.choice([*REGENCIES, None])
        site.location.precision_km = chance.choice([0.0, 0.5, 4.0, 9.0])
        service_id = site.service_id
        if chance.random() < 0.4:
            session.add(CostOption(service_id=service_id, amount=50_000, currency="IDR"))
        if chance.random() < 0.4:
            session.add(Language(service_id=service_id, code=chance.choice(["ind", "jav"])))
        if chance.random() < 0.5:
            session.add(ServiceArea(service_id=service_id, area_code=chance.choice(REGENCIES)))
        if chance.random() < 0.7:
            session.add(
                ServiceCapacity(
                    service_id=service_id,
                    status=chance.choice(list(CapacityStatus)),
                    maximum=chance.choice([None, 10]),
                    updated=now - timedelta(days=chance.choice([1, 60])),
                )
            )
        if chance.random() < 0.6:
            days = chance.choice(["MO", "TU,WE"])
            session.add(
                Schedule(
                    service_id=service_id,
                    freq="WEEKLY",
                    byday=days,
                    opens_at="08:00",
                    closes_at="15:00",
                )
            )
        if chance.random() < 0.6:
            due = chance.randint(0, 9)
            session.add(
                ServiceStanding(
                    service_id=service_id,
                    due=due,
                    in_time=chance.randint(0, due),
                    open_referrals=chance.choice([0, 3, 30]),
                )
            )
        sites.append(site)
    session.flush()
    return sites


def test_anybody_can_work_every_number_out_again(
    session: Session, make: Make, directory: Any, now: datetime
) -> None:
    chance = random.Random(5)
    office = make.office()
    places = gazetteer(session)
    published = {code: places.locate(code) for code in REGENCIES}
    if None in published.values():
        pytest.skip("this gazetteer does not place every regency of the test")
    points = {code: (at.latitude, at.longitude) for code, at in published.items() if at}
    public = public_directory(session)
    shown, seen = 0, {"routes": 0, "confidential": 0, "groups": set(), "rules": set()}
    for turn in range(40):
        if turn == 20:  # the office changes its table
            shared = queries.shared_table(session).steps
            steps = {rule: chance.randint(0, 300) / 100 for rule in shared}
            steps["data_quality_most"] = 0.35
            session.add(
                PenaltyTable(
                    office_id=office.id,
                    number=1,
                    steps=steps,
                    created_at=now,
                    by_id=make.user().id,
                    reason="uji",
                )
            )
            session.flush()
        query = a_query(chance, now, points)
        content = operations.answer(
            session, query, zone="Asia/Jakarta", office_id=office.id, now=now
        )
        answer = json.loads(json.dumps(printed(content, "en")))

        Outsider(answer, public, points, need_id="").check()

        located = {code: (*point, 0.0) for code, point in points.items()}
        assert recomputed(content, located.get) == []
        shown += len(answer["options"])
        seen["routes"] += sum(one["route"] is not None for one in answer["options"])
        seen["confidential"] += sum(
            one["measured_from_area"] is not None for one in answer["options"]
        )
        seen["groups"] |= {one["group"] for one in answer["options"]}
        seen["rules"] |= {p["rule"] for one in answer["options"] for p in one["penalties"]}

    assert shown > 500
    assert seen["routes"] > 20
    assert seen["confidential"] > 20
    assert seen["groups"] == {0, 1, 2, 3}
    assert len(seen["rules"]) == 10


def a_query(chance: random.Random, now: datetime, points: dict[str, Any]) -> Query:
    at = now.astimezone(ZoneInfo("Asia/Jakarta")) + timedelta(hours=chance.choice([0, 8, 24]))
    code = chance.choice(REGENCIES)
    by_area = chance.random() < 0.3
    routes = tuple(
        Route(to, chance.choice([5.0, 80.0, 300.0]), "memutar teluk")
        for to in chance.sample(REGENCIES, chance.randint(0, 2))
    )
    return Query(
        need="HE05",
        at=at,
        near=points[code] if by_area else (-7 + chance.random() / 5, 110.3 + chance.random() / 3),
        precision_km=4.0 if by_area else 0.0,
        place=Place(code, code, 4.0) if by_area else None,
        registered_in=chance.choice([None, *REGENCIES]),
        age=chance.choice([None, 5, 16, 70]),
        desil=chance.choice([None, 3, 8]),
        language=chance.choice([(), ("jav",)]),
        urgency=chance.choice(["emergency", "routine"]),
        within=chance.choice([None, None, 20.0]),
        limit=200,
        routes=routes,
    )


def public_directory(session: Session) -> Public:
    """Where places are, as the public export has it: of a confidential place only that it is one."""
    rows = session.execute(
        select(
            ServiceAtLocation.id,
            Location.latitude,
            Location.longitude,
            Location.precision_km,
            Location.confidential,
            Location.area_code,
        ).join(Location, Location.id == ServiceAtLocation.location_id)
    )
    return {
        str(row[0]): {
            "point": None if row[4] or row[1] is None else (row[1], row[2]),
            "precision_km": row[3],
            "area": row[5],
        }
        for row in rows
    }


# The outsider's own reckoning ---------------------------------------------------------------------

CLOSED = ("match.fact.opens_", "match.fact.closed_")


class Outsider:
    """Works one printed answer out again."""

    def __init__(self, answer: Any, public: Public, points: Any, *, need_id: str) -> None:
        self.answer, self.public, self.points, self.need_id = answer, public, points, need_id
        self.query, self.table = answer["query"], answer["penalty_table"]["steps"]
        self.at = datetime.fromisoformat(self.query["at"])

    def check(self) -> None:
        step = self.step()
        assert abs(step - self.query["step_km"]) < 0.001
        for one in (*self.answer["options"], *self.answer["remote"], *self.answer["why_not"]):
            self.check_penalties(one, step)
            self.check_numbers(one, step)
        for one in (*self.answer["options"], *self.answer["remote"]):
            assert self.failed(one) == []
            assert one["group"] == self.group(one), one["name"]
        for one in self.answer["why_not"]:
            assert sorted(one["failed"]) == sorted(self.failed(one)) != []
        self.check_order(step)
        assert self.answer["why_not_total"] == len(self.answer["why_not"])

    def tie(self, one: Any) -> str:
        text = f"{self.need_id}:{one['service_at_location_id']}"
        return hashlib.sha256(text.encode()).hexdigest()

    def km(self, one: Any) -> float | None:
        """Unrounded; of a confidential place from the public point of its kab/kota."""
        place = self.public[one["service_at_location_id"]]
        point = place["point"]
        if one["measured_from_area"] is not None:
            point = self.points[one["measured_from_area"]]
        elif one["distance_km"] is None:
            return None
        if point is None or self.query["near"] is None:
            return None
        straight = haversine(self.query["near"], point)
        way = self.way_to(one["measured_from_area"] or place["area"] or "")
        if one["measured_from_area"] is None and one in self.answer["options"]:
            assert (one["route"] and one["route"]["km"]) == way
        return max(straight, way or 0.0)

    def way_to(self, area: str) -> float | None:
        """The way the office knows to the smallest area that holds this one, of equals the shortest."""
        known = [
            (-len(route["to_code"]), route["km"])
            for route in self.answer["routes"]
            if area == route["to_code"] or area.startswith(route["to_code"] + ".")
        ]
        return min(known)[1] if known else None

    def order_km(self, one: Any) -> float | None:
        km = self.km(one)
        return None if km is None else max(km, one["precision_km"] / 2)

    def step(self) -> float:
        tellable = sorted(
            km
            for one in self.answer["options"]
            if one["distance_km"] is not None and (km := self.km(one)) is not None
        )
        step = tellable[:3][-1] if tellable else 10.0
        return min(max(step, 1.0), 40.0)

    def check_numbers(self, one: Any, step: float) -> None:
        km = self.km(one)
        if one["measured_from_area"] is not None:
            assert (one["distance_km"], one["distance_band"], one["straight_km"]) == (None,) * 3
        elif km is not None:
            assert abs(km - one["distance_km"]) < 0.001
            wide = one["precision_km"] > 1
            assert (one["distance_band"] is not None) == wide
            if wide:
                low, high = one["distance_band"]
                assert abs(low - max(0, km - one["precision_km"])) < 0.001
                assert abs(high - (km + one["precision_km"])) < 0.001
        effective = self.effective(one, step)
        if effective is None:
            assert one["effective_km"] is None
        else:
            assert abs(effective - one["effective_km"]) < 0.001

    def steps(self, one: Any) -> float:
        return sum(self.expected_penalties(one).values())

    def effective(self, one: Any, step: float) -> float | None:
        order_km = self.order_km(one)
        return None if order_km is None else order_km + step * self.steps(one)

    def fact(self, one: Any, *beginnings: str) -> Any:
        keys = [fact for fact in one["facts"] if fact["key"].startswith(beginnings)]
        return keys[0] if keys else None

    def is_closed(self, one: Any) -> bool:
        # The first that is said of the hours is about the asked time.
        return self.fact(one, "match.fact.") == self.fact(one, *CLOSED)

    def expected_penalties(self, one: Any) -> dict[str, float]:
        """Rule → steps, from what the answer says of the service and the person."""
        said = {penalty["rule"]: penalty for penalty in one["penalties"]}
        found: dict[str, float] = {}
        if self.is_closed(one):
            found["closed"] = 1.0
        if self.fact(one, "match.fact.room.waitlist"):
            found["waitlist"] = 1.0
        if self.fact(one, "match.fact.room.additional-assessment-required"):
            found["assessment"] = 1.0
        if "language" in said:  # the sentence names both sides
            params = said["language"]["params"]
            assert params["spoken"] != params["needed"]
            found["language"] = 1.0
        is_poor = self.query["desil"] is None or self.query["desil"] <= 5
        if self.fact(one, "match.fact.costs") and is_poor:
            found["fee"] = 1.0
        if "reliability" in said:
            params, mean = said["reliability"]["params"], self.answer["answered_in_time"]
            found["reliability"] = 1 - (params["in_time"] + 10 * mean) / (params["due"] + 10)
        if "congestion" in said:
            params = said["congestion"]["params"]
            found["congestion"] = min(1.0, params["open"] / params["maximum"])
        steps = {rule: self.table[rule] * share for rule, share in found.items()}
        room = self.table["data_quality_most"]
        for rule in self.not_known(one):
            steps[rule] = min(self.table[rule], room)
            room -= steps[rule]
        return {rule: value for rule, value in steps.items() if value > 0}

    def not_known(self, one: Any) -> list[str]:
        rules = []
        conditions = [v for v in one["verdicts"] if v["rule"] not in ("active", "within")]
        if any(verdict["verdict"] == "unknown" for verdict in conditions):
            rules.append("eligibility_unknown")
        if not self.fact(one, "match.fact.room."):
            rules.append("capacity_unknown")
        verified = self.fact(one, "match.fact.verified")
        day = date.fromisoformat(verified["params"]["on"]["day"]) if verified else None
        if day is None or self.at.date() - day > timedelta(days=365):
            rules.append("unverified")
        return rules

    def check_penalties(self, one: Any, step: float) -> None:
        expected = self.expected_penalties(one)
        printed_steps = {penalty["rule"]: penalty["steps"] for penalty in one["penalties"]}
        assert printed_steps.keys() == expected.keys(), one["name"]
        for penalty in one["penalties"]:
            assert abs(penalty["steps"] - expected[penalty["rule"]]) < 0.0001
            assert abs(penalty["km"] - expected[penalty["rule"]] * step) < 0.001

    def failed(self, one: Any) -> list[str]:
        return [verdict["rule"] for verdict in one["verdicts"] if verdict["verdict"] == "fail"]

    def group(self, one: Any) -> int:
        is_placed = one["distance_km"] is not None or one["measured_from_area"] is not None
        if not is_placed and one not in self.answer["remote"]:
            return 3
        is_emergency = self.query["urgency"] == "emergency"
        if self.fact(one, "match.fact.room.no-capacity") or (is_emergency and self.is_closed(one)):
            return 2
        keys = {verdict["key"] for verdict in one["verdicts"]}
        return 1 if "match.jurisdiction.assumed_other" in keys else 0

    def check_order(self, step: float) -> None:
        def options(one: Any) -> tuple[Any, ...]:
            effective = self.effective(one, step)
            if effective is None:
                return (one["group"], self.levels(one), self.steps(one), self.tie(one))
            return (one["group"], effective, self.tie(one))

        def remote(one: Any) -> tuple[Any, ...]:
            return (one["group"], self.steps(one), self.tie(one))

        def near_misses(one: Any) -> tuple[Any, ...]:
            km = self.km(one)
            far = math.inf if km is None else km
            return (len(one["failed"]), one["change"], far, self.tie(one))

        for part, key in (("options", options), ("remote", remote)):
            assert self.answer[part] == sorted(self.answer[part], key=key)
        assert self.answer["why_not"] == sorted(self.answer["why_not"], key=near_misses)

    def levels(self, one: Any) -> int:
        """How many levels up the person's area and the place's meet."""
        here = (self.query["place"]["code"] if self.query["place"] else "").split(".")
        there = (self.public[one["service_at_location_id"]]["area"] or "").split(".")
        shared = 0
        for ours, theirs in zip(here, there, strict=False):
            if not ours or ours != theirs:
                break
            shared += 1
        return 3 - min(shared, 3)


def haversine(a: Any, b: Any) -> float:
    (lat1, lon1), (lat2, lon2) = (map(math.radians, point) for point in (a, b))
    half = (
        math.sin((lat2 - lat1) / 2) ** 2
        + math.cos(lat1) * math.cos(lat2) * math.sin((lon2 - lon1) / 2) ** 2
    )
    return 2 * 6371.009 * math.asin(math.sqrt(half))
