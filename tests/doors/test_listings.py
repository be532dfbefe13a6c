"""The pages on which an agency keeps its listings true and a curator decides."""

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from bs4 import BeautifulSoup
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from referral.accounts.models import Role, User
from referral.changes import directory as records
from referral.changes.actors import PUBLIC, StandingActor
from referral.directory.duplicates.models import DuplicatePair
from referral.directory.models import Phone, Schedule, Service
from referral.directory.upkeep import changes, editing, listings
from referral.directory.upkeep.models import ChangeStatus, ListingChange
from referral.places.queries import gazetteer
from referral.web.listings.door import lists
from referral.web.listings.sections import SECTIONS, filled, read
from tests.conftest import Browser
from tests.factories import Make
from tests.forms import form_of, typed_over
from tests.scenes import JAKARTA


@pytest.fixture
def service(session: Session, make: Make) -> Service:
    """A listing with a phone and hours, of an agency that is not trusted."""
    service = make.service("HE05", name="Konseling Melati").service
    session.add(Phone(service_id=service.id, number="(024) 123456", type="voice"))
    session.add(
        Schedule(
            service_id=service.id,
            freq="WEEKLY",
            byday="MO,TU,WE,TH,FR",
            opens_at="08:00",
            closes_at="15:00",
        )
    )
    session.flush()
    session.refresh(service)
    return service


@pytest.fixture
def agency(make: Make, service: Service) -> User:
    return make.user(Role.AGENCY, organization_id=service.organization_id, language="en")


@pytest.fixture
def curator(make: Make) -> User:
    return make.user(Role.ADMINISTRATOR, language="en")


@pytest.fixture
def as_(browser: Browser, session: Session) -> Any:
    """`as_(user)` gives a browser of their own."""

    def signed_in(user: User) -> Browser:
        browser.post("/sign-out")
        with browser.session_transaction() as cookie:
            cookie.clear()
        return browser.sign_in(user)

    return signed_in


def values(session: Session, service: Service) -> dict[str, Any]:
    return listings.values_of(session.get_one(Service, service.id), for_owner=True)


def words(page: BeautifulSoup, selector: str = "main") -> str:
    return " ".join(" ".join(one.text.split()) for one in page.select(selector))


def edit(
    browser: Browser, service: Service, section: str, status: int = 200, **typed: Any
) -> BeautifulSoup:
    """Open a section's form, type over some of it and send it."""
    url = f"/listings/{service.id}/edit/{section}"
    return browser.submit(url, typed_over(form_of(browser.page(url)), **typed), status)


# Forms -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("section", SECTIONS)
def test_a_form_sent_as_it_stands_changes_nothing(
    as_: Any, agency: User, service: Service, session: Session, section: str
) -> None:
    page = edit(as_(agency), service, section)

    assert "You change nothing" in page.h1.text
    assert session.scalars(select(ListingChange)).all() == []


