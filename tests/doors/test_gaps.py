"""The planners' gap page: what it shows of published figures, what it says where it may not, and who may see it."""

import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from bs4 import BeautifulSoup
from flask import Flask
from sqlalchemy.orm import Session

from referral.accounts.models import Role
from referral.changes.actors import SYSTEM
from referral.extensions import db
from referral.places import operations as places
from referral.places.models import Place
from referral.planning.access import operations as access
from referral.planning.gaps.models import GapRelease, Measure
from referral.planning.proposals.models import Proposal
from referral.planning.proposals.states import ProposalStatus
from tests.conftest import Browser
from tests.factories import Make
from tests.releasing import SMALL, WITHHELD, released

LATER = datetime(2026, 11, 20, 3, tzinfo=UTC)
UNMET = {
    ("", "", "", ""): 60,
    ("33", "", "", ""): 60,
    ("33", "FC", "", ""): 47,
    ("33", "FC05", "", ""): 47,
    ("33.74", "FC05", "", ""): 37,
    ("33.72", "FC05", "", ""): SMALL,
    ("33.73", "FC05", "", ""): WITHHELD,
    ("33.?", "FC05", "", ""): 6,
    ("", "FC", "", ""): 47,
    ("", "FC05", "", ""): 47,
    ("33.74", "", "", ""): 37,
    ("33", "FC", "U01", ""): 30,
    ("33", "FC", "availability", ""): 30,
    ("33", "FC", "", "2026-Q3"): 12,
    ("33", "FC", "", "2026-Q2"): SMALL,
    ("", "FC", "", "2026-Q3"): 12,
}
ASKED = {
    ("", "", "", ""): 120,
    ("33", "FC", "", ""): 100,
    ("33", "FC05", "", ""): 80,
    ("33.74", "FC05", "", ""): 50,
    ("33.72", "FC05", "", ""): 9,
    ("33.75", "FC05", "", ""): 8,
    ("", "FC05", "", ""): 80,
    ("", "FC", "", "2026-Q3"): 40,
}
CLOSED = {("33.74", "FC05", "", ""): 5, ("", "FC05", "", ""): 5}
FIGURES = {Measure.UNMET: UNMET, Measure.ASKED: ASKED, Measure.CLOSED: CLOSED}


@pytest.fixture
def release(session: Session) -> GapRelease:
    return released(session, FIGURES)


@pytest.fixture
def planner(browser: Browser, make: Make) -> Browser:
    browser.sign_in(make.user(Role.PLANNER))
    browser.post("/language/en", data={"next": "/"})
    return browser


def rows(page: BeautifulSoup) -> dict[str, list[str]]:
    """Cells of each row of the table, without the buttons."""
    return {
        str(row["id"]).removeprefix("row-"): [cell.text for cell in row.select("td.num")]
        for row in page.select(".gap-table tbody tr")
    }


def heads(page: BeautifulSoup) -> list[str]:
    return [
        " ".join(head.text.replace("▼", "").replace("▲", "").split())
        for head in page.select(".gap-table thead th")
    ]


def said(page: BeautifulSoup) -> str:
    return " ".join(page.text.split())


def told_to_the_map(answer: Any) -> dict[str, Any]:
    found = re.search(r"const told = (\{.*?\}), chart", answer.text)
    assert found is not None
    return dict(json.loads(found[1]))


def test_the_table_shows_what_was_published_hides_the_rest_and_compares_unequal_areas(
    planner: Browser, release: GapRelease
) -> None:
    page = planner.page("/gaps?category=FC05&in=33")

    assert heads(page)[:4] == ["Area", "Unmet", "Of 100 who asked", "Services"]
    found = rows(page)
    assert list(found)[:4] == ["33.74", "33.?", "33.72", "33.73"]
    assert found["33.74"][:2] == ["37", "74"]
    assert found["33.72"][:2] == ["<5", "<5"]
    assert found["33.73"][:2] == ["–", "–"]
    text = said(page)
    assert "47 in Jawa Tengah" in text  # what stands in for the hidden ones
    assert "These are people who asked, not the population." in text
    assert "columns per 100 who asked" in text
    assert "Kabupaten" not in found


