"""`flask gaps`: releases, tells figures with what stands in for those that may not be told, and proves them."""

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from referral.planning.gaps.models import GapFigure, Measure
from referral.planning.unmet import ledger
from tests.factories import Make

PEOPLE = {"33.74": 6, "33.71": 2, "35.78": 9}


@pytest.fixture
def waiting(session: Session, make: Make) -> None:
    """People of three kab/kota whom no day care takes, as of today."""
    now, broker = datetime.now(UTC), make.user()
    for area, people in PEOPLE.items():
        for _ in range(people):
            client = make.client(broker.office, stays_at={"code": area})
            case = make.case(broker=broker, client=client)
            need = make.need(case, category="FC05", assessed_at=now)
            ledger.record_unmet(session, need, reason="U01", by=broker, now=now)
    session.flush()


def test_a_release_is_made_once_and_then_says_that_nothing_is_new(cli: Any, waiting: None) -> None:
    made, again = cli("gaps", "release", "--json"), cli("gaps", "release", "--lang", "en")

    assert (made.exit_code, made.json["made"]) == (0, True)
    assert made.json["release"]["threshold"] == 5
    assert again.stdout.startswith("There is nothing new to release")


def test_a_figure_is_told_and_a_small_one_by_the_wider_one_that_stands_in(
    cli: Any, waiting: None
) -> None:
    cli("gaps", "release")

    told = cli("gaps", "show", "--area", "35.78", "--category", "FC05", "--lang", "en")
    small = cli("gaps", "show", "--area", "33.71", "--category", "FC05", "--lang", "en", "--json")

    assert told.stdout.splitlines()[1].startswith("9 people: Kota Surabaya")
    assert small.json["wanted"]["area"] == "33.71"
    assert (small.json["told"]["area"], small.json["people"]) == ("33", 8)
    assert ": Kota Magelang, Jawa Tengah; Day care" in small.json["words"]
    assert small.json["words"].endswith("In its place 8 people for Jawa Tengah.")


def test_what_is_inside_and_the_coming_and_going_are_listed(cli: Any, waiting: None) -> None:
    cli("gaps", "release")

    answer = cli("gaps", "show", "--category", "FC05", "--by", "area", "--trend", "--json").json

    assert [(one["area"], one["shown"]) for one in answer["inside"]] == [
        ("33", "count"),
        ("35", "count"),
    ]
    assert answer["trend"][-1]["year"] == {"shown": "count", "count": 17}
    assert answer["trend"][-1]["own"] is None


@pytest.mark.parametrize(
    ("option", "value"),
    [("--category", "XX99"), ("--area", "Atlantis"), ("--reason", "U77"), ("--period", "2001-Q1")],
)
def test_a_part_that_there_is_not_is_wrong_usage(
    cli: Any, waiting: None, option: str, value: str
) -> None:
    cli("gaps", "release")

    assert cli("gaps", "show", option, value, "--json").exit_code == 2


def test_without_a_release_every_reading_command_says_how_to_make_one(cli: Any) -> None:
    for command in ("show", "certificate", "audit"):
        refused = cli("gaps", command, "--lang", "en")
        assert (refused.exit_code, refused.stdout) == (2, "")
        assert "flask gaps release" in refused.stderr


def test_the_audit_finds_nothing_in_an_untouched_release_and_one_changed_figure(
    cli: Any, session: Session, waiting: None
) -> None:
    cli("gaps", "release")
    assert cli("gaps", "audit").exit_code == 0

    session.execute(
        update(GapFigure)
        .where(GapFigure.measure == Measure.UNMET, GapFigure.area == "33.71")
        .values(shown="count", people=2)
    )
    found = cli("gaps", "audit", "--json")

    assert found.exit_code == 1
    whats = {one["what"] for answer in found.json for one in answer["findings"]}
    assert whats == {"certificate", "exposed"}


def test_the_certificate_says_what_was_hidden(cli: Any, waiting: None) -> None:
    cli("gaps", "release")

    kept = cli("gaps", "certificate", "--json").json["certificate"]
    printed = cli("gaps", "certificate", "--lang", "en").stdout

    assert set(kept) == {each.value for each in Measure}
    assert kept["unmet"]["primary"] >= 1
    assert kept["unmet"]["digest"] in printed.replace("\n", "")
