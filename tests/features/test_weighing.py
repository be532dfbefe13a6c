"""An office's penalties: versions of its own, back to those all share, and a rehearsal on its last searches."""

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from referral.accounts.models import Office, Role, User
from referral.casework.models import Exclusion
from referral.changes.directory import announce
from referral.changes.models import AuditEntry
from referral.core.errors import Invalid, Stale
from referral.directory.models import CostOption, Organization, Service, ServiceCapacity
from referral.matching import operations, queries, rehearsal, weighing
from referral.matching.facts import Query
from referral.matching.models import MatchReceipt, PenaltyTable
from referral.matching.reference import rules
from referral.matching.rehearsal import Change, OfCategory, rehearse
from tests.factories import SEMARANG, Make

NEAR, FAR = (-6.99, 110.438), (-7.035, 110.42)


@pytest.fixture
def office(make: Make) -> Office:
    return make.office()


@pytest.fixture
def supervisor(make: Make, office: Office) -> User:
    return make.user(Role.SUPERVISOR, office=office)


@pytest.fixture
def shared(session: Session) -> dict[str, float]:
    return dict(queries.shared_table(session).steps)


def changed(session: Session, office: Office, by: User, make: Make, **steps: float) -> PenaltyTable:
    own = queries.newest_own_table(session, office.id)
    return weighing.change(
        session,
        office,
        queries.penalty_table(session, office.id).steps | steps,
        based_on=own.number if own else 0,
        reason="alasan uji",
        by=by,
        now=make.now,
    )


def test_a_change_is_a_new_version_for_this_office_alone(
    session: Session, make: Make, office: Office, supervisor: User, shared: dict[str, float]
) -> None:
    table = changed(session, office, supervisor, make, fee=0.25)

    assert (table.number, table.office_id, table.by_id, table.reason, table.created_at) == (
        1,
        office.id,
        supervisor.id,
        "alasan uji",
        make.now,
    )
    assert queries.penalty_table(session, office.id).steps == shared | {"fee": 0.25}
    assert queries.penalty_table(session, make.office().id).steps == shared
    assert queries.penalty_table(session, None).steps == shared


def test_the_next_search_uses_it_and_its_receipt_names_it(
    session: Session, make: Make, office: Office, supervisor: User
) -> None:
    make.service()
    table = changed(session, office, supervisor, make, unverified=0)

    broker = make.user(office=office)
    receipt = operations.match(session, query(make), by=broker, now=make.now, office=office)

    assert receipt.penalty_table_id == table.id
    assert (receipt.content or {})["penalty_table"] == {"number": 1, "steps": table.steps}
    (option,) = (receipt.content or {})["options"]
    assert "unverified" not in {one["rule"] for one in option["penalties"]}


def query(make: Make, **facts: Any) -> Query:
    at = make.now.astimezone(ZoneInfo("Asia/Jakarta"))
    return Query(**{"need": "HE05", "at": at, "near": SEMARANG} | facts)


def test_the_shared_table_again_is_a_version_too_and_follows_what_all_share_later(
    session: Session, make: Make, office: Office, supervisor: User, shared: dict[str, float]
) -> None:
    changed(session, office, supervisor, make, fee=0.25)

    weighing.follow_shared(
        session, office, based_on=1, reason="kembali", by=supervisor, now=make.now
    )
    before = queries.penalty_table(session, office.id)
    later = before.created_at + timedelta(days=1)
    session.add(
        PenaltyTable(number=before.number + 1, steps=shared | {"fee": 3.0}, created_at=later)
    )
    session.flush()

    assert before.office_id is None
    assert queries.penalty_table(session, office.id).steps["fee"] == 3.0
    assert [
        (one.table.number, one.table.steps == {}, one.by, dict(one.differences))
        for one in weighing.history(session, office)
    ][1:] == [(1, False, supervisor.name, {"fee": (1.0, 0.25)})]


