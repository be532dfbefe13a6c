"""Unmet needs are counted once, proposals end in a listing, and those who wait are told in order."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from referral.accounts.models import Role
from referral.casework import operations as casework
from referral.casework.models import Need, Urgency
from referral.core.errors import Invalid, NotAllowed
from referral.directory.models import Schedule, Service, ServiceStatus
from referral.places.queries import gazetteer
from referral.planning.gaps import queries as gap_queries
from referral.planning.proposals import operations as proposing
from referral.planning.proposals.models import ProposalStatus
from referral.planning.proposals.opening import Opening, open_resource
from referral.planning.unmet import ledger, telling
from referral.planning.unmet import queries as unmet_queries
from tests.factories import Make

STAY = {"code": "33.74", "lat": -6.99, "lon": 110.42, "precision_km": 6.0}


def waiting_need(make: Make, session: Session, now: datetime, **values: object) -> Need:
    """A need for day care of somebody in Semarang that nothing meets."""
    broker = make.user()
    case = make.case(broker=broker, client=make.client(broker.office, stays_at=STAY))
    need = make.need(case, category="FC05", **values)
    ledger.record_unmet(session, need, reason="U01", by=broker, now=now)
    return need


def opening(**values: object) -> Opening:
    given = {
        "name": "Taman Penitipan Anak Contoh",
        "organization": "Kelompok Contoh",
        "category": "FC05",
        "area_code": "33.74",
        "address": "Balai RW 3",
        "hours": [
            Schedule(freq="WEEKLY", byday="MO,TU,WE,TH,FR", opens_at="07:00", closes_at="16:00")
        ],
        "phone": "021 000 0000",
    }
    return Opening(**given | values)  # type: ignore[arg-type]


def proposal(session: Session, make: Make, now: datetime) -> tuple[object, object]:
    planner = make.user(Role.PLANNER)
    plan = proposing.propose(
        session,
        category="FC05",
        area_code="33.74",
        title="Penitipan anak",
        problem="",
        capacity=20,
        by=planner,
        now=now,
    )
    proposing.move(session, plan, ProposalStatus.IN_DEVELOPMENT, by=planner, now=now)
    return plan, planner


def test_a_need_is_counted_once_however_often_it_is_recorded(
    make: Make, session: Session, now: datetime
) -> None:
    need = waiting_need(make, session, now)

    corrected = ledger.record_unmet(session, need, reason="U07", by=make.user(), now=now)

    assert gap_queries.counts(session) == {("33.74", "FC05"): 1}
    assert corrected.reason == "U07"


def test_a_family_counts_once_however_many_of_its_children_need_it(
    make: Make, session: Session, now: datetime
) -> None:
    need = waiting_need(make, session, now)
    for _ in range(5):
        another = make.need(need.case, category="FC05")
        ledger.record_unmet(session, another, reason="U01", by=need.case.broker, now=now)

    assert gap_queries.counts(session) == {("33.74", "FC05"): 1}


def test_a_client_who_declined_all_is_no_supply_gap(
    make: Make, session: Session, now: datetime
) -> None:
    need = waiting_need(make, session, now)
    ledger.record_unmet(session, need, reason="U17", by=make.user(), now=now)

    assert gap_queries.counts(session) == {}


def test_an_unknown_reason_is_refused_and_names_its_field(
    make: Make, session: Session, now: datetime
) -> None:
    with pytest.raises(Invalid) as refused:
        ledger.record_unmet(session, make.need(), reason="U77", by=make.user(), now=now)

    assert refused.value.field == "reason"


def test_the_nearest_service_is_never_a_refuge(make: Make, session: Session, now: datetime) -> None:
    make.service("FC05", at=(-6.99, 110.43), confidential=True)
    far = make.service("FC05", at=(-7.55, 110.83))

    found = gap_queries.nearest(session, gazetteer(session), [("33.74", "FC05")])["33.74", "FC05"]

    assert found.service_id == far.service_id
    assert found.km is not None
    assert 50 < found.km < 100


def test_opening_makes_an_active_unverified_listing_and_tells_the_waiting_in_published_order(
    make: Make, session: Session, now: datetime
) -> None:
    later = waiting_need(make, session, now)
    earlier = waiting_need(make, session, now - timedelta(days=9))
    urgent = waiting_need(make, session, now, urgency=Urgency.URGENT)
    withdrawn = waiting_need(make, session, now - timedelta(days=30))
    withdrawn.withdrawn_at = now
    too_old = waiting_need(make, session, now - timedelta(days=40))
    too_old.case.client.registered_in = "33.74"
    plan, planner = proposal(session, make, now)

    site, notices = open_resource(session, plan, opening(), by=planner, now=now)  # type: ignore[arg-type]

    service = session.get_one(Service, site.service_id)
    assert (service.status, service.assured_date) == (ServiceStatus.ACTIVE, None)
    told = {notice.position: notice.unmet_need_id for notice in notices}
    order = [
        unmet_queries.open_unmet(session, [need.id])[need.id].id
        for need in (urgent, too_old, earlier, later)
    ]
    assert [told[position] for position in sorted(told)] == order
    assert [need.id for _, need, _ in unmet_queries.notices(session, urgent.case.broker)] == [
        urgent.id
    ]


def test_a_need_that_the_new_service_does_not_fit_is_not_told(
    make: Make, session: Session, now: datetime
) -> None:
    need = waiting_need(make, session, now)
    site = make.service("FC05")
    casework.exclude(
        session, need.case, site.service.organization_id, reason="x", by=need.case.broker, now=now
    )

    assert telling.tell_waiting(session, site, "FC05", now=now) == []


@pytest.mark.parametrize("field", ["name", "organization", "address", "hours", "phone"])
def test_nothing_opens_without_what_a_client_needs_to_get_there(
    field: str, make: Make, session: Session, now: datetime
) -> None:
    plan, planner = proposal(session, make, now)
    empty: object = [] if field == "hours" else " "

    with pytest.raises(Invalid) as refused:
        open_resource(session, plan, opening(**{field: empty}), by=planner, now=now)  # type: ignore[arg-type]

    assert refused.value.field == field
    assert session.scalar(select(Service).where(Service.source == "jejaring:proposal")) is None


def test_a_proposal_is_dropped_only_with_a_reason_and_then_stays_so(
    make: Make, session: Session, now: datetime
) -> None:
    plan, planner = proposal(session, make, now)
    with pytest.raises(Invalid):
        proposing.move(session, plan, ProposalStatus.DROPPED, by=planner, now=now)  # type: ignore[arg-type]

    proposing.move(
        session, plan, ProposalStatus.DROPPED, note="Tidak ada lahan", by=planner, now=now
    )  # type: ignore[arg-type]

    with pytest.raises(NotAllowed):
        proposing.move(session, plan, ProposalStatus.FUNDED, by=planner, now=now)  # type: ignore[arg-type]
