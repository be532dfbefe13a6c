"""How an office's referrals fare: how long each answer takes and how many get that far, group by group.

For those who may open each of these referrals anyway; what leaves the office is planning.fairness's.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from dateutil.relativedelta import relativedelta
from sqlalchemy import select
from sqlalchemy.orm import Session

from referral.accounts.models import User
from referral.directory.models import AnswerMode
from referral.places.codes import regency_of
from referral.planning.fairness.waiting import Median, Spell, quantile
from referral.referrals import queries
from referral.referrals.kinds import Received
from referral.referrals.lifecycle import Event, Status
from referral.referrals.models import Feedback, Referral

#: By then it shows how most of them went; younger ones are left out of shares.
OLD_ENOUGH_DAYS = 30
CUTS = ("priority", "system", "area", "agency")
WAITS = ("acknowledge", "decide", "contact")
_HALF, _NINE_IN_TEN = 0.5, 0.9


@dataclass(frozen=True)
class Share:
    """`part` of `whole`; the whole is printed beside it, whatever it is."""

    part: int
    whole: int


@dataclass(frozen=True)
class Row:
    """One group. Waits in days by (wait, share of those over by then); shares among those sent long enough ago."""

    name: str
    sent: int
    waits: Mapping[tuple[str, float], Median]
    answered: Share
    no_answer: Share
    accepted: Share
    claimed: Share
    confirmed: Share


def of_office(session: Session, user: User, *, months: int, now: datetime) -> dict[str, list[Row]]:
    """Rows by cut, `all` first; groups with the most referrals first."""
    since = now - relativedelta(months=months)
    sent = session.scalars(
        queries.loaded(select(Referral)).where(
            queries.reachable(user),
            Referral.requested_at > since,
            Referral.status.not_in([Status.DRAFT, Status.ENTERED_IN_ERROR]),
        )
    ).all()
    words = session.execute(
        select(Feedback.referral_id, Feedback.received).where(
            Feedback.given_by == "client", Feedback.referral_id.in_([one.id for one in sent])
        )
    )
    said = {row.referral_id: row.received for row in words}
    rows = {"all": [_row("", sent, said, now)]}
    for cut in CUTS:
        groups: dict[str, list[Referral]] = {}
        for one in sent:
            groups.setdefault(_GROUP[cut](one), []).append(one)
        ordered = sorted(groups.items(), key=lambda pair: (-len(pair[1]), pair[0]))
        rows[cut] = [_row(name, those, said, now) for name, those in ordered]
    return rows


def _area(one: Referral) -> str:
    location = one.site.location if one.site else None
    return regency_of(location.area_code if location else None) or ""


_GROUP: Mapping[str, Callable[[Referral], str]] = {
    "priority": lambda one: one.priority.value,
    "system": lambda one: one.service.organization.system_type.value,
    "area": _area,
    "agency": lambda one: one.service.organization.name,
}


def _row(name: str, sent: Sequence[Referral], said: Mapping[object, str], now: datetime) -> Row:
    asked = [one for one in sent if _may_be_answered(one)]
    waits = {
        (wait, share): quantile([spell(one, wait, now) for one in asked], share)
        for wait in WAITS
        for share in (_HALF, _NINE_IN_TEN)
    }
    old = [one for one in sent if _age_days(one, now) >= OLD_ENOUGH_DAYS]
    answerable = [one for one in old if _may_be_answered(one)]
    decided = [one for one in answerable if queries.decision(one) is not None]
    accepted = [one for one in decided if queries.decision(one) is Event.ACCEPT]
    claimed = [one for one in old if one.status is Status.COMPLETED]
    heard = [one for one in claimed if one.id in said]
    return Row(
        name,
        len(sent),
        waits,
        answered=Share(len(decided), len(answerable)),
        no_answer=Share(len(answerable) - len(decided), len(answerable)),
        accepted=Share(len(accepted), len(decided)),
        claimed=Share(len(claimed), len(old)),
        confirmed=Share(sum(said[one.id] != Received.NO for one in heard), len(heard)),
    )


def _may_be_answered(one: Referral) -> bool:
    return one.answer_mode is AnswerMode.REPLIES and one.delivered_at is not None


def spell(one: Referral, wait: str, now: datetime) -> Spell:
    """How long one wait of a delivered referral has lasted, and how it ended: `done`, `ended` otherwise, `waiting`."""
    start = one.delivered_at or one.requested_at or one.created_at
    done_at = {
        "acknowledge": one.received_at,
        "decide": one.decided_at,
        "contact": _contact_at(one),
    }[wait]
    if done_at is not None:
        return Spell(_days(start, done_at))
    if one.ended_at is not None:
        return Spell(_days(start, one.ended_at), "ended")
    return Spell(_days(start, now), "waiting")


def _contact_at(one: Referral) -> datetime | None:
    return next((step.moment for step in one.steps if step.event is Event.START), None)


def _age_days(one: Referral, now: datetime) -> int:
    return _days(one.requested_at or one.created_at, now)


def _days(start: datetime, end: datetime) -> int:
    return max(0, (end - start).days)
