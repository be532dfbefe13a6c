"""Tables come into the directory once, however often they are imported."""

import csv
from datetime import timedelta
from uuid import NAMESPACE_URL, UUID, uuid5

import pytest
from sqlalchemy import func, select

from referral.changes import directory as changes
from referral.changes.actors import StandingActor
from referral.changes.models import ChangeRecord, DirectoryChange
from referral.directory.intake import files
from referral.directory.intake.mapping import TableMapping, best_fit
from referral.directory.kinds import Criterion, ServiceStatus
from referral.directory.models import Location, Organization, Phone, Service, ServiceAtLocation
from referral.directory.reference import FOLDER, known
from referral.places.gazetteer import Gazetteer, Place
from referral.places.queries import gazetteer
from tests.importing import Import

PLACES = Gazetteer(
    [
        Place("33", 1, "Jawa Tengah", None, -7.2, 110.2, 120.0),
        Place("33.74", 2, "Kota Semarang", "33", -6.99, 110.42, 9.0),
        Place("33.74.11", 3, "Banyumanik", "33.74", -7.06, 110.42, 3.0),
        Place("94", 1, "Papua Tengah"),
    ]
)
#: where a row of the tests stands when its point is not used
IN_THE_MIDDLE = (-7.06, 110.42)
MAPPINGS = [TableMapping.from_yaml(path) for path in sorted((FOLDER / "mappings").glob("*.yaml"))]
TABLE = next(mapping for mapping in MAPPINGS if mapping.name == "table")
ROWS = [
    {
        "id": "a1",
        "name": "Konseling Remaja",
        "organization": "Yayasan Satu",
        "category": "HE05|FC02",
        "phone": "(024) 6722565|0812 6000 6810",
        "address": "Jl. Pandanaran 1",
        "latitude": "-6.98",
        "longitude": "110.41",
        "place": "33.74.11",
        "schedule": "Mo-Th 08:00-15:30; Fr 08:00-11:00",
        "service_area": "33.74",
        "sex": "female",
        "fee": "free",
        "required_document": "KTP|Surat cinta",
        "language": "jav",
    },
    {"id": "a2", "name": "Rumah Belajar", "organization": "yayasan  satu", "category": "XX99"},
    {"id": "a3", "name": "Kantor Banyumanik", "category": "SA04", "place": "Kec. Banyumanik"},
    {"id": "a1", "name": "Dua kali", "category": "HE05"},
    {"id": "", "name": "Tanpa id", "category": "HE05"},
]


@pytest.fixture
def take(session, now):
    def run(rows=ROWS, *, mapping=TABLE, source="uji", at=now):
        one = Import(session, mapping, known(), PLACES, source=source, now=at)
        one.take([(number, row, True) for number, row in enumerate(rows, start=2)])
        session.expire_all()
        return one.report

    return run


def counts(report):
    return {
        name: getattr(report, name)
        for name in ("rows", "created", "updated", "unchanged", "left_out", "unplaced")
    }


def service(session, source_id, source="uji"):
    return session.scalar(
        select(Service).where(Service.source == source, Service.source_id == source_id)
    )


def test_a_table_is_taken_in_with_all_that_its_rows_say(session, take):
    report = take()

    assert counts(report) == {
        "rows": 5,
        "created": 3,
        "updated": 0,
        "unchanged": 0,
        "left_out": 2,
        "unplaced": 1,
    }
    assert [
        (f.row, f.field, f.message.key.removeprefix("directory.import.")) for f in report.findings
    ] == [
        (2, "required_document", "unknown_document"),
        (3, "category", "unknown_category"),
        (5, "id", "duplicate"),
        (6, "id", "no_id"),
    ]
    one = service(session, "a1")
    assert one.id == uuid5(uuid5(NAMESPACE_URL, "uji"), "a1")
    assert one.assured_date is None
    assert {c.code for c in one.categories} == {"HE05", "FC02"}
    assert [
        (s.byday, s.opens_at, s.closes_at, s.freq)
        for s in sorted(one.schedules, key=lambda s: s.byday)
    ] == [
        ("FR", "08:00", "11:00", "WEEKLY"),
        ("MO,TU,WE,TH", "08:00", "15:30", "WEEKLY"),
    ]
    assert [(r.criterion, r.values) for r in one.eligibility_rules] == [(Criterion.SEX, ["female"])]
    assert [(c.option, c.amount) for c in one.cost_options] == [("free", 0)]
    assert {(d.code, d.document) for d in one.required_documents} == {
        ("KTP", "KTP elektronik"),
        (None, "Surat cinta"),
    }
    place = one.sites[0].location
    assert (place.latitude, place.precision_km, place.area_code) == (-6.98, 1, "33.74.11")
    address = place.addresses[0]
    assert (address.address_1, address.city, address.state_province, address.country) == (
        "Jl. Pandanaran 1",
        "Kota Semarang",
        "Jawa Tengah",
        "ID",
    )


def test_a_service_with_an_unknown_category_is_kept_without_it(session, take):
    take()

    assert service(session, "a2").name == "Rumah Belajar"
    assert service(session, "a2").categories == []