def test_a_gap_of_two_is_shown_as_fewer_than_five_and_can_start_a_proposal(
    planner: Browser, release: GapRelease
) -> None:
    page = planner.page("/gaps?category=FC05&in=33")

    row = page.select_one('[id="row-33.72"]')
    assert row is not None
    links = [link["href"] for link in row.select("a")]
    assert links[0] == "/proposals/new?area=33.72&category=FC05"
    cards = [" ".join(card.text.split()) for card in page.select(".gap-row")]
    assert "37 people need" in cards[0]
    assert any("Fewer than 5 people need" in card for card in cards)
    assert any("A number of people need" in card for card in cards)
    unknown = next(card for card in page.select(".gap-row") if "no more is known" in card.text)
    assert not unknown.select("a")


def test_reason_and_quarter_are_shown_for_provinces_and_fields_of_help_and_say_so(
    planner: Browser, release: GapRelease
) -> None:
    by_reason = planner.page("/gaps?category=FC05&reason=U01")
    by_quarter = planner.page("/gaps?category=FC05&period=2026-Q3&reason=U01")

    assert rows(by_reason)["33"][0] == "30"
    assert "By reason, counts are published for provinces and fields of help" in said(by_reason)
    assert "Reason and quarter are not published together" in said(by_quarter)
    assert rows(by_quarter)["33"][0] == "30"
    assert rows(planner.page("/gaps?category=FC&period=2026-Q3"))["33"][0] == "12"


def test_columns_sort_both_ways_and_hidden_counts_tell_nothing_by_their_place(
    planner: Browser, release: GapRelease
) -> None:
    page = planner.page("/gaps?category=FC05&in=33&layer=asked")
    assert list(rows(page))[:3] == ["33.74", "33.72", "33.75"]
    head = page.select_one('.gap-table thead [aria-sort="descending"]')
    assert head is not None
    turned = planner.page(str(head.select_one("a")["href"]))  # type: ignore[index]

    assert turned.select_one('.gap-table thead [aria-sort="ascending"]')
    column = heads(turned).index("Asked") - 1
    numbers = [int(row[column]) for row in rows(turned).values()]
    assert numbers == sorted(numbers)
    names = [
        row.select_one("th").text  # type: ignore[union-attr]
        for row in planner.page("/gaps?category=FC05&in=33&sort=area").select(".gap-table tbody tr")
    ]
    assert names == sorted(names)


def test_a_link_to_a_row_opens_its_page_of_the_table(planner: Browser, release: GapRelease) -> None:
    page = planner.page("/gaps?category=FC05&at=81.71")

    assert "81.71" in rows(page)
    assert "33.74" not in rows(page)


@pytest.mark.parametrize(
    "query",
    ["?category=nothing&layer=x&in=33.74&level=y&shape=z&period=2019-Q9&system=q&page=-3&gaps=99999",
     "?sort=x&dir=y&at=%3Cscript%3E&page=9999&category=FC05"],
)  # fmt: skip
def test_an_address_made_up_is_answered_as_far_as_it_means_something(
    planner: Browser, release: GapRelease, query: str
) -> None:
    planner.page(f"/gaps{query}")
    assert planner.get(f"/gaps/map{query}").status_code == 200


def test_before_the_first_release_the_page_says_what_to_do_and_shows_the_directory(
    planner: Browser, make: Make, session: Session
) -> None:
    make.service("FC05")
    page = planner.page("/gaps?category=FC05")

    assert "No release yet" in said(page)
    assert page.select_one('form[action="/gaps/release"]')
    assert not page.select(".gap-table")
    supply = planner.page("/gaps?category=FC05&layer=services")
    assert rows(supply)["33.74"][0] == "1"
    assert "Measures of access have not been worked out yet" in said(
        planner.page("/gaps?category=FC05&layer=nearest")
    )


