"""Match pages: a query is posted and answered by a receipt that only its people can open."""

import json
from typing import Any

import pytest
from bs4 import BeautifulSoup
from sqlalchemy import select

from referral.accounts.models import Role
from referral.casework.models import Exclusion, OwnResource, Visibility
from referral.directory.models import Phone, Remote
from referral.matching.models import ClientChoice, MatchReceipt
from tests.conftest import Browser
from tests.factories import SEMARANG, Make

STAYS = {"lat": SEMARANG[0], "lon": SEMARANG[1], "precision_km": 0.0}


@pytest.fixture
def case(make: Make) -> Any:
    case = make.case()
    case.client.stays_at = dict(STAYS)
    case.client.facts = {"age_years": 16}
    make.session.flush()
    return case


@pytest.fixture
def need(make: Make, case: Any) -> Any:
    return make.need(case, category="HE05")


def matched(browser: Browser, need: Any) -> BeautifulSoup:
    return browser.sign_in(need.case.broker).submit(f"/needs/{need.id}/match")


def names(page: BeautifulSoup, part: str = ".options") -> list[str]:
    return [link.get_text(strip=True) for link in page.select(f"{part} h3 a")]


def need_card(browser: Browser, need: Any) -> str:
    """What the case page says of a need, in English."""
    browser.post("/language/en", data={"next": "/"})
    card = browser.page(f"/cases/{need.case_id}").select_one(f"#need-{need.id}")
    assert card is not None
    return " ".join(card.text.split())


def test_a_need_is_matched_and_its_receipt_shown(browser: Browser, make: Make, need: Any) -> None:
    near = make.service(name="Dekat")
    make.session.add(Phone(service_id=near.service_id, number="024 1234567"))
    make.service(name="Jauh", at=(-7.2, 110.5))
    make.service(name="Lansia", minimum_age=60)
    make.service(name="Telepon", remote=Remote.PHONE)

    page = matched(browser, need)

    assert names(page) == ["Dekat", "Jauh"]
    assert names(page, "#remote-title ~ .cards") == ["Telepon"]
    assert names(page, "#why-not-title") == []
    assert "60 tahun ke atas" in page.select_one('section[aria-labelledby="why-not-title"]').text
    assert page.select_one('a[href^="tel:"]') is not None
    data = json.loads(page.select_one('.listmap script[type="application/json"]').text)
    assert [f["properties"]["kind"] for f in data["features"]] == ["option", "option", "start"]


def test_the_page_is_answered_by_a_redirect_to_an_id_and_says_nothing_in_its_address(
    browser: Browser, need: Any, session: Any
) -> None:
    browser.sign_in(need.case.broker)

    response = browser.post(f"/needs/{need.id}/match")

    receipt = session.scalars(select(MatchReceipt)).one()
    assert response.status_code == 303
    assert response.location == f"/receipts/{receipt.id}"


def test_others_find_neither_the_need_nor_the_receipt(
    browser: Browser, make: Make, need: Any, session: Any
) -> None:
    matched(browser, need)
    receipt = session.scalars(select(MatchReceipt)).one()
    browser.post("/sign-out")

    colleague = make.user(Role.BROKER, office=need.case.office)
    browser.sign_in(colleague)

    assert browser.post(f"/needs/{need.id}/match").status_code == 404
    assert browser.get(f"/receipts/{receipt.id}").status_code == 404
    assert browser.post(f"/receipts/{receipt.id}/choice").status_code == 404
    assert browser.post(f"/receipts/{receipt.id}/again").status_code == 404


def test_a_confidential_place_is_listed_without_distance_and_is_on_no_map(
    browser: Browser, make: Make, case: Any
) -> None:
    make.service("EM07", name="Rumah Aman", confidential=True, at=(-6.991111, 110.431111))
    need = make.need(case, category="EM07")

    page = matched(browser, need)

    assert names(page) == ["Rumah Aman"]
    assert page.select_one(".listmap") is None
    assert "-6.99111" not in str(page)
    assert "110.43111" not in str(page)


def test_a_name_that_is_a_script_stays_words(browser: Browser, make: Make, need: Any) -> None:
    make.service(name="<script>alert(1)</script>")

    page = matched(browser, need)

    assert names(page) == ["<script>alert(1)</script>"]
    assert not [one for one in page.select("script") if one.text.startswith("alert")]


