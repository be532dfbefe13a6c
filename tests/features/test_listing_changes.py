"""Agencies change their own listings; trusted ones at once, others through a curator; nothing is lost."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from referral.accounts.models import Role, User
from referral.changes import directory as feed
from referral.changes.actors import PUBLIC
from referral.changes.models import ChangeRecord, DirectoryChange
from referral.core.errors import Invalid, NotAllowed, NotFound, Stale
from referral.directory.models import (
    Phone,
    RequiredDocument,
    Schedule,
    Service,
    ServiceAtLocation,
)
from referral.directory.upkeep import changes, editing, listings
from referral.directory.upkeep.models import ChangeStatus, ListingChange
from referral.matching.candidates import offers_at
from referral.places.gazetteer import Gazetteer
from referral.places.queries import gazetteer
from tests.factories import Make

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
