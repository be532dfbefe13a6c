"""A plan of visits: made of the matches of several needs, kept, and found again."""

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import case as either
from sqlalchemy import select
from sqlalchemy.orm import Session

from referral.accounts.models import User
from referral.casework.models import Case, Client, Need, Urgency
from referral.casework.queries import theirs
from referral.changes import audit
from referral.core.errors import NotAllowed, NotFound
from referral.directory import closed_days
from referral.directory.duplicates import normal
from referral.directory.models import Address, Location, Service, ServiceAtLocation
from referral.matching import candidates, operations, queries
from referral.matching.models import MatchReceipt, VisitPlan
from referral.matching.plans import (
    CANDIDATES,
    Option,
    Spot,
    fewest_places,
    is_worth_it,
    one_place,
    own_best,
    usable,
    within_places,
)
from referral.matching.rules import VIOLENT_NEEDS
from referral.matching.telling import DOOR_PRECISION_KM
from referral.matching.ways import Site, Way
from referral.places.queries import gazetteer

#: The ways a plan may be put together, as its content names them; the first is the plan, the others stand beside.
KINDS = ("fewest", "one_more", "at_home", "own_best")


@dataclass(frozen=True)
class Parted:
    """Which needs go into one plan, and which never do.

    emergencies  are a phone call, not a trip
    apart        of others in a household where somebody may be the danger: their ways must not cross
    """

    together: Sequence[Need]
    emergencies: Sequence[Need]
    apart: Sequence[Need]
    violence: bool


def parted(case: Case, needs: Iterable[Need]) -> Parted:
    """Sort the needs of a case; with violence only those of the client go together."""
    needs = list(needs)
    violence = case.has_violence or any(need.category in VIOLENT_NEEDS for need in needs)
    emergencies = [need for need in needs if need.urgency is Urgency.EMERGENCY]
    others = [need for need in needs if need not in emergencies]
    apart = [need for need in others if violence and need.beneficiary_id is not None]
    return Parted([need for need in others if need not in apart], emergencies, apart, violence)


def make(
    session: Session,
    case: Case,
    needs: Iterable[Need],
    *,
    by: User,
    now: datetime,
    at: datetime,
    within: float | None,
) -> VisitPlan:
    """Match every need, keep the receipts, and keep the plan that follows from them, sealed with the client's key.

    at      when the client would set out
    within  as far as they travel, km; None: no limit
    Raises NotAllowed where no need can be planned.
    """
    sorted_needs = parted(case, needs)
    if not sorted_needs.together:
        raise NotAllowed("match.plan.no_need")
    receipts = {}
    for need in sorted_needs.together:
        query = operations.query_for(session, need, now=at, limit=CANDIDATES)
        query = replace(query, within=within, violence=query.violence or sorted_needs.violence)
        receipts[str(need.id)] = operations.match(
            session, query, by=by, now=now, office=case.office, case=case, need=need
        )
    contents = {need_id: receipt.content or {} for need_id, receipt in receipts.items()}
    urgent = {str(need.id) for need in sorted_needs.together if need.urgency is Urgency.URGENT}
    plan = VisitPlan(
        key=case.client.key,
        office_id=case.office_id,
        case_id=case.id,
        by_id=by.id,
        at=now,
        content={
            "at": at.isoformat(),
            "within": within,
            "violence": sorted_needs.violence,
            "candidates": CANDIDATES,
            "receipts": {need_id: str(receipt.id) for need_id, receipt in receipts.items()},
            "urgent": sorted(urgent),
            "emergencies": [str(need.id) for need in sorted_needs.emergencies],
            "apart": [str(need.id) for need in sorted_needs.apart],
            "plans": _plans(session, contents, urgent, at),
        },
    )
    session.add(plan)
    audit.record(
        session, "plan.made", plan, by=by, now=now, client_id=case.client_id, needs=len(receipts)
    )
    return plan


def get(session: Session, user: User, plan_id: UUID) -> tuple[VisitPlan, Case]:
    """A plan of one of this person's cases, and the case; none of somebody who was erased. Raises NotFound."""
    row = session.execute(
        select(VisitPlan, Case)
        .join(Case, Case.id == VisitPlan.case_id)
        .join(Client, Client.id == Case.client_id)
        .where(VisitPlan.id == plan_id, theirs(user), Client.erased_at.is_(None))
    ).one_or_none()
    if row is None:
        raise NotFound("match.plan.unknown")
    return row[0], row[1]


