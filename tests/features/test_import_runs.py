"""Imports as runs: what is kept of them, what a dry run leaves alone, and what a sudden end leaves behind."""

import csv
import json
import shutil
from collections import Counter
from datetime import timedelta

import pytest
import xlsxwriter
from sqlalchemy import func, select

from benchmarks import imports as bench
from referral.core.db import Base
from referral.core.errors import Invalid
from referral.directory.intake import runs
from referral.directory.intake.models import ImportFinding, ImportRun, RunStatus
from referral.directory.models import (
    Accessibility,
    Location,
    Organization,
    Phone,
    Schedule,
    Service,
    ServiceArea,
    ServiceAtLocation,
)
from referral.directory.reference import FOLDER

HEADER = "id,name,organization,category,phone,place,schedule\n"
ROWS = "a1,Satu,Yayasan,HE05,024 8311,33.74,Senin-Jumat 08.00-16.00\na2,Dua,Yayasan,XX99,,,kapan saja\n"


@pytest.fixture
def perform(session, now):
    def run(path, *, keep=True, at=now, **options):
        kept = runs.begin(session, file_name=path.name, now=at) if keep else None
        guides = runs.guides(session, now=at)
        outcome = runs.perform(session, path, guides, run=kept, clock=lambda: at, **options)
        session.expire_all()
        return outcome

    return run


def written(tmp_path, text, name="a.csv"):
    path = tmp_path / name
    path.write_text(text, "utf-8")
    return path


def everything(session):
    """Every row of every table."""
    session.expire_all()
    return {
        table.name: sorted(map(repr, session.execute(select(table)).all()))
        for table in Base.metadata.sorted_tables
    }


def counts(outcome):
    return tuple(getattr(outcome, name) for name in ("rows", *runs.COUNTS))


def test_a_run_and_its_findings_are_kept(session, perform, tmp_path):
    perform(written(tmp_path, HEADER + ROWS), source="uji")

    run = session.scalar(runs.latest().limit(1))
    assert (run.status, run.source, run.format, run.mapping) == (
        RunStatus.DONE,
        "uji",
        "table",
        "table",
    )
    assert (run.rows_done, run.rows_total, run.dry_run) == (2, 2, False)
    assert {k: run.counts[k] for k in ("created", "findings")} == {"created": 2, "findings": 2}
    assert len(run.file_hash) == 32
    found = session.scalars(runs.findings_of(run))
    assert {(f.row, f.field, f.value, f.key.removeprefix("directory.import.")) for f in found} == {
        (3, "category", "XX99", "unknown_category"),
        (3, "schedule", "kapan saja", "no_hours"),
    }


@pytest.mark.parametrize("before", [False, True])
def test_a_dry_run_changes_nothing_and_says_what_the_import_would_do(
    session, perform, tmp_path, before
):
    path = written(tmp_path, HEADER + ROWS)
    if before:
        perform(path, source="uji")
        path = written(
            tmp_path, HEADER + ROWS.replace("Satu", "Satu Baru") + "a3,Tiga,Yayasan,HE05,,,\n"
        )
    earlier = everything(session)

    told = perform(path, keep=False, dry_run=True, source="uji")

    assert everything(session) == earlier
    done = perform(path, source="uji")
    assert counts(told) == counts(done)
    assert [(f.row, f.field) for f in told.findings] == [(f.row, f.field) for f in done.findings]


def test_a_dry_run_over_several_batches_follows_links_between_them(session, perform, tmp_path):
    path = tmp_path / "a.csv"
    bench.write_table(path, 2500)

    told = perform(path, keep=False, dry_run=True, source="uji")

    assert counts(told) == (2500, 2500, 0, 0, 0, 0)
    assert len(told.findings) == 0


def test_the_run_of_a_dry_run_is_all_that_it_writes(session, perform, tmp_path):
    earlier = everything(session)

    perform(written(tmp_path, HEADER + ROWS), dry_run=True, source="uji")

    later = everything(session)
    assert {name for name in later if later[name] != earlier[name]} == {
        "import_run",
        "import_finding",
    }


def test_a_file_that_cannot_be_read_leaves_a_failed_run_with_its_reason(session, perform, tmp_path):
    with pytest.raises(Invalid):
        perform(written(tmp_path, "satu,dua\n1,2\n"))

    run = session.scalar(runs.latest().limit(1))
    assert run.status is RunStatus.FAILED
    assert runs.why_failed(run).key == "directory.mapping.none"


def test_an_error_in_the_middle_keeps_the_batches_before_it(session, perform, tmp_path):
    features = [
        {"type": "Feature", "properties": {"id": f"f{n}", "name": "A"}} for n in range(1500)
    ]
    text = json.dumps({"type": "FeatureCollection", "features": features})

    with pytest.raises(Invalid):
        perform(written(tmp_path, text[:-200], "a.geojson"), source="uji")

    run = session.scalar(runs.latest().limit(1))
    kept = session.scalar(select(func.count()).select_from(Service).filter_by(source="uji"))
    assert (run.status, run.rows_done, kept) == (RunStatus.FAILED, 1000, 1000)


def test_a_run_of_which_nothing_is_heard_was_cut_off(session, now):
    run = ImportRun(
        file_name="a",
        format="table",
        dry_run=False,
        status=RunStatus.RUNNING,
        made_at=now,
        seen_at=now,
    )

    silent = timedelta(minutes=runs.SILENT_MINUTES)
    assert not runs.is_cut_off(run, now=now + silent)
    assert runs.is_cut_off(run, now=now + silent + timedelta(seconds=1))
    run.status = RunStatus.DONE
    assert not runs.is_cut_off(run, now=now + timedelta(days=1))


