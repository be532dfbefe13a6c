"""The plan of visits: made from the case, shown to its people, printed for the client."""

import json
from typing import Any

import pytest
from sqlalchemy import select

from referral.accounts.models import Role
from referral.casework.models import Exclusion, OwnResource, Protection, Urgency, Visibility
from referral.changes.models import AuditEntry
from referral.directory.models import (
    Address,
    EntryStep,
    Phone,
    Remote,
    RequiredDocument,
    Schedule,
)
from referral.matching.models import ClientChoice, MatchReceipt, VisitPlan
from tests.conftest import Browser
from tests.factories import SEMARANG, Make


def north(km: float) -> tuple[float, float]:
    return SEMARANG[0] + km / 111.195, SEMARANG[1]


@pytest.fixture
def case(make: Make, broker: Any) -> Any:
    case = make.case(broker=broker)
    case.client.name = "Sekar Percobaan"
    case.client.stays_at = {"lat": SEMARANG[0], "lon": SEMARANG[1], "precision_km": 0.0}
    case.client.facts = {"age_years": 16, "documents_lacking": ["KK"]}
    make.session.flush()
    return case


@pytest.fixture
def needs(make: Make, case: Any) -> list[Any]:
    return [make.need(case, category=code) for code in ("HE05", "FC01")]


def planned(mine: Browser, case: Any) -> Any:
    mine.post("/language/en", data={"next": "/"})
    return mine.submit(f"/cases/{case.id}/plan")


def plan_of(session: Any) -> VisitPlan:
    plan: VisitPlan = session.scalars(select(VisitPlan)).one()
    return plan


def words(page: Any) -> str:
    return " ".join(page.select_one("main").text.split())


def test_the_case_offers_one_plan_where_several_needs_are_open(
    mine: Browser, make: Make, case: Any
) -> None:
    make.need(case, category="HE05")
    button = f'form[action="/cases/{case.id}/plan"] button'
    assert mine.page(f"/cases/{case.id}").select_one(button) is None

    make.need(case, category="FC01", in_scope=False)
    assert mine.page(f"/cases/{case.id}").select_one(button) is None

    make.need(case, category="SA04")
    assert mine.page(f"/cases/{case.id}").select_one(button) is not None


def test_the_stops_stand_in_order_with_what_to_bring_whom_to_call_and_where_to_begin(
    mine: Browser, make: Make, case: Any, needs: list[Any], session: Any
) -> None:
    near = make.service("HE05", name="Klinik Jiwa", at=north(2))
    far = make.service("FC01", name="Konseling Keluarga", at=north(5))
    make.service("FC01", name="Hotline Keluarga", remote=Remote.PHONE)
    session.add_all(
        [
            Phone(service_id=near.service_id, number="024 1234567"),
            RequiredDocument(service_id=near.service_id, code="KTP", document="KTP"),
            RequiredDocument(service_id=far.service_id, code="KK", document="KK"),
            EntryStep(
                service_id=far.service_id,
                position=1,
                office="Kelurahan",
                documents=["KK"],
                days=2,
                cost="gratis",
            ),
            Address(
                location_id=near.location_id,
                address_1="Jl. Pemuda 12",
                city="Semarang",
                state_province="Jawa Tengah",
                postal_code="",
                country="ID",
            ),
        ]
    )

    page = planned(mine, case)

    assert page.h1.text == "One plan for 2 needs"
    assert "2 places, about 10 km there and back" in words(page)
    stops = page.select(".options > li")
    assert [stop.h3.text for stop in stops] == ["1. Klinik Jiwa", "2. Konseling Keluarga"]
    first, second = (" ".join(stop.text.split()) for stop in stops)
    assert "2 km" in first
    assert "+3 km" in second
    assert "Jl. Pemuda 12, Semarang" in first
    assert "Bring: National identity card (KTP)" in first
    assert "not at hand: Kelurahan" in second
    assert "Without going there: Hotline Keluarga." in second
    assert "First of its own list." in first
    assert stops[0].select_one('a[href^="tel:"]') is not None
    begin = " ".join(page.select_one("section[aria-labelledby=beginnings-title]").text.split())
    assert begin.startswith("Start here Kelurahan: bring ")
    assert begin.endswith("2 days · gratisFor Konseling Keluarga")
    data = json.loads(page.select_one('.listmap script[type="application/json"]').text)
    assert [
        (feature["properties"]["kind"], feature["properties"].get("number"))
        for feature in data["features"]
    ] == [("option", 1), ("option", 2), ("outline", None), ("start", None)]
    table = " ".join(page.select_one("table").get_text(" ").split())
    assert "Fewest places 2 0 10 km" in table
    receipts = set(session.scalars(select(MatchReceipt.id)))
    assert {f"/receipts/{one}" for one in receipts} <= {a["href"] for a in page.select("main a")}


