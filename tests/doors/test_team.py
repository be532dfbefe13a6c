"""The supervisor's care for the team: load, cover, days off."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from referral.accounts.models import OfficeDayOff, Role
from referral.casework import cover
from referral.casework.models import Cover, Stage
from tests.factories import Make
from tests.scenes import Scene


@pytest.fixture
def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def scene(session: Session, make: Make, now: datetime) -> Scene:
    return Scene(session, make, now)


def test_load_is_counted_per_broker(scene: Scene, browser: Any, make: Make) -> None:
    office = scene.broker.office
    idle = make.user(office=office, name="Zaki")
    scene.broker.name = "Ani"
    make.case(broker=scene.broker, stage=Stage.CLOSED)
    referral = scene.sent()
    referral.delivered_at = scene.now - timedelta(days=20)
    make.case()
    browser.sign_in(make.user(Role.SUPERVISOR, office=office))

    page = browser.page("/office/")

    table = page.select_one("section[aria-labelledby=team] tbody")
    rows = [[cell.text for cell in row.select("th, td")] for row in table.select("tr")]
    assert rows == [["Ani", "1", "1", "1"], [idle.name, "0", "0", "0"]]


def test_a_supervisor_lets_somebody_stand_in_and_ends_it_with_one_press(
    scene: Scene, browser: Any, make: Make, session: Session
) -> None:
    office = scene.broker.office
    covering = make.user(office=office)
    browser.sign_in(make.user(Role.SUPERVISOR, office=office))
    form = browser.page("/office/").select_one("form[action='/office/covers']")
    until = form.select_one("input[name=until]")["value"]
    given = {"absent": str(scene.broker.id), "covering": str(covering.id), "until": until}

    page = browser.submit(form["action"], given)

    row = session.scalars(select(Cover)).one()
    assert (row.absent_id, row.by_id, row.ended_at) == (scene.broker.id, covering.id, None)
    assert row.until_on == cover.today_of(covering) + timedelta(days=6)
    assert covering.name in page.select_one("section[aria-labelledby=cover] h3").text

    browser.submit(f"/office/covers/{row.id}/end")
    session.refresh(row)
    assert row.ended_at is not None
    assert not browser.page("/office/").select("section[aria-labelledby=cover] h3")


def test_what_does_not_fit_makes_no_cover(
    scene: Scene, browser: Any, make: Make, session: Session
) -> None:
    office = scene.broker.office
    here, stranger = make.user(office=office), make.user()
    browser.sign_in(make.user(Role.SUPERVISOR, office=office))
    day = cover.today_of(here)
    for absent, covering, until in (
        (scene.broker, scene.broker, day),
        (scene.broker, stranger, day),
        (stranger, here, day),
        (scene.broker, here, day - timedelta(days=1)),
        (scene.broker, here, ""),
    ):
        given = {"absent": str(absent.id), "covering": str(covering.id), "until": str(until)}
        page = browser.submit("/office/covers", given)
        assert page.select(".notice-bad")
    assert session.scalars(select(Cover)).all() == []


def test_days_off_are_added_and_removed_and_checked(
    browser: Any, make: Make, session: Session, now: datetime
) -> None:
    supervisor = make.user(Role.SUPERVISOR)
    browser.sign_in(supervisor)
    day = cover.today_of(supervisor) + timedelta(days=3)
    for given in ({"on": "2020-01-01", "name": "x"}, {"on": str(day), "name": " "}, {"name": "x"}):
        assert browser.submit("/office/days-off", given).select(".notice-bad")
    browser.submit("/office/days-off", {"on": str(day), "name": "HUT kantor"})
    assert browser.submit("/office/days-off", {"on": str(day), "name": "x"}).select(".notice-bad")

    row = session.scalars(select(OfficeDayOff)).one()
    assert (row.on, row.name, row.office_id) == (day, "HUT kantor", supervisor.office_id)
    section = browser.page("/office/").select_one("section[aria-labelledby=days-off]")
    assert "HUT kantor" in section.text

    browser.submit(f"/office/days-off/{row.id}/remove")
    assert session.scalars(select(OfficeDayOff)).all() == []


@pytest.mark.parametrize("who", ["broker", "other office", Role.PLANNER, Role.AGENCY])
def test_nobody_else_orders_the_team(
    scene: Scene, browser: Any, make: Make, session: Session, who: Any
) -> None:
    office = scene.broker.office
    supervisor, covering = make.user(Role.SUPERVISOR, office=office), make.user(office=office)
    until = cover.today_of(covering)
    row = cover.begin(
        session,
        absent=scene.broker,
        covering=covering,
        until=until,
        by=supervisor,
        now=scene.now,
    )
    day = OfficeDayOff(office_id=office.id, on=until, name="x")
    session.add(day)
    session.flush()
    user = {
        "broker": lambda: covering,
        "other office": lambda: make.user(Role.SUPERVISOR),
    }.get(who, lambda: make.user(who))()
    browser.sign_in(user)

    assert browser.post(f"/office/covers/{row.id}/end").status_code == 404
    assert browser.post(f"/office/days-off/{day.id}/remove").status_code == 404
    if who != "other office":
        assert browser.post("/office/covers").status_code == 404
        assert browser.post("/office/days-off").status_code == 404
    session.refresh(row)
    assert row.ended_at is None
    assert session.scalars(select(OfficeDayOff)).one() is day
