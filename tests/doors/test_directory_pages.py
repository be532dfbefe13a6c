"""The public directory's pages, and the curator's."""

import pytest
from sqlalchemy import delete

from referral.accounts.models import Role
from referral.directory.kinds import Remote, ServiceStatus
from referral.directory.models import (
    EligibilityRule,
    Phone,
    RequiredDocument,
    Schedule,
    ServiceArea,
)
from referral.directory.search import misses
from referral.directory.upkeep.models import ListingReport, SearchMiss
from referral.places.models import Place


@pytest.fixture
def semarang(session):
    """The gazetteer's Kota Semarang, whether or not the gazetteer is loaded."""
    if session.get(Place, "33") is None:
        session.add(Place(code="33", level=1, name="Jawa Tengah", source="uji"))
        session.flush()
    if session.get(Place, "33.74") is None:
        session.add(
            Place(
                code="33.74",
                level=2,
                name="Kota Semarang",
                parent_code="33",
                latitude=-6.99,
                longitude=110.42,
                precision_km=9.0,
                source="uji",
            )
        )
    session.commit()


@pytest.fixture
def clinic(session, make):
    site = make.service(
        "HE05",
        name="Klinik Zamrud",
        description="Konseling untuk remaja.",
        minimum_age=12,
        maximum_age=18,
        source_url="https://example.org/zamrud",
        source_title="Laman Zamrud",
        url="https://example.org",
    )
    service_id = site.service_id
    session.add_all(
        [
            Phone(service_id=service_id, number="(024) 6722565", type="voice"),
            Schedule(
                service_id=service_id,
                freq="WEEKLY",
                byday="MO,TU,WE,TH,FR",
                opens_at="08:00",
                closes_at="16:00",
                timezone=7.0,
            ),
            RequiredDocument(service_id=service_id, code="KTP", document="KTP elektronik"),
            ServiceArea(service_id=service_id, area_code="33.74"),
            EligibilityRule(service_id=service_id, criterion="sex", values=["female"]),
        ]
    )
    session.commit()
    return site


def test_the_first_page_asks_what_is_needed_and_offers_the_nine_domains(browser):
    page = browser.page("/directory")

    assert [link.text for link in page.select("main .cards h3")][:2] == [
        "Kesehatan",
        "Rehabilitasi vokasional dan ketenagakerjaan",
    ]
    assert len(page.select("main .cards h3")) == 9


def test_a_search_lists_what_fits_with_a_number_to_tap_and_the_mark_that_nobody_checked_it(
    browser, clinic
):
    page = browser.page("/directory?q=zamrud")

    assert page.select_one(".option h3").text == "Klinik Zamrud"
    assert page.select_one(".option a[href^='tel:']")["href"] == "tel:+62246722565"
    assert page.select_one(".option .unverified")
    assert '"number": 1' in page.select_one("script[type='application/json']").text


def test_a_search_near_a_place_says_how_far_it_is(browser, clinic, semarang):
    page = browser.page("/directory?q=zamrud&place=Kota+Semarang")

    assert "km" in page.select_one(".option .distance").text


def test_where_the_person_is_goes_into_no_address(browser, clinic, semarang):
    answer = browser.post(
        "/directory/near", data={"lat": "-6.99123", "lon": "110.42123", "q": "zamrud"}
    )

    assert answer.status_code == 303
    assert answer.location == "/directory?q=zamrud&near=me"
    page = browser.page(answer.location)
    assert page.select_one(".option .distance")
    assert "6.99123" not in page.text


@pytest.mark.parametrize("point", [{}, {"lat": "x", "lon": "y"}, {"lat": "97", "lon": "0"}])
def test_a_device_that_does_not_know_where_it_is_gets_a_way_on(browser, point):
    page = browser.submit("/directory/near", point)

    assert page.select_one(".flashes .notice")


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("age=-3", "age"),
        ("age=tua", "age"),
        ("category=ZZ99", "category"),
        ("place=Xyzzyqq", "place"),
    ],
)
def test_a_bad_value_is_named_and_the_rest_of_the_form_kept(browser, query, field):
    page = browser.page(f"/directory?q=zamrud&{query}", status=422)

    assert page.select_one(f".field.has-error #{field}")
    assert page.select_one("#q")["value"] == "zamrud"


