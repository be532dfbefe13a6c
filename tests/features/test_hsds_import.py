"""HSDS comes in as it is: nothing is lost, nothing comes in twice, and what is wrong is told."""

import csv
import json
import zipfile
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid5

import pytest
from sqlalchemy import func, select

from referral.changes import directory as changes
from referral.changes.actors import StandingActor
from referral.changes.models import ChangeRecord, DirectoryChange
from referral.core.errors import Invalid
from referral.directory.intake.batches import Batch, Line
from referral.directory.intake.hsds import json_file
from referral.directory.intake.hsds.source import reader as hsds_reader
from referral.directory.intake.tables import TABLES
from referral.directory.intake.upsert import Upsert
from referral.directory.kinds import AnswerMode, CapacityStatus, CategoryBasis, Criterion, Remote
from referral.directory.models import (
    Attribute,
    Location,
    Organization,
    Phone,
    Schedule,
    Service,
    ServiceArea,
    ServiceAtLocation,
    TaxonomyTerm,
)
from referral.directory.reference import known
from referral.places.gazetteer import Gazetteer, Place
from tests.importing import Report

PLACES = Gazetteer(
    [
        Place("33", 1, "Jawa Tengah", None, -7.2, 110.2, 120.0),
        Place("33.74", 2, "Kota Semarang", "33", -6.99, 110.42, 9.0),
        Place("33.74.11", 3, "Banyumanik", "33.74", -7.06, 110.42, 3.0),
    ]
)
SERVICE, OTHER = UUID(int=1), UUID(int=2)
ORGANIZATION = UUID(int=11)
PHONE = UUID(int=21)
CURATOR = StandingActor("administrator")


@pytest.fixture
def take(session, now, tmp_path):
    """Imports a file, or objects as one of JSON's forms; gives the report."""

    def run(what, *, kind="hsds-json", source="uji", at=now):
        path = what
        if isinstance(what, list):
            path = tmp_path / "objects.ndjson"
            lines = (line if isinstance(line, str) else json.dumps(line) for line in what)
            path.write_text("".join(f"{line}\n" for line in lines))
        elif isinstance(what, dict):
            path = tmp_path / "object.json"
            path.write_text(json.dumps(what, indent=1))
        reader = hsds_reader(kind, path, known=known(), gazetteer=PLACES, now=at, source=source)
        one, report = Upsert(session, reader.source, now=at), Report(reader.source, reader.mapping)
        for batch in reader:
            report.add(one.take(batch))
        report.findings += one.finish()
        session.flush()
        session.expire_all()
        return report

    return run


def counted(report):
    return report.rows, report.created, report.updated, report.unchanged, report.left_out


def found(report):
    return [
        (f.row, f.field, f.message.key.removeprefix("directory.import.")) for f in report.findings
    ]


def rows_there(session):
    counts = {
        name: session.scalar(select(func.count()).select_from(table))
        for name, table in TABLES.items()
    }
    return {name: count for name, count in counts.items() if count}


def listing(service_id=SERVICE, **more):
    return {
        "id": str(service_id),
        "name": "Konseling",
        "status": "active",
        "organization": {"id": str(ORGANIZATION), "name": "Yayasan", "description": "Y"},
        "phones": [{"id": str(PHONE), "number": "024 1"}],
        **more,
    }


@pytest.mark.parametrize(
    "name",
    [
        "location.json",
        "organization_full.json",
        "organization_list.json",
        "service_at_location_full.json",
        "service_at_location_list.json",
        "service_full.json",
        "service_list.json",
        "tabular.json",
        "taxonomy.json",
        "taxonomy_list.json",
        "taxonomy_term.json",
        "taxonomy_term_list.json",
    ],
)
def test_every_official_example_comes_in_without_an_error_and_only_once(
    session, take, shared, name
):
    path = shared / "hsds/examples" / name

    first = take(path)
    there, version = rows_there(session), changes.version(session)
    second = take(path)

    assert [f for f in first.findings if f.severity == "error"] == []
    assert first.left_out == 0
    assert (second.created, second.updated) == (0, 0)
    assert second.unchanged == first.created
    assert rows_there(session) == there
    assert changes.version(session) == version