def test_two_needs_at_one_place_are_one_stop_and_the_trade_is_told(
    mine: Browser, make: Make, case: Any, needs: list[Any], session: Any
) -> None:
    make.service("HE05", name="Jiwa dekat", at=north(1))
    make.service("FC01", name="Keluarga dekat", at=north(-1))
    one = make.service("HE05", name="Jiwa", at=north(16))
    other = make.service("FC01", name="Keluarga")
    other.location_id = one.location_id

    page = planned(mine, case)

    (stop,) = page.select(".options > li")
    assert "One stop for 2 needs" in " ".join(stop.text.split())
    assert "Number 2 of its own list, 15 km after the first, but at the same place" in words(page)
    assert "One place fewer costs 28 km more there and back." in words(page)
    assert "Each need's own best: 2 places, 4 km there and back." in words(page)
    sides = [link["href"] for link in page.select(".tabs a")]
    assert len(sides) == 2
    own = mine.page(sides[1])
    # One lies as far north as the other south: either may come first.
    assert {one.h3.text.partition(". ")[2] for one in own.select(".options > li")} == {
        "Jiwa dekat",
        "Keluarga dekat",
    }


def test_a_door_that_is_closed_on_arrival_is_said(
    mine: Browser, make: Make, case: Any, needs: list[Any], session: Any
) -> None:
    site = make.service("HE05", name="Klinik Jiwa", at=north(2))
    session.add(
        Schedule(service_id=site.service_id, freq="WEEKLY", byday="MO", opens_at="13:00",
                 closes_at="15:00")
    )  # fmt: skip
    planned(mine, case)

    page = mine.submit(
        f"/plans/{plan_of(session).id}/again", {"within": "", "at": "2026-03-02T09:00"}
    )

    assert "There about Monday, 09:06" in words(page)
    assert "Closed when you arrive; opens Monday, 13:00." in words(page)


def test_a_choice_of_the_plan_is_kept_where_a_receipts_choice_is_and_leads_to_the_referral(
    mine: Browser, make: Make, case: Any, needs: list[Any], session: Any
) -> None:
    site = make.service("HE05", name="Klinik Jiwa", at=north(2))
    page = planned(mine, case)

    form = page.select_one(".options form")
    button = form.button
    response = mine.post(form["action"], data={button["name"]: button["value"]})

    choice = session.scalars(select(ClientChoice)).one()
    assert (choice.need_id, choice.service_at_location_id) == (needs[0].id, site.id)
    assert response.location.startswith(f"/needs/{needs[0].id}/referrals/new?")


def test_what_nothing_in_reach_meets_leads_to_the_unmet_need_or_to_making_it(
    mine: Browser, make: Make, case: Any, needs: list[Any]
) -> None:
    make.service("HE05", name="Klinik Jiwa", at=north(2))
    make.service("FC01", name="Terlalu jauh", at=north(90))

    page = planned(mine, case)

    part = page.select_one("section[aria-labelledby=unmet-title]")
    assert "Nothing within 60 km" in part.h2.text
    links = {link["href"].split("?")[0] for link in part.select("a")}
    assert f"/needs/{needs[1].id}/unmet" in links
    assert f"/cases/{case.id}/needs/{needs[1].id}/own" in links
    assert "Terlalu jauh" not in page.text


def test_a_confidential_place_is_a_stop_without_place_distance_or_pin(
    mine: Browser, make: Make, case: Any, needs: list[Any]
) -> None:
    make.need(case, category="EM07")
    make.service("EM07", name="Rumah Aman", confidential=True, at=(-6.991111, 110.431111))
    make.service("HE05", name="Klinik Jiwa", at=north(2))

    page = planned(mine, case)

    stop = next(one for one in page.select(".options > li") if "Rumah Aman" in one.h3.text)
    assert "Place not told" in stop.text
    assert "Call first and agree on how to get there." in stop.text
    data = json.loads(page.select_one('.listmap script[type="application/json"]').text)
    pins = [
        f["properties"]["name"] for f in data["features"] if f["properties"]["kind"] == "option"
    ]
    assert pins == ["Klinik Jiwa"]
    assert "6.99111" not in str(page)


