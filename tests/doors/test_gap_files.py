"""The gap map as files: the page's numbers, the certificate, no formulas; and what everybody may download."""

import csv
import io
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from python_calamine import CalamineWorkbook
from sqlalchemy.orm import Session

from referral.accounts.models import Role
from referral.places import operations as places
from referral.places.models import Place
from referral.planning.disclosure.cells import Cell, Shown
from referral.planning.disclosure.certificate import Certificate, verify
from referral.planning.gaps.models import Audience, GapRelease, Measure
from tests.conftest import Browser
from tests.doors.test_gaps import FIGURES, rows
from tests.factories import Make
from tests.releasing import SMALL, released

QUERY = "?category=FC05&in=33"
NOW = datetime(2026, 11, 20, 3, tzinfo=UTC)


@pytest.fixture
def release(session: Session) -> GapRelease:
    return released(session, FIGURES)


@pytest.fixture
def planner(browser: Browser, make: Make) -> Browser:
    browser.sign_in(make.user(Role.PLANNER))
    browser.post("/language/en", data={"next": "/"})
    return browser


def table(text: str) -> tuple[list[str], list[dict[str, str]]]:
    """The comments of a CSV file, and its rows."""
    lines = text.splitlines()
    comments = [line for line in lines if line.startswith("#")]
    return comments, list(csv.DictReader(lines[len(comments) :]))


def test_each_file_holds_the_numbers_of_the_page_and_the_certificate(
    planner: Browser, release: GapRelease
) -> None:
    page = rows(planner.page(f"/gaps{QUERY}"))
    certificate = Certificate.from_json(release.certificate["unmet"])

    comments, found = table(planner.get(f"/gaps/csv{QUERY}").text)
    book = CalamineWorkbook.from_filelike(io.BytesIO(planner.get(f"/gaps/xlsx{QUERY}").data))
    sheet = book.get_sheet_by_name("Gaps").to_python()
    signed = dict(book.get_sheet_by_name("Certificate").to_python())
    told = json.loads(planner.get(f"/gaps/geojson{QUERY}").text)

    assert len(found) == len(sheet) - 1 == len(told["features"]) >= 36
    shown = {one["code"]: one["unmet"] for one in found}
    assert {code: shown[code] for code in ("33.74", "33.72", "33.73", "33.?", "33.75")} == {
        "33.74": "37",
        "33.72": "<5",
        "33.73": "withheld",
        "33.?": "6",
        "33.75": "0",
    }
    for code, cells in page.items():
        assert cells[0].replace("–", "withheld") == shown[code]
    column = sheet[0].index("unmet")
    assert {row[0]: row[column] for row in sheet[1:]}["33.74"] == 37
    features = {one["id"]: one["properties"] for one in told["features"]}
    assert (features["33.72"]["unmet"], features["33.72"]["unmet_shown"]) == (None, "small")
    assert (features["33.74"]["unmet"], features["33.74"]["unmet_shown"]) == (37, "told")
    for told_by in ("\n".join(comments), json.dumps(signed), json.dumps(told["certificate"])):
        assert certificate.digest in told_by
        assert "These are people who asked, not the population." in told_by
        assert "2026-Q3" in told_by


def test_a_file_is_named_after_its_release_and_what_was_asked(
    planner: Browser, release: GapRelease
) -> None:
    answer = planner.get(f"/gaps/csv{QUERY}&layer=share")

    assert answer.headers["Content-Disposition"] == (
        'attachment; filename="gaps-2026-q3-share-fc05-33-regency.csv"'
    )


def test_no_cell_is_a_formula(planner: Browser, session: Session, release: GapRelease) -> None:
    session.get_one(Place, "33.74").name = "=HYPERLINK(1)"
    row = {"code": "99", "level": "1", "name": "@Tanah"}
    places.load(session, [row], source="survey", now=NOW)

    _, found = table(planner.get(f"/gaps/csv{QUERY}").text)
    book = CalamineWorkbook.from_filelike(io.BytesIO(planner.get(f"/gaps/xlsx{QUERY}").data))

    assert {one["code"]: one["name"] for one in found}["33.74"].startswith("'=HYPERLINK")
    names = {row[0]: row[1] for row in book.get_sheet_by_name("Gaps").to_python()}
    assert str(names["33.74"]).startswith("'=HYPERLINK")


def test_the_picture_is_a_png_of_the_map_with_its_legend(
    planner: Browser, release: GapRelease
) -> None:
    answer = planner.get(f"/gaps/png{QUERY}")

    assert answer.data.startswith(b"\x89PNG\r\n\x1a\n")
    assert int.from_bytes(answer.data[16:20]) > 1_500


def test_hexagons_are_files_too(planner: Browser, release: GapRelease) -> None:
    _, found = table(planner.get(f"/gaps/csv{QUERY}&shape=hexagons").text)
    told = json.loads(planner.get(f"/gaps/geojson{QUERY}&shape=hexagons").text)

    assert [one["unmet"] for one in found if one["unmet"].startswith("37")] == ["37"] or any(
        one["unmet"].startswith("37 and") for one in found
    )
    assert {one["geometry"]["type"] for one in told["features"]} == {"Polygon"}


def test_a_layer_that_can_not_be_told_is_no_file(planner: Browser) -> None:
    assert planner.get("/gaps/csv").status_code == 404


def test_everybody_may_read_the_public_release_and_check_it(
    browser: Browser, session: Session
) -> None:
    figures = {
        Measure.UNMET: {
            ("", "", "", ""): 60,
            ("33", "", "", ""): 60,
            ("33.74", "", "", ""): 37,
            ("33.74", "FC05", "", ""): 37,
            ("33.72", "FC05", "", ""): SMALL,
            ("33.72", "", "", ""): SMALL,
        },
        Measure.ASKED: {("", "", "", ""): 120, ("33", "", "", ""): 120},
    }
    release = released(session, figures, audience=Audience.PUBLIC, threshold=11)
    released(session, FIGURES)  # what planners see is no part of it

    browser.post("/language/en", data={"next": "/"})
    page = browser.page("/gaps/public")
    comments, found = table(browser.get("/gaps/public.csv").text)
    told = json.loads(browser.get("/gaps/public.geojson").text)

    assert "stands for 1 to 10" in " ".join(page.text.split())
    for measure in (Measure.UNMET, Measure.ASKED):
        published = {
            (one["area"], one["category"], one["reason"], one["period"]): Cell(
                Shown(one["shown"]), int(one["people"]) if one["people"] else None
            )
            for one in found
            if one["measure"] == measure
        }
        certificate = Certificate.from_json(release.certificate[measure.value])
        assert verify(published, certificate) == []
        assert any(certificate.digest in line for line in comments)
    assert {one["id"]: one["properties"]["unmet"] for one in told["features"]} == {
        "33.74": 37,
        "33.72": None,
    }


@pytest.mark.parametrize("path", ["/gaps/public.csv", "/gaps/public.geojson"])
def test_before_the_first_public_release_there_is_nothing_to_download(
    browser: Any, session: Session, path: str
) -> None:
    released(session, FIGURES)

    assert browser.get(path).status_code == 404
    assert browser.page("/gaps/public").select(".empty, .empty-state, h2")
