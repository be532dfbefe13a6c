"""The search's catalogue follows the directory, in this process and in others."""

from datetime import UTC, datetime
from threading import Thread

import pytest
from sqlalchemy import delete
from sqlalchemy.orm import Session

from referral.changes import following
from referral.changes.directory import announce
from referral.changes.models import DirectoryChange
from referral.directory.kinds import ServiceStatus
from referral.directory.models import (
    Address,
    Location,
    Organization,
    Service,
    ServiceAtLocation,
    ServiceCategory,
)
from referral.directory.search import ids, index, search
from referral.extensions import db
from referral.factory import create_app

NOW = datetime(2026, 3, 2, 2, 30, tzinfo=UTC)


@pytest.fixture
def apps(fresh):
    """Two applications on one database, as two processes have them."""
    first, second = create_app(fresh), create_app(fresh)
    yield first, second
    for app in (first, second):
        with app.app_context():
            index.CATALOGUE.forget(db.engine)
            db.engine.dispose()


def add(session, name, **values):
    organization = Organization(name="Lembaga")
    service = Service(organization=organization, name=name, last_modified=NOW, **values)
    session.add_all([organization, service])
    session.flush()
    session.add(ServiceCategory(service_id=service.id, code="HE05"))
    announce(session, service.id, now=NOW)
    session.commit()
    return service.id


def found(app, words):
    with app.app_context():
        return [hit.listing.service.name for hit in search(db.session, words=words).page.items]


def test_a_change_of_one_process_is_found_by_the_next_search_of_another(apps):
    first, second = apps
    assert found(second, "zamrud") == []

    with first.app_context():
        service_id = add(db.session, "Klinik Zamrud")
    assert found(second, "zamrud") == ["Klinik Zamrud"]

    with first.app_context():
        db.session.get_one(Service, service_id).name = "Klinik Kencana"
        announce(db.session, service_id, now=NOW)
        db.session.commit()
    assert found(second, "zamrud") == []
    assert found(second, "kencna") == ["Klinik Kencana"]

    with first.app_context():
        db.session.get_one(Service, service_id).status = ServiceStatus.DEFUNCT
        announce(db.session, service_id, now=NOW)
        db.session.commit()
    assert found(second, "kencana") == []


def test_only_what_changed_is_read_again(apps, monkeypatch):
    first, second = apps
    with first.app_context():
        for number in range(20):
            add(db.session, f"Klinik Nomor {number}")
    assert len(found(second, "klinik")) == 20
    asked = []
    real = index.documents
    monkeypatch.setattr(
        index, "documents", lambda session, some=None: asked.append(some) or real(session, some)
    )

    with first.app_context():
        service_id = add(db.session, "Klinik Zamrud")
    found(second, "zamrud")
    found(second, "zamrud")

    assert asked == [{service_id}]


def test_more_entries_than_are_read_at_once_hide_none(apps, monkeypatch):
    """A listing that changes again and again must not push another's change out of sight."""
    first, second = apps
    with first.app_context():
        restless = add(db.session, "Klinik Zamrud")
    assert found(second, "klinik") == ["Klinik Zamrud"]
    monkeypatch.setattr(following, "MOST_CHANGES", 2)
    monkeypatch.setattr(following, "LATE_NUMBERS", 1)

    with first.app_context():
        for _ in range(5):
            announce(db.session, restless, now=NOW)
        add(db.session, "Klinik Kencana")

    assert found(second, "klinik") == ["Klinik Kencana", "Klinik Zamrud"]


def test_after_an_import_everything_is_read_anew(apps):
    first, second = apps
    assert found(second, "zamrud") == []

    with first.app_context():
        add(db.session, "Klinik Zamrud")
        db.session.execute(delete(DirectoryChange))
        announce(db.session, None, now=NOW)
        db.session.commit()

    assert found(second, "zamrud") == ["Klinik Zamrud"]


