"""Whoever waits hears of every change of the directory that may help them: once, in order, and nobody else."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from referral.accounts.models import ClockProfile
from referral.casework import operations as casework
from referral.casework.models import Need, Stage, Urgency
from referral.changes import directory as directory_changes
from referral.changes.actors import SYSTEM
from referral.changes.models import DirectoryChange
from referral.directory.models import CapacityStatus, ServiceAtLocation, ServiceStatus
from referral.matching.operations import match, query_for
from referral.planning.unmet import ledger, queries
from referral.planning.unmet.models import NewServiceNotice, UnmetNeed
from referral.planning.unmet.telling import follow
from referral.referrals.lifecycle import Event
from referral.referrals.models import Parked
from referral.referrals.standing import say_capacity
from tests.factories import Make
from tests.scenes import Scene

STAY = {"code": "33.74", "lat": -6.99, "lon": 110.42, "precision_km": 6.0}
FAR = (-7.80, 110.36)  # about 90 km


def waiting(make: Make, session: Session, now: datetime, **values: Any) -> Need:
    """A need for day care of somebody in Semarang that nothing meets."""
    broker = make.user()
    client = make.client(broker.office, stays_at=STAY, area_code="33.74")
    need = make.need(make.case(broker=broker, client=client), **{"category": "FC05"} | values)
    ledger.record_unmet(session, need, reason="U01", by=broker, now=now)
    return need


def told(session: Session) -> list[tuple[Any, Any, int]]:
    """(need, place, position) of every notice, in the order of writing."""
    rows = session.execute(
        select(
            UnmetNeed.need_id, NewServiceNotice.service_at_location_id, NewServiceNotice.position
        )
        .join(UnmetNeed, UnmetNeed.id == NewServiceNotice.unmet_need_id)
        .order_by(NewServiceNotice.id)
    )
    return [(need, site, position) for need, site, position in rows]


def searched(session: Session, need: Need, now: datetime) -> None:
    case = need.case
    query = query_for(session, need, now=now)
    how = {"by": case.broker, "now": now, "office": case.office}
    match(session, query, case=case, need=need, **how)
    session.flush()


def changed(session: Session, site: ServiceAtLocation, now: datetime) -> None:
    directory_changes.announce(session, site.service_id, now=now)
    session.flush()


def test_a_new_listing_is_weighed_for_all_who_wait_for_its_kind_of_help_in_the_published_order(
    make: Make, session: Session, now: datetime
) -> None:
    later = waiting(make, session, now)
    earlier = waiting(make, session, now - timedelta(days=9))
    urgent = waiting(make, session, now, urgency=Urgency.URGENT)
    waiting(make, session, now, category="HE05")
    assert follow(session, now=now).told == 0

    site = make.service("FC05")
    first = follow(session, now=now)
    again = follow(session, now=now)

    assert (first.matched, first.told, first.is_done) == (3, 3, True)
    assert (again.matched, again.told) == (0, 0)
    assert told(session) == [
        (urgent.id, site.id, 1),
        (earlier.id, site.id, 2),
        (later.id, site.id, 3),
    ]


def test_a_run_opens_a_bounded_number_of_files_and_the_next_goes_on(
    make: Make, session: Session, now: datetime
) -> None:
    for days in range(5):
        waiting(make, session, now - timedelta(days=days))
    make.service("FC05")

    runs = [follow(session, now=now, most=2) for _ in range(4)]

    assert [run.told for run in runs] == [2, 2, 1, 0]
    assert [run.is_done for run in runs] == [False, False, True, True]
    assert [position for _need, _site, position in told(session)] == [1, 2, 3, 4, 5]


def test_an_import_that_names_no_service_is_followed_by_what_it_wrote(
    make: Make, session: Session, now: datetime
) -> None:
    make.service("FC05", last_modified=now - timedelta(days=30))
    need = waiting(make, session, now)
    follow(session, now=now)
    written = make.service("FC05")
    session.execute(delete(DirectoryChange).where(DirectoryChange.service_id == written.service_id))
    directory_changes.announce(session, None, now=now)

    follow(session, now=now)

    assert told(session) == [(need.id, written.id, 1)]


def test_a_service_that_was_offered_before_is_news_only_when_it_has_room_again(
    make: Make, session: Session, now: datetime
) -> None:
    known, full = make.service("FC05"), make.service("FC05")
    say_capacity(session, full.service, status=CapacityStatus.NO_CAPACITY, by=SYSTEM, now=now)
    need = waiting(make, session, now)
    searched(session, need, now)
    for site in (known, full):
        changed(session, site, now)
    follow(session, now=now)
    assert told(session) == []

    say_capacity(
        session,
        full.service,
        status=CapacityStatus.CAPACITY,
        available=3,
        by=SYSTEM,
        now=now + timedelta(days=1),
    )
    follow(session, now=now + timedelta(days=1))

    assert told(session) == [(need.id, full.id, 1)]
    say_capacity(
        session,
        full.service,
        status=CapacityStatus.CAPACITY,
        available=2,
        by=SYSTEM,
        now=now + timedelta(days=2),
    )
    assert follow(session, now=now + timedelta(days=2)).told == 0


def test_a_refusal_is_no_news_but_room_after_a_refusal_for_room_is(
    make: Make, session: Session, now: datetime
) -> None:
    scenes = [Scene(session, make, now) for _ in range(2)]
    for scene, reason in zip(scenes, ("not_eligible_age", "at_capacity"), strict=True):
        scene.take(scene.sent(), Event.DECLINE, reason=reason)
        ledger.record_unmet(session, scene.need, reason="U03", by=scene.broker, now=now)
    when = now + timedelta(days=3)
    for scene in scenes:
        say_capacity(
            session,
            scene.site.service,
            status=CapacityStatus.CAPACITY,
            available=1,
            by=SYSTEM,
            now=when,
        )
        others = [one for one in scenes if one is not scene]
        for other in others:  # what the other scene offers is not the matter here
            session.add(
                Parked(
                    need_id=other.need.id,
                    service_id=scene.site.service_id,
                    at=now,
                    by_id=other.broker.id,
                )
            )
    session.flush()

    follow(session, now=when)

    assert told(session) == [(scenes[1].need.id, scenes[1].site.id, 1)]


def _exclude(session: Session, need: Need, site: ServiceAtLocation, now: datetime) -> None:
    by, organization_id = need.case.broker, site.service.organization_id
    casework.exclude(session, need.case, organization_id, reason="x", by=by, now=now)


def _park(session: Session, need: Need, site: ServiceAtLocation, now: datetime) -> None:
    by_id = need.case.broker_id
    session.add(Parked(need_id=need.id, service_id=site.service_id, at=now, by_id=by_id))


def _erase(session: Session, need: Need, _site: ServiceAtLocation, now: datetime) -> None:
    casework.erase_client(session, need.case.client, by=need.case.broker, now=now)


def _close_case(_session: Session, need: Need, _site: ServiceAtLocation, _now: datetime) -> None:
    need.case.stage = Stage.CLOSED


def _withdraw(session: Session, need: Need, _site: ServiceAtLocation, now: datetime) -> None:
    casework.withdraw_need(session, need, by=need.case.broker, now=now)


def _defunct(_session: Session, _need: Need, site: ServiceAtLocation, _now: datetime) -> None:
    site.service.status = ServiceStatus.DEFUNCT


def _too_old(_session: Session, need: Need, site: ServiceAtLocation, _now: datetime) -> None:
    need.case.client.facts = {"age_years": 70}
    site.service.maximum_age = 12


@pytest.mark.parametrize(
    "obstacle", [_exclude, _park, _erase, _close_case, _withdraw, _defunct, _too_old]
)
def test_nobody_is_told_of_what_can_not_help_them(
    obstacle: Any, make: Make, session: Session, now: datetime
) -> None:
    need = waiting(make, session, now)
    other = waiting(make, session, now)
    other.case.client.facts = {"age_years": 3}
    site = make.service("FC05")
    obstacle(session, need, site, now)
    session.flush()

    follow(session, now=now)

    everybody = obstacle is not _defunct
    assert [found for found, _site, _position in told(session)] == [other.id] * everybody


def test_what_is_out_of_reach_opens_nobodys_file(
    make: Make, session: Session, now: datetime
) -> None:
    waiting(make, session, now)
    remote = waiting(make, session, now)
    remote.case.office.clock_profile = ClockProfile.REMOTE
    far = make.service("FC05", at=FAR)
    far.location.area_code = "34.71"
    session.flush()

    followed = follow(session, now=now)

    assert followed.matched == 1
    assert told(session) == [(remote.id, far.id, 1)]


def test_what_happened_before_a_record_is_not_weighed_for_it(
    make: Make, session: Session, now: datetime
) -> None:
    make.service("FC05")
    need = waiting(make, session, now)

    assert follow(session, now=now).matched == 0
    kept = queries.open_unmet(session, [need.id])[need.id]
    assert kept.weighed_version == directory_changes.version(session)
