"""What can be done with a referral. Who, when and why come in as arguments; the caller commits."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from referral.accounts.models import Role, User
from referral.casework.models import Case, Exclusion, LawfulBasis, Need, Purpose, Urgency
from referral.casework.operations import current_contract, has_safe_contact
from referral.casework.queries import basis_for, excluded_organizations
from referral.changes import audit
from referral.changes import directory as directory_changes
from referral.core.errors import BasisMissing, Invalid, NotAllowed, NotFound, Stale
from referral.core.text import Message
from referral.directory.models import (
    AnswerMode,
    CapacityStatus,
    ServiceAtLocation,
    ServiceCapacity,
    ServiceStatus,
)
from referral.matching.models import MatchReceipt, ServiceStanding
from referral.referrals import queries
from referral.referrals.cards import blind_card
from referral.referrals.lifecycle import LIVE, Actor, Event, Field, Status, next_status, rule_for
from referral.referrals.models import Channel, Feedback, ReasonCode, Referral, ReferralStep

WALK_IN_ASK_DAYS = 7  # a client sent to a walk-in service is asked "did you go?" a week later
FULL_FOR_DAYS = 30  # after "at capacity" without a date the service counts as full this long


@dataclass(frozen=True)
class Given:
    """What comes with a step; which of it is required says the lifecycle."""

    reason: str | None = None
    note: str | None = None
    review_on: date | None = None
    first_contact_on: date | None = None
    outcome: str | None = None
    outcome_on: date | None = None

    @property
    def fields(self) -> frozenset[Field]:
        return frozenset(field for field in Field if getattr(self, field))


def draft(
    session: Session,
    need: Need,
    site: ServiceAtLocation,
    *,
    receipt: MatchReceipt | None = None,
    known_service_reason: str | None = None,
    based_on: Referral | None = None,
    by: User,
    now: datetime,
) -> Referral:
    """A referral not yet sent: from a receipt, or to a service the worker knows and says why."""
    case, service = need.case, site.service
    if need.withdrawn_at or need.resolved_otherwise_at:
        raise NotAllowed("referral.need_closed")
    if not need.in_scope:
        raise NotAllowed("referral.out_of_scope")
    if current_contract(case) is None and need.urgency is not Urgency.EMERGENCY:
        raise NotAllowed("referral.no_contract")
    if service.organization_id in excluded_organizations(session, case.id):
        raise NotFound("referral.none")
    if service.status is not ServiceStatus.ACTIVE:
        raise NotAllowed("referral.service_not_active")
    if receipt is None and not (known_service_reason or "").strip():
        raise Invalid("referral.known_reason", field="known_service_reason")
    if (live := queries.live_duplicate(session, need.id, service.id)) is not None:
        raise NotAllowed("referral.duplicate", number=live.number)
    count = session.scalar(select(func.count()).select_from(Referral)) or 0
    referral = Referral(
        key=case.key,
        number=f"R-{now.year}-{count + 1:05}",
        office_id=case.office_id,
        case=case,
        need=need,
        client_id=case.client_id,
        service=service,
        site=site,
        organization_id=service.organization_id,
        priority=need.urgency,
        answer_mode=service.answer_mode,
        receipt_id=receipt.id if receipt else None,
        based_on_id=based_on.id if based_on else None,
        created_at=now,
        known_service_reason=known_service_reason,
        blind_card={},
    )
    session.add(referral)
    audit.record(session, "referral.drafted", referral, by=by, now=now, client_id=case.client_id)
    return referral


def take_step(
    session: Session,
    referral: Referral,
    event: Event,
    *,
    actor: Actor,
    by: User,
    now: datetime,
    version: int,
    given: Given | None = None,
    channel: Channel = Channel.WEB,
    confirmed_full: bool = False,
) -> ReferralStep:
    """Move a referral along and write down whose step it was, who pressed, when and why.

    `version` is the row version the person saw. Raises Stale when it has moved on, NotAllowed for a step
    out of turn or by the wrong person, Invalid for a missing or unfit field, BasisMissing on sending
    without a lawful basis for this recipient.
    """
    given = given or Given()
    _check_person(referral, actor, by, channel)
    if version != referral.version:
        seen = Message(f"referral.status.{referral.status}")
        raise Stale(
            "referral.stale", field="version", candidates=[version, referral.version], status=seen
        )
    before = referral.status
    held_from = queries.status_before_hold(session, referral.id) if event is Event.RESUME else None
    after = next_status(
        before,
        event,
        actor=actor,
        mode=referral.answer_mode,
        given=given.fields,
        before_hold=held_from,
    )
    reason = _fitting_reason(session, before, event, actor, referral, given.reason)
    _check_days(given, now)
    if event is Event.SEND:
        _send(session, referral, now=now, confirmed_full=confirmed_full)
    if event is Event.VOID:
        _check_void(referral, by=by, now=now)
    _apply(referral, event, after, given, now)
    step = ReferralStep(
        key=referral.key,
        referral=referral,
        event=event,
        from_status=before,
        to_status=after,
        actor=actor,
        by_id=by.id,
        channel=channel,
        at=now,
        reason_code=reason.code if reason else None,
        note=given.note,
    )
    session.add(step)
    if reason is not None:
        _effect(session, referral, reason, given, by=by, now=now)
    try:
        session.flush()
    except StaleDataError:
        raise Stale("referral.stale_now", field="version") from None
    push_standing(session, referral.service_id)
    audit.record(
        session,
        f"referral.{event}",
        referral,
        by=by,
        now=now,
        client_id=referral.client_id,
        before=before.value,
        after=after.value,
        actor=actor.value,
        channel=channel.value,
    )
    return step


def discard(session: Session, referral: Referral, *, by: User, now: datetime) -> None:
    """Delete a draft: nobody but its writer has seen it."""
    if referral.status is not Status.DRAFT:
        raise NotAllowed("referral.not_a_draft")
    audit.record(
        session, "referral.discarded", referral, by=by, now=now, client_id=referral.client_id
    )
    session.delete(referral)
    session.flush()


def record_feedback(
    session: Session,
    referral: Referral,
    *,
    received: str,
    form: str,
    share: str,
    explanation: str | None = None,
    waited: str | None = None,
    quality: int | None = None,
    waiting: int | None = None,
    staff: int | None = None,
    harmed: bool = False,
    text: str | None = None,
    by: User,
    now: datetime,
) -> Feedback:
    """What the client says came of it, told through the worker. Once per referral."""
    if referral.status not in (Status.COMPLETED, Status.FAILED, Status.REJECTED):
        raise NotAllowed("referral.feedback_early")
    if received not in ("yes", "partly", "no"):
        raise Invalid("referral.feedback_received", field="received")
    if form not in ("written", "unwritten"):
        raise Invalid("referral.feedback_form", field="form")
    if share not in ("attributed", "pooled", "no"):
        raise Invalid("referral.feedback_share", field="share")
    for name, mark in (("quality", quality), ("waiting", waiting), ("staff", staff)):
        if mark is not None and not 1 <= mark <= 5:
            raise Invalid("referral.feedback_mark", field=name)
    if queries.feedback_of(session, referral.id) is not None:
        raise NotAllowed("referral.feedback_twice")
    feedback = Feedback(
        key=referral.key,
        referral=referral,
        given_by="client",
        form=form,
        at=now,
        recorded_by_id=by.id,
        received=received,
        explanation=explanation,
        waited=waited,
        quality=quality,
        waiting=waiting,
        staff=staff,
        share=share,
        harmed=harmed,
        text=text,
    )
    session.add(feedback)
    audit.record(
        session,
        "feedback.recorded",
        feedback,
        by=by,
        now=now,
        client_id=referral.client_id,
        received=received,
    )
    return feedback


def push_standing(session: Session, service_id: UUID) -> None:
    """Tell the matcher how full a service's hands are and how it has answered."""
    session.flush()
    standing = session.get(ServiceStanding, service_id) or ServiceStanding(service_id=service_id)
    mine = select(func.count()).select_from(Referral).where(Referral.service_id == service_id)
    standing.open_referrals = session.scalar(mine.where(Referral.status.in_(LIVE))) or 0
    proven = mine.where(
        Referral.answer_mode == AnswerMode.REPLIES, Referral.delivered_at.is_not(None)
    )
    standing.in_time = session.scalar(proven.where(Referral.decided_at.is_not(None))) or 0
    standing.due = standing.in_time + (
        session.scalar(
            proven.where(Referral.decided_at.is_(None), Referral.status == Status.FAILED)
        )
        or 0
    )
    session.add(standing)