def test_a_planner_may_have_the_figures_made_at_once(
    planner: Browser, session: Session, app: Flask
) -> None:
    page = planner.submit("/gaps/release")

    assert "The figures are being made" in said(page)


def test_measures_that_were_worked_out_are_layers_and_no_data_is_not_no_service(
    planner: Browser, make: Make, session: Session, release: GapRelease
) -> None:
    make.service("FC05")
    make.service("HE05", at=(-7.0, 110.4))
    session.flush()
    access.work_out(session, now=LATER)

    near = planner.page("/gaps?category=FC05&layer=nearest&in=33&at=33.74")
    cover = planner.page("/gaps?category=FC05&layer=coverage&in=33&at=33.74")
    far = planner.page("/gaps?category=FC05&layer=coverage&in=33&at=33.01")
    none = planner.page("/gaps?category=SA04&layer=nearest&in=33")

    assert float(rows(near)["33.74"][heads(near).index("Nearest (km)") - 1]) < 10
    column = heads(cover).index("Coverage (%)") - 1
    assert rows(cover)["33.74"][column] == "100"
    assert rows(far)["33.01"][column] == "no data"  # the directory holds nothing of any kind there
    assert {row[heads(none).index("Nearest (km)") - 1] for row in rows(none).values()} <= {"none at all", "no data"}  # fmt: skip


def test_residents_are_compared_where_they_are_known(
    planner: Browser, session: Session, release: GapRelease
) -> None:
    assert "No population is loaded" in said(planner.page("/gaps?category=FC05&layer=per_100k"))
    session.get_one(Place, "33.74").population = 1_000_000
    row = {"code": "99", "level": "1", "name": "Tanah Uji", "population": "5"}
    places.load(session, [row], source="survey", now=LATER)

    page = planner.page("/gaps?category=FC05&layer=per_100k&in=33")

    assert rows(page)["33.74"][heads(page).index("Per 100,000") - 1] == "3.7"


def test_a_proposal_is_on_the_map_and_what_it_closed_is_told_before_and_after(
    planner: Browser, make: Make, session: Session, release: GapRelease
) -> None:
    author = make.user(Role.PLANNER)
    before = {Measure.UNMET: {("33.74", "FC05", "", ""): 52}}
    released(session, before, quarter="2026-Q2", made_at=datetime(2026, 7, 1, tzinfo=UTC))
    plan = Proposal(
        category="FC05",
        area_code="33.74",
        title="TPA <b>Contoh</b>",
        problem="x",
        status=ProposalStatus.PROPOSED,
        created_at=LATER,
        created_by_id=author.id,
    )
    session.add(plan)
    session.commit()

    page = planner.page("/gaps?category=FC05&layer=proposals&in=33")
    told = told_to_the_map(planner.get("/gaps/map?category=FC05&layer=proposals&in=33"))

    assert rows(page)["33.74"][heads(page).index("Proposals") - 1] == "1"
    (marked,) = [one for one in told["shapes"]["features"] if one["properties"]["place"] == "plan"]
    assert marked["properties"]["title"] == "TPA <b>Contoh</b>"
    assert marked["properties"]["link"] == f"/proposals/{plan.id}"


def test_the_map_tells_what_the_table_tells_and_loads_nothing_from_elsewhere(
    planner: Browser, session: Session, release: GapRelease
) -> None:
    place = session.get_one(Place, "33.74")
    place.name = "Kota ${alert(1)}<script>{{ 7*7 }}"
    row = {"code": "99", "level": "1", "name": "Tanah Uji"}
    places.load(session, [row], source="survey", now=LATER)
    answer = planner.get("/gaps/map?category=FC05&in=33")

    assert answer.status_code == 200
    assert "https://" not in answer.text.replace("https://leafletjs.com", "")
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("sandbox allow-scripts allow-top-navigation-by-user-activation;")
    assert "img-src 'self' data:;" in policy
    told = {one["properties"]["title"]: one["properties"] for one in told_to_the_map(answer)["shapes"]["features"]}  # fmt: skip
    assert told[place.name]["lines"] == ["Unmet: 37"]
    assert told[place.name]["link"] == "at=33.74#row-33.74"
    assert "<script>{{" not in answer.text
    assert "<script>{{" not in planner.get("/gaps?category=FC05&in=33").text
    assert "<script>{{" not in planner.get("/gaps/map.svg?category=FC05&in=33").text
    assert {one["place"] for one in told.values()} >= {"small", "withheld", "zero"}


