"""Rule changes rehearsed on those who asked: groups made once from sealed receipts, and nothing written by trying."""

from collections import Counter
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from referral.accounts.models import Role, User
from referral.casework.operations import erase_client
from referral.changes.models import ChangeRecord
from referral.directory.models import ServiceAtLocation
from referral.directory.upkeep import listings
from referral.matching import operations
from referral.matching.facts import Place, Query
from referral.planning.rehearsal import freezing, rehearsing
from referral.planning.rehearsal.models import AskerGroup
from tests.factories import SEMARANG, Make

QUARTER = "2026-Q1"


def asked(session: Session, make: Make, broker: User, **facts: Any) -> None:
    """One client of the broker who asked for help with a child's mind, near the middle of Semarang."""
    case = make.case(broker=broker)
    given: dict[str, Any] = {
        "need": "HE05",
        "at": make.now.astimezone(ZoneInfo("Asia/Jakarta")),
        "near": SEMARANG,
        "place": Place("33.74.11", "Banyumanik", 4.0),
        "registered_in": "33.74",
    }
    operations.match(
        session,
        Query(**given | facts),
        by=broker,
        now=make.now,
        office=case.office,
        case=case,
        need=make.need(case),
    )


@pytest.fixture
def broker(make: Make) -> User:
    return make.user()


def frozen(session: Session, make: Make, least: int = 5) -> list[tuple[dict[str, str], int]]:
    now = make.now + timedelta(minutes=1)
    facts = freezing.facts_of(session, now=now)
    freezing.freeze(session, facts, quarter=QUARTER, least=least, now=now)
    rows = session.scalars(select(AskerGroup).where(AskerGroup.quarter == QUARTER))
    return sorted(((row.facts, row.people) for row in rows), key=lambda one: -one[1])


def test_who_asked_stands_in_groups_and_too_few_tell_nothing_of_themselves(
    session: Session, make: Make, broker: User
) -> None:
    for age in (7, 8, 9, 10, 11, 12):
        asked(session, make, broker, age=age, sex="female")
    for age in (30, 33):
        asked(session, make, broker, age=age, sex="male", disability=("hearing",))

    groups = frozen(session, make)

    shared = {"province": "33", "regency": "33.74", "registered": "33.74"}
    assert [(facts | {"when": None}, people) for facts, people in groups] == [
        (shared | {"when": None}, 8)
    ]
    assert not session.scalars(select(AskerGroup.facts)).first().keys() & {"disability", "sex"}  # type: ignore[union-attr]


def test_groups_less_the_published_figure_tell_nobody_how_many_are_in_danger(
    session: Session, make: Make, broker: User
) -> None:
    for _each in range(6):
        asked(session, make, broker, age=9)
    asked(session, make, broker, age=9, sex="female", disability=("hearing",), violence=True)

    groups = frozen(session, make)

    told = [(facts["regency"], people) for facts, people in groups]
    assert sum(people for _regency, people in told) == 7
    assert {regency for regency, _people in told} == {"33.74"}


def test_of_who_is_in_danger_nothing_but_the_area_is_told(
    session: Session, make: Make, broker: User
) -> None:
    for _each in range(5):
        asked(session, make, broker, age=9, sex="female", disability=("hearing",), violence=True)

    assert frozen(session, make) == [({"province": "33", "regency": "33.74"}, 5)]


def test_erased_people_and_later_questions_are_left_out(
    session: Session, make: Make, broker: User
) -> None:
    for _each in range(5):
        asked(session, make, broker, age=9)
    asked(session, make, broker, age=9)
    last = session.scalars(
        select(operations.MatchReceipt).order_by(operations.MatchReceipt.id.desc())
    ).first()
    case = last and session.get(operations.Case, last.case_id)
    assert case is not None
    erase_client(
        session, case.client, by=make.user(Role.SUPERVISOR, office=case.office), now=make.now
    )

    assert sum(people for _facts, people in frozen(session, make)) == 5
    assert not freezing.is_due(session, QUARTER)
    assert freezing.facts_of(session, now=make.now + timedelta(days=1)) == {}


@pytest.fixture
def listed(session: Session, make: Make) -> ServiceAtLocation:
    return make.service("HE05", minimum_age=0, maximum_age=12)


def test_a_raised_age_gains_those_who_were_too_old_and_names_the_gap(
    session: Session, make: Make, broker: User, listed: ServiceAtLocation
) -> None:
    for age, people in ((9, 6), (15, 7)):
        for _each in range(people):
            asked(session, make, broker, age=age)
    service_id = listed.service_id
    frozen(session, make)
    now = listings.values_of(listings.get(session, service_id))["eligibility"]

    change = rehearsing.written(
        session, service_id, {"eligibility": now | {"maximum_age": 17}}, by=broker, now=make.now
    )

    found = rehearsing.rehearse(session, change, now=make.now)

    assert (found.tried.asked, found.tried.before, found.tried.after) == (13, 6, 13)
    assert found.tried.gained == Counter({("33.74", "HE05"): 7})
    assert found.tried.because == Counter({"age": 7})
    assert [(cell.area, cell.category, cell.people, cell.is_gained) for cell in found.cells] == [
        ("33.74", "HE05", 7, True)
    ]
    assert (found.quarters, found.least) == ([QUARTER], 6)


def test_rolled_back_a_rehearsal_leaves_nothing(
    session: Session, make: Make, broker: User, listed: ServiceAtLocation
) -> None:
    records = session.scalar(select(func.count()).select_from(ChangeRecord))
    values = {"service_areas": ["33.74"], "status": "inactive"}

    with session.begin_nested() as point:
        rehearsing.written(session, listed.service_id, values, by=broker, now=make.now)
        point.rollback()

    session.expire_all()
    assert session.scalar(select(func.count()).select_from(ChangeRecord)) == records
    assert listings.values_of(listed.service)["status"] == "active"
