"""A siting case: what it is worked out on, what is kept, and who may take it away."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy.orm import Session

from referral.accounts.models import Role, User
from referral.changes.directory import announce
from referral.core.errors import Invalid, JejaringError, NotAllowed, NotFound
from referral.core.text import Message
from referral.directory.kinds import SystemType
from referral.places import operations as places
from referral.places.queries import gazetteer
from referral.planning.disclosure.cells import Shown
from referral.planning.gaps.models import Audience, GapFigure, GapRelease, Measure
from referral.planning.proposals.models import Proposal
from referral.planning.siting import ground, operations, queries
from referral.planning.siting.models import SitingCase
from referral.planning.siting.questions import By, Kind, Question
from referral.planning.work import WorkState
from tests.factories import Make
from tests.siting import answered

#: Two kabupaten of a province far out at sea, ten km to the next kecamatan, and one across the border.
ROWS: list[dict[str, str]] = [
    {"code": "99", "level": "1", "name": "Tanah Uji", "latitude": "-10.2", "longitude": "108.0"},
    {"code": "99.01", "level": "2", "name": "Kabupaten Barat", "latitude": "-10.2", "longitude": "108.0"},
    {"code": "99.02", "level": "2", "name": "Kabupaten Timur", "latitude": "-10.2", "longitude": "108.6"},
    {"code": "99.01.01", "level": "3", "name": "Satu", "latitude": "-10.2", "longitude": "108.0", "population": "4000"},
    {"code": "99.01.02", "level": "3", "name": "Dua", "latitude": "-10.2", "longitude": "108.1", "population": "1000"},
    {"code": "99.02.01", "level": "3", "name": "Tiga", "latitude": "-10.2", "longitude": "108.6", "population": "2000"},
    {"code": "98", "level": "1", "name": "Tanah Sebelah"},
    {"code": "98.01", "level": "2", "name": "Kabupaten Sebelah", "latitude": "-10.2", "longitude": "108.7"},
    {"code": "98.01.01", "level": "3", "name": "Seberang", "latitude": "-10.2", "longitude": "108.7", "population": "500"},
]  # fmt: skip


@pytest.fixture(autouse=True)
def area(session: Session, now: datetime) -> None:
    places.load(session, ROWS, source="survey", now=now)


def ask(**values: Any) -> Question:
    given: dict[str, Any] = {
        "category": "VR01",
        "area": "99",
        "within_km": 15.0,
        "kinds": (Kind.SEAT,),
        "by": By.POPULATION,
    }
    return Question(**given | values)


@contextmanager
def refused(kind: type[JejaringError], key: str) -> Iterator[None]:
    with pytest.raises(kind) as caught:
        yield
    assert caught.value.message.key == key


def sites(answer: dict[str, Any], count: int) -> list[str]:
    chosen = answer["counts"][count - 1]["sites"]
    return [answer["sites"][str(one["site"])]["key"] for one in chosen]


def test_the_best_site_reaches_most_people_and_the_next_the_others(
    session: Session, now: datetime
) -> None:
    answer = operations.work_out(session, ask(beyond=False), now=now)

    assert [one["people"] for one in answer["counts"]] == [5000.0, 7000.0]
    assert sites(answer, 1) == ["99.01"]
    assert sites(answer, 2) == ["99.01", "99.02"]
    assert answer["counts"][0]["more_people"] == 5000.0
    assert answer["counts"][0]["left"] == [[2, 65.66]]
    assert answer["counts"][1]["left"] == []
    assert answer["is_order_proven"] is True


def test_people_just_beyond_the_border_count_where_that_is_asked(
    session: Session, now: datetime
) -> None:
    answer = operations.work_out(session, ask(), now=now)

    assert answer["people"]["beyond"] == 500.0
    assert answer["counts"][1]["people"] == 7500.0
    assert answer["counts"][1]["people_beyond"] == 500.0


def test_what_is_there_already_wins_nobody_twice(
    session: Session, make: Make, now: datetime
) -> None:
    make.service("VR01", at=(-10.2, 108.0), facility_type="BPVP")
    make.service("VR01", at=(-10.2, 108.6), facility_type="SMK")
    make.service("VR01", at=(-10.2, 108.6), confidential=True)

    answer = operations.work_out(session, ask(services=("BPVP",), beyond=False), now=now)

    assert answer["services"] == 1
    assert answer["before"]["people"] == 5000.0
    assert [(one["people"], one["more_people"]) for one in answer["counts"]] == [(7000.0, 2000.0)]
    assert operations.work_out(session, ask(beyond=False), now=now)["counts"] == []


def test_agencies_are_sites_but_no_refuge_and_nobodys_home(
    session: Session, make: Make, now: datetime
) -> None:
    def at(code: str, **values: Any) -> str:
        site = make.service("EC01", at=(-10.2, 108.05), **values)
        assert site.location is not None
        site.location.area_code = code
        return str(site.location_id)

    public = at("99.01.01", name="Balai Warga")
    at("99.01.01", confidential=True)
    at("99.01.01", organization=make.organization(system_type=SystemType.INFORMAL))
    at("98.01.01")
    session.flush()

    answer = operations.work_out(session, ask(kinds=(Kind.AGENCY,)), now=now)

    assert answer["found"] == {"agency": 1}
    [site] = answer["sites"].values()
    assert (site["key"], site["name"], site["near"]) == (public, "Balai Warga", "99.01.01")


def test_hexagons_lie_inside_the_area(session: Session, now: datetime) -> None:
    question = ask(kinds=(Kind.HEX,), area="33.22")
    land = ground.read(session, gazetteer(session), question, None, now=now)

    assert len(land.sites) > 10
    assert {land.near(site)[0][:5] for site in land.sites} == {"33.22"}
    assert land.people.is_even


def test_needs_are_read_from_published_figures_and_hidden_counts_are_estimates(
    session: Session, now: datetime
) -> None:
    with refused(Invalid, "siting.no_release"):
        operations.work_out(session, ask(by=By.NEEDS), now=now)
    release = GapRelease(
        quarter="2026-Q1", audience=Audience.PLANNERS, made_at=now, threshold=5, certificate={}
    )
    session.add(release)
    session.flush()
    told = {"99": 10, "99.01": 8, "": 10}
    for code, people in told.items():
        _figure(session, release, code, Shown.COUNT, people)
    _figure(session, release, "99.02", Shown.SMALL, None)
    session.flush()

    answer = operations.work_out(session, ask(by=By.NEEDS, beyond=False), now=now)

    assert answer["release"] == "2026-Q1"
    assert answer["people"] == {
        "all": 10.0,
        "beyond": 0.0,
        "told": 8.0,
        "estimated": 2.0,
        "hidden": 1,
        "is_even": False,
    }
    assert answer["counts"][0]["people"] == 8.0
    with refused(Invalid, "siting.nobody.needs"):
        operations.work_out(session, ask(by=By.NEEDS, category="HE05"), now=now)


def _figure(
    session: Session, release: GapRelease, area: str, shown: Shown, people: int | None
) -> None:
    session.add(
        GapFigure(
            release_id=release.id,
            measure=Measure.UNMET,
            category="VR01",
            area=area,
            reason="",
            period="",
            shown=shown.value,
            people=people,
        )
    )


@pytest.mark.parametrize(
    ("values", "key"),
    [
        ({"within_km": 0.0}, "siting.within"),
        ({"within_km": 301.0}, "siting.within"),
        ({"most": 6}, "siting.most"),
        ({"kinds": ()}, "siting.kinds"),
    ],
)
def test_a_question_that_makes_no_sense_is_refused(values: dict[str, Any], key: str) -> None:
    with refused(Invalid, key):
        ask(**values)


@pytest.mark.parametrize("area", ["99.01.01", "77", "?"])
def test_only_provinces_and_regencies_can_be_asked_about(
    area: str, session: Session, now: datetime
) -> None:
    with refused(Invalid, "siting.area"):
        operations.work_out(session, ask(area=area), now=now)


def test_a_question_survives_being_kept() -> None:
    question = ask(services=("RSJ", ""), kinds=(Kind.AGENCY, Kind.HEX), beyond=False)

    assert Question.from_json("VR01", "99", question.as_json()) == question


def test_a_case_is_kept_compared_and_deleted_by_its_maker_alone(
    session: Session, make: Make, now: datetime
) -> None:
    planner, other = make.user(Role.PLANNER), make.user(Role.PLANNER)
    near = answered(session, ask(), by=planner, now=now)
    later = now + timedelta(minutes=5)
    far = answered(session, ask(within_km=70.0), by=planner, now=later)
    elsewhere = answered(session, ask(area="99.01"), by=planner, now=now)

    assert queries.compared(session, [far.id, near.id, elsewhere.id, far.id]) == [far, near]
    assert session.scalars(queries.cases(category="VR01", area="99")).all() == [far, near]
    with refused(NotAllowed, "siting.not_own"):
        operations.delete(session, near, by=other)
    operations.delete(session, near, by=planner)
    with refused(NotFound, "siting.unknown"):
        queries.get(session, near.id)
    with refused(NotFound, "siting.unknown"):
        queries.compared(session, [uuid4()])


def propose_on(session: Session, case: SitingCase, *, by: User, now: datetime) -> None:
    session.add(
        Proposal(
            category="VR01",
            area_code="99",
            title="BLK",
            problem="x",
            created_at=now,
            created_by_id=by.id,
            siting_case_id=case.id,
        )
    )
    session.flush()


def test_a_case_that_a_proposal_stands_on_is_kept(
    session: Session, make: Make, now: datetime
) -> None:
    planner = make.user(Role.PLANNER)
    case = answered(session, ask(), by=planner, now=now)
    propose_on(session, case, by=planner, now=now)

    with refused(NotAllowed, "siting.in_use"):
        operations.delete(session, case, by=planner)


def test_questions_are_taken_in_their_order_and_one_at_a_time(
    session: Session, make: Make, now: datetime
) -> None:
    planner = make.user(Role.PLANNER)
    second = operations.ask(session, ask(within_km=20.0), by=planner, now=now)
    first = operations.ask(session, ask(), by=planner, now=now - timedelta(seconds=1))

    assert [queries.before(session, one, now=now) for one in (first, second)] == [0, 1]
    assert operations.take_next(session, now=now) == (first.id, ask())
    assert operations.take_next(session, now=now) is None
    assert queries.before(session, second, now=now) == 1
    later = now + timedelta(minutes=11)  # the process that had the first is gone
    assert operations.take_next(session, now=later) == (second.id, ask(within_km=20.0))
    operations.end(session, second.id, Message("siting.failed"), now=later)
    assert (second.state, second.ended_at) == (WorkState.FAILED, later)
    operations.end(session, uuid4(), Message("siting.failed"), now=later)  # deleted meanwhile


def test_an_answer_holds_until_the_directory_the_figures_or_a_week_has_gone_by(
    session: Session, make: Make, now: datetime
) -> None:
    one, other = make.user(Role.PLANNER), make.user(Role.PLANNER)
    case = answered(session, ask(), by=one, now=now)

    assert operations.ask(session, ask(), by=other, now=now + timedelta(days=6)) is case
    assert operations.ask(session, ask(within_km=16.0), by=other, now=now) is not case
    assert operations.ask(session, ask(), by=other, now=now + timedelta(days=8)) is not case
    announce(session, None, now=now)
    session.flush()
    anew = operations.ask(session, ask(), by=other, now=now)
    assert anew is not case
    assert (anew.made_by_id, anew.directory_version) == (other.id, case.directory_version + 1)


def test_old_cases_are_forgotten_unless_a_proposal_stands_on_them(
    session: Session, make: Make, now: datetime
) -> None:
    planner = make.user(Role.PLANNER)
    long_ago = now - operations.KEPT - timedelta(days=1)
    used = answered(session, ask(), by=planner, now=long_ago)
    answered(session, ask(within_km=16.0), by=planner, now=long_ago)
    fresh = answered(session, ask(within_km=17.0), by=planner, now=now)
    propose_on(session, used, by=planner, now=now)

    assert operations.forget_old(session, now=now) == 1
    assert set(session.scalars(queries.cases())) == {used, fresh}
