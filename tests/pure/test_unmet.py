"""The reason an unmet need starts with is read off the match."""

import csv
from pathlib import Path
from typing import Any

import pytest

from referral.planning.unmet.reasons import prefilled_reason

DATA = Path(__file__).resolve().parents[2] / "directory_data"


def tally(**values: Any) -> dict[str, Any]:
    return {"considered": 0, "options": 0, "remote": 0, "no_capacity": 0, "failed": {}} | values


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (tally(), "U01"),
        (tally(considered=2, failed={"active": 2}), "U01"),
        (tally(considered=3, failed={"within": 3}), "U02"),
        (tally(considered=3, failed={"within": 2, "active": 1}), "U02"),
        (tally(considered=4, options=2, no_capacity=2, failed={"age": 2}), "U03"),
        (tally(considered=4, options=1, remote=1, no_capacity=1), None),
        (tally(considered=2, failed={"age": 2}), "U05"),
        (tally(considered=2, failed={"documents": 2, "within": 1}), "U06"),
        (tally(considered=2, failed={"accessibility": 2}), "U11"),
        (tally(considered=2, failed={"sex": 2}), "U12"),
        (tally(considered=2, failed={"age": 1, "sex": 1}), None),
        (tally(considered=2, failed={"age": 2, "sex": 2}), None),
        (tally(considered=5, options=3), None),
    ],
)
def test_the_reason_follows_from_what_kept_the_services_out(
    found: dict[str, Any], reason: str | None
) -> None:
    assert prefilled_reason(found) == reason


def rows(name: str) -> list[dict[str, str]]:
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_every_reason_a_referral_ends_with_suggests_a_known_unmet_reason_or_none() -> None:
    known = {row["code"] for row in rows("unmet_reasons.csv")}
    suggested = {row["unmet_reason"] for row in rows("reason_codes.csv")} - {""}

    assert suggested <= known
    assert {row["party"] for row in rows("reason_codes.csv")} == {
        "both",
        "client",
        "directory",
        "provider",
        "system",
    }