FULL: dict[str, Any] = {
    "phones": [
        {"number": "119", "extension": "8", "type": "hotline", "description": "malam"},
        {"number": "0812 3456 7890", "extension": None, "type": "whatsapp", "description": None},
    ],
    "hours": [
        {"days": ["MO", "TU"], "opens": "08:00", "closes": "12:00", "every": "week", "nth": [],
         "start": None},
        {"days": ["MO"], "opens": "13:00", "closes": "23:59", "every": "week", "nth": [],
         "start": None},
        {"days": ["WE"], "opens": "22:00", "closes": "02:00", "every": "second_week", "nth": [],
         "start": "2026-03-04"},
        {"days": ["SA"], "opens": "09:00", "closes": "11:00", "every": "month", "nth": [1, -1],
         "start": None},
        {"rule": {"bymonthday": "10", "closes_at": "10:00", "freq": "MONTHLY", "opens_at": "08:00"}},
        {"rule": {"byday": "MO", "closes_at": "10:00", "freq": "WEEKLY", "interval": 3,
                  "opens_at": "08:00"}},
    ],
    "exceptions": [
        {"from": "2026-12-24", "to": "2026-12-26", "closed": True, "opens": None, "closes": None,
         "note": "libur"},
        {"from": "2026-12-31", "to": "2026-12-31", "closed": False, "opens": "08:00",
         "closes": "12:00", "note": None},
    ],
    "hours_until": "2027-01-31",
    "follows_public_holidays": True,
    "service_areas": ["33.74", "33.74.11", "sekitar pasar"],
    "languages": ["ind", "jav"],
    "eligibility": {"minimum_age": 6.0, "maximum_age": 17.5, "sex": ["female"], "desil_max": 4,
                    "disability": [], "residency": ["33.74"]},
    "documents": [{"code": "KTP", "words": None, "how_to_get": "lewat kelurahan"},
                  {"code": None, "words": "surat RT", "how_to_get": None}],
    "entry_steps": [{"office": "Kelurahan", "documents": ["KTP", "KK"], "days": 1.0,
                     "cost": "gratis", "who_may_go": None},
                    {"office": "Kami", "documents": [], "days": None, "cost": None,
                     "who_may_go": "keluarga"}],
    "cost": {"fee": "paid", "amount": 50000.0, "words": "per kunjungan"},
    "capacity": {"status": "waitlist", "available": 0.0, "maximum": 12.0, "until": "2026-12-31"},
    "categories": ["HE05", "?HE07"],
    "address": {"address_1": "Jl. Melati 5", "city": "Semarang", "state_province": "Jawa Tengah",
                "postal_code": "50265"},
    "area_code": "33.74.11",
    "point": {"lat": -6.99, "lon": 110.42},
}  # fmt: skip


@pytest.mark.parametrize("field", FULL)
def test_each_field_leaves_its_form_as_it_went_in(app: Any, session: Session, field: str) -> None:
    with app.test_request_context():
        before = {field: FULL[field]}
        answers = filled([field], before)

        lists_ = lists()
        found = read(answers, [field], before, lists_)

    assert answers.errors == {}
    assert found == editing.read(before, lists_)[0]


def test_a_week_with_a_pause_and_a_monthly_saturday_is_typed_row_by_row_without_scripts(
    as_: Any, agency: User, service: Service, session: Session
) -> None:
    browser = as_(agency)
    url = f"/listings/{service.id}/edit/hours"
    given = form_of(browser.page(url))
    given["hours-MO-0-closes"] = "12"
    given["do"] = "hours-MO.add"
    page = browser.submit(url, given)
    assert page.select_one("#hours-MO-0-closes")["value"] == "12"
    assert page.select_one("form.edit-form")["data-rows"] == "hours-MO-1-opens"
    given = form_of(page)
    given["hours-MO-1-opens"], given["hours-MO-1-closes"] = "13.00", "1630"
    given["do"] = "hours-MO.copy"
    given = form_of(browser.submit(url, given))
    given["do"] = "monthly.add"
    given = form_of(browser.submit(url, given))
    for part, text in {"nth": "1", "day": "SA", "opens": "8", "closes": "11"}.items():
        given[f"monthly-0-{part}"] = text
    page = browser.submit(url, given)

    assert words(page, "#hours .diff-new dd") == (
        "Monday–Friday: 08:00–12:00Monday–Friday: 13:00–16:30"
        "First Saturday of the month: 08:00–11:00"
    )
    draft = session.scalars(select(ListingChange)).one()
    assert draft.status is ChangeStatus.DRAFT
    assert set(draft.values) == {"hours"}


def test_every_wrong_row_is_said_at_its_row_and_nothing_typed_is_lost(
    as_: Any, agency: User, service: Service, session: Session
) -> None:
    page = edit(
        as_(agency), service, "contact", 422,
        **{"phones-count": "3", "phones-1-number": "tanya Bu Ani", "phones-2-number": "12",
           "phones-2-type": "voice", "email": "bukan surel"},
    )  # fmt: skip

    assert [a["href"] for a in page.select(".error-summary a")] == [
        "#phones-1-number",
        "#phones-2-number",
        "#email",
    ]
    assert page.select_one("#phones-1-number")["value"] == "tanya Bu Ani"
    assert page.select_one("#email")["value"] == "bukan surel"
    assert session.scalars(select(ListingChange)).all() == []


