"""Putting the people who asked in a quarter into groups, once: the only step of a rehearsal that opens anybody's facts."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from referral.casework.models import Case, Client, Need
from referral.matching.models import MatchReceipt
from referral.places.codes import regency_of
from referral.planning.rehearsal.groups import grouped
from referral.planning.rehearsal.models import AskerGroup
from referral.planning.rehearsal.trying import desil_band, part_of_week
from referral.referrals.cards import age_band

#: Quarters that are looked back on: a year.
QUARTERS = 4
#: Receipts whose facts are open at the same time.
_AT_A_TIME = 200


def facts_of(session: Session, *, now: datetime) -> dict[str, list[dict[str, str]]]:
    """Facts of everybody who asked since the last groups were made, by category; a person once for a category.

    Of people who are in danger from somebody near them only the area is told; whoever was erased is left out. Opens
    the facts of all of them: give it a session of its own, and close that afterwards.
    """
    since = session.scalar(select(func.max(AskerGroup.made_at)))
    found: dict[str, list[dict[str, str]]] = defaultdict(list)
    receipts = _last_receipts(session, since, now)
    for start in range(0, len(receipts), _AT_A_TIME):
        rows = session.scalars(
            select(MatchReceipt).where(MatchReceipt.id.in_(receipts[start : start + _AT_A_TIME]))
        )
        for row in rows:
            if row.content:
                found[row.content["query"]["need"]].append(_facts(row.content))
        session.expunge_all()  # with the rows go their opened keys
    return found


def freeze(
    session: Session,
    facts: Mapping[str, list[dict[str, str]]],
    *,
    quarter: str,
    least: int,
    now: datetime,
) -> int:
    """Keep the quarter's groups of at least `least` people; gives how many there are."""
    made = [
        AskerGroup(quarter=quarter, category=category, facts=shared, people=people, made_at=now)
        for category, people_of in sorted(facts.items())
        for shared, people in grouped(people_of, least=least)
    ]
    session.add_all(made)
    session.flush()
    return len(made)


def is_due(session: Session, quarter: str) -> bool:
    """Whether the quarter has no groups yet."""
    made = select(AskerGroup.id).where(AskerGroup.quarter == quarter).limit(1)
    return session.scalar(made) is None


def _last_receipts(session: Session, since: datetime | None, until: datetime) -> list[UUID]:
    """The newest receipt of each client and category."""
    query = (
        select(MatchReceipt.id, Case.client_id, Need.category)
        .join(Need, Need.id == MatchReceipt.need_id)
        .join(Case, Case.id == Need.case_id)
        .join(Client, Client.id == Case.client_id)
        .where(Client.erased_at.is_(None), MatchReceipt.at <= until)
        .order_by(MatchReceipt.at, MatchReceipt.id)
    )
    if since is not None:
        query = query.where(MatchReceipt.at > since)
    newest = {(row.client_id, row.category): row.id for row in session.execute(query)}
    return list(newest.values())


def _facts(content: Mapping[str, Any]) -> dict[str, str]:
    """What is told of one person, as coarse as groups tell it."""
    query = content["query"]
    regency = regency_of((query.get("place") or {}).get("code"))
    told = {"province": regency.partition(".")[0] if regency else None, "regency": regency}
    # Left out altogether they would be the difference to the published figure of who asked there.
    if not content["asked"]["violence"]:
        told["when"] = part_of_week(datetime.fromisoformat(query["at"]))
    if not (content["asked"]["violence"] or content["asked"]["is_group"]):
        told |= {
            "age": age_band(query.get("age")),
            "sex": query.get("sex"),
            "registered": regency_of(query.get("registered_in")),
            "disability": ",".join(sorted(query.get("disability") or ())) or None,
            "desil": desil_band(query.get("desil")),
            "documents": ",".join(sorted(query.get("documents_lacking") or ())) or None,
        }
    return {fact: value for fact, value in told.items() if value is not None}
