"""A receipt worked out again: equal to itself, and every difference told with its reason."""

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy.orm import Session

from referral.casework.models import Exclusion
from referral.changes.directory import announce, record
from referral.core.errors import NotAllowed
from referral.core.text import render
from referral.directory.models import (
    Remote,
    Schedule,
    ServiceAtLocation,
    ServiceCapacity,
    ServiceStatus,
)
from referral.matching import operations, repeating
from referral.matching.differences import Difference
from referral.matching.facts import Query, Route
from referral.matching.models import MatchReceipt, PenaltyTable
from referral.matching.receipts import printed
from referral.matching.recomputing import Mismatch, recomputed
from referral.places.queries import gazetteer
from tests.factories import SEMARANG, Make

NEAR, MIDDLE, FAR = (-6.99, 110.438), (-7.035, 110.42), (-6.99, 110.51)


@pytest.fixture
def three(make: Make) -> list[ServiceAtLocation]:
    """Three places of one need, nearest first."""
    return [
        make.service(name=name, at=at)
        for name, at in (("Dekat", NEAR), ("Sedang", MIDDLE), ("Jauh", FAR))
    ]


@pytest.fixture
def receipt(session: Session, make: Make, now: Any, three: Any) -> MatchReceipt:
    """What a 16-year-old's need was answered with."""
    broker = make.user()
    at = now.astimezone(ZoneInfo("Asia/Jakarta"))
    query = Query(need="HE05", at=at, near=SEMARANG, age=16)
    found = operations.match(session, query, by=broker, now=now, office=broker.office)
    session.flush()
    return found


def changed(session: Session, row: Any, service_id: Any, make: Make, **values: Any) -> None:
    """Changes a row a day after the receipt, as the house does."""
    curator = make.user()
    later = make.now + timedelta(days=1)
    for name, value in values.items():
        setattr(row, name, value)
    record(session, row, service_id=service_id, by=curator, now=later)
    session.flush()


def added(session: Session, row: Any, service_id: Any, make: Make) -> None:
    curator = make.user()
    session.add(row)
    record(session, row, service_id=service_id, by=curator, now=make.now + timedelta(days=1))
    session.flush()


def told(one: Difference) -> tuple[str, str, list[str]]:
    return one.kind, one.name, [render(message, "en") for message in one.reasons]


def test_on_an_unchanged_directory_a_receipt_is_equal(
    session: Session, receipt: MatchReceipt
) -> None:
    found = repeating.repeat(session, receipt)

    assert found.is_equal
    assert (found.own_numbers, found.causes, found.table_changed) == ((), (), None)
    assert render(found.verdict, "en") == "Equal: today's answer is exactly what this receipt says."


def test_a_change_elsewhere_in_the_directory_leaves_it_equal_and_is_said(
    session: Session, make: Make, receipt: MatchReceipt
) -> None:
    make.service("FC05")

    found = repeating.repeat(session, receipt)

    assert found.is_equal
    assert [render(one, "en") for one in found.causes] == [
        "1 listing of the directory changed since then."
    ]


def test_a_waiting_list_that_came_is_told_and_moves_the_others(
    session: Session, make: Make, three: Any, receipt: MatchReceipt
) -> None:
    service_id = three[0].service_id
    capacity = ServiceCapacity(service_id=service_id, status="waitlist", updated=make.now)
    added(session, capacity, service_id, make)

    found = repeating.repeat(session, receipt)

    assert not found.is_equal
    assert sorted(map(told, found.answer.differences)) == sorted(
        [
            (
                "moved",
                "Dekat",
                [
                    "No longer added: room not known.",
                    "Added now: a waiting list (2 steps).",
                    "What is said of its room changed.",
                    "Changed in its listing since then: Room.",
                ],
            ),
            ("moved", "Sedang", ["Others moved: 0 now stand before it, 1 no longer does."]),
            ("moved", "Jauh", ["Others moved: 0 now stand before it, 1 no longer does."]),
        ]
    )