def test_their_own_people_come_first_but_not_where_somebody_near_may_be_the_danger(
    browser: Browser, make: Make, need: Any, now: Any
) -> None:
    case = need.case
    make.session.add(
        OwnResource(
            key=case.client.key,
            office_id=case.office_id,
            client_id=case.client_id,
            category="HE05",
            visibility=Visibility.CLIENT,
            helper_agreed=True,
            created_at=now,
            created_by_id=case.broker_id,
            name="Bu Tini",
        )
    )
    make.service(name="Puskesmas")

    assert "Bu Tini" in matched(browser, need).text

    case.protections = ["violence"]
    make.session.flush()
    page = matched(browser, need)
    assert "Bu Tini" not in page.text
    assert "kekerasan" in page.text.lower()


def test_whom_the_client_must_not_meet_is_nowhere_on_the_page(
    browser: Browser, make: Make, need: Any, now: Any
) -> None:
    hidden = make.service(name="Jangan Disebut", minimum_age=60)
    make.session.add(
        Exclusion(
            key=need.case.client.key,
            case_id=need.case_id,
            organization_id=hidden.service.organization_id,
            at=now,
            by_id=need.case.broker_id,
        )
    )
    make.session.flush()

    page = matched(browser, need)

    assert "Jangan Disebut" not in page.text
    assert page.select_one("#why-not-title") is None


def test_a_filter_runs_again_and_keeps_the_first_receipt(
    browser: Browser, make: Make, need: Any, session: Any
) -> None:
    make.service(name="Dekat")
    make.service(name="Jauh", at=(-7.2, 110.5))
    matched(browser, need)
    first = session.scalars(select(MatchReceipt)).one()

    page = browser.submit(f"/receipts/{first.id}/again", {"within": "5", "at": "2026-03-02T09:30"})

    assert names(page) == ["Dekat"]
    assert "km lebih jauh" in page.text
    assert len(session.scalars(select(MatchReceipt)).all()) == 2


def test_a_filter_that_makes_no_sense_is_said_and_changes_nothing(
    browser: Browser, make: Make, need: Any, session: Any
) -> None:
    matched(browser, need)
    first = session.scalars(select(MatchReceipt)).one()

    where = f"/receipts/{first.id}/again"
    page = browser.submit(where, {"within": "-3", "at": "later", "free_only": "y"}, status=422)

    errors = {error["id"] for error in page.select("#filters .field-error")}
    assert errors == {"within-error", "at-error"}
    assert page.select_one("#within")["value"] == "-3"
    assert page.select_one("#free_only[checked]") is not None
    assert page.select_one("#filter-fold[open]") is not None
    assert browser.get(where).location == f"/receipts/{first.id}"
    assert len(session.scalars(select(MatchReceipt)).all()) == 1


def test_with_no_place_the_page_says_so_and_offers_two_ways_on(browser: Browser, need: Any) -> None:
    page = matched(browser, need)

    links = {link["href"].split("?")[0] for link in page.select(".empty a, .empty-state a")}
    assert f"/needs/{need.id}/unmet" in links
    assert any(link.endswith("/own") for link in links)


def test_a_chosen_service_leads_to_the_referral(
    browser: Browser, make: Make, need: Any, session: Any
) -> None:
    site = make.service(name="Dekat")
    matched(browser, need)
    receipt = session.scalars(select(MatchReceipt)).one()

    response = browser.post(
        f"/receipts/{receipt.id}/choice", data={"choice": f"site:{site.id}", "note": "dekat rumah"}
    )

    choice = session.scalars(select(ClientChoice)).one()
    assert (choice.service_at_location_id, choice.note) == (site.id, "dekat rumah")
    assert response.status_code == 303
    assert response.location.startswith(f"/needs/{need.id}/referrals/new?")
    assert f"site={site.id}" in response.location
    card = need_card(browser, need)
    assert "The client chose Dekat. dekat rumah" in card
    assert f"Written down by {need.case.broker.name}, " in card


def test_a_no_needs_a_reason_and_leads_to_the_unmet_need(
    browser: Browser, make: Make, need: Any, session: Any
) -> None:
    site = make.service(name="Dekat")
    matched(browser, need)
    receipt = session.scalars(select(MatchReceipt)).one()
    where = f"/receipts/{receipt.id}/choice"

    page = browser.submit(where, {"choice": "none", "note": "tidak mau"}, status=422)

    assert "tidak mau" in page.text
    assert page.select_one("#reasons-error") is not None
    response = browser.post(where, data={"choice": "none", "reasons": ["U08"]})
    assert response.location.startswith(f"/needs/{need.id}/unmet?")
    assert session.scalars(select(ClientChoice)).one().reasons == ["U08"]
    card = need_card(browser, need)
    assert "The client said no to every option. Why: No way to get there." in card
    # Their latest word counts.
    browser.post(where, data={"choice": f"site:{site.id}"})
    card = need_card(browser, need)
    assert "The client chose Dekat." in card
    assert "said no" not in card


