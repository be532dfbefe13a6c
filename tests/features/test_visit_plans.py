"""A plan over several needs of a case: what it is made of, what is kept of it, and for whose eyes."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from referral.accounts.models import Role
from referral.casework import operations as casework
from referral.casework.models import Case, Exclusion, Need, Protection, Urgency
from referral.core.errors import NotAllowed, NotFound
from referral.directory.models import (
    Address,
    CapacityStatus,
    Remote,
    Schedule,
    ServiceAtLocation,
    ServiceCapacity,
)
from referral.matching import plans, visit_plans
from referral.matching.models import MatchReceipt, VisitPlan
from tests.factories import SEMARANG, Make

HE05, FC01, SA04 = "HE05", "FC01", "SA04"


def north(km: float) -> tuple[float, float]:
    return SEMARANG[0] + km / 111.195, SEMARANG[1]


@dataclass
class Office:
    """A broker's case of a client who stays at SEMARANG."""

    session: Session
    make: Make
    now: datetime
    case: Case

    def need(self, category: str, **values: Any) -> Need:
        return self.make.need(self.case, category=category, **values)

    def beside(self, site: ServiceAtLocation, category: str, **values: Any) -> ServiceAtLocation:
        """Another organization's service at the same location."""
        other = self.make.service(category, **values)
        other.location_id = site.location_id
        self.session.flush()
        self.session.expire(other)
        return other

    def keep_out(self, site: ServiceAtLocation) -> None:
        self.session.add(
            Exclusion(
                key=self.case.client.key,
                case_id=self.case.id,
                organization_id=site.service.organization_id,
                at=self.now,
                by_id=self.case.broker_id,
            )
        )
        self.session.flush()

    def plan(self, **how: Any) -> VisitPlan:
        at = self.now.astimezone(ZoneInfo("Asia/Jakarta"))
        return visit_plans.make(
            self.session,
            self.case,
            self.case.needs,
            by=self.case.broker,
            now=self.now,
            **{"at": at, "within": plans.DAY_TRIP_KM} | how,
        )

    def stops(self, kind: str = "fewest", **how: Any) -> list[dict[str, str]]:
        """What is done at each stop, by category: the name of the service."""
        content = self.plan(**how).content or {}
        return [self.named(stop["sites"]) for stop in content["plans"][kind]["stops"]]

    def named(self, sites: dict[str, str]) -> dict[str, str]:
        return {
            self.session.get_one(Need, UUID(need_id)).category: self.session.get_one(
                ServiceAtLocation, UUID(site_id)
            ).service.name
            for need_id, site_id in sites.items()
        }


@pytest.fixture
def office(session: Session, make: Make, now: datetime) -> Office:
    case = make.case()
    case.client.stays_at = {"lat": SEMARANG[0], "lon": SEMARANG[1], "precision_km": 0.0}
    case.client.facts = {"age_years": 16}
    session.flush()
    return Office(session, make, now, case)


def test_one_place_for_two_needs_goes_before_two_places_that_are_nearer(office: Office) -> None:
    health, family = office.need(HE05), office.need(FC01)
    office.make.service(HE05, name="Jiwa dekat", at=north(1))
    office.make.service(FC01, name="Keluarga dekat", at=north(-2))
    both = office.make.service(HE05, name="Jiwa", at=north(6))
    office.beside(both, FC01, name="Keluarga")

    plan = office.plan()

    content = plan.content or {}
    found = content["plans"]
    assert [office.named(stop["sites"]) for stop in found["fewest"]["stops"]] == [
        {HE05: "Jiwa", FC01: "Keluarga"}
    ]
    assert found["fewest"]["way_km"] == pytest.approx(12.0, abs=0.01)
    assert [office.named(stop["sites"]) for stop in found["own_best"]["stops"]] == [
        {HE05: "Jiwa dekat"},
        {FC01: "Keluarga dekat"},
    ]
    assert found["own_best"]["way_km"] == pytest.approx(6.0, abs=0.01)
    receipts = {
        str(receipt.need_id): str(receipt.id)
        for receipt in office.session.scalars(select(MatchReceipt))
    }
    assert content["receipts"] == receipts
    assert set(receipts) == {str(health.id), str(family.id)}


def test_one_place_more_stands_beside_where_it_spares_much(office: Office) -> None:
    for category in (HE05, FC01, SA04):
        office.need(category)
    far = office.make.service(HE05, name="Jiwa", at=north(40))
    office.beside(far, FC01, name="Keluarga")
    office.beside(far, SA04, name="Bansos")
    near = office.make.service(HE05, name="Jiwa dekat", at=north(2))
    office.beside(near, FC01, name="Keluarga dekat")
    office.make.service(FC01, name="Keluarga paling dekat", at=north(1))

    found = (office.plan().content or {})["plans"]

    names = {
        kind: [office.named(stop["sites"]) for stop in trip["stops"]]
        for kind, trip in found.items()
    }
    assert names == {
        "fewest": [{HE05: "Jiwa", FC01: "Keluarga", SA04: "Bansos"}],
        "one_more": [{HE05: "Jiwa dekat", FC01: "Keluarga dekat"}, {SA04: "Bansos"}],
        "own_best": [
            {FC01: "Keluarga paling dekat"},
            {HE05: "Jiwa dekat"},
            {SA04: "Bansos"},
        ],
    }


