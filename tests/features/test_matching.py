"""A match over the database: what is loaded, what is kept, and for whose eyes."""

from datetime import date, datetime, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from referral.accounts.models import Role
from referral.casework.models import Exclusion, Urgency
from referral.core.errors import Invalid, NotAllowed, NotFound
from referral.directory.models import (
    CapacityStatus,
    CategoryBasis,
    CostOption,
    Criterion,
    EligibilityRule,
    EntryStep,
    Language,
    Remote,
    RequiredDocument,
    Schedule,
    ServiceArea,
    ServiceCapacity,
)
from referral.matching import candidates, operations, queries
from referral.matching.facts import Document, Offer, Query
from referral.matching.models import ServiceStanding
from referral.matching.receipts import printed, query_of
from referral.matching.recomputing import recomputed
from referral.places.queries import gazetteer
from tests.factories import SEMARANG, Make


def query(now: datetime, **facts: Any) -> Query:
    at = now.astimezone(ZoneInfo("Asia/Jakarta"))
    return Query(**{"need": "HE05", "at": at, "near": SEMARANG} | facts)


def offers(session: Session, *codes: str) -> list[Offer]:
    return candidates.offers_of(session, codes or ("HE05",), gazetteer(session))


def options(content: dict[str, Any], part: str = "options") -> list[str]:
    return [one["service_at_location_id"] for one in content[part]]


def test_an_offer_holds_everything_the_rules_ask_for(
    session: Session, make: Make, now: datetime
) -> None:
    site = make.service(
        "HE05",
        "HE01",
        facility_type="UPTD_PPA",
        minimum_age=12,
        maximum_age=18,
        assured_date=date(2026, 1, 5),
    )
    service_id = site.service_id
    make.service("FC05")
    session.add_all(
        [
            EligibilityRule(service_id=service_id, criterion=Criterion.SEX, values=["female"]),
            EligibilityRule(service_id=service_id, criterion=Criterion.DESIL, values=[4]),
            ServiceArea(service_id=service_id, area_code="33"),
            ServiceArea(service_at_location_id=site.id, area_code="33.74"),
            Language(service_id=service_id, code="jav"),
            CostOption(service_id=service_id, amount=50_000, currency="IDR"),
            RequiredDocument(service_id=service_id, code="KK", document="Kartu Keluarga"),
            EntryStep(service_id=service_id, position=1, office="Kelurahan", documents=["KK"]),
            ServiceCapacity(
                service_id=service_id,
                status=CapacityStatus.WAITLIST,
                maximum=20,
                updated=now,
                until=None,
            ),
            Schedule(
                service_id=service_id,
                freq="WEEKLY",
                byday="MO",
                opens_at="08:00",
                closes_at="12:00",
            ),
            ServiceStanding(service_id=service_id, due=4, in_time=3, open_referrals=2),
        ]
    )
    session.flush()

    (offer,) = offers(session)

    assert offer == Offer(
        service_at_location_id=site.id,
        service_id=service_id,
        organization_id=site.service.organization_id,
        categories={"HE05": True, "HE01": True},
        latitude=SEMARANG[0],
        longitude=SEMARANG[1],
        precision_km=0.5,
        area_code="33.74",
        assumed_area="33.74",
        service_areas=("33.74",),
        minimum_age=12,
        maximum_age=18,
        sex=("female",),
        desil=(4,),
        documents=(Document("KK", "Kartu Keluarga", "Kelurahan"),),
        languages=("jav",),
        fee=True,
        capacity="waitlist",
        capacity_at=now,
        capacity_maximum=20,
        hours=offer.hours,
        assured_on=date(2026, 1, 5),
        due=4,
        in_time=3,
        open_referrals=2,
    )
    assert [(row.byday, row.opens_at) for row in offer.hours] == [("MO", "08:00")]


def test_a_category_of_the_facilitys_type_is_loaded_as_inferred(
    session: Session, make: Make
) -> None:
    make.service("HE05", basis=CategoryBasis.INFERRED)

    assert [offer.categories for offer in offers(session)] == [{"HE05": False}]


def test_the_true_point_of_a_confidential_place_is_not_even_loaded(
    session: Session, make: Make
) -> None:
    make.service("EM07", at=(-7.123456, 110.654321), confidential=True)

    (offer,) = offers(session, "EM07")

    assert (offer.latitude, offer.longitude) != (-7.123456, 110.654321)
    located = gazetteer(session).locate("33.74") if "33.74" in gazetteer(session) else None
    expected = (located.latitude, located.longitude) if located else (None, None)
    assert (offer.latitude, offer.longitude) == expected


def test_loading_takes_the_same_few_questions_for_few_and_many(
    session: Session, make: Make
) -> None:
    asked: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        asked.append(statement)

    gazetteer(session)
    counts = []
    for more in (1, 20):
        for _each in range(more):
            make.service("HE05")
        asked.clear()
        event.listen(session.get_bind(), "before_cursor_execute", note)
        offers(session)
        event.remove(session.get_bind(), "before_cursor_execute", note)
        counts.append(len(asked))

    assert counts[0] == counts[1] <= 20


def test_a_domain_finds_the_offers_of_all_its_needs(
    session: Session, make: Make, now: datetime
) -> None:
    sites = {str(make.service(code).id) for code in ("HE05", "HE01")}
    make.service("FC05")

    content = operations.answer(session, query(now, need="HE"), zone="Asia/Jakarta")

    assert set(options(content)) == sites


