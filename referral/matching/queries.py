"""Reads what matching left behind and what a receipt shows beside its rules."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, joinedload, selectinload

from referral.accounts.models import Role, User
from referral.casework.models import Case
from referral.casework.queries import excluded_organizations
from referral.core.errors import NotFound
from referral.directory.models import Location, Organization, Service, ServiceAtLocation
from referral.matching.models import ClientChoice, MatchReceipt, PenaltyTable
from referral.matching.receipts import Listed


def penalty_table(session: Session, office_id: UUID | None) -> PenaltyTable:
    """The penalties that hold for an office: its own newest, else the newest of all."""
    found = session.scalar(
        select(PenaltyTable)
        .where(or_(PenaltyTable.office_id == office_id, PenaltyTable.office_id.is_(None)))
        .order_by(PenaltyTable.office_id.is_(None), PenaltyTable.number.desc())
        .limit(1)
    )
    if found is None:
        raise NotFound("match.no_penalties")
    return found


def listed(session: Session, site_ids: Iterable[UUID]) -> dict[UUID, Listed]:
    """Names and sources of services at places, by id."""
    rows = session.execute(
        select(
            ServiceAtLocation.id,
            Service.name,
            Organization.name,
            Service.source,
            Service.source_id,
        )
        .join(Service, Service.id == ServiceAtLocation.service_id)
        .join(Organization, Organization.id == Service.organization_id)
        .where(ServiceAtLocation.id.in_(list(site_ids)))
    )
    return {
        site_id: Listed(name, organization, source, source_id)
        for site_id, name, organization, source, source_id in rows
    }


def sites(session: Session, site_ids: Iterable[UUID]) -> dict[UUID, ServiceAtLocation]:
    """Services at places with what a card shows of them today: contact, address, way in."""
    found = session.scalars(
        select(ServiceAtLocation)
        .where(ServiceAtLocation.id.in_(list(site_ids)))
        .options(
            joinedload(ServiceAtLocation.location).selectinload(Location.addresses),
            joinedload(ServiceAtLocation.service).options(
                selectinload(Service.phones), selectinload(Service.entry_steps)
            ),
        )
    )
    return {site.id: site for site in found}


def get_receipt(session: Session, user: User, receipt_id: UUID) -> MatchReceipt:
    """A receipt of one of this person's cases, or of a search without a case in their own office."""
    receipt = session.get(MatchReceipt, receipt_id)
    if receipt is None or not _is_theirs(session, user, receipt):
        raise NotFound("match.receipt.unknown")
    return receipt


def _is_theirs(session: Session, user: User, receipt: MatchReceipt) -> bool:
    if receipt.case_id is not None:
        case = session.get_one(Case, receipt.case_id)
        if user.role is Role.SUPERVISOR:
            return case.office_id == user.office_id
        return user.role is Role.BROKER and case.broker_id == user.id
    if user.role is Role.SUPERVISOR:
        return receipt.office_id is not None and receipt.office_id == user.office_id
    return receipt.by_id == user.id


def names_kept_out(session: Session, receipt: MatchReceipt) -> bool:
    """Whether a receipt names an organization that was kept out of its case later."""
    if receipt.case_id is None:
        return False
    kept_out = {str(one) for one in excluded_organizations(session, receipt.case_id)}
    return bool(kept_out) and any(
        one["organization_id"] in kept_out
        for part in ("options", "remote", "why_not")
        for one in (receipt.content or {}).get(part, ())
    )


def latest_receipt(session: Session, need_id: UUID) -> MatchReceipt | None:
    """The newest match run of a need."""
    return session.scalar(
        select(MatchReceipt)
        .where(MatchReceipt.need_id == need_id)
        .order_by(MatchReceipt.at.desc(), MatchReceipt.id.desc())
        .limit(1)
    )


def latest_choices(
    session: Session, need_ids: Iterable[UUID], *, until: datetime | None = None
) -> dict[UUID, ClientChoice]:
    """What the client last said (up to a moment) about the options of each need that was put to them."""
    query = select(ClientChoice).where(ClientChoice.need_id.in_(list(need_ids)))
    if until is not None:
        query = query.where(ClientChoice.at <= until)
    rows = session.scalars(query.order_by(ClientChoice.at, ClientChoice.id))
    return {choice.need_id: choice for choice in rows}
