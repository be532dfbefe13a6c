"""The product on a real PostgreSQL: the same tables, the same answers, and writers that wait for each other."""

import io
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from rich.console import Console
from sqlalchemy import URL, inspect, select, update
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from referral.accounts.demo import make_people
from referral.accounts.models import Office, User
from referral.casework import operations as casework
from referral.casework.models import Case, ClientKind
from referral.changes import audit
from referral.changes.actors import SYSTEM
from referral.changes.models import AuditEntry, AuditHead
from referral.cli.accounts import agencies
from referral.cli.demo import command as demo
from referral.cli.demo.telling import Clock, Teller
from referral.config import Settings
from referral.core.db import take_write_lock
from referral.core.errors import Stale
from referral.directory.models import EligibilityRule, Organization, Service, ServiceCategory
from referral.directory.upkeep import checking, links
from referral.directory.upkeep.models import ListingUse
from referral.extensions import alembic, db
from referral.factory import create_app
from referral.places.models import Place
from referral.planning.gaps import releases
from referral.planning.gaps.models import GapCount, GapFigure, GapRelease
from referral.planning.unmet import ledger
from referral.planning.unmet.models import Closing, UnmetNeed
from referral.referrals.lifecycle import Event
from referral.tables import metadata
from tests import postgresql
from tests.factories import Make
from tests.scenes import Scene
from tests.together import together

NOW = datetime(2026, 3, 2, 2, 30, tzinfo=UTC)
ENTRIES = 25


@pytest.fixture(scope="module")
def server() -> Iterator[URL]:
    with postgresql.server() as url:
        yield url


@contextmanager
def running(url: str, folder: Path) -> Iterator[Flask]:
    """The application on this database."""
    env = {"DATABASE_URL": url, "JEJARING_INSTANCE": str(folder)}
    app = create_app(Settings.from_env(env))
    app.config.update(TESTING=True)
    yield app
    with app.app_context():
        for engine in db.engines.values():
            engine.dispose()


def run(app: Flask, *args: str) -> str:
    result = app.test_cli_runner().invoke(args=list(args))
    assert result.exit_code == 0, (result.output, result.exception)
    return result.stdout


