"""Help the broker makes: who may be offered it, what the helper agreed to, when it is full, how often it helped."""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from referral.accounts.models import Role, User
from referral.casework import operations
from referral.casework.models import Case, Method, Need, OwnHelp, OwnResource, Stage, Visibility
from referral.casework.own import helping, listing, making, queries, word
from referral.casework.own.kinds import Ended
from referral.changes.models import AuditEntry, ChangeRecord
from referral.core.errors import Invalid, NotAllowed, NotFound
from referral.directory import queries as directory
from referral.directory.duplicates import merging
from referral.directory.kinds import ServiceStatus, SystemType
from referral.directory.models import Organization, Phone, Service
from referral.directory.search.queries import search
from referral.directory.upkeep import changes
from referral.directory.upkeep.kinds import ChangeStatus
from referral.directory.upkeep.models import ListingChange
from referral.matching import operations as matching
from referral.matching import own_people
from referral.matching.candidates import offers_by
from referral.places.queries import gazetteer
from tests.factories import Make

NEIGHBOUR = "Bu Sulastri Fiktif"
NUMBER = "+6281200000078"
OFFERED = making.Offered(
    category="FC05",
    name=NEIGHBOUR,
    visibility=Visibility.OFFICE,
    day="sepulang sekolah",
    days=["WE", "MO"],
    place="Gang Fiktif 7",
    phone=NUMBER,
    note="Anaknya tiga.",
    capacity=2,
)
FOR_ALL = replace(OFFERED, visibility=Visibility.PUBLIC, public_name="Titip anak RW 5")


@pytest.fixture
def broker(make: Make) -> User:
    return make.user()


@pytest.fixture
def case(make: Make, broker: User) -> Case:
    return make.case(broker=broker)


@pytest.fixture
def curator(make: Make) -> User:
    return make.user(Role.ADMINISTRATOR)


def made(session: Session, case: Case, offered: making.Offered, now: datetime) -> OwnResource:
    own = making.make(
        session, case.office, offered, case=case, agreed=True, by=case.broker, now=now
    )
    session.flush()
    return own


def approve(session: Session, own: OwnResource, curator: User, now: datetime) -> Service:
    change = listing.change_of(session, own)
    assert change is not None
    changes.approve(session, change, gazetteer(session), by=curator, now=now)
    service = listing.of(session, own)
    assert service is not None
    return service


def choose(session: Session, own: OwnResource, need: Need, now: datetime) -> None:
    query = matching.query_for(session, need, now=now)
    receipt = matching.match(
        session, query, by=need.case.broker, now=now, office=need.case.office, need=need
    )
    matching.record_choice(session, receipt, need=need, own=own, by=need.case.broker, now=now)


def found(session: Session, words: str) -> list[str]:
    return [hit.listing.service.name for hit in search(session, words=words).page.items]


# Who may be offered it ---------------------------------------------------------------------------


def test_own_help_is_offered_to_its_client_or_to_the_office(
    session: Session, make: Make, broker: User, case: Case, now: datetime
) -> None:
    colleague = make.case(broker=make.user(office=broker.office))
    elsewhere = make.case()
    for visibility in Visibility:
        made(session, case, replace(FOR_ALL, name=visibility.value, visibility=visibility), now)

    offered = [
        [one.name for one in queries.own_resources(session, where, "FC05")]
        for where in (case, colleague, elsewhere)
    ]

    assert offered == [["client", "office", "public"], ["office", "public"], []]
    assert queries.made_for(session, case)[0].details == {
        "day": "sepulang sekolah",
        "place": "Gang Fiktif 7",
        "phone": NUMBER,
        "note": "Anaknya tiga.",
    }


