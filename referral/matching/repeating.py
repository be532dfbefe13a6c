"""A receipt worked out again: its own numbers, and the same question put to the directory of today."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from referral.casework.queries import excluded_organizations
from referral.changes.models import DirectoryChange
from referral.core.errors import NotAllowed
from referral.core.text import Message
from referral.directory import closed_days
from referral.directory.models import Service, ServiceAtLocation
from referral.directory.upkeep import history
from referral.matching import candidates, operations, queries
from referral.matching.differences import Comparison, Since, compare, missing
from referral.matching.facts import Circumstances, Query
from referral.matching.judging import judge
from referral.matching.models import MatchReceipt, PenaltyTable
from referral.matching.receipts import PARTS, query_of
from referral.matching.recomputing import Mismatch, Point, recomputed
from referral.matching.rules import RULES_VERSION, applying, is_proposed
from referral.matching.weighing import differing
from referral.places.gazetteer import Gazetteer
from referral.places.queries import gazetteer as places_of


@dataclass(frozen=True)
class DirectoryThenAndNow:
    """Versions of the directory, and how many listings changed between; None: everything may have."""

    then: int
    now: int
    listings_changed: int | None


@dataclass(frozen=True)
class Repeated:
    """What came of it.

    own_numbers      what in the receipt does not follow from the rest of it
    rules            version of the rules then and now
    tables           the penalty table it was made with, and the one that holds today
    tables_differ    {rule: (steps then, steps today)}
    answer           the same question with the same penalties, over the directory as it is
    todays_table     what today's penalties change beyond that; None where they are the same
    causes           what changed between then and now, in sentences
    """

    receipt: MatchReceipt
    own_numbers: tuple[Mismatch, ...]
    names: Mapping[str, str]
    rules: tuple[int, int]
    tables: tuple[PenaltyTable, PenaltyTable]
    tables_differ: Mapping[str, tuple[float, float]]
    directory: DirectoryThenAndNow
    answer: Comparison
    todays_table: Comparison | None
    causes: tuple[Message, ...]

    @property
    def is_equal(self) -> bool:
        """Whether today's answer would be this receipt again, and its numbers follow from each other."""
        todays = self.todays_table is None or self.todays_table.is_equal
        return not self.own_numbers and self.answer.is_equal and todays

    @property
    def verdict(self) -> Message:
        return Message("repeat.equal" if self.is_equal else "repeat.differs")

    @property
    def own_number_sentences(self) -> tuple[Message, ...]:
        """Whether the receipt's own numbers follow from each other, and which do not."""
        if not self.own_numbers:
            return (Message("repeat.own_numbers.right"),)
        whole, nothing = Message("repeat.whole"), Message("repeat.nothing")
        return (
            Message("repeat.own_numbers.wrong", {"count": len(self.own_numbers)}),
            *(
                Message(
                    "repeat.number.wrong",
                    {
                        "name": self.names.get(one.where or "", whole),
                        "number": Message(f"repeat.number.{one.number}"),
                        "kept": nothing if one.kept is None else one.kept,
                        "follows": nothing if one.follows is None else one.follows,
                    },
                )
                for one in self.own_numbers
            ),
        )

    @property
    def table_changed(self) -> Message | None:
        """Which penalties differ between then and today."""
        if not self.tables_differ:
            return None
        then, now = (
            Message(
                "repeat.table_shared" if table.office_id is None else "repeat.table_own",
                {"number": table.number},
            )
            for table in self.tables
        )
        rules = [
            Message(
                "repeat.table_rule",
                {"rule": Message(f"penalties.rule.{rule}"), "then": steps[0], "now": steps[1]},
            )
            for rule, steps in self.tables_differ.items()
        ]
        return Message("repeat.table_changed", {"then": then, "now": now, "rules": rules})


def repeat(session: Session, receipt: MatchReceipt) -> Repeated:
    """Work a receipt out again. Writes nothing.

    Raises NotAllowed where the person was erased, or somebody it names is kept out of the case by now.
    """
    content = receipt.content
    if content is None:
        raise NotAllowed("repeat.erased")
    if queries.is_outdated(session, receipt):
        raise NotAllowed("match.receipt.outdated")
    gazetteer = places_of(session)
    query = query_of(content)
    table = session.get_one(PenaltyTable, receipt.penalty_table_id)
    today = queries.penalty_table(session, receipt.office_id)
    how: dict[str, Any] = {
        "zone": content["asked"]["zone"],
        "need_id": content["asked"]["need_id"],
        "kept_out": excluded_organizations(session, receipt.case_id)
        if receipt.case_id
        else frozenset(),
        "now": receipt.at,
    }
    again = operations.answer(session, query, **how, table=table)
    directory = _directory(session, content, again)
    since = _since(session, receipt, query, again, gazetteer)
    rules = receipt.rules_version, RULES_VERSION
    causes = _causes(rules, directory)
    tables_differ = differing(content["penalty_table"]["steps"], today.steps)
    todays = None
    if tables_differ:
        todays = compare(again, operations.answer(session, query, **how, table=today))
    return Repeated(
        receipt=receipt,
        own_numbers=tuple(recomputed(content, _locate(gazetteer))),
        names={
            one["service_at_location_id"]: one["name"] for part in PARTS for one in content[part]
        },
        rules=rules,
        tables=(table, today),
        tables_differ=tables_differ,
        directory=directory,
        answer=compare(
            content, again, since=since, otherwise=causes or (Message("repeat.unexplained"),)
        ),
        todays_table=todays,
        causes=causes,
    )