def test_the_address_of_an_api_is_no_listing_and_said_to_be_none(take, shared):
    report = take(shared / "hsds/examples/base.json")

    assert found(report) == [(1, "", "no_hsds")]


def test_a_row_that_stands_at_many_places_of_a_document_is_one_row_with_all_its_links(
    session, take, shared
):
    before = Counter(rows_there(session))

    take(shared / "hsds/examples/service_full.json")

    made = Counter(rows_there(session)) - before
    assert made == Counter(
        [
            *("taxonomy", "taxonomy_term", "unit", "organization", "program", "service"),
            *("location", "service_at_location", "contact", "phone", "address", "schedule"),
            *("service_area", "language", "accessibility", "cost_option", "required_document"),
            *("funding", "organization_identifier", "url", "service_capacity", "attribute"),
            "metadata",
        ]
    )
    phone = session.scalars(select(Phone)).one()
    assert {phone.service_id, phone.location_id, phone.organization_id, phone.contact_id} == {
        UUID("ac148810-d857-441c-9679-408f346de14b"),
        UUID("3a19ff88-4620-4d17-9830-ac1d859eb5d5"),
        UUID("d9d5e0f5-d3ce-4f73-9a2f-4dd0ecc6c610"),
        UUID("1e7efce3-639b-4880-940c-b95cd30cdb50"),
    }
    assert (phone.extension, phone.as_stated) == ("100", None)


def test_what_the_source_recorded_itself_stays_as_its_own_record(session, take, shared):
    take(shared / "hsds/examples/service_full.json")

    one = session.get(ChangeRecord, UUID("6cd71e9f-1013-49d9-8370-26b8f59d3e5a"))
    assert (one.resource_type, one.updated_by_role, one.last_action_date) == (
        "service",
        "Ann Persona",
        datetime(2011, 1, 1, tzinfo=UTC),
    )
    assert one.as_stated == {"resource_type": "location", "updated_by": "Ann Persona"}


def test_the_official_package_comes_in_with_exactly_its_four_dangling_links(session, take, shared):
    report = take(shared / "hsds/examples/csv", kind="hsds-csv")

    assert counted(report) == (1, 1, 0, 0, 0)
    assert sorted(
        (f.file, f.row, f.field) for f in report.findings if f.message.key.endswith("dangling")
    ) == [
        ("contacts.csv", 2, "contact.organization_id"),
        ("contacts.csv", 2, "contact.service_at_location_id"),
        ("locations.csv", 2, "location.organization_id"),
        ("taxonomy_terms.csv", 2, "taxonomy_term.taxonomy_id"),
    ]
    place = session.scalars(select(Location)).one()
    assert place.as_stated == {
        "latitude": 100,
        "longitude": 101,
        "organization_id": "985e4a42-bd9f-4edc-911d-0243a4640aca",
    }
    assert rows_there(session).keys() >= TABLES.keys() - {"service_category", "eligibility_rule"}


def test_the_package_comes_in_once_folder_or_zip(session, take, shared, tmp_path):
    folder = shared / "hsds/examples/csv"
    take(folder, kind="hsds-csv")
    there = rows_there(session)
    packed = tmp_path / "package.zip"
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        for path in folder.iterdir():
            file.write(path, f"inside/{path.name}")

    report = take(packed, kind="hsds-csv")

    assert counted(report) == (1, 0, 0, 1, 0)
    assert rows_there(session) == there


def test_a_zip_that_leads_out_of_itself_is_refused(take, tmp_path):
    packed = tmp_path / "bad.zip"
    with zipfile.ZipFile(packed, "w") as file:
        file.writestr("../services.csv", "id,name\n")

    with pytest.raises(Invalid, match="not safe"):
        take(packed, kind="hsds-csv")


def test_a_zip_made_to_fill_the_disk_is_refused(take, tmp_path):
    packed = tmp_path / "bad.zip"
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("services.csv", "id,name\n" + "0" * (11 << 20))

    with pytest.raises(Invalid, match="not safe"):
        take(packed, kind="hsds-csv")