@pytest.mark.parametrize("role", [Role.SUPERVISOR, Role.AGENCY, Role.PLANNER, Role.ADMINISTRATOR])
def test_only_brokers_of_the_office_know_the_offices_helpers(
    session: Session, make: Make, broker: User, case: Case, now: datetime, role: Role
) -> None:
    own = made(session, case, OFFERED, now)
    inside = {"office": broker.office} if role is Role.SUPERVISOR else {}
    reader = make.user(role, **inside)

    assert queries.get(session, make.user(office=broker.office), own.id) is own
    for stranger in (reader, make.user()):
        assert session.scalars(queries.of_office(stranger)).all() == []
        with pytest.raises(NotFound):
            queries.get(session, stranger, own.id)


def test_a_clients_own_people_are_known_in_their_case_alone(
    session: Session, make: Make, broker: User, case: Case, now: datetime
) -> None:
    own = made(session, case, replace(OFFERED, visibility=Visibility.CLIENT), now)
    colleague = make.user(office=broker.office)

    assert queries.get(session, broker, own.id) is own
    with pytest.raises(NotFound):
        queries.get(session, colleague, own.id)
    assert session.scalars(queries.of_office(broker)).all() == []
    case.broker = colleague
    session.flush()
    assert queries.get(session, colleague, own.id) is own
    with pytest.raises(NotFound):
        queries.get(session, broker, own.id)


@pytest.mark.parametrize("risk", ["violence", "need"])
def test_nobody_near_is_offered_where_one_of_them_may_be_the_danger(
    session: Session, make: Make, case: Case, now: datetime, risk: str
) -> None:
    need = make.need(case, category="FC05")
    mine = made(session, case, replace(OFFERED, visibility=Visibility.CLIENT), now)
    offices = made(session, case, OFFERED, now)
    assert [one.own for one in own_people.options(session, need)] == [mine, offices]

    if risk == "violence":
        case.protections = ["violence"]
    else:
        make.need(case, category="EM07")
        session.refresh(case, ["needs"])

    assert own_people.options(session, need) == []
    assert own_people.names_for(session, [need]) == []


def test_names_and_numbers_are_sealed_and_a_change_of_who_may_know_changes_the_key(
    session: Session, case: Case, now: datetime
) -> None:
    own = made(session, case, replace(OFFERED, visibility=Visibility.CLIENT), now)
    assert own.key_id == case.client.key_id
    making.change(session, own, OFFERED, agreed=True, by=case.broker, now=now)
    session.flush()
    session.expire_all()

    row = session.execute(text("select * from own_resource")).mappings().one()
    assert not any(secret in str(dict(row)) for secret in (NEIGHBOUR, NUMBER, "Fiktif"))
    told = session.scalars(select(AuditEntry.details)).all()
    assert not any(secret in str(told) for secret in (NEIGHBOUR, NUMBER, "Fiktif"))
    assert (own.key_id, own.client_id, own.name) == (case.office.key_id, None, NEIGHBOUR)
    assert (own.details or {})["phone"] == NUMBER


def test_whoever_is_forgotten_takes_their_own_people_along(
    session: Session, make: Make, broker: User, case: Case, now: datetime
) -> None:
    mine = made(session, case, replace(OFFERED, visibility=Visibility.CLIENT), now)
    offices = made(session, case, OFFERED, now)
    helping.record(session, mine, make.need(case), on=now.date(), by=broker, now=now)

    operations.erase_client(session, case.client, by=broker, now=now)
    session.flush()
    session.expire_all()

    assert (mine.name, mine.details, mine.ended_at, mine.helper_agreed) == (None, None, now, False)
    assert (offices.name, offices.ended_at) == (NEIGHBOUR, None)
    assert queries.own_resources(session, case, "FC05") == [offices]


# The helper's word -------------------------------------------------------------------------------


def test_what_the_helper_agreed_to_is_kept_and_can_be_proven(
    session: Session, case: Case, now: datetime
) -> None:
    day = now.date() - timedelta(days=3)
    own = making.make(
        session,
        case.office,
        FOR_ALL,
        agreed=True,
        agreed_on=day,
        method=Method.WRITTEN,
        by=case.broker,
        now=now,
    )

    said = (own.agreed_on, own.agreed_method, own.agreed_text, own.capacity, own.byday)
    assert said == (day, "written", f"public:{word.TEXT_VERSION}", 2, "MO,WE")
    entry = session.scalars(
        select(AuditEntry).where(AuditEntry.action == "own_resource.made")
    ).one()
    assert entry.details == {
        "category": "FC05",
        "agreed_on": day.isoformat(),
        "method": "written",
        "text": f"public:{word.TEXT_VERSION}",
        "publishes": [],
    }


