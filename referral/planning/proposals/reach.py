"""How well an area reaches a kind of service, from the newest stored measures."""

from typing import Any

import numpy as np
from sqlalchemy.orm import Session

from referral.places.codes import regency_of
from referral.planning.access import queries


def reach_of(
    session: Session, area: str, category: str, *, of_people: bool = True
) -> dict[str, Any] | None:
    """Share of the people who asked with such a service within reach.

    None where nothing was worked out. Of a kecamatan its kab/kota is told; where nobody is known to have asked, or
    not `of_people`, `of` says that the share is one of areas.
    """
    found = queries.overview(session)
    code = regency_of(area) or area
    if found is None or code not in found.areas or category not in found.categories:
        return None
    row, column = found.row(category), found.column(code)
    figures = found.figures
    share, of = figures.covered[row, column], "people"
    if np.isnan(share) or not of_people:
        share, of = figures.covered_areas[row, column], "areas"
    return {
        "made_at": found.made_at.isoformat(),
        "area": code,
        "radius_km": found.radius_km,
        "coverage": _known(share),
        "of": of,
    }


def _known(value: Any) -> float | None:
    return round(float(value), 3) if np.isfinite(value) else None
