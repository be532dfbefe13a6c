"""The match page in use: filters taken on and away, what is not known added, near misses by what it takes."""

import json
from typing import Any

import pytest
from bs4 import BeautifulSoup
from sqlalchemy import select

from referral.directory.models import CostOption, RequiredDocument
from referral.matching.models import MatchReceipt
from tests.conftest import Browser
from tests.factories import SEMARANG, Make

STAYS = {"lat": SEMARANG[0], "lon": SEMARANG[1], "precision_km": 0.0}
FAR = (-7.2, 110.5)


@pytest.fixture
def need(make: Make) -> Any:
    case = make.case()
    case.client.stays_at = dict(STAYS)
    case.client.facts = {"age_years": 16}
    make.session.flush()
    return make.need(case, category="HE05")


def matched(browser: Browser, need: Any) -> BeautifulSoup:
    return browser.sign_in(need.case.broker).submit(f"/needs/{need.id}/match")


def receipts(session: Any) -> list[MatchReceipt]:
    return list(session.scalars(select(MatchReceipt).order_by(MatchReceipt.at)))


def again(browser: Browser, session: Any, **data: str) -> BeautifulSoup:
    return browser.submit(f"/receipts/{receipts(session)[-1].id}/again", data)


def names(page: BeautifulSoup, part: str = ".options") -> list[str]:
    return [link.get_text(strip=True) for link in page.select(f"{part} h3 a")]


def chips(page: BeautifulSoup) -> list[str]:
    return [chip["value"] for chip in page.select("button.chip")]


def groups(page: BeautifulSoup) -> dict[str, list[str]]:
    """The names of the near misses by the heading of their group."""
    return {
        " ".join(part.h3.text.split()): [name.a.text for name in part.select("h4")]
        for part in page.select("#why-not section")
    }


def buttons(page: BeautifulSoup, part: str) -> dict[str, str]:
    return {
        button["name"]: button["value"] for button in page.select(f'{part} button[form="again"]')
    }


def test_each_filter_is_a_chip_that_one_press_takes_away(
    browser: Browser, make: Make, need: Any, session: Any
) -> None:
    make.service(name="Dekat")
    paid = make.service(name="Berbayar")
    session.add(CostOption(service_id=paid.service_id, amount=50_000))
    make.service(name="Jauh", at=FAR)

    assert chips(matched(browser, need)) == []
    page = again(browser, session, within="5", at="2026-03-02T09:30", free_only="y")
    assert names(page) == ["Dekat"]
    assert chips(page) == ["within", "at", "free_only"]
    assert page.select_one("#at")["value"] == "2026-03-02T09:30"

    page = again(browser, session, without="free_only")
    assert names(page) == ["Dekat", "Berbayar"]
    assert chips(page) == ["within", "at"]
    page = again(browser, session, without="at")
    assert chips(page) == ["within"]
    assert page.select_one("#at")["value"] == ""
    page = again(browser, session, without="within")
    assert (chips(page), len(names(page))) == ([], 3)
    assert len(receipts(session)) == 5


def test_one_press_goes_as_far_as_the_nearest_that_is_only_too_far(
    browser: Browser, make: Make, need: Any, session: Any
) -> None:
    make.service(name="Jauh", at=FAR)
    make.service(name="Lebih Jauh", at=(-7.9, 110.5))
    matched(browser, need)

    page = again(browser, session, within="5")

    assert names(page) == []
    assert groups(page) == {"Terlalu jauh 2": ["Jauh", "Lebih Jauh"]}
    assert buttons(page, ".empty") == {"widen": "25"}
    assert buttons(page, "#why-not") == {"widen": "25", "without": "within"}
    page = again(browser, session, widen="25")
    assert names(page) == ["Jauh"]
    assert chips(page) == ["within"]
    assert names(again(browser, session, without="within")) == ["Jauh", "Lebih Jauh"]