def _check_person(referral: Referral, actor: Actor, by: User, channel: Channel) -> None:
    works_the_case = (by.role is Role.BROKER and referral.case.broker_id == by.id) or (
        by.role is Role.SUPERVISOR and referral.office_id == by.office_id
    )
    answers_for_agency = (
        by.role is Role.AGENCY
        and by.organization_id is not None
        and by.organization_id == referral.organization_id
    )
    # An agency that answers by phone or paper, and a client who says so, are written down by the worker.
    on_behalf = works_the_case and channel in (Channel.PHONE, Channel.PAPER)
    permitted = {
        Actor.BROKER: works_the_case,
        Actor.CLIENT: works_the_case,
        Actor.AGENCY: answers_for_agency or on_behalf,
        Actor.TIMER: False,
    }
    if not permitted[actor]:
        raise NotFound("referral.none")


def _fitting_reason(
    session: Session,
    status: Status,
    event: Event,
    actor: Actor,
    referral: Referral,
    code: str | None,
) -> ReasonCode | None:
    codes = rule_for(status, event, actor=actor, mode=referral.answer_mode).codes
    if codes is None or code is None:
        return None
    reason = session.get(ReasonCode, code)
    if reason is None or not getattr(reason, f"for_{codes}"):
        raise Invalid("referral.unfit_reason", field="reason")
    return reason


