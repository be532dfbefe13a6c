"""A synthetic directory for benchmarks, fixed by its seed: names as Indonesian offices and organizations bear them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import numpy as np
from sqlalchemy import insert
from sqlalchemy.orm import Session

from referral.changes.models import DirectoryChange
from referral.core.db import new_id
from referral.directory.kinds import CategoryBasis, SystemType
from referral.directory.models import (
    CostOption,
    Location,
    Organization,
    Schedule,
    Service,
    ServiceAtLocation,
    ServiceCategory,
)
from referral.directory.reference import taxonomy
from referral.places.queries import gazetteer

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
_KINDS = (
    "Puskesmas", "Puskesmas Pembantu", "Klinik Pratama", "RSUD", "RS Umum", "SLB Negeri", "SLB", "SMK Negeri",
    "Yayasan", "Yayasan", "Panti Asuhan", "LKSA", "Panti Sosial Tresna Werdha", "Rumah Singgah", "Posyandu",
    "PKBM", "LBH", "Dinas Sosial", "BLK", "LPK", "Taman Penitipan Anak", "Balai Rehabilitasi", "Koperasi",
    "Kelompok Dukungan Sebaya", "Lembaga Kesejahteraan Sosial",
)  # fmt: skip
_VIRTUES = [
    "Harapan",
    "Kasih",
    "Budi",
    "Mulia",
    "Bina",
    "Insani",
    "Cahaya",
    "Bunda",
    "Al",
    "Ikhlas",
    "Nurul",
    "Huda",
    "Sejahtera",
    "Mandiri",
    "Karya",
    "Bakti",
    "Sinar",
    "Surya",
    "Melati",
    "Kenanga",
    "Mawar",
    "Cempaka",
    "Tunas",
    "Bangsa",
    "Mitra",
    "Peduli",
    "Bersama",
    "Lestari",
    "Sentosa",
    "Amanah",
    "Rahmat",
    "Sayap",
    "Ibu",
    "Pelita",
]
_STARTS = [
    "b",
    "c",
    "d",
    "g",
    "h",
    "j",
    "k",
    "l",
    "m",
    "n",
    "p",
    "r",
    "s",
    "t",
    "w",
    "ng",
    "ny",
    "pr",
    "tr",
    "kr",
    "br",
    "sy",
]
_VOWELS = ["a", "a", "a", "i", "u", "e", "o"]
_ENDS = ["n", "ng", "r", "s", "t", "k", "h", "l", "m"] + [""] * 9
_HOURS = (
    ("MO,TU,WE,TH,FR", "08:00", "16:00"),
    ("MO,TU,WE,TH,FR,SA", "07:30", "14:00"),
    ("MO,WE", "09:00", "12:00"),
)


@dataclass(frozen=True)
class Listing:
    """One synthetic service."""

    name: str
    organization: str
    codes: tuple[str, ...]
    area: str
    at: tuple[float, float]
    hours: tuple[str, str, str] | None
    is_free: bool


def areas_of(session: Session) -> list[tuple[str, str, float, float]]:
    """Kecamatan with their names and points; some invented ones where no gazetteer is built."""
    places = gazetteer(session)
    found = []
    for place in places:
        if place.level == 3 and (located := places.locate(place.code)):
            found.append((place.code, place.name, located.latitude, located.longitude))
    return found or [("33.74.01", "Contoh", -6.99, 110.42)]


def listings_of(
    draw: np.random.Generator, areas: Sequence[tuple[str, str, float, float]], count: int
) -> Iterator[Listing]:
    """`count` listings in the areas."""
    leaves = [term.code for term in taxonomy() if term.level > 1]
    shares = 1 / np.arange(2, len(_KINDS) + 2)
    shares /= shares.sum()
    invented = [_invented(draw) for _ in range(count // 4)]
    for _ in range(count):
        area, place, latitude, longitude = areas[int(draw.integers(len(areas)))]
        kind = _KINDS[int(draw.choice(len(_KINDS), p=shares))]
        words = [kind]
        if draw.random() < 0.4:
            words += list(draw.choice(_VIRTUES, int(draw.integers(1, 3)), replace=False))
        if draw.random() < 0.6:
            words.append(place)
        if draw.random() < 0.6 or len(words) == 1:
            words.append(invented[min(int(draw.zipf(1.1)) % len(invented), len(invented) - 1)])
        if draw.random() < 0.15:
            words.append(str(int(draw.integers(1, 20))))
        yield Listing(
            name=" ".join(words),
            organization=f"Dinas Kesehatan {place}" if draw.random() < 0.5 else " ".join(words),
            codes=tuple({leaves[int(r) % len(leaves)] for r in draw.zipf(1.3, 2)}),
            area=area,
            at=(latitude + draw.normal(0, 0.03), longitude + draw.normal(0, 0.03)),
            hours=_HOURS[int(draw.integers(3))] if draw.random() < 0.5 else None,
            is_free=bool(draw.random() < 0.3),
        )


def _invented(draw: np.random.Generator) -> str:
    """A name as villages and people bear: two to four syllables."""
    text = ""
    for _ in range(int(draw.integers(2, 5))):
        text += str(draw.choice(_STARTS)) + str(draw.choice(_VOWELS)) + str(draw.choice(_ENDS))
    return text.capitalize()


def fill(session: Session, listings: Sequence[Listing]) -> None:
    """Save the listings and tell the feed."""
    rows: dict[Any, list[dict[str, Any]]] = {
        table: []
        for table in (
            Organization, Service, Location, ServiceAtLocation, ServiceCategory, Schedule, CostOption,
        )
    }  # fmt: skip
    organizations: dict[str, UUID] = {}
    for one in listings:
        if one.organization not in organizations:
            organizations[one.organization] = new_id()
        service, location = new_id(), new_id()
        rows[Service].append(
            {
                "id": service,
                "organization_id": organizations[one.organization],
                "name": one.name,
                "last_modified": NOW,
                "version": 1,
            }
        )
        latitude, longitude = one.at
        point = {"latitude": latitude, "longitude": longitude, "precision_km": 0.5}
        rows[Location].append(
            {"id": location, "area_code": one.area, "confidential": False, **point}
        )
        rows[ServiceAtLocation].append(
            {"id": new_id(), "service_id": service, "location_id": location}
        )
        rows[ServiceCategory] += [
            {"id": new_id(), "service_id": service, "code": code, "basis": CategoryBasis.STATED}
            for code in one.codes
        ]
        if one.hours:
            days, opens, closes = one.hours
            rows[Schedule].append(
                {
                    "id": new_id(),
                    "service_id": service,
                    "freq": "WEEKLY",
                    "byday": days,
                    "opens_at": opens,
                    "closes_at": closes,
                    "timezone": 7.0,
                }
            )
        if one.is_free:
            rows[CostOption].append({"id": new_id(), "service_id": service, "amount": 0.0})
    rows[Organization] = [
        {"id": key, "name": name, "system_type": SystemType.SOCIETAL}
        for name, key in organizations.items()
    ]
    for table, values in rows.items():
        for start in range(0, len(values), 10_000):
            session.execute(insert(table), values[start : start + 10_000])
    session.add(DirectoryChange(at=NOW, service_id=None))
    session.commit()
