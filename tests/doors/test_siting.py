"""Planners' pages of where a resource should stand, and the command."""

from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from referral.accounts.models import Role, User
from referral.places import operations as places
from referral.planning.siting import operations
from referral.planning.siting.models import SitingCase
from referral.planning.siting.questions import Aim, By, Kind, Question
from tests.conftest import Browser
from tests.factories import Make
from tests.features.test_siting import ROWS

HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture(autouse=True)
def area(session: Session, now: datetime) -> None:
    rows = [row | ({"name": HOSTILE} if row["code"] == "99.02.01" else {}) for row in ROWS]
    places.load(session, rows, source="survey", now=now)


@pytest.fixture
def planner(make: Make) -> User:
    return make.user(Role.PLANNER)


@pytest.fixture
def plans(browser: Browser, planner: User) -> Browser:
    """A planner's browser, in English."""
    browser.sign_in(planner)
    browser.post("/language/en", data={"next": "/"})
    return browser


@pytest.fixture
def case(session: Session, planner: User, now: datetime) -> SitingCase:
    question = Question("VR01", "99", within_km=15.0, kinds=(Kind.SEAT,), by=By.POPULATION)
    return operations.make(session, question, by=planner, now=now)


FORM: dict[str, Any] = {
    "category": "VR01",
    "area": "99",
    "within": "15",
    "aim": "people",
    "by": "population",
    "kinds": ["seat"],
    "beyond": "y",
    "same_island": "y",
}


def rows(page: Any, caption: str) -> list[list[str]]:
    """The cells of the table with this caption, headings of rows first."""
    table = next(one for one in page.select("table") if caption in one.caption.text)
    return [
        [cell.get_text(" ", strip=True).replace("\xa0", " ") for cell in row.select("th, td")]
        for row in table.select("tbody tr")
    ]


def test_a_gap_leads_to_a_form_filled_in_with_what_fits_its_area(
    plans: Browser, make: Make
) -> None:
    make.service("VR01", at=(-10.2, 108.0), facility_type="BPVP")

    page = plans.page("/gaps/siting/new?area=99&category=VR01")

    assert page.select_one("select[name=area] option[selected]")["value"] == "99"  # type: ignore[index]
    assert page.select_one("select[name=category] option[selected]")["value"] == "VR01"  # type: ignore[index]
    assert page.select_one("#within")["value"] == "10"  # type: ignore[index]
    assert [box["value"] for box in page.select("input[name=kinds][checked]")] == ["agency", "seat"]
    assert [box["value"] for box in page.select("input[name=by][checked]")] == ["population"]


def test_the_answer_names_sites_people_and_who_is_left_out(
    plans: Browser, session: Session
) -> None:
    page = plans.submit("/gaps/siting/new?area=99&category=VR01", FORM)

    kept = session.scalars(select(SitingCase)).one()
    counts = rows(page, "What one, two")
    assert [row[:5] for row in counts] == [
        ["None", "–", "0", "0 %", "–"],
        ["1", "Kabupaten Barat", "5,000", "67 %", "+5,000"],
        ["2", "Kabupaten Barat; Kabupaten Timur", "7,500", "100 %", "+2,500"],
    ]
    assert [row[1] for row in rows(page, "still out of reach")] == ["2,000", "500"]
    assert HOSTILE not in str(page)
    both = plans.page(f"/gaps/siting/{kept.id}?sites=2")
    assert "Nobody: everybody who counts" in both.text
    assert "Of those within reach 500 live beyond the border." in both.text
    link = both.select_one("a.btn-amber")
    assert link is not None
    query = f"area=99&category=VR01&siting={kept.id}&sites=2"
    assert str(link["href"]) == f"/proposals/new?{query}"
    assert plans.get(str(link["href"])).status_code == 200


def test_the_map_loads_nothing_from_elsewhere_and_reads_no_name_as_a_tag(
    plans: Browser, case: SitingCase
) -> None:
    answer = plans.get(f"/gaps/siting/{case.id}/map?sites=2")
    picture = plans.get(f"/gaps/siting/{case.id}/map.svg")

    assert answer.status_code == 200
    assert HOSTILE not in answer.text
    assert "onerror" in answer.text  # the name is there, as text
    assert "https://" not in answer.text.replace("https://leafletjs.com", "")
    assert answer.headers["Content-Security-Policy"].startswith("sandbox allow-scripts;")
    assert (picture.status_code, picture.mimetype) == (200, "image/svg+xml")
    assert HOSTILE not in picture.text