def test_hours_that_overlap_are_refused_at_the_second_row(
    as_: Any, agency: User, service: Service
) -> None:
    page = edit(
        as_(agency), service, "hours", 422,
        **{"hours-MO-count": "2", "hours-MO-1-opens": "14:00", "hours-MO-1-closes": "17:00",
           "hours-TU-0-closes": "25:00"},
    )  # fmt: skip

    assert [a["href"] for a in page.select(".error-summary a")] == [
        "#hours-MO-1-opens",
        "#hours-TU-0-closes",
    ]
    assert words(page, ".error-summary li:last-child") == "Tuesday: Write the time like 08:00."


def test_an_unclear_place_offers_what_it_could_be(as_: Any, agency: User, service: Service) -> None:
    browser = as_(agency)
    typed = {"service_areas-known": "only", "service_areas-count": "1",
             "service_areas-0-place": "Semarang"}  # fmt: skip
    page = edit(browser, service, "place", 422, **typed)
    offered = [one["value"] for one in page.select(".candidates button")]
    city = next(value for value in offered if "Kota Semarang" in value)

    given = form_of(page)
    given["do"] = city
    given = form_of(browser.submit(f"/listings/{service.id}/edit/place", given))
    page = browser.submit(f"/listings/{service.id}/edit/place", given)

    assert words(page, "#service_areas .diff-new dd") == "Kota Semarang, Jawa Tengah"


# Checking ----------------------------------------------------------------------------------------


def test_six_presses_check_a_listing_today(
    as_: Any, agency: User, service: Service, session: Session
) -> None:
    browser = as_(agency)
    for key in ("contact", "hours", "room", "who", "bring"):
        page = browser.submit(f"/listings/{service.id}/check/{key}")
        assert session.get_one(Service, service.id).assured_date is None
    assert len(page.select(".thing-done")) == 5
    page = browser.submit(f"/listings/{service.id}/check/place")

    found = session.get_one(Service, service.id)
    assert found.assured_date is not None
    assert found.assured_by_role == "agency"
    assert "is shown as checked today" in words(page, ".flashes")


def test_a_change_made_while_checking_is_sent_before_the_listing_counts_as_checked(
    as_: Any, agency: User, service: Service, session: Session
) -> None:
    browser = as_(agency)
    edit(browser, service, "room", **{"capacity-status": "waitlist"})
    for key in ("contact", "hours", "who", "bring"):
        browser.submit(f"/listings/{service.id}/check/{key}")
    page = browser.submit(f"/listings/{service.id}/check/place")

    assert "You change one thing" in page.h1.text
    assert session.get_one(Service, service.id).assured_date is None


def test_a_listing_with_a_draft_is_sent_before_it_is_confirmed(
    as_: Any, agency: User, service: Service
) -> None:
    browser = as_(agency)
    confirm = "form[action$='/confirm']"
    assert browser.page("/listings").select_one(confirm)

    edit(browser, service, "room", **{"capacity-status": "waitlist"})
    page = browser.page("/listings")

    assert not page.select_one(confirm)
    assert page.select_one(f".listing-state a.btn[href='/listings/{service.id}/changes']")


def test_what_says_nothing_is_filled_in_before_it_is_called_right(
    as_: Any, agency: User, service: Service
) -> None:
    page = as_(agency).page(f"/listings/{service.id}/check")

    main = {
        thing["id"]: thing.select_one(".btn-primary").name for thing in page.select(".things > li")
    }
    assert (main["hours"], main["who"]) == ("button", "a")


def test_one_press_confirms_and_the_list_says_so(
    as_: Any, agency: User, service: Service, make: Make
) -> None:
    other = make.service("HE05", name="Layanan orang lain").service
    browser = as_(agency)
    before = words(browser.page("/listings"))
    page = browser.submit(f"/listings/{service.id}/confirm")

    assert "Not yet verified" in before
    assert "(today)" in words(page)
    assert other.name not in words(page)