def test_a_new_service_a_closed_one_and_one_that_moved_house_are_told(
    session: Session, make: Make, three: Any, receipt: MatchReceipt
) -> None:
    make.service(name="Baru", at=SEMARANG)
    near, _, far = three
    changed(session, near.service, near.service_id, make, status=ServiceStatus.DEFUNCT)
    changed(session, far.location, far.service_id, make, latitude=-7.5)

    found = repeating.repeat(session, receipt)

    reasons = {one.name: told(one) for one in found.answer.differences}
    assert reasons["Baru"] == ("gained", "Baru", ["Came into the directory since then."])
    kind, _, why = reasons["Dekat"]
    assert kind == "lost"
    assert "Condition, being in service: met then, not met now." in why
    kind, _, why = reasons["Jauh"]
    assert (kind, why[0].startswith("Its distance was 9.613 km and is ")) == ("changed", True)
    assert render(found.causes[0], "id") == "3 data layanan di direktori berubah sejak saat itu."


def test_a_service_that_is_gone_and_one_whose_age_limits_came_are_told(
    session: Session, make: Make, three: Any, receipt: MatchReceipt, now: Any
) -> None:
    near, middle, _ = three
    near.service.merged_into_id = middle.service_id
    announce(session, near.service_id, now=now)
    changed(session, middle.service, middle.service_id, make, minimum_age=60)

    found = repeating.repeat(session, receipt)

    reasons = {one.name: told(one) for one in found.answer.differences}
    assert reasons["Dekat"][::2] == ("lost", ["Is no longer offered for this need."])
    kind, _, why = reasons["Sedang"]
    assert kind == "lost"
    assert why[0] == "Condition, age limits: not known then, not met now."
    assert "16" not in " ".join(why)  # nothing of the person


def test_one_that_falls_behind_the_end_of_the_list_still_fits(
    session: Session, make: Make, three: Any, now: Any
) -> None:
    broker = make.user()
    query = Query(need="HE05", at=now.astimezone(ZoneInfo("Asia/Jakarta")), near=SEMARANG, limit=2)
    receipt = operations.match(session, query, by=broker, now=now, office=broker.office)
    make.service(name="Baru", at=SEMARANG)

    found = repeating.repeat(session, receipt)

    reasons = {one.name: told(one) for one in found.answer.differences}
    assert reasons["Sedang"] == (
        "lost",
        "Sedang",
        ["Still fits, but others stand before it now and the list ends earlier."],
    )


def test_another_penalty_table_is_told_apart_from_a_changed_directory(
    session: Session, make: Make, receipt: MatchReceipt, now: Any
) -> None:
    shared = session.get_one(PenaltyTable, receipt.penalty_table_id)
    session.add(
        PenaltyTable(
            office_id=receipt.office_id,
            number=1,
            steps=dict(shared.steps) | {"capacity_unknown": 0.25, "data_quality_most": 0.6},
            created_at=now,
            by_id=make.user().id,
            reason="uji",
        )
    )
    session.flush()

    found = repeating.repeat(session, receipt)

    assert found.answer.is_equal
    assert not found.is_equal
    assert found.todays_table is not None
    assert next(told(one) for one in found.todays_table.differences) == (
        "changed",
        "Dekat",
        [
            "room not known: 0.1 steps then, 0.25 now.",
            "a listing nobody has confirmed for long: 0.1 steps then, 0.05 now.",
        ],
    )
    assert found.table_changed is not None
    assert render(found.table_changed, "en") == (
        f"The office's penalty table changed: version {shared.number} (shared) then, "
        "version 1 (office) now. What differs: room not known (0.1 steps to 0.25) "
        "and the most for missing data (0.5 steps to 0.6)."
    )


def test_other_rules_are_told_with_what_they_changed(
    session: Session, receipt: MatchReceipt, monkeypatch: pytest.MonkeyPatch
) -> None:
    receipt.rules_version = 1
    monkeypatch.setattr(repeating, "RULES_VERSION", 2)

    (cause,) = repeating.repeat(session, receipt).causes

    assert render(cause, "en").startswith("The rules of matching are at version 2 now: near misses")


def test_a_number_that_was_altered_is_found(session: Session, receipt: MatchReceipt) -> None:
    content = receipt.content
    assert content is not None
    content["options"][0]["effective_km"] += 1
    receipt.content = content
    session.flush()

    found = repeating.repeat(session, receipt)

    assert [(one.number, one.where) for one in found.own_numbers] == [
        ("effective_km", content["options"][0]["service_at_location_id"])
    ]
    assert not found.is_equal