def test_a_change_at_the_source_comes_in_and_one_made_here_stays(session, take, now):
    take(listing(description="Dulu"))
    one = session.get(Service, SERVICE)
    one.name = "Nama yang benar"
    changes.record(session, one, service_id=one.id, by=CURATOR, now=now)
    session.flush()

    report = take(listing(name="Nama sumber", description="Kini"), at=now + timedelta(days=1))

    one = session.get(Service, SERVICE)
    assert (one.name, one.description) == ("Nama yang benar", "Kini")
    assert one.last_modified == now + timedelta(days=1)
    assert counted(report) == (1, 0, 1, 0, 0)
    assert (1, "name", "kept_local") in found(report)


def test_an_import_records_changes_and_not_that_it_made_rows(session, take):
    take(listing())
    assert session.scalars(select(ChangeRecord)).all() == []

    take(listing(phones=[{"id": str(PHONE), "number": "024 2"}]))

    written = session.scalars(select(ChangeRecord)).all()
    assert [
        (r.resource_type, r.field_name, r.previous_value, r.replacement_value, r.updated_by_role)
        for r in written
    ] == [("phone", "number", "024 1", "024 2", "import")]
    news = session.scalars(select(DirectoryChange.service_id)).all()
    assert news[-1] == SERVICE


def test_what_the_source_no_longer_lists_is_taken_away(session, take):
    take(listing())

    report = take(listing(phones=[]))

    assert session.get(Phone, PHONE) is None
    assert counted(report) == (1, 0, 1, 0, 0)


def test_an_entry_without_lists_takes_nothing_away(session, take):
    take(listing(description="Lama"))

    report = take({"id": str(SERVICE), "name": "Konseling", "status": "active"})

    assert counted(report) == (1, 0, 0, 1, 0)
    assert session.get(Phone, PHONE) is not None
    assert session.get(Service, SERVICE).description == "Lama"


def test_what_people_took_away_here_does_not_come_back(session, take, now):
    take(listing())
    session.delete(session.get(Phone, PHONE))
    entry = ("phone", PHONE, "delete", "id", str(PHONE), "")
    changes.record_many(session, [entry], by=CURATOR, now=now)
    session.flush()

    report = take(listing())

    assert session.get(Phone, PHONE) is None
    assert (1, "phone", "kept_local") in found(report)


def test_one_number_of_two_listings_is_kept_for_both_whichever_comes_first(session, take):
    two = [listing(), listing(OTHER, name="Lain")]
    take([two[0]])
    take([two[1]])
    there = rows_there(session)

    again = [take(two), take([two[1]]), take([two[0]])]

    assert [(r.created, r.updated) for r in again] == [(0, 0)] * 3
    assert rows_there(session) == there
    further = session.get(Phone, uuid5(PHONE, str(OTHER)))
    assert (further.service_id, further.as_stated) == (OTHER, {"id": str(PHONE)})
    assert session.get(Phone, PHONE).service_id == SERVICE


@pytest.mark.parametrize("size", [1, 2, 1000])
def test_documents_that_share_rows_come_in_once_however_they_are_cut_into_batches(
    session, take, monkeypatch, size
):
    monkeypatch.setattr(json_file, "BATCH", size)
    term = {"id": str(UUID(int=70)), "code": "a", "name": "a", "description": "a"}
    label = {"id": str(UUID(int=71)), "taxonomy_term": term | {"parent_id": str(UUID(int=72))}}
    place = site_at(attributes=[label], organization_id=str(ORGANIZATION))["location"]
    entry = {name: place[name] for name in ("id", "location_type")}
    organization = {
        **listing()["organization"],
        "phones": [{"id": str(PHONE), "number": "024 1"}],
        "locations": [place],
        "programs": [{"id": str(UUID(int=90)), "name": "Program", "description": "P"}],
    }
    documents = [
        listing(
            UUID(int=number),
            organization=whose,
            program={"id": str(UUID(int=90 + number % 2)), "name": "Program", "description": "P"},
            attributes=[label],
            service_at_locations=[{"id": str(UUID(int=200 + number)), "location": where}],
        )
        for number, whose, where in (
            (1, None, entry),
            (2, organization, place),
            (3, listing()["organization"], entry),
            (4, organization, place),
        )
    ]
    documents.append(label["taxonomy_term"] | {"id": str(UUID(int=72)), "taxonomy": "t"})

    first = take(documents)
    there, version = rows_there(session), changes.version(session)
    second = take(documents)

    assert [f for f in first.findings if f.severity == "error"] == []
    assert counted(second) == (5, 0, 0, 4, 0)
    assert (rows_there(session), changes.version(session)) == (there, version)
    assert rows_there(session)["phone"] == 4
    assert rows_there(session)["attribute"] == 5