def test_findings_beyond_any_number_wait_on_disk_in_their_order(session, perform, tmp_path):
    path = written(tmp_path, "id,name\n" + "".join(f"x{n},\n" for n in range(1200)))

    outcome = perform(path, source="uji")

    assert [f.row for f in outcome.findings] == list(range(2, 1202))
    assert outcome.findings.reasons == Counter({"directory.import.no_name": 1200})
    assert session.scalar(select(func.count()).select_from(ImportFinding)) >= 1200


def test_killed_at_three_points_nothing_is_half_imported_and_the_rerun_completes(tmp_path):
    count = 4000
    table, whole, killed = tmp_path / "services.csv", tmp_path / "whole", tmp_path / "killed"
    bench.write_table(table, count)
    whole.mkdir()
    bench.flask(whole, "db", "upgrade").communicate()
    shutil.copytree(whole, killed)
    bench.complete(whole, table)

    for rows_done in (1000, 2000, 3000):
        services, said = bench.kill_at(killed, table, rows_done)
        assert services % 1000 == 0
        assert services >= said
        assert bench.half_done(killed) == {}
    report, _, _ = bench.complete(killed, table)

    assert report["created"] + report["unchanged"] == count
    assert bench.half_done(killed) == {}
    assert bench.content(killed) == bench.content(whole)


# What others publish.


def of(session, model, source):
    return session.scalar(select(func.count()).select_from(model).where(model.source == source))


def test_the_ohana_tables_come_in_as_the_note_says(session, perform, shared):
    path = shared / "hsds/peers/ohana/sample-csv"

    first, second = perform(path), perform(path)

    assert (first.mapping, first.source) == ("ohana", "ohana-sample")
    assert counts(first) == (165, 23, 0, 0, 9, 0)
    assert counts(second) == (165, 0, 0, 23, 9, 0)
    assert Counter(f.message.key.removeprefix("directory.import.") for f in first.findings) == {
        "column_left": 9,
        "unknown_term": 4,
        "no_day": 6,
        "row_without": 3,
        "dangling": 6,
        "belongs_to_nothing": 6,
    }
    assert (of(session, Organization, "ohana-sample"), of(session, Location, "ohana-sample")) == (
        8,
        22,
    )
    passports = session.scalar(select(Service).filter_by(source="ohana-sample", source_id="22"))
    hours = {(s.byday, s.opens_at, s.closes_at) for s in passports.schedules}
    assert hours == {("MO", "08:00", "12:00"), ("MO", "14:00", "16:00"), ("WE", "10:00", "15:00")}
    assert [c.code for c in passports.categories] == ["EM11"]
    assert {p.type for p in passports.phones} <= {"voice", "text", "fax", "hotline", "textphone"}
    place = passports.sites[0].location
    assert place.addresses
    assert session.scalar(
        select(func.count()).select_from(Accessibility).filter_by(location_id=place.id)
    )


def test_the_florida_tables_come_in_as_the_note_says(session, perform, shared):
    path = shared / "hsds/peers/florida"

    first, second = perform(path), perform(path)

    assert counts(first) == (533, 135, 0, 0, 0, 135)
    assert counts(second) == (533, 0, 0, 135, 0, 135)
    assert Counter(f.message.key.removeprefix("directory.import.") for f in first.findings) == {
        "column_left": 3,
        "column_unknown": 2,
        "no_year": 1,
        "no_pattern": 5,
        "no_number": 1,
        "no_email": 1,
        "no_url": 2,
        "unknown_term": 19,
    }
    florida = "florida-legal-aid"
    assert (of(session, Organization, florida), of(session, Location, florida)) == (20, 378)
    services = select(Service.id).filter_by(source=florida)
    for model, expected in ((ServiceArea, 1493), (ServiceAtLocation, 135), (Schedule, 0)):
        query = select(func.count()).select_from(model).where(model.service_id.in_(services))
        assert session.scalar(query) == expected
    places = select(Location.id).filter_by(source=florida)
    assert (
        session.scalar(select(func.count()).select_from(Phone).where(Phone.location_id.in_(places)))
        == 90
    )
    assert session.scalar(select(func.max(Service.maximum_age)).filter_by(source=florida)) == 59


def test_the_open_eligibility_crosswalk_names_terms_that_exist(shared):
    terms = set()
    waiting = json.loads((shared / "hsds/peers/ohana/oe.json").read_text())["taxonomy"]["top_level"]
    while waiting:
        term = waiting.pop()
        terms.add(term["@id"])
        waiting += [one for key in term if key.endswith("_level") for one in term[key]]
    with (FOLDER / "crosswalks/open_eligibility.csv").open(encoding="utf-8") as file:
        mapped = {row["theirs"] for row in csv.DictReader(file)}

    assert (len(terms), len(mapped)) == (290, 156)
    assert mapped <= terms


def test_the_facility_list_as_a_workbook_changes_nothing_after_the_csv(
    session, perform, shared, tmp_path
):
    source = shared / "data/idn/facilities/facilities_all.csv"
    with source.open(encoding="utf-8-sig", newline="") as file:
        table = list(csv.reader(file))[:3001]
    small, book = tmp_path / "a.csv", tmp_path / "a.xlsx"
    with small.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(table)
    with xlsxwriter.Workbook(
        book, {"strings_to_formulas": False, "strings_to_urls": False}
    ) as workbook:
        sheet = workbook.add_worksheet()
        numbers = {table[0].index(name) for name in ("lat", "lon")}
        for row, cells in enumerate(table):
            for column, cell in enumerate(cells):
                value = float(cell) if row and column in numbers and cell else cell
                sheet.write(row, column, value)

    first, second = perform(small), perform(book)

    assert (first.created, first.mapping) == (3000, "facilities_all")
    assert (second.created, second.updated, second.unchanged) == (0, 0, 3000)
