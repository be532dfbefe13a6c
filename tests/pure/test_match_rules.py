"""Every gate answers pass, fail or unknown, and says so in both languages."""

import csv
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest

from referral.core.text import LANGUAGES, render, templates
from referral.matching.facts import Document, Offer, Outcome, Query
from referral.matching.gates import CHANGES
from referral.matching.rules import FREE_ONLY, GATES, applying, is_proposed, open_only

ALL_GATES = (*GATES, open_only(), FREE_ONLY)
AT = datetime(2026, 3, 2, 2, 30, tzinfo=UTC)
FOLDER = Path(__file__).parents[2] / "directory_data"


def query(**facts: object) -> Query:
    return Query(**{"need": "HE05", "at": AT, "near": (-6.99, 110.42)} | facts)  # type: ignore[arg-type]


def offer(**facts: object) -> Offer:
    known = {
        "service_at_location_id": uuid4(),
        "service_id": uuid4(),
        "organization_id": uuid4(),
        "categories": {"HE05": True},
        "latitude": -7.0,
        "longitude": 110.4,
    }
    return Offer(**known | facts)  # type: ignore[arg-type]


def found(rule: str, asked: Query, offered: Offer, km: float | None = 2.0) -> tuple[str, str]:
    gate = next(gate for gate in ALL_GATES if gate.rule == rule)
    finding = gate.find(asked, offered, km)
    assert finding in gate.findings
    for lang in LANGUAGES:
        assert render(gate.said(gate.find(asked, offered, km), asked, offered, str).message, lang)
    return finding.outcome.value, finding.key.removeprefix(f"match.{rule}.")


KTP = Document("KTP", "KTP", None)
KK = Document("KK", "Kartu Keluarga", "Kelurahan, satu hari")


@pytest.mark.parametrize(
    ("rule", "asked", "offered", "expected"),
    [
        ("category", {}, {}, ("pass", "stated")),
        ("category", {"need": "HE"}, {}, ("pass", "stated")),
        ("category", {}, {"categories": {"HE05": False}}, ("unknown", "inferred")),
        ("category", {"need": "FC05"}, {}, ("fail", "fail")),
        ("active", {}, {}, ("pass", "pass")),
        ("active", {}, {"active": False}, ("fail", "fail")),
        ("age", {"age": 16}, {}, ("unknown", "not_said")),
        ("age", {}, {"minimum_age": 0}, ("pass", "all")),
        ("age", {}, {"minimum_age": 12, "maximum_age": 18}, ("unknown", "unknown")),
        ("age", {"age": 18}, {"minimum_age": 12, "maximum_age": 18}, ("pass", "pass")),
        ("age", {"age": 19}, {"minimum_age": 12, "maximum_age": 18}, ("fail", "fail")),
        ("age", {"age": 3}, {"maximum_age": 6}, ("pass", "pass")),
        ("age", {"age": 59}, {"minimum_age": 60}, ("fail", "fail")),
        ("sex", {}, {}, ("unknown", "not_said")),
        ("sex", {}, {"sex": ()}, ("pass", "all")),
        ("sex", {}, {"sex": ("female", "male")}, ("pass", "all")),
        ("sex", {}, {"sex": ("female",)}, ("unknown", "unknown")),
        ("sex", {"sex": "female"}, {"sex": ("female",)}, ("pass", "pass")),
        ("sex", {"sex": "male"}, {"sex": ("female",)}, ("fail", "fail")),
        ("desil", {}, {}, ("unknown", "not_said")),
        ("desil", {}, {"desil": ()}, ("pass", "all")),
        ("desil", {}, {"desil": (4,)}, ("unknown", "unknown")),
        ("desil", {"desil": 4}, {"desil": (4,)}, ("pass", "pass")),
        ("desil", {"desil": 5}, {"desil": (4,)}, ("fail", "fail")),
        ("disability", {}, {}, ("unknown", "not_said")),
        ("disability", {}, {"disability": ()}, ("pass", "all")),
        ("disability", {}, {"disability": ("visual",)}, ("unknown", "unknown")),
        ("disability", {"disability": ("visual",)}, {"disability": ("visual",)}, ("pass", "pass")),
        ("disability", {"disability": ("mental",)}, {"disability": ("any",)}, ("pass", "pass")),
        ("disability", {"disability": ("mental",)}, {"disability": ("visual",)}, ("fail", "fail")),
        ("documents", {}, {}, ("unknown", "not_said")),
        ("documents", {}, {"documents": ()}, ("pass", "none")),
        ("documents", {}, {"documents": (KTP, KK)}, ("pass", "pass")),
        ("documents", {"documents_lacking": ("KTP",)}, {"documents": (KTP, KK)}, ("fail", "fail")),
        ("documents", {"documents_lacking": ("KK",)}, {"documents": (KTP, KK)}, ("pass", "to_get")),
        (
            "documents",
            {"documents_lacking": ("KK",)},
            {"documents": (Document(None, "surat", None),)},
            ("unknown", "unclear"),
        ),
        (
            "documents",
            {"documents_lacking": ("KTP",), "urgency": "emergency"},
            {"documents": (KTP,)},
            ("pass", "emergency"),
        ),
        ("accessibility", {}, {}, ("pass", "not_needed")),
        ("accessibility", {"disability": ("physical",)}, {}, ("unknown", "not_said")),
        (
            "accessibility",
            {"disability": ("physical",)},
            {"access": ("physical",)},
            ("pass", "pass"),
        ),
        (
            "accessibility",
            {"disability": ("physical",)},
            {"no_access": ("physical",)},
            ("fail", "fail"),
        ),
        ("within", {}, {}, ("pass", "no_limit")),
        ("within", {"within": 2.0}, {}, ("pass", "pass")),
        ("within", {"within": 1.9}, {}, ("fail", "fail")),
        ("within", {"within": 1.9}, {"remote": "phone"}, ("pass", "no_limit")),
        ("within", {"within": 1.9}, {"confidential": True}, ("unknown", "unknown")),
        ("open_only", {}, {}, ("unknown", "not_said")),
        ("free_only", {}, {}, ("unknown", "not_said")),
        ("free_only", {}, {"fee": False}, ("pass", "pass")),
        ("free_only", {}, {"fee": True}, ("fail", "fail")),
    ],
)
def test_a_gate_gives_its_answer(
    rule: str, asked: dict[str, object], offered: dict[str, object], expected: tuple[str, str]
) -> None:
    assert found(rule, query(**asked), offer(**offered)) == expected


