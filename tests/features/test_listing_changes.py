"""Agencies change their own listings; trusted ones at once, others through a curator; nothing is lost."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from referral.accounts.models import Role, User
from referral.changes import directory as feed
from referral.changes.actors import PUBLIC
from referral.changes.models import ChangeRecord, DirectoryChange
from referral.core.errors import Invalid, NotAllowed, NotFound, Stale
from referral.directory import queries as directory
from referral.directory.intake.mapping import TableMapping
from referral.directory.intake.upsert import IMPORT
from referral.directory.models import (
    Phone,
    Schedule,
    Service,
    ServiceAtLocation,
)
from referral.directory.opening import is_open
from referral.directory.reference import FOLDER, known
from referral.directory.upkeep import changes, editing, history, listings
from referral.directory.upkeep.models import ChangeStatus, ListingChange
from referral.matching import operations
from referral.matching.candidates import offers_at
from referral.matching.facts import Query
from referral.places.gazetteer import Gazetteer
from referral.places.queries import gazetteer
from tests.factories import Make
from tests.importing import Import

WEEK = {"every": "week", "nth": [], "start": None}
OFFICE = {"days": ["MO", "TU", "WE", "TH", "FR"], "opens": "08:00", "closes": "15:00", **WEEK}


@pytest.fixture
def places(session: Session) -> Gazetteer:
    return gazetteer(session)


@pytest.fixture
def site(make: Make) -> ServiceAtLocation:
    site = make.service("HE05", name="Posyandu Remaja", description="Konseling.")
    make.session.add_all(
        [
            Phone(service_id=site.service_id, number="024 123456", type="voice"),
            Schedule(
                service_id=site.service_id,
                freq="WEEKLY",
                byday="MO,TU,WE,TH,FR",
                opens_at="08:00",
                closes_at="15:00",
                timezone=7.0,
            ),
        ]
    )
    make.session.flush()
    make.session.refresh(site.service)
    return site


@pytest.fixture
def service(site: ServiceAtLocation) -> Service:
    return site.service


@pytest.fixture
def agency(make: Make, service: Service) -> User:
    return make.user(Role.AGENCY, organization_id=service.organization_id)


@pytest.fixture
def curator(make: Make) -> User:
    return make.user(Role.ADMINISTRATOR)


#: a value of every field that is not the one a fresh listing has
EVERYTHING: dict[str, Any] = {
    "name": "Posyandu Remaja Melati",
    "alternate_name": "Melati",
    "description": "Konseling dan pemeriksaan.",
    "status": "temporarily closed",
    "alert": "Gedung diperbaiki.",
    "categories": ["?HE01", "HE05"],
    "phones": [
        {"number": "024 123456", "extension": None, "type": "voice", "description": None},
        {"number": "0812 3456 789", "extension": None, "type": "whatsapp", "description": "Bu Ani"},
    ],
    "url": "https://melati.example.org",
    "email": "melati@example.org",
    "address": {
        "address_1": "Jl. Melati 3",
        "city": "Semarang",
        "state_province": "Jawa Tengah",
        "postal_code": "50123",
    },
    "area_code": "33.74.11",
    "point": {"lat": -6.98, "lon": 110.41},
    "hours": [
        OFFICE | {"days": ["MO", "TU"], "closes": "12:00"},
        OFFICE | {"days": ["MO", "TU"], "opens": "13:00"},
        OFFICE | {"days": ["WE"], "every": "second_week", "start": "2026-03-04"},
        OFFICE | {"days": ["SA"], "every": "month", "nth": [1, -1]},
    ],
    "exceptions": [
        {
            "from": "2026-03-19",
            "to": "2026-03-24",
            "closed": True,
            "opens": None,
            "closes": None,
            "note": "Lebaran",
        },
        {
            "from": "2026-12-24",
            "to": "2026-12-24",
            "closed": False,
            "opens": "08:00",
            "closes": "10:00",
            "note": None,
        },
    ],
    "hours_until": "2026-12-31",
    "follows_public_holidays": True,
    "service_areas": ["33.74", "sekitar pasar"],
    "languages": ["ind", "jav"],
    "interpretation_services": "Bahasa isyarat, janji dulu.",
    "eligibility": {
        "minimum_age": 10.0,
        "maximum_age": 19.0,
        "sex": ["female"],
        "desil_max": 4,
        "disability": [],
        "residency": ["33.74"],
    },
    "eligibility_description": "Remaja sekolah maupun tidak.",
    "documents": [
        {"code": None, "words": "Buku kesehatan", "how_to_get": None},
        {"code": "KTP", "words": None, "how_to_get": "Dukcapil"},
    ],
    "entry_steps": [
        {
            "office": "Kelurahan",
            "documents": ["KK"],
            "days": 1.0,
            "cost": None,
            "who_may_go": "keluarga",
        },
        {
            "office": "Puskesmas",
            "documents": [],
            "days": None,
            "cost": "gratis",
            "who_may_go": None,
        },
    ],
    "application_process": "Datang langsung.",
    "cost": {"fee": "paid", "amount": 15000.0, "words": "Gratis dengan BPJS."},
    "capacity": {"status": "waitlist", "available": 0.0, "maximum": 30.0, "until": "2026-03-30"},
    "answer_mode": "walk_in",
    "contact_mode": "indirect",
}


def without_added(values: dict[str, Any]) -> dict[str, Any]:
    """What could be edited of the values."""
    added = ("as_of", "precision_km")
    return {
        name: {p: v for p, v in value.items() if p not in added}
        if isinstance(value, dict)
        else value
        for name, value in values.items()
    }


def test_every_field_that_can_be_edited_is_written_and_read_back_and_reverted(
    session: Session, service: Service, curator: User, places: Gazetteer, now: datetime
) -> None:
    before = listings.values_of(service)
    assert set(EVERYTHING) == set(editing.FIELDS) - {"organization"}

    change = changes.edit(session, service.id, EVERYTHING, places, seen=before, by=curator, now=now)
    assert change is not None
    assert change.status is ChangeStatus.PUBLISHED
    assert without_added(listings.values_of(service)) == EVERYTHING
    assert change.previous == {name: before[name] for name in EVERYTHING}

    changes.revert(session, change, places, by=curator, now=now + timedelta(hours=1))
    assert listings.values_of(service) == before
    assert change.status is ChangeStatus.REVERTED


def field_names(session: Session, row_id: Any) -> list[tuple[str, str, str, str]]:
    """What was written down about a row: action, field, both values."""
    query = select(ChangeRecord).where(ChangeRecord.resource_id == row_id).order_by(ChangeRecord.id)
    return [
        (r.last_action_type, r.field_name, r.previous_value, r.replacement_value)
        for r in session.scalars(query)
    ]


def test_a_trusted_agency_publishes_at_once_and_each_changed_field_is_written_down(
    session: Session, service: Service, agency: User, places: Gazetteer, now: datetime
) -> None:
    service.organization.trusted = True
    session.flush()
    version, start = service.version, feed.version(session)
    seen = listings.values_of(service)
    phone = service.phones[0].id

    change = changes.edit(
        session,
        service.id,
        {
            "name": "Posyandu Melati",
            "phones": [{"number": "024 999 111", "type": "voice"}],
            "description": seen["description"],
        },
        places,
        seen=seen,
        by=agency,
        now=now,
    )

    assert change is not None
    assert change.status is ChangeStatus.PUBLISHED
    assert sorted(change.values) == ["name", "phones"]
    assert field_names(session, service.id) == [
        ("update", "name", "Posyandu Remaja", "Posyandu Melati")
    ]
    assert field_names(session, phone) == [("update", "number", "024 123456", "024 999 111")]
    assert (service.name, service.last_modified, service.assured_date) == (
        "Posyandu Melati",
        now,
        None,
    )
    assert service.version > version
    told = session.scalars(
        select(DirectoryChange.service_id).where(DirectoryChange.seq > start)
    ).all()
    assert told == [service.id]
    roles = session.scalars(select(ChangeRecord.updated_by_role).distinct()).all()
    assert roles == ["agency"]


def test_an_agency_not_yet_trusted_waits_for_a_curator_who_may_take_some_of_it(
    session: Session,
    service: Service,
    agency: User,
    curator: User,
    places: Gazetteer,
    now: datetime,
) -> None:
    seen = listings.values_of(service)
    values = {"name": "Nama Baru", "alert": "Tutup hari Senin"}
    change = changes.edit(session, service.id, values, places, seen=seen, by=agency, now=now)
    assert change is not None
    assert change.status is ChangeStatus.WAITING
    assert service.name == "Posyandu Remaja"

    later = now + timedelta(hours=2)
    changes.approve(
        session, change, places, by=curator, now=later, fields=["alert"], note="Nama tetap."
    )

    assert (service.name, service.alert) == ("Posyandu Remaja", "Tutup hari Senin")
    assert (change.status, change.values) == (ChangeStatus.PUBLISHED, {"alert": "Tutup hari Senin"})
    assert (change.made_by_id, change.decided_by_id) == (agency.id, curator.id)
    rest = session.scalars(
        select(ListingChange).where(ListingChange.status == ChangeStatus.REFUSED)
    ).one()
    assert (rest.values, rest.decision_note) == ({"name": "Nama Baru"}, "Nama tetap.")
    with pytest.raises(NotAllowed):
        changes.refuse(session, change, note="lagi", by=curator, now=later)


def test_a_draft_keeps_what_was_typed_right_or_wrong_and_is_one_per_person_and_listing(
    session: Session, service: Service, agency: User, places: Gazetteer, now: datetime
) -> None:
    seen = listings.values_of(service)
    draft = changes.start(session, service.id, by=agency, now=now)
    changes.save_draft(session, draft, {"email": "belum selesai"}, seen=seen, by=agency, now=now)
    changes.save_draft(session, draft, {"name": "Nama"}, seen=seen, by=agency, now=now)

    assert changes.start(session, service.id, by=agency, now=now) is draft
    with pytest.raises(editing.InvalidListing) as wrong:
        changes.submit(session, draft, places, by=agency, now=now)
    assert [finding.field for finding in wrong.value.findings] == ["email"]
    assert draft.status is ChangeStatus.DRAFT
    assert draft.values == {"email": "belum selesai", "name": "Nama"}

    changes.save_draft(session, draft, {"email": None}, seen=seen, by=agency, now=now)
    sent = changes.submit(session, draft, places, by=agency, now=now)
    assert sent is draft
    assert (sent.status, sent.values) == (ChangeStatus.WAITING, {"name": "Nama"})
    assert changes.start(session, service.id, by=agency, now=now) is not draft


def test_a_draft_that_changes_nothing_is_gone(
    session: Session, service: Service, agency: User, places: Gazetteer, now: datetime
) -> None:
    seen = listings.values_of(service)
    draft = changes.start(session, service.id, by=agency, now=now)
    changes.save_draft(session, draft, {"name": seen["name"]}, seen=seen, by=agency, now=now)

    assert changes.submit(session, draft, places, by=agency, now=now) is None
    assert session.scalars(select(ListingChange)).all() == []


def test_only_a_field_that_somebody_else_changed_meanwhile_is_refused_with_both_values(
    session: Session, service: Service, curator: User, places: Gazetteer, now: datetime
) -> None:
    seen = listings.values_of(service)
    changes.edit(
        session,
        service.id,
        {"name": "Yang Pertama", "alert": "A"},
        places,
        seen=seen,
        by=curator,
        now=now,
    )

    with pytest.raises(Stale) as stale:
        changes.edit(
            session,
            service.id,
            {"name": "Yang Kedua", "alert": "A", "url": "melati.example.org"},
            places,
            seen=seen,
            by=curator,
            now=now,
        )
    assert stale.value.candidates == [
        {
            "field": "name",
            "seen": "Posyandu Remaja",
            "current": "Yang Pertama",
            "yours": "Yang Kedua",
        }
    ]

    change = changes.edit(
        session,
        service.id,
        {"name": "Posyandu Remaja", "url": "melati.example.org"},
        places,
        seen=seen,
        by=curator,
        now=now,
    )
    assert change is not None
    assert change.values == {"url": "https://melati.example.org"}
    assert service.name == "Yang Pertama"


def test_a_curator_approves_over_a_later_change_only_knowing_it(
    session: Session,
    service: Service,
    agency: User,
    curator: User,
    places: Gazetteer,
    now: datetime,
) -> None:
    seen = listings.values_of(service)
    waits = changes.edit(
        session, service.id, {"name": "Usul"}, places, seen=seen, by=agency, now=now
    )
    assert waits is not None
    changes.edit(session, service.id, {"name": "Sementara"}, places, seen=seen, by=curator, now=now)

    with pytest.raises(Stale):
        changes.approve(session, waits, places, by=curator, now=now)
    assert waits.status is ChangeStatus.WAITING
    changes.approve(session, waits, places, by=curator, now=now, seen={"name": "Sementara"})
    assert service.name == "Usul"
    assert waits.previous == {"name": "Sementara"}


def test_an_agency_can_change_no_other_organizations_listing_and_outsiders_none(
    session: Session, service: Service, make: Make, places: Gazetteer, now: datetime
) -> None:
    for by in (make.user(Role.AGENCY), make.user(Role.BROKER), make.user(Role.PLANNER), PUBLIC):
        with pytest.raises(NotFound):
            changes.edit(session, service.id, {"name": "X"}, places, seen={}, by=by, now=now)
        with pytest.raises(NotFound):
            changes.start(session, service.id, by=by, now=now)
        with pytest.raises(NotFound):
            changes.full_until(session, service, date(2026, 3, 9), places, by=by, now=now)
    assert session.scalars(select(ListingChange)).all() == []


def test_anyone_may_suggest_and_only_a_curator_publishes_it_and_the_writer_takes_it_back(
    session: Session,
    service: Service,
    agency: User,
    curator: User,
    make: Make,
    places: Gazetteer,
    now: datetime,
) -> None:
    seen = listings.values_of(service)
    suggested = changes.suggest(
        session, service.id, {"name": "Yang Benar"}, places, seen=seen, by=PUBLIC, now=now
    )
    assert (suggested.status, suggested.made_by_role) == (ChangeStatus.WAITING, "public")
    with pytest.raises(NotFound):
        changes.approve(session, suggested, places, by=agency, now=now)
    with pytest.raises(NotFound):
        changes.withdraw(session, suggested, by=PUBLIC, now=now)
    changes.approve(session, suggested, places, by=curator, now=now)
    assert service.name == "Yang Benar"

    broker = make.user(Role.BROKER)
    other = changes.suggest(
        session, service.id, {"alert": "Pindah"}, places, seen={}, by=broker, now=now
    )
    changes.withdraw(session, other, by=broker, now=now)
    assert other.status is ChangeStatus.WITHDRAWN
    with pytest.raises(Invalid):
        changes.suggest(session, service.id, {}, places, seen={}, by=PUBLIC, now=now)


def test_a_change_is_not_taken_back_over_a_later_one_without_both_values_being_shown(
    session: Session, service: Service, curator: User, places: Gazetteer, now: datetime
) -> None:
    seen = listings.values_of(service)
    first = changes.edit(
        session, service.id, {"name": "Satu", "alert": "A"}, places, seen=seen, by=curator, now=now
    )
    assert first is not None
    changes.edit(
        session, service.id, {"name": "Dua"}, places, seen={"name": "Satu"}, by=curator, now=now
    )

    with pytest.raises(Stale) as stale:
        changes.revert(session, first, places, by=curator, now=now)
    assert stale.value.candidates == [
        {"field": "name", "seen": "Satu", "current": "Dua", "yours": "Posyandu Remaja"}
    ]
    assert (service.name, service.alert) == ("Dua", "A")


def test_what_was_taken_back_can_be_put_back(
    session: Session, service: Service, curator: User, places: Gazetteer, now: datetime
) -> None:
    seen = listings.values_of(service)
    hours = {"hours": [OFFICE | {"closes": "12:00"}]}
    change = changes.edit(session, service.id, hours, places, seen=seen, by=curator, now=now)
    assert change is not None
    back = changes.revert(session, change, places, by=curator, now=now)
    assert listings.values_of(service)["hours"] == [OFFICE]

    changes.revert(session, back, places, by=curator, now=now)
    assert listings.values_of(service)["hours"] == hours["hours"]
    assert (change.status, back.status) == (ChangeStatus.REVERTED, ChangeStatus.REVERTED)


def test_full_until_monday_is_one_step_that_the_next_match_sees(
    session: Session,
    service: Service,
    site: ServiceAtLocation,
    agency: User,
    places: Gazetteer,
    now: datetime,
) -> None:
    service.organization.trusted = True
    session.flush()
    changes.full_until(session, service, date(2026, 3, 9), places, by=agency, now=now)

    offer = offers_at(session, [site.id], places)[0]
    assert (offer.capacity, offer.capacity_until, offer.capacity_at) == (
        "no-capacity",
        date(2026, 3, 9),
        now,
    )
    with pytest.raises(Invalid):
        changes.full_until(session, service, date(2026, 3, 1), places, by=agency, now=now)


def test_where_a_confidential_place_is_stays_with_its_agency_and_out_of_the_record(
    session: Session, make: Make, curator: User, places: Gazetteer, now: datetime
) -> None:
    site = make.service("SP06", confidential=True)
    service, location = site.service, site.location
    assert location is not None
    agency = make.user(Role.AGENCY, organization_id=service.organization_id)
    assert not set(editing.WHERE) & set(listings.values_of(service))
    new = {"point": {"lat": -7.1, "lon": 110.2}}
    with pytest.raises(Invalid):
        changes.edit(session, service.id, new, places, seen={}, by=curator, now=now)
    with pytest.raises(Invalid):
        changes.suggest(session, service.id, new, places, seen={}, by=PUBLIC, now=now)

    seen = listings.values_of(service, for_owner=True)
    waits = changes.edit(session, service.id, new, places, seen=seen, by=agency, now=now)
    assert waits is not None
    changes.approve(session, waits, places, by=curator, now=now)

    assert (location.latitude, location.confidential) == (-7.1, True)
    assert {row[1:] for row in field_names(session, location.id)} == {
        ("latitude", "", ""),
        ("longitude", "", ""),
        ("precision_km", "", ""),
    }
    entry = history.entries(session, service).items[0]
    assert (list(entry.differences), [m.key for m in entry.hidden]) == ([], ["listing.field.point"])
    location.latitude = -7.3
    with pytest.raises(Stale) as stale:
        changes.revert(session, waits, places, by=curator, now=now)
    assert "-7" not in str(stale.value.candidates)


def test_a_place_that_another_agencys_service_shares_is_copied_before_it_is_moved(
    session: Session, make: Make, site: ServiceAtLocation, curator: User, places: Gazetteer
) -> None:
    other = make.service("HE05")
    other.location = site.location
    session.flush()
    seen = listings.values_of(other.service)

    changes.edit(
        session,
        other.service_id,
        {"point": {"lat": -7.5, "lon": 110.5}},
        places,
        seen=seen,
        by=curator,
        now=make.now,
    )

    assert other.location is not None
    assert site.location is not None
    assert (other.location.latitude, site.location.latitude) == (-7.5, -6.9903)


def test_a_new_listing_gets_its_organization_place_and_facts_when_a_curator_takes_it(
    session: Session, curator: User, places: Gazetteer, now: datetime
) -> None:
    values = {
        "name": "Bank Makanan Baru",
        "organization": "Yayasan Baru",
        "categories": ["HE01"],
        "area_code": "33.74",
        "phones": [{"number": "024 777 888"}],
    }
    change = changes.suggest(session, None, values, places, seen={}, by=PUBLIC, now=now)
    assert change.service_id is None
    changes.approve(session, change, places, by=curator, now=now)

    service = session.get_one(Service, change.service_id)
    assert (service.name, service.organization.name, service.source, service.version) == (
        "Bank Makanan Baru",
        "Yayasan Baru",
        None,
        service.version,
    )
    site = service.sites[0]
    assert site.location is not None
    assert (site.location.area_code, site.location.point_source) == ("33.74", "regency")
    offer = offers_at(session, [site.id], places)[0]
    assert (dict(offer.categories), offer.active) == ({"HE01": True}, True)

    changes.revert(session, change, places, by=curator, now=now)
    assert str(service.status) == "inactive"
    with pytest.raises(editing.InvalidListing):
        changes.suggest(session, None, {"alert": "tanpa nama"}, places, seen={}, by=PUBLIC, now=now)


def test_documents_know_not_said_from_none_needed(
    session: Session,
    service: Service,
    site: ServiceAtLocation,
    curator: User,
    places: Gazetteer,
    now: datetime,
) -> None:
    def offered() -> Any:
        return offers_at(session, [site.id], places)[0].documents

    assert (listings.values_of(service)["documents"], offered()) == (None, None)
    changes.edit(session, service.id, {"documents": []}, places, seen={}, by=curator, now=now)
    assert (listings.values_of(service)["documents"], offered()) == ([], ())
    changes.edit(session, service.id, {"documents": None}, places, seen={}, by=curator, now=now)
    assert service.required_documents == []


def test_a_rule_that_the_grid_cannot_show_stays_as_its_source_wrote_it(
    session: Session, service: Service, curator: User, places: Gazetteer, now: datetime
) -> None:
    session.add(
        Schedule(
            service_id=service.id,
            freq="MONTHLY",
            bymonthday="1,15",
            opens_at="09:00",
            closes_at="10:00",
            timezone=7.0,
        )
    )
    session.flush()
    seen = listings.values_of(service)
    rule = {
        "rule": {
            "bymonthday": "1,15",
            "closes_at": "10:00",
            "freq": "MONTHLY",
            "opens_at": "09:00",
            "timezone": 7.0,
        }
    }
    assert seen["hours"] == [OFFICE, rule]

    without = changes.edit(
        session, service.id, {"hours": [OFFICE]}, places, seen=seen, by=curator, now=now
    )
    assert without is not None
    assert listings.values_of(service)["hours"] == [OFFICE]
    changes.revert(session, without, places, by=curator, now=now)
    assert listings.values_of(service)["hours"] == [OFFICE, rule]


def test_history_tells_changes_and_imports_newest_first_by_role_and_an_imports_field_goes_back(
    session: Session,
    service: Service,
    agency: User,
    curator: User,
    places: Gazetteer,
    now: datetime,
) -> None:
    service.organization.trusted = True
    seen = listings.values_of(service)
    changes.edit(session, service.id, {"alert": "Baru"}, places, seen=seen, by=agency, now=now)
    service.name = "Dari Impor"
    session.flush()
    feed.record_many(
        session,
        [
            ("service", service.id, "update", "name", "Posyandu Remaja", "Dari Impor"),
            ("phone", service.phones[0].id, "update", "number", "1", "024 123456"),
        ],
        by=IMPORT,
        now=now + timedelta(days=1),
    )

    page = history.entries(session, service)
    assert [
        (entry.role, [d.field for d in entry.differences], [f.key for f in entry.fields])
        for entry in page.items
    ] == [
        ("import", [], ["listing.field.name", "listing.field.phones"]),
        ("agency", ["alert"], []),
    ]
    [record] = page.items[0].revertible
    changes.revert_record(session, record, places, by=curator, now=now + timedelta(days=2))
    assert service.name == "Posyandu Remaja"
    with pytest.raises(Invalid):
        changes.revert_record(session, record, places, by=curator, now=now + timedelta(days=2))
    service.name = "Diubah Lagi"
    with pytest.raises(Stale):
        changes.revert_record(session, record, places, by=curator, now=now + timedelta(days=2))


def test_the_next_match_says_the_new_hours_and_a_holiday_is_told_from_them(
    session: Session, service: Service, curator: User, places: Gazetteer
) -> None:
    def card(text: str) -> tuple[Any, list[str]]:
        at = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Asia/Jakarta"))
        query = Query(need="HE05", at=at, near=(-6.99, 110.42))
        options = operations.answer(session, query, zone="Asia/Jakarta")["options"]
        [option] = [one for one in options if one["service_id"] == str(service.id)]
        return option["facts"][0], [one["rule"] for one in option["penalties"]]

    saturday = [OFFICE | {"days": ["SA"], "every": "month", "nth": [1]}]
    changes.edit(
        session,
        service.id,
        {"hours": saturday, "follows_public_holidays": True},
        places,
        seen={},
        by=curator,
        now=datetime(2026, 8, 3, tzinfo=UTC),
    )

    assert "match.fact.open" in str(card("2026-08-01T09:00"))
    closed, penalties = card("2026-08-08T09:00")
    assert "match.fact.opens" in str(closed)
    assert "2026-09-05T08:00" in str(closed)
    assert "closed" in penalties
    # The first Saturday of May 2027 is Labour Day.
    assert "match.fact.opens" in str(card("2027-05-01T09:00"))


def test_what_an_agency_changed_or_took_out_survives_the_next_import(
    session: Session, curator: User, places: Gazetteer, now: datetime
) -> None:
    row = {
        "id": "p1",
        "name": "Puskesmas Sumber",
        "category": "HE05",
        "phone": "024 555 111",
        "schedule": "Mo-Fr 08:00-15:00",
        "place": "33.74",
        "description": "Lama",
        "sex": "female",
        "required_document": "KTP",
    }
    path = FOLDER / "mappings" / "table.yaml"

    def take(**different: str) -> Service:
        one = Import(
            session, TableMapping.from_yaml(path), known(), places, source="uji-sunting", now=now
        )
        one.take([(2, row | different, True)])
        session.expire_all()
        return session.scalars(select(Service).where(Service.source == "uji-sunting")).one()

    service = take()
    seen = listings.values_of(service)
    changed = {
        "name": "Puskesmas yang Benar",
        "phones": [],
        "hours": [OFFICE | {"days": ["SA"]}],
        "documents": None,
        "eligibility": seen["eligibility"] | {"sex": []},
    }
    changes.edit(session, service.id, changed, places, seen=seen, by=curator, now=now)
    kept = listings.values_of(service)

    again = take(
        name="Nama Sumber", description="Baru", schedule="Mo 08:00-09:00", required_document="KK"
    )

    assert again.description == "Baru"
    assert listings.values_of(again) == kept | {"description": "Baru"}


@pytest.mark.parametrize("owner", ["service_at_location_id", "location_id"])
def test_hours_said_of_the_site_or_the_place_are_shown_and_edited_where_they_count(
    session: Session, make: Make, curator: User, places: Gazetteer, now: datetime, owner: str
) -> None:
    site = make.service("HE05")
    row = Schedule(
        **{owner: site.id if owner == "service_at_location_id" else site.location_id},
        freq="WEEKLY",
        byday="MO",
        opens_at="08:00",
        closes_at="15:00",
        timezone=7.0,
    )
    session.add(row)
    session.flush()
    session.refresh(site)
    seen = listings.values_of(site.service)
    monday = datetime(2026, 3, 2, 12, 0, tzinfo=ZoneInfo("Asia/Jakarta"))
    assert directory.get(session, site.service_id).is_open(monday) is True
    assert seen["hours"] == [OFFICE | {"days": ["MO"]}]

    new = {"hours": [OFFICE | {"days": ["MO"], "closes": "11:00"}]}
    changes.edit(session, site.service_id, new, places, seen=seen, by=curator, now=now)

    assert listings.values_of(site.service)["hours"] == new["hours"]
    assert directory.get(session, site.service_id).is_open(monday) is False
    [offer] = offers_at(session, [site.id], places)
    assert is_open(offer.hours, monday) is False
    # What other services at the place say of themselves is left alone.
    assert (row.closes_at == "15:00") is (owner == "location_id")