def test_a_receipt_keeps_the_whole_run_and_can_be_asked_again(
    session: Session, make: Make, now: datetime
) -> None:
    broker = make.user()
    near, far = make.service(), make.service(at=(-7.2, 110.5))
    hotline = make.service(remote=Remote.PHONE)
    for_elders = make.service(minimum_age=60)
    asked = query(now, age=16)

    receipt = operations.match(session, asked, by=broker, now=now, office=broker.office)
    session.flush()

    content = receipt.content
    assert content is not None
    assert options(content) == [str(near.id), str(far.id)]
    assert options(content, "remote") == [str(hotline.id)]
    assert options(content, "why_not") == [str(for_elders.id)]
    assert [one["failed"] for one in content["why_not"]] == [["age"]]
    assert recomputed(content) == []
    again = operations.answer(
        session, query_of(content), zone=broker.office.time_zone, office_id=broker.office.id
    )
    assert again == content


def test_a_receipt_of_a_need_is_sealed_with_the_clients_key(
    session: Session, make: Make, now: datetime
) -> None:
    case = make.case()
    need = make.need(case)
    make.service()
    asked = operations.query_for(session, need, now=now)

    receipt = operations.match(
        session, asked, by=case.broker, now=now, office=case.office, case=case, need=need
    )
    session.flush()

    assert receipt.key_id == case.client.key_id
    case.client.key.destroy(now=now)
    assert receipt.content is None


def test_whom_the_client_must_not_meet_is_in_no_list_and_no_count(
    session: Session, make: Make, now: datetime
) -> None:
    case = make.case()
    need = make.need(case)
    site, kept_out, too_old = make.service(), make.service(), make.service(minimum_age=60)
    for hidden in (kept_out, too_old):
        session.add(
            Exclusion(
                key=case.client.key,
                case_id=case.id,
                organization_id=hidden.service.organization_id,
                at=now,
                by_id=case.broker_id,
            )
        )
    session.flush()

    receipt = operations.match(
        session,
        query(now, age=16),
        by=case.broker,
        now=now,
        office=case.office,
        case=case,
        need=need,
    )

    content = receipt.content or {}
    assert options(content) == [str(site.id)]
    assert (content["why_not"], content["why_not_total"]) == ([], 0)
    assert content["tally"]["considered"] == 1
    text = str(printed(content, "en"))
    assert str(kept_out.id) not in text
    assert str(too_old.id) not in text


def test_a_need_asks_with_its_beneficiarys_facts_and_the_households_means(
    session: Session, make: Make, now: datetime
) -> None:
    case = make.case(protections=["violence"])
    case.client.facts = {"age_years": 29, "sex": "female", "desil": 3, "languages": ["jav"]}
    case.client.stays_at = {"lat": -6.99, "lon": 110.42, "precision_km": 4.0}
    case.client.registered_in = "33.22"
    child = make.beneficiary(case, facts={"age_years": 3})
    need = make.need(case, category="FC05", beneficiary=child, urgency=Urgency.URGENT)
    session.flush()

    asked = operations.query_for(session, need, now=now)

    assert (asked.need, asked.age, asked.sex, asked.desil) == ("FC05", 3, None, 3)
    assert (asked.near, asked.precision_km, asked.registered_in) == ((-6.99, 110.42), 4.0, "33.22")
    assert (asked.urgency, asked.language, asked.violence) == ("urgent", ("jav",), True)
    assert asked.is_group is False
    assert asked.at.utcoffset() == timedelta(hours=7)


def test_a_group_is_asked_for_without_person_gates(
    session: Session, make: Make, now: datetime
) -> None:
    case = make.case()
    village = make.beneficiary(case, kind="group")

    asked = operations.query_for(session, make.need(case, beneficiary=village), now=now)

    assert asked.is_group is True


def test_a_withdrawn_need_is_not_searched_for(session: Session, make: Make, now: datetime) -> None:
    case = make.case()
    need = make.need(case, withdrawn_at=now)

    with pytest.raises(NotAllowed):
        operations.match(
            session, query(now), by=case.broker, now=now, office=case.office, case=case, need=need
        )


def test_a_choice_is_one_of_the_receipts_options_or_a_no_with_its_reason(
    session: Session, make: Make, now: datetime
) -> None:
    case = make.case()
    need, site = make.need(case), make.service()
    receipt = operations.match(
        session, query(now), by=case.broker, now=now, office=case.office, case=case, need=need
    )
    told: dict[str, Any] = {"need": need, "by": case.broker, "now": now}

    chosen = operations.record_choice(session, receipt, site_id=site.id, **told)

    assert chosen.service_at_location_id == site.id
    assert queries.latest_choices(session, [need.id])[need.id] is chosen
    with pytest.raises(Invalid):
        operations.record_choice(session, receipt, site_id=uuid4(), **told)
    with pytest.raises(Invalid):
        operations.record_choice(session, receipt, **told)
    refused = operations.record_choice(session, receipt, reasons=["U08"], **told)
    assert (refused.service_at_location_id, refused.reasons) == (None, ["U08"])


def test_a_receipt_is_there_only_for_its_broker_and_their_supervisor(
    session: Session, make: Make, now: datetime
) -> None:
    case = make.case()
    need = make.need(case)
    receipt = operations.match(
        session, query(now), by=case.broker, now=now, office=case.office, case=case, need=need
    )
    session.flush()
    supervisor = make.user(Role.SUPERVISOR, office=case.office)
    others = [
        make.user(Role.BROKER, office=case.office),
        make.user(Role.SUPERVISOR),
        make.user(Role.PLANNER),
        make.user(Role.ADMINISTRATOR),
        make.user(Role.AGENCY, organization_id=make.organization().id),
    ]

    assert queries.get_receipt(session, case.broker, receipt.id) is receipt
    assert queries.get_receipt(session, supervisor, receipt.id) is receipt
    for other in others:
        with pytest.raises(NotFound):
            queries.get_receipt(session, other, receipt.id)