def test_every_version_tells_what_differs_from_the_one_before(
    session: Session, make: Make, office: Office, supervisor: User
) -> None:
    changed(session, office, supervisor, make, fee=0.25)
    changed(session, office, supervisor, make, fee=0.5, waitlist=3)

    assert [
        (one.table.number, dict(one.differences)) for one in weighing.history(session, office)
    ] == [
        (2, {"waitlist": (2.0, 3.0), "fee": (0.25, 0.5)}),
        (1, {"fee": (1.0, 0.25)}),
    ]


@pytest.mark.parametrize(
    ("steps", "field"),
    [
        ({"fee": -0.01}, "fee"),
        ({"fee": 20.01}, "fee"),
        ({"fee": 0.255}, "fee"),
        ({"fee": float("nan")}, "fee"),
        ({"fee": None}, "fee"),
        ({"data_quality_most": 2.01}, "data_quality_most"),
        ({}, "closed"),
    ],
)
def test_what_can_t_be_taken_is_said_at_its_rule(
    session: Session,
    make: Make,
    office: Office,
    supervisor: User,
    steps: dict[str, Any],
    field: str,
) -> None:
    with pytest.raises(Invalid) as refused:
        changed(session, office, supervisor, make, **steps)

    assert refused.value.field == field
    assert queries.newest_own_table(session, office.id) is None


@pytest.mark.parametrize("reason", ["", "  \n", "x" * 501])
def test_a_change_needs_a_reason(
    session: Session, make: Make, office: Office, supervisor: User, reason: str, shared: Any
) -> None:
    with pytest.raises(Invalid) as refused:
        weighing.change(
            session,
            office,
            shared | {"fee": 2.0},
            based_on=0,
            reason=reason,
            by=supervisor,
            now=make.now,
        )

    assert refused.value.field == "reason"


def test_who_was_slower_is_told(
    session: Session, make: Make, office: Office, supervisor: User, shared: Any
) -> None:
    changed(session, office, supervisor, make, fee=0.25)

    with pytest.raises(Stale):
        weighing.change(
            session,
            office,
            shared | {"fee": 2.0},
            based_on=0,
            reason="lama",
            by=supervisor,
            now=make.now,
        )
    assert len(queries.own_tables(session, office.id)) == 1


def test_a_change_is_in_the_audit_chain_with_its_numbers_and_without_its_words(
    session: Session, make: Make, office: Office, supervisor: User
) -> None:
    table = changed(session, office, supervisor, make, fee=0.25)

    entry = session.scalars(select(AuditEntry).order_by(AuditEntry.seq.desc())).first()
    assert entry is not None
    assert (entry.action, entry.subject_id, entry.actor_id, entry.client_id, entry.details) == (
        "penalties.changed",
        table.id,
        supervisor.id,
        None,
        {"number": 1, "steps": {"fee": [1.0, 0.25]}},
    )


# The rehearsal ------------------------------------------------------------------------------------


@pytest.fixture
def searched(session: Session, make: Make, office: Office) -> list[MatchReceipt]:
    """Six paid places nearby and one free one, farther; searched for twice, and something else once."""
    for number in range(6):
        site = make.service(name=f"Berbayar {number}", at=(-6.99 - number / 1000, 110.43))
        session.add(CostOption(service_id=site.service_id, amount=50_000, currency="IDR"))
    make.service(name="Gratis", at=(-6.99, 110.47))
    make.service("FC05", name="Lain")
    session.flush()
    broker = make.user(office=office)
    return [
        operations.match(
            session,
            query(make, need=need),
            by=broker,
            now=make.now + timedelta(days=day),
            office=office,
        )
        for day, need in enumerate(("HE05", "FC05", "HE05"))
    ]


def test_a_rehearsal_tells_for_each_kind_of_need_who_is_gained_and_who_is_lost(
    session: Session, make: Make, office: Office, searched: Any, shared: Any
) -> None:
    found = rehearse(session, office, shared | {"fee": 20.0})

    (free,) = [one for one, name in found.names.items() if name == "Gratis"]
    (farthest,) = [one for one, name in found.names.items() if name != "Gratis"]
    assert (found.asked, found.unreadable, found.left) == (3, 0, 0)
    assert found.categories == {
        "HE05": OfCategory(asked=2, changed=2, first_place=2, came={free: 2}, went={farthest: 2}),
        "FC05": OfCategory(asked=1),
    }
    assert found.changes == [
        Change("HE05", make.now + timedelta(days=2), 1, 1, first_place=True),
        Change("HE05", make.now, 1, 1, first_place=True),
    ]


