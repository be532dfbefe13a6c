"""Reading measures of access that were worked out: what pages, downloads and commands show."""

import io
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any
from uuid import UUID

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from referral.places.codes import province_of, regency_of
from referral.planning.access.bands import Floats, groups
from referral.planning.access.measuring import Summary
from referral.planning.access.models import AccessResult, AccessRun

#: Every help together; its result also says where the areas are.
EVERYTHING = ""
#: The row that holds every category's summaries by kab/kota, by province and of the country.
OVERVIEW = "*"
#: Every kind of resource system together.
ALL_SYSTEMS = ""


@dataclass(frozen=True)
class Access:
    """The measures of one category (and kind of resource system) of one run, each array over `areas`.

    supply   what was counted: sites, usable, told, full, remote, confidential, unplaced, places, and `demand`
    arrays   float32 by the names of measuring.MEASURES
    """

    run_id: UUID
    made_at: datetime
    release_id: UUID | None
    radius_km: float
    category: str
    system: str
    areas: list[str]
    supply: dict[str, Any]
    arrays: dict[str, Floats]

    def __getitem__(self, name: str) -> Floats:
        return self.arrays[name]


@dataclass(frozen=True)
class Overview:
    """Every category's summaries: `figures.covered[category, area]` with the numbers of `row` and `column`."""

    run_id: UUID
    made_at: datetime
    radius_km: float
    categories: list[str]
    #: kab/kota, then provinces, then "" for the country
    areas: list[str]
    figures: Summary

    def row(self, category: str) -> int:
        return self.categories.index(category)

    def column(self, area: str) -> int:
        return self.areas.index(area)


def latest(session: Session) -> AccessRun | None:
    """The newest run; None before the first."""
    newest = select(AccessRun).order_by(AccessRun.made_at.desc(), AccessRun.id.desc()).limit(1)
    return session.scalar(newest)


def read(
    session: Session, category: str, system: str = ALL_SYSTEMS, *, run: AccessRun | None = None
) -> Access | None:
    """A category's measures of the newest run, or of `run`; None where there are none."""
    run = run or latest(session)
    result = session.get(AccessResult, (run.id, category, system)) if run else None
    if run is None or result is None:
        return None
    return Access(
        run_id=run.id,
        made_at=run.made_at,
        release_id=run.release_id,
        radius_km=run.radius_km,
        category=category,
        system=system,
        areas=run.areas,
        supply=result.supply,
        arrays=unpack(result.arrays),
    )


def points(session: Session, *, run: AccessRun | None = None) -> Floats | None:
    """(n, 2) latitude and longitude of the run's areas, NaN where nobody knows; None before the first run."""
    found = read(session, EVERYTHING, run=run)
    return np.column_stack([found["latitude"], found["longitude"]]) if found else None


def overview(
    session: Session, system: str = ALL_SYSTEMS, *, run: AccessRun | None = None
) -> Overview | None:
    """All categories by kab/kota and province at once; None where there is no run."""
    run = run or latest(session)
    result = session.get(AccessResult, (run.id, OVERVIEW, system)) if run else None
    if run is None or result is None:
        return None
    arrays: dict[str, Any] = unpack(result.arrays)
    regencies, _ = groups([regency_of(code) or code for code in run.areas])
    provinces, _ = groups([province_of(code) for code in run.areas])
    return Overview(
        run_id=run.id,
        made_at=run.made_at,
        radius_km=run.radius_km,
        categories=result.supply["categories"],
        areas=[*regencies, *provinces, ""],
        figures=Summary(**{field.name: arrays[field.name] for field in fields(Summary)}),
    )


def pack(arrays: Mapping[str, Any]) -> bytes:
    """Arrays as a compressed file of NumPy, in half of their precision: a measure has seven digits at most."""
    file = io.BytesIO()
    half: dict[str, Any] = {name: np.asarray(values, np.float32) for name, values in arrays.items()}
    np.savez_compressed(file, **half)
    return file.getvalue()


def unpack(content: bytes) -> dict[str, Floats]:
    """The arrays of a result by name."""
    with np.load(io.BytesIO(content), allow_pickle=False) as file:
        return {name: file[name] for name in file.files}
