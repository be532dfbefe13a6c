"""What comes in as HSDS leaves as it came: the official examples, as documents and as a data package."""

import csv
import io
import json
import re
import zipfile
from datetime import date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from referral.directory.hsds import exports, package
from referral.directory.hsds.compiled import Listings
from referral.directory.hsds.exports import Format
from referral.directory.intake.hsds.source import reader
from referral.directory.intake.upsert import Upsert
from referral.directory.models import (
    Address,
    CapacityStatus,
    EligibilityRule,
    Phone,
    ServiceAtLocation,
    ServiceCapacity,
)
from referral.directory.reference import known
from referral.places.queries import gazetteer
from tests.factories import Make


def take_in(session: Session, path: Path, kind: str, now: datetime) -> list[str]:
    """Import a file of HSDS; gives what was found wrong, as `field value reason`."""
    source = reader(kind, path, known=known(), gazetteer=gazetteer(session), now=now)
    run = Upsert(session, source.source, now=now)
    findings = []
    for batch in source:
        findings += run.take(batch).findings
    findings += run.finish()
    session.expire_all()
    return [
        f"{one.field} {one.value} {one.message.key.removeprefix('directory.import.')}"
        for one in findings
    ]


def told(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))


def test_the_full_service_of_the_standard_leaves_equal(
    session: Session, shared: Path, now: datetime
) -> None:
    example = shared / "hsds/examples/service_full.json"
    take_in(session, example, "hsds-json", now)

    document = told(example)
    assert list(exports.documents(session, [UUID(document["id"])])) == [document]


def test_the_full_organization_of_the_standard_leaves_equal(
    session: Session, shared: Path, now: datetime
) -> None:
    example = shared / "hsds/examples/organization_full.json"
    take_in(session, example, "hsds-json", now)

    document = told(example)
    row_id = UUID(document["id"])
    listings = Listings.of_organizations(session, [row_id], services=True)
    assert listings.organization(row_id, services=True) == document


def test_the_full_service_at_location_of_the_standard_leaves_equal(
    session: Session, shared: Path, now: datetime
) -> None:
    example = shared / "hsds/examples/service_at_location_full.json"
    take_in(session, example, "hsds-json", now)

    document = told(example)
    row_id = UUID(document["id"])
    assert Listings.of_sites(session, [row_id]).site(row_id) == document


