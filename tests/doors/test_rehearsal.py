"""Pages on which other rules of a listing are tried: who may, what is said, and that nothing is written."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy.orm import Session

from referral.accounts.models import Role, User
from referral.directory.models import Service, ServiceAtLocation
from referral.directory.upkeep import changes, listings
from referral.planning.gaps.models import Audience, Measure
from referral.planning.rehearsal import rehearsing
from referral.planning.rehearsal.models import AskerGroup
from tests.conftest import Browser
from tests.factories import Make
from tests.releasing import SMALL, released


@pytest.fixture
def site(session: Session, make: Make) -> ServiceAtLocation:
    found = make.service("HE05", minimum_age=0, maximum_age=12)
    facts = {"province": "33", "regency": "33.74"}
    session.add_all(
        AskerGroup(
            quarter="2026-Q3",
            category="HE05",
            facts=facts | {"age": age},
            people=people,
            made_at=make.now,
        )
        for age, people in (("6-12", 8), ("13-17", 7))
    )
    session.commit()
    return found


@pytest.fixture
def agency(make: Make, site: ServiceAtLocation) -> User:
    return make.user(Role.AGENCY, organization_id=site.service.organization_id)


def test_a_planner_sees_who_would_have_been_gained_in_whole_groups(
    by: Callable[[User], Browser], make: Make, site: ServiceAtLocation
) -> None:
    planner = by(make.user(Role.PLANNER))

    page = planner.page(f"/rehearsal/{site.service_id}?maximum_age=17")

    assert [one.get_text(" ", strip=True) for one in page.select(".kpis > div")] == [
        "people would have been gained +7",
        "people would have been lost 0",
        "would have fitted 8 as it is now 15",
        "cannot be told 0",
    ]
    assert "Of 15 people who asked nearby, 7 more" in page.text
    assert "groups of at least 7" in page.text
    assert listings.values_of(site.service)["eligibility"]["maximum_age"] == 12


def test_what_cannot_be_is_said_at_its_field_and_nothing_is_tried(
    by: Callable[[User], Browser], make: Make, site: ServiceAtLocation
) -> None:
    planner = by(make.user(Role.PLANNER))

    answer = planner.get(f"/rehearsal/{site.service_id}?minimum_age=20&maximum_age=10&sex=both")

    assert answer.status_code == 422
    assert "The upper age is below the lower one." in answer.text
    assert "Choose one of the answers on the page." in answer.text
    assert "would have fitted" not in answer.text


@pytest.mark.parametrize("typed", ["--5", "-", "9" * 400, "٣", "1e308", "NaN"])
def test_what_is_no_whole_number_is_said_at_its_field(
    by: Callable[[User], Browser], make: Make, site: ServiceAtLocation, typed: str
) -> None:
    planner = by(make.user(Role.PLANNER))

    answer = planner.get(f"/rehearsal/{site.service_id}", query_string={"maximum_age": typed})

    assert answer.status_code == 422
    assert "Write a whole number from 0 to 120." in answer.text


def test_every_choice_of_the_form_can_be_tried(
    by: Callable[[User], Browser], make: Make, site: ServiceAtLocation
) -> None:
    planner = by(make.user(Role.PLANNER))
    form = planner.page(f"/rehearsal/{site.service_id}")
    offered = [
        f"{select['name']}={option['value']}"
        for select in form.select("main form select")
        for option in select.select("option")
        if option["value"]
    ]

    assert len(offered) == 13
    assert {
        one: planner.get(f"/rehearsal/{site.service_id}?{one}").status_code for one in offered
    } == dict.fromkeys(offered, 200)


def test_an_agency_tries_its_draft_and_only_its_own(
    session: Session,
    by: Callable[[User], Browser],
    make: Make,
    site: ServiceAtLocation,
    agency: User,
) -> None:
    now = datetime.now(UTC)
    draft = changes.start(session, site.service_id, by=agency, now=now)
    rules = listings.values_of(site.service)["eligibility"]
    changes.save_draft(
        session,
        draft,
        {"eligibility": rules | {"maximum_age": 5}},
        seen={"eligibility": rules},
        by=agency,
        now=now,
    )
    session.commit()
    mine = by(agency)

    assert (
        f"/rehearsal/{site.service_id}/draft"
        in mine.get(f"/listings/{site.service_id}/changes").text
    )
    assert "−8" in mine.page(f"/rehearsal/{site.service_id}/draft").text
    others = by(make.user(Role.AGENCY))
    assert others.get(f"/rehearsal/{site.service_id}/draft").status_code == 404
    assert others.get(f"/rehearsal/{site.service_id}?maximum_age=17").status_code == 404


def test_an_agency_reads_of_a_gap_what_everybody_may_and_a_planner_what_planners_may(
    session: Session,
    by: Callable[[User], Browser],
    make: Make,
    site: ServiceAtLocation,
    agency: User,
) -> None:
    key = ("33.74", "HE05", "", "")
    released(session, {Measure.UNMET: {key: 7}})
    released(session, {Measure.UNMET: {key: SMALL}}, audience=Audience.PUBLIC, threshold=11)

    told = [
        by(user).page(f"/rehearsal/{site.service_id}?maximum_age=17").select("tbody td")[-1].text
        for user in (agency, make.user(Role.PLANNER))
    ]

    assert told == ["few", "7"]


def test_a_listing_is_written_only_while_matching_reads_it(
    monkeypatch: pytest.MonkeyPatch,
    session: Session,
    by: Callable[[User], Browser],
    make: Make,
    site: ServiceAtLocation,
) -> None:
    seen = []
    rehearse = rehearsing.rehearse

    def look(_session: Session, *args: Any, **kwargs: Any) -> Any:
        seen.append(session.get_one(Service, site.service_id).maximum_age)
        return rehearse(_session, *args, **kwargs)

    monkeypatch.setattr(rehearsing, "rehearse", look)

    by(make.user(Role.PLANNER)).page(f"/rehearsal/{site.service_id}?maximum_age=17")

    assert seen == [12]


def test_a_curator_keeps_a_draft_and_reads_nothing_of_those_who_asked(
    session: Session, by: Callable[[User], Browser], make: Make, site: ServiceAtLocation
) -> None:
    curator, now = make.user(Role.ADMINISTRATOR), datetime.now(UTC)
    draft = changes.start(session, site.service_id, by=curator, now=now)
    rules = listings.values_of(site.service)["eligibility"]
    less = {"eligibility": rules | {"maximum_age": 5}}
    changes.save_draft(session, draft, less, seen={"eligibility": rules}, by=curator, now=now)
    session.commit()
    mine = by(curator)

    assert "/rehearsal/" not in mine.get(f"/listings/{site.service_id}/changes").text
    assert mine.get(f"/rehearsal/{site.service_id}/draft").status_code == 404


@pytest.mark.parametrize("role", [Role.BROKER, Role.SUPERVISOR, Role.ADMINISTRATOR])
def test_nobody_else_opens_it(
    by: Callable[[User], Browser], make: Make, site: ServiceAtLocation, role: Role
) -> None:
    assert by(make.user(role)).get(f"/rehearsal/{site.service_id}").status_code == 404
