"""Waiting times and spread are counted once in a quarter, from files that are opened and dropped."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from referral.accounts.models import Office, Role, User
from referral.casework import operations as casework
from referral.casework.models import Case, Client, ClientKind, Urgency
from referral.changes.actors import SYSTEM
from referral.changes.models import AuditEntry
from referral.directory.models import AnswerMode, ServiceAtLocation, ServiceCapacity
from referral.extensions import db
from referral.planning.fairness import releases as fairness
from referral.planning.fairness.models import FairnessRelease
from referral.referrals.lifecycle import Actor, Event, Status
from referral.referrals.models import Channel, Referral, ReferralStep
from tests.factories import Make

Send = Callable[..., Referral]


@pytest.fixture
def send(session: Session, make: Make, now: datetime) -> Send:
    """Saves a referral that was sent so many days ago, and what came of it so many days later."""
    numbers = iter(range(1, 10_000))

    def make_one(
        site: ServiceAtLocation,
        *,
        case: Case | None = None,
        broker: User | None = None,
        days_ago: int = 10,
        decided: int | None = None,
        met: int | None = None,
        facts: dict[str, Any] | None = None,
        age_band: str | None = "25-59",
        area: str | None = "33.74",
        **values: Any,
    ) -> Referral:
        if case is None:
            broker = broker or make.user()
            case = make.case(broker=broker, client=make.client(broker.office, facts=facts or {}))
        sent_at = now - timedelta(days=days_ago)
        number = next(numbers)
        defaults: dict[str, Any] = {
            "number": f"R-2026-{number:05}",
            "office_id": case.office_id,
            "case": case,
            "need": make.need(case),
            "client_id": case.client_id,
            "service": site.service,
            "organization_id": site.service.organization_id,
            "status": Status.REQUESTED,
            "priority": Urgency.ROUTINE,
            "answer_mode": AnswerMode.REPLIES,
            "created_at": sent_at,
            "requested_at": sent_at,
            "decided_at": None if decided is None else sent_at + timedelta(days=decided),
            "first_contact_on": None if met is None else (sent_at + timedelta(days=met)).date(),
            "blind_card": {"age_band": age_band, "area_code": area},
        }
        referral = Referral(key=case.key, **defaults | values)
        session.add(referral)
        session.flush()
        return referral

    return make_one


def started(session: Session, referral: Referral, at: datetime) -> None:
    session.add(
        ReferralStep(
            key=referral.key,
            referral_id=referral.id,
            event=Event.START,
            from_status=Status.ACCEPTED,
            to_status=Status.IN_PROGRESS,
            actor=Actor.AGENCY,
            channel=Channel.WEB,
            at=at,
        )
    )
    session.flush()


def counted(session: Session, office: Office | None, now: datetime) -> dict[str, Any]:
    """As the job counts: in a session of its own."""
    session.commit()
    with db.sessionmaker() as own:
        content = fairness.counted(own, office and office.id, threshold=5, now=now)
    assert content is not None
    return content


def row(content: dict[str, Any], cut: str, group: str, measure: str = "decision") -> dict[str, Any]:
    rows = content["waiting"][measure][cut]["groups"]
    found: dict[str, Any] = next(one for one in rows if one["group"] == group)
    return found


def test_women_and_men_are_told_apart_by_what_is_sealed_in_their_files(
    session: Session, make: Make, send: Send, now: datetime
) -> None:
    site, broker = make.service(), make.user()
    for days in range(12):
        facts = {"sex": "female", "disability": ["physical"]}
        send(site, broker=broker, days_ago=40, decided=9 + days % 3, facts=facts)
        send(site, broker=broker, days_ago=40, decided=2 + days % 2, facts={"sex": "male"})

    content = counted(session, broker.office, now)

    assert row(content, "sex", "female")["median"]["12"] == {"days": 10}
    assert row(content, "sex", "male")["bands"]["12"] == [6, 6, 0, 0, 0, 0, 0]
    assert content["waiting"]["decision"]["sex"]["compared"]["3"] == {
        "slow": "female",
        "fast": "male",
        "differs": True,
    }
    assert row(content, "disability", "recorded")["people"]["3"] == 12
    assert row(content, "area", "33.74")["people"] == {"3": 24, "6": 24, "12": 24}


def test_somebody_erased_counts_as_not_known_and_a_group_of_people_too(
    session: Session, make: Make, send: Send, now: datetime
) -> None:
    site, broker = make.service(), make.user()
    for _ in range(6):
        case = send(site, broker=broker, decided=1, facts={"sex": "female"}).case
        casework.erase_client(session, case.client, by=broker, now=now)
    for _ in range(5):
        client = make.client(broker.office, kind=ClientKind.COMMUNITY)
        send(site, case=make.case(broker=broker, client=client), decided=1)
    for _ in range(5):
        case = make.case(broker=broker)
        village = make.beneficiary(case, kind="group", facts={"sex": "male"})
        send(site, case=case, need=make.need(case, beneficiary=village), decided=1)

    content = counted(session, broker.office, now)

    for cut in ("sex", "age", "disability"):
        groups = content["waiting"]["decision"][cut]["groups"]
        assert [one["group"] for one in groups] == ["unknown"]
    assert row(content, "sex", "unknown")["people"]["12"] == 16
    assert row(content, "area", "33.74")["people"]["12"] == 16


def test_a_need_of_a_child_counts_the_child_s_facts_and_its_parent_once(
    session: Session, make: Make, send: Send, now: datetime
) -> None:
    site, broker = make.service(), make.user()
    for _ in range(11):
        case = make.case(broker=broker, client=make.client(broker.office, facts={"sex": "female"}))
        for days_ago in (30, 20, 10):
            child = make.beneficiary(case, facts={"sex": "male"})
            need = make.need(case, beneficiary=child)
            send(site, case=case, need=need, days_ago=days_ago, decided=1, age_band="6-12")

    content = counted(session, broker.office, now)

    assert [one["group"] for one in content["waiting"]["decision"]["sex"]["groups"]] == ["male"]
    assert row(content, "age", "0-17")["people"]["12"] == 11
    assert content["spread"][0]["people"]["12"] == 11


def test_first_contact_is_the_day_it_took_place_and_not_the_day_it_was_planned(
    session: Session, make: Make, send: Send, now: datetime
) -> None:
    site, broker = make.service(), make.user()
    given = {"broker": broker, "days_ago": 40, "decided": 1}
    for _ in range(5):
        send(site, **given, met=4, status=Status.ACCEPTED)
        started(session, send(site, **given, met=4, status=Status.IN_PROGRESS), now)
        done_on = (now - timedelta(days=20)).date()
        send(site, **given, met=4, status=Status.COMPLETED, outcome_on=done_on, ended_at=now)
        send(site, **given, status=Status.FAILED, ended_at=now)

    content = counted(session, broker.office, now)

    assert row(content, "everybody", "everybody", "contact")["bands"]["12"] == [0, 5, 0, 5, 0, 5, 5]
    assert row(content, "everybody", "everybody")["bands"]["12"] == [20, 0, 0, 0, 0, 0, 0]


def test_a_walk_in_service_has_no_waiting_time_but_its_share(
    session: Session, make: Make, send: Send, now: datetime
) -> None:
    busy, quiet, broker = make.service(), make.service(), make.user()
    session.add(ServiceCapacity(service_id=busy.service_id, maximum=20, updated=now))
    for _ in range(12):
        send(busy, broker=broker, decided=1)
    for _ in range(6):
        send(quiet, broker=broker, answer_mode=AnswerMode.WALK_IN)

    content = counted(session, broker.office, now)

    assert row(content, "everybody", "everybody")["people"]["12"] == 12
    (category,) = content["spread"]
    agencies = {one["name"]: (one["people"]["12"], one["room"]) for one in category["agencies"]}
    assert agencies == {
        busy.service.organization.name: (12, 20),
        quiet.service.organization.name: (6, None),
    }
    assert (category["category"], category["people"]["12"], category["room"]) == ("HE05", 18, 20)
    assert category["offering"] == 2


def test_an_office_counts_its_own_people_and_all_offices_count_everybody(
    session: Session, make: Make, send: Send, now: datetime
) -> None:
    site, one, other = make.service(), make.user(), make.user()
    for broker in (one, other):
        for _ in range(10):
            send(site, broker=broker, decided=1)
    send(site, broker=one, status=Status.ENTERED_IN_ERROR)
    send(site, broker=one, days_ago=400)
    send(site, broker=one, status=Status.DRAFT, requested_at=None)

    assert row(counted(session, one.office, now), "sex", "unknown")["people"]["12"] == 10
    assert row(counted(session, None, now), "sex", "unknown")["people"]["12"] == 20


def test_nine_people_are_too_few_for_any_figure(
    session: Session, make: Make, send: Send, now: datetime
) -> None:
    site, broker = make.service(), make.user()
    for _ in range(9):
        send(site, broker=broker, decided=1)
    assert broker.office is not None

    assert fairness.counted(session, broker.office.id, threshold=5, now=now) is None


def test_a_quarter_has_one_release_and_it_stays_as_it_is(
    session: Session, make: Make, now: datetime
) -> None:
    office = make.office()
    make.user(office=office)
    given = {"threshold": 5, "by": SYSTEM}
    assert set(fairness.due(session, now=now)) >= {None, office.id}

    made = fairness.publish(session, office.id, {"first": 1}, now=now, **given)  # type: ignore[arg-type]
    for_all = fairness.publish(session, None, {"all": 1}, now=now, **given)  # type: ignore[arg-type]
    later = now + timedelta(days=20)
    again = fairness.publish(session, office.id, {"second": 2}, now=later, **given)  # type: ignore[arg-type]
    all_again = fairness.publish(session, None, {"second": 2}, now=later, **given)  # type: ignore[arg-type]

    assert (again, all_again) == (None, None)
    assert made is not None
    assert for_all is not None
    assert not {None, office.id} & set(fairness.due(session, now=later))
    next_quarter = datetime(2026, 4, 1, tzinfo=now.tzinfo)
    assert {None, office.id} <= set(fairness.due(session, now=next_quarter))
    third = fairness.publish(session, office.id, {"third": 3}, now=next_quarter, **given)  # type: ignore[arg-type]
    supervisor = make.user(Role.SUPERVISOR, office=office)
    assert fairness.latest(session, supervisor) == third
    assert fairness.latest(session, make.user(Role.PLANNER)) == for_all
    entries = session.scalars(
        select(AuditEntry).where(AuditEntry.action == "fairness.made").order_by(AuditEntry.seq)
    ).all()
    assert [(one.actor_role, one.client_id) for one in entries] == [("system", None)] * 3


def test_nobody_else_reads_a_release(session: Session, make: Make, now: datetime) -> None:
    session.add(
        FairnessRelease(office_id=None, quarter="2026-Q1", made_at=now, threshold=5, content={})
    )
    session.flush()

    roles = (Role.BROKER, Role.AGENCY, Role.ADMINISTRATOR, Role.SUPERVISOR)
    assert [fairness.latest(session, make.user(role)) for role in roles] == [None] * 4


def test_what_was_opened_to_be_counted_is_not_kept_in_the_session(
    session: Session, make: Make, send: Send, now: datetime
) -> None:
    site, broker = make.service(), make.user()
    for _ in range(10):
        send(site, broker=broker, decided=1, facts={"sex": "female"})
    session.commit()

    with db.sessionmaker() as own:
        content = fairness.counted(own, None, threshold=5, now=now)
        kept = [one for one in own if isinstance(one, Client)]

    assert kept == []
    assert content is not None
    ids = [str(client_id) for client_id in session.scalars(select(Client.id))]
    assert not [one for one in ids if one in str(content)]


def test_an_area_with_few_people_is_counted_with_its_province_or_with_the_rest() -> None:
    codes = ["33.74"] * 12 + ["33.75"] * 6 + ["33.76"] * 5 + ["32.01"] * 3 + ["unknown"]

    assert fairness._areas(codes, 10) == {
        "33.74": "33.74",
        "33.75": "33+",
        "33.76": "33+",
        "32.01": "+",
        "unknown": "unknown",
    }


def test_however_many_areas_there_are_the_table_stays_one_that_can_be_read() -> None:
    codes = [f"{province}.{area:02}" for province in range(11, 40) for area in range(9)] * 30

    groups = fairness._areas(codes, 10)

    assert (groups["11.03"], groups["39.01"], groups["unknown"]) == ("11", "+", "unknown")
    assert len(set(groups.values())) == fairness.AREAS_MOST + 1