def test_the_same_street_and_number_in_one_town_is_one_place_but_a_street_alone_is_not(
    office: Office,
) -> None:
    for category in (HE05, FC01, SA04):
        office.need(category)
    lines = {HE05: "Jl. Pemuda No. 12", FC01: "Jalan Pemuda 12", SA04: "Jl. Pemuda"}
    for category, line in lines.items():
        site = office.make.service(category, name=category, at=north(3))
        assert site.location is not None
        # Known to the kecamatan: the same point says nothing.
        site.location.precision_km = 4.0
        office.session.add(
            Address(location_id=site.location_id, address_1=line, city="Semarang",
                    state_province="Jawa Tengah", postal_code="", country="ID")
        )  # fmt: skip
    office.session.flush()

    assert office.stops() == [{HE05: HE05, FC01: FC01}, {SA04: SA04}]


def test_what_the_gates_keep_out_and_whom_the_client_keeps_out_is_in_no_plan(
    office: Office,
) -> None:
    office.need(HE05)
    office.need(FC01)
    one_stop = office.make.service(HE05, name="Jangan disebut", at=north(1))
    office.beside(one_stop, FC01, name="Bukan untuknya", minimum_age=60)
    office.make.service(HE05, name="Jiwa", at=north(5))
    office.make.service(FC01, name="Keluarga", at=north(7))
    office.keep_out(one_stop)

    plan = office.plan()

    assert office.stops() == [{HE05: "Jiwa"}, {FC01: "Keluarga"}]
    assert str(one_stop.id) not in json.dumps(plan.content)


def test_a_full_place_is_not_chosen_for_the_sake_of_one_stop(office: Office) -> None:
    office.need(HE05)
    office.need(FC01)
    full = office.make.service(HE05, name="Penuh", at=north(1))
    office.session.add(
        ServiceCapacity(
            service_id=full.service_id, status=CapacityStatus.NO_CAPACITY, updated=office.now
        )
    )
    office.beside(full, FC01, name="Keluarga")
    office.make.service(HE05, name="Ada tempat", at=north(9))

    assert office.stops() == [{FC01: "Keluarga"}, {HE05: "Ada tempat"}]


def test_help_without_going_there_meets_what_nothing_in_reach_does(office: Office) -> None:
    health, family, money = office.need(HE05), office.need(FC01), office.need(SA04)
    office.make.service(HE05, name="Jiwa", at=north(2))
    office.make.service(HE05, name="Telepon jiwa", remote=Remote.PHONE)
    office.make.service(FC01, name="Telepon keluarga", remote=Remote.PHONE)
    office.make.service(SA04, name="Jauh", at=north(90))

    found = (office.plan().content or {})["plans"]

    assert office.named(found["fewest"]["stops"][0]["sites"]) == {HE05: "Jiwa"}
    assert office.named(found["fewest"]["remote"]) == {FC01: "Telepon keluarga"}
    assert found["at_home"]["stops"] == []
    assert office.named(found["at_home"]["remote"]) == {
        HE05: "Telepon jiwa",
        FC01: "Telepon keluarga",
    }
    met = {*found["fewest"]["remote"], *found["fewest"]["stops"][0]["sites"]}
    assert met == {str(health.id), str(family.id)}
    assert str(money.id) not in met
    assert office.stops(within=None)[-1] == {SA04: "Jauh"}


def test_a_confidential_place_is_a_stop_of_its_own_without_distance(office: Office) -> None:
    point = (-6.991111, 110.431111)
    for category in ("EM07", SA04, FC01):
        office.need(category)
    refuge = office.make.service("EM07", name="Rumah Aman", at=point, confidential=True)
    office.beside(refuge, SA04, name="Lembaga lain di rumah yang sama")
    next_door = office.make.service(FC01, name="Rumah sebelah", at=point)
    for site in (refuge, next_door):
        assert site.location is not None
        site.location.precision_km = 0.01
        office.session.add(
            Address(location_id=site.location_id, address_1="Jl. Sunyi 7", city="Semarang",
                    state_province="Jawa Tengah", postal_code="", country="ID")
        )  # fmt: skip
    office.session.flush()

    content = office.plan(within=None).content or {}

    stops = content["plans"]["fewest"]["stops"]
    told = [(office.named(stop["sites"]), stop["km"] is not None) for stop in stops]
    assert sorted(told, key=str) == sorted(
        [
            ({FC01: "Rumah sebelah"}, True),
            ({"EM07": "Rumah Aman"}, False),
            ({SA04: "Lembaga lain di rumah yang sama"}, False),
        ],
        key=str,
    )
    assert "6.99111" not in json.dumps(content)
    assert "110.43111" not in json.dumps(content)


