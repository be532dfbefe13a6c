"""Planners' pages of where a resource should stand, and the command."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from referral.accounts.models import Role, User
from referral.jobs import tasks
from referral.jobs.queue import jobs
from referral.places import operations as places
from referral.planning.siting import operations
from referral.planning.siting.models import SitingCase
from referral.planning.siting.questions import Aim, By, Kind, Question
from referral.planning.work import WorkState
from tests.conftest import Browser
from tests.factories import Make
from tests.features.test_siting import ROWS
from tests.siting import answered

HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture(autouse=True)
def area(session: Session, now: datetime) -> None:
    rows = [row | ({"name": HOSTILE} if row["code"] == "99.02.01" else {}) for row in ROWS]
    places.load(session, rows, source="survey", now=now)


@pytest.fixture
def waiting(session: Session, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was given to the queue, which nobody works off."""
    given: list[str] = []
    monkeypatch.setattr(jobs(), "work_out_sites", lambda: given.append("sites"))
    return given


@pytest.fixture
def at_once(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is given to the queue is done before the page comes."""
    monkeypatch.setattr(jobs(), "work_out_sites", tasks.work_out_sites)


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
    return answered(session, question, by=planner, now=now)


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


@pytest.mark.usefixtures("at_once")
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


@pytest.mark.usefixtures("at_once")
def test_where_everybody_is_reached_the_page_says_that_nothing_would_change(
    plans: Browser, make: Make
) -> None:
    make.service("VR01", at=(-10.2, 108.0))
    make.service("VR01", at=(-10.2, 108.6))

    page = plans.submit("/gaps/siting/new", FORM)

    assert "No further site would change anything" in page.text
    assert page.select("a.btn-amber") == []


def test_a_question_waits_says_so_and_is_answered_where_it_was_asked(
    plans: Browser, session: Session, waiting: list[str]
) -> None:
    page = plans.submit("/gaps/siting/new", FORM)

    kept = session.scalars(select(SitingCase)).one()
    here = f"/gaps/siting/{kept.id}"
    assert (kept.state, waiting) == (WorkState.WAITING, ["sites"])
    assert "Waiting to be worked out" in page.text
    assert page.select_one("noscript meta[http-equiv=refresh]") is not None
    poll = str(page.select_one("#siting")["hx-get"])  # type: ignore[index]
    assert poll == f"{here}?seen=waiting-0"
    assert plans.get(poll).status_code == 204
    for path in ("map", "map.svg", "print"):
        assert plans.get(f"{here}/{path}").status_code == 404
    assert "Waiting" in plans.page("/gaps/siting").select(".tag")[0].text
    assert plans.page(f"/gaps/siting/compare?case={kept.id}&case={kept.id}").select(".flashes")
    assert tasks.work_out_sites() == 1
    assert "What one, two" in plans.page(poll).text
    assert "Being worked out" not in plans.page("/gaps/siting").text


def test_the_same_question_is_answered_from_what_is_kept(
    plans: Browser, session: Session, make: Make, waiting: list[str]
) -> None:
    plans.submit("/gaps/siting/new", FORM)
    plans.submit("/gaps/siting/new", FORM)
    assert tasks.work_out_sites() == 1
    plans.post("/sign-out")
    plans.sign_in(make.user(Role.PLANNER))
    plans.post("/language/en", data={"next": "/"})

    again = plans.submit("/gaps/siting/new", FORM)

    assert "This was worked out before" in again.text
    assert len(session.scalars(select(SitingCase)).all()) == 1
    assert tasks.work_out_sites() == 0


def test_who_has_three_questions_going_on_waits_and_loses_nothing(
    plans: Browser, session: Session, waiting: list[str]
) -> None:
    for km in ("11", "12", "13"):
        plans.submit("/gaps/siting/new", FORM | {"within": km})

    page = plans.submit("/gaps/siting/new", FORM | {"within": "14"}, status=422)

    assert "3 of your questions are still being worked out" in page.text
    assert [str(link["href"]) for link in page.select(".error-summary a")] == ["#going_on"]
    assert len(page.select("#going_on li a")) == 3
    assert page.select_one("#within")["value"] == "14"  # type: ignore[index]
    assert waiting == ["sites"] * 3
    assert tasks.work_out_sites() == 3
    plans.submit("/gaps/siting/new", FORM | {"within": "14"})
    assert len(session.scalars(select(SitingCase)).all()) == 4


def test_a_failed_question_says_why_and_is_asked_again_or_another_way(
    plans: Browser, session: Session, waiting: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    plans.submit("/gaps/siting/new", FORM | {"kinds": ["agency"], "within": "70"})
    assert tasks.work_out_sites() == 1
    kept = session.scalars(select(SitingCase)).one()

    page = plans.page(f"/gaps/siting/{kept.id}")
    assert "There is no site of the kinds you chose in this area." in page.text
    assert "Failed" in plans.page("/gaps/siting").text
    way = str(page.select_one("a.btn-line[href*=new]")["href"])  # type: ignore[index]
    form = plans.page(way)
    assert [box["value"] for box in form.select("input[name=kinds][checked]")] == ["agency"]
    assert form.select_one("#within")["value"] == "70"  # type: ignore[index]
    with monkeypatch.context() as broken:
        broken.setattr(operations, "work_out", lambda *_given, **_named: 1 / 0)
        plans.submit(f"/gaps/siting/{kept.id}/again")
        assert tasks.work_out_sites() == 1
    assert "Something went wrong in the system" in plans.page(f"/gaps/siting/{kept.id}").text
    assert "ZeroDivisionError" not in plans.get(f"/gaps/siting/{kept.id}").text


def test_a_question_cut_off_by_a_restart_is_told_as_such_and_asked_again(
    plans: Browser, session: Session, waiting: list[str], make: Make
) -> None:
    plans.submit("/gaps/siting/new", FORM)
    kept = session.scalars(select(SitingCase)).one()
    kept.begin(datetime.now(UTC) - timedelta(minutes=11))

    page = plans.page(f"/gaps/siting/{kept.id}")
    assert "Nothing is heard of this work any more" in page.text
    assert page.select("noscript meta[http-equiv=refresh]") == []
    assert "Waiting to be worked out" in plans.submit(f"/gaps/siting/{kept.id}/again").text
    assert tasks.work_out_sites() == 1
    assert kept.state is WorkState.DONE
    plans.submit(f"/gaps/siting/{kept.id}/again")  # an answer is not asked for again
    assert kept.state is WorkState.DONE


def test_cases_of_a_gap_stand_side_by_side(
    plans: Browser, session: Session, planner: User, case: SitingCase, now: datetime
) -> None:
    question = Question(
        "VR01", "99", within_km=70.0, aim=Aim.DISTANCE, kinds=(Kind.SEAT,), by=By.POPULATION
    )
    other = answered(session, question, by=planner, now=now)

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
    for path in ("new", f"{case.id}/delete", f"{case.id}/again"):
        assert browser.post(f"/gaps/siting/{path}", data=FORM).status_code == 404, path


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
