"""Recording unmet needs, and carrying a proposal until the resource opens. The caller commits."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from referral.accounts.models import User
from referral.casework.models import Need
from referral.casework.queries import excluded_organizations
from referral.changes import audit
from referral.changes import directory as directory_changes
from referral.changes.actors import Actor
from referral.core.db import Identified
from referral.core.errors import Invalid, NotAllowed
from referral.directory.models import (
    Address,
    Location,
    Organization,
    Phone,
    Schedule,
    Service,
    ServiceAtLocation,
    ServiceCategory,
)
from referral.directory.points import area_point
from referral.directory.reference import taxonomy
from referral.matching import candidates
from referral.matching.models import MatchReceipt
from referral.matching.operations import query_for
from referral.matching.queries import latest_choices, penalty_table
from referral.matching.ranking import rank
from referral.places.codes import no_finer_than_regency, regency_of
from referral.places.queries import gazetteer as places_of
from referral.planning import queries
from referral.planning.models import (
    NewServiceNotice,
    Proposal,
    ProposalStatus,
    ProposalStep,
    UnmetNeed,
    UnmetReason,
)
from referral.planning.unmet import prefilled_reason
from referral.referrals.models import Referral
from referral.referrals.queries import end_reason

#: Which status a proposal may take next; `dropped` wants a reason, `opened` a listing.
NEXT = {
    ProposalStatus.PROPOSED: (ProposalStatus.IN_DEVELOPMENT, ProposalStatus.DROPPED),
    ProposalStatus.IN_DEVELOPMENT: (
        ProposalStatus.FUNDED,
        ProposalStatus.OPENED,
        ProposalStatus.DROPPED,
    ),
    ProposalStatus.FUNDED: (ProposalStatus.OPENED, ProposalStatus.DROPPED),
    ProposalStatus.OPENED: (),
    ProposalStatus.DROPPED: (),
}
TEXT_LIMIT = 4_000
CAPACITY_LIMIT = 1_000_000


@dataclass(frozen=True)
class Opening:
    """What must be known of a resource on the day it opens."""

    name: str
    organization: str
    category: str
    area_code: str
    address: str
    hours: Sequence[Schedule]
    phone: str
    #: a refuge: where it is goes into no table
    confidential: bool = False


@dataclass(frozen=True)
class Suggestion:
    """The reason that is already known for a need that nothing meets."""

    reason: str
    #: who tells it: record, search, client or referral
    told_by: str
    secondary: tuple[str, ...] = ()


def suggest(
    session: Session, need: Need, receipt: MatchReceipt | None, referral: Referral | None
) -> Suggestion | None:
    """What an unmet need starts with: its open record, else the search, the client's no, the last referral.

    None where nothing tells it and the broker has to say.
    """
    known = queries.open_unmet(session, [need.id]).get(need.id)
    if known is not None:
        return Suggestion(known.reason, "record", tuple(known.secondary))
    if receipt is not None and (reason := reason_from(receipt)):
        return Suggestion(reason, "search")
    choice = latest_choices(session, [need.id]).get(need.id)
    if choice is not None and choice.reasons:
        first, *others = choice.reasons
        return Suggestion(first, "client", tuple(others))
    ended = end_reason(session, referral) if referral is not None else None
    if ended is not None and ended.unmet_reason:
        return Suggestion(ended.unmet_reason, "referral")
    return None


def reason_from(receipt: MatchReceipt) -> str | None:
    """The reason that a match run itself tells, None where the broker has to say."""
    content = receipt.content or {}
    return prefilled_reason(content["tally"]) if content else None


def record_unmet(
    session: Session,
    need: Need,
    *,
    reason: str,
    secondary: Sequence[str] = (),
    receipt: MatchReceipt | None = None,
    referral: Referral | None = None,
    by: User,
    now: datetime,
) -> UnmetNeed:
    """A need that nothing meets, and why. One open record per need: a second reason corrects the first.

    The match and the referral that ended in vain are kept as its evidence.
    """
    for code in (reason, *secondary):
        if session.get(UnmetReason, code) is None:
            raise Invalid("planning.reason", field="reason")
    if need.withdrawn_at is not None:
        raise NotAllowed("planning.need_withdrawn")
    unmet = queries.open_unmet(session, [need.id]).get(need.id)
    if unmet is None:
        unmet = UnmetNeed(
            need_id=need.id,
            office_id=need.case.office_id,
            category=need.category,
            area_code=regency_of((need.case.client.stays_at or {}).get("code")),
            opened_at=now,
            evidence={"receipts": [], "referrals": []},
        )
        session.add(unmet)
    unmet.reason, unmet.secondary, unmet.confirmed_at = reason, list(secondary), now
    for kind, one in (("receipts", receipt), ("referrals", referral)):
        kept = unmet.evidence.get(kind, [])
        if one is not None and str(one.id) not in kept:
            unmet.evidence = unmet.evidence | {kind: [*kept, str(one.id)]}
    audit.record(
        session,
        "unmet.recorded",
        unmet,
        by=by,
        now=now,
        client_id=need.case.client_id,
        reason=reason,
    )
    return unmet


def close_unmet(
    session: Session, unmet: UnmetNeed, *, closed_as: str, by: Actor, now: datetime
) -> None:
    """The episode is over: a service fits, the client withdrew, or it was met otherwise."""
    unmet.closed_at, unmet.closed_as = now, closed_as
    case = session.get_one(Need, unmet.need_id).case
    audit.record(
        session,
        "unmet.closed",
        unmet,
        by=by,
        now=now,
        client_id=case.client_id,
        closed_as=closed_as,
    )


def close_met(session: Session, need: Need, *, by: Actor, now: datetime) -> None:
    """The client's word says that help came: a need that was waiting waits no more."""
    unmet = queries.open_unmet(session, [need.id]).get(need.id)
    if unmet is not None:
        close_unmet(session, unmet, closed_as="met", by=by, now=now)


