"""Recording what nothing meets, and telling whoever waits of a new service. The caller commits."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from referral.accounts.models import User
from referral.casework.models import Need
from referral.casework.queries import excluded_organizations
from referral.changes import audit
from referral.changes.actors import Actor
from referral.core.errors import Invalid, NotAllowed
from referral.directory.models import ServiceAtLocation
from referral.matching import candidates
from referral.matching.models import MatchReceipt
from referral.matching.operations import query_for
from referral.matching.queries import latest_choices, penalty_table
from referral.matching.ranking import rank
from referral.places.codes import regency_of
from referral.places.queries import gazetteer as places_of
from referral.planning.unmet import queries
from referral.planning.unmet.models import NewServiceNotice, Origin, UnmetNeed, UnmetReason
from referral.planning.unmet.reasons import prefilled_reason
from referral.referrals.models import Referral
from referral.referrals.queries import end_reason


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
            origin=Origin.BROKER,
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