def test_somebody_of_their_own_people_is_a_choice_and_whom_they_must_not_meet_is_named_no_more(
    browser: Browser, make: Make, need: Any, session: Any, now: Any
) -> None:
    own = OwnResource(
        key=need.case.client.key,
        office_id=need.case.office_id,
        client_id=need.case.client_id,
        category="HE05",
        visibility=Visibility.CLIENT,
        helper_agreed=True,
        created_at=now,
        created_by_id=need.case.broker_id,
        name="Bu Tini",
    )
    session.add(own)
    site = make.service(name="Dekat")
    matched(browser, need)
    where = f"/receipts/{session.scalars(select(MatchReceipt)).one().id}/choice"

    browser.post(where, data={"choice": f"own:{own.id}"})
    assert "The client chose their own people: Bu Tini." in need_card(browser, need)

    browser.post(where, data={"choice": f"site:{site.id}"})
    assert "The client chose Dekat." in need_card(browser, need)
    make.session.add(
        Exclusion(
            key=need.case.client.key,
            case_id=need.case_id,
            organization_id=site.service.organization_id,
            at=now,
            by_id=need.case.broker_id,
        )
    )
    assert "Dekat" not in need_card(browser, need)


@pytest.mark.parametrize(
    "choice", ["", "site:", "site:x", "own:00000000-0000-0000-0000-000000000000"]
)
def test_a_choice_that_was_not_offered_is_refused(
    browser: Browser, make: Make, need: Any, session: Any, choice: str
) -> None:
    make.service(name="Dekat")
    matched(browser, need)
    receipt = session.scalars(select(MatchReceipt)).one()

    browser.submit(f"/receipts/{receipt.id}/choice", {"choice": choice}, status=422)

    assert session.scalars(select(ClientChoice)).all() == []


def test_without_a_case_help_is_found_too_and_kept_under_the_offices_key(
    browser: Browser, make: Make, session: Any
) -> None:
    broker = make.user()
    area = next(iter(_placed(session)), None)
    if area is None:
        pytest.skip("needs the gazetteer, which is not loaded here")
    make.service("HE05", name="Dekat", at=(area.latitude, area.longitude))
    browser.sign_in(broker)

    page = browser.submit("/match", {"need": "HE05", "place": area.code, "urgency": "routine"})

    assert names(page) == ["Dekat"]
    receipt = session.scalars(select(MatchReceipt)).one()
    assert (receipt.key_id, receipt.case_id) == (broker.office.key_id, None)
    assert page.select_one("#choice") is None


def _placed(session: Any) -> Any:
    from referral.places.queries import gazetteer

    return (
        place for place in gazetteer(session) if place.latitude is not None and place.level == 2
    )


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"need": "", "place": "x"}, "need"),
        ({"need": "HE05", "place": ""}, "place"),
        ({"need": "HE05", "place": "Negeri Antah Berantah"}, "place"),
        ({"need": "XX", "place": "x"}, "need"),
        ({"need": "HE05", "place": "<script>" * 2000}, "place"),
    ],
)
def test_the_form_names_what_is_wrong_and_keeps_the_rest(
    browser: Browser, make: Make, data: dict[str, str], field: str
) -> None:
    browser.sign_in(make.user())

    page = browser.submit("/match", data | {"age": "17"}, status=422)

    assert page.select_one(f"#{field}-error") is not None
    assert page.select_one("#age")["value"] == "17"


@pytest.mark.parametrize("role", [Role.PLANNER, Role.ADMINISTRATOR, Role.SUPERVISOR])
def test_only_brokers_search(browser: Browser, make: Make, role: Role) -> None:
    browser.sign_in(make.user(role))

    assert browser.get("/match").status_code == 404


def test_what_is_given_online_is_asked_about_online_and_not_in_person(
    browser: Browser, make: Make, need: Any
) -> None:
    make.service(name="Konseling Daring", remote=Remote.ONLINE)
    make.service(name="Balai", at=(-7.0, 110.4))

    page = matched(browser, need)

    online, place = (
        page.find(string=name).find_parent("li").text for name in ("Konseling Daring", "Balai")
    )
    assert "situs atau surelnya" in online
    assert "datang langsung" not in online
    assert "datang langsung" in place