def test_tiles_are_asked_for_only_where_the_settings_name_them(
    planner: Browser, app: Flask, release: GapRelease, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataclasses import replace

    settings = replace(
        app.config["SETTINGS"], MAP_TILES="https://{s}.tiles.example.org/{z}/{x}/{y}.png"
    )
    monkeypatch.setitem(app.config, "SETTINGS", settings)

    answer = planner.get("/gaps/map")

    assert "img-src 'self' data: https://*.tiles.example.org;" in answer.headers["Content-Security-Policy"]  # fmt: skip
    assert "https://{s}.tiles.example.org/{z}/{x}/{y}.png" in answer.text


def test_hexagons_hold_what_their_areas_publish_and_name_hidden_ones(
    planner: Browser, release: GapRelease
) -> None:
    page = planner.page("/gaps?category=FC05&in=33&shape=hexagons")
    told = told_to_the_map(planner.get("/gaps/map?category=FC05&in=33&shape=hexagons"))

    first = page.select_one(".gap-table tbody tr")
    assert first is not None
    assert first.select("td")[0].text.startswith("37")
    assert "Around" in first.text
    shapes = told["shapes"]["features"]
    assert sum(one["properties"]["lines"][0].startswith("37") for one in shapes) == 1
    widened = planner.page("/gaps?category=FC05&in=33&shape=hexagons&layer=services_per_100k")
    assert "How many people live in a hexagon is not known" in said(widened)


def test_paper_holds_the_whole_table_and_the_map_as_a_picture(
    planner: Browser, release: GapRelease
) -> None:
    page = planner.page("/gaps/print?category=FC05")

    assert len(page.select(".gap-table tbody tr")) >= 514
    picture = page.select_one(".gap-map img")
    assert picture is not None
    answer = planner.get(str(picture["src"]))
    assert (answer.status_code, answer.mimetype) == (200, "image/svg+xml")


@pytest.mark.parametrize("role", [Role.BROKER, Role.AGENCY, Role.ADMINISTRATOR])
@pytest.mark.parametrize(
    "path",
    ["/gaps", "/gaps/map", "/gaps/map.svg", "/gaps/print", "/gaps/csv", "/gaps/png", "/proposals"],
)
def test_only_planners_open_the_gap_pages(
    role: Role, path: str, browser: Browser, make: Make, release: GapRelease
) -> None:
    browser.sign_in(make.user(role))

    assert browser.get(path).status_code == 404


def test_the_page_follows_a_real_release(
    planner: Browser, make: Make, session: Session, now: datetime
) -> None:
    from referral.planning.gaps import releases
    from referral.planning.unmet import ledger

    broker, name = make.user(), "Melati Rahasia"
    for _ in range(6):
        client = make.client(broker.office, stays_at={"code": "33.74"}, name=name)
        need = make.need(make.case(broker=broker, client=client), category="FC05")
        ledger.record_unmet(session, need, reason="U01", by=broker, now=now)
    session.commit()
    releases.publish(session, threshold=5, by=SYSTEM, now=now)
    db.session.commit()

    page = planner.page("/gaps?category=FC05&in=33")

    assert rows(page)["33.74"][:2] == ["6", "100"]
    assert name not in page.text


def test_a_page_of_gaps_with_a_number_too_large_for_a_database_is_the_last(
    planner: Browser, release: GapRelease
) -> None:
    assert planner.get(f"/gaps?gaps={10**30}").status_code == 200
    assert planner.get("/gaps?gaps=-7").status_code == 200