def test_urgent_needs_come_first_and_of_two_ways_round_the_one_to_open_doors(
    office: Office,
) -> None:
    health, family = office.need(HE05), office.need(FC01)
    office.make.service(HE05, name="Jiwa", at=north(2))
    afternoon = office.make.service(FC01, name="Keluarga", at=north(3))
    assert office.stops() == [{HE05: "Jiwa"}, {FC01: "Keluarga"}]

    # Monday, 09.30: whoever goes there first comes before it opens.
    office.session.add(
        Schedule(service_id=afternoon.service_id, freq="WEEKLY", byday="MO",
                 opens_at="10:30", closes_at="12:00")
    )  # fmt: skip
    morning = office.make.service(FC01, name="Pagi", at=north(3.01))
    office.keep_out(afternoon)
    office.session.add(
        Schedule(service_id=morning.service_id, freq="WEEKLY", byday="MO",
                 opens_at="08:00", closes_at="10:00")
    )  # fmt: skip
    office.session.flush()
    assert office.stops() == [{FC01: "Pagi"}, {HE05: "Jiwa"}]

    health.urgency = Urgency.URGENT
    assert office.stops() == [{HE05: "Jiwa"}, {FC01: "Pagi"}]
    family.urgency = Urgency.URGENT
    assert office.stops() == [{FC01: "Pagi"}, {HE05: "Jiwa"}]


def test_an_emergency_is_never_planned_into_a_trip(office: Office) -> None:
    danger = office.need("EM06", urgency=Urgency.EMERGENCY)
    office.need(HE05)
    office.make.service("EM06", HE05, name="Jiwa", at=north(2))

    content = office.plan().content or {}

    assert content["emergencies"] == [str(danger.id)]
    assert str(danger.id) not in content["receipts"]
    assert office.stops() == [{HE05: "Jiwa"}]


def test_with_only_emergencies_there_is_nothing_to_plan(office: Office) -> None:
    office.need("EM06", urgency=Urgency.EMERGENCY)

    with pytest.raises(NotAllowed) as refused:
        office.plan()

    assert refused.value.message.key == "match.plan.no_need"


@pytest.mark.parametrize("told_by", ["the case", "a need"])
def test_with_violence_only_the_clients_own_needs_go_together_and_no_mediation_is_proposed(
    office: Office, told_by: str
) -> None:
    child = office.make.beneficiary(office.case, label="adik", facts={"age_years": 3})
    own = office.need(FC01)
    of_the_child = office.need("FC05", beneficiary_id=child.id)
    if told_by == "the case":
        office.case.protections = [Protection.VIOLENCE.value]
    else:
        office.need("EM07")
    office.make.service(FC01, name="Konseling pasangan", at=north(1))
    office.make.service(FC01, name="Konseling", at=north(4))
    office.make.service("FC05", name="Penitipan", at=north(1))
    office.session.flush()

    content = office.plan().content or {}

    assert content["violence"] is True
    assert content["apart"] == [str(of_the_child.id)]
    assert str(of_the_child.id) not in content["receipts"]
    assert str(own.id) in content["receipts"]
    assert office.stops() == [{FC01: "Konseling"}]


def test_the_content_is_sealed_with_the_clients_key(office: Office) -> None:
    office.need(HE05)
    office.make.service(HE05, name="Jiwa", at=north(2))

    plan = office.plan()
    office.session.flush()

    assert plan.key_id == office.case.client.key_id
    assert plan.content_sealed is not None
    assert b"receipts" not in plan.content_sealed


def test_only_who_sees_the_case_finds_the_plan_and_nobody_once_the_client_is_erased(
    office: Office,
) -> None:
    office.need(HE05)
    plan = office.plan()
    broker, session = office.case.broker, office.session
    supervisor = office.make.user(Role.SUPERVISOR, office=broker.office)
    others = [
        office.make.user(Role.BROKER, office=broker.office),
        office.make.user(Role.SUPERVISOR),
        office.make.user(Role.PLANNER),
        office.make.user(Role.ADMINISTRATOR),
        office.make.user(Role.AGENCY),
    ]

    assert visit_plans.get(session, broker, plan.id) == (plan, office.case)
    assert visit_plans.get(session, supervisor, plan.id) == (plan, office.case)
    for other in others:
        with pytest.raises(NotFound):
            visit_plans.get(session, other, plan.id)
    casework.erase_client(session, office.case.client, by=supervisor, now=office.now)
    with pytest.raises(NotFound):
        visit_plans.get(session, broker, plan.id)


def test_a_plan_is_outdated_once_it_names_whom_the_client_keeps_out_or_violence_is_known(
    office: Office,
) -> None:
    office.need(HE05)
    site = office.make.service(HE05, name="Jiwa", at=north(2))
    plan = office.plan()
    assert list(visit_plans.receipts_of(office.session, plan, office.case)) == [
        str(office.case.needs[0].id)
    ]

    office.case.protections = [Protection.VIOLENCE.value]
    with pytest.raises(NotAllowed):
        visit_plans.receipts_of(office.session, plan, office.case)
    office.case.protections = []
    office.keep_out(site)
    with pytest.raises(NotAllowed) as refused:
        visit_plans.receipts_of(office.session, plan, office.case)
    assert refused.value.message.key == "match.plan.outdated"