def test_full_until_monday_and_room_again_hold_at_once_for_any_agency(
    as_: Any, agency: User, service: Service, session: Session
) -> None:
    assert not service.organization.trusted
    browser = as_(agency)
    monday = browser.page("/listings").select_one('form[action$="/full"] [name="until"]')["value"]
    assert date.fromisoformat(monday).weekday() == 0

    page = browser.submit(f"/listings/{service.id}/full", {"until": monday})
    full = values(session, service)["capacity"]
    browser.submit(f"/listings/{service.id}/room")

    assert (full["status"], full["until"]) == ("no-capacity", monday)
    assert "There is room again" in words(page)
    assert values(session, service)["capacity"]["status"] == "capacity"


def test_room_of_several_services_is_said_at_once_and_of_no_other_agencys(
    as_: Any, agency: User, service: Service, session: Session, make: Make
) -> None:
    own = make.service("FC01", organization=service.organization).service
    kept = make.service("FC05", organization=service.organization).service
    foreign = make.service("HE05").service
    browser = as_(agency)
    monday = browser.page("/listings").select_one('#room-of-all [name="until"]')["value"]
    said = {
        f"room-{service.id}": "full",
        f"room-{own.id}": "room",
        f"room-{kept.id}": "",
        f"room-{foreign.id}": "full",
        "until": monday,
    }

    page = browser.submit("/listings/room", said)
    refused = browser.submit("/listings/room", said | {"until": "2020-01-01"})

    told = [(values(session, one)["capacity"] or {}).get("status") for one in (service, own)]
    assert told == ["no-capacity", "capacity"]
    assert [values(session, one)["capacity"] for one in (kept, foreign)] == [None, None]
    assert "2" in words(page, ".flashes")
    assert "Choose a day" in words(refused, ".flashes")


def test_a_day_that_is_past_or_no_day_is_refused(as_: Any, agency: User, service: Service) -> None:
    for wrong in ("2020-01-01", "soon", ""):
        page = as_(agency).submit(f"/listings/{service.id}/full", {"until": wrong})
        assert "Choose a day" in words(page, ".flashes")


# Sending and deciding ----------------------------------------------------------------------------


def _sent(as_: Any, agency: User, service: Service, session: Session) -> ListingChange:
    browser = as_(agency)
    edit(browser, service, "contact", email="melati@example.org")
    edit(browser, service, "room", **{"capacity-status": "waitlist"})
    page = browser.submit(f"/listings/{service.id}/changes", {"note": "nomor lama mati"})
    assert "A curator looks at it" in words(page, ".flashes")
    return session.scalars(
        select(ListingChange).where(ListingChange.status == ChangeStatus.WAITING)
    ).one()


def test_a_curator_publishes_some_fields_and_says_why_not_the_others(
    as_: Any, agency: User, curator: User, service: Service, session: Session
) -> None:
    change = _sent(as_, agency, service, session)
    browser = as_(curator)
    queue = browser.page("/listings/review")
    page = browser.page(f"/listings/review/{change.id}")
    seen = page.select_one('[name="seen"]')["value"]
    url = f"/listings/review/{change.id}/approve"
    refused = browser.submit(url, {"seen": seen, "fields": ["capacity"]}, 422)
    browser.submit(url, {"seen": seen, "fields": ["capacity"], "note": "surel tidak menjawab"})

    assert "Konseling Melati" in words(queue)
    assert agency.name not in words(queue) + words(page)
    assert "nomor lama mati" in words(page)
    assert [a["href"] for a in refused.select(".error-summary a")] == ["#note"]
    now_said = values(session, service)
    assert (now_said["capacity"]["status"], now_said["email"]) == ("waitlist", None)
    mine = words(as_(agency).page("/listings"))
    assert "surel tidak menjawab" in mine


def test_a_refusal_needs_a_reason(
    as_: Any, agency: User, curator: User, service: Service, session: Session
) -> None:
    change = _sent(as_, agency, service, session)
    browser = as_(curator)
    url = f"/listings/review/{change.id}/refuse"
    page = browser.submit(url, {"refusal": " "}, 422)
    browser.submit(url, {"refusal": "belum jelas"})

    assert [a["href"] for a in page.select(".error-summary a")] == ["#refusal"]
    assert session.get_one(ListingChange, change.id).status is ChangeStatus.REFUSED