def test_nothing_is_worked_out_for_somebody_erased_or_about_whom_the_client_must_not_meet(
    session: Session, make: Make, three: Any, now: Any
) -> None:
    case = make.case()
    need = make.need(case)
    query = operations.query_for(session, need, now=now)
    receipt = operations.match(
        session, query, by=case.broker, now=now, office=case.office, case=case, need=need
    )
    excluded = Exclusion(
        key=case.key,
        case_id=case.id,
        organization_id=three[0].service.organization_id,
        at=now,
        by_id=case.broker_id,
    )
    session.add(excluded)
    session.flush()

    with pytest.raises(NotAllowed, match="no longer shown"):
        repeating.repeat(session, receipt)

    session.delete(excluded)
    case.client.key.destroy(now=now)
    with pytest.raises(NotAllowed, match="erased"):
        repeating.repeat(session, receipt)


def test_a_confidential_option_is_recomputed_from_the_public_point_of_its_kabupaten(
    session: Session, make: Make, now: Any
) -> None:
    make.service("EM07", name="Rumah Aman", confidential=True, at=(-6.991111, 110.431111))
    broker = make.user()
    at = now.astimezone(ZoneInfo("Asia/Jakarta"))
    routes = (Route("33.74", 33.3, "memutar"),)
    query = Query(need="EM07", at=at, near=(-7.2, 110.5), violence=True, routes=routes)
    content = operations.answer(session, query, zone="Asia/Jakarta", office_id=broker.office_id)
    (option,) = content["options"]
    places = gazetteer(session)
    if places.locate("33.74") is None:
        pytest.skip("this gazetteer does not place 33.74")

    def locate(code: str) -> tuple[float, float, float]:
        found = places.locate(code)
        assert found is not None
        return found.latitude, found.longitude, found.precision_km

    assert (option["distance_km"], option["measured_from_area"]) == (None, "33.74")
    assert recomputed(content, locate) == []
    option["effective_km"] += 0.5
    assert recomputed(content) == []
    assert recomputed(content, locate) == [
        Mismatch(
            option["service_at_location_id"],
            "effective_km",
            option["effective_km"],
            pytest.approx(option["effective_km"] - 0.5, abs=0.01),
        )
    ]


def test_a_receipt_of_an_earlier_version_of_the_program_is_compared_in_what_it_tells(
    session: Session, receipt: MatchReceipt
) -> None:
    content = receipt.content
    assert content is not None
    del content["answered_in_time"], content["asked"]["routes"]
    for part in ("options", "remote", "why_not"):
        for one in content[part]:
            for name in ("measured_from_area", "bearing", "way", "phones", "route"):
                del one[name]
    receipt.content = content
    session.flush()

    assert repeating.repeat(session, receipt).is_equal
    assert printed(content, "en")["options"][0]["name"] == "Dekat"


def test_remote_help_is_told_otherwise_only_because_the_local_step_is_another(
    session: Session, make: Make, three: Any, now: Any
) -> None:
    make.service(name="Telepon", remote=Remote.PHONE)
    broker = make.user()
    at = now.astimezone(ZoneInfo("Asia/Jakarta"))
    receipt = operations.match(
        session,
        Query(need="HE05", at=at, near=SEMARANG),
        by=broker,
        now=now,
        office=broker.office,
    )
    make.service(name="Baru", at=SEMARANG)

    found = repeating.repeat(session, receipt)

    assert [told(one) for one in found.answer.differences if one.name == "Telepon"] == [
        ("changed", "Telepon", ["One local step was 9.613 km and is 4.981 km now."])
    ]


def test_what_was_open_now_is_compared_as_of_then(
    session: Session, make: Make, three: Any, now: Any
) -> None:
    hours = Schedule(freq="WEEKLY", byday="MO", opens_at="08:00", closes_at="15:00")
    hours.service_id = three[0].service_id
    session.add(hours)
    announce(session, hours.service_id, now=now)
    broker = make.user()
    at = now.astimezone(ZoneInfo("Asia/Jakarta"))
    query = Query(need="HE05", at=at, near=SEMARANG)
    receipt = operations.match(session, query, by=broker, now=now, office=broker.office)
    session.flush()

    assert repeating.repeat(session, receipt).is_equal
