"""Whom a proposal may ask to join in: kinds of organizations of this country and what each can bring. Pure."""

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FILE = Path(__file__).parents[3] / "directory_data" / "partners.csv"


@dataclass(frozen=True)
class Suggested:
    """A kind of partner, in both languages; `source` is where the kind is laid down, "" where it is custom."""

    code: str
    name: dict[str, str]
    brings: dict[str, str]
    source: str


@cache
def suggested() -> tuple[Suggested, ...]:
    """Every kind, in the order of the file."""
    with FILE.open(encoding="utf-8", newline="") as file:
        return tuple(
            Suggested(
                row["code"],
                {"id": row["name_id"], "en": row["name_en"]},
                {"id": row["brings_id"], "en": row["brings_en"]},
                row["source"],
            )
            for row in csv.DictReader(file)
        )
