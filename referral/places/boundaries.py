"""Boundaries of areas in the database: taken from a GeoJSON file, and read for maps and for where a point lies."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import ijson
import shapely
from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from referral.core.careful_json import CarefulJson
from referral.core.errors import Finding, Invalid
from referral.places import outlines, queries
from referral.places.models import AreaBoundary, PlaceLoad
from referral.places.outlines import Anchor

#: A million corners; the finest outline of a regency has some hundred thousand. Read, it is ten times as large.
LARGEST_AREA_BYTES = 50 << 20


@dataclass(frozen=True)
class BoundaryReport:
    """What became of the features of a file: each is in an area or has a finding."""

    features: int
    code_property: str
    added: int
    changed: int
    unchanged: int
    mended: int
    joined: int
    area_km2: float
    findings: list[Finding]

    def as_counts(self) -> dict[str, Any]:
        return {
            "features": self.features,
            "code_property": self.code_property,
            "added": self.added,
            "changed": self.changed,
            "unchanged": self.unchanged,
            "mended": self.mended,
            "joined": self.joined,
            "area_km2": self.area_km2,
            "rejected": len(self.findings),
        }


def features(path: Path) -> Iterable[Any]:
    """The features of a GeoJSON file, one after another. Raises Invalid where it breaks or has none."""
    found = False
    with path.open("rb") as file:
        try:
            careful = CarefulJson(_without_mark(file), LARGEST_AREA_BYTES)
            for feature in ijson.items(careful, "features.item", use_float=True):
                found = True
                yield feature
        except (ijson.JSONError, UnicodeDecodeError, ValueError):
            raise Invalid("place.boundary.file", field="geojson") from None
    if not found:
        raise Invalid("place.boundary.file", field="geojson")


def _without_mark(file: IO[bytes]) -> IO[bytes]:
    if file.read(3) != b"\xef\xbb\xbf":
        file.seek(0)
    return file


def read(
    session: Session, found: Iterable[Any], *, code_property: str | None = None
) -> outlines.Read:
    """The outlines in a stream of GeoJSON features, for areas of the gazetteer.

    Takes minutes for large files: take the write lock after it. Raises Invalid where no property holds codes
    of areas.
    """
    places = queries.gazetteer(session)
    known: dict[str, Anchor] = {}
    for place in places:
        at = places.locate(place.code)
        # Only its own point tells where it is; that of its province may be far away.
        known[place.code] = (
            Anchor(at.latitude, at.longitude, at.precision_km)
            if at and at.at is place
            else Anchor(None, None, 0.0)
        )
    return outlines.read(found, known, code_property=code_property)


def keep(session: Session, read: outlines.Read, *, source: str) -> BoundaryReport:
    """Keep the outlines that were read, lighter than they came. Areas not in them stay as they are. Flushes."""
    rows = _rows(read.outlines, source)
    standing = {row.code: row for row in session.scalars(select(AreaBoundary))}
    added = [row for row in rows if row["code"] not in standing]
    changed = [
        row
        for row in rows
        if row["code"] in standing
        and any(getattr(standing[row["code"]], name) != row[name] for name in ("shape", "area_km2"))
    ]
    if changed:
        codes = [row["code"] for row in changed]
        session.execute(delete(AreaBoundary).where(AreaBoundary.code.in_(codes)))
    if added or changed:
        session.execute(insert(AreaBoundary), [*added, *changed])
        session.add(PlaceLoad(source=source, changed_count=len(added) + len(changed)))
    session.flush()
    session.expire_all()
    return BoundaryReport(
        features=read.features,
        code_property=read.code_property,
        added=len(added),
        changed=len(changed),
        unchanged=len(rows) - len(added) - len(changed),
        mended=read.mended,
        joined=read.joined,
        area_km2=round(sum(outline.area_km2 for outline in read.outlines), 1),
        findings=read.findings,
    )


def _rows(found: list[outlines.Outline], source: str) -> list[dict[str, Any]]:
    """Level by level: only areas of one level share borders."""
    rows = []
    for level in sorted({outline.code.count(".") for outline in found}):
        here = [outline for outline in found if outline.code.count(".") == level]
        light = outlines.lighter([outline.shape for outline in here], outlines.KEPT_DEGREES)
        for outline, shape in zip(here, light, strict=True):
            west, south, east, north = shape.bounds
            rows.append(
                {
                    "code": outline.code,
                    "shape": shapely.to_wkb(shape),
                    "west": west,
                    "south": south,
                    "east": east,
                    "north": north,
                    "area_km2": outline.area_km2,
                    "source": source,
                }
            )
    return rows
