"""Where the public directory has services of a kind: counts by area and points, kept until the directory changes."""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from referral.changes import directory as changes
from referral.core.kept import Kept
from referral.directory.hsds.visible import visible
from referral.directory.models import (
    Location,
    Organization,
    Service,
    ServiceAtLocation,
    ServiceCategory,
    ServiceStatus,
)
from referral.places.codes import REGENCY_LENGTH, province_of

_kept: Kept[Any] = Kept(256)


def services_by_area(session: Session, category: str, system: str) -> Mapping[str, int]:
    """Active public services of a category by kab/kota and province; one at two places of an area counts once."""
    found: Mapping[str, int] = _once(
        session, ("areas", category, system), lambda: _by_area(session, category, system)
    )
    return found


def _by_area(session: Session, category: str, system: str) -> dict[str, int]:
    area = func.substr(Location.area_code, 1, REGENCY_LENGTH)
    query = (
        select(area, Service.id)
        .distinct()
        .join(ServiceAtLocation, ServiceAtLocation.service_id == Service.id)
        .join(Location, Location.id == ServiceAtLocation.location_id)
        .where(*_offered(category, system), Location.area_code.is_not(None))
    )
    found = {(code, service) for code, service in session.execute(query)}
    found |= {(province_of(code), service) for code, service in found}
    return Counter(code for code, _service in found)


def points(session: Session, category: str, system: str) -> Any:
    """(n, 2) latitude and longitude of such services; refuges are left out."""
    return _once(session, ("points", category, system), lambda: _points(session, category, system))


def _points(session: Session, category: str, system: str) -> Any:
    query = (
        select(Location.latitude, Location.longitude, Location.confidential)
        .join(ServiceAtLocation, ServiceAtLocation.location_id == Location.id)
        .where(
            ServiceAtLocation.service_id.in_(select(Service.id).where(*_offered(category, system)))
        )
    )
    # Sorted out here: a database that starts from places that are not secret reads nearly all of them.
    found = {
        (row.latitude, row.longitude)
        for row in session.execute(query)
        if row.latitude is not None and not row.confidential
    }
    return np.array(sorted(found), float).reshape(-1, 2)


def _offered(category: str, system: str) -> list[ColumnElement[bool]]:
    offered: list[Any] = [visible("service"), Service.status == ServiceStatus.ACTIVE]
    if category:
        of_kind = select(ServiceCategory.service_id).where(
            ServiceCategory.code.startswith(category, autoescape=True)
        )
        offered.append(Service.id.in_(of_kind))
    if system:
        run_by = select(Organization.id).where(Organization.system_type == system)
        offered.append(Service.organization_id.in_(run_by))
    return offered


def _once(session: Session, key: tuple[str, ...], make: Callable[[], Any]) -> Any:
    """The answer for the directory as it stands; made again only after a change."""
    engine = session.connection().engine
    return _kept.once((id(engine), changes.version(session), *key), make)


def forget() -> None:
    """Read everything anew: for tests, whose changes are undone without a new version."""
    _kept.forget()