@pytest.mark.parametrize(
    ("values", "word_given", "field"),
    [
        ({"name": " "}, {}, "name"),
        ({"capacity": 0}, {}, "capacity"),
        ({"days": ["XX"]}, {}, "days"),
        ({"visibility": Visibility.CLIENT}, {}, "visibility"),
        ({"visibility": Visibility.PUBLIC}, {}, "public_name"),
        ({"visibility": Visibility.PUBLIC, "public_name": NEIGHBOUR.upper()}, {}, "public_name"),
        ({}, {"agreed": False}, "helper_agreed"),
        ({}, {"agreed_on": date(2100, 1, 1)}, "agreed_on"),
        ({}, {"method": Method.GUARDIAN}, "method"),
    ],
)
def test_what_can_not_be_taken_names_its_field(
    session: Session,
    case: Case,
    now: datetime,
    values: dict[str, Any],
    word_given: dict[str, Any],
    field: str,
) -> None:
    given_word = {"agreed": True} | word_given
    with pytest.raises(Invalid) as refused:
        making.make(
            session, case.office, replace(OFFERED, **values), by=case.broker, now=now, **given_word
        )
    assert refused.value.field == field


def test_more_than_they_agreed_to_needs_their_yes_again(
    session: Session, case: Case, now: datetime
) -> None:
    own = made(session, case, replace(OFFERED, visibility=Visibility.CLIENT), now)
    later = now + timedelta(days=30)
    wider = [OFFERED, FOR_ALL, replace(FOR_ALL, publishes=["phone"])]
    for offered in wider:
        with pytest.raises(Invalid) as refused:
            making.change(session, own, offered, agreed=False, by=case.broker, now=later)
        assert refused.value.field == "helper_agreed"
        making.change(session, own, offered, agreed=True, by=case.broker, now=later)
        assert own.agreed_on == later.date()
    with pytest.raises(Invalid):
        making.change(
            session,
            own,
            replace(OFFERED, visibility=Visibility.CLIENT),
            agreed=True,
            by=case.broker,
            now=later,
        )
    making.change(session, own, replace(OFFERED, capacity=5), agreed=False, by=case.broker, now=now)
    assert (own.visibility, own.capacity, own.agreed_on) == (Visibility.OFFICE, 5, later.date())


@pytest.mark.parametrize("forget", [False, True])
def test_who_takes_their_word_back_is_asked_no_more(
    session: Session, make: Make, case: Case, now: datetime, forget: bool
) -> None:
    need = make.need(case, category="FC05")
    own = made(session, case, OFFERED, now)
    helping.record(session, own, need, on=now.date(), by=case.broker, now=now)

    word.withdraw(session, own, forget=forget, by=case.broker, now=now)
    session.flush()
    session.expire_all()

    assert own_people.options(session, need) == []
    assert queries.made_for(session, case) == []
    assert (own.name is None, own.details is None) == (forget, forget)
    assert helping.given_by(session, [own.id])[own.id].times == 1
    if forget:
        with pytest.raises(NotAllowed):
            word.agree_again(session, own, method=Method.SPOKEN, by=case.broker, now=now)
    else:
        word.agree_again(session, own, method=Method.SPOKEN, by=case.broker, now=now)
        assert [one.own for one in own_people.options(session, need)] == [own]
        assert "withdrawn_on" not in (own.details or {})


def test_after_a_year_the_helper_is_asked_again(
    session: Session, case: Case, now: datetime
) -> None:
    own = made(session, case, OFFERED, now)
    due = now.date() + timedelta(days=365)

    def waiting(today: date) -> int:
        return queries.to_ask_again(session, case.broker, today=today)

    assert word.ask_again_on(own) == due
    assert [waiting(due - timedelta(days=1)), waiting(due)] == [0, 1]
    word.agree_again(
        session, own, method=Method.SPOKEN, by=case.broker, now=now + timedelta(days=365)
    )
    session.flush()
    assert waiting(due) == 0