def test_near_misses_stand_by_what_would_have_to_change(
    browser: Browser, make: Make, need: Any, session: Any
) -> None:
    need.case.client.facts = {"age_years": 16, "documents_lacking": ["KTP"]}
    asks = make.service(name="Minta KTP")
    session.add(RequiredDocument(service_id=asks.service_id, code="KTP", document="KTP"))
    paid = make.service(name="Berbayar")
    session.add(CostOption(service_id=paid.service_id, amount=50_000))
    make.service(name="Lansia", minimum_age=60)
    make.service(name="Lansia Jauh", minimum_age=60, at=FAR)
    matched(browser, need)

    page = again(browser, session, within="5", free_only="y")

    assert groups(page) == {
        "Ada biayanya 1": ["Berbayar"],
        "Ada dokumen yang belum dimiliki 1": ["Minta KTP"],
        "Untuk umur lain 1": ["Lansia"],
        "Lebih dari satu hal tidak cocok 1": ["Lansia Jauh"],
    }
    first = page.select_one("#why-not .near-miss")
    assert first.find(["strong", "h4"]).name == "strong"
    assert buttons(page, "#why-not") == {"without": "free_only"}


def test_what_is_not_known_of_the_client_is_added_on_the_page_and_asked_with_at_once(
    browser: Browser, make: Make, need: Any, session: Any
) -> None:
    need.case.client.facts = {"languages": ["jav"]}
    asks = make.service(name="Remaja", minimum_age=10, maximum_age=19)
    session.add(RequiredDocument(service_id=asks.service_id, code="KK", document="KK"))
    make.service(name="Lansia", minimum_age=60)
    page = matched(browser, need)
    assert "umur" in page.select_one("#facts-fold > summary").text
    assert [field["name"] for field in page.select("#facts input[name]")] == [
        "csrf_token",
        "age_years",
        "documents_lacking",
    ]
    where = f"/receipts/{receipts(session)[0].id}/facts"

    wrong = browser.submit(where, {"age_years": "200"}, status=422)
    assert wrong.select_one("#facts-fold[open] #age_years-error") is not None
    page = browser.submit(where, {"age_years": "16", "documents_lacking": "KK"})

    assert names(page) == []
    assert groups(page) == {
        "Ada dokumen yang belum dimiliki 1": ["Remaja"],
        "Untuk umur lain 1": ["Lansia"],
    }
    assert page.select_one("#facts-fold") is None
    facts = need.case.client.facts
    assert facts == {"languages": ["jav"], "age_years": 16, "documents_lacking": ["KK"]}
    assert receipts(session)[-1].content["query"]["age"] == 16


def test_what_is_learned_of_a_child_is_kept_with_the_child_and_income_with_the_household(
    browser: Browser, make: Make, need: Any, session: Any
) -> None:
    from referral.casework.operations import add_beneficiary, add_facts

    case = need.case
    child = add_beneficiary(
        session, case, label="anak", facts={}, by=case.broker, now=case.opened_at
    )
    need.beneficiary = child

    add_facts(
        session,
        need,
        {"age_years": 3, "sex": None, "desil": 2, "disability": []},
        registered_in="33.74",
        by=case.broker,
        now=case.opened_at,
    )

    assert child.facts == {"age_years": 3}
    assert case.client.facts == {"age_years": 16, "desil": 2}
    assert case.client.registered_in == "33.74"


def test_after_the_client_changed_the_page_offers_to_search_again_with_what_is_known_now(
    browser: Browser, make: Make, need: Any, session: Any
) -> None:
    make.service(name="Remaja", maximum_age=19)
    make.service(name="Dewasa", minimum_age=18)
    page = matched(browser, need)
    assert names(page) == ["Remaja"]
    assert buttons(page, "#match-head") == {}
    receipt = receipts(session)[0]

    answer = browser.post(
        f"/cases/{need.case_id}/client?match={receipt.id}", data={"age_years": "30"}
    )

    assert answer.location == f"/receipts/{receipt.id}"
    need.case.client.stays_at = dict(STAYS)
    page = browser.page(answer.location)
    assert names(page) == ["Remaja"]
    assert buttons(page, "#match-head") == {"same": "1"}
    page = again(browser, session, same="1")
    assert names(page) == ["Dewasa"]
    assert buttons(page, "#match-head") == {}


