"""What was agreed with a client: what may be done with their data, and the service contract.

The caller commits.
"""

from collections.abc import Iterable
from datetime import date, datetime
from uuid import UUID

from sqlalchemy.orm import Session

from referral.accounts.models import User
from referral.casework.models import (
    BasisKind,
    Case,
    Client,
    LawfulBasis,
    Purpose,
    ServiceContract,
    Stage,
)
from referral.changes import audit
from referral.changes.actors import Actor
from referral.core.errors import Invalid, NotAllowed

CONSENT_TEXT_VERSION = "2026-11"


def give_basis(
    session: Session,
    client: Client,
    *,
    kind: BasisKind,
    purpose: Purpose,
    fields: Iterable[str],
    organization_id: UUID | None = None,
    refused: bool = False,
    method: str,
    language: str,
    witness: str | None = None,
    reason: str | None = None,
    expires_on: date | None = None,
    by: User,
    now: datetime,
) -> LawfulBasis:
    """Record a consent, a refusal or another lawful ground. Every ground but consent needs its reason."""
    if (purpose is Purpose.REFERRAL) is not (organization_id is not None):
        raise Invalid("casework.basis_recipient", field="organization_id")
    if kind is not BasisKind.CONSENT and not (reason or "").strip():
        raise Invalid("casework.basis_reason", field="reason")
    if expires_on is not None and expires_on <= now.date():
        raise Invalid("casework.expired", field="expires_on")
    basis = LawfulBasis(
        key=client.key,
        client_id=client.id,
        kind=kind,
        purpose=purpose,
        organization_id=organization_id,
        fields=sorted(set(fields)),
        refused=refused,
        text_version=CONSENT_TEXT_VERSION,
        language=language,
        method=method,
        given_at=now,
        expires_on=expires_on,
        recorded_by_id=by.id,
        witness=witness,
        reason=reason,
    )
    session.add(basis)
    action = "basis.refused" if refused else "basis.given"
    audit.record(
        session,
        action,
        basis,
        by=by,
        now=now,
        client_id=client.id,
        kind=kind.value,
        purpose=purpose.value,
    )
    return basis


def withdraw_basis(
    session: Session, basis: LawfulBasis, *, by: Actor, now: datetime
) -> LawfulBasis:
    """The client takes a consent back. What was already given out is another matter."""
    if basis.withdrawn_at is not None or basis.refused:
        raise NotAllowed("casework.basis_over")
    basis.withdrawn_at = now
    audit.record(
        session,
        "basis.withdrawn",
        basis,
        by=by,
        now=now,
        client_id=basis.client_id,
        purpose=basis.purpose.value,
    )
    return basis


def agree_contract(
    session: Session,
    case: Case,
    *,
    terms: str,
    in_scope: Iterable[UUID],
    method: str,
    ends_on: date | None = None,
    by: User,
    now: datetime,
) -> ServiceContract:
    """The next version of the agreement with the client: these needs are in scope, all others out.

    A closed case opens again with it: further help needs a new contract.
    """
    if ends_on is not None and ends_on < now.date():
        raise Invalid("casework.ends_in_past", field="ends_on")
    chosen = set(in_scope)
    if not chosen <= {need.id for need in case.needs}:
        raise Invalid("casework.foreign_need", field="in_scope")
    for need in case.needs:
        need.in_scope = need.id in chosen
    contract = ServiceContract(
        key=case.key,
        case=case,
        number=len(case.contracts) + 1,
        agreed_at=now,
        method=method,
        ends_on=ends_on,
        recorded_by_id=by.id,
        terms=terms,
    )
    session.add(contract)
    if case.stage is not Stage.FOLLOW_UP:
        case.stage, case.closed_at = Stage.INTERVENTION, None
    audit.record(
        session,
        "contract.agreed",
        contract,
        by=by,
        now=now,
        client_id=case.client_id,
        version=contract.number,
    )
    return contract


def current_contract(case: Case) -> ServiceContract | None:
    """The contract in force, None before the first or after the end."""
    latest = max(case.contracts, key=lambda contract: contract.number, default=None)
    return None if latest is None or latest.ended_at is not None else latest