def test_when_nothing_fits_the_page_says_what_to_do_and_whom_to_call(browser):
    page = browser.page("/directory?q=qqqqzzzz")

    assert page.select_one(".empty a[href='/directory']")
    assert page.select_one(".empty a[href^='tel:']")


def test_where_filters_leave_nothing_one_press_takes_them_away(browser):
    without = ".empty a[href='/directory?q=qqqqzzzz']"

    assert browser.page("/directory?q=qqqqzzzz&open=1&age=9").select_one(without)
    assert not browser.page("/directory?q=qqqqzzzz").select_one(without)


def test_a_search_about_danger_shows_numbers_before_anything_else(browser):
    page = browser.page("/directory?q=bunuh+diri")

    first = page.select_one("main h2")
    assert first["id"] == "crisis-title"
    assert page.select_one(".crisis a[href^='tel:']")


def test_a_service_page_has_all_a_person_needs_to_get_there(browser, clinic, semarang):
    page = browser.page(f"/services/{clinic.service_id}")
    text = " ".join(page.select_one("main").text.split())

    assert page.select_one("h1").text == "Klinik Zamrud"
    for expected in (
        "Umur 12 sampai 18 tahun",
        "Untuk perempuan",
        "KTP elektronik",
        "Senin–Jumat",
        "08.00–16.00",
        "Kota Semarang",
        "0,5 km",
        "Laman Zamrud",
    ):
        assert expected in text
    assert page.select_one("a[href='tel:+62246722565']")
    assert page.select_one("a[href='https://example.org/zamrud']")
    assert page.select_one(".unverified")


def test_a_service_page_speaks_english_too(browser, clinic):
    with browser.session_transaction() as kept:
        kept["language"] = "en"

    page = browser.page(f"/services/{clinic.service_id}")

    assert "Age 12 to 18" in page.text
    assert "Monday–Friday" in page.text


def test_a_refuge_shows_neither_place_nor_map(browser, session, make):
    site = make.service("EM07", name="Rumah Aman", confidential=True)
    session.commit()

    page = browser.page(f"/services/{site.service_id}")

    assert "110.4229" not in str(page)
    assert not page.select("[data-map]")
    assert "dirahasiakan" in page.text


def test_a_closed_service_says_so_and_an_unknown_one_is_not_there(browser, session, make):
    site = make.service("HE05", name="Tutup", status=ServiceStatus.DEFUNCT)
    session.commit()

    assert browser.page(f"/services/{site.service_id}").select_one(".notice-bad")
    browser.page("/services/00000000-0000-4000-8000-000000000000", status=404)


def test_names_from_a_listing_are_text_and_never_markup(browser, session, make):
    nasty = "</script><script>alert(1)</script>${1}"
    site = make.service("HE05", name=nasty, description=nasty)
    session.commit()

    for page in (
        browser.page(f"/services/{site.service_id}"),
        browser.page("/directory?category=HE05"),
    ):
        assert not [
            tag for tag in page.select("script") if "alert" in tag.text and not tag.get("type")
        ]


def test_emergency_numbers_need_one_tap_and_nothing_else(browser, session, make):
    site = make.service("EM06", name="Sehat Jiwa", at=None, remote=Remote.PHONE)
    session.add(Phone(service_id=site.service_id, number="119", extension="8", type="hotline"))
    session.add(ServiceArea(service_id=site.service_id, area_code="*"))
    session.commit()

    page = browser.page("/emergency")

    assert page.select_one(".crisis a[href='tel:119,8']")


