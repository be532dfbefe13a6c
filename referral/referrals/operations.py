"""What can be done with a referral. Who, when and why come in as arguments; the caller commits."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import flag_modified
from sqlalchemy.orm.exc import StaleDataError

from referral.accounts.models import Role, User
from referral.casework.cover import works as works
from referral.casework.models import Need, Urgency
from referral.changes import audit
from referral.changes.actors import StandingActor
from referral.core.errors import Invalid, NotAllowed, NotFound, Stale
from referral.core.text import Message
from referral.directory.models import (
    AnswerMode,
    ServiceAtLocation,
)
from referral.directory.upkeep import verification
from referral.matching.models import MatchReceipt
from referral.referrals import effects, queries, tasks
from referral.referrals.exchange import events
from referral.referrals.given import Given
from referral.referrals.lifecycle import (
    LIVE,
    TERMINAL,
    WAITING,
    Actor,
    Event,
    Status,
    allowed,
    next_status,
    rule_for,
)
from referral.referrals.loop import awaits_disposition
from referral.referrals.models import (
    Channel,
    Disposition,
    ReasonCode,
    Referral,
    ReferralStep,
)
from referral.referrals.sending import check_sendable, prepare
from referral.referrals.standing import push_standing, take_place

WALK_IN_ASK_DAYS = 7  # a client sent to a walk-in service is asked "did you go?" a week later
TEXT_LIMIT = 4_000  # characters of a note; longer tellings belong into the case
OUTCOMES = ("received", "partly", "enrolled", "information_only")


def draft(
    session: Session,
    need: Need,
    site: ServiceAtLocation,
    *,
    receipt: MatchReceipt | None = None,
    known_service_reason: str | None = None,
    based_on: Referral | None = None,
    priority: Urgency | None = None,
    by: User,
    now: datetime,
) -> Referral:
    """A referral not yet sent: from a receipt, or to a service the worker knows and says why.

    `based_on` is an ended referral of the same need that is tried again; then too the reason is required.
    """
    case, service = need.case, site.service
    if not works(case, by):
        raise NotFound("referral.none")
    check_sendable(session, need, service)
    if receipt is not None and receipt.need_id != need.id:
        raise NotFound("referral.none")
    if based_on is not None and (based_on.need_id != need.id or based_on.status not in TERMINAL):
        raise NotAllowed("referral.not_again")
    if (receipt is None or based_on is not None) and not (known_service_reason or "").strip():
        key = "referral.known_reason" if based_on is None else "referral.again_reason"
        raise Invalid(key, field="known_service_reason")
    if (live := queries.live_duplicate(session, need.id, service.id)) is not None:
        raise NotAllowed("referral.duplicate", number=live.number)
    referral = Referral(
        key=case.key,
        number=_next_number(session, now.year),
        office_id=case.office_id,
        case=case,
        need=need,
        client_id=case.client_id,
        service=service,
        site=site,
        organization_id=service.organization_id,
        priority=priority or need.urgency,
        answer_mode=service.answer_mode,
        receipt_id=receipt.id if receipt else None,
        based_on_id=based_on.id if based_on else None,
        created_at=now,
        known_service_reason=known_service_reason,
        blind_card={},
    )
    session.add(referral)
    if receipt is None:  # what was chosen from a receipt was counted then
        verification.count_use(session, service.id, now=now)
    audit.record(session, "referral.drafted", referral, by=by, now=now, client_id=case.client_id)
    return referral


def take_step(
    session: Session,
    referral: Referral,
    event: Event,
    *,
    actor: Actor,
    by: User | StandingActor,
    now: datetime,
    version: int,
    given: Given | None = None,
    channel: Channel = Channel.WEB,
    answered_on: date | None = None,
    confirmed_full: bool = False,
) -> ReferralStep:
    """Move a referral along and write down whose step it was, who pressed, when and why.

    version      the row version the person saw
    answered_on  the day the agency answered by phone or on paper, when that was not today

    Raises Stale when the row has moved on, NotAllowed for a step out of turn, NotFound for somebody else's
    referral, Invalid for a missing or unfit field, BasisMissing on sending without a lawful basis for this
    recipient.
    """
    given = given or Given()
    _check_person(referral, event, actor, by, channel)
    if version != referral.version:
        seen = Message(f"referral.status.{referral.status}")
        raise Stale(
            "referral.stale", field="version", candidates=[version, referral.version], status=seen
        )
    before = referral.status
    is_resumed = event is Event.RESUME and before is Status.ON_HOLD
    held_from = queries.status_before_hold(session, referral.id) if is_resumed else None
    after = next_status(
        before,
        event,
        actor=actor,
        mode=referral.answer_mode,
        given=given.fields,
        accepted=queries.was_accepted(referral),
        before_hold=held_from,
    )
    obstacle = _obstacle(referral, event, by=by, now=now)
    if obstacle is not None:
        raise NotAllowed(obstacle.key, **obstacle.params)
    reason = _fitting_reason(session, before, event, actor, referral, given)
    today = local_day(referral, now)
    _check_given(referral, event, given, answered_on, today)
    if event is Event.SEND:
        prepare(session, referral, now=now, confirmed_full=confirmed_full)
        if referral.answer_mode is AnswerMode.WALK_IN:
            referral.review_on = local_day(referral, now) + timedelta(days=WALK_IN_ASK_DAYS)
    answered_at = _instant(referral, answered_on, now)
    _apply(session, referral, event, actor, after, given, now=now, answered_at=answered_at, by=by)
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
        happened_at=None if answered_at == now else answered_at,
        reason_code=reason.code if reason else None,
        note=given.note,
    )
    session.add(step)
    # A question or a note changes no column, and yet whoever read the page before must look again.
    flag_modified(referral, "status")
    if reason is not None:
        effects.follow(session, referral, reason, given, by=by, now=now, today=today)
    tasks.follow(session, referral, event, accepted_on=local_day(referral, answered_at), now=now)
    try:
        session.flush()
    except StaleDataError:
        raise Stale("referral.stale_now", field="version") from None
    push_standing(session, referral.service_id, now=now)
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
        reason=reason.code if reason else None,
    )
    events.announce(session, referral, step)
    return step


def possible_steps(referral: Referral, by: User, *, now: datetime) -> list[tuple[Event, Actor]]:
    """The steps this person may take now, and as whose; a worker's own before those of others."""
    if by.role is Role.AGENCY:
        actors: Sequence[tuple[Actor, Channel]] = [(Actor.AGENCY, Channel.WEB)]
    else:
        actors = [
            (Actor.BROKER, Channel.WEB),
            (Actor.CLIENT, Channel.WEB),
            (Actor.AGENCY, Channel.PHONE),
        ]
    return [
        (event, actor)
        for actor, channel in actors
        for event in allowed(
            referral.status,
            actor=actor,
            mode=referral.answer_mode,
            accepted=queries.was_accepted(referral),
        )
        if _may(referral, event, actor, by, channel)
        and _obstacle(referral, event, by=by, now=now) is None
    ]


