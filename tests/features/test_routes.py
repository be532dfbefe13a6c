"""A way that an office knows counts in its matches, and is never shorter than the straight line."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from referral.accounts.models import Office, Role, User
from referral.changes.models import AuditEntry
from referral.core.errors import Invalid, NotFound
from referral.matching import operations, routes
from referral.matching.facts import Place, Query, Route
from referral.matching.models import KnownRoute
from referral.matching.receipts import printed, query_of
from referral.matching.recomputing import recomputed
from referral.places.gazetteer import Gazetteer
from referral.places.gazetteer import Place as Area
from tests.factories import SEMARANG, Make

#: Two islands 111 km apart: a kecamatan on each, known to 5 and 10 km.
PLACES = Gazetteer(
    [
        Area("81", 1, "Maluku", None, -3.0, 128.0, 200.0),
        Area("81.01", 2, "Kabupaten A", "81", -3.0, 127.0, 30.0),
        Area("81.01.01", 3, "Dermaga", "81.01", -3.0, 127.0, 5.0),
        Area("81.71", 2, "Kota B", "81", -3.0, 128.0, 10.0),
        Area("81.72", 2, "Kota C", "81"),
    ]
)
NEXT_DOOR = Place("33.22", "Kabupaten Semarang", 4.0)


def enter(session: Session, by: User, now: datetime, **values: Any) -> list[KnownRoute]:
    given: dict[str, Any] = {
        "office": by.office,
        "from_code": "81.01.01",
        "to_code": "81.71",
        "km": 130.0,
        "how": "kapal Selasa dan Jumat, Rp 50.000",
        "both_ways": False,
    }
    return routes.enter(session, PLACES, **given | values, by=by, now=now)


def ends(session: Session, office: Office | None) -> list[tuple[str, str, float]]:
    assert office is not None
    return [(one.from_code, one.to_code, one.km) for one in routes.of_office(session, office.id)]


def test_a_way_is_kept_for_the_office_alone_and_audited(
    session: Session, make: Make, now: datetime
) -> None:
    broker, other = make.user(), make.user()

    (route,) = enter(session, broker, now)

    assert ends(session, broker.office) == [("81.01.01", "81.71", 130.0)]
    assert ends(session, other.office) == []
    with pytest.raises(NotFound):
        routes.get(session, other, route.id)
    entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "route.entered")).one()
    assert (entry.subject_id, entry.actor_id) == (route.id, broker.id)
    assert entry.details["km"] == 130.0


def test_both_ways_are_two_and_a_new_word_ends_the_old_one(
    session: Session, make: Make, now: datetime
) -> None:
    broker = make.user()
    enter(session, broker, now, both_ways=True)
    enter(session, broker, now, km=140.0)

    assert ends(session, broker.office) == [
        ("81.01.01", "81.71", 140.0),
        ("81.71", "81.01.01", 130.0),
    ]
    back = routes.of_office(session, broker.office_id)[1]  # type: ignore[arg-type]
    routes.end(session, back, by=broker, now=now)
    assert ends(session, broker.office) == [("81.01.01", "81.71", 140.0)]
    with pytest.raises(NotFound):
        routes.get(session, broker, back.id)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        # 111.0 km apart, less the 15 km that the two are known to: 96.0
        ({"km": 96.0}, "km"),
        ({"km": 0.0}, "km"),
        ({"km": float("nan")}, "km"),
        ({"km": 5_000.0}, "km"),
        ({"how": ""}, "how"),
        ({"to_code": "81.01"}, "to"),
        ({"from_code": "81.71"}, "to"),
    ],
)
def test_a_way_that_cannot_be_is_refused_beside_its_field(
    session: Session, make: Make, now: datetime, values: dict[str, Any], field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        enter(session, make.user(), now, **values)

    assert refused.value.field == field


def test_the_nearest_ends_of_two_areas_count(session: Session, make: Make, now: datetime) -> None:
    assert round(routes.least_km(PLACES, "81.01.01", "81.71"), 1) == 96.0
    # placed by its province, which reaches to the other end
    assert routes.least_km(PLACES, "81.01.01", "81.72") == 0.0
    assert enter(session, make.user(), now, km=96.1)
    assert enter(session, make.user(), now, to_code="81.72", km=1.0)


def test_the_smallest_area_around_the_place_counts_and_of_equal_ones_the_shortest(
    session: Session, make: Make, now: datetime
) -> None:
    broker = make.user()
    rows = [
        ("81.01", "81.71", 150.0, "from the regency"),
        ("81.01.01", "81.71", 130.0, "from the harbour"),
        ("81.01", "81.72", 90.0, "elsewhere"),
        ("81.72", "81.71", 20.0, "from another town"),
    ]
    for begins, leads, km, how in rows:
        enter(session, broker, now, from_code=begins, to_code=leads, km=km, how=how)

    def known(code: str | None) -> list[tuple[str, float, str]]:
        place = code and Place(code, code, 1.0)
        found = routes.known(session, broker.office_id, place or None)
        return [(route.to_code, route.km, route.how) for route in found]

    assert known("81.01.01") == [
        ("81.71", 130.0, "from the harbour"),
        ("81.72", 90.0, "elsewhere"),
    ]
    assert known("81.01.02") == [
        ("81.71", 150.0, "from the regency"),
        ("81.72", 90.0, "elsewhere"),
    ]
    assert known("81") == known(None) == []
    assert routes.known(session, None, Place("81.01", "A", 1.0)) == ()


def test_a_match_counts_the_way_its_office_knows_and_the_receipt_keeps_it(
    session: Session, make: Make, now: datetime
) -> None:
    broker = make.user()
    near = make.service("HE05")  # at the very point that is asked from
    session.add(
        KnownRoute(
            office_id=broker.office_id,
            from_code="33.22",
            to_code="33.74",
            km=74.0,
            how="lewat jembatan lama",
            created_at=now,
            by_id=broker.id,
        )
    )
    session.flush()
    at = now.astimezone(ZoneInfo("Asia/Jakarta"))
    query = Query(need="HE05", at=at, near=SEMARANG, place=NEXT_DOOR)

    receipt = operations.match(session, query, by=broker, now=now, office=broker.office)

    content = receipt.content
    (one,) = content["options"]
    assert one["service_at_location_id"] == str(near.id)
    assert (one["distance_km"], one["straight_km"]) == (74.0, 0.0)
    assert one["route"] == {"km": 74.0, "how": "lewat jembatan lama"}
    assert query_of(content).routes == (Route("33.74", 74.0, "lewat jembatan lama"),)
    assert recomputed(content) == []
    assert printed(content, "id")["options"][0]["way"] == (
        "Jalan yang diketahui kantor: 74 km, lewat jembatan lama. Garis lurusnya 0 km."
    )

    for route in routes.of_office(session, broker.office_id):
        routes.end(session, route, by=broker, now=now)
    again = operations.match(
        session, query_of(content), by=broker, now=now, office=broker.office
    ).content
    assert (again["options"][0]["distance_km"], again["options"][0]["route"]) == (0.0, None)


def test_a_need_asks_with_the_ways_of_its_case_s_office(
    session: Session, make: Make, now: datetime
) -> None:
    broker = make.user()
    client = make.client(broker.office, stays_at={"lat": -6.99, "lon": 110.42, "code": "33.74.11"})
    need = make.need(make.case(broker=broker, client=client))
    route = KnownRoute(
        office_id=broker.office_id,
        from_code="33.74",
        to_code="33.22",
        km=50.0,
        how="bus",
        created_at=now,
        by_id=make.user(Role.SUPERVISOR, office=broker.office).id,
    )
    session.add(route)
    session.flush()

    query = operations.query_for(session, need, now=now)

    known = query.place is not None and query.place.code.startswith("33.74")
    assert query.routes == ((Route("33.22", 50.0, "bus"),) if known else ())
