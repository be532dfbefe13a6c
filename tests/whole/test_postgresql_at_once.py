"""On PostgreSQL two do the same at the same moment: one record, one opening, each broker told once, one release."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from referral.accounts.models import Role, User
from referral.casework.models import Need
from referral.config import Settings
from referral.core.db import take_write_lock
from referral.core.errors import NotAllowed, Stale
from referral.directory.models import Phone, Schedule, Service
from referral.extensions import alembic, db
from referral.factory import create_app
from referral.jobs import tasks
from referral.planning.gaps import releases
from referral.planning.gaps.models import GapCount, GapRelease
from referral.planning.proposals import operations as proposing
from referral.planning.proposals.models import Proposal
from referral.planning.proposals.opening import Opening, open_resource
from referral.planning.proposals.states import ProposalStatus
from referral.planning.unmet import ledger
from referral.planning.unmet.models import NewServiceNotice, UnmetNeed
from referral.reference import load_reference
from tests import postgresql
from tests.factories import Make
from tests.together import together

NOW = datetime(2026, 8, 10, 3, tzinfo=UTC)
STAY = {"code": "33.74", "lat": -6.99, "lon": 110.42, "precision_km": 6.0}


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """The application on a migrated PostgreSQL with reference data."""
    with postgresql.server() as server, postgresql.database(server) as url:
        folder = tmp_path_factory.mktemp("instance")
        app = create_app(Settings.from_env({"DATABASE_URL": url, "JEJARING_INSTANCE": str(folder)}))
        with app.app_context():
            alembic.upgrade()
            load_reference(db.session, now=NOW)
            db.session.commit()
            yield app
            db.session.close()
            db.engine.dispose()


def asked(session: Session, category: str = "FC05") -> Need:
    """A need that somebody in Semarang has."""
    make = Make(session, NOW)
    broker = make.user()
    case = make.case(broker=broker, client=make.client(broker.office, stays_at=STAY))
    return make.need(case, category=category, assessed_at=NOW)


def twice(app: Flask, work: Callable[[Session], Any]) -> list[Any]:
    """What two get who do it at the same moment, each as a request or a job does: the lock first."""

    def once() -> Any:
        with app.app_context(), db.sessionmaker() as session:
            take_write_lock(session)
            result = work(session)
            session.commit()
            return result

    return together([once, once])


def test_a_need_that_two_steps_find_unmet_has_one_record(app: Flask) -> None:
    need = asked(db.session)
    need_id, broker_id = need.id, need.case.broker_id
    db.session.commit()

    def record(session: Session) -> UUID:
        found, by = session.get_one(Need, need_id), session.get_one(User, broker_id)
        return ledger.record_unmet(session, found, reason="U01", by=by, now=NOW).id

    first, second = twice(app, record)

    assert first == second
    records = db.session.scalars(select(UnmetNeed.id).where(UnmetNeed.need_id == need_id))
    assert records.all() == [first]


def test_a_proposal_opens_once_and_each_who_waits_is_told_once(app: Flask) -> None:
    waiting = [asked(db.session, "FC01") for _ in range(3)]
    for need in waiting:
        ledger.record_unmet(db.session, need, reason="U01", by=need.case.broker, now=NOW)
    planner = Make(db.session, NOW).user(Role.PLANNER)
    plan = proposing.propose(
        db.session,
        category="FC01",
        area_code="33.74",
        title="Penitipan anak",
        problem="",
        capacity=20,
        by=planner,
        now=NOW,
    )
    proposing.move(db.session, plan, ProposalStatus.IN_DEVELOPMENT, by=planner, now=NOW)
    db.session.flush()
    plan_id, planner_id, seen = plan.id, planner.id, plan.version
    brokers = {need.case.broker_id for need in waiting}
    db.session.commit()

    def open_it(session: Session) -> str:
        hours = [Schedule(freq="WEEKLY", byday="MO,TU", opens_at="07:00", closes_at="16:00")]
        opening = Opening(
            name="Taman Contoh",
            organization="Kelompok Contoh",
            address="Balai RW 3",
            hours=hours,
            phones=[Phone(number="021 000 0000")],
            category="FC01",
            area_code="33.74",
        )
        plan, by = session.get_one(Proposal, plan_id), session.get_one(User, planner_id)
        try:
            open_resource(session, plan, opening, seen=seen, by=by, now=NOW)
        except (Stale, NotAllowed) as refusal:
            return type(refusal).__name__
        return "opened"

    assert sorted(twice(app, open_it)) == ["Stale", "opened"]
    tasks.tell_of_changes(clock=lambda: NOW)
    made = select(Service).where(Service.source_id == str(plan_id))
    assert len(db.session.scalars(made).all()) == 1
    told = db.session.scalars(select(NewServiceNotice.broker_id)).all()
    assert sorted(told) == sorted(brokers)


def test_a_change_that_two_workers_follow_tells_each_broker_once(app: Flask) -> None:
    waiting = [asked(db.session, "FC02") for _ in range(3)]
    for need in waiting:
        ledger.record_unmet(db.session, need, reason="U01", by=need.case.broker, now=NOW)
    brokers = sorted(need.case.broker_id for need in waiting)
    site_id = Make(db.session, NOW).service("FC02").id
    db.session.commit()

    def work() -> int:
        with app.app_context():
            try:
                return tasks.tell_of_changes(clock=lambda: NOW)
            finally:
                db.session.close()

    assert sum(together([work, work])) == len(brokers)
    told = select(NewServiceNotice.broker_id).where(
        NewServiceNotice.service_at_location_id == site_id
    )
    assert sorted(db.session.scalars(told)) == brokers


def test_two_who_count_a_quarter_count_nobody_twice_and_release_it_once(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(releases, "_AT_ONCE", 2)
    for _ in range(7):
        need = asked(db.session, "HE05")
        ledger.record_unmet(db.session, need, reason="U01", by=need.case.broker, now=NOW)
    db.session.commit()

    def work() -> bool:
        with app.app_context():
            try:
                return tasks.release_gaps("2026-Q3", clock=lambda: NOW)
            finally:
                db.session.close()

    assert sum(together([work, work])) == 1
    counted = select(GapCount.measure, GapCount.people).where(GapCount.category == "HE05")
    assert sorted(tuple(one) for one in db.session.execute(counted)) == [("asked", 7), ("unmet", 7)]
    assert len(db.session.scalars(select(GapRelease)).all()) == 2
