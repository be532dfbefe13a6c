"""`flask match`: what is printed is what was promised to others."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from referral.matching.receipts import TOLERANCE_KM
from referral.places.models import Place, PlaceLoad
from tests.factories import Make

NEAR = "-6.9903,110.4229"
QUERY_FIELDS = {
    "need", "near", "place", "registered_in", "age", "sex", "desil", "disability", "language",
    "documents_lacking", "urgency", "at", "within", "limit", "step_km",
}  # fmt: skip
OPTION_FIELDS = {
    "service_at_location_id", "service_id", "source", "source_id", "name", "organization", "group",
    "distance_km", "distance_band", "precision_km", "effective_km", "measured_from_area", "penalties", "verdicts",
    "bearing", "way", "straight_km", "route", "crossing", "phones", "facts",
}  # fmt: skip


@pytest.fixture
def places(make: Make) -> None:
    """Two regencies and two kecamatan of one name, in the place of the whole gazetteer."""
    session = make.session
    for code, level, name, parent, point in [
        ("97", 1, "Nusa Uji", None, (-6.9, 110.4)),
        ("97.01", 2, "Kabupaten Uji", "97", (-6.99, 110.42)),
        ("97.71", 2, "Kota Coba", "97", (-7.9, 111.4)),
        ("97.01.01", 3, "Kembarjaya", "97.01", (-6.95, 110.40)),
        ("97.71.01", 3, "Kembarjaya", "97.71", (-7.91, 111.41)),
    ]:
        session.merge(
            Place(
                code=code,
                level=level,
                name=name,
                parent_code=parent,
                latitude=point[0],
                longitude=point[1],
                precision_km=4.0,
                point_source="test",
                source="test",
            )
        )
        session.flush()
    session.add(PlaceLoad(source="test", changed_count=5))
    session.flush()


def test_the_answer_has_the_promised_shape(cli: Any, make: Make) -> None:
    site = make.service("HE05", source="register", source_id="A1")
    make.service("HE05", minimum_age=60)

    answer = cli("match", "--need", "HE05", "--near", NEAR, "--age", "16", "--json").json

    assert set(answer) == {
        "query", "rules_version", "penalty_table", "answered_in_time", "routes", "directory_version",
        "options", "remote", "why_not", "why_not_total", "coverage",
    }  # fmt: skip
    assert set(answer["query"]) == QUERY_FIELDS
    assert (answer["query"]["age"], answer["query"]["limit"], answer["query"]["within"]) == (
        16,
        20,
        None,
    )
    (option,) = answer["options"]
    assert set(option) == OPTION_FIELDS
    assert (option["service_at_location_id"], option["source_id"]) == (str(site.id), "A1")
    assert {frozenset(one) for one in option["penalties"]} == {
        frozenset({"rule", "steps", "km", "key", "params", "because"})
    }
    assert {frozenset(one) for one in option["verdicts"]} == {
        frozenset({"rule", "verdict", "key", "params", "because"})
    }
    (miss,) = answer["why_not"]
    assert set(miss) == OPTION_FIELDS | {"failed", "change", "would_fit_if"}
    assert miss["failed"] == ["age"]
    assert answer["why_not_total"] == 1


def test_every_km_follows_from_the_printed_numbers(cli: Any, make: Make) -> None:
    for north in (0.0, 0.1, 0.2):
        make.service("HE05", at=(-6.99 + north, 110.42))

    answer = cli("match", "--need", "HE05", "--near", NEAR, "--json").json

    for one in answer["options"]:
        order_km = max(one["distance_km"], one["precision_km"] / 2)
        steps = sum(penalty["steps"] for penalty in one["penalties"])
        expected = order_km + answer["query"]["step_km"] * steps
        assert one["effective_km"] == pytest.approx(expected, abs=TOLERANCE_KM)


def test_sentences_come_in_the_asked_language_and_everything_else_stays(
    cli: Any, make: Make
) -> None:
    make.service("HE05")
    asked = ("match", "--need", "HE05", "--near", NEAR, "--at", "2026-03-02T09:30", "--json")

    indonesian, english = cli(*asked).json, cli(*asked, "--lang", "en").json

    assert indonesian["coverage"].startswith("1 layanan")
    assert english["coverage"].startswith("1 service is an option;")
    assert indonesian["query"] == english["query"]


def test_no_service_in_the_category_is_an_answer_and_not_an_error(cli: Any, make: Make) -> None:
    make.service("HE05")

    output = cli("match", "--need", "FC05", "--near", NEAR, "--json", "--lang", "en")

    assert output.exit_code == 0
    assert (output.json["options"], output.json["why_not_total"]) == ([], 0)
    assert output.json["coverage"] == "For Day care: the directory holds no service yet."


@pytest.mark.parametrize(
    ("options", "field"),
    [
        (["--need", "XX99", "--near", NEAR], "need"),
        (["--near", NEAR], "need"),
        (["--need", "HE05"], "near"),
        (["--need", "HE05", "--near", "91,0"], "near"),
        (["--need", "HE05", "--near", "0,-181"], "near"),
        (["--need", "HE05", "--near", "here"], "near"),
        (["--need", "HE05", "--near", "nan,nan"], "near"),
        (["--need", "HE05", "--place", "Negeri Antah Berantah"], "place"),
        (["--need", "HE05", "--near", NEAR, "--age", "-5"], "age"),
        (["--need", "HE05", "--near", NEAR, "--age", "131"], "age"),
        (["--need", "HE05", "--near", NEAR, "--age", "old"], "age"),
        (["--need", "HE05", "--near", NEAR, "--sex", "x"], "sex"),
        (["--need", "HE05", "--near", NEAR, "--desil", "11"], "desil"),
        (["--need", "HE05", "--near", NEAR, "--disability", "x"], "disability"),
        (["--need", "HE05", "--near", NEAR, "--language", "javanese"], "language"),
        (["--need", "HE05", "--near", NEAR, "--lacks", "'; DROP TABLE"], "documents_lacking"),
        (["--need", "HE05", "--near", NEAR, "--urgency", "soon"], "urgency"),
        (["--need", "HE05", "--near", NEAR, "--at", "2026-13-40"], "at"),
        (["--need", "HE05", "--near", NEAR, "--at", "0001-01-01"], "at"),
        (["--need", "HE05", "--near", NEAR, "--within", "0"], "within"),
        (["--need", "HE05", "--near", NEAR, "--within", "inf"], "within"),
        (["--need", "HE05", "--near", NEAR, "--limit", "0"], "limit"),
        (["--need", "HE05", "--near", NEAR, "--registered-in", "99.99"], "registered_in"),
    ],
)
@pytest.mark.parametrize("lang", ["id", "en"])
def test_a_bad_value_is_named_and_ends_with_2(
    cli: Any, options: list[str], field: str, lang: str
) -> None:
    output = cli("match", *options, "--json", "--lang", lang)

    assert output.exit_code == 2
    error = output.json["error"]
    assert set(error) == {"code", "field", "message", "candidates"}
    assert error["field"] == field
    assert error["message"]


def test_an_ambiguous_place_offers_what_it_could_be(cli: Any, places: None) -> None:
    output = cli("match", "--need", "HE05", "--place", "Kembarjaya", "--json")

    assert output.exit_code == 2
    error = output.json["error"]
    assert (error["code"], error["field"]) == ("ambiguous_place", "place")
    assert {one["code"] for one in error["candidates"]} == {"97.01.01", "97.71.01"}


def test_a_place_gives_its_point_and_how_far_off_it_may_be(
    cli: Any, places: None, make: Make
) -> None:
    make.service("HE05", at=(-6.95, 110.41))

    answer = cli(
        "match", "--need", "HE05", "--place", "Kec. Kembarjaya, Kabupaten Uji", "--json"
    ).json

    assert answer["query"]["place"]["code"] == "97.01.01"
    assert answer["query"]["near"] == [-6.95, 110.40]
    (option,) = answer["options"]
    assert option["precision_km"] == 4.5
    assert option["distance_band"] == [0.0, pytest.approx(option["distance_km"] + 4.5, abs=0.002)]


def test_a_point_lies_in_the_nearest_regency(cli: Any, places: None) -> None:
    answer = cli("match", "--need", "HE05", "--near", "-6.99,110.42", "--json").json

    assert answer["query"]["place"]["code"] == "97.01"


def test_a_file_gives_one_line_per_line_and_goes_on_after_a_bad_one(
    cli: Any, make: Make, tmp_path: Path
) -> None:
    make.service("HE05")
    lines = [
        json.dumps({"id": "a", "need": "HE05", "near": [-6.99, 110.42], "age": 16}),
        json.dumps({"id": "b", "need": "HE05", "near": [-6.99, 110.42], "age": -1}),
        "not json",
        json.dumps({"id": 4, "need": "FC05", "near": "-6.99,110.42", "limit": 3}),
        json.dumps({"id": "e\ud83d", "need": "HE05", "near": [-6.99, 110.42], "colour": "red"}),
    ]
    file = tmp_path / "queries.jsonl"
    file.write_text("\n".join(lines), "utf-8")

    for output in (
        cli("match", "--jsonl", str(file)),
        cli("match", "--jsonl", "-", stdin="\n".join(lines)),
    ):
        answers = [json.loads(line) for line in output.stdout.splitlines()]
        assert output.exit_code == 1
        assert [one["id"] for one in answers] == ["a", "b", None, 4, "e\ud83d"]
        assert len(answers[0]["options"]) == 1
        assert answers[1]["error"]["field"] == "age"
        assert set(answers[2]) == {"id", "error"}
        assert answers[3]["query"]["limit"] == 3
        assert answers[4]["error"]["field"] == "colour"


def test_every_line_has_its_answer_whatever_was_written_on_it(cli: Any, tmp_path: Path) -> None:
    good = b'{"id": 1, "need": "HE05", "near": [-6.99, 110.42]}'
    lines = [
        b"\xef\xbb\xbf" + good + b"\r",
        b"",
        b"\xff\xfe",
        b'{"id": 2, "need": "HE05", "near": [' + b"9" * 400 + b", 110.42]}",
        b'{"id": 3, "need": "HE05", "near": [-6.99, 110.42], "within": ' + b"9" * 400 + b"}",
        b'{"id": 4, "need": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        good,
    ]
    file = tmp_path / "queries.jsonl"
    file.write_bytes(b"\n".join(lines) + b"\n")

    output = cli("match", "--jsonl", str(file))

    answers = [json.loads(line) for line in output.stdout.splitlines()]
    assert output.exit_code == 1
    assert [one["id"] for one in answers] == [1, None, None, 2, 3, None, 1]
    assert [one.get("error", {}).get("field") for one in answers] == [
        None, "line", "line", "near", "within", "line", None,
    ]  # fmt: skip


@pytest.mark.usefixtures("places")
def test_a_query_copied_from_an_answer_asks_the_same_again(
    cli: Any, make: Make, tmp_path: Path
) -> None:
    make.service("HE05")
    asked = ["match", "--need", "HE05", "--place", "Kota Coba", "--at", "2026-03-02T09:30"]
    first = cli(*asked, "--json").json
    file = tmp_path / "again.jsonl"
    file.write_text(json.dumps(first["query"]), "utf-8")

    again = cli("match", "--jsonl", str(file)).json

    assert again == {"id": None} | first


@pytest.mark.parametrize(
    ("args", "field", "candidates"),
    [
        (["match", "--json", "--bogus"], "--bogus", []),
        (["match", "--json", "--desi", "4"], "--desi", ["--desil"]),
        (["match", "--json", "--need"], "--need", []),
        (["match", "--json", "--lang", "fr"], "lang", ["id", "en"]),
        (["match", "--json", "--jsonl", "/no/such/file"], "jsonl", []),
        (["places", "find", "--json"], "text", []),
        (["places", "import", "/no/such/file", "--json"], "file", []),
    ],
)
def test_wrong_usage_is_answered_in_json_where_json_was_asked_for(
    cli: Any, args: list[str], field: str, candidates: list[str]
) -> None:
    output = cli(*args)

    assert output.exit_code == 2
    assert output.json["error"]["field"] == field
    assert output.json["error"]["candidates"] == candidates


def test_without_json_people_read_a_table(cli: Any, make: Make) -> None:
    make.service("HE05", name="Puskesmas Percobaan")

    output = cli("match", "--need", "HE05", "--near", NEAR)

    assert output.exit_code == 0
    assert "Puskesmas Percobaan" in output.stdout


@pytest.mark.usefixtures("places")
def test_where_places_are_known_by_their_area_people_read_a_range(cli: Any, make: Make) -> None:
    make.service("HE05")

    output = cli("match", "--need", "HE05", "--place", "Kabupaten Uji", "--lang", "en")

    assert re.search(r"│ 0–\d\.\d km │", output.stdout)


def test_help_shows_an_example(cli: Any) -> None:
    assert "Example: flask match" in cli("match", "--help").stdout
