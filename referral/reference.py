"""Reference data that every installation has: coded lists, penalties, taxonomy terms, gazetteer."""

import csv
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from sqlalchemy.orm import Session

from referral.changes import audit
from referral.config import ROOT
from referral.directory import reference as directory
from referral.matching import reference as matching
from referral.places import operations as places
from referral.planning.unmet.models import UnmetReason
from referral.referrals.models import ReasonCode

FOLDER = ROOT / "directory_data"


def load_reference(session: Session, *, now: datetime) -> None:
    """Bring every coded list up to date with directory_data; adds no listing and no account."""
    audit.start(session)
    for row in _rows(FOLDER / "reason_codes.csv"):
        flags = {name: value == "1" for name, value in row.items() if name.startswith("for_")}
        session.merge(ReasonCode(**{name: value or None for name, value in row.items()} | flags))
    for row in _rows(FOLDER / "unmet_reasons.csv"):
        session.merge(UnmetReason(**row | {"counts_as_gap": row["counts_as_gap"] == "1"}))
    directory.load_reference(session, now=now)
    matching.load_reference(session, now=now)
    gazetteer = FOLDER / "gazetteer.csv"
    if gazetteer.exists():
        places.load(session, _rows(gazetteer), source="packages", now=now)
    session.flush()


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)