def propose(
    session: Session,
    *,
    category: str,
    area_code: str,
    title: str,
    problem: str,
    capacity: int | None,
    by: User,
    now: datetime,
) -> Proposal:
    """A plan to create what is missing."""
    taxonomy().get(category)
    if area_code not in places_of(session):
        raise Invalid("planning.area", field="area_code")
    if not title.strip():
        raise Invalid("planning.title", field="title")
    if len(problem) > TEXT_LIMIT:
        raise Invalid("planning.too_long", field="problem", limit=TEXT_LIMIT)
    if capacity is not None and not 1 <= capacity <= CAPACITY_LIMIT:
        raise Invalid("planning.capacity", field="capacity")
    proposal = Proposal(
        category=category,
        area_code=area_code,
        title=title.strip(),
        problem=problem.strip(),
        capacity=capacity,
        created_at=now,
        created_by=by,
    )
    session.add(proposal)
    audit.record(session, "proposal.made", proposal, by=by, now=now, category=category)
    return proposal


def move(
    session: Session,
    proposal: Proposal,
    status: ProposalStatus,
    *,
    note: str = "",
    by: User,
    now: datetime,
) -> ProposalStep:
    """Take a proposal one status further; dropping needs a reason. Opening goes through `open_resource`."""
    if status is ProposalStatus.OPENED and proposal.service_id is None:
        raise Invalid("planning.opening", field="name")
    if status not in NEXT[proposal.status]:
        raise NotAllowed("planning.out_of_turn")
    if status is ProposalStatus.DROPPED:
        if not note.strip():
            raise Invalid("planning.dropped_reason", field="note")
        proposal.dropped_reason = note.strip()
    step = ProposalStep(
        proposal_id=proposal.id,
        from_status=proposal.status,
        to_status=status,
        at=now,
        by_id=by.id,
        note=note.strip() or None,
    )
    proposal.status = status
    proposal.steps.append(step)
    audit.record(session, "proposal.moved", proposal, by=by, now=now, status=status.value)
    return step


def open_resource(
    session: Session, proposal: Proposal, opening: Opening, *, by: User, now: datetime
) -> tuple[ServiceAtLocation, list[NewServiceNotice]]:
    """The resource exists: an active, unverified listing is made, waiting needs are matched with it, and
    their brokers told, in the published order. All in this transaction."""
    _check(session, opening)
    if ProposalStatus.OPENED not in NEXT[proposal.status]:
        raise NotAllowed("planning.out_of_turn")
    site = _list(session, proposal, opening, by=by, now=now)
    proposal.service_id = site.service_id
    move(session, proposal, ProposalStatus.OPENED, by=by, now=now)
    return site, tell_waiting(session, site, opening.category, now=now)