@pytest.fixture(scope="module")
def filled(server: URL, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a database that holds what `make serve` puts into a new one, but nobody's account."""
    with postgresql.database(server) as url:
        with running(url, tmp_path_factory.mktemp("filled")) as app:
            run(app, "db", "upgrade")
            run(app, "directory", "starter")
        yield url


@pytest.fixture
def app(server: URL, filled: str, tmp_path: Path) -> Iterator[Flask]:
    """The application on a PostgreSQL database of this test's own; `session` and `make` then use it."""
    with (
        postgresql.database(server, like=filled) as url,
        running(url, tmp_path) as app,
    ):
        yield app


def test_migrations_go_up_down_and_up_again_and_end_at_the_models(
    server: URL, tmp_path: Path
) -> None:
    with postgresql.database(server) as url, running(url, tmp_path) as app, app.app_context():
        alembic.upgrade()
        made = set(inspect(db.engine).get_table_names())
        alembic.downgrade("base")
        left = inspect(db.engine).get_table_names()
        alembic.upgrade()

        assert left == ["alembic_version"]
        assert made == {"alembic_version", *metadata.tables}
        assert alembic.compare_metadata() == []


@pytest.mark.parametrize(
    "asked",
    [
        ("--need", "HE05", "--near", "-6.99,110.42", "--age", "16"),
        ("--need", "FC05", "--place", "Kec. Banyumanik, Kota Semarang"),
    ],
)
def test_a_match_on_the_starter_directory_answers_as_on_sqlite(
    app: Flask, sqlite: Flask, asked: tuple[str, ...]
) -> None:
    answers = [json.loads(run(each, "match", *asked, "--json")) for each in (app, sqlite)]
    for answer in answers:
        del answer["query"]["at"]

    assert answers[0] == answers[1]
    assert answers[0]["options"] or answers[0]["why_not"]


@pytest.fixture(scope="module")
def sqlite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    with running("", tmp_path_factory.mktemp("sqlite")) as app:
        run(app, "db", "upgrade")
        run(app, "directory", "starter")
        yield app


def test_both_stories_of_the_demonstration_hold_from_case_to_notice(app: Flask) -> None:
    teller = Teller("en", Clock(demo.START), Console(file=io.StringIO(), highlight=False))
    with app.app_context():
        staff = agencies(demo.START)
        make_people(db.session, password=demo.PASSWORD, agencies=staff, now=demo.START)
        db.session.commit()

    demo.run(app, "en", teller)

    assert teller.failed == []
    assert teller.passed > 30


def test_a_step_on_an_old_row_version_is_refused(
    session: Session, make: Make, now: datetime
) -> None:
    scene = Scene(session, make, now)
    referral = scene.sent()
    before = referral.version
    scene.take(referral, Event.ACCEPT, first_contact_on=scene.day)

    with pytest.raises(Stale):
        scene.take(referral, Event.ACCEPT, first_contact_on=scene.day, version=before)


def test_the_second_of_two_people_who_change_one_row_is_told(app: Flask) -> None:
    with app.app_context():
        case_id = Make(db.session, NOW).case().id
        db.session.commit()
        with db.sessionmaker() as mine, db.sessionmaker() as theirs:
            case = mine.get_one(Case, case_id)
            theirs.get_one(Case, case_id).protections = ["violence"]
            theirs.commit()
            case.protections = ["hiv"]

            with pytest.raises(StaleDataError):
                mine.flush()


def twice(case: Case) -> Case:
    return Case(
        key=case.key,
        client=case.client,
        office=case.office,
        broker=case.broker,
        number=case.number,
        opened_at=NOW,
    )


REFUSED: dict[str, Callable[[Make], Any]] = {
    "uq_case_office_id": lambda make: twice(make.case()),
    "uq_service_category_service_id": lambda make: ServiceCategory(
        service_id=make.service("HE05").service_id, code="HE05", basis="stated"
    ),
    "ck_place_level": lambda make: Place(code="99", level=9, name="Nowhere", source="test"),
    "ck_place_point_whole": lambda make: Place(
        code="99", level=1, name="Half", source="test", latitude=1.0, precision_km=1.0
    ),
    "fk_eligibility_rule_service_id_service": lambda make: EligibilityRule(
        service_id=uuid4(), criterion="age"
    ),
}


@pytest.mark.parametrize("constraint", REFUSED)
def test_the_database_itself_refuses_what_must_not_be(
    session: Session, make: Make, constraint: str
) -> None:
    session.add(REFUSED[constraint](make))

    with pytest.raises(IntegrityError, match=constraint):
        session.flush()


@pytest.mark.parametrize("announced", [True, False])
def test_writers_at_the_same_moment_leave_a_whole_chain(app: Flask, announced: bool) -> None:
    """`announced`: as requests write. The head's own lock holds for those that did not say so first."""

    def write() -> None:
        for _ in range(ENTRIES):
            with sessions() as session:
                session.connection(execution_options={"writes": announced})
                old = session.get_one(AuditHead, 1)
                office = session.get_one(Office, office_id)
                entry = audit.record(session, "office.read", office, by=SYSTEM, now=NOW)
                assert entry.seq == old.seq  # what was read before the lock is not used after
                session.commit()

    def read() -> None:
        for _ in range(ENTRIES):
            with sessions() as session:
                assert audit.first_break(session) is None

    with app.app_context():
        sessions = db.sessionmaker
        office_id = Make(db.session, NOW).office().id
        before = db.session.scalars(select(AuditEntry.seq)).all()
        db.session.commit()

        together([write, write, read])

        numbers = db.session.scalars(select(AuditEntry.seq).order_by(AuditEntry.seq)).all()
        assert numbers == list(range(1, len(before) + 2 * ENTRIES + 1))
        assert audit.first_break(db.session) is None


def test_an_altered_entry_is_named(session: Session, make: Make, now: datetime) -> None:
    office = make.office()
    entry = audit.record(session, "office.read", office, by=SYSTEM, now=now)
    for _ in range(2):
        audit.record(session, "office.read", office, by=SYSTEM, now=now)
    session.execute(update(AuditEntry).where(AuditEntry.seq == entry.seq).values(action="x.y"))
    session.expire_all()

    assert audit.first_break(session) == entry.seq


def test_cases_opened_at_the_same_moment_get_numbers_of_their_own(app: Flask) -> None:
    def open_some() -> list[str]:
        numbers = []
        for _ in range(5):
            with sessions() as session:
                take_write_lock(session)
                broker = session.get_one(User, broker_id)
                case = casework.open_case(
                    session,
                    office=session.get_one(Office, broker.office_id),
                    broker=broker,
                    kind=ClientKind.PERSON,
                    by=broker,
                    now=NOW,
                )
                numbers.append(case.number)
                session.commit()
        return numbers

    with app.app_context():
        sessions = db.sessionmaker
        broker_id = Make(db.session, NOW).user().id
        db.session.commit()

        first, second = together([open_some, open_some])

    assert sorted(first + second) == [f"KB-{count:04}" for count in range(1, 11)]


def test_a_writer_that_waits_too_long_fails_instead_of_hanging(app: Flask) -> None:
    with app.app_context(), db.engine.connect() as first, db.engine.connect() as second:
        first.execution_options(writes=True).begin()
        second.exec_driver_sql("SET lock_timeout = 50")
        second.commit()

        with pytest.raises(OperationalError, match="lock timeout"):
            second.execution_options(writes=True).begin()


def released(app: Flask) -> list[tuple[Any, ...]]:
    """Counts and figures of people who waited in two quarters; nothing of it stays."""
    with app.app_context():
        session = db.session
        make = Make(session, NOW)
        broker = make.user()
        for number, area in enumerate(["33.74"] * 7 + ["33.71"] * 2 + ["33", None]):
            stays_at = {"code": area} if area else {}
            case = make.case(broker=broker, client=make.client(broker.office, stays_at=stays_at))
            for days in (0, 80):
                at = NOW - timedelta(days=days)
                need = make.need(case, category="FC05", assessed_at=at)
                reason, others = ("U17", ["U18", "U08"]) if number % 3 else ("U01", [])
                ledger.record_unmet(
                    session, need, reason=reason, secondary=others, by=broker, now=at
                )
        first = releases.publish(session, threshold=5, by=SYSTEM, now=NOW)
        later = NOW + timedelta(days=90)
        ledger.close_unmet(
            session,
            session.scalars(select(UnmetNeed).order_by(UnmetNeed.opened_at)).first(),
            closed_as=Closing.MET,
            by=SYSTEM,
            now=later,
        )
        second = releases.publish(session, threshold=5, by=SYSTEM, now=later)
        assert first is not None
        assert second is not None
        rows = [
            *session.execute(select(*GapCount.__table__.columns)),
            *session.execute(
                select(
                    GapRelease.quarter,
                    GapRelease.audience,
                    *(each for each in GapFigure.__table__.columns if each.key != "release_id"),
                ).join(GapRelease, GapRelease.id == GapFigure.release_id)
            ),
        ]
        found = sorted((tuple(row) for row in rows), key=repr)
        session.rollback()
    return found


def test_gaps_are_counted_and_released_as_on_sqlite(app: Flask, sqlite: Flask) -> None:
    found = released(app)

    assert len(found) > 30
    assert found == released(sqlite)


def test_what_to_check_first_and_whom_to_write_to_are_asked_as_on_sqlite(
    session: Session, make: Make, now: datetime
) -> None:
    day = now.date()
    session.execute(update(Service).values(assured_date=day, email=None))
    session.execute(update(Organization).values(email=None))
    shared = make.organization(email=" Dinas@Example.org")
    old = make.service(organization=shared, assured_date=day - timedelta(days=400)).service
    never = make.service(organization=shared).service
    session.add(ListingUse(service_id=old.id, month=day.replace(day=1), times=9))
    session.flush()

    due = [(one.listing.service.id, one.urgency) for one in checking.due(session, today=day).items]
    asked = links.ask_to_verify(session, public_url="https://example.org", limit=1, now=now)
    left = checking.to_ask_by_mail(session, limit=9, now=now)

    assert due == [(old.id, 4000), (never.id, 730)]
    assert asked == [old.id]
    assert left == [(never.id, "dinas@example.org")]


def test_access_is_measured_as_on_sqlite(app: Flask, sqlite: Flask) -> None:
    for question in (("access", "--keep", "--category", "SP04"), ("nearest", "--within", "50")):
        found = json.loads(run(app, "gaps", *question, "--json"))
        assert len(found["areas"]) == 39
        assert found == json.loads(run(sqlite, "gaps", *question, "--json"))