def test_a_number_that_moves_from_one_listing_to_another_moves(session, take):
    take([listing(), listing(OTHER, phones=[])])

    take([listing(phones=[]), listing(OTHER)])

    assert session.get(Phone, PHONE).service_id == OTHER
    assert session.scalar(select(func.count()).select_from(Phone)) == 1


def test_our_own_facts_are_read_from_our_vocabularies(session, take):
    def fact(name, code, number, value=None):
        term = {"id": str(UUID(int=number)), "code": code, "name": code, "description": code}
        taxonomy = {"id": str(uuid5(SERVICE, name)), "name": name, "description": name}
        term["taxonomy_detail"] = taxonomy
        return {"id": str(UUID(int=number + 500)), "value": value, "taxonomy_term": term}

    facts = listing(
        attributes=[
            fact("jejaring:category", "HE05", 100, "inferred"),
            fact("jejaring:sex", "female", 101),
            fact("jejaring:desil_max", "4", 102),
            fact("jejaring:disability", "any", 103),
            fact("jejaring:remote", "phone", 104),
            fact("jejaring:answer_mode", "walk_in", 105),
            fact("jejaring:category", "XX99", 106),
            fact("somebody:else", "A1", 107),
        ],
        capacities=[
            {
                "id": str(UUID(int=31)),
                "unit": {"id": str(UUID(int=32)), "name": "tempat"},
                "available": 0,
                "updated": "2026-02-01T00:00:00Z",
                "attributes": [fact("jejaring:capacity", "no-capacity", 108, "2026-03-09")],
            }
        ],
    )

    report = take(facts)
    again = take(facts)

    one = session.get(Service, SERVICE)
    assert [(c.code, c.basis) for c in one.categories] == [("HE05", CategoryBasis.INFERRED)]
    assert {r.criterion: r.values for r in one.eligibility_rules} == {
        Criterion.SEX: ["female"],
        Criterion.DESIL: [4],
        Criterion.DISABILITY: [],
    }
    assert (one.remote, one.answer_mode) == (Remote.PHONE, AnswerMode.WALK_IN)
    assert [(c.status, c.until, c.available) for c in one.capacities] == [
        (CapacityStatus.NO_CAPACITY, date(2026, 3, 9), 0)
    ]
    assert counted(again) == (1, 0, 0, 1, 0)
    assert found(report) == [(1, "attribute.taxonomy_term", "unmapped_term")] * 2
    kept = select(TaxonomyTerm.code).join(Attribute)
    assert sorted(session.scalars(kept)) == ["A1", "XX99"]


def test_a_service_without_a_category_of_ours_is_kept_and_told(session, take):
    report = take(listing())

    assert found(report) == [(1, "service.attributes", "no_category")]
    assert session.get(Service, SERVICE).categories == []


def test_a_refuge_keeps_neither_its_point_nor_its_address(session, take):
    term = {"id": str(UUID(int=70)), "code": "yes", "name": "yes", "description": "yes"}
    term["taxonomy"] = "jejaring:confidential"
    place = site_at(latitude=-6.981234, longitude=110.411234)
    place["location"]["attributes"] = [{"id": str(UUID(int=71)), "taxonomy_term": term}]
    place["location"]["transportation"] = "Turun di halte Simpang Lima"

    report = take(listing(service_at_locations=[place]))

    there = session.scalars(select(Location)).one()
    assert there.confidential
    assert (there.latitude, there.area_code, there.addresses) == (-6.99, "33.74", [])
    assert (there.transportation, there.as_stated) == (None, None)
    assert (1, "location", "confidential") in found(report)