def test_anyone_may_say_that_a_listing_is_wrong_and_a_curator_closes_it(
    app, browser, session, clinic, make
):
    page = browser.submit(f"/services/{clinic.service_id}/report", {"text": "Nomor mati"})
    assert page.select_one(".flashes .notice-good")
    browser.get("/directory/reports", follow_redirects=False)

    curator = make.user(Role.ADMINISTRATOR)
    session.commit()
    browser.sign_in(curator)
    page = browser.page("/directory/reports")
    assert "Nomor mati" in page.text
    report = session.query(ListingReport).filter_by(text="Nomor mati").one()
    page = browser.submit(f"/directory/reports/{report.id}/close")

    assert "Nomor mati" not in page.text
    browser.page(f"/directory/reports/{report.id}/close", status=405)


@pytest.mark.parametrize("text", ["", "   ", "a" * 10_000])
def test_a_report_that_can_not_be_kept_names_the_field_and_keeps_the_text(browser, clinic, text):
    page = browser.submit(f"/services/{clinic.service_id}/report", {"text": text}, status=422)

    assert page.select_one(".has-error #text").text.strip() == text.strip()


def test_a_second_report_within_half_a_minute_waits(browser, clinic):
    browser.submit(f"/services/{clinic.service_id}/report", {"text": "Nomor mati"})

    page = browser.submit(f"/services/{clinic.service_id}/report", {"text": "Pindah"}, status=429)

    assert page.select_one(".flashes .notice-wait")
    assert page.select_one("#report[open] #text").text.strip() == "Pindah"
    assert page.select(".has-error, .error-summary") == []


@pytest.mark.parametrize("role", [Role.BROKER, Role.PLANNER, Role.SUPERVISOR])
def test_reports_are_not_there_for_people_who_are_no_curators(browser, session, make, role):
    browser.sign_in(make.user(role))

    browser.page("/directory/reports", status=404)


def test_a_broker_who_was_made_curator_sees_the_reports(browser, session, make):
    browser.sign_in(make.user(Role.BROKER, granted=["listing:approve"]))

    assert browser.page("/directory/reports").select_one("h1")


def test_words_that_end_in_a_place_offer_the_search_around_it(browser, clinic, semarang):
    around = "main p.actions a[href*='place=33.74']"

    link = browser.page("/directory?q=klinik zamrud di kota semarang").select_one(around)
    assert "q=klinik+zamrud" in link["href"]
    assert browser.page(link["href"]).select_one(".option .distance")
    assert not browser.page("/directory?q=klinik zamrud").select(around)


def test_a_card_says_which_words_found_it_and_the_page_which_found_nothing(browser, clinic):
    page = browser.page("/directory?q=klnik zamrud psikiater qqxyw")

    text = " ".join(page.select_one(".option .facts").text.split())
    assert "klinik zamrud · psikiater (" in text
    assert "qqxyw" in page.select_one("#results-title + p").text


def test_a_search_in_vain_is_counted_and_the_page_itself_writes_nothing(
    browser, session, clinic, make
):
    misses.write(session)  # what other tests left waiting
    session.execute(delete(SearchMiss))
    for _ in range(3):
        browser.page("/directory?q=gerobak+qqxyw+Siti")
    browser.page("/directory?q=gerobak&free=1")
    assert session.query(SearchMiss).count() == 0
    misses.write(session)
    session.commit()

    browser.sign_in(make.user(Role.ADMINISTRATOR))
    page = browser.page("/directory/misses")

    assert [title.text for title in page.select(".row-card h2")] == ["gerobak"]
    assert page.select_one(".row-card a")["href"] == "/directory?q=gerobak"


@pytest.mark.parametrize("role", [None, Role.BROKER, Role.AGENCY, Role.PLANNER])
def test_searches_in_vain_are_for_curators(browser, make, role):
    if role:
        browser.sign_in(make.user(role))
        browser.page("/directory/misses", status=404)
    else:
        assert "/sign-in" in browser.get("/directory/misses").location