def test_an_agency_takes_back_what_waits(
    as_: Any, agency: User, service: Service, session: Session
) -> None:
    change = _sent(as_, agency, service, session)
    as_(agency).submit(f"/listings/changes/{change.id}/withdraw")

    assert session.get_one(ListingChange, change.id).status is ChangeStatus.WITHDRAWN


def test_a_trusted_agency_publishes_at_once_and_takes_it_back_from_the_history(
    as_: Any, agency: User, curator: User, service: Service, session: Session
) -> None:
    browser = as_(curator)
    browser.submit(f"/listings/organizations/{service.organization_id}/trust", {"trusted": "yes"})
    browser = as_(agency)
    edit(browser, service, "contact", email="melati@example.org")
    browser.submit(f"/listings/{service.id}/changes")
    assert values(session, service)["email"] == "melati@example.org"

    history = browser.page(f"/listings/{service.id}/history")
    link = history.select_one('a[href$="/revert"]')["href"]
    ask = browser.page(link)
    page = browser.submit(link)

    assert "melati@example.org" in words(ask, ".diff-old")
    assert values(session, service)["email"] is None
    assert "Taken back" in words(page)
    assert agency.name not in words(page)


def test_what_an_import_replaced_is_put_back_from_the_history(
    as_: Any, curator: User, service: Service, session: Session, now: datetime
) -> None:
    service.alert = "Tutup selama Lebaran"
    session.flush()
    service.alert = "Buka lagi"
    records.record(session, service, service_id=service.id, by=StandingActor("import"), now=now)
    session.flush()
    browser = as_(curator)
    page = browser.page(f"/listings/{service.id}/history")
    browser.submit(page.select_one('form[action*="/records/"]')["action"])

    assert "from an import" in words(page)
    assert values(session, service)["alert"] == "Tutup selama Lebaran"


def test_a_field_can_be_left_as_it_was_and_a_draft_thrown_away(
    as_: Any, agency: User, service: Service, session: Session
) -> None:
    browser = as_(agency)
    edit(browser, service, "contact", email="melati@example.org")
    edit(browser, service, "room", **{"capacity-status": "waitlist"})
    url = f"/listings/{service.id}/changes/drop"
    page = browser.submit(url, {"field": "email"})
    one_left = words(page, "main h1")
    browser.submit(url)

    assert one_left == "You change one thing"
    assert session.scalars(select(ListingChange)).all() == []


def test_an_agency_adds_a_service_that_a_curator_publishes(
    as_: Any, agency: User, curator: User, service: Service, session: Session
) -> None:
    browser = as_(agency)
    url = "/listings/new/edit/about"
    typed = {"name": "Kelas Melati", "categories-0-code": "FC05"}
    browser.submit(url, typed_over(form_of(browser.page(url)), **typed))
    browser.submit("/listings/new")
    change = session.scalars(select(ListingChange)).one()
    assert "Kelas Melati" in words(browser.page("/listings"))
    browser = as_(curator)
    page = browser.page(f"/listings/review/{change.id}")
    seen = page.select_one('[name="seen"]')["value"]
    fields = [one["value"] for one in page.select('[name="fields"]')]
    browser.submit(f"/listings/review/{change.id}/approve", {"seen": seen, "fields": fields})

    made = session.scalars(select(Service).where(Service.name == "Kelas Melati")).one()
    assert made.organization_id == service.organization_id
    assert [category.code for category in made.categories] == ["FC05"]


def test_the_preview_shows_the_draft_and_keeps_nothing_of_it(
    as_: Any, agency: User, service: Service, session: Session
) -> None:
    browser = as_(agency)
    edit(browser, service, "about", alert="Pindah ke Jalan Anggrek")
    page = browser.page(f"/listings/{service.id}/preview")
    public = browser.page(f"/services/{service.id}")

    assert "Pindah ke Jalan Anggrek" in words(page)
    assert "Pindah ke Jalan Anggrek" not in words(public)


# Two windows -------------------------------------------------------------------------------------