def _locate(gazetteer: Gazetteer) -> Any:
    def located(code: str) -> Point | None:
        found = gazetteer.locate(code) if code in gazetteer else None
        return (found.latitude, found.longitude, found.precision_km) if found else None

    return located


def _directory(
    session: Session, then: Mapping[str, Any], now: Mapping[str, Any]
) -> DirectoryThenAndNow:
    later = DirectoryChange.seq > then["directory_version"]
    listings, entries, named = session.execute(
        select(
            func.count(func.distinct(DirectoryChange.service_id)),
            func.count(),
            func.count(DirectoryChange.service_id),
        ).where(later)
    ).one()
    changed = None if entries != named else listings
    return DirectoryThenAndNow(then["directory_version"], now["directory_version"], changed)


def _causes(rules: tuple[int, int], directory: DirectoryThenAndNow) -> tuple[Message, ...]:
    causes = [
        Message(
            "repeat.rules", {"version": version, "what": Message(f"match.rules_version.{version}")}
        )
        for version in range(rules[0] + 1, rules[1] + 1)
    ]
    if directory.listings_changed is None:
        causes.append(Message("repeat.all_may_have_changed"))
    elif directory.listings_changed:
        causes.append(Message("repeat.listings_changed", {"count": directory.listings_changed}))
    return tuple(causes)


def _since(
    session: Session,
    receipt: MatchReceipt,
    query: Query,
    again: Mapping[str, Any],
    gazetteer: Gazetteer,
) -> dict[str, Since]:
    """What became of every listing that either answer names."""
    content = receipt.content or {}
    services = {
        one["service_at_location_id"]: UUID(one["service_id"])
        for answer in (content, again)
        for part in PARTS
        for one in answer[part]
    }
    first_and_last = {
        row[0]: (row[1], row[2])
        for row in session.execute(
            select(
                DirectoryChange.service_id,
                func.min(DirectoryChange.seq),
                func.max(DirectoryChange.seq),
            )
            .where(DirectoryChange.service_id.in_(set(services.values())))
            .group_by(DirectoryChange.service_id)
        )
    }
    version = content["directory_version"]
    changed = {one for one, (_, last) in first_and_last.items() if last > version}
    new = {one for one, (first, _) in first_and_last.items() if first > version}
    fields = {one: _fields(session, one, receipt) for one in changed - new if one}
    state = _state_of(session, query, missing(content, again), gazetteer)
    found = {}
    for site_id, service_id in services.items():
        gone, failed = state.get(site_id, (False, ()))
        found[site_id] = Since(
            changed=service_id in changed,
            fields=fields.get(service_id, ()),
            is_new=service_id in new,
            gone=gone,
            failed=failed,
        )
    return found


def _fields(session: Session, service_id: UUID, receipt: MatchReceipt) -> tuple[Message, ...]:
    """Which fields of a listing were written since, as far as its newest history tells."""
    service = session.get(Service, service_id)
    if service is None:
        return ()
    labels: dict[str, Message] = {}
    for entry in history.entries(session, service).items:
        if entry.at > receipt.at:
            for label in (
                *(one.label for one in entry.differences),
                *entry.fields,
                *entry.hidden,
            ):
                labels.setdefault(label.key, label)
    return tuple(labels.values())


def _state_of(
    session: Session, query: Query, site_ids: Collection[str], gazetteer: Gazetteer
) -> dict[str, tuple[bool, tuple[str, ...]]]:
    """Of services that are not listed any more: whether they are gone, and which gates fail now.

    Where harm is looked into nobody is sent: that one is gone as well, and why is not said here.
    """
    if not site_ids:
        return {}
    ids = [UUID(one) for one in site_ids]
    merged = set(
        session.scalars(
            select(ServiceAtLocation.service_id)
            .join(Service, Service.id == ServiceAtLocation.service_id)
            .where(ServiceAtLocation.id.in_(ids), Service.merged_into_id.is_not(None))
        )
    )
    found = candidates.offers_at(session, ids, gazetteer)
    out = merged | queries.held_back(session, {offer.service_id for offer in found})
    offers = {
        str(offer.service_at_location_id): offer
        for offer in found
        if offer.service_id not in out and is_proposed(query, offer)
    }
    gates = applying(query, closed_days.around(query.at.year))
    state: dict[str, tuple[bool, tuple[str, ...]]] = {}
    for site_id in site_ids:
        offer = offers.get(site_id)
        if offer is None:
            state[site_id] = (True, ())
        else:
            judged = judge(query, offer, gates, Circumstances())
            state[site_id] = (False, tuple(gate.rule for gate in judged.failed))
    return state
