"""Unmet needs are counted once, and the nearest service is never a refuge."""

from datetime import datetime

from sqlalchemy.orm import Session

from referral.casework import operations as casework
from referral.casework.models import Need
from referral.places.queries import gazetteer
from referral.planning.gaps.nearest import nearest
from referral.planning.unmet import ledger, telling
from tests.factories import Make
from tests.waiting import open_gaps

STAY = {"code": "33.74", "lat": -6.99, "lon": 110.42, "precision_km": 6.0}


def waiting_need(make: Make, session: Session, now: datetime, **values: object) -> Need:
    """A need for day care of somebody in Semarang that nothing meets."""
    broker = make.user()
    case = make.case(broker=broker, client=make.client(broker.office, stays_at=STAY))
    need = make.need(case, category="FC05", **values)
    ledger.record_unmet(session, need, reason="U01", by=broker, now=now)
    return need


def test_a_family_counts_once_however_many_of_its_children_need_it(
    make: Make, session: Session, now: datetime
) -> None:
    need = waiting_need(make, session, now)
    for _ in range(5):
        another = make.need(need.case, category="FC05")
        ledger.record_unmet(session, another, reason="U01", by=need.case.broker, now=now)

    assert open_gaps(session) == {("33.74", "FC05"): 1}


def test_a_client_who_declined_all_is_no_supply_gap(
    make: Make, session: Session, now: datetime
) -> None:
    need = waiting_need(make, session, now)
    ledger.record_unmet(session, need, reason="U17", by=make.user(), now=now)

    assert open_gaps(session) == {}


def test_the_nearest_service_is_never_a_refuge(make: Make, session: Session, now: datetime) -> None:
    make.service("FC05", at=(-6.99, 110.43), confidential=True)
    far = make.service("FC05", at=(-7.55, 110.83))

    found = nearest(session, gazetteer(session), [("33.74", "FC05")])["33.74", "FC05"]

    assert found.service_id == far.service_id
    assert found.km is not None
    assert 50 < found.km < 100


def test_a_need_that_the_new_service_does_not_fit_is_not_told(
    make: Make, session: Session, now: datetime
) -> None:
    need = waiting_need(make, session, now)
    site = make.service("FC05")
    casework.exclude(
        session, need.case, site.service.organization_id, reason="x", by=need.case.broker, now=now
    )

    assert telling.tell_waiting(session, site, "FC05", now=now) == []
