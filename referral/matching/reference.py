"""The penalty table that holds where an office has none of its own."""

import csv
from datetime import datetime
from functools import cache
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from referral.matching.models import PenaltyTable

PENALTIES = Path(__file__).parents[2] / "directory_data" / "penalties.csv"


@cache
def rules() -> tuple[str, ...]:
    """The rules of every penalty table, in the order they are told."""
    return tuple(_steps())


def load_reference(session: Session, *, now: datetime) -> None:
    """Keep directory_data/penalties.csv as a new version where it differs from the newest."""
    steps = _steps()
    newest = session.scalar(
        select(PenaltyTable)
        .where(PenaltyTable.office_id.is_(None))
        .order_by(PenaltyTable.number.desc())
        .limit(1)
    )
    if newest is None or newest.steps != steps:
        number = 1 if newest is None else newest.number + 1
        session.add(PenaltyTable(office_id=None, number=number, steps=steps, created_at=now))
        session.flush()


def _steps() -> dict[str, float]:
    with PENALTIES.open(encoding="utf-8", newline="") as file:
        return {row["rule"]: float(row["steps"]) for row in csv.DictReader(file)}