def test_what_is_over_says_why_and_can_be_taken_up_again(
    session: Session, make: Make, case: Case, now: datetime
) -> None:
    need = make.need(case, category="FC05")
    own = made(session, case, OFFERED, now)
    kept = own.details

    word.end(session, own, because=Ended.MOVED, note="Ke Kudus.", by=case.broker, now=now)
    session.flush()
    assert own_people.options(session, need) == []
    assert (own.details or {})["ended_because"] == "moved"
    with pytest.raises(NotAllowed):
        word.end(session, own, because=Ended.OTHER, by=case.broker, now=now)
    with pytest.raises(NotAllowed):
        making.change(session, own, OFFERED, agreed=True, by=case.broker, now=now)

    word.resume(session, own, by=case.broker, now=now)
    session.flush()
    assert (own.details, [one.own for one in own_people.options(session, need)]) == (kept, [own])


# Room --------------------------------------------------------------------------------------------


def test_who_helps_as_many_as_they_can_is_full_until_somebody_needs_them_no_more(
    session: Session, make: Make, broker: User, now: datetime
) -> None:
    cases = [make.case(broker=broker) for _ in range(3)]
    needs = [make.need(case, category="FC05") for case in cases]
    own = made(session, cases[0], OFFERED, now)
    choose(session, own, needs[0], now)
    helping.record(session, own, needs[1], on=now.date(), by=broker, now=now)
    session.flush()

    def room() -> list[bool]:
        return [own_people.options(session, need)[0].is_full for need in needs]

    assert room() == [False, False, True]
    with pytest.raises(Invalid) as refused:
        choose(session, own, needs[2], now)
    assert refused.value.field == "choice"
    choose(session, own, needs[0], now)  # who is helped already is no more

    operations.resolve_otherwise(session, needs[0], by=broker, now=now)
    session.flush()
    choose(session, own, needs[2], now)
    assert room() == [True, False, False]
    cases[1].stage = Stage.CLOSED
    session.flush()
    assert len(own_people.helped_now(session, [own.id])[own.id]) == 1


def test_another_choice_makes_room(
    session: Session, make: Make, broker: User, now: datetime
) -> None:
    needs = [make.need(make.case(broker=broker), category="FC05") for _ in range(2)]
    first = made(session, needs[0].case, replace(OFFERED, capacity=1), now)
    second = made(session, needs[0].case, replace(OFFERED, name="Pak Fiktif"), now)
    choose(session, first, needs[0], now)
    helping.record(session, first, needs[0], on=now.date(), by=broker, now=now)
    assert [one.own for one in own_people.options(session, needs[1])] == [second, first]

    choose(session, second, needs[0], now + timedelta(minutes=1))

    now_helped = own_people.helped_now(session, [first.id, second.id])
    assert [len(now_helped[one.id]) for one in (first, second)] == [0, 1]


PEOPLE = st.frozensets(st.tuples(st.uuids(), st.none() | st.uuids()), max_size=6)


@given(st.none() | st.integers(1, 6), PEOPLE, st.uuids())
def test_full_means_that_one_more_would_be_too_many(
    capacity: int | None, people: frozenset[tuple[UUID, UUID | None]], client: UUID
) -> None:
    person = (client, None)
    after = people | {person}

    full = own_people.is_full(capacity, people, person)

    assert full == (capacity is not None and after != people and len(after) > capacity)
    assert not any(own_people.is_full(capacity, people, one) for one in people)


# How often they helped ---------------------------------------------------------------------------