def test_numbers_come_before_a_plan_and_an_emergency_is_no_stop(
    mine: Browser, make: Make, case: Any, needs: list[Any]
) -> None:
    make.need(case, category="EM06", urgency=Urgency.EMERGENCY)
    make.service("EM06", "HE05", name="RS Jiwa", at=north(2))

    page = planned(mine, case)

    first = page.select_one("main .crisis, main h1")
    assert "crisis" in first["class"]
    assert page.select_one(f'.crisis a[href="/cases/{case.id}/crisis"]') is not None
    assert page.h1.text == "One plan for 2 needs"


def test_with_violence_the_page_says_what_is_planned_apart(
    mine: Browser, make: Make, case: Any, needs: list[Any], now: Any
) -> None:
    child = make.beneficiary(case, label="adik bungsu", facts={"age_years": 3})
    make.need(case, category="FC05", beneficiary_id=child.id)
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
    assert "Bu Tini" in words(planned(mine, case))
    make.session.delete(make.session.scalars(select(VisitPlan)).one())
    case.protections = [Protection.VIOLENCE.value]

    page = planned(mine, case)

    assert page.h1.text == "One plan for 2 needs"
    assert "Only the client's own needs are planned together." in words(page)
    assert "(adik bungsu)" in words(page)
    assert "Bu Tini" not in page.text


def test_the_print_holds_the_way_and_neither_name_nor_need_nor_a_reason_against(
    mine: Browser, make: Make, case: Any, needs: list[Any], session: Any
) -> None:
    make.service("HE05", name="Klinik Harapan", at=north(2))
    make.service("HE05", name="Lansia", minimum_age=60)
    make.service("FC01", name="Hotline Keluarga", remote=Remote.PHONE)
    planned(mine, case)

    page = mine.page(f"/plans/{plan_of(session).id}/print")

    assert "Klinik Harapan" in page.text
    assert "Hotline Keluarga" in page.text
    for absent in ("Sekar", case.number, "Lansia", "Mental health", "Against", "list"):
        assert absent not in page.select_one("main").text


def test_others_find_no_plan_and_reading_it_is_noted(
    mine: Browser, make: Make, case: Any, needs: list[Any], session: Any
) -> None:
    planned(mine, case)
    plan = plan_of(session)
    where = f"/plans/{plan.id}"
    read = select(AuditEntry).where(
        AuditEntry.action == "visit_plan.read", AuditEntry.subject_id == plan.id
    )
    assert [entry.client_id for entry in session.scalars(read)] == [case.client_id]
    made = select(AuditEntry).where(AuditEntry.action == "plan.made")
    assert [entry.details for entry in session.scalars(made)] == [{"needs": 2}]
    office = case.broker.office

    for role in Role:
        mine.post("/sign-out")
        mine.sign_in(make.user(role, office=office) if role is Role.BROKER else make.user(role))
        assert mine.get(where).status_code == 404
        assert mine.get(f"{where}/print").status_code == 404
        assert mine.post(f"{where}/again").status_code == 404
        assert mine.post(f"/cases/{case.id}/plan").status_code == 404
    mine.post("/sign-out")
    mine.sign_in(make.user(Role.SUPERVISOR, office=office))
    page = mine.page(where)
    assert page.select("main form") == []  # a supervisor reads; the broker's client chooses
    assert mine.post(f"{where}/again").status_code == 404


def test_a_plan_that_names_whom_the_client_keeps_out_since_is_not_shown(
    mine: Browser, make: Make, case: Any, needs: list[Any], session: Any, now: Any
) -> None:
    site = make.service("HE05", name="Jangan Disebut", at=north(2))
    assert "Jangan Disebut" in planned(mine, case).text
    session.add(
        Exclusion(
            key=case.client.key,
            case_id=case.id,
            organization_id=site.service.organization_id,
            at=now,
            by_id=case.broker_id,
        )
    )
    session.flush()

    page = mine.page(f"/plans/{plan_of(session).id}", status=409)

    assert "Jangan Disebut" not in page.text


def test_without_an_open_need_there_is_nothing_to_plan(mine: Browser, case: Any) -> None:
    assert mine.post(f"/cases/{case.id}/plan").status_code == 409


@pytest.mark.parametrize("typed", [{"within": "-3"}, {"within": "x"}, {"at": "besok"}])
def test_what_makes_no_sense_is_said_and_plans_nothing(
    mine: Browser, case: Any, needs: list[Any], session: Any, typed: dict[str, str]
) -> None:
    planned(mine, case)

    page = mine.submit(f"/plans/{plan_of(session).id}/again", typed)

    assert page.select_one(".notice-bad") is not None
    assert len(session.scalars(select(VisitPlan)).all()) == 1
