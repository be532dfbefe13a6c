"""Attacks on how listings are kept, merged, imported and told that once worked, or must never."""

import csv
import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from referral.accounts.permissions import Role
from referral.directory.duplicates import sites
from referral.directory.duplicates.models import DuplicatePair, PairStatus
from referral.directory.hsds import exports, vocabularies
from referral.directory.intake import runs
from referral.directory.models import (
    Attribute,
    Criterion,
    EligibilityRule,
    Location,
    Phone,
    Service,
    ServiceArea,
)
from referral.directory.upkeep import changes
from referral.directory.upkeep.editing import FIELDS
from referral.places.queries import gazetteer
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


@pytest.fixture
def imported(session: Session, tmp_path: Path, now: datetime) -> Callable[..., list[Any]]:
    """Takes a CSV file of refuges in; gives the findings as columns and values."""

    def take(**cells: str) -> list[Any]:
        row = {"id": "1", "name": "Rumah Aman", "category": "EM07"} | cells
        path = tmp_path / "refuges.csv"
        with path.open("w") as file:
            table = csv.DictWriter(file, row)
            table.writeheader()
            table.writerow(row)
        guides = runs.guides(session, now=now)
        done = runs.perform(session, path, guides, source="uji", clock=lambda: now)
        return [(one.field, one.value) for one in done.findings]

    return take


def refuge_in(session: Session) -> Service:
    session.expire_all()
    return session.scalars(select(Service).where(Service.source == "uji")).one()


def test_an_agency_that_adds_the_address_of_a_refuge_whose_place_was_not_known_tells_it_to_nobody(
    browser: Any, session: Session, make: Make, imported: Any, now: datetime
) -> None:
    findings = imported(
        confidential="yes", place="Jl. Rahasia 5", latitude="7°01'S", longitude="110°27'E"
    )
    service = refuge_in(session)
    agency = make.user(Role.AGENCY, organization_id=service.organization_id)
    street = {"address_1": "Jl. Rahasia 5", "city": "", "state_province": "", "postal_code": ""}
    change = changes.edit(
        session,
        service.id,
        {"address": street},
        gazetteer(session),
        seen={"address": None},
        by=agency,
        now=now,
    )
    assert change is not None
    curator = make.user(Role.ADMINISTRATOR)
    changes.approve(session, change, gazetteer(session), by=curator, now=now)

    assert [value for _, value in findings if value] == []
    (site,) = refuge_in(session).sites
    assert site.location is not None
    assert [one.address_1 for one in site.location.addresses] == ["Jl. Rahasia 5"]
    for address in (f"/services/{service.id}", f"/api/hsds/services/{service.id}"):
        told = browser.get(address)
        assert (told.status_code, "Rahasia 5" in told.text) == (200, False)
    assert "Rahasia" not in browser.get("/directory/data/hsds-json").text


def test_an_import_stores_of_a_refuge_its_regency_alone(session: Session, imported: Any) -> None:
    imported(confidential="yes", place="33.74.11")

    (site,) = refuge_in(session).sites
    assert site.location is not None
    assert (site.location.area_code, site.location.point_source) == ("33.74", "regency")


def test_a_file_that_forgets_that_a_place_is_secret_does_not_tell_it(
    browser: Any, session: Session, imported: Any
) -> None:
    imported(confidential="yes", place="33.74")
    known = {"latitude": "-6.98123", "longitude": "110.41234", "address": "Jl. Rahasia 5"}
    findings = imported(place="33.74.11", **known)

    (site,) = refuge_in(session).sites
    place = site.location
    assert place is not None
    assert (place.confidential, place.area_code, place.addresses) == (True, "33.74", [])
    assert place.latitude != -6.98123
    assert ("location", "") in findings
    told = browser.get(f"/services/{site.service_id}").text
    assert "Rahasia" not in told + browser.get("/directory/data/csv").text


def test_the_address_of_a_place_that_its_own_directory_keeps_secret_is_secret_here(
    browser: Any, session: Session, make: Make, now: datetime
) -> None:
    site = make.service("EM07", name="Rumah Aman", at=None)
    term_id = vocabularies.term_id(vocabularies.CONFIDENTIALITY, vocabularies.CONFIDENTIAL)
    site.location_id = None
    session.add(Attribute(link_id=site.service_id, link_entity="service", taxonomy_term_id=term_id))
    session.flush()
    session.expire_all()
    street = {"address_1": "Jl. Rahasia 5", "city": "", "state_province": "", "postal_code": ""}
    changes.edit(
        session,
        site.service_id,
        {"address": street},
        gazetteer(session),
        seen={"address": None},
        by=make.user(Role.ADMINISTRATOR),
        now=now,
    )

    for address in (f"/services/{site.service_id}", f"/api/hsds/services/{site.service_id}"):
        told = browser.get(address)
        assert (told.status_code, "Rahasia 5" in told.text) == (200, False)


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


# Whole directories --------------------------------------------------------------------------------------


def test_who_downloads_everything_again_and_again_keeps_nobody_from_the_pages(
    browser: Any, make: Make
) -> None:
    make.service("HE05")
    addresses = ["/directory/data/csv", "/directory/data/xlsx", "/api/hsds/services?format=ndjson"]
    for address in addresses * 3:
        assert browser.get(address).status_code == 200

    turns = [exports.take_turn() for _ in range(exports.MOST_AT_ONCE)]
    for address in addresses:
        told = browser.get(address)
        assert (told.status_code, told.headers["Retry-After"]) == (503, "60"), address
    assert browser.get("/emergency").status_code == 200
    for end in turns:
        assert end is not None
        end()
        end()
    for address in addresses:
        assert browser.get(address).status_code == 200


def test_the_page_of_a_refuge_names_no_area_finer_than_its_regency(
    browser: Any, session: Session, make: Make
) -> None:
    district = gazetteer(session).children("33.74")[0]
    code, name = district.code, district.name
    refuge = make.service("EM07", name="Rumah Aman", at=HIDDEN, confidential=True)
    known = make.service("HE05", name="Klinik", at=HIDDEN)
    for site in (refuge, known):
        session.add(ServiceArea(service_id=site.service_id, area_code=code, name=f"Kec. {name}"))
        session.add(
            EligibilityRule(
                service_id=site.service_id, criterion=Criterion.RESIDENCY, values=[code]
            )
        )
    session.flush()

    assert name in browser.page(f"/services/{known.service_id}").text
    assert name not in browser.page(f"/services/{refuge.service_id}").text


# Numbers of thousands of digits -------------------------------------------------------------------

ENDLESS = "9" * 5_000


def test_a_number_of_thousands_of_digits_is_no_error_of_ours(browser: Any, make: Make) -> None:
    site = make.service("HE05")
    browser.sign_in(make.user(Role.PLANNER))
    address = f"/rehearsal/{site.service_id}"

    for typed in (
        {"hours-MO-count": ENDLESS},
        {"service_areas-count": "1", "do": f"service_areas.remove.{ENDLESS}"},
    ):
        browser.submit(address, typed)


def test_a_listing_with_an_endless_extension_does_not_end_everybodys_download(
    browser: Any, session: Session, make: Make
) -> None:
    site = make.service("HE05", name="Layanan Lain")
    site.service.phones.append(Phone(number="024 1234567", extension=ENDLESS))
    session.flush()

    answer = browser.get("/directory/data/hsds-json")

    assert "Layanan Lain" in answer.text
    assert vocabularies._read_desil(ENDLESS, None, frozenset()) is None