def test_a_rehearsal_with_the_same_numbers_changes_nothing_and_keeps_nothing(
    session: Session, office: Office, searched: Any, shared: Any
) -> None:
    entries = len(session.scalars(select(AuditEntry)).all())

    found = rehearse(session, office, shared)

    assert (found.asked, found.changes, found.names) == (3, [], {})
    assert len(session.scalars(select(MatchReceipt)).all()) == 3
    assert len(session.scalars(select(AuditEntry)).all()) == entries


def test_only_the_penalties_differ_not_the_directory(
    session: Session, make: Make, office: Office, searched: Any, shared: Any
) -> None:
    make.service(name="Baru", at=SEMARANG)  # came after the searches

    assert rehearse(session, office, shared).changes == []


def test_the_last_ones_are_asked_as_many_as_there_is_time_for(
    session: Session, office: Office, searched: Any, shared: Any
) -> None:
    other = shared | {"fee": 20.0}

    assert rehearse(session, office, other, most=1).categories.keys() == {"HE05"}
    none = rehearse(session, office, other, seconds=-1)
    assert (none.asked, none.left) == (0, 3)


def test_another_office_s_searches_are_its_own(
    session: Session, make: Make, searched: Any, shared: Any
) -> None:
    assert rehearse(session, make.office(), shared | {"fee": 20.0}).asked == 0


def test_a_person_who_was_erased_is_left_out_and_counted_and_whom_a_client_must_not_meet_is_never_gained(
    session: Session, make: Make, office: Office, searched: Any, shared: Any
) -> None:
    broker = make.user(office=office)
    cases = [make.case(broker=broker), make.case(broker=broker)]
    for case in cases:
        need = make.need(case, category="HE05")
        case.client.stays_at = {"lat": SEMARANG[0], "lon": SEMARANG[1], "precision_km": 0.0}
        session.flush()
        asked = operations.query_for(session, need, now=make.now)
        operations.match(
            session, asked, by=broker, now=make.now, office=office, case=case, need=need
        )
    free = session.scalars(select(Organization).join(Service).where(Service.name == "Gratis")).one()
    session.add(
        Exclusion(
            key=cases[0].key,
            case_id=cases[0].id,
            organization_id=free.id,
            at=make.now,
            by_id=broker.id,
        )
    )
    cases[1].client.key.destroy(now=make.now)
    session.flush()

    found = rehearse(session, office, shared | {"fee": 20.0})

    assert (found.asked, found.unreadable) == (4, 1)
    gained = {found.names[one]: count for one, count in found.categories["HE05"].came.items()}
    assert gained == {"Gratis": 2}


def test_a_rehearsal_says_what_the_search_then_gives(
    session: Session, make: Make, office: Office, supervisor: User, searched: Any, shared: Any
) -> None:
    """What was rehearsed is what happens: the same first five once the table holds."""
    service_id = _service(session, "Berbayar 0")
    session.add(ServiceCapacity(service_id=service_id, status="waitlist", updated=make.now))
    announce(session, service_id, now=make.now)
    session.flush()
    steps = {"fee": 0.5, "waitlist": 0.0}
    broker = make.user(office=office)
    before = operations.match(session, query(make), by=broker, now=make.now, office=office)
    found = rehearse(session, office, shared | steps)
    changed(session, office, supervisor, make, **steps)

    after = operations.match(session, query(make), by=broker, now=make.now, office=office)

    came = set(_first(after.content)) - set(_first(before.content))
    assert came != set()
    assert {str(one) for one in found.categories["HE05"].came} == came
    assert rules() == tuple(shared)


def _first(content: Any) -> list[str]:
    return [one["service_at_location_id"] for one in content["options"][: rehearsal.FIRST]]


def _service(session: Session, name: str) -> Any:
    return session.scalars(select(Service.id).where(Service.name == name)).one()
