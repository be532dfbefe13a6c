"""Where resources should stand on the real places and facilities: published figures of two provinces."""

import csv
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session

from referral.places import operations as places
from referral.planning.siting import operations
from referral.planning.siting.questions import By, Kind, Question
from tests.factories import Make

LIST = "data/idn/gazetteer/gazetteer_l1_l3.csv"
FACILITIES = "data/idn/facilities/facilities_all.csv"


@pytest.fixture
def country(session: Session, make: Make, shared: Path) -> None:
    """The places of the shared list with their population, and of the facilities the vocational training centres."""
    with (shared / LIST).open(encoding="utf-8-sig", newline="") as file:
        places.load(session, csv.DictReader(file), source="shared", now=datetime.now(UTC))
    with (shared / FACILITIES).open(encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file):
            if row["jenis"] == "BPVP" and row["lat"]:
                at = (float(row["lat"]), float(row["lon"]))
                make.service("VR01", at=at, name=row["nama"], facility_type="BPVP")


def test_a_training_centre_for_nusa_tenggara_timur(
    session: Session, now: datetime, country: Any
) -> None:
    question = Question("VR01", "53", within_km=50.0, by=By.POPULATION, kinds=(Kind.SEAT,))

    answer = operations.work_out(session, question, now=now)

    counts = answer["counts"]
    assert answer["people"]["all"] == 5_700_772
    assert [one["count"] for one in counts] == [1, 2, 3, 4, 5]
    assert all(one["is_proven"] for one in counts)
    reached = [answer["before"]["people"], *(one["people"] for one in counts)]
    gains = [after - before for before, after in pairwise(reached)]
    assert reached == sorted(reached)
    assert gains == sorted(gains, reverse=True)
    # One centre in Kupang today; five more bring two in three people within 50 km.
    assert answer["before"]["share"] == pytest.approx(11.4, abs=1.0)
    assert counts[0]["share"] == pytest.approx(27.6, abs=2.0)
    assert counts[4]["share"] == pytest.approx(69.0, abs=3.0)
    widths = [row["best"] for row in answer["sensitivity"]]
    assert all(narrow <= wide for narrow, wide in pairwise(widths))