def test_every_time_they_helped_is_counted_once_and_can_be_taken_back(
    session: Session, make: Make, case: Case, now: datetime
) -> None:
    need, own = make.need(case, category="FC05"), made(session, case, OFFERED, now)
    for days in (9, 2, 2, 5):
        on = now.date() - timedelta(days=days)
        given_help = helping.record(session, own, need, on=on, by=case.broker, now=now)

    told = helping.given_by(session, [own.id])[own.id]
    assert told == helping.Given(3, now.date() - timedelta(days=2))
    helping.take_back(session, given_help, need, by=case.broker, now=now)
    assert helping.given_by(session, [own.id])[own.id].times == 2
    assert [one.helped_on for one in helping.given_in(session, case)] == [
        now.date() - timedelta(days=days) for days in (2, 9)
    ]
    tomorrow = now.date() + timedelta(days=1)
    with pytest.raises(Invalid):
        helping.record(session, own, need, on=tomorrow, by=case.broker, now=now)


def test_help_is_not_written_down_for_whom_it_is_not_meant(
    session: Session, make: Make, broker: User, case: Case, now: datetime
) -> None:
    mine = made(session, case, replace(OFFERED, visibility=Visibility.CLIENT), now)
    foreign = made(session, make.case(), OFFERED, now)
    other_need = make.need(make.case(broker=broker))
    for own, need in ((mine, other_need), (foreign, other_need)):
        with pytest.raises(NotFound):
            helping.record(session, own, need, on=now.date(), by=broker, now=now)
    assert session.scalars(select(OwnHelp)).all() == []


# The listing -------------------------------------------------------------------------------------


def said_in(session: Session, *kinds: Any, without: Sequence[Any] = ()) -> str:
    """Everything that the rows of these tables say. Ids are left out: drawn at random they hold any four digits."""
    rows = [row for kind in kinds for row in session.scalars(select(kind))]
    said = str([
        [getattr(row, column.key) for column in row.__table__.columns]
        for row in rows
        if row.id not in without
    ])  # fmt: skip
    return re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "", said)


def test_it_is_listed_after_a_curators_yes_with_exactly_what_they_let_be_known(
    session: Session, case: Case, curator: User, now: datetime
) -> None:
    case.office.letterhead = {"phone": "024 7654321"}
    own = made(session, case, FOR_ALL, now)
    assert (listing.of(session, own), found(session, "titip anak")) == (None, [])

    service = approve(session, own, curator, now)

    shown = directory.get(session, service.id)
    assert (shown.service.name, shown.organization.name) == ("Titip anak RW 5", "Titip anak RW 5")
    assert shown.organization.system_type is SystemType.INFORMAL
    assert [(one.number, one.description) for one in service.phones] == [
        ("024 7654321", case.office.name)
    ]
    assert "Senin, Rabu." in (service.description or "")
    assert case.office.name in (service.application_process or "")
    everything = said_in(session, Service, Organization, Phone, ListingChange, ChangeRecord)
    secrets = ("Sulastri", "0078", "Gang Fiktif", "tiga", "sepulang sekolah")
    assert not any(secret in everything for secret in secrets)
    assert found(session, "titip anak") == ["Titip anak RW 5"]


def test_name_number_and_place_are_listed_where_each_was_agreed_to(
    session: Session, case: Case, curator: User, now: datetime
) -> None:
    own = made(session, case, replace(FOR_ALL, publishes=["name", "phone", "place"]), now)

    service = approve(session, own, curator, now)

    place = service.sites[0].location
    assert place is not None
    assert (service.name, [one.number for one in service.phones]) == (NEIGHBOUR, ["0812-0000-0078"])
    assert [one.address_1 for one in place.addresses] == ["Gang Fiktif 7"]
    offers = offers_by(session, [service.id], gazetteer(session))
    assert [one.unsafe_with_violence for one in offers] == [True]
    with pytest.raises(NotFound):
        merging.listings(session, service.id, service.id)