def test_one_organization_is_made_however_its_name_is_spaced(session, take):
    take()

    assert service(session, "a1").organization is service(session, "a2").organization
    assert (
        session.scalar(
            select(func.count()).select_from(Organization).where(Organization.source == "uji")
        )
        == 2
    )


def test_a_row_without_coordinates_is_placed_by_its_area_with_the_areas_precision(session, take):
    take()

    place = service(session, "a3").sites[0].location
    assert (place.latitude, place.longitude) == (-7.06, 110.42)
    assert (place.precision_km, place.point_source, place.area_code) == (3, "kecamatan", "33.74.11")


def test_a_row_of_no_known_area_stays_unplaced_and_is_still_listed(session, take):
    report = take([{"id": "b1", "name": "Entah", "category": "HE01", "place": "99.99"}])

    assert report.unplaced == 1
    assert [f.message.key for f in report.findings] == ["directory.import.unknown_place"]
    assert [site.location for site in service(session, "b1").sites] == [None]


def test_an_area_without_any_point_gives_none(session, take):
    take([{"id": "b1", "name": "Jauh", "category": "HE01", "place": "94"}])

    place = service(session, "b1").sites[0].location
    assert (place.area_code, place.latitude, place.precision_km) == ("94", None, None)


def test_a_second_import_changes_nothing(session, take, now):
    take()
    version = changes.version(session)

    report = take(at=now + timedelta(days=1))

    assert counts(report) == {
        "rows": 5,
        "created": 0,
        "updated": 0,
        "unchanged": 3,
        "left_out": 2,
        "unplaced": 1,
    }
    assert changes.version(session) == version
    assert service(session, "a1").last_modified == now


def test_what_changed_at_the_source_changes_here_and_is_written_down(session, take, now):
    take()
    later = now + timedelta(days=1)
    changed = [ROWS[0] | {"name": "Konseling Remaja Putri", "phone": "(024) 6722565"}]
    session.execute(ChangeRecord.__table__.delete())

    report = take(changed, at=later)

    assert (report.updated, report.unchanged) == (1, 0)
    one = service(session, "a1")
    assert one.name == "Konseling Remaja Putri"
    assert [p.number for p in one.phones] == ["(024) 6722565"]
    assert one.last_modified == later
    written = session.scalars(select(ChangeRecord).order_by(ChangeRecord.resource_type)).all()
    assert [
        (r.resource_type, r.last_action_type, r.field_name, r.previous_value, r.updated_by_role)
        for r in written
        if r.field_name != "id"
    ] == [("service", "update", "name", "Konseling Remaja", "import")]
    assert [(r.resource_type, r.last_action_type) for r in written if r.field_name == "id"] == [
        ("phone", "delete")
    ]


def news_of(session, work):
    before = changes.version(session)
    work()
    news = select(DirectoryChange).where(DirectoryChange.seq > before)
    return [one.service_id for one in session.scalars(news)]


def test_each_changed_listing_is_announced_by_itself(session, take):
    news = news_of(session, take)

    assert sorted(news) == sorted(service(session, name).id for name in ("a1", "a2", "a3"))


def test_many_changed_listings_are_announced_as_one_change_of_any_of_them(session, take):
    rows = [{"id": f"r{number}", "name": "Banyak", "category": "HE05"} for number in range(201)]

    assert news_of(session, lambda: take(rows)) == [None]


def test_what_people_changed_here_is_kept_and_the_difference_reported(session, take, now):
    take()
    one = service(session, "a1")
    one.name = "Nama yang benar"
    curator = StandingActor("administrator")
    changes.record(session, one, service_id=one.id, by=curator, now=now)
    session.flush()

    report = take([ROWS[0] | {"name": "Nama sumber", "cost": "Rp 5.000"}])

    one = service(session, "a1")
    assert (one.name, one.fees_description) == ("Nama yang benar", "Rp 5.000")
    kept = [f for f in report.findings if f.message.key == "directory.import.kept_local"]
    assert [(f.row, f.field, f.value) for f in kept] == [(2, "name", "Nama sumber")]


def test_numbers_that_people_added_here_survive_the_next_import(session, take):
    take()
    one = service(session, "a1")
    session.add(Phone(service_id=one.id, number="024 111111", type="voice"))
    session.flush()

    take()

    assert "024 111111" in {p.number for p in service(session, "a1").phones}


def test_a_listing_closed_here_is_not_opened_by_the_next_import(session, take):
    take()
    service(session, "a1").status = ServiceStatus.DEFUNCT
    session.flush()

    take([ROWS[0] | {"cost": "Rp 1.000"}])

    assert service(session, "a1").status is ServiceStatus.DEFUNCT


