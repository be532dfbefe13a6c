"""A count of gaps that runs for long disturbs nobody, may be stopped anywhere, and two at once count nobody twice."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from referral.accounts.models import User
from referral.casework.models import Client
from referral.config import Settings
from referral.core.db import take_write_lock
from referral.extensions import db
from referral.factory import create_app
from referral.jobs import tasks
from referral.planning.gaps import counting, releases
from referral.planning.gaps.models import Audience, GapCount, GapRelease, Measure
from referral.planning.unmet import ledger
from referral.planning.unmet.models import UnmetNeed
from tests.factories import Make
from tests.together import together

NOW = datetime(2026, 8, 10, 3, tzinfo=UTC)
QUARTER = "2026-Q3"
PEOPLE = 7


@pytest.fixture
def office(fresh: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flask]:
    """An application on a file of its own, in which seven people wait; three are counted at a time."""
    monkeypatch.setattr(releases, "_AT_ONCE", 3)
    monkeypatch.setattr(tasks, "_BREATH_SECONDS", 0)
    app = create_app(fresh)
    with app.app_context():
        broker = Make(db.session, NOW).user()
        for _ in range(PEOPLE):
            wait(db.session, broker)
        db.session.commit()
        yield app
        db.session.close()
        db.engine.dispose()


def wait(session: Session, broker: User, area: str = "33.74", **values: Any) -> UnmetNeed:
    make = Make(session, NOW)
    client = make.client(broker.office, stays_at={"code": area}, **values)
    case = make.case(broker=broker, client=client, number=uuid4().hex)
    need = make.need(case, category="FC05", assessed_at=NOW)
    unmet = ledger.record_unmet(session, need, reason="U01", by=broker, now=NOW)
    session.flush()
    return unmet


def publish() -> bool:
    return tasks.release_gaps(QUARTER, clock=lambda: NOW)


def counted() -> dict[tuple[Measure, str], int]:
    """People by measure and quarter."""
    found: dict[tuple[Measure, str], int] = {}
    for one in db.session.scalars(select(GapCount)):
        found[one.measure, one.quarter] = found.get((one.measure, one.quarter), 0) + one.people
    return found


def made() -> list[tuple[str, Audience]]:
    rows = db.session.scalars(select(GapRelease).order_by(GapRelease.audience))
    return [(one.quarter, one.audience) for one in rows]


WHOLE = {(Measure.ASKED, QUARTER): PEOPLE, (Measure.UNMET, QUARTER): PEOPLE}
BOTH = [(QUARTER, Audience.PLANNERS), (QUARTER, Audience.PUBLIC)]


class Impatient:
    """A broker on a connection of their own, who does not wait a moment for anybody's lock."""

    def __init__(self) -> None:
        self.wrote = 0

    def write(self, *_: object) -> None:
        with db.sessionmaker() as session:
            session.connection().exec_driver_sql("PRAGMA busy_timeout = 0")
            session.rollback()
            take_write_lock(session)
            wait(session, session.scalars(select(User)).first())  # type: ignore[arg-type]
            session.commit()
            self.wrote += 1

    def after(self, work: Callable[..., Any]) -> Callable[..., Any]:
        """The same work; before its transaction ends the broker writes."""

        def done(*given: Any, **named: Any) -> Any:
            result = work(*given, **named)
            self.write()
            return result

        return done


def test_a_broker_writes_at_every_moment_of_a_count_and_is_counted_in_the_next_quarter(
    office: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    broker = Impatient()
    monkeypatch.setattr(tasks, "sleep", broker.write)
    for module, name in (
        (releases, "to_count"),
        (counting, "grouped"),
        (releases, "prepare"),
    ):
        monkeypatch.setattr(module, name, broker.after(getattr(module, name)))

    assert publish()

    batches, empty_quarters = 3, 3
    assert broker.wrote == 1 + batches + (1 + empty_quarters) + 1
    assert (counted(), made()) == (WHOLE, BOTH)
    monkeypatch.undo()
    assert tasks.release_gaps("2026-Q4", clock=lambda: NOW + timedelta(days=90))
    later = {(measure, "2026-Q4"): broker.wrote for measure in (Measure.ASKED, Measure.UNMET)}
    assert counted() == WHOLE | later


@pytest.mark.parametrize("works", ["mark", "freeze"])
@pytest.mark.parametrize("times", [1, 2])
def test_a_count_that_is_killed_leaves_nothing_half_and_the_next_goes_on(
    office: Flask, monkeypatch: pytest.MonkeyPatch, works: str, times: int
) -> None:
    left, own = times, getattr(counting, works)

    def killed(*given: Any) -> Any:
        nonlocal left
        left -= 1
        result = own(*given)
        if not left:
            raise KeyboardInterrupt
        return result

    with monkeypatch.context() as patch:
        patch.setattr(counting, works, killed)
        with pytest.raises(KeyboardInterrupt):
            publish()
    db.session.rollback()
    before = counted(), made()

    assert before == ({}, [])
    assert publish()
    assert (counted(), made()) == (WHOLE, BOTH)


def test_two_who_count_at_once_count_nobody_twice_and_release_once(office: Flask) -> None:
    def work() -> bool:
        with office.app_context():
            try:
                return publish()
            finally:
                db.session.close()

    results = together([work, work])

    assert sum(results) == 1
    assert (counted(), made()) == (WHOLE, BOTH)


def test_what_was_grouped_is_not_kept_where_somebody_was_marked_since(office: Flask) -> None:
    session = db.session
    batches = releases.to_count(session, QUARTER, now=NOW)
    for clients in batches[:-1]:
        releases.mark(session, QUARTER, clients, now=NOW)
    grouped = counting.grouped(session, QUARTER)
    releases.mark(session, QUARTER, batches[-1], now=NOW)

    kept = counting.freeze(session, grouped)

    assert (kept, counted()) == (False, {})
    assert counting.freeze(session, counting.grouped(session, QUARTER))
    assert counted() == WHOLE


def test_nobody_is_marked_for_a_quarter_that_has_its_counts(office: Flask) -> None:
    session = db.session
    assert publish()
    unmet = wait(session, session.scalars(select(User)).first())  # type: ignore[arg-type]

    assert releases.to_count(session, QUARTER, now=NOW) == []
    assert unmet.counted_in is None


def test_older_files_are_counted_where_their_client_stays_and_each_is_opened_once(
    office: Flask,
) -> None:
    session = db.session
    broker = session.scalars(select(User)).first()
    assert broker is not None
    for _ in range(2):
        wait(session, broker, "33.71.01", area_code=None)
    wait(session, broker, "33", area_code=None)
    wait(session, broker, area_code=None)
    words = Make(session, NOW).client(broker.office, stays_at={"text": "dekat pasar"})
    gone = Make(session, NOW).client(broker.office, stays_at={"code": "33.74"}, area_code=None)
    gone.erased_at = NOW
    words_id, gone_id = words.id, gone.id
    session.commit()

    assert publish()

    areas = session.execute(select(GapCount.area, GapCount.people).filter_by(measure=Measure.ASKED))
    assert dict(areas.all()) == {"33.71": 2, "33.?": 1, "33.74": PEOPLE + 1}
    looked_at = [session.get_one(Client, one).area_code for one in (words_id, gone_id)]
    assert looked_at == ["", None]
    assert tasks.fill_areas() == 0
