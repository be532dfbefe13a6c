"""Attacks on how listings are kept, merged, imported and told that once worked, or must never."""

import json
from typing import Any

import pytest
from sqlalchemy.orm import Session

from referral.accounts.permissions import Role
from referral.directory.duplicates import sites
from referral.directory.duplicates.models import DuplicatePair, PairStatus
from referral.directory.models import Location, ServiceArea
from referral.directory.upkeep.editing import FIELDS
from tests.factories import Make

#: where a refuge is, and who should not learn it
HIDDEN = (-7.0123, 110.4567)


# Places that stay secret ----------------------------------------------------------------------------


@pytest.mark.parametrize("keep", [0, 1])
def test_a_curator_does_not_find_a_refuge_by_moving_a_double_of_it_about(
    browser: Any, session: Session, make: Make, now: Any, keep: int
) -> None:
    refuge = make.service("EM07", name="Rumah Aman", at=HIDDEN, confidential=True)
    refuge.service.source_title = "Rumah di Jalan Rahasia 5 diresmikan"
    decoy = make.service("EM07", name="Rumah Aman", at=HIDDEN)
    both = [refuge.service_id, decoy.service_id]
    first, second = sorted(both)
    pair = DuplicatePair(
        first_id=first,
        second_id=second,
        score=0.9,
        reasons=[],
        status=PairStatus.OPEN,
        found_at=now,
    )
    session.add(pair)
    session.flush()
    browser.sign_in(make.user(Role.ADMINISTRATOR))

    def seen(latitude: float, area_code: str) -> str:
        place = session.get_one(Location, decoy.location_id)
        place.latitude, place.area_code = latitude, area_code
        page = browser.page(f"/directory/duplicates/{pair.id}?keep={both[keep]}")
        assert "Rahasia" not in page.text
        chosen = [
            (field["name"], field["value"])
            for field in page.select("input[name^=site-][checked], input[name^=place-][checked]")
        ]
        assert chosen, page.select("input")
        return str(chosen)

    here = seen(HIDDEN[0], "33.74")
    assert here == seen(HIDDEN[0] + 0.1, "33.74") == seen(HIDDEN[0] + 9, "11.01")
    assert sites.of(session, refuge.service_id)[0]["latitude"] is None


def test_what_a_source_says_of_the_area_of_a_refuge_is_not_told(
    browser: Any, session: Session, make: Make
) -> None:
    site = make.service("EM07", name="Rumah Aman", at=HIDDEN, confidential=True)
    for told in (
        {"name": "Jalan Rahasia 5", "extent": "33.74"},
        {"name": "Kota Semarang", "description": "dekat Jalan Rahasia"},
        {"name": "Kota Semarang", "extent": "Jalan Rahasia"},
        {"name": "Kota Semarang", "uri": "https://example.org/jalan-Rahasia"},
        {"name": "Kota Semarang"},
        {"name": "33.74", "extent": "33.74"},
    ):
        session.add(ServiceArea(service_id=site.service_id, area_code="33.74", **told))
    session.flush()

    told = browser.get(f"/api/hsds/services/{site.service_id}").get_json()
    listed = browser.get("/directory/data/hsds-json").text

    assert "Rahasia" not in json.dumps(told) + listed
    assert sorted(area["name"] for area in told["service_areas"]) == ["33.74", "Kota Semarang"]


# What a source or a form may put into a page ------------------------------------------------------------


@pytest.mark.parametrize("url", ["javascript:alert(1)", " JavaScript:alert(1)", "data:text/html,x"])
def test_an_imported_address_that_is_none_of_the_web_is_no_link(
    browser: Any, make: Make, url: str
) -> None:
    site = make.service("HE05", url=url, email="a@b.example")

    page = browser.page(f"/services/{site.service_id}")

    assert url.strip() in page.text
    assert [a["href"] for a in page.select("a[href]") if "alert" in a["href"]] == []
    assert [a["href"] for a in page.select("a[href^='data:']")] == []


# Forms that a browser never sends ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value", ['"x"', "[1]", "[[[]]]", "true", "1e999", "NaN", '{"a": 1}', "[null]", "[" * 100_000]
)
def test_no_form_puts_a_value_into_a_draft_that_no_page_can_show(
    browser: Any, make: Make, value: str
) -> None:
    site = make.service("HE05")
    browser.sign_in(make.user(Role.AGENCY, organization_id=site.service.organization_id))
    address = f"/listings/{site.service_id}"

    for name in FIELDS.keys() - {"organization"}:
        form = {"field": name, f"{name}-choice": "mine", f"{name}-mine": value}
        assert browser.post(f"{address}/resolve", data=form).status_code in (303, 400), name
    sections = ("contact", "hours", "room", "who", "bring", "place", "about")
    for page in ("changes", "preview", "check", *(f"edit/{one}" for one in sections)):
        assert browser.get(f"{address}/{page}").status_code == 200, page