@pytest.mark.parametrize(
    ("asked", "offered", "expected"),
    [
        ({}, {}, ("unknown", "not_said")),
        ({}, {"service_areas": ("*",)}, ("pass", "everywhere")),
        ({}, {"residency": ()}, ("pass", "everywhere")),
        ({}, {"service_areas": ("33.74",)}, ("unknown", "registration_unknown")),
        ({"registered_in": "33.74"}, {"service_areas": ("33",)}, ("pass", "pass")),
        ({"registered_in": "33.74.11"}, {"service_areas": ("33.74",)}, ("pass", "pass")),
        ({"registered_in": "33.7"}, {"service_areas": ("33.74",)}, ("fail", "fail")),
        (
            {"registered_in": "33"},
            {"service_areas": ("33.74",)},
            ("unknown", "registration_unknown"),
        ),
        ({"registered_in": "33.22"}, {"service_areas": ("33.74",)}, ("fail", "fail")),
        ({"registered_in": "33.22"}, {"residency": ("33.74",)}, ("fail", "fail")),
        ({"registered_in": "33.74"}, {"assumed_area": "33.74"}, ("pass", "assumed_own")),
        ({"registered_in": "33.22"}, {"assumed_area": "33.74"}, ("unknown", "assumed_other")),
        ({}, {"assumed_area": "33.74"}, ("unknown", "registration_unknown")),
        (
            {"registered_in": "33.22", "urgency": "emergency"},
            {"service_areas": ("33.74",)},
            ("pass", "never_asked"),
        ),
        (
            {"registered_in": "33.22", "violence": True},
            {"service_areas": ("33.74",)},
            ("pass", "never_asked"),
        ),
        (
            {"registered_in": "33.22", "need": "EM09"},
            {"service_areas": ("33.74",), "categories": {"EM09": True}},
            ("pass", "never_asked"),
        ),
    ],
)
def test_jurisdiction_asks_where_a_person_is_registered_and_never_in_danger(
    asked: dict[str, object], offered: dict[str, object], expected: tuple[str, str]
) -> None:
    assert found("jurisdiction", query(**asked), offer(**offered)) == expected


def test_person_gates_do_not_apply_to_a_group() -> None:
    assert [gate.rule for gate in applying(query(is_group=True))] == [
        "category",
        "active",
        "jurisdiction",
        "within",
    ]


@pytest.mark.parametrize("gate", ALL_GATES, ids=lambda gate: gate.rule)
def test_every_finding_and_change_has_its_sentence(gate: object) -> None:
    keys = {finding.key for finding in gate.findings}  # type: ignore[attr-defined]
    assert keys | {f"match.{gate.rule}.would_fit"} <= templates().keys()  # type: ignore[attr-defined]


def test_every_gate_says_how_large_a_change_it_takes() -> None:
    assert sorted(gate.rule for gate in ALL_GATES) == sorted(CHANGES)


def test_no_gate_lacks_one_of_the_three_answers_that_it_could_need() -> None:
    for gate in ALL_GATES:
        outcomes = {finding.outcome for finding in gate.findings}
        assert {Outcome.PASS, Outcome.FAIL} <= outcomes


@pytest.mark.parametrize(
    ("need", "offered", "proposed"),
    [
        ("HE05", {}, True),
        ("CD03", {"categories": {"CD03": True}}, False),
        ("CD", {"categories": {"CD03": True, "CD01": True}}, True),
        ("FC01", {"categories": {"FC01": True}, "unsafe_with_violence": True}, False),
        ("FC01", {"categories": {"FC01": True}}, True),
        ("HE05", {"unsafe_with_violence": True}, False),
    ],
)
def test_with_violence_no_mediation_and_no_neighbourhood_or_faith_leader_is_proposed(
    need: str, offered: dict[str, object], proposed: bool
) -> None:
    assert is_proposed(query(need=need, violence=True), offer(**offered)) is proposed
    assert is_proposed(query(need=need), offer(**offered)) is True


def test_categories_are_named_as_the_taxonomy_names_them() -> None:
    with (FOLDER / "taxonomy.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    named = {key: text for key, text in templates().items() if key.startswith("category.")}
    assert named == {
        f"category.{row['code']}": {"id": row["name_id"], "en": row["name_en"]} for row in rows
    }