def site_at(**point):
    return {
        "id": str(UUID(int=41)),
        "location": {
            "id": str(UUID(int=42)),
            "location_type": "physical",
            "addresses": [
                {
                    "id": str(UUID(int=43)),
                    "address_1": "Jl. Pandanaran 1",
                    "city": "Kota Semarang",
                    "state_province": "Jawa Tengah",
                    "postal_code": "50134",
                    "country": "ID",
                    "address_type": "physical",
                }
            ],
            "phones": [],
            **point,
        },
    }


@pytest.mark.parametrize(
    ("point", "problem"),
    [
        ({"latitude": 0, "longitude": 0}, "null_island"),
        ({"latitude": 106.8, "longitude": -6.2}, "off_earth"),
        ({"latitude": 97, "longitude": 181}, "off_earth"),
        ({"latitude": 97}, "no_point"),
        ({"latitude": -6.98}, "no_point"),
        ({"latitude": "north", "longitude": 110.41}, "no_number"),
    ],
)
def test_a_point_that_can_not_be_true_is_told_and_the_area_stands_for_it(
    session, take, point, problem
):
    report = take(listing(service_at_locations=[site_at(**point)]))

    there = session.scalars(select(Location)).one()
    assert (there.latitude, there.longitude, there.point_source) == (-6.99, 110.42, "regency")
    told = [key for _, field, key in found(report) if field.startswith("location.")]
    assert told == [problem]
    assert {name: there.as_stated[name] for name in point} == point


@pytest.mark.parametrize(
    ("stated", "used", "told"),
    [
        ((52.37, 4.89), (52.37, 4.89), "outside_area"),
        ((110.41, -6.98), (-6.98, 110.41), "swapped_used"),
    ],
)
def test_a_point_far_off_is_used_and_told_and_one_turned_round_is_put_right(
    session, take, stated, used, told
):
    once = [listing(service_at_locations=[site_at(latitude=stated[0], longitude=stated[1])])]
    report, again = take(*once), take(*once)

    there = session.scalars(select(Location)).one()
    assert (there.latitude, there.longitude, there.point_source) == (*used, "facility")
    assert (1, "location.latitude", told) in found(report)
    assert (again.created, again.updated) == (0, 0)


def test_a_point_inside_its_area_is_used(session, take):
    report = take(listing(service_at_locations=[site_at(latitude=-6.981, longitude=110.411)]))

    there = session.scalars(select(Location)).one()
    assert (there.latitude, there.longitude, there.precision_km) == (-6.981, 110.411, 1)
    assert (there.area_code, there.as_stated) == ("33.74", None)
    assert report.unplaced == 0


def test_a_better_point_found_since_stays_until_the_address_changes(session, take):
    take(listing(service_at_locations=[site_at()]))
    there = session.scalars(select(Location)).one()
    assert there.point_source == "regency"
    there.latitude, there.precision_km, there.point_source = -6.98, 0.2, "address"
    session.flush()

    same = take(listing(service_at_locations=[site_at()]))
    kept = session.scalars(select(Location)).one().point_source
    moved = site_at()
    moved["location"]["addresses"][0]["address_1"] = "Jl. Baru 2"
    changed = take(listing(service_at_locations=[moved]))

    assert (same.updated, kept) == (0, "address")
    assert changed.updated == 1
    assert session.scalars(select(Location)).one().point_source == "regency"


def test_words_for_an_area_become_its_code_and_others_are_kept_as_words(session, take):
    areas = ["Kota Semarang", "Semua orang", "33.74.11"]
    report = take(
        listing(
            service_areas=[
                {"id": str(UUID(int=50 + number)), "name": name}
                for number, name in enumerate(areas)
            ]
        )
    )

    rows = session.scalars(select(ServiceArea).order_by(ServiceArea.id)).all()
    assert [(row.name, row.area_code) for row in rows] == [
        ("Kota Semarang", "33.74"),
        ("Semua orang", None),
        ("33.74.11", "33.74.11"),
    ]
    assert (1, "service_area.name", "unknown_place") in found(report)