def _check_days(given: Given, now: datetime) -> None:
    today = now.date()
    if given.review_on is not None and given.review_on <= today:
        raise Invalid("referral.review_past", field="review_on")
    if given.outcome_on is not None and given.outcome_on > today + timedelta(days=1):
        raise Invalid("referral.outcome_future", field="outcome_on")
    if given.outcome is not None and given.outcome not in OUTCOMES:
        raise Invalid("referral.missing.outcome", field="outcome")


OUTCOMES = ("received", "partly", "enrolled", "information_only")


def _send(session: Session, referral: Referral, *, now: datetime, confirmed_full: bool) -> None:
    case = referral.case
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
    capacity = referral.service.capacities[-1] if referral.service.capacities else None
    full = capacity is not None and capacity.status is CapacityStatus.NO_CAPACITY
    if full and not confirmed_full:
        raise NotAllowed("referral.full")
    referral.basis_id = basis.id
    referral.requested_at = now
    referral.delivered_at = now if _has_account(session, referral.organization_id) else None
    referral.released = _released(case, referral.need, basis)
    person = referral.need.beneficiary or case.client
    referral.blind_card = blind_card(
        _verdicts(session, referral),
        age_years=(person.facts or {}).get("age_years"),
        area_code=(case.client.stays_at or {}).get("code"),
        priority=referral.priority.value,
    )
    if referral.answer_mode is AnswerMode.WALK_IN:
        referral.review_on = now.date() + timedelta(days=WALK_IN_ASK_DAYS)


def _has_account(session: Session, organization_id: UUID) -> bool:
    return (
        session.scalar(
            select(User.id).where(User.organization_id == organization_id, User.active).limit(1)
        )
        is not None
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
    return {name: known[name] for name in basis.fields if known.get(name) is not None}


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


def _check_void(referral: Referral, *, by: User, now: datetime) -> None:
    first = min(referral.steps, key=lambda step: (step.at, step.id))
    if first.at.date() != now.date() and by.id == first.by_id:
        raise NotAllowed("referral.void_needs_second")


def _apply(referral: Referral, event: Event, after: Status, given: Given, now: datetime) -> None:
    referral.status = after
    if event is Event.RECEIVE:
        referral.received_at = now
    if event in (Event.ACCEPT, Event.DECLINE):
        referral.received_at = referral.received_at or now
        referral.decided_at = now
    if event in (Event.ACCEPT, Event.START):
        referral.first_contact_on = given.first_contact_on
    if event is Event.HOLD:
        referral.review_on = given.review_on
    if event is Event.COMPLETE:
        referral.outcome, referral.outcome_on = given.outcome, given.outcome_on
    if after not in LIVE:
        referral.ended_at, referral.review_on = now, None


def _effect(
    session: Session,
    referral: Referral,
    reason: ReasonCode,
    given: Given,
    *,
    by: User,
    now: datetime,
) -> None:
    if reason.effect == "capacity_until":
        until = given.review_on or now.date() + timedelta(days=FULL_FOR_DAYS)
        row = ServiceCapacity(
            service_id=referral.service_id,
            updated=now,
            status=CapacityStatus.NO_CAPACITY,
            until=until,
        )
        session.add(row)
        directory_changes.record(session, row, service_id=referral.service_id, by=by, now=now)
    elif reason.effect == "never_again":
        session.add(
            Exclusion(
                key=referral.key,
                case_id=referral.case_id,
                organization_id=referral.organization_id,
                at=now,
                by_id=by.id,
                reason=given.note or reason.code,
            )
        )
