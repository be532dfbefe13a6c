"""What follows from a coded reason, beside the step that carries it: the `effect` column of the code list."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from referral.casework import agreements
from referral.casework.models import LawfulBasis, Need
from referral.casework.operations import exclude
from referral.changes import audit
from referral.changes.actors import Actor
from referral.core.text import DEFAULT_LANGUAGE, Message, render
from referral.directory.models import CapacityStatus
from referral.directory.upkeep import reports
from referral.directory.upkeep.kinds import Part
from referral.referrals.given import Given
from referral.referrals.models import Parked, ReasonCode, Referral, Task, TaskKind
from referral.referrals.standing import FULL_FOR_DAYS, say_capacity

NOT_OFFERED, LISTING_WRONG = "service_not_offered", "listing_wrong"
#: what helps somebody to the papers a service asks for
DOCUMENTS_NEED = "SP03"
#: in how many days the worker asks the client what kept them from coming
ASK_WITHIN_DAYS = 3


@dataclass(frozen=True)
class Happened:
    """One reason given for one referral: by whom, when, with what."""

    session: Session
    referral: Referral
    reason: ReasonCode
    given: Given
    by: Actor
    now: datetime
    today: date


def follow(
    session: Session,
    referral: Referral,
    reason: ReasonCode,
    given: Given,
    *,
    by: Actor,
    now: datetime,
    today: date,
) -> None:
    """Make happen what a reason makes happen; nothing where its effect is for the worker to see alone."""
    effect = EFFECTS.get(reason.effect or "")
    if effect is not None:
        effect(Happened(session, referral, reason, given, by, now, today))


def _no_room(one: Happened) -> None:
    """The service counts as full until a day."""
    say_capacity(
        one.session,
        one.referral.service,
        status=CapacityStatus.NO_CAPACITY,
        until=one.given.review_on or one.today + timedelta(days=FULL_FOR_DAYS),
        by=one.by,
        now=one.now,
    )


def _listing(part: Part | None) -> Callable[[Happened], None]:
    """The answer says something of the listing: a curator hears, and what is simply wrong is not known till then."""

    def report(one: Happened) -> None:
        said = {NOT_OFFERED: Part.CATEGORIES, LISTING_WRONG: one.given.wrong_part}
        reports.report_from_answer(
            one.session,
            one.referral.service_id,
            # The reason only: what the agency wrote beside it may be about the client.
            one.reason.name_id,
            part=said.get(one.reason.code, part),
            value=one.referral.need.category if one.reason.code == NOT_OFFERED else None,
            is_doubted=one.reason.code in said,
            by=one.by,
            now=one.now,
        )

    return report


def _never_again(one: Happened) -> None:
    exclude(
        one.session,
        one.referral.case,
        one.referral.organization_id,
        reason=one.given.note or one.reason.code,
        by=one.by,
        now=one.now,
    )


def _documents_need(one: Happened) -> None:
    """Papers are missing: getting them becomes a need of the same person, once."""
    need = one.referral.need
    known = select(Need.id).where(
        Need.case_id == need.case_id,
        Need.beneficiary_id == need.beneficiary_id
        if need.beneficiary_id
        else Need.beneficiary_id.is_(None),
        Need.category == DOCUMENTS_NEED,
        Need.withdrawn_at.is_(None),
        Need.resolved_otherwise_at.is_(None),
    )
    if one.session.scalar(known.limit(1)) is not None:
        return
    told = {"service": one.referral.service.name}
    made = Need(
        key=need.key,
        case=need.case,
        beneficiary=need.beneficiary,
        category=DOCUMENTS_NEED,
        urgency=need.urgency,
        assessed_at=one.now,
        note=render(Message("referral.effect.documents", told), DEFAULT_LANGUAGE),
    )
    one.session.add(made)
    audit.record(
        one.session,
        "need.assessed",
        made,
        by=one.by,
        now=one.now,
        client_id=one.referral.client_id,
        category=DOCUMENTS_NEED,
    )


def _park(one: Happened) -> None:
    """The client does not want this service for this need, until they say otherwise."""
    one.session.add(
        Parked(
            need_id=one.referral.need_id,
            service_id=one.referral.service_id,
            referral_id=one.referral.id,
            at=one.now,
            by_id=one.by.id,
        )
    )


def _ask_what_kept_them(one: Happened) -> None:
    one.session.add(
        Task(
            key=one.referral.key,
            key_text=f"transport:{one.referral.id}",
            case_id=one.referral.case_id,
            referral_id=one.referral.id,
            kind=TaskKind.ASK_TRANSPORT,
            due_on=one.today + timedelta(days=ASK_WITHIN_DAYS),
            made_at=one.now,
        )
    )


def _stop_sharing(one: Happened) -> None:
    """The consent this went out on is over; what the agency sees closes with it."""
    basis = one.session.get(LawfulBasis, one.referral.basis_id) if one.referral.basis_id else None
    if basis is not None and basis.withdrawn_at is None and not basis.refused:
        agreements.withdraw_basis(one.session, basis, by=one.by, now=one.now)


EFFECTS: Mapping[str, Callable[[Happened], None]] = {
    "capacity_until": _no_room,
    "suspend_until": _no_room,
    "listing_correction": _listing(None),
    "check_rule": _listing(Part.ELIGIBILITY),
    "fix_catchment": _listing(Part.SERVICE_AREAS),
    "never_again": _never_again,
    "documents_need": _documents_need,
    "park": _park,
    "ask_transport_hours": _ask_what_kept_them,
    "stop_sharing": _stop_sharing,
}
