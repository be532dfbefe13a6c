"""The nearest service to each gap."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from referral.core.geo import haversine_km
from referral.directory.hsds.visible import visible
from referral.directory.kinds import SystemType
from referral.directory.models import (
    Location,
    Organization,
    Service,
    ServiceAtLocation,
    ServiceCategory,
    ServiceStatus,
)
from referral.places.gazetteer import Gazetteer


@dataclass(frozen=True)
class Nearest:
    """The nearest active service of a category to an area, straight line; km None where none is placed.

    People's own help has no name here: a proposal keeps what it is told, and they may take their word back.
    """

    service_id: UUID | None
    name: str | None
    km: float | None
    #: services of the category anywhere in the directory
    anywhere: int


def nearest(
    session: Session, gazetteer: Gazetteer, pairs: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], Nearest]:
    """For each (area, category) the nearest active service that is no refuge."""
    wanted = {category for _, category in pairs}
    sites: dict[str, list[Any]] = {category: [] for category in wanted}
    rows = session.execute(
        select(
            ServiceCategory.code,
            Service.id,
            Service.name,
            Location.latitude,
            Location.longitude,
            Location.precision_km,
            Location.confidential,
            Organization.system_type,
        )
        .join(Service, Service.id == ServiceCategory.service_id)
        .join(Organization, Organization.id == Service.organization_id)
        .join(ServiceAtLocation, ServiceAtLocation.service_id == Service.id)
        .outerjoin(Location, Location.id == ServiceAtLocation.location_id)
        .where(
            ServiceCategory.code.in_(wanted),
            Service.status == ServiceStatus.ACTIVE,
            visible("service"),
        )
    )
    for row in rows:
        sites[row.code].append(row)
    found = {}
    for area, category in pairs:
        here = gazetteer.locate(area) if area in gazetteer else None
        placed = [
            (
                max(
                    haversine_km(here.latitude, here.longitude, site.latitude, site.longitude),
                    # Placed by area it is somewhere in it, not at its centre.
                    (site.precision_km or 0.0) / 2,
                ),
                site,
            )
            for site in sites[category]
            if here is not None and site.latitude is not None and not site.confidential
        ]
        km, site = min(placed, key=lambda pair: pair[0], default=(None, None))
        found[area, category] = Nearest(
            site.id if site else None, _name(site), km, len(sites[category])
        )
    return found


def _name(site: Any) -> str | None:
    is_named = site is not None and site.system_type is not SystemType.INFORMAL
    return site.name if is_named else None
