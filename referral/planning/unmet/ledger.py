"""The records of what nothing meets: opened, confirmed, corrected, closed, opened again. The caller commits.

One open record per need. The same need that fails again within a year opens its old record again: it is one
episode of one person, however often the search, an agency or time shows it.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from referral.accounts.models import User
from referral.casework.models import Case, Client, Need
from referral.changes import audit
from referral.changes import directory as directory_changes
from referral.changes.actors import Actor
from referral.core.errors import Invalid, NotAllowed
from referral.matching.models import MatchReceipt
from referral.places.codes import regency_of
from referral.planning.unmet import queries
from referral.planning.unmet.kinds import CallOutcome, Closing, Origin
from referral.planning.unmet.models import NewServiceNotice, UnmetNeed, UnmetReason
from referral.planning.unmet.reasons import prefilled_reason
from referral.referrals.models import Parked, Referral

#: Closed no longer ago, a need that fails again is the same episode.
SAME_EPISODE = timedelta(days=365)
EVIDENCE = ("receipts", "choices", "referrals")


def reason_from(receipt: MatchReceipt) -> str | None:
    """The reason that a match run itself tells, None where the broker has to say."""
    content = receipt.content or {}
    return prefilled_reason(content["tally"]) if content else None


def opened(
    session: Session, need: Need, *, reason: str, origin: Origin, since: datetime, now: datetime
) -> UnmetNeed:
    """The open record of a need: the one there is, the one closed less than a year ago, or a new one.

    reason  for a new one
    since   when it was first shown
    """
    version = directory_changes.version(session)
    record = queries.newest(session, need.id)
    if record is not None and record.closed_at is None:
        return record
    if (
        record is not None
        and record.closed_at is not None
        and now - record.closed_at < SAME_EPISODE
    ):
        record.closed_at = record.closed_as = record.confirmed_at = None
        record.reopened_at, record.origin = now, origin
    else:
        client = need.case.client
        record = UnmetNeed(
            need_id=need.id,
            office_id=need.case.office_id,
            category=need.category,
            area_code=client.area_code or regency_of((client.stays_at or {}).get("code")),
            reason=reason,
            secondary=[],
            origin=origin,
            opened_at=min(since, now),
            evidence={kind: [] for kind in EVIDENCE},
        )
        session.add(record)
    record.weighed_version = version
    return record


def with_evidence(
    kept: Mapping[str, Sequence[str]], more: Mapping[str, Sequence[str]]
) -> dict[str, list[str]]:
    """Both chains as one, each id once, in the order in which they came."""
    return {
        kind: list(dict.fromkeys([*kept.get(kind, ()), *more.get(kind, ())])) for kind in EVIDENCE
    }


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
    """A need that nothing meets, and why, in a broker's word: opens a record or corrects the open one.

    The match and the referral that ended in vain are kept as its evidence.
    """
    for code in (reason, *secondary):
        if session.get(UnmetReason, code) is None:
            raise Invalid("planning.reason", field="reason")
    if need.withdrawn_at is not None:
        raise NotAllowed("planning.need_withdrawn")
    unmet = opened(session, need, reason=reason, origin=Origin.BROKER, since=now, now=now)
    unmet.reason, unmet.confirmed_at = reason, now
    unmet.secondary = [code for code in dict.fromkeys(secondary) if code != reason]
    shown = {
        "receipts": [str(receipt.id)] if receipt is not None else [],
        "referrals": [str(referral.id)] if referral is not None else [],
    }
    unmet.evidence = with_evidence(unmet.evidence, shown)
    _note(session, "unmet.recorded", unmet, by=by, now=now, reason=reason)
    return unmet


def confirm(session: Session, unmet: UnmetNeed, *, by: User, now: datetime) -> None:
    """The broker agrees with the reason that was filled in."""
    _check_open(unmet)
    unmet.confirmed_at = now
    _note(session, "unmet.confirmed", unmet, by=by, now=now, reason=unmet.reason)


def deny(session: Session, unmet: UnmetNeed, *, by: User, now: datetime) -> None:
    """The broker says that it is no gap. What was known up to now opens it no more."""
    _check_open(unmet)
    close_unmet(session, unmet, closed_as=Closing.NOT_A_GAP, by=by, now=now)


def ask_callback(
    session: Session, unmet: UnmetNeed, wanted: bool, *, by: User, now: datetime
) -> None:
    """Whether the client wants to be told when something appears."""
    if wanted is (unmet.callback_asked_at is not None):
        return
    unmet.callback_asked_at = now if wanted else None
    _note(session, "unmet.callback", unmet, by=by, now=now, wanted=wanted)


def close_unmet(
    session: Session, unmet: UnmetNeed, *, closed_as: str, by: Actor, now: datetime
) -> None:
    """The episode is over, as Closing says."""
    unmet.closed_at, unmet.closed_as = now, Closing(closed_as).value
    _note(session, "unmet.closed", unmet, by=by, now=now, closed_as=closed_as)


def close_met(session: Session, need: Need, *, by: Actor, now: datetime) -> None:
    """The client's word says that help came: a need that was waiting waits no more."""
    unmet = queries.open_unmet(session, [need.id]).get(need.id)
    if unmet is not None:
        close_unmet(session, unmet, closed_as=Closing.MET, by=by, now=now)


def forget(session: Session, client: Client) -> None:
    """Of somebody who is erased no place, evidence or wish to be told stays in a record. Frozen counts stay."""
    needs = select(Need.id).join(Case, Case.id == Need.case_id).where(Case.client_id == client.id)
    for unmet in session.scalars(select(UnmetNeed).where(UnmetNeed.need_id.in_(needs))):
        unmet.area_code = unmet.callback_asked_at = None
        unmet.evidence = {kind: [] for kind in EVIDENCE}
    session.flush()


def see(notice: NewServiceNotice, *, now: datetime) -> None:
    """The broker has looked at it."""
    notice.seen_at = notice.seen_at or now


def tell_done(
    session: Session, notice: NewServiceNotice, outcome: CallOutcome, *, by: User, now: datetime
) -> None:
    """What came of telling the client. A service they do not want is offered no more until they lift that."""
    if notice.done_as is not None:
        raise NotAllowed("unmet.told_already")
    see(notice, now=now)
    notice.done_as = outcome.value
    unmet = session.get_one(UnmetNeed, notice.unmet_need_id)
    if outcome is CallOutcome.DECLINED:
        service_id = queries.service_of(session, notice)
        session.add(Parked(need_id=unmet.need_id, service_id=service_id, at=now, by_id=by.id))
    case = session.get_one(Need, unmet.need_id).case
    audit.record(
        session,
        "notice.done",
        notice,
        by=by,
        now=now,
        client_id=case.client_id,
        outcome=outcome.value,
    )


def _check_open(unmet: UnmetNeed) -> None:
    if unmet.closed_at is not None:
        raise NotAllowed("unmet.closed")


def _note(
    session: Session, action: str, unmet: UnmetNeed, *, by: Actor, now: datetime, **told: object
) -> None:
    session.flush()
    case = session.get_one(Need, unmet.need_id).case
    audit.record(session, action, unmet, by=by, now=now, client_id=case.client_id, **told)