def test_a_stale_form_is_answered_with_both_values_and_a_choice(
    as_: Any, agency: User, service: Service, session: Session
) -> None:
    service.organization.trusted = True
    browser = as_(agency)
    url = f"/listings/{service.id}/edit/contact"
    second_window = form_of(browser.page(url))
    edit(browser, service, "contact", email="pertama@example.org")
    browser.submit(f"/listings/{service.id}/changes")

    typed_over(second_window, email="kedua@example.org", url="https://melati.example.org")
    page = browser.submit(url, second_window, 409)
    said = words(page)
    mine = page.select_one('[name="email-mine"]')["value"]
    after = browser.submit(
        f"/listings/{service.id}/resolve",
        {"field": ["email"], "email-mine": mine, "email-choice": "mine"},
    )
    browser.submit(f"/listings/{service.id}/changes")

    assert "pertama@example.org" in said
    assert "kedua@example.org" in said
    assert [one["id"] for one in after.select(".changes > li")] == ["url", "email"]
    now_said = values(session, service)
    assert (now_said["email"], now_said["url"]) == (
        "kedua@example.org",
        "https://melati.example.org",
    )


def test_a_draft_that_somebody_overtook_is_answered_with_both_values_when_it_is_sent(
    as_: Any, make: Make, agency: User, service: Service, session: Session
) -> None:
    service.organization.trusted = True
    colleague = make.user(Role.AGENCY, organization_id=service.organization_id)
    edit(as_(agency), service, "contact", email="pertama@example.org")
    edit(as_(colleague), service, "contact", email="kedua@example.org")
    as_(colleague).submit(f"/listings/{service.id}/changes")
    browser = as_(agency)
    page = browser.submit(f"/listings/{service.id}/changes", status=409)
    mine, current = (
        page.select_one(f'[name="email-{which}"]')["value"] for which in ("mine", "current")
    )
    after = browser.submit(
        f"/listings/{service.id}/resolve",
        {
            "field": ["email"],
            "email-mine": mine,
            "email-current": current,
            "email-choice": "current",
        },
    )

    assert "pertama@example.org" in words(page)
    assert values(session, service)["email"] == "kedua@example.org"
    assert "nothing left to send" in words(after, ".flashes")
    assert "You change nothing" in words(browser.page(f"/listings/{service.id}/changes"))
    assert browser.page("/listings").select(".listing-state") == []


def test_a_change_that_was_overtaken_is_shown_again_to_the_curator(
    as_: Any, agency: User, curator: User, service: Service, session: Session
) -> None:
    change = _sent(as_, agency, service, session)
    browser = as_(curator)
    page = browser.page(f"/listings/review/{change.id}")
    seen = page.select_one('[name="seen"]')["value"]
    edit(browser, service, "contact", email="kurator@example.org")
    browser.submit(f"/listings/{service.id}/changes")
    url = f"/listings/review/{change.id}/approve"
    stale = browser.submit(url, {"seen": seen, "fields": ["email", "capacity"]}, 409)
    seen = stale.select_one('[name="seen"]')["value"]
    browser.submit(url, {"seen": seen, "fields": ["email", "capacity"]})

    assert "kurator@example.org" in words(stale, ".diff-old")
    assert values(session, service)["email"] == "melati@example.org"


def test_a_curator_is_told_what_a_new_listing_may_be_the_same_as_and_compares_the_two(
    as_: Any, curator: User, service: Service, session: Session
) -> None:
    area = {"categories": ["HE05"], "area_code": "33.74"}
    twin, other = (
        changes.suggest(
            session,
            None,
            {"name": name, "phones": [{"number": number}], **area},
            gazetteer(session),
            seen={},
            by=PUBLIC,
            now=datetime.now(UTC),
        )
        for name, number in (
            ("Konseling Melati", "024-123456"),
            ("Bank Darah Kudus", "0291 998877"),
        )
    )
    browser = as_(curator)
    url = f"/listings/review/{twin.id}"
    warned = browser.page(url)
    fields = ["name", "phones", "categories", "area_code"]
    seen = warned.select_one('[name="seen"]')["value"]
    compared = browser.submit(f"{url}/approve", {"seen": seen, "fields": fields})

    assert warned.select(f'.notice a[href="/services/{service.id}"]')
    assert "may be in the directory already" not in words(
        browser.page(f"/listings/review/{other.id}")
    )
    pair = session.scalars(select(DuplicatePair)).one()
    assert {pair.first_id, pair.second_id} == {
        service.id,
        session.get_one(ListingChange, twin.id).service_id,
    }
    assert compared.select(f'form[action$="/directory/duplicates/{pair.id}/merge"]')