def test_what_is_wrong_is_said_beside_its_field_and_nothing_is_lost(plans: Browser) -> None:
    wrong = {"category": "", "area": "99", "within": "0", "aim": "distance", "kinds": ["hex"]}

    page = plans.submit("/gaps/siting/new", wrong, status=422)

    summary = [str(link["href"]) for link in page.select(".error-summary a")]
    assert summary == ["#category", "#within", "#by"]
    assert [box["value"] for box in page.select("input[name=kinds][checked]")] == ["hex"]
    nobody = plans.submit("/gaps/siting/new", FORM | {"by": "needs"}, status=422)
    assert [str(link["href"]) for link in nobody.select(".error-summary a")] == ["#by"]


def test_where_everybody_is_reached_the_page_says_that_nothing_would_change(
    plans: Browser, make: Make
) -> None:
    make.service("VR01", at=(-10.2, 108.0))
    make.service("VR01", at=(-10.2, 108.6))

    page = plans.submit("/gaps/siting/new", FORM)

    assert "No further site would change anything" in page.text
    assert page.select("a.btn-amber") == []


def test_cases_of_a_gap_stand_side_by_side(
    plans: Browser, session: Session, planner: User, case: SitingCase, now: datetime
) -> None:
    question = Question(
        "VR01", "99", within_km=70.0, aim=Aim.DISTANCE, kinds=(Kind.SEAT,), by=By.POPULATION
    )
    other = operations.make(session, question, by=planner, now=now)

    listed = plans.page("/gaps/siting?area=99&category=VR01")
    page = plans.page(f"/gaps/siting/compare?case={case.id}&case={other.id}")

    assert len(listed.select("input[name=case]")) == 2
    assert [row[1:4] for row in rows(page, "1 site")] == [
        ["Kabupaten Barat", "5,000", "67 %"],
        ["Kabupaten Barat", "7,000", "93 %"],
    ]
    alone = plans.page(f"/gaps/siting/compare?case={case.id}&case=nonsense")
    assert "Choose two to four cases of the same gap." in alone.text


def test_only_the_maker_deletes_a_case(
    plans: Browser, make: Make, session: Session, case: SitingCase
) -> None:
    where = f"/gaps/siting/{case.id}"
    other = make.user(Role.PLANNER)
    plans.post("/sign-out")
    plans.sign_in(other)
    assert plans.post(f"{where}/delete").status_code in (403, 404, 409)
    assert session.scalars(select(SitingCase)).one()
    plans.post("/sign-out")
    plans.sign_in(case.made_by)
    plans.submit(f"{where}/delete")
    assert session.scalars(select(SitingCase)).all() == []


@pytest.mark.parametrize("role", [Role.BROKER, Role.AGENCY, Role.ADMINISTRATOR, Role.SUPERVISOR])
def test_only_planners_open_the_pages(
    role: Role, browser: Browser, make: Make, case: SitingCase
) -> None:
    browser.sign_in(make.user(role))

    for path in ("", "/new", "/compare", f"/{case.id}", f"/{case.id}/map", f"/{case.id}/print"):
        assert browser.get(f"/gaps/siting{path}").status_code == 404, path
    assert browser.post(f"/gaps/siting/{case.id}/delete").status_code == 404


def test_the_print_view_holds_the_same_tables(plans: Browser, case: SitingCase) -> None:
    page = plans.page(f"/gaps/siting/{case.id}/print?sites=1")

    assert rows(page, "What one, two")[1][2] == "5,000"
    assert page.select_one("img[src$='map.svg?sites=1']") is not None


def test_the_command_answers_with_the_same_numbers(cli: Any, case: SitingCase) -> None:
    output = cli(
        *("gaps", "site", "--category", "VR01", "--area", "99", "--within", "15", "--sites", "1"),
        *("--candidates", "seat", "--json"),
    )

    assert output.exit_code == 0
    told = output.json
    assert told["question"]["by"] == "population"
    assert told["counts"] == case.answer["counts"][:1]


def test_the_command_says_what_is_wrong_and_prints_a_table(cli: Any) -> None:
    wrong = cli("gaps", "site", "--category", "VR01", "--area", "99.01.01", "--json")
    assert wrong.exit_code == 2
    assert wrong.json["error"]["field"] == "area"

    table = cli("gaps", "site", "--category", "VR01", "--area", "99", "--lang", "en")
    assert table.exit_code == 0
    assert "7,000 people are counted" in table.stdout


def test_a_province_is_not_drawn_to_its_border_unless_somebody_asks(plans: Browser) -> None:
    ticked = {
        area: bool(
            plans.page(f"/gaps/siting/new?area={area}&category=HE05").select("#beyond[checked]")
        )
        for area in ("33", "33.74")
    }

    assert ticked == {"33": False, "33.74": True}