def tell_waiting(
    session: Session, site: ServiceAtLocation, category: str, *, now: datetime
) -> list[NewServiceNotice]:
    """Match every waiting need of the category with one offer; a notice for each that it may fit."""
    notices: list[NewServiceNotice] = []
    for unmet in queries.waiting(session, category):
        need = session.get_one(Need, unmet.need_id)
        if (
            need.withdrawn_at
            or need.resolved_otherwise_at
            or not _may_fit(session, need, site, now)
        ):
            continue
        notice = NewServiceNotice(
            unmet_need_id=unmet.id,
            broker_id=need.case.broker_id,
            service_at_location_id=site.id,
            position=len(notices) + 1,
            at=now,
        )
        session.add(notice)
        notices.append(notice)
    session.flush()
    return notices


def see(notice: NewServiceNotice, *, now: datetime) -> None:
    """The broker has looked at it."""
    notice.seen_at = now


def _may_fit(session: Session, need: Need, site: ServiceAtLocation, now: datetime) -> bool:
    """Whether the offer is an option for the need: no gate fails, and nothing keeps the two apart."""
    query = query_for(session, need, now=now)
    ranking = rank(
        query,
        candidates.offers_at(session, [site.id], places_of(session)),
        penalty_table(session, need.case.office_id).steps,
        need_id=str(need.id),
        kept_out=excluded_organizations(session, need.case_id),
        holidays=frozenset(),
        names=lambda code: code,
    )
    return bool(ranking.options or ranking.remote)


def _check(session: Session, opening: Opening) -> None:
    missing: list[tuple[str, Any]] = [
        ("name", opening.name.strip()),
        ("organization", opening.organization.strip()),
        ("address", opening.address.strip()),
        ("hours", opening.hours),
        ("phone", opening.phone.strip()),
    ]
    for field, value in missing:
        if not value and not (field == "address" and opening.confidential):
            raise Invalid(f"planning.opening.{field}", field=field)
    if opening.area_code not in places_of(session):
        raise Invalid("planning.area", field="area_code")
    taxonomy().get(opening.category)


def _list(
    session: Session, proposal: Proposal, opening: Opening, *, by: User, now: datetime
) -> ServiceAtLocation:
    """The listing of a resource that has just opened: active, and verified by nobody yet."""
    located = None if opening.confidential else places_of(session).locate(opening.area_code)
    name = opening.organization.strip()
    known = session.scalars(
        select(Organization).where(Organization.name == name).order_by(Organization.id)
    ).first()
    organization = known or Organization(name=name)
    service = Service(
        organization=organization,
        name=opening.name.strip(),
        last_modified=now,
        source="jejaring:proposal",
        source_id=str(proposal.id),
    )
    location = Location(
        area_code=no_finer_than_regency(opening.area_code)
        if opening.confidential
        else opening.area_code,
        confidential=opening.confidential,
        latitude=located.latitude if located else None,
        longitude=located.longitude if located else None,
        precision_km=located.precision_km if located else None,
        point_source=area_point(located.at.level) if located else None,
    )
    session.add_all([organization, service, location])
    session.flush()
    site = ServiceAtLocation(service_id=service.id, location_id=location.id)
    for schedule in opening.hours:
        schedule.service_id = service.id
    parts: list[Identified] = [
        site,
        ServiceCategory(service_id=service.id, code=opening.category),
        Phone(service_id=service.id, number=opening.phone.strip(), type="voice"),
        *opening.hours,
    ]
    if not opening.confidential:
        parts.append(
            Address(
                location_id=location.id,
                address_1=opening.address.strip(),
                city=places_of(session).get(opening.area_code).name,
                state_province="",
                postal_code="",
                country="",
            )
        )
    session.add_all(parts)
    directory_changes.record(session, service, service_id=service.id, by=by, now=now)
    session.flush()
    session.refresh(service)
    return site