# Who may -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("stranger", [Role.AGENCY, Role.BROKER, Role.PLANNER, None])
def test_a_listing_is_kept_by_its_own_agency_and_by_curators_alone(
    app: Flask,
    as_: Any,
    browser: Browser,
    make: Make,
    agency: User,
    service: Service,
    session: Session,
    stranger: Role | None,
) -> None:
    change = _sent(as_, agency, service, session)
    known = {"service_id": service.id, "change_id": change.id, "section": "hours"}
    known["record_id"] = change.id
    known["organization_id"] = service.organization_id
    addresses = {
        (method, app.url_map.bind("x").build(rule.endpoint, known, method=method))
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith("listings.") and rule.arguments
        for method in rule.methods & {"GET", "POST"}
    }
    assert len(addresses) > 15
    browser.post("/sign-out")
    with browser.session_transaction() as cookie:
        cookie.clear()
    if stranger is not None:
        browser.sign_in(make.user(stranger))
    let_in = []
    for method, address in sorted(addresses):
        answer = browser.open(address, method=method, data={} if method == "POST" else None)
        to_sign_in = "/sign-in" in answer.headers.get("Location", "")
        if not (answer.status_code == 404 or (stranger is None and to_sign_in)):
            let_in.append((method, address, answer.status_code))

    assert let_in == []
    assert session.get_one(ListingChange, change.id).status is ChangeStatus.WAITING


def test_brokers_and_agencies_decide_nothing(
    as_: Any, make: Make, agency: User, service: Service, session: Session
) -> None:
    change = _sent(as_, agency, service, session)
    for user in (agency, make.user(), make.user(Role.PLANNER)):
        browser = as_(user)
        assert browser.get("/listings/review").status_code == 404
        assert browser.get(f"/listings/review/{change.id}").status_code == 404
        approve = browser.post(f"/listings/review/{change.id}/approve", data={"fields": ["email"]})
        assert approve.status_code == 404
    assert session.get_one(ListingChange, change.id).status is ChangeStatus.WAITING


def test_where_a_secret_place_is_is_told_to_its_agency_alone(
    as_: Any, make: Make, curator: User, session: Session
) -> None:
    site = make.service("EM03", confidential=True)
    agency = make.user(Role.AGENCY, organization_id=site.service.organization_id, language="en")
    edit(as_(agency), site.service, "place", **{"address-address_1": "Gang Rahasia 1"})
    as_(agency).submit(f"/listings/{site.service.id}/changes")
    change = session.scalars(select(ListingChange)).one()
    pages = [
        words(as_(curator).page(url))
        for url in (
            f"/listings/review/{change.id}",
            f"/listings/{site.service.id}/history",
            f"/listings/{site.service.id}/edit/place",
        )
    ]

    assert [text for text in pages if "Rahasia 1" in text] == []
    assert "Where this place is stays secret" in pages[0]


def test_a_broken_form_is_refused(as_: Any, agency: User, service: Service) -> None:
    browser = as_(agency)
    for seen in ("", "[]", json.dumps({"email": None})):
        answer = browser.post(f"/listings/{service.id}/edit/contact", data={"seen": seen})
        assert answer.status_code == 400
    assert browser.get(f"/listings/{service.id}/edit/nothing").status_code == 404


def test_a_listing_is_old_after_a_year(
    as_: Any, agency: User, service: Service, session: Session
) -> None:
    service.assured_date = datetime.now(JAKARTA).date() - timedelta(days=400)

    assert "400 days ago" in words(as_(agency).page("/listings"))
