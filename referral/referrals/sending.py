"""What must hold before a referral goes out, and what goes out with it."""

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from referral.casework.agreements import current_contract
from referral.casework.models import Case, LawfulBasis, Need, Purpose, Stage, Urgency
from referral.casework.operations import has_safe_contact
from referral.casework.queries import basis_for, excluded_organizations
from referral.core.errors import BasisMissing, NotAllowed, NotFound
from referral.directory.models import Service, ServiceStatus
from referral.matching.models import MatchReceipt, ServiceStanding
from referral.referrals import queries
from referral.referrals.cards import blind_card
from referral.referrals.loop import is_closed, need_state
from referral.referrals.models import Referral
from referral.referrals.standing import is_full


def check_sendable(session: Session, need: Need, service: Service) -> None:
    """Raises NotAllowed where this need may not be referred to this service now."""
    case = need.case
    state = need_state(
        queries.traces(session, [need.id])[need.id],
        unmet=False,
        withdrawn=need.withdrawn_at is not None,
        resolved_otherwise=need.resolved_otherwise_at is not None,
    )
    if is_closed(state):
        raise NotAllowed("referral.need_closed")
    if case.stage is Stage.CLOSED:
        raise NotAllowed("casework.closed")
    if not need.in_scope:
        raise NotAllowed("referral.out_of_scope")
    if current_contract(case) is None and need.urgency is not Urgency.EMERGENCY:
        raise NotAllowed("referral.no_contract")
    if service.organization_id in excluded_organizations(session, case.id):
        raise NotFound("referral.none")
    if service.status is not ServiceStatus.ACTIVE:
        raise NotAllowed("referral.service_not_active")
    standing = session.get(ServiceStanding, service.id)
    if standing is not None and standing.suspended:
        raise NotAllowed("referral.harm_looked_into")


def prepare(session: Session, referral: Referral, *, now: datetime, confirmed_full: bool) -> None:
    """Check that a referral may go out, and put into it what the agency may see."""
    case = referral.case
    check_sendable(session, referral.need, referral.service)
    basis = basis_for(
        session,
        referral.client_id,
        purpose=Purpose.REFERRAL,
        organization_id=referral.organization_id,
        now=now,
    )
    if basis is None:
        raise BasisMissing("referral.no_basis", agency=referral.service.organization.name)
    if not has_safe_contact(case):
        raise NotAllowed("referral.no_safe_contact")
    if is_full(referral.service, now) and not confirmed_full:
        raise NotAllowed("referral.full")
    referral.answer_mode = referral.service.answer_mode
    referral.basis_id = basis.id
    referral.requested_at = now
    referral.delivered_at = now if queries.has_account(session, referral.organization_id) else None
    referral.released = _released(case, referral.need, basis)
    person = referral.need.beneficiary or case.client
    referral.blind_card = blind_card(
        _verdicts(session, referral),
        age_years=(person.facts or {}).get("age_years"),
        area_code=(case.client.stays_at or {}).get("code"),
        priority=referral.priority.value,
    )


def _released(case: Case, need: Need, basis: LawfulBasis) -> dict[str, Any]:
    """The facts that the basis names, as they are at sending."""
    client = case.client
    person = need.beneficiary or client
    facts = person.facts or {}
    contact = client.safe_contact or {}
    # Where only the worker may reach the client, the agency gets no number, whatever was agreed to.
    reachable = {} if contact.get("through_worker_only") else contact
    known = {
        "name": client.name,
        "contact": reachable.get("number"),
        "age": facts.get("age_years"),
        "sex": facts.get("sex"),
        "area": (client.stays_at or {}).get("text"),
        "need": need.category,
        "story": case.story,
    }
    released = {name: known[name] for name in basis.fields if known.get(name) is not None}
    if "contact" in released:
        # A number without what makes it safe to call is worse than none.
        rules = ("when", "who_may_answer", "name_to_use", "may_leave_text")
        released["contact_rules"] = {name: contact[name] for name in rules if contact.get(name)}
    if need.beneficiary is not None and "need" in released:
        released["for_whom"] = need.beneficiary.label
    return released


def _verdicts(session: Session, referral: Referral) -> list[dict[str, Any]]:
    if referral.receipt_id is None:
        return []
    receipt = session.get(MatchReceipt, referral.receipt_id)
    content = (receipt.content if receipt else None) or {}
    for option in [*content.get("options", []), *content.get("remote", [])]:
        if option["service_at_location_id"] == str(referral.service_at_location_id):
            verdicts: list[dict[str, Any]] = option["verdicts"]
            return verdicts
    return []
