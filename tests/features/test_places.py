"""The gazetteer in the database: loading it, keeping better points, reading it once."""

from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from referral.places import operations, queries
from referral.places.models import Place, PlaceAlias

NOW = datetime(2026, 3, 2, 2, 30, tzinfo=UTC)
PROVINCE = {"code": "99", "level": "1", "name": "Tanah Uji", "latitude": "-7", "longitude": "110"}
REGENCY = {"code": "99.01", "level": "2", "name": "Kabupaten Coba", "latitude": "", "longitude": ""}
BETTER = REGENCY | {"latitude": "-7.1", "longitude": "110.1", "population": "1200"}


def test_loading_twice_changes_nothing_the_second_time(session: Session) -> None:
    first = operations.load(session, [PROVINCE, REGENCY], source="packages", now=NOW)
    second = operations.load(session, [PROVINCE, REGENCY], source="packages", now=NOW)

    assert first.as_counts() == {
        "read": 2,
        "added": 2,
        "changed": 0,
        "unchanged": 0,
        "rejected": 0,
    }
    assert (second.added, second.changed, second.unchanged) == (0, 0, 2)


def test_an_import_improves_a_place_and_packages_do_not_undo_it(session: Session) -> None:
    operations.load(session, [PROVINCE, REGENCY], source="packages", now=NOW)

    imported = operations.load(session, [BETTER], source="survey", now=NOW)
    operations.load(
        session, [PROVINCE, REGENCY | {"name": "Kabupaten Lama"}], source="packages", now=NOW
    )

    assert (imported.changed, imported.findings) == (1, [])
    place = session.get_one(Place, "99.01")
    assert (place.name, place.latitude, place.precision_km, place.population, place.source) == (
        "Kabupaten Coba",
        -7.1,
        32.0,
        1200,
        "survey",
    )


def test_a_blank_point_leaves_the_one_that_stood(session: Session) -> None:
    operations.load(session, [PROVINCE, BETTER], source="survey", now=NOW)

    operations.load(session, [REGENCY | {"name": "Kabupaten Baru"}], source="newer", now=NOW)

    place = session.get_one(Place, "99.01")
    assert (place.name, place.latitude, place.source) == ("Kabupaten Baru", -7.1, "newer")


def test_bad_rows_are_reported_and_the_rest_is_loaded(session: Session) -> None:
    report = operations.load(
        session,
        [PROVINCE, REGENCY | {"latitude": "north", "longitude": "1"}],
        source="survey",
        now=NOW,
    )

    assert [(f.row, f.field, f.value) for f in report.findings] == [(3, "latitude", "north")]
    assert session.get(Place, "99") is not None
    assert session.get(Place, "99.01") is None


def test_aliases_are_loaded_for_the_places_there_are(session: Session) -> None:
    city = {"code": "34.71", "level": "2", "name": "Kota Yogyakarta"}
    province = {"code": "34", "level": "1", "name": "Daerah Istimewa Yogyakarta"}
    operations.load(session, [province, city], source="survey", now=NOW)

    assert "34.71" in session.scalars(select(PlaceAlias.code).where(PlaceAlias.alias == "Jogja"))
    assert queries.gazetteer(session).resolve("Jogja").code == "34.71"


def test_the_gazetteer_is_read_once_and_again_after_a_load(session: Session) -> None:
    operations.load(session, [PROVINCE], source="survey", now=NOW)
    before = queries.gazetteer(session)

    assert queries.gazetteer(session) is before
    operations.load(session, [BETTER], source="survey", now=NOW)
    after = queries.gazetteer(session)

    assert after is not before
    assert after.resolve("Kab. Coba").latitude == -7.1


def test_a_load_that_was_undone_is_not_remembered(session: Session) -> None:
    queries.gazetteer(session)
    with session.begin_nested() as undone:
        operations.load(session, [PROVINCE, BETTER], source="survey", now=NOW)
        assert "99.01" in queries.gazetteer(session)
        undone.rollback()

    assert "99.01" not in queries.gazetteer(session)


def test_coverage_counts_own_points_and_names_what_is_far_off(session: Session) -> None:
    operations.load(session, [PROVINCE, BETTER], source="survey", now=NOW)
    ours = [place for place in queries.gazetteer(session) if place.code.startswith("99")]

    assert queries.coverage(ours)["regencies"] == {
        "total": 1,
        "placed": 1,
        "by_source": {"": 1},
    }
    compared = queries.against(
        queries.gazetteer(session), [{"kode": "99.01", "lat": "-8.1", "lon": "110.1"}]
    )
    assert compared["levels"]["2"]["beyond_60_km"] == 1
    assert compared["far"] == [
        {"code": "99.01", "name": "Kabupaten Coba", "km": 111.2, "precision_km": 32.0}
    ]