@pytest.mark.parametrize("how", ["withdraw", "end", "office", "less", "reverted"])
def test_what_was_public_is_gone_at_once_and_names_nobody(
    session: Session, case: Case, curator: User, now: datetime, how: str
) -> None:
    offered = replace(FOR_ALL, publishes=["name", "phone", "place"])
    own = made(session, case, offered, now)
    service = approve(session, own, curator, now)
    places = gazetteer(session)
    changes.edit(
        session,
        service.id,
        {"description": f"Hubungi {NEIGHBOUR}"},
        places,
        seen={"description": service.description},
        by=curator,
        now=now,
    )
    asked = listing.change_of(session, own)
    if how == "reverted":
        assert asked is not None
        changes.revert(session, asked, places, by=curator, now=now)

    if how == "end":
        word.end(session, own, because=Ended.UNWELL, by=case.broker, now=now)
    elif how in ("office", "less"):
        less = OFFERED if how == "office" else replace(offered, publishes=["name"])
        making.change(session, own, less, agreed=False, by=case.broker, now=now)
    else:
        word.withdraw(session, own, by=case.broker, now=now)
    session.flush()
    session.expire_all()

    with pytest.raises(NotFound):
        directory.get(session, service.id)
    assert found(session, "Sulastri") == []
    assert service.status is ServiceStatus.DEFUNCT
    statuses = select(ChangeRecord.replacement_value).where(
        ChangeRecord.resource_id == service.id, ChangeRecord.field_name == "status"
    )
    assert "defunct" in session.scalars(statuses).all()
    asked_anew = [own.listing_change_id] if how == "less" else []
    left = said_in(
        session, Service, Organization, Phone, ChangeRecord, ListingChange, without=asked_anew
    )
    assert not any(secret in left for secret in ("Sulastri", "0078", "Gang Fiktif"))
    waiting = select(ListingChange.id).where(ListingChange.status == ChangeStatus.WAITING)
    assert session.scalars(waiting).all() == asked_anew
    assert own.visibility is (Visibility.PUBLIC if how == "less" else Visibility.OFFICE)


def test_a_listing_that_is_gone_is_in_no_match_of_another_office(
    session: Session, make: Make, case: Case, curator: User, now: datetime
) -> None:
    need = make.need(make.case(), category="FC05")
    own = made(session, case, FOR_ALL, now)
    service = approve(session, own, curator, now)

    def offered() -> list[str]:
        query = matching.query_for(session, need, now=now)
        receipt = matching.match(
            session, query, by=need.case.broker, now=now, office=need.case.office, need=need
        )
        content = receipt.content or {}
        return [one["service_id"] for part in ("options", "remote") for one in content[part]]

    assert offered() == [str(service.id)]
    word.withdraw(session, own, by=case.broker, now=now)
    assert offered() == []


def test_a_word_taken_back_before_the_curator_looked_leaves_nothing_to_publish(
    session: Session, case: Case, curator: User, now: datetime
) -> None:
    own = made(session, case, replace(FOR_ALL, publishes=["name"]), now)
    asked = listing.change_of(session, own)
    assert asked is not None

    word.withdraw(session, own, by=case.broker, now=now)

    assert (asked.status, asked.values, asked.note) == (ChangeStatus.WITHDRAWN, {}, None)
    with pytest.raises(NotAllowed):
        changes.approve(session, asked, gazetteer(session), by=curator, now=now)


def test_what_is_different_waits_for_the_curator_and_a_no_can_be_asked_again(
    session: Session, case: Case, curator: User, now: datetime
) -> None:
    own = made(session, case, FOR_ALL, now)
    making.change(session, own, replace(FOR_ALL, capacity=4), agreed=False, by=case.broker, now=now)
    [asked] = session.scalars(select(ListingChange)).all()
    assert asked.values["capacity"]["maximum"] == 4
    changes.refuse(session, asked, note="Terlalu umum.", by=curator, now=now)

    making.ask_again_to_list(session, own, by=case.broker, now=now)
    service = approve(session, own, curator, now)
    assert service.capacities[0].maximum == 4
    making.change(session, own, replace(FOR_ALL, capacity=6), agreed=False, by=case.broker, now=now)
    [correction] = session.scalars(
        select(ListingChange).where(ListingChange.status == ChangeStatus.WAITING)
    ).all()
    assert (correction.service_id, set(correction.values)) == (service.id, {"capacity"})