def test_bad_lines_and_values_are_told_and_the_rest_comes_in(session, take):
    report = take(
        [
            listing(),
            "{broken",
            '"only words"',
            listing(OTHER, status="open", minimum_age="old", phones=[7], schedules={"a": 1}),
            listing(),
            {"id": str(UUID(int=3)), "status": "active"},
            listing("not-a-uuid", organization=None, phones=[{"number": "024 3"}]),
        ]
    )

    assert counted(report) == (7, 3, 0, 0, 4)
    assert [each for each in found(report) if each[2] != "no_category"] == [
        (2, "", "no_json"),
        (3, "", "no_hsds"),
        (4, "service.status", "unknown_code"),
        (4, "service.minimum_age", "no_number"),
        (4, "phone", "no_object"),
        (4, "service.schedules", "no_list"),
        (5, "service.id", "entry_twice"),
        (6, "service.name", "no_name"),
        (7, "phone.id", "no_row_id"),
    ]
    other = session.get(Service, OTHER)
    assert (other.status, other.minimum_age) == ("active", None)
    assert other.as_stated == {"status": "open", "minimum_age": "old"}
    named = session.scalars(select(Service).where(Service.source_id == "not-a-uuid")).one()
    assert named.organization.as_stated == {"id": None}
    assert [phone.number for phone in named.phones] == ["024 3"]


def test_characters_no_database_keeps_are_left_out_wherever_they_stand(session, take):
    report = take(listing(description="a\0b", fees=["\0"], url="\ud800"))

    one = session.get(Service, SERVICE)
    assert (one.description, one.url, one.as_stated) == ("ab", None, {"fees": [""], "url": ""})
    assert report.created == 1


def test_an_attribute_of_nobodys_is_a_change_of_nobody(take, shared):
    take(shared / "hsds/examples/csv", kind="hsds-csv")

    report = take(shared / "hsds/examples/organization_full.json")

    assert report.updated == 1


def test_a_row_the_database_refuses_is_left_out_alone(session, now):
    rows = {number: UUID(int=number) for number in (1, 2, 11)}
    batch = Batch(count=2, lines={rows[1]: Line("", 5), rows[2]: Line("", 6)})
    batch.rows["organization"][rows[11]] = {
        "id": rows[11],
        "source": "uji",
        "source_id": "o",
        "name": "Yayasan",
    }
    for number, age in ((1, -5), (2, 5)):
        batch.rows["service"][rows[number]] = {
            "id": rows[number],
            "source": "uji",
            "source_id": str(number),
            "organization_id": rows[11],
            "name": "Konseling",
            "minimum_age": age,
        }

    taken = Upsert(session, "uji", now=now).take(batch)

    assert (taken.created, taken.left_out) == (1, 1)
    assert [(f.row, f.field, f.message.key) for f in taken.findings] == [
        (5, "service.id", "directory.import.refused")
    ]
    assert session.get(Service, rows[1]) is None
    assert session.get(Service, rows[2]).minimum_age == 5


def test_a_link_to_a_row_that_comes_later_is_followed_in_the_end(session, take):
    parent, child = UUID(int=81), UUID(int=82)
    rows = [
        {
            "id": str(child),
            "name": "Cabang",
            "description": "C",
            "parent_organization_id": str(parent),
        },
        *({"id": str(UUID(int=1000 + n)), "name": "Lain", "description": "L"} for n in range(1000)),
        {"id": str(parent), "name": "Pusat", "description": "P"},
    ]

    for _ in range(2):
        report = take(rows)

        assert report.findings == []
        assert session.get(Organization, child).parent_organization_id == parent
        assert session.get(Organization, child).as_stated is None