def rows_of(folder: Path) -> dict[str, list[dict[str, str]]]:
    """The rows of a data package by file."""
    found = {}
    for path in sorted(folder.glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            found[path.name] = sorted(csv.DictReader(file), key=lambda row: row["id"])
    return found


def test_the_data_package_of_the_standard_leaves_as_it_came(
    session: Session, shared: Path, tmp_path: Path, now: datetime
) -> None:
    """Our own taxonomies come with every installation; but for them nothing is added, lost or changed."""
    findings = take_in(session, shared / "hsds/examples/csv", "hsds-csv", now)
    assert sorted(one for one in findings if one.endswith(" dangling")) == [
        "contact.organization_id ae67a707-5893-4225-b0b1-320ab9cb596b dangling",
        "contact.service_at_location_id 93eaf18d-1cd2-4ec7-bffb-3c9172ee5070 dangling",
        "location.organization_id 985e4a42-bd9f-4edc-911d-0243a4640aca dangling",
        "taxonomy_term.taxonomy_id 07ff6aee-a219-438c-b694-d2fcb6c5373b dangling",
    ]

    package.write_folder(session, tmp_path)

    left = rows_of(tmp_path)
    for name in ("taxonomies.csv", "taxonomy_terms.csv"):
        left[name] = [
            row for row in left[name] if "jejaring:" not in row.get("taxonomy", row["name"])
        ]
    left["units.csv"] = [row for row in left["units.csv"] if row["name"] != "tempat"]
    assert left == rows_of(shared / "hsds/examples/csv")


def test_a_data_package_of_ours_is_what_the_standard_describes(
    session: Session, shared: Path, tmp_path: Path, make: Make
) -> None:
    various(session, make)
    package.write_folder(session, tmp_path)

    described = told(shared / "hsds/examples/csv/datapackage.json")
    assert faults(tmp_path, described) == []
    assert faults(tmp_path, told(tmp_path / "datapackage.json")) == []
    assert {one["path"] for one in package.descriptor()["resources"]} == {
        path.name for path in tmp_path.glob("*.csv")
    }


def test_a_data_package_of_ours_comes_back_the_same(
    session: Session, tmp_path: Path, make: Make, now: datetime
) -> None:
    """Through another form and into the same tables: nothing differs from what was there."""
    various(session, make)
    package.write_folder(session, tmp_path / "first")
    before = rows_of(tmp_path / "first")
    with (tmp_path / "first.zip").open("wb") as file:
        package.write_zip(session, file)
    with zipfile.ZipFile(tmp_path / "first.zip") as archive:
        archive.extractall(tmp_path / "zipped")
    assert rows_of(tmp_path / "zipped") == before

    forget_listings(session)
    findings = take_in(session, tmp_path / "first.zip", "hsds-csv", now)
    assert [one for one in findings if one.endswith((" dangling", " unmapped_term"))] == []
    package.write_folder(session, tmp_path / "second")

    after = rows_of(tmp_path / "second")
    for name, rows in before.items():
        assert [row for row in rows if row not in after[name]] == [], name
    assert after == before


def test_only_the_services_asked_for_are_in_a_file(
    session: Session, tmp_path: Path, make: Make
) -> None:
    one, other = make.service("HE05"), make.service("HE05")
    path = tmp_path / "one.json"

    assert exports.write(session, path, Format.HSDS_JSON, [one.service_id]) == {"services": 1}
    assert told(path)["id"] == str(one.service_id)

    exports.write(session, path, Format.HSDS_JSON, [other.service_id, one.service_id])
    lines = [json.loads(line)["id"] for line in path.read_text("utf-8").splitlines()]
    assert lines == [str(other.service_id), str(one.service_id)]

    exports.write(session, tmp_path / "package", Format.HSDS_CSV, [one.service_id])
    rows = rows_of(tmp_path / "package")
    assert [row["id"] for row in rows["services.csv"]] == [str(one.service_id)]
    assert [row["id"] for row in rows["organizations.csv"]] == [str(one.service.organization_id)]
    assert [row["service_id"] for row in rows["service_at_location.csv"]] == [str(one.service_id)]
    assert {row["link_id"] for row in rows["attributes.csv"]} == {str(one.service_id)}


def test_no_cell_of_a_table_is_a_formula(session: Session, tmp_path: Path, make: Make) -> None:
    site = make.service("HE05", name='=HYPERLINK("http://evil.example")', description="\t=1+1")
    session.add(Phone(service_id=site.service_id, number="+62 24 7601000"))
    session.flush()
    exports.write(session, tmp_path / "t.csv", Format.CSV, [site.service_id])
    exports.write(session, tmp_path / "t.xlsx", Format.XLSX, [site.service_id])

    text = (tmp_path / "t.csv").read_text("utf-8-sig")
    row = next(csv.DictReader(io.StringIO(text, newline="")))
    assert (row["name"], row["description"], row["phone"], row["latitude"]) == (
        '\'=HYPERLINK("http://evil.example")',
        "'\t=1+1",
        "'+62 24 7601000",
        "-6.9903",
    )
    with zipfile.ZipFile(tmp_path / "t.xlsx") as book:
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in sheet
    assert "'=HYPERLINK" in sheet


def test_our_facts_travel_in_our_vocabularies_and_come_back(
    session: Session, tmp_path: Path, make: Make, now: datetime
) -> None:
    site = various(session, make)
    before = next(exports.documents(session, [site.service_id]))
    facts = {
        (one["taxonomy_term"]["taxonomy"], one["taxonomy_term"]["code"], one.get("value"))
        for one in before["attributes"]
    }
    assert facts == {
        ("jejaring:category", "HE05", None),
        ("jejaring:category", "EM06", None),
        ("jejaring:sex", "female", None),
        ("jejaring:desil_max", "4", None),
        ("jejaring:disability", "any", None),
        ("jejaring:answer_mode", "walk_in", None),
    }
    assert before["capacities"][0]["available"] == 0
    (state,) = before["capacities"][0]["attributes"]
    assert (state["taxonomy_term"]["code"], state["value"]) == ("waitlist", "2026-04-01")

    path = tmp_path / "one.json"
    exports.write(session, path, Format.HSDS_JSON, [site.service_id])
    forget_listings(session)
    take_in(session, path, "hsds-json", now)

    assert next(exports.documents(session, [site.service_id])) == before


def various(session: Session, make: Make) -> ServiceAtLocation:
    """A service with facts of ours, and others that lack what the standard asks for."""
    site = make.service("HE05", "EM06", answer_mode="walk_in", minimum_age=12)
    service = site.service
    rules: dict[str, list[Any]] = {"sex": ["female"], "desil": [4], "disability": []}
    for criterion, values in rules.items():
        session.add(EligibilityRule(service_id=service.id, criterion=criterion, values=values))
    session.add(
        ServiceCapacity(
            service_id=service.id,
            status=CapacityStatus.WAITLIST,
            updated=make.now,
            until=date(2026, 4, 1),
        )
    )
    session.add(Phone(service_id=service.id, number="024 7601000", extension="007"))
    session.add(
        Address(
            location_id=site.location_id,
            address_1="Jalan Pemuda 1",
            city="Semarang",
            state_province="",
            postal_code="",
            country="ID",
        )
    )
    make.service("HE05", at=None, remote="phone")
    session.add(ServiceAtLocation(service_id=make.service("HE05").service_id))
    session.flush()
    return site


def forget_listings(session: Session) -> None:
    """Take every listing out, as if into an empty database."""
    from referral.directory.hsds.visible import MODELS
    from referral.tables import metadata

    kept = {"taxonomy", "taxonomy_term"}
    ours = {"service_category", "eligibility_rule", "entry_step", *MODELS} - kept
    session.flush()
    for table in reversed(metadata.sorted_tables):
        if table.name in ours:
            session.execute(table.delete())
    session.expire_all()


def faults(folder: Path, described: dict[str, Any]) -> list[str]:
    """What is wrong with a data package by a description of it: headings, types, constraints, links."""
    tables = {one["name"]: one for one in described["resources"]}
    rows = rows_of(folder)
    found = []
    for name, one in tables.items():
        fields = {field["name"]: field for field in one["schema"]["fields"]}
        heading = (folder / one["path"]).read_text("utf-8").split("\n", 1)[0]
        if set(heading.split(",")) != set(fields):
            found.append(f"{name}: {heading}")
        ids = [row["id"] for row in rows[one["path"]]]
        if len(ids) != len(set(ids)):
            found.append(f"{name}: an id twice")
        for row in rows[one["path"]]:
            found += [
                f"{name}.{field}: {problem}"
                for field, value in row.items()
                if (problem := fault(fields[field], value))
            ]
        for link in one["schema"].get("foreignKeys", ()):
            field = link["fields"] if isinstance(link["fields"], str) else link["fields"][0]
            target = tables[link["reference"]["resource"] or name]
            there = {row["id"] for row in rows[target["path"]]}
            found += [
                f"{name}.{field} leads nowhere"
                for row in rows[one["path"]]
                if row[field] and row[field] not in there
            ]
    return found


def fault(field: dict[str, Any], value: str) -> str | None:
    constraints = field.get("constraints", {})
    if not value:
        return "missing" if constraints.get("required") else None
    if field["type"] == "number" and not re.fullmatch(r"-?\d+(\.\d+)?", value):
        return f"no number: {value}"
    if field.get("format") == "uuid" and str(UUID(value)) != value:
        return f"no uuid: {value}"
    if "enum" in constraints and value not in constraints["enum"]:
        return f"no code: {value}"
    return None