def receipts_of(session: Session, plan: VisitPlan, case: Case) -> dict[str, MatchReceipt]:
    """The receipts a plan was made of, by need.

    Raises NotAllowed where it may not be shown any more: it names whom the client now keeps out, or it was
    made before somebody near them was known to be the danger.
    """
    content = plan.content or {}
    ids = {need_id: UUID(receipt) for need_id, receipt in content["receipts"].items()}
    found = {
        receipt.id: receipt
        for receipt in session.scalars(
            select(MatchReceipt).where(MatchReceipt.id.in_(ids.values()))
        )
    }
    receipts = {need_id: found[receipt_id] for need_id, receipt_id in ids.items()}
    is_unsafe = case.has_violence and not content["violence"]
    if is_unsafe or any(queries.is_outdated(session, one) for one in receipts.values()):
        raise NotAllowed("match.plan.outdated")
    return receipts


# What follows from the matches --------------------------------------------------------------------


def _plans(
    session: Session,
    contents: Mapping[str, Mapping[str, Any]],
    urgent: Container[str],
    at: datetime,
) -> dict[str, Any]:
    """Each way to put the plan together, by kind; a kind that shows nothing new is left out."""
    sites = _sites(session, contents.values())
    places = one_place({site_id: site.spot for site_id, site in sites.items()})
    options = {need_id: _options(content, places) for need_id, content in contents.items()}
    going = {need_id: usable(found) for need_id, found in options.items()}
    at_home = {need_id: usable(found, at_home=True) for need_id, found in options.items()}

    fewest, own = fewest_places(going), own_best(going)
    found = {"fewest": fewest, "own_best": own}
    more = within_places(going, len(fewest.places) + 1)
    if more.picks != own.picks and is_worth_it(fewest, more):
        found["one_more"] = more
    home = fewest_places(at_home)
    if len(home.places) < len(fewest.places):
        found["at_home"] = home

    entries = {
        (need_id, entry["service_at_location_id"]): entry
        for need_id, content in contents.items()
        for entry in (*content["options"], *content["remote"])
    }
    chosen = {UUID(pick.site) for one in found.values() for pick in one.picks.values()}
    offers = {
        str(offer.service_at_location_id): offer
        for offer in candidates.offers_at(session, chosen, gazetteer(session))
    }
    has_hours = any(offer.hours for offer in offers.values())
    way = Way(entries, sites, urgent, at, offers, closed_days.around(at.year) if has_hours else ())
    return {kind: way.through(found[kind]) for kind in KINDS if kind in found}


def _options(content: Mapping[str, Any], places: Mapping[str, str]) -> list[Option]:
    """A receipt's options as a plan weighs them."""
    return [
        Option(
            site=entry["service_at_location_id"],
            rank=rank,
            group=entry["group"],
            km=entry["effective_km"] or 0.0,
            place=places[entry["service_at_location_id"]] if part == "options" else None,
        )
        for part in ("options", "remote")
        for rank, entry in enumerate(content[part][:CANDIDATES], 1)
    ]


def _sites(session: Session, contents: Iterable[Mapping[str, Any]]) -> dict[str, Site]:
    """Where the options on site are; what the receipts tell no distance of is on no way."""
    told = {
        entry["service_at_location_id"]: entry["distance_km"] is not None
        for content in contents
        for entry in content["options"]
    }
    is_open_to_all = Location.confidential.is_(False)
    rows = session.execute(
        select(
            ServiceAtLocation.id,
            ServiceAtLocation.location_id,
            Service.organization_id,
            Location.confidential,
            # The true point of a confidential place does not even leave the database.
            either((is_open_to_all, Location.latitude)),
            either((is_open_to_all, Location.longitude)),
            Location.precision_km,
        )
        .join(Service, Service.id == ServiceAtLocation.service_id)
        .outerjoin(Location, Location.id == ServiceAtLocation.location_id)
        .where(ServiceAtLocation.id.in_([UUID(site_id) for site_id in told]))
    ).all()
    addresses = _addresses(session, {row.location_id for row in rows if row.location_id})
    found = {}
    for site_id, location_id, organization_id, confidential, latitude, longitude, km in rows:
        location = str(location_id or site_id)
        point = None
        if told[str(site_id)] and latitude is not None and longitude is not None:
            point = (latitude, longitude)
        precision_km = km or 0.0
        found[str(site_id)] = Site(
            Spot(
                f"{location} {organization_id}" if confidential else location,
                addresses.get(location_id),
                point if precision_km <= DOOR_PRECISION_KM else None,
            ),
            point,
            precision_km,
        )
    return found


def _addresses(session: Session, location_ids: set[UUID]) -> dict[UUID, tuple[str, ...]]:
    """Street, house number and town of locations that have all three and are not confidential."""
    rows = session.execute(
        select(Address.location_id, Address.address_1, Address.city)
        .join(Location, Location.id == Address.location_id)
        .where(
            Address.location_id.in_(location_ids),
            Address.address_type == "physical",
            Location.confidential.is_(False),
        )
        .order_by(Address.id.desc())
    )
    found = {}
    for location_id, line, city in rows:
        street = normal.street(line or "")
        if street.words and street.numbers and city:
            town = city.strip().casefold()
            found[location_id] = (*street.words, *sorted(street.numbers), town)
    return found