def test_a_site_whose_id_the_source_made_anew_is_the_one_it_was(session, take):
    hours = {"id": str(UUID(int=61)), "freq": "WEEKLY", "byday": "MO", "opens_at": "08:00"}
    site = {**site_at(), "schedules": [hours]}
    take(listing(service_at_locations=[site]))
    anew = {**site, "id": str(UUID(int=44)), "schedules": [{**hours, "id": str(UUID(int=62))}]}

    for updated in (1, 0):
        report = take(listing(service_at_locations=[anew]))

        there = session.scalars(select(ServiceAtLocation)).one()
        assert (there.id, there.as_stated) == (UUID(int=41), {"id": str(UUID(int=44))})
        opening = session.scalars(select(Schedule)).one()
        assert (opening.id, opening.service_at_location_id) == (UUID(int=62), there.id)
        assert report.updated == updated


def test_another_sources_listing_is_not_ours_to_change(session, take):
    take(listing())

    report = take(listing(name="Rebutan"), source="lain")

    assert counted(report) == (1, 0, 0, 0, 1)
    assert session.get(Service, SERVICE).name == "Konseling"
    assert (1, "id", "foreign") in found(report)


def test_a_listing_merged_into_another_is_left_as_it_is(session, take, now):
    take([listing(), listing(OTHER, phones=[])])
    session.get(Service, SERVICE).merged_into_id = OTHER
    phone = session.get(Phone, PHONE)
    phone.service_id = OTHER
    changes.record(session, phone, service_id=OTHER, by=CURATOR, now=now)
    session.flush()

    report = take([listing(name="Baru"), listing(OTHER, phones=[])])

    assert counted(report) == (2, 0, 0, 2, 0)
    assert session.get(Service, SERVICE).name == "Konseling"
    assert session.get(Phone, PHONE).service_id == OTHER


@pytest.mark.parametrize("form", ["array", "page", "page with its contents last"])
def test_a_list_comes_in_in_any_of_its_forms(take, tmp_path, form):
    two = [listing(), listing(OTHER, phones=[])]
    path = tmp_path / "list.json"
    page = {"contents": two, "empty": False}
    whole = {
        "array": two,
        "page": page,
        "page with its contents last": dict(reversed(page.items())),
    }
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps(whole[form], indent=2).encode())

    assert counted(take(path)) == (2, 2, 0, 0, 0)


def test_a_list_cut_off_keeps_what_came_before(take, tmp_path):
    path = tmp_path / "list.json"
    path.write_text(json.dumps([listing(), listing(OTHER)])[:-200])

    report = take(path)

    assert report.created == 1
    assert found(report)[-1][2] == "no_json" or "no_json" in {each[2] for each in found(report)}


def test_a_package_by_its_file_names_alone_comes_in_with_what_is_wrong_told(
    session, take, tmp_path
):
    def table(name, *rows):
        with (tmp_path / name).open("w", newline="") as file:
            writer = csv.DictWriter(file, rows[0].keys())
            writer.writeheader()
            writer.writerows(rows)

    table(
        "services.csv",
        {"id": "1", "name": "Konseling", "organization_id": "9", "status": "active"},
        {"id": "2", "name": "Rumah", "organization_id": "8", "status": "active"},
        {"id": "2", "name": "Dua kali", "organization_id": "8", "status": "active"},
        {"id": "", "name": "Tanpa id", "organization_id": "8", "status": "active"},
    )
    table("organizations.csv", {"id": "8", "name": "Yayasan", "description": "Y"})
    table(
        "phones.csv",
        {"id": "1", "service_id": "1", "number": "024 1"},
        {"id": "2", "service_id": "77", "number": "024 2"},
    )
    table("cost_options.csv", {"id": "1", "service_id": "77", "option": "x"})

    for _ in range(2):
        report = take(tmp_path, kind="hsds-csv")

        assert (report.rows, report.left_out) == (2, 2)
        assert sorted((f.file, f.row, f.field, f.message.key[17:]) for f in report.findings) == [
            ("cost_options.csv", 2, "cost_option.service_id", "dangling_row"),
            ("phones.csv", 3, "phone.service_id", "dangling"),
            ("services.csv", 2, "service.organization_id", "dangling"),
            ("services.csv", 4, "service.id", "row_twice"),
            ("services.csv", 5, "service.id", "left_without_id"),
        ]
    assert (report.created, report.unchanged) == (0, 2)
