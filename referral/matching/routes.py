"""Ways that an office knows: round a bay, by boat. In its matches they stand for the straight line."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from referral.accounts.models import Office, User
from referral.changes import audit
from referral.core.errors import Invalid, NotFound
from referral.core.geo import haversine_km
from referral.matching.facts import Place, Route
from referral.matching.models import KnownRoute
from referral.places.codes import holds
from referral.places.gazetteer import Gazetteer

#: Nobody is sent farther than this; longer is a slip of the keyboard.
FARTHEST_KM = 2_000.0
LONGEST_HOW = 200


def of_office(session: Session, office_id: UUID) -> Sequence[KnownRoute]:
    """The ways that hold today, by where they begin and end."""
    return session.scalars(
        select(KnownRoute)
        .where(KnownRoute.office_id == office_id, KnownRoute.ended_at.is_(None))
        .order_by(KnownRoute.from_code, KnownRoute.to_code, KnownRoute.id)
    ).all()


def get(session: Session, user: User, route_id: UUID) -> KnownRoute:
    """A way of this person's own office that still holds."""
    route = session.get(KnownRoute, route_id)
    if route is None or route.office_id != user.office_id or route.ended_at is not None:
        raise NotFound("match.route.unknown")
    return route


def known(session: Session, office_id: UUID | None, place: Place | None) -> tuple[Route, ...]:
    """The ways that an office knows from a place.

    To each area the one that begins in the smallest area around the place; of equal ones the shortest.
    """
    if office_id is None or place is None:
        return ()
    best: dict[str, KnownRoute] = {}
    for route in of_office(session, office_id):
        if not holds(route.from_code, place.code):
            continue
        other = best.get(route.to_code)
        if other is None or _rank(route) < _rank(other):
            best[route.to_code] = route
    return tuple(Route(one.to_code, one.km, one.how) for _, one in sorted(best.items()))


def _rank(route: KnownRoute) -> tuple[int, float]:
    return -len(route.from_code), route.km


def least_km(gazetteer: Gazetteer, from_code: str, to_code: str) -> float:
    """The straight line between the nearest ends of two areas, as far as they are known: no way is shorter."""
    here, there = gazetteer.locate(from_code), gazetteer.locate(to_code)
    if here is None or there is None:
        return 0.0
    km = haversine_km(here.latitude, here.longitude, there.latitude, there.longitude)
    return max(0.0, km - here.precision_km - there.precision_km)


def enter(
    session: Session,
    gazetteer: Gazetteer,
    *,
    office: Office,
    from_code: str,
    to_code: str,
    km: float,
    how: str,
    both_ways: bool,
    by: User,
    now: datetime,
) -> list[KnownRoute]:
    """Keep a way; `both_ways` keeps the way back too. An earlier one between the two ends with it."""
    if holds(from_code, to_code) or holds(to_code, from_code):
        raise Invalid("match.route.within", field="to")
    if not how:
        raise Invalid("match.route.how", field="how")
    if not 0 < km <= FARTHEST_KM:
        raise Invalid("match.route.km", field="km", farthest=FARTHEST_KM)
    least = least_km(gazetteer, from_code, to_code)
    if km < least:
        raise Invalid("match.route.too_short", field="km", least=least)
    ends = [(from_code, to_code)] + ([(to_code, from_code)] if both_ways else [])
    for earlier in of_office(session, office.id):
        if (earlier.from_code, earlier.to_code) in ends:
            end(session, earlier, by=by, now=now)
    entered = []
    for begins, leads in ends:
        route = KnownRoute(
            office_id=office.id,
            from_code=begins,
            to_code=leads,
            km=km,
            how=how,
            created_at=now,
            by_id=by.id,
        )
        session.add(route)
        audit.record(
            session,
            "route.entered",
            route,
            by=by,
            now=now,
            office_id=office.id,
            from_code=begins,
            to_code=leads,
            km=km,
        )
        entered.append(route)
    return entered


def end(session: Session, route: KnownRoute, *, by: User, now: datetime) -> None:
    """From now on the straight line counts again; receipts keep the way as it was."""
    route.ended_at = now
    audit.record(session, "route.ended", route, by=by, now=now, office_id=route.office_id)