def test_a_uuid_is_kept_as_given_and_belongs_to_its_first_source(session, take):
    given = "0d3c8f5e-8a5b-4c6d-9a01-1f2e3d4c5b6a"
    rows = [{"id": given, "name": "Dari HSDS", "category": "HE05", "place": "33.74"}]
    take(rows)

    report = take([rows[0] | {"name": "Rebutan"}], source="lain")

    assert session.get(Service, UUID(given)).name == "Dari HSDS"
    assert (report.created, report.updated, report.left_out) == (0, 0, 1)
    assert [f.message.key for f in report.findings] == ["directory.import.foreign"]


def test_two_sources_may_use_the_same_ids(session, take):
    take()

    report = take(source="lain")

    assert report.created == 3
    assert service(session, "a1").id != service(session, "a1", source="lain").id


def test_a_confidential_place_is_known_by_its_area_only(session, take):
    row = {
        "id": "c1",
        "name": "Rumah Aman",
        "category": "EM07",
        "confidential": "yes",
        "latitude": "-6.981234",
        "longitude": "110.411234",
        "address": "Jl. Rahasia 1",
        "place": "33.74",
    }

    take([row])

    place = service(session, "c1").sites[0].location
    assert place.confidential
    assert (place.latitude, place.addresses) == (-6.99, [])


def test_a_remote_service_has_a_site_and_no_place(session, take):
    take(
        [
            {
                "id": "d1",
                "name": "Hotline",
                "category": "EM06",
                "remote": "phone",
                "service_area": "ID",
            }
        ]
    )

    one = service(session, "d1")
    assert [site.location for site in one.sites] == [None]
    assert [area.area_code for area in one.service_areas] == ["*"]


def test_text_that_looks_like_sql_or_script_is_only_text(session, take):
    nasty = "'); DROP TABLE service; --<script>alert(1)</script>"

    take([{"id": nasty, "name": nasty, "category": nasty, "address": nasty}])

    assert service(session, nasty).name == nasty


def test_a_story_of_ten_thousand_letters_fits_in_a_cell(session, take):
    take([{"id": "e1", "name": "Panjang", "category": "HE05", "description": "a" * 10_000}])

    assert len(service(session, "e1").description) == 10_000


def test_the_starter_directory_is_taken_in_without_a_finding_and_unverified(session, now):
    starter = next(mapping for mapping in MAPPINGS if mapping.name == "starter")
    places = gazetteer(session)
    if not len(places):
        pytest.skip("needs the gazetteer, which is built at set-up")
    findings = []
    for path in sorted((FOLDER / "starter").glob("*.csv")):
        with files.opened(path) as table:
            one = Import(session, starter, known(), places, now=now)
            one.take(list(table.rows))
        findings += [(path.name, f.row, f.field, f.value) for f in one.report.findings]

    assert findings == []
    ours = select(Service).where(Service.source == "jejaring-starter")
    listed = session.scalars(ours).all()
    assert len(listed) >= 150
    assert {one.assured_date for one in listed} == {None}


def test_the_large_facility_list_comes_in_whole_and_only_once(session, shared, now):
    path = shared / "data/idn/facilities/facilities_all.csv"
    with path.open(encoding="utf-8") as file:
        expected = sum(1 for _ in csv.DictReader(file))
    reports = []
    for _ in range(2):
        with files.opened(path) as table:
            rows = list(table.rows)
            one = Import(session, best_fit(MAPPINGS, table.header), known(), PLACES, now=now)
        for start in range(0, len(rows), 1000):
            one.take(rows[start : start + 1000])
        reports.append(one.report)

    first, second = reports
    assert (first.rows, first.created, first.left_out) == (expected, expected, 0)
    assert (second.created, second.updated, second.unchanged) == (0, 0, expected)
    unplaced = (
        select(func.count())
        .select_from(ServiceAtLocation)
        .join(Service)
        .outerjoin(Location, Location.id == ServiceAtLocation.location_id)
    )
    facilities = Service.source == "facilities-id"
    assert session.scalar(unplaced.where(facilities, Location.latitude.is_(None))) == 0


@pytest.mark.parametrize(
    ("latitude", "longitude", "point", "found"),
    [
        ("-7.05", "110.43", (-7.05, 110.43), []),
        ("110.43", "-7.05", (-7.05, 110.43), ["swapped_used"]),
        ("-6.2", "106.8", (-6.2, 106.8), ["outside_area"]),
        ("106.8", "-6.2", IN_THE_MIDDLE, ["off_earth"]),
        ("97", "181", IN_THE_MIDDLE, ["off_earth"]),
        ("nan", "1", IN_THE_MIDDLE, ["off_earth"]),
        ("0", "0", IN_THE_MIDDLE, ["null_island"]),
    ],
)
def test_a_point_is_judged_by_the_area_the_row_states(
    session, take, latitude, longitude, point, found
):
    row = {"id": "p1", "name": "Titik", "category": "HE01", "place": "33.74.11"}

    report = take([row | {"latitude": latitude, "longitude": longitude}])

    place = service(session, "p1").sites[0].location
    assert (place.latitude, place.longitude) == point
    assert place.point_source == ("kecamatan" if point == IN_THE_MIDDLE else "facility")
    assert [f.message.key.removeprefix("directory.import.") for f in report.findings] == found
