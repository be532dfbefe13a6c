"""What planners see: counts, never people; and how a gap becomes a listing."""

from datetime import datetime

import pytest
from sqlalchemy.orm import Session

from referral.accounts.models import Role
from referral.planning.unmet import ledger
from tests.conftest import Browser
from tests.factories import Make

STAY = {"code": "33.74", "lat": -6.99, "lon": 110.42, "precision_km": 6.0}
NAME = "Melati Rahasia"


def unmet(make: Make, session: Session, now: datetime, people: int, category: str = "FC05") -> None:
    broker = make.user()
    for _ in range(people):
        case = make.case(broker=broker, client=make.client(broker.office, stays_at=STAY, name=NAME))
        ledger.record_unmet(
            session, make.need(case, category=category), reason="U01", by=broker, now=now
        )
    session.commit()


def test_a_gap_of_two_is_shown_as_fewer_than_five_and_can_start_a_proposal(
    browser: Browser, make: Make, session: Session, now: datetime
) -> None:
    unmet(make, session, now, people=2)
    browser.sign_in(make.user(Role.PLANNER))

    page = browser.page("/gaps")

    row = page.select_one("tbody tr")
    assert row is not None
    assert row.select("td")[0].text == "<5"
    assert NAME not in page.text
    form = browser.page("/proposals/new?area=33.74&category=FC05")
    problem = form.select_one("#problem")
    assert problem is not None
    assert "5" in problem.text


def test_the_map_loads_nothing_from_elsewhere_and_escapes_what_it_is_told(
    browser: Browser, make: Make, session: Session, now: datetime
) -> None:
    unmet(make, session, now, people=5)
    browser.sign_in(make.user(Role.PLANNER))

    answer = browser.get("/gaps/map")

    assert answer.status_code == 200
    assert "http://" not in answer.text.replace("http://www.w3.org", "")
    assert "https://" not in answer.text.replace("https://leafletjs.com", "")
    assert answer.headers["Content-Security-Policy"].startswith("sandbox allow-scripts;")


@pytest.mark.parametrize("role", [Role.BROKER, Role.AGENCY, Role.ADMINISTRATOR])
@pytest.mark.parametrize("path", ["/gaps", "/gaps/map", "/proposals"])
def test_only_planners_open_the_planning_pages(
    role: Role, path: str, browser: Browser, make: Make
) -> None:
    browser.sign_in(make.user(role))

    assert browser.get(path).status_code == 404