def test_the_question_of_a_search_is_changed_on_its_receipt(
    browser: Browser, make: Make, session: Any
) -> None:
    area = _placed(session)
    make.service("HE05", name="Remaja", maximum_age=19, at=(area.latitude, area.longitude))
    make.service("HE05", name="Lansia", minimum_age=60, at=(area.latitude, area.longitude))
    browser.sign_in(make.user())
    asked = {"need": "HE05", "place": area.code, "urgency": "urgent", "age": "16", "desil": "2"}
    page = browser.submit("/match", asked | {"documents_lacking": "KTP", "language": "jav"})

    assert names(page) == ["Remaja"]
    assert chips(page) == ["age", "desil", "language", "documents_lacking"]
    form = page.select_one("#question")
    given = {
        field["name"]: field.get("value", "")
        for field in form.select("input")
        if field.get("type") not in ("radio", "checkbox") or field.has_attr("checked")
    }
    given["need"] = form.select_one("select option[selected]")["value"]
    del given["csrf_token"]
    assert given | {"place": ""} == {
        "need": "HE05",
        "place": "",
        "urgency": "urgent",
        "age": "16",
        "desil": "2",
        "registered": "",
        "language": "jav",
        "documents_lacking": "KTP",
    }
    page = browser.submit("/match", given | {"age": "70"})
    assert names(page) == ["Lansia"]
    page = again(browser, session, without="age")
    assert sorted(names(page)) == ["Lansia", "Remaja"]
    assert chips(page) == ["desil", "language", "documents_lacking"]


def _placed(session: Any) -> Any:
    from referral.places.queries import gazetteer

    found = (
        place for place in gazetteer(session) if place.latitude is not None and place.level == 2
    )
    area = next(found, None)
    if area is None:
        pytest.skip("needs the gazetteer, which is not loaded here")
    return area


def test_where_the_person_is_registered_is_written_in_words(
    browser: Browser, make: Make, session: Any
) -> None:
    area = _placed(session)
    browser.sign_in(make.user())
    asked = {"need": "HE05", "place": area.code, "urgency": "routine"}

    page = browser.submit("/match", asked | {"registered": "Antah Berantah"}, status=422)
    assert page.select_one("#registered-error") is not None
    browser.submit("/match", asked | {"registered": area.code})

    assert receipts(session)[-1].content["query"]["registered_in"] == area.code


def test_farther_places_wait_folded_on_the_map_as_in_the_list(
    browser: Browser, make: Make, need: Any
) -> None:
    for number in range(7):
        make.service(name=f"Tempat {number}", at=(-7.0 - number / 100, 110.42))

    page = matched(browser, need)

    data = json.loads(page.select_one('.listmap script[type="application/json"]').text)
    pins = [one["properties"] for one in data["features"] if one["properties"]["kind"] == "option"]
    assert [pin["name"] for pin in pins] == names(page)
    assert [pin["number"] for pin in pins] == [1, 2, 3, 4, 5, 6, 7]
    assert [pin["folded"] for pin in pins] == [False] * 5 + [True] * 2
    assert len(page.select("details[data-unfolds] .option")) == 2


def test_what_nobody_told_is_asked_in_one_sentence(browser: Browser, make: Make, need: Any) -> None:
    make.service(name="Dekat")

    page = matched(browser, need)

    card = page.select_one("#option-1")
    asks = [item.text for item in card.select(".why .unknown") if "jam buka" in item.text]
    assert len(asks) == 1
    assert "biaya" in asks[0]
    assert "ketersediaan tempat" in asks[0]
    assert "Jam buka" not in card.select_one(".facts").text


def test_no_filter_of_another_persons_case(
    browser: Browser, make: Make, need: Any, session: Any
) -> None:
    matched(browser, need)
    receipt = receipts(session)[0]
    browser.post("/sign-out")
    browser.sign_in(make.user(office=need.case.office))

    assert browser.post(f"/receipts/{receipt.id}/facts", data={"age_years": "9"}).status_code == 404
    assert need.case.client.facts == {"age_years": 16}
