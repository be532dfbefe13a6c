"""How services keep their word, in words for workers. Never on a page that anybody may open, nor on paper for clients."""

from collections.abc import Iterable
from uuid import UUID

from referral.core.text import Message
from referral.extensions import db
from referral.referrals import standing
from referral.referrals.reliability import Record, Share, record_of
from referral.web.formatting import say

#: pairs of an icon and a sentence
Facts = list[tuple[str, str]]


def track_records(service_ids: Iterable[UUID]) -> dict[UUID, Facts]:
    """By service what its referrals tell, in two queries; nothing of those that nobody was sent to yet."""
    found = standing.standings(db.session, service_ids)
    if not found:
        return {}
    usual = standing.all_together(db.session)
    return {one: _facts(record_of(counts, among=[usual])) for one, counts in found.items()}


def _facts(record: Record) -> Facts:
    facts = []
    in_time, accepted, confirmed = record.shares
    if in_time.says_something:
        facts.append(("clock", _said("reliability.in_time", in_time)))
    if accepted.says_something:
        facts.append(("thumbs-up", _said("reliability.accepted", accepted)))
    if confirmed.says_something:
        facts.append(("handshake", say(Message("reliability.claimed", {"count": record.claimed}))))
        facts.append(("user-check", _said("reliability.confirmed", confirmed)))
    if not facts and any(share.whole for share in record.shares):
        facts.append(("info", say(Message("reliability.few"))))
    return facts


def _said(key: str, share: Share) -> str:
    low, high = share.interval
    return say(
        Message(
            key,
            {
                "part": share.part,
                "whole": share.whole,
                "low": round(low * 100),
                "high": round(high * 100),
            },
        )
    )
