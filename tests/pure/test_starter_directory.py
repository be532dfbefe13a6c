"""The starter directory can be read as it stands, and every row says where it comes from."""

import csv
import re
from collections import Counter
from datetime import date
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SHARED = Path(__file__).resolve().parents[3] / "shared"
STARTER = ROOT / "directory_data" / "starter"
COLUMNS = [
    "id",
    "organization",
    "system_type",
    "facility_type",
    "name",
    "description",
    "category",
    "category_basis",
    "phone",
    "phone_type",
    "email",
    "url",
    "address",
    "place",
    "latitude",
    "longitude",
    "precision_km",
    "point_source",
    "schedule",
    "service_area",
    "remote",
    "confidential",
    "sex",
    "minimum_age",
    "maximum_age",
    "desil_max",
    "disability",
    "language",
    "required_document",
    "cost",
    "fee",
    "answer_mode",
    "contact_mode",
    "note",
    "source_url",
    "source_title",
    "source_date",
    "read_on",
]
REQUIRED = [
    "id",
    "organization",
    "system_type",
    "facility_type",
    "name",
    "description",
    "category",
    "category_basis",
    "answer_mode",
    "contact_mode",
    "source_url",
    "source_title",
    "read_on",
]
ONE_OF = {
    "system_type": {"informal", "formal", "societal"},
    "category_basis": {"stated", "inferred"},
    "confidential": {"yes", ""},
    "sex": {"female", "male", ""},
    "fee": {"free", "paid", ""},
    "answer_mode": {"replies", "walk_in", "decision"},
    "contact_mode": {"direct", "indirect"},
}
LIST_OF = {
    "phone_type": {"voice", "hotline", "whatsapp", "sms", "fax"},
    "remote": {"phone", "online"},
    "disability": {"physical", "visual", "hearing", "intellectual", "mental", "multiple", "any"},
}
SHAPE = {
    "id": r"[a-z0-9]+(-[a-z0-9]+)*",
    "facility_type": r"[A-Z0-9]+(_[A-Z0-9]+)*",
    "language": r"([a-z]{3}(\|[a-z]{3})*)?",
    "place": r"(\d\d(\.\d\d(\.\d\d)?)?)?",
    "service_area": r"(ID|\d\d(\.\d\d(\.\d\d)?)?(\|\d\d(\.\d\d(\.\d\d)?)?)*)?",
    "url": r"(https?://\S+)?",
    "source_url": r"https?://\S+|(?!.*://).+",
    "email": r"([^@\s]+@[^@\s]+)?",
    "minimum_age": r"(\d{1,3})?",
    "maximum_age": r"(\d{1,3})?",
    "desil_max": r"([1-9]|10)?",
}
PARTS = sorted(STARTER.glob("*.csv"))


def rows_of(part: Path) -> list[dict[str, str]]:
    with part.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def leaves() -> set[str]:
    with (ROOT / "directory_data" / "taxonomy.csv").open(encoding="utf-8", newline="") as lines:
        return {row["code"] for row in csv.DictReader(lines) if row["level"] == "2"}


def test_the_starter_directory_has_a_part() -> None:
    assert PARTS


def test_ids_are_unique_over_all_parts() -> None:
    counts = Counter(row["id"] for part in PARTS for row in rows_of(part))
    assert {name: n for name, n in counts.items() if n > 1} == {}


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.stem)
class TestEachPart:
    def test_has_the_agreed_columns(self, part: Path) -> None:
        with part.open(encoding="utf-8", newline="") as lines:
            assert next(csv.reader(lines)) == COLUMNS

    def test_says_what_must_be_said(self, part: Path) -> None:
        missing = {
            (row["id"], column) for row in rows_of(part) for column in REQUIRED if not row[column]
        }
        assert missing == set()

    def test_names_only_leaves_of_the_taxonomy(self, part: Path) -> None:
        known = leaves()
        unknown = {
            (row["id"], code)
            for row in rows_of(part)
            for code in row["category"].split("|")
            if code not in known
        }
        assert unknown == set()

    def test_uses_only_agreed_words(self, part: Path) -> None:
        wrong = {
            (row["id"], column, row[column])
            for row in rows_of(part)
            for column, words in ONE_OF.items()
            if row[column] not in words
        } | {
            (row["id"], column, row[column])
            for row in rows_of(part)
            for column, words in LIST_OF.items()
            if row[column] and not set(row[column].split("|")) <= words
        }
        assert wrong == set()

    def test_writes_values_in_the_agreed_shape(self, part: Path) -> None:
        wrong = {
            (row["id"], column, row[column])
            for row in rows_of(part)
            for column, shape in SHAPE.items()
            if not re.fullmatch(shape, row[column])
        }
        assert wrong == set()

    def test_gives_every_phone_a_type(self, part: Path) -> None:
        wrong = {
            row["id"]
            for row in rows_of(part)
            if len(row["phone"].split("|")) != len(row["phone_type"].split("|"))
            or bool(row["phone"]) != bool(row["phone_type"])
        }
        assert wrong == set()

    def test_gives_ages_in_order(self, part: Path) -> None:
        wrong = {
            row["id"]
            for row in rows_of(part)
            if row["minimum_age"]
            and row["maximum_age"]
            and int(row["minimum_age"]) > int(row["maximum_age"])
        }
        assert wrong == set()

    def test_dates_its_reading_after_its_source(self, part: Path) -> None:
        wrong = {
            row["id"]
            for row in rows_of(part)
            if row["source_date"]
            and date.fromisoformat(row["source_date"]) > date.fromisoformat(row["read_on"])
        }
        assert wrong == set()

    def test_gives_a_point_only_with_its_precision_and_source(self, part: Path) -> None:
        point = ("latitude", "longitude", "precision_km", "point_source")
        wrong = {
            row["id"]
            for row in rows_of(part)
            if any(row[column] for column in point)
            and not (
                all(row[column] for column in point)
                and -11.5 <= float(row["latitude"]) <= 6.5
                and 94.5 <= float(row["longitude"]) <= 141.5
                and float(row["precision_km"]) > 0
            )
        }
        assert wrong == set()

    def test_never_places_a_confidential_service(self, part: Path) -> None:
        wrong = {
            row["id"]
            for row in rows_of(part)
            if row["confidential"]
            and (row["address"] or row["latitude"] or row["longitude"] or row["place"].count("."))
        }
        assert wrong == set()

    def test_names_only_places_of_the_gazetteer(self, part: Path) -> None:
        gazetteer = SHARED / "data" / "idn" / "gazetteer" / "gazetteer_l1_l3.csv"
        if not gazetteer.exists():
            pytest.skip("the gazetteer lies outside the project")
        with gazetteer.open(encoding="utf-8", newline="") as lines:
            known = {row["kode"] for row in csv.DictReader(lines)} | {"", "ID"}
        unknown = {
            (row["id"], code)
            for row in rows_of(part)
            for code in [row["place"], *row["service_area"].split("|")]
            if code not in known
        }
        assert unknown == set()