def discard(session: Session, referral: Referral, *, by: User, now: datetime) -> None:
    """Delete a draft: nobody but its writer has seen it."""
    if not works(referral.case, by):
        raise NotFound("referral.none")
    if referral.status is not Status.DRAFT:
        raise NotAllowed("referral.not_a_draft")
    audit.record(
        session, "referral.discarded", referral, by=by, now=now, client_id=referral.client_id
    )
    session.delete(referral)
    session.flush()


def keep_waiting(
    session: Session, referral: Referral, *, note: str | None, by: User, now: datetime
) -> Disposition:
    """After a referral ended without help the client wants to wait: the need stays open, nothing is sent."""
    return _dispose(session, referral, "keep_waiting", note=note, by=by, now=now)


def withdraw_after(
    session: Session, referral: Referral, *, note: str | None, by: User, now: datetime
) -> Disposition:
    """After a referral ended without help the client no longer asks for this. The caller withdraws the need."""
    return _dispose(session, referral, "withdrawn", note=note, by=by, now=now)


# Who ---------------------------------------------------------------------------------------------


def _may(
    referral: Referral, event: Event, actor: Actor, by: User | StandingActor, channel: Channel
) -> bool:
    if isinstance(by, StandingActor):
        # Whoever holds the link or the token speaks for the agency: replies and exchange have looked at it.
        return actor is Actor.AGENCY and channel in (Channel.LINK, Channel.SYSTEM)
    own = works(referral.case, by)
    if actor is Actor.AGENCY:
        answers = (
            by.role is Role.AGENCY
            and by.organization_id is not None
            and by.organization_id == referral.organization_id
        )
        # An agency that answers by phone or paper is written down by the worker.
        return answers or (own and channel in (Channel.PHONE, Channel.PAPER))
    if actor is Actor.TIMER:
        return False
    second_person = by.role is Role.SUPERVISOR and referral.office_id == by.office_id
    return own or (second_person and event is Event.VOID and actor is Actor.BROKER)


def _check_person(
    referral: Referral, event: Event, actor: Actor, by: User | StandingActor, channel: Channel
) -> None:
    if not _may(referral, event, actor, by, channel):
        raise NotFound("referral.none")


# When --------------------------------------------------------------------------------------------


def _zone(referral: Referral) -> ZoneInfo:
    return ZoneInfo(referral.case.office.time_zone)


def local_day(referral: Referral, now: datetime) -> date:
    """The day it is at `now` in the zone of the office that sent it."""
    return now.astimezone(_zone(referral)).date()


def _instant(referral: Referral, on: date | None, now: datetime) -> datetime:
    """The end of the day somebody answered, or now when that was today."""
    if on is None or on >= local_day(referral, now):
        return now
    return datetime(on.year, on.month, on.day, 23, 59, tzinfo=_zone(referral))


