"""Giving a referral to another system, and taking its agency's answer from one."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from referral.accounts.permissions import Role
from referral.casework.models import LawfulBasis
from referral.changes.actors import StandingActor
from referral.core.errors import NotFound
from referral.core.text import DEFAULT_LANGUAGE, label
from referral.referrals import queries
from referral.referrals.cards import View
from referral.referrals.exchange import fhir
from referral.referrals.exchange.updates import update_of
from referral.referrals.lifecycle import LIVE, Actor, Status
from referral.referrals.models import Channel, Referral, ReferralStep
from referral.referrals.operations import take_step

#: an agency whose own system speaks for it
AGENCY_BY_SYSTEM = StandingActor(Role.AGENCY.value)


def of_agency(session: Session, organization_id: UUID, *, live: bool = True) -> list[Referral]:
    """What was sent to an agency, oldest first; drafts are nobody's to see."""
    which = Referral.status.in_(LIVE) if live else Referral.status.not_in([*LIVE, Status.DRAFT])
    return list(
        session.scalars(
            queries.loaded(select(Referral))
            .where(Referral.organization_id == organization_id, which, queries.of_the_known())
            .order_by(Referral.requested_at, Referral.id)
        )
    )


def get(session: Session, organization_id: UUID, referral_id: UUID) -> Referral:
    """One referral that was sent to this agency. Raises NotFound for every other."""
    found: Referral | None = session.scalar(
        queries.loaded(select(Referral)).where(
            Referral.id == referral_id,
            Referral.organization_id == organization_id,
            Referral.status != Status.DRAFT,
            queries.of_the_known(),
        )
    )
    if found is None:
        raise NotFound("referral.none")
    return found


def told_to_agency(session: Session, referral: Referral, *, now: datetime) -> fhir.Told:
    """What the agency may read now: the blind card, what was released, or a stub."""
    view = queries.agency_view(session, referral, now=now)
    return _told(session, referral, view)


def told_to_worker(session: Session, referral: Referral) -> fhir.Told:
    """What the worker may hand on: what the client let this agency know, whatever the status."""
    return _told(session, referral, View.RELEASED)


def take_update(
    session: Session, referral: Referral, task: Mapping[str, Any], *, now: datetime
) -> ReferralStep:
    """Take the step that an agency's Task tells. Raises what updates.update_of and take_step raise."""
    update = update_of(task, status=referral.status)
    return take_step(
        session,
        referral,
        update.event,
        actor=Actor.AGENCY,
        by=AGENCY_BY_SYSTEM,
        channel=Channel.SYSTEM,
        given=update.given,
        version=update.version,
        now=now,
    )


def _told(session: Session, referral: Referral, view: View) -> fhir.Told:
    service, office = referral.service, referral.case.office
    released = dict(referral.released or {}) if view is View.RELEASED else {}
    closed = view is View.STUB
    last = referral.steps[-1] if referral.steps else None
    return fhir.Told(
        id=referral.id,
        number=referral.number,
        status=referral.status,
        priority=referral.priority.value,
        authored_at=referral.requested_at or referral.created_at,
        modified_at=last.at if last else referral.created_at,
        version=referral.version,
        service_id=service.id,
        service=service.name,
        agency=fhir.Party(service.organization.id, service.organization.name),
        office=fhir.Party(office.id, office.name),
        facts=released,
        card={} if closed else referral.blind_card,
        place=_place(referral),
        reason=_reason(session, last, closed=closed),
        consent=_consent(session, referral) if released else None,
        first_contact_on=None if closed else referral.first_contact_on,
        outcome=(
            referral.outcome,
            label(f"referral.outcome.{referral.outcome}", DEFAULT_LANGUAGE),
        )
        if referral.outcome
        else None,
    )


def _place(referral: Referral) -> fhir.Place | None:
    location = referral.site.location if referral.site else None
    if location is None or location.confidential:
        return None
    address = location.addresses[0] if location.addresses else None
    parts = (address.address_1, address.city) if address else ()
    return fhir.Place(
        location.id,
        location.name or referral.service.name,
        ", ".join(part for part in parts if part) or None,
        location.latitude,
        location.longitude,
    )


def _reason(session: Session, last: ReferralStep | None, *, closed: bool) -> tuple[str, str] | None:
    # Why the client or their worker ended it stays with them.
    if last is None or last.reason_code is None or (closed and last.actor is not Actor.AGENCY):
        return None
    reason = queries.reasons_by_code(session).get(last.reason_code)
    return (reason.code, reason.name_id) if reason else None


def _consent(session: Session, referral: Referral) -> fhir.ConsentGiven | None:
    basis = session.get(LawfulBasis, referral.basis_id) if referral.basis_id else None
    if basis is None:
        return None
    return fhir.ConsentGiven(basis.id, basis.given_at, basis.expires_on, tuple(basis.fields))