def test_a_large_directory_is_read_anew_aside_while_the_old_catalogue_answers(apps, monkeypatch):
    first, second = apps
    monkeypatch.setattr(following, "SMALL", 0)
    monkeypatch.setattr(following, "SECONDS_BETWEEN", -1.0)
    with first.app_context():
        add(db.session, "Klinik Zamrud")
    assert found(second, "klinik") == ["Klinik Zamrud"]
    started = []
    monkeypatch.setattr(
        following, "Thread", lambda **how: started.append(Thread(**how)) or started[-1]
    )

    with first.app_context():
        add(db.session, "Klinik Kencana")
        announce(db.session, None, now=NOW)
        db.session.commit()

    assert found(second, "klinik") in (["Klinik Zamrud"], ["Klinik Kencana", "Klinik Zamrud"])
    for thread in started:
        thread.join()
    assert started
    assert found(second, "klinik") == ["Klinik Kencana", "Klinik Zamrud"]


def test_a_database_put_back_to_an_earlier_state_is_noticed(apps):
    first, second = apps
    with first.app_context():
        add(db.session, "Klinik Zamrud")
        later = add(db.session, "Klinik Kencana")
    assert len(found(second, "klinik")) == 2

    with first.app_context():
        for table in (ServiceCategory, DirectoryChange):
            db.session.execute(delete(table).where(table.service_id == later))
        db.session.execute(delete(Service).where(Service.id == later))
        db.session.commit()
        add(db.session, "Klinik Melati")

    assert found(second, "klinik") == ["Klinik Melati", "Klinik Zamrud"]


def test_a_change_that_appears_after_one_with_a_higher_number_is_not_missed(apps):
    """On a database with several writers the numbers of two changes may become visible in either order."""
    first, second = apps
    with first.app_context():
        add(db.session, "Klinik Zamrud")
    assert found(second, "klinik") == ["Klinik Zamrud"]

    with first.app_context():
        late = add(db.session, "Klinik Melati")
        row = db.session.query(DirectoryChange).filter_by(service_id=late).one()
        number = row.seq
        db.session.delete(row)
        db.session.commit()
        kept = Service(
            organization=Organization(name="Lain"), name="Klinik Kencana", last_modified=NOW
        )
        db.session.add(kept)
        db.session.flush()
        db.session.add(DirectoryChange(seq=number + 1, at=NOW, service_id=kept.id))
        db.session.commit()
    assert found(second, "klinik") == ["Klinik Kencana", "Klinik Zamrud"]

    with first.app_context():
        db.session.add(DirectoryChange(seq=number, at=NOW, service_id=late))
        db.session.commit()
    assert found(second, "klinik") == ["Klinik Kencana", "Klinik Melati", "Klinik Zamrud"]


def test_what_was_announced_and_taken_back_is_forgotten_again(apps):
    first, _ = apps
    with first.app_context():
        add(db.session, "Klinik Zamrud")
        organization = Organization(name="Lembaga")
        service = Service(organization=organization, name="Klinik Semu", last_modified=NOW)
        db.session.add_all([organization, service])
        db.session.flush()
        announce(db.session, service.id, now=NOW)
        db.session.flush()
        assert len(ids(db.session, "klinik", 5)) == 2
        db.session.rollback()

    assert found(first, "klinik") == ["Klinik Zamrud"]


def test_of_a_confidential_place_nothing_finer_than_its_regency_is_in_the_catalogue(apps):
    first, _ = apps
    with first.app_context():
        session: Session = db.session
        service = Service(
            organization=Organization(name="Lembaga"), name="Rumah Aman", last_modified=NOW
        )
        place = Location(
            confidential=True,
            latitude=-7.0,
            longitude=110.4,
            precision_km=0.1,
            area_code="33.74.11",
        )
        session.add_all([service, place, ServiceAtLocation(service=service, location=place)])
        session.flush()
        session.add(
            Address(
                location_id=place.id,
                address_1="Jl. Zamrud 9",
                city="Banyumanik",
                state_province="",
                postal_code="",
                country="ID",
            )
        )
        session.flush()

        [document] = index.documents(session)

        assert [tuple(site) for site in document.sites] == [(None, None, None, "33.74")]
        assert document.places == ()