def _obstacle(
    referral: Referral, event: Event, *, by: User | StandingActor, now: datetime
) -> Message | None:
    """What stands in the way of a step that the table allows."""
    if event is Event.FAIL and referral.status in WAITING:
        clock = queries.clock(referral)
        if clock.is_paused:
            return Message("referral.clock_stands")
        if clock.silent_from is None:
            return Message("referral.not_delivered")
        if now < clock.silent_from:
            return Message("referral.not_silent_yet", {"day": clock.silent_from.date()})
    if event is Event.REPLY and queries.open_question(referral) is None:
        return Message("referral.nothing_asked")
    if event is Event.CONFIRM and not queries.unconfirmed_cancellation(referral):
        return Message("referral.nothing_to_confirm")
    if event is Event.VOID:
        made_on = referral.created_at.astimezone(_zone(referral)).date()
        wrote = {step.by_id for step in referral.steps if step.event is Event.SEND}
        same_day = made_on == local_day(referral, now)
        if not same_day and by.id in wrote:
            return Message("referral.void_needs_second")
    return None


# What --------------------------------------------------------------------------------------------


def _next_number(session: Session, year: int) -> str:
    last = queries.last_number(session, year)
    count = int(last.rsplit("-", 1)[1]) if last else 0
    return f"R-{year}-{count + 1:05}"


def _fitting_reason(
    session: Session, status: Status, event: Event, actor: Actor, referral: Referral, given: Given
) -> ReasonCode | None:
    rule = rule_for(
        status,
        event,
        actor=actor,
        mode=referral.answer_mode,
        accepted=queries.was_accepted(referral),
    )
    if rule.codes is None or given.reason is None:
        return None
    reason = session.get(ReasonCode, given.reason)
    if (
        reason is None
        or not getattr(reason, f"for_{rule.codes}")
        or (rule.only and reason.code not in rule.only)
    ):
        raise Invalid("referral.unfit_reason", field="reason")
    if reason.code == "other" and not given.note:
        raise Invalid("referral.other_note", field="note")
    return reason


def _check_given(
    referral: Referral, event: Event, given: Given, answered_on: date | None, today: date
) -> None:
    sent_on = (referral.requested_at or referral.created_at).astimezone(_zone(referral)).date()
    if given.note is not None and len(given.note) > TEXT_LIMIT:
        length = len(given.note)
        raise Invalid("referral.text_long", field="note", limit=TEXT_LIMIT, length=length)
    if given.review_on is not None and given.review_on <= today:
        raise Invalid("referral.review_past", field="review_on")
    if given.first_contact_on is not None:
        if given.first_contact_on < sent_on:
            raise Invalid("referral.contact_early", field="first_contact_on", day=sent_on)
        if event is Event.START and given.first_contact_on > today:
            raise Invalid("referral.contact_future", field="first_contact_on")
    if given.outcome is not None and given.outcome not in OUTCOMES:
        raise Invalid("referral.missing.outcome", field="outcome")
    if given.outcome_on is not None:
        if given.outcome_on > today:
            raise Invalid("referral.outcome_future", field="outcome_on")
        if given.outcome_on < sent_on:
            raise Invalid("referral.outcome_early", field="outcome_on", day=sent_on)
    if answered_on is not None and not sent_on <= answered_on <= today:
        raise Invalid("referral.answered_on", field="answered_on", day=sent_on)


def _apply(
    session: Session,
    referral: Referral,
    event: Event,
    actor: Actor,
    after: Status,
    given: Given,
    *,
    now: datetime,
    answered_at: datetime,
    by: User | StandingActor,
) -> None:
    referral.status = after
    if actor is Actor.AGENCY and referral.requested_at is not None:
        # Whoever answers has it in hand, however it came there.
        referral.delivered_at = referral.delivered_at or answered_at
        referral.received_at = referral.received_at or answered_at
    if event in (Event.ACCEPT, Event.DECLINE):
        referral.decided_at = answered_at
    if event is Event.ACCEPT:
        referral.first_contact_on = referral.review_on = given.first_contact_on
        take_place(session, referral, by=by, now=now)
    if event is Event.START:
        referral.first_contact_on, referral.review_on = given.first_contact_on, None
    if event is Event.HOLD:
        referral.review_on = given.review_on
    if event is Event.RESUME:
        referral.review_on = referral.first_contact_on if after is Status.ACCEPTED else None
    if event is Event.COMPLETE:
        referral.outcome, referral.outcome_on = given.outcome, given.outcome_on
    if after not in LIVE:
        referral.ended_at, referral.review_on = referral.ended_at or now, None


def _dispose(
    session: Session, referral: Referral, kind: str, *, note: str | None, by: User, now: datetime
) -> Disposition:
    if not works(referral.case, by):
        raise NotFound("referral.none")
    if not awaits_disposition(queries.trace_of(session, referral)):
        raise NotAllowed("referral.nothing_to_decide")
    disposition = Disposition(
        key=referral.key, referral_id=referral.id, kind=kind, at=now, by_id=by.id, note=note
    )
    session.add(disposition)
    audit.record(
        session,
        "disposition.recorded",
        disposition,
        by=by,
        now=now,
        client_id=referral.client_id,
        kind=kind,
    )
    return disposition
