"""Gaps that a broker confirms, in words: the reason, and what stands behind it. No sealed value is opened for it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import select

from referral.casework.models import Case, Need
from referral.casework.queries import excluded_organizations
from referral.core import text
from referral.extensions import db
from referral.matching.models import ClientChoice, MatchReceipt
from referral.planning.unmet import queries
from referral.planning.unmet.models import UnmetNeed, UnmetReason
from referral.planning.unmet.reasons import UNCLEAR
from referral.referrals.models import Referral
from referral.referrals.queries import end_reason, loaded
from referral.web.formatting import label
from referral.web.language import chosen
from referral.web.referrals.steps import reason_name


@dataclass(frozen=True)
class GapLine:
    """One open record: whose case, why, what shows it."""

    unmet: UnmetNeed
    case: Case
    need: Need
    reason: str
    also: Sequence[str]
    shown_by: str
    evidence: Sequence[str]
    #: the worker can agree with one tap; else they have to choose
    is_clear: bool


def gap_lines(rows: Iterable[tuple[UnmetNeed, Need]]) -> list[GapLine]:
    """Records in words, in the order in which they come."""
    names = {reason.code: _name(reason) for reason in queries.reasons(db.session)}
    return [
        GapLine(
            unmet,
            need.case,
            need,
            names[unmet.reason],
            [names[code] for code in unmet.secondary],
            label(f"unmet.origin.{unmet.origin}"),
            _evidence(unmet, need),
            unmet.reason != UNCLEAR or unmet.confirmed_at is not None,
        )
        for unmet, need in rows
    ]


def _name(reason: UnmetReason) -> str:
    return reason.name_id if chosen() == "id" else reason.name_en


def _evidence(unmet: UnmetNeed, need: Need) -> list[str]:
    """What stands behind a record, in its order; whom the client must not meet is named nowhere."""
    told = []
    searched = _moments(MatchReceipt, unmet.evidence.get("receipts", ()))
    if searched:
        count = len(searched)
        told.append(
            ngettext(
                "%(num)s search, on %(day)s",
                "%(num)s searches, the last on %(day)s",
                count,
                day=text.day(searched[-1], chosen()),
            )
        )
    for at in _moments(ClientChoice, unmet.evidence.get("choices", ())):
        told.append(_("On %(day)s the client said no to every option", day=text.day(at, chosen())))
    ids = [UUID(one) for one in unmet.evidence.get("referrals", ())]
    found = {
        one.id: one
        for one in db.session.scalars(loaded(select(Referral)).where(Referral.id.in_(ids)))
    }
    kept_out = excluded_organizations(db.session, need.case_id) if ids else frozenset()
    for referral_id in ids:
        if referral_id in found:
            told.append(_referral(found[referral_id], kept_out))
    return told


def _referral(referral: Referral, kept_out: frozenset[UUID]) -> str:
    is_named = referral.organization_id not in kept_out
    about = f"{referral.number}, {referral.service.name}" if is_named else referral.number
    status = label(f"referral.status.{referral.status}")
    ended = end_reason(db.session, referral)
    why = reason_name(ended.code) if ended is not None else None
    return f"{about}: {status} ({why})" if why else f"{about}: {status}"


def _moments(kind: type[MatchReceipt] | type[ClientChoice], ids: Sequence[str]) -> list[datetime]:
    if not ids:
        return []
    wanted = [UUID(one) for one in ids]
    return list(db.session.scalars(select(kind.at).where(kind.id.in_(wanted)).order_by(kind.at)))
