"""The ledger keeps itself: after a search, an answer or a step the open record of a need is what its history says.

Doors call `notice` in the transaction of the step; a job calls it for what time alone brings, and once more for
everything recent. It changes nothing where nothing new is known. The caller commits.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import or_, select, union
from sqlalchemy.orm import Session

from referral.casework.models import Case, Client, Need, Stage
from referral.changes import audit
from referral.changes.actors import Actor
from referral.matching.models import ClientChoice, MatchReceipt
from referral.planning.unmet import ledger, queries
from referral.planning.unmet.episodes import (
    Answer,
    Gap,
    History,
    Search,
    Sent,
    found_at,
    gap_of,
    helped,
    taken_at,
)
from referral.planning.unmet.kinds import Closing, Origin
from referral.planning.unmet.models import NewServiceNotice, UnmetNeed
from referral.planning.unmet.reasons import UNCLEAR
from referral.referrals import clocks
from referral.referrals import queries as referrals
from referral.referrals.lifecycle import WAITING, Event, Status
from referral.referrals.models import Referral, ReferralStep

#: What happened so lately is looked at once more each night.
RECENT = timedelta(days=2)
#: Silence that is shorter than this is never taken for an answer.
SHORTEST_SILENCE = timedelta(hours=72)
_HELPS = (Event.ACCEPT, Event.START, Event.RESUME)


def notice(session: Session, need_id: UUID, *, by: Actor, now: datetime) -> UnmetNeed | None:
    """Bring the record of a need to what its history says; gives the open record, None where there is none.

    What a broker said stands: a new word adds its evidence and its reason beside theirs.
    """
    session.flush()
    # Two steps at once write one record: whoever comes second waits, and reads what the first wrote.
    need = session.scalars(select(Need).where(Need.id == need_id).with_for_update()).one()
    case = need.case
    if case.client.erased_at is not None:
        return None
    record = queries.newest(session, need_id)
    is_open = record is not None and record.closed_at is None
    over = (
        Closing.WITHDRAWN
        if need.withdrawn_at is not None
        else Closing.RESOLVED_OTHERWISE
        if need.resolved_otherwise_at is not None
        else None
    )
    if over is not None:
        if record is not None and is_open:
            ledger.close_unmet(session, record, closed_as=over, by=by, now=now)
        return None
    history = history_of(session, need_id)
    if record is not None and is_open:
        closing = _closing(session, record, history, now)
        if closing is not None:
            ledger.close_unmet(session, record, closed_as=closing, by=by, now=now)
            return None
    if case.stage is Stage.CLOSED:
        return record if is_open else None
    after = record.closed_at if record is not None else None
    gap = gap_of(history, now=now, after=after)
    if gap is None:
        return record if is_open else None
    return _keep(session, need, record, gap, by=by, now=now)


@dataclass(frozen=True)
class Suggestion:
    """The reason that is already known for a need that nothing meets."""

    reason: str
    #: who tells it: record, search, client or referral
    told_by: str
    secondary: tuple[str, ...] = ()


_TOLD_BY = {
    Origin.NO_MATCH: "search",
    Origin.ALL_FAILED: "search",
    Origin.CLIENT_NO: "client",
    Origin.BROKER: "record",
}


def suggest(session: Session, need: Need, *, now: datetime) -> Suggestion | None:
    """What the page of an unmet need starts with: its open record, else what its history says.

    None where nothing tells it and the broker has to say.
    """
    known = queries.open_unmet(session, [need.id]).get(need.id)
    if known is not None and known.confirmed_at is not None:
        return Suggestion(known.reason, "record", tuple(known.secondary))
    gap = gap_of(history_of(session, need.id), now=now)
    if gap is None or gap.reason == UNCLEAR:
        return None
    return Suggestion(gap.reason, _TOLD_BY.get(gap.origin, "referral"), gap.secondary)


def due(session: Session, *, now: datetime) -> Sequence[UUID]:
    """Needs to look at again: those with a referral that was silent or on hold too long, and what is recent.

    Opens nobody's record; of the erased nothing is looked at.
    """
    waiting = session.scalars(
        referrals.loaded(select(Referral)).where(
            or_(
                Referral.status == Status.ON_HOLD,
                Referral.status.in_(WAITING) & (Referral.delivered_at <= now - SHORTEST_SILENCE),
            ),
            referrals.of_the_known(),
        )
    )
    found = {one.need_id for one in waiting if _is_late(one, now)}
    since = now - RECENT
    recent = union(
        select(MatchReceipt.need_id).where(
            MatchReceipt.at >= since, MatchReceipt.need_id.is_not(None)
        ),
        select(ClientChoice.need_id).where(ClientChoice.at >= since),
        select(Referral.need_id).join(ReferralStep).where(ReferralStep.at >= since),
    ).subquery()
    known = (
        select(Need.id)
        .join(Need.case)
        .join(Case.client)
        .where(Need.id.in_(select(recent)), Client.erased_at.is_(None))
    )
    return sorted(found | set(session.scalars(known)))


def notice_all(session: Session, need_ids: Iterable[UUID], *, by: Actor, now: datetime) -> int:
    """Bring the records of many needs up to date; gives how many have an open one."""
    return sum(notice(session, need_id, by=by, now=now) is not None for need_id in need_ids)


def history_of(session: Session, need_id: UUID) -> History:
    """The searches, answers and referrals of a need, as plain facts."""
    receipts = session.scalars(select(MatchReceipt).where(MatchReceipt.need_id == need_id))
    choices = session.scalars(select(ClientChoice).where(ClientChoice.need_id == need_id))
    sent = session.scalars(
        referrals.loaded(select(Referral)).where(
            Referral.need_id == need_id,
            Referral.status.not_in([Status.DRAFT, Status.ENTERED_IN_ERROR]),
        )
    )
    return History(
        [
            Search(receipt.id, receipt.at, receipt.content["tally"])
            for receipt in receipts
            if receipt.content
        ],
        [
            Answer(
                choice.id,
                choice.at,
                bool(choice.service_at_location_id or choice.own_resource_id),
                tuple(choice.reasons),
                choice.receipt_id,
            )
            for choice in choices
        ],
        [sent_of(session, referral) for referral in sent],
    )


def sent_of(session: Session, referral: Referral) -> Sent:
    """What the rule reads of a referral."""
    steps = list(referral.steps)
    codes = referrals.reasons_by_code(session)
    ending = next(
        (one for one in reversed(steps) if one.reason_code and one.to_status is referral.status),
        None,
    )
    ended = codes.get(ending.reason_code or "") if ending and referral.ended_at else None
    holding = next((one for one in reversed(steps) if one.event is Event.HOLD), None)
    held = holding if referral.status is Status.ON_HOLD else None
    why_held = codes.get(held.reason_code or "") if held else None
    helping = [one.moment for one in steps if one.event in _HELPS]
    said = referrals.feedback_of(session, referral.id)
    return Sent(
        referral.id,
        referral.created_at,
        referral.status,
        helping_at=max(helping) if referrals.was_accepted(referral) and helping else None,
        silent_at=_silent_at(referral),
        held_at=held.moment if held else None,
        held_code=held.reason_code if held else None,
        held_reason=why_held.unmet_reason if why_held else None,
        held_long_at=held.moment + _terms(referral).stall if held else None,
        ended_at=referral.ended_at,
        ended_by=ending.actor if ending and ended else None,
        ended_code=ended.code if ended else None,
        ended_party=ended.party if ended else None,
        ended_reason=ended.unmet_reason if ended else None,
        client_says=said.received if said else None,
        said_at=said.at if said else None,
    )


def _keep(
    session: Session,
    need: Need,
    record: UnmetNeed | None,
    gap: Gap,
    *,
    by: Actor,
    now: datetime,
) -> UnmetNeed:
    before = _content(record)
    was_open = record is not None and record.closed_at is None
    record = ledger.opened(
        session, need, reason=gap.reason, origin=gap.origin, since=gap.since, now=now
    )
    record.evidence = ledger.with_evidence(record.evidence, gap.evidence)
    if record.confirmed_at is None:
        record.reason, record.secondary = gap.reason, list(gap.secondary)
    else:
        beside = [*record.secondary, gap.reason, *gap.secondary]
        record.secondary = [code for code in dict.fromkeys(beside) if code != record.reason]
    if was_open and _content(record) == before:
        return record
    action = "unmet.noticed" if was_open or record.reopened_at is None else "unmet.reopened"
    audit.record(
        session,
        action,
        record,
        by=by,
        now=now,
        client_id=need.case.client_id,
        reason=record.reason,
        origin=gap.origin.value,
    )
    return record


def _content(record: UnmetNeed | None) -> object:
    if record is None:
        return None
    return record.reason, list(record.secondary), dict(record.evidence)


def _closing(
    session: Session, record: UnmetNeed, history: History, now: datetime
) -> Closing | None:
    """Why an open record ends now; None where it stays."""
    help_ = helped(history, now=now)
    looked_at = max(
        at for at in (record.opened_at, record.reopened_at, record.confirmed_at) if at is not None
    )
    if help_ is not None and (help_.at >= looked_at or help_.closing is Closing.MET):
        return help_.closing
    taken = taken_at(history)
    if (
        record.confirmed_at is None
        and not record.evidence.get("referrals")
        and taken is not None
        and taken >= looked_at
    ):
        return Closing.NOT_A_GAP
    shown_by_search = not record.evidence.get("choices") and not record.evidence.get("referrals")
    found = found_at(history)
    if record.confirmed_at is None and shown_by_search and found is not None and found >= looked_at:
        told = select(NewServiceNotice.id).where(NewServiceNotice.unmet_need_id == record.id)
        # Asked more widely, there was somebody all along; or somebody has come since.
        is_new = session.scalar(told.limit(1)) is not None
        return Closing.FITTING_SERVICE if is_new else Closing.NOT_A_GAP
    return None


def _is_late(referral: Referral, now: datetime) -> bool:
    if referral.status is Status.ON_HOLD:
        return True
    silent_at = _silent_at(referral)
    return silent_at is not None and silent_at <= now


def _silent_at(referral: Referral) -> datetime | None:
    clock = referrals.clock(referral)
    return None if clock.is_paused else clock.silent_from


def _terms(referral: Referral) -> clocks.Terms:
    return clocks.terms_of(
        priority=referral.priority.value, profile=referral.case.office.clock_profile.value
    )
