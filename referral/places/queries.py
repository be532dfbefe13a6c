"""Reads places: the gazetteer of this process, and how much of the country it covers."""

from collections.abc import Iterable, Mapping
from threading import Lock
from typing import TYPE_CHECKING, Any
from uuid import UUID
from weakref import WeakKeyDictionary

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from referral.core.geo import haversine_km
from referral.places import gazetteer as memory
from referral.places.models import AreaBoundary, Place, PlaceAlias, PlaceLoad

if TYPE_CHECKING:
    from referral.places.outlines import Outlines

_kept: WeakKeyDictionary[Engine, tuple[UUID | None, memory.Gazetteer]] = WeakKeyDictionary()
_lock = Lock()
_COLUMNS = (
    Place.code,
    Place.level,
    Place.name,
    Place.parent_code,
    Place.latitude,
    Place.longitude,
    Place.precision_km,
    Place.point_source,
    Place.population,
    Place.time_zone,
)


def gazetteer(session: Session) -> memory.Gazetteer:
    """All places in memory; read again only when the gazetteer has changed since."""
    stamp = session.scalar(select(PlaceLoad.id).order_by(PlaceLoad.id.desc()).limit(1))
    engine = session.connection().engine
    with _lock:
        kept = _kept.get(engine)
        if kept is None or kept[0] != stamp:
            kept = _kept[engine] = (stamp, _read(session))
    return kept[1]


def _read(session: Session) -> memory.Gazetteer:
    places = session.execute(select(*_COLUMNS).order_by(Place.code)).mappings()
    aliases = session.execute(
        select(PlaceAlias.alias, PlaceAlias.code, PlaceAlias.kind).order_by(
            PlaceAlias.alias, PlaceAlias.code
        )
    )
    return memory.Gazetteer(
        (memory.Place(**place) for place in places),
        (memory.Alias(*alias) for alias in aliases),
        _outlines(session),
    )


def _outlines(session: Session) -> "Outlines | None":
    query = select(AreaBoundary.code, AreaBoundary.shape).order_by(AreaBoundary.code)
    kept = {row.code: row.shape for row in session.execute(query)}
    if not kept:
        return None
    from referral.places.outlines import Outlines  # geometry loads slowly

    return Outlines(kept)


def coverage(places: Iterable[memory.Place]) -> dict[str, Any]:
    """How many provinces, regencies and kecamatan have a point of their own, and from which sources."""
    names = {1: "provinces", 2: "regencies", 3: "districts"}
    counted: dict[str, dict[str, Any]] = {
        name: {"total": 0, "placed": 0, "by_source": {}} for name in names.values()
    }
    for place in places:
        level = counted[names[place.level]]
        level["total"] += 1
        if place.latitude is not None:
            level["placed"] += 1
            source = place.point_source or ""
            level["by_source"][source] = level["by_source"].get(source, 0) + 1
    return counted


def against(places: memory.Gazetteer, rows: Iterable[Mapping[str, str]]) -> dict[str, Any]:
    """How far our points lie from those of another list (columns kode, lat, lon), per level.

    `far` names every place more than 60 km off, with the precision we say it has.
    """
    km_by_level: dict[int, list[float]] = {}
    unplaced: dict[int, int] = {}
    far = []
    for row in rows:
        if not row.get("lat") or row["kode"] not in places:
            continue
        place = places.get(row["kode"])
        if place.latitude is None or place.longitude is None:
            unplaced[place.level] = unplaced.get(place.level, 0) + 1
            continue
        km = haversine_km(place.latitude, place.longitude, float(row["lat"]), float(row["lon"]))
        km_by_level.setdefault(place.level, []).append(km)
        if km > 60:
            far.append(
                {
                    "code": place.code,
                    "name": place.name,
                    "km": round(km, 1),
                    "precision_km": place.precision_km,
                }
            )
    return {
        "levels": {
            str(level): _spread(sorted(km_by_level.get(level, [])), unplaced.get(level, 0))
            for level in sorted({*km_by_level, *unplaced})
        },
        "far": sorted(far, key=lambda one: (-one["km"], one["code"])),
    }


def _spread(km: list[float], unplaced: int) -> dict[str, Any]:
    total = len(km) + unplaced
    return {
        "compared": total,
        "unplaced": unplaced,
        "within_25_km": sum(one < 25 for one in km),
        "within_25_km_share": round(sum(one < 25 for one in km) / total, 4) if total else None,
        "beyond_60_km": sum(one > 60 for one in km),
        **{
            f"p{share}_km": round(km[min(len(km) - 1, len(km) * share // 100)], 1)
            for share in (50, 75, 90, 95)
            if km
        },
    }
